"""Fingerprints: equal for equal things, other for other things."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny
import torch

from wiseft_tutorial.caching import fingerprint


def test_equal_things_have_equal_fingerprints(tmp_path: Path) -> None:
    def parts() -> list[object]:
        return ["text", tiny.split(6, seed=0), [("a", torch.ones(2))]]

    assert fingerprint(*parts()) == fingerprint(*parts())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "other",
    [
        [("a", torch.tensor([1.0, 2.0]))],
        [("b", torch.ones(2))],
        [("a", torch.ones(2, 1))],
        [("a", torch.ones(2, dtype=torch.bfloat16))],
        [("a", torch.ones(2)), ("b", torch.ones(0))],
        [],
    ],
)
def test_named_tensors_differ_by_name_shape_dtype_and_value(
    other: list[tuple[str, torch.Tensor]],
) -> None:
    assert fingerprint([("a", torch.ones(2))]) != fingerprint(other)


def test_one_pixel_or_one_label_makes_another_split() -> None:
    split, pixel, label = (tiny.split(6, seed=0) for _ in range(3))
    pixel.images[5, 2, 47, 47] += 1
    label.labels[5] = 0
    assert len({fingerprint(s) for s in (split, pixel, label)}) == 3


def test_a_file_counts_by_its_contents(tmp_path: Path) -> None:
    for name, contents in (("a", "x"), ("b", "x"), ("c", "y")):
        (tmp_path / name).write_text(contents)
    a, b, c = (fingerprint(tmp_path / name) for name in "abc")
    assert a == b != c


def test_parts_do_not_run_together() -> None:
    assert fingerprint("ab", "c") != fingerprint("a", "bc")

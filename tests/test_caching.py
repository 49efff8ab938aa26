"""Fingerprints: equal for equal things, other for other things."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny
import torch

from wiseft_tutorial import caching
from wiseft_tutorial.caching import cache_folder, fingerprint


def test_the_folder_is_the_readers_to_choose(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WISEFT_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


@pytest.mark.parametrize(
    ("platform", "variable", "end"),
    [
        ("linux", "XDG_CACHE_HOME", "wiseft_tutorial"),
        ("win32", "LOCALAPPDATA", "wiseft_tutorial"),
        ("darwin", "HOME", "Library/Caches/wiseft_tutorial"),
    ],
)
def test_each_platform_has_its_usual_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str, variable: str, end: str
) -> None:
    monkeypatch.delenv("WISEFT_CACHE", raising=False)
    monkeypatch.setattr(caching.sys, "platform", platform)
    monkeypatch.setenv(variable, str(tmp_path))
    assert cache_folder() == tmp_path / end


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

"""Gains on the same images: their value, their interval, and what does not belong together."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import wiseft_tutorial as wt


def test_the_mean_of_the_hits_is_the_accuracy() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(50, 4, generator=generator)
    labels = torch.randint(4, (50,), generator=generator)
    right = wt.hits(logits, labels)
    assert right.dtype == np.float64
    assert set(right) == {0.0, 1.0}
    assert right.mean() == wt.accuracy(logits, labels).value


def test_hits_of_other_images_are_refused() -> None:
    with pytest.raises(wt.DataError, match="do not fit together"):
        wt.hits(torch.zeros(3, 2), torch.zeros(4, dtype=torch.int64))


def test_a_gain_is_of_paired_images() -> None:
    one, other = {"a": np.array([1.0, 1, 0, 1])}, {"a": np.array([0.0, 1, 0, 1])}
    value, about = wt.paired_gain(one, other)
    assert value == 0.25
    assert about == pytest.approx(1.96 * (0.1875 / 4) ** 0.5)
    assert wt.paired_gain(one, one) == (0.0, 0.0)


def test_a_gain_is_a_mean_over_the_distributions_that_are_named() -> None:
    one = {"a": np.array([1.0, 0, 1, 0]), "b": np.array([1.0, 0]), "c": np.zeros(3)}
    other = {"a": np.array([0.0, 0, 0, 0]), "b": np.array([0.0, 0]), "c": np.ones(3)}
    value, about = wt.paired_gain(one, other, ["a", "b"])
    assert value == 0.5
    assert about == pytest.approx(1.96 * (0.25 / 4 + 0.25 / 2) ** 0.5 / 2)


def test_the_interval_holds_the_true_gain_as_often_as_it_says() -> None:
    """Two models that stumble over the same images, drawn anew a thousand times."""
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(1000):
        hard = {name: rng.random(200) for name in "ab"}
        one = {name: (value < 0.7).astype(float) for name, value in hard.items()}
        other = {
            name: (value + rng.normal(0, 0.1, 200) < 0.7) * 1.0 for name, value in hard.items()
        }
        value, about = wt.paired_gain(one, other)
        inside += abs(value - 0.0) < about
    # Noise of mean zero moves as many images over the threshold as back.
    assert 930 < inside < 970


@pytest.mark.parametrize(
    ("other", "names", "error", "message"),
    [
        ({"a": np.zeros(3)}, None, wt.DataError, "the same images"),
        ({"b": np.zeros(4)}, None, wt.UnknownNameError, "distribution 'a'"),
        ({"a": np.zeros(4)}, ["A"], wt.UnknownNameError, "known: a"),
        ({"a": np.zeros(4)}, [], wt.DataError, "at least one"),
        ({"a": np.zeros((4, 1))}, None, wt.DataError, "the same images"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    other: dict[str, np.ndarray], names: list[str] | None, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        wt.paired_gain({"a": np.ones(4)}, other, names)

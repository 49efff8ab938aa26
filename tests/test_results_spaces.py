"""Four ways to combine two models: equal where they must be, and measured on the same images."""

from __future__ import annotations

import pytest
import tiny

import wiseft_tutorial as wt
from wiseft_tutorial.results import spaces


def test_at_both_ends_all_ways_but_the_mirror_are_one_model() -> None:
    zeroshot, bench = tiny.zeroshot(), tiny.benchmark()
    other = tiny.moved(zeroshot, step=0.5)
    for alpha in (0.0, 1.0):
        rows = spaces.measure(zeroshot, other, bench, alpha).set_index("way")
        same = rows.drop(index="mirror")
        assert (
            same[["gain_reference", "about_reference", "gain_shifts", "about_shifts"]] == 0
        ).all(axis=None)
        assert same["shifts"].nunique() == 1


@pytest.mark.parametrize("space", ["weights", "outputs"])
def test_accuracies_are_those_of_the_sweep(space: str) -> None:
    zeroshot, bench = tiny.zeroshot(), tiny.benchmark()
    other = tiny.moved(zeroshot, step=0.5)
    rows = spaces.measure(zeroshot, other, bench, 0.5).set_index("way")
    sweep = wt.alpha_sweep(zeroshot, other, bench, alphas=[0.5], space=space, progress=False)
    summary = wt.summarise(sweep).iloc[0]
    assert rows["reference"][space] == pytest.approx(summary["reference"])
    assert rows["shifts"][space] == pytest.approx(summary["shifts"])

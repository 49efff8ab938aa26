"""Comparing a rerun with what was published: what is allowed, what is not, and how often."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import wiseft_tutorial as wt

B16 = "ViT-B-16-quickgelu", "imagenet"


def published(*key: str) -> pd.DataFrame:
    sweep = wt.published_sweep(*(key or B16))  # type: ignore[arg-type]
    assert sweep is not None
    return sweep


def frame(accuracy: float, **more: float) -> pd.DataFrame:
    return pd.DataFrame([{"alpha": 0.5, "distribution": "d", "accuracy": accuracy, **more}])


def test_the_published_sweeps_are_those_of_the_tables() -> None:
    sweep = published()
    table = wt.paper.alpha_sweeps("CLIP ViT-B/16", "e2e")
    assert sweep["accuracy"].tolist() == table["accuracy"].tolist()
    assert set(sweep["rounding"]) == {0.0005}
    images = sweep.groupby("distribution")["images"].first()
    assert images["ImageNet"] == 50_000
    assert images["ObjectNet"] == 18_574
    assert set(published("ViT-B-32-quickgelu", "imagenet")["rounding"]) == {0.002}
    assert len(published("ViT-L-14-336", "imagenet", "lc")) == 21 * 6


def test_table_6_has_the_names_of_the_benchmarks() -> None:
    large = "ViT-L-14-336-quickgelu"
    cifar = published(large, "cifar10").pivot(
        index="alpha", columns="distribution", values="accuracy"
    )
    assert cifar.loc[0.5].to_dict() == {"CIFAR-10": 0.993, "CIFAR-10.1": 0.976, "CIFAR-10.2": 0.934}
    assert np.isnan(cifar.loc[0.0, "CIFAR-10"])  # is not printed
    fmow = published(large, "wilds-fmow")
    assert fmow["kind"].tolist() == ["reference", "shift"] * 3
    assert published(large, "cifar100")["accuracy"].tolist() == [0.933, 0.922]
    assert len(published(large, "imagenet-vid-robust", "lc")) == 3


@pytest.mark.parametrize(
    "key",
    [
        ("pocket", "pocket"),
        ("ViT-B-32-quickgelu", "cifar10"),
        ("ViT-B-32-quickgelu", "imagenet", "lc"),
        ("ViT-L-14-336-quickgelu", "imagenet-vid-robust"),
        ("RN50-quickgelu", "imagenet"),
    ],
)
def test_what_was_not_published_is_none(key: tuple[str, ...]) -> None:
    assert wt.published_sweep(*key) is None  # type: ignore[arg-type]


def test_the_same_numbers_are_within() -> None:
    found = wt.compare_with_published(published(), published())
    assert len(found) == 21 * 6
    assert (found["difference"] == 0).all()
    assert (found["excess"] == 0).all()
    assert set(wt.verdicts(found)) == {"within"}
    assert list(wt.verdicts(found).index) == [wt.paper.REFERENCE, *wt.paper.SHIFTS]


def test_the_allowance_is_the_formula() -> None:
    sweep = frame(0.7, low=0.66, high=0.74, n=500)
    theirs = frame(0.72).assign(rounding=0.001, images=2000)
    (row,) = wt.compare_with_published(sweep, theirs).to_dict("records")
    sampling = 0.08 / 3.92 * 0.75**0.5
    spread = (0.005**2 + 0.005**2 + sampling**2) ** 0.5
    assert row["allowance"] == pytest.approx(0.001 + stats.norm.ppf(0.975) * spread)
    assert row["difference"] == pytest.approx(-0.02)
    all_images = wt.compare_with_published(sweep.assign(n=2000), theirs).iloc[0]
    assert all_images["allowance"] == pytest.approx(0.001 + 1.959964 * 0.005 * 2**0.5)
    other_images = wt.compare_with_published(sweep, theirs.drop(columns="images")).iloc[0]
    assert other_images["allowance"] > row["allowance"]


def test_an_excess_says_how_much_and_on_which_side() -> None:
    theirs = pd.concat([frame(0.5), frame(0.5).assign(distribution="e")])
    for gap, side in ((-0.1, "low"), (0.1, "high")):
        ours = pd.concat([frame(0.5 + gap), frame(0.5).assign(distribution="e")])
        found = wt.compare_with_published(ours, theirs)
        allowed = found["allowance"].iloc[0]
        assert found["excess"].iloc[0] == pytest.approx(np.sign(gap) * (0.1 - allowed))
        said = f"outside: {100 * (0.1 - allowed):.1f} points too {side} at alpha = 0.5"
        assert wt.verdicts(found).to_dict() == {"d": said, "e": "within"}


def test_alphas_meet_whatever_their_last_bit() -> None:
    ours = pd.DataFrame({"alpha": [0.1 + 0.2], "distribution": ["d"], "accuracy": [0.5]})
    assert len(wt.compare_with_published(ours, frame(0.5).assign(alpha=0.3))) == 1


def test_what_only_one_of_them_has_is_left_out() -> None:
    sweep = published()
    few = sweep[sweep["alpha"].isin([0.0, 1.0])]
    found = wt.compare_with_published(few[few["distribution"] != "ObjectNet"], sweep)
    assert len(found) == 10
    assert found["allowance"].iloc[0] < wt.compare_with_published(sweep, sweep)["allowance"].iloc[0]


def test_sound_reruns_pass_as_often_as_the_level_says() -> None:
    """Every difference is drawn by itself, which is where most of them stray beyond."""
    theirs = published()
    theirs = theirs[(theirs["alpha"] * 20).round() % 4 == 0].reset_index(drop=True)
    rng = np.random.default_rng(0)
    spread = np.hypot(0.005, 0.01 * theirs["alpha"].to_numpy())
    noise = rng.standard_normal((400, len(theirs))) * spread
    passed = [
        (
            wt.compare_with_published(theirs.assign(accuracy=theirs["accuracy"] + one), theirs)[
                "excess"
            ]
            == 0
        ).all()
        for one in noise
    ]
    assert np.mean(passed) > 0.94


def test_the_known_reruns_are_within() -> None:
    known = wt.paper.reruns()
    assert len(known) == 7
    assert set(known["source"]) == {"a user of the authors' code", "the authors' repository"}
    for model, name in (("CLIP ViT-B/32", "ViT-B-32"), ("CLIP ViT-B/16", "ViT-B-16")):
        found = wt.compare_with_published(
            known[known["model"] == model], published(name, "imagenet")
        )
        assert set(wt.verdicts(found)) == {"within"}


@pytest.mark.parametrize(
    ("ours", "theirs", "level", "message"),
    [
        (frame(0.5).drop(columns="alpha"), frame(0.5), 0.95, "rerun has no column alpha"),
        (frame(0.5), frame(0.5).drop(columns="accuracy"), 0.95, "published sweep has no column"),
        (pd.concat([frame(0.5)] * 2), frame(0.5), 0.95, "several accuracies"),
        (frame(0.5), frame(0.5).assign(distribution="e"), 0.95, "in common: d, and e"),
        (frame(0.5), frame(0.5), 95.0, "level = 95"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    ours: pd.DataFrame, theirs: pd.DataFrame, level: float, message: str
) -> None:
    with pytest.raises(wt.DataError, match=message):
        wt.compare_with_published(ours, theirs, level=level)

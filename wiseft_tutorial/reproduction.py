"""Is a rerun sound? Its sweep beside the published one, and how far the two may lie apart.

Three things move the numbers of somebody who did nothing wrong: another *pipeline* for the same
weights (decoding, resizing, prompts, number formats), another *run* of fine-tuning, and other
*images*, where not all of a test set are used.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from wiseft_tutorial import paper
from wiseft_tutorial.errors import DataError

__all__ = ["compare_with_published", "published_sweep", "verdicts"]

_SWEPT = {"ViT-B-16": "CLIP ViT-B/16", "ViT-L-14-336": "CLIP ViT-L/14@336px"}
_DIGITISED, _LARGEST = "ViT-B-32", "ViT-L-14-336"
_PRINTED, _READ_OFF = 0.0005, 0.002  # how far a number may lie from what was measured
_TABLE_6 = {  # the paper's names of distributions, and those of the benchmarks here
    "imagenet-vid-robust": {"ImageNet-Vid-Robust": "ImageNet-Vid-Robust"},
    "ytbb-robust": {"YTBB-Robust": "YTBB-Robust"},
    "cifar10": {"CIFAR-10.1": "CIFAR-10.1", "CIFAR-10.2": "CIFAR-10.2"},
    "wilds-fmow": {"FMoW ID": "FMoW", "FMoW OOD": "FMoW from 2016 on, worst region"},
    "wilds-iwildcam": {"iWildCam ID": "iWildCam", "iWildCam OOD": "iWildCam, other cameras"},
}
_TABLE_2 = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100"}
_ALPHAS = {"Zero-shot": 0.0, "WiSE-FT, alpha = 0.5": 0.5, "Fine-tuned": 1.0}
_KEYS = ["alpha", "distribution"]
_SIDES = 1.96  # standard deviations from the middle of a 95 % interval to its end


def published_sweep(
    model: str, benchmark: str, mode: Literal["e2e", "lc"] = "e2e"
) -> pd.DataFrame | None:
    """What the paper published of a model on a benchmark, in the form of a sweep.

    Args:
        model: open_clip's name of it, such as ``"ViT-B-16-quickgelu"``.
        benchmark: As :func:`wiseft_tutorial.load_benchmark` takes it, such as ``"imagenet"``.
        mode: ``"e2e"`` (end to end) or ``"lc"`` (linear classifier).

    Returns:
        ``None`` if nothing was published. Else one row for each alpha and distribution: model,
        alpha, distribution (as the benchmark calls it), kind, accuracy, rounding (how far the
        number may lie from the measured one, by printing or by reading off a plot; both fractions)
        and images (how many the test set has; NaN where that is not known).

    Source: tables 2, 4, 5 and 6; for ViT-B/32 figures of the authors' repository.
    Explained in: chapter 15.
    """
    name = model.removesuffix("-quickgelu")
    rounding = _PRINTED
    if benchmark == "imagenet" and name in _SWEPT:
        sweep = paper.alpha_sweeps(_SWEPT[name], mode)
    elif benchmark == "imagenet" and name == _DIGITISED and mode == "e2e":
        sweep, rounding = paper.digitised_sweep(), _READ_OFF
    elif name == _LARGEST:
        sweep = _from_tables(benchmark, mode)
    else:
        return None
    if sweep.empty:
        return None
    images = sweep["distribution"].map(dict(paper.IMAGES)).astype(float)
    columns = ["model", "alpha", "distribution", "kind", "accuracy"]
    return sweep[columns].assign(rounding=rounding, images=images)


def compare_with_published(
    sweep: pd.DataFrame,
    published: pd.DataFrame,
    *,
    pipeline: float = 0.005,
    run: float = 0.01,
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare a rerun with what was published, at each alpha and on each distribution.

    A difference is allowed up to ``rounding + z sqrt(pipeline^2 + (alpha run)^2 + sampling^2)``.
    At alpha = 0 the weights are the same and only the pipeline differs; the further fine-tuning
    went, the more its randomness counts. ``sampling`` is the uncertainty that the sweep's own
    intervals state, times the root of the share of the test set that was left out: on all of its
    images both measured the same thing. ``z`` is such that a rerun whose differences are normal
    with these standard deviations is allowed everywhere with probability ``level`` or more.

    Args:
        sweep: As :func:`wiseft_tutorial.alpha_sweep` returns it; without ``low`` and ``high`` its
            accuracies are taken to be of all images.
        published: As :func:`published_sweep` returns it; ``rounding`` may be left out where
            numbers are printed to a tenth of a point, and ``images`` where the rerun has others.
        pipeline: Standard deviation between two pipelines with the same weights, a fraction.
        run: Standard deviation between two runs of fine-tuning, at alpha = 1, a fraction.
        level: The probability that a sound rerun is within everywhere.

    Returns:
        One row for each alpha and distribution that both have: alpha, distribution, accuracy,
        published, difference (positive where the rerun is better), allowance, and excess, what the
        difference has beyond its allowance: 0 for what is within, else with the difference's sign.

    Raises:
        DataError: A column is missing, one of them has several accuracies for one alpha and
            distribution, they have none in common, or ``level`` is no probability.

    Source: our own; the spreads are those between the rows of table 1 that share their weights,
    and of two reruns that are known. Explained in: chapter 15.
    """
    for name, frame in (("rerun", sweep), ("published sweep", published)):
        if missing := [column for column in (*_KEYS, "accuracy") if column not in frame]:
            raise DataError(f"the {name} has no column {', '.join(missing)}")
        if frame.duplicated(_KEYS).any():
            raise DataError(
                f"the {name} has several accuracies for one alpha and distribution; compare one "
                "model and one mode at a time"
            )
    if not 0 < level < 1:
        raise DataError(f"level = {level:g}, but a probability lies between 0 and 1")
    defaults = {"rounding": _PRINTED, "images": np.nan} | {
        column: published[column] for column in ("rounding", "images") if column in published
    }
    ours = _rounded(sweep)[[*_KEYS, "accuracy"]].assign(
        sampling=_sampling(sweep), n=sweep.get("n", np.nan)
    )
    theirs = _rounded(published.assign(**defaults)).rename(columns={"accuracy": "published"})
    theirs = theirs[[*_KEYS, "published", "rounding", "images"]]
    both = ours.merge(theirs, on=_KEYS, how="inner").dropna(subset=["accuracy", "published"])
    if both.empty:
        raise DataError(
            "the rerun and what was published have no alpha and distribution in common: "
            f"{_named(sweep)}, and {_named(published)}"
        )
    left_out = (1 - both["n"] / both["images"]).clip(0, 1).fillna(1.0)  # of the test set
    z = float(stats.norm.ppf(1 - (1 - level) / (2 * len(both))))
    spread = (pipeline**2 + (both["alpha"] * run) ** 2 + left_out * both["sampling"] ** 2) ** 0.5
    difference = both["accuracy"] - both["published"]
    allowance = both["rounding"] + z * spread
    beyond = (difference.abs() - allowance).clip(lower=0)
    return both[[*_KEYS, "accuracy", "published"]].assign(
        difference=difference, allowance=allowance, excess=np.sign(difference) * beyond + 0.0
    )


def verdicts(comparison: pd.DataFrame) -> pd.Series[str]:
    """Say of each distribution whether a rerun is within what is allowed, and else by how much not.

    Args:
        comparison: As :func:`compare_with_published` returns it.

    Returns:
        By distribution, in the order of the comparison, ``"within"`` or such as ``"outside: 2.3
        points too low at alpha = 0"``, for the alpha where the excess is largest.

    Explained in: chapter 15.
    """
    said = {}
    for name, rows in comparison.groupby("distribution", sort=False):
        worst = rows.iloc[int(rows["excess"].abs().argmax())]
        excess = float(worst["excess"])
        said[str(name)] = "within"
        if excess:
            side = "high" if excess > 0 else "low"
            said[str(name)] = (
                f"outside: {100 * abs(excess):.1f} points too {side} at alpha = {worst['alpha']:g}"
            )
    return pd.Series(said, name="verdict", dtype=str)


def _from_tables(benchmark: str, mode: str) -> pd.DataFrame:
    """What tables 2 and 6 have of a benchmark, for the largest CLIP."""
    six = paper.table(6)
    names = _TABLE_6.get(benchmark, {})
    rows = six[(six["mode"] == mode) & six["distribution"].isin(list(names))]
    parts = [rows.assign(distribution=rows["distribution"].map(names))]
    if mode == "e2e" and benchmark in _TABLE_2:
        reference = _TABLE_2[benchmark]
        values = paper.table(2).set_index("method")[reference]
        parts.insert(0, pd.DataFrame([{"distribution": reference, "kind": "reference", **values}]))
    wide = pd.concat(parts).rename(columns=_ALPHAS)
    kept = [alpha for alpha in _ALPHAS.values() if alpha in wide]
    tidy = wide.melt(["distribution", "kind"], kept, "alpha", "accuracy").dropna()
    return tidy.assign(model="CLIP ViT-L/14@336px", alpha=tidy["alpha"].astype(float))


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """With alphas that are the same number where they are meant to be."""
    return frame.assign(alpha=frame["alpha"].astype(float).round(6))


def _sampling(sweep: pd.DataFrame) -> pd.Series[float] | float:
    """The standard deviation that the sweep's 95 % intervals stand for."""
    if not {"low", "high"} <= set(sweep):
        return 0.0
    return (sweep["high"] - sweep["low"]) / (2 * _SIDES)


def _named(frame: pd.DataFrame) -> str:
    return ", ".join(dict.fromkeys(frame["distribution"].astype(str)))

"""The numbers the paper and its testbed published, as data frames.

Every frame holds fractions, not percent. ``data/paper/SOURCES.md`` says where each file comes from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from types import MappingProxyType
from typing import Literal

import pandas as pd

from wiseft_tutorial.errors import DataError, unknown
from wiseft_tutorial.robustness import Baseline, fit_baseline

__all__ = [
    "IMAGES",
    "MODELS",
    "REFERENCE",
    "SHIFTS",
    "TABLES",
    "alpha_sweeps",
    "digitised_sweep",
    "model_soups",
    "observation_1",
    "reruns",
    "table",
    "testbed",
    "testbed_baseline",
    "testbed_cloud",
]

MODELS = (
    "CLIP ViT-B/16",
    "CLIP ViT-L/14@336px",
    "ALIGN",
    "JFT ViT-H/14",
    "BASIC-M",
    "BASIC-L",
)
"""The models whose sweeps over alpha are published."""

REFERENCE = "ImageNet"
SHIFTS = ("ImageNet-V2", "ImageNet-R", "ImageNet-Sketch", "ObjectNet", "ImageNet-A")
IMAGES: Mapping[str, int] = MappingProxyType(
    {
        "ImageNet": 50_000,
        "ImageNet-V2": 10_000,
        "ImageNet-R": 30_000,
        "ImageNet-Sketch": 50_889,
        "ObjectNet": 18_574,
        "ImageNet-A": 7_500,
        "CIFAR-10": 10_000,
        "CIFAR-10.1": 2_000,
        "CIFAR-10.2": 2_000,
        "CIFAR-100": 10_000,
        "FMoW": 11_327,
        "iWildCam": 8_154,
        "iWildCam, other cameras": 42_791,
    }
)
"""How many test images the published accuracies are of; of ObjectNet, those that are of ImageNet's
classes."""

_COLUMNS = {
    "IN": REFERENCE,
    "IN-V2": "ImageNet-V2",
    "IN-R": "ImageNet-R",
    "IN-Sketch": "ImageNet-Sketch",
    "IN-A": "ImageNet-A",
}
_AVERAGES = ("avg_shifts", "avg_ref_shifts")
_PRINTED = {1: "table1.csv", 2: "table2.csv", 6: "table6.csv", 7: "table7.csv", 13: "table13.csv"}
_SWEEPS = (4, 5, 9, 10, 11, 12)
TABLES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)
"""The tables of the paper that :func:`table` knows: all of them."""

# A shift of the testbed: its column, and the column of ImageNet restricted to the same classes.
_TESTBED = {
    "ImageNet-V2": ("imagenet_v2", "imagenet"),
    "ImageNet-R": ("imagenet_r", "imagenet_on_r_classes"),
    "ImageNet-Sketch": ("imagenet_sketch", "imagenet"),
    "ObjectNet": ("objectnet", "imagenet_on_objectnet_classes"),
    "ImageNet-A": ("imagenet_a", "imagenet_on_a_classes"),
    "ImageNet-Vid-Robust": ("imagenet_vid_robust_pm0", "imagenet_on_vid_classes"),
    "YTBB-Robust": ("ytbb_robust_pm0", "imagenet_on_ytbb_classes"),
}


def alpha_sweeps(
    model: str | None = None, mode: Literal["e2e", "lc"] | None = None
) -> pd.DataFrame:
    """Load the published sweeps over alpha, in the form that ``alpha_sweep`` measures them.

    Args:
        model: One of ``MODELS``; all of them if None.
        mode: ``"e2e"`` (end-to-end) or ``"lc"`` (linear classifier); both if None.

    Returns:
        One row per model, mode, alpha (0 to 1 by 0.05) and distribution, with the columns
        ``model``, ``mode``, ``alpha``, ``distribution``, ``kind`` (``"reference"`` or
        ``"shift"``) and ``accuracy`` (a fraction, published to three digits).

    Raises:
        UnknownNameError: No sweep of this model or mode is published.

    Source: tables 4, 5, 9, 10, 11 and 12. Explained in: chapter 4.
    """
    return _tidy(_wide(model, mode))


def digitised_sweep() -> pd.DataFrame:
    """Load the sweep of CLIP ViT-B/32, which was read off a plot and is uncertain by 0.2 points.

    Returns:
        A frame like that of :func:`alpha_sweeps`, for alpha from 0 to 1 by 0.1 and without
        ObjectNet; the model is called ``"CLIP ViT-B/32 (digitised)"``.

    Source: figures of the authors' repository; the paper prints no such table.
    Explained in: chapter 4.
    """
    wide = _read("digitised_vit_b32.csv")
    wide.insert(0, "model", "CLIP ViT-B/32 (digitised)")
    wide.insert(1, "mode", "e2e")
    return _tidy(wide)


def reruns() -> pd.DataFrame:
    """Load what two known reruns of the published experiments gave.

    Returns:
        A frame like that of :func:`alpha_sweeps`, with a column ``source`` in front. One rerun is
        of ViT-B/16, another run by the authors than that of table 5, read off a plot and uncertain
        by 0.2 points; one is of ViT-B/32, by a user of their code.

    Source: the authors' repository: its figures, and issue 6. Explained in: chapter 15.
    """
    wide = _read("reruns.csv")
    return _tidy(wide, ("source", "model", "mode", "alpha")).dropna(ignore_index=True)


def model_soups() -> pd.DataFrame:
    """Load 71 runs of fine-tuning CLIP ViT-B/32 on ImageNet, and what is known of their averages.

    Returns:
        One row per model: ``model`` (``"start"``, a linear classifier from which every run began;
        ``"run 1"`` to ``"run 71"``; ``"uniform soup"`` and ``"greedy soup"``, of all of them; and
        ``"ensemble of outputs"``), ``lr`` and ``epochs`` of a run, ``held_out``, the accuracy on a
        fiftieth of the training images that was kept apart, ImageNet and its five shifts, and
        ``avg_shifts``; fractions.

    Source: Wortsman et al. 2022, "Model soups". Explained in: chapters 6 and 13.
    """
    models = _read("soups.csv")
    return models.assign(avg_shifts=models[list(SHIFTS)].mean(axis=1).round(6))


def table(number: int) -> pd.DataFrame:
    """Load or derive a table of the paper.

    Tables 3 and 8 are derived from the sweeps, the others are as printed.

    Args:
        number: One of ``TABLES``.

    Returns:
        The rows of the table, accuracies as fractions. ``avg_shifts`` is the mean over the shifts,
        ``avg_ref_shifts`` the mean of that and the reference.

    Raises:
        UnknownNameError: The paper has no table of this number.

    Source: tables 1 to 13. Explained in: chapter 4.
    """
    if number in _PRINTED:
        return _read(_PRINTED[number])
    if number in _SWEEPS:
        sweeps = _wide()
        return sweeps[sweeps["table"] == number].drop(columns="table").reset_index(drop=True)
    if number == 3:
        return _table_3()
    if number == 8:
        return _table_8()
    raise unknown("table of the paper", str(number), map(str, TABLES))


def observation_1(sweep: pd.DataFrame) -> pd.DataFrame:
    """Compare every accuracy with the straight line between the two endpoints' accuracies.

    Observation 1 holds where no ``margin`` is negative.

    Args:
        sweep: Accuracies over alpha, one row per alpha and distribution, as :func:`alpha_sweeps`
            and ``alpha_sweep`` return them; several models and modes may be stacked.

    Returns:
        The rows of ``sweep`` with two more columns: ``line``, the interpolated accuracy of the
        endpoints, and ``margin``, the accuracy minus the line.

    Raises:
        DataError: An endpoint, alpha = 0 or alpha = 1, is missing, or there are several accuracies
            for one alpha.

    Source: section 5.2, equation 2. Explained in: chapter 4.
    """
    groups = [name for name in ("model", "mode", "distribution") if name in sweep]
    if sweep.duplicated([*groups, "alpha"]).any():
        raise DataError(
            f"the sweep has several accuracies for one alpha and {', '.join(groups)}; pass one "
            "sweep at a time, or name each in a column 'model'"
        )
    ends = [
        sweep[sweep["alpha"] == end].set_index(groups)["accuracy"].rename(f"end_{end}")
        for end in (0, 1)
    ]
    margins = sweep.join(ends[0], on=groups).join(ends[1], on=groups)
    if margins[["end_0", "end_1"]].isna().any(axis=None):
        raise DataError("every distribution of a sweep needs both endpoints, alpha = 0 and 1")
    # Written so that the line meets the endpoints exactly, whatever the rounding.
    alpha = margins["alpha"]
    margins["line"] = (1 - alpha) * margins.pop("end_0") + alpha * margins.pop("end_1")
    margins["margin"] = margins["accuracy"] - margins["line"]
    return margins


def testbed() -> pd.DataFrame:
    """Load the accuracies of the ImageNet testbed's models.

    Returns:
        One row per model: ``model``, ``training`` (``"standard"`` for models trained on ImageNet
        only, ``"robust_intv"``, ``"more_data"``, ...) and one column of fractions per
        distribution; ``imagenet_on_r_classes`` is ImageNet restricted to the classes of ImageNet-R,
        and so on. NaN where a model was not evaluated.

    Source: Taori et al. (2020), the testbed of section 2. Explained in: chapter 3.
    """
    return _read("testbed_top1.csv")


def testbed_cloud(shift: str = "avg", *, training: str | None = None) -> pd.DataFrame:  # noqa: PT028
    """Select what a scatter plot of the testbed needs: reference and shift accuracy per model.

    Args:
        shift: ``"avg"`` for the mean over the five shifts of ImageNet, or the name of one shift.
        training: Keep only the models trained in this way, such as ``"standard"``.

    Returns:
        Columns ``model``, ``training``, ``reference`` and ``shifts``, fractions; models that lack a
        value are left out. The reference is ImageNet, restricted to the classes of the shift
        where that has fewer.

    Raises:
        UnknownNameError: The testbed does not know this shift or kind of training.

    Source: Taori et al. (2020); figures 1, 7 and 8. Explained in: chapter 3.
    """
    models = testbed()
    if training is not None:
        if training not in set(models["training"]):
            raise unknown("kind of training", training, set(models["training"]))
        models = models[models["training"] == training]
    if shift == "avg":
        columns, reference = [_TESTBED[name][0] for name in SHIFTS], "imagenet"
    elif shift in _TESTBED:
        columns, reference = [_TESTBED[shift][0]], _TESTBED[shift][1]
    else:
        raise unknown("shift of the testbed", shift, ("avg", *_TESTBED))
    cloud = models[["model", "training"]].assign(
        reference=models[reference], shifts=models[columns].mean(axis=1, skipna=False)
    )
    return cloud.dropna().reset_index(drop=True)


def testbed_baseline(shift: str = "avg") -> Baseline:  # noqa: PT028
    """Fit the baseline to the testbed's standard models.

    Args:
        shift: ``"avg"`` for the mean over the five shifts of ImageNet, or the name of one shift.

    Returns:
        The expected accuracy under shift as a function of reference accuracy.

    Raises:
        UnknownNameError: The testbed does not know this shift.

    Source: section 2, the line of figure 1. Explained in: chapter 3.
    """
    cloud = testbed_cloud(shift, training="standard")
    return fit_baseline(cloud["reference"], cloud["shifts"])


def _read(name: str) -> pd.DataFrame:
    path = resources.files("wiseft_tutorial").joinpath("data", "paper", name)
    with path.open(encoding="utf-8") as file:
        frame = pd.read_csv(file).rename(columns=_COLUMNS)
    percent = frame.select_dtypes("number").columns.difference(["table", "alpha", "lr", "epochs"])
    # Rounding removes what the division adds in the last binary digit: 70.1 becomes 0.701.
    frame[percent] = frame[percent].div(100).round(6)
    return frame


def _wide(model: str | None = None, mode: str | None = None) -> pd.DataFrame:
    sweeps = _read("alpha_sweeps.csv")
    for column, name in (("model", model), ("mode", mode)):
        if name is not None:
            known = set(sweeps[column])
            if name not in known:
                of_model = f" of {model}" if column == "mode" and model else ""
                raise unknown(f"published {column}{of_model}", name, known)
            sweeps = sweeps[sweeps[column] == name]
    return sweeps.reset_index(drop=True)


def _tidy(wide: pd.DataFrame, ids: Sequence[str] = ("model", "mode", "alpha")) -> pd.DataFrame:
    names = [name for name in (REFERENCE, *SHIFTS) if name in wide]
    tidy = wide.melt(list(ids), names, "distribution", "accuracy", ignore_index=False)
    kind = tidy["distribution"].map(lambda name: "reference" if name == REFERENCE else "shift")
    tidy.insert(len(ids) + 1, "kind", kind)
    return tidy.sort_index(kind="stable").reset_index(drop=True)


def _table_3() -> pd.DataFrame:
    """What the best alpha of each column gains over alpha = 0.5, for the two CLIP models."""
    values = [REFERENCE, *SHIFTS, *_AVERAGES]
    rows = []
    for model in MODELS[:2]:
        for mode in ("e2e", "lc"):
            sweep = _wide(model, mode)
            gain = sweep[values].max() - sweep.loc[sweep["alpha"] == 0.5, values].iloc[0]
            rows.append({"model": model, "mode": mode, **gain.astype(float).round(6)})
    return pd.DataFrame(rows)


def _table_8() -> pd.DataFrame:
    """The endpoints, alpha = 0.5 and the best alpha of each column, end-to-end, for every model."""
    values = [REFERENCE, *SHIFTS, *_AVERAGES]
    rows = []
    for model in MODELS:
        sweep = _wide(model, "e2e").set_index("alpha")[values]
        for method, accuracies in (
            ("Zero-shot", sweep.loc[0.0]),
            ("Fine-tuned", sweep.loc[1.0]),
            ("WiSE-FT, alpha = 0.5", sweep.loc[0.5]),
            ("WiSE-FT, optimal alpha", sweep.max()),
        ):
            rows.append({"model": model, "method": method, **accuracies})
    return pd.DataFrame(rows)

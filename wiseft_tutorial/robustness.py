"""Measuring robustness: the logit axis, the baseline, and what lies above it; and intervals.

Models trained on a reference distribution only fall on a line when their accuracies under shift are
plotted against their accuracies on the reference, both on logit axes. That line is the *baseline*
beta; *effective robustness* is what a model achieves beyond it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from wiseft_tutorial.errors import DataError

__all__ = [
    "Baseline",
    "clopper_pearson",
    "effective_robustness",
    "fit_baseline",
    "from_logit",
    "to_logit",
]

FloatArray: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = "Sequence[float] | NDArray[np.number] | pd.Series[float] | pd.Series[int]"


@overload
def to_logit(accuracy: float) -> float: ...
@overload
def to_logit(accuracy: Numbers) -> FloatArray: ...
def to_logit(accuracy: float | Numbers) -> float | FloatArray:
    """Map an accuracy to the logit axis: ``log(p / (1 - p))``.

    Args:
        accuracy: Fractions in [0, 1], of any shape.

    Returns:
        Logits of the same shape; 0 maps to minus infinity and 1 to infinity.

    Raises:
        DataError: A value lies outside [0, 1], as percentages do.

    Source: section 2. Explained in: chapter 3.
    """
    return _same_kind(special.logit(_fractions("accuracy", accuracy)))


@overload
def from_logit(logit: float) -> float: ...
@overload
def from_logit(logit: Numbers) -> FloatArray: ...
def from_logit(logit: float | Numbers) -> float | FloatArray:
    """Map a point of the logit axis back to an accuracy: ``1 / (1 + exp(-x))``.

    Args:
        logit: Real numbers of any shape; infinities are welcome.

    Returns:
        Fractions in [0, 1] of the same shape.

    Source: section 2. Explained in: chapter 3.
    """
    return _same_kind(special.expit(np.asarray(logit, dtype=np.float64)))


def clopper_pearson(
    successes: int | Numbers, trials: int | Numbers, *, level: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Give the exact binomial confidence interval of an accuracy.

    Args:
        successes: How many images were classified correctly; any shape.
        trials: How many images there were; a shape that broadcasts with ``successes``.
        level: The coverage that the interval has at least.

    Returns:
        The lower and the upper ends, fractions in [0, 1], of the broadcast shape.

    Raises:
        DataError: No trials, more successes than trials, or a level outside (0, 1).

    Source: section 2, which reports 95 % Clopper-Pearson intervals. Explained in: chapter 1.
    """
    k, n = np.broadcast_arrays(np.asarray(successes, np.float64), np.asarray(trials, np.float64))
    if not (np.all(n > 0) and np.all(k >= 0) and np.all(k <= n)):
        raise DataError(
            "an interval needs 0 <= successes <= trials and at least one trial; "
            f"got successes {successes} of trials {trials}"
        )
    if not 0.0 < level < 1.0:
        raise DataError(f"level = {level:g}, but a coverage lies between 0 and 1, such as 0.95")
    tail = (1.0 - level) / 2.0
    # The beta quantiles are not defined where all or no trials succeed; there the ends are known.
    low = np.where(k == 0, 0.0, special.betaincinv(np.maximum(k, 1), n - k + 1, tail))
    high = np.where(k == n, 1.0, special.betaincinv(k + 1, np.maximum(n - k, 1), 1.0 - tail))
    return low, high


@dataclass(frozen=True)
class Baseline:
    """The accuracy under shift that is expected of a model with a given reference accuracy.

    Attributes:
        slope: Slope of the line on logit axes.
        intercept: Its height where the reference accuracy is one half.

    Source: section 2, where it is called beta. Explained in: chapter 3.
    """

    slope: float
    intercept: float

    @overload
    def __call__(self, reference: float) -> float: ...
    @overload
    def __call__(self, reference: Numbers) -> FloatArray: ...
    def __call__(self, reference: float | Numbers) -> float | FloatArray:
        """Return the expected accuracy under shift for reference accuracies, all as fractions."""
        logit = np.asarray(to_logit(np.asarray(reference, dtype=np.float64)))
        return _same_kind(special.expit(self.slope * logit + self.intercept))


def fit_baseline(reference: Numbers, shift: Numbers) -> Baseline:
    """Fit the baseline by least squares on logit axes.

    A model whose accuracy is missing, exactly 0 or exactly 1 on either axis has no place on a logit
    axis and is left out.

    Args:
        reference: Accuracies on the reference distribution, (M,), fractions.
        shift: Accuracies of the same M models under shift, (M,), fractions.

    Returns:
        The line; call it with a reference accuracy to get the expected accuracy under shift.

    Raises:
        DataError: Lengths differ, values are no fractions, or fewer than two different reference
            accuracies are left to fit.

    Source: section 2, after Taori et al. (2020). Explained in: chapter 3.
    """
    x = special.logit(_fractions("reference", reference))
    y = special.logit(_fractions("shift", shift))
    if x.shape != y.shape or x.ndim != 1:
        raise DataError(
            f"reference and shift have shapes {x.shape} and {y.shape}; "
            "give one accuracy of each kind per model"
        )
    usable = np.isfinite(x) & np.isfinite(y)
    x, y = x[usable], y[usable]
    if len(np.unique(x)) < 2:
        raise DataError(
            f"a line needs at least two models with different reference accuracies; {len(x)} of "
            f"{len(usable)} models have accuracies strictly between 0 and 1 on both axes"
        )
    x_mean, y_mean = x.mean(), y.mean()
    slope = float(np.dot(x - x_mean, y - y_mean) / np.dot(x - x_mean, x - x_mean))
    return Baseline(slope, float(y_mean - slope * x_mean))


@overload
def effective_robustness(reference: float, shift: float, baseline: Baseline) -> float: ...
@overload
def effective_robustness(reference: Numbers, shift: Numbers, baseline: Baseline) -> FloatArray: ...
def effective_robustness(
    reference: float | Numbers, shift: float | Numbers, baseline: Baseline
) -> float | FloatArray:
    """Measure how far a model lies above the baseline, in accuracy: ``shift - beta(reference)``.

    Args:
        reference: Accuracies on the reference distribution, fractions of any shape.
        shift: Accuracies under shift, fractions of the same shape.
        baseline: The line to compare with.

    Returns:
        Differences of accuracies of the same shape; positive means more robust than expected.

    Raises:
        DataError: A value lies outside [0, 1].

    Source: section 2, where it is called rho. Explained in: chapter 3.
    """
    expected = baseline(np.asarray(reference, dtype=np.float64))
    return _same_kind(_fractions("shift", shift) - expected)


def _fractions(name: str, values: float | Numbers) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    outside = (array < 0.0) | (array > 1.0)
    if outside.any():
        raise DataError(
            f"{name} has the value {array[outside].flat[0]:g}, but an accuracy is a fraction "
            "between 0 and 1; divide percentages by 100"
        )
    return array


def _same_kind(values: float | FloatArray) -> float | FloatArray:
    """Return plain floats for what has no dimensions, arrays otherwise."""
    return float(values) if np.ndim(values) == 0 else np.asarray(values, dtype=np.float64)

"""What is measured on a distribution: accuracy, that of the worst group, or the F1 of all classes.

Each comes with its 95 % interval, in one form, so that a sweep need not know which it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from wiseft_tutorial.benchmarks import Split
from wiseft_tutorial.comparison import hits
from wiseft_tutorial.errors import DataError
from wiseft_tutorial.robustness import clopper_pearson

__all__ = ["Accuracy", "accuracy", "macro_f1", "score", "worst_group"]

_RESAMPLES = 200


@dataclass(frozen=True)
class Accuracy:
    """An accuracy and its 95 % interval, all fractions in [0, 1].

    Attributes:
        value: Correct predictions, divided by ``n``; or another metric.
        low: The interval's lower end: Clopper-Pearson, but for a macro-F1.
        high: The interval's upper end.
        n: How many images were classified; of the worst group, how many it has.
    """

    value: float
    low: float
    high: float
    n: int


def score(logits: Tensor, split: Split) -> Accuracy:
    """What the split says is to be measured on it.

    Args:
        logits: (N, K), as :func:`wiseft_tutorial.predict` returns them.
        split: N images; its ``metric`` chooses.

    Returns:
        The value with its interval.

    Raises:
        DataError: Not one row of logits for each image.

    Source: appendix C.2, where WILDS is measured so. Explained in: chapter 15.
    """
    if split.metric == "macro-F1":
        return macro_f1(logits, split.labels)
    if split.metric == "worst-group accuracy":
        assert split.groups is not None  # a split without groups cannot ask for it
        return worst_group(logits, split.truth, split.groups)
    return accuracy(logits, split.truth)


def accuracy(logits: Tensor, labels: Tensor) -> Accuracy:
    """The fraction of images whose largest logit is that of their label.

    Args:
        logits: (N, K), as :func:`wiseft_tutorial.predict` returns them.
        labels: (N,) int64; or (N, K) bool, where images have several right answers.

    Returns:
        The accuracy with its interval.

    Raises:
        DataError: Not one label for each row of logits, or none at all.

    Source: section 2. Explained in: chapter 1.
    """
    return _fraction(hits(logits, labels))


def worst_group(logits: Tensor, labels: Tensor, groups: Tensor) -> Accuracy:
    """The accuracy in the group of images where it is lowest.

    Args:
        logits: (N, K).
        labels: As for :func:`accuracy`.
        groups: (N,) int64; images of a negative group are not looked at.

    Returns:
        That group's accuracy, and its own interval; the uncertainty about which group is the worst
        is not part of it.

    Raises:
        DataError: Not one label for each row of logits, none at all, or no image of a group.

    Source: appendix C.2, for FMoW. Explained in: chapter 15.
    """
    right, of = hits(logits, labels), groups.cpu().numpy()
    known = np.unique(of[of >= 0])
    if not len(known):
        raise DataError("there is no worst group: no image has a group that is 0 or more")
    return min((_fraction(right[of == g]) for g in known), key=lambda found: found.value)


def macro_f1(logits: Tensor, labels: Tensor, *, seed: int = 0) -> Accuracy:
    """The mean over classes of F1, the harmonic mean of precision and recall.

    Args:
        logits: (N, K).
        labels: (N,) int64; the mean is over the classes that occur among them.
        seed: Of the resamples.

    Returns:
        The F1, and the middle 95 % of that of 200 resamples of the images.

    Raises:
        DataError: Not one label for each row of logits, or none at all.

    Source: appendix C.2, for iWildCam. Explained in: chapter 15.
    """
    right = hits(logits, labels)
    said, true = logits.argmax(dim=1).cpu().numpy(), labels.cpu().numpy()
    present, count = np.unique(true), max(logits.shape[1], int(true.max()) + 1)

    def f1(weights: NDArray[np.float64]) -> float:
        both, spoken, there = (
            np.bincount(which, by, minlength=count)[present]
            for which, by in ((true, weights * right), (said, weights), (true, weights))
        )
        return float(np.mean(2 * both / np.maximum(spoken + there, 1e-12)))

    draw = np.random.default_rng(seed)
    n = len(true)
    again = [f1(draw.multinomial(n, np.full(n, 1 / n)).astype(float)) for _ in range(_RESAMPLES)]
    low, high = np.quantile(again, [0.025, 0.975])
    value = f1(np.ones(n))
    return Accuracy(value, min(float(low), value), max(float(high), value), n)


def _fraction(right: NDArray[np.float64]) -> Accuracy:
    correct, n = int(right.sum()), len(right)
    low, high = clopper_pearson(correct, n)
    return Accuracy(correct / n, float(low), float(high), n)

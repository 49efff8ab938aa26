"""Comparing two models on the same images, which is more exact than comparing two accuracies.

Both models stumble over the same difficult images, and in the difference that cancels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wiseft_tutorial.errors import DataError, unknown

__all__ = ["hits", "paired_gain"]


def hits(logits: Tensor, labels: Tensor) -> NDArray[np.float64]:
    """Which images a model classifies correctly; their mean is its accuracy.

    Args:
        logits: (N, K), as :func:`wiseft_tutorial.predict` returns them.
        labels: (N,) int64; or (N, K) bool, where images have several right answers.

    Returns:
        (N,): 1 for each image whose largest logit is that of its label, or of a right answer, else
        0.

    Raises:
        DataError: Not one label for each row of logits, or none at all.

    Source: section 2. Explained in: chapter 4.
    """
    several = labels.dtype == torch.bool
    if (
        logits.ndim != 2
        or labels.shape != (logits.shape if several else logits.shape[:1])
        or len(labels) == 0
    ):
        raise DataError(
            f"logits {tuple(logits.shape)} and labels {tuple(labels.shape)} do not fit together; "
            "expected (N, K) and (N,), with N > 0"
        )
    predicted, labels = logits.argmax(dim=1).cpu(), labels.cpu()
    equal = labels.gather(1, predicted[:, None])[:, 0] if several else predicted == labels
    right: NDArray[np.float64] = equal.double().numpy()
    return right


def paired_gain(
    one: Mapping[str, NDArray[np.float64]],
    other: Mapping[str, NDArray[np.float64]],
    distributions: Sequence[str] | None = None,
) -> tuple[float, float]:
    """How much more accurate one model is than another, in the mean over some distributions.

    Args:
        one: For each distribution, (N,): the :func:`hits` of a model, or the mean of several
            models' hits.
        other: The same for another model, on the same images in the same order.
        distributions: Over which to take the unweighted mean; ``None`` means all of ``one``.

    Returns:
        The gain, a fraction, and half the width of its 95 % interval: the normal approximation for
        a mean of independent images, 1.96 sqrt(sum var / n) / S over S distributions.

    Raises:
        DataError: The two saw different numbers of images, or there are none.
        UnknownNameError: No such distribution.

    Source: our own; the paper gives intervals of single accuracies. Explained in: chapter 4.
    """
    names = list(one) if distributions is None else list(distributions)
    for name in names:
        for side in (one, other):
            if name not in side:
                raise unknown("distribution", name, side)
        if one[name].shape != other[name].shape or one[name].ndim != 1 or not len(one[name]):
            raise DataError(
                f"hits {one[name].shape} and {other[name].shape} on {name!r} do not belong to the "
                "same images; expected (N,) twice, with N > 0"
            )
    if not names:
        raise DataError("a gain needs at least one distribution")
    gaps = [one[name] - other[name] for name in names]
    variance = sum(float(gap.var()) / len(gap) for gap in gaps)
    return float(np.mean([gap.mean() for gap in gaps])), 1.96 * variance**0.5 / len(gaps)

"""The landscape between models: paths, planes and barriers in the space of weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from torch import nn

from wiseft_tutorial._alpha import check_alpha
from wiseft_tutorial.errors import DataError, WeightMismatchError
from wiseft_tutorial.weights import State, check_compatible, interpolate_
from wiseft_tutorial.weights.interpolation import is_averaged

__all__ = ["Plane", "barrier", "score_path"]

Score = Callable[[nn.Module], float]
_THIN = 1e-6  # a triangle whose height is a smaller part of its longest side is a line


def score_path(
    theta_0: nn.Module, theta_1: nn.Module, score: Score, alphas: Iterable[float]
) -> pd.DataFrame:
    """Score the models on the straight line through two others, in one working copy.

    Args:
        theta_0: At alpha = 0; left untouched.
        theta_1: At alpha = 1, of the same architecture; left untouched.
        score: Given a model, a number such as its accuracy or loss. It must not keep the model,
            which is overwritten for the next alpha.
        alphas: Where; beyond [0, 1], the line goes on.

    Returns:
        One row for each alpha: alpha and score.

    Raises:
        WeightMismatchError: The weights cannot be averaged.
        AlphaError: An alpha is not a finite number.

    Source: section 5.2, figure 6. Explained in: chapter 11.
    """
    places = [check_alpha(alpha, extrapolate=True) for alpha in alphas]
    check_compatible(theta_0, theta_1)
    model = copy.deepcopy(theta_0)
    rows = []
    for alpha in places:
        interpolate_(model, theta_0, theta_1, alpha, extrapolate=True)
        rows.append((alpha, float(score(model))))
    return pd.DataFrame(rows, columns=["alpha", "score"])


def barrier(alphas: ArrayLike, losses: ArrayLike) -> float:
    """How far a loss rises above the straight line between its ends.

    Args:
        alphas: (M,) from 0 to 1, both among them.
        losses: (M,), the loss or the error at each; for accuracies, pass ``1 - accuracy``.

    Returns:
        The greatest height, in the unit of the loss; 0 if the curve never lies above the line.

    Raises:
        DataError: An endpoint is missing, or there is not one loss for each alpha.

    Source: Frankle et al. 2020, section 2; the mirror image of Observation 1.
    Explained in: chapter 11.
    """
    x, y = (np.asarray(values, dtype=np.float64) for values in (alphas, losses))
    if x.ndim != 1 or x.shape != y.shape or not {0.0, 1.0} <= set(x.tolist()):
        raise DataError("a barrier needs one loss for each alpha, with 0 and 1 among the alphas")
    (start,), (end,) = y[x == 0][:1], y[x == 1][:1]
    inside = (x >= 0) & (x <= 1)
    return max(float(np.max((y - ((1 - x) * start + x * end))[inside])), 0.0)


class Plane:
    """The plane through three models, with coordinates in which distances are those of weights.

    The first axis points from ``theta_0`` to ``theta_1``, the second one at a right angle to it
    towards ``theta_2``. Only inner products are kept: a point of the plane is a weighted mean of
    the three models, which are themselves found again, bit for bit, at their own coordinates.

    Args:
        theta_0: At the origin; left untouched.
        theta_1: On the first axis; left untouched.
        theta_2: Anywhere else; left untouched.

    Attributes:
        corners: The coordinates of the three models, in units of weight distance.

    Raises:
        WeightMismatchError: The weights cannot be averaged, or the three models lie on one line.

    Source: Garipov et al. 2018, appendix A. Explained in: chapter 11.
    """

    def __init__(self, theta_0: nn.Module, theta_1: nn.Module, theta_2: nn.Module) -> None:
        self._models = theta_0, theta_1, theta_2
        for other in (theta_1, theta_2):
            check_compatible(theta_0, other)
        self.corners = _corners(*(model.state_dict() for model in self._models))
        (width, _), (lean, height) = self.corners[1:]
        longest = max(width, math.hypot(lean, height))
        if width <= _THIN * longest or height <= _THIN * longest:
            raise WeightMismatchError(
                "the three models lie on one line, so that no plane is determined; take a third "
                "one from another run of fine-tuning"
            )

    def shares(self, x: float, y: float) -> tuple[float, float, float]:
        """How much of each model is in a point; the three add up to 1.

        Args:
            x: The first coordinate.
            y: The second one.

        Returns:
            The coefficients of theta_0, theta_1 and theta_2; outside the triangle some are
            negative.
        """
        (width, _), (lean, height) = self.corners[1:]
        third = y / height
        second = (x - lean * third) / width
        return 1 - second - third, second, third

    @torch.no_grad()
    def put(self, target: nn.Module, x: float, y: float) -> nn.Module:
        """Overwrite a model with a point of the plane.

        Args:
            target: A working model of the same architecture.
            x: The first coordinate.
            y: The second one.

        Returns:
            ``target``.
        """
        shares = self.shares(x, y)
        nearest = shares.index(max(shares))
        if shares[nearest] == 1 and min(shares) == 0:  # arithmetic may lose the sign of a zero
            return interpolate_(target, self._models[nearest], self._models[nearest], 0.0)
        states = [model.state_dict() for model in self._models]
        for key, tensor in target.state_dict().items():
            if is_averaged(tensor):
                parts = [state[key].to(tensor.device) for state in states]
                tensor.copy_(sum(share * p for share, p in zip(shares, parts, strict=True)))
            else:
                tensor.copy_(states[nearest][key])
        return target


def _corners(a: State, b: State, c: State) -> tuple[tuple[float, float], ...]:
    """Where three models lie, from the inner products of the steps between them."""
    products = torch.zeros(3, dtype=torch.float64)
    for key, origin in a.items():
        if is_averaged(origin):
            start = origin.detach().double().cpu()
            steps = [(state[key].detach().double().cpu() - start).flatten() for state in (b, c)]
            first, second = steps
            products += torch.stack([first @ first, first @ second, second @ second])
    square, product, other = products.tolist()
    width = math.sqrt(square)
    lean = product / width if width else 0.0
    return (0.0, 0.0), (width, 0.0), (lean, math.sqrt(max(other - lean**2, 0.0)))

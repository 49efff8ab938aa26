"""Fisher merging: an average in which each weight counts by how much its model depends on it."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn

from wiseft_tutorial._alpha import check_alpha
from wiseft_tutorial.errors import DataError, WeightMismatchError
from wiseft_tutorial.weights.interpolation import State, interpolate_, note_origin

__all__ = ["fisher_merge"]

_ModuleT = TypeVar("_ModuleT", bound=nn.Module)


@torch.no_grad()
def fisher_merge(
    theta_0: _ModuleT,
    theta_1: nn.Module,
    fisher_0: State,
    fisher_1: State,
    alpha: float = 0.5,
    *,
    floor: float = 1e-8,
) -> _ModuleT:
    """Average two models, each weight in proportion to its diagonal Fisher information.

    Equal Fishers give the plain average. What has no Fisher, such as a buffer, is averaged plainly.

    Args:
        theta_0: The zero-shot model; left untouched.
        theta_1: The fine-tuned model, of the same architecture; left untouched.
        fisher_0: The information of ``theta_0``'s weights by name, as
            :func:`wiseft_tutorial.diagonal_fisher` estimates it; not negative.
        fisher_1: The same of ``theta_1``.
        alpha: The mixing coefficient that both informations are multiplied by: ``1 - alpha`` and
            ``alpha``. 0 and 1 give the two models, bit for bit.
        floor: The least information a weight is taken to have; greater than 0.

    Returns:
        A new model: ``((1 - alpha) F0 theta_0 + alpha F1 theta_1) / ((1 - alpha) F0 + alpha F1)``.

    Raises:
        WeightMismatchError: The weights cannot be averaged, or a Fisher has other names or shapes.
        DataError: A Fisher is negative or not a number, or ``floor`` is not positive.
        AlphaError: ``alpha`` lies outside [0, 1].

    Source: Matena and Raffel 2022, section 3. Explained in: chapter 13.
    """
    alpha = check_alpha(alpha)
    if not 0 < floor < float("inf"):
        raise DataError(f"floor = {floor:g}, but it must be positive, such as 1e-8")
    merged = copy.deepcopy(theta_0)
    interpolate_(merged, theta_0, theta_1, alpha)
    note_origin(merged, f"Fisher merging, alpha = {alpha:g}")
    weights = merged.state_dict()
    for name, fisher in (("fisher_0", fisher_0), ("fisher_1", fisher_1)):
        _check(name, fisher, weights)
    if fisher_0.keys() != fisher_1.keys():
        raise WeightMismatchError("fisher_0 and fisher_1 are not of the same weights")
    if alpha in (0.0, 1.0):
        return merged
    start, end = theta_0.state_dict(), theta_1.state_dict()
    for key in fisher_0:
        target = weights[key]
        first, second = (f[key].to(target).clamp(min=floor) for f in (fisher_0, fisher_1))
        # As the share of theta_1, the quotient is exact where both informations are equal.
        share = alpha / (alpha + (1 - alpha) * (first / second))
        torch.lerp(start[key].to(target), end[key].to(target), share, out=target)
    return merged


def _check(name: str, fisher: State, weights: dict[str, Tensor]) -> None:
    for key, value in fisher.items():
        if key not in weights or value.shape != weights[key].shape:
            raise WeightMismatchError(
                f"{name} has {key!r} of shape {tuple(value.shape)}, which the models do not have; "
                "estimate it for a model of this architecture"
            )
        if not bool((value >= 0).all()):
            raise DataError(
                f"{name} is negative or not a number in {key!r}; it is a mean of squares"
            )

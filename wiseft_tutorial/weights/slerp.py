"""Spherical interpolation: along the arc between two models instead of the chord."""

from __future__ import annotations

import copy
import math
from typing import TypeVar

import torch
from torch import nn

from wiseft_tutorial._alpha import check_alpha
from wiseft_tutorial.errors import WeightMismatchError
from wiseft_tutorial.weights.interpolation import interpolate_, is_averaged, note_origin

__all__ = ["slerp"]

_ModuleT = TypeVar("_ModuleT", bound=nn.Module)


@torch.no_grad()
def slerp(theta_0: _ModuleT, theta_1: nn.Module, alpha: float) -> _ModuleT:
    """Interpolate along the great circle through two sets of weights, seen as two long vectors.

    The chord is shorter than its ends where they point in different directions; the arc is not. For
    models as close as WiSE-FT's, both are the same to many digits.

    Args:
        theta_0: At alpha = 0; left untouched.
        theta_1: At alpha = 1, of the same architecture; left untouched.
        alpha: The fraction of the angle, in [0, 1].

    Returns:
        A new model: ``sin((1 - alpha) w) / sin(w) theta_0 + sin(alpha w) / sin(w) theta_1``, where
        w is the angle between the two vectors; the chord's average if that is zero.

    Raises:
        WeightMismatchError: The weights cannot be averaged, or point in opposite directions.
        AlphaError: ``alpha`` lies outside [0, 1].

    Source: Shoemake 1985, section 3.3. Explained in: chapter 13.
    """
    alpha = check_alpha(alpha)
    average = copy.deepcopy(theta_0)
    interpolate_(average, theta_0, theta_1, alpha)
    note_origin(average, f"slerp, alpha = {alpha:g}")
    start, end = theta_0.state_dict(), theta_1.state_dict()
    weights = [key for key, value in start.items() if is_averaged(value)]
    a, b = (
        torch.cat([state[key].flatten().double().cpu() for key in weights])
        for state in (start, end)
    )
    angle = math.acos(max(-1.0, min(1.0, float(a @ b / (a.norm() * b.norm())))))
    if math.pi - angle < 1e-6:
        raise WeightMismatchError("the two models point in opposite directions: no arc is shortest")
    if alpha in (0.0, 1.0) or angle < 1e-6:
        return average
    left, right = (math.sin(share * angle) / math.sin(angle) for share in (1 - alpha, alpha))
    for key, tensor in average.state_dict().items():
        if is_averaged(tensor):
            other = end[key].to(tensor.device, torch.float64)
            tensor.copy_(left * start[key].to(tensor.device, torch.float64) + right * other)
    return average

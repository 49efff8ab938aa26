"""The one check that every mixing coefficient passes."""

from __future__ import annotations

from wiseft_tutorial.errors import AlphaError


def check_alpha(alpha: float, *, extrapolate: bool = False) -> float:
    """Return ``alpha`` as a float, or raise an error that says what is wrong with it."""
    alpha = float(alpha)
    if 0.0 <= alpha <= 1.0 or (extrapolate and abs(alpha) < float("inf")):
        return alpha
    hint = "a finite number" if extrapolate else "in [0, 1]; to go beyond, pass extrapolate=True"
    raise AlphaError(f"alpha = {alpha:g}, but it must be {hint}")

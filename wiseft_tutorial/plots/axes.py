"""Axes for accuracies: a logit scale with round percentages for ticks."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, Locator, MaxNLocator, NullLocator

from wiseft_tutorial.robustness import from_logit, to_logit

_EDGE = 1e-4  # a logit axis has no place for 0 and 1 themselves
_GRIDS = tuple(np.arange(step, 1000, step) / 1000 for step in (200, 100, 50, 20, 10, 5, 2, 1))
_TAILS = np.array([0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999])


class LogitPercentLocator(Locator):
    """Ticks at round percentages, as many as an axis has room for.

    Attributes:
        room: How many labels fit on the axis.
    """

    def __init__(self, room: int = 9) -> None:
        self.room = room

    def __call__(self) -> list[float]:
        """Return the ticks for the current limits of the axis."""
        assert self.axis is not None
        return self.tick_values(*self.axis.get_view_interval())

    def tick_values(self, vmin: float, vmax: float) -> list[float]:
        """Return the ticks for an axis from ``vmin`` to ``vmax``, fractions."""
        low, high = sorted((max(vmin, _EDGE), min(vmax, 1 - _EDGE)))
        best: list[float] = []
        for grid in _GRIDS:
            candidates = np.union1d(grid, _TAILS)
            candidates = candidates[(candidates >= low) & (candidates <= high)]
            ticks = self._spaced(candidates, float(to_logit(high) - to_logit(low)))
            if len(ticks) > len(best):
                best = ticks
            if len(best) >= 4:
                break
        return best

    def _spaced(self, candidates: np.ndarray[Any, Any], length: float) -> list[float]:
        """Leave out ticks that stand too close; prefer the rounder ones."""
        kept: list[float] = []
        for tick in sorted(candidates, key=_roundness):
            gaps = np.abs(to_logit(np.array(kept)) - to_logit(float(tick)))
            if (gaps >= length / self.room).all():
                kept.append(float(tick))
        return sorted(kept)


def accuracy_axis(ax: Axes, which: Literal["x", "y"], *, logit: bool, room: int = 9) -> None:
    """Give one axis a logit or linear scale, and ticks in percent."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    if logit:
        (ax.set_xscale if which == "x" else ax.set_yscale)("logit")
        axis.set_major_locator(LogitPercentLocator(room))
        axis.set_minor_locator(NullLocator())
    else:
        axis.set_major_locator(MaxNLocator(nbins=room - 1, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: percent(value)))


def padded_limits(
    values: np.ndarray[Any, Any], *, logit: bool, padding: float = 0.08
) -> tuple[float, float]:
    """Return limits around accuracies, with some room measured along the axis."""
    values = values[np.isfinite(values)]
    if not logit:
        margin = padding * max(float(np.ptp(values)), 0.02)
        return max(float(values.min()) - margin, -0.02), min(float(values.max()) + margin, 1.02)
    on_axis = to_logit(np.clip(values, _EDGE, 1 - _EDGE))
    margin = padding * max(float(np.ptp(on_axis)), 0.1)
    return float(from_logit(on_axis.min() - margin)), float(from_logit(on_axis.max() + margin))


def percent(fraction: float, decimals: int | None = None) -> str:
    """Write a fraction as a percentage, with as many decimals as it needs (at most two)."""
    if decimals is None:
        return f"{round(100 * fraction, 2):g}%"
    return f"{100 * fraction:.{decimals}f}%"


def _roundness(fraction: float) -> tuple[int, float]:
    permille = round(1000 * float(fraction))
    rank = next((r for r, s in enumerate((500, 100, 50, 20, 10, 5, 2)) if permille % s == 0), 7)
    return rank, abs(float(fraction) - 0.5)

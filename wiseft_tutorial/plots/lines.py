"""Lines: how one number goes with another, for one thing or for several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from wiseft_tutorial.plots.axes import accuracy_axis
from wiseft_tutorial.plots.labels import Label, Points, place_labels
from wiseft_tutorial.plots.plane import anchors
from wiseft_tutorial.plots.style import DOTTED, WIDTH, mark_of, require_columns, role_of, styled

__all__ = ["plot_lines"]

Unit: TypeAlias = Literal["number", "accuracy", "points"]


@styled
def plot_lines(
    frame: pd.DataFrame,
    *,
    x: str,
    y: str,
    xlabel: str | None = None,
    ylabel: str | None = None,
    unit: Unit = "number",
    log: Literal["", "x", "y", "xy"] = "",
    ticks: Sequence[float] | None = None,
    level: float | None = None,
    height: float = 3.2,
) -> Figure:
    """Plot one column of a frame against another, a line for each label.

    Args:
        frame: Columns ``x`` and ``y``, and ``label`` if there are several lines: those whose label
            names a role, such as ``"WiSE-FT"``, look as that role does in every figure. ``low`` and
            ``high``, if it has them, become a band. Rows are joined in their order.
        x: The column on the horizontal axis.
        y: The column on the vertical axis.
        xlabel: What the horizontal axis is called; the column's name if None.
        ylabel: What the vertical axis is called; the column's name if None.
        unit: What ``y`` is: a plain number, an accuracy to be shown in percent, or a difference of
            accuracies to be shown in percentage points.
        log: Which axes are logarithmic.
        ticks: Where the horizontal axis has its ticks.
        level: Draw a dotted horizontal line at this value, such as 0.
        height: Of the figure, in inches.

    Returns:
        The figure.

    Raises:
        DataError: A column is missing.

    Explained in: chapter 7.
    """
    require_columns(frame, (x, y))
    figure = plt.figure(figsize=(WIDTH, height))
    ax = figure.add_subplot()
    groups = frame["label"].astype(str) if "label" in frame else pd.Series("", frame.index)
    lines: list[Points] = []
    labels: list[Label] = []
    names = dict.fromkeys(groups)
    for label, rows in frame.groupby(groups, sort=False):
        role = role_of(str(label), names)
        points = rows[[x, y]].to_numpy(dtype=np.float64)
        if {"low", "high"} <= set(rows):
            low, high = (rows[end].to_numpy(dtype=np.float64) for end in ("low", "high"))
            ax.fill_between(points[:, 0], low, high, color=role.colour, alpha=0.18, linewidth=0)
        ax.plot(
            *points.T,
            **mark_of(role, grow=-1.0) | {"linestyle": role.linestyle, "label": str(label)},
        )
        lines.append(points)
        if label:
            labels.append(Label(str(label), anchors(points), role.ink, bold=True))
    if level is not None:
        ax.axhline(level, **DOTTED)
    _scale(ax, unit, log, ticks)
    ax.set_xlabel(x if xlabel is None else xlabel)
    ax.set_ylabel(y if ylabel is None else ylabel)
    ax.margins(y=0.15)
    place_labels(ax, labels, lines)
    return figure


def in_points(fraction: float, *, sign: bool = False) -> str:
    """Write a difference of fractions in percentage points."""
    value = round(100 * fraction, 4) + 0.0  # turns -0 into 0
    return (f"{value:+g}" if sign and value else f"{value:g}").replace("-", "\N{MINUS SIGN}")


def _scale(ax: Axes, unit: Unit, log: str, ticks: Sequence[float] | None) -> None:
    """Give both axes their scale and their ticks."""
    if "x" in log:
        ax.set_xscale("log")
    if ticks is not None:
        ax.xaxis.set_major_locator(FixedLocator(sorted(ticks)))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    if "y" in log:
        ax.set_yscale("log")
    elif unit == "accuracy":
        accuracy_axis(ax, "y", logit=False, room=7)
    else:
        ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    if unit == "points":
        ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: in_points(share)))

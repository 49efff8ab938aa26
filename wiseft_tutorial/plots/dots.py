"""A figure of accuracies side by side: one row for each distribution, one mark for each model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import blended_transform_factory

from wiseft_tutorial.errors import DataError
from wiseft_tutorial.plots.axes import accuracy_axis, percent
from wiseft_tutorial.plots.style import (
    DOTTED,
    GREY,
    WIDTH,
    Role,
    figure_of,
    mark_of,
    role_of,
    styled,
)

_ALONE = Role("", "#4D4D4D", "o", size=6.5)


@styled
def plot_accuracies(
    accuracies: pd.DataFrame | Mapping[str, pd.DataFrame],
    *,
    chance: float | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Plot accuracies as dots with their intervals, one row for each distribution.

    Args:
        accuracies: Columns ``distribution`` and ``accuracy``, and ``low`` and ``high`` where there
            are intervals, fractions: one alpha of an ``alpha_sweep``, for example. Or several such
            frames by label; labels that name a role look as that role does in every figure.
        chance: Draw a line at this accuracy, that of guessing.
        ax: Axes to draw in.

    Returns:
        The figure, distributions from top to bottom in the order of the first frame. Every dot has
        its percentage beside it.

    Raises:
        DataError: There is nothing to plot, or a frame has two accuracies for one distribution.

    Source: section 2, which reports accuracies with 95 % intervals. Explained in: chapter 1.
    """
    frames = accuracies if isinstance(accuracies, Mapping) else {"": accuracies}
    if not frames or any(frame.empty for frame in frames.values()):
        raise DataError("there are no accuracies to plot")
    for label, frame in frames.items():
        if frame["distribution"].duplicated().any():
            raise DataError(
                f"{label or 'the frame'} has several accuracies for one distribution; "
                "choose one alpha, or pass several models as a mapping by label"
            )
    names = list(dict.fromkeys(name for f in frames.values() for name in f["distribution"]))
    if ax is None:
        height = 0.75 + (0.2 + 0.2 * len(frames)) * len(names)
        ax = plt.figure(figsize=(WIDTH, height)).add_subplot()

    rows = rows_of(ax, names, len(frames))
    for (label, frame), row in zip(frames.items(), rows, strict=True):
        role = role_of(label, frames) if label else _ALONE
        _draw_row(ax, role, frame, row)
    accuracy_axis(ax, "x", logit=False, room=7)
    low, high = ax.get_xlim()
    ax.set_xlim(min(low, 0.0), high + 0.12 * (high - low))  # room for the last percentage
    ax.set_xlabel("Accuracy")
    if chance is not None:
        ax.axvline(chance, **DOTTED)
        across = blended_transform_factory(ax.transData, ax.transAxes)
        ax.text(chance, 1.0, " chance", color=GREY, size=9, va="bottom", transform=across)
    if any(frames):
        ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(frames), borderpad=0.1)
    return figure_of(ax)


def rows_of(ax: Axes, names: Sequence[str], groups: int) -> list[dict[str, float]]:
    """Give axes a row for each name; return, for each of some groups, how high its marks stand."""
    ax.set_yticks([float(-i) for i in range(len(names))], names)
    ax.set_ylim(-len(names) + 0.4, 0.6)
    ax.tick_params(axis="y", left=False)
    ax.grid(visible=False, axis="y")
    ax.spines["left"].set_visible(False)
    apart = 0.32 if groups < 3 else 0.7 / groups
    above = [((groups - 1) / 2 - group) * apart for group in range(groups)]
    return [{name: height - i for i, name in enumerate(names)} for height in above]


def _draw_row(ax: Axes, role: Role, frame: pd.DataFrame, row: Mapping[str, float]) -> None:
    heights = frame["distribution"].map(row).to_list()
    values = frame["accuracy"].to_numpy(np.float64)
    ends = values
    if {"low", "high"} <= set(frame):
        low, ends = (frame[end].to_numpy(np.float64) for end in ("low", "high"))
        ax.hlines(heights, low, ends, color=role.colour, linewidth=2.2, alpha=0.55, zorder=3)
    ax.plot(values, heights, **mark_of(role), label=role.label, zorder=4)
    for value, end, y in zip(values, ends, heights, strict=True):
        ax.annotate(
            percent(value, 0),
            (end, y),
            xytext=(6 + role.size / 4, 0),
            textcoords="offset points",
            va="center",
            size=9,
            color=role.ink,
        )

"""Figures of how two models differ: measures against a control, and who overrides whom."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from wiseft_tutorial.errors import DataError
from wiseft_tutorial.plots.axes import percent
from wiseft_tutorial.plots.dots import rows_of
from wiseft_tutorial.plots.labels import Label, Points, place_labels
from wiseft_tutorial.plots.style import (
    DOTTED,
    GREY,
    WIDTH,
    Role,
    figure_of,
    mark_of,
    require_columns,
    role_of,
    styled,
)

__all__ = ["plot_measures", "plot_overrides"]

_CONTROL = Role("", "#6B6B6B", "o", size=6.5)


@styled
def plot_measures(frame: pd.DataFrame, *, control: str | None = None) -> Figure:
    """Plot measures as dots with their intervals: a panel for each, a row for each distribution.

    Args:
        frame: One row per dot, with the columns ``distribution``, ``measure`` (the panel it stands
            in), ``label`` (what was measured; one that names a role looks as that role does in
            every figure) and ``value``; and ``low`` and ``high``, if there are intervals.
        control: The label that the others are compared with, drawn in grey and hollow.

    Returns:
        The figure, two panels beside each other, distributions from top to bottom in their order.
        Every panel has its own scale, which contains 0.

    Raises:
        DataError: There is nothing to plot, a column is missing, or no label is the control.

    Source: figure 5 (left and right) and figures 27 to 30. Explained in: chapter 10.
    """
    _require(frame, ["distribution", "measure", "label", "value"])
    measures, names, labels = (
        list(dict.fromkeys(frame[column].astype(str)))
        for column in ("measure", "distribution", "label")
    )
    if control is not None and control not in labels:
        raise DataError(f"no label is {control!r}; there are {', '.join(map(repr, labels))}")
    columns = min(len(measures), 2)
    rows = -(-len(measures) // columns)
    height = rows * (0.75 + (0.14 + 0.12 * len(labels)) * len(names)) + 0.3 * (len(labels) > 1)
    figure = plt.figure(figsize=(WIDTH, height))
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    for ax, measure in zip(panels, measures, strict=False):
        chosen = frame[frame["measure"] == measure]
        _draw_dots(ax, chosen, names, labels, control)
        ax.set_title(measure if len(measures) > 1 else "")
        ax.set_xlabel("" if len(measures) > 1 else measure)
    for ax in panels[len(measures) :]:
        ax.set_axis_off()
    if len(labels) > 1:
        handles = panels[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside upper right", ncols=len(labels), borderpad=0.1)
    return figure


@styled
def plot_overrides(overrides: pd.DataFrame | Mapping[str, pd.DataFrame]) -> Figure:
    """Plot who overrides whom where two models disagree, one mark for each distribution.

    Args:
        overrides: Columns ``distribution``, ``kind`` (``"reference"``, drawn filled, or
            ``"shift"``, drawn open), ``zeroshot`` and ``finetuned``: of the images on which the two
            disagree, the fractions on which the ensemble sides with either. Ends of intervals, such
            as ``zeroshot_low`` and ``zeroshot_high``, are drawn if they are there. Or several such
            frames by label, in the looks of the roles that these name.

    Returns:
        The figure. On the diagonal neither model wins more often; on the dotted line the ensemble
        gives no third answer, and nothing can lie above it.

    Raises:
        DataError: There is nothing to plot, or a column is missing.

    Source: figure 5 (middle). Explained in: chapter 10.
    """
    frames = overrides if isinstance(overrides, Mapping) else {"WiSE-FT": overrides}
    if not frames:
        raise DataError("there is nothing to plot")
    for frame in frames.values():
        _require(frame, ["distribution", "kind", "zeroshot", "finetuned"])
    ax = plt.figure(figsize=(WIDTH, 4.3)).add_subplot()
    lines: list[Points] = []
    labels: list[Label] = []
    corners: list[Points] = []
    for name, frame in frames.items():
        role = role_of(name, frames)
        for row in frame.to_dict("records"):
            x, y = float(row["zeroshot"]), float(row["finetuned"])
            bars: list[Points] = []
            if "zeroshot_low" in frame:
                bars.append(np.array([[row["zeroshot_low"], y], [row["zeroshot_high"], y]]))
            if "finetuned_low" in frame:
                bars.append(np.array([[x, row["finetuned_low"]], [x, row["finetuned_high"]]]))
            for bar in bars:
                ax.plot(*bar.T, color=role.colour, linewidth=1.1, alpha=0.45, zorder=2)
            face = role.colour if row["kind"] == "reference" else "white"
            mark = mark_of(role) | {"markeredgecolor": role.colour, "markeredgewidth": 1.5}
            ax.plot([x], [y], **mark | {"markerfacecolor": face}, zorder=5)
            labels.append(Label(str(row["distribution"]), [(x, y)], role.ink))
            lines += [*bars, np.array([[x, y]])]
            corners += [*bars, np.array([[x, y]])]
    low, high = _square(np.concatenate(corners))
    ax.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    diagonal = np.array([[low, low], [high, high]])
    ax.plot(*diagonal.T, color=GREY, linewidth=1.1, zorder=1)
    ends = np.array([max(1 - high, low), min(1 - low, high)])
    if ends[0] < ends[1]:
        ax.plot(ends, 1 - ends, **DOTTED)
        lines.append(np.column_stack([ends, 1 - ends]))
    for which in (ax.xaxis, ax.yaxis):
        which.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        which.set_major_formatter(FuncFormatter(lambda share, _: percent(share)))
    ax.set_xlabel("Zero-shot overrides (of the disagreements)")
    ax.set_ylabel("Zero-shot is overridden")
    place_labels(ax, labels, [*lines, diagonal])
    if len(frames) > 1:
        _legend(ax, frames)
    return figure_of(ax)


def _draw_dots(
    ax: Axes, frame: pd.DataFrame, names: list[str], labels: list[str], control: str | None
) -> None:
    """Draw one panel: rows of distributions, and in each a dot for every label."""
    for label, row in zip(labels, rows_of(ax, names, len(labels)), strict=True):
        chosen = frame[frame["label"] == label]
        others = {name: None for name in labels if name != control}
        role = _CONTROL if label == control else role_of(label, others)
        heights = chosen["distribution"].map(row).to_numpy(np.float64)
        if {"low", "high"} <= set(chosen):
            low, high = (chosen[end].to_numpy(np.float64) for end in ("low", "high"))
            ax.hlines(heights, low, high, color=role.colour, linewidth=2.2, alpha=0.55, zorder=3)
        mark = mark_of(role)
        if label == control:
            mark |= {"markerfacecolor": "white", "markeredgecolor": role.colour}
            mark |= {"markeredgewidth": 1.5, "markersize": role.size}
        ax.plot(chosen["value"].to_numpy(np.float64), heights, **mark, label=label, zorder=4)
    ax.axvline(0.0, **DOTTED)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(_number))


def _legend(ax: Axes, labels: Mapping[str, object]) -> None:
    for label in labels:
        ax.plot([], [], **mark_of(role_of(label, labels)), label=label)
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(labels), borderpad=0.1)


def _square(points: Points) -> tuple[float, float]:
    """Limits for both axes, with room for names."""
    low, high = float(points.min()), float(points.max())
    room = 0.15 * max(high - low, 0.05)
    return max(low - room, -0.02), min(high + room, 1.02)


def _number(value: float, _: object) -> str:
    return f"{round(value, 6) + 0.0:g}".replace("-", "\N{MINUS SIGN}")


def _require(frame: pd.DataFrame, columns: list[str]) -> None:
    require_columns(frame, columns)
    if frame.empty:
        raise DataError("there is nothing to plot")

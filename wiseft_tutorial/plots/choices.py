"""Figures about choosing alpha: which alpha is best where, and what a choice costs."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from wiseft_tutorial.plots.labels import Label, Points, place_labels
from wiseft_tutorial.plots.lines import in_points, plot_lines
from wiseft_tutorial.plots.plane import anchors
from wiseft_tutorial.plots.style import (
    DOTTED,
    GREY,
    PALE,
    ROLES,
    WIDTH,
    mark_of,
    require_columns,
    styled,
)

__all__ = ["plot_against_images", "plot_best_alpha"]


@styled
def plot_best_alpha(best: pd.DataFrame, *, cloud: pd.DataFrame | None = None) -> Figure:
    """Plot the best alpha of each distribution against what fine-tuning did to its accuracy.

    Args:
        best: One row per distribution, with the columns ``distribution``, ``kind``
            (``"reference"``, drawn filled, or ``"shift"``, drawn open), ``gap`` (the fine-tuned
            model's accuracy minus the zero-shot model's, a fraction) and ``alpha``; and ``low`` and
            ``high``, the ends of an interval for alpha, if it is known.
        cloud: Other sweeps to compare with, in grey: columns ``gap`` and ``alpha``.

    Returns:
        The figure, its horizontal axis in percentage points.

    Raises:
        DataError: A column is missing.

    Source: our own; tables 4, 5 and 9 to 12 have the numbers. Explained in: chapter 5.
    """
    require_columns(best, ["distribution", "kind", "gap", "alpha"])
    figure = plt.figure(figsize=(WIDTH, 3.9))
    ax = figure.add_subplot()
    labels: list[Label] = []
    lines: list[Points] = []
    if cloud is not None:
        require_columns(cloud, ["gap", "alpha"])
        points = cloud[["gap", "alpha"]].to_numpy(dtype=np.float64)
        ax.plot(*points.T, "o", color=PALE, markersize=4, markerfacecolor="white", zorder=2)
        lines += [point[None] for point in points]
        lowest = points[points[:, 1].argsort()[: len(points) // 5 + 1]]
        labels.append(Label("other sweeps", anchors(lowest), GREY))
    role = ROLES["WiSE-FT"]
    for row in best.to_dict("records"):
        x, y = float(row["gap"]), float(row["alpha"])
        if "low" in best:
            bar = np.array([[x, float(row["low"])], [x, float(row["high"])]])
            ax.plot(*bar.T, color=role.colour, linewidth=1.2, alpha=0.6, zorder=3)
            lines.append(bar)
        face = role.colour if row["kind"] == "reference" else "white"
        mark = mark_of(role) | {"markeredgecolor": role.colour, "markeredgewidth": 1.5}
        ax.plot([x], [y], **mark | {"markerfacecolor": face}, zorder=5, label=row["distribution"])
        lines.append(np.array([[x, y]]))
        labels.append(Label(str(row["distribution"]), [(x, y)], role.ink))
    ax.axhline(0.5, **DOTTED)
    ax.axvline(0.0, **DOTTED)
    ax.set_ylim(-0.05, 1.05)
    ax.margins(x=0.28)  # room for names
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: in_points(value, sign=True)))
    ax.set_xlabel("Fine-tuned minus zero-shot accuracy (points)")
    ax.set_ylabel(r"Best $\alpha$")
    place_labels(ax, labels, lines)
    return figure


def plot_against_images(frame: pd.DataFrame, *, value: str) -> Figure:
    """Plot a difference of accuracies against the number of images that a choice was made on.

    Args:
        frame: One row per curve and number of images, with the columns ``images``, ``label`` (of
            the curve) and ``value``, a fraction; ``low`` and ``high``, if it has them, become a
            band.
        value: The column to plot, which also names the vertical axis.

    Returns:
        The figure, with a logarithmic horizontal axis and a vertical one in percentage points.

    Raises:
        DataError: A column is missing.

    Source: our own; the paper does not vary the number of images. Explained in: chapter 5.
    """
    require_columns(frame, ["images", "label", value])
    return plot_lines(
        frame,
        x="images",
        y=value,
        xlabel="Images the choice was made on",
        ylabel=f"{value.capitalize()} (points)",
        unit="points",
        log="x",
        ticks=sorted(set(frame["images"])),
        level=0.0,
    )

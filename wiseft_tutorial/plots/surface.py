"""A figure of the plane through three models: height lines of accuracy between and beyond them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import Bbox
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline

from wiseft_tutorial.errors import DataError
from wiseft_tutorial.plots.axes import percent
from wiseft_tutorial.plots.labels import Label, Points, place_labels
from wiseft_tutorial.plots.style import (
    GREY,
    WIDTH,
    figure_of,
    mark_of,
    require_columns,
    role_of,
    styled,
)

__all__ = ["plot_plane"]

_LOW, _HIGH = "#FFFFFF", "#BFDCEB"  # so pale that the dark texts of all roles can be read on both
_LINES = 12  # at most, in each panel
_FINER = 8  # points drawn for each one measured


@styled
def plot_plane(
    surface: pd.DataFrame | Mapping[str, pd.DataFrame],
    corners: Mapping[str, tuple[float, float]],
    *,
    marks: Mapping[str, tuple[float, float]] | None = None,
    value: str = "accuracy",
) -> Figure:
    """Plot height lines of accuracy over a plane of weights, with the models that span it.

    Args:
        surface: One row for each point of a grid: ``x`` and ``y``, as
            :class:`wiseft_tutorial.Plane` has them, and ``value``, a fraction. Or several such
            frames by title, one panel each, from top to bottom.
        corners: Where the models lie, by name; names of roles look as in every figure. Thin lines
            join them.
        marks: Other places to name in every panel, such as the highest one.
        value: The column to plot.

    Returns:
        The figure; the darker, the higher, and height lines carry their percentage. They pass
        through what was measured, and between the points of the grid they follow a cubic spline.

    Raises:
        DataError: A column is missing, or the points of a frame do not fill a grid.

    Source: Garipov et al. 2018, figure 1; Wortsman et al. 2022, "Model soups", figure 2.
    Explained in: chapter 11.
    """
    panels = surface if isinstance(surface, Mapping) else {"": surface}
    grids = {title: _grid(frame, value) for title, frame in panels.items()}
    x, y, _ = next(iter(grids.values()))
    height = 0.35 + (0.25 + (WIDTH - 0.7) * float(np.ptp(y) / np.ptp(x))) * len(panels)
    figure = plt.figure(figsize=(WIDTH, height))
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for ax, (title, grid) in zip(axes, grids.items(), strict=True):
        ax.set_title(title)
        ax.set_ylabel("Weight distance")
        _draw_models(ax, corners, marks or {}, _draw_heights(ax, *grid))
    axes[-1].set_xlabel("Weight distance")
    return figure


def _grid(
    frame: pd.DataFrame, value: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the two axes of a grid, and its values, (rows of y, columns of x)."""
    require_columns(frame, ("x", "y", value))
    if frame.duplicated(["x", "y"]).any():
        raise DataError(f"the surface has several values of {value} at one point")
    table = frame.pivot(index="y", columns="x", values=value)
    if min(table.shape) < 2 or table.isna().any(axis=None):
        raise DataError(
            f"{len(frame)} points do not fill a grid of {table.shape[1]} by {table.shape[0]}; "
            "height lines need one value for every x with every y, and two of each"
        )
    x, y = (np.asarray(axis, dtype=np.float64) for axis in (table.columns, table.index))
    return x, y, table.to_numpy(dtype=np.float64)


def _draw_heights(
    ax: Axes, x: NDArray[np.float64], y: NDArray[np.float64], heights: NDArray[np.float64]
) -> list[Text]:
    """Draw height lines, and return their percentages."""
    ax.set_aspect("equal")
    ax.grid(visible=False)
    for which in (ax.xaxis, ax.yaxis):
        which.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    spline = RectBivariateSpline(y, x, heights, kx=min(3, len(y) - 1), ky=min(3, len(x) - 1))
    fine_x, fine_y = (
        np.linspace(axis[0], axis[-1], _FINER * (len(axis) - 1) + 1) for axis in (x, y)
    )
    fine = np.clip(spline(fine_y, fine_x), heights.min(), heights.max())
    levels = MaxNLocator(_LINES, steps=[1, 2, 5, 10]).tick_values(fine.min(), fine.max())
    shades: Any = LinearSegmentedColormap.from_list("heights", [_LOW, _HIGH])
    ax.contourf(fine_x, fine_y, fine, levels=levels, cmap=shades, zorder=0)
    inner = [level for level in levels if heights.min() < level < heights.max()]
    if not inner:
        return []
    lines = ax.contour(fine_x, fine_y, fine, levels=inner, colors=GREY, linewidths=0.7, zorder=1)
    formatter = FuncFormatter(lambda level, _: percent(level))
    return list(ax.clabel(lines, fmt=formatter, fontsize=8))


def _draw_models(
    ax: Axes,
    corners: Mapping[str, tuple[float, float]],
    marks: Mapping[str, tuple[float, float]],
    percentages: list[Text],
) -> None:
    outline: Points = np.array([*corners.values(), next(iter(corners.values()))])
    ax.plot(*outline.T, color=GREY, linewidth=1.0, linestyle=(0, (5, 2)), zorder=2)
    labels, places = [], {**corners, **marks}
    for name, place in places.items():
        role = role_of(name, places)
        ax.plot(*([coordinate] for coordinate in place), **mark_of(role), label=name, zorder=3)
        labels.append(Label(name, [place], role.ink, bold=True))
    figure_of(ax).draw_without_rendering()
    taken: list[Bbox] = [text.get_window_extent() for text in percentages]
    obstacles = [np.array([place], dtype=np.float64) for place in places.values()]
    place_labels(ax, labels, [outline, *obstacles], taken=taken)

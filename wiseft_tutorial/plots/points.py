"""Many models in the plane of the book's main figure, each a mark, with curves behind them."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wiseft_tutorial.errors import DataError
from wiseft_tutorial.plots.labels import Label
from wiseft_tutorial.plots.plane import (
    Plane,
    Sweeps,
    anchors,
    axes_or_new,
    by_label,
    curve_of,
    extent_of,
    names_of,
    points_of,
)
from wiseft_tutorial.plots.style import figure_of, role_of, styled

__all__ = ["plot_models"]


@styled
def plot_models(
    models: pd.DataFrame,
    *,
    sweeps: Sweeps | None = None,
    connect: bool = False,
    mark: float = 0.5,
    logit: bool = True,
    names: tuple[str, str] = ("the reference", "the shifts"),
    ax: Axes | None = None,
) -> Figure:
    """Plot models by their accuracies on the reference and under shift.

    Args:
        models: One row per model: ``label``, ``reference`` and ``shifts``, and the ends of
            intervals, ``reference_low`` and so on, if it has them, as a row of ``summarise`` does.
            Models with one label look alike and are named once; a label that names a role, such as
            ``"WiSE-FT"``, looks as that role does in every figure.
        sweeps: Curves over alpha to draw behind them: a frame of ``alpha_sweep`` or of
            ``summarise``, or several by label.
        connect: Join the models of one label by a thin line, in the order of their rows.
        mark: The alpha to mark on every curve that has it.
        logit: Scale both axes by the logit, as the paper does.
        names: What the axes call the reference and the shifts, where no sweep says it.
        ax: Axes to draw in.

    Returns:
        The figure.

    Raises:
        DataError: A column is missing, there are no models, or a sweep lacks an endpoint.

    Source: figure 3. Explained in: chapter 6.
    """
    needed = ["label", "reference", "shifts"]
    if models.empty or not set(needed) <= set(models):
        raise DataError(f"expected one row per model with the columns {', '.join(needed)}")
    by_name = {} if sweeps is None else by_label(sweeps)
    whole = {label: sweep for label, sweep in by_name.items() if "distribution" in sweep}
    curves = {
        label: curve_of(sweep, None) if label in whole else sweep.sort_values("alpha")
        for label, sweep in by_name.items()
    }
    reference, shifts = names_of(next(iter(whole.values()))) if whole else names
    groups = {str(label): rows for label, rows in models.groupby("label", sort=False)}
    looks = {**dict.fromkeys(curves), **dict.fromkeys(groups)}
    plane = Plane(axes_or_new(ax, height=4.2))
    corners = [extent_of(frame) for frame in (*curves.values(), *groups.values())]
    plane.show(corners, logit=logit)
    plane.ax.set_xlabel(f"Accuracy on {reference}")
    plane.ax.set_ylabel(f"Mean accuracy under {shifts}")
    for position, (label, curve) in enumerate(curves.items()):
        name = "" if label in groups else label
        plane.draw_curve(role_of(label, looks), curve, mark=mark, name=name, say_mark=position == 0)
    for label, rows in groups.items():
        role, points = role_of(label, looks), points_of(rows)
        if connect and len(rows) > 1:
            plane.ax.plot(*points.T, color=role.colour, linestyle=role.linestyle, lw=1.2, zorder=3)
            plane.lines.append(points)
        for position in range(len(rows)):
            plane.draw_model(role, rows.iloc[[position]])
        plane.lines += [point[None] for point in points]
        plane.labels.append(Label(label, anchors(points), role.ink, bold=len(rows) > 1))
    plane.draw_background(None, None)
    plane.finish()
    return figure_of(plane.ax)

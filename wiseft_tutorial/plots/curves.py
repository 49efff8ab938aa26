"""The curves of the method: robustness, the published testbed, alpha, and fine-tuning itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from wiseft_tutorial import paper
from wiseft_tutorial.errors import DataError
from wiseft_tutorial.plots.axes import accuracy_axis
from wiseft_tutorial.plots.labels import Label, Points, place_labels
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
    require_endpoints,
    under,
)
from wiseft_tutorial.plots.style import (
    DOTTED,
    GREY,
    ROLES,
    WIDTH,
    Role,
    darkened,
    figure_of,
    mark_of,
    require_columns,
    role_of,
    styled,
)
from wiseft_tutorial.robustness import Baseline, fit_baseline

__all__ = ["plot_alpha", "plot_history", "plot_robustness", "plot_testbed"]

_TESTBED_FROM = 0.55  # reference accuracy of the least accurate models shown, as in figure 1
_WHOLE = ("avg", "ImageNet-V2", "ImageNet-Sketch")  # shifts that cover all classes of ImageNet
_MODES = {"e2e": "WiSE-FT", "lc": "linear classifier"}


@styled
def plot_robustness(
    sweep: Sweeps,
    *,
    shift: str | None = None,
    cloud: pd.DataFrame | None = None,
    baseline: Baseline | None = None,
    gaps: bool = False,
    zoom: bool = False,
    logit: bool = True,
    mark: float = 0.5,
    ax: Axes | None = None,
) -> Figure:
    """Plot accuracy under shift against reference accuracy, as alpha goes from 0 to 1.

    Args:
        sweep: A frame of ``alpha_sweep`` or ``paper.alpha_sweeps``; or several, by label. Labels
            that name a role, such as ``"WiSE-FT"``, look as that role does in every figure. A
            sweep of its two ends only is drawn as the step that fine-tuning takes.
        shift: Put this distribution on the vertical axis; the mean over all shifts if None.
        cloud: Other models to compare with: columns ``reference`` and ``shifts``.
        baseline: The accuracy under shift that is expected at each reference accuracy.
        gaps: Show the effective robustness of both ends: how far they lie above the baseline, in
            percentage points.
        zoom: Show only the neighbourhood of the sweeps, not the whole cloud.
        logit: Scale both axes by the logit, as the paper does.
        mark: The alpha to mark and to label on every curve that has it.
        ax: Axes to draw in.

    Returns:
        The figure. Bars are 95 % intervals, where the sweep has them, at both ends and at ``mark``.

    Raises:
        DataError: A sweep lacks an endpoint, or ``gaps`` were asked for without a baseline.
        UnknownNameError: The sweep has no distribution called ``shift``.

    Source: figures 1 and 7. Explained in: chapter 4.
    """
    sweeps = by_label(sweep)
    curves = {label: curve_of(frame, shift) for label, frame in sweeps.items()}
    if gaps and baseline is None:
        raise DataError("gaps are measured from a baseline; pass baseline= too")
    reference, shifts = names_of(next(iter(sweeps.values())))

    plane = Plane(axes_or_new(ax, height=4.2))
    corners = [extent_of(curve) for curve in curves.values()]
    if cloud is not None and not zoom:
        corners.append(points_of(cloud))
    if gaps and baseline is not None:
        corners += [under(curve.iloc[[0, -1]], baseline) for curve in curves.values()]
    plane.show(corners, logit=logit)
    plane.ax.set_xlabel(f"Accuracy on {reference}")
    plane.ax.set_ylabel(f"Accuracy on {shift}" if shift else f"Mean accuracy under {shifts}")
    plane.draw_ends(curves, gaps_to=baseline if gaps else None)
    for position, (label, curve) in enumerate(curves.items()):
        role, say = role_of(label, curves), position == 0 or len(curves) <= 2
        plane.draw_curve(role, curve, mark=mark, name=label, say_mark=say)
    plane.draw_background(cloud, baseline)
    plane.finish()
    return figure_of(plane.ax)


@styled
def plot_testbed(
    *,
    shift: str = "avg",
    models: Sequence[str] = ("CLIP ViT-L/14@336px",),
    zoom: bool = False,
    mark: float = 0.5,
    ax: Axes | None = None,
) -> Figure:
    """Plot the published sweeps among the models of the ImageNet testbed.

    Args:
        shift: ``"avg"`` for the mean over the five shifts, or a shift of the testbed.
        models: Which of ``paper.MODELS`` to draw, end-to-end and linear classifier. None can be
            drawn for shifts with fewer classes than ImageNet (R, ObjectNet, A): the sweeps'
            reference accuracy on those classes is not published.
        zoom: Show only the neighbourhood of the sweeps instead of the whole testbed.
        mark: The alpha to mark on every curve.
        ax: Axes to draw in.

    Returns:
        The figure: grey marks are models of the testbed, the grey line is the baseline of the
        standard ones, the blue line goes through CLIP's zero-shot models.

    Raises:
        UnknownNameError: The testbed or the paper does not know a name.
        DataError: Sweeps were asked for where their reference accuracy is not published.

    Source: figures 1, 7 and 8. Explained in: chapter 4.
    """
    if models and shift not in _WHOLE:
        raise DataError(
            f"the sweeps' accuracy on ImageNet restricted to the classes of {shift} is not "
            "published; pass models=() to plot the testbed alone"
        )
    cloud, baseline = paper.testbed_cloud(shift), paper.testbed_baseline(shift)
    column = None if shift == "avg" else shift
    curves = {
        model: {
            _MODES[str(mode)]: curve_of(sweep, column)
            for mode, sweep in paper.alpha_sweeps(model).groupby("mode")
        }
        for model in models
    }
    corners = [extent_of(curve) for of_model in curves.values() for curve in of_model.values()]
    if not zoom or not curves:
        corners.append(points_of(cloud[cloud["reference"] > _TESTBED_FROM]))

    plane = Plane(axes_or_new(ax, height=4.6))
    plane.show(corners, logit=True)
    restriction = "" if shift in _WHOLE else f", classes of {shift}"
    plane.ax.set_xlabel(f"Accuracy on ImageNet{restriction}")
    plane.ax.set_ylabel(
        "Mean accuracy under five shifts" if column is None else f"Accuracy on {shift}"
    )
    for model, of_model in curves.items():
        name = model.removeprefix("CLIP ") if len(models) > 1 else "zero-shot"
        plane.draw_ends(of_model, zeroshot=name)
        for label, curve in of_model.items():
            name = label if model == models[0] else ""
            say = zoom or label == "WiSE-FT"
            plane.draw_curve(ROLES[label], curve, mark=mark, name=name, say_mark=say)
    if curves and column is None:
        _draw_zeroshot_line(plane)
    plane.draw_background(cloud, baseline)
    plane.finish()
    return figure_of(plane.ax)


@styled
def plot_alpha(sweep: Sweeps, *, columns: int = 2) -> Figure:
    """Plot accuracy against alpha, one panel per distribution, the reference first.

    Args:
        sweep: A frame of ``alpha_sweep`` or ``paper.alpha_sweeps``; or several, by label.
        columns: Panels per row.

    Returns:
        The figure. The dashed line interpolates the accuracies of the endpoints and the dotted one
        is the better endpoint: a curve above the first shows Observation 1, one that exceeds
        the second Observation 2. The band is the 95 % interval, where the sweep has it.

    Raises:
        DataError: A sweep lacks an endpoint.

    Source: figure 6. Explained in: chapter 4.
    """
    sweeps = by_label(sweep)
    for frame in sweeps.values():
        require_endpoints(frame)
    names = list(dict.fromkeys(next(iter(sweeps.values()))["distribution"]))
    rows = -(-len(names) // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(WIDTH, 0.5 + 1.65 * rows), sharex=True, squeeze=False
    )
    for spare in grid.flat[len(names) :]:
        spare.remove()
    texts: dict[Axes, tuple[list[Label], list[Points]]] = {}
    for ax, name in zip(grid.flat, names, strict=False):
        labels, lines = texts.setdefault(ax, ([], []))
        for label, frame in sweeps.items():
            panel = frame[frame["distribution"] == name].sort_values("alpha")
            role = role_of(label, sweeps)
            curve, straight, better = _draw_panel(ax, role, panel)
            lines += [curve, straight, better]
            if name == names[0]:
                labels.append(Label(label, anchors(curve[1:-1]), role.ink, bold=True))
        if name == names[min(1, len(names) - 1)]:
            labels.append(Label("line between ends", anchors(straight[1:-1]), GREY, size=8))
            labels.append(Label("better end", anchors(better[1:-1]), GREY, size=8))
        ax.set_title(name)
        ax.set_xlim(-0.05, 1.05)
        ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
        accuracy_axis(ax, "y", logit=False, room=6)
        ax.margins(y=0.15)
    for ax in grid.flat[max(len(names) - columns, 0) : len(names)]:
        ax.tick_params(labelbottom=True)
    figure.supxlabel(r"$\alpha$  (0: zero-shot, 1: fine-tuned)", size=10)
    figure.supylabel("Accuracy", size=10)
    for ax, (labels, lines) in texts.items():
        place_labels(ax, labels, lines)
    return figure


@styled
def plot_history(history: pd.DataFrame) -> Figure:
    """Plot how fine-tuning went: the loss, and accuracies on training and validation images.

    Args:
        history: The ``history`` of a fine-tuned model: columns ``epoch``, ``loss``,
            ``train_accuracy`` and ``val_accuracy``.

    Returns:
        The figure, with the loss at the left and accuracies at the right.

    Raises:
        DataError: A column is missing.

    Explained in: chapter 3.
    """
    needed = ["epoch", "loss", "train_accuracy", "val_accuracy"]
    require_columns(history, needed)
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 2.4), width_ratios=[1, 1.25])
    role = ROLES["fine-tuned"]
    epochs = history["epoch"].to_numpy()
    left.plot(epochs, history["loss"].to_numpy(), color=role.colour, marker=".")
    left.set_title("Loss")
    left.set_ylim(bottom=0)
    labels: list[Label] = []
    lines: list[Points] = []
    for column, label, style, colour in (
        ("train_accuracy", "training", (0, (4, 1.5)), GREY),
        ("val_accuracy", "validation", "-", role.colour),
    ):
        points = history[["epoch", column]].to_numpy(dtype=np.float64)
        right.plot(*points.T, color=colour, linestyle=style, marker=".")
        lines.append(points)
        labels.append(Label(label, anchors(points[len(points) // 2 :]), darkened(colour)))
    right.set_title("Accuracy on the reference")
    accuracy_axis(right, "y", logit=False, room=7)
    for ax in (left, right):
        ax.set_xlabel("Epoch")
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    place_labels(right, labels, lines)
    return figure


def _draw_zeroshot_line(plane: Plane) -> None:
    """Draw the line through CLIP's zero-shot models: robust before any fine-tuning."""
    cloud = paper.testbed_cloud()
    small = points_of(cloud[cloud["model"].str.endswith("clip_zeroshot")])
    large = [
        points_of(curve_of(paper.alpha_sweeps(model, "e2e"), None))[:1]
        for model in paper.MODELS
        if model.startswith("CLIP")
    ]
    points, role = np.concatenate([small, *large]), ROLES["zero-shot"]
    plane.ax.plot(*points.T, **mark_of(role, grow=-2), zorder=4)
    xs = plane.across()
    line = np.column_stack([xs, fit_baseline(points[:, 0], points[:, 1])(xs)])
    plane.draw_line(
        "zero-shot CLIP models", line, colour=role.colour, ink=role.ink, style=(0, (4, 2))
    )


def _draw_panel(ax: Axes, role: Role, panel: pd.DataFrame) -> tuple[Points, Points, Points]:
    """Draw accuracy over alpha, with the line between its ends and the better end; return these."""
    alpha = panel["alpha"].to_numpy(dtype=np.float64)
    accuracy = panel["accuracy"].to_numpy(dtype=np.float64)
    ends = accuracy[[0, -1]]
    ax.plot([0, 1], ends, color=GREY, linewidth=1.1, linestyle=(0, (4, 2)), label="line")
    ax.axhline(ends.max(), **DOTTED, label="better end")
    if {"low", "high"} <= set(panel):
        low, high = (panel[end].to_numpy(dtype=np.float64) for end in ("low", "high"))
        ax.fill_between(alpha, low, high, color=role.colour, alpha=0.18, linewidth=0)
    ax.plot(alpha, accuracy, color=role.colour, linestyle=role.linestyle, label=role.label)
    last = "linear classifier" if role.label == "linear classifier" else "fine-tuned"
    for x, value, end in zip((0.0, 1.0), ends, ("zero-shot", last), strict=True):
        ax.plot([x], [value], **mark_of(ROLES[end]), clip_on=False, zorder=5, label=end)
    along = np.linspace(0.0, 1.0, 9)
    straight = np.column_stack([along, ends[0] + along * (ends[1] - ends[0])])
    better = np.column_stack([along, np.full_like(along, ends.max())])
    return np.column_stack([alpha, accuracy]), straight, better

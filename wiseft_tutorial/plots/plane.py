"""The plane of the book's main figure: accuracy under shift against accuracy on the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from wiseft_tutorial.errors import DataError, unknown
from wiseft_tutorial.evaluate import summarise
from wiseft_tutorial.plots.axes import accuracy_axis, padded_limits
from wiseft_tutorial.plots.labels import Label, Points, place_labels
from wiseft_tutorial.plots.style import GREY, PALE, ROLES, WIDTH, Role, figure_of, mark_of
from wiseft_tutorial.robustness import Baseline, from_logit, to_logit

Sweeps: TypeAlias = pd.DataFrame | Mapping[str, pd.DataFrame]

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

# How the testbed's kinds of training look: name, marker, size, colour, filled.
_CLOUD = {
    "standard": ("standard training", "o", 3.5, PALE, True),
    "robust_intv": ("robustness intervention", "v", 4.5, PALE, False),
    "more_data": ("more data", "s", 4.0, GREY, False),
}


def curve_of(sweep: pd.DataFrame, shift: str | None) -> pd.DataFrame:
    """Reduce a sweep to reference and shift accuracy over alpha, with intervals if it has them."""
    require_endpoints(sweep)
    measured = {"low", "high", "n"} <= set(sweep)
    if shift is None and measured:
        return summarise(sweep).sort_values("alpha", ignore_index=True)
    shifts = sweep[sweep["kind"] == "shift"]
    if shift is not None:
        if shift not in set(shifts["distribution"]):
            raise unknown("shift", shift, set(shifts["distribution"]))
        shifts = shifts[shifts["distribution"] == shift]
    values = ["accuracy", "low", "high"] if measured else ["accuracy"]
    reference = sweep[sweep["kind"] == "reference"].set_index("alpha")[values]
    means = shifts.groupby("alpha")[values].mean()
    both = reference.add_prefix("reference_").join(means.add_prefix("shifts_"))
    names = {"reference_accuracy": "reference", "shifts_accuracy": "shifts"}
    return both.rename(columns=names).sort_index().reset_index()


def names_of(sweep: pd.DataFrame) -> tuple[str, str]:
    """Return the name of the reference, and how many shifts there are, in words."""
    reference = sweep.loc[sweep["kind"] == "reference", "distribution"].iloc[0]
    count = sweep.loc[sweep["kind"] == "shift", "distribution"].nunique()
    number = str(count) if count >= len(_NUMBERS) else _NUMBERS[count]
    return str(reference), f"{number} shift" + ("s" if count != 1 else "")


def require_endpoints(sweep: pd.DataFrame) -> None:
    """Raise an error unless a sweep has both alpha = 0 and alpha = 1."""
    if not {0.0, 1.0} <= set(sweep["alpha"]):
        raise DataError("a sweep needs both endpoints, alpha = 0 and alpha = 1")


def points_of(frame: pd.DataFrame) -> Points:
    """Return reference and shift accuracies as points of the plane, (M, 2)."""
    return frame[["reference", "shifts"]].to_numpy(dtype=np.float64)


def under(frame: pd.DataFrame, baseline: Baseline) -> Points:
    """Return the points of the baseline straight below, or above, some models, (M, 2)."""
    reference = frame["reference"].to_numpy(dtype=np.float64)
    return np.column_stack([reference, baseline(reference)])


def extent_of(curve: pd.DataFrame) -> Points:
    """Return what must be visible of a curve: its points, and the corners of their intervals."""
    ends = [
        curve[[f"reference_{end}", f"shifts_{end}"]].to_numpy(dtype=np.float64)
        for end in ("low", "high")
        if f"shifts_{end}" in curve
    ]
    return np.concatenate([points_of(curve), *ends])


@dataclass
class Plane:
    """Axes of the plane, with the texts still to be placed and the lines they should not cover."""

    ax: Axes
    labels: list[Label] = field(default_factory=list)
    lines: list[Points] = field(default_factory=list)

    def show(self, corners: Sequence[Points], *, logit: bool) -> None:
        """Scale both axes so that all these points are visible."""
        every = np.concatenate(corners)
        accuracy_axis(self.ax, "x", logit=logit)
        accuracy_axis(self.ax, "y", logit=logit)
        self.ax.set_xlim(*padded_limits(every[:, 0], logit=logit))
        self.ax.set_ylim(*padded_limits(every[:, 1], logit=logit))

    def visible(self, points: Points) -> Points:
        """Keep the points that lie inside the frame."""
        (left, right), (bottom, top) = self.ax.get_xlim(), self.ax.get_ylim()
        x, y = points.T
        inside: Points = points[(x >= left) & (x <= right) & (y >= bottom) & (y <= top)]
        return inside

    def draw_curve(
        self, role: Role, curve: pd.DataFrame, *, mark: float, name: str, say_mark: bool = True
    ) -> None:
        """Draw a path over alpha with one alpha marked; an empty name leaves it unlabelled."""
        points, marked = points_of(curve), np.isclose(curve["alpha"], mark)
        if len(points) == 2:
            self._draw_step(points)
            return
        self.ax.plot(*points.T, color=role.colour, ls=role.linestyle, zorder=3, label=role.label)
        self.ax.plot(*points[1:-1].T, ".", color=role.colour, markersize=5, zorder=3)
        self.lines.append(points)
        if marked.any():
            self.draw_model(role, curve[marked])
        if name:
            middle = curve["alpha"].between(0.15, 0.85) & ~marked
            self.labels.append(Label(name, anchors(points[middle]), role.ink, bold=True))
            if marked.any() and say_mark:
                text = rf"$\alpha$ = {mark:g}"
                self.labels.append(Label(text, anchors(points[marked]), role.ink))

    def _draw_gap(self, name: str, role: Role, row: pd.DataFrame, baseline: Baseline) -> None:
        """Draw a model's effective robustness: the way down, or up, to the baseline."""
        ((x, y),), ((_, expected),) = points_of(row), under(row, baseline)
        gap = np.column_stack([np.full(9, x), np.linspace(expected, y, 9)])
        self.ax.plot(*gap.T, color=role.colour, linewidth=1.4, linestyle=(0, (1, 1)), zorder=2)
        self.lines.append(gap)
        rho = f"{100 * (y - expected):+.1f}".replace("-", "\N{MINUS SIGN}")
        text = rf"$\rho$({name}) = {rho}"
        self.labels.append(Label(text, anchors(gap[:7]), role.ink))

    def _draw_step(self, points: Points) -> None:
        """Draw an arrow from one model to another where nothing is known between them."""
        arrow = {"arrowstyle": "->", "color": GREY, "lw": 1.4, "shrinkA": 8, "shrinkB": 8}
        self.ax.annotate("", points[1], points[0], arrowprops=arrow, zorder=2)
        self.lines.append(points)

    def draw_ends(
        self,
        curves: Mapping[str, pd.DataFrame],
        *,
        zeroshot: str = "zero-shot",
        gaps_to: Baseline | None = None,
    ) -> None:
        """Mark where paths begin and end; paths between the same two models share their ends."""
        drawn: dict[str, list[Points]] = {}
        for label, curve in curves.items():
            last = "linear classifier" if label == "linear classifier" else "fine-tuned"
            for name, text, alpha in (("zero-shot", zeroshot, 0.0), (last, last, 1.0)):
                row = curve[curve["alpha"] == alpha]
                point, others = points_of(row), drawn.setdefault(name, [])
                if any(np.allclose(point, other, atol=2e-3) for other in others):
                    continue
                self.draw_model(ROLES[name], row)
                if gaps_to is not None:
                    self._draw_gap(text, ROLES[name], row, gaps_to)
                named_along_path = text in curves and len(curves[text]) > 2
                if text and not others and not named_along_path:
                    self.labels.append(Label(text, anchors(point), ROLES[name].ink))
                others.append(point)

    def draw_model(self, role: Role, row: pd.DataFrame) -> None:
        """Draw one model with its 95 % intervals, if it has some."""
        ((x, y),) = points_of(row)
        if "shifts_low" in row:
            ((left, bottom), (right, top)) = extent_of(row)[1:]
            self.ax.plot([left, right], [y, y], color=role.colour, lw=1.2, alpha=0.6, zorder=4)
            self.ax.plot([x, x], [bottom, top], color=role.colour, lw=1.2, alpha=0.6, zorder=4)
            self.lines += [np.array([[left, y], [right, y]]), np.array([[x, bottom], [x, top]])]
        self.ax.plot([x], [y], **mark_of(role), zorder=5, label=role.label)

    def draw_cloud(self, cloud: pd.DataFrame) -> None:
        """Draw other models as grey marks, told apart by how they were trained if that is known."""
        kinds = cloud["training"] if "training" in cloud else pd.Series("standard", cloud.index)
        for kind, (name, marker, size, colour, filled) in _CLOUD.items():
            points = self.visible(points_of(cloud[kinds == kind]))
            if len(points):
                face = colour if filled else "white"
                self.ax.plot(
                    *points.T,
                    linestyle="none",
                    marker=marker,
                    markersize=size,
                    color=colour,
                    markerfacecolor=face,
                    markeredgewidth=0.8,
                    zorder=1.5,
                    label=name,
                )
            self.lines += [point[None] for point in points]

    def draw_line(self, name: str, line: Points, *, colour: str, ink: str, style: object) -> None:
        """Draw a line across the plane and note its name."""
        self.ax.plot(*line.T, color=colour, linewidth=1.1, linestyle=style, zorder=1, label=name)
        shown = self.visible(line)
        self.lines.append(shown)
        self.labels.append(Label(name, anchors(shown[4:-4:4]), ink))

    def draw_background(self, cloud: pd.DataFrame | None, baseline: Baseline | None) -> None:
        """Draw what models are compared with: y = x, the baseline, and other models."""
        xs = self.across()
        self.draw_line("y = x", np.column_stack([xs, xs]), colour=GREY, ink=GREY, style=(0, (1, 2)))
        if baseline is not None:
            line = np.column_stack([xs, baseline(xs)])
            self.draw_line("baseline", line, colour=GREY, ink=GREY, style="-")
        if cloud is not None:
            self.draw_cloud(cloud)

    def across(self, count: int = 120) -> Points:
        """Return reference accuracies from the left to the right edge of the frame."""
        left, right = np.clip(self.ax.get_xlim(), 1e-4, 1 - 1e-4)
        return from_logit(np.linspace(to_logit(float(left)), to_logit(float(right)), count))

    def finish(self) -> None:
        """Explain the grey marks and place all texts."""
        handles, names = self.ax.get_legend_handles_labels()
        known = {name for name, *_ in _CLOUD.values()}
        grey = {name: h for h, name in zip(handles, names, strict=True) if name in known}
        taken: list[Bbox] = []
        if len(grey) > 1:
            legend = self.ax.legend(
                grey.values(), grey.keys(), handletextpad=0.1, borderpad=0.2, borderaxespad=0.2
            )
            figure_of(self.ax).draw_without_rendering()
            taken.append(legend.get_window_extent())
        place_labels(self.ax, self.labels, self.lines, taken=taken)


def anchors(points: Points) -> list[tuple[float, float]]:
    """Return points as places that a text may stand beside."""
    return [(float(x), float(y)) for x, y in points]


def axes_or_new(ax: Axes | None, *, height: float) -> Axes:
    """Return these axes, or the only ones of a new figure."""
    return ax if ax is not None else plt.figure(figsize=(WIDTH, height)).add_subplot()


def by_label(sweep: Sweeps) -> Mapping[str, pd.DataFrame]:
    """Return sweeps by what they are called, one of them or several."""
    if isinstance(sweep, pd.DataFrame):
        outputs = sweep.attrs.get("space") == "outputs"
        return by_label({"output-space ensemble" if outputs else "WiSE-FT": sweep})
    if not sweep:
        raise DataError("there is no sweep to plot: the mapping is empty")
    for label, frame in sweep.items():
        if frame.duplicated([c for c in ("alpha", "distribution") if c in frame]).any():
            raise DataError(
                f"the sweep {label!r} has several accuracies for one alpha and distribution; "
                "pass sweeps of several models as a mapping by label"
            )
    return sweep

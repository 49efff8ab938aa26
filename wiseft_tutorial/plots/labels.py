"""Direct labels that do not collide: every text looks for a free place beside what it names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from wiseft_tutorial.plots.style import figure_of

Points = NDArray[np.float64]

_DIRECTIONS = np.array(
    [
        *[(1, 0), (-1, 0), (1, -1), (1, 1), (-1, 1), (-1, -1), (0, 1), (0, -1)],
        *[(1, -0.4), (1, 0.4), (-1, 0.4), (-1, -0.4)],
    ]
)
_DISTANCES = np.array([7.0, 12.0, 20.0, 32.0, 48.0, 68.0])  # in typographic points
_LEADER_FROM = 20.0  # from this distance on, a thin line leads from the text to its point
_MARK = 4.0 * np.array([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)])  # pixels: where a mark has ink
_OWN = 7.0  # pixels from its point within which a thin line may cross what belongs to that point
_SQUARE = 4.0  # pixels; what shares a square of this size touches
_PADDING = np.array([-2.0, -2.0, 2.0, 2.0])  # pixels around a text


@dataclass(frozen=True)
class Label:
    """A text, and the points (in data coordinates) any of which it may stand beside."""

    text: str
    anchors: Sequence[tuple[float, float]]
    colour: str
    bold: bool = False
    size: float = 9.0

    @property
    def weight(self) -> str:
        """The weight of the type, as matplotlib calls it."""
        return "bold" if self.bold else "normal"


def place_labels(
    ax: Axes, labels: Iterable[Label], obstacles: Iterable[Points], *, taken: Iterable[Bbox] = ()
) -> None:
    """Write labels into axes whose limits are final.

    Args:
        ax: The axes.
        labels: Each avoids those placed before it.
        obstacles: Polylines in data coordinates, (M, 2) each, that no text should cover.
        taken: Boxes, in pixels, that no text should overlap.
    """
    # The fewer places a text can choose from, the earlier it chooses.
    labels = [replace(label, anchors=_visible(ax, label.anchors)) for label in labels]
    labels = sorted((label for label in labels if label.anchors), key=lambda x: len(x.anchors))
    if not labels:
        return
    figure = figure_of(ax)
    figure.draw_without_rendering()  # settles the layout, and with it what a pixel is
    pixel = figure.dpi / 72  # pixels in a typographic point
    frame = ax.get_window_extent().padded(-2 * pixel)
    drawn = (_visible(ax, line) for line in obstacles)
    ink = _along([ax.transData.transform(line) for line in drawn if line], step=3.0)
    boxes = [box.extents for box in taken]
    named = [label.anchors[0] for label in labels if len(label.anchors) == 1]
    marks = ax.transData.transform(np.array(named).reshape(-1, 2))
    for label in labels:
        size = _measure(ax, label)
        anchor, distance, direction = (
            axis.ravel()
            for axis in np.indices((len(label.anchors), len(_DISTANCES), len(_DIRECTIONS)))
        )
        starts = ax.transData.transform(np.asarray(label.anchors))[anchor]
        towards = _DIRECTIONS[direction]
        reach = _DISTANCES[distance] * pixel / np.hypot(*towards.T)
        centres = starts + towards * (reach[:, None] + size / 2)
        candidates = np.hstack([centres - size / 2, centres + size / 2])
        far = _DISTANCES[distance] >= _LEADER_FROM
        cost = _cover(candidates, ink, np.array(boxes).reshape(-1, 4), frame)
        cost += far * _crossings(starts, centres, np.array(boxes).reshape(-1, 4), ink)
        cost += ~far * _strangers(candidates, starts, marks)
        best = int(np.argmin(cost + 3.0 * distance + 0.1 * direction))
        offset = (centres[best] - starts[best]) / pixel
        _write(ax, label, label.anchors[anchor[best]], offset, leader=bool(far[best]))
        boxes.append(candidates[best])
        if far[best]:
            ink = np.concatenate([ink, _along([np.stack([starts[best], centres[best]])], step=3.0)])


def _visible(ax: Axes, points: Any) -> Any:
    """Those points that have a place; an accuracy of 1 has none on a logit axis."""
    found = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        finite = np.isfinite(ax.transData.transform(found)).all(axis=1)
    return [point for point, there in zip(points, finite, strict=True) if there]


def _measure(ax: Axes, label: Label) -> Points:
    text = ax.text(
        0, 0, label.text, transform=ax.transAxes, fontsize=label.size, fontweight=label.weight
    )
    box = text.get_window_extent()
    text.remove()
    return np.array([box.width, box.height])


def _write(
    ax: Axes,
    label: Label,
    anchor: tuple[float, float],
    offset: Points,
    *,
    leader: bool,
) -> None:
    line = {"arrowstyle": "-", "color": label.colour, "lw": 0.7, "shrinkA": 1, "shrinkB": 4}
    ax.annotate(
        label.text,
        anchor,
        (float(offset[0]), float(offset[1])),
        textcoords="offset points",
        horizontalalignment="center",
        verticalalignment="center",
        color=label.colour,
        fontsize=label.size,
        fontweight=label.weight,
        arrowprops=line if leader else None,
        zorder=10,
    )


def _cover(candidates: Points, ink: Points, taken: Points, frame: Bbox) -> Points:
    """Weigh what texts in these boxes would cover: marks and lines, other texts, the frame."""
    left, bottom, right, top = (side[:, None] for side in (candidates + _PADDING).T)
    x, y = ink.T
    covered = ((x > left) & (x < right) & (y > bottom) & (y < top)).sum(axis=1)
    x0, y0, x1, y1 = taken.T
    overlaps = ((x1 > left) & (x0 < right) & (y1 > bottom) & (y0 < top)).sum(axis=1)
    outside = np.clip(frame.min - candidates[:, :2], 0, None).sum(axis=1)
    outside += np.clip(candidates[:, 2:] - frame.max, 0, None).sum(axis=1)
    cost: Points = 10.0 * covered + 1e4 * overlaps + 1e3 * outside
    return cost


def _strangers(candidates: Points, own: Points, marks: Points) -> Points:
    """Weigh texts that would stand nearer to another text's mark than to their own."""

    def distance(boxes: Points, places: Points) -> Points:
        beside = np.maximum(boxes[..., :2] - places, places - boxes[..., 2:])
        return np.asarray(np.hypot(*np.moveaxis(np.maximum(beside, 0), -1, 0)))

    other = np.hypot(*np.moveaxis(own[:, None] - marks, -1, 0)) > 1
    nearer = distance(candidates[:, None], marks) < distance(candidates, own)[:, None] + 2
    return np.asarray(40.0 * (nearer & other).any(axis=1))


def _crossings(starts: Points, ends: Points, taken: Points, ink: Points) -> Points:
    """Weigh the leading lines that would run through another text, or across marks and lines."""
    steps = np.linspace(0, 1, 24)[None, :, None]
    places = starts[:, None] + steps * (ends - starts)[:, None]
    x, y = np.moveaxis(places, -1, 0)[..., None]
    x0, y0, x1, y1 = taken.T
    through = ((x > x0) & (x < x1) & (y > y0) & (y < y1)).any(axis=1).sum(axis=1)
    away = np.hypot(*np.moveaxis(places - starts[:, None], -1, 0)) > _OWN
    across = (np.isin(_cell(places), _cell(ink)) & away).sum(axis=1)
    cost: Points = 50.0 * through + 2.0 * across
    return cost


def _cell(places: Points) -> NDArray[np.int64]:
    """Number the small squares in which places (in pixels) lie."""
    column, row = np.moveaxis(np.floor(places / _SQUARE).astype(np.int64), -1, 0)
    number: NDArray[np.int64] = column * 100_000 + row
    return number


def _along(lines: Sequence[Points], step: float) -> Points:
    """Replace polylines (in pixels) by points at most ``step`` pixels apart; a point is a mark."""
    pieces = [np.empty((0, 2))]
    for line in lines:
        pieces.append(line[-1:] + _MARK if len(line) == 1 else line[-1:])
        for a, b in pairwise(line):
            count = max(int(np.hypot(*(b - a)) / step), 1) if np.isfinite(b - a).all() else 1
            pieces.append(a + (b - a) * np.linspace(0, 1, count, endpoint=False)[:, None])
    points = np.concatenate(pieces)
    return points[np.isfinite(points).all(axis=1)]

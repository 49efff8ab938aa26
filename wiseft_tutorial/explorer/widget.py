"""The explorer: a slider over alpha, the point that it moves, and what the merged model sees."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping

import ipywidgets as widgets
import numpy as np
import pandas as pd
import torch
from torch import Tensor

from wiseft_tutorial._alpha import check_alpha
from wiseft_tutorial.benchmarks import Benchmark, Split
from wiseft_tutorial.evaluate import alpha_sweep, predict
from wiseft_tutorial.explorer.cards import cards, style_sheet
from wiseft_tutorial.inference import encode_images, evaluation_copy
from wiseft_tutorial.models import ImageClassifier
from wiseft_tutorial.plots import plot_robustness
from wiseft_tutorial.plots.axes import percent
from wiseft_tutorial.plots.labels import Points
from wiseft_tutorial.plots.plane import curve_of, names_of, points_of
from wiseft_tutorial.plots.style import ROLES
from wiseft_tutorial.weights import check_compatible, interpolate_

__all__ = ["Explorer", "explore"]

_SWEEP_IMAGES = 400  # of each distribution, where the explorer has to measure the curve itself
_CANDIDATES = 160  # images of each distribution among which the gallery is chosen
_PER_DISTRIBUTION = 2
_BARS = 3
_SAME_CELL = "1 / 1 / 2 / 2"  # of a grid, so that the point lies on the picture of the curve


def explore(
    zeroshot: ImageClassifier,
    finetuned: ImageClassifier,
    benchmark: Benchmark,
    *,
    sweep: pd.DataFrame | None = None,
    gallery: Mapping[str, Split] | None = None,
    alpha: float = 0.5,
    device: str | torch.device | None = None,
) -> Explorer:
    """Move a slider over alpha, and see the average of two models at work.

    At every step the weights are merged anew, into one working copy, and the merged model
    classifies the gallery. The point moves along the measured curve.

    Args:
        zeroshot: theta_0; left untouched.
        finetuned: theta_1; left untouched.
        benchmark: What the models are tested on.
        sweep: What ``alpha_sweep`` measured; if None, it is measured now, on fewer images.
        gallery: Images by the name of their distribution; if None, two of each distribution, chosen
            where the two models disagree.
        alpha: Where the slider starts.
        device: Where to compute; ``None`` means the best device present.

    Returns:
        A widget, which a notebook shows when it is the last value of a cell.

    Raises:
        WeightMismatchError: The weights cannot be averaged.
        AlphaError: ``alpha`` lies outside [0, 1].
        DataError: The sweep lacks an endpoint, or the models do not fit the benchmark.

    Source: section 3, equation 1; figure 1. Explained in: chapter 4.
    """
    check_compatible(zeroshot, finetuned)
    check_alpha(alpha)
    if sweep is None:
        few = {name: split.head(_SWEEP_IMAGES) for name, split in benchmark.distributions.items()}
        sweep = alpha_sweep(zeroshot, finetuned, benchmark, distributions=few, device=device)
    if gallery is None:
        gallery = {
            name: _telling_images(zeroshot, finetuned, split, device)
            for name, split in benchmark.distributions.items()
        }
    return Explorer(zeroshot, finetuned, sweep, gallery, alpha=alpha, device=device)


class Explorer(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """The widget that :func:`explore` returns; setting ``slider.value`` needs no browser.

    Attributes:
        slider: The mixing coefficient.
        labels: The true class of each of the gallery's N images, (N,) int64.
        probabilities: What the merged model thinks of them, (N, K).
        position: The point on the curve: accuracy on the reference, mean accuracy under the shifts.
            Between two measured alphas it lies on the line between their points.
        seconds: How long the last merging and classifying took.

    Explained in: chapter 4.
    """

    def __init__(
        self,
        zeroshot: ImageClassifier,
        finetuned: ImageClassifier,
        sweep: pd.DataFrame,
        gallery: Mapping[str, Split],
        *,
        alpha: float = 0.5,
        device: str | torch.device | None = None,
    ) -> None:
        self._theta = zeroshot, finetuned
        self._merged = evaluation_copy(zeroshot, device=device)
        self._classnames = zeroshot.classnames
        self._sources = [name for name, split in gallery.items() for _ in range(len(split))]
        self._images = torch.cat([split.images for split in gallery.values()])
        self._absent = torch.cat([_absent(s, len(self._classnames)) for s in gallery.values()])
        self.labels = torch.cat([split.labels for split in gallery.values()])
        self._shown = _classes_to_show(self.labels, self._classify(0.0), self._classify(1.0))
        self._curve = curve_of(sweep, None)
        self._names = names_of(sweep)

        picture, self._path = _draw_curve(sweep, self._curve)
        self._css = f"wt-{id(self):x}"
        self.slider = widgets.FloatSlider(
            value=alpha,
            min=0.0,
            max=1.0,
            step=0.05,
            description="α",
            style={"description_width": "1.5em"},
            layout={"width": "100%", "max_width": "520px"},
        )
        self._status = widgets.HTML()
        self._point = widgets.HTML(layout={"grid_area": _SAME_CELL, "margin": "0"})
        self._cards = widgets.HTML(layout={"flex": "1 1 330px", "min_width": "0"})
        super().__init__([self._arrange(picture)], layout={"width": "100%"})
        self.slider.observe(lambda change: self._show(change["new"]), names="value")
        self._show(alpha)

    def _arrange(self, picture: bytes) -> widgets.Widget:
        """Put the gallery beside the curve, or below it on a narrow screen."""
        curve = widgets.Image(
            value=picture,
            format="png",
            layout={"grid_area": _SAME_CELL, "width": "100%", "height": "auto", "margin": "0"},
        )
        plane = widgets.GridBox(
            [curve, self._point],
            layout={"flex": "1 1 300px", "max_width": "520px", "grid_template_columns": "100%"},
        )
        body = widgets.Box(
            [plane, self._cards],
            layout={"flex_flow": "row wrap", "align_items": "flex-start", "grid_gap": "12px"},
        )
        style = widgets.HTML(style_sheet(self._css, self._images), layout={"display": "none"})
        return widgets.VBox([style, self.slider, self._status, body], layout={"width": "100%"})

    def _show(self, alpha: float) -> None:
        """Merge, classify, and tell the browser what changed."""
        start = time.perf_counter()
        self.probabilities = self._classify(alpha)
        self.seconds = time.perf_counter() - start

        measured = self._curve["alpha"]
        x, y = (float(np.interp(alpha, measured, along)) for along in self._path.T)
        on_curve = points_of(self._curve).T
        self.position = tuple(float(np.interp(alpha, measured, along)) for along in on_curve)
        self._point.value = _point(x, y)
        self._status.value = self._summary(alpha)
        self._cards.value = cards(
            self._css,
            self._sources,
            self.labels,
            self.probabilities,
            self._shown,
            self._classnames,
        )

    @torch.no_grad()
    def _classify(self, alpha: float) -> Tensor:
        """Average the weights, and classify the gallery with the result."""
        interpolate_(self._merged, *self._theta, alpha)
        logits = self._merged.classify(encode_images(self._merged, self._images)).cpu()
        return logits.masked_fill(self._absent, -torch.inf).softmax(dim=1)

    def _summary(self, alpha: float) -> str:
        right = int((self.probabilities.argmax(dim=1) == self.labels).sum())
        reference, shifts = self.position
        return (
            f'<div style="line-height: 1.4">α = {alpha:.2f}: {percent(reference, 1)} on '
            f"{self._names[0]}, {percent(shifts, 1)} on average under {self._names[1]}; {right} of "
            f"{len(self.labels)} images right (merged and classified in "
            f"{1000 * self.seconds:.0f} ms)</div>"
        )


def _draw_curve(sweep: pd.DataFrame, curve: pd.DataFrame) -> tuple[bytes, Points]:
    """Return a picture of the curve, and where its points are in it, as fractions of its sides."""
    figure = plot_robustness(sweep, mark=float("nan"))
    figure.set_dpi(200)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi="figure")
    pixels = figure.axes[0].transData.transform(points_of(curve))
    width, height = figure.bbox.size
    return file.getvalue(), pixels / (width, -height) + (0, 1)


def _point(x: float, y: float) -> str:
    """Return a ringed dot at fractions of the sides of whatever it is laid upon."""
    place = f"left: {100 * x:.2f}%; top: {100 * y:.2f}%; transform: translate(-50%, -50%)"
    disc = f"width: 12px; height: 12px; border-radius: 50%; background: {ROLES['WiSE-FT'].colour}"
    ring = f"border: 2px solid white; box-shadow: 0 0 0 3px {ROLES['WiSE-FT'].colour}"
    return (
        '<div style="position: relative; width: 100%; height: 100%">'
        f'<div style="position: absolute; {place}; {disc}; {ring}"></div></div>'
    )


def _telling_images(
    zeroshot: ImageClassifier,
    finetuned: ImageClassifier,
    split: Split,
    device: str | torch.device | None,
) -> Split:
    """Choose images that tell the models apart: one is right and the other wrong, if possible."""
    split = split.head(_CANDIDATES)
    answers = [predict(m, split, device=device).argmax(dim=1) for m in (zeroshot, finetuned)]
    right_0, right_1 = (answer == split.labels for answer in answers)
    wishes = (
        right_0 & ~right_1,
        right_1 & ~right_0,
        answers[0] != answers[1],
        torch.ones_like(right_0),
    )
    chosen: list[int] = []
    for wish in wishes:
        fulfilled = [i for i in wish.nonzero().flatten().tolist() if i not in chosen]
        # One image for each of the first two wishes, then whatever still helps to fill the row.
        chosen += fulfilled[: 1 if wish is wishes[0] else _PER_DISTRIBUTION - len(chosen)]
    return split.subset(torch.tensor(chosen))


def _absent(split: Split, classes: int) -> Tensor:
    """Mark the classes that a distribution does not have, for each of its images: (N, K) bool."""
    absent = torch.full((classes,), split.classes is not None)
    absent[list(split.classes or ())] = False
    return absent.expand(len(split), -1)


def _classes_to_show(labels: Tensor, at_0: Tensor, at_1: Tensor) -> list[list[int]]:
    """Choose each image's bars: the true class, and what both ends find most probable."""
    count = min(_BARS, at_0.shape[1])
    likely = torch.stack([at_0.topk(count).indices, at_1.topk(count).indices], dim=2).flatten(1)
    return [
        list(dict.fromkeys([truth, *classes]))[:count]
        for truth, classes in zip(labels.tolist(), likely.tolist(), strict=True)
    ]

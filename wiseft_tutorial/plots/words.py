"""Figures about classifiers made of words: images beside texts, confidence beside truth."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from wiseft_tutorial.errors import DataError
from wiseft_tutorial.plots.axes import accuracy_axis
from wiseft_tutorial.plots.pictures import show_image
from wiseft_tutorial.plots.style import DOTTED, WIDTH, mark_of, role_of, styled
from wiseft_tutorial.robustness import clopper_pearson


@styled
def plot_similarity(similarity: Tensor, images: Tensor, texts: Sequence[str]) -> Figure:
    """Show how similar every image is to every text, as a matrix with the images above it.

    Args:
        similarity: (N, M) cosines of images and texts; the largest of each column has a frame.
        images: (N, 3, H, W) uint8.
        texts: M texts.

    Returns:
        The figure: a row for each text and a column for each image.

    Raises:
        DataError: The numbers of images and texts are not those of the matrix.

    Source: section 2. Explained in: chapter 2.
    """
    if similarity.shape != (len(images), len(texts)):
        raise DataError(
            f"similarity has shape {tuple(similarity.shape)}, but there are {len(images)} images "
            f"and {len(texts)} texts"
        )
    values = similarity.detach().float().cpu().T.numpy()
    cell, left = (WIDTH - 1.55) / len(images), 1.55
    height = cell + 0.05 + 0.42 * len(texts)
    figure = plt.figure(figsize=(WIDTH, height), layout="none")
    for column, image in enumerate(images):
        box = ((left + column * cell + 0.02) / WIDTH, 1 - cell / height)
        ax = figure.add_axes((*box, (cell - 0.04) / WIDTH, (cell - 0.02) / height))
        show_image(ax, image)
    ax = figure.add_axes(
        (left / WIDTH, 0.0, (WIDTH - left) / WIDTH, 0.42 * len(texts) / height), frameon=False
    )
    low, high = float(values.min()), float(values.max())
    ax.imshow(values, cmap="Blues", aspect="auto", vmin=low, vmax=high + 0.2 * (high - low))
    best = values.argmax(axis=0)
    for (row, column), value in np.ndenumerate(values):
        ink = "white" if value > low + 0.78 * (high - low) else "#222222"
        text = f"{round(float(value), 2) + 0.0:.2f}".replace("-", "\N{MINUS SIGN}")
        ax.text(column, row, text, ha="center", va="center", size=8, color=ink)
        if best[column] == row:
            corner = (column - 0.46, row - 0.44)
            ax.add_patch(Rectangle(corner, 0.92, 0.88, fill=False, edgecolor="black", lw=1.4))
    ax.set_xticks([])
    ax.set_yticks(range(len(texts)), [textwrap.fill(text, 23) for text in texts], size=8)
    ax.tick_params(left=False)
    ax.grid(visible=False)
    return figure


@styled
def plot_reliability(
    probabilities: Tensor | Mapping[str, Tensor], labels: Tensor, *, bins: int = 8
) -> Figure:
    """Plot accuracy against confidence: a calibrated model's marks lie on the diagonal.

    Args:
        probabilities: (N, K) of one model, or of several by label.
        labels: (N,) true classes.
        bins: Into how many groups of equal size the images are sorted by confidence.

    Returns:
        The figure: one mark with its 95 % interval for each group of each model.

    Raises:
        DataError: Not one label for each row of probabilities, or fewer images than bins.

    Source: appendix C.7, which calibrates the zero-shot side of ALIGN. Explained in: chapter 2.
    """
    panels = probabilities if isinstance(probabilities, Mapping) else {"zero-shot": probabilities}
    figure, ax = plt.subplots(figsize=(WIDTH, 3.9))
    ax.plot([0, 1], [0, 1], **DOTTED, label="calibrated")
    for name, p in panels.items():
        if p.ndim != 2 or labels.shape != p.shape[:1] or len(p) < bins:
            raise DataError(
                f"probabilities {tuple(p.shape)} and labels {tuple(labels.shape)} do not fit "
                f"together; expected (N, K) and (N,), with N of at least {bins}"
            )
        role = role_of(name, panels)
        confidence, predicted = p.detach().float().cpu().max(dim=1)
        groups = confidence.argsort().tensor_split(bins)
        right = predicted == labels.cpu()
        x = [float(confidence[group].mean()) for group in groups]
        hits, counts = [int(right[group].sum()) for group in groups], [len(g) for g in groups]
        low, high = clopper_pearson(hits, counts)
        ax.vlines(x, low, high, color=role.colour, lw=1.2, alpha=0.7)
        y = np.array(hits) / np.array(counts)
        ax.plot(x, y, color=role.colour, linestyle=role.linestyle, lw=1.2)
        ax.plot(x, y, **mark_of(role), label=name)
    ax.set_xlabel("Confidence: the largest probability")
    ax.set_ylabel("Accuracy")
    accuracy_axis(ax, "x", logit=False, room=7)
    accuracy_axis(ax, "y", logit=False, room=7)
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.02, 1.02)
    ax.legend(loc="lower right")
    return figure

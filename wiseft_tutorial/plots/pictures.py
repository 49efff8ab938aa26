"""Figures made of images: galleries, all classes, and what models take an image for."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Generator, Tensor, arange, randperm

from wiseft_tutorial.errors import DataError, unknown
from wiseft_tutorial.plots.axes import percent
from wiseft_tutorial.plots.style import ROLES, WIDTH, role_of, styled

if TYPE_CHECKING:
    from wiseft_tutorial.benchmarks import Split

Images: TypeAlias = "Split | Tensor"

_ENLARGED = 6  # by whole numbers, so that every pixel of a small image stays a square


@styled
def plot_gallery(
    images: Images | Mapping[str, Images],
    *,
    classnames: Sequence[str] | None = None,
    only: str | None = None,
    columns: int = 6,
    seed: int | None = 0,
) -> Figure:
    """Show images in rows, one row per distribution.

    Args:
        images: A ``Split`` or uint8 images (N, 3, H, W); or several by name, such as
            ``benchmark.distributions``.
        classnames: Names of the classes; written under the images of splits unless ``only`` is set.
        only: Show images of this class only.
        columns: Images per row.
        seed: Which images are drawn at random; None for the first ones.

    Returns:
        The figure, every pixel of an image a sharp square.

    Raises:
        UnknownNameError: ``only`` is no class.
        DataError: ``only`` was given for images that have no labels or names.

    Source: figure 2. Explained in: chapter 1.
    """
    rows = images if isinstance(images, Mapping) else {"": images}
    picked = {
        name: _choose(source, classnames, only, columns, seed) for name, source in rows.items()
    }
    captions = {
        name: [textwrap.fill(classnames[i], 13) for i in labels]
        for name, (_, labels) in picked.items()
        if labels is not None and classnames is not None and only is None
    }
    lines = max((text.count("\n") + 1 for row in captions.values() for text in row), default=0)

    # All lengths are in inches, from the top left; _place turns them into a figure's fractions.
    side, heading, caption, gap = WIDTH / columns, 0.24 if any(rows) else 0.0, 0.15 * lines, 0.1
    strip = heading + side + caption + gap
    figure = plt.figure(figsize=(WIDTH, len(rows) * strip - gap), layout="none")
    for row, (name, (pictures, _)) in enumerate(picked.items()):
        if name:
            x, y, *_ = _place(figure, 0.02, row * strip + heading - 0.05)
            figure.text(x, y, name, weight="bold", va="baseline")
        for column, picture in enumerate(pictures):
            corner = column * side + 0.02, row * strip + heading
            ax = figure.add_axes(_place(figure, *corner, side - 0.04))
            show_image(ax, picture)
            if name in captions:
                text = captions[name][column]
                ax.set_xlabel(text, size=8, labelpad=2, linespacing=1.05)
    return figure


@styled
def plot_classes(
    split: Split,
    classnames: Sequence[str],
    *,
    columns: int = 5,
    most: int = 60,
    seed: int = 0,
) -> Figure:
    """Show one image of each class, with the class's name below.

    Args:
        split: Whose images; a class that it does not have is left out.
        classnames: Names of the classes.
        columns: Images per row.
        most: How many classes are shown, the first ones, should there be more.
        seed: Which image of each class.

    Returns:
        The figure, its images in the order of the classes.

    Source: our own; the paper shows one class, in its figure 2. Explained in: chapter 1.
    """
    order = randperm(len(split), generator=Generator().manual_seed(seed))
    at = {int(split.labels[i]): i for i in order.tolist()}
    shown = sorted(at)[:most]
    texts = [textwrap.fill(classnames[k], 14) for k in shown]
    rows = [texts[i : i + columns] for i in range(0, len(texts), columns)]
    side, gap = WIDTH / columns, 0.1
    depths = [0.17 * max(text.count("\n") + 1 for text in row) + gap for row in rows]
    tops = [row * side + sum(depths[:row]) for row in range(len(rows))]
    figure = plt.figure(figsize=(WIDTH, tops[-1] + side + depths[-1]), layout="none")
    for position, (k, text) in enumerate(zip(shown, texts, strict=True)):
        row, column = divmod(position, columns)
        corner = column * side + 0.02, tops[row] + 0.02
        ax = figure.add_axes(_place(figure, *corner, side - 0.04))
        show_image(ax, split.images[at[k]])
        ax.set_xlabel(text, size=9.5, labelpad=2, linespacing=1.05)
    return figure


@styled
def plot_probabilities(
    probabilities: Tensor | Mapping[str, Tensor],
    classnames: Sequence[str],
    *,
    truth: str | int | None = None,
    image: Tensor | None = None,
    top: int = 4,
) -> Figure:
    """Show the classes that models find most probable for one image.

    Args:
        probabilities: Probabilities (K,); or several by label, such as ``{"zero-shot": ...}``.
        classnames: Names of the K classes.
        truth: The true class, by name or index; its name is set in bold.
        image: The image itself, uint8 (3, H, W), to show at the left.
        top: How many classes to show per model.

    Returns:
        The figure: a bar with its percentage for every class shown.

    Raises:
        DataError: Probabilities and names differ in number.
        UnknownNameError: ``truth`` is no class.

    Source: section 5.1, on who is confident and who is right. Explained in: chapter 4.
    """
    panels = probabilities if isinstance(probabilities, Mapping) else {"": probabilities}
    for p in panels.values():
        if p.shape != (len(classnames),):
            raise DataError(
                f"probabilities have shape {tuple(p.shape)} for {len(classnames)} class names"
            )
    if isinstance(truth, int):
        truth = classnames[truth]
    if truth is not None and truth not in classnames:
        raise unknown("class", truth, classnames)
    height = 0.1 + len(panels) * (0.3 + 0.24 * top)
    figure = plt.figure(figsize=(WIDTH, max(height, 1.5)))
    if image is None:
        grid = figure.add_gridspec(len(panels), 1)
    else:
        grid = figure.add_gridspec(len(panels), 2, width_ratios=[1, 2])
        show_image(figure.add_subplot(grid[:, 0]), image)
    for row, (label, p) in enumerate(panels.items()):
        ax = figure.add_subplot(grid[row, -1])
        role = role_of(label, panels) if label else ROLES["WiSE-FT"]
        values, indices = p.detach().float().cpu().topk(min(top, len(p)))
        shown = [classnames[i] for i in indices.tolist()]
        heights = np.arange(len(shown))[::-1]
        ax.barh(heights, values.numpy(), color=role.colour, height=0.72)
        ax.set_yticks(heights, shown)
        for tick, name in zip(ax.get_yticklabels(), shown, strict=True):
            tick.set_fontweight("bold" if name == truth else "normal")
        for y, value in zip(heights, values.tolist(), strict=True):
            ax.text(value + 0.01, y, percent(value, 0), va="center", size=9)
        ax.set_xlim(0, 1.14)
        ax.set_xticks([])
        ax.grid(visible=False)
        ax.tick_params(left=False)
        for side in ("bottom", "left"):
            ax.spines[side].set_visible(False)
        if label:
            ax.set_title(label, color=role.ink)
    return figure


def show_image(ax: Axes, image: Tensor) -> None:
    """Show a small uint8 image (3, H, W) with sharp pixels and a thin frame."""
    pixels = image.permute(1, 2, 0).cpu().numpy()
    large = pixels.repeat(_ENLARGED, axis=0).repeat(_ENLARGED, axis=1)
    ax.imshow(large, interpolation="hanning")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set(visible=True, color="#D9D9D9", linewidth=0.6)


def _place(
    figure: Figure, left: float, top: float, side: float = 0.0
) -> tuple[float, float, float, float]:
    width, height = figure.get_size_inches()
    return left / width, 1 - (top + side) / height, side / width, side / height


def _choose(
    source: Images, classnames: Sequence[str] | None, only: str | None, count: int, seed: int | None
) -> tuple[Tensor, list[int] | None]:
    """Pick the images of one gallery row, with their labels if they have some."""
    images, labels = (
        (source, None) if isinstance(source, Tensor) else (source.images, source.labels)
    )
    candidates = arange(len(images))
    if only is not None:
        if labels is None or classnames is None:
            raise DataError("only= needs images with labels, a Split, and classnames")
        if only not in classnames:
            raise unknown("class", only, classnames)
        candidates = candidates[labels == list(classnames).index(only)]
    if seed is not None:
        order = randperm(len(candidates), generator=Generator().manual_seed(seed))
        candidates = candidates[order]
    chosen = candidates[:count]
    return images[chosen], None if labels is None else labels[chosen].tolist()

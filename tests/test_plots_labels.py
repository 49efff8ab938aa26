"""Direct labels: free of each other, and nearest to what they name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.text import Annotation, Text

from wiseft_tutorial.plots.labels import Label, place_labels

NEIGHBOURS = [(0.4, 0.5), (0.43, 0.5), (0.46, 0.5)]


@pytest.fixture
def ax() -> Iterator[Axes]:
    figure, ax = plt.subplots(figsize=(5, 4))
    ax.set(xlim=(0, 1), ylim=(0, 1))
    yield ax
    plt.close(figure)


def write(ax: Axes, marks: list[tuple[float, float]]) -> list[Annotation]:
    """Name every mark by its position."""
    labels = [Label(f"mark {i}", [mark], "black") for i, mark in enumerate(marks)]
    place_labels(ax, labels, [np.array([mark]) for mark in marks])
    ax.figure.draw_without_rendering()  # puts the texts where they were told to go
    return [text for text in ax.texts if isinstance(text, Annotation)]


def test_a_text_without_a_line_is_nearest_to_its_own_mark(ax: Axes) -> None:
    pixels = ax.transData.transform(NEIGHBOURS)
    for text in write(ax, NEIGHBOURS):
        if text.arrow_patch is None:
            low, high = text.get_window_extent().get_points()
            outside = np.maximum(np.maximum(low - pixels, pixels - high), 0)
            own = int(text.get_text().split()[1])
            assert np.hypot(*outside.T).argmin() == own, text.get_text()


def test_no_text_covers_another_a_mark_or_a_leading_line(ax: Axes) -> None:
    marks = [(x, y) for x in (0.3, 0.36, 0.42) for y in (0.4, 0.45, 0.5)]
    texts = write(ax, marks)
    pixels, boxes = ax.transData.transform(marks), [Text.get_window_extent(text) for text in texts]
    assert any(text.arrow_patch for text in texts), "there was room for all; this shows nothing"
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])
        assert not any(box.contains(*mark) for mark in pixels)
    for text in texts:
        if text.arrow_patch:
            ends = text.arrow_patch.get_path().transformed(text.arrow_patch.get_transform())
            start, *_, end = ends.vertices
            between = start + np.linspace(0, 1, 40)[:, None] * (end - start)
            for other, box in zip(texts, boxes, strict=True):
                if other is not text:
                    assert not any(box.contains(*place) for place in between), other.get_text()


def test_points_without_a_place_are_nobodys_neighbours(ax: Axes) -> None:
    ax.set_xscale("logit")
    ax.set_xlim(0.2, 0.99)
    perfect, usual = Label("perfect", [(1.0, 0.5)], "red"), Label("usual", [(0.5, 0.5)], "blue")
    place_labels(ax, [perfect, usual], [np.array([(0.5, 0.5), (1.0, 0.6)])])
    assert [text.get_text() for text in ax.texts] == ["usual"]

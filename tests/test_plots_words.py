"""Figures about classifiers made of words."""

from __future__ import annotations

import pytest
import torch
from matplotlib.patches import Rectangle

from wiseft_tutorial import plots
from wiseft_tutorial.errors import DataError

IMAGES = torch.zeros(3, 3, 8, 8, dtype=torch.uint8)
SIMILARITY = torch.tensor([[0.9, 0.1], [0.2, 0.8], [-0.3, 0.0]])


def test_a_similarity_stands_in_its_row_and_column() -> None:
    *pictures, matrix = plots.plot_similarity(SIMILARITY, IMAGES, ["a lemon", "a sock"]).axes
    assert len(pictures) == 3
    written = {text.get_position(): text.get_text() for text in matrix.texts}
    assert written[2, 0] == "\N{MINUS SIGN}0.30"
    assert written[1, 1] == "0.80"
    assert [label.get_text() for label in matrix.get_yticklabels()] == ["a lemon", "a sock"]


def test_the_most_similar_text_of_every_image_has_a_frame() -> None:
    matrix = plots.plot_similarity(SIMILARITY, IMAGES, ["a lemon", "a sock"]).axes[-1]
    frames = [patch for patch in matrix.patches if isinstance(patch, Rectangle)]
    assert {(round(f.get_x()), round(f.get_y())) for f in frames} == {(0, 0), (1, 1), (2, 1)}


def test_similarities_must_fit_images_and_texts() -> None:
    with pytest.raises(DataError, match=r"\(3, 2\), but there are 3 images and 1 texts"):
        plots.plot_similarity(SIMILARITY, IMAGES, ["a lemon"])


def test_reliability_sorts_images_by_confidence() -> None:
    """Half of the images at confidence 0.6, all wrong; half at 0.9, all right."""
    probabilities = torch.tensor([[0.6, 0.4]] * 10 + [[0.1, 0.9]] * 10)
    (ax,) = plots.plot_reliability(probabilities, torch.ones(20, dtype=torch.int64), bins=2).axes
    (marks,) = [line for line in ax.lines if line.get_label() == "zero-shot"]
    assert marks.get_xdata() == pytest.approx([0.6, 0.9])
    assert marks.get_ydata() == pytest.approx([0.0, 1.0])


def test_reliability_takes_several_models() -> None:
    probabilities = torch.full((8, 2), 0.5)
    labels = torch.zeros(8, dtype=torch.int64)
    figure = plots.plot_reliability({"one": probabilities, "two": probabilities}, labels, bins=4)
    (legend,) = [ax.get_legend() for ax in figure.axes]
    assert [text.get_text() for text in legend.get_texts()] == ["calibrated", "one", "two"]


@pytest.mark.parametrize("labels", [3, 8])
def test_reliability_needs_a_label_for_each_row_and_enough_of_them(labels: int) -> None:
    with pytest.raises(DataError, match="do not fit together"):
        plots.plot_reliability(torch.full((8, 2), 0.5), torch.zeros(labels).long(), bins=9)

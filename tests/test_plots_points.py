"""Many models in one plane: what is drawn of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from wiseft_tutorial import paper, plots
from wiseft_tutorial.errors import DataError

MODELS = pd.DataFrame(
    {
        "label": ["soup", "WiSE-FT", "runs", "runs"],
        "reference": [0.80, 0.85, 0.86, 0.87],
        "shifts": [0.75, 0.76, 0.70, 0.66],
    }
)


def test_every_model_is_a_mark_and_every_label_is_written_once() -> None:
    (ax,) = plots.plot_models(MODELS).axes
    marks = [
        (str(line.get_label()), *map(float, np.asarray(line.get_xydata())[0]))
        for line in ax.lines
        if len(np.asarray(line.get_xydata())) == 1
    ]
    expected = list(MODELS.itertuples(index=False, name=None))
    assert sorted(marks) == sorted(expected)
    texts = [text.get_text() for text in ax.texts]
    assert [texts.count(label) for label in ("soup", "WiSE-FT", "runs")] == [1, 1, 1]


def test_models_of_one_label_can_be_joined() -> None:
    (ax,) = plots.plot_models(MODELS, connect=True).axes
    paths = [np.asarray(line.get_xydata()) for line in ax.lines]
    assert any(np.array_equal(path, [[0.86, 0.70], [0.87, 0.66]]) for path in paths)


def test_intervals_are_bars() -> None:
    bounds = {f"{of}_{end}": 0.8 for of in ("reference", "shifts") for end in ("low", "high")}
    (bare,) = plots.plot_models(MODELS).axes
    (ax,) = plots.plot_models(MODELS.assign(**bounds)).axes
    assert len(ax.lines) == len(bare.lines) + 2 * len(MODELS)


def test_a_sweep_behind_them_names_the_axes() -> None:
    sweep = paper.alpha_sweeps("CLIP ViT-B/16", "e2e")
    (ax,) = plots.plot_models(MODELS, sweeps={"a curve": sweep}).axes
    assert "ImageNet" in ax.get_xlabel()
    assert "five shifts" in ax.get_ylabel()
    assert "a curve" in [text.get_text() for text in ax.texts]


def test_a_curve_may_have_been_summarised_already() -> None:
    curve = pd.DataFrame(
        {"alpha": [0.0, 0.5, 1.0], "reference": [0.8, 0.85, 0.9], "shifts": [0.7, 0.8, 0.6]}
    )
    (ax,) = plots.plot_models(MODELS, sweeps={"a curve": curve}).axes
    paths = [np.asarray(line.get_xydata()) for line in ax.lines]
    assert any(np.array_equal(path, curve[["reference", "shifts"]]) for path in paths)


def test_without_a_sweep_the_axes_say_what_they_are_told() -> None:
    (ax,) = plots.plot_models(MODELS, names=("Pocket", "five shifts")).axes
    assert ax.get_xlabel() == "Accuracy on Pocket"


@pytest.mark.parametrize("wrong", [MODELS.head(0), MODELS.drop(columns="shifts")])
def test_rows_and_columns_are_needed(wrong: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="one row per model"):
        plots.plot_models(wrong)

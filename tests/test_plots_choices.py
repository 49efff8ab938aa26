"""The figures about choosing alpha: what they show."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from wiseft_tutorial import plots
from wiseft_tutorial.errors import DataError

BEST = pd.DataFrame(
    {
        "distribution": ["Pocket", "Pocket-R", "Pocket-A"],
        "kind": ["reference", "shift", "shift"],
        "gap": [0.15, -0.08, 0.02],
        "alpha": [0.8, 0.3, 0.6],
        "low": [0.6, 0.1, 0.5],
        "high": [1.0, 0.5, 0.8],
    }
)
CURVES = pd.DataFrame(
    {
        "images": [25, 100, 400] * 2,
        "label": ["reference"] * 3 + ["shifts"] * 3,
        "regret": [0.03, 0.01, 0.0, 0.02, 0.025, 0.03],
    }
)


def labelled(ax: Axes) -> dict[str, mpl.lines.Line2D]:
    return {str(line.get_label()): line for line in ax.lines}


def xy(line: mpl.lines.Line2D) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in np.asarray(line.get_xydata())]


def written(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts if text.get_text()]


def ticks(axis: mpl.axis.Axis) -> list[str]:
    axis.axes.get_figure(root=True).draw_without_rendering()  # type: ignore[union-attr]
    return [label.get_text() for label in axis.get_ticklabels()]


def test_the_best_alpha_of_each_distribution_is_marked_and_named() -> None:
    (ax,) = plots.plot_best_alpha(BEST).axes
    for row in BEST.itertuples():
        assert xy(labelled(ax)[str(row.distribution)]) == [(row.gap, row.alpha)]
    assert set(BEST["distribution"]) <= set(written(ax))


def test_reference_and_shifts_are_told_apart_without_colour() -> None:
    (ax,) = plots.plot_best_alpha(BEST).axes
    faces = {name: line.get_markerfacecolor() for name, line in labelled(ax).items()}
    assert faces["Pocket-R"] == faces["Pocket-A"] == "white" != faces["Pocket"]


def test_intervals_of_alpha_are_drawn_where_they_are_known() -> None:
    def bars(frame: pd.DataFrame) -> list[tuple[float, float]]:
        (ax,) = plots.plot_best_alpha(frame).axes
        ends = [xy(line) for line in ax.lines if line.get_alpha() == 0.6]
        return [(low, high) for (_, low), (_, high) in ends]

    assert bars(BEST) == [(0.6, 1.0), (0.1, 0.5), (0.5, 0.8)]
    assert bars(BEST.drop(columns=["low", "high"])) == []


def test_gaps_are_in_points_and_other_sweeps_in_the_background() -> None:
    cloud = pd.DataFrame({"gap": [-0.1, 0.0, 0.2], "alpha": [0.2, 0.5, 0.9]})
    (ax,) = plots.plot_best_alpha(BEST, cloud=cloud).axes
    assert [(-0.1, 0.2), (0.0, 0.5), (0.2, 0.9)] in [xy(line) for line in ax.lines]
    assert "other sweeps" in written(ax)
    assert {"0", "+10"} <= set(ticks(ax.xaxis))


def test_a_curve_for_each_label_over_the_number_of_images() -> None:
    (ax,) = plots.plot_against_images(CURVES, value="regret").axes
    lines = labelled(ax)
    assert xy(lines["reference"]) == [(25, 0.03), (100, 0.01), (400, 0.0)]
    assert lines["reference"].get_marker() != lines["shifts"].get_marker()
    assert set(written(ax)) == {"reference", "shifts"}
    assert ticks(ax.xaxis) == ["25", "100", "400"]
    assert ax.get_ylabel() == "Regret (points)"
    assert "2" in ticks(ax.yaxis)


def test_a_band_is_drawn_where_there_are_intervals() -> None:
    assert not plots.plot_against_images(CURVES, value="regret").axes[0].collections
    banded = CURVES.assign(low=CURVES["regret"] - 0.01, high=CURVES["regret"] + 0.01)
    (ax,) = plots.plot_against_images(banded, value="regret").axes
    assert len(ax.collections) == 2


def test_missing_columns_are_named() -> None:
    with pytest.raises(DataError, match="gap, alpha"):
        plots.plot_best_alpha(BEST[["distribution", "kind"]])
    with pytest.raises(DataError, match="optimism"):
        plots.plot_against_images(CURVES, value="optimism")

"""Lines of one number against another: what they show."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from wiseft_tutorial import plots
from wiseft_tutorial.errors import DataError
from wiseft_tutorial.plots import ROLES

FRAME = pd.DataFrame(
    {
        "k": [1, 5, 25] * 2,
        "label": ["WiSE-FT"] * 3 + ["another"] * 3,
        "gain": [0.01, 0.02, 0.05, -0.03, 0.01, 0.04],
        "low": [0.0, 0.01, 0.04, -0.04, 0.0, 0.03],
        "high": [0.02, 0.03, 0.06, -0.02, 0.02, 0.05],
    }
)


def curves(ax: Axes) -> dict[str, mpl.lines.Line2D]:
    return {str(line.get_label()): line for line in ax.lines}


def ticks(axis: mpl.axis.Axis) -> list[str]:
    axis.axes.get_figure(root=True).draw_without_rendering()  # type: ignore[union-attr]
    return [label.get_text() for label in axis.get_ticklabels()]


def test_each_label_is_a_line_of_its_own_and_named_beside_it() -> None:
    (ax,) = plots.plot_lines(FRAME, x="k", y="gain").axes
    for label, rows in FRAME.groupby("label"):
        drawn = np.asarray(curves(ax)[str(label)].get_xydata())
        np.testing.assert_array_equal(drawn, rows[["k", "gain"]])
    assert {"WiSE-FT", "another"} <= {text.get_text() for text in ax.texts}


def test_a_role_looks_as_everywhere_and_lines_are_told_apart_without_colour() -> None:
    (ax,) = plots.plot_lines(FRAME, x="k", y="gain").axes
    ours, other = curves(ax)["WiSE-FT"], curves(ax)["another"]
    assert ours.get_color() == ROLES["WiSE-FT"].colour
    assert ours.get_marker() != other.get_marker()


def test_bounds_become_a_band() -> None:
    (ax,) = plots.plot_lines(FRAME, x="k", y="gain").axes
    (bare,) = plots.plot_lines(FRAME.drop(columns=["low", "high"]), x="k", y="gain").axes
    assert (len(ax.collections), len(bare.collections)) == (2, 0)


def test_differences_are_shown_in_points_and_the_ticks_asked_for_are_there() -> None:
    (ax,) = plots.plot_lines(
        FRAME, x="k", y="gain", unit="points", log="x", ticks=[25, 1, 5], level=0.0
    ).axes
    assert ticks(ax.xaxis) == ["1", "5", "25"]
    assert "5" in ticks(ax.yaxis)
    assert ax.get_xscale() == "log"


def test_accuracies_are_shown_in_percent() -> None:
    frame = pd.DataFrame({"alpha": [0, 1], "accuracy": [0.5, 0.75]})
    (ax,) = plots.plot_lines(frame, x="alpha", y="accuracy", unit="accuracy").axes
    assert all(tick.endswith("%") for tick in ticks(ax.yaxis))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("alpha", "accuracy")


def test_both_axes_may_be_logarithmic() -> None:
    frame = pd.DataFrame({"step": [0.1, 1.0], "gap": [0.01, 1.0]})
    (ax,) = plots.plot_lines(frame, x="step", y="gap", log="xy", xlabel="Step", ylabel="Gap").axes
    assert (ax.get_xscale(), ax.get_yscale(), ax.get_ylabel()) == ("log", "log", "Gap")


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DataError, match="lacks the columns loss"):
        plots.plot_lines(FRAME, x="k", y="loss")

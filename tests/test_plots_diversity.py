"""The figures about how two models differ: what they show."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from wiseft_tutorial import plots
from wiseft_tutorial.errors import DataError

NAMES = ["Pocket", "Pocket-R", "Pocket-A"]
MEASURES = pd.DataFrame(
    [
        (name, measure, label, value, value - 0.02, value + 0.02)
        for measure in ("PD", "CC", "KL")
        for label, value in (("linear classifier", 0.3), ("two halves", 0.1))
        for name in NAMES
    ],
    columns=["distribution", "measure", "label", "value", "low", "high"],
)
OVERRIDES = pd.DataFrame(
    {
        "distribution": NAMES,
        "kind": ["reference", "shift", "shift"],
        "zeroshot": [0.3, 0.55, 0.45],
        "finetuned": [0.6, 0.35, 0.4],
    }
)


def labelled(ax: Axes) -> dict[str, mpl.lines.Line2D]:
    return {str(line.get_label()): line for line in ax.lines}


def written(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts if text.get_text()]


def xy(line: mpl.lines.Line2D) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in np.asarray(line.get_xydata())]


def test_each_measure_has_its_panel_and_each_distribution_its_row() -> None:
    shown = [ax for ax in plots.plot_measures(MEASURES).axes if ax.axison]
    assert [ax.get_title(loc="left") for ax in shown] == ["PD", "CC", "KL"]
    for ax in shown:
        assert list(ax.get_yticks()) == [0, -1, -2]
        assert list(labelled(ax)["linear classifier"].get_xdata()) == [0.3] * 3
    assert [label.get_text() for label in shown[0].get_yticklabels()] == NAMES


def test_the_control_is_grey_and_hollow_and_roles_keep_their_look() -> None:
    ax = plots.plot_measures(MEASURES, control="two halves").axes[0]
    lines = labelled(ax)
    assert lines["two halves"].get_markerfacecolor() == "white"
    role = plots.ROLES["linear classifier"]
    assert lines["linear classifier"].get_markerfacecolor() == role.colour
    markers = [lines[label].get_marker() for label in ("linear classifier", "two halves")]
    assert markers[0] == role.marker != markers[1]


def test_intervals_are_drawn_where_there_are_some() -> None:
    segments = plots.plot_measures(MEASURES).axes[0].collections[0].get_segments()
    assert [tuple(s[:, 0].round(2)) for s in segments] == [(0.28, 0.32)] * 3
    without = MEASURES.drop(columns=["low", "high"])
    assert not plots.plot_measures(without).axes[0].collections


def test_one_measure_names_the_axis_and_may_be_negative() -> None:
    alone = MEASURES[MEASURES["measure"] == "PD"].drop(columns=["low", "high"])
    figure = plots.plot_measures(alone.assign(value=-alone["value"]))
    (ax,) = figure.axes
    assert ax.get_xlabel() == "PD"
    figure.draw_without_rendering()
    low, high = ax.get_xlim()
    assert low < -0.3 < 0 < high, "zero is in sight"
    assert any("\N{MINUS SIGN}" in label.get_text() for label in ax.get_xticklabels())


def test_overrides_are_marked_and_named() -> None:
    (ax,) = plots.plot_overrides(OVERRIDES).axes
    assert sorted(written(ax)) == sorted(NAMES)
    marks = [line for line in ax.lines if line.get_marker() not in ("None", "", None)]
    assert [xy(mark)[0] for mark in marks] == [(0.3, 0.6), (0.55, 0.35), (0.45, 0.4)]
    faces = [mark.get_markerfacecolor() for mark in marks]
    assert faces[0] != "white" == faces[1] == faces[2], "the reference is filled"
    assert ax.get_xlim() == ax.get_ylim(), "the diagonal is one"


def test_overrides_of_several_models_have_intervals_and_a_legend() -> None:
    bars = OVERRIDES.assign(
        zeroshot_low=OVERRIDES["zeroshot"] - 0.05,
        zeroshot_high=OVERRIDES["zeroshot"] + 0.05,
        finetuned_low=OVERRIDES["finetuned"] - 0.05,
        finetuned_high=OVERRIDES["finetuned"] + 0.05,
    )
    (ax,) = plots.plot_overrides({"linear classifier": bars, "fine-tuned": OVERRIDES}).axes
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["linear classifier", "fine-tuned"]
    drawn = [np.array(xy(line)) for line in ax.lines if xy(line)]
    spans = [np.ptp(points, axis=0).round(2).tolist() for points in drawn]
    assert [0.1, 0] in spans
    assert [0, 0.1] in spans


def test_no_third_answers_is_a_line_that_no_mark_crosses() -> None:
    (ax,) = plots.plot_overrides(OVERRIDES).axes
    (line,) = [line for line in ax.lines if line.get_linestyle() == "--" and len(xy(line)) == 2]
    assert all(x + y == pytest.approx(1) for x, y in xy(line))


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(DataError, match="lacks the columns value"):
        plots.plot_measures(MEASURES.drop(columns="value"))
    with pytest.raises(DataError, match="nothing to plot"):
        plots.plot_measures(MEASURES.iloc[:0])
    with pytest.raises(DataError, match="no label is 'chance'"):
        plots.plot_measures(MEASURES, control="chance")
    with pytest.raises(DataError, match="nothing to plot"):
        plots.plot_overrides({})
    with pytest.raises(DataError, match="lacks the columns kind"):
        plots.plot_overrides(OVERRIDES.drop(columns="kind"))

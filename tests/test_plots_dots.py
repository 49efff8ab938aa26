"""Accuracies side by side: what the figure shows."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

import wiseft_tutorial as wt

NAMES = ["Pocket", "Pocket-R", "Pocket-A"]


def frame(*values: float, interval: bool = True) -> pd.DataFrame:
    accuracies = pd.DataFrame({"distribution": NAMES, "accuracy": values})
    if not interval:
        return accuracies
    return accuracies.assign(low=accuracies["accuracy"] - 0.05, high=accuracies["accuracy"] + 0.05)


def panel(figure: Figure) -> Any:
    (ax,) = figure.axes
    return ax


def test_the_first_distribution_is_at_the_top_with_its_percentage() -> None:
    ax = panel(wt.plot_accuracies(frame(0.8, 0.6, 0.4)))
    assert [label.get_text() for label in ax.get_yticklabels()] == NAMES
    assert list(ax.get_yticks()) == [0, -1, -2]
    assert [text.get_text() for text in ax.texts] == ["80%", "60%", "40%"]


def test_intervals_are_drawn_where_there_are_some() -> None:
    ax = panel(wt.plot_accuracies(frame(0.8, 0.6, 0.4)))
    segments = ax.collections[0].get_segments()
    assert [tuple(s[:, 0].round(2)) for s in segments] == [(0.75, 0.85), (0.55, 0.65), (0.35, 0.45)]
    ax = panel(wt.plot_accuracies(frame(0.8, 0.6, 0.4, interval=False)))
    assert not ax.collections


def test_labels_keep_their_role_and_do_not_overlap() -> None:
    frames = {"zero-shot": frame(0.8, 0.6, 0.4), "fine-tuned": frame(0.8, 0.5, 0.3)}
    ax = panel(wt.plot_accuracies(frames))
    first, second = ax.lines
    assert first.get_marker() == wt.ROLES["zero-shot"].marker
    assert second.get_marker() == wt.ROLES["fine-tuned"].marker
    assert all(a > b for a, b in zip(first.get_ydata(), second.get_ydata(), strict=True))
    legend = ax.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == list(frames)


def test_chance_is_drawn_and_named() -> None:
    ax = panel(wt.plot_accuracies(frame(0.8, 0.6, 0.4), chance=0.025))
    assert ax.lines[-1].get_xdata()[0] == 0.025
    assert ax.texts[-1].get_text().strip() == "chance"


def test_two_accuracies_for_one_distribution_are_refused() -> None:
    twice = pd.concat([frame(0.8, 0.6, 0.4)] * 2)
    with pytest.raises(wt.DataError, match="several accuracies for one distribution"):
        wt.plot_accuracies(twice)
    with pytest.raises(wt.DataError, match="no accuracies"):
        wt.plot_accuracies({})

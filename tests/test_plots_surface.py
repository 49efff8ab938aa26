"""The plane through three models: what the figure shows."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import wiseft_tutorial as wt

CORNERS = {"zero-shot": (0.0, 0.0), "fine-tuned": (4.0, 0.0), "another run": (1.0, 3.0)}


def surface(count: int = 6) -> pd.DataFrame:
    """A hill whose top is at (2, 1)."""
    frame = pd.DataFrame(
        list(product(np.linspace(-1, 5, count), np.linspace(-1, 4, count))), columns=["x", "y"]
    )
    return frame.assign(accuracy=0.9 - 0.02 * ((frame["x"] - 2) ** 2 + (frame["y"] - 1) ** 2))


def panel(figure: Figure) -> Any:
    (ax,) = figure.axes
    return ax


def test_the_models_keep_their_roles_and_stand_where_they_are() -> None:
    ax = panel(wt.plot_plane(surface(), CORNERS))
    marks = {line.get_label(): line for line in ax.lines[1:]}
    for name, (x, y) in CORNERS.items():
        assert (marks[name].get_xdata()[0], marks[name].get_ydata()[0]) == (x, y)
    assert marks["zero-shot"].get_marker() == wt.ROLES["zero-shot"].marker
    assert {text.get_text() for text in ax.texts} >= set(CORNERS)


def test_a_triangle_joins_the_corners_and_not_the_marks() -> None:
    ax = panel(wt.plot_plane(surface(), CORNERS, marks={"centre": (5 / 3, 1.0)}))
    outline = ax.lines[0].get_xydata()
    assert outline.tolist() == [list(place) for place in (*CORNERS.values(), (0.0, 0.0))]
    assert "centre" in {text.get_text() for text in ax.texts}


def test_distances_look_as_they_are() -> None:
    assert panel(wt.plot_plane(surface(), CORNERS)).get_aspect() == 1


def test_the_order_of_the_rows_means_nothing() -> None:
    shuffled = surface().sample(frac=1, random_state=0)
    a, b = (panel(wt.plot_plane(frame, CORNERS)) for frame in (surface(), shuffled))
    for one, other in zip(a.collections, b.collections, strict=True):
        np.testing.assert_array_equal(one.get_array(), other.get_array())


def test_height_lines_carry_percentages() -> None:
    texts = {text.get_text() for text in panel(wt.plot_plane(surface(), CORNERS)).texts}
    assert {"70%", "80%"} <= texts


def test_each_frame_has_its_panel() -> None:
    figure = wt.plot_plane({"reference": surface(), "shifts": surface(4)}, CORNERS)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["reference", "shifts"]


def test_a_flat_surface_and_a_small_one_are_drawn() -> None:
    wt.plot_plane(surface().assign(accuracy=0.5), CORNERS)
    wt.plot_plane(surface(2), CORNERS)


def test_what_is_not_a_grid_is_refused() -> None:
    with pytest.raises(wt.DataError, match="do not fill a grid"):
        wt.plot_plane(surface().iloc[1:], CORNERS)
    with pytest.raises(wt.DataError, match="several values"):
        wt.plot_plane(pd.concat([surface(), surface()]), CORNERS)
    with pytest.raises(wt.DataError, match="lacks the columns y"):
        wt.plot_plane(surface().drop(columns="y"), CORNERS)

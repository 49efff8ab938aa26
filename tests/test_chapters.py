"""Every chapter runs in the fast tier, and every finding that it asserts holds there too.

The solutions of its exercises run with it.
"""

from __future__ import annotations

import nbformat
import pytest

import build
from conftest import NUMBERED, ROOT, RUNS

BOOK = build.Book(ROOT, "fast")


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, wanted: list[str]) -> dict[str, build.Run]:
    """All the chapters that were asked for, side by side where there are cores for it."""
    runs = build.execute(BOOK, wanted, force=True)
    request.config.stash[RUNS] = runs
    return {run.chapter: run for run in runs}


@pytest.mark.parametrize("chapter", BOOK.chapters)
def test_chapter_runs(chapter: str, runs: dict[str, build.Run]) -> None:
    if runs[chapter].error:
        pytest.fail(runs[chapter].error, pytrace=False)


@pytest.mark.parametrize("chapter", NUMBERED)
def test_each_chapter_has_solutions_in_code(chapter: str) -> None:
    notebook = nbformat.read(ROOT / "book" / f"{chapter}.ipynb", as_version=4)
    found = build.solutions(notebook)
    exercises = sum(cell.source.count(":class: exercise") for cell in notebook.cells)
    assert len(found) == exercises >= 3
    assert sum(bool(code) for code in found) >= 3

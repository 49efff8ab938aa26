"""Every chapter runs in the fast tier, and every finding that it asserts holds there too."""

from __future__ import annotations

import pytest

import build
from conftest import ROOT, RUNS

BOOK = build.Book(ROOT, "fast")


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest) -> dict[str, build.Run]:
    """All the chapters that were asked for, side by side where there are cores for it."""
    calls = [getattr(item, "callspec", None) for item in request.session.items]
    chosen = {call.params.get("chapter") for call in calls if call}
    wanted = [chapter for chapter in BOOK.chapters if chapter in chosen]
    runs = build.execute(BOOK, wanted, force=True)
    request.config.stash[RUNS] = runs
    return {run.chapter: run for run in runs}


@pytest.mark.parametrize("chapter", BOOK.chapters)
def test_chapter_runs(chapter: str, runs: dict[str, build.Run]) -> None:
    if runs[chapter].error:
        pytest.fail(runs[chapter].error, pytrace=False)

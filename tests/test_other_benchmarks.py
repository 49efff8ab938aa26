"""Every chapter runs on another benchmark too, when its parameter cell names one.

The stand-in has fewer classes, other names and fewer shifts than Pocket, as a real benchmark may,
and needs no download.
"""

from __future__ import annotations

import pytest
import variation
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

import build
from conftest import ROOT

CHAPTERS = build.Book(ROOT).chapters
STAND_IN = """
from dataclasses import replace

import wiseft_tutorial as wt
from wiseft_tutorial.benchmarks import register_benchmark

KEPT = 16  # classes
NAMES = {"Pocket": "Photos", "Pocket-Sketch": "Ink", "Pocket-R": "Prints", "Pocket-V2": "Again"}


def other(split):
    return replace(split.subset(split.labels < KEPT), name=NAMES[split.name])


def stand_in(*, test_images=2000, seed=0):
    images = test_images * 40 // KEPT  # so that as many are kept as were asked for
    bench = wt.load_benchmark("pocket", test_images=images, train_per_class=40, seed=50 + seed)
    return replace(
        bench,
        name="stand-in",
        classnames=bench.classnames[:KEPT],
        train=other(bench.train),
        val=other(bench.val),
        test=other(bench.test),
        shifts={NAMES[n]: other(bench.shifts[n]) for n in list(NAMES)[1:]},
    )


register_benchmark("stand-in", stand_in)
"""


@pytest.fixture(scope="module")
def runs(wanted: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, build.Run]:
    """The chapters on the stand-in."""

    def change(notebook: NotebookNode) -> None:
        # Some exercises ask about one of Pocket's own distributions.
        notebook.cells = [cell for cell in notebook.cells if ":class: exercise" not in cell.source]
        notebook.cells.insert(0, new_code_cell(STAND_IN))
        notebook.metadata["wiseft"]["fast"] |= {"BENCHMARK": "stand-in"}

    return variation.execute(tmp_path_factory.mktemp("stand-in"), wanted, change)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_chapter_runs_on_another_benchmark(chapter: str, runs: dict[str, build.Run]) -> None:
    if runs[chapter].error:
        pytest.fail(runs[chapter].error, pytrace=False)

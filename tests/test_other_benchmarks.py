"""Every chapter runs on another benchmark too, when its parameter cell names one.

The stand-in has fewer classes, other names and fewer shifts than Pocket, as a real benchmark may,
and needs no download. It is so small that no finding can be expected of it: what a chapter asserts
is left out, and only asked of Pocket, in test_chapters.py.
"""

from __future__ import annotations

import ast
import re

import pytest
import variation
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

import build
from conftest import ROOT

CHAPTERS = build.Book(ROOT).chapters
ALWAYS = 5  # chapters; the others use the same calls, and take as long again as all other tests
STAND_IN = """
import torch

import wiseft_tutorial as wt
from wiseft_tutorial.benchmarks import benchmark_names, register_benchmark
from wiseft_tutorial.pocket.captions import TEMPLATES
from wiseft_tutorial.pocket.drawing import draw
from wiseft_tutorial.pocket.objects import CLASSNAMES, POCKET_CLASSES
from wiseft_tutorial.pocket.styles import STYLES

KEPT = torch.tensor(POCKET_CLASSES[:16])
NAMES = {"Pocket": "Photos", "Pocket-Sketch": "Ink", "Pocket-R": "Prints", "Pocket-V2": "Again"}


def drawn(distribution, per_class, seed):
    labels = torch.arange(len(KEPT)).repeat(per_class)
    generator = torch.Generator().manual_seed(seed)
    images = draw(KEPT[labels], STYLES[distribution], generator).images
    return wt.Split(NAMES[distribution], images, labels)


def stand_in(*, test_images):
    tests = [drawn(name, test_images // len(KEPT), seed) for seed, name in enumerate(NAMES)]
    return wt.Benchmark(
        name="stand-in",
        classnames=tuple(CLASSNAMES[k] for k in KEPT),
        templates=TEMPLATES,
        train=drawn("Pocket", 20, seed=10),
        val=drawn("Pocket", 25, seed=11),
        test=tests[0],
        shifts={split.name: split for split in tests[1:]},
    )


if "stand-in" not in benchmark_names():
    register_benchmark("stand-in", stand_in)
"""


class _WithoutAssertions(ast.NodeTransformer):
    def visit_Assert(self, node: ast.Assert) -> ast.Pass:
        return ast.Pass()


def without_assertions(code: str) -> str:
    """The same code, less its assertions; a cell with a line for IPython stays as it is."""
    try:
        return ast.unparse(_WithoutAssertions().visit(ast.parse(code)))
    except SyntaxError:
        return code


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, wanted: list[str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, build.Run]:
    """The chapters on the stand-in."""
    if not request.config.getoption("--thorough"):
        wanted = [chapter for chapter in wanted if chapter in CHAPTERS[:ALWAYS]]

    def change(notebook: NotebookNode) -> None:
        # Some exercises ask about one of Pocket's own distributions.
        notebook.cells = [cell for cell in notebook.cells if ":class: exercise" not in cell.source]
        for cell in notebook.cells:
            if cell.cell_type == "code" and "parameters" not in cell.metadata.get("tags", ()):
                cell.source = without_assertions(cell.source)
        notebook.cells.insert(0, new_code_cell(STAND_IN))
        changed = {"BENCHMARK": "stand-in", "TEST_IMAGES": 160}
        if any(re.search(r"^SHOTS = \d", cell.source, re.MULTILINE) for cell in notebook.cells):
            changed["SHOTS"] = 16  # of the 20 images of each class that there are
        notebook.metadata["wiseft"]["fast"] |= changed

    return variation.execute(tmp_path_factory.mktemp("stand-in"), wanted, change)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_chapter_runs_on_another_benchmark(
    chapter: str, request: pytest.FixtureRequest
) -> None:
    if chapter not in CHAPTERS[:ALWAYS] and not request.config.getoption("--thorough"):
        pytest.skip("it takes minutes: make test ARGS=--thorough")
    runs: dict[str, build.Run] = request.getfixturevalue("runs")
    if runs[chapter].error:
        pytest.fail(runs[chapter].error, pytrace=False)


def test_only_assertions_are_left_out() -> None:
    code = "for x in range(3):\n    assert x > 5, 'small'\nprint(x)"
    assert without_assertions(code) == "for x in range(3):\n    pass\nprint(x)"
    assert without_assertions("%pip list") == "%pip list"

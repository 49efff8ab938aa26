"""The code in the exercises' solutions runs, right after the chapter that they belong to."""

from __future__ import annotations

import re

import nbformat
import pytest
import variation
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

import build
from conftest import ROOT

CHAPTERS = build.Book(ROOT).chapters
SOLUTION = re.compile(r"^```\{dropdown\} Solution$(.*?)^```$", re.MULTILINE | re.DOTALL)


def solutions(notebook: NotebookNode) -> list[str]:
    """The indented lines of each solution."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return [
        "\n".join(line[4:] for line in solution.splitlines() if line[:4].isspace() or not line)
        for solution in SOLUTION.findall(text)
    ]


@pytest.fixture(scope="module")
def runs(wanted: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, build.Run]:
    """The chapters, with the solutions as cells at their ends."""

    def change(notebook: NotebookNode) -> None:
        notebook.cells += [new_code_cell(code) for code in solutions(notebook) if code.strip()]

    return variation.execute(tmp_path_factory.mktemp("solutions"), wanted, change)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_solutions_run(chapter: str, runs: dict[str, build.Run]) -> None:
    if runs[chapter].error:
        pytest.fail(runs[chapter].error, pytrace=False)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_each_chapter_has_solutions_in_code(chapter: str) -> None:
    notebook = nbformat.read(ROOT / "book" / f"{chapter}.ipynb", as_version=4)
    found = solutions(notebook)
    exercises = sum(cell.source.count(":class: exercise") for cell in notebook.cells)
    assert len(found) == exercises >= 3
    assert sum(bool(code.strip()) for code in found) >= 3

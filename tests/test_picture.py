"""The README's picture is what the executed chapter drew."""

from __future__ import annotations

import base64
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

import picture

PNG = b"\x89PNG\r\n\x1a\n"


def executed(*pictures: bytes) -> nbformat.NotebookNode:
    outputs = [
        new_output("display_data", {"image/png": base64.b64encode(data).decode()})
        for data in pictures
    ]
    text = new_output("stream", name="stdout", text="drawn")
    return new_notebook(cells=[new_code_cell("draw()", id="drawing", outputs=[text, *outputs])])


def test_it_is_found_by_the_id_of_its_cell() -> None:
    assert picture.picture_of(executed(PNG), "drawing") == PNG


@pytest.mark.parametrize(("cell", "pictures"), [("other", [PNG]), ("drawing", [])])
def test_a_chapter_that_did_not_draw_is_refused(cell: str, pictures: list[bytes]) -> None:
    with pytest.raises(SystemExit, match="make book"):
        picture.picture_of(executed(*pictures), cell)


def test_the_chapter_has_the_cell(root: Path) -> None:
    chapter = nbformat.read(root / "book" / f"{picture.CHAPTER}.ipynb", as_version=4)
    assert [cell.id for cell in chapter.cells].count(picture.CELL) == 1


def test_the_readme_shows_it(root: Path) -> None:
    assert (
        f"]({picture.PICTURE.relative_to(picture.ROOT).as_posix()})"
        in (root / "README.md").read_text()
    )
    assert picture.PICTURE.read_bytes().startswith(PNG)

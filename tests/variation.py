"""Executes changed copies of the chapters, in the fast tier and with the same cache of models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

import build
from conftest import ROOT

SHARED = ("wiseft_tutorial", "requirements-book.lock", "_config.yml", "_toc.yml", "build/cache")


def execute(
    folder: Path, chapters: Sequence[str], change: Callable[[NotebookNode], None]
) -> dict[str, build.Run]:
    """Change a copy of each chapter, and execute the copies side by side.

    Args:
        folder: An empty one, for a book of the copies.
        chapters: Their names.
        change: Changes a notebook in place.
    """
    (folder / "book").mkdir()
    (ROOT / "build" / "cache").mkdir(parents=True, exist_ok=True)
    for name in SHARED:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).symlink_to(ROOT / name)
    for chapter in chapters:
        notebook = nbformat.read(ROOT / "book" / f"{chapter}.ipynb", as_version=4)
        change(notebook)
        nbformat.write(notebook, folder / "book" / f"{chapter}.ipynb")
    runs = build.execute(build.Book(folder, "fast"), chapters, force=True)
    return {run.chapter: run for run in runs}

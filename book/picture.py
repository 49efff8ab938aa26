"""Take the README's picture from the executed chapter that draws it.

`make picture` calls this after `make book`: what the README shows is what the page shows.
"""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).resolve().parent.parent
CHAPTER, CELL = "04_averaging", "alpha-sweep"
PICTURE = ROOT / "book" / "_static" / "alpha-sweep.png"


def picture_of(notebook: Any, cell: str) -> bytes:
    """The PNG that a cell of an executed notebook drew; the cell is named by its id."""
    found = [
        output["data"]["image/png"]
        for candidate in notebook.cells
        if candidate.id == cell
        for output in candidate.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    if len(found) != 1:
        raise SystemExit(f"cell {cell!r} drew {len(found)} pictures; run `make book` first")
    return base64.b64decode(found[0])


def main() -> None:
    """Write the picture, whole or not at all; an argument names another executed notebook."""
    usual = ROOT / "build" / "book" / f"{CHAPTER}.ipynb"
    executed = Path(sys.argv[1]) if sys.argv[1:] else usual
    if not executed.exists():
        raise SystemExit(f"{executed} is not there; run `make book` first")
    partial = PICTURE.with_suffix(".partial")
    partial.write_bytes(picture_of(nbformat.read(executed, as_version=4), CELL))
    os.replace(partial, PICTURE)


if __name__ == "__main__":
    main()

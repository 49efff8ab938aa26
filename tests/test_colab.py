"""Every notebook starts where only Colab's own packages are, and changes none of them.

The environment is new. Into it come links to torch, numpy, matplotlib, pandas and seaborn, with
whatever these need, as Colab has them; all else is installed by the notebooks' first cell, from
this folder instead of from the repository's address.
"""

from __future__ import annotations

import json
import re
import subprocess
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement

import build
from conftest import ROOT

# What Colab has and the install cell counts on; a notebook needs a kernel to run in at all.
COLAB = ("torch", "torchvision", "numpy", "matplotlib", "pandas", "seaborn", "ipykernel")
KEPT = ("torch", "torchvision", "numpy", "matplotlib", "pandas", "seaborn", "pillow")
BOOK = build.Book(ROOT)

# Runs the cells of a file in an IPython that takes itself for Colab's.
DRIVER = """
import json, sys, types
from pathlib import Path

import matplotlib
from IPython.core.interactiveshell import InteractiveShell

matplotlib.use("Agg")
sys.modules["google.colab"] = types.ModuleType("google.colab")
shell = InteractiveShell.instance()
for source in json.loads(Path(sys.argv[1]).read_text()):
    shell.run_cell(source, store_history=False).raise_error()
"""


def needed(names: tuple[str, ...]) -> Iterator[Distribution]:
    """Installed packages and whatever they require, in this environment."""
    waiting, seen = list(names), set()
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform
        yield found
        wanted = map(Requirement, found.requires or [])
        waiting += [r.name for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment like Colab's."""
    folder = tmp_path_factory.mktemp("colab")
    venv.create(folder, with_pip=True, symlinks=True)
    (site,) = (folder / "lib").glob("python*/site-packages")
    for package in needed(COLAB):
        for top in {file.parts[0] for file in package.files or [] if file.parts[0] != ".."}:
            origin, link = Path(str(package.locate_file(top))), site / top
            if origin.exists() and not link.exists() and top != "__pycache__":
                link.symlink_to(origin)
    return folder / "bin" / "python"


def versions(python: Path) -> dict[str, str]:
    """What is installed there."""
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format", "json"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {p["name"].lower(): p["version"] for p in json.loads(listed.stdout)}


def run(python: Path, cells: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run cells one after another, as a notebook does."""
    script, sources = folder / "driver.py", folder / "cells.json"
    script.write_text(DRIVER)
    sources.write_text(json.dumps(cells))
    environment = {"PATH": f"{python.parent}:/usr/bin:/bin", "HOME": str(Path.home())}
    return subprocess.run(
        [python, script, sources],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


def first_cells(chapter: str) -> list[str]:
    """The install cell, the parameters, and what follows up to the first imports of the package."""
    notebook = nbformat.read(BOOK.source / f"{chapter}.ipynb", as_version=4)
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    last = next(i for i, source in enumerate(sources) if "import wiseft_tutorial" in source)
    return sources[: last + 1]


@pytest.fixture(scope="module")
def installed(
    python: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, str], dict[str, str]]:
    """Versions before and after the first cell of a chapter has run."""
    before = versions(python)
    assert "open-clip-torch" not in before
    (cell,) = first_cells(BOOK.chapters[0])[:1]
    local = re.sub(r"git\+https://\S+", str(ROOT), cell)
    assert local != cell
    done = run(python, [local], tmp_path_factory.mktemp("install"))
    if "No matching distribution" in done.stdout + done.stderr:
        pytest.skip("the packages that Colab lacks cannot be reached")
    assert done.returncode == 0, done.stdout + done.stderr
    return before, versions(python)


def test_the_first_cell_installs_only_what_is_missing(
    installed: tuple[dict[str, str], dict[str, str]],
) -> None:
    before, after = installed
    assert {"wiseft-tutorial", "open-clip-torch"} <= set(after) - set(before)
    assert {name: after[name] for name in before} == before
    assert set(KEPT) <= set(before)


def test_what_was_installed_has_its_models_and_its_data(
    python: Path, installed: tuple[dict[str, str], dict[str, str]], tmp_path: Path
) -> None:
    cells = [
        "import wiseft_tutorial as wt",
        "bench = wt.load_benchmark('pocket', test_images=40, train_per_class=1, val_per_class=1)",
        "zeroshot = wt.zeroshot_classifier(wt.load_clip(), bench)",
        "assert wt.accuracy(wt.predict(zeroshot, bench.test), bench.test.labels).value > 0.3",
        "assert len(wt.paper.alpha_sweeps('CLIP ViT-B/16')) > 0",
    ]
    done = run(python, cells, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("chapter", build.notebooks_of(BOOK))
def test_a_notebook_starts(
    chapter: str,
    python: Path,
    installed: tuple[dict[str, str], dict[str, str]],
    tmp_path: Path,
) -> None:
    install, *others = first_cells(chapter)
    cells = [install.replace("%pip", "# %pip"), *others]  # it has been run, and is the same in all
    cells[0] = cells[0].rstrip() + "\n    pass"
    done = run(python, cells, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr

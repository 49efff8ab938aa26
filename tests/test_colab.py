"""Every notebook starts where only Colab's own packages are, and changes none of them.

The environment is new. Into it come links to torch, numpy, matplotlib, pandas and seaborn, with
whatever these need, as Colab has them; all else is installed by the notebooks' first cell, from
this folder instead of from the repository's address.
"""

from __future__ import annotations

import ast
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
from packaging.utils import canonicalize_name

import build
from conftest import ROOT

# What Colab has and the install cell counts on; a notebook needs a kernel to run in at all.
COLAB = ("torch", "torchvision", "numpy", "matplotlib", "pandas", "seaborn", "ipykernel")
KEPT = ("torch", "torchvision", "numpy", "matplotlib", "pandas", "seaborn", "pillow")
BOOK = build.Book(ROOT)
# A notebook loads a model before it imports open_clip itself; by then this has been called.
LOADED = """
from wiseft_tutorial._torchvision import ensure_torchvision

ensure_torchvision()
"""

# Runs the cells of each notebook in an IPython that takes itself for Colab's, and says what failed.
DRIVER = """
import json, sys, types
from pathlib import Path

import matplotlib
from IPython.core.interactiveshell import InteractiveShell

matplotlib.use("Agg")
sys.modules["google.colab"] = types.ModuleType("google.colab")
shell = InteractiveShell.instance()
failures = {}
for name, cells in json.loads(Path(sys.argv[1]).read_text()).items():
    shell.reset()
    for source in cells:
        result = shell.run_cell(source, store_history=False)
        if not result.success:
            failures[name] = repr(result.error_before_exec or result.error_in_exec)
            break
Path(sys.argv[2]).write_text(json.dumps(failures))
"""


def needed(names: tuple[str, ...]) -> Iterator[Distribution]:
    """Installed packages and whatever they require, in this environment."""
    waiting, seen = list(names), set[str]()
    while waiting:
        name = canonicalize_name(waiting.pop())
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
    return {canonicalize_name(p["name"]): p["version"] for p in json.loads(listed.stdout)}


def run(python: Path, notebooks: dict[str, list[str]], folder: Path) -> dict[str, str]:
    """Run cells one after another, as notebooks do; which notebook failed, and how."""
    script, sources, failures = (folder / name for name in ("driver.py", "cells.json", "failures"))
    script.write_text(DRIVER)
    sources.write_text(json.dumps(notebooks))
    done = subprocess.run(
        [python, script, sources, failures],
        cwd=folder,
        env={"PATH": f"{python.parent}:/usr/bin:/bin", "HOME": str(Path.home())},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, str] = json.loads(failures.read_text())
    return {name: f"{error}\n{done.stdout}{done.stderr}" for name, error in found.items()}


def code_of(chapter: str) -> list[str]:
    """The code cells of a notebook."""
    notebook = nbformat.read(BOOK.source / f"{chapter}.ipynb", as_version=4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def imports_of(sources: list[str]) -> str:
    """Every import of some cells, and no other line."""
    trees = (ast.parse(re.sub(r"^(\s*)%.*$", r"\1pass", source, flags=re.M)) for source in sources)
    nodes = (node for tree in trees for node in ast.walk(tree))
    found = [ast.unparse(node) for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(["from __future__ import annotations", *found])


@pytest.fixture(scope="module")
def installed(
    python: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, str], dict[str, str]]:
    """Versions before and after a notebook's first cell has run."""
    before = versions(python)
    assert "open-clip-torch" not in before
    cell = code_of(BOOK.chapters[0])[0]
    local = re.sub(r"git\+https://\S+", str(ROOT), cell)
    assert local != cell
    failures = run(python, {"install": [local]}, tmp_path_factory.mktemp("install"))
    after = versions(python)
    if "open-clip-torch" not in after and not failures:
        pytest.skip("what Colab lacks cannot be installed here: there is no network")
    assert not failures, failures["install"]
    return before, after


def test_the_first_cell_installs_only_what_is_missing(
    installed: tuple[dict[str, str], dict[str, str]],
) -> None:
    before, after = installed
    assert {"wiseft-tutorial", "open-clip-torch"} <= set(after) - set(before)
    assert {name: after[name] for name in before} == before
    assert set(KEPT) <= set(before)


@pytest.mark.usefixtures("installed")
def test_what_was_installed_has_its_models_and_its_data(python: Path, tmp_path: Path) -> None:
    cells = [
        "import wiseft_tutorial as wt",
        "bench = wt.load_benchmark('pocket', test_images=40, train_per_class=1, val_per_class=1)",
        "zeroshot = wt.zeroshot_classifier(wt.load_clip(), bench)",
        "assert wt.accuracy(wt.predict(zeroshot, bench.test), bench.test.labels).value > 0.3",
        "assert len(wt.paper.alpha_sweeps('CLIP ViT-B/16')) > 0",
    ]
    failures = run(python, {"model": cells}, tmp_path)
    assert not failures, failures["model"]


@pytest.fixture(scope="module")
def starts(
    python: Path, installed: object, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Which notebooks cannot start, and why: parameters, then all that the cells ever import."""
    notebooks = {name: code_of(name) for name in build.notebooks_of(BOOK)}
    cells = {name: [code[1], LOADED, imports_of(code)] for name, code in notebooks.items()}
    return run(python, cells, tmp_path_factory.mktemp("starts"))


@pytest.mark.parametrize("chapter", build.notebooks_of(BOOK))
def test_a_notebook_starts(chapter: str, starts: dict[str, str]) -> None:
    assert chapter not in starts, starts[chapter]

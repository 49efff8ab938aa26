"""The package as a whole: what is public, how it is stacked, and what importing it brings along."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import wiseft_tutorial as wt

PACKAGE = Path(wt.__file__).parent
# Ground first: a module imports from lower floors, or from neighbours that are named before it.
FLOORS = (
    ("errors", "places", "device", "processes", "attention", "contrastive", "prose"),
    (
        "weights",
        "outputs",
        "robustness",
        "comparison",
        "diversity",
        "landscape",
        "paper",
        "reproduction",
    ),
    (
        "models",
        "inference",
        "augment",
        "recipe",
        "pocket",
        "datafiles",
        "imagenet_words",
        "benchmarks",
        "pocket.replay",
        "caching",
        "metrics",
        "zeroshot",
        "supervised",
        "export",
        "records",
    ),
    (
        "linearize",
        "fisher",
        "trajectory",
        "descent",
        "flyp",
        "subspace",
        "prompts",
        "training",
        "finetune",
        "evaluate",
        "pocket.pretrain",
        "pocket.trials",
        "pocket.report",
        "results",
    ),
    ("plots", "explorer", "cli"),
)
INNER = (
    "attention",
    "processes",
    "cli",
    "datafiles",
    "paper",
    "results",
    "training",
)  # used by their own names, or by other modules only
HELPERS = {  # of other modules, public to them alone
    "alone",
    "descend",
    "fingerprint",
    "images_at_once",
    "origin",
    "resolve_dtype",
    "training_kernels",
}
STACK = [name for floor in FLOORS for name in floor]


def module_of(dotted: str) -> str | None:
    """The entry of the stack that a module belongs to; private modules belong to none."""
    candidates = [name for name in STACK if f"{dotted}.".startswith(f"{name}.")]
    return max(candidates, key=len, default=None)


def imports() -> dict[str, set[str]]:
    """Which entries of the stack each entry imports, at whatever level of its code."""
    graph: dict[str, set[str]] = {name: set() for name in STACK}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        importer = module_of(".".join(part for part in parts if part != "__init__"))
        for node in ast.walk(ast.parse(path.read_text())) if importer else ():
            if isinstance(node, ast.ImportFrom) and node.module:
                dotted = [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
                for name in dotted:
                    graph[importer].add(module_of(name.removeprefix("wiseft_tutorial.")))
    return {name: found - {name, None} for name, found in graph.items()}


def test_every_module_has_its_floor() -> None:
    files = [path.stem for path in PACKAGE.glob("*.py")]
    folders = [path.parent.name for path in PACKAGE.glob("*/__init__.py")]
    public = {name for name in files + folders if not name.startswith("_")}
    assert public == {name for name in STACK if "." not in name}


@pytest.mark.parametrize(("name", "needed"), imports().items())
def test_a_module_imports_only_from_below(name: str, needed: set[str]) -> None:
    assert needed <= set(STACK[: STACK.index(name)])


@pytest.mark.parametrize("name", sorted(wt.__all__))
def test_every_public_name_is_there_and_documented(name: str) -> None:
    thing = getattr(wt, name)
    if inspect.isclass(thing) or inspect.isfunction(thing):
        assert inspect.getdoc(thing), name


@pytest.mark.parametrize(
    "name", [name for name in STACK if "pocket" not in name and name not in INNER]
)
def test_what_a_module_makes_public_is_public(name: str) -> None:
    module = importlib.import_module(f"wiseft_tutorial.{name}")
    assert set(module.__all__) <= set(wt.__all__) | HELPERS


def test_importing_the_package_leaves_slow_libraries_for_later() -> None:
    code = "import sys, wiseft_tutorial; print({'open_clip', 'torchvision'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_types_are_part_of_the_package() -> None:
    assert (PACKAGE / "py.typed").is_file()

"""The example in the README runs as it is printed, and what it points at is there."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest
from matplotlib.figure import Figure

import wiseft_tutorial as wt


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text()


def test_the_example_runs(readme: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its lines are not changed; the benchmark and the recipe that they get are small ones."""
    (example,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    small = functools.partial(wt.load_benchmark, train_per_class=2, val_per_class=1, test_images=80)
    monkeypatch.setattr(wt, "load_benchmark", small)
    monkeypatch.setattr(wt, "default_recipe", functools.partial(wt.default_recipe, epochs=1))
    monkeypatch.setenv("WISEFT_CACHE", str(tmp_path))
    *lines, last = example.strip().splitlines()
    names: dict[str, object] = {}
    exec(compile("\n".join(lines), "README.md", "exec"), names)
    assert isinstance(names["finetuned"], wt.ImageClassifier)
    assert isinstance(eval(last, names), Figure)


def test_the_example_has_five_lines(readme: str) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    assert len([line for line in example.splitlines() if line.strip()]) == 5


def test_the_files_that_it_names_are_there(root: Path, readme: str) -> None:
    links = re.findall(r"\]\((?!http)([^)]+)\)", readme)
    folders = re.findall(r"^\| `([^`]+)/`", readme, re.MULTILINE)
    for name in [*links, *(folder for folder in folders if not folder.startswith("build"))]:
        assert (root / name).exists(), name


def test_it_is_no_longer_than_a_screen_and_a_half(readme: str) -> None:
    assert len(readme.splitlines()) <= 75

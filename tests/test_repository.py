"""What the repository promises about itself: one address, one version, chapters fit to be read."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

import build
from conftest import ROOT

if sys.version_info < (3, 11):
    pytest.skip("reading pyproject.toml takes Python 3.11", allow_module_level=True)
import tomllib

BOOK = build.Book(ROOT)
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ADDRESS: str = PROJECT["urls"]["Repository"]
OWNER, NAME = ADDRESS.split("/")[-2:]

INSTALL_CELL = f"""\
# Colab lacks only this package; naming its own numpy and torch keeps pip from replacing them.
import sys
from importlib.metadata import version

if "google.colab" in sys.modules:
    KEPT = " ".join(f"{{name}}=={{version(name)}}" for name in ("numpy", "torch", "torchvision"))
    %pip install -q {{KEPT}} git+{ADDRESS}"""

LONGEST_CELL = 25
DRAWS = re.compile(r"\bplot_\w+\(|\bplt\.\w+\(|\.imshow\(|\.plot\(")


def read(chapter: str) -> Any:
    return nbformat.read(BOOK.source / f"{chapter}.ipynb", as_version=4)


def code_cells(chapter: str) -> list[Any]:
    return [cell for cell in read(chapter).cells if cell.cell_type == "code"]


def tagged(cells: list[Any], tag: str) -> list[Any]:
    return [cell for cell in cells if tag in cell.metadata.get("tags", [])]


def tracked_texts() -> Iterator[tuple[Path, str]]:
    """Every text file of the repository but this one, which names what it forbids."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is not a git checkout")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_file() and path != Path(__file__):
            content = path.read_bytes()
            if b"\0" not in content:
                yield path.relative_to(ROOT), content.decode()


chapters = pytest.mark.parametrize("chapter", build.notebooks_of(BOOK))


# The chapters ------------------------------------------------------------------------------------


def test_the_table_of_contents_and_the_files_agree() -> None:
    listed, notebooks = set(build.files_of(BOOK.toc)), set(build.notebooks_of(BOOK))
    texts = {path.relative_to(BOOK.source).with_suffix("").as_posix() for path in BOOK.texts}
    assert listed - texts - notebooks == set(), "listed in _toc.yml, but not in book/"
    assert notebooks - listed == set(), "in book/, but not listed in _toc.yml"


@chapters
def test_a_chapter_is_stored_without_what_it_gave(chapter: str) -> None:
    for cell in code_cells(chapter):
        assert not cell.outputs, cell.source
        assert cell.execution_count is None, cell.source
    assert set(read(chapter).metadata) <= {"kernelspec", "language_info", "wiseft"}


@chapters
def test_a_chapter_runs_in_any_python(chapter: str) -> None:
    notebook = read(chapter)
    assert notebook.metadata.kernelspec.name == "python3"
    assert (notebook.nbformat, notebook.nbformat_minor >= 5) == (4, True)
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids))


@chapters
def test_a_chapter_begins_with_its_title_and_its_install_cell(chapter: str) -> None:
    notebook = read(chapter)
    assert re.match(r"# \S", notebook.cells[0].source)
    assert notebook.cells[1].source == INSTALL_CELL
    assert "remove-cell" in notebook.cells[1].metadata.get("tags", [])


@chapters
def test_cells_are_short(chapter: str) -> None:
    long = [c.source for c in code_cells(chapter) if len(c.source.splitlines()) > LONGEST_CELL]
    assert not long, "longer code belongs in the package"


@chapters
def test_magic_numbers_stand_in_one_cell(chapter: str) -> None:
    """And the fast tier overrides only what stands there: papermill would not mind a slip."""
    (parameters,) = tagged(code_cells(chapter), "parameters")
    statements = ast.parse(parameters.source).body
    assert all(isinstance(s, ast.Assign | ast.AnnAssign) for s in statements), parameters.source
    names = {node.id for node in ast.walk(ast.parse(parameters.source)) if _is_assigned(node)}
    assert all(name.isupper() for name in names)
    assert set(read(chapter).metadata.get("wiseft", {}).get("fast", {})) <= names


def _is_assigned(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


@chapters
def test_a_cell_that_draws_says_what_is_seen(chapter: str) -> None:
    """Others cannot be told from here; the page tests look at the images themselves."""
    for cell in code_cells(chapter):
        if DRAWS.search(cell.source):
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            assert len(alt) > 20, f"no alternative text in the metadata of\n{cell.source}"


@chapters
def test_a_chapter_uses_only_what_is_public(chapter: str) -> None:
    for cell in code_cells(chapter):
        assert not re.search(r"wiseft_tutorial\._|\bwt\._[a-z]", cell.source), cell.source


def test_every_work_in_the_bibliography_is_cited() -> None:
    """And what is cited is there; for that, the build would stop as well."""
    listed = re.findall(
        r"^@\w+\{([^,]+),", (BOOK.source / "references.bib").read_text(), re.MULTILINE
    )
    texts = [p.read_text() for p in BOOK.texts if p.suffix in {".md", ".yml"}]
    texts += [cell.source for name in build.notebooks_of(BOOK) for cell in read(name).cells]
    found = [keys for text in texts for keys in re.findall(r"\{cite:\w+\}`([^`]+)`", text)]
    assert sorted(listed) == sorted({key for keys in found for key in keys.split(",")})


# One address, one version ------------------------------------------------------------------------


def test_every_mention_of_the_repository_is_its_address() -> None:
    """After pyproject.toml was changed, this lists what else to change."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]
    assert config["url"] == ADDRESS
    assert config["path_to_book"] == BOOK.source.name
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["repository-code"] == ADDRESS

    here = f"{OWNER}/{NAME}"
    forms = (
        r"colab\.research\.google\.com/github/([\w.-]+/[\w.-]+)",
        r"mybinder\.org/v2/gh/([\w.-]+/[\w.-]+)",
        r"github\.com/([\w.-]+/[\w.-]+)/(?:actions|issues|blob|tree)",
        r"git\+https://[\w.]+/([\w.-]+/[\w.-]+)",
        r"git clone https://[\w.]+/([\w.-]+/[\w.-]+)",
    )
    wrong = [
        f"{path}: {match[0]}"
        for path, text in tracked_texts()
        for form in forms
        for match in re.finditer(form, text)
        if match[1].removesuffix(".git") != here
    ]
    assert not wrong, f"{wrong} should name {here}, as pyproject.toml does"


def test_the_pages_are_looked_for_where_they_are_published() -> None:
    pages = f"https://{OWNER}.github.io/{NAME}"
    for path, text in tracked_texts():
        for found in re.findall(r"https://[\w-]+\.github\.io/[\w.-]+", text):
            assert found == pages, f"{path} names {found}"


def test_the_launch_buttons_lead_to_the_branch_that_is_published() -> None:
    branch = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["branch"]
    workflow = (ROOT / ".github" / "workflows" / "book.yml").read_text()
    assert f"branches: [{branch}]" in workflow
    for found in re.findall(rf"{OWNER}/{NAME}/blob/([\w.-]+)/", (ROOT / "README.md").read_text()):
        assert found == branch


def test_there_is_one_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]


# Nothing of the machine it was written on --------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a folder of one machine", r"(?<![\w.~$}])/(?:work|home|root|tmp|Users|mnt)/"),
        ("a place to fetch packages from", r"index-url|index_url|find-links|trusted-host"),
        ("something left to do", r"\b(?:TODO|FIXME|XXX)\b"),
    ],
)
def test_nothing_is_left_behind(what: str, pattern: str) -> None:
    found = [
        f"{path}:{number}: {line.strip()}"
        for path, text in tracked_texts()
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert not found, what


def test_make_help_lists_every_command() -> None:
    rules = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", rules, re.MULTILINE)
    assert phony is not None
    # Below another make, this one would say which folder it enters.
    command = ["make", "--no-print-directory", "help"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert {line.split()[1] for line in told.stdout.splitlines()} == set(phony[1].split())

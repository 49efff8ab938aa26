"""The book is made anew when, and only when, something that it depends on has changed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

import build
from conftest import ROOT

FIRST = """
import numpy as np
from IPython.display import Markdown
from ipywidgets import IntSlider
from wiseft_tutorial import VALUE
---parameters
STEPS = 3
---
print("value", VALUE, "steps", STEPS)
---
IntSlider()
---
ballast = np.ones(3 * 10**7)
"""
SECOND = 'print("second")\n---\nimport os\n---\nassert 1 + 1 == 2'
TOC = (
    "format: jb-book\nroot: intro\nchapters:\n- file: first\n- file: second\n- file: bibliography\n"
)


def write_chapter(path: Path, code: str) -> None:
    """Write a notebook; ``---`` separates its cells and may carry a tag."""
    cells = [nbformat.v4.new_markdown_cell(f"# The {path.stem} chapter")]
    for block in f"\n{code.strip()}".split("\n---"):
        tag, _, source = block.partition("\n")
        cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": [tag]} if tag else {}))
    metadata = {"language_info": {"name": "python"}, "wiseft": {"fast": {"STEPS": 1}}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)


def add_solution(path: Path, code: str) -> None:
    """Add an exercise whose solution is a line of code."""
    notebook = nbformat.read(path, as_version=4)
    text = f"Double it.\n\n```{{dropdown}} Solution\n    {code}\n\nThat is all.\n```"
    notebook.cells.append(nbformat.v4.new_markdown_cell(text))
    nbformat.write(notebook, path)


def make_book(root: Path) -> build.Book:
    """A book of two small chapters about a package of one number, with this book's settings."""
    (root / "book").mkdir(parents=True)
    (root / "wiseft_tutorial" / "data").mkdir(parents=True)
    (root / "wiseft_tutorial" / "__init__.py").write_text("VALUE = 17\n")
    (root / "wiseft_tutorial" / "data" / "table.csv").write_text("a,b\n")
    (root / "requirements-book.lock").write_text("numpy==1\n")
    (root / "_toc.yml").write_text(TOC)
    shutil.copy(ROOT / "_config.yml", root)
    shutil.copy(ROOT / "book" / "references.bib", root / "book")
    shutil.copy(ROOT / "book" / "bibliography.md", root / "book")
    (root / "book" / "intro.md").write_text("# Beginning\n\nSee {cite:t}`wortsman2022robust`.\n")
    write_chapter(root / "book" / "first.ipynb", FIRST)
    write_chapter(root / "book" / "second.ipynb", SECOND)
    return build.Book(root)


@pytest.fixture
def book(tmp_path: Path) -> build.Book:
    return make_book(tmp_path / "house")


def text_of(book: build.Book, chapter: str) -> str:
    return (book.executed / f"{chapter}.ipynb").read_text()


def again(book: build.Book) -> build.Book:
    """The same book as the next command sees it."""
    return build.Book(book.root, book.tier)


def make(book: build.Book, *arguments: str) -> int:
    """What ``make book`` does."""
    return build.main(["--root", str(book.root), *arguments])


CHANGES: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "package source": (
        lambda root: (root / "wiseft_tutorial" / "__init__.py").write_text("VALUE = 18\n"),
        {"first", "second"},
    ),
    "package data": (
        lambda root: (root / "wiseft_tutorial" / "data" / "table.csv").write_text("a,c\n"),
        {"first", "second"},
    ),
    "new module": (
        lambda root: (root / "wiseft_tutorial" / "new.py").touch(),
        {"first", "second"},
    ),
    "module removed": (
        lambda root: (root / "wiseft_tutorial" / "data" / "table.csv").unlink(),
        {"first", "second"},
    ),
    "lock": (
        lambda root: (root / "requirements-book.lock").write_text("numpy==2\n"),
        {"first", "second"},
    ),
    "one chapter": (
        lambda root: write_chapter(root / "book" / "second.ipynb", "print(3)"),
        {"second"},
    ),
    "a text": (lambda root: (root / "book" / "intro.md").write_text("# Start\n"), set()),
    "bytecode": (
        lambda root: (root / "wiseft_tutorial" / "__pycache__").mkdir(),
        set(),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_concerns_the_chapters_that_depend_on_it(book: build.Book, change: str) -> None:
    before = {chapter: book.key(chapter) for chapter in book.chapters}
    act, concerned = CHANGES[change]
    act(book.root)
    after = {chapter: again(book).key(chapter) for chapter in book.chapters}
    assert {chapter for chapter in before if before[chapter] != after[chapter]} == concerned


def test_the_pages_depend_on_the_package_and_on_what_makes_them(book: build.Book) -> None:
    """They show its docstrings and its data sets, and not only what the chapters ran."""
    (book.executed).mkdir(parents=True)
    for chapter in book.chapters:
        shutil.copy(book.source / f"{chapter}.ipynb", book.executed)
    keys = [build._pages_key(book)]
    (book.root / "wiseft_tutorial" / "sources.py").write_text("SOURCES = {'toys': '2 kB'}\n")
    keys.append(build._pages_key(again(book)))
    (book.root / "wiseft_tutorial" / "sources.py").write_text("SOURCES = {'toys': '3 kB'}\n")
    keys.append(build._pages_key(again(book)))
    (book.root / "Makefile").write_text("toys: ## Make toys\n")
    keys.append(build._pages_key(again(book)))
    assert len(set(keys)) == len(keys)
    assert build._pages_key(again(book)) == keys[-1]


def test_a_text_is_filled_in_where_it_says_so(book: build.Book) -> None:
    (book.root / "Makefile").write_text("toys: sand ## Make toys\n")
    intro = book.source / "intro.md"
    intro.write_text("# Beginning\n\n<!-- commands -->\n\nThe end.\n")
    book.executed.mkdir(parents=True)
    build._copy_texts(book)
    build._fill_in(book, ())
    made = (book.executed / "intro.md").read_text()
    assert made.startswith("# Beginning\n\n| command | what it does |")
    assert "| `make toys` | Make toys |\n\nThe end." in made
    intro.write_text("# Beginning\n\n<!-- comands -->\n")
    build._copy_texts(book)
    with pytest.raises(build.BookError, match=r"intro.md has a place for 'comands'"):
        build._fill_in(book, ())


def test_the_tiers_do_not_stand_in_for_each_other(book: build.Book) -> None:
    fast = build.Book(book.root, "fast")
    assert fast.key("first") != book.key("first")
    assert fast.executed != book.executed


def test_from_source_to_page_and_back_again(
    book: build.Book, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One story, because each step needs the one before: made, left alone, changed, broken."""
    add_solution(
        book.source / "second.ipynb", "raise RuntimeError('the full tier has no use for it')"
    )
    assert make(book) == 0
    page = book.html / "first.html"
    assert "value 17 steps 3" in page.read_text()
    out = capsys.readouterr().out
    assert str(book.html / "index.html") in out

    notebook = text_of(book, "first")
    assert "injected-parameters" not in notebook  # as papermill adds for an override
    assert build.WIDGET not in notebook  # a slider that nothing answers
    assert str(book.root) not in notebook
    record = book.record("first")
    assert record["peak_bytes"] > 2.4 * 10**8  # the ballast
    assert record["seconds"] > 0

    # Nothing has changed: nothing is started, neither kernel nor jupyter-book.
    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a process was started"))
        assert make(book) == 0
    assert "unchanged" in capsys.readouterr().out

    # The package has changed: both chapters run, and the page shows what they say now.
    (book.root / "wiseft_tutorial" / "__init__.py").write_text("VALUE = 18\n")
    assert again(book).record("first") == {}
    assert make(book) == 0
    assert "value 18 steps 3" in page.read_text()

    # One chapter fails: the other runs, and no page is left that shows anything old.
    write_chapter(book.source / "first.ipynb", "a = 1\n---\nraise RuntimeError('on purpose')")
    write_chapter(book.source / "second.ipynb", "print('second, again')")
    capsys.readouterr()
    assert make(book) == 1
    said = capsys.readouterr()
    assert "raise RuntimeError('on purpose')" in said.err
    assert "first: cell 3 failed" in said.err
    assert not (book.executed / "first.ipynb").exists()
    assert "second, again" in text_of(book, "second")
    assert not book.html.exists()


def test_the_fast_tier_runs_with_its_own_parameters_in_an_emptied_kernel(book: build.Book) -> None:
    fast = build.Book(book.root, "fast")
    look = "import os\nprint('kernel', os.getpid(), 'finds', 'VALUE' in globals(), os.listdir())"
    leave = "VALUE = 1\nopen('left', 'x').close()"
    for name in ("second", "third"):
        write_chapter(book.source / f"{name}.ipynb", f"{look}\n---\n{leave}")
        add_solution(book.source / f"{name}.ipynb", "print('solved', VALUE)")
    first, second, third = build.execute(fast, ["first", "second", "third"], jobs=1)
    assert not first.error + second.error + third.error
    assert "value 17 steps 1" in text_of(fast, "first")
    assert first.peak_bytes > 2.4 * 10**8  # the ballast
    found = [re.findall(r"kernel \d+ finds .*?]", text_of(fast, n)) for n in ("second", "third")]
    assert found[0] == found[1], "another kernel"
    assert found[0][0].endswith("finds False []")
    assert "solved 1" not in text_of(fast, "second"), "a solution is run, but not shown"
    (run,) = build.execute(fast, ["third"])
    assert not run.executed
    (run,) = build.execute(fast, ["third"], force=True)
    assert run.executed


def test_a_solution_that_fails_is_a_failure_and_takes_the_kernel_with_it(book: build.Book) -> None:
    fast = build.Book(book.root, "fast")
    write_chapter(book.source / "first.ipynb", "import builtins\nbuiltins.left = 2")
    add_solution(book.source / "first.ipynb", "assert 2 * left == 5")
    write_chapter(book.source / "second.ipynb", "left")
    first, second = build.execute(fast, ["first", "second"], jobs=1)
    assert "assert 2 * left == 5" in first.error
    assert "NameError" in second.error


def test_a_kernel_that_dies_is_a_failure_with_its_cell(book: build.Book) -> None:
    write_chapter(book.source / "second.ipynb", "import os\n---\nos._exit(9)")
    (run,) = build.execute(book, ["second"])
    assert "cell 3 failed" in run.error
    assert "os._exit(9)" in run.error
    assert not (book.executed / "second.ipynb").exists()


def test_a_warning_or_a_reference_to_nowhere_stops_the_book_but_not_a_draft(
    book: build.Book, capsys: pytest.CaptureFixture[str]
) -> None:
    write_chapter(book.source / "first.ipynb", "import warnings\nwarnings.warn('old habit')")
    intro = book.source / "intro.md"
    intro.write_text(intro.read_text() + "\nThen {doc}`first`, and {doc}`nowhere`.\n")
    assert make(book, "second") == 0
    assert (book.out / "draft" / "second.html").exists()
    assert not (book.out / "draft" / "first.html").exists()
    assert make(book) == 1
    said = capsys.readouterr().err
    assert "stderr was found" in said
    assert "nowhere" in said
    assert not book.html.exists()


def test_a_chapter_that_is_not_there_is_named(
    book: build.Book, capsys: pytest.CaptureFixture[str]
) -> None:
    (book.root / "_toc.yml").write_text(TOC + "- file: third\n")
    assert make(book) == 1
    assert "no notebook third" in capsys.readouterr().err

"""The list of the paper's claims: complete, well formed, and true to the chapters."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import nbformat
import pytest

import build
import claims
from conftest import NUMBERED, ROOT

BOOK = build.Book(ROOT)
CLAIMS = claims.read(ROOT / "book" / "claims.yml")
ENTRY = {
    "claim": "Averages are robust",
    "source": "section 4",
    "chapter": "first",
    "test": "A sweep",
    "outcome": "holds",
    "seen": "{gain} points | more",
}


def notebook(**values: object) -> nbformat.NotebookNode:
    """An executed chapter that has glued some values."""
    outputs = [
        nbformat.v4.new_output(
            "display_data",
            {claims.RECORD: repr(str(value))},
            metadata={"scrapbook": {"name": name}},
        )
        for name, value in values.items()
    ]
    cells = [
        nbformat.v4.new_markdown_cell("# The first chapter\n\nText."),
        nbformat.v4.new_code_cell("measure()", outputs=outputs),
    ]
    return nbformat.v4.new_notebook(cells=cells)


def test_every_chapter_tests_something() -> None:
    tested = Counter(claim.chapter for claim in CLAIMS)
    assert set(tested) == set(NUMBERED)
    assert len(CLAIMS) >= 40


def test_no_claim_stands_there_twice() -> None:
    assert len({claim.claim for claim in CLAIMS}) == len(CLAIMS)


@pytest.mark.parametrize("chapter", BOOK.chapters)
def test_what_a_claim_quotes_is_glued_by_its_chapter(chapter: str) -> None:
    """The build would stop, but only after every chapter has run."""
    source = "\n".join(
        cell.source
        for cell in nbformat.read(BOOK.source / f"{chapter}.ipynb", as_version=4).cells
        if cell.cell_type == "code" or "{glue:text}" in cell.source
    )
    for claim in CLAIMS:
        if claim.chapter == chapter:
            for name in claims.VALUE.findall(claim.test + claim.seen):
                assert f'"{name}"' in source or f"{{glue:text}}`{name}`" in source, name


def test_the_page_quotes_what_was_measured() -> None:
    made = claims.tables([claims.Claim(**ENTRY)], {"first": notebook(gain="3.2")})
    assert made.startswith("Of 1 claims, 1 hold.")
    assert "## {doc}`The first chapter <first>`" in made
    assert "| **holds**: 3.2 points \\| more |" in made


def test_chapters_that_are_left_out_take_their_claims_along() -> None:
    made = claims.tables([claims.Claim(**ENTRY)], {})
    assert "Averages are robust" not in made


def test_a_value_that_nobody_glued_stops_the_build() -> None:
    with pytest.raises(claims.ClaimError, match="first glues no 'gain'"):
        claims.tables([claims.Claim(**ENTRY)], {"first": notebook(other=1)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outcome": "is true"}, "claim 1: 'is true' is none of holds"),
        ({"extra": "words"}, "claim 1 has"),
    ],
)
def test_a_claim_is_complete(tmp_path: Path, change: dict[str, str], message: str) -> None:
    path = tmp_path / "claims.yml"
    path.write_text(f"- {ENTRY | change}")
    with pytest.raises(claims.ClaimError, match=message):
        claims.read(path)

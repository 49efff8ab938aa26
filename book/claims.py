"""What we tested: the page is made of claims.yml and of what the executed chapters measured.

A claim's ``test`` and ``seen`` may quote a value that its chapter has glued: ``{gain} points``
becomes ``3.2 points``. So nobody types a number, and one that has changed has changed here too.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

OUTCOMES = ("holds", "holds in part", "does not hold", "not tested")
VALUE = re.compile(r"\{([\w -]+)\}")
RECORD = "application/papermill.record/text/plain"


class ClaimError(Exception):
    """The list of claims and the chapters do not fit together, and the message says where."""


@dataclass(frozen=True)
class Claim:
    """One thing that the paper says, and what became of it.

    Attributes:
        claim: In our words.
        source: Where the paper says it.
        chapter: That tests it, as its file is called.
        test: How.
        outcome: One of :data:`OUTCOMES`.
        seen: What was seen; here and in ``test``, names in braces are those of glued values.
    """

    claim: str
    source: str
    chapter: str
    test: str
    outcome: str
    seen: str


def read(path: Path) -> list[Claim]:
    """The claims of a file, in its order."""
    names = [field.name for field in fields(Claim)]
    claims = []
    for number, entry in enumerate(yaml.safe_load(path.read_text()), 1):
        if sorted(entry) != sorted(names):
            raise ClaimError(f"claim {number} has {sorted(entry)}, not {sorted(names)}")
        claim = Claim(**entry)
        if claim.outcome not in OUTCOMES:
            raise ClaimError(f"claim {number}: {claim.outcome!r} is none of {', '.join(OUTCOMES)}")
        claims.append(claim)
    return claims


def glued(notebook: Any) -> dict[str, str]:
    """The values that an executed notebook has glued, by name."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    return {
        output.metadata.scrapbook.name: str(ast.literal_eval(output["data"][RECORD]))
        for output in outputs
        if RECORD in output.get("data", {})
    }


def title_of(notebook: Any) -> str:
    """A chapter's title: its first line, without the sign of a heading."""
    return str(notebook.cells[0].source).splitlines()[0].lstrip("# ")


def tables(claims: Iterable[Claim], notebooks: Mapping[str, Any]) -> str:
    """The tables of claims, one for each chapter, and how many there are of each outcome.

    Args:
        claims: All of them; those of chapters that are not given are left out.
        notebooks: Executed chapters by name, in reading order.
    """
    shown = [claim for claim in claims if claim.chapter in notebooks]
    counts = Counter(claim.outcome for claim in shown)
    told = ", ".join(
        f"{counts[outcome]} {_plural(outcome)}" for outcome in OUTCOMES if counts[outcome]
    )
    parts = [f"Of {len(shown)} claims, {told}."]
    for name, notebook in notebooks.items():
        of_chapter = [claim for claim in shown if claim.chapter == name]
        if of_chapter:
            values = glued(notebook)
            parts += [f"## {{doc}}`{title_of(notebook)} <{name}>`", _table(of_chapter, values)]
    return "\n\n".join(parts)


def _table(claims: Iterable[Claim], values: Mapping[str, str]) -> str:
    rows = ["| the claim | how it is tested | what was seen |", "|---|---|---|"]
    for claim in claims:
        test, seen = (_filled_in(text, claim, values) for text in (claim.test, claim.seen))
        cells = f"{claim.claim} *({claim.source})*", test, f"**{claim.outcome}**: {seen}"
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def _filled_in(text: str, claim: Claim, values: Mapping[str, str]) -> str:
    """A text of a claim, with the values that were measured."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise ClaimError(f"{claim.chapter} glues no {match[1]!r}, which this quotes: {text!r}")
        return values[match[1]]

    return VALUE.sub(value, text)


def _plural(outcome: str) -> str:
    return {"holds": "hold", "holds in part": "hold in part", "does not hold": "do not hold"}.get(
        outcome, "were not tested"
    )

"""Tables that a page leaves to the build, made of what the package and the Makefile know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the package is slow to import, and few pages need it
    from wiseft_tutorial.datafiles.sources import Source

COMMAND = re.compile(r"^([a-z-]+):.*?## (.*)$", re.MULTILINE)


def data_sets(sources: Iterable[Source] | None = None) -> str:
    """A row for each data set: how large it is, how to get it, and where it belongs.

    Args:
        sources: Those to show; ``None`` means all that the package knows.
    """
    if sources is None:
        from wiseft_tutorial.datafiles.sources import SOURCES

        sources = SOURCES.values()
    rows = []
    for source in sources:
        how = f"`wiseft download {source.name}`"
        if not source.archives:
            how = f"by hand: see [its page]({source.page}); {source.by_hand}, in the data folder"
        rows.append((f"[{source.title}]({source.page})", source.size, how, f"`{source.folder}`"))
    return table(("data set", "size", "how to get it", "its folder"), rows)


def commands(makefile: str) -> str:
    """A row for each command of a Makefile, as ``make help`` lists them."""
    rows = [(f"`make {name}`", said) for name, said in COMMAND.findall(makefile)]
    return table(("command", "what it does"), rows)


def table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(c.replace('|', '&#124;') for c in line)} |" for line in lines)

"""The tables that the build puts into pages, and what those pages say besides."""

from __future__ import annotations

import re

import pytest

import tables
import wiseft_tutorial as wt
from conftest import ROOT
from wiseft_tutorial.datafiles.sources import SOURCES, Source

PAGE = (ROOT / "book" / "data_sets.md").read_text()


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_every_data_set_is_in_the_table(source: Source) -> None:
    (row,) = (line for line in tables.data_sets().splitlines() if f"`{source.folder}`" in line)
    title, size, how, _ = (cell.strip() for cell in row.strip("|").split("|"))
    assert title == f"[{source.title}]({source.page})"
    assert size == source.size
    if source.archives:
        assert how == f"`wiseft download {source.name}`"
    else:
        assert how.startswith(f"by hand: see [its page]({source.page}); {source.by_hand}")


def test_a_table_follows_what_it_is_made_of() -> None:
    one = Source("toys", "Toys", "toy-box", "2 kB", "https://example.org", by_hand="ask | beg")
    assert tables.data_sets([one]).splitlines() == [
        "| data set | size | how to get it | its folder |",
        "| --- | --- | --- | --- |",
        "| [Toys](https://example.org) | 2 kB | by hand: see [its page](https://example.org); "
        "ask &#124; beg, in the data folder | `toy-box` |",
    ]


def test_every_command_is_in_the_table() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    listed = re.findall(r"^\| `make ([a-z-]+)` \|", tables.commands(makefile), re.MULTILINE)
    assert sorted(listed) == sorted(phony[1].split())


def test_the_page_names_every_benchmark_and_what_it_reads() -> None:
    rows = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("| `")]
    names = [name for row in rows for name in re.findall("`([^`]+)`", row[0])]
    assert sorted(names) == wt.benchmark_names()
    needed = {name for row in rows for name in re.findall("`([^`]+)`", row[3])}
    assert needed == set(SOURCES)

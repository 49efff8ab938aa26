"""A Sphinx extension: how the reference page shows the docstrings of the package.

Types stand beside the arguments, as the code writes them, and not in the signature, which then fits
a telephone. They lead to the classes and aliases that are on the page; those of other libraries are
words. And "Explained in: chapter 4." becomes a link, if the book has that chapter.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Mapping
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from docutils.nodes import Element
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.domains.python import PyClasslike
from sphinx.environment import BuildEnvironment

PACKAGE = "wiseft_tutorial"
EXPLAINED = "Explained in: "
CHAPTER = re.compile(r"(?:chapters? )?(\d+)")
TEXTS = {"the introduction": "intro", "the page on data sets": "data_sets"}
FULL_NAME = re.compile(rf"(:\w+:`)(?={PACKAGE}\.)")  # is shown by its last part, after a tilde
ITEM = re.compile(r"^    (\w+): ")
NAME = re.compile(r"(?<![\w.'\"])[A-Za-z_]\w*(?![\w.'\"])")


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.setup_extension("sphinx.ext.autodoc")
    for field in PyClasslike.doc_field_types:
        if field.name == "variable":
            field.label = "Attributes"  # which "Variables" are in a class's own words
    # Both before napoleon, whose priority is 500, has made fields of the sections.
    app.connect("autodoc-process-docstring", link_chapters, priority=400)
    app.connect("autodoc-process-docstring", add_types, priority=400)
    app.connect("autodoc-process-signature", hide_arguments)
    app.connect("missing-reference", find_type)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def hide_arguments(
    app: Sphinx,
    what: str,
    name: str,
    thing: object,
    options: object,
    arguments: str | None,
    result: str | None,
) -> tuple[str, str | None] | None:
    """Show no arguments where a base class of another library lets Python know none."""
    return ("", result) if arguments == "(*args, **kwargs)" else None


def link_chapters(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Let every line that says where something is explained lead there."""
    for number, full in enumerate(lines):
        line = lines[number] = FULL_NAME.sub(r"\1~", full)
        before, explained, places = line.partition(EXPLAINED)
        if explained:
            lines[number] = before + explained + linked(places, app.env.found_docs)


def linked(places: str, pages: set[str]) -> str:
    """Places such as ``chapters 6 and 13.``, with links to those that are among the pages."""

    def link(text: str, page: str | None) -> str:
        return f":doc:`{text} </{page}>`" if page in pages else text

    def chapter(match: re.Match[str]) -> str:
        start = f"{int(match[1]):02d}_"
        return link(match[0], next((page for page in pages if page.startswith(start)), None))

    for text, page in TEXTS.items():
        if places.startswith(text):
            return link(text, page) + places[len(text) :]
    return CHAPTER.sub(chapter, places)


def add_types(
    app: Sphinx, what: str, name: str, thing: Any, options: object, lines: list[str]
) -> None:
    """Write the types into the sections of a docstring, where napoleon finds them."""
    types, section = types_of(thing), ""
    # Of these, napoleon takes what stands before a colon of the first line for a type.
    if what == "property" and lines:
        lines[0] = f"{types['return']}: {lines[0]}"
    elif what == "data" and name.count(".") == 1:
        lines.clear()  # what Python says of every tuple; what this one is, the page says
    elif what == "data" and lines:
        lines[0] = f"{type(thing).__name__}: {lines[0]}"
    for number, line in enumerate(lines):
        if line and not line[0].isspace():
            section = line if line in ("Args:", "Attributes:", "Returns:") else ""
        elif section == "Returns:" and line and "return" in types:
            lines[number], section = f"    {types['return']}: {line.strip()}", ""
        elif section and (item := ITEM.match(line)) and item[1] in types:
            lines[number] = f"    {item[1]} ({types[item[1]]}): {line[item.end() :]}"


def types_of(thing: Any) -> dict[str, str]:
    """The types of a function's arguments, or of a class's and its attributes, by name."""
    thing = thing.fget if isinstance(thing, property) else thing
    thing = inspect.unwrap(thing) if callable(thing) else thing
    names = vars(sys.modules[thing.__module__]) if hasattr(thing, "__module__") else {}
    return {
        name: as_written(annotation, names)
        for annotated in ((thing.__init__, thing) if inspect.isclass(thing) else (thing,))
        for name, annotation in getattr(annotated, "__annotations__", {}).items()
        if isinstance(annotation, str)
    }


def as_written(annotation: str, names: Mapping[str, Any]) -> str:
    """A type as its module writes it, but for what only that module knows: its own aliases.

    Args:
        annotation: The type.
        names: What the module's names mean.
    """
    public = sys.modules[PACKAGE].__all__ if PACKAGE in sys.modules else ()

    def spelt(match: re.Match[str]) -> str:
        meaning = names.get(match[0])
        meaning = meaning.__bound__ if isinstance(meaning, TypeVar) else meaning
        if match[0] in public or meaning is None:
            return match[0]
        if isinstance(meaning, str):
            return as_written(meaning, names)
        if inspect.isclass(meaning) or get_origin(meaning) in (Literal, Union, UnionType):
            spelt_out = short(meaning)
            # Another library's alias is better known by its name than by what that hides.
            return match[0] if re.search(r"\b_", spelt_out) else spelt_out
        return match[0]

    return NAME.sub(spelt, annotation)


def short(meaning: Any) -> str:
    """A type, with its parts by their last names."""
    if get_origin(meaning) in (Union, UnionType):
        return " | ".join(short(part) for part in get_args(meaning))
    if inspect.isclass(meaning):
        return f"nn.{meaning.__name__}" if "torch.nn" in meaning.__module__ else meaning.__name__
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", str(meaning))


def find_type(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, shown: Element
) -> Element | None:
    """Resolve the name of a type that no class of the page has: an alias, or another library's.

    A reference that a docstring makes itself is none of these, and has to lead somewhere.
    """
    if node.get("refdomain") != "py" or node.get("reftype") != "class":
        return None
    if not node.get("refspecific"):
        return None
    domain = env.get_domain("py")
    found = domain.resolve_xref(
        env, node["refdoc"], app.builder, "obj", node["reftarget"], node, shown
    )
    return found or shown

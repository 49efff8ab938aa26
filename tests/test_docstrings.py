"""The reference page: every public name once, its types in words, its chapters as links."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

import pytest
from numpy.typing import ArrayLike
from torch import nn

import docstrings
import wiseft_tutorial as wt
from conftest import ROOT

PAGES = {"intro", "data_sets", "06_frontier", "13_averaging_many"}
PAGE = (ROOT / "book" / "api.md").read_text()
ENTRY = r"^\.\. auto(function|class|data|exception|module):: wiseft_tutorial\.(\w+)$"
ENTRIES = re.findall(ENTRY, PAGE, re.MULTILINE)
# Of an alias, autodoc would show what it means to Python, in full and twice.
ALIASES = re.findall(
    r"^\.\. py:data:: (\w+)\n   :module: wiseft_tutorial\n   :value: (.*)$", PAGE, re.MULTILINE
)
_T = TypeVar("_T", bound=nn.Module)


def test_every_public_name_is_on_the_page_once() -> None:
    names = Counter([name for _, name in ENTRIES] + [name for name, _ in ALIASES])
    assert names == Counter(set(wt.__all__) - {"__version__"})
    assert len(re.findall(r"^\.\. ", PAGE, re.MULTILINE)) == names.total()


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_a_name_is_documented_as_what_it_is(kind: str, name: str) -> None:
    thing = getattr(wt, name)
    if inspect.isfunction(thing):
        assert kind == "function"
    elif inspect.isclass(thing):
        assert kind == ("exception" if issubclass(thing, Exception) else "class")
    elif inspect.ismodule(thing):
        assert kind == "module"
    else:
        assert kind == "data"


@pytest.mark.parametrize(("name", "value"), ALIASES)
def test_an_alias_is_shown_as_the_code_writes_it(name: str, value: str) -> None:
    sources = [path.read_text() for path in (ROOT / "wiseft_tutorial").rglob("*.py")]
    assert any(f"\n{name}: TypeAlias = {value}\n" in source for source in sources)


def test_what_a_class_can_do_is_shown() -> None:
    """Where a class has public methods or properties, its entry asks for them."""
    for name in wt.__all__:
        thing = getattr(wt, name)
        if inspect.isclass(thing) and not issubclass(thing, Exception):
            own = {key for key, value in vars(thing).items() if _is_documented(key, value)}
            asked = f":: wiseft_tutorial.{name}\n   :members:" in PAGE
            assert asked == bool(own), f"{name}: {own}"


def _is_documented(key: str, value: object) -> bool:
    kinds = (property, classmethod, staticmethod)
    return not key.startswith("_") and (inspect.isfunction(value) or isinstance(value, kinds))


@pytest.mark.parametrize("name", sorted(set(wt.__all__) - {"__version__"}))
def test_the_errors_that_a_docstring_names_are_public(name: str) -> None:
    """Elsewhere the name of a type may be another library's, and so its link is not checked."""
    thing = getattr(wt, name)
    documented = [thing, *(vars(thing).values() if inspect.isclass(thing) else ())]
    for one in documented:
        text = inspect.getdoc(one) or ""
        raised = re.search(r"^Raises:\n((?: .*\n?)+)", text, re.MULTILINE)
        for error in re.findall(r"^    (\w+):", raised[1] if raised else "", re.MULTILINE):
            assert issubclass(getattr(wt, error), wt.WiseFTError)


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ("chapter 6.", ":doc:`chapter 6 </06_frontier>`."),
        (
            "chapters 6 and 13.",
            ":doc:`chapters 6 </06_frontier>` and :doc:`13 </13_averaging_many>`.",
        ),
        ("chapter 66.", "chapter 66."),
        ("the introduction.", ":doc:`the introduction </intro>`."),
        ("the page on data sets.", ":doc:`the page on data sets </data_sets>`."),
    ],
)
def test_a_chapter_is_linked_if_there_is_one(places: str, expected: str) -> None:
    assert docstrings.linked(places, PAGES) == expected


@pytest.mark.parametrize("name", sorted(set(wt.__all__) - {"__version__"}))
def test_every_docstring_says_where_in_a_form_that_becomes_a_link(name: str) -> None:
    thing = getattr(wt, name)
    for line in (inspect.getdoc(thing) or "").splitlines():
        _, explained, places = line.partition(docstrings.EXPLAINED)
        if explained:
            pages = {f"{int(n):02d}_chapter" for n in re.findall(r"\d+", places)} | PAGES
            assert ":doc:" in docstrings.linked(places, pages), line


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("nn.Module | State", "nn.Module | State"),  # State is on the page
        ("Unit", "Literal['number', 'a share']"),
        ("Images | Mapping[str, Images]", "Split | Tensor | Mapping[str, Split | Tensor]"),
        ("Several", "Split | Mapping[str, Split]"),
        ("Sequence[_T]", "Sequence[nn.Module]"),
        ("ArrayLike", "ArrayLike"),
        ("str | os.PathLike[str]", "str | os.PathLike[str]"),
        ("Literal['', 'Unit']", "Literal['', 'Unit']"),
    ],
)
def test_an_alias_of_one_module_is_spelt_out(written: str, shown: str) -> None:
    names: dict[str, Any] = {
        "State": Mapping[str, int],
        "Unit": Literal["number", "a share"],
        "Images": "Split | Tensor",
        "Several": wt.Split | Mapping[str, wt.Split],
        "_T": _T,
        "nn": nn,
        "ArrayLike": ArrayLike,
        "Mapping": Mapping,
        "Sequence": Sequence,
    }
    assert docstrings.as_written(written, names) == shown


def typed(thing: Any, what: str = "function") -> list[str]:
    lines = (inspect.getdoc(thing) or "").splitlines()
    docstrings.add_types(None, what, f"wiseft_tutorial.{thing.__name__}", thing, None, lines)
    return lines


def test_types_stand_beside_arguments_attributes_and_results() -> None:
    fine = typed(wt.default_recipe)
    assert "    method (Method): ``" in "\n".join(fine)
    assert "    Recipe: The recipe." in fine
    assert any(line.startswith("    lr (float): ") for line in typed(wt.Recipe, "class"))
    assert any(
        line.startswith("    head (Tensor): ") for line in typed(wt.ImageClassifier, "class")
    )
    sets = typed(wt.Benchmark.distributions.fget, "property")
    assert sets == [
        "dict[str, Split]: The test sets by name: the reference first, then the shifts."
    ]
    # Without a type of its own, "One row for each alpha and distribution" would be taken for one.
    assert any(line.startswith("    pd.DataFrame: One row") for line in typed(wt.alpha_sweep))

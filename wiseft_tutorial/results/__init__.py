"""What takes too long for a chapter: measured once, by ``make results``, and kept as tidy files.

Each module here is one experiment. Its ``measure`` is what a chapter calls at a smaller size, and
its ``jobs`` are the runs whose rows lie in the package, beside a note of how they came about.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pandas as pd

from wiseft_tutorial.errors import unknown

__all__ = ["EXPERIMENTS", "load", "origin"]

EXPERIMENTS = ("frontier", "other_ways", "soups", "spaces", "starts", "transfer")
"""The names of the experiments, which are those of their modules and files."""

_FILES = resources.files("wiseft_tutorial").joinpath("data", "results")


def load(name: str) -> pd.DataFrame:
    """The rows of an experiment that was measured once.

    Args:
        name: One of :data:`EXPERIMENTS`.

    Returns:
        A tidy frame; the experiment's module says what its columns are.

    Raises:
        UnknownNameError: There is no such experiment.

    Explained in: chapter 6.
    """
    _check(name)
    with _FILES.joinpath(f"{name}.csv").open() as file:
        return pd.read_csv(file)


def origin(name: str) -> dict[str, Any]:
    """How the rows of an experiment came about.

    Args:
        name: One of :data:`EXPERIMENTS`.

    Returns:
        The ``command`` that was typed, ``seeds``, ``versions`` of the libraries, the number of
        ``cores``, the ``minutes`` it took, and the ``date``.

    Raises:
        UnknownNameError: There is no such experiment.

    Explained in: chapter 6.
    """
    _check(name)
    facts: dict[str, Any] = json.loads(_FILES.joinpath(f"{name}.json").read_text())
    return facts


def _check(name: str) -> None:
    if name not in EXPERIMENTS:
        raise unknown("experiment", name, EXPERIMENTS)

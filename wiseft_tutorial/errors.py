"""The errors this package raises: each says what was wrong, with which name, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "AlphaError",
    "CheckpointError",
    "DataError",
    "DownloadError",
    "MissingFileError",
    "UnknownNameError",
    "WeightMismatchError",
    "WiseFTError",
]


class WiseFTError(Exception):
    """Base of every error that this package raises on purpose."""


class WeightMismatchError(WiseFTError, ValueError):
    """Weights cannot be combined: keys, shapes or types differ, or a value is not finite."""


class AlphaError(WiseFTError, ValueError):
    """A mixing coefficient lies outside [0, 1] and extrapolation was not asked for."""


class UnknownNameError(WiseFTError, ValueError):
    """No benchmark, model, distribution or table has this name."""


class CheckpointError(WiseFTError, ValueError):
    """A checkpoint is truncated, corrupt or of another kind."""


class MissingFileError(WiseFTError, FileNotFoundError):
    """A file that was asked for is not there."""


class DataError(WiseFTError, ValueError):
    """Images, labels, classes or prompts do not fit together."""


class DownloadError(WiseFTError, OSError):
    """A file could not be fetched, or what was fetched is not what it should be."""


def unknown(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """The error for a name that is not known, with the nearest names that are."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {', '.join(names)}"
    return UnknownNameError(f"unknown {kind} {name!r}; {hint}")

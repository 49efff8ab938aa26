"""Sweeps as files: one line of JSON for each alpha and distribution."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd

from wiseft_tutorial._files import write_text
from wiseft_tutorial.errors import CheckpointError, DataError, MissingFileError

__all__ = ["load_sweep", "save_sweep"]

_COLUMNS = ("alpha", "distribution", "kind", "accuracy", "low", "high", "n")


def save_sweep(sweep: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write a sweep, whole or not at all.

    Args:
        sweep: As :func:`wiseft_tutorial.alpha_sweep` returns it.
        path: Where to; missing folders are made, an existing file is replaced.

    Returns:
        The path.

    Raises:
        DataError: The frame is no sweep.

    Explained in: chapter 17.
    """
    if missing := [name for name in _COLUMNS if name not in sweep]:
        raise DataError(f"this is no sweep: it has no column {', '.join(missing)}")
    lines = [json.dumps({**sweep.attrs, **row}) for row in sweep.to_dict("records")]
    return write_text(path, "".join(f"{line}\n" for line in lines))


def load_sweep(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a sweep that :func:`save_sweep` wrote.

    Args:
        path: The file.

    Returns:
        The sweep, its ``attrs`` included.

    Raises:
        MissingFileError: There is no such file.
        CheckpointError: The file is damaged or of another kind.

    Explained in: chapter 17.
    """
    if not Path(path).is_file():
        raise MissingFileError(f"there is no file {os.fspath(path)!r}")
    try:
        rows = [json.loads(line) for line in Path(path).read_text().splitlines()]
        attrs = {key: value for key, value in rows[0].items() if key not in _COLUMNS}
        sweep = pd.DataFrame([[row[name] for name in _COLUMNS] for row in rows], columns=_COLUMNS)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{os.fspath(path)!r} is no sweep in lines of JSON ({error!r}); write one with "
            "`wiseft sweep`"
        ) from error
    sweep.attrs = attrs
    return sweep

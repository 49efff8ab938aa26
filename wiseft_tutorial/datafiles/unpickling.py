"""Pickles that hold data and nothing else.

CIFAR comes as pickles, and an ordinary unpickler runs whatever a pickle tells it to. This one makes
NumPy arrays and Python's own containers, and refuses all else.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from wiseft_tutorial.errors import CheckpointError

__all__ = ["unpickle_data"]

_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
    ("_codecs", "encode"),
}


class _DataOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _ALLOWED:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is no data")


def unpickle_data(path: Path) -> Any:
    """Read a pickle of arrays, strings, numbers, lists and dictionaries.

    Args:
        path: The file, written by any Python from 2 on.

    Returns:
        What it holds, with byte strings as keys where Python 2 wrote strings.

    Raises:
        CheckpointError: The file is damaged, or would create anything but data.

    Explained in: chapter 15.
    """
    try:
        with path.open("rb") as file:
            return _DataOnly(file, encoding="bytes").load()
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{str(path)!r} cannot be read as a pickle of data ({error}). It is damaged, or not "
            "what it seems to be: fetch it again."
        ) from error

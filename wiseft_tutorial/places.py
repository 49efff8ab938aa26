"""Where things are kept on this machine: results in one folder, data sets in another."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["cache_folder", "data_folder"]


def cache_folder() -> Path:
    """Where results are kept: ``$WISEFT_CACHE``, or else this platform's usual place.

    Explained in: chapter 3.
    """
    if chosen := os.environ.get("WISEFT_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "wiseft_tutorial"


def data_folder() -> Path:
    """Where data sets are: ``$WISEFT_DATA``, or ``data`` in the cache folder.

    Explained in: chapter 15.
    """
    if chosen := os.environ.get("WISEFT_DATA"):
        return Path(chosen).expanduser()
    return cache_folder() / "data"

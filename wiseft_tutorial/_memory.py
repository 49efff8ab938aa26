"""Memory that was freed goes back to the system.

The C library keeps what Python and torch free, for whoever asks next. After a training run that is
hundreds of megabytes in pieces, on a machine that may have two gigabytes.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys

__all__ = ["release"]


def release() -> None:
    """Return what the C library keeps, where it is one that can (glibc); takes milliseconds."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)

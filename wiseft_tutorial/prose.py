"""Measured values that a chapter's prose quotes by name, and how it writes them."""

from __future__ import annotations

from IPython.display import display

__all__ = ["glue", "points"]

# MyST-NB knows a recorded value by these; writing them here keeps it out of the package's
# dependencies, so a chapter also runs where no book is built.
_PREFIX = "application/papermill.record/"


def glue(name: str, value: object) -> None:
    """Record a value, so that the page's prose quotes what was measured and nobody types it.

    In the text of the same chapter, ``{glue:text}`name``` stands for the value. Round it here:
    ``glue("gain", f"{100 * gain:.1f}")``.

    Args:
        name: What the prose calls the value; unique in its chapter.
        value: The value, as it is to be read: ``str(value)`` is shown.

    Source: our own; the paper has no pages that run. Explained in: the introduction.
    """
    display(
        # Quoted, because MyST-NB reads the record as a Python literal: 1,260 would be a tuple.
        {f"{_PREFIX}text/plain": repr(str(value))},
        raw=True,
        metadata={"scrapbook": {"name": name, "mime_prefix": _PREFIX}},
    )


def points(fraction: float, sign: str = "") -> str:
    """A fraction in percentage points, to one digit, as the prose quotes it.

    Args:
        fraction: Such as a difference of two accuracies.
        sign: ``"+"`` to give a gain its sign, too; a loss always has one.

    Returns:
        Such as ``"3.2"`` for 0.032; with a true minus sign, and never ``"-0.0"``.

    Source: our own. Explained in: the introduction.
    """
    return f"{round(100 * fraction, 1) + 0.0:{sign}.1f}".replace("-", "\N{MINUS SIGN}")

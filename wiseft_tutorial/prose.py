"""Measured values that a chapter's prose quotes by name."""

from __future__ import annotations

from IPython.display import display

__all__ = ["glue"]

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

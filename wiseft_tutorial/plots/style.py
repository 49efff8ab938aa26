"""The look of the book's figures: roles with their colours and markers, and sizes of type."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ParamSpec

import matplotlib as mpl
import pandas as pd
from matplotlib import colors as mcolors
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wiseft_tutorial.errors import DataError

P = ParamSpec("P")

GREY, PALE = "#6B6B6B", "#B5B5B5"
DOTTED: Mapping[str, Any] = MappingProxyType(  # lines that results are compared with
    {"color": GREY, "linewidth": 1.1, "linestyle": (0, (1, 2)), "zorder": 1}
)
WIDTH = 5.2  # inches; on a screen of 375 pixels the text then has the size of a caption
_CONTRAST = 4.5  # what the web's accessibility guidelines ask of text


@dataclass(frozen=True)
class Role:
    """How one kind of model looks in every figure.

    Attributes:
        label: What the figures call it.
        colour: Colour of its marks; they differ for colour-blind readers too.
        marker: Matplotlib marker, so that the role is known without colour.
        linestyle: Line style of its curve over alpha.
        size: Marker size in points, so that all markers look equally large.
    """

    label: str
    colour: str
    marker: str
    linestyle: str | tuple[int, tuple[float, ...]] = "-"
    size: float = 7.0

    @property
    def ink(self) -> str:
        """The colour darkened, where needed, until text in it is legible on white (4.5 to 1)."""
        return darkened(self.colour)


ROLES: Mapping[str, Role] = MappingProxyType(
    {
        "zero-shot": Role("zero-shot", "#0072B2", "*", "-", 12.0),
        "fine-tuned": Role("fine-tuned", "#D55E00", "s", "-", 6.5),
        "WiSE-FT": Role("WiSE-FT", "#009E73", "o", "-", 7.0),
        "output-space ensemble": Role("output-space ensemble", "#CC79A7", "D", (0, (5, 1.5)), 6.0),
        "linear classifier": Role("linear classifier", "#E69F00", "^", (0, (1.2, 1.2)), 7.5),
    }
)
"""The roles; a curve whose label is one of these names keeps its look in the whole book."""

_OTHERS = (
    Role("", "#56B4E9", "v", "-", 7.0),
    Role("", "#5D3A9B", "P", (0, (5, 1.5)), 7.5),
    Role("", "#7F7F7F", "X", (0, (1.2, 1.2)), 7.5),
    Role("", "#A6761D", "h", (0, (5, 1.5, 1.2, 1.5)), 7.5),
    Role("", "#44AA99", "<", "-", 7.0),
    Role("", "#882255", "d", (0, (5, 1.5)), 7.0),
    Role("", "#7A7A2C", ">", (0, (1.2, 1.2)), 7.0),
    Role("", "#4D4D4D", "p", (0, (5, 1.5, 1.2, 1.5)), 7.5),
)
_STYLE: Any = MappingProxyType(  # Any, for older matplotlibs do not type their parameters
    {
        "figure.dpi": 100,
        "savefig.dpi": 200,
        "savefig.bbox": "tight",
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "axes.facecolor": "white",
        "figure.figsize": (WIDTH, 4.0),
        "figure.constrained_layout.use": True,
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "axes.labelsize": 10,
        "axes.labelcolor": "#222222",
        "xtick.labelsize": 9,
        "ytick.labelsize": 9,
        "legend.fontsize": 9,
        "legend.frameon": False,
        "text.color": "#222222",
        "axes.edgecolor": "#8A8A8A",
        "xtick.color": "#8A8A8A",
        "ytick.color": "#8A8A8A",
        "xtick.labelcolor": "#222222",
        "ytick.labelcolor": "#222222",
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": True,
        "grid.color": "#ECECEC",
        "grid.linewidth": 0.8,
        "lines.linewidth": 1.8,
    }
)


def use_style() -> None:
    """Give the reader's own figures the look of the book's, and make notebooks draw them sharply.

    The functions of this module have that look whether this was called or not.

    Explained in: chapter 1.
    """
    mpl.rcParams.update(_STYLE)
    try:
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:  # no notebook, so there is nothing to make sharp
        return
    if get_ipython() is not None:
        set_matplotlib_formats("retina")  # type: ignore[no-untyped-call]


def styled(plot: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw with the book's style, without changing the style of anything else."""

    @functools.wraps(plot)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        before = plt.get_fignums()
        try:
            with mpl.rc_context(dict(_STYLE)):
                return plot(*args, **kwargs)
        finally:
            # A figure that pyplot knows would be shown a second time when the cell ends, and one
            # that an error left half drawn would be shown at all.
            for number in set(plt.get_fignums()) - set(before):
                plt.close(number)

    return drawn


def figure_of(ax: Axes) -> Figure:
    """Return the figure that axes belong to."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def require_columns(frame: pd.DataFrame, columns: Iterable[str]) -> None:
    """Raise an error that names the columns a frame to plot lacks."""
    if missing := [name for name in columns if name not in frame]:
        raise DataError(f"the frame to plot lacks the columns {', '.join(missing)}")


def role_of(label: str, labels: Mapping[str, object]) -> Role:
    """The role that a label names, or else a look of its own among its ``labels``."""
    if label in ROLES:
        return ROLES[label]
    others = [name for name in labels if name not in ROLES]
    return replace(_OTHERS[others.index(label) % len(_OTHERS)], label=label)


def mark_of(role: Role, *, grow: float = 1.0) -> dict[str, Any]:
    """Plot options that draw the marker of a role and no line."""
    return {
        "linestyle": "none",
        "marker": role.marker,
        "markersize": role.size + grow,
        "color": role.colour,
        "markeredgecolor": "white",
        "markeredgewidth": 0.8,
    }


def darkened(colour: str) -> str:
    """Darken a colour until text in it is legible on white."""
    rgb = mcolors.to_rgb(colour)
    while 1.05 / (_luminance(rgb) + 0.05) < _CONTRAST:
        rgb = (0.97 * rgb[0], 0.97 * rgb[1], 0.97 * rgb[2])
    return mcolors.to_hex(rgb)


def _luminance(rgb: tuple[float, float, float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

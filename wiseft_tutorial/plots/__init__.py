"""The book's figures: one style, and one colour and marker for every role a model can play.

Each function returns a :class:`matplotlib.figure.Figure` that pyplot does not hold on to: a
notebook shows it when it is the last value of a cell, ``fig.savefig(path)`` writes it. Functions
that draw one panel also take ``ax`` and draw there. Data are fractions, ticks are percentages.
"""

from wiseft_tutorial.plots.choices import plot_against_images, plot_best_alpha
from wiseft_tutorial.plots.curves import plot_alpha, plot_history, plot_robustness, plot_testbed
from wiseft_tutorial.plots.diversity import plot_measures, plot_overrides
from wiseft_tutorial.plots.dots import plot_accuracies
from wiseft_tutorial.plots.lines import plot_lines
from wiseft_tutorial.plots.pictures import plot_classes, plot_gallery, plot_probabilities
from wiseft_tutorial.plots.points import plot_models
from wiseft_tutorial.plots.style import ROLES, Role, use_style
from wiseft_tutorial.plots.surface import plot_plane
from wiseft_tutorial.plots.words import plot_reliability, plot_similarity

__all__ = [
    "ROLES",
    "Role",
    "plot_accuracies",
    "plot_against_images",
    "plot_alpha",
    "plot_best_alpha",
    "plot_classes",
    "plot_gallery",
    "plot_history",
    "plot_lines",
    "plot_measures",
    "plot_models",
    "plot_overrides",
    "plot_plane",
    "plot_probabilities",
    "plot_reliability",
    "plot_robustness",
    "plot_similarity",
    "plot_testbed",
    "use_style",
]

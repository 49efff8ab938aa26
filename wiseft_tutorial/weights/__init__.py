"""Weight-space algebra: everything that is done to models without a forward pass."""

from wiseft_tutorial.weights.fisher import fisher_merge
from wiseft_tutorial.weights.interpolation import (
    State,
    check_compatible,
    interpolate,
    interpolate_,
    weight_step,
)
from wiseft_tutorial.weights.slerp import slerp
from wiseft_tutorial.weights.soups import Soup, greedy_soup, uniform_soup
from wiseft_tutorial.weights.task_vectors import TaskVector, task_vector
from wiseft_tutorial.weights.ties import ties_merge

__all__ = [
    "Soup",
    "State",
    "TaskVector",
    "check_compatible",
    "fisher_merge",
    "greedy_soup",
    "interpolate",
    "interpolate_",
    "slerp",
    "task_vector",
    "ties_merge",
    "uniform_soup",
    "weight_step",
]

"""Columns that several experiments have: accuracies, and what is gained on the same images."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from wiseft_tutorial.benchmarks import Benchmark
from wiseft_tutorial.comparison import paired_gain

Hits = Mapping[str, NDArray[np.float64]]


def compared(right: Hits, base: Hits, benchmark: Benchmark) -> dict[str, float]:
    """The accuracies of a model, and its gains over another one with half their intervals' widths.

    Args:
        right: The model's hits by distribution.
        base: Those of the other one.
        benchmark: Whose distributions they are.

    Returns:
        Six numbers by column: each of the three for the reference and for the mean of the shifts.
    """
    row = {}
    for column, names in (("reference", [benchmark.test.name]), ("shifts", list(benchmark.shifts))):
        row[column] = float(np.mean([right[name].mean() for name in names]))
        row[f"gain_{column}"], row[f"about_{column}"] = paired_gain(right, base, names)
    return row

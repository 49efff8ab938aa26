"""Soups over the runs of the hyper-parameter frontier, each averaged with the zero-shot model.

Columns of the rows: ``seed``, of fine-tuning; ``model``: ``"chosen run"``, which has the highest
accuracy on validation images, ``"runs on average"``, which stands for the mean accuracy of all
runs, ``"uniform soup"`` and ``"greedy soup"``; ``members``, of how many runs it is made; ``alpha``;
``reference`` and ``shifts``, accuracies; ``gain_reference`` and ``gain_shifts``, how much more
accurate that is than the chosen run at the same alpha, on the same images, and ``about_reference``
and ``about_shifts``, half the width of its 95 % interval.

Source: Wortsman et al. 2022, "Model soups". Explained in: chapter 13.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial

import numpy as np
import pandas as pd
import torch

from wiseft_tutorial.benchmarks import Benchmark, Split, load_benchmark
from wiseft_tutorial.comparison import hits
from wiseft_tutorial.evaluate import ALPHAS, predict
from wiseft_tutorial.finetune import finetune
from wiseft_tutorial.metrics import accuracy
from wiseft_tutorial.models import ImageClassifier, load_clip
from wiseft_tutorial.results import frontier
from wiseft_tutorial.results._columns import compared
from wiseft_tutorial.weights import greedy_soup, interpolate, uniform_soup
from wiseft_tutorial.zeroshot import zeroshot_classifier

__all__ = ["blend", "jobs", "measure"]

SEEDS = frontier.SEEDS
ALL_RUNS = "runs on average"  # is measured at two alphas only, for time

Models = Mapping[str, Sequence[ImageClassifier]]


def blend(
    runs: Sequence[ImageClassifier], val: Split, *, device: str | torch.device | None = None
) -> tuple[dict[str, list[ImageClassifier]], dict[str, int]]:
    """Choose a run, and make soups of all.

    Args:
        runs: Fine-tuned from one start.
        val: Images of the reference, to choose by.
        device: Where to compute; ``None`` means the best device present.

    Returns:
        Under each name, the models whose accuracies are averaged: one, or all runs; the first name
        is that of the chosen run. And for each name, of how many runs it is made.

    Explained in: chapter 13.
    """

    def score(model: ImageClassifier) -> float:
        return accuracy(predict(model, val, device=device), val.labels).value

    greedy = greedy_soup(runs, score)
    models = {
        "chosen run": [runs[greedy.members[0]]],
        "uniform soup": [uniform_soup(runs)],
        "greedy soup": [greedy.model],
        ALL_RUNS: list(runs),
    }
    return models, dict(zip(models, (1, len(runs), len(greedy.members), len(runs)), strict=True))


def measure(
    zeroshot: ImageClassifier,
    benchmark: Benchmark,
    models: Models,
    alpha: float,
    *,
    device: str | torch.device | None = None,
) -> pd.DataFrame:
    """Average each model with the zero-shot model, and compare them on the same images.

    Args:
        zeroshot: theta_0.
        benchmark: What to measure on.
        models: For each name, the models whose accuracies are averaged; the others are compared
            with the first.
        alpha: The mixing coefficient.
        device: Where to compute; ``None`` means the best device present.

    Returns:
        A row for each name, without ``seed`` and ``members``.

    Explained in: chapter 13.
    """
    splits = benchmark.distributions
    right = {}
    for name, several in models.items():
        averaged = [interpolate(zeroshot, model, alpha) for model in several]
        right[name] = {
            key: np.mean([hits(predict(m, s, device=device), s.labels) for m in averaged], axis=0)
            for key, s in splits.items()
        }
    first = next(iter(right.values()))
    return pd.DataFrame(
        {"model": name, "alpha": alpha, **compared(found, first, benchmark)}
        for name, found in right.items()
    )


def jobs() -> Iterator[tuple[str, Callable[[], pd.DataFrame]]]:
    """The runs whose rows lie in the package: a label, and what makes the rows."""
    for seed in SEEDS:
        for alpha in ALPHAS:
            yield f"{seed} {alpha:g}", partial(_job, seed, alpha)


def _job(seed: int, alpha: float) -> pd.DataFrame:
    zeroshot, benchmark, models, members = _start(seed)
    if alpha not in (0.5, 1.0):
        models = {name: several for name, several in models.items() if name != ALL_RUNS}
    rows = measure(zeroshot, benchmark, models, alpha)
    return rows.assign(seed=seed, members=rows["model"].map(members))


@cache
def _start(seed: int) -> tuple[ImageClassifier, Benchmark, Models, dict[str, int]]:
    """The runs come from the cache, if the frontier was measured on this machine."""
    benchmark = load_benchmark("pocket", test_images=frontier.TEST_IMAGES)
    benchmark = benchmark.few_shot(frontier.SHOTS)
    zeroshot = zeroshot_classifier(load_clip("pocket"), benchmark)
    recipes = [recipe for varied in frontier.recipes(seed).values() for recipe in varied]
    runs = [finetune(zeroshot, benchmark, recipe, progress=False) for recipe in recipes]
    return zeroshot, benchmark, *blend(runs, benchmark.val)

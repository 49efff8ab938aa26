"""Other references, other shifts, little data: what averaging gains on other benchmarks.

Columns of the rows: ``benchmark``; ``method``; ``k``, training images of each class; ``seed``, of
the choice of images and of the run; ``alpha``; ``distribution`` and its ``kind``; ``accuracy`` with
``low``, ``high`` and ``n``; ``val_accuracy`` of the fine-tuned model.

Source: tables 2 and 6; figures 9 and 16 to 19. Explained in: chapter 7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial

import pandas as pd
import torch

from wiseft_tutorial.benchmarks import Benchmark, load_benchmark
from wiseft_tutorial.evaluate import ALPHAS, alpha_sweep
from wiseft_tutorial.finetune import finetune
from wiseft_tutorial.models import ImageClassifier, load_clip
from wiseft_tutorial.recipe import Method, default_recipe
from wiseft_tutorial.zeroshot import zeroshot_classifier

__all__ = ["BENCHMARKS", "SHOTS", "jobs", "measure"]

BENCHMARKS = ("pocket", "pocket-others", "pocket-prints", "pocket-ink", "pocket-angles")
SEEDS = (0, 1, 2)
RUNS = SEEDS[:1]  # end to end
MANY = 50  # training images of each class, end to end
SHOTS = (1, 5, 10, 25, 50)  # for linear classifiers
COARSE = (0.0, 0.2, 0.4, 0.5, 0.6, 0.8, 1.0)  # alphas end to end, where each costs a pass
TEST_IMAGES = 400  # of each distribution


def measure(
    zeroshot: ImageClassifier,
    benchmark: Benchmark,
    method: Method,
    k: int,
    *,
    seed: int = 0,
    alphas: Sequence[float] = ALPHAS,
    distributions: Sequence[str] | None = None,
    device: str | torch.device | None = None,
) -> pd.DataFrame:
    """Fine-tune on a few images of each class, and average the result with its start.

    Args:
        zeroshot: Where to start.
        benchmark: What to train on and to measure on.
        method: ``"e2e"`` or ``"lc"``.
        k: Training images of each class.
        seed: Of the choice of images, their order and their crops.
        alphas: Mixing coefficients.
        distributions: On which to measure; ``None`` means all.
        device: Where to compute; ``None`` means the best device present.

    Returns:
        A row for each alpha and distribution.

    Source: table 2 and figure 17. Explained in: chapter 7.
    """
    few = benchmark.few_shot(k, seed=seed)
    recipe = default_recipe("pocket", method, seed=seed)
    tuned = finetune(zeroshot, few, recipe, device=device, progress=False)
    sweep = alpha_sweep(
        zeroshot,
        tuned,
        benchmark,
        alphas=alphas,
        distributions=distributions,
        device=device,
        progress=False,
    )
    assert tuned.history is not None
    return sweep.assign(
        benchmark=benchmark.name,
        method=method,
        k=k,
        seed=seed,
        val_accuracy=tuned.history["val_accuracy"].iloc[-1],
    )


def jobs() -> Iterator[tuple[str, Callable[[], pd.DataFrame]]]:
    """The runs whose rows lie in the package: a label, and what makes the rows."""
    for name in BENCHMARKS:
        for seed in RUNS:
            yield f"{name} e2e {seed}", partial(_job, name, "e2e", MANY, seed)
        for k in SHOTS:
            for seed in SEEDS:
                yield f"{name} lc {k} {seed}", partial(_job, name, "lc", k, seed)


def _job(name: str, method: Method, k: int, seed: int) -> pd.DataFrame:
    benchmark, zeroshot = _start(name)
    if method == "e2e":
        return measure(zeroshot, benchmark, method, k, seed=seed, alphas=COARSE)
    only = [benchmark.test.name]  # as in the paper's figures
    return measure(zeroshot, benchmark, method, k, seed=seed, distributions=only)


@cache
def _start(name: str) -> tuple[Benchmark, ImageClassifier]:
    benchmark = load_benchmark(name, train_per_class=max(SHOTS), test_images=TEST_IMAGES)
    return benchmark, zeroshot_classifier(load_clip("pocket"), benchmark)

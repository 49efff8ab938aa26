"""Averaged weights and averaged outputs of the same two models, for several benchmarks and seeds.

Columns of the rows: ``seed``, of the benchmark, of the training images and of fine-tuning, so that
with each everything is new but the zero-shot model; ``alpha``; ``way``, how the two models are
combined: ``"weights"``, ``"outputs"``, ``"probabilities"`` or ``"mirror"``, which is averaged
weights that look at each image and at its mirror image; ``reference`` and ``shifts``, accuracies;
``gain_reference`` and ``gain_shifts``, how much more accurate that is than averaged weights on the
same images, and ``about_reference`` and ``about_shifts``, half the width of its 95 % interval.

Source: appendix C.3.1, figure 10; appendix C.3.3, figure 13. Explained in: chapter 8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial

import pandas as pd
import torch
from torch import Tensor

from wiseft_tutorial.benchmarks import Benchmark, Split, load_benchmark
from wiseft_tutorial.comparison import hits
from wiseft_tutorial.evaluate import ALPHAS, predict
from wiseft_tutorial.finetune import finetune
from wiseft_tutorial.models import ImageClassifier, load_clip
from wiseft_tutorial.outputs import ensemble_logits, ensemble_probabilities
from wiseft_tutorial.recipe import default_recipe
from wiseft_tutorial.results._columns import compared
from wiseft_tutorial.weights import interpolate
from wiseft_tutorial.zeroshot import zeroshot_classifier

__all__ = ["jobs", "measure"]

SEEDS = (0, 1, 2)
SHOTS = 50  # training images of each class
TEST_IMAGES = 480  # of each distribution
WAYS = ("weights", "outputs", "probabilities", "mirror")

Logits = Mapping[str, Tensor]


def measure(
    zeroshot: ImageClassifier,
    finetuned: ImageClassifier,
    benchmark: Benchmark,
    alpha: float,
    *,
    ends: tuple[Logits, Logits] | None = None,
    device: str | torch.device | None = None,
) -> pd.DataFrame:
    """Combine two models in four ways at one alpha.

    Args:
        zeroshot: theta_0.
        finetuned: theta_1.
        benchmark: What to measure on.
        alpha: The mixing coefficient.
        ends: The logits of both models by distribution, where they are known.
        device: Where to compute; ``None`` means the best device present.

    Returns:
        A row for each way, without ``seed``.

    Source: figures 10 and 13. Explained in: chapter 8.
    """
    splits = benchmark.distributions
    first, last = ends or [_logits(model, splits, device) for model in (zeroshot, finetuned)]
    average = interpolate(zeroshot, finetuned, alpha)
    plain = _logits(average, splits, device)
    mirrored = _logits(average, {name: _mirror(split) for name, split in splits.items()}, device)
    answers = {
        "weights": plain,
        "outputs": {n: ensemble_logits(first[n], last[n], alpha) for n in splits},
        "probabilities": {n: ensemble_probabilities(first[n], last[n], alpha) for n in splits},
        "mirror": {n: ensemble_logits(plain[n], mirrored[n], 0.5) for n in splits},
    }
    right = {way: {n: hits(z[n], splits[n].labels) for n in splits} for way, z in answers.items()}
    return pd.DataFrame(
        {"alpha": alpha, "way": way, **compared(right[way], right["weights"], benchmark)}
        for way in WAYS
    )


def jobs() -> Iterator[tuple[str, Callable[[], pd.DataFrame]]]:
    """The runs whose rows lie in the package: a label, and what makes the rows."""
    for seed in SEEDS:
        for alpha in ALPHAS:
            yield f"{seed} {alpha:g}", partial(_job, seed, alpha)


def _job(seed: int, alpha: float) -> pd.DataFrame:
    zeroshot, finetuned, benchmark, ends = _start(seed)
    return measure(zeroshot, finetuned, benchmark, alpha, ends=ends).assign(seed=seed)


@cache
def _start(seed: int) -> tuple[ImageClassifier, ImageClassifier, Benchmark, tuple[Logits, Logits]]:
    benchmark = load_benchmark("pocket", test_images=TEST_IMAGES, seed=seed)
    benchmark = benchmark.few_shot(SHOTS, seed=seed)
    zeroshot = zeroshot_classifier(load_clip("pocket"), benchmark)
    recipe = default_recipe("pocket", "e2e", seed=seed)
    finetuned = finetune(zeroshot, benchmark, recipe, progress=False)
    splits = benchmark.distributions
    ends = _logits(zeroshot, splits, None), _logits(finetuned, splits, None)
    return zeroshot, finetuned, benchmark, ends


def _logits(
    model: ImageClassifier, splits: Mapping[str, Split], device: str | torch.device | None
) -> Logits:
    return {name: predict(model, split, device=device) for name, split in splits.items()}


def _mirror(split: Split) -> Split:
    return replace(split, images=split.images.flip(-1))

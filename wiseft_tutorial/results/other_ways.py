"""Other ways to stay robust: each with and without averaging, over several seeds and subsets.

Columns of the rows: ``way``; ``seed``, of the choice of images and of the run; ``seen``, how many
images the run trained on, each counted as often as it came; ``alpha``; ``reference`` and
``shifts``, accuracies, with ``_low`` and ``_high``.

Source: appendix C.3.3 and table 7. Explained in: chapter 14.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from wiseft_tutorial.benchmarks import Benchmark, load_benchmark
from wiseft_tutorial.evaluate import alpha_sweep, summarise
from wiseft_tutorial.finetune import finetune, lp_ft
from wiseft_tutorial.flyp import finetune_contrastively
from wiseft_tutorial.models import Clip, ImageClassifier, load_clip
from wiseft_tutorial.pocket.replay import replay_split
from wiseft_tutorial.prompts import learn_prompt
from wiseft_tutorial.recipe import Recipe, default_recipe
from wiseft_tutorial.zeroshot import zeroshot_classifier

__all__ = ["WAYS", "jobs", "joined", "measure", "random_head"]

SEEDS = (0, 1, 2)
SHOTS = 12  # training images of each class; the paper, in table 7, has 16
TEST_IMAGES = 400  # of each distribution
ALPHAS = (0.0, 0.5, 1.0)
PENALTY = 0.05  # on the squared distance from the start
SHARE = 0.5  # of the loss that asks for the start's answers
PROMPT_RATE, PROMPT_EPOCHS, WORDS = 0.03, 20, 4
WAYS = (
    "fine-tuned",
    "linear classifier",
    "penalty",
    "distillation",
    "LP-FT",
    "FLYP",
    "learned prompt",
    "random head",
    "random head, LP-FT",
    "joint training",
    "joint training, twice the cost",
)
"""The ways that are compared."""


def random_head(model: ImageClassifier, *, seed: int = 0) -> ImageClassifier:
    """The same encoder with a head that knows nothing, its rows as long as they were.

    Args:
        model: Left untouched.
        seed: Which head.

    Explained in: chapter 14.
    """
    blank, weight = copy.deepcopy(model), model.head.weight.detach()
    noise = torch.randn(weight.shape, generator=torch.Generator().manual_seed(seed))
    rows = F.normalize(noise, dim=1).to(weight.device)
    blank.head.weight = nn.Parameter(weight.norm(dim=1, keepdim=True) * rows)
    return blank


def joined(benchmark: Benchmark, *, seed: int = 0) -> Benchmark:
    """A benchmark with a replayed picture of the same class beside each training image.

    Args:
        benchmark: Whose class names Pocket-CLIP's pre-training knows.
        seed: Which pictures.

    Explained in: chapter 14.
    """
    each = len(benchmark.train) // len(benchmark.classnames)
    replay = replay_split(benchmark.classnames, each, seed=seed)
    return replace(benchmark, train=benchmark.train.joined(replay))


def measure(
    clip: Clip,
    benchmark: Benchmark,
    way: str,
    *,
    seed: int = 0,
    alphas: Sequence[float] = ALPHAS,
    device: str | torch.device | None = None,
) -> pd.DataFrame:
    """Train in one way, and average the result with the zero-shot classifier.

    Args:
        clip: Where to start.
        benchmark: What to train on, all of it, and to measure on.
        way: One of :data:`WAYS`.
        seed: Of the run.
        alphas: Mixing coefficients.
        device: Where to compute; ``None`` means the best device present.

    Returns:
        A row for each alpha.

    Source: appendix C.3.3 and table 7. Explained in: chapter 14.
    """
    few = replace(benchmark, val=benchmark.val.head(len(benchmark.classnames)))  # for the history
    zeroshot = zeroshot_classifier(clip, few)
    everything = default_recipe("pocket", "e2e", seed=seed)
    head = default_recipe("pocket", "lc", seed=seed)
    options: dict[str, Any] = {"device": device, "progress": False}
    images = len(few.train)

    def tune(recipe: Recipe, start: ImageClassifier = zeroshot) -> ImageClassifier:
        return finetune(start, few, recipe, **options)

    def flyp() -> ImageClassifier:
        return zeroshot_classifier(finetune_contrastively(clip, few, everything, **options), few)

    def joint(epochs: int) -> ImageClassifier:
        both, recipe = joined(few, seed=seed), replace(everything, epochs=epochs)
        return finetune(zeroshot, both, recipe, **options)

    prompt = replace(head, method="e2e", lr=PROMPT_RATE, epochs=PROMPT_EPOCHS, weight_decay=0.0)
    blank, whole = partial(random_head, zeroshot, seed=seed), everything.epochs
    made: dict[str, tuple[Callable[[], ImageClassifier], int]] = {
        "fine-tuned": (lambda: tune(everything), whole),
        "linear classifier": (lambda: tune(head), head.epochs),
        "penalty": (lambda: tune(replace(everything, l2_to_init=PENALTY)), whole),
        "distillation": (lambda: tune(replace(everything, distillation=SHARE)), whole),
        "LP-FT": (lambda: lp_ft(zeroshot, few, head, everything, **options), whole),
        "FLYP": (flyp, whole),
        "learned prompt": (
            lambda: learn_prompt(clip, few, prompt, length=WORDS, **options),
            PROMPT_EPOCHS,
        ),
        "random head": (lambda: tune(everything, blank()), whole),
        "random head, LP-FT": (lambda: lp_ft(blank(), few, head, everything, **options), whole),
        "joint training": (lambda: joint(whole // 2), whole),
        "joint training, twice the cost": (lambda: joint(whole), 2 * whole),
    }
    make, passes = made[way]
    sweep = alpha_sweep(zeroshot, make(), benchmark, alphas=alphas, device=device, progress=False)
    return summarise(sweep).assign(way=way, seed=seed, seen=passes * images)


def jobs() -> Iterator[tuple[str, Callable[[], pd.DataFrame]]]:
    """The runs whose rows lie in the package: a label, and what makes the rows."""
    for seed in SEEDS:
        for way in WAYS:
            yield f"{seed} {way}", partial(_job, way, seed)


def _job(way: str, seed: int) -> pd.DataFrame:
    clip, benchmark = _start()
    return measure(clip, benchmark.few_shot(SHOTS, seed=seed), way, seed=seed)


@cache
def _start() -> tuple[Clip, Benchmark]:
    return load_clip("pocket"), load_benchmark("pocket", test_images=TEST_IMAGES)

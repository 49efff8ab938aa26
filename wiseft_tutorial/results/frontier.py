"""The hyper-parameter frontier: what a run gives that was set up otherwise, and its averages.

Columns of the rows: ``family``, what was varied; ``optimiser``, ``lr``, ``epochs``, ``l2_to_init``,
``crop`` (the least share of an image that a crop keeps), ``seed`` and ``step``, the run; ``alpha``;
``reference`` and ``shifts``, accuracies, with ``_low`` and ``_high``; ``val_accuracy`` and
``weight_step`` of the fine-tuned model.

Source: section 4 and figure 3; appendix C.4 for its twin with more augmentation.
Explained in: chapter 6.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

import pandas as pd
import torch

from wiseft_tutorial.benchmarks import Benchmark, load_benchmark
from wiseft_tutorial.evaluate import alpha_sweep, predict, summarise
from wiseft_tutorial.finetune import finetune
from wiseft_tutorial.metrics import accuracy
from wiseft_tutorial.models import ImageClassifier, load_clip
from wiseft_tutorial.recipe import Recipe, default_recipe
from wiseft_tutorial.trajectory import Snapshots
from wiseft_tutorial.weights import weight_step
from wiseft_tutorial.zeroshot import zeroshot_classifier

__all__ = ["follow", "jobs", "measure", "recipes"]

SEEDS = (0, 1)  # of fine-tuning
SHOTS = 50  # training images of each class
TEST_IMAGES = 400  # of each distribution
ALPHAS = (0.0, 0.2, 0.4, 0.5, 0.6, 0.8, 1.0)
LONG = 8  # epochs
STOPS = (2, 4, 8, 16, 32, 48, 64, 96, 128)  # steps of the run that is looked at on its way
STRONGER = (0.3, 1.0)  # crops of the twin


def recipes(seed: int = 0) -> dict[str, list[Recipe]]:
    """The recipes that are compared, by what is varied in them.

    Args:
        seed: Of all of them.

    Returns:
        Lists of recipes: learning rates and epochs; the same with stronger crops; other optimisers;
        and a penalty on the distance from the start.
    """
    base = partial(default_recipe, "pocket", "e2e", seed=seed)
    rates, epochs = (1e-4, 3e-4, 6e-4, 1.2e-3, 2.4e-3), (2, 4, LONG)
    return {
        "rate and epochs": [base(lr=lr, epochs=n) for n in epochs for lr in rates],
        "stronger crops": [base(lr=lr, epochs=LONG, crop_scale=STRONGER) for lr in rates[1:4]],
        "optimiser": [
            *(base(lr=lr, optimiser="sgd", weight_decay=0.0) for lr in (0.03, 0.3)),
            *(base(lr=lr, optimiser="adam", weight_decay=0.0) for lr in (3e-4, 1.2e-3)),
        ],
        "penalty": [base(l2_to_init=penalty) for penalty in (1e-3, 1e-2, 1e-1)],
    }


def measure(
    zeroshot: ImageClassifier,
    benchmark: Benchmark,
    recipe: Recipe,
    *,
    alphas: Sequence[float] = ALPHAS,
    device: str | torch.device | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Fine-tune by one recipe, and average the result with its start.

    Args:
        zeroshot: Where to start.
        benchmark: What to train on and to measure on.
        recipe: The run.
        alphas: Mixing coefficients, 0 and 1 among them.
        device: Where to compute; ``None`` means the best device present.
        progress: Show progress bars.

    Returns:
        A row for each alpha, without ``family`` and ``step``.

    Source: figure 3. Explained in: chapter 6.
    """
    tuned = finetune(zeroshot, benchmark, recipe, device=device, progress=progress)
    sweep = alpha_sweep(zeroshot, tuned, benchmark, alphas=alphas, device=device, progress=progress)
    assert tuned.history is not None
    return summarise(sweep).assign(
        **_described(recipe),
        val_accuracy=tuned.history["val_accuracy"].iloc[-1],
        weight_step=weight_step(zeroshot, tuned),
    )


def follow(
    zeroshot: ImageClassifier,
    benchmark: Benchmark,
    recipe: Recipe,
    steps: Collection[int],
    *,
    device: str | torch.device | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Fine-tune by one recipe, and measure the model on its way: what early stopping would give.

    Args:
        zeroshot: Where to start.
        benchmark: What to train on and to measure on.
        recipe: The run.
        steps: After which steps to measure; the start is step 0.
        device: Where to compute; ``None`` means the best device present.
        progress: Show a progress bar.

    Returns:
        A row for each step, without ``family``; ``alpha`` is 1.

    Source: figure 3, early stopping. Explained in: chapter 6.
    """
    kept = Snapshots(zeroshot, steps)
    finetune(zeroshot, benchmark, recipe, device=device, watch=kept, progress=progress)
    frames = []
    for step, model in kept.models().items():
        at_step = alpha_sweep(
            zeroshot, model, benchmark, alphas=(1.0,), device=device, progress=False
        )
        right = accuracy(predict(model, benchmark.val, device=device), benchmark.val.labels)
        frames.append(
            summarise(at_step).assign(
                **_described(recipe),
                step=step,
                val_accuracy=right.value,
                weight_step=weight_step(zeroshot, model),
            )
        )
    return pd.concat(frames, ignore_index=True)


def jobs() -> Iterator[tuple[str, Callable[[], pd.DataFrame]]]:
    """The runs whose rows lie in the package: a label, and what makes the rows."""
    benchmark = load_benchmark("pocket", test_images=TEST_IMAGES).few_shot(SHOTS)
    zeroshot = zeroshot_classifier(load_clip("pocket"), benchmark)

    def curve(family: str, recipe: Recipe) -> pd.DataFrame:
        return measure(zeroshot, benchmark, recipe).assign(family=family)

    def way(recipe: Recipe) -> pd.DataFrame:
        return follow(zeroshot, benchmark, recipe, STOPS).assign(family="early stopping")

    for seed in SEEDS:
        for family, varied in recipes(seed).items():
            for position, recipe in enumerate(varied):
                yield f"{seed} {family} {position}", partial(curve, family, recipe)
        yield (
            f"{seed} early stopping",
            partial(way, default_recipe("pocket", epochs=LONG, seed=seed)),
        )


def _described(recipe: Recipe) -> dict[str, str | float]:
    return {
        "optimiser": recipe.optimiser,
        "lr": recipe.lr,
        "epochs": recipe.epochs,
        "l2_to_init": recipe.l2_to_init,
        "crop": recipe.crop_scale[0] if recipe.crop_scale else 1.0,
        "seed": recipe.seed,
    }

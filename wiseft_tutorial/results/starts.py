"""Where fine-tuning and averaging begin: with words, with labels, or with a head of another kind.

Columns of the rows: ``seed``, of the benchmark, of the training images and of fine-tuning;
``start``: ``"captions"`` (Pocket-CLIP with a head of words), ``"labels"`` (Pocket-Labels with the
rows of its head), ``"labels, few images"`` (its encoder, and a head of the mean features of a few
training images of each class) and ``"labels, random head"`` (its encoder, and random directions),
both with the scale of the second, and ``"labels, low rate"``, the second start at a lower learning
rate; ``alpha``; ``validation``, ``reference`` and ``shifts``, accuracies; and ``weight_step`` of
the fine-tuned model.

Source: section 4, figure 4. Explained in: chapter 16.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from wiseft_tutorial.benchmarks import Benchmark, load_benchmark
from wiseft_tutorial.evaluate import alpha_sweep, summarise
from wiseft_tutorial.finetune import finetune
from wiseft_tutorial.inference import encode_images, evaluation_copy
from wiseft_tutorial.models import ImageClassifier, load_clip
from wiseft_tutorial.recipe import Recipe, default_recipe
from wiseft_tutorial.supervised import load_supervised, select_classes
from wiseft_tutorial.weights import weight_step
from wiseft_tutorial.zeroshot import zeroshot_classifier

__all__ = ["few_images_head", "jobs", "measure", "random_head", "with_head"]

SEEDS = (0, 1, 2)
SHOTS = 50  # training images of each class
FEW = 5  # images of each class, for a head
TEST_IMAGES = 240  # of each distribution
ALPHAS = (0.0, 0.2, 0.4, 0.5, 0.6, 0.8, 1.0)
LOW_RATE = 1e-4  # the lowest of those that the experiment "frontier" tries
STARTS = ("captions", "labels", "labels, few images", "labels, random head", "labels, low rate")


def with_head(
    model: ImageClassifier, directions: Tensor, classnames: Sequence[str] | None = None
) -> ImageClassifier:
    """A copy of a classifier with other directions in its head.

    Args:
        model: Left untouched; its head's mean length of rows is kept.
        directions: (K, D), of any lengths.
        classnames: The K classes; ``None`` means the model's.

    Explained in: chapter 16.
    """
    head = model.head.weight.detach()
    length = head.norm(dim=1).mean()
    return ImageClassifier(
        copy.deepcopy(model.image_encoder),
        length * F.normalize(directions.to(head), dim=1),
        classnames=classnames or model.classnames,
        clip_name=model.clip_name,
        image_size=model.image_size,
        mean=model.mean.tolist(),
        std=model.std.tolist(),
        provenance={**model.provenance, "head": "another"},
    ).eval()


def few_images_head(
    model: ImageClassifier,
    benchmark: Benchmark,
    count: int = FEW,
    *,
    seed: int = 0,
    device: str | torch.device | None = None,
) -> ImageClassifier:
    """A copy of a classifier whose head is the mean feature of a few training images of each class.

    Args:
        model: Left untouched.
        benchmark: Gives the training images and the class names.
        count: Images of each class.
        seed: Which ones.
        device: Where to compute; ``None`` means the best device present.

    Explained in: chapter 16.
    """
    few = benchmark.few_shot(count, seed=seed).train
    features = encode_images(evaluation_copy(model, device=device), few.images).float()
    members = F.one_hot(few.labels, len(benchmark.classnames)).to(features)
    return with_head(model, members.T @ features, benchmark.classnames)


def random_head(model: ImageClassifier, *, seed: int = 0) -> ImageClassifier:
    """A copy of a classifier with a head of random directions.

    Args:
        model: Left untouched.
        seed: Which ones.

    Explained in: chapter 16.
    """
    generator = torch.Generator().manual_seed(seed)
    return with_head(model, torch.randn(model.head.weight.shape, generator=generator))


def measure(
    start: ImageClassifier,
    benchmark: Benchmark,
    recipe: Recipe,
    *,
    device: str | torch.device | None = None,
) -> pd.DataFrame:
    """Fine-tune from a start, and average the result with it.

    Args:
        start: theta_0.
        benchmark: What to train on and to measure on.
        recipe: The run.
        device: Where to compute; ``None`` means the best device present.

    Returns:
        A row for each alpha, without ``seed`` and ``start``.

    Explained in: chapter 16.
    """
    finetuned = finetune(start, benchmark, recipe, device=device, progress=False)
    sweep = partial(
        alpha_sweep, start, finetuned, benchmark, alphas=ALPHAS, device=device, progress=False
    )
    validation = sweep(distributions={"validation": benchmark.val})
    rows = summarise(sweep())[["alpha", "reference", "shifts"]]
    rows.insert(1, "validation", validation["accuracy"].to_numpy())
    return rows.assign(weight_step=weight_step(start, finetuned))


def jobs() -> Iterator[tuple[str, Callable[[], pd.DataFrame]]]:
    """The runs whose rows lie in the package: a label, and what makes the rows."""
    for seed in SEEDS:
        for start in STARTS:
            yield f"{seed} {start}", partial(_job, seed, start)


def _job(seed: int, name: str) -> pd.DataFrame:
    benchmark = load_benchmark("pocket", test_images=TEST_IMAGES, seed=seed)
    benchmark = benchmark.few_shot(SHOTS, seed=seed)
    labelled = select_classes(load_supervised("pocket-labels"), benchmark.classnames)
    start = {
        "captions": lambda: zeroshot_classifier(load_clip("pocket"), benchmark),
        "labels": lambda: labelled,
        "labels, few images": lambda: few_images_head(labelled, benchmark, seed=seed),
        "labels, random head": lambda: random_head(labelled, seed=seed),
        "labels, low rate": lambda: labelled,
    }[name]()
    rate = {"lr": LOW_RATE} if name == "labels, low rate" else {}
    rows = measure(start, benchmark, default_recipe("pocket", "e2e", seed=seed, **rate))
    return rows.assign(seed=seed, start=name)

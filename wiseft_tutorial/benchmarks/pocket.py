"""Pocket: ImageNet and five natural shifts in miniature, drawn rather than downloaded.

Explained in: chapter 1.
"""

from __future__ import annotations

import hashlib

import torch
from torch import Generator, Tensor

from wiseft_tutorial.benchmarks.benchmark import Benchmark
from wiseft_tutorial.benchmarks.split import Split
from wiseft_tutorial.pocket.adversary import is_hard
from wiseft_tutorial.pocket.captions import TEMPLATES
from wiseft_tutorial.pocket.drawing import draw
from wiseft_tutorial.pocket.objects import CLASSNAMES, POCKET_CLASSES
from wiseft_tutorial.pocket.styles import CANDIDATES, SHIFTS, STYLES, Style

__all__ = ["draw_split", "pocket", "seeded"]

REFERENCE = "Pocket"


def pocket(
    *, train_per_class: int = 100, val_per_class: int = 25, test_images: int = 2000, seed: int = 0
) -> Benchmark:
    """Draw the benchmark: forty everyday objects under six distributions, 48 x 48 pixels.

    Args:
        train_per_class: reference images per class to fine-tune on.
        val_per_class: reference images per class to choose alpha or a recipe on.
        test_images: images of each of the six test sets (rounded to whole classes, except for
            Pocket-A, whose classes are as uneven as the adversary's mistakes).
        seed: another seed gives another benchmark of the same kind, every image new.

    Explained in: chapter 1.
    """
    per_class = max(1, round(test_images / len(POCKET_CLASSES)))
    return Benchmark(
        name="pocket",
        classnames=tuple(CLASSNAMES[k] for k in POCKET_CLASSES),
        templates=TEMPLATES,
        train=draw_split(REFERENCE, "train", train_per_class, seed=seed),
        val=draw_split(REFERENCE, "val", val_per_class, seed=seed),
        test=draw_split(REFERENCE, "test", per_class, seed=seed),
        shifts={name: draw_split(name, "test", per_class, seed=seed) for name in SHIFTS},
    )


def draw_split(distribution: str, purpose: str, per_class: int, *, seed: int = 0) -> Split:
    """Draw one split: ``per_class`` images of each class, the same for the same arguments.

    Args:
        distribution: "Pocket" or the name of one of its shifts.
        purpose: "train", "val", "test" or any other word; each gives other images.
        per_class: images per class; for Pocket-A, the mean over classes.
        seed: the benchmark's seed.

    Returns:
        The split, its classes in turn, so that every prefix is nearly balanced.
    """
    generator = seeded(distribution, purpose, seed)
    if distribution == "Pocket-A":
        images, labels = _hard_images(per_class * len(POCKET_CLASSES), generator)
    else:
        labels = torch.arange(len(POCKET_CLASSES)).repeat(per_class)
        images = _draw(labels, STYLES[distribution], generator)
    return Split(name=distribution, images=images, labels=labels)


def seeded(distribution: str, purpose: str, seed: int) -> Generator:
    """A generator for one split: other names and other seeds give other images.

    Args:
        distribution: What is drawn.
        purpose: What for.
        seed: The benchmark's.
    """
    digest = hashlib.sha256(f"{distribution}/{purpose}/{seed}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:6], "big"))


def _draw(labels: Tensor, style: Style, generator: Generator) -> Tensor:
    return draw(torch.tensor(POCKET_CLASSES)[labels], style, generator).images


def _hard_images(count: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """The first ``count`` candidates that the adversary gets wrong."""
    images, labels, found = [], [], 0
    while found < count:
        candidates = torch.randint(len(POCKET_CLASSES), (1000,), generator=generator)
        drawn = _draw(candidates, CANDIDATES, generator)
        hard = is_hard(drawn, candidates)
        images.append(drawn[hard])
        labels.append(candidates[hard])
        found += int(hard.sum())
    return torch.cat(images)[:count], torch.cat(labels)[:count]

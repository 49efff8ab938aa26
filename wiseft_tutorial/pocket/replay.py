"""Drawings from the world in which Pocket-CLIP learnt to see: its pre-training data, replayed.

Explained in: chapter 14.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from wiseft_tutorial.benchmarks.pocket import seeded
from wiseft_tutorial.benchmarks.split import Split
from wiseft_tutorial.errors import DataError, unknown
from wiseft_tutorial.pocket.drawing import IMAGE_SIZE, draw
from wiseft_tutorial.pocket.objects import CLASSNAMES
from wiseft_tutorial.pocket.styles import WEB

__all__ = ["replay_split"]


def replay_split(classnames: Sequence[str], per_class: int, *, seed: int = 0) -> Split:
    """Draw labelled pictures as pre-training did: in its styles, as often as it drew each.

    They are new pictures of the same world, restricted to some of its objects. The labels are what
    was drawn, always; in pre-training, a tenth of the captions named another object instead, and
    another tenth none.

    Args:
        classnames: The classes, in the order in which labels are to number them: those of a
            benchmark whose training images the pictures are to join.
        per_class: Pictures of each class.
        seed: Which pictures.

    Returns:
        The split, its classes in turn, each picture in a style of its own.

    Raises:
        UnknownNameError: Pre-training had no such object; names the nearest.
        DataError: ``per_class`` is smaller than 1, or a class comes twice.

    Explained in: chapter 14.
    """
    if per_class < 1 or len(set(classnames)) < len(classnames):
        raise DataError(
            f"{per_class} pictures of each of {len(set(classnames))} different classes, named by "
            f"{len(classnames)} names, were asked for; ask for at least 1, of each class once"
        )
    for name in classnames:
        if name not in CLASSNAMES:
            raise unknown("object of Pocket-CLIP's world", name, CLASSNAMES)
    generator = seeded("pre-training", "replay", seed)
    labels = torch.arange(len(classnames)).repeat(per_class)
    objects = torch.tensor([CLASSNAMES.index(name) for name in classnames])[labels]
    shares = torch.tensor([share for share, _ in WEB.values()])
    styles = torch.multinomial(shares, len(labels), replacement=True, generator=generator)
    images = torch.empty(len(labels), 3, IMAGE_SIZE, IMAGE_SIZE, dtype=torch.uint8)
    for position, (_, style) in enumerate(WEB.values()):
        here = styles == position
        if here.any():
            images[here] = draw(objects[here], style, generator).images
    return Split(name="pre-training", images=images, labels=labels)

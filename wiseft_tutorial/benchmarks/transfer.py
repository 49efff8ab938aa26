"""Other things to fine-tune Pocket-CLIP on: objects that Pocket leaves out, and other references.

Explained in: chapter 7.
"""

from __future__ import annotations

from functools import partial

import torch

from wiseft_tutorial.benchmarks.benchmark import Benchmark
from wiseft_tutorial.benchmarks.pocket import seeded
from wiseft_tutorial.benchmarks.split import Split
from wiseft_tutorial.errors import unknown
from wiseft_tutorial.pocket.captions import TEMPLATES
from wiseft_tutorial.pocket.drawing import draw
from wiseft_tutorial.pocket.objects import CLASSNAMES, POCKET_CLASSES
from wiseft_tutorial.pocket.styles import STYLES

__all__ = ["angles", "ink", "others", "prints", "transfer"]

_OTHERS = tuple(k for k in range(len(CLASSNAMES)) if k not in POCKET_CLASSES)
_KINDS = {
    "others": (_OTHERS, "Pocket"),
    "prints": (POCKET_CLASSES, "Pocket-R"),
    "ink": (POCKET_CLASSES, "Pocket-Sketch"),
    "angles": (POCKET_CLASSES, "Pocket-Object"),
}


def transfer(
    kind: str,
    *,
    train_per_class: int = 50,
    val_per_class: int = 10,
    test_images: int = 1000,
    seed: int = 0,
) -> Benchmark:
    """Draw a benchmark with another reference than Pocket's; its other styles are the shifts.

    Args:
        kind: ``"others"``, the objects that Pocket leaves out, in photographs; or Pocket's objects
            as ``"prints"``, in ``"ink"``, or at odd ``"angles"``.
        train_per_class: Reference images per class to fine-tune on.
        val_per_class: Reference images per class to choose on.
        test_images: Images of each test set, rounded to whole classes.
        seed: Another seed gives other images.

    Returns:
        The benchmark, called ``pocket-`` and its kind. Distributions are called as Pocket's are,
        and ``Others...`` if the objects are others.

    Raises:
        UnknownNameError: There is no such kind; names the nearest.

    Source: after the transfer data sets of table 2. Explained in: chapter 7.
    """
    if kind not in _KINDS:
        raise unknown("kind", kind, _KINDS)
    classes, reference = _KINDS[kind]
    things = torch.tensor(classes)
    family = "Others" if classes is _OTHERS else "Pocket"

    def drawn(style: str, purpose: str, per_class: int) -> Split:
        labels = torch.arange(len(things)).repeat(per_class)
        generator = seeded(f"{kind}: {style}", purpose, seed)
        images = draw(things[labels], STYLES[style], generator).images
        return Split(style.replace("Pocket", family), images, labels)

    per_class = max(1, round(test_images / len(things)))
    tests = [drawn(style, "test", per_class) for style in STYLES if style != reference]
    return Benchmark(
        name=f"pocket-{kind}",
        classnames=tuple(CLASSNAMES[k] for k in classes),
        templates=TEMPLATES,
        train=drawn(reference, "train", train_per_class),
        val=drawn(reference, "val", val_per_class),
        test=drawn(reference, "test", per_class),
        shifts={split.name: split for split in tests},
    )


others, prints, ink, angles = (partial(transfer, kind) for kind in _KINDS)

"""A zero-shot classifier without words: the rows of a head that was pre-trained with labels.

A network that learnt to name all objects of its world has a row of weights for each of them. Where
the classes of a benchmark are among them, those rows are a head for it, and no image of the
benchmark was needed.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F

from wiseft_tutorial._files import read_tensors
from wiseft_tutorial.errors import CheckpointError, DataError, unknown
from wiseft_tutorial.models import ImageClassifier, load_clip

__all__ = ["load_supervised", "select_classes"]

_SHIPPED = {"pocket-labels": Path(__file__).with_name("pocket") / "pocket-labels.safetensors"}
_KEYS = {"head.weight", "logit_scale"}


def load_supervised(
    name: str = "pocket-labels",
    *,
    pretrained: str | os.PathLike[str] | None = None,
    device: str | torch.device | None = None,
) -> ImageClassifier:
    """Load a classifier that was pre-trained with labels instead of captions.

    Args:
        name: ``"pocket-labels"``, which comes with this package: Pocket-CLIP's image tower, and a
            head for the 64 objects of the world that both were pre-trained on.
        pretrained: A file that ``wiseft_tutorial.pocket.pretrain`` wrote, instead of the one
            that comes with the package.
        device: Where to put it; ``None`` means the best device present.

    Returns:
        A classifier of every class that it was pre-trained on, in float32 and in evaluation mode.
        Its logits are cosines times the scale that was learnt with them, which is multiplied into
        the head.

    Raises:
        UnknownNameError: There is no such model; names the nearest.
        MissingFileError: The file is not there.
        CheckpointError: The file is truncated or of another kind.

    Source: appendix C.7.2. Explained in: chapter 16.
    """
    if name not in _SHIPPED:
        raise unknown("classifier", name, _SHIPPED)
    path = Path(pretrained or _SHIPPED[name])
    tensors, facts = read_tensors(path)
    if not set(tensors) >= _KEYS or "classnames" not in facts:
        raise CheckpointError(
            f"{os.fspath(path)!r} is no classifier that was pre-trained with labels; load_clip and "
            "ImageClassifier.load read the other files of this package"
        )
    clip = load_clip(facts["clip_name"], pretrained="random", device=device)
    tower = {k.removeprefix("visual."): v for k, v in tensors.items() if k not in _KEYS}
    clip.model.visual.load_state_dict(tower)
    scale = tensors["logit_scale"].float().exp()
    head = scale * F.normalize(tensors["head.weight"].float(), dim=-1)
    return ImageClassifier(
        clip.model.visual,
        head.to(clip.device),
        classnames=json.loads(facts["classnames"]),
        clip_name=clip.name,
        image_size=clip.image_size,
        mean=clip.mean,
        std=clip.std,
        provenance={"method": "supervised pre-training", "weights": path.name},
    ).eval()


def select_classes(model: ImageClassifier, classnames: Sequence[str]) -> ImageClassifier:
    """Keep only some rows of a classifier's head, in a given order.

    Args:
        model: Left untouched.
        classnames: K of its classes, such as those of a benchmark.

    Returns:
        A classifier of these classes, with a copy of the encoder, in evaluation mode on the
        device of ``model``.

    Raises:
        UnknownNameError: The model has no row for a class; names the nearest that it has.
        DataError: No classes, or one of them twice.

    Source: appendix C.7.2, where the head of a JFT model gives one for ImageNet.
    Explained in: chapter 16.
    """
    if isinstance(classnames, str) or not classnames or len(set(classnames)) < len(classnames):
        raise DataError(
            "select_classes needs a list with at least one class name, and each of them once"
        )
    for name in classnames:
        if name not in model.classnames:
            raise unknown("class of the pre-trained head", name, model.classnames)
    rows = [model.classnames.index(name) for name in classnames]
    return ImageClassifier(
        copy.deepcopy(model.image_encoder),
        model.head.weight[rows],
        classnames=classnames,
        clip_name=model.clip_name,
        image_size=model.image_size,
        mean=model.mean.tolist(),
        std=model.std.tolist(),
        provenance={**model.provenance, "rows": str(len(rows))},
    ).eval()

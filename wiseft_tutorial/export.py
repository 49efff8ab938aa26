"""From a classifier back to a CLIP that open_clip loads, with the fine-tuned image tower in it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from wiseft_tutorial._files import write_tensors
from wiseft_tutorial.errors import WeightMismatchError
from wiseft_tutorial.models import Clip, ImageClassifier

__all__ = ["export_clip", "origin"]


def export_clip(model: ImageClassifier, clip: Clip, path: str | os.PathLike[str]) -> Path:
    """Write a whole CLIP: the image tower of a classifier, and all else of the CLIP it came from.

    ``open_clip.create_model(clip.name, pretrained=path)`` reads it. The head is not in it; build
    one from words again, or keep the classifier beside it.

    Args:
        model: Fine-tuned, averaged or neither.
        clip: Gives the text tower and the logit scale.
        path: Where to; missing folders are made, an existing file is replaced. It should end in
            ``.safetensors``, by which open_clip knows how to read it.

    Returns:
        The path.

    Raises:
        WeightMismatchError: The classifier is not of this CLIP's architecture, or began with other
            weights than this CLIP has; the two towers would not belong to each other.

    Explained in: chapter 17.
    """
    state, tower = clip.model.state_dict(), model.image_encoder.state_dict()
    ours = {f"visual.{name}": tensor for name, tensor in tower.items()}
    theirs = {name: tensor for name, tensor in state.items() if name.startswith("visual.")}
    if model.clip_name != clip.name or {k: v.shape for k, v in ours.items()} != {
        k: v.shape for k, v in theirs.items()
    }:
        raise WeightMismatchError(
            f"the classifier has the image tower of {model.clip_name!r}, and the CLIP is "
            f"{clip.name!r}; export it with the CLIP that it came from"
        )
    began = origin(model.provenance)
    if began is not None and began != clip.pretrained:
        raise WeightMismatchError(
            f"the classifier began with the weights {began!r}, and the CLIP has "
            f"{clip.pretrained!r}; its text tower would belong to another image tower"
        )
    return write_tensors(path, {**state, **ours}, {"clip_name": clip.name})


def origin(provenance: Mapping[str, str]) -> str | None:
    """The weights that a classifier began with, as ``Clip.pretrained`` names them, if it is known.

    Args:
        provenance: Of the classifier, which may be fine-tuned or an average.
    """
    if "clip" in provenance:
        return provenance["clip"].partition(", ")[2]
    before = provenance.get("start", provenance.get("theta_0"))
    return origin(json.loads(before)) if before else None

"""From a classifier back to a CLIP that open_clip loads, with the fine-tuned image tower in it."""

from __future__ import annotations

import os
from pathlib import Path

from wiseft_tutorial._files import write_tensors
from wiseft_tutorial.errors import WeightMismatchError
from wiseft_tutorial.models import Clip, ImageClassifier

__all__ = ["export_clip"]


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
        WeightMismatchError: The classifier is not of this CLIP's architecture.

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
    return write_tensors(path, {**state, **ours}, {"clip_name": clip.name})

"""Forward passes over many images, as fast as the device allows.

The image encoder runs in the resolved precision, with its weights rounded to it: half the memory
traffic of autocast, which rounds them again for every batch. Features leave the encoder in float32,
and the head is float32, so that logits are never rounded.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from wiseft_tutorial.device import Precision, resolve_device, resolve_dtype
from wiseft_tutorial.models import ImageClassifier

__all__ = ["encode_images", "evaluation_copy", "images_at_once"]

_BYTES = 512  # of each activation in a batch; more would not stay in a processor's cache


def evaluation_copy(
    model: ImageClassifier,
    *,
    device: str | torch.device | None = None,
    precision: Precision = "auto",
) -> ImageClassifier:
    """A copy of a classifier that is ready to be evaluated.

    Args:
        model: Left untouched.
        device: Where the copy goes; ``None`` means the best device present.
        precision: Of the copy's image encoder.

    Returns:
        The copy, in evaluation mode and without gradients.

    Explained in: chapter 4.
    """
    target = resolve_device(device)
    clone = copy.deepcopy(model).to(target, torch.float32).eval().requires_grad_(False)
    clone.image_encoder.to(resolve_dtype(precision, target))
    return clone


def images_at_once(model: ImageClassifier) -> int:
    """How many images a forward pass takes where nobody says: 256 in bfloat16, 128 in float32.

    Args:
        model: As :func:`evaluation_copy` returns it.

    Returns:
        A batch whose activations stay in a processor's cache.

    Explained in: chapter 4.
    """
    return _BYTES // next(model.image_encoder.parameters()).element_size()


@torch.no_grad()
def encode_images(
    model: ImageClassifier,
    images: Tensor,
    *,
    batch_size: int | None = None,
    advance: Callable[[int], object] | None = None,
) -> Tensor:
    """The features of many images, batch by batch.

    Args:
        model: As :func:`evaluation_copy` returns it.
        images: (N, 3, H, W) uint8, on any device.
        batch_size: Images per forward pass; ``None`` means as many as suit the precision.
        advance: Called after each batch with its number of images, as a progress bar's ``update``.

    Returns:
        (N, D) float32, L2-normalised, on the model's device.

    Raises:
        DataError: The images have the wrong shape.

    Explained in: chapter 4.
    """
    features = []
    for batch in images.split(batch_size or images_at_once(model)):
        features.append(model.encode(batch.to(model.device)))
        if advance is not None:
            advance(len(batch))
    return torch.cat(features)

"""From pixels to what an image encoder expects: the one place where images are normalised."""

from __future__ import annotations

import torch
from torch import Tensor

from wiseft_tutorial.errors import DataError


def check_images(images: Tensor, image_size: int) -> None:
    """Raise an error that says what is wrong, unless these are images of the expected size."""
    if images.ndim != 4 or tuple(images.shape[1:]) != (3, image_size, image_size):
        raise DataError(
            f"images have shape {tuple(images.shape)}, not (N, 3, {image_size}, {image_size}): "
            "this encoder takes colour images of that size"
        )
    if images.dtype != torch.uint8 and not images.is_floating_point():
        raise DataError(
            f"images have dtype {images.dtype}, not uint8 (0..255) or floating point (0..1)"
        )


def normalise(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Subtract the mean and divide by the standard deviation, channel by channel.

    Args:
        images: (N, 3, H, W), uint8 in 0..255 or floating point in 0..1.
        mean: (3,), of the dtype that the result is to have.
        std: (3,).
    """
    # In place, on a copy: at these sizes, being handed memory costs more than the arithmetic.
    pixels = images.to(mean.dtype, copy=True)
    if images.dtype == torch.uint8:
        pixels.div_(255)
    return pixels.sub_(mean[:, None, None]).div_(std[:, None, None])

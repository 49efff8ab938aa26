"""From pixels to what an image encoder expects: the one place where images are normalised."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from wiseft_tutorial.errors import DataError


def check_images(images: Tensor) -> None:
    """Raise an error that says what is wrong, unless these are square images."""
    if images.ndim != 4 or images.shape[1] != 3 or images.shape[2] != images.shape[3]:
        raise DataError(
            f"images have shape {tuple(images.shape)}, not (N, 3, H, H): an encoder takes square "
            "colour images"
        )
    if images.dtype != torch.uint8 and not images.is_floating_point():
        raise DataError(
            f"images have dtype {images.dtype}, not uint8 (0..255) or floating point (0..1)"
        )


def prepare(images: Tensor, image_size: int, mean: Tensor, std: Tensor) -> Tensor:
    """Bring images to an encoder's size, and normalise them.

    Small images thus travel small, and are enlarged where the encoder is.

    Args:
        images: (N, 3, H, H), uint8 in 0..255 or floating point in 0..1.
        image_size: The encoder's.
        mean: (3,), of the dtype that the result is to have.
        std: (3,).

    Returns:
        (N, 3, S, S) for images of the encoder's size S.

    Raises:
        DataError: The images have the wrong shape or dtype.
    """
    check_images(images)
    return normalise(resized(images, image_size), mean, std)


def resized(images: Tensor, image_size: int) -> Tensor:
    """Images of another size as Pillow's bicubic filter makes them; others are returned as given.

    Args:
        images: (N, 3, H, H), uint8 in 0..255 or floating point in 0..1.
        image_size: S.

    Returns:
        (N, 3, S, S), of the same kind; uint8 is rounded, as Pillow does.
    """
    if images.shape[-1] == image_size:
        return images
    whole = images.dtype == torch.uint8
    most = 255.0 if whole else 1.0
    pixels = images.float()
    # Columns first and then rows, each cut to what a pixel can be: this is how Pillow works. With
    # antialias, torch's cubic curve is Pillow's; without, it is another one.
    for size in ((images.shape[-2], image_size), (image_size, image_size)):
        pixels = F.interpolate(pixels, size, mode="bicubic", antialias=True).clamp(0, most)
        pixels = pixels.round() if whole else pixels
    return pixels.to(images.dtype)


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

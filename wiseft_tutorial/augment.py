"""Augmentation: the random square crop, for a whole batch at once."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

__all__ = ["random_resized_crop"]


def random_resized_crop(images: Tensor, scale: tuple[float, float], generator: Generator) -> Tensor:
    """Cut a random square out of each image and enlarge it to the image's size.

    Args:
        images: (N, 3, H, H), uint8 in 0..255 or floating point in 0..1.
        scale: The crop's area, uniform between two fractions of the image's.
        generator: On the CPU, whatever the device of the images, so that the crops are the same.

    Returns:
        (N, 3, H, H) float32 in 0..1.

    Source: appendix D.2, the only augmentation. Explained in: chapter 3.
    """
    return crop(images, draw_crops(len(images), scale, generator))


def draw_crops(n: int, scale: tuple[float, float], generator: Generator) -> Tensor:
    """Random squares inside an image that reaches from -1 to 1 both ways.

    Args:
        n: How many.
        scale: Their area, uniform between two fractions of the image's.
        generator: On the CPU.

    Returns:
        (n, 3): half the side, and the centre's two coordinates.
    """
    low, high = scale
    draws = torch.rand(3, n, generator=generator)
    side = (low + (high - low) * draws[0]).sqrt()
    centre = (1 - side) * (2 * draws[1:] - 1)  # at most 1 - side away from the image's own
    return torch.cat([side[None], centre]).T


def crop(images: Tensor, squares: Tensor) -> Tensor:
    """Cut a square out of each image and enlarge it, bicubically, to the image's size.

    Args:
        images: (N, 3, H, H), uint8 in 0..255 or floating point in 0..1.
        squares: (N, 3), as :func:`draw_crops` returns them.

    Returns:
        (N, 3, H, H) float32 in 0..1.
    """
    side, x, y = squares.T
    zero = torch.zeros_like(side)
    rows = torch.stack([side, zero, x, zero, side, y])
    grid = F.affine_grid(
        rows.T.reshape(-1, 2, 3).to(images.device), list(images.shape), align_corners=False
    )
    pixels = images.float() / 255 if images.dtype == torch.uint8 else images.float()
    crops = F.grid_sample(
        pixels, grid, mode="bicubic", padding_mode="reflection", align_corners=False
    )
    return crops.clamp(0, 1)  # a bicubic curve overshoots at edges

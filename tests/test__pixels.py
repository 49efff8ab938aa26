"""Images of another size become what Pillow makes of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import trees
from PIL import Image

from wiseft_tutorial._pixels import resized


@pytest.mark.parametrize("size", [20, 32, 64, 224])
def test_resizing_is_pillows_bicubic(size: int) -> None:
    images = trees.drawings([0, 7, 20])
    ours = resized(images, size)
    assert ours.dtype == torch.uint8
    for image, mine in zip(images, ours, strict=True):
        picture = trees.image_of(image).resize((size, size), Image.Resampling.BICUBIC)
        theirs = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
        # Pillow's arithmetic has fixed point, so that one level of brightness is within rounding.
        assert (mine.int() - theirs.int()).abs().max() <= 1


def test_fractions_stay_fractions() -> None:
    images = trees.drawings([0, 7])
    whole, parts = resized(images, 64), resized(images.float() / 255, 64)
    assert parts.dtype == torch.float32
    assert (whole.float() / 255 - parts).abs().max() < 1.5 / 255  # bytes are rounded twice


def test_the_right_size_is_left_alone() -> None:
    images = trees.drawings([0])
    assert resized(images, 48) is images

"""The random crop: squares of the stated area, wholly inside, the same for the same generator."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from wiseft_tutorial.augment import random_resized_crop


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ramps(n: int, size: int = 48) -> Tensor:
    """Images whose first channel tells the column and whose second the row, each in 0..1."""
    at = (torch.arange(size) + 0.5) / size
    columns, rows = at.expand(size, size), at[:, None].expand(size, size)
    return torch.stack([columns, rows, torch.full((size, size), 0.5)]).expand(n, -1, -1, -1)


def test_the_whole_image_is_itself() -> None:
    images = torch.rand(4, 3, 48, 48, generator=generator())
    torch.testing.assert_close(random_resized_crop(images, (1.0, 1.0), generator()), images)


def test_bytes_and_fractions_are_cropped_alike() -> None:
    images = torch.randint(0, 256, (4, 3, 48, 48), dtype=torch.uint8, generator=generator())
    from_bytes, from_fractions = (
        random_resized_crop(x, (0.5, 1.0), generator()) for x in (images, images.float() / 255)
    )
    assert torch.equal(from_bytes, from_fractions)


def test_values_stay_between_0_and_1() -> None:
    images = torch.randint(0, 2, (8, 3, 48, 48), dtype=torch.uint8, generator=generator()) * 255
    crops = random_resized_crop(images, (0.3, 0.9), generator())
    assert crops.dtype == torch.float32
    assert crops.min() >= 0
    assert crops.max() <= 1


def test_crops_are_squares_of_the_stated_areas_inside_the_image() -> None:
    low, high = 0.25, 0.64
    crops = random_resized_crop(ramps(400), (low, high), generator())
    inner = crops[:, :, 8:-8, 8:-8]  # away from the border, where a curve needs pixels beyond it
    slack = 0.01  # bicubic curves do not quite follow a straight ramp
    width = (inner[:, 0, 0, -1] - inner[:, 0, 0, 0]) * 48 / 31
    height = (inner[:, 1, -1, 0] - inner[:, 1, 0, 0]) * 48 / 31
    torch.testing.assert_close(width, height, atol=slack, rtol=0)
    areas = width * height
    assert areas.min() > low - slack
    assert areas.max() < high + slack
    assert areas.mean() == pytest.approx((low + high) / 2, abs=0.02)
    centre = inner[:, :2].mean(dim=(2, 3))
    assert ((centre - width[:, None] / 2) > -slack).all()
    assert ((centre + width[:, None] / 2) < 1 + slack).all()
    torch.testing.assert_close(centre.mean(dim=0), torch.tensor([0.5, 0.5]), atol=0.03, rtol=0)


def test_nothing_is_mirrored_or_turned() -> None:
    crops = random_resized_crop(ramps(50), (0.3, 1.0), generator())
    inner = crops[:, :, 8:-8, 8:-8]
    assert (inner[:, 0].diff(dim=2) > 0).all()
    assert (inner[:, 1].diff(dim=1) > 0).all()


def test_crops_repeat_with_the_seed_and_differ_between_images() -> None:
    first, same, other = (
        random_resized_crop(ramps(2), (0.3, 0.9), generator(seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert not torch.equal(first[0], first[1])

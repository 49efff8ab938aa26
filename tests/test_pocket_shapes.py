import math

import pytest
import torch

from wiseft_tutorial.pocket.shapes import (
    blob,
    box,
    capsule,
    circle,
    cut,
    ellipse,
    meet,
    mirrored,
    polygon,
    ring,
    star,
    symmetric,
    turned,
    union,
)


@pytest.fixture
def points() -> torch.Tensor:
    return torch.rand(500, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_circle_is_the_distance_to_its_outline(points: torch.Tensor) -> None:
    expected = torch.hypot(points[:, 0] - 0.2, points[:, 1]) - 0.5
    torch.testing.assert_close(circle(points, 0.2, 0.0, 0.5), expected)


def test_ellipse_with_equal_axes_is_a_circle(points: torch.Tensor) -> None:
    torch.testing.assert_close(ellipse(points, 0, 0, 0.6, 0.6), circle(points, 0, 0, 0.6))


def test_ellipse_is_zero_on_its_outline() -> None:
    angle = torch.linspace(0, 2 * math.pi, 50)
    outline = torch.stack([0.7 * angle.cos(), 0.3 * angle.sin()], -1)
    assert ellipse(outline, 0, 0, 0.7, 0.3).abs().max() < 1e-6


def test_polygon_of_a_box_is_the_sharp_box(points: torch.Tensor) -> None:
    corners = [(-0.5, -0.3), (0.5, -0.3), (0.5, 0.3), (-0.5, 0.3)]
    torch.testing.assert_close(
        polygon(points, corners), box(points, 0, 0, 0.5, 0.3, 0.0), atol=1e-6, rtol=1e-5
    )


def test_polygon_does_not_mind_the_direction_of_its_points(points: torch.Tensor) -> None:
    corners = [(-0.5, -0.3), (0.6, -0.2), (0.1, 0.7)]
    torch.testing.assert_close(polygon(points, corners), polygon(points, corners[::-1]))


def test_a_capsule_without_length_is_a_circle(points: torch.Tensor) -> None:
    torch.testing.assert_close(
        capsule(points, (0.1, 0.2), (0.1, 0.2), 0.3), circle(points, 0.1, 0.2, 0.3)
    )


def test_ring_is_a_disc_without_a_smaller_disc(points: torch.Tensor) -> None:
    inside = ring(points, 0, 0, 0.5, 0.2) < 0
    expected = (circle(points, 0, 0, 0.6) < 0) & ~(circle(points, 0, 0, 0.4) <= 0)
    assert torch.equal(inside, expected)


def test_combinations_are_those_of_sets(points: torch.Tensor) -> None:
    a, b = circle(points, -0.2, 0, 0.5), circle(points, 0.2, 0, 0.5)
    assert torch.equal(union(a, b) < 0, (a < 0) | (b < 0))
    assert torch.equal(meet(a, b) < 0, (a < 0) & (b < 0))
    assert torch.equal(cut(a, b) < 0, (a < 0) & (b > 0))


def test_turning_by_ninety_degrees_moves_right_to_up() -> None:
    up = torch.tensor([[0.0, 0.6]])
    assert circle(turned(up, 90), 0.6, 0, 0.1) < -0.09


def test_mirrored_shapes_are_on_both_sides(points: torch.Tensor) -> None:
    flipped = points * torch.tensor([-1.0, 1.0])
    assert torch.equal(
        circle(mirrored(points), 0.4, 0, 0.2), circle(mirrored(flipped), 0.4, 0, 0.2)
    )


def test_a_symmetric_outline_is_symmetric(points: torch.Tensor) -> None:
    half = [(0.0, 0.6), (0.5, 0.2), (0.3, -0.5), (0.0, -0.6)]
    flipped = points * torch.tensor([-1.0, 1.0])
    left, right = blob(points, symmetric(half)), blob(flipped, symmetric(half))
    torch.testing.assert_close(left, right, atol=1e-5, rtol=1e-5)


def test_a_star_points_up() -> None:
    tips = torch.tensor([[0.0, 0.85], [0.0, -0.85]])
    distance = star(tips, 0, 0, 5, 0.9, 0.4)
    assert distance[0] < 0 < distance[1]

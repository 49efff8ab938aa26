"""Signed distances of plane shapes: negative inside, positive outside, zero on the outline.

A point set ``p`` has shape (..., 2), x to the right and y up; an object fills about
[-1, 1] x [-1, 1].
Every function returns distances of shape (...), so that shapes combine by minimum and maximum.

Explained in: chapter 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

__all__ = [
    "arc",
    "blob",
    "box",
    "capsule",
    "circle",
    "cut",
    "ellipse",
    "meet",
    "mirrored",
    "path",
    "polygon",
    "ring",
    "shifted",
    "smooth_union",
    "spline",
    "star",
    "symmetric",
    "turned",
    "union",
]

Point = tuple[float, float]


def _length(q: Tensor) -> Tensor:
    length: Tensor = torch.linalg.vector_norm(q, dim=-1)
    return length


def ellipse(p: Tensor, x: float, y: float, rx: float, ry: float) -> Tensor:
    """An ellipse with half-axes rx and ry about (x, y); the distance is exact to first order."""
    q = p - p.new_tensor([x, y])
    r = p.new_tensor([rx, ry])
    k0 = _length(q / r)
    k1 = _length(q / r.square()).clamp(min=1e-6)
    return (k0 * (k0 - 1) / k1).where(k0 > 1e-3, k0.new_tensor(-min(rx, ry)))


def circle(p: Tensor, x: float, y: float, r: float) -> Tensor:
    """A disc of radius r about (x, y)."""
    return _length(p - p.new_tensor([x, y])) - r


def ring(p: Tensor, x: float, y: float, r: float, width: float) -> Tensor:
    """A circle line of radius r, drawn with a pen of the given width."""
    return circle(p, x, y, r).abs() - width / 2


def box(p: Tensor, x: float, y: float, w: float, h: float, round: float = 0.03) -> Tensor:
    """A rectangle with half-width w and half-height h about (x, y), corners rounded."""
    q = (p - p.new_tensor([x, y])).abs() - p.new_tensor([w, h]) + round
    return _length(q.clamp(min=0)) + q.amax(-1).clamp(max=0) - round


def capsule(p: Tensor, a: Point, b: Point, r: float) -> Tensor:
    """A stroke of half-width r from a to b."""
    start, along = p.new_tensor(a), p.new_tensor(b) - p.new_tensor(a)
    t = (((p - start) @ along) / (along @ along).clamp(min=1e-12)).clamp(0, 1)
    return _length(p - start - t[..., None] * along) - r


def path(p: Tensor, points: Sequence[Point], r: float) -> Tensor:
    """A stroke of half-width r through the points."""
    return union(*(capsule(p, a, b, r) for a, b in pairwise(points)))


def arc(p: Tensor, x: float, y: float, r: float, start: float, stop: float, width: float) -> Tensor:
    """A stroke along a circle of radius r about (x, y), from angle start to stop (degrees)."""
    n = max(2, math.ceil(abs(stop - start) / 15))
    angles = [math.radians(start + (stop - start) * i / n) for i in range(n + 1)]
    return path(p, [(x + r * math.cos(a), y + r * math.sin(a)) for a in angles], width / 2)


def polygon(p: Tensor, points: Sequence[Point]) -> Tensor:
    """A closed polygon; the distance is exact."""
    x, y = p.reshape(-1, 2).T.contiguous()
    corners = p.new_tensor(points)
    nearest, inside = torch.full_like(x, math.inf), torch.zeros_like(x, dtype=torch.bool)
    # A few edges at a time: enough to keep the processor busy, few enough for its cache.
    edges = zip(corners.split(8), corners.roll(1, 0).split(8), strict=True)
    for start, stop in edges:
        dx, dy = (stop - start).T[..., None]
        wx, wy = x - start[:, :1], y - start[:, 1:]
        t = ((wx * dx + wy * dy) / (dx * dx + dy * dy).clamp(min=1e-12)).clamp_(0, 1)
        square = (wx - t * dx).square_() + (wy - t * dy).square_()
        nearest = torch.minimum(nearest, square.amin(0))
        above, beyond, left = wy >= 0, y >= stop[:, 1:], dx * wy > dy * wx
        crossed = (above ^ beyond) & (left ^ beyond)  # by a ray from the point to the right
        inside ^= crossed.sum(0) % 2 == 1
    distance = nearest.sqrt_()
    return torch.where(inside, -distance, distance).reshape(p.shape[:-1])


def spline(points: Sequence[Point], *, closed: bool, steps: int = 6) -> list[Point]:
    """Points of the Catmull-Rom curve through the given ones."""
    n = len(points)
    out: list[Point] = []
    for i in range(n if closed else n - 1):
        if closed:
            a, b, c, d = (points[(i + k) % n] for k in (-1, 0, 1, 2))
        else:
            a, b, c, d = (points[min(max(i + k, 0), n - 1)] for k in (-1, 0, 1, 2))
        for s in range(steps):
            t = s / steps
            w = (
                -0.5 * t + t * t - 0.5 * t**3,
                1 - 2.5 * t * t + 1.5 * t**3,
                0.5 * t + 2 * t * t - 1.5 * t**3,
                -0.5 * t * t + 0.5 * t**3,
            )
            x, y = (sum(k * q[e] for k, q in zip(w, (a, b, c, d), strict=True)) for e in (0, 1))
            out.append((x, y))
    return out if closed else [*out, points[-1]]


def blob(p: Tensor, points: Sequence[Point]) -> Tensor:
    """A smooth closed outline through the points."""
    return polygon(p, spline(points, closed=True))


def symmetric(points: Sequence[Point]) -> list[Point]:
    """The right half of an outline, listed from top to bottom, with its mirror image added."""
    return [*points, *((-x, y) for x, y in reversed(points) if x > 1e-6)]


def star(p: Tensor, x: float, y: float, tips: int, outer: float, inner: float) -> Tensor:
    """A star with one tip pointing up."""
    points = []
    for i in range(2 * tips):
        r, a = (inner if i % 2 else outer), math.pi * i / tips
        points.append((x + r * math.sin(a), y + r * math.cos(a)))
    return polygon(p, points)


def union(*distances: Tensor) -> Tensor:
    """Points in any of the shapes."""
    return torch.stack(distances).amin(0)


def smooth_union(a: Tensor, b: Tensor, k: float) -> Tensor:
    """Points in either shape, with the joint filled out over a width of about k."""
    h = (0.5 + 0.5 * (b - a) / k).clamp(0, 1)
    return b + (a - b) * h - k * h * (1 - h)


def meet(*distances: Tensor) -> Tensor:
    """Points in all of the shapes."""
    return torch.stack(distances).amax(0)


def cut(a: Tensor, *holes: Tensor) -> Tensor:
    """Points in the first shape and in none of the others."""
    return meet(a, *(-hole for hole in holes))


def turned(p: Tensor, degrees: float, x: float = 0.0, y: float = 0.0) -> Tensor:
    """Coordinates in which a shape drawn upright appears turned counter-clockwise about (x, y)."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    centre = p.new_tensor([x, y])
    return (p - centre) @ p.new_tensor([[c, -s], [s, c]]) + centre


def shifted(p: Tensor, x: float, y: float, scale: float = 1.0) -> Tensor:
    """Coordinates in which a shape drawn at the origin appears at (x, y), scaled.

    Distances measured in these coordinates must be multiplied by the scale.
    """
    return (p - p.new_tensor([x, y])) / scale


def mirrored(p: Tensor) -> Tensor:
    """Coordinates in which whatever is drawn at x > 0 appears on both sides."""
    return torch.stack([p[..., 0].abs(), p[..., 1]], dim=-1)

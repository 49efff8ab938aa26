"""The things that Pocket is made of: each a few shapes with roles, and the colours it usually has.

An object is a function that returns its layers, painted in order; a layer is a role (body, accent
or detail) and the signed distance of its shape. ``vary(a)`` gives a number in [-a, a] that differs
from one variant of the object to the next, so that no two lemons need be the same.

Explained in: chapter 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from wiseft_tutorial.pocket.shapes import (
    arc,
    blob,
    box,
    capsule,
    circle,
    cut,
    ellipse,
    meet,
    mirrored,
    path,
    polygon,
    ring,
    smooth_union,
    star,
    symmetric,
    turned,
    union,
)

__all__ = [
    "ATLAS_REACH",
    "CLASSNAMES",
    "OBJECTS",
    "POCKET_CLASSES",
    "Atlas",
    "PocketObject",
    "build_atlas",
]

Layer = tuple[int, Tensor]
Vary = Callable[[float], float]
Draw = Callable[[Tensor, Vary], list[Layer]]
Colour = tuple[float, float, float]  # hue in degrees, saturation, value

BODY, ACCENT, DETAIL = 0, 1, 2
MAX_LAYERS = 4
ATLAS_REACH = 1.25  # the atlas covers [-ATLAS_REACH, ATLAS_REACH] in both directions

YELLOW, ORANGE, RED, PINK = (52, 0.85, 0.95), (27, 0.9, 0.95), (3, 0.85, 0.8), (340, 0.45, 0.95)
GREEN, DARK_GREEN, LIME = (115, 0.65, 0.55), (145, 0.7, 0.35), (80, 0.7, 0.75)
BLUE, SKY, PURPLE = (215, 0.75, 0.8), (200, 0.35, 0.95), (280, 0.55, 0.65)
BROWN, TAN, CREAM = (25, 0.6, 0.42), (34, 0.5, 0.8), (42, 0.2, 0.95)
BLACK, GREY, SILVER, WHITE = (
    (220, 0.1, 0.13),
    (220, 0.06, 0.55),
    (210, 0.06, 0.78),
    (40, 0.03, 0.97),
)
GOLD = (45, 0.75, 0.88)


@dataclass(frozen=True)
class PocketObject:
    """One class: its name in captions, how to draw it, and its usual colours by role."""

    name: str
    draw: Draw
    colours: tuple[Colour, Colour, Colour]


OBJECTS: list[PocketObject] = []


def thing(name: str, body: Colour, accent: Colour, detail: Colour) -> Callable[[Draw], Draw]:
    """Add a drawing function to the catalogue under a name, with its usual colours."""

    def add(draw: Draw) -> Draw:
        OBJECTS.append(PocketObject(name, draw, (body, accent, detail)))
        return draw

    return add


# --- fruit and food --------------------------------------------------------------------------


@thing("lemon", YELLOW, GREEN, BROWN)
def lemon(p: Tensor, vary: Vary) -> list[Layer]:
    w = 0.66 + vary(0.06)
    fruit = ellipse(p, 0, -0.05, w, 0.47 + vary(0.05))
    fruit = smooth_union(fruit, ellipse(p, w + 0.06, -0.05, 0.17, 0.1), 0.18)
    fruit = smooth_union(fruit, ellipse(p, -w - 0.04, -0.05, 0.15, 0.11), 0.18)
    leaf = ellipse(turned(p, 25 + vary(15), 0.3, 0.5), 0.3, 0.5, 0.3, 0.12)
    return [(ACCENT, leaf), (BODY, fruit), (DETAIL, circle(p, w + 0.17, -0.05, 0.055))]


@thing("orange", ORANGE, GREEN, BROWN)
def orange(p: Tensor, vary: Vary) -> list[Layer]:
    leaf = ellipse(turned(p, 20 + vary(20), 0.22, 0.62), 0.25, 0.64, 0.26, 0.11)
    dimples = union(
        *(circle(p, x, y, 0.035) for x, y in ((-0.25, -0.3), (0.3, -0.2), (0.05, -0.45)))
    )
    return [
        (BODY, circle(p, 0, -0.08, 0.66)),
        (DETAIL, star(p, 0, 0.42 + vary(0.05), 5, 0.15, 0.06)),
        (ACCENT, leaf),
        (DETAIL, dimples),
    ]


@thing("apple", RED, GREEN, BROWN)
def apple(p: Tensor, vary: Vary) -> list[Layer]:
    half = [
        (0, 0.36),
        (0.28, 0.52),
        (0.62, 0.3),
        (0.64, -0.12),
        (0.4, -0.66),
        (0.15, -0.74),
        (0, -0.68),
    ]
    leaf = ellipse(turned(p, 30 + vary(15), 0.2, 0.66), 0.26, 0.68, 0.25, 0.11)
    return [
        (BODY, blob(p, symmetric(half))),
        (DETAIL, path(p, [(0, 0.3), (0.03, 0.55), (0.1 + vary(0.08), 0.82)], 0.045)),
        (ACCENT, leaf),
    ]


@thing("pear", (68, 0.65, 0.8), GREEN, BROWN)
def pear(p: Tensor, vary: Vary) -> list[Layer]:
    waist = 0.27 + vary(0.05)
    half = [
        (0, 0.62),
        (0.2, 0.52),
        (waist, 0.2),
        (0.5, -0.2),
        (0.52, -0.58),
        (0.25, -0.84),
        (0, -0.85),
    ]
    leaf = ellipse(turned(p, 25, 0.2, 0.74), 0.24, 0.76, 0.22, 0.09)
    return [
        (BODY, blob(p, symmetric(half))),
        (DETAIL, capsule(p, (0, 0.55), (0.06 + vary(0.06), 0.88), 0.045)),
        (ACCENT, leaf),
    ]


@thing("banana", YELLOW, (58, 0.7, 0.75), BROWN)
def banana(p: Tensor, vary: Vary) -> list[Layer]:
    b = vary(0.06)
    outline = [
        (-0.8, 0.42),
        (-0.6, -0.1),
        (-0.15, -0.52 + b),
        (0.4, -0.5 + b),
        (0.78, -0.1),
        (0.84, 0.12),
    ]
    inner = [(0.7, 0.1), (0.4, -0.12), (0.0, -0.12), (-0.4, 0.08), (-0.66, 0.5)]
    ridge = path(p, [(-0.66, 0.26), (-0.35, -0.14), (0.1, -0.34), (0.5, -0.28)], 0.03)
    tips = union(circle(p, 0.79, 0.13, 0.09), capsule(p, (-0.73, 0.44), (-0.8, 0.66), 0.065))
    return [(BODY, blob(p, outline + inner)), (ACCENT, ridge), (DETAIL, tips)]


@thing("strawberry", RED, GREEN, YELLOW)
def strawberry(p: Tensor, vary: Vary) -> list[Layer]:
    half = [(0, 0.42), (0.42, 0.46), (0.6, 0.18), (0.36, -0.42), (0, -0.82)]
    spots = [(-0.3, 0.18), (0.02, 0.12), (0.32, 0.16), (-0.17, -0.14), (0.16, -0.16), (0, -0.46)]
    seeds = union(*(ellipse(p, x, y, 0.045, 0.07) for x, y in spots))
    crown = star(p, 0, 0.44, 5 + (vary(1) > 0), 0.4, 0.15)
    return [
        (BODY, blob(p, symmetric(half))),
        (DETAIL, seeds),
        (ACCENT, union(crown, capsule(p, (0, 0.45), (0.05, 0.85), 0.05))),
    ]


@thing("cherry", (350, 0.9, 0.65), GREEN, BROWN)
def cherry(p: Tensor, vary: Vary) -> list[Layer]:
    x = 0.42 + vary(0.05)
    stems = union(
        path(p, [(-x, -0.2), (-0.2, 0.35), (0.1, 0.75)], 0.04),
        path(p, [(x, -0.3), (0.35, 0.3), (0.1, 0.75)], 0.04),
    )
    fruits = union(circle(p, -x, -0.42, 0.36), circle(p, x, -0.52, 0.36))
    leaf = ellipse(turned(p, -20, -0.2, 0.7), -0.2, 0.72, 0.32, 0.14)
    return [(DETAIL, stems), (BODY, fruits), (ACCENT, leaf)]


@thing("carrot", ORANGE, GREEN, (22, 0.85, 0.7))
def carrot(p: Tensor, vary: Vary) -> list[Layer]:
    half = [(0, 0.36), (0.24, 0.32), (0.26, 0.05), (0.12, -0.5), (0, -0.92)]
    tops = union(*(ellipse(turned(p, a, 0, 0.3), 0, 0.62, 0.09, 0.34) for a in (-28, 0, 28)))
    notches = union(
        capsule(p, (-0.24, 0.08), (-0.06, 0.05), 0.03),
        capsule(p, (0.04, -0.2 + vary(0.06)), (0.18, -0.18), 0.03),
        capsule(p, (-0.14, -0.42), (-0.02, -0.44), 0.03),
    )
    return [(ACCENT, tops), (BODY, blob(p, symmetric(half))), (DETAIL, notches)]


@thing("mushroom", RED, CREAM, WHITE)
def mushroom(p: Tensor, vary: Vary) -> list[Layer]:
    cap = meet(ellipse(p, 0, -0.05, 0.78, 0.78 + vary(0.08)), -(p[..., 1] + 0.06)) - 0.03
    stem = blob(p, symmetric([(0, 0.05), (0.17, 0.0), (0.17, -0.45), (0.28, -0.78), (0, -0.82)]))
    x = vary(0.08)
    spots = union(
        circle(p, -0.34 + x, 0.26, 0.13),
        circle(p, 0.12 + x, 0.46, 0.14),
        circle(p, 0.44 + x, 0.16, 0.1),
        circle(p, -0.02 + x, 0.13, 0.08),
    )
    return [(ACCENT, stem), (BODY, cap), (DETAIL, spots)]


@thing("ice cream cone", PINK, TAN, RED)
def ice_cream(p: Tensor, vary: Vary) -> list[Layer]:
    cone = polygon(p, [(-0.4, 0.02), (0.4, 0.02), (0, -0.92)])
    scoop = union(circle(p, 0, 0.28, 0.42), *(circle(p, x, 0.04, 0.13) for x in (-0.3, 0, 0.3)))
    lines = [capsule(p, (a, 0), (a - 0.24, -0.5), 0.022) for a in (-0.12, 0.14)]
    lines += [capsule(p, (-a, 0), (-a + 0.24, -0.5), 0.022) for a in (-0.12, 0.14)]
    return [
        (ACCENT, cone),
        (DETAIL, meet(union(*lines), cone)),
        (BODY, scoop),
        (DETAIL, circle(p, vary(0.15), 0.74, 0.12)),
    ]


@thing("cupcake", PINK, BROWN, RED)
def cupcake(p: Tensor, vary: Vary) -> list[Layer]:
    cup = polygon(p, [(-0.52, -0.1), (0.52, -0.1), (0.36, -0.82), (-0.36, -0.82)])
    folds = union(*(capsule(p, (x, -0.15), (x * 0.72, -0.8), 0.025) for x in (-0.3, 0, 0.3)))
    icing = union(
        ellipse(p, 0, 0.02, 0.66, 0.2),
        ellipse(p, 0, 0.24, 0.5, 0.19),
        ellipse(p, 0, 0.45, 0.3, 0.17),
    )
    return [
        (ACCENT, cup),
        (DETAIL, meet(folds, cup)),
        (BODY, icing),
        (DETAIL, circle(p, vary(0.08), 0.68, 0.12)),
    ]


# --- animals ---------------------------------------------------------------------------------


@thing("fish", ORANGE, (18, 0.9, 0.75), BLACK)
def fish(p: Tensor, vary: Vary) -> list[Layer]:
    h = 0.38 + vary(0.06)
    tail = polygon(p, [(0.4, 0), (0.84, 0.42), (0.72, 0), (0.84, -0.42)]) - 0.03
    fins = union(
        polygon(p, [(-0.2, h - 0.1), (0.05, h + 0.22), (0.25, h - 0.16)]),
        polygon(p, [(0, -h + 0.1), (0.16, -h - 0.15), (0.25, -h + 0.16)]),
    )
    body = blob(
        p,
        [
            (-0.82, 0),
            (-0.5, h * 0.8),
            (-0.1, h),
            (0.3, h * 0.6),
            (0.55, 0),
            (0.3, -h * 0.6),
            (-0.1, -h),
            (-0.5, -h * 0.8),
        ],
    )
    gill = arc(p, -0.62, 0, 0.32, -50, 50, 0.05)
    return [
        (ACCENT, union(tail, fins)),
        (BODY, body),
        (ACCENT, gill),
        (DETAIL, circle(p, -0.54, 0.12, 0.075)),
    ]


@thing("bird", BLUE, (215, 0.75, 0.5), ORANGE)
def bird(p: Tensor, vary: Vary) -> list[Layer]:
    body = blob(
        p,
        [
            (-0.52, 0.62),
            (-0.26, 0.5),
            (-0.1, 0.16),
            (0.4, 0.0),
            (0.86, 0.06),
            (0.46, -0.3),
            (0.05, -0.5),
            (-0.4, -0.36),
            (-0.62, 0.05),
            (-0.76, 0.42),
        ],
    )
    wing = blob(
        p, [(-0.25, 0.06), (0.2, 0.02 + vary(0.08)), (0.56, -0.08), (0.2, -0.32), (-0.16, -0.24)]
    )
    beak = polygon(p, [(-0.7, 0.48), (-0.98, 0.3), (-0.68, 0.28)])
    legs = union(
        path(p, [(-0.1, -0.4), (-0.12, -0.78), (-0.24, -0.8)], 0.035),
        path(p, [(0.14, -0.4), (0.14, -0.78), (0.02, -0.8)], 0.035),
    )
    return [
        (DETAIL, union(beak, legs)),
        (BODY, body),
        (ACCENT, wing),
        (DETAIL, circle(p, -0.5, 0.4, 0.06)),
    ]


@thing("duck", YELLOW, (45, 0.9, 0.8), ORANGE)
def duck(p: Tensor, vary: Vary) -> list[Layer]:
    body = blob(
        p,
        [
            (-0.6, -0.2),
            (-0.5, 0.02),
            (-0.1, 0.0),
            (0.4, 0.05),
            (0.86, 0.32),
            (0.8, -0.2),
            (0.45, -0.58),
            (-0.2, -0.62),
            (-0.55, -0.45),
        ],
    )
    bird_ = smooth_union(body, circle(p, -0.38, 0.38, 0.31 + vary(0.03)), 0.15)
    bill = union(ellipse(p, -0.76, 0.34, 0.2, 0.075), ellipse(p, -0.74, 0.26, 0.15, 0.06))
    wing = blob(p, [(-0.1, -0.12), (0.3, -0.08), (0.6, 0.02), (0.42, -0.36), (0.06, -0.4)])
    return [(DETAIL, bill), (BODY, bird_), (ACCENT, wing), (DETAIL, circle(p, -0.46, 0.46, 0.055))]


@thing("cat", GREY, (95, 0.55, 0.75), (345, 0.5, 0.75))
def cat(p: Tensor, vary: Vary) -> list[Layer]:
    m = mirrored(p)
    head = union(
        ellipse(p, 0, -0.12, 0.66, 0.56),
        polygon(m, [(0.1, 0.34), (0.56 + vary(0.05), 0.84), (0.66, 0.05)]) - 0.02,
    )
    whiskers = union(
        capsule(m, (0.26, -0.24), (0.86, -0.14), 0.025),
        capsule(m, (0.26, -0.32), (0.84, -0.4), 0.025),
    )
    nose = union(
        polygon(p, [(-0.11, -0.16), (0.11, -0.16), (0, -0.29)]),
        arc(m, 0.1, -0.34, 0.1, 180, 350, 0.045),
    )
    return [
        (BODY, head),
        (ACCENT, ellipse(m, 0.27, 0.06, 0.13, 0.14)),
        (DETAIL, union(nose, whiskers)),
        (DETAIL, ellipse(m, 0.27, 0.06, 0.04, 0.12)),
    ]


@thing("rabbit", (30, 0.15, 0.85), PINK, BLACK)
def rabbit(p: Tensor, vary: Vary) -> list[Layer]:
    m = mirrored(p)
    lean = 12 + vary(8)
    ear, inner = (
        ellipse(turned(m, -lean, 0.2, 0.1), 0.22, 0.52, w, h)
        for w, h in ((0.17, 0.44), (0.08, 0.32))
    )
    head = union(ellipse(p, 0, -0.32, 0.52, 0.48), ear)
    mouth = union(ellipse(p, 0, -0.4, 0.09, 0.06), arc(m, 0.09, -0.5, 0.09, 190, 340, 0.045))
    return [(BODY, head), (ACCENT, inner), (DETAIL, union(circle(m, 0.2, -0.2, 0.075), mouth))]


@thing("owl", BROWN, CREAM, ORANGE)
def owl(p: Tensor, vary: Vary) -> list[Layer]:
    m = mirrored(p)
    body = union(
        ellipse(p, 0, -0.12, 0.56, 0.72), polygon(m, [(0.12, 0.5), (0.5, 0.82), (0.52, 0.2)])
    )
    eyes, pupils = circle(m, 0.23, 0.26, 0.23 + vary(0.02)), circle(m, 0.22, 0.26, 0.095)
    belly = ellipse(p, 0, -0.42, 0.34, 0.38)
    beak = polygon(p, [(-0.09, 0.12), (0.09, 0.12), (0, -0.1)])
    feet = ellipse(m, 0.2, -0.84, 0.14, 0.07)
    return [
        (DETAIL, feet),
        (BODY, body),
        (ACCENT, union(eyes, belly)),
        (DETAIL, union(pupils, beak)),
    ]


@thing("butterfly", ORANGE, YELLOW, BLACK)
def butterfly(p: Tensor, vary: Vary) -> list[Layer]:
    m = mirrored(p)
    wings = union(
        blob(m, [(0.06, 0.1), (0.3, 0.66), (0.82, 0.72 + vary(0.06)), (0.78, 0.2), (0.3, -0.04)]),
        blob(m, [(0.06, 0.0), (0.5, -0.06), (0.66, -0.4), (0.36, -0.74), (0.1, -0.3)]),
    )
    spots = union(circle(m, 0.52, 0.4, 0.14), circle(m, 0.4, -0.36, 0.12))
    body = union(
        ellipse(p, 0, -0.02, 0.085, 0.5), path(m, [(0.02, 0.4), (0.14, 0.66), (0.26, 0.84)], 0.025)
    )
    return [(BODY, wings), (ACCENT, spots), (DETAIL, body)]


@thing("ladybug", RED, BLACK, BLACK)
def ladybug(p: Tensor, vary: Vary) -> list[Layer]:
    m = mirrored(p)
    legs = union(
        *(
            capsule(m, (0.4, y), (0.8, y + d), 0.04)
            for y, d in ((0.2, 0.14), (-0.12, 0), (-0.42, -0.16))
        )
    )
    head = union(ellipse(p, 0, 0.52, 0.32, 0.26), path(m, [(0.12, 0.7), (0.26, 0.9)], 0.03))
    spots = union(
        circle(m, 0.28, 0.2 + vary(0.04), 0.12),
        circle(m, 0.32, -0.22, 0.13),
        circle(m, 0.17, -0.52, 0.1),
    )
    seam = capsule(p, (0, 0.4), (0, -0.7), 0.03)
    return [
        (DETAIL, union(legs, head)),
        (BODY, ellipse(p, 0, -0.12, 0.6, 0.62)),
        (ACCENT, union(spots, seam)),
    ]


@thing("snail", (30, 0.45, 0.65), LIME, BROWN)
def snail(p: Tensor, vary: Vary) -> list[Layer]:
    foot = blob(
        p,
        [
            (-0.86, 0.1),
            (-0.62, 0.12),
            (-0.5, -0.3),
            (0.2, -0.42),
            (0.9, -0.62),
            (0.4, -0.72),
            (-0.5, -0.7),
            (-0.8, -0.45),
        ],
    )
    horns = union(
        path(p, [(-0.76, 0.05), (-0.84, 0.46)], 0.04),
        path(p, [(-0.66, 0.05), (-0.6, 0.46)], 0.04),
        circle(p, -0.84, 0.48, 0.065),
        circle(p, -0.6, 0.48, 0.065),
    )
    x, y = 0.16, -0.02
    spiral = [
        (x + r * math.cos(a), y + r * math.sin(a))
        for a, r in ((i * 0.55 + vary(0.3), 0.035 + 0.026 * i) for i in range(16))
    ]
    return [
        (ACCENT, union(foot, horns)),
        (BODY, circle(p, x, y, 0.53)),
        (DETAIL, path(p, spiral, 0.035)),
    ]


# --- plants and sky --------------------------------------------------------------------------


@thing("tree", GREEN, BROWN, DARK_GREEN)
def tree(p: Tensor, vary: Vary) -> list[Layer]:
    trunk = polygon(p, [(-0.1, 0), (0.1, 0), (0.17, -0.92), (-0.17, -0.92)])
    x = vary(0.06)
    crown = union(
        circle(p, x, 0.44, 0.42),
        circle(p, -0.36, 0.14, 0.34),
        circle(p, 0.38, 0.16, 0.34),
        circle(p, 0, 0.06, 0.36),
    )
    return [
        (ACCENT, trunk),
        (BODY, crown),
        (
            DETAIL,
            union(arc(p, -0.3, 0.1, 0.2, 190, 300, 0.05), arc(p, 0.2, 0.36, 0.22, 250, 350, 0.05)),
        ),
    ]


@thing("pine tree", DARK_GREEN, BROWN, WHITE)
def pine_tree(p: Tensor, vary: Vary) -> list[Layer]:
    w = vary(0.05)
    tiers = union(
        *(
            polygon(p, [(-a - w, y), (0, y + h), (a + w, y)]) - 0.02
            for a, y, h in ((0.6, -0.58, 0.66), (0.48, -0.16, 0.62), (0.33, 0.26, 0.62))
        )
    )
    return [(ACCENT, box(p, 0, -0.75, 0.1, 0.18)), (BODY, tiers)]


@thing("palm tree", GREEN, BROWN, TAN)
def palm_tree(p: Tensor, vary: Vary) -> list[Layer]:
    trunk = path(p, [(-0.12, -0.92), (-0.06, -0.4), (0.04, 0.05), (0.06, 0.3)], 0.075)
    rings = union(
        *(
            capsule(p, (-0.18 + 0.04 * i, y), (0.02 + 0.04 * i, y + 0.04), 0.022)
            for i, y in enumerate((-0.72, -0.48, -0.24, 0.0))
        )
    )
    leaves = []
    for k, (dx, dy) in enumerate(
        ((0.75, 0.05), (0.55, 0.5), (-0.6, 0.46), (-0.72, -0.02), (0.4, -0.22), (-0.34, -0.24))
    ):
        x, y = 0.06, 0.36
        bow = 0.24 + vary(0.04) if k != 4 and k != 5 else 0.12
        leaves.append(
            blob(
                p,
                [
                    (x, y),
                    (x + dx * 0.5, y + dy * 0.5 + bow),
                    (x + dx, y + dy - 0.1),
                    (x + dx * 0.55, y + dy * 0.45 + bow - 0.2),
                ],
            )
        )
    return [
        (ACCENT, trunk),
        (DETAIL, rings),
        (BODY, union(*leaves)),
        (DETAIL, union(circle(p, 0, 0.24, 0.08), circle(p, 0.15, 0.26, 0.08))),
    ]


@thing("flower", (320, 0.55, 0.9), YELLOW, GREEN)
def flower(p: Tensor, vary: Vary) -> list[Layer]:
    n = 6 if vary(1) > 0 else 5
    petals = union(
        *(ellipse(turned(p, 360 * i / n, 0, 0.3), 0, 0.62, 0.19, 0.27) for i in range(n))
    )
    stem = union(
        path(p, [(0, 0.2), (0.03, -0.4), (0, -0.94)], 0.05),
        ellipse(turned(p, 35, 0.2, -0.55), 0.22, -0.55, 0.24, 0.1),
    )
    return [(DETAIL, stem), (BODY, petals), (ACCENT, circle(p, 0, 0.3, 0.2))]


@thing("tulip", RED, (3, 0.75, 0.62), GREEN)
def tulip(p: Tensor, vary: Vary) -> list[Layer]:
    cup = blob(
        p, symmetric([(0, 0.5), (0.2, 0.62), (0.42, 0.84), (0.46, 0.36), (0.3, 0.02), (0, -0.06)])
    )
    middle = blob(p, [(0, 0.88), (0.2, 0.46), (0.13, 0.04), (-0.13, 0.04), (-0.2, 0.46)])
    stem = path(p, [(0, 0.0), (0.02, -0.5), (0, -0.94)], 0.055)
    leaves = union(
        blob(
            p, [(0.02, -0.85), (0.3, -0.45), (0.52 + vary(0.05), 0.0), (0.42, -0.5), (0.16, -0.84)]
        ),
        blob(
            p,
            [
                (-0.02, -0.85),
                (-0.3, -0.5),
                (-0.5, -0.14 + vary(0.05)),
                (-0.4, -0.58),
                (-0.16, -0.86),
            ],
        ),
    )
    return [(DETAIL, union(stem, leaves)), (BODY, cup), (ACCENT, middle)]


@thing("cactus", GREEN, LIME, PINK)
def cactus(p: Tensor, vary: Vary) -> list[Layer]:
    a, b = vary(0.1), vary(0.1)
    plant = union(
        capsule(p, (0, -0.7), (0, 0.58), 0.23),
        path(p, [(-0.1, -0.12 + a), (-0.58, -0.12 + a), (-0.58, 0.34 + a)], 0.125),
        path(p, [(0.1, -0.28 + b), (0.56, -0.28 + b), (0.56, 0.14 + b)], 0.125),
    )
    ribs = union(*(capsule(p, (x, -0.7), (x, 0.55), 0.022) for x in (-0.1, 0.1)))
    return [(BODY, plant), (ACCENT, ribs), (DETAIL, star(p, 0.04, 0.84, 5, 0.16, 0.08))]


@thing("leaf", GREEN, (100, 0.45, 0.8), BROWN)
def leaf(p: Tensor, vary: Vary) -> list[Layer]:
    q = turned(p, -20 + vary(12))
    half = [(0, 0.9), (0.3, 0.55), (0.5, 0.1), (0.34, -0.4), (0, -0.6)]
    veins = [capsule(q, (0, -0.6), (0, 0.7), 0.03)]
    m = mirrored(q)
    veins += [capsule(m, (0, y), (0.32, y + 0.24), 0.022) for y in (-0.34, -0.06, 0.22)]
    return [
        (DETAIL, capsule(q, (0, -0.5), (0, -0.95), 0.045)),
        (BODY, blob(q, symmetric(half))),
        (ACCENT, union(*veins)),
    ]


@thing("sun", YELLOW, ORANGE, BROWN)
def sun(p: Tensor, vary: Vary) -> list[Layer]:
    n = 10 if vary(1) > 0 else 8
    rays = union(
        *(
            polygon(turned(p, 360 * i / n), [(-0.13, 0.56), (0.13, 0.56), (0, 0.94)])
            for i in range(n)
        )
    )
    return [(ACCENT, rays), (BODY, circle(p, 0, 0, 0.5))]


@thing("moon", (50, 0.25, 0.95), SILVER, GREY)
def moon(p: Tensor, vary: Vary) -> list[Layer]:
    return [(BODY, cut(circle(p, -0.06, 0, 0.8), circle(p, 0.32 + vary(0.06), 0.12, 0.64)))]


@thing("star", GOLD, GOLD, GOLD)
def star_(p: Tensor, vary: Vary) -> list[Layer]:
    return [(BODY, star(p, 0, -0.05, 5, 0.92, 0.4 + vary(0.05)) - 0.02)]


@thing("cloud", WHITE, (210, 0.12, 0.9), SKY)
def cloud(p: Tensor, vary: Vary) -> list[Layer]:
    a = vary(0.07)
    puffs = union(
        circle(p, -0.46, -0.08, 0.33),
        circle(p, -0.08 + a, 0.2, 0.4),
        circle(p, 0.42, 0.02, 0.35),
        box(p, 0, -0.22, 0.72, 0.2, 0.18),
    )
    return [(BODY, puffs)]


# --- vehicles --------------------------------------------------------------------------------


@thing("car", RED, SKY, BLACK)
def car(p: Tensor, vary: Vary) -> list[Layer]:
    roof = 0.46 + vary(0.05)
    body = union(
        box(p, 0, -0.16, 0.86, 0.23, 0.12),
        polygon(p, [(-0.56, 0.0), (-0.34, roof), (0.3, roof), (0.56, 0.0)]) - 0.03,
    )
    windows = union(
        polygon(p, [(-0.4, 0.08), (-0.26, roof - 0.08), (-0.04, roof - 0.08), (-0.04, 0.08)]),
        polygon(p, [(0.06, 0.08), (0.06, roof - 0.08), (0.24, roof - 0.08), (0.38, 0.08)]),
    )
    wheels = union(circle(p, -0.48, -0.4, 0.21), circle(p, 0.48, -0.4, 0.21))
    hubs = union(circle(p, -0.48, -0.4, 0.08), circle(p, 0.48, -0.4, 0.08))
    return [(BODY, body), (ACCENT, windows), (DETAIL, wheels), (ACCENT, hubs)]


@thing("bus", (45, 0.9, 0.95), SKY, BLACK)
def bus(p: Tensor, vary: Vary) -> list[Layer]:
    n = 4 if vary(1) > 0 else 3
    windows = union(*(box(p, -0.62 + 1.24 * (i + 0.5) / n, 0.22, 0.5 / n, 0.17) for i in range(n)))
    wheels = union(circle(p, -0.48, -0.48, 0.19), circle(p, 0.48, -0.48, 0.19))
    stripe = box(p, 0, -0.14, 0.84, 0.035, 0)
    return [
        (BODY, box(p, 0, 0.04, 0.88, 0.52, 0.12)),
        (ACCENT, windows),
        (DETAIL, union(wheels, stripe)),
    ]


@thing("truck", BLUE, SILVER, BLACK)
def truck(p: Tensor, vary: Vary) -> list[Layer]:
    h = vary(0.06)
    cab = union(
        box(p, 0.6, -0.14, 0.3, 0.3, 0.06),
        polygon(p, [(0.3, 0.1), (0.3, 0.36), (0.66, 0.36), (0.86, 0.1)]),
    )
    window = polygon(p, [(0.44, 0.08), (0.44, 0.26), (0.62, 0.26), (0.74, 0.08)])
    wheels = union(*(circle(p, x, -0.5, 0.18) for x in (-0.6, -0.16, 0.58)))
    return [
        (ACCENT, box(p, -0.34, 0.12 + h / 2, 0.58, 0.5 + h / 2, 0.04)),
        (BODY, cab),
        (ACCENT, window),
        (DETAIL, wheels),
    ]


@thing("bicycle", GREEN, BLACK, GREY)
def bicycle(p: Tensor, vary: Vary) -> list[Layer]:
    wheels = union(ring(p, -0.5, -0.3, 0.36, 0.085), ring(p, 0.5, -0.3, 0.36, 0.085))
    frame = union(
        path(p, [(-0.5, -0.3), (-0.22, 0.2), (0.34, 0.2), (-0.02, -0.3), (-0.5, -0.3)], 0.045),
        capsule(p, (-0.02, -0.3), (-0.24, 0.3), 0.045),
        path(p, [(0.5, -0.3), (0.3, 0.42), (0.5 + vary(0.06), 0.52)], 0.045),
    )
    return [
        (ACCENT, wheels),
        (BODY, frame),
        (
            DETAIL,
            union(capsule(p, (-0.38, 0.34), (-0.12, 0.34), 0.06), circle(p, -0.02, -0.3, 0.08)),
        ),
    ]


@thing("sailboat", BROWN, WHITE, RED)
def sailboat(p: Tensor, vary: Vary) -> list[Layer]:
    hull = polygon(p, [(-0.82, -0.34), (0.82, -0.34), (0.5, -0.76), (-0.5, -0.76)]) - 0.02
    sails = union(
        polygon(p, [(0.06, -0.22), (0.06, 0.8), (0.66 + vary(0.06), -0.22)]),
        polygon(p, [(-0.08, -0.22), (-0.08, 0.58), (-0.52, -0.22)]),
    )
    flag = polygon(p, [(0, 0.98), (0, 0.8), (-0.26, 0.89)])
    return [
        (DETAIL, union(capsule(p, (0, -0.4), (0, 0.92), 0.035), flag)),
        (BODY, hull),
        (ACCENT, sails),
    ]


@thing("airplane", SILVER, BLUE, BLACK)
def airplane(p: Tensor, vary: Vary) -> list[Layer]:
    q = turned(p, 20 + vary(12))
    m = mirrored(q)
    wings = union(
        polygon(m, [(0, 0.22), (0.9, -0.2), (0.9, -0.34), (0, -0.12)]),
        polygon(m, [(0, -0.58), (0.36, -0.78), (0.36, -0.9), (0, -0.76)]),
    )
    windows = circle(m, 0.055, 0.56, 0.05)
    return [(ACCENT, wings), (BODY, ellipse(q, 0, 0, 0.16, 0.92)), (DETAIL, windows)]


@thing("rocket", WHITE, RED, BLUE)
def rocket(p: Tensor, vary: Vary) -> list[Layer]:
    m = mirrored(p)
    fins = polygon(m, [(0.18, -0.1), (0.56 + vary(0.05), -0.6), (0.16, -0.5)])
    body = blob(p, symmetric([(0, 0.94), (0.2, 0.62), (0.3, 0.1), (0.22, -0.56), (0, -0.6)]))
    flame = blob(p, symmetric([(0, -0.52), (0.14, -0.6), (0, -0.96)]))
    nose = meet(body, -(p[..., 1] - 0.55))
    return [
        (ACCENT, union(fins, flame)),
        (BODY, body),
        (ACCENT, nose),
        (DETAIL, circle(p, 0, 0.2, 0.14)),
    ]


@thing("hot air balloon", RED, YELLOW, BROWN)
def hot_air_balloon(p: Tensor, vary: Vary) -> list[Layer]:
    skin = blob(
        p,
        symmetric([(0, 0.94), (0.44, 0.8), (0.62, 0.4), (0.42, -0.04), (0.16, -0.34), (0, -0.36)]),
    )
    w = 0.2 + vary(0.03)
    stripe = meet(skin, ellipse(p, 0, 0.3, w, 0.7))
    ropes = union(
        capsule(p, (-0.15, -0.3), (-0.13, -0.68), 0.025),
        capsule(p, (0.15, -0.3), (0.13, -0.68), 0.025),
    )
    return [(DETAIL, union(ropes, box(p, 0, -0.8, 0.18, 0.14))), (BODY, skin), (ACCENT, stripe)]


# --- household -------------------------------------------------------------------------------


@thing("house", CREAM, RED, BROWN)
def house(p: Tensor, vary: Vary) -> list[Layer]:
    walls = box(p, 0, -0.34, 0.58, 0.48, 0.01)
    roof = polygon(p, [(-0.8, 0.08), (0, 0.84 + vary(0.08)), (0.8, 0.08)])
    chimney = box(p, 0.4, 0.52, 0.1, 0.24, 0)
    door, windows = box(p, 0, -0.54, 0.14, 0.28, 0), box(mirrored(p), 0.37, -0.3, 0.12, 0.12, 0)
    return [(DETAIL, chimney), (BODY, walls), (ACCENT, roof), (DETAIL, union(door, windows))]


@thing("castle", GREY, (220, 0.1, 0.4), RED)
def castle(p: Tensor, vary: Vary) -> list[Layer]:
    m = mirrored(p)
    h = 0.3 + vary(0.06)
    wall = union(
        box(p, 0, -0.36, 0.6, 0.4, 0), box(p, 0, 0.08, 0.1, 0.1, 0), box(m, 0.3, 0.08, 0.07, 0.1, 0)
    )
    towers = union(
        box(m, 0.62, -0.2, 0.2, 0.22 + h, 0),
        box(m, 0.49, h + 0.1, 0.06, 0.1, 0),
        box(m, 0.75, h + 0.1, 0.06, 0.1, 0),
    )
    gate = union(box(p, 0, -0.6, 0.17, 0.18, 0), circle(p, 0, -0.42, 0.17))
    flags = polygon(m, [(0.62, h + 0.55), (0.62, h + 0.33), (0.9, h + 0.44)])
    return [
        (DETAIL, union(flags, capsule(m, (0.62, h), (0.62, h + 0.54), 0.03))),
        (BODY, union(wall, towers)),
        (ACCENT, union(gate, box(m, 0.62, -0.02, 0.06, 0.13, 0))),
    ]


@thing("umbrella", BLUE, WHITE, BROWN)
def umbrella(p: Tensor, vary: Vary) -> list[Layer]:
    scallops = union(*(circle(p, x, 0.02, 0.22) for x in (-0.62, -0.21, 0.21, 0.62)))
    dome = cut(meet(circle(p, 0, 0.02, 0.84), -(p[..., 1] - 0.02)), scallops)
    handle = union(
        capsule(p, (0, 0.95), (0, -0.7), 0.045), arc(p, 0.15, -0.7, 0.15, 180, 350, 0.09)
    )
    stripes = meet(dome, ellipse(p, 0, 0.02, 0.2 + vary(0.04), 0.86))
    return [(DETAIL, handle), (BODY, dome), (ACCENT, stripes)]


@thing("clock", BROWN, WHITE, BLACK)
def clock(p: Tensor, vary: Vary) -> list[Layer]:
    angle = math.radians(vary(180))
    hands = union(
        capsule(p, (0, 0), (0, 0.44), 0.045),
        capsule(p, (0, 0), (0.32 * math.cos(angle), 0.32 * math.sin(angle)), 0.05),
    )
    ticks = union(
        *(
            circle(p, 0.5 * math.cos(a), 0.5 * math.sin(a), 0.05)
            for a in (0, math.pi / 2, math.pi, -math.pi / 2)
        )
    )
    bells = union(
        circle(p, -0.46, 0.62, 0.22),
        circle(p, 0.46, 0.62, 0.22),
        capsule(p, (-0.4, -0.5), (-0.58, -0.86), 0.06),
        capsule(p, (0.4, -0.5), (0.58, -0.86), 0.06),
    )
    return [
        (BODY, union(circle(p, 0, -0.05, 0.76), bells)),
        (ACCENT, circle(p, 0, -0.05, 0.62)),
        (DETAIL, union(hands, ticks)),
    ]


@thing("mug", WHITE, BROWN, BLUE)
def mug(p: Tensor, vary: Vary) -> list[Layer]:
    handle = ring(p, 0.46, -0.08, 0.3, 0.16)
    body = box(p, -0.14, -0.1, 0.54, 0.62, 0.1)
    return [
        (BODY, union(handle, body)),
        (ACCENT, ellipse(p, -0.14, 0.5, 0.46, 0.1)),
        (DETAIL, box(p, -0.14, -0.2 + vary(0.15), 0.54, 0.08, 0)),
    ]


@thing("teapot", (150, 0.35, 0.75), (150, 0.4, 0.5), GOLD)
def teapot(p: Tensor, vary: Vary) -> list[Layer]:
    pot = ellipse(p, 0, -0.18, 0.58, 0.5 + vary(0.04))
    spout = blob(
        p, [(0.4, -0.36), (0.72, -0.1), (0.9, 0.32), (0.74, 0.34), (0.58, 0.06), (0.4, -0.02)]
    )
    handle = ring(p, -0.6, -0.12, 0.29, 0.12)
    lid = meet(ellipse(p, 0, 0.26, 0.34, 0.2), -(p[..., 1] - 0.24))
    return [
        (BODY, union(handle, spout, pot)),
        (ACCENT, lid),
        (DETAIL, union(circle(p, 0, 0.52, 0.09), box(p, 0, -0.68, 0.3, 0.05))),
    ]


@thing("bottle", (140, 0.6, 0.45), CREAM, RED)
def bottle(p: Tensor, vary: Vary) -> list[Layer]:
    body = blob(
        p,
        symmetric(
            [
                (0, 0.72),
                (0.13, 0.7),
                (0.13, 0.36),
                (0.3, 0.1),
                (0.33, -0.3),
                (0.32, -0.86),
                (0, -0.92),
            ]
        ),
    )
    return [
        (BODY, body),
        (ACCENT, box(p, 0, -0.36 + vary(0.06), 0.33, 0.22, 0)),
        (DETAIL, box(p, 0, 0.82, 0.15, 0.11)),
    ]


@thing("wine glass", (350, 0.7, 0.55), SILVER, SILVER)
def wine_glass(p: Tensor, vary: Vary) -> list[Layer]:
    bowl = blob(p, symmetric([(0, 0.86), (0.36, 0.85), (0.46, 0.4), (0.3, 0.04), (0, -0.06)]))
    wine = meet(bowl + 0.05, p[..., 1] - 0.42 - vary(0.1))
    stem = union(capsule(p, (0, 0), (0, -0.82), 0.05), ellipse(p, 0, -0.86, 0.38, 0.08))
    return [(ACCENT, stem), (DETAIL, bowl), (BODY, wine)]


@thing("key", GOLD, BROWN, BROWN)
def key(p: Tensor, vary: Vary) -> list[Layer]:
    bow = cut(circle(p, -0.5, 0, 0.4), circle(p, -0.54, 0, 0.19 + vary(0.03)))
    blade = union(
        box(p, 0.34, 0, 0.58, 0.085),
        box(p, 0.58, -0.16, 0.07, 0.15, 0),
        box(p, 0.82, -0.18, 0.07, 0.17, 0),
    )
    return [(BODY, union(bow, blade))]


@thing("hammer", GREY, BROWN, BLACK)
def hammer(p: Tensor, vary: Vary) -> list[Layer]:
    head = union(
        box(p, -0.12, 0.56, 0.42, 0.19, 0.04),
        polygon(p, [(0.25, 0.74), (0.66, 0.6 + vary(0.08)), (0.66, 0.5), (0.25, 0.38)]),
    )
    return [
        (ACCENT, box(p, 0, -0.22, 0.1, 0.72, 0.06)),
        (DETAIL, box(p, 0, -0.7, 0.115, 0.22, 0.06)),
        (BODY, head),
    ]


@thing("scissors", SILVER, RED, BLACK)
def scissors(p: Tensor, vary: Vary) -> list[Layer]:
    m = mirrored(p)
    spread = 0.34 + vary(0.06)
    blades = union(
        polygon(p, [(-0.12, -0.2), (0.04, -0.24), (spread, 0.9)]),
        polygon(p, [(0.12, -0.2), (-0.04, -0.24), (-spread, 0.9)]),
    )
    handles = union(ring(m, 0.32, -0.62, 0.22, 0.13), capsule(m, (0.04, -0.2), (0.2, -0.42), 0.07))
    return [(BODY, blades), (ACCENT, handles), (DETAIL, circle(p, 0, -0.2, 0.07))]


@thing("lamp", CREAM, BROWN, GOLD)
def lamp(p: Tensor, vary: Vary) -> list[Layer]:
    shade = polygon(
        p, [(-0.3, 0.84), (0.3, 0.84), (0.62 + vary(0.05), 0.06), (-0.62 + vary(0.05), 0.06)]
    )
    return [
        (DETAIL, capsule(p, (0, -0.8), (0, 0.3), 0.055)),
        (ACCENT, union(box(p, 0, -0.84, 0.38, 0.07), ellipse(p, 0, -0.5, 0.13, 0.2))),
        (BODY, shade),
    ]


@thing("light bulb", (54, 0.45, 0.98), GREY, ORANGE)
def light_bulb(p: Tensor, vary: Vary) -> list[Layer]:
    glass = blob(
        p, symmetric([(0, 0.92), (0.42, 0.78), (0.56, 0.4), (0.4, 0.0), (0.22, -0.34), (0, -0.38)])
    )
    wire = path(
        p,
        [(-0.1, -0.3), (-0.2, 0.28), (-0.07, 0.44), (0.07, 0.28), (0.2, 0.44), (0.1, -0.3)],
        0.035,
    )
    screw = union(
        *(box(p, 0, y, 0.22 - s, 0.075, 0.05) for y, s in ((-0.46, 0), (-0.62, 0), (-0.78, 0.06)))
    )
    return [(BODY, glass), (DETAIL, wire), (ACCENT, screw)]


@thing("candle", (10, 0.65, 0.85), YELLOW, BLACK)
def candle(p: Tensor, vary: Vary) -> list[Layer]:
    wax = box(p, 0, -0.38, 0.21, 0.54, 0.04)
    drip = union(
        capsule(p, (-0.14, 0.1), (-0.14, -0.12 + vary(0.08)), 0.06),
        capsule(p, (0.1, 0.1), (0.1, -0.02), 0.06),
    )
    flame = blob(p, symmetric([(0, 0.94), (0.12, 0.62), (0.15, 0.42), (0, 0.28)]))
    return [
        (BODY, union(wax, drip)),
        (DETAIL, capsule(p, (0, 0.12), (0, 0.36), 0.03)),
        (ACCENT, flame),
        (DETAIL, box(p, 0, -0.9, 0.42, 0.05)),
    ]


@thing("bell", GOLD, (40, 0.8, 0.6), BROWN)
def bell(p: Tensor, vary: Vary) -> list[Layer]:
    body = blob(
        p,
        symmetric(
            [
                (0, 0.66),
                (0.26, 0.56),
                (0.36, 0.1),
                (0.46, -0.26),
                (0.7 + vary(0.04), -0.5),
                (0.3, -0.56),
                (0, -0.56),
            ]
        ),
    )
    return [
        (DETAIL, ring(p, 0, 0.76, 0.13, 0.08)),
        (DETAIL, circle(p, 0, -0.64, 0.17)),
        (BODY, body),
        (ACCENT, box(p, 0, -0.36, 0.5, 0.05, 0.03)),
    ]


@thing("hat", BLACK, RED, BLACK)
def hat(p: Tensor, vary: Vary) -> list[Layer]:
    crown = polygon(p, [(-0.46, 0.66), (0.46, 0.66), (0.4, -0.4), (-0.4, -0.4)]) - 0.03
    return [
        (BODY, union(crown, ellipse(p, 0, -0.44, 0.92, 0.17))),
        (ACCENT, box(p, 0, -0.16 + vary(0.05), 0.43, 0.13, 0)),
    ]


@thing("crown", GOLD, (40, 0.85, 0.7), RED)
def crown(p: Tensor, vary: Vary) -> list[Layer]:
    dip = vary(0.08)
    body = polygon(
        p,
        [
            (-0.66, -0.6),
            (-0.8, 0.4),
            (-0.36, -0.04 + dip),
            (0, 0.58),
            (0.36, -0.04 + dip),
            (0.8, 0.4),
            (0.66, -0.6),
        ],
    )
    gems = union(
        circle(p, -0.8, 0.48, 0.11),
        circle(p, 0, 0.68, 0.11),
        circle(p, 0.8, 0.48, 0.11),
        circle(p, 0, -0.2, 0.09),
    )
    return [(BODY, body), (ACCENT, box(p, 0, -0.52, 0.67, 0.1, 0)), (DETAIL, gems)]


@thing("envelope", CREAM, GREY, RED)
def envelope(p: Tensor, vary: Vary) -> list[Layer]:
    flap = path(p, [(-0.8, 0.5), (0, -0.08 + vary(0.08)), (0.8, 0.5)], 0.04)
    folds = union(
        capsule(p, (-0.8, -0.52), (-0.2, -0.02), 0.03), capsule(p, (0.8, -0.52), (0.2, -0.02), 0.03)
    )
    paper = box(p, 0, 0, 0.84, 0.56)
    return [
        (BODY, paper),
        (ACCENT, meet(union(flap, folds), paper)),
        (DETAIL, circle(p, 0, -0.06, 0.13)),
    ]


@thing("guitar", (22, 0.75, 0.65), BROWN, BLACK)
def guitar(p: Tensor, vary: Vary) -> list[Layer]:
    q = turned(p, -28 + vary(10))
    body = blob(
        q,
        symmetric([(0, 0.12), (0.26, 0.06), (0.2, -0.2), (0.42, -0.56), (0.26, -0.9), (0, -0.94)]),
    )
    neck = union(box(q, 0, 0.46, 0.065, 0.42, 0), box(q, 0, 0.92, 0.11, 0.12, 0.04))
    return [
        (BODY, body),
        (ACCENT, neck),
        (DETAIL, union(circle(q, 0, -0.3, 0.13), box(q, 0, -0.66, 0.16, 0.04, 0))),
    ]


@thing("kite", PURPLE, YELLOW, RED)
def kite(p: Tensor, vary: Vary) -> list[Layer]:
    q = turned(p, -15)
    left = polygon(q, [(0, 0.94), (-0.52, 0.34), (0, -0.36)])
    right = polygon(q, [(0, 0.94), (0.52, 0.34), (0, -0.36)])
    tail = path(q, [(0, -0.36), (0.14 + vary(0.06), -0.54), (-0.06, -0.72), (0.1, -0.96)], 0.035)
    bows = union(circle(q, 0.1, -0.55, 0.09), circle(q, -0.04, -0.75, 0.09))
    return [(DETAIL, union(tail, bows)), (BODY, left), (ACCENT, right)]


@thing("glasses", BLACK, SKY, BLACK)
def glasses(p: Tensor, vary: Vary) -> list[Layer]:
    m = mirrored(p)
    w = 0.36 + vary(0.03)
    lens = ellipse(m, 0.46, -0.04, w, 0.32)
    frame = union(
        lens.abs() - 0.06,
        arc(p, 0, 0.02, 0.14, 20, 160, 0.1),
        capsule(m, (0.8, 0.08), (0.96, 0.24), 0.06),
    )
    return [(ACCENT, lens), (BODY, frame)]


@thing("sock", RED, WHITE, GREEN)
def sock(p: Tensor, vary: Vary) -> list[Layer]:
    foot = blob(
        p,
        [
            (-0.3, 0.76),
            (0.16, 0.76),
            (0.2, 0.1),
            (0.34, -0.16),
            (0.72, -0.36),
            (0.76, -0.7),
            (0.3, -0.82),
            (-0.14, -0.6),
            (-0.34, -0.2),
            (-0.32, 0.3),
        ],
    )
    toe = meet(foot, circle(p, 0.72, -0.62, 0.3))
    stripes = meet(
        foot, union(box(p, 0, 0.3 + vary(0.06), 0.6, 0.07, 0), box(p, 0, 0.04, 0.6, 0.07, 0))
    )
    return [
        (BODY, foot),
        (DETAIL, stripes),
        (ACCENT, union(toe, box(p, -0.06, 0.74, 0.3, 0.14, 0.05))),
    ]


@thing("snowman", WHITE, BLACK, ORANGE)
def snowman(p: Tensor, vary: Vary) -> list[Layer]:
    body = union(circle(p, 0, -0.5, 0.45), circle(p, 0, 0.2, 0.32 + vary(0.03)))
    hat_ = union(box(p, 0, 0.72, 0.22, 0.2, 0.02), box(p, 0, 0.52, 0.38, 0.05, 0.02))
    dots = union(
        circle(mirrored(p), 0.11, 0.28, 0.05),
        *(circle(p, 0, y, 0.055) for y in (-0.28, -0.5, -0.7)),
    )
    arms = union(
        capsule(p, (-0.35, -0.25), (-0.84, 0.1), 0.035),
        capsule(p, (0.35, -0.25), (0.84, 0.1), 0.035),
    )
    return [
        (ACCENT, arms),
        (BODY, body),
        (ACCENT, union(hat_, dots)),
        (DETAIL, polygon(p, [(0, 0.2), (0, 0.1), (0.3, 0.12)])),
    ]


@thing("anchor", (215, 0.5, 0.4), GREY, BROWN)
def anchor(p: Tensor, vary: Vary) -> list[Layer]:
    m = mirrored(p)
    shaft = union(
        capsule(p, (0, 0.5), (0, -0.8), 0.075),
        capsule(p, (-0.34, 0.34), (0.34, 0.34), 0.065),
        arc(p, 0, -0.12, 0.66, 195, 345, 0.15),
    )
    flukes = polygon(m, [(0.46, -0.36), (0.84, -0.42), (0.72, -0.04 + vary(0.05))])
    return [(BODY, union(shaft, flukes, ring(p, 0, 0.68, 0.17, 0.1)))]


@thing("heart", RED, PINK, PINK)
def heart(p: Tensor, vary: Vary) -> list[Layer]:
    half = [
        (0, 0.38),
        (0.22, 0.66),
        (0.6, 0.64),
        (0.78, 0.3),
        (0.56, -0.2),
        (0.12, -0.68),
        (0, -0.8),
    ]
    return [
        (BODY, blob(p, symmetric(half))),
        (ACCENT, arc(p, -0.4, 0.3, 0.2, 90, 180 + vary(20), 0.09)),
    ]


CLASSNAMES: tuple[str, ...] = tuple(thing.name for thing in OBJECTS)

_ELSEWHERE = (  # known to Pocket-CLIP, kept out of the benchmark for transfer experiments
    "snail", "palm tree", "cactus", "leaf", "cloud", "bicycle", "airplane", "castle", "bottle",
    "wine glass", "key", "hammer", "scissors", "candle", "hat", "crown", "envelope", "guitar",
    "kite", "glasses", "sock", "snowman", "anchor", "heart",
)  # fmt: skip
POCKET_CLASSES: tuple[int, ...] = tuple(
    k for k, name in enumerate(CLASSNAMES) if name not in _ELSEWHERE
)
"""The forty objects of the Pocket benchmark, as indices into `OBJECTS`; lemon is the first."""


@dataclass(frozen=True)
class Atlas:
    """Every variant of every object, sampled once on a grid, so that drawing is a texture look-up.

    Attributes:
        distances: (classes, variants, 1 + MAX_LAYERS, size, size); channel 0 is the silhouette.
        roles: (classes, MAX_LAYERS) int64, the colour of each layer.
        colours: (classes, 3, 3) usual hue (0..1), saturation and value of each role.
    """

    distances: Tensor
    roles: Tensor
    colours: Tensor


@lru_cache(maxsize=2)
def build_atlas(variants: int = 4, size: int = 80) -> Atlas:
    """Sample all objects on a grid; takes a few seconds and is done once per process."""
    axis = ((torch.arange(size) + 0.5) / size * 2 - 1) * ATLAS_REACH
    y, x = torch.meshgrid(-axis, axis, indexing="ij")
    grid = torch.stack([x, y], dim=-1)
    distances = torch.full((len(OBJECTS), variants, 1 + MAX_LAYERS, size, size), 1.0)
    roles = torch.zeros(len(OBJECTS), MAX_LAYERS, dtype=torch.int64)
    for k, item in enumerate(OBJECTS):
        for v in range(variants):
            generator = torch.Generator().manual_seed(1000 * k + v)

            def vary(a: float, generator: torch.Generator = generator) -> float:
                return a * (2 * float(torch.rand((), generator=generator)) - 1)

            layers = item.draw(grid, vary)
            for i, (role, distance) in enumerate(layers):
                distances[k, v, 1 + i] = distance
                roles[k, i] = role
            distances[k, v, 0] = union(*(distance for _, distance in layers))
    colours = torch.tensor([item.colours for item in OBJECTS]) / torch.tensor([360.0, 1.0, 1.0])
    return Atlas(distances, roles, colours)

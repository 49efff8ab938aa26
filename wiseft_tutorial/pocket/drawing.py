"""Draws Pocket: batches of 48 x 48 images, thousands a second, the same for the same seed.

An image is made as a picture is taken: choose a pose, look up how far every pixel is from each
shape of the object (`objects.build_atlas`), choose colours and a scene, and paint in one of six
media. All randomness comes from the generator that is passed in, and all work happens on its
device.

Explained in: chapter 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from wiseft_tutorial.pocket.objects import ATLAS_REACH, MAX_LAYERS, Atlas, build_atlas
from wiseft_tutorial.pocket.styles import MEDIA, Style

__all__ = ["IMAGE_SIZE", "Picture", "draw", "hsv_to_rgb"]

IMAGE_SIZE = 48
PIXEL = 2.0 / IMAGE_SIZE  # the frame is [-1, 1] x [-1, 1]
_CHUNK = 128  # images drawn at a time: what they need stays in the processor's cache


@dataclass(frozen=True)
class Picture:
    """Drawn images and what is true of each, which captions speak of.

    Attributes:
        images: (N, 3, 48, 48) uint8.
        medium: (N,) int64, index into `styles.MEDIA`.
        repainted: (N,) bool, whether the object has random colours.
        colour: (N, 3) hue, saturation and value of the object's body.
        backdrop: (N, 3) hue, saturation and value of the background.
        turn: (N,) rotation in radians; size: (N,) as a fraction of the frame.
    """

    images: Tensor
    medium: Tensor
    repainted: Tensor
    colour: Tensor
    backdrop: Tensor
    turn: Tensor
    size: Tensor


def hsv_to_rgb(hsv: Tensor) -> Tensor:
    """(..., 3) hue (0..1, any turn), saturation and value to red, green and blue in 0..1."""
    h, s, v = hsv.unbind(-1)
    k = (h.new_tensor([5.0, 3.0, 1.0]) + h[..., None] * 6) % 6
    ramp = torch.minimum(k, 4 - k).clamp(0, 1)
    return (v[..., None] * (1 - s[..., None] * ramp)).clamp(0, 1)


class _Dice:
    """Random numbers of one generator, on its device."""

    def __init__(self, generator: Generator) -> None:
        self.generator, self.device = generator, generator.device

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        u = torch.rand(*shape, generator=self.generator, device=self.device)
        return low + (high - low) * u

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.generator, device=self.device)

    def chance(self, p: float, n: int) -> Tensor:
        return torch.rand(n, generator=self.generator, device=self.device) < p

    def integers(self, high: int, n: int) -> Tensor:
        return torch.randint(high, (n,), generator=self.generator, device=self.device)


@lru_cache(maxsize=4)
def _atlas(device: torch.device) -> Atlas:
    atlas = build_atlas()
    return Atlas(atlas.distances.to(device), atlas.roles.to(device), atlas.colours.to(device))


@lru_cache(maxsize=4)
def _clouds(device: torch.device) -> Tensor:
    """A stack of smooth random fields, (64, 96, 96) in 0..1, from which backgrounds are cut."""
    generator = torch.Generator().manual_seed(5)
    field = torch.zeros(64, 1, 96, 96)
    for cells, weight in ((6, 0.5), (12, 0.3), (28, 0.2)):
        coarse = torch.rand(64, 1, cells, cells, generator=generator)
        field += weight * F.interpolate(coarse, size=(96, 96), mode="bicubic", align_corners=False)
    return ((field[:, 0] - 0.5) * 2.2 + 0.5).clamp(0, 1).to(device)


@lru_cache(maxsize=4)
def _grain(device: torch.device) -> Tensor:
    """A store of normal deviates: cutting from it is many times faster than drawing anew."""
    generator = torch.Generator().manual_seed(6)
    return torch.randn(2**20, generator=generator).to(device)


@lru_cache(maxsize=4)
def _pixels(device: torch.device) -> Tensor:
    axis = (torch.arange(IMAGE_SIZE, device=device) + 0.5) * PIXEL - 1
    y, x = torch.meshgrid(-axis, axis, indexing="ij")
    return torch.stack([x, y])  # (2, 48, 48), y up


@lru_cache(maxsize=4)
def class_backdrops(device: torch.device) -> Tensor:
    """(classes, 3) the hue, saturation and value of the background that goes with each class."""
    k = torch.arange(len(build_atlas().colours))
    hue = (k * 0.618034 + 0.31) % 1
    generator = torch.Generator().manual_seed(7)
    saturation = 0.25 + 0.35 * torch.rand(len(k), generator=generator)
    value = 0.4 + 0.5 * torch.rand(len(k), generator=generator)
    return torch.stack([hue, saturation, value], -1).to(device)


def draw(labels: Tensor, style: Style, generator: Generator) -> Picture:
    """Draw one image per label.

    Args:
        labels: (N,) int64, indices into `objects.OBJECTS`.
        style: the distribution to draw from.
        generator: source of all randomness; its device is where the drawing happens.

    Returns:
        The images, (N, 3, 48, 48) uint8, with what is true of each.

    Explained in: chapter 1.
    """
    parts = [_draw(chunk, style, generator) for chunk in labels.to(generator.device).split(_CHUNK)]
    names = Picture.__dataclass_fields__
    return Picture(**{name: torch.cat([getattr(p, name) for p in parts]) for name in names})


def _draw(labels: Tensor, style: Style, generator: Generator) -> Picture:
    dice, n = _Dice(generator), len(labels)
    atlas = _atlas(dice.device)

    turn = dice.uniform(-1, 1, n) * math.radians(style.turn)
    size = dice.uniform(*style.size, n)
    offset = dice.uniform(-1, 1, n, 2) * style.wander * (1 - 0.8 * size)[:, None]
    here = _object_coordinates(dice, turn, size, offset, style.wobble)
    which = atlas.distances[labels, dice.integers(atlas.distances.shape[1], n)]
    distances = F.grid_sample(which, here, padding_mode="border", align_corners=False)
    distances = distances * size[:, None, None, None]

    repainted = dice.chance(style.repaint, n)
    colours = _colours(dice, atlas.colours[labels], repainted, style.tint)
    backdrop = _backdrops(dice, labels, style.scene)
    shares = torch.tensor([dict(style.media).get(medium, 0.0) for medium in MEDIA])
    medium = torch.multinomial(
        shares.to(dice.device), n, replacement=True, generator=dice.generator
    )
    scene = _Scene(distances, colours, atlas.roles[labels], backdrop, style, size)
    images = torch.empty(n, 3, IMAGE_SIZE, IMAGE_SIZE, device=dice.device)
    for i, name in enumerate(MEDIA):
        chosen = (medium == i).nonzero()[:, 0]
        if len(chosen) == n:
            images = _PAINTERS[name](dice, scene)
        elif len(chosen):
            images[chosen] = _PAINTERS[name](dice, scene.only(chosen))
    pixels = (images.clamp_(0, 1) * 255).round_().to(torch.uint8)
    return Picture(pixels, medium, repainted, colours[:, 0], backdrop, turn, size)


def _object_coordinates(
    dice: _Dice, turn: Tensor, size: Tensor, offset: Tensor, wobble: float
) -> Tensor:
    """Where each pixel lies in the object's atlas: (N, 48, 48, 2) in grid_sample's coordinates."""
    n = len(turn)
    flip = torch.where(dice.chance(0.5, n), -1.0, 1.0)
    stretch = (0.13 * dice.normal(n).clamp(-2, 2)).exp()
    c, s = turn.cos() / size, turn.sin() / size
    x, y = (_pixels(dice.device)[None] - offset[:, :, None, None]).unbind(1)
    c, s, flip, stretch = (t[:, None, None] for t in (c, s, flip, stretch))
    u, v = (c * x + s * y) * flip * stretch, (c * y - s * x) / stretch
    phase = dice.uniform(0, 2 * math.pi, 2, n)[:, :, None, None]
    bend = wobble * dice.uniform(0.3, 1.0, n)[:, None, None]
    u, v = u + bend * (3 * v + phase[0]).sin(), v + bend * (3 * u + phase[1]).cos()
    return torch.stack([u, -v], dim=-1) / ATLAS_REACH


def _colours(dice: _Dice, usual: Tensor, repainted: Tensor, tint: float) -> Tensor:
    """(N, 3, 3) hue, saturation and value for each role."""
    n = len(usual)
    jitter = dice.normal(n, 3, 3)
    jitter[..., 0] = jitter[:, :1, 0] * 0.25  # one hue jitter for the whole object, and a small one
    near = usual + tint * jitter
    near[..., 1:] = near[..., 1:].clamp(0, 1)
    free = torch.stack(
        [dice.uniform(0, 1, n, 3), dice.uniform(0.2, 1, n, 3), dice.uniform(0.2, 1, n, 3)], dim=-1
    )
    return torch.where(repainted[:, None, None], free, near)


def _backdrops(dice: _Dice, labels: Tensor, scene: float) -> Tensor:
    n = len(labels)
    own = class_backdrops(dice.device)[labels] + dice.normal(n, 3) * labels.new_tensor(
        [0.03, 0.08, 0.1], dtype=torch.float32
    )
    other = torch.stack(
        [dice.uniform(0, 1, n), dice.uniform(0.05, 0.8, n), dice.uniform(0.2, 1, n)], dim=-1
    )
    chosen = torch.where(dice.chance(scene, n)[:, None], own, other)
    return torch.cat([chosen[:, :1], chosen[:, 1:].clamp(0, 1)], dim=1)


@dataclass(frozen=True)
class _Scene:
    distances: Tensor  # (N, 1 + MAX_LAYERS, 48, 48), silhouette first, in units of the frame
    colours: Tensor  # (N, 3 roles, 3) HSV
    roles: Tensor  # (N, MAX_LAYERS)
    backdrop: Tensor  # (N, 3) HSV
    style: Style
    size: Tensor  # (N,)

    def only(self, index: Tensor) -> _Scene:
        return _Scene(
            self.distances[index],
            self.colours[index],
            self.roles[index],
            self.backdrop[index],
            self.style,
            self.size[index],
        )

    @property
    def silhouette(self) -> Tensor:
        return self.distances[:, :1]

    def layers(self, rgb: Tensor) -> list[tuple[Tensor, Tensor]]:
        """(distance (N,1,H,W), colour (N,3,1,1)) of each layer in painting order."""
        picked = rgb.gather(1, self.roles[:, :, None].expand(-1, -1, 3))  # (N, layers, 3)
        return [
            (self.distances[:, 1 + i : 2 + i], picked[:, i, :, None, None])
            for i in range(MAX_LAYERS)
        ]


def _cover(distance: Tensor, softness: float = 1.0) -> Tensor:
    """How much of a pixel a shape covers, 0..1."""
    return (0.5 - distance / (PIXEL * softness)).clamp(0, 1)


def _cut_clouds(dice: _Dice, n: int) -> Tensor:
    """(N, 1, 48, 48) windows into the smooth random fields."""
    fields = _clouds(dice.device)
    which = dice.integers(len(fields), n)
    room = fields.shape[-1] - IMAGE_SIZE
    top, left = dice.integers(room, n), dice.integers(room, n)
    steps = torch.arange(IMAGE_SIZE, device=dice.device)
    rows, columns = top[:, None] + steps, left[:, None] + steps
    return fields[which[:, None, None], rows[:, :, None], columns[:, None, :]][:, None]


def _backdrop_image(dice: _Dice, scene: _Scene) -> Tensor:
    """(N, 3, 48, 48) two related colours mixed by clouds and, in half the images, a horizon."""
    n = len(scene.backdrop)
    second = scene.backdrop + dice.normal(n, 3) * scene.backdrop.new_tensor([0.05, 0.12, 0.22])
    second = torch.cat([second[:, :1], second[:, 1:].clamp(0, 1)], dim=1)
    a, b = (hsv_to_rgb(c)[:, :, None, None] for c in (scene.backdrop, second))
    mix = _cut_clouds(dice, n)
    horizon = dice.uniform(-0.7, 0.3, n)[:, None, None, None]
    slope = dice.uniform(-0.15, 0.15, n)[:, None, None, None]
    x, y = _pixels(dice.device).unbind(0)
    ground = _cover(y - horizon - slope * x, 3.0)
    has_horizon = dice.chance(0.5, n)[:, None, None, None]
    mix = torch.where(has_horizon, 0.35 * mix + 0.65 * ground, mix)
    return a + (b - a) * mix


def _clutter(dice: _Dice, images: Tensor, share: float, front: bool) -> Tensor:
    """Ovals, boxes or bars in random colours, painted over a share of the images."""
    n = len(images)
    x, y = _pixels(dice.device).unbind(0)
    for _ in range(1 if front else 2):
        angle = dice.uniform(0, math.pi, n)[:, None, None]
        cx, cy = dice.uniform(-1, 1, 2, n)[:, :, None, None]
        u = (x - cx) * angle.cos() + (y - cy) * angle.sin()
        v = (y - cy) * angle.cos() - (x - cx) * angle.sin()
        if front:  # a bar across the frame, or a post
            distance = v.abs() - dice.uniform(0.03, 0.12, n)[:, None, None]
        else:
            w, h = dice.uniform(0.1, 0.32, 2, n)[:, :, None, None]
            oval = ((u / w).square() + (v / h).square()).sqrt() * torch.minimum(w, h)
            oval = oval - torch.minimum(w, h)
            block = torch.maximum(u.abs() - w, v.abs() - h)
            distance = torch.where(dice.chance(0.5, n)[:, None, None], oval, block)
        colour = torch.stack(
            [dice.uniform(0, 1, n), dice.uniform(0, 0.8, n), dice.uniform(0.15, 1, n)], dim=-1
        )
        paint = _cover(distance)[:, None] * dice.chance(share, n)[:, None, None, None]
        images = torch.lerp(images, hsv_to_rgb(colour)[:, :, None, None], paint)
    return images


def _paint_photo(dice: _Dice, scene: _Scene) -> Tensor:
    n, style = len(scene.size), scene.style
    images = _clutter(dice, _backdrop_image(dice, scene), style.clutter, front=False)

    # Light falls from above, somewhat left or right; the object is lit as if it were inflated.
    azimuth = dice.uniform(0.15, 0.85, n)[:, None, None, None] * math.pi
    d = scene.silhouette
    slope_x = F.pad(d[..., 2:] - d[..., :-2], (1, 1, 0, 0), mode="replicate")
    slope_y = F.pad(d[..., :-2, :] - d[..., 2:, :], (0, 0, 1, 1), mode="replicate")
    rim = (1 + d / (0.35 * scene.size[:, None, None, None])).clamp(0, 1)
    facing = (slope_x * azimuth.cos() + slope_y * azimuth.sin()) * (rim / (2 * PIXEL))
    shade = 0.95 + 0.3 * facing - 0.12 * rim
    shade = shade * (0.88 + 0.24 * _cut_clouds(dice, n))

    # A soft shadow: the silhouette, moved away from the light by whole pixels.
    shadow = _cover(d - 0.03, 5.0)
    shadow = F.pad(shadow, (2, 0, 3, 0))[..., :IMAGE_SIZE, :IMAGE_SIZE]
    images = images * (1 - 0.4 * dice.uniform(0.2, 1, n)[:, None, None, None] * shadow)

    for distance, colour in scene.layers(hsv_to_rgb(scene.colours)):
        images = torch.lerp(images, colour * shade, _cover(distance, 1.2))
    if style.hidden:
        images = _clutter(dice, images, style.hidden, front=True)
    exposure = dice.uniform(1 - style.light, 1 + style.light, n)[:, None, None, None]
    strength = dice.uniform(*style.grain, n)[:, None, None, None]
    return images * exposure + strength * _cut_grain(dice, images)


def _cut_grain(dice: _Dice, images: Tensor) -> Tensor:
    store = _grain(dice.device)
    per_image = images[0].numel()
    starts = dice.integers(len(store) - per_image, len(images))
    windows = store.unfold(0, per_image, 1)
    return windows[starts].view_as(images)


def _flat_ground(dice: _Dice, n: int, white: float) -> Tensor:
    """(N, 3, 1, 1) plain light colours, white in a share of the images."""
    colour = torch.stack(
        [dice.uniform(0, 1, n), dice.uniform(0.05, 0.6, n), dice.uniform(0.6, 1, n)], dim=-1
    )
    colour = torch.where(dice.chance(white, n)[:, None], torch.ones_like(colour) * 0.0, colour)
    rgb = hsv_to_rgb(colour)
    return torch.where((colour.sum(-1) == 0)[:, None], torch.ones_like(rgb), rgb)[:, :, None, None]


def _paint_cartoon(dice: _Dice, scene: _Scene) -> Tensor:
    n = len(scene.size)
    images = _flat_ground(dice, n, 0.4).expand(-1, -1, IMAGE_SIZE, IMAGE_SIZE)
    pen = PIXEL * dice.uniform(0.5, 1.1, n)[:, None, None, None]
    ink = 0.2 * dice.uniform(0, 1, n)[:, None, None, None]
    for distance, colour in scene.layers(hsv_to_rgb(scene.colours)):
        images = torch.lerp(images, colour, _cover(distance))
        images = torch.lerp(images, ink * colour, _cover(distance.abs() - pen))
    return images


def _paint_sticker(dice: _Dice, scene: _Scene) -> Tensor:
    n = len(scene.size)
    images = _flat_ground(dice, n, 0.0).expand(-1, -1, IMAGE_SIZE, IMAGE_SIZE)
    shadow = F.pad(_cover(scene.silhouette - 0.1, 4.0), (1, 0, 2, 0))
    images = images * (1 - 0.35 * shadow[..., :IMAGE_SIZE, :IMAGE_SIZE])
    border = _cover(scene.silhouette - dice.uniform(0.06, 0.13, n)[:, None, None, None])
    images = torch.lerp(images, torch.ones_like(images), border)
    vivid = scene.colours.clone()
    vivid[..., 1:] = 0.45 + 0.55 * vivid[..., 1:]
    for distance, colour in scene.layers(hsv_to_rgb(vivid)):
        images = torch.lerp(images, colour, _cover(distance))
    return images


def _paint_print(dice: _Dice, scene: _Scene) -> Tensor:
    """Two inks on coloured paper; the lighter tones are rows of dots."""
    n = len(scene.size)
    paper = _flat_ground(dice, n, 0.3)
    hue = dice.uniform(0, 1, n)
    dark = hsv_to_rgb(torch.stack([hue, dice.uniform(0.5, 1, n), dice.uniform(0.1, 0.5, n)], -1))
    light = hsv_to_rgb(
        torch.stack(
            [hue + dice.uniform(0.2, 0.8, n), dice.uniform(0.4, 1, n), dice.uniform(0.5, 1, n)], -1
        )
    )
    x, y = _pixels(dice.device).unbind(0)
    pitch = dice.uniform(0.13, 0.2, n)[:, None, None] / (2 * math.pi)
    u, v = (x + y) / pitch / math.sqrt(2), (x - y) / pitch / math.sqrt(2)
    dots = ((u.sin() * v.sin()) * 3 + 0.9).clamp(0, 1)[:, None]
    screen = torch.where(dice.chance(0.6, n)[:, None, None, None], dots, torch.ones_like(dots))
    inks = torch.stack([light, paper[:, :, 0, 0], dark], dim=1)  # body, accent, detail
    images = paper.expand(-1, -1, IMAGE_SIZE, IMAGE_SIZE)
    for i, (distance, colour) in enumerate(scene.layers(inks)):
        is_body = (scene.roles[:, i] == 0)[:, None, None, None]
        tone = torch.where(is_body, screen, torch.ones_like(screen))
        images = torch.lerp(images, paper, _cover(distance))
        images = torch.lerp(images, colour, _cover(distance) * tone)
        images = torch.lerp(images, dark[:, :, None, None], _cover(distance.abs() - 0.6 * PIXEL))
    return images


def _paint_pixel(dice: _Dice, scene: _Scene) -> Tensor:
    """A cartoon on a grid half as fine."""
    coarse = F.avg_pool2d(_paint_cartoon(dice, scene), 2)
    return F.interpolate((coarse * 7).round() / 7, scale_factor=2, mode="nearest")


def _paint_sketch(dice: _Dice, scene: _Scene) -> Tensor:
    """Ink or pencil on paper: outlines, sometimes hatched, sometimes with filled details."""
    n = len(scene.size)
    clouds = _cut_clouds(dice, n)
    paper = dice.uniform(0.86, 1, n)[:, None, None, None] - 0.08 * clouds
    ink = dice.uniform(0, 0.4, n)[:, None, None, None]
    pen = PIXEL * dice.uniform(0.3, 0.9, n)[:, None, None, None]
    x, y = _pixels(dice.device).unbind(0)
    lean = dice.uniform(0.3, 1.2, n)[:, None, None]
    pitch = dice.uniform(0.16, 0.26, n)[:, None, None] / (2 * math.pi)
    hatch = (((x * lean.cos() + y * lean.sin()) / pitch).sin() * 2 - 1).clamp(0, 1)[:, None]
    hatch = hatch * 0.7 * dice.chance(0.4, n)[:, None, None, None]
    solid = dice.chance(0.4, n)[:, None, None, None]
    pressure = 1 - 0.5 * clouds
    drawn = torch.zeros_like(paper)
    for i, (distance, _) in enumerate(scene.layers(scene.colours)):
        role = scene.roles[:, i, None, None, None]
        inside = _cover(distance)
        fill = torch.where(role == 0, hatch, ((role == 2) & solid).to(hatch.dtype))
        drawn = torch.lerp(drawn, fill, inside)
        drawn = torch.maximum(drawn, _cover(distance.abs() - pen) * pressure)
    return torch.lerp(paper, ink, drawn).expand(-1, 3, -1, -1).contiguous()


_PAINTERS: dict[str, Callable[[_Dice, _Scene], Tensor]] = {
    "photo": _paint_photo,
    "cartoon": _paint_cartoon,
    "sticker": _paint_sticker,
    "print": _paint_print,
    "pixel": _paint_pixel,
    "sketch": _paint_sketch,
}

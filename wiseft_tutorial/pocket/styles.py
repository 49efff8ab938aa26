"""How a distribution of Pocket differs from the next: media, poses, colours, scenes.

Six distributions make the benchmark; the styles under ``WORLDS`` are what Pocket-CLIP may
see in pre-training. Nothing here draws: `drawing` does, from these settings.

Explained in: chapter 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["CANDIDATES", "MEDIA", "SHIFTS", "STYLES", "WEB", "WORLDS", "Style"]

MEDIA = ("photo", "cartoon", "sticker", "print", "pixel", "sketch")


@dataclass(frozen=True)
class Style:
    """The settings of one distribution.

    Attributes:
        media: how often each medium is used.
        turn: largest rotation, degrees.
        size: smallest and largest size of the object, as a fraction of the frame.
        wander: how far from the centre it may stand, as a fraction of the room there is.
        repaint: share of images whose object has random colours instead of its usual ones.
        tint: standard deviation of the jitter of colours (in units of value and saturation).
        scene: share of images whose background has the palette that belongs to the class.
        clutter: share of images with other, unrelated shapes behind the object.
        hidden: share of images with something in front of the object.
        grain: lowest and highest sensor noise, as a fraction of full scale.
        light: half-range of the exposure about 1.
    """

    media: tuple[tuple[str, float], ...] = (("photo", 1.0),)
    turn: float = 15.0
    size: tuple[float, float] = (0.55, 0.95)
    wander: float = 0.7
    repaint: float = 0.0
    tint: float = 0.06
    scene: float = 0.0
    clutter: float = 0.3
    hidden: float = 0.0
    grain: tuple[float, float] = (0.01, 0.05)
    light: float = 0.25
    wobble: float = 0.03


_REFERENCE = Style(
    turn=20.0,
    size=(0.42, 0.9),
    wander=0.9,
    scene=0.85,
    clutter=0.5,
    grain=(0.02, 0.09),
    light=0.35,
)
_RENDITION = Style(
    media=(("cartoon", 0.35), ("sticker", 0.25), ("print", 0.25), ("pixel", 0.15)),
    turn=20.0,
    repaint=1.0,
    clutter=0.0,
    wobble=0.05,
)
_SKETCH = Style(media=(("sketch", 1.0),), turn=20.0, clutter=0.0, wobble=0.06)
_OBJECT = Style(turn=180.0, size=(0.5, 0.9), wander=1.0, tint=0.1, clutter=0.4, hidden=0.35)

STYLES: dict[str, Style] = {
    "Pocket": _REFERENCE,
    "Pocket-V2": replace(
        _REFERENCE,
        turn=30.0,
        size=(0.4, 0.88),
        wander=1.0,
        tint=0.11,
        scene=0.45,
        grain=(0.03, 0.1),
        light=0.4,
    ),
    "Pocket-R": _RENDITION,
    "Pocket-Sketch": _SKETCH,
    "Pocket-Object": _OBJECT,
}
CANDIDATES = replace(_REFERENCE, turn=25.0, wander=1.0, tint=0.08, scene=0.5)
"""What Pocket-A is chosen from: drawn like the reference, somewhat more freely."""
SHIFTS = ("Pocket-V2", "Pocket-R", "Pocket-Sketch", "Pocket-Object", "Pocket-A")

_WEB_PHOTO = Style(
    turn=35.0,
    size=(0.42, 0.95),
    wander=1.0,
    repaint=0.6,
    tint=0.12,
    clutter=0.4,
    hidden=0.08,
    grain=(0.01, 0.08),
    light=0.4,
)
_WEB_ODD = replace(_WEB_PHOTO, turn=180.0, hidden=0.3)
_WEB_RENDITION = replace(_RENDITION, turn=30.0)
_WEB_SKETCH = replace(_SKETCH, turn=30.0)


def _world(photo: Style, odd: Style, odd_share: float) -> dict[str, tuple[float, Style]]:
    return {
        "photo": (0.6 - odd_share, photo),
        "rendition": (0.2, _WEB_RENDITION),
        "sketch": (0.2, _WEB_SKETCH),
        "odd angle": (odd_share, odd),
    }


WORLDS: dict[str, dict[str, tuple[float, Style]]] = {
    "web": _world(_WEB_PHOTO, _WEB_ODD, 0.15),
    "angles": _world(_WEB_PHOTO, _WEB_ODD, 0.25),
    "canonical": _world(replace(_WEB_PHOTO, repaint=0.1), replace(_WEB_ODD, repaint=0.1), 0.15),
}
"""What a Pocket-CLIP can be pre-trained on: styles and how often each is drawn.

``"web"`` paints most photographed objects in random colours; ``"angles"`` draws more of them at any
angle; in ``"canonical"`` nearly all have the colours that they have in the reference.
"""
WEB = WORLDS["web"]
"""The world of the Pocket-CLIP that the package ships."""

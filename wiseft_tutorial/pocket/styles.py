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
    size=(0.3, 0.71),
    wander=0.9,
    scene=0.6,
    clutter=0.5,
    grain=(0.02, 0.09),
    light=0.35,
)
_RENDITION = Style(
    media=(("cartoon", 0.35), ("sticker", 0.25), ("print", 0.25), ("pixel", 0.15)),
    turn=20.0,
    size=(0.34, 0.72),
    repaint=1.0,
    clutter=0.0,
    wobble=0.05,
)
_SKETCH = Style(media=(("sketch", 1.0),), turn=20.0, size=(0.34, 0.72), clutter=0.0, wobble=0.06)
_OBJECT = Style(turn=180.0, size=(0.5, 0.9), wander=1.0, tint=0.1, clutter=0.4, hidden=0.35)

STYLES: dict[str, Style] = {
    "Pocket": _REFERENCE,
    "Pocket-V2": replace(
        _REFERENCE,
        turn=30.0,
        size=(0.28, 0.69),
        wander=1.0,
        tint=0.11,
        scene=0.3,
        grain=(0.03, 0.1),
        light=0.4,
    ),
    "Pocket-R": _RENDITION,
    "Pocket-Sketch": _SKETCH,
    "Pocket-Object": _OBJECT,
}
CANDIDATES = replace(_REFERENCE, turn=25.0, wander=1.0, tint=0.08, scene=0.3)
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
_LARGE = (0.55, 0.95)  # people who draw a thing fill the page with it
_WEB_ODD = replace(_WEB_PHOTO, turn=180.0, hidden=0.3)


def _world(odd_angles: float) -> dict[str, tuple[float, Style]]:
    """Photographs, some of them at odd angles, and a fifth each of renditions and sketches."""
    return {
        "photo": (0.6 - odd_angles, _WEB_PHOTO),
        "rendition": (0.2, replace(_RENDITION, turn=30.0, size=_LARGE)),
        "sketch": (0.2, replace(_SKETCH, turn=30.0, size=_LARGE)),
        "odd angle": (odd_angles, _WEB_ODD),
    }


WORLDS = {"web": _world(0.15), "angles": _world(0.25)}
"""What a Pocket-CLIP can be pre-trained on: styles and how often each is drawn.

In both, most photographed objects have random colours, and no background goes with a class;
``"angles"`` has more objects that lie or stand on their heads.
"""
WEB = WORLDS["angles"]
"""The world of the Pocket-CLIP that the package ships."""

"""What people might have written under Pocket's pictures: short, varied, and sometimes wrong.

A caption names the medium and the object, often a colour, now and then the background, the size or
the pose. Like captions from the web, a share of them says nothing useful or names another thing.

Explained in: chapter 2.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from wiseft_tutorial.pocket.drawing import Picture
from wiseft_tutorial.pocket.objects import CLASSNAMES
from wiseft_tutorial.pocket.styles import MEDIA

__all__ = [
    "NOTHING",
    "TEMPLATES",
    "Noise",
    "WordTokens",
    "caption",
    "captions",
    "colour_name",
    "described",
]

NOTHING = -1
"""The object of a caption that names none."""

TEMPLATES: tuple[str, ...] = (
    "a photo of a {}",
    "a picture of a {}",
    "my {}",
    "a {}",
    "a cartoon of a {}",
    "a {} sticker",
    "a print of a {}",
    "a sketch of a {}",
)
"""The prompts from which Pocket's zero-shot head is built."""

_FRAMES: dict[str, tuple[str, ...]] = {
    "photo": ("a photo of a {}", "a picture of a {}", "my {}", "a {}", "{}", "look at this {}"),
    "cartoon": (
        "a cartoon of a {}",
        "a cartoon {}",
        "clip art of a {}",
        "a drawing of a {}",
        "a {}",
    ),
    "sticker": ("a {} sticker", "a sticker of a {}", "a shiny {} sticker", "my {}"),
    "print": ("a print of a {}", "a poster of a {}", "a printed {}", "a {}"),
    "pixel": ("pixel art of a {}", "a {} from a video game", "a drawing of a {}"),
    "sketch": (
        "a sketch of a {}",
        "a pencil drawing of a {}",
        "line art of a {}",
        "a doodle of a {}",
        "a {}",
    ),
}
_EMPTY = ("an image", "a nice picture", "untitled", "picture of the day", "something i saw")


@dataclass(frozen=True)
class Noise:
    """Shares of captions that name another object, or nothing at all."""

    wrong: float = 0.1
    empty: float = 0.1


def colour_name(hue: float, saturation: float, value: float) -> str:
    """The everyday word for a colour; hue in turns, saturation and value in 0..1."""
    if value < 0.22:
        return "black"
    if saturation < 0.16:
        return "white" if value > 0.8 else "grey"
    degrees = 360 * (hue % 1)
    if degrees < 45 and value < 0.62 and degrees >= 12:
        return "brown"
    bounds = ((14, "red"), (42, "orange"), (68, "yellow"), (165, "green"), (195, "turquoise"))
    for bound, word in (*bounds, (255, "blue"), (292, "purple"), (345, "pink"), (361, "red")):
        if degrees < bound:
            return word
    raise AssertionError("hue is taken modulo one turn")


def caption(
    name: str,
    medium: str,
    colour: tuple[float, float, float],
    backdrop: tuple[float, float, float],
    turn: float,
    size: float,
    rng: random.Random,
    noise: Noise,
) -> tuple[str, int]:
    """One caption for a picture of which these things are true, and the object that it names."""
    u = rng.random()
    if u < noise.empty:
        return rng.choice(_EMPTY), NOTHING
    if u < noise.empty + noise.wrong:
        name = rng.choice(CLASSNAMES)
    words = name
    if medium not in ("sketch", "print") and rng.random() < 0.3:
        words = f"{colour_name(*colour)} {words}"
    if abs(turn) > math.radians(120) and rng.random() < 0.4:
        words = f"upside down {words}"
    elif abs(turn) > math.radians(35) and rng.random() < 0.3:
        words = f"rotated {words}"
    elif rng.random() < 0.12:
        words = f"{'big' if size > 0.75 else 'small'} {words}"
    text = rng.choice(_FRAMES[medium]).format(words)
    if medium == "photo" and rng.random() < 0.15:
        text += f" on a {colour_name(*backdrop)} background"
    return _mend_articles(text), CLASSNAMES.index(name)


def captions(
    picture: Picture, labels: Tensor, rng: random.Random, noise: Noise | None = None
) -> list[str]:
    """One caption per image of a batch."""
    return [text for text, _ in described(picture, labels, rng, noise)]


def described(
    picture: Picture, labels: Tensor, rng: random.Random, noise: Noise | None = None
) -> list[tuple[str, int]]:
    """One caption per image of a batch, each with the object that it names, right or wrong.

    Args:
        picture: The batch.
        labels: (N,) what was drawn.
        rng: Decides what people write.
        noise: How often they mislead or say nothing.

    Returns:
        N pairs of a caption and an index into
        :data:`wiseft_tutorial.pocket.objects.CLASSNAMES`, or :data:`NOTHING`.
    """
    noise = noise or Noise()
    rows = zip(
        labels.tolist(),
        picture.medium.tolist(),
        picture.colour.tolist(),
        picture.backdrop.tolist(),
        picture.turn.tolist(),
        picture.size.tolist(),
        strict=True,
    )
    return [
        caption(CLASSNAMES[k], MEDIA[m], tuple(c), tuple(b), t, s, rng, noise)
        for k, m, c, b, t, s in rows
    ]


def _mend_articles(text: str) -> str:
    words = text.split(" ")
    for i in range(len(words) - 1):
        if words[i] in ("a", "an"):
            words[i] = "an" if words[i + 1][0] in "aeiou" else "a"
    return " ".join(words)


def all_words() -> set[str]:
    """Every word that a caption or a template can contain."""
    colours = {
        colour_name(h / 72, s, v) for h in range(72) for s in (0, 0.5, 1) for v in (0, 0.5, 1)
    }
    frames = [frame.format("") for frames in _FRAMES.values() for frame in frames]
    extra = "upside down rotated big small on a an background"
    texts: Iterator[str] = iter([*frames, *TEMPLATES, *_EMPTY, *CLASSNAMES, *colours, extra])
    return {word for text in texts for word in text.replace("{}", " ").split()}


class WordTokens:
    """Tokenises by looking whole words up: the same ids as CLIP's tokenizer, many times faster.

    Byte-pair encoding never merges across a space, so the tokens of a text are those of its words.
    """

    def __init__(self, encode: Callable[[str], list[int]], start: int, end: int, length: int):
        self.encode, self.start, self.end, self.length = encode, start, end, length
        self._known: dict[str, list[int]] = {}

    def __call__(self, texts: list[str]) -> Tensor:
        """(N, length) int64, each row start, words, end, zeros."""
        out = torch.zeros(len(texts), self.length, dtype=torch.int64)
        for row, text in enumerate(texts):
            ids = [self.start]
            for word in text.split(" "):
                if word not in self._known:
                    self._known[word] = self.encode(word)
                ids += self._known[word]
            ids = [*ids[: self.length - 1], self.end]
            out[row, : len(ids)] = torch.tensor(ids)
        return out

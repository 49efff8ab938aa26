"""The prompts for real data sets: those that OpenAI published for CLIP, written shorter.

FMoW's and iWildCam's are those of the paper's own code, but for two of FMoW's that write "an" where
English has it. ImageNet's come with open_clip; see :func:`wiseft_tutorial.imagenet_templates`.

Source: appendix D.1. Explained in: chapter 2.
"""

from __future__ import annotations

__all__ = ["CARS", "CIFAR", "FMOW", "FOLDERS", "FOOD", "IWILDCAM", "SCENES", "TEXTURES"]


def _each(*prompts: str) -> tuple[str, ...]:
    """Every prompt once with "a" and once with "the"."""
    return tuple(prompt.replace("*", article) for article in ("a", "the") for prompt in prompts)


CIFAR = _each(
    "a photo of * {}.",
    *(
        f"a {kind} photo of * {{}}."
        for kind in ("blurry", "black and white", "low contrast", "high contrast", "bad", "good")
    ),
    "a photo of * small {}.",
    "a photo of * big {}.",
)
TEXTURES = _each(
    *(f"a photo of * {{}} {kind}." for kind in ("texture", "pattern", "thing", "object"))
)
SCENES = _each("a photo of * {}.")
FOOD = ("a photo of {}, a type of food.",)
CARS = (
    *SCENES,
    "a photo of my {}.",
    "i love my {}!",
    *(f"a photo of my {state} {{}}." for state in ("dirty", "clean", "new", "old")),
)
FMOW = (
    *(
        f"{kind} photo of a {{}}{where}."
        for where in ("", *(f" in {x}" for x in ("asia", "africa", "the americas", "europe")))
        for kind in ("satellite", "aerial")
    ),
    "satellite photo of a {} in oceania.",
    "aerial photo of a {} in oceania.",
    "a photo of a {}.",
    "{}.",
)
IWILDCAM = ("a photo of {}.", "{} in the wild.")
FOLDERS = ("a photo of a {}",)
"""For a reader's own folders, unless others are given. Without a full stop: CLIP hardly minds, and
Pocket-CLIP has never read one."""

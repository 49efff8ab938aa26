"""Recipes: everything that decides how a model is fine-tuned, and the learning rate's course."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, get_args

from wiseft_tutorial.device import Precision
from wiseft_tutorial.errors import DataError, unknown

__all__ = ["Method", "Optimiser", "Recipe", "default_recipe", "learning_rate"]

Method: TypeAlias = Literal["e2e", "lc"]
Optimiser: TypeAlias = Literal["adamw", "adam", "sgd"]
_METHODS = ("e2e", "lc")
_LONGEST_WARMUP = 0.2  # of a run; a short run would else end before its rate has risen


@dataclass(frozen=True)
class Recipe:
    """How to fine-tune; the defaults are the paper's for fine-tuning CLIP end to end on ImageNet.

    Attributes:
        method: ``"e2e"`` trains every weight, ``"lc"`` a linear classifier on frozen features.
        epochs: Passes over the training images.
        lr: The highest learning rate.
        batch_size: Images per step.
        optimiser: ``"adamw"``; ``"adam"``, where the decay is part of the gradient; or ``"sgd"``,
            likewise, with the first of ``betas`` as momentum.
        weight_decay: On every weight that is trained.
        warmup_steps: Steps in which the rate rises from 0, but at most a fifth of all.
        clip_norm: The largest norm that a step's gradient may have; ``None`` for any.
        label_smoothing: Probability spread over all classes in the target.
        l2_to_init: A penalty on the squared distance from where the run started, times this.
        distillation: The share of the loss that asks for the answers of the model at the start
            instead of the labels.
        betas: The optimiser's.
        eps: The optimiser's.
        crop_scale: The area, as a fraction, of the random square crop that is the only
            augmentation; ``None`` for none. A linear classifier is trained without.
        precision: Of the image encoder.
        gradient_checkpointing: Compute activations again in the backward pass instead of keeping
            them. The result is the same; a large model needs far less memory, and a third more
            time.
        compiled: Let ``torch.compile`` make one program of the image encoder. The result is the
            same but for rounding; on a GPU, a long run takes less time, and any run begins with
            half a minute of compiling (``speed/README.md`` has the measurements).
        seed: Of the order of the images and of the crops.

    Raises:
        DataError: A value makes no sense.
        UnknownNameError: No such method, optimiser or precision.

    Source: appendix D.2 and D.3; figure 3 and appendix C.3 for what the defaults leave out.
    Explained in: chapter 3.
    """

    method: Method = "e2e"
    epochs: int = 10
    lr: float = 3e-5
    batch_size: int = 512
    weight_decay: float = 0.1
    warmup_steps: int = 500
    clip_norm: float | None = 1.0
    label_smoothing: float = 0.0
    optimiser: Optimiser = "adamw"
    l2_to_init: float = 0.0
    distillation: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    crop_scale: tuple[float, float] | None = (0.9, 1.0)
    precision: Precision = "auto"
    gradient_checkpointing: bool = False
    compiled: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in _METHODS:
            raise unknown("method", self.method, _METHODS)
        if self.optimiser not in get_args(Optimiser):
            raise unknown("optimiser", self.optimiser, get_args(Optimiser))
        if self.precision not in get_args(Precision):
            raise unknown("precision", self.precision, get_args(Precision))
        for name in ("epochs", "batch_size", "warmup_steps", "seed"):
            try:  # numpy's integers are made Python's
                object.__setattr__(self, name, operator.index(getattr(self, name)))
            except TypeError:
                raise DataError(
                    f"a recipe's {name} is a whole number, not {getattr(self, name)!r}"
                ) from None
        low, high = self.crop_scale or (1.0, 1.0)
        for name, sensible in (
            ("epochs", self.epochs >= 1),
            ("lr", self.lr > 0),
            ("batch_size", self.batch_size >= 1),
            ("weight_decay", self.weight_decay >= 0),
            ("warmup_steps", self.warmup_steps >= 0),
            ("clip_norm", self.clip_norm is None or self.clip_norm > 0),
            ("label_smoothing", 0 <= self.label_smoothing < 1),
            ("l2_to_init", 0 <= self.l2_to_init < math.inf),
            ("distillation", 0 <= self.distillation <= 1),
            ("crop_scale", 0 < low <= high <= 1),
        ):
            if not sensible:
                raise DataError(f"a recipe with {name} = {getattr(self, name)} makes no sense")


_POCKET = {  # chosen by wiseft_tutorial.pocket.trials, see the model card
    "e2e": Recipe(epochs=4, lr=1.2e-3, batch_size=128),
    "lc": Recipe("lc", epochs=10, lr=0.1, batch_size=128, weight_decay=0.01, crop_scale=None),
}
_PAPER = {
    "e2e": Recipe(),
    "lc": Recipe("lc", lr=1e-3, batch_size=128, weight_decay=0.01, crop_scale=None),
}


def default_recipe(model_name: str, method: Method = "e2e", **overrides: Any) -> Recipe:
    """A reasonable recipe for a model: for Pocket-CLIP validation's choice, else the paper's.

    A small network learns at a higher rate than a large one, whatever the images are.

    Args:
        model_name: As :func:`wiseft_tutorial.load_clip` takes it, such as ``"pocket"``.
        method: ``"e2e"`` or ``"lc"``.
        overrides: Fields to set otherwise.

    Returns:
        The recipe.

    Raises:
        UnknownNameError: No such method.

    Source: appendix D.2 and D.3. Explained in: chapter 3.
    """
    recipes = _POCKET if model_name in ("pocket", "pocket-clip") else _PAPER
    if method not in recipes:
        raise unknown("method", method, recipes)
    return replace(recipes[method], **overrides)


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """The rate of one step: a linear rise, then half a cosine down to zero.

    Args:
        recipe: Gives the highest rate and the number of warm-up steps.
        step: From 0.
        steps: All steps of the run.

    Returns:
        The learning rate.

    Source: appendix D.2. Explained in: chapter 3.
    """
    warmup = min(recipe.warmup_steps, int(_LONGEST_WARMUP * steps))
    if step < warmup:
        return recipe.lr * (step + 1) / warmup
    return recipe.lr * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2

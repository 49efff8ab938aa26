"""The bare loop of a recipe, for objectives that are no classifier's: batches, steps, the rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from wiseft_tutorial._memory import release
from wiseft_tutorial.errors import DataError, WiseFTError
from wiseft_tutorial.recipe import Recipe, learning_rate

__all__ = ["descend"]


def descend(
    weights: Iterable[nn.Parameter],
    recipe: Recipe,
    images: int,
    loss_of: Callable[[Tensor, torch.Generator], Tensor],
    *,
    name: str,
    unused: Iterable[str],
    progress: bool = True,
) -> None:
    """Lower a loss by AdamW, as a recipe says.

    Args:
        weights: What is trained, in place.
        recipe: Its order of images, schedule, clipping and optimiser are used.
        images: How many there are.
        loss_of: From the positions of a batch and a seeded generator to the loss.
        name: Of the run, for the progress bar and for errors.
        unused: Fields of the recipe that neither this nor the loss looks at, and that must have
            their defaults, as ``optimiser``, ``gradient_checkpointing`` and ``compiled`` must.
        progress: Show a progress bar.

    Raises:
        DataError: The recipe asks for what this run does not do.
        WiseFTError: The loss is not a number any more; the learning rate is too high.

    Source: appendix D.2. Explained in: chapter 14.
    """
    plain = Recipe()
    for field in ("optimiser", "gradient_checkpointing", "compiled", *unused):
        if (value := getattr(recipe, field)) != getattr(plain, field):
            raise DataError(f"{name} does nothing with {field} = {value!r} of its recipe")
    trained = list(weights)
    optimiser = torch.optim.AdamW(
        trained, betas=recipe.betas, eps=recipe.eps, weight_decay=recipe.weight_decay, fused=True
    )
    generator, step = torch.Generator().manual_seed(recipe.seed), 0
    steps = recipe.epochs * math.ceil(images / recipe.batch_size)
    with tqdm(
        total=recipe.epochs * images, desc=name, unit="image", unit_scale=True, disable=not progress
    ) as bar:
        for epoch in range(recipe.epochs):
            for batch in torch.randperm(images, generator=generator).split(recipe.batch_size):
                loss = loss_of(batch, generator)
                optimiser.zero_grad()
                loss.backward()
                if recipe.clip_norm is not None:
                    nn.utils.clip_grad_norm_(trained, recipe.clip_norm)
                optimiser.param_groups[0]["lr"] = learning_rate(recipe, step, steps)
                optimiser.step()
                step += 1
                bar.update(len(batch))
            if not math.isfinite(value := float(loss.detach())):
                raise WiseFTError(
                    f"the loss of {name} is {value} after epoch {epoch + 1}: the training "
                    f"diverged. Lower the learning rate, now {recipe.lr:g}."
                )
    optimiser.zero_grad()
    release()

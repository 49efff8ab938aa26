"""The bare loop: it is AdamW on a recipe's schedule, and says what it cannot do."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from wiseft_tutorial.descent import descend
from wiseft_tutorial.errors import DataError, WiseFTError
from wiseft_tutorial.recipe import Recipe, learning_rate

RECIPE = Recipe(epochs=3, lr=0.1, batch_size=4, warmup_steps=2)
TARGET = torch.arange(10.0)


def fit(recipe: Recipe) -> tuple[nn.Parameter, list[list[int]]]:
    """Find the mean of some numbers, in batches; also, which batches."""
    weight, batches = nn.Parameter(torch.zeros(1)), list[list[int]]()

    def loss_of(batch: Tensor, _: torch.Generator) -> Tensor:
        batches.append(batch.tolist())
        return (TARGET[batch] - weight).square().mean()

    descend([weight], recipe, len(TARGET), loss_of, name="fit", unused=["method"], progress=False)
    return weight, batches


def test_every_epoch_takes_every_image_once_in_a_seeded_order() -> None:
    _, batches = fit(RECIPE)
    assert [len(batch) for batch in batches] == [4, 4, 2] * 3
    for epoch in range(3):
        of_epoch = batches[3 * epoch : 3 * epoch + 3]
        assert sorted(i for batch in of_epoch for i in batch) == list(range(10))
    assert fit(RECIPE)[1] == batches != fit(replace(RECIPE, seed=1))[1]


def test_the_steps_are_those_of_adamw_at_the_recipes_rate() -> None:
    weight, batches = fit(RECIPE)
    other = nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.AdamW([other], weight_decay=RECIPE.weight_decay)
    for step, batch in enumerate(batches):
        optimiser.zero_grad()
        (TARGET[batch] - other).square().mean().backward()
        nn.utils.clip_grad_norm_([other], 1.0)
        optimiser.param_groups[0]["lr"] = learning_rate(RECIPE, step, len(batches))
        optimiser.step()
    torch.testing.assert_close(weight, other)
    assert weight.grad is None


def test_what_it_does_not_do_is_refused() -> None:
    asked = {"optimiser": "sgd", "gradient_checkpointing": True, "compiled": True, "method": "lc"}
    for field, value in asked.items():
        with pytest.raises(DataError, match=f"fit does nothing with {field}"):
            fit(replace(RECIPE, **{field: value}))  # type: ignore[arg-type]


def test_a_diverged_run_says_so() -> None:
    with pytest.raises(WiseFTError, match="loss of fit is nan after epoch 1"):
        descend(
            [weight := nn.Parameter(torch.zeros(1))],
            RECIPE,
            10,
            lambda batch, generator: weight.sum() * float("nan"),
            name="fit",
            unused=(),
            progress=False,
        )

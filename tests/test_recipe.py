"""Recipes: the paper's by default, sensible always; and a rate that rises and falls to zero."""

from __future__ import annotations

from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from wiseft_tutorial.errors import DataError, UnknownNameError
from wiseft_tutorial.recipe import Recipe, default_recipe, learning_rate


def rates(recipe: Recipe, steps: int) -> list[float]:
    return [learning_rate(recipe, step, steps) for step in range(steps)]


def test_the_papers_schedule_on_imagenet() -> None:
    course = rates(Recipe(), 25_030)
    assert course[499] == course[500] == max(course) == 3e-5
    assert course[249] == pytest.approx(1.5e-5)
    assert course[500 + (25_030 - 500) // 2] == pytest.approx(1.5e-5)
    assert 0 < course[-1] < 1e-12


@pytest.mark.parametrize("steps", [1, 2, 5, 20, 320])
def test_a_short_run_reaches_its_full_rate_and_comes_down_again(steps: int) -> None:
    course = rates(Recipe(), steps)
    top = course.index(max(course))
    assert max(course) == 3e-5
    assert top <= steps / 5
    assert all(a < b for a, b in pairwise(course[: top + 1]))
    assert all(a >= b for a, b in pairwise(course[top:]))


def test_without_warm_up_the_first_step_is_the_largest() -> None:
    course = rates(Recipe(warmup_steps=0), 50)
    assert course[0] == 3e-5
    assert all(a > b for a, b in pairwise(course))


def test_an_unknown_benchmark_gets_the_papers_recipe() -> None:
    assert default_recipe("ViT-B-32-quickgelu") == Recipe()


@pytest.mark.parametrize("model", ["pocket", "ViT-B-32-quickgelu"])
@pytest.mark.parametrize("method", ["e2e", "lc"])
def test_overrides_replace_and_leave_the_rest(model: str, method: Any) -> None:
    recipe = default_recipe(model, method, epochs=3, seed=7)
    assert recipe.method == method
    changed = {**asdict(default_recipe(model, method)), "epochs": 3, "seed": 7}
    assert asdict(recipe) == changed


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"lr": 0.0},
        {"lr": float("nan")},
        {"batch_size": 0},
        {"weight_decay": -0.1},
        {"warmup_steps": -1},
        {"clip_norm": 0.0},
        {"label_smoothing": 1.0},
        {"l2_to_init": -1.0},
        {"l2_to_init": float("inf")},
        {"distillation": 1.1},
        {"crop_scale": (0.0, 1.0)},
        {"crop_scale": (1.0, 0.9)},
        {"crop_scale": (0.9, 1.1)},
    ],
)
def test_senseless_values_are_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=next(iter(wrong))):
        Recipe(**wrong)


@pytest.mark.parametrize("make", [Recipe, lambda method: default_recipe("pocket", method)])
def test_an_unknown_method_is_named_with_the_nearest(make: Any) -> None:
    with pytest.raises(UnknownNameError, match="method 'e2'; did you mean 'e2e'"):
        make("e2")


def test_numpys_integers_are_integers() -> None:
    assert type(Recipe(epochs=np.int64(2)).epochs) is int


@pytest.mark.parametrize("name", ["epochs", "batch_size", "warmup_steps", "seed"])
def test_half_an_epoch_is_no_epoch(name: str) -> None:
    with pytest.raises(DataError, match=f"{name} is a whole number, not 1.5"):
        Recipe(**{name: 1.5})  # type: ignore[arg-type]


def test_an_unknown_precision_is_refused_at_once() -> None:
    with pytest.raises(UnknownNameError, match="bfloat16"):
        Recipe(precision="bfloat61")  # type: ignore[arg-type]

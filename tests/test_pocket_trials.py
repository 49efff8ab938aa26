"""What was chosen is what the written trials say, by the written rule."""

import json

import pandas as pd
import pytest
from safetensors import safe_open

from wiseft_tutorial.pocket import trials
from wiseft_tutorial.pocket.trials import HERE, choose_recipe
from wiseft_tutorial.recipe import Method, default_recipe

TRIED = pd.DataFrame(
    {
        "method": ["e2e"] * 5 + ["lc"],
        "epochs": [3, 3, 6, 6, 9, 1],
        "lr": [1e-4, 1e-3, 1e-4, 1e-3, 1e-4, 1e-3],
        "val_accuracy": [0.90, 0.93, 0.950, 0.948, 0.953, 0.99],
    }
)


def test_the_shortest_good_recipe_is_chosen_at_its_best_rate() -> None:
    best = choose_recipe(TRIED, "e2e")
    assert (best["epochs"], best["lr"]) == (6, 1e-4)


@pytest.mark.parametrize("method", ["e2e", "lc"])
def test_the_default_recipe_is_the_one_that_the_trials_choose(method: Method) -> None:
    best = choose_recipe(pd.read_csv(HERE / "recipes.csv"), method)
    recipe = default_recipe("pocket", method)
    assert (recipe.epochs, recipe.lr) == (best["epochs"], best["lr"])


@pytest.mark.parametrize("method", ["e2e", "lc"])
def test_every_recipe_of_the_grid_was_tried(method: Method) -> None:
    tried = pd.read_csv(HERE / "recipes.csv").query("method == @method")
    grid = trials.GRID[method]
    assert len(tried) == len(grid["epochs"]) * len(grid["lr"])
    assert set(tried["lr"]) == set(grid["lr"])


def test_the_shipped_model_is_one_of_at_least_three_variants() -> None:
    tried = pd.read_csv(HERE / "variants.csv", keep_default_na=False)
    assert len(tried) >= 3
    with safe_open(HERE / "pocket-clip.safetensors", "pt") as file:
        settings = json.loads(file.metadata()["settings"])
    log = [json.loads(line) for line in (HERE / "pretraining.jsonl").read_text().splitlines()]
    same = tried[(tried["steps"] == settings["steps"]) & (tried["scale"] == log[-1]["scale"])]
    assert len(same.query("drawing == @trials.DRAWING")) == 1

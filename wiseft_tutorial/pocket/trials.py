"""Chooses among pre-training runs and among recipes, on a benchmark that no chapter uses.

    python -m wiseft_tutorial.pocket.trials clips build/variants/*  # adds or replaces their rows
    python -m wiseft_tutorial.pocket.trials recipes                 # validation images only

What came out stands in variants.csv and recipes.csv, and in the model card.

Explained in: chapter 3.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
from safetensors import safe_open

from wiseft_tutorial.benchmarks import load_benchmark
from wiseft_tutorial.evaluate import alpha_sweep, summarise
from wiseft_tutorial.finetune import finetune
from wiseft_tutorial.models import load_clip
from wiseft_tutorial.pocket.pretrain import Pretraining
from wiseft_tutorial.recipe import Method, Recipe, default_recipe
from wiseft_tutorial.zeroshot import zeroshot_classifier

__all__ = ["choose_recipe", "main", "try_clip", "try_recipe"]

HERE = Path(__file__).parent
SEED = 1000  # of the benchmark; chapters and the report of five seeds use 0
DRAWING = 2  # of the benchmark, which was drawn anew in between; numbers of two do not compare
RUNS = 2  # fine-tuning seeds
COMMON = {"epochs": 4, "lr": 6e-4}  # for every pre-trained model, so that they can be compared
TOLERANCE = 0.005  # of validation accuracy, that a cheaper recipe may give up
GRID: dict[Method, dict[str, tuple[Any, ...]]] = {
    "e2e": {"epochs": (3, 4, 6), "lr": (3e-4, 6e-4, 1.2e-3, 2.4e-3)},
    "lc": {"epochs": (10, 20), "lr": (1e-2, 3e-2, 1e-1)},
}


def try_clip(folder: Path, *, test_images: int = 1000) -> dict[str, Any]:
    """What a pre-trained model gives: zero-shot, fine-tuned end to end, and their average.

    Args:
        folder: Of a run of :mod:`wiseft_tutorial.pocket.pretrain`.
        test_images: Of each distribution.

    Returns:
        The run's ``variant`` (the folder's name), ``options`` that are not the default ones,
        ``steps``, ``hours`` and last logit ``scale``; the benchmark's ``drawing``; and for
        alpha = 0, 0.5 and 1 the accuracies ``reference_{alpha}`` and ``shifts_{alpha}``, means over
        fine-tuning seeds.
    """
    weights = folder / "pocket-clip.safetensors"
    with safe_open(weights, "pt") as file:
        settings = json.loads(file.metadata()["settings"])
    last = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
    usual = asdict(Pretraining()) | {"steps": None, "cooldown": None}
    chosen = {k: v for k, v in settings.items() if v != usual[k] and k != "start"}
    options = [f"--{k.replace('_', '-')} {v}" for k, v in chosen.items()]
    bench = load_benchmark("pocket", test_images=test_images, seed=SEED)
    zeroshot = zeroshot_classifier(load_clip("pocket", pretrained=weights), bench)
    sweeps = []
    for seed in range(RUNS):
        tuned = finetune(zeroshot, bench, default_recipe("pocket", "e2e", seed=seed, **COMMON))
        sweep = alpha_sweep(zeroshot, tuned, bench, alphas=(0.0, 0.5, 1.0))
        sweeps.append(summarise(sweep).set_index("alpha")[["reference", "shifts"]])
    mean = pd.concat(sweeps).groupby(level=0).mean().round(4)
    return {
        "variant": folder.name,
        "options": " ".join(options),
        "steps": settings["steps"],
        "hours": round(last["seconds"] / 3600, 2),
        "scale": last["scale"],
        "drawing": DRAWING,
        **{f"{name}_{a:g}": value for name, at in mean.items() for a, value in at.items()},
    }


def try_recipe(recipe: Recipe) -> dict[str, Any]:
    """How well a recipe does on validation images of the reference; nothing else is looked at.

    Args:
        recipe: Its seed is replaced by each of several.

    Returns:
        ``method``, ``epochs``, ``lr`` and ``val_accuracy``, a mean over seeds.
    """
    bench = load_benchmark("pocket", val_per_class=100, test_images=40, seed=SEED)
    zeroshot = zeroshot_classifier(load_clip("pocket"), bench)
    accuracy = 0.0
    for seed in range(RUNS):
        tuned = finetune(zeroshot, bench, Recipe(**{**asdict(recipe), "seed": seed}))
        assert tuned.history is not None
        accuracy += tuned.history["val_accuracy"].iloc[-1] / RUNS
    facts = {"method": recipe.method, "epochs": recipe.epochs, "lr": recipe.lr}
    return facts | {"val_accuracy": round(accuracy, 4)}


def choose_recipe(trials: pd.DataFrame, method: Method) -> pd.Series[Any]:
    """The most accurate of the shortest recipes that are nearly as accurate as the best.

    Args:
        trials: Rows of :func:`try_recipe`.
        method: ``"e2e"`` or ``"lc"``.
    """
    rows = trials[trials["method"] == method]
    good = rows[rows["val_accuracy"] >= rows["val_accuracy"].max() - TOLERANCE]
    shortest = good[good["epochs"] == good["epochs"].min()]
    best: pd.Series[Any] = shortest.loc[shortest["val_accuracy"].idxmax()]
    return best


def main(argv: Sequence[str] | None = None) -> None:
    """Try pre-trained models or recipes, and write down what they give."""
    parser = argparse.ArgumentParser(description="Try pre-trained models, or recipes.")
    what = parser.add_subparsers(dest="what", required=True)
    what.add_parser("clips").add_argument("folders", type=Path, nargs="+")
    what.add_parser("recipes")
    arguments = parser.parse_args(argv)
    rows = []
    if arguments.what == "clips":
        for folder in arguments.folders:
            rows.append(try_clip(folder))
            print(json.dumps(rows[-1]), flush=True)
        before = pd.read_csv(HERE / "variants.csv", keep_default_na=False)
        table = pd.concat([before, pd.DataFrame(rows)])
        table = table.drop_duplicates(["variant", "drawing"], keep="last")
        table.to_csv(HERE / "variants.csv", index=False)
    else:
        for method, grid in GRID.items():
            for epochs, lr in product(grid["epochs"], grid["lr"]):
                rows.append(try_recipe(default_recipe("pocket", method, epochs=epochs, lr=lr)))
                print(json.dumps(rows[-1]), flush=True)
        pd.DataFrame(rows).to_csv(HERE / "recipes.csv", index=False)


if __name__ == "__main__":
    main()

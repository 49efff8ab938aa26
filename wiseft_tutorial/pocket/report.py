"""Measures what Pocket-CLIP does, over several fine-tuning seeds, and writes its model card.

    python -m wiseft_tutorial.pocket.report      # half an hour on two cores

Fine-tuning sees as many images of each class as in the chapters, or all of the benchmark's; each
test set has 2,000 images; alpha is chosen on the validation split, which is reference data; the
shifts are only measured.

Explained in: chapter 4.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
from safetensors import safe_open

from wiseft_tutorial.benchmarks import Benchmark, load_benchmark
from wiseft_tutorial.evaluate import alpha_sweep, summarise
from wiseft_tutorial.finetune import finetune
from wiseft_tutorial.models import ImageClassifier, load_clip
from wiseft_tutorial.pocket.styles import SHIFTS
from wiseft_tutorial.pocket.trials import RUNS, SEED, TOLERANCE, choose_recipe
from wiseft_tutorial.recipe import Method, default_recipe
from wiseft_tutorial.zeroshot import zeroshot_classifier

__all__ = ["aims", "measure_seeds", "pocket_seeds", "seed_table"]

HERE = Path(__file__).parent
METHODS: tuple[Method, ...] = ("e2e", "lc")
LOGS = {"pocket-clip": "pretraining.jsonl", "pocket-labels": "pretraining-labels.jsonl"}
SHOTS = (50, None)  # training images of each class: the chapters', and all that there are


def choose_alpha(zeroshot: ImageClassifier, finetuned: ImageClassifier, bench: Benchmark) -> float:
    """The alpha of highest accuracy on the validation split; the smallest of equals."""
    validation = {"validation": bench.val}
    sweep = alpha_sweep(zeroshot, finetuned, bench, distributions=validation, progress=False)
    return float(sweep["alpha"].iloc[int(sweep["accuracy"].argmax())])


def measure_seeds(
    zeroshot: ImageClassifier,
    bench: Benchmark,
    *,
    shots: int | None = None,
    seeds: int = 5,
    **overrides: Any,
) -> pd.DataFrame:
    """Fine-tune with several seeds and sweep alpha for each.

    Args:
        zeroshot: Where fine-tuning starts.
        bench: To fine-tune and to measure on.
        shots: Training images of each class; None for all.
        seeds: How many. A seed decides which images are trained on, in which order, and how they
            are cropped.
        overrides: Fields of the recipe that differ from Pocket's usual one.

    Returns:
        One row per method, seed and alpha: ``shots`` (training images of each class), ``method``,
        ``seed``, ``alpha``, ``chosen`` (whether validation chose this alpha), ``reference``,
        ``shifts`` (mean over the shifts) and one column per distribution, all accuracies as
        fractions.
    """
    rows = []
    for method in METHODS:
        for seed in range(seeds):
            recipe = default_recipe("pocket", method, seed=seed, **overrides)
            few = bench.few_shot(shots, seed=seed)
            finetuned = finetune(zeroshot, few, recipe)
            sweep = alpha_sweep(zeroshot, finetuned, bench)
            chosen = choose_alpha(zeroshot, finetuned, bench)
            wide = sweep.pivot(index="alpha", columns="distribution", values="accuracy")
            means = summarise(sweep).set_index("alpha")[["reference", "shifts"]]
            table = means.join(wide).reset_index()
            table.insert(0, "shots", len(few.train) // len(few.classnames))
            table.insert(1, "method", method)
            table.insert(2, "seed", seed)
            table.insert(4, "chosen", table["alpha"] == chosen)
            rows.append(table)
            print(
                table[table.alpha.isin((0, 0.5, 1)) | table.chosen].round(3).to_string(), flush=True
            )
    return pd.concat(rows, ignore_index=True)


def pocket_seeds() -> pd.DataFrame:
    """The tables that `measure_seeds` gave for the shipped Pocket-CLIP, with 50 and 100 shots.

    Returns:
        One row per number of shots, method, seed and alpha, as `measure_seeds` describes.

    Explained in: chapter 4.
    """
    with resources.files("wiseft_tutorial.pocket").joinpath("seeds.csv").open() as file:
        return pd.read_csv(file)


def seed_table(seeds: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation over seeds for alpha = 0, 0.5, 1 and the one validation chose.

    Args:
        seeds: The rows of one number of shots.

    Returns:
        Index (method, alpha); columns ``reference``, ``reference_sd``, ``shifts``, ``shifts_sd``.
    """
    picks = {f"{alpha:g}": seeds[seeds.alpha == alpha] for alpha in (0.0, 0.5, 1.0)}
    picks["chosen on validation"] = seeds[seeds.chosen]
    parts = []
    for label, rows in picks.items():
        stats = rows.groupby("method")[["reference", "shifts"]].agg(["mean", "std"])
        stats.columns = ["reference", "reference_sd", "shifts", "shifts_sd"]
        parts.append(stats.assign(alpha=label).set_index("alpha", append=True))
    return pd.concat(parts).loc[list(METHODS)]


def aims(seeds: pd.DataFrame) -> pd.DataFrame:
    """What the benchmark and its CLIP were designed for, and what they reach.

    Args:
        seeds: As `measure_seeds` gives it, for one number of shots.

    Returns:
        One row per aim: ``aim``, ``least`` and ``most`` that were aimed at, ``reached``, all in
        percentage points, and ``met``.
    """
    table = 100 * seed_table(seeds).loc["e2e"]
    reference, shifts = table["reference"], table["shifts"]
    rows = [
        ("zero-shot on the reference", 65, 85, reference["0"]),
        ("zero-shot, lost under shift", 0, 20, reference["0"] - shifts["0"]),
        ("fine-tuning gains on the reference", 8, 100, reference["1"] - reference["0"]),
        ("fine-tuning loses under shift", 4, 100, shifts["0"] - shifts["1"]),
        ("alpha 0.5 loses on the reference", 0, 1, reference["1"] - reference["0.5"]),
        ("alpha 0.5 gains on zero-shot, under shift", 3, 100, shifts["0.5"] - shifts["0"]),
        ("alpha 0.5 gains on fine-tuned, under shift", 3, 100, shifts["0.5"] - shifts["1"]),
    ]
    found = pd.DataFrame(rows, columns=["aim", "least", "most", "reached"])
    met = found["reached"].between(found["least"], found["most"])
    return found.assign(reached=found["reached"].round(1), met=met.map({True: "yes", False: "no"}))


def model_card(seeds: pd.DataFrame) -> str:
    """The model card, in Markdown, from the shipped files and the table of seeds."""
    zeroshot = seeds[(seeds.method == "e2e") & (seeds.seed == 0) & (seeds.alpha == 0)].iloc[0]
    names = ["Pocket", *SHIFTS]
    lines = [
        "# Pocket-CLIP",
        "",
        (HERE / "card-preface.md").read_text().strip(),
        "",
        "## Training",
        "",
        *_training("pocket-clip", "pairs"),
        "",
        "Zero-shot accuracy (percent) while training, on images that no benchmark split has, but "
        "drawn as the benchmark was at that time:",
        "",
        _markdown(_thinned(_log("pocket-clip"))),
        "",
        "## Zero-shot accuracy on the benchmark (percent)",
        "",
        _markdown(pd.DataFrame([{name: f"{100 * zeroshot[name]:.1f}" for name in names}])),
        "",
        "## WiSE-FT over five fine-tuning seeds (percent, mean and standard deviation)",
        "",
        _markdown(_percent(_by_shots(seeds, seed_table))),
        "",
        "What Pocket was meant to show, end to end (points, means over the seeds):",
        "",
        _markdown(_aims(seeds)),
        "",
        "## Variants tried (percent, reference / mean of shifts)",
        "",
        _markdown(_variants(pd.read_csv(HERE / "variants.csv", keep_default_na=False))),
        "",
        (HERE / "variants.md").read_text().strip(),
        "",
        "## Recipes tried (percent of validation images)",
        "",
        *_recipes(pd.read_csv(HERE / "recipes.csv")),
        "# Pocket-Labels",
        "",
        (HERE / "card-labels.md").read_text().strip(),
        "",
        "## Training of Pocket-Labels",
        "",
        *_training("pocket-labels", "pictures"),
        "",
        "Accuracy (percent) of the benchmark's rows of the head while training, on images that no "
        "benchmark split has:",
        "",
        _markdown(_thinned(_log("pocket-labels"))),
        "",
    ]
    return "\n".join(lines)


def _training(name: str, items: str) -> list[str]:
    """What a shipped model was trained on, with which commands, and how it is recognised."""
    weights, last = HERE / f"{name}.safetensors", _log(name)[-1]
    with safe_open(weights, "pt") as file:
        metadata = file.metadata()
    stages = [*json.loads(metadata.get("earlier", "[]")), json.loads(metadata["settings"])]
    return [
        f"- {metadata['step']} steps of {stages[-1]['batch_size']} {items}, "
        f"{last['seconds'] / 3600:.1f} hours on the machine that trained it.",
        *_commands(name, stages),
        f"- SHA-256 of the weights: `{hashlib.sha256(weights.read_bytes()).hexdigest()}`",
        f"- Logit scale at the end: {last['scale']:.1f}.",
    ]


def _log(name: str) -> list[dict[str, float]]:
    """What was measured while a shipped model was trained."""
    return [json.loads(line) for line in (HERE / LOGS[name]).read_text().splitlines()]


def _by_shots(seeds: pd.DataFrame, table: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
    """A table for each number of shots, one below the other."""
    return pd.concat({k: table(rows) for k, rows in seeds.groupby("shots")}, names=["shots"])


def _aims(seeds: pd.DataFrame) -> pd.DataFrame:
    """The aims, and what is reached with each number of shots."""
    found = _by_shots(seeds, aims).droplevel(1)
    reached = found["reached"].astype(str) + found["met"].map({"yes": "", "no": " (missed)"})
    wide = found.assign(reached=reached).pivot(columns="aim", values="reached").T
    limits = found.loc[seeds["shots"].min()].set_index("aim")[["least", "most"]]
    limits = limits.replace({"least": {0: ""}, "most": {100: ""}})
    table: pd.DataFrame = limits.join(wide.add_prefix("reached, shots = ")).reset_index()
    return table


def _commands(name: str, stages: list[dict[str, Any]]) -> list[str]:
    """What to type for each stage, of which every one goes on from the model of the last."""
    lines = []
    for i, settings in enumerate(stages, 1):
        folders = f"--out build/{name}-{i}" + f" --after build/{name}-{i - 1}" * (i > 1)
        options = {k.replace("_", "-"): v for k, v in settings.items() if k != "start"}
        typed = " ".join(f"--{k} {v}" for k, v in options.items())
        count = f" {i} of {len(stages)}" * (len(stages) > 1)
        command = f"python -m wiseft_tutorial.pocket.pretrain {folders} {typed}"
        lines.append(f"- Command{count}: `{command}`")
    return lines


def _variants(trials: pd.DataFrame) -> pd.DataFrame:
    def pair(row: pd.Series, alpha: str) -> str:
        return f"{100 * row[f'reference_{alpha}']:.1f} / {100 * row[f'shifts_{alpha}']:.1f}"

    kinds = {"0": "zero-shot", "0.5": "alpha 0.5", "1": "fine-tuned"}
    cells = {kind: trials.apply(pair, axis=1, alpha=alpha) for alpha, kind in kinds.items()}
    options = trials["options"].map(lambda text: f"`{text}`" if text else "")
    names = ("variant", "steps", "hours", "scale", "drawing")
    facts = {name: trials[name] for name in names} | {"options": options}
    return pd.DataFrame(facts | cells)


def _recipes(trials: pd.DataFrame) -> list[str]:
    """One table a method, epochs down and learning rates across, and what was chosen."""
    lines = []
    for method in METHODS:
        rows = trials[trials["method"] == method]
        table = rows.pivot(index="epochs", columns="lr", values="val_accuracy")
        cells = (100 * table).map("{:.1f}".format).rename(columns="lr {:g}".format).reset_index()
        best = choose_recipe(trials, method)
        chosen = f"Chosen for {method}: {best['epochs']} epochs at a rate of {best['lr']:g}."
        lines += [_markdown(cells), "", chosen, ""]
    lines += [
        "A recipe was chosen on the validation images of a benchmark that no chapter uses (seed "
        f"{SEED}, {RUNS} fine-tuning seeds): the shortest within {100 * TOLERANCE:g} points of the "
        "best, at its best rate. No shift was looked at.",
        "",
    ]
    return lines


def _thinned(log: list[dict[str, float]], rows: int = 12) -> pd.DataFrame:
    keep = sorted({round(i * (len(log) - 1) / (rows - 1)) for i in range(rows)})
    names = [k for k in log[0] if k.startswith("Pocket")]
    return pd.DataFrame(
        [
            {"step": log[i]["step"], "loss": f"{log[i]['loss']:.2f}"}
            | {name: f"{100 * log[i][name]:.0f}" for name in names}
            for i in keep
        ]
    )


def _percent(table: pd.DataFrame) -> pd.DataFrame:
    def cell(row: pd.Series, name: str) -> str:
        return f"{100 * row[name]:.1f} ± {100 * row[name + '_sd']:.1f}"

    columns = {"reference": "reference", "shifts": "mean of shifts"}
    cells = {new: table.apply(cell, axis=1, name=old) for old, new in columns.items()}
    return pd.DataFrame(cells).reset_index()


def _markdown(table: pd.DataFrame) -> str:
    head = "| " + " | ".join(map(str, table.columns)) + " |"
    rule = "|" + "---|" * len(table.columns)
    body = ["| " + " | ".join(map(str, row)) + " |" for row in table.itertuples(index=False)]
    return "\n".join([head, rule, *body])


def main() -> None:
    """Measure the seeds and write seeds.csv and MODEL_CARD.md beside the weights."""
    parser = argparse.ArgumentParser(description="Measure Pocket-CLIP and write its model card.")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--card-only", action="store_true", help="rewrite the card from seeds.csv")
    arguments = parser.parse_args()
    if not arguments.card_only:
        bench = load_benchmark("pocket")
        zeroshot = zeroshot_classifier(load_clip("pocket"), bench)
        tables = [measure_seeds(zeroshot, bench, shots=k, seeds=arguments.seeds) for k in SHOTS]
        pd.concat(tables).round(5).to_csv(HERE / "seeds.csv", index=False)
    (HERE / "MODEL_CARD.md").write_text(model_card(pocket_seeds()))


if __name__ == "__main__":
    main()

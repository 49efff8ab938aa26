"""Fine-tuning as a whole: a new model with its history, kept in a cache that cannot go stale."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import tiny
import torch

from wiseft_tutorial.benchmarks import Benchmark
from wiseft_tutorial.errors import CheckpointError, DataError, WiseFTError
from wiseft_tutorial.finetune import finetune, lp_ft
from wiseft_tutorial.models import ImageClassifier
from wiseft_tutorial.recipe import Recipe
from wiseft_tutorial.training import Training
from wiseft_tutorial.zeroshot import zeroshot_classifier

RECIPE = Recipe("lc", epochs=3, lr=0.1, batch_size=10)


@pytest.fixture
def epochs_run(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The epochs that were really trained, in a list that grows."""
    seen: list[int] = []
    run_epoch = Training.run_epoch

    def record(self: Training, *told: Any) -> None:
        run_epoch(self, *told)
        seen.append(len(self.history))

    monkeypatch.setattr(Training, "run_epoch", record)
    return seen


def tune(model: ImageClassifier, bench: Benchmark, **options: Any) -> ImageClassifier:
    recipe = options.pop("recipe", RECIPE)
    return finetune(model, bench, recipe, **{"cache": None, "progress": False, **options})


def assert_same(a: ImageClassifier, b: ImageClassifier) -> None:
    tiny.assert_same_weights(a, b)
    assert a.history is not None
    assert b.history is not None
    pd.testing.assert_frame_equal(
        a.history.drop(columns="seconds"), b.history.drop(columns="seconds"), check_exact=True
    )


def entries(folder: Path) -> list[Path]:
    """What a cache holds, besides the folder of its locks."""
    return [path for path in folder.iterdir() if path.is_file()]


def interrupt_after(monkeypatch: pytest.MonkeyPatch, epochs: int) -> None:
    run_epoch = Training.run_epoch

    def stop(self: Training, *told: Any) -> None:
        if len(self.history) == epochs:
            raise KeyboardInterrupt
        run_epoch(self, *told)

    monkeypatch.setattr(Training, "run_epoch", stop)


@pytest.mark.parametrize(
    "recipe", [RECIPE, Recipe(epochs=2, lr=1e-3, batch_size=10)], ids=["lc", "e2e"]
)
def test_the_result_is_a_new_model_with_its_history(
    zeroshot: ImageClassifier, bench: Benchmark, recipe: Recipe
) -> None:
    tuned = tune(zeroshot, bench, recipe=recipe)
    assert tuned is not zeroshot
    assert zeroshot.history is None
    assert not tuned.training
    assert tuned.history is not None
    assert list(tuned.history) == [
        "epoch",
        "loss",
        "lr",
        "train_accuracy",
        "val_accuracy",
        "seconds",
    ]
    assert len(tuned.history) == recipe.epochs
    assert tuned.provenance["method"] == recipe.method
    assert json.loads(tuned.provenance["recipe"])["lr"] == recipe.lr
    assert json.loads(tuned.provenance["start"]) == zeroshot.provenance


def test_a_second_call_loads_the_first_and_says_so(
    zeroshot: ImageClassifier,
    bench: Benchmark,
    tmp_path: Path,
    epochs_run: list[int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = tune(zeroshot, bench, cache=tmp_path)
    assert capsys.readouterr().out == ""
    again = tune(zeroshot, bench, cache=tmp_path)
    assert capsys.readouterr().out.count("\n") == 1
    assert epochs_run == [1, 2, 3]
    assert_same(first, again)
    assert again.provenance == first.provenance


def test_the_cache_keeps_the_finished_model_and_nothing_else(
    zeroshot: ImageClassifier, bench: Benchmark, tmp_path: Path
) -> None:
    tune(zeroshot, bench, cache=tmp_path)
    assert [path.suffix for path in entries(tmp_path)] == [".safetensors"]


def test_the_cache_is_where_the_environment_says(
    zeroshot: ImageClassifier, bench: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WISEFT_CACHE", str(tmp_path / "here"))
    tune(zeroshot, bench, cache="auto")
    assert len(entries(tmp_path / "here")) == 1


@pytest.mark.parametrize(
    "change", ["recipe", "weights", "training images", "validation images", "code"]
)
def test_whatever_the_result_depends_on_makes_another_entry(
    zeroshot: ImageClassifier,
    bench: Benchmark,
    tmp_path: Path,
    epochs_run: list[int],
    monkeypatch: pytest.MonkeyPatch,
    change: str,
) -> None:
    tune(zeroshot, bench, cache=tmp_path)
    recipe, model, data = RECIPE, zeroshot, bench
    if change == "recipe":
        recipe = replace(RECIPE, seed=1)
    elif change == "weights":
        model = tiny.moved(zeroshot, step=1e-3)
    elif change == "training images":
        data = replace(bench, train=tiny.split(24, seed=9))
    elif change == "validation images":
        data = replace(bench, val=tiny.split(12, seed=9))
    else:
        edited = tmp_path / "edited.py"
        edited.write_text("# a line more")
        monkeypatch.setattr("wiseft_tutorial.augment.__file__", str(edited))
    tune(model, data, recipe=recipe, cache=tmp_path)
    assert epochs_run == [1, 2, 3] * 2


def test_two_processes_at_once_train_a_model_once(tmp_path: Path) -> None:
    script = (
        "import tiny; from pathlib import Path; from wiseft_tutorial import Recipe, finetune\n"
        "recipe = Recipe('lc', epochs=200, lr=0.1, batch_size=4)\n"
        f"finetune(tiny.zeroshot(), tiny.benchmark(), recipe, cache=Path({str(tmp_path)!r}))"
    )
    command = [sys.executable, "-c", script]
    runs = [
        subprocess.Popen(command, cwd=Path(__file__).parent, text=True, stdout=-1, stderr=-1)
        for _ in range(2)
    ]
    said = [run.communicate(timeout=600) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    assert sorted("comes from the cache" in out for out, _ in said) == [False, True], said
    assert sorted("100%" in err for _, err in said) == [False, True], said
    assert len(entries(tmp_path)) == 1


def test_a_damaged_entry_is_made_again(
    zeroshot: ImageClassifier, bench: Benchmark, tmp_path: Path, epochs_run: list[int]
) -> None:
    first = tune(zeroshot, bench, cache=tmp_path)
    (entry,) = entries(tmp_path)
    entry.write_bytes(entry.read_bytes()[:1000])
    assert_same(tune(zeroshot, bench, cache=tmp_path), first)
    assert epochs_run == [1, 2, 3] * 2


@pytest.mark.parametrize("where", ["cache", "checkpoint"])
def test_an_interrupted_run_is_taken_up_and_ends_bit_equal(
    zeroshot: ImageClassifier,
    bench: Benchmark,
    tmp_path: Path,
    epochs_run: list[int],
    where: str,
) -> None:
    recipe = Recipe(epochs=3, lr=1e-3, batch_size=10)
    option = {"cache": tmp_path} if where == "cache" else {"checkpoint": tmp_path / "state"}
    whole = tune(zeroshot, bench, recipe=recipe)
    epochs_run.clear()
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            tune(zeroshot, bench, recipe=recipe, **option)
    resumed = tune(zeroshot, bench, recipe=recipe, **option)
    assert epochs_run == [1, 2, 3]
    assert_same(resumed, whole)


def test_a_finished_checkpoint_is_not_trained_again(
    zeroshot: ImageClassifier, bench: Benchmark, tmp_path: Path, epochs_run: list[int]
) -> None:
    first = tune(zeroshot, bench, checkpoint=tmp_path / "state")
    assert_same(tune(zeroshot, bench, checkpoint=tmp_path / "state"), first)
    assert epochs_run == [1, 2, 3]


def test_a_checkpoint_of_another_recipe_is_refused(
    zeroshot: ImageClassifier, bench: Benchmark, tmp_path: Path
) -> None:
    tune(zeroshot, bench, checkpoint=tmp_path / "state")
    with pytest.raises(CheckpointError, match="not a state of this run"):
        tune(zeroshot, bench, recipe=replace(RECIPE, lr=0.2), checkpoint=tmp_path / "state")


def test_the_bar_counts_images(
    zeroshot: ImageClassifier, bench: Benchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    tune(zeroshot, bench, progress=True)
    assert "72.0/72.0" in capsys.readouterr().err


def test_class_counts_must_agree(bench: Benchmark) -> None:
    three = zeroshot_classifier(tiny.clip(), classnames=("a", "b", "c"), templates=["{}"])
    with pytest.raises(DataError, match="the model has 3 classes and benchmark 'tiny' 4"):
        tune(three, bench)


def test_classes_in_another_order_are_refused(bench: Benchmark) -> None:
    names = bench.classnames[::-1]
    backwards = zeroshot_classifier(tiny.clip(), classnames=names, templates=bench.templates)
    with pytest.raises(DataError, match="in another order"):
        tune(backwards, bench)


def test_names_and_frozen_weights_make_another_entry(
    zeroshot: ImageClassifier, bench: Benchmark, epochs_run: list[int], tmp_path: Path
) -> None:
    named, frozen = copy.deepcopy(zeroshot), copy.deepcopy(zeroshot)
    named.classnames = tuple(name.upper() for name in named.classnames)
    frozen.image_encoder.requires_grad_(False)
    recipe = Recipe(epochs=1, lr=1e-3, batch_size=10)
    models = [tune(m, bench, recipe=recipe, cache=tmp_path) for m in (zeroshot, named, frozen)]
    assert len(epochs_run) == 3
    assert models[1].classnames == named.classnames
    tiny.assert_same_weights(models[2].image_encoder, zeroshot.image_encoder)


def test_a_model_without_anything_to_train_is_refused(
    zeroshot: ImageClassifier, bench: Benchmark
) -> None:
    frozen = copy.deepcopy(zeroshot).requires_grad_(False)
    with pytest.raises(DataError, match=r"requires_grad_\(True\)"):
        tune(frozen, bench)


def test_the_last_gradients_are_not_kept(zeroshot: ImageClassifier, bench: Benchmark) -> None:
    assert all(p.grad is None for p in tune(zeroshot, bench).parameters())


def test_a_model_of_half_precision_is_trained_in_single(
    zeroshot: ImageClassifier, bench: Benchmark
) -> None:
    half = copy.deepcopy(zeroshot).half()
    recipe = Recipe(epochs=1, lr=1e-3, batch_size=10)
    assert tune(half, bench, recipe=recipe).head.weight.dtype == torch.float32


def test_a_damaged_interrupted_run_in_the_cache_starts_anew(
    zeroshot: ImageClassifier,
    bench: Benchmark,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        interrupt_after(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            tune(zeroshot, bench, cache=tmp_path)
    (state,) = entries(tmp_path)
    state.write_bytes(state.read_bytes()[:-9])
    assert_same(tune(zeroshot, bench, cache=tmp_path), tune(zeroshot, bench))
    assert len(entries(tmp_path)) == 1


def test_a_cache_that_cannot_be_written_is_an_error_that_says_what_to_do(
    zeroshot: ImageClassifier, bench: Benchmark, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WiseFTError, match="WISEFT_CACHE"):
        tune(zeroshot, bench, cache=tmp_path / "file" / "cache")


def test_the_head_first_and_then_everything(zeroshot: ImageClassifier, bench: Benchmark) -> None:
    head, everything = Recipe("lc", epochs=1, lr=0.1), Recipe(epochs=1, lr=1e-3)
    options = {"device": "cpu", "cache": None, "progress": False}
    tuned = lp_ft(zeroshot, bench, head, everything, **options)  # type: ignore[arg-type]
    first = finetune(zeroshot, bench, head, **options)  # type: ignore[arg-type]
    assert_same(tuned, finetune(first, bench, everything, **options))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="'lc', comes first"):
        lp_ft(zeroshot, bench, everything, head, **options)  # type: ignore[arg-type]

"""What was measured once: it is there, it says where it came from, and it can be measured again."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pandas as pd
import pytest
import tiny

import wiseft_tutorial as wt
from wiseft_tutorial import results
from wiseft_tutorial.results import __main__ as command
from wiseft_tutorial.results import frontier, transfer
from wiseft_tutorial.results.__main__ import measure


@pytest.fixture(autouse=True)
def nobody_elses_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WISEFT_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("name", results.EXPERIMENTS)
def test_an_experiment_has_rows_and_says_where_they_came_from(name: str) -> None:
    rows, origin = results.load(name), results.origin(name)
    experiment = importlib.import_module(f"wiseft_tutorial.results.{name}")
    assert len(rows) > 50
    assert set(rows["seed"]) == set(origin["seeds"]) == set(experiment.SEEDS)
    assert origin["command"] == f"make results ARGS={name}"
    assert origin["minutes"] > 0
    assert {"torch", "wiseft-tutorial"} <= set(origin["versions"])


@pytest.mark.parametrize("name", results.EXPERIMENTS)
def test_every_run_of_an_experiment_has_its_own_name(name: str) -> None:
    experiment = importlib.import_module(f"wiseft_tutorial.results.{name}")
    labels = [label for label, _ in experiment.jobs()]
    assert len(labels) == len(set(labels)) > 10


def test_an_unknown_experiment_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(wt.UnknownNameError, match="frontier"):
        results.load("frontiers")


def test_accuracies_of_the_frontier_are_fractions_with_intervals() -> None:
    rows = results.load("frontier")
    for name in ("reference", "shifts"):
        assert rows[f"{name}_low"].le(rows[name]).all()
        assert rows[name].le(rows[f"{name}_high"]).all()
        assert rows[name].between(0, 1).all()
    assert set(rows["family"]) == {*frontier.recipes(), "early stopping"}


def test_all_runs_of_the_frontier_start_at_one_model() -> None:
    rows = results.load("frontier")
    starts = rows[rows["alpha"].eq(0) | rows["step"].eq(0)]
    assert starts[["reference", "shifts"]].drop_duplicates().shape[0] == 1


def test_one_run_gives_a_row_for_each_alpha() -> None:
    bench, zeroshot = tiny.benchmark(), tiny.zeroshot()
    recipe = wt.Recipe(epochs=1, lr=0.01, batch_size=4)
    rows = frontier.measure(zeroshot, bench, recipe, alphas=(0, 1))
    assert list(rows["alpha"]) == [0, 1]
    assert set(rows["epochs"]) == {1}
    assert rows["weight_step"].gt(0).all()


def test_a_run_is_followed_from_its_start() -> None:
    bench, zeroshot = tiny.benchmark(), tiny.zeroshot()
    recipe = wt.Recipe(epochs=1, lr=0.01, batch_size=4)
    rows = frontier.follow(zeroshot, bench, recipe, [1])
    assert list(rows["step"]) == [0, 1]
    assert rows["weight_step"].iloc[0] == 0 < rows["weight_step"].iloc[1]


def test_transfer_measures_only_what_is_asked_for() -> None:
    bench, zeroshot = tiny.benchmark(), tiny.zeroshot()
    rows = transfer.measure(
        zeroshot, bench, "lc", 1, alphas=(0, 1), distributions=[bench.test.name]
    )
    assert list(rows["distribution"]) == [bench.test.name] * 2
    assert set(rows["k"]) == {1}


def test_a_measurement_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def job(label: str) -> pd.DataFrame:
        if label == "second" and not calls.count("second"):
            calls.append(label)
            raise KeyboardInterrupt
        calls.append(label)
        return pd.DataFrame({"label": [label], "value": [1 / 3]})

    monkeypatch.setattr(
        frontier, "jobs", lambda: ((x, lambda x=x: job(x)) for x in ("first", "second"))
    )
    work, target = tmp_path / "work", tmp_path / "target"
    with pytest.raises(KeyboardInterrupt):
        measure("frontier", work, target)
    assert not target.exists(), "half of an experiment was passed off as the whole"
    command.main(["frontier", f"--work={work}", f"--target={target}"])
    assert calls == ["first", "second", "second"]
    rows = pd.read_csv(target / "frontier.csv")
    assert list(rows["label"]) == ["first", "second"]
    assert list(rows["value"]) == [0.33333] * 2
    assert json.loads((target / "frontier.json").read_text())["seeds"] == [*frontier.SEEDS]

"""Soups of many runs: made as chapter 13 says, and compared on the same images."""

from __future__ import annotations

import pytest
import tiny
import torch

import wiseft_tutorial as wt
from wiseft_tutorial.results import frontier, soups

STEPS = (0.2, 0.5, 0.9)


@pytest.fixture(scope="module")
def runs() -> list[wt.ImageClassifier]:
    return [tiny.moved(tiny.zeroshot(), step=step) for step in STEPS]


def test_the_chosen_run_has_the_highest_score(runs: list[wt.ImageClassifier]) -> None:
    val = tiny.benchmark().val
    models, members = soups.blend(runs, val, device="cpu")
    scores = [wt.accuracy(wt.predict(run, val, device="cpu"), val.labels).value for run in runs]
    (chosen,) = models["chosen run"]
    assert chosen is runs[scores.index(max(scores))]
    assert next(iter(models)) == "chosen run"
    assert models[soups.ALL_RUNS] == runs
    assert (members["chosen run"], members["uniform soup"]) == (1, len(runs))
    assert 1 <= members["greedy soup"] <= len(runs)


def test_the_uniform_soup_is_the_mean_of_the_runs(runs: list[wt.ImageClassifier]) -> None:
    models, _ = soups.blend(runs, tiny.benchmark().val, device="cpu")
    (soup,) = models["uniform soup"]
    mean = torch.stack([run.head.weight.detach().double() for run in runs]).mean(dim=0)
    torch.testing.assert_close(soup.head.weight.detach(), mean.float())


def test_accuracies_are_those_of_the_averages(runs: list[wt.ImageClassifier]) -> None:
    zeroshot, bench = tiny.zeroshot(), tiny.benchmark()
    models = {"first": runs[:1], "all": runs}
    rows = soups.measure(zeroshot, bench, models, 0.5, device="cpu").set_index("model")
    sweeps = [
        wt.alpha_sweep(zeroshot, run, bench, alphas=[0.5], device="cpu", progress=False)
        for run in runs
    ]
    summaries = [wt.summarise(sweep).iloc[0] for sweep in sweeps]
    for column in ("reference", "shifts"):
        each = [summary[column] for summary in summaries]
        assert rows[column]["first"] == pytest.approx(each[0])
        assert rows[column]["all"] == pytest.approx(sum(each) / len(each))
        assert rows[f"gain_{column}"]["all"] == pytest.approx(sum(each) / len(each) - each[0])
        assert rows[f"gain_{column}"]["first"] == rows[f"about_{column}"]["first"] == 0


def test_at_alpha_0_all_are_the_zeroshot_model(runs: list[wt.ImageClassifier]) -> None:
    zeroshot, bench = tiny.zeroshot(), tiny.benchmark()
    models, _ = soups.blend(runs, bench.val, device="cpu")
    rows = soups.measure(zeroshot, bench, models, 0.0, device="cpu")
    assert rows["shifts"].nunique() == rows["reference"].nunique() == 1


def test_the_soups_are_of_the_runs_of_the_frontier() -> None:
    rows = wt.results.load("soups")
    runs = sum(map(len, frontier.recipes().values()))
    assert set(rows.loc[rows["model"] == "uniform soup", "members"]) == {runs}
    assert rows.loc[rows["model"] == "chosen run", "gain_shifts"].eq(0).all()
    assert set(rows["alpha"]) == set(wt.ALPHAS)

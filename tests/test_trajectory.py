"""Averages along a run: against their definitions, and the identity between two of them."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch

from wiseft_tutorial.benchmarks import Benchmark
from wiseft_tutorial.errors import DataError
from wiseft_tutorial.finetune import finetune
from wiseft_tutorial.models import ImageClassifier
from wiseft_tutorial.recipe import Recipe
from wiseft_tutorial.trajectory import EMA, SWA, Snapshots
from wiseft_tutorial.weights import interpolate, uniform_soup

RECIPE = Recipe("lc", epochs=4, lr=0.1, batch_size=10)  # 12 steps on 24 images


def tune(model: ImageClassifier, bench: Benchmark, watch: Any, **options: Any) -> ImageClassifier:
    return finetune(model, bench, RECIPE, watch=watch, device="cpu", progress=False, **options)


def close(a: ImageClassifier, b: ImageClassifier) -> None:
    for name, value in a.state_dict().items():
        torch.testing.assert_close(value, b.state_dict()[name], rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def models(zeroshot: ImageClassifier) -> list[ImageClassifier]:
    """The weights after each of seven steps."""
    return [tiny.moved(zeroshot, step=0.01 * step) for step in range(1, 8)]


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9, 0.999])
def test_the_biased_average_is_wise_ft_of_the_debiased_one(
    zeroshot: ImageClassifier, models: list[ImageClassifier], decay: float
) -> None:
    debiased, biased = EMA(zeroshot, decay), EMA(zeroshot, decay, debiased=False)
    for step, model in enumerate(models, 1):
        debiased(step, model)
        biased(step, model)
        alpha = 1 - decay**step
        assert debiased.alpha == biased.alpha == pytest.approx(alpha)
        close(biased.model(), interpolate(zeroshot, debiased.model(), alpha))


def test_an_average_without_memory_is_the_last_model(
    zeroshot: ImageClassifier, models: list[ImageClassifier]
) -> None:
    ema = EMA(zeroshot, 0.0)
    for step, model in enumerate(models, 1):
        ema(step, model)
    close(ema.model(), models[-1])


def test_the_debiased_average_weighs_as_it_should(
    zeroshot: ImageClassifier, models: list[ImageClassifier]
) -> None:
    ema = EMA(zeroshot, 0.7)
    for step, model in enumerate(models, 1):
        ema(step, model)
    shares = torch.tensor([0.7**age for age in range(len(models))][::-1], dtype=torch.float64)
    shares /= shares.sum()
    for name, value in ema.model().named_parameters():
        every = torch.stack([m.get_parameter(name).double() for m in models])
        expected = torch.tensordot(shares, every, dims=1)
        torch.testing.assert_close(value.double(), expected, rtol=1e-5, atol=1e-6)


def test_the_mean_of_chosen_steps_is_their_soup(
    zeroshot: ImageClassifier, models: list[ImageClassifier]
) -> None:
    swa = SWA(zeroshot, first=2, every=2)
    for step, model in enumerate(models, 1):
        swa(step, model)
    assert swa.count == 3
    close(swa.model(), uniform_soup([models[1], models[3], models[5]]))


def test_a_run_is_watched_after_every_step(zeroshot: ImageClassifier, bench: Benchmark) -> None:
    seen: list[int] = []
    ema, kept = EMA(zeroshot, 0.9), Snapshots(zeroshot, [1, 12])

    def watch(step: int, model: ImageClassifier) -> None:
        seen.append(step)
        ema(step, model)
        kept(step, model)

    before = copy.deepcopy(zeroshot)
    tuned = tune(zeroshot, bench, watch)
    assert seen == list(range(1, 13))
    assert ema.steps == 12
    snapshots = kept.models()
    assert list(snapshots) == [0, 1, 12]
    tiny.assert_same_weights(snapshots[0], zeroshot)
    tiny.assert_same_weights(snapshots[12], tuned)
    assert not torch.equal(snapshots[1].head.weight, tuned.head.weight)
    assert not any(model.training for model in (*snapshots.values(), ema.model()))
    tiny.assert_same_weights(zeroshot, before)


def test_watching_changes_nothing_and_is_never_skipped(
    zeroshot: ImageClassifier, bench: Benchmark, tmp_path: Path
) -> None:
    seen: list[int] = []
    alone = finetune(zeroshot, bench, RECIPE, device="cpu", cache=tmp_path, progress=False)
    watched = tune(zeroshot, bench, lambda step, model: seen.append(step), cache=tmp_path)
    tiny.assert_same_weights(watched, alone)
    assert len(seen) == 12, "the model came from the cache"


def test_a_watched_run_cannot_be_taken_up_half_way(
    zeroshot: ImageClassifier, bench: Benchmark, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="half-way"):
        tune(zeroshot, bench, lambda step, model: None, checkpoint=tmp_path / "state")


@pytest.mark.parametrize("decay", [-0.1, 1.0, float("nan")])
def test_a_decay_outside_its_range(zeroshot: ImageClassifier, decay: float) -> None:
    with pytest.raises(DataError, match=r"must be in \[0, 1\)"):
        EMA(zeroshot, decay)


def test_averages_of_nothing(zeroshot: ImageClassifier) -> None:
    with pytest.raises(DataError, match="no steps"):
        EMA(zeroshot, 0.9).model()
    tiny.assert_same_weights(EMA(zeroshot, 0.9, debiased=False).model(), zeroshot)
    with pytest.raises(DataError, match="has not come to step 5"):
        SWA(zeroshot, first=5).model()
    for wrong in ({"first": 0}, {"first": 1, "every": 0}):
        with pytest.raises(DataError, match="counted from 1"):
            SWA(zeroshot, **wrong)

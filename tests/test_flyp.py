"""Contrastive fine-tuning: both towers learn, words stay the classifier, bad recipes are named."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import tiny
import torch

from wiseft_tutorial.benchmarks import Benchmark
from wiseft_tutorial.errors import DataError, WiseFTError
from wiseft_tutorial.evaluate import predict
from wiseft_tutorial.flyp import finetune_contrastively
from wiseft_tutorial.metrics import accuracy
from wiseft_tutorial.models import Clip
from wiseft_tutorial.recipe import Recipe
from wiseft_tutorial.zeroshot import zeroshot_classifier

RECIPE = Recipe(epochs=6, lr=1e-3, batch_size=12, warmup_steps=2)


def tune(clip: Clip, bench: Benchmark, recipe: Recipe = RECIPE) -> Clip:
    return finetune_contrastively(clip, bench, recipe, device="cpu", progress=False)


@pytest.fixture(scope="module")
def tuned(bench: Benchmark) -> Clip:
    return tune(tiny.clip(), bench)


def test_it_learns_to_tell_the_classes_by_their_names(bench: Benchmark, tuned: Clip) -> None:
    before, after = (
        accuracy(predict(zeroshot_classifier(c, bench), bench.train), bench.train.labels).value
        for c in (tiny.clip(), tuned)
    )
    assert after > before + 0.3


def test_both_towers_and_the_scale_have_moved(tuned: Clip) -> None:
    start = tiny.clip().model.state_dict()
    for name in ("visual.conv1.weight", "transformer.resblocks.0.attn.in_proj_weight"):
        assert not torch.equal(tuned.model.state_dict()[name], start[name])
    assert tuned.logit_scale != tiny.clip().logit_scale
    assert not tuned.model.training
    assert tuned.pretrained.endswith("tuned")


def test_the_start_stays_as_it_was_and_a_seed_gives_the_same_bits(bench: Benchmark) -> None:
    clip, short = tiny.clip(), replace(RECIPE, epochs=1)
    before = copy.deepcopy(clip.model)
    first, second, other = (tune(clip, bench, replace(short, seed=s)).model for s in (0, 0, 1))
    tiny.assert_same_weights(clip.model, before)
    tiny.assert_same_weights(first, second)
    assert not torch.equal(first.visual.conv1.weight, other.visual.conv1.weight)


@pytest.mark.parametrize(
    "field",
    [{"method": "lc"}, {"distillation": 0.5}, {"l2_to_init": 1.0}, {"label_smoothing": 0.1}],
)
def test_what_it_does_not_do_is_refused(bench: Benchmark, field: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=next(iter(field))):
        tune(tiny.clip(), bench, replace(RECIPE, **field))


def test_a_diverged_run_says_so(bench: Benchmark) -> None:
    with pytest.raises(WiseFTError, match=r"contrastive fine-tuning is .*diverged"):
        tune(tiny.clip(), bench, replace(RECIPE, lr=1e9, epochs=2, clip_norm=None))

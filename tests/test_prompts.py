"""Learned prompts: they lower the loss, are shared by all classes, and touch nothing else."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import tiny
import torch
import torch.nn.functional as F

from wiseft_tutorial.benchmarks import Benchmark
from wiseft_tutorial.errors import DataError
from wiseft_tutorial.evaluate import predict
from wiseft_tutorial.models import ImageClassifier
from wiseft_tutorial.prompts import learn_prompt
from wiseft_tutorial.recipe import Recipe
from wiseft_tutorial.zeroshot import build_zeroshot_head

RECIPE = Recipe(epochs=10, lr=0.02, batch_size=12, warmup_steps=2, weight_decay=0.0)


def learn(bench: Benchmark, recipe: Recipe = RECIPE, length: int = 4) -> ImageClassifier:
    return learn_prompt(tiny.clip(), bench, recipe, length=length, device="cpu", progress=False)


@pytest.fixture(scope="module")
def learned(bench: Benchmark) -> ImageClassifier:
    return learn(bench)


def test_learning_lowers_the_loss(bench: Benchmark, learned: ImageClassifier) -> None:
    barely = learn(bench, replace(RECIPE, epochs=1, lr=1e-9))
    before, after = (
        float(F.cross_entropy(predict(m, bench.train), bench.train.labels))
        for m in (barely, learned)
    )
    assert after < before - 0.05


def test_what_is_not_learned_is_a_head_of_words(bench: Benchmark) -> None:
    """With a rate of next to nothing, the head is that of the prompt it begins with."""
    head = learn(bench, replace(RECIPE, epochs=1, lr=1e-9)).head.weight
    words = build_zeroshot_head(tiny.clip(), bench.classnames, ["x x x x {}"])
    torch.testing.assert_close(head.detach(), words, rtol=1e-3, atol=1e-3)


def test_the_rest_stays_as_it_was(
    bench: Benchmark, learned: ImageClassifier, zeroshot: ImageClassifier
) -> None:
    before = copy.deepcopy(tiny.clip().model)
    learn(bench, replace(RECIPE, epochs=1))
    tiny.assert_same_weights(tiny.clip().model, before)
    assert not tiny.clip().model.token_embedding._forward_hooks
    tiny.assert_same_weights(learned.image_encoder, zeroshot.image_encoder)
    assert not torch.equal(learned.head.weight, zeroshot.head.weight)
    norms = learned.head.weight.detach().norm(dim=1)
    torch.testing.assert_close(norms, torch.full_like(norms, tiny.clip().logit_scale))
    assert learned.provenance["method"] == "learned prompt of 4"


def test_a_seed_gives_the_same_bits(bench: Benchmark, learned: ImageClassifier) -> None:
    tiny.assert_same_weights(learn(bench), learned)


@pytest.mark.parametrize("length", [0, -2])
def test_a_prompt_has_a_length(bench: Benchmark, length: int) -> None:
    with pytest.raises(DataError, match="nothing to learn"):
        learn(bench, length=length)


def test_a_prompt_may_be_too_long(bench: Benchmark) -> None:
    with pytest.raises(DataError, match="leaves no room"):
        learn(bench, length=200)


def test_what_it_does_not_do_is_refused(bench: Benchmark) -> None:
    with pytest.raises(DataError, match="learning a prompt does nothing with distillation"):
        learn(bench, replace(RECIPE, distillation=0.5))

"""A line of models: its ends differ, and what lies between them has learnt as well."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import tiny
import torch
from torch import Tensor, nn

from wiseft_tutorial.benchmarks import Benchmark
from wiseft_tutorial.errors import DataError
from wiseft_tutorial.evaluate import predict
from wiseft_tutorial.metrics import accuracy
from wiseft_tutorial.models import ImageClassifier
from wiseft_tutorial.recipe import Recipe
from wiseft_tutorial.subspace import finetune_line
from wiseft_tutorial.weights import interpolate

RECIPE = Recipe(epochs=8, lr=1e-3, batch_size=12, warmup_steps=2, weight_decay=0.0)
Line = tuple[ImageClassifier, ImageClassifier]


def line(model: ImageClassifier, bench: Benchmark, apart: float = 1.0, **changed: Any) -> Line:
    recipe = replace(RECIPE, **changed)
    return finetune_line(model, bench, recipe, apart=apart, device="cpu", progress=False)


def flat(model: nn.Module) -> Tensor:
    return nn.utils.parameters_to_vector(model.parameters()).detach()


@pytest.fixture(scope="module")
def ends(zeroshot: ImageClassifier, bench: Benchmark) -> Line:
    return line(zeroshot, bench)


def test_the_whole_line_has_learnt(zeroshot: ImageClassifier, bench: Benchmark, ends: Line) -> None:
    def right(model: ImageClassifier) -> float:
        return accuracy(predict(model, bench.train), bench.train.labels).value

    for alpha in (0, 0.5, 1):
        assert right(interpolate(*ends, alpha)) > right(zeroshot) + 0.2


def test_the_penalty_keeps_the_ends_apart(
    zeroshot: ImageClassifier, bench: Benchmark, ends: Line
) -> None:
    def cosine(pair: Line) -> float:
        steps = [flat(end) - flat(zeroshot) for end in pair]
        return float(torch.cosine_similarity(*steps, dim=0))

    assert abs(cosine(ends)) < cosine(line(zeroshot, bench, apart=0.0))


def test_the_start_stays_as_it_was_and_a_seed_gives_the_same_bits(
    zeroshot: ImageClassifier, bench: Benchmark
) -> None:
    before = copy.deepcopy(zeroshot)
    first, second = (line(zeroshot, bench, epochs=1) for _ in range(2))
    tiny.assert_same_weights(zeroshot, before)
    for a, b in zip(first, second, strict=True):
        tiny.assert_same_weights(a, b)
        assert not a.training


def test_what_it_does_not_do_is_refused(zeroshot: ImageClassifier, bench: Benchmark) -> None:
    with pytest.raises(DataError, match="does nothing with method"):
        line(zeroshot, bench, method="lc")
    with pytest.raises(DataError, match="apart = -1"):
        line(zeroshot, bench, apart=-1.0)

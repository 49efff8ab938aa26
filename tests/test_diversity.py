"""Diversity: hand-made values, known limits, and references in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from wiseft_tutorial.diversity import (
    cka_complement,
    kappa_complement,
    kl_divergence,
    margin,
    overrides,
    prediction_diversity,
)
from wiseft_tutorial.errors import AlphaError, DataError


def saying(*answers: int, classes: int = 3) -> Tensor:
    """Logits whose largest is at the answers."""
    return torch.nn.functional.one_hot(torch.tensor(answers), classes).float()


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_prediction_diversity_counts_where_one_alone_is_right() -> None:
    truth = torch.tensor([0, 0, 0, 0, 1])
    first, second = saying(0, 0, 1, 1, 1), saying(0, 1, 0, 2, 1)
    assert prediction_diversity(first, second, truth) == pytest.approx(2 / 5)
    assert prediction_diversity(first, first, truth) == 0


def test_kappa_by_hand() -> None:
    first, second = saying(0, 0, 1, 1, classes=2), saying(0, 1, 0, 1, classes=2)
    assert kappa_complement(first, second) == pytest.approx(1)  # as often as by chance
    assert kappa_complement(first, saying(1, 1, 0, 0, classes=2)) == pytest.approx(2)
    assert kappa_complement(first, first) == 0


def test_kappa_of_two_models_that_always_say_the_same_thing() -> None:
    assert kappa_complement(saying(1, 1, 1), saying(1, 1, 1)) == 0
    assert kappa_complement(saying(1, 1), saying(2, 2)) == 1


def test_kl_against_numpy_in_float64() -> None:
    a, b = random(50, 7), random(50, 7, seed=1)
    p, q = (np.exp(z.double().numpy()) for z in (a, b))
    p, q = p / p.sum(1, keepdims=True), q / q.sum(1, keepdims=True)
    expected = (p * np.log(p / q)).sum(1).mean()
    assert kl_divergence(a, b) == pytest.approx(expected, rel=1e-12)
    assert kl_divergence(a, b) != pytest.approx(kl_divergence(b, a), rel=1e-3), "it has a direction"
    assert kl_divergence(a, a) == 0


def test_kl_with_masked_classes() -> None:
    a, b = random(5, 4), random(5, 4, seed=1)
    masked = [torch.cat([z, torch.full((5, 1), -math.inf)], dim=1) for z in (a, b)]
    assert kl_divergence(*masked) == pytest.approx(kl_divergence(a, b))
    ruled_out = b.clone()
    ruled_out[:, 0] = -math.inf
    assert kl_divergence(a, ruled_out) == math.inf
    assert kl_divergence(ruled_out, a) < math.inf


def test_cka_does_not_see_rotation_scale_and_offset() -> None:
    features = random(200, 6)
    rotation = torch.linalg.qr(random(6, 6, seed=1)).Q
    assert cka_complement(features, 3 * features @ rotation + 7) == pytest.approx(0, abs=1e-6)


def test_cka_against_the_definition_by_gram_matrices() -> None:
    a, b = random(40, 5).double(), random(40, 9, seed=1).double()
    centring = torch.eye(40, dtype=torch.float64) - 1 / 40
    k, m = (centring @ x @ x.T @ centring for x in (a, b))
    expected = 1 - float((k * m).sum() / (k.norm() * m.norm()))
    assert cka_complement(a, b) == pytest.approx(expected, rel=1e-10)
    assert 0 < cka_complement(a, b) < 1


def test_cka_of_many_images_compares_some_from_everywhere() -> None:
    a, b = random(1000, 3), random(1000, 3, seed=1)
    every = torch.linspace(0, 999, 100, dtype=torch.float64).round().long()
    assert cka_complement(a, b, limit=100) == cka_complement(a[every], b[every])


def test_overrides_by_hand() -> None:
    zeroshot = torch.tensor([[3.0, 0, 0], [1, 0, 0], [2, 0, 1.9], [0, 1, 0]])
    finetuned = torch.tensor([[0.0, 2, 0], [0, 2, 0], [0, 2, 1.9], [0, 1, 0]])
    found = overrides(zeroshot, finetuned)
    assert (found.zeroshot, found.finetuned, found.n) == (
        pytest.approx(1 / 3),
        pytest.approx(1 / 3),
        3,
    )
    assert found.neither == pytest.approx(1 / 3)
    assert overrides(zeroshot, finetuned, 0.0).zeroshot == 1
    assert overrides(zeroshot, finetuned, 1.0).finetuned == 1


def test_margin() -> None:
    assert margin(torch.tensor([[1.0, 4, 2], [0, 0, -1]])).tolist() == [2, 0]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: prediction_diversity(saying(0), saying(0, 1), torch.tensor([0])), "do not fit"),
        (
            lambda: prediction_diversity(saying(0), saying(1), torch.tensor([0, 1])),
            "2 labels for 1",
        ),
        (lambda: kappa_complement(torch.zeros(0, 3), torch.zeros(0, 3)), "N > 0"),
        (lambda: kl_divergence(torch.zeros(3), torch.zeros(3)), "do not fit"),
        (lambda: overrides(saying(0, 1), saying(0, 1)), "never disagree"),
        (lambda: cka_complement(torch.ones(5, 2), random(5, 2)), "same for all images"),
        (lambda: cka_complement(random(5, 2), random(4, 2)), "do not belong"),
        (lambda: cka_complement(random(1, 2), random(1, 2)), "two images or more"),
        (lambda: margin(torch.zeros(3, 1)), "two classes"),
    ],
)
def test_bad_input_is_refused(call: object, says: str) -> None:
    assert callable(call)
    with pytest.raises(DataError, match=says):
        call()


def test_alpha_is_checked() -> None:
    with pytest.raises(AlphaError):
        overrides(saying(0, 1), saying(1, 0), 2)

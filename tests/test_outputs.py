"""Averaging outputs: exact at the ends, and the same as averaging weights for a linear model."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from wiseft_tutorial.errors import AlphaError, DataError
from wiseft_tutorial.outputs import ensemble_logits, ensemble_probabilities, random_choice
from wiseft_tutorial.weights import interpolate

ALPHAS = [0.0, 0.1, 0.5, 0.9, 1.0]


@pytest.fixture
def logits() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(9, 5, generator=generator), torch.randn(9, 5, generator=generator)


def test_endpoints_are_the_models(logits: tuple[Tensor, Tensor]) -> None:
    assert torch.equal(ensemble_logits(*logits, 0.0), logits[0])
    assert torch.equal(ensemble_logits(*logits, 1.0), logits[1])
    assert torch.equal(ensemble_probabilities(*logits, 0.0), logits[0].softmax(1))
    assert torch.equal(ensemble_probabilities(*logits, 1.0), logits[1].softmax(1))


@pytest.mark.parametrize("alpha", ALPHAS)
def test_is_the_weighted_mean(logits: tuple[Tensor, Tensor], alpha: float) -> None:
    expected = (1 - alpha) * logits[0] + alpha * logits[1]
    torch.testing.assert_close(ensemble_logits(*logits, alpha), expected)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_equals_the_average_of_weights_for_a_linear_classifier(alpha: float) -> None:
    torch.manual_seed(0)
    zeroshot, finetuned = (nn.Linear(8, 5, bias=False).double() for _ in range(2))
    features = nn.functional.normalize(torch.randn(20, 8)).double()
    merged = interpolate(zeroshot, finetuned, alpha)
    averaged = ensemble_logits(zeroshot(features), finetuned(features), alpha)
    torch.testing.assert_close(merged(features), averaged, rtol=0, atol=1e-14)


@pytest.mark.parametrize("alpha", [*ALPHAS, 1.5])
def test_a_masked_class_stays_masked(logits: tuple[Tensor, Tensor], alpha: float) -> None:
    for one in logits:
        one[:, 2] = -math.inf
    ensemble = ensemble_logits(*logits, alpha, extrapolate=True)
    assert torch.equal(ensemble[:, 2], logits[0][:, 2])
    assert ensemble[:, [0, 1, 3, 4]].isfinite().all()


@pytest.mark.parametrize("alpha", ALPHAS)
def test_probabilities_are_probabilities(logits: tuple[Tensor, Tensor], alpha: float) -> None:
    logits[0][:, 1] = logits[1][:, 1] = -math.inf
    probabilities = ensemble_probabilities(*logits, alpha)
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(9))
    assert (probabilities >= 0).all()
    assert (probabilities[:, 1] == 0).all()


def test_probabilities_do_not_depend_on_a_common_shift(logits: tuple[Tensor, Tensor]) -> None:
    shifted = ensemble_probabilities(logits[0] + 3, logits[1] - 2, 0.3)
    torch.testing.assert_close(shifted, ensemble_probabilities(*logits, 0.3))


def test_the_more_confident_model_prevails_only_among_logits() -> None:
    calm, loud = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 40.0]])
    assert ensemble_logits(calm, loud, 0.1).argmax().item() == 1
    assert ensemble_probabilities(calm, loud, 0.1).argmax().item() == 0


def test_shapes_that_differ_are_named() -> None:
    for ensemble in (ensemble_logits, ensemble_probabilities):
        with pytest.raises(DataError, match=r"\(4, 3\) and \(4, 2\)"):
            ensemble(torch.zeros(4, 3), torch.zeros(4, 2), 0.5)


def test_alpha_outside_the_interval_is_an_error(logits: tuple[Tensor, Tensor]) -> None:
    with pytest.raises(AlphaError, match="extrapolate=True"):
        ensemble_logits(*logits, 1.5)
    with pytest.raises(AlphaError, match=r"alpha = 1\.5"):
        ensemble_probabilities(*logits, 1.5)


def test_extrapolation_is_there_for_the_asking(logits: tuple[Tensor, Tensor]) -> None:
    expected = -0.5 * logits[0] + 1.5 * logits[1]
    torch.testing.assert_close(ensemble_logits(*logits, 1.5, extrapolate=True), expected)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_a_class_that_one_model_rules_out_is_never_not_a_number(alpha: float) -> None:
    one, other = torch.tensor([[-math.inf, 3.0]]), torch.tensor([[1.0, 2.0]])
    for pair in ((one, other), (other, one)):
        assert not ensemble_logits(*pair, alpha).isnan().any()


def test_the_endpoints_are_copies(logits: tuple[Tensor, Tensor]) -> None:
    ensemble_logits(*logits, 0.0).zero_()
    assert logits[0].any()


def test_models_of_two_precisions_are_averaged_in_the_finer(logits: tuple[Tensor, Tensor]) -> None:
    half = logits[1].half()
    for average in (ensemble_logits, ensemble_probabilities):
        assert average(logits[0], half, 0.3).dtype == torch.float32


def test_lots_are_drawn_for_whole_images_and_grow_with_alpha() -> None:
    zeroshot, finetuned = torch.zeros(1000, 3), torch.ones(1000, 3)
    drawn = {alpha: random_choice(zeroshot, finetuned, alpha) for alpha in (0.0, 0.3, 0.6, 1.0)}
    assert not drawn[0.0].any()
    assert drawn[1.0].all()
    for chosen in drawn.values():
        assert ((chosen == 0).all(dim=1) | (chosen == 1).all(dim=1)).all()
    assert float(drawn[0.3].mean()) == pytest.approx(0.3, abs=0.05)
    assert (drawn[0.6] >= drawn[0.3]).all()
    assert torch.equal(random_choice(zeroshot, finetuned, 0.3), drawn[0.3])
    assert not torch.equal(random_choice(zeroshot, finetuned, 0.3, seed=1), drawn[0.3])


def test_lots_need_an_alpha_and_the_same_images() -> None:
    with pytest.raises(AlphaError):
        random_choice(torch.zeros(2, 3), torch.zeros(2, 3), 1.1)
    with pytest.raises(DataError, match="same images"):
        random_choice(torch.zeros(2, 3), torch.zeros(3, 3), 0.5)

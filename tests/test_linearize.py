"""The tangent model: equal at its start, linear in its weights, and right to first order."""

from __future__ import annotations

from itertools import pairwise

import pytest
import tiny
import torch
from torch import Tensor

from wiseft_tutorial.errors import WeightMismatchError
from wiseft_tutorial.linearize import TangentModel, linearize
from wiseft_tutorial.models import ImageClassifier
from wiseft_tutorial.weights import interpolate


@pytest.fixture(scope="module")
def start() -> ImageClassifier:
    return tiny.zeroshot()


@pytest.fixture(scope="module")
def images() -> Tensor:
    return tiny.split(6, seed=9).images


@torch.no_grad()
def logits(model: torch.nn.Module, images: Tensor) -> Tensor:
    result: Tensor = model(images)
    return result


def test_at_its_start_it_is_the_model(start: ImageClassifier, images: Tensor) -> None:
    torch.testing.assert_close(logits(linearize(start), images), logits(start, images))


def test_averaging_its_weights_is_averaging_its_outputs(
    start: ImageClassifier, images: Tensor
) -> None:
    """Proposition 1, for weights far from the start, where the network itself is not linear."""
    far = tiny.moved(start, step=0.3)
    ends = linearize(start), linearize(start, far)
    first, second = (logits(end, images) for end in ends)
    for alpha in (0.25, 0.5, 0.9):
        by_weights = logits(interpolate(*ends, alpha), images)
        by_outputs = (1 - alpha) * first + alpha * second
        error = (by_weights - by_outputs).abs().max() / by_outputs.abs().max()
        assert error < 1e-5
    network = logits(interpolate(start, far, 0.5), images)
    mean = (logits(start, images) + logits(far, images)) / 2
    assert (network - mean).abs().max() > 0.01 * mean.abs().max(), "the network is not linear"


def test_it_is_right_to_first_order(start: ImageClassifier, images: Tensor) -> None:
    far = tiny.moved(start, step=0.1)
    errors = []
    for scale in (1 / 8, 1 / 16, 1 / 32):
        there = interpolate(start, far, scale)
        errors.append((logits(there, images) - logits(linearize(start, there), images)).norm())
    for coarse, fine in pairwise(errors):
        assert 3 < float(coarse / fine) < 5, "the error does not fall fourfold"


def test_it_agrees_with_finite_differences_in_float64(
    start: ImageClassifier, images: Tensor
) -> None:
    far = tiny.moved(start, step=0.05)
    change = logits(linearize(start, far), images) - logits(start, images)
    origin, wide = start.double(), 1e-4
    try:
        ends = [
            logits(interpolate(origin, far.double(), sign * wide, extrapolate=True), images)
            for sign in (1, -1)
        ]
    finally:
        start.float()
    slope = (ends[0] - ends[1]) / (2 * wide)
    torch.testing.assert_close(change.double(), slope, rtol=2e-3, atol=2e-3)


def test_many_images_are_taken_batch_by_batch(start: ImageClassifier, images: Tensor) -> None:
    tangent = linearize(start, tiny.moved(start, step=0.05))
    torch.testing.assert_close(tangent.logits(images, batch_size=4), logits(tangent, images))


def test_it_can_be_trained(start: ImageClassifier, images: Tensor) -> None:
    tangent = TangentModel(start)
    labels = tiny.split(6, seed=9).labels
    optimiser = torch.optim.SGD([p for p in tangent.parameters() if p.requires_grad], lr=1e-3)
    losses = []
    for _ in range(4):
        loss = torch.nn.functional.cross_entropy(tangent(images), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
    tiny.assert_same_weights(tangent.start, start)
    assert not any(p.requires_grad for p in tangent.start.parameters())


def test_weights_of_another_model_are_refused(start: ImageClassifier) -> None:
    other = tiny.zeroshot()
    other.head = torch.nn.Linear(other.head.in_features, 7, bias=False)
    with pytest.raises(WeightMismatchError, match="different shapes"):
        linearize(start, other)

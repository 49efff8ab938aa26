"""The diagonal Fisher: against the definition, one image and one class at a time."""

from __future__ import annotations

import copy

import pytest
import tiny
import torch
import torch.nn.functional as F

from wiseft_tutorial.errors import DataError
from wiseft_tutorial.fisher import diagonal_fisher
from wiseft_tutorial.models import ImageClassifier
from wiseft_tutorial.weights import fisher_merge


@pytest.fixture(scope="module")
def model() -> ImageClassifier:
    return tiny.zeroshot()


def test_it_is_the_mean_square_of_gradients_of_sampled_labels(model: ImageClassifier) -> None:
    split = tiny.split(5, seed=3)
    fisher = diagonal_fisher(model, split, seed=1, device="cpu")
    generator, totals = torch.Generator().manual_seed(1), dict.fromkeys(fisher, 0.0)
    runner = copy.deepcopy(model).requires_grad_(True)
    drawn = torch.multinomial(runner(split.images).detach().softmax(1), 1, generator=generator)
    for image, label in zip(split.images, drawn[:, 0], strict=True):
        runner.zero_grad()
        F.cross_entropy(runner(image[None]), label[None]).backward()
        for name, weight in runner.named_parameters():
            assert weight.grad is not None
            totals[name] += weight.grad.double().square() / len(split)
    for name, value in fisher.items():
        torch.testing.assert_close(value.double(), totals[name], rtol=1e-3, atol=1e-7)


def test_it_does_not_look_at_the_labels_and_leaves_the_model_alone(model: ImageClassifier) -> None:
    split = tiny.split(4, seed=3)
    before = copy.deepcopy(model)
    shuffled = tiny.split(4, seed=3)
    shuffled.labels[:] = shuffled.labels.flip(0)
    first, second = (diagonal_fisher(model, s, device="cpu") for s in (split, shuffled))
    assert all(torch.equal(first[name], second[name]) for name in first)
    tiny.assert_same_weights(model, before)
    assert first.keys() == dict(model.named_parameters()).keys()
    assert all(value.device.type == "cpu" and (value >= 0).all() for value in first.values())


def test_the_batch_makes_no_difference(model: ImageClassifier) -> None:
    split = tiny.split(6, seed=3)
    whole, parts = (diagonal_fisher(model, split, batch_size=n, device="cpu") for n in (6, 2))
    for name, value in whole.items():
        torch.testing.assert_close(parts[name], value, rtol=1e-3, atol=1e-7)


def test_it_weighs_two_classifiers(model: ImageClassifier) -> None:
    split, other = tiny.split(6, seed=3), tiny.moved(model, step=0.05)
    informations = [diagonal_fisher(m, split, device="cpu") for m in (model, other)]
    merged = fisher_merge(model, other, *informations)
    for name, value in merged.named_parameters():
        ends = torch.stack([m.get_parameter(name) for m in (model, other)])
        assert (value >= ends.amin(0) - 1e-6).all()
        assert (value <= ends.amax(0) + 1e-6).all()


def test_images_that_are_not_square_are_refused(model: ImageClassifier) -> None:
    split = tiny.split(2, seed=3)
    narrow = type(split)("narrow", split.images[..., :32].contiguous(), split.labels)
    with pytest.raises(DataError, match="square colour images"):
        diagonal_fisher(model, narrow, device="cpu")

"""Forward passes: a copy that is ready to run, and features batch by batch."""

from __future__ import annotations

import pytest
import tiny
import torch

from wiseft_tutorial.errors import DataError
from wiseft_tutorial.inference import encode_images, evaluation_copy, images_at_once
from wiseft_tutorial.models import ImageClassifier


@pytest.fixture(scope="module")
def model() -> ImageClassifier:
    return tiny.zeroshot().train()


def test_the_copy_is_ready_and_the_original_as_before(model: ImageClassifier) -> None:
    runner = evaluation_copy(model, device="cpu", precision="bfloat16")
    assert not runner.training
    assert not any(parameter.requires_grad for parameter in runner.parameters())
    assert model.training
    assert all(p.requires_grad and p.dtype == torch.float32 for p in model.parameters())


def test_float32_keeps_every_bit(model: ImageClassifier) -> None:
    runner = evaluation_copy(model, device="cpu", precision="float32")
    for key, value in model.state_dict().items():
        assert torch.equal(runner.state_dict()[key], value), key


def test_features_are_those_of_the_model_whatever_the_batch(model: ImageClassifier) -> None:
    runner = evaluation_copy(model, device="cpu", precision="float32")
    images = tiny.split(7, seed=0).images
    seen: list[int] = []
    features = encode_images(runner, images, batch_size=3, advance=seen.append)
    assert seen == [3, 3, 1]
    torch.testing.assert_close(features, runner.encode(images))
    assert not features.requires_grad


def test_images_that_are_not_square_are_refused(model: ImageClassifier) -> None:
    with pytest.raises(DataError, match=r"\(2, 3, 48, 32\), not \(N, 3, H, H\)"):
        encode_images(evaluation_copy(model), torch.zeros(2, 3, 48, 32, dtype=torch.uint8))


def test_a_batch_has_the_same_size_in_bytes_in_every_precision(model: ImageClassifier) -> None:
    runners = [evaluation_copy(model, device="cpu", precision=p) for p in ("bfloat16", "float32")]
    assert [images_at_once(runner) for runner in runners] == [256, 128]
    seen: list[int] = []
    encode_images(runners[1], tiny.split(130, seed=0).images, advance=seen.append)
    assert seen == [128, 2]

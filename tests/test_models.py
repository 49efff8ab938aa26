"""CLIPs and classifiers: one computation for all pixels, and files that come back bit for bit."""

from __future__ import annotations

import copy
import json
import logging
import os
from pathlib import Path

import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from wiseft_tutorial._files import read_tensors, write_tensors
from wiseft_tutorial._pixels import resized
from wiseft_tutorial.errors import (
    CheckpointError,
    DataError,
    MissingFileError,
    UnknownNameError,
    WeightMismatchError,
)
from wiseft_tutorial.models import Clip, ImageClassifier, load_clip
from wiseft_tutorial.weights import interpolate


@pytest.fixture(scope="module")
def clip() -> Clip:
    return load_clip("pocket", pretrained="random", device="cpu")


@pytest.fixture(scope="module")
def images() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (6, 3, 48, 48), dtype=torch.uint8, generator=generator)


@pytest.fixture
def model(clip: Clip) -> ImageClassifier:
    return ImageClassifier(
        copy.deepcopy(clip.model.visual),
        12 * F.normalize(torch.randn(3, 128, generator=torch.Generator().manual_seed(1)), dim=-1),
        classnames=("lemon", "mug", "key"),
        clip_name=clip.name,
        image_size=clip.image_size,
        mean=clip.mean,
        std=clip.std,
        provenance={"made by": "a test"},
    ).eval()


def truncate(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def test_an_untrained_network_is_the_same_for_the_same_seed_and_moves_no_global_generator() -> None:
    before = torch.get_rng_state()
    first, same, other = (
        load_clip("pocket", pretrained="random", device="cpu", seed=s).model.visual.conv1.weight
        for s in (0, 0, 1)
    )
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_loading_says_nothing_and_leaves_the_log_as_it_was(
    caplog: pytest.LogCaptureFixture,
) -> None:
    load_clip("pocket", pretrained="random", device="cpu")
    assert not caplog.records
    logging.warning("still heard")
    assert caplog.messages == ["still heard"]


def test_weights_of_half_precision_come_back_in_single(clip: Clip, tmp_path: Path) -> None:
    half = {k: v.half() for k, v in clip.model.state_dict().items()}
    save_file(half, tmp_path / "clip.safetensors")
    loaded = load_clip("pocket", pretrained=tmp_path / "clip.safetensors", device="cpu", seed=7)
    assert loaded.pretrained == "clip.safetensors"
    for key, value in loaded.model.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, half[key].float()), key


def test_texts_and_images_become_unit_vectors_of_one_space(clip: Clip, images: Tensor) -> None:
    texts = clip.encode_text(["a photo of a lemon", "a sketch of a mug", "a key"])
    pictures = clip.encode_image(images)
    assert (texts.shape, pictures.shape) == ((3, 128), (6, 128))
    for features in (texts, pictures):
        torch.testing.assert_close(features.norm(dim=-1), torch.ones(len(features)))


def test_encoding_in_batches_changes_nothing(clip: Clip, images: Tensor) -> None:
    texts = ["a lemon", "two mugs on a table", "key"]
    torch.testing.assert_close(clip.encode_text(texts, batch_size=2), clip.encode_text(texts))
    torch.testing.assert_close(clip.encode_image(images, batch_size=4), clip.encode_image(images))


def test_the_logit_scale_is_the_exponential(clip: Clip) -> None:
    assert clip.logit_scale == pytest.approx(1 / 0.07, rel=1e-5)


def test_the_classifier_sees_what_clip_sees(
    clip: Clip, model: ImageClassifier, images: Tensor
) -> None:
    torch.testing.assert_close(model.encode(images), clip.encode_image(images))
    torch.testing.assert_close(
        model(images), clip.encode_image(images) @ model.head.weight.detach().T
    )


def test_bytes_and_fractions_are_the_same_images(model: ImageClassifier, images: Tensor) -> None:
    assert torch.equal(model(images), model(images.float() / 255))


def test_a_longer_feature_vector_changes_nothing(model: ImageClassifier, images: Tensor) -> None:
    before = model(images)
    with torch.no_grad():
        model.image_encoder.proj.mul_(2)
    torch.testing.assert_close(model(images), before)


def test_logits_are_as_precise_as_the_head_whatever_the_encoder(
    model: ImageClassifier, images: Tensor
) -> None:
    exact = copy.deepcopy(model).double()(images)
    assert exact.dtype == torch.float64
    model.image_encoder.bfloat16()
    rounded = model(images)
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded.double(), exact, atol=0.2, rtol=0)


def test_the_state_is_the_encoder_and_the_head_and_nothing_else(model: ImageClassifier) -> None:
    encoder = {f"image_encoder.{key}" for key in model.image_encoder.state_dict()}
    assert set(model.state_dict()) == encoder | {"head.weight"}


def test_a_saved_classifier_comes_back_bit_for_bit(
    model: ImageClassifier, images: Tensor, tmp_path: Path
) -> None:
    model.history = pd.DataFrame({"epoch": [1, 2], "loss": [1 / 3, 0.1 + 0.2]})
    loaded = ImageClassifier.load(model.save(tmp_path / "new" / "model.safetensors"), device="cpu")
    for key, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value), key
    assert torch.equal(loaded(images), model(images))
    for fact in ("classnames", "clip_name", "image_size", "provenance"):
        assert getattr(loaded, fact) == getattr(model, fact), fact
    assert loaded.history is not None
    pd.testing.assert_frame_equal(loaded.history, model.history, check_exact=True)
    assert not loaded.training
    assert all(parameter.requires_grad for parameter in loaded.parameters())


def test_an_interrupted_save_leaves_the_old_file_and_no_litter(
    model: ImageClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = model.save(tmp_path / "model.safetensors")
    before = path.read_bytes()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_open_clip_reads_the_encoder_as_its_image_tower(
    model: ImageClassifier, images: Tensor, tmp_path: Path
) -> None:
    import open_clip

    path = model.save_image_tower(tmp_path / "tower.safetensors")
    theirs = open_clip.create_model(model.clip_name, pretrained_image_path=str(path)).eval()
    features = theirs.encode_image((images.float() / 255 - 0.5) / 0.25, normalize=True)
    torch.testing.assert_close(features, model.encode(images))


def test_a_classifier_file_is_the_image_tower_under_a_prefix(
    clip: Clip, model: ImageClassifier, tmp_path: Path
) -> None:
    tensors = load_file(model.save(tmp_path / "model.safetensors"))
    tower = {k.removeprefix("image_encoder."): v for k, v in tensors.items() if k != "head.weight"}
    copy.deepcopy(clip.model.visual).load_state_dict(tower, strict=True)


def test_as_many_classes_as_rows(clip: Clip) -> None:
    with pytest.raises(DataError, match=r"\(3, 128\), but there are 2 class names"):
        ImageClassifier(
            clip.model.visual,
            torch.zeros(3, 128),
            classnames=("lemon", "mug"),
            clip_name=clip.name,
            image_size=48,
            mean=clip.mean,
            std=clip.std,
        )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (torch.zeros(2, 3, 48, 32), r"\(2, 3, 48, 32\), not \(N, 3, H, H\)"),
        (torch.zeros(3, 48, 48), r"\(3, 48, 48\), not"),
        (torch.zeros(2, 3, 48, 48, dtype=torch.int64), "torch.int64, not uint8"),
    ],
)
def test_wrong_images_are_refused_by_both_models(
    clip: Clip, model: ImageClassifier, wrong: Tensor, message: str
) -> None:
    for encode in (clip.encode_image, model):
        with pytest.raises(DataError, match=message):
            encode(wrong)


@pytest.mark.parametrize("protocol", ["zip", "plain"])
def test_a_pickle_is_refused_with_a_way_to_convert_it(tmp_path: Path, protocol: str) -> None:
    path = tmp_path / "model.pt"
    torch.save({"head": torch.ones(2)}, path, _use_new_zipfile_serialization=protocol == "zip")
    with pytest.raises(CheckpointError, match=r"is a pickle\. .* save_file\(.*load_clip\("):
        ImageClassifier.load(path)


@pytest.mark.parametrize("size", [32, 80])
def test_images_of_another_size_are_resized_by_both_models(
    clip: Clip, model: ImageClassifier, images: Tensor, size: int
) -> None:
    other = resized(images, size)
    with torch.no_grad():
        for encode in (clip.encode_image, model):
            torch.testing.assert_close(encode(other), encode(resized(other, 48)))


@pytest.mark.parametrize("texts", [[], "a lemon"])
def test_texts_are_a_list_with_something_in_it(clip: Clip, texts: list[str]) -> None:
    with pytest.raises(DataError, match="non-empty list"):
        clip.encode_text(texts)


def test_an_unknown_model_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"'ViT-B32'; did you mean .*'ViT-B-32'"):
        load_clip("ViT-B32", pretrained="openai")


def test_unknown_weights_are_named_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="'openia'; did you mean 'openai'"):
        load_clip("ViT-B-32-quickgelu", pretrained="openia")


def test_weights_must_be_chosen_for_models_that_come_without() -> None:
    with pytest.raises(UnknownNameError, match=r"pretrained=\.\.\., one of 'openai'"):
        load_clip("ViT-B-32-quickgelu")


def test_openai_weights_are_refused_by_the_model_with_another_activation() -> None:
    with pytest.raises(
        WeightMismatchError, match="load_clip\\('ViT-B-32-quickgelu', pretrained='o"
    ):
        load_clip("ViT-B-32", pretrained="openai")


def test_a_missing_file_of_weights() -> None:
    with pytest.raises(MissingFileError, match=r"nowhere/clip\.safetensors"):
        load_clip("pocket", pretrained="nowhere/clip.safetensors")


def test_truncated_weights(clip: Clip, tmp_path: Path) -> None:
    save_file(clip.model.state_dict(), tmp_path / "clip.safetensors")
    with pytest.raises(CheckpointError, match="truncated"):
        load_clip("pocket", pretrained=truncate(tmp_path / "clip.safetensors"))


def test_weights_of_another_model(model: ImageClassifier, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file(model.state_dict(), path)
    with pytest.raises(WeightMismatchError, match="do not fit the model 'pocket-clip'") as caught:
        load_clip("pocket", pretrained=path)
    assert len(str(caught.value)) < 400 + len(str(path)) + 100, "it names every tensor"


def test_an_image_tower_is_no_clip(model: ImageClassifier, tmp_path: Path) -> None:
    path = model.save_image_tower(tmp_path / "tower.safetensors")
    with pytest.raises(WeightMismatchError, match="do not fit the model 'pocket-clip'"):
        load_clip("pocket", pretrained=path)


def test_a_classifier_is_no_clip(model: ImageClassifier, tmp_path: Path) -> None:
    path = model.save(tmp_path / "model.safetensors")
    with pytest.raises(WeightMismatchError, match=r"image classifier.*ImageClassifier\.load reads"):
        load_clip("pocket", pretrained=path)


def test_a_missing_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"nothing\.safetensors"):
        ImageClassifier.load(tmp_path / "nothing.safetensors")


def test_a_truncated_checkpoint(model: ImageClassifier, tmp_path: Path) -> None:
    path = truncate(model.save(tmp_path / "model.safetensors"))
    with pytest.raises(CheckpointError, match="truncated"):
        ImageClassifier.load(path)


def test_a_file_that_is_no_classifier(model: ImageClassifier, tmp_path: Path) -> None:
    path = model.save_image_tower(tmp_path / "tower.safetensors")
    with pytest.raises(CheckpointError, match="no image classifier"):
        ImageClassifier.load(path)


def test_a_classifier_that_lacks_a_tensor(model: ImageClassifier, tmp_path: Path) -> None:
    path = model.save(tmp_path / "model.safetensors")
    tensors, facts = read_tensors(path)
    tensors.pop("image_encoder.proj")
    write_tensors(path, tensors, facts)
    with pytest.raises(CheckpointError, match=r"image_encoder\.proj"):
        ImageClassifier.load(path)


def test_an_average_says_that_it_is_one(model: ImageClassifier) -> None:
    average = interpolate(model, model, 0.25)
    assert average.provenance["method"] == "average"
    assert average.provenance["alpha"] == "0.25"
    assert json.loads(average.provenance["theta_1"]) == model.provenance
    assert average.history is None


@pytest.mark.skipif(os.name != "posix", reason="only POSIX files have modes")
def test_a_saved_file_is_as_readable_as_any_other(model: ImageClassifier, tmp_path: Path) -> None:
    usual = tmp_path / "usual"
    usual.touch()
    assert model.save(tmp_path / "saved").stat().st_mode == usual.stat().st_mode

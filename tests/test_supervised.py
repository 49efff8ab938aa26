"""The classifier that was pre-trained with labels, and the rows that a benchmark takes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny
import torch
from safetensors import safe_open

import wiseft_tutorial.supervised
from wiseft_tutorial.errors import CheckpointError, DataError, MissingFileError, UnknownNameError
from wiseft_tutorial.models import ImageClassifier
from wiseft_tutorial.pocket.lessons import Labels
from wiseft_tutorial.pocket.objects import CLASSNAMES, POCKET_CLASSES
from wiseft_tutorial.pocket.pretrain import Pretraining, _save_model
from wiseft_tutorial.supervised import load_supervised, select_classes

SHIPPED = Path(wiseft_tutorial.supervised.__file__).parent / "pocket" / "pocket-labels.safetensors"


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Labels, Path]:
    """A lesson that has not begun, and its file."""
    torch.manual_seed(3)
    lesson = Labels(torch.device("cpu"))
    path = tmp_path_factory.mktemp("labels") / "model.safetensors"
    _save_model(path, lesson, Pretraining(learn_from="labels"), 0, [])
    return lesson, path


def test_a_loaded_classifier_is_the_one_that_was_trained(untrained: tuple[Labels, Path]) -> None:
    lesson, path = untrained
    model = load_supervised(pretrained=path, device="cpu")
    scale = lesson.model.logit_scale.exp().item()
    ours = model.head.weight[list(POCKET_CLASSES)] / scale
    assert torch.allclose(ours, lesson.head(), atol=1e-3)  # stored in half precision
    for name, value in lesson.model.visual.state_dict().items():
        assert torch.allclose(model.image_encoder.state_dict()[name], value, atol=2e-3), name
    assert not model.training


def test_the_shipped_classifier_knows_every_object_of_its_world() -> None:
    model = load_supervised(device="cpu")
    assert model.classnames == CLASSNAMES
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    lengths = model.head.weight.norm(dim=1)
    assert torch.allclose(lengths, lengths.mean().expand_as(lengths), rtol=1e-4)


def test_the_shipped_weights_are_small_and_say_how_they_were_made() -> None:
    shipped = sum(path.stat().st_size for path in SHIPPED.parent.glob("*.safetensors"))
    assert shipped < 16e6
    with safe_open(SHIPPED, "pt") as file:
        facts = file.metadata()
    assert facts["model"] == "pocket-labels"
    assert '"learn_from": "labels"' in facts["settings"]


def test_selected_classes_have_the_logits_that_they_had() -> None:
    whole = tiny.zeroshot()
    some = select_classes(whole, ["kite", "lemon"])
    images = tiny.benchmark().test.images[:5]
    with torch.no_grad():
        torch.testing.assert_close(some(images), whole(images)[:, [3, 0]])
    assert some.classnames == ("kite", "lemon")


def test_selecting_leaves_the_model_alone() -> None:
    whole = tiny.zeroshot()
    some = select_classes(whole, whole.classnames)
    with torch.no_grad():
        for parameter in some.parameters():
            parameter.zero_()
    tiny.assert_same_weights(whole, tiny.zeroshot())


def test_a_class_without_a_row_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'lemon'"):
        select_classes(tiny.zeroshot(), ["mug", "lemons"])


@pytest.mark.parametrize("classnames", [[], ["mug", "mug"], "mug"], ids=str)
def test_classes_are_named_once_each(classnames: list[str]) -> None:
    with pytest.raises(DataError, match="each of them once"):
        select_classes(tiny.zeroshot(), classnames)


def test_other_files_and_names_are_refused(tmp_path: Path) -> None:
    other: ImageClassifier = tiny.zeroshot()
    with pytest.raises(CheckpointError, match="with labels"):
        load_supervised(pretrained=other.save(tmp_path / "other.safetensors"))
    with pytest.raises(MissingFileError):
        load_supervised(pretrained=tmp_path / "nothing.safetensors")
    with pytest.raises(UnknownNameError, match="did you mean 'pocket-labels'"):
        load_supervised("pocket-label")

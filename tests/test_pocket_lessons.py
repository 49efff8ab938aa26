"""What pre-training learns from: the losses by their formulas, and what goes into the files."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from wiseft_tutorial.pocket.captions import NOTHING
from wiseft_tutorial.pocket.lessons import LESSONS, Labels, Lesson
from wiseft_tutorial.pocket.objects import CLASSNAMES, POCKET_CLASSES

CPU = torch.device("cpu")
SAID = [("a photo of a lemon", 0), ("untitled", NOTHING), ("my mug", CLASSNAMES.index("mug"))]


@pytest.fixture(scope="module", params=LESSONS)
def lesson(request: pytest.FixtureRequest) -> Lesson:
    torch.manual_seed(0)
    return LESSONS[request.param](CPU)


@pytest.fixture(scope="module")
def labels() -> Labels:
    torch.manual_seed(0)
    return Labels(CPU)


@pytest.fixture(scope="module")
def pixels() -> Tensor:
    return torch.randn(3, 3, 48, 48, generator=torch.Generator().manual_seed(0))


def test_what_is_kept_of_a_picture_is_integers(lesson: Lesson) -> None:
    kept = lesson.kept(SAID)
    assert kept.shape == (3, lesson.width)
    assert kept.dtype == torch.int64


def test_the_head_has_a_direction_for_each_class_of_the_benchmark(lesson: Lesson) -> None:
    head = lesson.head()
    assert head.shape == (len(POCKET_CLASSES), 128)
    assert torch.allclose(head.norm(dim=1), torch.ones(len(head)), atol=1e-5)


def test_the_loss_teaches_the_image_tower(lesson: Lesson, pixels: Tensor) -> None:
    lesson.model.zero_grad()
    lesson.loss(pixels, lesson.kept(SAID)).backward()
    assert all(p.grad is not None for p in lesson.model.visual.parameters())


def test_a_state_that_is_taken_up_gives_the_same_head(lesson: Lesson) -> None:
    torch.manual_seed(1)
    other = type(lesson)(CPU)
    assert not torch.allclose(other.head(), lesson.head(), atol=1e-3)
    other.load_state(lesson.state())
    assert torch.allclose(other.head(), lesson.head(), atol=1e-6)


def test_both_lessons_begin_with_the_same_image_tower() -> None:
    towers = []
    for kind in LESSONS.values():
        torch.manual_seed(7)
        towers.append(kind(CPU).model.visual.state_dict())
    assert all(torch.equal(value, towers[1][key]) for key, value in towers[0].items())


def test_a_caption_that_names_nothing_does_not_count(labels: Labels, pixels: Tensor) -> None:
    kept = labels.kept(SAID)
    with torch.no_grad():
        whole, named = labels.loss(pixels, kept), labels.loss(pixels[[0, 2]], kept[[0, 2]])
    assert whole.item() == pytest.approx(named.item(), rel=1e-2)  # computed in bfloat16


def test_logits_of_labels_are_scaled_cosines(labels: Labels, pixels: Tensor) -> None:
    kept = torch.tensor([[4], [4], [4]])
    with torch.no_grad():
        loss = labels.loss(pixels, kept)
        features = F.normalize(labels.model.visual(pixels), dim=-1)
        rows = F.normalize(labels.model.head.weight, dim=-1)
        logits = labels.model.logit_scale.exp() * features @ rows.T
    expected = F.cross_entropy(logits, kept[:, 0])
    assert loss.item() == pytest.approx(expected.item(), rel=2e-2)  # computed in bfloat16
    assert loss.item() == pytest.approx(math.log(len(CLASSNAMES)), abs=2)

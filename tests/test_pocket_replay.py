"""Replayed pictures are of the classes that were asked for, in the styles of pre-training."""

import pytest
import torch

from wiseft_tutorial.errors import DataError, UnknownNameError
from wiseft_tutorial.pocket import replay
from wiseft_tutorial.pocket.drawing import draw
from wiseft_tutorial.pocket.objects import CLASSNAMES
from wiseft_tutorial.pocket.replay import replay_split

NAMES = ("mug", "lemon", "key")


def test_every_class_comes_equally_often_and_in_turn() -> None:
    split = replay_split(NAMES, 4)
    assert split.labels.tolist() == [0, 1, 2] * 4
    assert split.images.shape == (12, 3, 48, 48)


def test_labels_number_the_classes_in_the_order_given(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []

    def spy(objects: torch.Tensor, *rest: object) -> object:
        drawn.extend(objects.tolist())
        return draw(objects, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(replay, "draw", spy)
    replay_split(NAMES, 5)
    assert sorted(drawn) == sorted(5 * [CLASSNAMES.index(name) for name in NAMES])


def test_seeds_give_other_pictures_and_one_seed_the_same() -> None:
    first, again, other = (replay_split(NAMES, 2, seed=seed).images for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_styles_come_as_often_as_in_pretraining(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []

    def count(objects: torch.Tensor, style: object, generator: torch.Generator) -> object:
        counts.append(len(objects))
        return draw(objects, style, generator)  # type: ignore[arg-type]

    monkeypatch.setattr(replay, "draw", count)
    replay_split(NAMES, 100)
    shares = torch.tensor(counts) / sum(counts)
    wanted = torch.tensor([share for share, _ in replay.WEB.values()])
    assert (shares - wanted).abs().max() < 0.1


def test_an_object_that_pretraining_never_drew_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'mug'"):
        replay_split(("muug", "lemon"), 1)


@pytest.mark.parametrize(("names", "per_class"), [(NAMES, 0), (("key", "key"), 1)])
def test_what_makes_no_sense_is_refused(names: tuple[str, ...], per_class: int) -> None:
    with pytest.raises(DataError, match="at least 1, of each class once"):
        replay_split(names, per_class)

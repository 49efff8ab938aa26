"""Every way is trained and averaged, and says how many images that took."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny
import torch

from wiseft_tutorial.pocket.replay import replay_split
from wiseft_tutorial.results import other_ways


@pytest.fixture(autouse=True)
def nobody_elses_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WISEFT_CACHE", str(tmp_path))


@pytest.mark.parametrize("way", other_ways.WAYS)
def test_a_way_gives_a_row_for_each_alpha(way: str) -> None:
    rows = other_ways.measure(tiny.clip(), tiny.benchmark(), way, seed=1, alphas=(0, 1))
    assert list(rows["alpha"]) == [0, 1]
    assert set(rows["way"]) == {way}
    assert rows[["reference", "shifts"]].stack().between(0, 1).all()


def test_joint_training_sees_as_many_images_as_plain_fine_tuning() -> None:
    seen = {
        way: other_ways.measure(tiny.clip(), tiny.benchmark(), way, alphas=(0, 1))["seen"].iloc[0]
        for way in ("fine-tuned", "joint training", "joint training, twice the cost")
    }
    plain, matched, twice = seen.values()
    assert plain == matched == twice / 2


def test_joined_images_come_beside_replayed_ones_of_the_same_classes() -> None:
    bench = tiny.benchmark()
    both = other_ways.joined(bench, seed=2).train
    replay = replay_split(bench.classnames, 6, seed=2)
    assert torch.equal(both.images[: len(bench.train)], bench.train.images)
    assert torch.equal(both.images[len(bench.train) :], replay.images)
    assert torch.equal(both.labels.bincount(), 2 * bench.train.labels.bincount())


def test_a_random_head_has_rows_of_the_old_lengths_and_leaves_the_model_alone() -> None:
    model = tiny.zeroshot()
    before = model.head.weight.detach().clone()
    blank = other_ways.random_head(model, seed=3).head.weight
    assert torch.equal(model.head.weight, before)
    assert torch.allclose(blank.norm(dim=1), before.norm(dim=1), rtol=1e-5)
    assert not torch.allclose(blank, before)


def test_every_run_has_its_own_name() -> None:
    labels = [label for label, _ in other_ways.jobs()]
    assert len(labels) == len(set(labels)) == len(other_ways.SEEDS) * len(other_ways.WAYS)

"""Other references for Pocket-CLIP: they are what they say, and it can be asked in words."""

from __future__ import annotations

import pytest
import torch

import wiseft_tutorial as wt
from wiseft_tutorial.benchmarks.transfer import transfer
from wiseft_tutorial.pocket.objects import CLASSNAMES, POCKET_CLASSES

KINDS = ("angles", "ink", "others", "prints")
SMALL = {"train_per_class": 2, "val_per_class": 1, "test_images": 80}


@pytest.fixture(scope="module")
def drawn() -> dict[str, wt.Benchmark]:
    return {kind: wt.load_benchmark(f"pocket-{kind}", **SMALL) for kind in KINDS}


def test_the_objects_are_pockets_or_all_of_the_others(drawn: dict[str, wt.Benchmark]) -> None:
    pocket = {CLASSNAMES[k] for k in POCKET_CLASSES}
    assert set(drawn["others"].classnames) == set(CLASSNAMES) - pocket
    for kind in ("angles", "ink", "prints"):
        assert set(drawn[kind].classnames) == pocket


def test_the_sizes_are_those_asked_for(drawn: dict[str, wt.Benchmark]) -> None:
    for benchmark in drawn.values():
        k = len(benchmark.classnames)
        assert len(benchmark.train) == 2 * k
        assert len(benchmark.val) == k
        for split in benchmark.distributions.values():
            assert len(split) == k * round(80 / k)
            assert len(split.labels.unique()) == k


def test_references_and_shifts_are_pockets_styles(drawn: dict[str, wt.Benchmark]) -> None:
    references = {kind: benchmark.test.name for kind, benchmark in drawn.items()}
    assert references == {
        "angles": "Pocket-Object",
        "ink": "Pocket-Sketch",
        "others": "Others",
        "prints": "Pocket-R",
    }
    names = {"Pocket", "Pocket-V2", "Pocket-R", "Pocket-Sketch", "Pocket-Object"}
    for benchmark in drawn.values():
        assert {n.replace("Others", "Pocket") for n in benchmark.distributions} == names
    ink = drawn["ink"].train.images.float()
    assert (ink.amax(1) - ink.amin(1)).mean() < 12, "ink has colours"


def test_no_image_is_drawn_twice(drawn: dict[str, wt.Benchmark]) -> None:
    pocket = wt.load_benchmark("pocket", train_per_class=1, val_per_class=1, test_images=40)
    splits = [pocket.test, pocket.shifts["Pocket-R"], drawn["prints"].train, drawn["prints"].test]
    images = torch.cat([split.images for split in splits]).flatten(1)
    assert len(images.unique(dim=0)) == len(images)


def test_the_same_seed_gives_the_same_bits(drawn: dict[str, wt.Benchmark]) -> None:
    again, other = (transfer("ink", **SMALL, seed=seed) for seed in (0, 1))
    assert torch.equal(again.test.images, drawn["ink"].test.images)
    assert not torch.equal(other.test.images, drawn["ink"].test.images)


def test_pocket_clip_knows_the_words(drawn: dict[str, wt.Benchmark]) -> None:
    clip = wt.load_clip("pocket", device="cpu")
    for benchmark in drawn.values():
        logits = wt.predict(wt.zeroshot_classifier(clip, benchmark), benchmark.test)
        found = wt.accuracy(logits, benchmark.test.labels)
        assert found.low > 5 / len(benchmark.classnames), benchmark.name


def test_an_unknown_kind_is_named_with_the_nearest() -> None:
    with pytest.raises(wt.UnknownNameError, match="kind 'inc'; did you mean 'ink'"):
        transfer("inc")

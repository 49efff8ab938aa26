import torch

from wiseft_tutorial.benchmarks import load_benchmark
from wiseft_tutorial.benchmarks.pocket import draw_split
from wiseft_tutorial.pocket.adversary import is_hard
from wiseft_tutorial.pocket.styles import SHIFTS


def test_the_benchmark_has_what_was_asked_for() -> None:
    bench = load_benchmark("pocket", train_per_class=3, val_per_class=2, test_images=80)
    assert bench.image_size == 48
    assert tuple(bench.shifts) == SHIFTS
    assert [len(s) for s in (bench.train, bench.val, bench.test)] == [120, 80, 80]
    assert all(len(s) == 80 for s in bench.shifts.values())
    assert torch.equal(bench.train.labels.bincount(), torch.full((40,), 3))


def test_splits_and_seeds_share_no_image() -> None:
    keys = [
        ("Pocket", "train", 0),
        ("Pocket", "test", 0),
        ("Pocket", "val", 0),
        ("Pocket", "val", 1),
    ]
    splits = [draw_split(d, p, 2, seed=s).images.flatten(1) for d, p, s in keys]
    images = torch.cat(splits)
    assert len(images.unique(dim=0)) == len(images)


def test_a_split_is_the_same_every_time() -> None:
    first, again = (draw_split("Pocket-V2", "test", 2, seed=5) for _ in range(2))
    assert torch.equal(first.images, again.images)


def test_every_image_of_pocket_a_fools_the_adversary() -> None:
    hard = draw_split("Pocket-A", "test", 2)
    assert bool(is_hard(hard.images, hard.labels).all())
    reference = draw_split("Pocket", "test", 5)
    assert is_hard(reference.images, reference.labels).float().mean() < 0.5

"""Splits and benchmarks: balanced, seeded choices, and errors where things do not fit together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import tiny
import torch

from wiseft_tutorial.benchmarks import (
    Benchmark,
    Split,
    benchmark_names,
    load_benchmark,
    register_benchmark,
    registry,
)
from wiseft_tutorial.errors import DataError, UnknownNameError


def split(labels: list[int], *, name: str = "photos", size: int = 4, **options: Any) -> Split:
    """Every image is filled with its own position, so that pairs stay recognisable."""
    positions = torch.arange(len(labels), dtype=torch.uint8)
    images = positions[:, None, None, None].expand(-1, 3, size, size).clone()
    return Split(name, images, torch.tensor(labels, dtype=torch.int64), **options)


def positions(of: Split) -> list[int]:
    return of.images[:, 0, 0, 0].tolist()


UNEVEN = [0] * 5 + [1] * 9 + [2] * 7


@pytest.fixture
def bench() -> Benchmark:
    return Benchmark(
        name="fruit",
        classnames=("lemon", "pear", "fig"),
        templates=("a photo of a {}",),
        train=split(UNEVEN),
        val=split([0, 1, 2]),
        test=split([0, 1, 2, 2]),
        shifts={"sketches": split([2, 1], name="sketches", classes=(1, 2))},
    )


def test_names_in_another_order_are_refused_and_other_names_are_not(bench: Benchmark) -> None:
    for names in (bench.classnames, ["citron", "pear", "fig"], ["fig", "pear"]):
        bench.check_order(names)
    with pytest.raises(DataError, match="class 1 is 'fig' instead of 'pear'"):
        bench.check_order(["lemon", "fig", "pear"])


def test_a_subset_keeps_images_with_their_labels() -> None:
    part = split(UNEVEN).subset(torch.tensor([20, 3, 5]))
    assert positions(part) == [20, 3, 5]
    assert part.labels.tolist() == [2, 0, 1]


def test_a_subset_keeps_the_name_and_the_classes() -> None:
    part = split([1, 2], classes=(1, 2)).subset(torch.tensor([True, False]))
    assert (part.name, part.classes, len(part)) == ("photos", (1, 2), 1)


@pytest.mark.parametrize("n", [1, 3, 7, 15])
def test_a_head_is_balanced(n: int) -> None:
    counts = split(UNEVEN).head(n).labels.bincount(minlength=3)
    assert counts.sum() == n
    assert counts.max() - counts.min() <= 1


def test_heads_of_one_seed_are_nested() -> None:
    whole = split(UNEVEN)
    assert positions(whole.head(12))[:5] == positions(whole.head(5))
    assert sorted(positions(whole.head(99))) == list(range(len(UNEVEN)))


@pytest.mark.parametrize(
    "choose",
    [
        lambda whole, seed: whole.head(6, seed=seed),
        lambda whole, seed: whole.per_class(2, seed=seed),
    ],
)
def test_choices_repeat_with_the_seed_and_differ_between_seeds(
    choose: Callable[[Split, int], Split],
) -> None:
    first, same, other = (positions(choose(split(UNEVEN), seed)) for seed in (0, 0, 1))
    assert first == same != other


def test_k_per_class_are_k_of_each_and_shuffled() -> None:
    few = split(UNEVEN).per_class(4, seed=3)
    assert few.labels.bincount().tolist() == [4, 4, 4]
    assert len(set(positions(few))) == 12
    assert few.labels.tolist() != sorted(few.labels.tolist())


def test_few_shot_changes_the_training_set_and_nothing_else(bench: Benchmark) -> None:
    few = bench.few_shot(5, seed=1)
    assert positions(few.train) == positions(bench.train.per_class(5, seed=1))
    assert (few.val, few.test, few.shifts) == (bench.val, bench.test, bench.shifts)


def test_without_a_number_few_shot_takes_all(bench: Benchmark) -> None:
    assert bench.few_shot(None) is bench


def test_too_few_images_for_few_shot(bench: Benchmark) -> None:
    with pytest.raises(DataError, match="class 0 has 5 images, not k = 6"):
        bench.few_shot(6)


def test_distributions_begin_with_the_reference(bench: Benchmark) -> None:
    assert list(bench.distributions) == ["photos", "sketches"]
    assert bench.distributions["photos"] is bench.test
    assert bench.image_size == 4


@pytest.mark.parametrize(
    ("images", "labels", "classes", "message"),
    [
        (torch.zeros(2, 3, 4, 4), torch.zeros(2).long(), None, "images are torch.float32"),
        (torch.zeros(2, 4, 4).byte(), torch.zeros(2).long(), None, r"\(2, 4, 4\), not uint8 \(N"),
        (torch.zeros(2, 3, 4, 4).byte(), torch.zeros(3).long(), None, r"\(3,\), not int64 \(2,\)"),
        (torch.zeros(2, 3, 4, 4).byte(), torch.zeros(2), None, "labels are torch.float32"),
        (torch.zeros(0, 3, 4, 4).byte(), torch.zeros(0).long(), None, "no images"),
        (torch.zeros(1, 3, 4, 4).byte(), torch.tensor([-1]), None, "label -1 is negative"),
        (torch.zeros(1, 3, 4, 4).byte(), torch.tensor([2]), (0, 1), r"\[2\] are not among"),
    ],
)
def test_a_split_says_what_does_not_fit(
    images: torch.Tensor, labels: torch.Tensor, classes: tuple[int, ...] | None, message: str
) -> None:
    with pytest.raises(DataError, match=f"split 'photos': .*{message}"):
        Split("photos", images, labels, classes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test": split([3])}, "'photos' has class 3, but benchmark 'fruit' has 3 class names"),
        ({"shifts": {"s": split([0], name="s", classes=(0, 5))}}, "'s' has class 5"),
        ({"val": split([0], size=5)}, r"images of \(5, 5\) pixels and .* of \(4, 4\)"),
        ({"shifts": {"photos": split([0])}}, "'photos' is both the reference and a shift"),
    ],
)
def test_a_benchmark_says_what_does_not_fit(
    bench: Benchmark, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        replace(bench, **change)


@pytest.fixture
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_FACTORIES", dict(registry._FACTORIES))


@pytest.mark.usefixtures("own_registry")
def test_a_registered_benchmark_loads_with_its_options(bench: Benchmark) -> None:
    register_benchmark("fruit", lambda *, k: bench.few_shot(k))
    assert len(load_benchmark("fruit", k=2).train) == 6
    assert benchmark_names() == sorted(benchmark_names())
    assert {"fruit", "pocket"} <= set(benchmark_names())


@pytest.mark.usefixtures("own_registry")
def test_a_name_is_given_once(bench: Benchmark) -> None:
    register_benchmark("fruit", factory := lambda: bench)
    register_benchmark("fruit", factory)
    for name in ("fruit", "pocket"):
        with pytest.raises(DataError, match=f"{name!r} already"):
            register_benchmark(name, lambda: bench)


def test_an_unknown_benchmark_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="benchmark 'poket'; did you mean 'pocket'"):
        load_benchmark("poket")


def test_a_class_without_any_image_is_too_few(bench: Benchmark) -> None:
    train = bench.train.subset(bench.train.labels != 2)
    with pytest.raises(DataError, match="no image of 'fig'"):
        replace(bench, train=train).few_shot(1)


@pytest.mark.parametrize("n", [0, -1])
def test_a_head_has_something_in_it(bench: Benchmark, n: int) -> None:
    with pytest.raises(DataError, match="at least 1"):
        bench.test.head(n)


@pytest.mark.parametrize("classes", [(), (0, 1, 2, 3, -1)])
def test_classes_are_positions(bench: Benchmark, classes: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="negative"):
        replace(bench.test, classes=classes)


def test_two_splits_become_one() -> None:
    first, second = tiny.split(4, seed=0), tiny.split(6, seed=1, name="sketches", classes=(1, 3))
    both = first.joined(second)
    assert torch.equal(both.images, torch.cat([first.images, second.images]))
    assert torch.equal(both.labels, torch.cat([first.labels, second.labels]))
    assert (both.name, both.classes, len(both)) == ("photos and sketches", None, 10)
    assert second.joined(replace(second, classes=(0, 1, 3))).classes == (0, 1, 3)
    small = replace(second, images=second.images[..., :32, :32])
    with pytest.raises(DataError, match=r"'sketches' has images of \(32, 32\) pixels"):
        first.joined(small)


def test_a_subset_keeps_groups_and_answers_with_their_images() -> None:
    answers = torch.eye(3, dtype=torch.bool)[[0, 1, 2, 1]]
    whole = split([0, 1, 2, 1], answers=answers, groups=torch.tensor([5, 6, 7, 8]))
    part = whole.subset(torch.tensor([2, 0]))
    assert part.groups is not None
    assert part.groups.tolist() == [7, 5]
    assert torch.equal(part.truth, answers[[2, 0]])
    assert torch.equal(split([0, 1]).truth, torch.tensor([0, 1]))


def test_of_classes_that_are_one_the_largest_logit_counts() -> None:
    some = split([1, 3], classes=(1, 2, 3), together=((1, 2),))
    logits = torch.tensor([[9.0, 1.0, 4.0, 3.0], [9.0, 5.0, 4.0, 6.0]])
    masked = some.mask(logits)
    assert masked.tolist() == [[-torch.inf, 4, -torch.inf, 3], [-torch.inf, 5, -torch.inf, 6]]
    assert logits[0].tolist() == [9, 1, 4, 3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"together": ((0, 1),)}, "the first is the label of all"),
        ({"answers": torch.zeros(2, 3)}, "answers are torch.float32"),
        ({"answers": torch.zeros(3, 3, dtype=torch.bool)}, r"\(3, 3\), not bool \(2, K\)"),
        ({"groups": torch.zeros(3, dtype=torch.int64)}, "one for each image"),
        ({"metric": "worst-group accuracy"}, "no worst group without groups"),
    ],
)
def test_what_else_does_not_fit_a_split(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        split([0, 1], **options)


def test_an_unknown_metric_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'macro-F1'"):
        split([0, 1], metric="macro-f1")


def test_the_reference_matched_to_the_classes_of_a_shift(bench: Benchmark) -> None:
    places, labels = bench.matched("sketches")
    assert places.tolist() == [1, 2, 3]
    assert labels.tolist() == [1, 2, 2]
    merged = split([1], name="sketches", classes=(1, 2), together=((1, 2),))
    _, labels = replace(bench, shifts={"sketches": merged}).matched("sketches")
    assert labels.tolist() == [1, 1, 1]
    with pytest.raises(UnknownNameError, match="'sketches'"):
        bench.matched("sketch")


def test_one_coincidence_of_words_is_none(bench: Benchmark) -> None:
    _, *others = bench.classnames
    bench.check_order([others[0], *others])


def test_a_class_that_came_while_another_went_moves_all_others(bench: Benchmark) -> None:
    _, *others = bench.classnames
    with pytest.raises(DataError, match="class 0 is 'pear' instead of 'lemon'"):
        bench.check_order([*others, "zucchini"])

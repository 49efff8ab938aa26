"""Metrics against definitions worked by hand, and against scikit-learn's where that is at hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from wiseft_tutorial.benchmarks import Split
from wiseft_tutorial.errors import DataError
from wiseft_tutorial.metrics import accuracy, macro_f1, score, worst_group
from wiseft_tutorial.robustness import clopper_pearson


def says(*answers: int, classes: int = 3) -> Tensor:
    """Logits of a model that gives these answers."""
    return torch.nn.functional.one_hot(torch.tensor(answers), classes).float()


def test_accuracy_counts_and_has_the_exact_interval() -> None:
    found = accuracy(says(0, 1, 2, 0), torch.tensor([0, 1, 2, 1]))
    assert (found.value, found.n) == (0.75, 4)
    assert (found.low, found.high) == pytest.approx(np.array(clopper_pearson(3, 4)))


def test_an_image_may_have_several_right_answers() -> None:
    right = torch.tensor([[True, True, False], [False, False, True], [True, False, False]])
    assert accuracy(says(1, 2, 1), right).value == pytest.approx(2 / 3)
    with pytest.raises(DataError, match="do not fit"):
        accuracy(says(1, 2, 1), right[:, :2])


def test_the_worst_group_is_the_one_with_the_lowest_accuracy() -> None:
    labels, groups = torch.tensor([0, 0, 1, 1, 2, 2]), torch.tensor([7, 7, 7, 9, 9, 9])
    found = worst_group(says(0, 0, 1, 1, 0, 0), labels, groups)
    assert (found.value, found.n) == (pytest.approx(1 / 3), 3)
    assert (found.low, found.high) == pytest.approx(np.array(clopper_pearson(1, 3)))


def test_f1_is_the_mean_over_the_classes_that_occur() -> None:
    labels = torch.tensor([0, 0, 1, 1])
    found = macro_f1(says(0, 1, 1, 2), labels)
    # Class 0: precision 1, recall 1/2. Class 1: both 1/2. Class 2 does not occur.
    assert found.value == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert found.low <= found.value <= found.high


def test_f1_of_random_answers_is_what_its_definition_says() -> None:
    draw = np.random.default_rng(0)
    said, true = draw.integers(0, 6, 400), draw.integers(0, 5, 400)
    expected = []
    for c in range(5):
        both = ((said == c) & (true == c)).sum()
        precision, recall = both / (said == c).sum(), both / (true == c).sum()
        expected.append(2 * precision * recall / (precision + recall))
    found = macro_f1(says(*said.tolist(), classes=6), torch.from_numpy(true))
    assert found.value == pytest.approx(np.mean(expected))
    assert 0.02 < found.high - found.low < 0.2


def test_a_class_that_is_never_named_has_an_f1_of_nothing() -> None:
    assert macro_f1(says(0, 0), torch.tensor([0, 1])).value == pytest.approx((2 / 3 + 0) / 2)


def test_the_split_says_what_is_measured() -> None:
    images, labels = torch.zeros(4, 3, 8, 8, dtype=torch.uint8), torch.tensor([0, 0, 1, 1])
    groups, logits = torch.tensor([0, 1, 0, 1]), says(0, 1, 1, 1)
    plain = Split("a", images, labels, groups=groups)
    assert score(logits, plain) == accuracy(logits, labels)
    by_group = Split("a", images, labels, groups=groups, metric="worst-group accuracy")
    assert score(logits, by_group).value == 0.5
    assert score(logits, Split("a", images, labels, metric="macro-F1")) == macro_f1(logits, labels)

"""Averaging many models, and weight by weight: identities, hand-made values, bad input."""

from __future__ import annotations

import copy
import itertools
import math

import pytest
import tiny
import torch
from torch import Tensor, nn

from wiseft_tutorial.errors import AlphaError, DataError, WeightMismatchError
from wiseft_tutorial.models import ImageClassifier
from wiseft_tutorial.weights import (
    TaskVector,
    fisher_merge,
    greedy_soup,
    interpolate,
    slerp,
    task_vector,
    ties_merge,
    uniform_soup,
)


def vector(*values: float) -> TaskVector:
    return TaskVector({"w": torch.tensor(values)})


def ones_like(model: nn.Module, value: float = 1.0) -> dict[str, Tensor]:
    return {name: torch.full_like(p, value) for name, p in model.named_parameters()}


def test_a_soup_of_one_is_that_model_and_a_copy() -> None:
    model = tiny.net(1)
    soup = uniform_soup([model])
    assert soup is not model
    tiny.assert_same_weights(soup, model)


def test_a_soup_of_two_is_wise_ft_at_one_half() -> None:
    a, b = tiny.net(1), tiny.net(2)
    soup, half = uniform_soup([a, b]).state_dict(), interpolate(a, b, 0.5).state_dict()
    for key in soup:
        if soup[key].is_floating_point():
            torch.testing.assert_close(soup[key], half[key], rtol=1e-6, atol=1e-7)


def test_the_order_of_a_soup_does_not_matter() -> None:
    models = [tiny.net(seed) for seed in range(1, 5)]
    soups = [uniform_soup(list(order)) for order in itertools.permutations(models)]
    for soup in soups:
        for name, value in soup.named_parameters():
            torch.testing.assert_close(value, soups[0].get_parameter(name), rtol=0, atol=1e-7)


def test_soups_leave_their_models_untouched() -> None:
    models = [tiny.net(1), tiny.net(2)]
    before = copy.deepcopy(models)
    uniform_soup(models)
    greedy_soup(models, lambda model: float(model[0].weight.detach().sum()))
    for model, old in zip(models, before, strict=True):
        tiny.assert_same_weights(model, old)


def test_a_greedy_soup_keeps_what_does_not_make_it_worse() -> None:
    models = [tiny.net(seed) for seed in (1, 2, 3)]
    for model, bias in zip(models, (1.0, -1.0, 9.0), strict=True):
        nn.init.constant_(model[2].bias, bias)

    def near_zero(model: nn.Sequential) -> float:
        return -abs(float(model[2].bias.detach()[0]))

    soup = greedy_soup(models, near_zero)
    assert soup.members == (0, 1)
    assert soup.scores == (-1.0, 0.0)
    assert float(soup.model[2].bias.detach()[0]) == 0
    assert list(soup.scores) == sorted(soup.scores)


def test_a_soup_names_the_model_that_does_not_fit() -> None:
    for cook in (uniform_soup, lambda models: greedy_soup(models, lambda model: 0.0)):
        with pytest.raises(WeightMismatchError, match=r"model 2 of the soup.*different shapes"):
            cook([tiny.net(1), tiny.net(2), tiny.net(3, classes=4)])
        with pytest.raises(DataError, match="there are none"):
            cook([])


def test_half_of_a_task_vector_is_wise_ft() -> None:
    a, b = tiny.net(1), tiny.net(2)
    moved = (0.5 * task_vector(a, b)).applied_to(a)
    half = interpolate(a, b, 0.5)
    for name, value in moved.named_parameters():
        torch.testing.assert_close(value, half.get_parameter(name), rtol=0, atol=1e-6)


def test_task_vectors_add_up_and_turn_round() -> None:
    a, b, c = tiny.net(1), tiny.net(2), tiny.net(3)
    there, back = task_vector(a, b), task_vector(b, a)
    onwards = there + task_vector(b, c)
    for key, step in task_vector(a, c).steps.items():
        torch.testing.assert_close(onwards.steps[key], step)
        torch.testing.assert_close((-there).steps[key], back.steps[key])
        assert not (there - there).steps[key].any()
    assert there.norm() == pytest.approx(back.norm())
    assert (2 * there).norm() == pytest.approx(2 * there.norm())


def test_a_step_is_for_models_of_the_same_shape() -> None:
    step = task_vector(tiny.net(1), tiny.net(2))
    with pytest.raises(WeightMismatchError, match="measured on"):
        step.applied_to(tiny.net(3, classes=4))
    with pytest.raises(WeightMismatchError, match="different architectures"):
        step + vector(1.0)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.5, 1.0])
def test_equal_fishers_give_the_plain_average(alpha: float) -> None:
    a, b = tiny.net(1), tiny.net(2)
    fisher = {name: torch.rand_like(p) + 0.1 for name, p in a.named_parameters()}
    merged, plain = fisher_merge(a, b, fisher, fisher, alpha), interpolate(a, b, alpha)
    for name, value in merged.state_dict().items():
        torch.testing.assert_close(value, plain.state_dict()[name], rtol=0, atol=2e-7)


def test_the_fisher_formula_in_float64() -> None:
    a, b = tiny.net(1), tiny.net(2)
    f, g = ({n: torch.rand_like(p) for n, p in a.named_parameters()} for _ in range(2))
    merged = fisher_merge(a, b, f, g, 0.3)
    for name, value in merged.named_parameters():
        x, y = (m.get_parameter(name).double() for m in (a, b))
        first, second = (0.7 * f[name].double()), (0.3 * g[name].double())
        expected = (first * x + second * y) / (first + second)
        torch.testing.assert_close(value.double(), expected, rtol=1e-5, atol=1e-6)


def test_a_weight_that_only_one_model_depends_on_is_that_models() -> None:
    a, b = tiny.net(1), tiny.net(2)
    merged = fisher_merge(a, b, ones_like(a), ones_like(a, 0.0), floor=1e-12)
    for name, value in merged.named_parameters():
        torch.testing.assert_close(value, a.get_parameter(name))


def test_bad_fishers_are_refused() -> None:
    a, b = tiny.net(1), tiny.net(2)
    good = ones_like(a)
    with pytest.raises(DataError, match="floor = 0"):
        fisher_merge(a, b, good, good, floor=0.0)
    with pytest.raises(DataError, match=r"fisher_1 is negative or not a number in '0.weight'"):
        fisher_merge(a, b, good, good | {"0.weight": torch.full((5, 3), math.nan)})
    with pytest.raises(WeightMismatchError, match="fisher_0 has 'other'"):
        fisher_merge(a, b, {"other": torch.ones(1)}, good)
    with pytest.raises(WeightMismatchError, match="not of the same weights"):
        fisher_merge(a, b, {"0.weight": good["0.weight"]}, good)
    with pytest.raises(AlphaError):
        fisher_merge(a, b, good, good, 1.5)


def test_ties_by_hand() -> None:
    merged = ties_merge([vector(4, 1, -3, 0.1), vector(-2, 2, -1, 0.2)], density=0.5)
    # Trimmed: (4, 0, -3, 0) and (-2, 2, 0, 0). Elected: +, +, -, none.
    assert merged.steps["w"].tolist() == [4, 2, -3, 0]


def test_ties_of_one_whole_vector_is_that_vector() -> None:
    assert ties_merge([vector(1, -2, 3)], density=1.0).steps["w"].tolist() == [1, -2, 3]


def test_ties_keeps_exactly_what_the_density_says() -> None:
    step = TaskVector({"a": torch.randn(40, 5), "b": torch.ones(50)})  # ties among equals too
    kept = ties_merge([step], density=0.1).steps
    assert sum(int((value != 0).sum()) for value in kept.values()) == 25


@pytest.mark.parametrize("density", [0.0, -1.0, 1.5, math.nan])
def test_a_density_is_a_fraction(density: float) -> None:
    with pytest.raises(DataError, match="fraction of the weights"):
        ties_merge([vector(1, 2)], density=density)


def test_ties_needs_vectors_of_one_architecture() -> None:
    with pytest.raises(DataError, match="no task vectors"):
        ties_merge([])
    with pytest.raises(WeightMismatchError, match="task vector 1"):
        ties_merge([vector(1, 2), vector(1, 2, 3)])


def plane(x: float, y: float) -> nn.Linear:
    """Two weights."""
    model = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[x, y]]))
    return model


def test_slerp_of_a_right_angle() -> None:
    middle = slerp(plane(1, 0), plane(0, 1), 0.5)
    torch.testing.assert_close(middle.weight, torch.tensor([[0.5**0.5, 0.5**0.5]]))
    third = slerp(plane(1, 0), plane(0, 1), 1 / 3)
    torch.testing.assert_close(third.weight, torch.tensor([[3**0.5 / 2, 0.5]]))


def test_slerp_between_neighbours_is_the_average() -> None:
    a, b = plane(1, 2), plane(1.000001, 2.000002)
    torch.testing.assert_close(slerp(a, b, 0.5).weight, interpolate(a, b, 0.5).weight)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_slerp_ends_where_it_should(alpha: float) -> None:
    a, b = tiny.net(1), tiny.net(2)
    tiny.assert_same_weights(slerp(a, b, alpha), b if alpha else a)


def test_slerp_refuses_opposites() -> None:
    with pytest.raises(WeightMismatchError, match="opposite"):
        slerp(plane(1, 2), plane(-1, -2), 0.5)
    with pytest.raises(AlphaError):
        slerp(plane(1, 2), plane(2, 1), -0.1)


def test_what_was_made_of_a_model_does_not_pass_for_it(zeroshot: ImageClassifier) -> None:
    other = tiny.moved(zeroshot, step=0.01)
    fisher = {name: torch.ones_like(p) for name, p in zeroshot.named_parameters()}
    made = {
        "soup of 2": uniform_soup([zeroshot, other]),
        "slerp, alpha = 0.5": slerp(zeroshot, other, 0.5),
        "Fisher merging, alpha = 0.5": fisher_merge(zeroshot, other, fisher, fisher),
        "task vector": task_vector(zeroshot, other).applied_to(zeroshot),
    }
    for method, model in made.items():
        assert model.provenance["method"] == method
        assert "zero-shot" in model.provenance["start"]
        assert model.history is None
    assert zeroshot.provenance["method"] == "zero-shot"

"""Averaging weights: exact at the ends, linear between, and nothing else is touched."""

from __future__ import annotations

import math

import pytest
import tiny
import torch
from torch import Tensor, nn

from wiseft_tutorial.errors import AlphaError, WeightMismatchError
from wiseft_tutorial.weights import (
    check_compatible,
    interpolate,
    interpolate_,
    weight_step,
)

State = dict[str, Tensor]


def clone(theta: nn.Module) -> State:
    return {key: value.clone() for key, value in theta.state_dict().items()}


def bits(tensor: Tensor) -> Tensor:
    return tensor.view(torch.int32) if tensor.is_floating_point() else tensor


def assert_same_bits(a: State, b: State) -> None:
    assert list(a) == list(b)
    for key in a:
        assert torch.equal(bits(a[key]), bits(b[key])), key


@pytest.fixture
def pair() -> tuple[nn.Sequential, nn.Sequential]:
    return tiny.net(1), tiny.net(2)


@pytest.mark.parametrize("alpha", [0, 1])
@pytest.mark.parametrize("kind", ["module", "state"])
def test_endpoints_are_bit_equal(alpha: int, kind: str) -> None:
    ends = tiny.net(1), tiny.net(2)
    if kind == "module":
        merged = clone(interpolate(*ends, alpha))
    else:
        merged = interpolate(ends[0].state_dict(), ends[1].state_dict(), alpha)
    assert_same_bits(merged, clone(ends[alpha]))


@pytest.mark.parametrize("alpha", [0.1, 0.5, 0.83])
def test_is_the_weighted_mean(pair: tuple[nn.Module, nn.Module], alpha: float) -> None:
    start, end = clone(pair[0]), clone(pair[1])
    for key, value in interpolate(start, end, alpha).items():
        if value.is_floating_point():
            torch.testing.assert_close(value, (1 - alpha) * start[key] + alpha * end[key])


def test_commutes_with_composition(pair: tuple[nn.Module, nn.Module]) -> None:
    low, high, inner = 0.2, 0.9, 0.35
    between = interpolate(interpolate(*pair, low), interpolate(*pair, high), inner)
    direct = interpolate(*pair, (1 - inner) * low + inner * high)
    for a, b in zip(between.parameters(), direct.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_is_symmetric(pair: tuple[nn.Module, nn.Module]) -> None:
    forth, back = interpolate(pair[0], pair[1], 0.3), interpolate(pair[1], pair[0], 0.7)
    for a, b in zip(forth.parameters(), back.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_a_linear_map_averages_its_outputs() -> None:
    torch.manual_seed(0)
    heads, x = (nn.Linear(7, 4), nn.Linear(7, 4)), torch.randn(6, 7)
    averaged = 0.6 * heads[0](x) + 0.4 * heads[1](x)
    torch.testing.assert_close(interpolate(*heads, 0.4)(x), averaged)


def test_inputs_are_untouched(pair: tuple[nn.Module, nn.Module]) -> None:
    before = clone(pair[0]), clone(pair[1])
    merged = interpolate(*pair, 0.5)
    interpolate(pair[0].state_dict(), pair[1].state_dict(), 0.5)
    with torch.no_grad():
        for parameter in merged.parameters():
            parameter.zero_()
    assert_same_bits(clone(pair[0]), before[0])
    assert_same_bits(clone(pair[1]), before[1])


def test_returns_what_it_was_given(pair: tuple[nn.Module, nn.Module]) -> None:
    merged = interpolate(*pair, 0.5)
    assert isinstance(merged, nn.Sequential)
    assert all(parameter.requires_grad for parameter in merged.parameters())
    assert isinstance(interpolate(clone(pair[0]), pair[1], 0.5), dict)
    assert isinstance(interpolate(pair[0], clone(pair[1]), 0.5), nn.Sequential)


def test_builds_no_graph(pair: tuple[nn.Module, nn.Module]) -> None:
    parameters = dict(pair[0].named_parameters())
    merged = interpolate(parameters, dict(pair[1].named_parameters()), 0.5)
    assert not any(value.requires_grad for value in merged.values())


@pytest.mark.parametrize(("alpha", "expected"), [(0.0, 1), (0.49, 1), (0.5, 2), (1.0, 2)])
def test_integer_buffers_come_from_the_nearer_end(alpha: float, expected: int) -> None:
    merged = interpolate(tiny.net(1), tiny.net(2), alpha)
    assert merged[1].num_batches_tracked.item() == expected
    assert merged[1].num_batches_tracked.dtype == torch.int64


def test_boolean_buffers_are_copied() -> None:
    ends = {"mask": torch.tensor([True, False])}, {"mask": torch.tensor([True, True])}
    assert interpolate(*ends, 0.4)["mask"].tolist() == [True, False]


def test_in_place_writes_into_the_tensors_that_are_there() -> None:
    target, ends = tiny.net(3), (tiny.net(1), tiny.net(2))
    before = clone(ends[0]), clone(ends[1])
    addresses = [tensor.data_ptr() for tensor in target.state_dict().values()]
    assert interpolate_(target, *ends, 0.3) is target
    assert [tensor.data_ptr() for tensor in target.state_dict().values()] == addresses
    assert_same_bits(clone(target), clone(interpolate(*ends, 0.3)))
    assert_same_bits(clone(ends[0]), before[0])
    assert_same_bits(clone(ends[1]), before[1])


def test_in_place_takes_a_state() -> None:
    target, ends = clone(tiny.net(3)), (tiny.net(1), tiny.net(2))
    assert interpolate_(target, *ends, 0.3) is target
    assert_same_bits(target, clone(interpolate(*ends, 0.3)))


def test_in_place_allocates_no_second_copy() -> None:
    ends = {"w": torch.randn(256, 256)}, {"w": torch.randn(256, 256)}
    target = {"w": torch.empty(256, 256)}
    interpolate_(target, *ends, 0.3)  # whatever is allocated once only is allocated here
    with torch.profiler.profile(profile_memory=True) as profile:
        interpolate_(target, *ends, 0.3)
    allocated = sum(max(event.self_cpu_memory_usage, 0) for event in profile.events())
    assert allocated < target["w"].nbytes / 100


@pytest.mark.parametrize("which", [0, 1])
def test_the_target_may_be_an_input(which: int) -> None:
    ends = tiny.net(1), tiny.net(2)
    expected = clone(interpolate(*ends, 0.3))
    interpolate_(ends[which], *ends, 0.3)
    assert_same_bits(clone(ends[which]), expected)


def test_the_target_may_have_another_precision() -> None:
    ends = {"w": torch.randn(50)}, {"w": torch.randn(50)}
    target = {"w": torch.empty(50, dtype=torch.bfloat16)}
    interpolate_(target, *ends, 0.3)
    assert torch.equal(target["w"], interpolate(*ends, 0.3)["w"].bfloat16())


@pytest.mark.parametrize("alpha", [-0.1, 1.1, math.nan, math.inf])
def test_alpha_outside_the_interval_is_an_error(alpha: float) -> None:
    with pytest.raises(AlphaError, match="extrapolate=True"):
        interpolate(tiny.net(1), tiny.net(2), alpha)


def test_extrapolation_is_there_for_the_asking() -> None:
    ends = {"w": torch.tensor([1.0])}, {"w": torch.tensor([3.0])}
    assert interpolate(*ends, 1.5, extrapolate=True)["w"].item() == pytest.approx(4.0)
    assert interpolate(*ends, -0.5, extrapolate=True)["w"].item() == pytest.approx(0.0)
    with pytest.raises(AlphaError, match="finite"):
        interpolate(*ends, math.inf, extrapolate=True)


def test_missing_keys_are_named_on_both_sides() -> None:
    a = {"both": torch.ones(1), "old": torch.ones(1)}
    b = {"both": torch.ones(1), "new": torch.ones(1)}
    with pytest.raises(WeightMismatchError, match=r"theta_0 has 'old'; only theta_1 has 'new'"):
        check_compatible(a, b)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod."])
@pytest.mark.parametrize("wrapped", [0, 1])
def test_names_that_a_wrapper_has_changed_are_recognised(prefix: str, wrapped: int) -> None:
    states = [clone(tiny.net(seed)) for seed in (1, 2)]
    states[wrapped] = {f"{prefix}{key}": value for key, value in states[wrapped].items()}
    message = rf"theta_{wrapped} was saved from inside a wrapper.* remove the prefix '{prefix}'"
    with pytest.raises(WeightMismatchError, match=message):
        check_compatible(*states)


def test_long_lists_of_keys_are_cut() -> None:
    many = {f"layer.{i}": torch.ones(1) for i in range(9)}
    with pytest.raises(WeightMismatchError, match=r"'layer.3' and 5 more"):
        check_compatible(many, {})


def test_shapes_are_named() -> None:
    with pytest.raises(WeightMismatchError, match=r"'head.weight' \(\(10, 4\) and \(12, 4\)\)"):
        check_compatible({"head.weight": torch.ones(10, 4)}, {"head.weight": torch.ones(12, 4)})


def test_dtypes_are_named() -> None:
    with pytest.raises(WeightMismatchError, match=r"'w' \(torch.float32 and torch.float16\)"):
        check_compatible({"w": torch.ones(2)}, {"w": torch.ones(2).half()})


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["theta_0", "theta_1"])
def test_weights_that_are_not_finite_are_named(bad: float, name: str) -> None:
    ends = {"theta_0": {"w": torch.ones(2)}, "theta_1": {"w": torch.ones(2)}}
    ends[name]["w"][1] = bad
    with pytest.raises(WeightMismatchError, match=f"{name} has NaN or infinite weights in 'w'"):
        check_compatible(*ends.values())


def test_large_but_finite_weights_are_accepted() -> None:
    largest = {"w": torch.full((4,), torch.finfo(torch.float32).max)}
    check_compatible(largest, largest)


def test_empty_tensors_are_accepted() -> None:
    nothing = {"w": torch.empty(0, 3)}
    assert interpolate(nothing, nothing, 0.5)["w"].shape == (0, 3)


def test_a_target_of_another_architecture_is_named_and_unchanged() -> None:
    target = nn.Sequential(nn.Linear(3, 4))
    before = clone(target)
    with pytest.raises(WeightMismatchError, match="target and theta_0"):
        interpolate_(target, tiny.net(1), tiny.net(2), 0.5)
    assert_same_bits(clone(target), before)


def test_a_step_has_the_length_it_should_have() -> None:
    start = {"w": torch.tensor([3.0, 4.0]), "n": torch.tensor(7)}
    end = {"w": torch.tensor([3.0, 4.5]), "n": torch.tensor(9)}
    assert weight_step(start, end) == pytest.approx(0.1)
    assert weight_step(start, start) == 0.0
    assert weight_step({"w": torch.zeros(2)}, {"w": torch.ones(2)}) == math.inf


def test_the_step_grows_in_proportion_to_alpha(pair: tuple[nn.Module, nn.Module]) -> None:
    whole, part = weight_step(*pair), weight_step(pair[0], interpolate(*pair, 0.25))
    assert part == pytest.approx(0.25 * whole)


def test_one_tensor_under_two_names_is_averaged_once() -> None:
    class Tied(nn.Module):
        def __init__(self, value: float) -> None:
            super().__init__()
            self.a = self.b = nn.Linear(2, 2, bias=False)
            nn.init.constant_(self.a.weight, value)

    first, second = Tied(0.0), Tied(1.0)
    assert interpolate_(first, first, second, 0.5).a.weight.unique().tolist() == [0.5]
    first = Tied(0.0)
    assert interpolate_(second, first, second, 0.25).b.weight.unique().tolist() == [0.25]


def test_a_target_of_integers_is_refused_before_anything_is_written() -> None:
    floats = {"a": torch.ones(2), "b": torch.ones(2)}
    target = {"a": torch.zeros(2), "b": torch.zeros(2, dtype=torch.int64)}
    with pytest.raises(WeightMismatchError, match=r"cannot hold .* 'b'"):
        interpolate_(target, floats, floats, 0.5)
    assert not target["a"].any()


def test_a_step_does_not_overflow_in_half_precision() -> None:
    far = {"w": torch.full((2,), 6e4, dtype=torch.float16)}
    assert weight_step({"w": -far["w"]}, far) == pytest.approx(2.0)


def test_complex_weights_that_are_not_numbers_are_refused() -> None:
    good = {"w": torch.ones(2, dtype=torch.complex64)}
    with pytest.raises(WeightMismatchError, match="NaN"):
        interpolate(good, {"w": good["w"] * complex(0, math.nan)}, 0.5)

"""Paths, planes and barriers: exact at the models, and distances are those of weights."""

from __future__ import annotations

import copy

import pytest
import tiny
import torch
from torch import nn

from wiseft_tutorial.errors import AlphaError, DataError, WeightMismatchError
from wiseft_tutorial.landscape import Plane, barrier, score_path
from wiseft_tutorial.weights import interpolate


def flat(model: nn.Module) -> torch.Tensor:
    return nn.utils.parameters_to_vector(model.parameters()).detach().double()


def first_weight(model: nn.Module) -> float:
    return float(next(model.parameters()).detach()[0, 1])


def test_a_path_scores_what_interpolate_makes() -> None:
    a, b = tiny.net(1), tiny.net(2)
    found = score_path(a, b, first_weight, (-0.5, 0, 0.3, 1, 2))
    assert found["alpha"].tolist() == [-0.5, 0, 0.3, 1, 2]
    for alpha, score in found.itertuples(index=False):
        assert score == first_weight(interpolate(a, b, alpha, extrapolate=True))
    with pytest.raises(AlphaError):
        score_path(a, b, first_weight, [float("nan")])


def test_a_barrier_by_hand() -> None:
    assert barrier([0, 0.5, 1], [1, 4, 3]) == 2
    assert barrier([1, 0.25, 0], [0, 0, 1]) == 0, "below the line"
    assert barrier([-1, 0, 1], [9, 0, 0]) == 0, "outside the path"
    with pytest.raises(DataError, match="0 and 1"):
        barrier([0, 0.5], [1, 2])


def test_the_corners_of_a_plane_are_its_models_bit_for_bit() -> None:
    models = [tiny.net(seed) for seed in (1, 2, 3)]
    before = copy.deepcopy(models)
    plane = Plane(*models)
    target = tiny.net(4)
    assert isinstance(target[0], nn.Linear)
    for corner, model in zip(plane.corners, models, strict=True):
        assert plane.put(target, *corner) is target
        for key, value in model.state_dict().items():
            assert torch.equal(target.state_dict()[key], value), key
        assert torch.signbit(target[0].weight[0, 0]), "the sign of a zero is lost"
    for model, old in zip(models, before, strict=True):
        tiny.assert_same_weights(model, old)


def test_distances_in_the_plane_are_those_of_weights() -> None:
    models = [tiny.net(seed) for seed in (1, 2, 3)]
    plane = Plane(*models)
    points = torch.tensor(plane.corners, dtype=torch.float64)
    for i in range(3):
        for j in range(3):
            expected = float((flat(models[i]) - flat(models[j])).norm())
            assert float((points[i] - points[j]).norm()) == pytest.approx(expected, rel=1e-6)


def test_a_point_is_where_the_axes_lead() -> None:
    models = [tiny.net(seed) for seed in (1, 2, 3)]
    plane = Plane(*models)
    origin, first, second = map(flat, models)
    x_axis = (first - origin) / (first - origin).norm()
    y_axis = second - origin - ((second - origin) @ x_axis) * x_axis
    y_axis /= y_axis.norm()
    for x, y in ((0.7, -1.3), (-2.0, 0.4)):
        expected = origin + x * x_axis + y * y_axis
        torch.testing.assert_close(flat(plane.put(tiny.net(4), x, y)), expected, rtol=0, atol=1e-5)
        assert sum(plane.shares(x, y)) == pytest.approx(1)


def test_models_on_one_line_span_no_plane() -> None:
    a, b = tiny.net(1), tiny.net(2)
    for third in (a, b, interpolate(a, b, 0.5), interpolate(a, b, 3.0, extrapolate=True)):
        with pytest.raises(WeightMismatchError, match="on one line"):
            Plane(a, b, third)
    with pytest.raises(WeightMismatchError, match="on one line"):
        Plane(a, a, b)
    with pytest.raises(WeightMismatchError, match="different shapes"):
        Plane(a, b, nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Linear(5, 4)))

"""The logit axis, exact intervals, and the baseline with what lies above it."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from wiseft_tutorial.errors import DataError
from wiseft_tutorial.robustness import (
    Baseline,
    clopper_pearson,
    effective_robustness,
    fit_baseline,
    from_logit,
    to_logit,
)


def test_logit_and_its_inverse_cancel() -> None:
    p = np.linspace(0.0, 1.0, 21)
    np.testing.assert_allclose(from_logit(to_logit(p)), p, atol=1e-15)


def test_logit_has_its_known_values() -> None:
    assert to_logit(0.5) == 0.0
    assert to_logit(0.75) == pytest.approx(math.log(3))
    assert to_logit(0.0) == -math.inf
    assert to_logit(1.0) == math.inf


def test_numbers_stay_numbers_and_series_become_arrays() -> None:
    assert type(to_logit(0.3)) is float
    assert type(from_logit(0.3)) is float
    assert type(Baseline(1.0, 0.0)(0.3)) is float
    assert isinstance(to_logit(pd.Series([0.3, 0.4])), np.ndarray)


def test_percentages_are_refused() -> None:
    with pytest.raises(DataError, match=r"76\.2.*divide percentages by 100"):
        to_logit(76.2)
    with pytest.raises(DataError, match="shift has the value 48"):
        fit_baseline([0.5, 0.6], [0.4, 48.0])


@pytest.mark.parametrize("level", [0.5, 0.95, 0.995])
@pytest.mark.parametrize(("k", "n"), [(0, 10), (10, 10), (3, 10), (1700, 2000), (1, 1)])
def test_interval_is_the_exact_one(k: int, n: int, level: float) -> None:
    exact = stats.binomtest(k, n).proportion_ci(level, method="exact")
    low, high = clopper_pearson(k, n, level=level)
    assert (low, high) == (pytest.approx(exact.low), pytest.approx(exact.high))


def test_interval_covers_at_least_as_often_as_it_says() -> None:
    n, p = 40, 0.83
    low, high = clopper_pearson(np.arange(n + 1), n)
    covered = (low <= p) & (p <= high)
    assert stats.binom.pmf(np.arange(n + 1), n, p)[covered].sum() >= 0.95


def test_interval_takes_arrays() -> None:
    low, high = clopper_pearson([5, 50], [10, 100])
    assert low.shape == high.shape == (2,)
    assert low[0] < low[1] < 0.5 < high[1] < high[0]


@pytest.mark.parametrize(("k", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(k: int, n: int) -> None:
    with pytest.raises(DataError, match="0 <= successes <= trials"):
        clopper_pearson(k, n)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_impossible_levels_are_refused(level: float) -> None:
    with pytest.raises(DataError, match="level"):
        clopper_pearson(5, 10, level=level)


def test_fit_recovers_the_line_that_made_the_points() -> None:
    truth = Baseline(slope=0.92, intercept=-0.5)
    reference = np.linspace(0.3, 0.9, 12)
    fitted = fit_baseline(reference, truth(reference))
    assert fitted.slope == pytest.approx(truth.slope)
    assert fitted.intercept == pytest.approx(truth.intercept)


def test_fit_is_ordinary_least_squares_on_logits() -> None:
    rng = np.random.default_rng(0)
    reference, shift = rng.uniform(0.5, 0.9, 30), rng.uniform(0.2, 0.7, 30)
    fitted = fit_baseline(reference, shift)
    slope, intercept = np.polyfit(to_logit(reference), to_logit(shift), 1)
    assert (fitted.slope, fitted.intercept) == (pytest.approx(slope), pytest.approx(intercept))


def test_models_without_a_place_on_the_axes_are_left_out() -> None:
    truth, reference = Baseline(1.1, -0.7), np.linspace(0.3, 0.9, 6)
    shift = truth(reference)
    extra_reference, extra_shift = [0.5, 1.0, 0.5, math.nan], [0.0, 0.5, math.nan, 0.4]
    fitted = fit_baseline([*reference, *extra_reference], [*shift, *extra_shift])
    assert fitted.slope == pytest.approx(truth.slope)
    assert fitted.intercept == pytest.approx(truth.intercept)


def test_too_few_models_are_refused() -> None:
    with pytest.raises(DataError, match="1 of 2 models"):
        fit_baseline([0.5, 0.6], [0.4, 0.0])
    with pytest.raises(DataError, match="two models with different reference"):
        fit_baseline([0.5, 0.5], [0.4, 0.3])


def test_lengths_that_differ_are_named() -> None:
    with pytest.raises(DataError, match=r"\(2,\) and \(1,\)"):
        fit_baseline([0.5, 0.6], [0.4])


def test_a_model_on_the_line_has_no_effective_robustness() -> None:
    baseline = Baseline(0.9, -0.4)
    reference = np.array([0.0, 0.4, 0.7, 1.0])
    rho = effective_robustness(reference, baseline(reference), baseline)
    np.testing.assert_allclose(rho, 0.0, atol=1e-15)


def test_effective_robustness_is_measured_in_accuracy() -> None:
    diagonal = Baseline(slope=1.0, intercept=0.0)
    assert effective_robustness(0.7, 0.8, diagonal) == pytest.approx(0.1)
    assert effective_robustness(0.7, 0.5, diagonal) == pytest.approx(-0.2)

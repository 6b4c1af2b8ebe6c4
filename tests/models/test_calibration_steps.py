"""Isotonic and Venn–Abers calibration rise strictly through any outcomes, and find the rates that are there."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from sklearn.isotonic import IsotonicRegression

from models.calibration import MOST_KNOTS, SLOPE_FLOOR, Calibrator
from models.calibration_steps import BINS, LIMIT, fit_isotonic, fit_venn_abers
from tests.models.data import few_examples
from tests.models.test_calibration import anything, simulated

Fit = Callable[..., Calibrator]
GRID = np.linspace(-40, 40, 1601)
BOTH = pytest.mark.parametrize("fit", [fit_isotonic, fit_venn_abers])


@BOTH
@few_examples
@given(anything())
def test_strictly_increasing_and_finite_whatever_it_was_fitted_on(fit: Fit, given_rows: tuple) -> None:  # type: ignore[type-arg]
    x, y, _ = given_rows
    fitted = fit(x, y)
    to = fitted.apply_log_odds(GRID)
    assert np.isfinite(to).all()
    assert (np.diff(to) > 0).all()
    assert len(fitted.knots) <= BINS <= MOST_KNOTS
    plain = json.loads(json.dumps(fitted.as_dict(), allow_nan=False))
    assert Calibrator.from_dict(plain) == fitted
    assert Calibrator.from_dict(plain).raised(0.5).apply_log_odds(GRID) == pytest.approx(to + 0.5)
    np.testing.assert_allclose(fit(x[::-1], y[::-1]).apply_log_odds(GRID), to, atol=1e-6)


@BOTH
@pytest.mark.parametrize("true", [Calibrator("beta", 0.5, 1.5, -0.5), Calibrator("temperature", 0.4, 0.4, 0.5)])
def test_recovers_a_known_distortion(fit: Fit, true: Calibrator) -> None:
    x, y = simulated(true, 60_000)
    assert np.abs(fit(x, y).apply(x) - true.apply(x)).mean() < 0.012


def test_isotonic_rates_are_those_of_the_textbook_where_bins_are_full() -> None:
    x, y = simulated(Calibrator("temperature", 0.5, 0.5, 0.0), 50_000)
    oracle = IsotonicRegression(out_of_bounds="clip").fit(x, y).predict(x)
    assert np.abs(fit_isotonic(x, y).apply(x) - oracle).mean() < 0.02


@BOTH
def test_a_ranking_turned_over_rests_on_the_floor_and_ties_nobody(fit: Fit) -> None:
    x, y = simulated(Calibrator("temperature", 1.0, 1.0, 0.0), 5_000)
    fitted = fit(-x, y)
    at, to = np.array(fitted.knots).T
    assert (np.diff(to) >= SLOPE_FLOOR * np.diff(at)).all()
    assert fitted.apply(-x).mean() == pytest.approx(y.mean(), abs=0.05)


@BOTH
def test_no_bin_says_never_or_always(fit: Fit) -> None:
    x = np.linspace(-3, 3, 2_000)
    for fitted in (fit(x, x > 0), fit(x, np.zeros(2_000)), fit(x, np.ones(2_000))):
        assert np.abs([to for _, to in fitted.knots]).max(initial=0) <= LIMIT + 0.1


@BOTH
def test_too_few_rows_for_two_bins_move_the_level_alone(fit: Fit) -> None:
    assert fit([0.0, 1.0, 2.0], [0, 1, 0]).knots == ()
    assert fit(np.zeros(1_000), np.arange(1_000) % 2).knots == ()


def test_little_is_known_where_venn_abers_lies_nearer_one_half() -> None:
    x = np.repeat([-3.0, 3.0], 60)
    y = np.r_[np.zeros(60), np.ones(60)]
    low, high = fit_venn_abers(x, y).apply([-3.0, 3.0])
    assert 0.005 < low < 0.05
    assert 0.95 < high < 0.995

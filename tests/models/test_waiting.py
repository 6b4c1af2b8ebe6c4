"""The curve never rises, a day never wins anything, and what was simulated is found again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.waiting import LEAST_CONVERTED, STEPS, waiting


def simulated(leads, *, rate=0.4, half_life=20.0, seed=3):
    rng = np.random.default_rng(seed)
    days = rng.uniform(0, 100, leads)
    return days, rng.random(leads) < rate * 0.5 ** (days / half_life), np.arange(leads)


@given(st.integers(0, 50), st.lists(st.floats(0, 5000), min_size=1, max_size=6), st.floats(0.1, 30))
def test_more_silence_never_wins_anything(seed, days, over_days):
    rng = np.random.default_rng(seed)
    # No relation at all between silence and conversion: by chance the raw rates rise here and there.
    curve = waiting(rng.exponential(40, 900), rng.random(900) < 0.2, rng.integers(0, 300, 900), resamples=20)
    assert (np.diff(curve.rate) <= 1e-12).all()
    assert (np.diff(curve.drawn, axis=1) <= 1e-12).all()
    lost = curve.share_lost(days, over_days=over_days)
    assert ((lost >= -1e-9) & (lost < 1)).all()
    assert (curve.low <= curve.high + 1e-12).all()
    longer = curve.share_lost(days, over_days=2 * over_days)
    assert (longer >= lost - 1e-9).all()


def test_what_was_simulated_is_found_again():
    curve = waiting(*simulated(40_000), resamples=100)
    week = 1 - 0.5 ** (7 / 20)
    for days in (2.0, 10.0, 30.0):
        value, low, high = curve.interval(days, over_days=7)
        assert low <= value <= high
        assert value == pytest.approx(week, abs=0.06)
    assert curve.snapshots.sum() == 40_000
    assert [row["days"] for row in curve.as_dict()] == sorted(row["days"] for row in curve.as_dict())


def test_beyond_the_last_step_nothing_is_seen_to_fade_and_the_unknown_stays_unknown():
    curve = waiting(*simulated(5_000), resamples=10)
    lost = curve.share_lost([curve.days[-1], 4000.0, np.nan])
    assert lost[:2].tolist() == [0.0, 0.0]
    assert np.isnan(lost[2])


def test_snapshots_without_any_act_are_left_out():
    days, outcome, lead = simulated(5_000)
    more = waiting(
        np.r_[days, np.full(500, np.nan)], np.r_[outcome, np.ones(500)], np.r_[lead, np.arange(500)], resamples=10
    )  # fmt: skip
    assert more.snapshots.sum() == 5_000
    assert more.rate.tolist() == waiting(days, outcome, lead, resamples=10).rate.tolist()


def test_the_order_of_rows_does_not_matter():
    days, outcome, lead = simulated(3_000)
    order = np.random.default_rng(1).permutation(3_000)
    one = waiting(days, outcome, lead, resamples=0)
    other = waiting(days[order], outcome[order], lead[order], resamples=0)
    assert one.rate.tolist() == other.rate.tolist()
    assert one.days == pytest.approx(other.days)


def test_snapshots_of_one_lead_are_one_piece_of_evidence():
    days, outcome, lead = simulated(6_000)
    alone = waiting(days, outcome, lead, resamples=200)
    # The same snapshots ten times over, of the same leads: nothing more is known.
    again = waiting(np.tile(days, 10), np.tile(outcome, 10), np.tile(lead, 10), resamples=200)
    assert again.high - again.low == pytest.approx(alone.high - alone.low, rel=0.35, abs=0.01)


@pytest.mark.parametrize("converted", [0, LEAST_CONVERTED - 1])
def test_too_few_conversions_say_nothing(converted):
    assert waiting(np.linspace(0, 50, 500), np.arange(500) < converted, np.arange(500)) is None


def test_one_step_alone_says_nothing():
    assert waiting(np.full(500, STEPS[2]), np.arange(500) < 200, np.arange(500)) is None

"""How long a step takes: the curve against a slow one and against SciPy, and its times against the truth."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from models.survival import LEAST_WATCHED, Curve, curve, half_of_all, time_of

#: Few different days, so that many leads go on, and stop being watched, on the same one.
LEADS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=40)


def seen(leads: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Days until going on, NaN where that comes after the end of watching, and days watched."""
    would, watched = np.array(leads, dtype=np.float64).T
    return np.where(would <= watched, would, np.nan), watched


def slowly(waited: np.ndarray, watched: np.ndarray, day: float) -> float:
    """The share gone on by a day: one factor per lead that goes on, over those that still wait just before it."""
    staying = 1.0
    for at in sorted({float(days) for days in waited if days <= day}):
        waiting = sum(1 for w, c in zip(waited, watched, strict=True) if (c if np.isnan(w) else w) >= at)
        went_on = sum(1 for w in waited if w == at)
        staying *= 1 - went_on / waiting
    return 1 - staying


@given(leads=LEADS)
def test_the_curve_is_the_slow_one_and_scipys(leads: list[tuple[int, int]]) -> None:
    waited, watched = seen(leads)
    found = curve(waited, watched=watched, least_watched=1)
    for day in range(13):
        assert found.at(day) == pytest.approx(slowly(waited, watched, day), abs=1e-12)
    there = np.isfinite(waited)
    theirs = stats.ecdf(stats.CensoredData(uncensored=waited[there], right=watched[~there]))
    assert found.share == pytest.approx(1 - theirs.sf.evaluate(found.days), abs=1e-12)
    with warnings.catch_warnings():  # where nobody is left, theirs is not defined, and says so
        warnings.simplefilter("ignore", RuntimeWarning)
        band = theirs.sf.confidence_interval(method="log-log")
    inner = (found.share > 0) & (found.share < 1 - 1e-12)
    assert found.low[inner] == pytest.approx(1 - band.high.evaluate(found.days)[inner], abs=1e-9)
    assert found.high[inner] == pytest.approx(1 - band.low.evaluate(found.days)[inner], abs=1e-9)


@given(leads=LEADS)
def test_a_curve_climbs_within_its_band_and_ends_where_too_few_are_watched(leads: list[tuple[int, int]]) -> None:
    waited, watched = seen(leads)
    found = curve(waited, watched=watched, least_watched=5)
    for line in (found.share, found.low, found.high):
        assert (np.diff(line) >= 0).all()
    assert ((found.low <= found.share + 1e-12) & (found.share <= found.high + 1e-12)).all()
    if len(leads) < 5:
        assert np.isnan(found.watched_days)
    else:
        assert np.sum(watched >= found.watched_days) >= 5
        assert (found.days <= found.watched_days).all()


@given(leads=LEADS, end=st.integers(1, 12))
def test_what_comes_later_changes_nothing_before(leads: list[tuple[int, int]], end: int) -> None:
    waited, watched = seen(leads)
    earlier = curve(np.where(waited <= end, waited, np.nan), watched=np.minimum(watched, end), least_watched=1)
    whole = curve(waited, watched=watched, least_watched=1)
    assert [earlier.at(day) for day in range(end)] == pytest.approx([whole.at(day) for day in range(end)])


@given(leads=LEADS, seed=st.integers(0, 99))
def test_the_order_of_the_leads_means_nothing_and_the_unit_only_scales(leads: list[tuple[int, int]], seed: int) -> None:
    waited, watched = seen(leads)
    found = curve(waited, watched=watched, least_watched=1)
    order = np.random.default_rng(seed).permutation(len(leads))
    for times in (time_of, lambda c, _: half_of_all(c)):
        one = times(found, 0.5)
        other = times(curve(waited[order] * 8, watched=watched[order] * 8, least_watched=1), 0.5)
        assert [other.value, other.low, other.high] == pytest.approx(
            [8 * one.value, 8 * one.low, 8 * one.high], nan_ok=True
        )


def test_leads_that_left_stay_in_the_count_so_the_end_is_the_share_that_ever_goes_on() -> None:
    # 30 go on after a day, 70 are disqualified on the second day: all were watched for 10 days.
    waited = np.where(np.arange(100) < 30, 1.0, np.nan)
    assert curve(waited, watched=np.full(100, 10.0)).end == pytest.approx(0.3)
    censored_at_exit = np.where(np.arange(100) < 30, 10.0, 2.0)
    assert curve(waited, watched=censored_at_exit, least_watched=1).end == pytest.approx(0.3)
    # Where some leave before others go on, the difference shows: 20 of 100 go on, after 50 have left.
    later = np.where(np.arange(100) < 20, 5.0, np.nan)
    left = np.where(np.arange(100) < 50, 10.0, 2.0)
    assert curve(later, watched=np.full(100, 10.0)).end == pytest.approx(0.2)
    assert curve(later, watched=left).end == pytest.approx(0.4), "as if those who left went on as often as the others"


def test_nothing_is_known_of_a_handful() -> None:
    few = np.full(LEAST_WATCHED - 1, 1.0)
    found = curve(few, watched=few + 5)
    assert np.isnan([found.watched_days, found.end, time_of(found, 0.5).value, half_of_all(found).value]).all()
    enough = np.full(LEAST_WATCHED, np.nan)
    nobody = curve(enough, watched=np.full(LEAST_WATCHED, 9.0))
    assert (nobody.end, nobody.watched_days) == (0.0, 9.0)
    assert np.isnan(time_of(nobody, 0.5).value)


def test_everybody_at_once() -> None:
    found = curve(np.full(30, 2.0), watched=np.full(30, 4.0))
    assert (found.share.tolist(), found.high.tolist()) == ([1.0], [1.0])
    assert found.low[0] == pytest.approx(0.8865, abs=1e-4)  # Wilson's end for 30 of 30
    assert (time_of(found, 0.5).value, half_of_all(found).value) == (2.0, 2.0)


@pytest.mark.parametrize(("waited", "watched"), [(-1.0, 4.0), (5.0, 4.0), (np.nan, -1.0), (np.nan, np.nan)])
def test_a_history_that_was_not_cut_is_refused(waited: float, watched: float) -> None:
    with pytest.raises(ValueError, match="cut the history at as_of first"):
        curve(np.array([waited]), watched=np.array([watched]))


def drawn(rng: np.random.Generator, leads: int) -> Curve:
    """Six in ten ever go on, after 20 days on average; leads come evenly over 200 days, the last of them today."""
    would = np.where(rng.random(leads) < 0.6, rng.exponential(20.0, leads), np.inf)
    watched = rng.uniform(0, 200, leads)
    return curve(np.where(would <= watched, would, np.nan), watched=watched)


def test_the_median_of_those_who_go_on_is_found_though_many_still_wait() -> None:
    truth, rng = 20 * np.log(2), np.random.default_rng(5)
    found = [time_of(drawn(rng, 300), 0.5) for _ in range(300)]
    covered = np.mean([one.low <= truth <= one.high for one in found])
    assert 0.92 <= covered <= 0.99
    assert np.mean([one.value for one in found]) == pytest.approx(truth, rel=0.05)


def test_the_interval_of_half_of_all_holds_it_as_often_as_it_says() -> None:
    # Half of all have gone on when five in six of those who ever do so have.
    truth, rng = 20 * np.log(6), np.random.default_rng(6)
    found = [half_of_all(drawn(rng, 300)) for _ in range(300)]
    covered = np.mean([one.low <= truth and not one.high < truth for one in found])
    assert 0.92 <= covered <= 0.99


def test_the_median_of_the_times_seen_would_be_too_short() -> None:
    rng = np.random.default_rng(8)
    would, watched = rng.exponential(60.0, 4000), rng.uniform(0, 100, 4000)
    went_on = would <= watched
    honest = half_of_all(curve(np.where(went_on, would, np.nan), watched=watched))
    assert honest.low <= 60 * np.log(2) <= honest.high
    assert np.median(would[went_on]) < 0.7 * 60 * np.log(2)

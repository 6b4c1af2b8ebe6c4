"""The level follows what has lasted, at most half of the way, and says what that would have done."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from models.prior_shift import EXPECTED_SHARE, MOST_SHARE, before_and_after, gap, share_that_stays, shift_of
from models.skill import Said
from tests.models.data import few_examples
from tests.models.windows import both, said, window


@few_examples
@given(st.integers(0, 2**31), st.floats(-3, 3), st.floats(-3, 3))
def test_a_share_is_never_more_than_half_nor_below_nothing(seed: int, known: float, followed: float) -> None:
    some = [window(seed + n, begins=20, recent_level=known, level=followed) for n in range(3)]
    share = share_that_stays(some, both(1.0))
    assert 0 <= share <= MOST_SHARE
    shift = shift_of(some[0].recent, both(1.0), share=share)
    assert abs(shift) <= abs(gap(some[0].recent, both(1.0))[0]) / 2 + 1e-12


def test_the_gap_is_the_shift_of_the_level() -> None:
    for level in (-1.0, 0.0, 0.7):
        found, variance = gap(said(1, level=level, leads=20_000), both(1.0))
        assert found == pytest.approx(level, abs=0.06)
        assert 0 < variance < 0.001
    assert gap(said(1, leads=5, level=9.0), both(1.0))[1] > 0.1


def test_nothing_seen_is_no_gap() -> None:
    nothing = Said(-1.0, np.empty((0, 2)), np.empty(0, np.int64), np.empty(0, object), np.empty(0, np.int64))
    assert gap(nothing, both(1.0))[0] == 0.0


def test_a_shift_that_lasted_is_believed_and_one_that_turned_back_is_not() -> None:
    def share(known: float, followed: float) -> float:
        return share_that_stays(
            [window(n, begins=20, recent_level=known, level=followed, leads=2_000) for n in range(3)], both(1.0)
        )

    assert share(0.8, 0.8) == share(-0.8, -0.8) == MOST_SHARE
    assert share(0.8, -0.8) == share(-0.8, 0.8) == 0.0
    assert share(0.0, 0.8) == pytest.approx(EXPECTED_SHARE, abs=0.15)  # nothing was known then: little is learned


def test_before_and_after_are_what_would_have_been_predicted() -> None:
    one = window(5, begins=20, recent_level=0.8, level=0.8, leads=3_000)
    told = before_and_after(one, both(1.0), share=0.5)
    z = one.later.log_odds(both(1.0))
    assert told["predicted_before"] == pytest.approx(expit(z).mean())
    assert told["predicted_after"] == pytest.approx(expit(z + told["shift"]).mean())
    assert told["observed"] == one.later.outcome.mean()
    assert told["predicted_before"] < told["predicted_after"] < told["observed"]

"""No outcome that a part learns from was open when the next part began; every row is in one part."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.splits import check_gap, split_by_time
from tests.models.data import DAY, Integers

HORIZONS = st.integers(1, 90)
#: Few distinct days, so that rows share moments, beside microseconds around them and around a horizon later.
MOMENTS = st.lists(
    st.builds(lambda day, more: day * DAY + more, st.integers(-5, 200), st.sampled_from([0, 0, 1, -1])), max_size=60
).map(lambda drawn: np.array(drawn, np.int64))
SHARES = st.floats(0.01, 0.99)


@given(MOMENTS, SHARES, HORIZONS)
def test_earlier_outcomes_are_known_before_the_later_part_begins(as_of: Integers, share: float, horizon: int) -> None:
    split = split_by_time(as_of, later_share=share, horizon_days=horizon)
    for one in split.earlier:
        for other in split.later:
            assert int(as_of[one]) + horizon * 86_400_000_000 <= int(as_of[other])
    check_gap(earlier_as_of=as_of[split.earlier], later_as_of=as_of[split.later], horizon_days=horizon)


@given(MOMENTS, SHARES, HORIZONS)
def test_every_row_is_in_exactly_one_part(as_of: Integers, share: float, horizon: int) -> None:
    split = split_by_time(as_of, later_share=share, horizon_days=horizon)
    assert sorted([*split.earlier, *split.gap, *split.later]) == list(range(len(as_of)))


@given(MOMENTS, SHARES, HORIZONS)
def test_no_row_is_dropped_that_need_not_be(as_of: Integers, share: float, horizon: int) -> None:
    split = split_by_time(as_of, later_share=share, horizon_days=horizon)
    assert len(split.later) >= len(as_of) * share - 1e-9
    begins = min((int(as_of[row]) for row in split.later), default=0)
    for row in split.gap:
        assert begins - horizon * DAY < as_of[row] < begins


@given(MOMENTS, SHARES, HORIZONS, st.randoms())
def test_the_order_of_rows_does_not_matter(as_of: Integers, share: float, horizon: int, random: object) -> None:
    order = np.arange(len(as_of))
    random.shuffle(order)  # type: ignore[attr-defined]
    split = split_by_time(as_of, later_share=share, horizon_days=horizon)
    shuffled = split_by_time(as_of[order], later_share=share, horizon_days=horizon)
    for part in ("earlier", "gap", "later"):
        assert sorted(order[getattr(shuffled, part)]) == getattr(split, part).tolist()


def test_the_boundary_is_exact() -> None:
    as_of = np.array([0, 1, 30 * DAY])
    split = split_by_time(as_of, later_share=0.3, horizon_days=30)
    assert (split.earlier.tolist(), split.gap.tolist(), split.later.tolist()) == ([0], [1], [2])


def test_snapshots_of_one_moment_are_not_torn_apart() -> None:
    split = split_by_time(np.full(10, DAY), later_share=0.3, horizon_days=30)
    assert (len(split.earlier), len(split.gap), len(split.later)) == (0, 0, 10)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="The later share lies between 0 and 1, got"):
        split_by_time(np.arange(3), later_share=share, horizon_days=30)


@given(st.integers(0, 10**15), HORIZONS, st.integers(1, 10**12))
def test_a_gap_too_short_is_caught_to_the_microsecond(latest: int, horizon: int, short_by: int) -> None:
    open_until = latest + horizon * DAY
    earlier = np.array([latest - DAY, latest, latest - 5])
    check_gap(earlier_as_of=earlier, later_as_of=np.array([open_until, open_until + 1]), horizon_days=horizon)
    with pytest.raises(AssertionError, match=rf"open until {open_until}, .* the gap must be at least {horizon} days"):
        check_gap(
            earlier_as_of=earlier,
            later_as_of=np.array([open_until + DAY, open_until - short_by]),
            horizon_days=horizon,
        )


def test_nothing_leaks_from_or_into_an_empty_part() -> None:
    nothing, one = np.empty(0, np.int64), np.array([0])
    check_gap(earlier_as_of=nothing, later_as_of=one, horizon_days=30)
    check_gap(earlier_as_of=one, later_as_of=nothing, horizon_days=30)

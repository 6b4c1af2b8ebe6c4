"""A trend is a move that neither night took for possible; everything smaller is steady."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from features.tables import MICROSECONDS_PER_DAY
from serve.lead_trend import TREND_DAYS, Night, trend


def night(day: float, p: float, low: float, high: float, *, version: str = "1") -> Night:
    return Night(
        as_of=round(day * MICROSECONDS_PER_DAY), probability=p, probability_low=low, probability_high=high,
        percentile=50.0, band="C", recommended_stage="mql", model_version=version,
    )  # fmt: skip


@st.composite
def nights(draw: st.DrawFn) -> list[Night]:
    days = sorted(draw(st.lists(st.integers(0, 90), min_size=1, max_size=6, unique=True)))
    made = []
    for day in days:
        low, p, high = sorted(draw(st.lists(st.floats(0, 1), min_size=3, max_size=3)))
        made.append(night(day, p, low, high))
    return made


MIRROR = {"improving": "declining", "declining": "improving", "steady": "steady", "unknown": "unknown"}


@given(nights())
def test_a_word_is_given_only_beyond_both_intervals(history: list[Night]) -> None:
    found = trend(history)
    assert (found.since is None) == (found.direction == "unknown")
    if found.since is None:
        return
    assert 0 < found.days <= TREND_DAYS
    rose = found.newest.probability > found.since.probability_high
    fell = found.newest.probability < found.since.probability_low
    assert found.direction != "improving" or (rose and found.since.probability < found.newest.probability_low)
    assert found.direction != "declining" or (fell and found.since.probability > found.newest.probability_high)


@given(nights())
def test_backwards_what_rose_falls(history: list[Night]) -> None:
    recent = [one for one in history if one.as_of >= history[-1].as_of - TREND_DAYS * MICROSECONDS_PER_DAY]
    times = [one.as_of for one in recent]
    back = [replace(one, as_of=at) for one, at in zip(recent[::-1], times, strict=True)]
    assert trend(back).direction == MIRROR[trend(recent).direction]


def test_the_newest_is_held_against_the_first_of_the_last_weeks() -> None:
    long_ago = night(0, 0.9, 0.8, 0.95)
    history = [long_ago, night(40, 0.10, 0.08, 0.12), night(50, 0.5, 0.4, 0.6), night(60, 0.3, 0.25, 0.35, version="2")]
    found = trend(history)
    assert (found.direction, found.since, found.days) == ("improving", history[1], 20)
    assert found.versions == ("1", "2")


def test_what_is_hardly_a_move_is_steady_however_narrow_the_intervals() -> None:
    assert trend([night(0, 0.100, 0.0999, 0.1001), night(9, 0.103, 0.1029, 0.1031)]).direction == "steady"
    assert trend([night(0, 0.0, 0.0, 0.0), night(9, 0.5, 0.4, 0.6)]).direction == "improving"

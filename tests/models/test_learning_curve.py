"""The learning curve: nested parts, judged alike, and a sentence that follows from the figures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import TooLittleData
from features.tables import MICROSECONDS_PER_DAY as DAY
from models.backtest import Backtest, backtest, cut
from models.evaluation import Difference
from models.intervals import Interval
from models.learning_curve import Point, drawn, learning_curve, says
from tests.models.test_backtest import nothing_learned


@given(st.lists(st.text(max_size=4), max_size=50), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_part_holds_every_smaller_one_and_a_lead_is_in_it_whole(
    leads: list[str], one: float, other: float
) -> None:
    lead_id = np.array(leads, object)
    small, large = drawn(lead_id, min(one, other)), drawn(lead_id, max(one, other))
    assert not (small & ~large).any()
    for lead in set(leads):
        assert len(set(small[lead_id == lead])) == 1


def test_parts_are_about_as_large_as_they_say() -> None:
    leads = np.array([f"lead-{n}" for n in range(4000)], object)
    for share in (0.125, 0.25, 0.5):
        assert drawn(leads, share).mean() == pytest.approx(share, abs=0.03)
    assert drawn(leads, 1.0).all()


def made(least: int = 0) -> tuple[Backtest, np.ndarray, np.ndarray, dict]:
    """Two hundred leads on forty days; the more snapshots are learned from, the closer to the truth."""
    generator = np.random.default_rng(5)
    as_of, lead_id = np.repeat(np.arange(40), 50) * DAY, np.array([f"l{n % 200}" for n in range(2000)], object)
    truth = generator.normal(-1, 1.5, 2000)
    outcome = (generator.random(2000) < 1 / (1 + np.exp(-truth))).astype(np.int64)

    def learn(rows: np.ndarray, _: np.ndarray):
        if len(rows) < least:
            raise TooLittleData("too few")
        return nothing_learned(rows)

    procedure = {
        "known_at": np.zeros_like(outcome),
        "learn": learn,
        "log_odds": lambda learned, rows: truth[rows] + 40 / np.sqrt(learned.trained) * np.sin(np.arange(len(rows))),
    }
    found = backtest(cut(as_of, test_share=0.3, cut_offs=2, horizon_days=2), outcome, contestants={}, **procedure)
    return found, outcome, lead_id, procedure


def test_the_curve_falls_where_more_is_learned_from_more() -> None:
    found, outcome, lead_id, procedure = made()
    points = learning_curve(found, outcome, lead_id, resamples=100, seed=1, **procedure)
    assert [point.share for point in points] == [0.125, 0.25, 0.5, 1.0]
    assert [point.log_loss.value for point in points] == sorted((p.log_loss.value for p in points), reverse=True)
    assert points[0].doubling is None
    assert points[-1].leads == 200
    assert points[-1].doubling.interval.value == pytest.approx(points[-1].log_loss.value - points[-2].log_loss.value)
    assert says(points).startswith("More leads would still help: the last doubling, to 200, gained +")


def test_conversions_are_counted_as_they_were_known_at_the_cut_off() -> None:
    found, outcome, lead_id, procedure = made()
    newest = found.folds[-1].fold
    late = np.flatnonzero(outcome)[0]
    points = learning_curve(found, outcome, lead_id, resamples=20, seed=1, **procedure)
    known_at = procedure["known_at"].copy()
    known_at[late] = newest.begins
    told = learning_curve(found, outcome, lead_id, resamples=20, seed=1, **(procedure | {"known_at": known_at}))
    assert late in newest.split.earlier
    assert points[-1].converted - told[-1].converted == 1


def test_parts_that_are_too_small_are_left_out() -> None:
    found, outcome, lead_id, procedure = made(least=1000)
    points = learning_curve(found, outcome, lead_id, resamples=20, seed=1, **procedure)
    assert [point.share for point in points] == [1.0]
    assert says(points) == "With 200 leads there is no smaller part to compare with: get more history."


def test_what_is_said_follows_the_interval() -> None:
    def point(leads: int, value: float, low: float, high: float, word: str | None) -> Point:
        loss = Interval(0.4, 0.39, 0.41)
        doubling = None if word is None else Difference(Interval(value, low, high), word)
        return Point(leads / 800, leads, leads * 2, leads // 5, loss, loss, doubling)

    first, useful = point(100, 0, 0, 0, None), point(200, -0.02, -0.03, -0.01, "better")
    flat, wide = point(400, -0.0005, -0.0015, 0.0005, "level"), point(400, -0.002, -0.02, 0.016, "level")
    assert says([first, useful, flat]).startswith("More leads no longer help beyond about 200: ")
    assert says([first, useful, wide]).startswith("It cannot be told whether more leads would help")
    assert says([first, useful]).startswith("More leads would still help")

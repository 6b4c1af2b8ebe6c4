"""The backtest: periods that follow one another, each foretold from what was known when it began."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import TooLittleData
from features.tables import MICROSECONDS_PER_DAY as DAY
from models.backtest import backtest, cut
from models.calibration import identity
from models.estimator import Learned, Members, Model

Days = st.lists(st.integers(0, 60), min_size=1, max_size=80)


def nothing_learned(rows: np.ndarray, _: np.ndarray | None = None) -> Learned:
    return Learned(
        Model(Members.__new__(Members), identity()), trained=len(rows), calibrated=0, dropped_in_gap=0, trees=0,
        penalty=1.0, notes=(),
    )  # fmt: skip


@given(days=Days, cut_offs=st.integers(1, 6), horizon=st.integers(1, 20), share=st.sampled_from([0.1, 0.3, 0.6]))
def test_no_outcome_learned_from_was_open_when_the_period_began(
    days: list[int], cut_offs: int, horizon: int, share: float
) -> None:
    as_of = np.array(days, np.int64) * DAY
    folds = cut(as_of, test_share=share, cut_offs=cut_offs, horizon_days=horizon)
    assert 1 <= len(folds) <= cut_offs
    for fold in folds:
        later = as_of[fold.split.later]
        assert later.size
        assert later.min() == fold.begins
        for row in fold.split.earlier:
            assert as_of[row] + horizon * DAY <= fold.begins
        before = set(np.flatnonzero(as_of < fold.begins))
        assert {*fold.split.earlier, *fold.split.gap} == before, "what is not learned from lies in the gap"


@given(days=Days, cut_offs=st.integers(1, 6), share=st.sampled_from([0.1, 0.3, 0.6]))
def test_the_periods_are_the_test_cut_in_order(days: list[int], cut_offs: int, share: float) -> None:
    as_of = np.array(days, np.int64) * DAY
    one = cut(as_of, test_share=share, cut_offs=1, horizon_days=5)[0].split.later
    folds = cut(as_of, test_share=share, cut_offs=cut_offs, horizon_days=5)
    told = np.concatenate([fold.split.later for fold in folds])
    assert sorted(told) == sorted(one)
    assert len(set(told)) == len(told)
    ends = [(as_of[fold.split.later].min(), as_of[fold.split.later].max()) for fold in folds]
    assert all(before[1] < after[0] for before, after in itertools.pairwise(ends))


def test_everybody_learns_from_the_earlier_rows_and_foretells_the_later_ones() -> None:
    as_of = np.repeat(np.arange(40), 5) * DAY
    outcome = np.tile([0, 0, 1, 0, 1], 40)
    days: list[tuple[int, int]] = []

    def rate(earlier: np.ndarray, seen: np.ndarray, later: np.ndarray) -> np.ndarray:
        days.append((as_of[earlier].max() // DAY, as_of[later].min() // DAY))
        return np.full(len(later), seen.mean())

    found = backtest(
        cut(as_of, test_share=0.3, cut_offs=3, horizon_days=4),
        outcome,
        known_at=np.zeros_like(outcome),
        learn=nothing_learned,
        log_odds=lambda _, rows: np.zeros(len(rows)),
        contestants={"rate": rate},
    )
    assert [later - earlier for earlier, later in days] == [4, 4, 4]
    assert found.row.tolist() == list(range(140, 200))
    assert found.probability["model"].tolist() == [0.5] * 60
    assert found.probability["rate"].tolist() == [0.4] * 60
    assert found.base_rate.tolist() == [0.4] * 60
    assert [told.fold.number for told in found.folds] == [1, 2, 3]


def test_a_conversion_recorded_after_the_cut_off_was_none_yet() -> None:
    as_of, outcome = np.arange(20) * DAY, np.tile([0, 1], 10)
    known_at = np.where(outcome, as_of + 8 * DAY, 0)  # within the horizon it happened, long after it was recorded
    (fold,) = cut(as_of, test_share=0.2, cut_offs=1, horizon_days=1)
    seen: dict[str, np.ndarray] = {}

    def learn(rows: np.ndarray, outcomes: np.ndarray) -> Learned:
        seen["outcome"] = outcomes
        return nothing_learned(rows)

    asked = {"known_at": known_at, "learn": learn, "log_odds": lambda _, rows: np.zeros(len(rows))}
    told = backtest([fold], outcome, contestants={}, **asked).folds[0]
    assert fold.begins == 16 * DAY
    assert seen["outcome"].tolist() == [0, 1] * 4 + [0] * 8
    assert told.base_rate == 4 / 16


def test_a_cut_off_with_too_little_before_it_is_skipped_and_said() -> None:
    as_of, outcome = np.arange(20) * DAY, np.tile([0, 1], 10)

    def learn(rows: np.ndarray, _: np.ndarray) -> Learned:
        if len(rows) < 15:
            raise TooLittleData("fifteen are needed")
        return nothing_learned(rows)

    def told(learner: object, share: float) -> list[str]:
        folds = cut(as_of, test_share=share, cut_offs=2, horizon_days=1)
        found = backtest(
            folds,
            outcome,
            known_at=np.zeros_like(outcome),
            learn=learner,
            log_odds=lambda _, rows: np.zeros(len(rows)),
            contestants={},
        )
        assert [one.fold.number for one in found.folds] == [2]
        return list(found.skipped)

    assert told(learn, 0.4) == ["cut-off 1 was skipped: fifteen are needed"]
    with pytest.raises(TooLittleData, match="fifteen"):
        told(learn, 0.6)

"""Every lead is in one segment of each column, and the word goes by what is more than chance."""

import json

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation import evaluate, paired_difference
from models.segments import LEAST_TO_RANK, MOST_VALUES, NOT_KNOWN, OTHER, Segment, by_segment

Floats = npt.NDArray[np.float64]


def simulated(n: int = 900, *, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """Calibrated probabilities, outcomes and lead ids (about two snapshots per lead)."""
    random = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-random.normal(-1.0, 1.0, n)))
    return p, (random.random(n) < p).astype(float), random.integers(0, n // 2, n)


def rows_of(labels: object, *, n: int = 900, resamples: int = 30) -> list[Segment]:
    p, y, lead = simulated(n)
    asked = {"lead_id": lead, "base_rate_probability": 0.3, "resamples": resamples}
    return list(by_segment({"column": labels}, p, y, **asked))  # type: ignore[dict-item, arg-type]


@settings(max_examples=20)
@given(st.lists(st.sampled_from(["a", "b", " ", "", None, np.nan, *map(str, range(14))]), min_size=40, max_size=40))
def test_every_snapshot_is_in_one_segment(labels: list[str | None]) -> None:
    p, y, lead = simulated(40)
    rows = by_segment({"c": labels}, p, y, lead_id=lead, base_rate_probability=0.3, resamples=5)
    assert sum(row.snapshots for row in rows) == 40
    values = [row.value for row in rows]
    assert len(set(values)) == len(values) <= MOST_VALUES + 2
    assert (NOT_KNOWN in values) == any(value not in {"a", "b", *map(str, range(14))} for value in labels)
    assert values[len([v for v in values if v not in (OTHER, NOT_KNOWN)]) :] in (
        [],
        [OTHER],
        [NOT_KNOWN],
        [OTHER, NOT_KNOWN],
    )
    named = [row for row in rows if row.value not in (OTHER, NOT_KNOWN)]
    assert [(-row.leads, row.value) for row in named] == sorted((-row.leads, row.value) for row in named)
    for row in rows:
        assert 0 <= row.wilson_low <= row.observed_rate <= row.wilson_high <= 1
        assert row.converted <= row.leads <= row.snapshots
        assert row.pooled_rate is not None
        assert 0 <= row.pooled_rate.low <= row.pooled_rate.value <= row.pooled_rate.high <= 1
    json.dumps([row.as_dict() for row in rows], allow_nan=False)


def test_a_segment_is_what_would_be_told_of_its_snapshots_alone() -> None:
    p, y, lead = simulated()
    labels = np.where(np.random.default_rng(5).random(p.size) < 0.4, "small", "large").astype(object)
    base = np.where(lead % 2, 0.2, 0.3)
    large, small = by_segment({"size": labels}, p, y, lead_id=lead, base_rate_probability=base, resamples=40, seed=2)
    for row, value in ((large, "large"), (small, "small")):
        inside = labels == value
        alone = evaluate(p[inside], y[inside], lead_id=lead[inside], base_rate_probability=0.3, resamples=40, seed=2)
        assert (row.column, row.value, row.snapshots, row.leads) == ("size", value, alone.snapshots, alone.leads)
        assert row.converted == alone.converted
        assert row.roc_auc == alone.metrics["roc_auc"]
        assert row.calibration_intercept == alone.metrics["calibration_intercept"]
        assert row.log_loss == alone.metrics["log_loss"].value
        above = paired_difference(
            "log_loss", p[inside], base[inside], y[inside], lead_id=lead[inside], resamples=40, seed=2
        )
        assert row.log_loss_above_base_rate.value == pytest.approx(above.value, abs=1e-12)
        assert row.log_loss_above_base_rate.low == pytest.approx(above.low, abs=1e-12)
        assert row.log_loss_word == "better"


def test_the_rate_after_pooling_lies_between_what_was_seen_and_what_the_whole_would_make_of_it() -> None:
    rows = rows_of(np.random.default_rng(3).choice(["a", "b", "c"], 900, p=[0.9, 0.08, 0.02]).astype(object))
    whole = rows_of(["all"] * 900)[0]
    assert whole.pooled_intercept is not None
    for row in rows:
        assert row.pooled_rate is not None
        by_the_whole = row.predicted_mean + whole.observed_rate - whole.predicted_mean  # to first order
        low, high = sorted([row.observed_rate, by_the_whole])
        assert low - 0.01 <= row.pooled_rate.value <= high + 0.01
    assert whole.pooled_rate is not None
    assert whole.pooled_rate.value == pytest.approx(whole.observed_rate, abs=1e-9)


@pytest.mark.parametrize(
    ("shift", "word"), [(1.5, "promises too much"), (-1.5, "promises too little"), (0, "as promised")]
)
def test_the_word_says_which_way_a_promise_is_broken(shift: float, word: str) -> None:
    p, y, lead = simulated(3_000)
    labels = np.array(["right", "looked at", "right too"], object)[np.arange(3_000) % 3]
    told = np.where(labels == "looked at", 1 / (1 + np.exp(-np.log(p / (1 - p)) - shift)), p)
    rows = by_segment({"c": labels}, told, y, lead_id=lead, base_rate_probability=0.3, resamples=20)
    assert next(row.word for row in rows if row.value == "looked at") == word


def test_a_handful_of_unlucky_leads_raises_no_alarm() -> None:
    p, y, lead = simulated()
    labels = np.array(["many"] * 890 + ["few"] * 10, object)
    p[-10:], y[-10:], lead[-10:] = 0.2, 0, 10_000 + np.arange(10)
    few = by_segment({"c": labels}, p, y, lead_id=lead, base_rate_probability=0.3, resamples=20)[1]
    assert (few.value, few.converted, few.calibration_intercept, few.roc_auc) == ("few", 0, None, None)
    assert few.word == "as promised"
    assert few.as_dict()["calibration_intercept"] is None


def test_a_ranking_is_judged_from_ten_leads_of_either_outcome() -> None:
    p, lead = np.linspace(0.1, 0.9, 40), np.arange(40)
    for converted, judged in ((LEAST_TO_RANK - 1, False), (LEAST_TO_RANK, True), (31, False)):
        y = np.r_[np.zeros(40 - converted), np.ones(converted)]
        row = by_segment({"c": ["x"] * 40}, p, y, lead_id=lead, base_rate_probability=0.3, resamples=5)[0]
        assert (row.roc_auc is not None) == judged
    y = np.tile([0.0, 1.0], 20)  # twenty rows, but two leads
    row = by_segment({"c": ["x"] * 40}, p, y, lead_id=lead % 2, base_rate_probability=0.3, resamples=5)[0]
    assert row.roc_auc is None


def test_where_nothing_converted_nothing_is_told() -> None:
    p, _, lead = simulated(60)
    rows = by_segment({"c": ["a", "b"] * 30}, p, np.zeros(60), lead_id=lead, base_rate_probability=0.3, resamples=5)
    assert [(row.word, row.pooled_intercept, row.pooled_rate) for row in rows] == [("undefined", None, None)] * 2
    json.dumps([row.as_dict() for row in rows], allow_nan=False)


def test_more_than_twelve_values_leave_the_smallest_to_the_others() -> None:
    labels = np.array([f"value {number:02d}" for number in range(15) for _ in range(60 - 2 * number)][:690], object)
    labels = np.r_[labels, np.array(["other"] * 100, object), np.full(110, None)]
    values = [row.value for row in rows_of(labels)]
    assert len(values) == MOST_VALUES + 2
    assert "other" in values  # a value that is called so stays apart
    assert values[-2:] == [OTHER, NOT_KNOWN]
    assert not {"value 12", "value 13", "value 14"} & set(values)


def test_refuses_what_cannot_be_told_and_changes_nothing_it_was_given() -> None:
    p, y, lead = simulated(50)
    asked = {"lead_id": lead, "base_rate_probability": 0.3}
    labels = np.array(["a", None] * 25, object)
    before = labels.copy(), p.copy()
    by_segment({"c": labels}, p, y, **asked, resamples=2)  # type: ignore[arg-type]
    np.testing.assert_array_equal(before[0], labels)
    np.testing.assert_array_equal(before[1], p)
    with pytest.raises(ValueError, match="at least 1, got 0"):
        by_segment({"c": labels}, p, y, **asked, resamples=0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"found 1.2 at position 3"):
        by_segment({"c": labels}, np.r_[p[:3], 1.2, p[4:]], y, **asked)  # type: ignore[arg-type]

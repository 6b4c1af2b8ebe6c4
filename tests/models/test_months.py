"""Months are calendar months in UTC, empty ones are absent, and what cannot be said is not said."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from models.evaluation import evaluate
from models.months import by_month

JANUARY = 1_704_067_200_000_000  # 2024-01-01 00:00 UTC
DAY = 86_400_000_000


def test_months_are_those_of_the_calendar() -> None:
    random = np.random.default_rng(0)
    as_of = JANUARY + random.integers(0, 150 * DAY, 400)
    p = random.uniform(0.05, 0.6, 400)
    y, lead = (random.random(400) < p).astype(float), random.integers(0, 150, 400)
    rows = by_month(p, y, lead_id=lead, as_of=as_of, resamples=40, seed=1)
    named = pd.to_datetime(as_of, unit="us").strftime("%Y-%m").to_numpy()
    assert [row.month for row in rows] == sorted(set(named))
    for row in rows:
        inside = named == row.month
        alone = evaluate(p[inside], y[inside], lead_id=lead[inside], base_rate_probability=0.3, resamples=40, seed=1)
        assert (row.snapshots, row.leads, row.converted) == (inside.sum(), alone.leads, y[inside].sum())
        assert row.calibration_intercept == alone.metrics["calibration_intercept"]
        assert row.roc_auc == pytest.approx(roc_auc_score(y[inside], p[inside]))
        assert row.observed_low <= row.observed_rate <= row.observed_high
        assert row.observed_rate == y[inside].mean()
        assert row.predicted_mean == pytest.approx(p[inside].mean())
        assert row.word == "as promised"


def test_a_month_begins_at_midnight_utc_and_an_empty_one_is_absent() -> None:
    as_of = [JANUARY - 1, JANUARY, JANUARY + 31 * DAY - 1, JANUARY + 60 * DAY]
    rows = by_month([0.1, 0.2, 0.3, 0.4], [0, 1, 0, 1], lead_id=[1, 2, 3, 3], as_of=as_of, resamples=5)
    assert [(row.month, row.snapshots) for row in rows] == [("2023-12", 1), ("2024-01", 2), ("2024-03", 1)]


def test_a_month_in_which_far_less_happened_than_was_promised_stands_out() -> None:
    random = np.random.default_rng(1)
    p, month = random.uniform(0.05, 0.6, 2_400), np.arange(2_400) % 6
    y = (random.random(2_400) < np.where(month == 4, p / 4, p)).astype(float)
    rows = by_month(p, y, lead_id=np.arange(2_400), as_of=JANUARY + month * 31 * DAY, resamples=40)
    assert rows[4].word == "promises too much"
    assert [row.word for row in rows].count("promises too much") == 1


def test_one_outcome_only_is_undefined_in_words_and_none_in_json() -> None:
    rows = by_month(
        [0.1, 0.2, 0.3], [0, 0, 1], lead_id=[1, 2, 3], as_of=[JANUARY] * 2 + [JANUARY + 40 * DAY], resamples=5
    )
    assert [row.word for row in rows] == ["undefined"] * 2
    plain = json.loads(json.dumps([row.as_dict() for row in rows], allow_nan=False))
    assert (plain[0]["calibration_intercept"], plain[0]["roc_auc"]) == (None, None)
    nothing = by_month([0.1], [0], lead_id=[1], as_of=[JANUARY], resamples=5)[0]
    assert nothing.pooled_intercept is None
    json.dumps(nothing.as_dict(), allow_nan=False)


def test_refuses_no_resamples_and_positions_are_those_of_what_was_given() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        by_month([0.1], [0], lead_id=[1], as_of=[JANUARY], resamples=0)
    with pytest.raises(ValueError, match=r"found 2.0 at position 1"):
        by_month([0.1, 0.1], [0, 2], lead_id=[1, 2], as_of=[JANUARY, JANUARY + 40 * DAY])

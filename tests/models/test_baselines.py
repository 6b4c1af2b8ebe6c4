"""What a model must beat: honest baselines that survive whatever columns a store has."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from models.baselines import base_rate, logistic_regression
from tests.models import data
from tests.models.data import texts


def test_the_base_rate_is_the_training_rate_for_everybody() -> None:
    assert base_rate(np.array([1, 0, 0, 0]), rows=3).tolist() == [0.25] * 3
    assert base_rate(np.array([1, 0]), rows=0).shape == (0,)


def test_logistic_regression_ranks_and_keeps_the_level() -> None:
    rows, later = data.training(), data.fresh()
    p = logistic_regression(rows.frame, rows.outcome, later.frame)
    assert p.shape == later.outcome.shape
    assert ((p > 0) & (p < 1)).all()
    assert roc_auc_score(later.outcome, p) > 0.7
    assert p.mean() == pytest.approx(later.truth.mean(), abs=0.03)


def test_logistic_regression_learns_nothing_from_shuffled_outcomes() -> None:
    rows, later = data.training(), data.fresh()
    shuffled = np.random.default_rng(0).permutation(rows.outcome)
    p = logistic_regression(rows.frame, shuffled, later.frame)
    assert roc_auc_score(np.random.default_rng(1).permutation(later.outcome), p) == pytest.approx(0.5, abs=0.03)


def test_it_is_the_same_every_time_and_changes_nothing_given() -> None:
    rows, later = data.training(), data.fresh().frame.iloc[:100]
    kept, kept_later = rows.frame.copy(deep=True), later.copy(deep=True)
    once = logistic_regression(rows.frame, rows.outcome, later)
    np.testing.assert_array_equal(logistic_regression(rows.frame, rows.outcome, later), once)
    pd.testing.assert_frame_equal(rows.frame, kept)
    pd.testing.assert_frame_equal(later, kept_later)


def test_columns_that_are_all_missing_are_no_obstacle() -> None:
    """In training, later, or in both; and a number that is missing later but never was in training."""
    rows, later = data.training(), data.fresh().frame.iloc[:100]
    empty: dict[str, Any] = {"empty": np.nan, "empty_text": texts([None] * len(rows.frame))}
    p = logistic_regression(
        rows.frame.assign(**empty),
        rows.outcome,
        later.assign(empty=5.0, empty_text=texts(["now there is one"] * 100), visits=np.nan),
    )
    assert np.isfinite(p).all()
    hollow = later.assign(**dict.fromkeys(data.NUMERIC, np.nan), industry=texts([None] * 100))
    assert len(set(logistic_regression(rows.frame, rows.outcome, hollow).tolist())) == 1


def test_unseen_categories_are_as_rare_ones() -> None:
    rows, later = data.training(), data.fresh().frame.iloc[:2]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rare = logistic_regression(rows.frame, rows.outcome, later.assign(industry=texts(["rare 1"] * 2)))
        unseen = logistic_regression(rows.frame, rows.outcome, later.assign(industry=texts(["never seen"] * 2)))
    np.testing.assert_array_equal(rare, unseen)


@pytest.mark.parametrize("names", [["visits", "amount"], ["industry"]])
def test_numbers_alone_and_texts_alone_are_enough(names: list[str]) -> None:
    rows, later = data.training(), data.fresh()
    p = logistic_regression(rows.frame[names], rows.outcome, later.frame[names])
    assert roc_auc_score(later.outcome, p) > 0.6

"""Weights on members are folded into coefficients and leaves: log odds and reasons are what they would have been."""

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calibration import identity
from models.encoding import MISSING
from models.estimator import Model
from models.explanation import explain, linear_centre
from models.members import BLOCK, TREES_LEAST, Members, fit_members
from tests.models import data
from tests.models.data import few_examples

WORTH = st.floats(0, 3)


def members() -> Members:
    return data.learned().model.members


@few_examples
@given(WORTH, WORTH)
def test_weights_are_folded_in_exactly(logistic: float, trees: float) -> None:
    rows, ours = data.fresh().frame.iloc[:50], members()
    before = ours.booster.model_to_string()
    weighted = ours.weighted(logistic=logistic, trees=trees)
    base = ours.encoding.base
    np.testing.assert_allclose(
        weighted.linear_log_odds(rows), base + logistic * (ours.linear_log_odds(rows) - base), atol=1e-10
    )
    np.testing.assert_allclose(weighted.tree_log_odds(rows), trees * ours.tree_log_odds(rows), atol=1e-10)
    read = lgb.Booster(model_str=weighted.booster.model_to_string())
    np.testing.assert_array_equal(
        read.predict(ours.encoding.trees(rows), raw_score=True),
        weighted.booster.predict(ours.encoding.trees(rows), raw_score=True),
    )
    assert ours.booster.model_to_string() == before


@pytest.mark.parametrize(("logistic", "trees"), [(0.0, 0.0), (0.4, 0.0), (0.7, 0.3), (1.0, 1.0)])
def test_reasons_still_sum(logistic: float, trees: float) -> None:
    rows, ours = data.fresh().frame.iloc[:40], members().weighted(logistic=logistic, trees=trees)
    told = explain(Model(ours, identity()), rows, centre=linear_centre(ours.encoding, rows))
    np.testing.assert_allclose(told.base + told.values.sum(axis=1), told.log_odds, atol=1e-6)
    if logistic == trees == 0:
        np.testing.assert_allclose(told.log_odds, ours.encoding.base, atol=1e-9)


def test_the_first_trees_are_those_of_a_smaller_model() -> None:
    rows, ours = data.fresh().frame.iloc[:50], members()
    matrix = ours.encoding.trees(rows)
    for trees in (1, BLOCK, BLOCK + 7, 10**6):
        np.testing.assert_allclose(
            ours.tree_log_odds(rows, trees=trees),
            ours.booster.predict(matrix, raw_score=True, num_iteration=min(trees, ours.booster.num_trees())),
            atol=1e-12,
        )
    assert (ours.tree_log_odds(rows, trees=0) == 0).all()


def test_a_later_slice_of_another_level_asks_for_as_many_trees() -> None:
    """Trees are judged by what they tell apart: a level that has moved is not theirs to mend."""
    rows, later = data.simulated(400, seed=6), data.simulated(400, seed=7)
    leads = np.asarray(rows.lead_id, object)

    def wanted(outcome: data.Integers) -> int:
        return fit_members(rows.frame, rows.outcome, leads, monotone={}, seed=1, later=(later.frame, outcome)).wanted

    assert wanted(later.outcome) >= TREES_LEAST
    alike = np.zeros(len(later.outcome), np.int64)
    assert wanted(alike) == TREES_LEAST
    assert MISSING in str(members().encoding.as_dict())


@pytest.mark.parametrize("rows", range(1, 34))
def test_a_lead_gets_the_same_bits_whoever_stands_beside_it(rows: int) -> None:
    frame, ours = data.fresh().frame, members()
    np.testing.assert_array_equal(ours.log_odds(frame.iloc[:rows]), ours.log_odds(frame)[:rows])

"""Contributions are exact: whatever the lead and the model, they add up to the log odds that are scored."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calibration import Calibrator, identity
from models.estimator import Members, Model
from models.explanation import explain, importance, linear_centre, unused
from tests.models import data
from tests.models.data import few_examples, texts

ODD = [np.nan, 0.0, -1.0, 1e9, 1e308]


@st.composite
def rows_and_models(draw: st.DrawFn) -> tuple[pd.DataFrame, Model]:
    """Some rows with cells emptied or blown up, and a model with other coefficients and another calibrator."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    frame = data.fresh().frame.iloc[random.integers(0, 6_000, draw(st.integers(0, 12)))].reset_index(drop=True)
    for name in data.NUMERIC:
        odd = random.random(len(frame)) < 0.2
        frame[name] = np.where(odd, random.choice(ODD, len(frame)), frame[name].to_numpy(np.float64))
    names = [*data.INDUSTRIES, "never seen", None]
    frame["industry"] = texts([names[at] for at in random.integers(0, len(names), len(frame))])
    members = data.learned().model.members
    if draw(st.booleans()):
        coefficients = random.normal(size=len(members.coefficients))
        members = replace(members, coefficients=coefficients, intercept=float(random.normal()))
    calibrator = draw(st.sampled_from([identity(), Calibrator("beta", a=0.5, b=2.0, c=-1.0)]))
    return frame, Model(members, calibrator)


@few_examples
@given(rows_and_models())
def test_contributions_add_up_to_the_calibrated_log_odds(drawn: tuple[pd.DataFrame, Model]) -> None:
    frame, model = drawn
    centre = linear_centre(model.members.encoding, data.training().frame)
    told = explain(model, frame, centre=centre)
    assert told.features == tuple(frame.columns)
    assert told.values.shape == frame.shape
    np.testing.assert_allclose(told.base + told.values.sum(axis=1) + told.calibration, told.log_odds, atol=1e-6)
    np.testing.assert_allclose(told.log_odds, model.log_odds(frame), atol=1e-12)
    np.testing.assert_allclose(1 / (1 + np.exp(-told.log_odds)), model.probability(frame), atol=1e-12)
    at = [told.features.index(name) for name in ("constant", "one_text")]
    assert (told.values[:, at] == 0).all()


def test_the_average_training_lead_has_nothing_to_explain_in_the_logistic_member() -> None:
    model, rows = data.learned().model, data.training().frame
    centre = linear_centre(model.members.encoding, rows)
    told = explain(model, rows, centre=centre)
    np.testing.assert_allclose(told.values.mean(axis=0), 0, atol=0.1)
    assert told.base == pytest.approx(model.members.log_odds(rows).mean(), abs=0.1)


def test_a_lead_is_explained_alike_in_any_company() -> None:
    model, rows = data.learned().model, data.fresh().frame.iloc[:50]
    centre = linear_centre(model.members.encoding, rows)
    together = explain(model, rows, centre=centre)
    for row in range(0, 50, 10):
        alone = explain(model, rows.iloc[row : row + 1], centre=centre)
        np.testing.assert_allclose(alone.values[0], together.values[row], atol=1e-12)
        assert alone.base == pytest.approx(together.base, abs=1e-12)


def test_no_rows_have_no_contributions() -> None:
    release = data.release()
    told = explain(release.model, data.training().frame.iloc[:0], centre=release.centre)
    assert told.values.shape == (0, 8)
    assert told.log_odds.shape == told.calibration.shape == (0,)


def test_contributions_that_do_not_add_up_are_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Members.log_odds
    monkeypatch.setattr(Members, "log_odds", lambda self, frame: honest(self, frame) + 1e-3)
    with pytest.raises(AssertionError, match="the reasons do not add up to the log odds"):
        explain(data.release().model, data.training().frame.iloc[:5], centre=data.release().centre)


def test_importance_finds_what_decides() -> None:
    release = data.release()
    weight = importance(release.model, data.training().frame, centre=release.centre)
    assert list(weight) == list(data.training().frame.columns)
    assert min(weight.values()) == 0
    assert weight["constant"] == weight["one_text"] == 0
    assert max(weight, key=lambda name: weight[name]) in {"visits", "industry"}
    deciding = {"visits", "industry", "demo_requests", "unsubscribes", "days_since_act"}
    assert weight["amount"] < 0.5 * min(weight[name] for name in deciding)


def test_unused_features_are_those_of_one_value() -> None:
    members = data.learned().model.members
    assert unused(members, tuple(data.training().frame.columns)) == ["constant", "one_text"]
    assert unused(members, ("visits",)) == []


def test_nothing_given_is_changed() -> None:
    frame: Any = data.fresh().frame.iloc[:20]
    kept = frame.copy(deep=True)
    explain(data.release().model, frame, centre=data.release().centre)
    pd.testing.assert_frame_equal(frame, kept)

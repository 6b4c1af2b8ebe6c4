"""The model finds the truth of a simulated world, and nothing where there is nothing; the same model every time."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from features.errors import TooLittleData
from models import held_out
from models.calibration_choice import CANDIDATES
from models.estimator import Learned, check_enough
from models.held_out import ORIGINS
from models.members import TREES_LEAST, TREES_MOST
from tests.models import data
from tests.models.data import Floats, Simulated, learn_from, simulated

#: The least that may be lost to summing in another order.
ROUNDING = 1e-12


@pytest.fixture(scope="module")
def small() -> Simulated:
    return simulated(250, seed=4)


@pytest.fixture(scope="module")
def small_learned(small: Simulated) -> Learned:
    return learn_from(small)


def log_odds(p: Floats) -> Floats:
    return np.log(p / (1 - p))


def test_probabilities_are_near_the_truth() -> None:
    rows = data.fresh()
    p = data.learned().model.probability(rows.frame)
    assert ((p > 0) & (p < 1)).all()
    assert np.abs(p - rows.truth).mean() < 0.045
    assert np.corrcoef(log_odds(p), log_odds(rows.truth))[0, 1] > 0.95
    ranks, best = roc_auc_score(rows.outcome, p), roc_auc_score(rows.outcome, rows.truth)
    assert best - 0.025 < ranks <= best + 0.005


def test_probabilities_are_calibrated() -> None:
    rows = data.fresh()
    p = data.learned().model.probability(rows.frame)
    assert p.mean() == pytest.approx(rows.truth.mean(), abs=0.02)
    line = LogisticRegression(C=np.inf).fit(log_odds(p)[:, None], rows.outcome)
    assert line.coef_[0, 0] == pytest.approx(1.0, abs=0.15)
    for tenth in np.array_split(np.argsort(p), 10):
        assert p[tenth].mean() == pytest.approx(rows.truth[tenth].mean(), abs=0.06)


def test_what_was_learned_is_told() -> None:
    rows, learned = data.training(), data.learned()
    assert learned.trained + learned.dropped_in_gap + learned.calibrated == len(rows.outcome)
    assert learned.dropped_in_gap > 0
    assert TREES_LEAST <= learned.trees <= TREES_MOST
    assert learned.model.members.booster.num_trees() == learned.trees
    assert learned.notes == ()
    assert learned.weights["logistic"] > 0.4
    told = learned.calibration
    assert told["windows"] == len(ORIGINS)
    assert {one["method"] for one in told["choices"]} <= set(CANDIDATES)
    assert told["method"] in [one["method"] for one in told["choices"]]
    moved = told["prior_shift"]
    assert moved["shift"] == pytest.approx(moved["share"] * moved["gap"])
    assert {"predicted_before", "predicted_after", "observed"} <= set(moved["judged"][-1])
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_a_level_that_has_moved_is_followed_and_told() -> None:
    rows = data.training()
    newer = np.where(rows.as_of > np.quantile(rows.as_of, 0.6), rows.outcome, 0)
    given = np.where(np.arange(len(newer)) % 3 == 0, rows.outcome, newer)
    learned = learn_from(replace(rows, outcome=given.astype(np.int64)))
    moved = learned.calibration["prior_shift"]
    assert moved["gap"] > 0.3
    assert 0 < moved["shift"] <= moved["gap"] / 2
    assert learned.model.calibrator.c >= moved["shift"]


def test_the_same_rows_give_the_same_model_in_whatever_order(small: Simulated, small_learned: Learned) -> None:
    order = np.random.default_rng(0).permutation(len(small.outcome))
    for again in (learn_from(small), learn_from(small.take(order))):
        assert again.model.members.encoding == small_learned.model.members.encoding
        assert again.model.calibrator == small_learned.model.calibrator
        ours, theirs = small_learned.model.members.booster, again.model.members.booster
        assert ours.model_to_string() == theirs.model_to_string()
        np.testing.assert_array_equal(
            again.model.probability(small.frame), small_learned.model.probability(small.frame)
        )
        assert (again.trees, again.penalty, again.notes) == (
            small_learned.trees,
            small_learned.penalty,
            small_learned.notes,
        )


def test_another_seed_draws_other_bags_and_hardly_another_model(small: Simulated, small_learned: Learned) -> None:
    other = learn_from(small, seed=8).model.probability(small.frame)
    difference = np.abs(other - small_learned.model.probability(small.frame))
    assert 0 < difference.mean() < 0.03


def test_a_lead_is_scored_alike_in_any_company() -> None:
    rows, model = data.fresh().take(np.arange(300)), data.learned().model
    together = model.probability(rows.frame)
    order = np.random.default_rng(0).permutation(300)
    np.testing.assert_allclose(model.probability(rows.frame.iloc[order]), together[order], atol=ROUNDING)
    alone = [model.probability(rows.frame.iloc[row : row + 1])[0] for row in range(0, 300, 15)]
    np.testing.assert_allclose(alone, together[::15], atol=ROUNDING)


def moves(learned: Learned, frame: pd.DataFrame, name: str) -> Floats:
    """(steps, rows): how the probability moves where only one feature rises."""
    steps = [-1e308, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 30.0, 1e308]
    return np.diff([learned.model.probability(frame.assign(**{name: step})) for step in steps], axis=0)


def test_monotone_features_move_the_probability_the_declared_way() -> None:
    rows = data.fresh().take(np.arange(400)).frame
    for name, sign in data.MONOTONE.items():
        moved = moves(data.learned(), rows, name) * sign
        assert (moved >= -ROUNDING).all()
        assert moved.max() > 0.01


def test_a_declaration_holds_against_the_data(small: Simulated) -> None:
    """Visits raise the probability in this world; where it is declared that they may not, they do not."""
    assert (moves(learn_from(small, monotone={}), small.frame, "visits").sum(axis=0) > 0).mean() > 0.9
    assert (moves(learn_from(small, monotone={"visits": -1}), small.frame, "visits") <= ROUNDING).all()


def test_shuffled_outcomes_teach_nothing(small: Simulated) -> None:
    random = np.random.default_rng(0)
    learned = learn_from(replace(small, outcome=random.permutation(small.outcome)))
    later = data.fresh()
    p = learned.model.probability(later.frame)
    assert roc_auc_score(random.permutation(later.outcome), p) == pytest.approx(0.5, abs=0.03)
    assert p.mean() == pytest.approx(small.outcome.mean(), abs=0.03)
    assert p.std() < 0.6 * data.learned().model.probability(later.frame).std()


def test_nothing_given_is_changed(small: Simulated) -> None:
    given = small.take(np.arange(len(small.outcome)))
    kept = (given.frame.copy(deep=True), given.outcome.copy(), given.as_of.copy(), list(given.lead_id))
    learn_from(given).model.probability(given.frame)
    pd.testing.assert_frame_equal(given.frame, kept[0])
    np.testing.assert_array_equal(given.outcome, kept[1])
    np.testing.assert_array_equal(given.as_of, kept[2])
    assert given.lead_id == kept[3]


def test_no_rows_give_no_probabilities() -> None:
    nothing = data.training().frame.iloc[:0]
    model = data.learned().model
    assert model.probability(nothing).shape == (0,)
    assert model.log_odds(nothing).shape == (0,)


@pytest.mark.parametrize("value", [np.nan, 1e308, -1e308, 0.0])
def test_whatever_is_known_of_a_lead_its_probability_is_one(value: float) -> None:
    frame = data.fresh().frame.iloc[:20].assign(**dict.fromkeys(data.NUMERIC, value))
    frame["industry"] = data.texts(["never seen", None] * 10)
    p = data.learned().model.probability(frame)
    assert ((p > 0) & (p < 1)).all()


def test_where_no_outcome_was_known_in_time_nothing_is_calibrated(small: Simulated) -> None:
    learned = learn_from(small, horizon_days=2_000)
    assert learned.model.calibrator.method in ("identity", "intercept")
    assert (learned.trained, learned.calibrated) == (0, len(small.outcome) - learned.dropped_in_gap)
    (note,) = learned.notes
    assert note.startswith(f"not calibrated: at none of {len(ORIGINS)} earlier moments were outcomes of at least")
    assert learned.trees == TREES_LEAST
    # Leads left out of the fit say what it is worth all the same.
    assert min(learned.weights.values()) > 0.2
    assert (learned.calibration["method"], learned.calibration["choices"]) == ("none", [])


def test_where_the_newest_outcomes_are_alike_all_is_learned_from_the_others(small: Simulated) -> None:
    newest = small.as_of >= np.sort(small.as_of)[-len(small.as_of) // 4]
    learned = learn_from(replace(small, outcome=np.where(newest, 0, small.outcome)))
    p = learned.model.probability(small.frame)
    assert ((p > 0) & (p < 1)).all()
    assert learned.calibration["prior_shift"]["gap"] < 0


@pytest.mark.parametrize("seed", range(2))
def test_with_just_enough_outcomes_the_model_is_close_to_the_base_rate_and_no_worse(seed: int) -> None:
    many = simulated(600, seed=seed)
    keep = np.flatnonzero((many.outcome == 0) | (np.cumsum(many.outcome) <= 42))
    few = many.take(keep)
    fresh = data.fresh()
    p = learn_from(few).model.probability(fresh.frame)
    rate = few.outcome.mean()
    shift = log_odds(np.array([rate]))[0] - log_odds(np.array([fresh.truth.mean()]))[0]
    truth = 1 / (1 + np.exp(-(log_odds(fresh.truth) + shift)))

    def expected(prediction: Floats) -> float:
        return float(-(truth * np.log(prediction) + (1 - truth) * np.log1p(-prediction)).mean())

    assert expected(p) < 1.01 * expected(np.full(len(truth), rate))


def test_members_of_an_origin_are_fitted_on_whole_leads_of_every_part_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = data.training()
    leads = np.asarray(rows.lead_id, object)
    monkeypatch.setattr(held_out, "ORIGIN_ROWS", 700)
    monkeypatch.setattr(held_out, "IN_TIME_ROWS", 700)
    some = held_out._sampled(leads, most=700)
    assert some.mean() == pytest.approx(1 / 3, abs=0.06)
    assert not set(leads[some]) & set(leads[~some])
    assert (held_out._sampled(leads[::-1], most=700) == some[::-1]).all()
    assert min(learn_from(rows).weights.values()) > 0.3


def test_progress_is_told_step_by_step(small: Simulated) -> None:
    said: list[str] = []
    learn_from(small, progress=said.append)
    assert [line.split()[0] for line in said] == ["fitting"] * 3 + ["choosing"]


@pytest.mark.parametrize(("converted", "not_converted"), [(39, 300), (300, 39), (0, 300), (300, 0), (0, 0)])
def test_too_few_outcomes_are_refused_and_counted(converted: int, not_converted: int) -> None:
    rows = simulated(200, seed=5).take(np.arange(converted + not_converted))
    outcome = np.array([1] * converted + [0] * not_converted, np.int64)
    says = (
        rf"training needs at least 40 snapshots that converted and 40 that did not; found {converted} and "
        rf"{not_converted}\. Import more history"
    )
    with pytest.raises(TooLittleData, match=says):
        learn_from(replace(rows, outcome=outcome))


def test_just_enough_outcomes_are_enough() -> None:
    check_enough(np.array([1] * 40 + [0] * 40), where="training")


def test_columns_that_tell_no_lead_from_another_are_refused() -> None:
    rows = simulated(100, seed=5)
    alike = replace(rows, frame=rows.frame[["constant", "one_text"]], outcome=np.arange(300, dtype=np.int64) % 2)
    with pytest.raises(TooLittleData, match=r"Each of the 2 columns holds the same value in all .* Import profiles"):
        learn_from(alike)


def test_text_alone_and_numbers_alone_are_enough(small: Simulated) -> None:
    for names in (["industry"], ["visits"]):
        p = learn_from(replace(small, frame=small.frame[names])).model.probability(small.frame[names])
        assert roc_auc_score(small.outcome, p) > 0.6

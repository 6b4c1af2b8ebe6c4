"""What a model must beat: honest baselines that survive whatever columns a store has."""

import warnings
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from models import odoo_bayes as odoo
from models.baselines import (
    CLIP,
    base_rate,
    best_single_feature,
    logistic_regression,
    odoo_bayes,
    odoo_bayes_with_bins,
    odoo_bayes_with_stage,
    points_probability,
)
from models.encoding import CATEGORY_PRIOR, Floats, lead_folds
from models.logistic import fit_logistic
from tests.models import data
from tests.models.data import Integers, few_examples, texts

Baseline = Callable[[pd.DataFrame, Integers, pd.DataFrame], Floats]


def with_stages(frame: pd.DataFrame, outcome: Integers, later: pd.DataFrame) -> Floats:
    return odoo_bayes_with_stage(
        frame,
        outcome,
        later,
        stage=[("lead", None, "sql")[row % 3] for row in range(len(frame))],
        later_stage=[("mql", None)[row % 2] for row in range(len(later))],
    )


def single(frame: pd.DataFrame, outcome: Integers, later: pd.DataFrame) -> Floats:
    return best_single_feature(frame, outcome, later)[1]


BASELINES: Final = (logistic_regression, odoo_bayes, odoo_bayes_with_bins, with_stages, single)
each_baseline = pytest.mark.parametrize("baseline", BASELINES, ids=lambda baseline: baseline.__name__)


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


@each_baseline
def test_it_is_the_same_every_time_and_changes_nothing_given(baseline: Baseline) -> None:
    rows, later = data.training(), data.fresh().frame.iloc[:100]
    kept, kept_later = rows.frame.copy(deep=True), later.copy(deep=True)
    once = baseline(rows.frame, rows.outcome, later)
    np.testing.assert_array_equal(baseline(rows.frame, rows.outcome, later), once)
    pd.testing.assert_frame_equal(rows.frame, kept)
    pd.testing.assert_frame_equal(later, kept_later)


@each_baseline
def test_columns_that_are_all_missing_are_no_obstacle(baseline: Baseline) -> None:
    """In training, later, or in both; and a number that is missing later but never was in training."""
    rows, later = data.training(), data.fresh().frame.iloc[:100]
    empty: dict[str, Any] = {"empty": np.nan, "empty_text": texts([None] * len(rows.frame))}
    p = baseline(
        rows.frame.assign(**empty),
        rows.outcome,
        later.assign(empty=5.0, empty_text=texts(["now there is one"] * 100), visits=np.nan),
    )
    np.testing.assert_array_equal(p, baseline(rows.frame, rows.outcome, later.assign(visits=np.nan)))
    assert np.isfinite(p).all()
    hollow = later.assign(**dict.fromkeys(data.NUMERIC, np.nan), industry=texts([None] * 100))
    assert len(set(baseline(rows.frame, rows.outcome, hollow)[::2].tolist())) == 1


NUMBERS: Final = st.sampled_from([np.nan, -1e12, -1.0, 0.0, 1.0, 2.0, 1e12])
WORDS: Final = st.sampled_from([None, "a", "b", "(missing)", "(other)"])


@st.composite
def problems(draw: st.DrawFn) -> tuple[pd.DataFrame, Integers, pd.DataFrame]:
    """A few rows of a few columns, whatever they hold, and rows to predict that may hold other things."""
    n, m = draw(st.integers(2, 12)), draw(st.integers(1, 4))
    numeric, categorical = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    sides = []
    for size in (n, m):
        numbers = {f"n{i}": np.array(draw(st.lists(NUMBERS, min_size=size, max_size=size))) for i in range(numeric)}
        words = {f"t{i}": texts(draw(st.lists(WORDS, min_size=size, max_size=size))) for i in range(categorical)}
        sides.append(pd.DataFrame({**numbers, **words}, index=range(size)))
    outcome = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    outcome[:2] = 0, 1
    return sides[0], np.array(outcome), sides[1]


@each_baseline
@few_examples
@given(problem=problems())
def test_whatever_the_columns_hold_there_is_a_probability(
    baseline: Baseline, problem: tuple[pd.DataFrame, Integers, pd.DataFrame]
) -> None:
    p = baseline(*problem)
    assert p.shape == (len(problem[2]),)
    # The textbook's logistic regression follows an absurd number to where doubles end.
    assert ((p >= 0) & (p <= 1)).all() if baseline is logistic_regression else ((p > 0) & (p < 1)).all()


@pytest.mark.parametrize("names", [data.NUMERIC, ["industry", "one_text"], list(data.training().frame.columns)])
def test_logistic_regression_is_the_textbooks(names: list[str]) -> None:
    """As scikit-learn prepares it, which takes several times as long."""
    rows, later = data.training(), data.fresh()
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    words = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="(missing)"),
        OneHotEncoder(min_frequency=20, handle_unknown="infrequent_if_exist", sparse_output=False),
    )
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include="float64")),
        (words, make_column_selector(dtype_exclude="float64")),
    )

    def plain(frame: pd.DataFrame) -> pd.DataFrame:
        is_text = frame.dtypes != "float64"
        objects = {n: frame[n].astype(object).where(frame[n].notna(), "(missing)") for n in frame.columns[is_text]}
        return frame.assign(**objects)

    matrix = columns.fit_transform(plain(rows.frame[list(names)]))
    weights, intercept = fit_logistic(matrix, rows.outcome, penalty=1.0, signs=np.zeros(matrix.shape[1], np.int64))
    expected = expit(columns.transform(plain(later.frame[list(names)])) @ weights + intercept)
    found = logistic_regression(rows.frame[list(names)], rows.outcome, later.frame[list(names)])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


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


# Odoo's naive Bayes


def test_odoo_knows_categories_only() -> None:
    rows, later = data.training(), data.fresh()
    p = odoo_bayes(rows.frame, rows.outcome, later.frame)
    assert roc_auc_score(later.outcome, p) > 0.6
    names = ["industry", "one_text"]
    table = odoo.learn(odoo.Leads(rows.frame[names]), rows.outcome)
    np.testing.assert_array_equal(p, table.percent(odoo.Leads(later.frame[names])) / 100)
    prior = odoo_bayes(rows.frame[list(data.NUMERIC)], rows.outcome, later.frame)
    assert prior.tolist() == pytest.approx([rows.outcome.mean()] * len(prior), abs=1e-4)


def test_an_empty_class_of_e_mail_is_a_class() -> None:
    column = texts(["business"] * 50 + [None] * 50)
    outcome = np.repeat([1, 0, 0], [40, 10, 50])
    asked = pd.DataFrame({"email_class": texts([None, "never seen"])})
    empty, unseen = odoo_bayes(pd.DataFrame({"email_class": column}), outcome, asked)
    assert empty < 0.01 < unseen == pytest.approx(0.4, abs=0.01)


def test_bins_let_odoo_see_numbers_and_that_they_are_missing() -> None:
    rows, later = data.training(), data.fresh()
    without = odoo_bayes(rows.frame, rows.outcome, later.frame)
    binned = odoo_bayes_with_bins(rows.frame, rows.outcome, later.frame)
    assert roc_auc_score(later.outcome, binned) > roc_auc_score(later.outcome, without) + 0.05
    number = pd.DataFrame({"n": [*range(10), *[np.nan] * 10]})
    p = odoo_bayes_with_bins(
        number, np.array([0] * 8 + [1] * 2 + [0] * 5 + [1] * 5), pd.DataFrame({"n": [-9.0, 0, 1, 2, 9, 99, np.nan]})
    )
    assert p[0] == p[1] == p[2] == p[3] < p[6] < p[4] == p[5]


def test_the_stage_is_how_far_a_lead_has_come() -> None:
    """By hand: 50 won, 50 lost, of which 10 reached mql or more and 1 is in sql."""
    nothing = pd.DataFrame(index=range(100))
    stage = ["lead"] * 50 + [None] * 30 + ["recycled"] * 10 + ["mql"] * 9 + ["sql"]
    asked = [None, "lead", "recycled", "mql", "sal", "pql", "sql", "opportunity"]
    p = odoo_bayes_with_stage(
        nothing, np.repeat([1, 0], 50), nothing.iloc[:8], stage=stage, later_stage=pd.Series(asked, index=range(7, 15))
    )
    lost = [50.1, 50.1, 50.1, 10.1, 1.1, 1.1, 1.1, 0.1]
    assert p.tolist() == pytest.approx([50.1 / (50.1 + reached) for reached in lost], abs=1e-4)


# The best single feature


def slow_loss(column: "pd.Series[Any]", outcome: Integers, folds: Integers) -> float:
    """Log loss out of fold of a category's smoothed rate, row by row."""
    loss = 0.0
    for value, y, fold in zip(column, outcome, folds, strict=True):
        others = [(v, o) for v, o, f in zip(column, outcome, folds, strict=True) if f != fold]
        base = sum(o for _, o in others) / len(others)
        same = [o for v, o in others if v == value]
        p = (sum(same) + CATEGORY_PRIOR * base) / (len(same) + CATEGORY_PRIOR)
        p = min(max(p, 1e-6), 1 - 1e-6)
        loss -= np.log(p if y else 1 - p)
    return float(loss)


@few_examples
@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.floats(0, 2))
def test_the_best_category_is_the_one_of_least_loss_out_of_fold(seed: int, folds: int, strength: float) -> None:
    random = np.random.default_rng(seed)
    fold = np.arange(60) % folds
    frame = pd.DataFrame({f"t{i}": texts(random.choice(list("abcd")[: i + 1], 60).tolist()) for i in range(4)})
    outcome = (random.random(60) < expit(strength * (frame["t2"] == "a").to_numpy(float) - 1)).astype(np.int64)
    losses = {str(name): slow_loss(frame[name].fillna("(missing)"), outcome, fold) for name in frame.columns}
    name, p = best_single_feature(frame, outcome, frame, folds=fold)
    least = min(losses.values())
    if name is None:
        assert least == pytest.approx(losses["t0"])  # t0 is the same everywhere: the base rate
        assert set(p.tolist()) == {outcome.mean()}
    else:
        assert losses[name] == pytest.approx(least)
        assert p.mean() == pytest.approx(outcome.mean(), abs=0.05)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_may_rise_or_fall_and_missing_is_a_value(sign: int) -> None:
    random = np.random.default_rng(1)
    n = 4_000
    x = random.normal(size=n)
    known = random.random(n) < 0.8
    truth = np.where(known, expit(3 * x - 1), 0.9)
    frame = pd.DataFrame({"noise": random.normal(size=n), "x": np.where(known, sign * x, np.nan), "same": 1.0})
    outcome = (random.random(n) < truth).astype(np.int64)
    asked = pd.DataFrame({"noise": 0.0, "same": 1.0, "x": [-99.0, *np.linspace(-3, 3, 50), 99.0, np.nan]})
    name, p = best_single_feature(frame, outcome, asked)
    assert name == "x"
    assert (sign * np.diff(p[:-1]) >= 0).all()
    assert p[-1] == pytest.approx(0.9, abs=0.05)
    assert p.min() < 0.1
    assert p[:-1].max() > 0.9


def test_it_is_as_good_as_isotonic_regression_on_every_value() -> None:
    rows, later = data.training(), data.fresh()
    folds = lead_folds(rows.lead_id, folds=5)
    name, p = best_single_feature(rows.frame[list(data.NUMERIC)], rows.outcome, later.frame, folds=folds)
    assert name == "visits"
    exact = IsotonicRegression(out_of_bounds="clip", y_min=CLIP, y_max=1 - CLIP).fit(rows.frame[name], rows.outcome)
    exact_loss = log_loss(later.outcome, exact.predict(later.frame[name]))
    assert log_loss(later.outcome, p) == pytest.approx(exact_loss, abs=0.003)
    assert log_loss(later.outcome, p) < log_loss(later.outcome, base_rate(rows.outcome, rows=len(p))) - 0.01


def test_a_name_per_lead_is_not_the_best_feature() -> None:
    """It is known by heart in its own fold, and says nothing in others."""
    rows = data.training()
    frame = rows.frame[["industry"]].assign(name=texts([f"lead {i}" for i in range(len(rows.frame))]))
    assert best_single_feature(frame, rows.outcome, frame)[0] == "industry"


def test_where_no_column_says_anything_it_is_the_base_rate() -> None:
    rows = data.training()
    for frame in (rows.frame[["constant", "one_text"]], rows.frame[[]]):
        name, p = best_single_feature(frame, rows.outcome, frame.iloc[:3])
        assert (name, p.tolist()) == (None, [rows.outcome.mean()] * 3)


def test_one_fold_alone_judges_nothing() -> None:
    rows = data.training()
    one = np.zeros(len(rows.outcome), np.int64)
    assert best_single_feature(rows.frame, rows.outcome, rows.frame, folds=one)[0] is None


# Marketing's points

POINTS: Final = st.lists(st.sampled_from([np.nan, -5.0, 0.0, 10.0, 20.0, 30.0]), min_size=1, max_size=20)


@few_examples
@given(POINTS, POINTS, st.randoms(use_true_random=False))
def test_more_points_are_never_less_likely_and_none_are_least(
    points: list[float], later: list[float], random: Any
) -> None:
    outcome = np.array([random.randint(0, 1) for _ in points])
    p = points_probability(points, outcome, later)
    assert ((p >= CLIP) & (p <= 1 - CLIP)).all()
    order = np.argsort(np.nan_to_num(later, nan=-99.0), kind="stable")
    assert (np.diff(p[order]) >= 0).all()
    ours = points_probability(points, outcome, points)
    if ours.min() > CLIP and ours.max() < 1 - CLIP:
        assert ours.mean() == pytest.approx(outcome.mean())


def test_points_are_as_likely_as_leads_with_so_many_were() -> None:
    points = np.repeat([np.nan, 10.0, 20.0], 100)
    outcome = np.repeat([1, 0, 1, 0, 1, 0], [5, 95, 20, 80, 60, 40])
    asked = [np.nan, 10.0, 20.0, -1000.0, 1000.0]
    assert points_probability(points, outcome, asked).tolist() == pytest.approx([0.05, 0.2, 0.6, 0.05, 0.6], abs=0.005)


def test_points_that_nobody_has_are_the_base_rate() -> None:
    outcome = np.array([1, 0, 0, 0])
    for later in ([np.nan] * 2, [5.0, np.nan]):
        assert points_probability([np.nan] * 4, outcome, later).tolist() == [0.25, 0.25]

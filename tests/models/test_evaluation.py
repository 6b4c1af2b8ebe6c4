"""Metrics agree with scikit-learn, ties included, and their intervals count leads."""

import itertools
import json
import time

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from models.evaluation import Interval, evaluate, paired_difference, verdict
from models.metrics import METRICS, Weighted, rank

LOWER_IS_BETTER = ("log_loss", "brier", "ece")
Floats = npt.NDArray[np.float64]


def simulated(n: int = 600, *, seed: int = 0, decimals: int | None = None) -> tuple[Floats, Floats, Floats]:
    """Calibrated probabilities, outcomes and lead ids (about two snapshots per lead)."""
    random = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-random.normal(-1.0, 1.2, n)))
    y = (random.random(n) < p).astype(float)
    return (p if decimals is None else p.round(decimals)), y, random.integers(0, n // 2, n)


def value(name: str, p: npt.ArrayLike, y: npt.ArrayLike, weights: npt.ArrayLike, *, base: float = 0.3) -> float:
    """One metric with one whole weight per row, each row being its own lead."""
    ranked = rank(p, y, np.arange(np.size(p)), base_rate_probability=base)
    return float(METRICS[name](Weighted(ranked, np.asarray(weights, dtype=float)[None, :]))[0])


@st.composite
def tied_rows(draw: st.DrawFn) -> tuple[Floats, Floats, Floats]:
    """Rows with many ties and whole weights, some zero; both outcomes drawn at least once."""
    n = draw(st.integers(2, 40))
    rows = st.lists(st.integers(1, 9), min_size=n, max_size=n)
    p = np.array(draw(rows)) / 10
    y = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)), dtype=float)
    w = np.array(draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)), dtype=float)
    y[:2], w[:2] = (0, 1), np.maximum(w[:2], 1)
    return p, y, w


def lift_by_repetition(p: Floats, y: Floats, w: Floats) -> float:
    """The slow oracle: expected lift when every tie is broken at random."""
    p, y = np.repeat(p, w.astype(int)), np.repeat(y, w.astype(int))
    wanted, found = 0.1 * p.size, 0.0
    for level in sorted(set(p), reverse=True):
        group = y[p == level]
        taken = min(float(group.size), wanted)
        found += group.mean() * taken
        wanted -= taken
    return float(found / (0.1 * y.sum()))


@given(tied_rows())
def test_agrees_with_scikit_learn_under_ties_and_weights(rows: tuple[Floats, Floats, Floats]) -> None:
    p, y, w = rows
    assert value("roc_auc", p, y, w) == pytest.approx(roc_auc_score(y, p, sample_weight=w), abs=1e-12)
    assert value("pr_auc", p, y, w) == pytest.approx(average_precision_score(y, p, sample_weight=w), abs=1e-12)
    assert value("log_loss", p, y, w) == pytest.approx(log_loss(y, p, sample_weight=w), abs=1e-12)
    assert value("brier", p, y, w) == pytest.approx(brier_score_loss(y, p, sample_weight=w), abs=1e-12)
    constant = brier_score_loss(y, np.full(y.size, 0.3), sample_weight=w)
    assert value("brier_skill", p, y, w) == pytest.approx(1 - value("brier", p, y, w) / constant, abs=1e-12)
    assert value("lift_at_10", p, y, w) == pytest.approx(lift_by_repetition(p, y, w), abs=1e-12)


@given(tied_rows())
def test_weights_mean_repeated_rows(rows: tuple[Floats, Floats, Floats]) -> None:
    p, y, w = rows
    times = w.astype(int)
    for name in set(METRICS) - {"ece"}:  # ece knows whether two rows are two leads or one drawn twice
        repeated = value(name, np.repeat(p, times), np.repeat(y, times), np.ones(times.sum()))
        assert value(name, p, y, w) == pytest.approx(repeated, abs=1e-7, nan_ok=True)


@pytest.mark.parametrize("seed", range(3))
def test_calibration_slope_is_an_unpenalised_logistic_regression(seed: int) -> None:
    p, y, _ = simulated(400, seed=seed)
    w = np.random.default_rng(seed).integers(0, 3, p.size)
    logit = np.log(p / (1 - p))
    oracle = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit[:, None], y, sample_weight=w)
    assert value("calibration_slope", p, y, w) == pytest.approx(oracle.coef_[0, 0], abs=1e-5)
    shift = value("calibration_intercept", p, y, w)
    assert np.sum(w / (1 + np.exp(-logit - shift))) == pytest.approx(np.sum(w * y), abs=1e-7)


@pytest.mark.parametrize(("distorted", "slope"), [(2.0, 0.5), (0.5, 2.0), (-1.0, -1.0)])
def test_calibration_slope_undoes_a_known_distortion(distorted: float, slope: float) -> None:
    p, y, _ = simulated(20_000)
    true = value("calibration_slope", p, y, np.ones(p.size))
    q = 1 / (1 + np.exp(-distorted * np.log(p / (1 - p)) - 1))
    assert value("calibration_slope", q, y, np.ones(p.size)) == pytest.approx(slope * true, abs=1e-6)


def test_calibration_in_the_large_undoes_a_known_shift_even_at_the_edges() -> None:
    p, y, _ = simulated(4_000)
    shifted = 1 / (1 + np.exp(-np.log(p / (1 - p)) + 3))
    plain = value("calibration_intercept", p, y, np.ones(p.size))
    assert value("calibration_intercept", shifted, y, np.ones(p.size)) == pytest.approx(plain + 3, abs=1e-8)
    extreme = value("calibration_intercept", [0.0, 0.0, 1.0, 1.0], [1, 0, 1, 0], np.ones(4))
    assert extreme == pytest.approx(0.0, abs=1e-6)


def test_ece_is_debiased() -> None:
    """Perfect probabilities: nothing left on average. A gap of 0.1 everywhere: 0.1."""
    perfect, plain, shifted = [], [], []
    for seed in range(60):
        p, y, _ = simulated(2_000, seed=seed)
        ones = np.ones(p.size)
        perfect.append(value("ece", p, y, ones))
        shifted.append(value("ece", np.minimum(p + 0.1, 1.0), y, ones))
        order = np.argsort(p)
        plain.append(np.sqrt(np.mean([(p[b].mean() - y[b].mean()) ** 2 for b in np.array_split(order, 10)])))
    assert np.mean(perfect) < 0.5 * np.mean(plain)
    assert np.mean(np.square(perfect) <= 0) > 0.3
    assert np.mean(shifted) == pytest.approx(0.1, abs=0.004)


def test_ece_matches_the_published_formula_with_one_snapshot_per_lead() -> None:
    """Kumar et al. 2019: squared gap minus rate (1 − rate) / (n − 1), for probabilities constant within bins."""
    random = np.random.default_rng(3)
    p = np.repeat(np.arange(1, 11) / 20, 100)
    y = (random.random(p.size) < p + 0.1).astype(float)
    rates = y.reshape(10, 100).mean(axis=1)
    squared = np.mean((rates - np.unique(p)) ** 2 - rates * (1 - rates) / 99)
    assert value("ece", p, y, np.ones(p.size)) == pytest.approx(np.sqrt(squared), abs=1e-12)


def test_permuting_rows_changes_nothing_at_all() -> None:
    p, y, lead = simulated(decimals=2)
    order = np.random.default_rng(1).permutation(p.size)
    settings_ = {"base_rate_probability": 0.3, "resamples": 40}
    assert evaluate(p, y, lead_id=lead, **settings_) == evaluate(p[order], y[order], lead_id=lead[order], **settings_)


def test_a_monotone_map_leaves_ranking_metrics_alone() -> None:
    p, y, lead = simulated(decimals=2)
    before = evaluate(p, y, lead_id=lead, base_rate_probability=0.3, resamples=40)
    after = evaluate(p**3 / 2, y, lead_id=lead, base_rate_probability=0.3, resamples=40)
    for name in ("roc_auc", "pr_auc", "lift_at_10"):
        assert before.metrics[name] == after.metrics[name]
    assert before.metrics["log_loss"] != after.metrics["log_loss"]


@pytest.mark.parametrize("name", [name for name in METRICS if name != "brier_skill"])
def test_swapping_flips_the_difference_and_oneself_is_level(name: str) -> None:
    p, y, lead = simulated(decimals=2)
    q = np.clip(p + np.random.default_rng(2).normal(0, 0.1, p.size), 0.01, 0.99)
    ab = paired_difference(name, p, q, y, lead_id=lead, resamples=60)
    ba = paired_difference(name, q, p, y, lead_id=lead, resamples=60)
    assert (ab.value, ab.low, ab.high) == pytest.approx((-ba.value, -ba.high, -ba.low), abs=1e-12)
    own = paired_difference(name, p, p, y, lead_id=lead, resamples=60)
    assert own == Interval(0.0, 0.0, 0.0)
    assert verdict(own) == "level"


def test_paired_resamples_are_those_of_evaluate() -> None:
    p, y, lead = simulated(decimals=2)
    worst = np.full(p.size, 0.5)
    alone = evaluate(p, y, lead_id=lead, base_rate_probability=0.3, resamples=50, seed=4).metrics["brier"]
    paired = paired_difference("brier", p, worst, y, lead_id=lead, resamples=50, seed=4)  # brier of 0.5 is always 0.25
    expected = (alone.value - 0.25, alone.low - 0.25, alone.high - 0.25)
    assert (paired.value, paired.low, paired.high) == pytest.approx(expected, abs=1e-12)


def test_a_clear_gain_is_better_and_its_reverse_worse() -> None:
    p, y, lead = simulated(1_000)
    blunt = np.full(p.size, y.mean())
    for name in ("log_loss", "brier", "roc_auc", "pr_auc", "lift_at_10"):
        lower = name in LOWER_IS_BETTER
        assert verdict(paired_difference(name, p, blunt, y, lead_id=lead, resamples=80), lower) == "better"
        assert verdict(paired_difference(name, blunt, p, y, lead_id=lead, resamples=80), lower) == "worse"
    assert verdict(Interval(np.nan, np.nan, np.nan)) == "level"


def test_intervals_count_leads_not_rows() -> None:
    """Each lead seen nine times is no more evidence than seen once; nine times the leads is."""
    p, y, _ = simulated(300)
    lead = np.arange(p.size)
    once = evaluate(p, y, lead_id=lead, base_rate_probability=0.3, resamples=200)
    often = evaluate(
        np.repeat(p, 9), np.repeat(y, 9), lead_id=np.repeat(lead, 9), base_rate_probability=0.3, resamples=200
    )
    assert once.converted == often.converted == int(y.sum())
    for name in ("log_loss", "brier", "roc_auc", "calibration_slope"):
        a, b = once.metrics[name], often.metrics[name]
        assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high), abs=0.003)
    for a, b in zip(once.calibration_table, often.calibration_table, strict=True):
        assert (a.leads, a.wilson_low, a.snapshots * 9) == (b.leads, pytest.approx(b.wilson_low), b.snapshots)


def test_intervals_cover() -> None:
    """The AUC interval holds the AUC of a very large sample about 95 % of the time."""
    p, y, _ = simulated(200_000, seed=99)
    truth = roc_auc_score(y, p)
    held = 0
    for seed in range(60):
        p, y, _ = simulated(250, seed=seed)
        interval = paired_difference("roc_auc", p, np.full(p.size, 0.5), y, lead_id=np.arange(p.size), resamples=150)
        held += interval.low <= truth - 0.5 <= interval.high
    assert held >= 52


def test_calibration_table_is_made_of_whole_tie_groups() -> None:
    p, y, lead = simulated(decimals=1)
    table = evaluate(p, y, lead_id=lead, base_rate_probability=0.3, resamples=2).calibration_table
    assert sum(row.snapshots for row in table) == p.size
    for before, row in itertools.pairwise(table):
        assert before.probability_high < row.probability_low
    for row in table:
        inside = (p >= row.probability_low) & (p <= row.probability_high)
        assert row.snapshots == inside.sum()
        assert row.observed_rate == pytest.approx(y[inside].mean())
        assert row.predicted_mean == pytest.approx(p[inside].mean())
        assert row.leads == np.unique(lead[inside]).size
        assert 0 <= row.wilson_low <= row.observed_rate <= row.wilson_high <= 1


def test_wilson_interval_of_a_published_example() -> None:
    """0 of 10: [0, 0.2775] (Newcombe 1998)."""
    row = evaluate([0.2] * 10, [0] * 10, lead_id=range(10), base_rate_probability=0.3, resamples=2).calibration_table[0]
    assert (row.wilson_low, row.wilson_high) == pytest.approx((0.0, 0.2775), abs=1e-4)


def test_one_outcome_only_is_undefined_and_said_so() -> None:
    none = evaluate([0.1, 0.2, 0.3], [0, 0, 0], lead_id=[1, 2, 3], base_rate_probability=0.3, resamples=20)
    for name in ("roc_auc", "pr_auc", "lift_at_10", "calibration_slope", "calibration_intercept"):
        assert np.isnan(none.metrics[name].value)
        assert none.metrics[name].undefined == 20
    assert none.metrics["log_loss"].undefined == 0
    plain = json.loads(json.dumps(none.as_dict(), allow_nan=False))
    assert plain["metrics"]["roc_auc"] == {"value": None, "low": None, "high": None, "undefined": 20}
    assert list(plain["metrics"]) == list(METRICS)


def test_resamples_without_converters_are_left_out_and_counted() -> None:
    y = np.r_[1.0, np.zeros(30)]
    auc = evaluate(np.linspace(0.9, 0.1, 31), y, lead_id=np.arange(31), base_rate_probability=0.3).metrics["roc_auc"]
    assert 100 < auc.undefined < 270  # (30/31)**31 of 500 is 181
    assert auc.low == auc.high == 1.0


def test_separated_or_constant_probabilities_have_no_slope() -> None:
    for p in ([0.1, 0.2, 0.8, 0.9], [0.0, 0.0, 1.0, 1.0], [0.3, 0.3, 0.3, 0.3]):
        assert np.isnan(value("calibration_slope", p, [0, 0, 1, 1], np.ones(4)))


@settings(max_examples=30)
@given(st.data())
def test_nothing_overflows_or_warns(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 12))
    p = data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n))
    y = data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    lead = data.draw(st.lists(st.integers(0, 5), min_size=n, max_size=n))
    result = evaluate(p, y, lead_id=lead, base_rate_probability=0.3, resamples=10)
    for name in ("log_loss", "brier", "brier_skill", "ece"):
        assert np.isfinite(result.metrics[name].value)


@pytest.mark.parametrize(
    ("p", "y", "lead", "words"),
    [
        ([0.1, 0.2], [0], [1, 2], "one entry per snapshot"),
        ([], [], [], "at least one"),
        ([0.1, np.nan], [0, 1], [1, 2], "found nan at position 1"),
        ([0.1, -0.2], [0, 1], [1, 2], r"\[0, 1\]"),
        ([0.1, 0.2], [0, 2], [1, 2], "not mature"),
        ([0.1, 0.2], [0, 1], ["a", None], "null at position 1"),
    ],
)
def test_refuses_what_cannot_be_judged(p: object, y: object, lead: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        evaluate(p, y, lead_id=lead, base_rate_probability=0.3)  # type: ignore[arg-type]


def test_refuses_impossible_settings() -> None:
    with pytest.raises(ValueError, match="strictly between"):
        evaluate([0.1], [0], lead_id=[1], base_rate_probability=0.0)
    with pytest.raises(ValueError, match="at least 1"):
        evaluate([0.1], [0], lead_id=[1], base_rate_probability=0.2, resamples=0)
    with pytest.raises(ValueError, match="must be one of"):
        paired_difference("brier_skill", [0.1], [0.2], [0], lead_id=[1])


def test_inputs_are_not_changed() -> None:
    p, y, lead = simulated(50)
    before = p.copy(), y.copy(), lead.copy()
    evaluate(p, y, lead_id=lead, base_rate_probability=0.3, resamples=3)
    for a, b in zip(before, (p, y, lead), strict=True):
        np.testing.assert_array_equal(a, b)


def test_twenty_thousand_rows_and_a_hundred_resamples_take_little_time() -> None:
    p, y, lead = simulated(20_000)
    start = time.process_time()
    evaluate(p, y, lead_id=lead, base_rate_probability=0.3, resamples=100)
    assert time.process_time() - start < 3.0  # 0.25 s when measured on an idle core

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

from models.ece_null import ece_null95
from models.evaluation import Interval, evaluate, evaluate_together, paired_difference, verdict
from models.metrics import LOWER_IS_BETTER, METRICS, log_loss_above_base_rate, measurable
from models.ranked import Weighted
from models.ranking import rank

#: What can be asked without periods and without a capacity.
ALWAYS = measurable(rank([0.5], [1], [0]))
Floats = npt.NDArray[np.float64]


def simulated(n: int = 600, *, seed: int = 0, decimals: int | None = None) -> tuple[Floats, Floats, Floats]:
    """Calibrated probabilities, outcomes and lead ids (about two snapshots per lead)."""
    random = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-random.normal(-1.0, 1.2, n)))
    y = (random.random(n) < p).astype(float)
    return (p if decimals is None else p.round(decimals)), y, random.integers(0, n // 2, n)


def value(
    name: str,
    p: npt.ArrayLike,
    y: npt.ArrayLike,
    weights: npt.ArrayLike,
    *,
    base: npt.ArrayLike = 0.3,
    period: npt.ArrayLike | None = None,
    share: float | None = None,
) -> float:
    """One metric with one whole weight per row, each row being its own lead."""
    leads = np.arange(np.size(p))
    ranked = rank(p, y, leads, base_rate_probability=base, period=period, capacity_share=share)
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


def captured_by_repetition(p: Floats, y: Floats, w: Floats, share: float) -> float:
    """The slow oracle: expected share of the conversions when every tie is broken at random."""
    p, y = np.repeat(p, w.astype(int)), np.repeat(y, w.astype(int))
    wanted, found = share * p.size, 0.0
    for level in sorted(set(p), reverse=True):
        group = y[p == level]
        taken = min(float(group.size), wanted)
        found += group.mean() * taken
        wanted -= taken
    return float(found / y.sum())


def auc_within_by_pairs(p: Floats, y: Floats, w: Floats, period: Floats) -> float:
    """The slow oracle: every pair of a converter and another of the same period, one by one."""
    first = pairs = 0.0
    for i, j in itertools.product(np.flatnonzero(y == 1), np.flatnonzero(y == 0)):
        if period[i] == period[j]:
            pairs += w[i] * w[j]
            first += w[i] * w[j] * (1.0 if p[i] > p[j] else 0.5 if p[i] == p[j] else 0.0)
    return first / pairs if pairs else np.nan


@given(tied_rows())
def test_agrees_with_scikit_learn_under_ties_and_weights(rows: tuple[Floats, Floats, Floats]) -> None:
    p, y, w = rows
    assert value("roc_auc", p, y, w) == pytest.approx(roc_auc_score(y, p, sample_weight=w), abs=1e-12)
    assert value("pr_auc", p, y, w) == pytest.approx(average_precision_score(y, p, sample_weight=w), abs=1e-12)
    assert value("log_loss", p, y, w) == pytest.approx(log_loss(y, p, sample_weight=w), abs=1e-12)
    assert value("brier", p, y, w) == pytest.approx(brier_score_loss(y, p, sample_weight=w), abs=1e-12)
    constant = brier_score_loss(y, np.full(y.size, 0.3), sample_weight=w)
    assert value("brier_skill", p, y, w) == pytest.approx(1 - value("brier", p, y, w) / constant, abs=1e-12)


@settings(max_examples=40)
@given(tied_rows(), st.sampled_from([1e-9, 0.013, 0.37, 1.0]))
def test_what_the_top_of_the_list_holds_agrees_with_the_slow_oracle(
    rows: tuple[Floats, Floats, Floats], capacity: float
) -> None:
    p, y, w = rows
    for name, share in {"5": 0.05, "10": 0.1, "20": 0.2, "capacity": capacity}.items():
        captured = captured_by_repetition(p, y, w, share)
        assert value(f"captured_at_{name}", p, y, w, share=capacity) == pytest.approx(captured, rel=1e-9, abs=1e-12)
        assert value(f"lift_at_{name}", p, y, w, share=capacity) == pytest.approx(captured / share, rel=1e-9, abs=1e-9)


@settings(max_examples=40)
@given(tied_rows(), st.data())
def test_ranking_within_periods_agrees_with_the_slow_oracle(
    rows: tuple[Floats, Floats, Floats], data: st.DataObject
) -> None:
    p, y, w = rows
    period = np.array(data.draw(st.lists(st.integers(0, 3), min_size=p.size, max_size=p.size)))
    within = value("roc_auc_within", p, y, w, period=period)
    assert within == pytest.approx(auc_within_by_pairs(p, y, w, period), abs=1e-12, nan_ok=True)
    assert value("roc_auc_within", p, y, w, period=np.zeros(p.size)) == value("roc_auc", p, y, w)
    # What only tells one period from another ranks nobody within one.
    assert value("roc_auc_within", period / 10, y, w, period=period) in (0.5, pytest.approx(np.nan, nan_ok=True))


@settings(max_examples=40)
@given(tied_rows(), st.data())
def test_each_snapshot_may_have_its_own_base_rate(rows: tuple[Floats, Floats, Floats], data: st.DataObject) -> None:
    p, y, w = rows
    base = np.array(data.draw(st.lists(st.sampled_from([0.1, 0.25, 0.6]), min_size=p.size, max_size=p.size)))
    constant = brier_score_loss(y, base, sample_weight=w)
    assert value("brier_skill", p, y, w, base=base) == pytest.approx(1 - value("brier", p, y, w) / constant, abs=1e-12)
    weighted = Weighted(rank(p, y, np.arange(p.size), base_rate_probability=base), w[None, :])
    above = log_loss(y, p, sample_weight=w) - log_loss(y, base, sample_weight=w)
    assert log_loss_above_base_rate(weighted)[0] == pytest.approx(above, abs=1e-12)


@given(tied_rows())
def test_weights_mean_repeated_rows(rows: tuple[Floats, Floats, Floats]) -> None:
    p, y, w = rows
    times = w.astype(int)
    for name in set(ALWAYS) - {"ece"}:  # ece knows whether two rows are two leads or one drawn twice
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
    base, period = np.where(lead % 2, 0.2, 0.3), lead % 5 + y  # the same row may come with two base rates
    shuffled = {"lead_id": lead[order], "base_rate_probability": base[order], "period": period[order]}
    asked = {"resamples": 40, "capacity_share": 0.07}
    before = evaluate(p, y, lead_id=lead, base_rate_probability=base, period=period, **asked)
    assert before == evaluate(p[order], y[order], **shuffled, **asked)
    assert list(before.metrics) == list(METRICS)


def test_a_monotone_map_leaves_ranking_metrics_alone() -> None:
    p, y, lead = simulated(decimals=2)
    before = evaluate(p, y, lead_id=lead, base_rate_probability=0.3, resamples=40)
    after = evaluate(p**3 / 2, y, lead_id=lead, base_rate_probability=0.3, resamples=40)
    for name in ("roc_auc", "pr_auc", "lift_at_5", "lift_at_10", "captured_at_20"):
        assert before.metrics[name] == after.metrics[name]
    assert before.metrics["log_loss"] != after.metrics["log_loss"]


@pytest.mark.parametrize("name", [name for name in ALWAYS if name != "brier_skill"])
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
        lower = LOWER_IS_BETTER[name]
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
    assert list(plain["metrics"]) == list(ALWAYS)


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
    with pytest.raises(ValueError, match=r"base_rate_probability .* got 1.0"):
        evaluate([0.1, 0.2], [0, 1], lead_id=[1, 2], base_rate_probability=[0.5, 1.0])
    with pytest.raises(ValueError, match=r"one number, or one per snapshot \(2\)"):
        evaluate([0.1, 0.2], [0, 1], lead_id=[1, 2], base_rate_probability=[0.5, 0.5, 0.5])
    with pytest.raises(ValueError, match="at least 0"):
        evaluate([0.1], [0], lead_id=[1], base_rate_probability=0.2, resamples=-1)
    with pytest.raises(ValueError, match=r"\(0, 1\], got 0"):
        evaluate([0.1], [0], lead_id=[1], base_rate_probability=0.2, capacity_share=0)
    with pytest.raises(ValueError, match="1 of them null"):
        evaluate([0.1, 0.2], [0, 1], lead_id=[1, 2], base_rate_probability=0.2, period=["a", None])
    with pytest.raises(ValueError, match=r"metrics must be of .*, got roc_auc_within"):
        evaluate([0.1], [0], lead_id=[1], base_rate_probability=0.2, metrics=["brier", "roc_auc_within"])
    with pytest.raises(ValueError, match="must be one of"):
        paired_difference("brier_skill", [0.1], [0.2], [0], lead_id=[1])


def contestants() -> tuple[dict[str, Floats], Floats, dict[str, object]]:
    p, y, lead = simulated(400, decimals=2)
    noisy = np.clip(p + np.random.default_rng(2).normal(0, 0.1, p.size), 0.01, 0.99)
    asked = {"lead_id": lead, "base_rate_probability": 0.3, "resamples": 60, "seed": 3}
    return {"noisy": noisy, "model": p, "blunt": np.full(p.size, 0.3)}, y, asked


def test_together_is_each_alone_and_each_pair() -> None:
    predictions, y, asked = contestants()
    names = [name for name in LOWER_IS_BETTER if name in ALWAYS]
    together = evaluate_together(predictions, y, **asked, differences=names)  # type: ignore[arg-type]
    assert list(together.evaluations) == list(predictions)
    assert list(together.differences) == ["noisy", "blunt"]
    for name, p in predictions.items():
        alone = evaluate(p, y, **asked)  # type: ignore[arg-type]
        assert together.evaluations[name].as_dict() == alone.as_dict()
    del asked["base_rate_probability"]
    for other, found in together.differences.items():
        assert list(found) == names
        for name in set(names) - {"brier_skill"}:
            pair = paired_difference(name, predictions["model"], predictions[other], y, **asked)  # type: ignore[arg-type]
            assert found[name].interval == pair
            assert found[name].word == verdict(pair, LOWER_IS_BETTER[name])
    assert together.differences["blunt"]["roc_auc"].word == "better"
    json.dumps(together.as_dict(), allow_nan=False)


def test_a_difference_says_which_way_is_better() -> None:
    predictions, y, asked = contestants()
    found = evaluate_together(predictions, y, **asked, against="blunt").differences["model"]  # type: ignore[arg-type]
    assert {name: difference.word for name, difference in found.items()} == dict.fromkeys(found, "worse")
    assert found["log_loss"].interval.low > 0 > found["roc_auc"].interval.high


def test_without_resamples_there_are_values_but_no_words() -> None:
    predictions, y, asked = contestants()
    quick = evaluate_together(predictions, y, **asked | {"resamples": 0}, metrics=["brier", "ece"], differences=["ece"])  # type: ignore[arg-type]
    full = evaluate_together(predictions, y, **asked, differences=["ece"])  # type: ignore[arg-type]
    plain = json.loads(json.dumps(quick.as_dict(), allow_nan=False))
    for name in predictions:
        assert list(plain["evaluations"][name]["metrics"]) == ["brier", "ece"]
        measured = full.evaluations[name].metrics["brier"].value
        assert plain["evaluations"][name]["metrics"]["brier"] == {
            "value": measured, "low": None, "high": None, "undefined": 0,
        }  # fmt: skip
    assert plain["differences"]["blunt"]["ece"]["word"] is None


def test_what_cannot_be_compared_is_refused_by_name() -> None:
    predictions, y, asked = contestants()
    with pytest.raises(ValueError, match="probability of blunt must lie"):
        evaluate_together(predictions | {"blunt": predictions["blunt"] + 1}, y, **asked)  # type: ignore[arg-type]
    for name in ("calibration_slope", "roc_auc_within", "accuracy"):
        with pytest.raises(ValueError, match=f"differences must be of .*, got {name}"):
            evaluate_together(predictions, y, **asked, differences=[name])  # type: ignore[arg-type]


def test_a_perfect_model_stays_below_its_null_as_often_as_said() -> None:
    below = 0
    for seed in range(40):
        p, _, lead = simulated(600, seed=seed)
        y = np.random.default_rng(seed + 100).random(600)[lead.astype(int)] < p  # one draw per lead, as supposed
        error = evaluate(p, y, lead_id=lead, base_rate_probability=0.3, resamples=0, metrics=["ece"]).metrics["ece"]
        below += error.value <= ece_null95(p, lead_id=lead, simulations=60, seed=seed)
    assert 34 <= below <= 40


def test_the_null_counts_leads_not_rows() -> None:
    p, *_ = simulated(300)
    lead, often = np.arange(300), np.repeat(p, 9)
    once = ece_null95(p, lead_id=lead, simulations=60)
    assert ece_null95(often, lead_id=np.repeat(lead, 9), simulations=60) == pytest.approx(once, abs=1e-9)
    assert ece_null95(often, lead_id=np.arange(2700), simulations=60) < once / 2


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

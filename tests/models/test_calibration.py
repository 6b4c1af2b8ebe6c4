"""Calibration never turns a ranking over, learns little from few, and undoes what it can."""

import json

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from features.errors import ReleaseRefused
from models.calibration import SLOPE_FLOOR, Calibrator, fit_calibrator, identity

Floats = npt.NDArray[np.float64]
GRID = np.linspace(-40, 40, 1601)


def sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def simulated(true: Calibrator, n: int, *, seed: int = 0, centre: float = -1.0) -> tuple[Floats, Floats]:
    """Log odds of a model, and outcomes for which ``true`` is its right calibrator."""
    random = np.random.default_rng(seed)
    x = random.normal(centre, 2.0, n)
    return x, (random.random(n) < true.apply(x)).astype(float)


@st.composite
def anything(draw: st.DrawFn) -> tuple[Floats, Floats, int]:
    """Log odds with ties and extremes; outcomes random, all one way, against the ranking, or separated by it."""
    seed, n = draw(st.integers(0, 10_000)), draw(st.sampled_from([1, 2, 20, 300, 1500]))
    random = np.random.default_rng(seed)
    scale, centre = draw(st.sampled_from([0.0, 0.1, 2.0, 30.0])), draw(st.sampled_from([-30.0, -3.0, 0.0, 10.0]))
    x = np.clip(random.normal(centre, scale, n), -40, 40).round(draw(st.sampled_from([0, 6])))
    kind = draw(st.sampled_from(["random", "none", "all", "against", "separated", "middle", "one"]))
    middle = np.median(x)
    y = {
        "random": random.random(n) < 0.3,
        "none": np.zeros(n),
        "all": np.ones(n),
        "against": x < middle,
        "separated": x > middle,
        "middle": np.abs(x - middle) < scale / 2,
        "one": np.arange(n) == n // 2,
    }[kind]
    return x, np.asarray(y, dtype=float), draw(st.sampled_from([1, 50, 200]))


@settings(max_examples=150)
@given(anything(), st.sampled_from([1e-6, 1.0, 10.0]))
def test_strictly_increasing_and_finite_whatever_it_was_fitted_on(
    data: tuple[Floats, Floats, int], strength: float
) -> None:
    x, y, min_positives = data
    fitted = fit_calibrator(x, y, prior_strength=strength, min_positives=min_positives)
    log_odds = fitted.apply_log_odds(GRID)
    assert np.isfinite(log_odds).all()
    assert (np.diff(log_odds) > 0).all()
    p = fitted.apply(GRID)
    assert ((p >= 0) & (p <= 1)).all()
    assert (np.diff(p) >= 0).all()
    assert Calibrator.from_dict(json.loads(json.dumps(fitted.as_dict(), allow_nan=False))) == fitted


@settings(max_examples=40)
@given(anything())
def test_the_order_of_rows_does_not_matter_and_twice_is_the_same(data: tuple[Floats, Floats, int]) -> None:
    x, y, min_positives = data
    fitted = fit_calibrator(x, y, min_positives=min_positives)
    assert fitted == fit_calibrator(x, y, min_positives=min_positives)
    turned = fit_calibrator(x[::-1], y[::-1], min_positives=min_positives)
    np.testing.assert_allclose(turned.apply_log_odds(GRID), fitted.apply_log_odds(GRID), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("min_positives", [1, 10_000, 1_000_000])
def test_an_endless_prior_changes_nothing(min_positives: int) -> None:
    x, y = simulated(Calibrator("temperature", 0.4, 0.4, 1.0), 3_000)
    fitted = fit_calibrator(x, y, prior_strength=1e12, min_positives=min_positives)
    np.testing.assert_allclose(fitted.apply_log_odds(GRID), GRID, atol=1e-6)


@pytest.mark.parametrize("positives", [3, 25, 31, 150, 199, 201, 1_000])
def test_shrinkage_is_monotone_in_the_prior(positives: int) -> None:
    x, y = simulated(Calibrator("temperature", 0.5, 0.5, 1.0), 4_000)
    keep = np.r_[np.flatnonzero(y == 1)[:positives], np.flatnonzero(y == 0)[: positives * 2]]
    moved = [
        np.abs(fit_calibrator(x[keep], y[keep], prior_strength=k).apply_log_odds(x[keep]) - x[keep]).mean()
        for k in (0.1, 1.0, 10.0, 100.0, 1e4)
    ]
    assert moved == sorted(moved, reverse=True)


def test_a_handful_of_converters_is_believed_a_little() -> None:
    """Three converters among 30 leads promised 50 %: the level moves, by less than half of the way."""
    y = np.r_[np.ones(3), np.zeros(27)]
    fitted = fit_calibrator(np.zeros(30), y)
    assert fitted.method == "intercept"
    assert np.log(3 / 27) / 2 < fitted.c < -0.5
    assert fit_calibrator(np.zeros(30), np.zeros(30)) == fit_calibrator(np.zeros(30), np.ones(30)) == identity()


def test_as_many_converters_as_the_prior_are_believed_half() -> None:
    """A small shift, ten converters' worth of information, a prior of ten: half of the shift."""
    p, n = 0.01, 100_000
    x = np.full(n, np.log(p / (1 - p)))
    y = (np.arange(n) < 1.1 * p * n).astype(float)
    information = n * p * (1 - p)
    half = fit_calibrator(x, y, prior_strength=information, min_positives=10**9)
    assert half.apply_log_odds(x[:1])[0] - x[0] == pytest.approx(np.log(1.1) / 2, rel=0.06)


def test_methods_go_by_the_rarer_outcome() -> None:
    x, y = simulated(identity(), 6_000)
    for positives, method in ((29, "intercept"), (30, "temperature"), (199, "temperature"), (200, "beta")):
        keep = np.r_[np.flatnonzero(y == 1)[:positives], np.flatnonzero(y == 0)[:3_000]]
        assert fit_calibrator(x[keep], y[keep]).method == method
        assert fit_calibrator(-x[keep], 1 - y[keep]).method == method


@pytest.mark.parametrize(
    "true",
    [
        Calibrator("beta", 0.6, 1.4, -0.5),
        Calibrator("beta", 1.8, 0.7, 0.8),
        Calibrator("temperature", 0.5, 0.5, -1.0),
        identity(),
    ],
)
def test_recovers_a_known_distortion(true: Calibrator) -> None:
    x, y = simulated(true, 50_000)
    fitted = fit_calibrator(x, y)
    assert fitted.method == "beta"
    assert (fitted.a, fitted.b, fitted.c) == pytest.approx((true.a, true.b, true.c), abs=0.12)
    assert np.abs(fitted.apply(x) - true.apply(x)).mean() < 0.005


def test_agrees_with_an_unregularised_logistic_fit() -> None:
    x, y = simulated(Calibrator("beta", 0.8, 1.2, -0.3), 3_000)
    w = np.random.default_rng(5).integers(0, 4, x.size).astype(float)
    for terms, min_positives in (
        (np.stack([-np.logaddexp(0, -x), np.logaddexp(0, x)], axis=1), 1),
        (x[:, None], 10**9),
    ):
        oracle = LogisticRegression(C=np.inf, tol=1e-12, max_iter=5_000).fit(terms, y, sample_weight=w)
        fitted = fit_calibrator(x, y, weights=w, prior_strength=1e-9, min_positives=min_positives)
        slopes = [fitted.a, fitted.b] if min_positives == 1 else [fitted.a]
        assert [*slopes, fitted.c] == pytest.approx([*oracle.coef_[0], oracle.intercept_[0]], abs=1e-3)


def test_agrees_with_a_general_optimiser_where_the_prior_counts() -> None:
    x, y = simulated(Calibrator("temperature", 0.6, 0.6, 1.0), 120, seed=3)
    information = sigmoid(x) * (1 - sigmoid(x))
    centre = information @ x / information.sum()

    def loss(theta: Floats) -> float:
        eta = x + theta[0] * (x - centre) + theta[1]
        return float(np.sum(np.logaddexp(0, eta) - y * eta) + 10 / 2 * theta @ theta)

    change, level = minimize(loss, np.zeros(2), tol=1e-12).x
    fitted = fit_calibrator(x, y)
    assert (fitted.method, fitted.a) == ("temperature", pytest.approx(1 + change, abs=1e-4))
    assert fitted.c == pytest.approx(level - change * centre, abs=1e-4)


def test_weights_mean_repeated_rows() -> None:
    x, y = simulated(identity(), 500)
    times = np.random.default_rng(1).integers(0, 4, x.size)
    a = fit_calibrator(x, y, weights=times)
    b = fit_calibrator(np.repeat(x, times), np.repeat(y, times))
    np.testing.assert_allclose(a.apply_log_odds(GRID), b.apply_log_odds(GRID), atol=1e-8)


@pytest.mark.parametrize("min_positives", [1, 10**9])
def test_an_inverted_ranking_keeps_its_order_and_gets_the_right_level(min_positives: int) -> None:
    """Under drift a free slope came out at −0.35 on real data; here it rests on the floor, and the level is learned."""
    x, y = simulated(identity(), 5_000, centre=-3.0)
    fitted = fit_calibrator(-x - 6, y, min_positives=min_positives)
    assert fitted.a == fitted.b == SLOPE_FLOOR
    assert fitted.apply(-x - 6).mean() == pytest.approx(y.mean(), abs=0.003)


def test_a_slope_that_would_turn_over_is_dropped_and_the_rest_refitted() -> None:
    x, y = simulated(identity(), 20_000)
    turned = np.where(x > 1.5, 0.0, y)  # the top never converts: an unconstrained b is far below 0
    fitted = fit_calibrator(x, turned)
    assert fitted.b == SLOPE_FLOOR
    assert fitted.a > SLOPE_FLOOR
    assert fitted.apply(x).mean() == pytest.approx(turned.mean(), abs=0.003)


def test_improves_log_loss_on_later_rows_when_over_confident() -> None:
    x, y = simulated(Calibrator("temperature", 0.5, 0.5, -0.5), 4_000)
    fitted = fit_calibrator(x[:2_000], y[:2_000])

    def loss(log_odds: Floats) -> float:
        return float(np.mean(np.logaddexp(0, log_odds) - y[2_000:] * log_odds))

    assert loss(fitted.apply_log_odds(x[2_000:])) < loss(x[2_000:]) - 0.05


def test_identity_is_exact() -> None:
    np.testing.assert_array_equal(identity().apply_log_odds(GRID), GRID)
    np.testing.assert_allclose(identity().apply(GRID), sigmoid(GRID), rtol=1e-12)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"method": "spline"}, "method must be one of identity, .*, isotonic, venn_abers; found 'spline'"),
        ({"method": "isotonic"}, "knots belong to isotonic and venn_abers, and to no other method"),
        ({"knots": [[0.0, 0.0], [1.0, 1.0]]}, "knots belong to isotonic and venn_abers"),
        ({"a": float("nan")}, "finite numbers .*; found a=nan"),
        ({"c": float("inf")}, "finite numbers"),
        ({"c": 10**400}, "finite numbers"),
        ({"b": "1.0"}, "finite numbers"),
        ({"b": True}, "finite numbers"),
        ({"a": -0.3}, "no ranking is turned over; found a=-0.3, b=1.0"),
        ({"b": 0.0}, "no ranking is turned over"),
        ({"c": 9e8}, r"within ±1e\+06"),
        ({"extra": 1.0}, "exactly the keys"),
    ],
)
def test_a_release_that_was_tampered_with_is_refused(changed: dict[str, object], words: str) -> None:
    with pytest.raises(ReleaseRefused, match=words):
        Calibrator.from_dict(identity().as_dict() | changed)


@pytest.mark.parametrize(
    ("knots", "words"),
    [
        ([], "a list of 2 to 64 pairs"),
        ([[0.0, 0.0]], "a list of 2 to 64 pairs"),
        ([[float(n), float(n)] for n in range(65)], "a list of 2 to 64 pairs"),
        ("ab", "a list of 2 to 64 pairs"),
        ([[0.0, 0.0], [1.0]], "two finite numbers"),
        ([[0.0, 0.0], [1.0, "1"]], "two finite numbers"),
        ([[0.0, 0.0], [1.0, float("nan")]], "two finite numbers"),
        ([[0.0, 0.0], [True, 1.0]], "two finite numbers"),
        ([[0.0, 0.0], [0.0, 1.0]], "knots must rise"),
        ([[0.0, 0.0], [-1.0, 1.0]], "knots must rise"),
        ([[0.0, 0.0], [1.0, 0.0]], "knots must rise with a slope of at least 0.01"),
        ([[0.0, 0.0], [1.0, 0.005]], "knots must rise"),
    ],
)
def test_knots_that_were_tampered_with_are_refused(knots: object, words: str) -> None:
    with pytest.raises(ReleaseRefused, match=words):
        Calibrator.from_dict(identity().as_dict() | {"method": "isotonic", "knots": knots})


def test_knots_are_a_line_through_them_and_go_on_beyond() -> None:
    chain = Calibrator("isotonic", 1.0, 2.0, 0.5, ((-1.0, -2.0), (0.0, -1.5), (1.0, 1.0)))
    asked = [-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0]
    assert chain.apply_log_odds(asked).tolist() == [-3.5, -1.5, -1.25, -1.0, 0.25, 1.5, 3.5]
    assert Calibrator.from_dict(json.loads(json.dumps(chain.as_dict()))) == chain


def test_a_raised_calibrator_tells_leads_apart_as_before() -> None:
    assert identity().raised(0.0) == identity()
    assert identity().raised(0.3).method == "intercept"
    for one in (Calibrator("beta", 0.7, 1.2, -0.1), Calibrator("isotonic", 1.0, 1.0, 0.0, ((0.0, 0.0), (1.0, 2.0)))):
        assert one.raised(0.3).method == one.method
        np.testing.assert_allclose(one.raised(0.3).apply_log_odds(GRID), one.apply_log_odds(GRID) + 0.3, atol=1e-12)


def test_the_level_alone_is_fitted_where_it_is_asked_for() -> None:
    x, y = simulated(Calibrator("temperature", 0.5, 0.5, 1.0), 5_000)
    fitted = fit_calibrator(x, y, level_only=True)
    assert (fitted.method, fitted.a, fitted.b) == ("intercept", 1.0, 1.0)
    assert fitted.apply(x).mean() == pytest.approx(y.mean(), abs=0.01)


def test_a_release_without_a_calibrator_is_refused() -> None:
    for plain in ([], None, {}, "beta"):
        with pytest.raises(ReleaseRefused, match="exactly the keys"):
            Calibrator.from_dict(plain)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"log_odds": [0.0, np.inf]}, "finite, found inf"),
        ({"log_odds": [0.0]}, "equal lengths"),
        ({"outcome": [0, 2]}, "not mature"),
        ({"weights": [1, -1]}, "not negative"),
        ({"prior_strength": 0.0}, "pseudo-converters"),
        ({"prior_strength": np.nan}, "pseudo-converters"),
    ],
)
def test_refuses_what_cannot_be_learned_from(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fit_calibrator(**({"log_odds": [0.0, 1.0], "outcome": [0, 1]} | arguments))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="found nan"):
        identity().apply([np.nan])

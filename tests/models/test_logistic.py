"""The logistic member obeys the signs that features declare, and chooses the same penalty every time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from models.logistic import PENALTIES, choose_penalty, fit_logistic
from tests.models.data import Floats, Integers, few_examples

SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed: int, *, rows: int = 300, columns: int = 5, strength: float = 1.0) -> tuple[Floats, Integers, Integers]:
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, columns))
    weights = strength * random.normal(size=columns)
    outcome = (random.random(rows) < 1 / (1 + np.exp(1 - matrix @ weights))).astype(np.int64)
    outcome[:2] = 0, 1
    return matrix, outcome, random.integers(0, 5, rows)


@few_examples
@given(SEEDS, st.lists(st.sampled_from([-1, 0, 1]), min_size=5, max_size=5))
def test_no_coefficient_has_a_sign_that_its_feature_forbids(seed: int, signs: list[int]) -> None:
    matrix, outcome, _ = drawn(seed)
    coefficients, intercept = fit_logistic(matrix, outcome, penalty=1.0, signs=np.array(signs))
    assert (coefficients * np.array(signs) >= 0).all()
    assert np.isfinite([*coefficients, intercept]).all()
    # What is left free is fitted as if the columns held at 0 were not there.
    free = coefficients != 0
    if free.any():
        again, _ = fit_logistic(matrix[:, free], outcome, penalty=1.0, signs=np.zeros(int(free.sum()), np.int64))
        np.testing.assert_allclose(coefficients[free], again, atol=1e-6)
    p = 1 / (1 + np.exp(-(matrix @ coefficients + intercept)))
    assert p.mean() == pytest.approx(outcome.mean(), abs=1e-6)


@few_examples
@given(SEEDS, st.sampled_from([0.003, 0.3, 30.0]), st.sampled_from([0.01, 1.0, 5.0]), st.booleans())
def test_it_is_the_logistic_regression_that_everybody_knows(
    seed: int, penalty: float, strength: float, twice: bool
) -> None:
    matrix, outcome, _ = drawn(seed, strength=strength)
    if twice:  # columns that say the same share what they say
        matrix = np.column_stack([matrix, matrix[:, 0]])
    known = LogisticRegression(C=penalty, solver="newton-cholesky", tol=1e-10, max_iter=1_000).fit(matrix, outcome)
    coefficients, intercept = fit_logistic(matrix, outcome, penalty=penalty, signs=np.zeros(matrix.shape[1], np.int64))
    np.testing.assert_allclose(coefficients, known.coef_[0], atol=1e-5 * max(1, np.abs(known.coef_).max()))
    assert intercept == pytest.approx(known.intercept_[0], abs=1e-5)


def test_outcomes_that_a_column_separates_have_a_finite_fit() -> None:
    matrix = np.linspace(-1, 1, 200)[:, None] * 100
    coefficients, intercept = fit_logistic(
        matrix, (matrix[:, 0] > 0).astype(np.int64), penalty=3.0, signs=np.zeros(1, np.int64)
    )
    assert 0 < coefficients[0] < np.inf
    assert intercept == pytest.approx(0, abs=1e-6)


def test_allowed_signs_change_nothing() -> None:
    matrix, outcome, _ = drawn(0)
    free, intercept = fit_logistic(matrix, outcome, penalty=0.3, signs=np.zeros(5, np.int64))
    allowed, same = fit_logistic(matrix, outcome, penalty=0.3, signs=np.sign(free).astype(np.int64))
    np.testing.assert_array_equal(free, allowed)
    assert intercept == same


def test_where_every_sign_is_wrong_the_base_rate_is_left() -> None:
    matrix, outcome, _ = drawn(0)
    free, _ = fit_logistic(matrix, outcome, penalty=0.3, signs=np.zeros(5, np.int64))
    one = matrix[:, [int(np.argmax(np.abs(free)))]]
    wrong = np.array([-int(np.sign(free[np.argmax(np.abs(free))]))])
    coefficients, intercept = fit_logistic(one, outcome, penalty=0.3, signs=wrong)
    assert coefficients.tolist() == [0.0]
    assert 1 / (1 + np.exp(-intercept)) == pytest.approx(outcome.mean())


@pytest.mark.parametrize("seed", range(3))
def test_the_penalty_is_the_one_of_least_held_out_log_loss(seed: int) -> None:
    matrix, outcome, folds = drawn(seed, strength=0.3)
    chosen = choose_penalty(matrix, outcome, folds=folds)
    assert chosen == choose_penalty(matrix.copy(), outcome.copy(), folds=folds.copy())

    def held_out_loss(penalty: float) -> float:
        total = 0.0
        for fold in range(5):
            inside = folds == fold
            signs = np.zeros(matrix.shape[1], np.int64)
            coefficients, intercept = fit_logistic(matrix[~inside], outcome[~inside], penalty=penalty, signs=signs)
            z = matrix[inside] @ coefficients + intercept
            total += float(np.sum(np.log1p(np.exp(z)) - outcome[inside] * z))
        return total

    losses = {penalty: held_out_loss(penalty) for penalty in PENALTIES}
    assert losses[chosen] == pytest.approx(min(losses.values()))


def test_noise_is_penalised_more_than_signal() -> None:
    signal, outcome, folds = drawn(0, rows=2_000, strength=2.0)
    noise = np.random.default_rng(1).normal(size=(2_000, 40))
    assert choose_penalty(noise, outcome, folds=folds) == min(PENALTIES)
    assert choose_penalty(signal, outcome, folds=folds) >= 0.3


def test_folds_without_both_outcomes_are_passed_over() -> None:
    matrix, outcome, _ = drawn(0, rows=60)
    one_fold = np.zeros(60, np.int64)
    assert choose_penalty(matrix, outcome, folds=one_fold) == PENALTIES[1]
    by_outcome = outcome.copy()  # whichever fold is held out, the other knows one outcome only
    assert choose_penalty(matrix, outcome, folds=by_outcome) == PENALTIES[1]

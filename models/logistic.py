"""The logistic member: its penalty chosen by cross-validation over leads, its signs by what the features declare.

It is the part of the model that can go on in a direction: under drift, when next quarter's leads lie outside
everything seen, trees stay where they are.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from models.encoding import Floats, Folds

PENALTIES: Final = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
#: The penalty is chosen on at most so many rows: beyond that the choice hardly matters and time does.
CHOOSE_ON_ROWS: Final = 20_000


def choose_penalty(matrix: Floats, outcome: npt.NDArray[np.int64], *, folds: Folds) -> float:
    """The C of least log loss over held-out folds of leads; the strongest penalty among equals.

    Folds that lack one of the outcomes are passed over; when none is left, a strong penalty is taken.
    """
    rows = np.arange(len(outcome))[:: max(1, len(outcome) // CHOOSE_ON_ROWS)]
    x, y, fold = matrix[rows], outcome[rows], folds[rows]
    losses = np.zeros(len(PENALTIES))
    for held_out in np.unique(fold):
        inside = fold == held_out
        if len(np.unique(y[~inside])) < 2:
            continue
        for i, penalty in enumerate(PENALTIES):
            z = _fitted(x[~inside], y[~inside], penalty).decision_function(x[inside])
            losses[i] += float(np.sum(np.logaddexp(0.0, z) - y[inside] * z))
    return PENALTIES[int(np.argmin(losses))] if losses.any() else PENALTIES[1]


def fit_logistic(
    matrix: Floats, outcome: npt.NDArray[np.int64], *, penalty: float, signs: npt.NDArray[np.int64]
) -> tuple[Floats, float]:
    """Coefficients and intercept; a coefficient never has the sign its feature forbids.

    Columns whose coefficient comes out on the wrong side are held at 0 and the others fitted again, until none is.

    Parameters
    ----------
    signs : (columns,) +1, -1 or 0 as the features declare
    """
    free = np.ones(matrix.shape[1], bool)
    while free.any():
        coefficients = np.zeros(matrix.shape[1])
        model = _fitted(matrix[:, free], outcome, penalty)
        coefficients[free] = model.coef_[0]
        wrong = free & (coefficients * signs < 0)
        if not wrong.any():
            return coefficients, float(model.intercept_[0])
        free &= ~wrong
    rate = float(outcome.mean())
    return np.zeros(matrix.shape[1]), float(np.log(rate / (1 - rate)))


def _fitted(matrix: Floats, outcome: npt.NDArray[np.int64], penalty: float) -> Any:
    # Newton steps: exact, and fast where rows outnumber columns by far. On one thread, because the order of summation
    # must not depend on the machine, and because BLAS threads that wait for a busy core cost ten times what they save.
    with threadpool_limits(1, user_api="blas"):
        return LogisticRegression(C=penalty, solver="newton-cholesky", max_iter=100, tol=1e-8).fit(matrix, outcome)

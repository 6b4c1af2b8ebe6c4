"""The logistic member: its penalty chosen by cross-validation over leads, its signs by what the features declare.

It is the part of the model that can go on in a direction: under drift, when next quarter's leads lie outside
everything seen, trees stay where they are.

Fitted by Newton steps whose matrix of second derivatives, by far the most of the work, is kept as long as it still
serves (Shamanskii 1967): from one step to the next, from one penalty to the next, and when columns are taken out.
The gradient is always exact, so the answer is the same as with fresh matrices, in a tenth of the time.

References
----------
Shamanskii, V. E. (1967). A modification of Newton's method. Ukr. Math. J. 19. doi:10.1007/BF01085172
"""

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit
from threadpoolctl import ThreadpoolController

from models.encoding import Floats, Folds

Flags = npt.NDArray[np.bool_]

PENALTIES: Final = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
#: The penalty is chosen on at most so many rows: beyond that the choice hardly matters and time does.
CHOOSE_ON_ROWS: Final = 20_000
#: How far above its minimum, in log loss per row, a fit may end: for the model, and where penalties are compared.
EXACT: Final = 1e-15
COMPARED: Final = 1e-8
#: A step that leaves more than this share of the distance to the minimum asks for a fresh matrix.
KEPT_WHILE: Final = 0.3
_BLOCK: Final = 4096  # rows weighted at once: they stay in the processor's cache
_STEPS: Final = 200


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
        fit = _Fit(x[~inside], y[~inside])
        for i, penalty in enumerate(PENALTIES):
            fit.minimise(1 / penalty, within=COMPARED)
            z = x[inside] @ fit.coefficients + fit.intercept
            losses[i] += float(np.sum(np.logaddexp(0.0, z) - y[inside] * z))
    return PENALTIES[int(np.argmin(losses))] if losses.any() else PENALTIES[1]


def fit_logistic(
    matrix: Floats, outcome: npt.NDArray[np.int64], *, penalty: float, signs: npt.NDArray[np.int64]
) -> tuple[Floats, float]:
    """Coefficients and intercept; a coefficient never has the sign its feature forbids.

    Columns whose coefficient comes out on the wrong side are held at 0 and the others fitted again, until none is.

    Parameters
    ----------
    penalty : C, the inverse strength of the squared penalty on the coefficients, as in scikit-learn
    signs : (columns,) +1, -1 or 0 as the features declare
    """
    fit = _Fit(matrix, outcome)
    while True:
        fit.minimise(1 / penalty, within=EXACT)
        wrong = fit.coefficients * signs < 0
        if not wrong.any():
            return fit.coefficients, fit.intercept
        fit.hold(wrong)


@cache
def _controller() -> ThreadpoolController:
    """Looks for the loaded libraries once: doing so for each of some hundred small fits takes longer than the fits."""
    return ThreadpoolController()


class _Fit:
    """One logistic regression at work: Σ log loss + strength / 2 · Σ coefficient²; the intercept is not penalised."""

    def __init__(self, matrix: Floats, outcome: npt.NDArray[np.int64]) -> None:
        rows, columns = matrix.shape
        self._matrix, self._outcome = matrix, outcome.astype(np.float64)
        rate = float(outcome.mean())
        self._theta = np.append(np.zeros(columns), np.log(rate / (1 - rate)))
        self._free = np.ones(columns + 1, bool)
        self._log_odds = np.full(rows, self._theta[-1])
        self._curvature: Floats | None = None

    @property
    def coefficients(self) -> Floats:
        return self._theta[:-1].copy()

    @property
    def intercept(self) -> float:
        return float(self._theta[-1])

    def hold(self, columns: Flags) -> None:
        """Put these coefficients to 0 and leave them there."""
        self._free[:-1] &= ~columns
        self._theta[:-1][columns] = 0.0
        self._log_odds = self._matrix @ self._theta[:-1] + self._theta[-1]

    def minimise(self, strength: float, *, within: float) -> None:
        """Go from where the last fit ended to the minimum, to `within` log loss per row."""
        # On one thread: the order of summation must not depend on the machine, and BLAS threads that wait for a busy
        # core cost ten times what they save.
        with _controller().limit(limits=1, user_api="blas"):
            fresh, before = False, np.inf
            if self._curvature is None:
                self._curvature, fresh = self._second_derivatives(), True
            factor = self._factor(strength)
            for _ in range(_STEPS):
                gradient = self._gradient(strength)
                step = np.zeros(len(self._theta))
                step[self._free] = cho_solve(factor, gradient[self._free])
                # What the step would gain if the matrix were exact, per row: the distance to the minimum.
                above = float(gradient @ step) / 2 / len(self._outcome)
                if above <= within:
                    return
                if above > KEPT_WHILE * before and not fresh:
                    self._curvature, fresh, before = self._second_derivatives(), True, np.inf
                    factor = self._factor(strength)
                    continue
                if not self._take(step, strength):
                    return
                fresh, before = False, above

    def _take(self, step: Floats, strength: float) -> bool:
        """Take the step, halved until it does not climb; False where doubles end."""
        along = self._matrix @ step[:-1] + step[-1]
        now = self._loss(self._log_odds, self._theta, strength)
        for _ in range(30):
            theta, log_odds = self._theta - step, self._log_odds - along
            if self._loss(log_odds, theta, strength) <= now * (1 + 1e-14):
                self._theta, self._log_odds = theta, log_odds
                return True
            step, along = step / 2, along / 2
        return False

    def _loss(self, log_odds: Floats, theta: Floats, strength: float) -> float:
        fits = np.logaddexp(0.0, log_odds).sum() - self._outcome @ log_odds
        return float(fits + strength / 2 * theta[:-1] @ theta[:-1])

    def _gradient(self, strength: float) -> Floats:
        missed = expit(self._log_odds) - self._outcome
        gradient = np.append(missed @ self._matrix + strength * self._theta[:-1], missed.sum())
        return np.where(self._free, gradient, 0.0)

    def _second_derivatives(self) -> Floats:
        """Of the log loss alone, for all columns: penalty and held columns are put in where it is used."""
        p = expit(self._log_odds)
        weight = np.sqrt(p * (1 - p))
        total = np.zeros((len(self._theta), len(self._theta)))
        for start in range(0, len(weight), _BLOCK):
            rows = slice(start, start + _BLOCK)
            weighted = np.column_stack([self._matrix[rows], np.ones(len(weight[rows]))]) * weight[rows, None]
            total += weighted.T @ weighted
        return total

    def _factor(self, strength: float) -> tuple[Floats, bool]:
        assert self._curvature is not None
        penalty = np.append(np.full(len(self._theta) - 1, strength), 0.0)
        whole = self._curvature + np.diag(penalty)
        factor: tuple[Floats, bool] = cho_factor(whole[np.ix_(self._free, self._free)])
        return factor

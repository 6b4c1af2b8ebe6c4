"""The shift, or the line, of log odds that fits outcomes best, for k weightings of the same rows at once.

Both are logistic regressions on one number (Cox 1958), solved by Newton's method for all weightings together. Started
from the solution for unweighted rows, near which those of resamples lie, three steps are enough.

References
----------
Cox, D. R. (1958). Two further applications of a model for binary regression. Biometrika 45(3/4), 562 to 565.
doi:10.1093/biomet/45.3-4.562
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Log odds are clipped at ±36 (the probabilities 2e-16 and 1 − 2e-16), so no shift can be further away than this.
REACH: Final = 80.0
#: Newton's error after a step is about the square of that step.
_SMALL_STEP: Final = 1e-6


def logistic(log_odds: Floats) -> Floats:
    """Probability; like SciPy's `expit` to 1e-16, at a quarter of its time."""
    half: Floats = np.tanh(0.5 * log_odds)
    half *= 0.5
    half += 0.5
    return half


def newton_in_bracket(
    score_and_information: Callable[[Floats], tuple[Floats, Floats]], start: Floats, *, wanted: npt.NDArray[np.bool_]
) -> Floats:
    """Where each falling score is 0: Newton kept inside a shrinking bracket, so that it cannot run away.

    Parameters
    ----------
    score_and_information
        (k,) places -> (k,) scores, which fall with the place, and their slopes without the minus sign.
    start, wanted
        (k,) where to begin, and which results will be used: only these are waited for.
    """
    low, high, place = np.full(start.size, -REACH), np.full(start.size, REACH), start
    for _ in range(100):
        score, information = score_and_information(place)
        low, high = np.where(score >= 0, place, low), np.where(score <= 0, place, high)
        newton = place + np.clip(score / np.maximum(information, 1e-300), -2 * REACH, 2 * REACH)
        inside = (newton >= low) & (newton <= high)
        following = np.where(inside, newton, (low + high) / 2)
        settled = np.abs(following - place) < np.where(inside, _SMALL_STEP, _SMALL_STEP**2)
        place = following
        if (settled | ~wanted).all():
            break
    return place


def fit_shift(log_odds: Floats, weight: Floats, converted: Floats, *, start: Floats | None = None) -> Floats:
    """Shift of all log odds at which expected conversions equal those seen; NaN where only one outcome was.

    Parameters
    ----------
    log_odds, weight, converted
        (n,) per row; (k, n) how often each row counts; (k,) weighted conversions.
    start
        (k,) shifts to begin with; None: 0.

    Examples
    --------
    >>> fit_shift(np.zeros(4), np.ones((1, 4)), np.array([3.0])).round(4)  # three of four: ln 3
    array([1.0986])
    >>> fit_shift(np.zeros(4), np.ones((1, 4)), np.array([4.0]))
    array([nan])
    """
    both = (converted > 0) & (converted < weight.sum(axis=1))

    def score_and_information(shift: Floats) -> tuple[Floats, Floats]:
        mu = logistic(log_odds + shift[:, None])
        expected = weight * mu
        total = expected.sum(axis=1)
        return converted - total, total - np.einsum("kn,kn->k", expected, mu)

    begin = np.zeros(converted.size) if start is None else start
    return np.where(both, newton_in_bracket(score_and_information, begin, wanted=both), np.nan)


def fit_line(
    log_odds: Floats, weight: Floats, converted: Floats, converted_log_odds: Floats, *, start: Floats | None = None
) -> Floats:
    """Intercept and slope of the line that fits best; NaN where no finite one does (one outcome, or separated ones).

    Parameters
    ----------
    log_odds, weight
        (n,) per row; (k, n) how often each row counts.
    converted, converted_log_odds
        (k,) weighted conversions, and the weighted sum of their log odds.
    start
        (k, 2) intercepts and slopes to begin with; None: 0 and 1.

    Returns
    -------
    (k, 2)
    """
    line = np.full((converted.size, 2), np.nan)
    centre, scale = log_odds.mean(), log_odds.std()
    if scale < 1e-9:
        return line
    z = (log_odds - centre) / scale
    powers = np.stack([np.ones_like(z), z, z * z], axis=1)
    seen = np.stack([converted, (converted_log_odds - centre * converted) / scale], axis=1)
    active = np.flatnonzero((converted > 0) & (converted < weight.sum(axis=1)))
    intercept, slope = np.tile([0.0, 1.0], (active.size, 1)).T if start is None else start[active].T
    theta = np.stack([intercept + slope * centre, slope * scale], axis=1)
    for _ in range(60):
        if active.size == 0:
            break
        mu = logistic(theta[:, :1] + theta[:, 1:] * z)
        expected = weight[active] * mu
        g0, g1 = (seen[active] - expected @ powers[:, :2]).T
        h0, h1, h2 = ((expected * (1 - mu)) @ powers).T
        determinant = h0 * h2 - h1 * h1
        solvable = determinant > 1e-12 * h0 * h2
        safe = np.where(solvable, determinant, 1.0)
        step = np.stack([h2 * g0 - h1 * g1, h0 * g1 - h1 * g0], axis=1) / safe[:, None]
        length = np.linalg.norm(step, axis=1)
        # Steps of at most 1: a full Newton step from a bad start can run away, a short one only takes longer.
        theta = theta + step / np.maximum(1.0, length)[:, None]
        done = solvable & (length < _SMALL_STEP)
        line[active[done]] = np.stack(
            [theta[done, 0] - theta[done, 1] * centre / scale, theta[done, 1] / scale], axis=1
        )
        going = solvable & ~done
        active, theta = active[going], theta[going]
    return line

"""Isotonic and Venn–Abers calibration as knots that rise strictly: whatever shape the outcomes show, and no ties.

Both begin with the snapshots in bins of equal mass by log odds, as few as keep each lead hidden among others, and both
find the rates that rise from bin to bin and fit best (pool adjacent violators). *Isotonic* calibration takes those
rates, each with `PSEUDO_ROWS` at what the model said, so that no bin says 0 or 1. *Venn–Abers* asks twice for each bin,
once as if one snapshot more had converted there and once as if it had not, and merges the two rates p1 and p0 as
p1 / (1 − p0 + p1): where little is known they lie far apart, and the merged one nearer to one half.

Rates that are level over many bins would tie leads whom the model tells apart: each knot lies above the one before, by
the calibrator's least slope.

References
----------
Zadrozny, B. and Elkan, C. (2002). Transforming classifier scores into accurate multiclass probability estimates.
KDD '02. doi:10.1145/775047.775151
Vovk, V. and Petej, I. (2014). Venn–Abers predictors. UAI 2014. arXiv:1211.0025
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from sklearn.isotonic import isotonic_regression

from models.calibration import SLOPE_FLOOR, Calibrator, Floats, fit_calibrator

BINS: Final = 20
LEAST_IN_BIN: Final = 50
PSEUDO_ROWS: Final = 20.0
#: Calibrated log odds at knots stay within: a bin without one conversion does not know more.
LIMIT: Final = 12.0


def fit_isotonic(log_odds: npt.ArrayLike, outcome: npt.ArrayLike) -> Calibrator:
    """The best rising rates; a single level shift where the log odds do not fill two bins.

    Examples
    --------
    >>> x = np.repeat([-2.0, -1.0, 0.0, 1.0], 100)
    >>> y = np.tile(np.r_[np.ones(30), np.zeros(70)], 4)
    >>> fitted = fit_isotonic(x, y)
    >>> len(fitted.knots), bool((np.diff(fitted.apply_log_odds([-2.0, -1.0, 0.0, 1.0])) > 0).all())
    (4, True)
    """
    at, rows, converted, said = _binned(log_odds, outcome)
    if len(at) < 2:
        return fit_calibrator(log_odds, outcome, level_only=True)
    rates = _rising(converted / rows, rows)
    return _through("isotonic", at, (rates * rows + PSEUDO_ROWS * said) / (rows + PSEUDO_ROWS))


def fit_venn_abers(log_odds: npt.ArrayLike, outcome: npt.ArrayLike) -> Calibrator:
    """The merged rates of a Venn–Abers predictor, bin by bin; a single level shift as above."""
    at, rows, converted, _ = _binned(log_odds, outcome)
    if len(at) < 2:
        return fit_calibrator(log_odds, outcome, level_only=True)
    merged = np.empty(len(at))
    for place in range(len(at)):
        one_more = np.arange(len(at)) == place
        without = _rising(converted / (rows + one_more), rows + one_more)[place]
        with_it = _rising((converted + one_more) / (rows + one_more), rows + one_more)[place]
        merged[place] = with_it / (1 - without + with_it)
    return _through("venn_abers", at, merged)


def _binned(log_odds: npt.ArrayLike, outcome: npt.ArrayLike) -> tuple[Floats, Floats, Floats, Floats]:
    """By bin: mean log odds, rows, conversions, and the rate the model said; equal log odds share a bin."""
    x, y = np.asarray(log_odds, np.float64), np.asarray(outcome, np.float64)
    bins = max(1, min(BINS, len(x) // LEAST_IN_BIN))
    edges = np.unique(np.quantile(x, np.arange(1, bins) / bins)) if bins > 1 else np.empty(0)
    # Sorted, so that sums do not depend on the order of rows.
    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    _, place = np.unique(np.searchsorted(edges, x, side="right"), return_inverse=True)
    rows, converted, total, said = (
        np.bincount(place, weights=w).astype(np.float64) for w in (np.ones(len(x)), y, x, expit(x))
    )
    at = total / rows
    if not (np.diff(at) > 1e-6).all():  # bins that numbers can hardly tell apart
        return at[:1], rows[:1], converted[:1], said[:1] / rows[:1]
    return at, rows, converted, said / rows


def _rising(rates: Floats, rows: Floats) -> Floats:
    fitted: Floats = isotonic_regression(rates, sample_weight=rows)
    return fitted


def _through(method: str, at: Floats, rates: Floats) -> Calibrator:
    smallest = float(expit(-LIMIT))
    to = logit(np.clip(rates, smallest, 1 - smallest))
    # The least rise is laid under the whole chain; a little more than the floor, or rounding would end below it.
    floor = SLOPE_FLOOR * (1 + 1e-3) * (at - at[0])
    to = np.maximum.accumulate(to - floor) + floor
    return Calibrator(method, 1.0, 1.0, 0.0, tuple(zip(at.tolist(), to.tolist(), strict=True)))

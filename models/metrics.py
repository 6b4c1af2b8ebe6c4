"""The metrics of a ranking and of probabilities, each for many weightings of the same leads at once.

Every metric takes k weightings (see ``ranked``) and returns k numbers. NaN means undefined: one outcome only, or
outcomes perfectly separated. Ties are exact: leads of equal probability stand in any order.

============================  =================================================================================
metric                        meaning
============================  =================================================================================
``log_loss``                  mean −ln of the probability given to what happened; probabilities clipped at 2e-16
``brier``                     mean squared error of the probability
``brier_skill``               1 − Brier / Brier of the constant learned on the training data; 0 = no better than it
``roc_auc``                   chance that a converter ranks above a non-converter; a tie counts one half
``roc_auc_within``            the same, of pairs in the same period only: a base rate that moves with time, and that
                              a model may have learned, ranks nobody within a period
``pr_auc``                    average precision (a tie group is one threshold)
``lift_at_5``, ``_10``,       converters among the top 5, 10, 20 % of the list, or among as many as sales can work,
``_20``, ``_capacity``        relative to as many drawn at random; ties shared in proportion
``captured_at_5``, …          share of all converters that are found there
``ece``                       root mean square gap between predicted and observed over equal-mass bins, debiased
``calibration_slope``         slope b of logit(p') = a + b·logit(p) fitted to the outcomes: < 1 over-confident
``calibration_intercept``     calibration in the large: c of logit(p') = c + logit(p), the slope fixed at 1;
                              > 0 where too little was promised
============================  =================================================================================

References
----------
Kumar, A., Liang, P. and Ma, T. (2019). Verified uncertainty calibration. NeurIPS 32. arXiv:1909.10155 (debiasing).
Van Calster, B. et al. (2016). A calibration hierarchy for risk models was defined. J. Clin. Epidemiol. 74.
doi:10.1016/j.jclinepi.2015.12.005 (slope and calibration in the large).
"""

from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from models.ranked import Ranked, Running, Weighted
from models.recalibration import Floats, fit_line, fit_shift

Metric = Callable[[Weighted], Floats]


def measurable(ranked: Ranked) -> tuple[str, ...]:
    """Names of the metrics that can be asked of these snapshots: without periods or a capacity some cannot."""
    left_out = {"roc_auc_within"} if ranked.period is None else set()
    if ranked.capacity_share is None:
        left_out |= {"lift_at_capacity", "captured_at_capacity"}
    return tuple(name for name in METRICS if name not in left_out)


def log_loss_above_base_rate(w: Weighted) -> Floats:
    """Log loss less that of the constant learned on the training data: below 0 where the model says more than it."""
    above: Floats = (w.surprise - w.base_surprise) / w.size
    return above


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Quotient; NaN where the denominator is zero."""
    quotient: Floats = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient


def _log_loss(w: Weighted) -> Floats:
    mean: Floats = w.surprise / w.size
    return mean


def _brier(w: Weighted) -> Floats:
    mean: Floats = w.squared_error / w.size
    return mean


def _brier_skill(w: Weighted) -> Floats:
    skill: Floats = 1 - w.squared_error / w.base_squared_error
    return skill


def _auc(running: Running) -> Floats:
    """Of the pairs of a converter and another of its period, the share in which the converter stands first."""
    order = running.order
    others, converted = running.others_before(order.period_ends), running.converted_before(order.period_ends)
    pairs = (np.diff(others, axis=1) * np.diff(converted, axis=1)).sum(axis=1)
    row = order.converters
    period = np.searchsorted(order.period_ends, row, side="right")
    # Half of those it is tied with stand above it: they begin at `first` and end before `past`.
    above = (running.others_before(order.first[row]) + running.others_before(order.past[row])) / 2
    return _ratio((running.drawn * (others[:, period] - above)).sum(axis=1), pairs)


def _roc_auc(w: Weighted) -> Floats:
    return _auc(w.running)


def _roc_auc_within(w: Weighted) -> Floats:
    return _auc(w.running_within)


def _pr_auc(w: Weighted) -> Floats:
    running = w.running
    past = running.order.past[running.order.converters]
    # Weights are whole numbers: below 1 nobody was drawn.
    precision = running.converted_before(past) / np.maximum(running.snapshots[:, past], 1)
    return _ratio((running.drawn * precision).sum(axis=1), w.converted)


def _found(w: Weighted, share: float) -> Floats:
    """Converters among the first `share` of the list; the run of equals in which it ends gives its part of them."""
    running, wanted = w.running, share * w.size
    upto = running.snapshots[:, 1:]
    row = np.array([np.searchsorted(*pair) for pair in zip(upto, wanted, strict=True)], np.intp)  # where the list ends
    first, past = running.order.first[row], running.order.past[row]
    k, before = np.arange(row.size), running.order.converters_before
    start = running.snapshots[k, first]
    equal = running.snapshots[k, past] - start
    found = running.converted[k, before[first]]
    among_equals = running.converted[k, before[past]] - found
    upto_end: Floats = found + among_equals * (wanted - start) / equal
    return upto_end


def _captured_at(w: Weighted, *, share: float) -> Floats:
    return _ratio(_found(w, share), w.converted)


def _lift_at(w: Weighted, *, share: float) -> Floats:
    return _ratio(_found(w, share), share * w.converted)


def _at_capacity(w: Weighted, *, metric: Callable[..., Floats]) -> Floats:
    if w.ranked.capacity_share is None:
        raise ValueError("capacity_share must be given for what is judged at the sales capacity.")
    return metric(w, share=w.ranked.capacity_share)


def _ece(w: Weighted) -> Floats:
    """Mean squared gap minus its own sampling variance (between leads), floored at 0, then the root.

    A drawn lead counts squared in the variance, so a resample, which is noisier than the data, is corrected for more.
    """
    snapshots, _ = w.ranked.per_lead_bin
    sums, products = w.ranked.per_lead_bin_products
    mass, residual = np.split(w.counts @ sums, 2, axis=1)
    squares, mixed, sizes = np.split(w.counts**2 @ products, 3, axis=1)
    return debiased_error(mass, residual, squares, mixed, sizes, leads_in_bin=(snapshots > 0).sum(axis=0))


def debiased_error(
    mass: Floats,
    residual: Floats,
    squares: Floats,
    mixed: Floats,
    sizes: Floats,
    *,
    leads_in_bin: npt.ArrayLike,
) -> Floats:
    """Debiased calibration error of (k, bins) weighted sums over leads.

    Parameters
    ----------
    mass, residual
        Sums of the leads' snapshots in each bin, and of their residuals (outcome − probability).
    squares, mixed, sizes
        Sums over leads, by the squared weight, of residual², residual × snapshots, and snapshots².
    leads_in_bin
        (bins,) leads that have snapshots there.
    """
    gap = np.nan_to_num(_ratio(residual, mass))
    spread = squares - 2 * gap * mixed + gap**2 * sizes
    leads = np.asarray(leads_in_bin)
    variance = np.nan_to_num(_ratio(spread, mass**2)) * leads / np.maximum(leads - 1, 1)
    debiased: Floats = (mass * (gap**2 - variance)).sum(axis=1) / mass.sum(axis=1)
    return np.sqrt(np.maximum(0.0, debiased))


def _calibration_slope(w: Weighted) -> Floats:
    ranked = w.ranked
    start = ranked.recalibrated.line_of(w.counts)
    line = fit_line(ranked.log_odds, w.total, w.converted, w.converted_log_odds, start=start)
    return line[:, 1]


def _calibration_intercept(w: Weighted) -> Floats:
    return fit_shift(w.ranked.log_odds, w.total, w.converted, start=w.ranked.recalibrated.shift_of(w.counts))


METRICS: MappingProxyType[str, Metric] = MappingProxyType(
    {
        "log_loss": _log_loss,
        "brier": _brier,
        "brier_skill": _brier_skill,
        "roc_auc": _roc_auc,
        "roc_auc_within": _roc_auc_within,
        "pr_auc": _pr_auc,
        "lift_at_5": partial(_lift_at, share=0.05),
        "lift_at_10": partial(_lift_at, share=0.10),
        "lift_at_20": partial(_lift_at, share=0.20),
        "lift_at_capacity": partial(_at_capacity, metric=_lift_at),
        "captured_at_5": partial(_captured_at, share=0.05),
        "captured_at_10": partial(_captured_at, share=0.10),
        "captured_at_20": partial(_captured_at, share=0.20),
        "captured_at_capacity": partial(_at_capacity, metric=_captured_at),
        "ece": _ece,
        "calibration_slope": _calibration_slope,
        "calibration_intercept": _calibration_intercept,
    }
)

#: Which way is better. Slope and intercept are not here: they are best at 1 and at 0.
LOWER_IS_BETTER: Final[MappingProxyType[str, bool]] = MappingProxyType(
    {
        name: name in ("log_loss", "brier", "ece")
        for name in METRICS
        if name not in ("calibration_slope", "calibration_intercept")
    }
)

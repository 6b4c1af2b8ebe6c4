"""The metrics of a ranking and of probabilities, each for many weightings of the same leads at once.

Snapshots are sorted once by falling probability. A *weighting* is a whole number per lead (how often a bootstrap
resample drew it; all ones for the data as they are), and every metric takes k weightings and returns k numbers. NaN
means undefined: one outcome only, or outcomes perfectly separated. Only groups of equal probabilities are looked at,
so ties are exact and the order of rows cannot matter.

============================  =================================================================================
metric                        meaning
============================  =================================================================================
``log_loss``                  mean −ln of the probability given to what happened; probabilities clipped at 2e-16
``brier``                     mean squared error of the probability
``brier_skill``               1 − Brier / Brier of the constant learned on the training data; 0 = no better than it
``roc_auc``                   chance that a converter ranks above a non-converter; a tie counts one half
``pr_auc``                    average precision (a tie group is one threshold)
``lift_at_10``                converters among the top tenth, relative to a random tenth; ties shared in proportion
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
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

BINS: Final = 10
LIFT_SHARE: Final = 0.10
_EPSILON: Final = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Ranked:
    """Snapshots sorted once by falling probability; a *group* is a run of equal probabilities."""

    probability: Floats  # per group, falling
    start: Positions  # per group: its first row
    lead: Positions  # per row: position of its lead among the sorted distinct lead ids
    outcome: Floats  # per row
    row_bin: Positions  # per row: equal-mass bin, 0 = lowest probabilities
    leads: int
    base_rate_probability: float

    @cached_property
    def row_probability(self) -> Floats:
        """Per row, falling."""
        return np.repeat(self.probability, np.diff(self.start, append=self.outcome.size))

    @cached_property
    def log_odds(self) -> Floats:
        """Per group, falling; finite also where the probability is 0 or 1."""
        p = np.clip(self.probability, _EPSILON, 1 - _EPSILON)
        return np.log(p) - np.log1p(-p)

    @cached_property
    def per_lead_bin(self) -> tuple[Floats, Floats]:
        """Snapshots, and sum of outcome − probability, per (lead, bin): what the debiased error needs."""
        bins = int(self.row_bin.max()) + 1
        cell, size = self.lead * bins + self.row_bin, self.leads * bins
        snapshots, converted, expected = (
            np.bincount(cell, weights=w, minlength=size).reshape(self.leads, bins).astype(np.float64)
            for w in (None, self.outcome, self.row_probability)
        )
        return snapshots, converted - expected


class Weighted:
    """The same snapshots under k weightings at once: ``counts`` (k, leads) says how often each lead was drawn."""

    def __init__(self, ranked: Ranked, counts: Floats) -> None:
        self.ranked, self.counts = ranked, counts
        rows = counts[:, ranked.lead]
        self.total: Floats = np.add.reduceat(rows, ranked.start, axis=1)  # (k, groups), falling probability
        self.positive: Floats = np.add.reduceat(rows * ranked.outcome, ranked.start, axis=1)
        self.negative: Floats = self.total - self.positive
        self.size: Floats = self.total.sum(axis=1)
        self.converted: Floats = self.positive.sum(axis=1)

    @cached_property
    def converted_so_far(self) -> Floats:
        """Converted snapshots down to and including each group."""
        return np.cumsum(self.positive, axis=1)

    @cached_property
    def size_so_far(self) -> Floats:
        """Snapshots down to and including each group."""
        return np.cumsum(self.total, axis=1)


def rank(
    probability: npt.ArrayLike, outcome: npt.ArrayLike, lead_id: npt.ArrayLike, *, base_rate_probability: float = 0.5
) -> Ranked:
    """Check and sort snapshots; equal lead ids give equal lead positions whatever the order of the rows.

    Raises
    ------
    ValueError
        On different lengths, nulls, probabilities outside [0, 1] or outcomes other than 0 and 1.

    Examples
    --------
    >>> rank([0.2, 0.7, 0.2], [0, 1, 1], ["a", "b", "b"]).probability
    array([0.7, 0.2])
    >>> rank([0.2], [2], ["a"])
    Traceback (most recent call last):
    ...
    ValueError: outcome must be 0 or 1, found 2.0 at position 0: drop snapshots that are not mature yet.
    """
    p, y = np.asarray(probability, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    lead, names = pd.factorize(np.asarray(lead_id), sort=True)
    if p.ndim != 1 or p.shape != y.shape or p.shape != lead.shape or p.size == 0:
        raise ValueError(
            "probability, outcome and lead_id need one entry per snapshot, and at least one: "
            f"found shapes {p.shape}, {y.shape} and {lead.shape}."
        )
    if not (ok := (p >= 0) & (p <= 1)).all():
        at = int(np.argmin(ok))
        raise ValueError(
            f"probability must lie in [0, 1], found {p[at]} at position {at}: "
            "give calibrated probabilities, not log-odds."
        )
    if not (ok := (y == 0) | (y == 1)).all():
        at = int(np.argmin(ok))
        raise ValueError(
            f"outcome must be 0 or 1, found {y[at]} at position {at}: drop snapshots that are not mature yet."
        )
    if (lead < 0).any():
        raise ValueError(f"lead_id must not be null, found a null at position {int(np.argmin(lead))}.")
    order = np.argsort(-p, kind="stable")
    p, y, lead = p[order], y[order], lead[order].astype(np.intp)
    start = np.flatnonzero(np.r_[True, p[1:] != p[:-1]])
    size = np.diff(start, append=p.size)
    # A group goes where its middle lies, so ties stay together and the order of rows cannot matter.
    below = 1.0 - (start + size / 2) / p.size
    bins = np.unique(np.floor(below * BINS), return_inverse=True)[1]
    return Ranked(p[start], start, lead, y, np.repeat(bins, size), len(names), base_rate_probability)


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Quotient; NaN where the denominator is zero."""
    quotient: Floats = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient


def _log_loss(w: Weighted) -> Floats:
    p = np.clip(w.ranked.probability, _EPSILON, 1 - _EPSILON)
    gained: Floats = w.positive @ np.log(p) + w.negative @ np.log1p(-p)
    return -gained / w.size


def _brier(w: Weighted) -> Floats:
    p = w.ranked.probability
    squared: Floats = w.positive @ (1 - p) ** 2 + w.negative @ p**2
    return squared / w.size


def _brier_skill(w: Weighted) -> Floats:
    b = w.ranked.base_rate_probability
    return 1 - _brier(w) / ((w.converted * (1 - b) ** 2 + (w.size - w.converted) * b**2) / w.size)


def _roc_auc(w: Weighted) -> Floats:
    negatives = w.size - w.converted
    below = negatives[:, None] - (w.size_so_far - w.converted_so_far) + w.negative / 2
    return _ratio((w.positive * below).sum(axis=1), w.converted * negatives)


def _pr_auc(w: Weighted) -> Floats:
    precision = w.converted_so_far / np.maximum(w.size_so_far, 1)  # weights are whole: below 1 nobody was drawn
    return _ratio((w.positive * precision).sum(axis=1), w.converted)


def _lift_at_10(w: Weighted) -> Floats:
    wanted = LIFT_SHARE * w.size
    group = (w.size_so_far < wanted[:, None]).sum(axis=1)  # the group in which the list ends
    row = np.arange(group.size)
    short = w.size_so_far[row, group] - wanted  # members of that group beyond the list's end
    found = w.converted_so_far[row, group] - w.positive[row, group] * short / w.total[row, group]
    return _ratio(found, LIFT_SHARE * w.converted)


def _ece(w: Weighted) -> Floats:
    """Mean squared gap minus its own sampling variance (between leads), floored at 0, then the root.

    A drawn lead counts squared in the variance, so a resample, which is noisier than the data, is corrected for more.
    """
    snapshots, residual = w.ranked.per_lead_bin
    leads_in_bin = (snapshots > 0).sum(axis=0)
    squared = w.counts**2
    mass = w.counts @ snapshots
    gap = np.nan_to_num(_ratio(w.counts @ residual, mass))
    spread = squared @ residual**2 - 2 * gap * (squared @ (residual * snapshots)) + gap**2 * (squared @ snapshots**2)
    variance = np.nan_to_num(_ratio(spread, mass**2)) * leads_in_bin / np.maximum(leads_in_bin - 1, 1)
    debiased: Floats = (mass * (gap**2 - variance)).sum(axis=1) / w.size
    return np.sqrt(np.maximum(0.0, debiased))


def _calibration_slope(w: Weighted) -> Floats:
    """Newton on the centred, scaled log-odds, all weightings at once; NaN where there is no finite solution."""
    log_odds = w.ranked.log_odds
    centre, scale = log_odds.mean(), log_odds.std()
    slope = np.full(w.size.size, np.nan)
    if scale < 1e-9:
        return slope
    z = (log_odds - centre) / scale
    powers = np.stack([np.ones_like(z), z, z * z], axis=1)
    active = np.flatnonzero((w.converted > 0) & (w.converted < w.size))
    theta = np.tile([centre, scale], (active.size, 1))  # intercept 0, slope 1 on the scaled axis
    for _ in range(60):
        mu = expit(theta[:, :1] + theta[:, 1:] * z)
        expected = w.total[active] * mu
        g0, g1 = ((w.positive[active] - expected) @ powers[:, :2]).T
        h0, h1, h2 = ((expected * (1 - mu)) @ powers).T
        determinant = h0 * h2 - h1 * h1
        solvable = determinant > 1e-12 * h0 * h2
        safe = np.where(solvable, determinant, 1.0)
        step = np.stack([h2 * g0 - h1 * g1, h0 * g1 - h1 * g0], axis=1) / safe[:, None]
        length = np.linalg.norm(step, axis=1)
        # Steps of at most 1: a full Newton step from a bad start can run away, a short one only takes longer.
        theta = theta + step / np.maximum(1.0, length)[:, None]
        done = solvable & (length < 1e-9)
        slope[active[done]] = theta[done, 1] / scale
        going = solvable & ~done
        active, theta = active[going], theta[going]
        if active.size == 0:
            break
    return slope


def _calibration_intercept(w: Weighted) -> Floats:
    """Shift of all log-odds at which expected conversions equal those seen: Newton kept inside a shrinking bracket."""
    both = (w.converted > 0) & (w.converted < w.size)
    low, high = np.full(w.size.size, -80.0), np.full(w.size.size, 80.0)
    shift = np.zeros(w.size.size)
    for _ in range(80):
        mu = expit(w.ranked.log_odds + shift[:, None])
        expected = w.total * mu
        excess = expected.sum(axis=1) - w.converted
        low, high = np.where(excess <= 0, shift, low), np.where(excess >= 0, shift, high)
        information = np.maximum((expected * (1 - mu)).sum(axis=1), 1e-300)
        newton = shift - np.clip(excess / information, -200.0, 200.0)
        following = np.where((newton >= low) & (newton <= high), newton, (low + high) / 2)
        moved = np.abs(following - shift)[both]
        shift = following
        if not moved.size or moved.max() < 1e-10:
            break
    return np.where(both, shift, np.nan)


METRICS: MappingProxyType[str, Callable[[Weighted], Floats]] = MappingProxyType(
    {
        "log_loss": _log_loss,
        "brier": _brier,
        "brier_skill": _brier_skill,
        "roc_auc": _roc_auc,
        "pr_auc": _pr_auc,
        "lift_at_10": _lift_at_10,
        "ece": _ece,
        "calibration_slope": _calibration_slope,
        "calibration_intercept": _calibration_intercept,
    }
)

"""How the chance of a customer fades while a lead is silent: conversions by days since its last act of interest.

Mature snapshots are sorted into steps of silence; the rate of each, made never to rise with silence (isotonic, weighed
by snapshots), is joined by straight lines of its logarithm. The slope is the share of the chance that one more day of
silence takes away. A lead's snapshots are one piece of evidence, so intervals resample leads.

What is not known: what would have been had somebody called. The curve compares leads that had been silent for longer
with leads that had been silent for shorter, and takes every lead's chance to fade in the same proportion. It says what
a silent day goes along with, which is the most that a history without experiments can say.

References
----------
Barlow, R. E. et al. (1972). Statistical inference under order restrictions. Wiley.
Field, C. A. and Welsh, A. H. (2007). Bootstrapping clustered data. JRSS B 69(3). doi:10.1111/j.1467-9868.2007.00593.x
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.isotonic import isotonic_regression

from models.intervals import CONFIDENCE

Floats = npt.NDArray[np.float64]

#: Days of silence at which a step begins; the last has no end.
STEPS: Final = (0.0, 1.0, 3.0, 7.0, 14.0, 30.0, 60.0, 120.0)
#: With fewer conversions, or fewer in a step's neighbourhood, nothing is told.
LEAST_CONVERTED: Final = 50
_LEAST_SNAPSHOTS: Final = 30


@dataclass(frozen=True, eq=False)
class Waiting:
    """Grain: one entry per step of silence that has enough snapshots, shortest first.

    `days` is the mean silence in it, `snapshots` and `converted` (snapshots) the counts, `rate` the smoothed share that
    converts within the horizon, `low` and `high` its 95 % interval.
    """

    days: Floats
    snapshots: npt.NDArray[np.int64]
    converted: npt.NDArray[np.int64]
    rate: Floats
    low: Floats
    high: Floats
    drawn: Floats
    """(resamples, steps) the same rates of resampled leads."""

    def share_lost(self, days: npt.ArrayLike, *, over_days: float = 1.0) -> Floats:
        """(rows,) the share of a lead's chance that so many more days of silence take away.

        NaN where the days of silence are; 0 beyond the last step, where nothing is seen to fade any more.

        Parameters
        ----------
        days : shape (rows,), days since the last act of interest, 0 or more; NaN: never, or not known
        """
        return _lost(self.days, self.rate, np.atleast_1d(np.asarray(days, np.float64)), over_days)

    def interval(self, days: float, *, over_days: float = 1.0) -> tuple[float, float, float]:
        """The share lost by a lead that has been silent for `days`, and its 95 % interval."""
        at = np.array([days])
        drawn = np.array([_lost(self.days, rate, at, over_days)[0] for rate in self.drawn])
        tail = (1 - CONFIDENCE) / 2
        low, high = np.quantile(drawn, [tail, 1 - tail]) if drawn.size else (np.nan, np.nan)
        return float(self.share_lost(at, over_days=over_days)[0]), float(low), float(high)

    def as_dict(self) -> list[dict[str, Any]]:
        """One row per step, for JSON."""
        columns = (self.days, self.snapshots, self.converted, self.rate, self.low, self.high)
        names = ("days", "snapshots", "converted", "rate", "low", "high")
        return [dict(zip(names, row, strict=True)) for row in zip(*(c.tolist() for c in columns), strict=True)]


def waiting(
    days: npt.ArrayLike, outcome: npt.ArrayLike, lead_id: npt.ArrayLike, *, resamples: int = 200, seed: int = 7
) -> Waiting | None:
    """Learn the curve from mature snapshots; None where too few converted, or there is but one step, to say anything.

    Parameters
    ----------
    days
        Shape (snapshots,): days since the last act of interest as of each; rows where it is NaN are left out.
    outcome, lead_id
        Shape (snapshots,): whether it converted within the horizon (0/1), and whose snapshot it is.

    Examples
    --------
    >>> silence = np.repeat([0.5, 10.0], 1000)
    >>> bought = np.r_[np.arange(1000) < 200, np.arange(1000) < 100]
    >>> curve = waiting(silence, bought, np.arange(2000), resamples=50)
    >>> curve.rate.round(3).tolist()
    [0.2, 0.1]
    >>> curve.share_lost([0.5, 9.0, 40.0, np.nan]).round(3).tolist()
    [0.07, 0.07, 0.0, nan]
    >>> waiting(silence[:20], bought[:20], np.arange(20)) is None
    True
    """
    silence, y = np.asarray(days, np.float64), np.asarray(outcome, np.float64)
    known = ~np.isnan(silence)
    silence, y, codes = silence[known], y[known], pd.factorize(np.asarray(lead_id, object)[known])[0]
    if y.sum() < LEAST_CONVERTED:
        return None
    step = np.searchsorted(STEPS, silence, side="right") - 1
    counts = np.bincount(step, minlength=len(STEPS))
    kept = np.flatnonzero(counts >= _LEAST_SNAPSHOTS)
    if len(kept) < 2:
        return None
    leads, steps = int(codes.max()) + 1, len(STEPS)
    cell = codes * steps + step
    seen, bought = (
        np.bincount(cell, weights=w, minlength=leads * steps).reshape(leads, steps)[:, kept].astype(np.float64)
        for w in (None, y)
    )
    base = float(y.mean())
    generator = np.random.default_rng(seed)
    drawn = np.empty((resamples, len(kept)))
    for row in range(resamples):
        times = np.bincount(generator.integers(0, leads, leads), minlength=leads).astype(np.float64)
        drawn[row] = _falling(times @ bought, times @ seen, base)
    rate = _falling(bought.sum(axis=0), seen.sum(axis=0), base)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0) if resamples else (rate, rate)
    return Waiting(
        days=np.bincount(step, weights=silence, minlength=steps)[kept] / counts[kept],
        snapshots=counts[kept].astype(np.int64),
        converted=np.bincount(step, weights=y, minlength=steps)[kept].astype(np.int64),
        rate=rate,
        low=low,
        high=high,
        drawn=drawn,
    )


def _falling(converted: Floats, snapshots: Floats, base: float) -> Floats:
    """Rates that never rise; one snapshot of the base rate is added to each step, so that none is 0."""
    rates: Floats = isotonic_regression(
        (converted + base) / (snapshots + 1), sample_weight=snapshots + 1, increasing=False
    )
    return rates


def _lost(centres: Floats, rate: Floats, days: Floats, over_days: float) -> Floats:
    logs = np.log(rate)
    first = (logs[1] - logs[0]) / (centres[1] - centres[0])

    def log_rate(at: Floats) -> Floats:
        # Before the first centre the first line goes on; beyond the last, the curve is level.
        return np.asarray(np.interp(at, centres, logs) + np.minimum(at - centres[0], 0.0) * first)

    return np.asarray(1 - np.exp(log_rate(days + over_days) - log_rate(days)))

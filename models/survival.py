"""How long a step takes, with those still waiting counted right: Kaplan–Meier, its band, and times read off it.

A lead that enters a stage is watched until `as_of`, whatever becomes of it: one that was disqualified or recycled stays
in the count as one that has not gone on, for it may come back (and does). Everybody is then watched for a known time,
and one less the Kaplan–Meier curve is the cumulative incidence of going on: exits compete, and nothing is assumed about
what leads that were given up "would have done". To censor them at their exit instead would promise that they go on as
often as the others.

References
----------
Kaplan, E. L. and Meier, P. (1958). Nonparametric estimation from incomplete observations. JASA 53(282).
    doi:10.1080/01621459.1958.10501452
Brookmeyer, R. and Crowley, J. (1982). A confidence interval for the median survival time. Biometrics 38(1).
    doi:10.2307/2530286
Fine, J. P. and Gray, R. J. (1999). A proportional hazards model for the subdistribution of a competing risk. JASA
    94(446), section 3.1: complete data but for a known end of watching. doi:10.1080/01621459.1999.10474144
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.intervals import Z_95, Interval, wilson

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

#: A curve ends where fewer leads than this have been watched for so long: what follows would hang on a handful.
LEAST_WATCHED: Final = 20


@dataclass(frozen=True)
class Curve:
    """The share of all that entered who have gone on, day by day; arrays have one entry per distinct `days`.

    Attributes
    ----------
    entered, passed : how many entered, and how many of them have gone on, the end of the curve left aside
    watched_days : how far the curve reaches; NaN where there are too few leads for any
    days : ascending, those on which at least one went on
    share, low, high : share gone on by then, and its 95 % log-log band
    at_risk : how many were still waiting just before
    """

    entered: int
    passed: int
    watched_days: float
    days: Floats
    share: Floats
    low: Floats
    high: Floats
    at_risk: Counts
    greenwood: Floats
    """Greenwood's sum: the variance of the share, over the square of the share that has not gone on."""

    @property
    def end(self) -> float:
        """The share that has ever gone on, as far as the curve reaches; NaN where it reaches nowhere."""
        if self.share.size:
            return float(self.share[-1])
        return float("nan") if np.isnan(self.watched_days) else 0.0

    def at(self, day: float) -> float:
        """The share gone on within so many days."""
        place = int(np.searchsorted(self.days, day, side="right"))
        return float(self.share[place - 1]) if place else 0.0


def curve(waited: Floats, *, watched: Floats, least_watched: int = LEAST_WATCHED) -> Curve:
    """Estimate the curve.

    Parameters
    ----------
    waited : (leads,) days from entering to going on; NaN for those who have not
    watched : (leads,) days from entering to as_of; at least `waited`
    least_watched : the curve ends at the longest time for which so many leads have been watched

    Raises
    ------
    ValueError
        A time is negative, or somebody went on after the end of watching.

    Examples
    --------
    >>> found = curve(np.array([2.0, 4.0, np.nan, np.nan]), watched=np.array([9.0, 9.0, 9.0, 3.0]), least_watched=1)
    >>> found.days.tolist(), found.share.tolist(), found.at_risk.tolist()
    ([2.0, 4.0], [0.25, 0.625], [4, 2])
    >>> curve(np.array([5.0]), watched=np.array([4.0]))
    Traceback (most recent call last):
    ValueError: days waited must lie between 0 and the days watched; found 5 of 4: cut the history at as_of first.
    """
    wrong = np.flatnonzero((waited < 0) | (waited > watched) | ~(watched >= 0))
    if wrong.size:
        raise ValueError(
            f"days waited must lie between 0 and the days watched; found {waited[wrong[0]]:g} of "
            f"{watched[wrong[0]]:g}: cut the history at as_of first."
        )
    end = float(np.partition(watched, -least_watched)[-least_watched]) if watched.size >= least_watched else np.nan
    left = np.sort(np.fmin(waited, watched))
    days, went_on = np.unique(waited[waited <= end], return_counts=True)
    at_risk = (left.size - np.searchsorted(left, days, side="left")).astype(np.int64)
    staying: Floats = np.cumprod(1 - went_on / np.maximum(at_risk, 1)).astype(np.float64)
    rest = at_risk - went_on
    shrunk = np.divide(went_on, at_risk * rest, out=np.zeros(days.size), where=rest > 0)
    greenwood: Floats = np.cumsum(shrunk).astype(np.float64)
    low, high = _band(staying, greenwood, entered=left.size)
    return Curve(left.size, int(went_on.sum()), end, days, 1 - staying, low, high, at_risk, greenwood)


def _band(staying: Floats, greenwood: Floats, *, entered: int) -> tuple[Floats, Floats]:
    """The 95 % log-log band of the share gone on; monotone, and where nobody is left it stays as it was before."""
    inner = (staying > 0) & (staying < 1)
    log = np.log(staying, out=np.full(staying.size, -1.0), where=inner)
    reach = np.exp(Z_95 * np.sqrt(greenwood) / -log)
    low = np.where(inner, -np.expm1(log / reach), 0.0)
    high = np.where(inner, -np.expm1(log * reach), 1.0)
    if staying.size and staying[-1] == 0:
        low[-1] = low[-2] if low.size > 1 else wilson(1.0, entered)[0]
    return np.maximum.accumulate(low), np.maximum.accumulate(high)


def half_of_all(found: Curve) -> Interval:
    """Days until half of all that entered have gone on (Brookmeyer and Crowley's interval).

    NaN where the curve, or an end of its band, does not reach a half: fewer than half go on, as far as is known.

    Examples
    --------
    >>> days = np.arange(1.0, 41.0)
    >>> half_of_all(curve(days, watched=np.full(40, 50.0)))
    Interval(value=20.0, low=14.0, high=26.0, undefined=0)
    """
    half = 0.5 - 1e-12  # shares are products, and a half is a half but for rounding
    value, low, high = (_first(found.days, line >= half) for line in (found.share, found.high, found.low))
    return Interval(value, low, high)


def time_of(found: Curve, part: float) -> Interval:
    """Days within which this part of those who ever go on do so, as far as the curve reaches.

    Unlike the median of the times seen, it is not too short where many are still waiting. The interval holds the days
    at which the share gone on does not differ, by Greenwood's variance, from `part` of the share at the end.

    Parameters
    ----------
    part : in (0, 1): 0.5 for the median, 0.9 for when a stage has all but come to rest

    Returns
    -------
    Interval
        In days; NaN where nobody has gone on; `high` also where the end itself is too uncertain.

    Examples
    --------
    >>> waited = np.concatenate([np.arange(1.0, 41.0), np.full(60, np.nan)])
    >>> time_of(curve(waited, watched=np.full(100, 90.0)), 0.5)
    Interval(value=20.0, low=14.0, high=27.0, undefined=0)
    """
    if not found.share.size:
        return Interval(float("nan"), float("nan"), float("nan"))
    staying, g = 1 - found.share, found.greenwood
    last, at_end = staying[-1], g[-1]
    beyond = found.share - part * found.share[-1]
    variance = staying**2 * g + (part * last) ** 2 * at_end - 2 * part * staying * last * g
    reach = Z_95 * np.sqrt(np.maximum(variance, 0.0))
    value = _first(found.days, beyond >= -1e-12)
    low, high = _first(found.days, beyond + reach >= -1e-12), _first(found.days, beyond - reach > 0)
    return Interval(value, low, high)


def _first(days: Floats, holds: npt.NDArray[np.bool_]) -> float:
    """The first day on which something holds; NaN where it never does."""
    return float(days[np.argmax(holds)]) if holds.any() else float("nan")

"""The process behind the simulated leads, and the exact probability that it gives to every snapshot.

Each lead has an unseen liveliness Z ~ Gamma(a, a). After its first act it comes back at the rate

    Z * pace(x) * interest(age),    interest(s) = floor + (1 - floor) * exp(-s / fading),

where x is what its first profile row says, blanks included. An unsubscription (a constant hazard) multiplies the rate
by a remainder for good. On each return the lead may do any of its company's triggers; the acts differ only in how often
they happen, what they promise and how soon. Trigger i leads to a purchase with probability q_i = expit(base + fit(x)),
after a Weibull delay F_i; the lead becomes a customer at the first of these times. Everything runs on one business
clock, which goes as fast as the company's months and weekends do.

Three things make the probability of a purchase exact:

- the clocks are independent, so each trigger seen so far contributes one factor
  (1 - q F(until - t)) / (1 - q F(as_of - t));
- triggers are marks of a Poisson process, so those to come contribute exp(-Z I), I the thinned integral of the rate;
- the gamma law is conjugate: after N returns under exposure E, Z ~ Gamma(a + N, a + E), which turns exp(-Z I) into
  (1 + I / (a + E)) ** -(a + N). It is averaged over when an unsubscription might come.

References
----------
Weibull delays and independent competing clocks: Kalbfleisch, Prentice (2002), The Statistical Analysis of Failure Time
Data, ch. 8, doi:10.1002/9781118032985. Gamma-Poisson: Gelman et al., Bayesian Data Analysis, section 2.6.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from features.errors import InputError
from features.tables import MICROSECONDS_PER_DAY
from pipelines.synthetic_company import Company
from pipelines.synthetic_saas import SAAS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


LIVELINESS_SHAPE: Final = 6.0
DELAY_SHAPE: Final = 1.4
REMAINDER_AFTER_UNSUBSCRIBE: Final = 0.2

_OPENS_US, _CLOSES_US = 7 * 3_600_000_000, 21 * 3_600_000_000
#: Of the grid over the horizon: at least so many, and so many within the scale of the fastest trigger's delay.
_LEAST_STEPS: Final = 64
_STEPS_PER_DELAY: Final = 16
_CHUNK: Final = 20_000


@dataclass(frozen=True)
class BusinessClock:
    """Calendar time in microseconds UTC <-> business days since the start; stands still from 21:00 to 07:00."""

    calendar_us: Ints
    business_days: Floats

    def business(self, at_us: Ints) -> Floats:
        """Business days passed at calendar times, shape (n,)."""
        origin = self.calendar_us[0]
        return np.asarray(np.interp(at_us - origin, self.calendar_us - origin, self.business_days))

    def calendar(self, business_days: Floats) -> Ints:
        """Calendar times, in opening hours, at which so many business days have passed, shape (n,)."""
        origin = self.calendar_us[0]
        since = np.interp(business_days, self.business_days, (self.calendar_us - origin).astype(np.float64))
        return np.asarray(origin + since.astype(np.int64))


def business_clock(start: datetime, *, days: int, company: Company = SAAS) -> BusinessClock:
    """A company's clock of `days` calendar days from a midnight; an ordinary week has seven business days.

    Examples
    --------
    >>> from datetime import UTC
    >>> clock = business_clock(datetime(2024, 1, 1, tzinfo=UTC), days=400)
    >>> clock.business(clock.calendar_us[[0, 14]]).round(3).tolist()  # a Monday and the Monday after
    [0.0, 7.0]
    """
    first: date = start.date()
    dates = [first + timedelta(days=day) for day in range(days)]
    weights = [company.months.get(day.month, 1.0) * (company.weekend if day.weekday() >= 5 else 1.0) for day in dates]
    passed = np.concatenate([[0.0], np.cumsum(weights)]) * 7 / (5 + 2 * company.weekend)
    midnight_us = int(start.timestamp()) * 1_000_000 + np.arange(days, dtype=np.int64) * MICROSECONDS_PER_DAY
    calendar_us = np.stack([midnight_us + _OPENS_US, midnight_us + _CLOSES_US], axis=1).ravel()
    return BusinessClock(calendar_us, np.stack([passed[:-1], passed[1:]], axis=1).ravel())


def interest(age_days: Floats, company: Company) -> Floats:
    """How much of its first pace a lead keeps, by business days since its first act."""
    floor = company.interest_floor
    return floor + (1 - floor) * np.exp(-age_days / company.interest_fading_days)


def interest_until(age_days: Floats, company: Company) -> Floats:
    """The integral of `interest` from 0 to each age; 0 for negative ages."""
    age, floor, fading = np.maximum(age_days, 0.0), company.interest_floor, company.interest_fading_days
    faded = fading * -np.expm1(-age / fading)
    return floor * age + (1 - floor) * faded


def delay_cdf(waited_days: Floats, scale_days: Floats | float) -> Floats:
    """The share of purchases that have come after so many business days; 0 before the trigger."""
    return np.asarray(-np.expm1(-((np.maximum(waited_days, 0.0) / scale_days) ** DELAY_SHAPE)))


def promises(fit: Floats, company: Company) -> Floats:
    """The probability that each trigger kind leads to a purchase, shape (n, triggers), for fits of shape (n,)."""
    base = np.array([np.log(trigger.promise / (1 - trigger.promise)) for trigger in company.triggers])
    return 1 / (1 + np.exp(-(base[None, :] + fit[:, None])))


def chances(fit: Floats, company: Company) -> Floats:
    """The probability that a return brings each trigger kind, shape (n, triggers), for fits of shape (n,)."""
    base = np.array([trigger.chance for trigger in company.triggers])
    return base * np.where(company.hot[None, :], np.clip(np.exp(0.35 * fit), 0.2, 3.0)[:, None], 1.0)


def sort_keys(lead: Ints, business_days: Floats) -> Ints:
    """Integers that sort like (lead, business time), so that one searchsorted serves every lead."""
    return lead * 2**34 + (business_days * 2**20).astype(np.int64)


@dataclass(frozen=True)
class Truth:
    """What only the simulator knows, kept aside: it is never imported into a store.

    Arrays without `return_` or `trigger_` in their names have one entry per lead, in the order of `lead_ids`; times are
    in business days, infinite for never. Returns and triggers are ordered by (lead, time); the first act is among the
    triggers, not among the returns.
    """

    company: Company
    start: datetime
    days: int
    lead_ids: npt.NDArray[np.str_]
    fit: Floats
    pace: Floats
    unsubscribe_rate: Floats
    first_act: Floats
    unsubscribed: Floats
    converted: Floats
    return_lead: Ints
    return_time: Floats
    trigger_lead: Ints
    trigger_time: Floats
    trigger_kind: Ints

    @property
    def end_us(self) -> int:
        """The midnight at which the simulation ends, microseconds UTC."""
        return int(self.start.timestamp()) * 1_000_000 + self.days * MICROSECONDS_PER_DAY

    def probability(self, lead: Ints, as_of_us: Ints, *, horizon_days: int) -> Floats:
        """P(becomes a customer in [as_of, as_of + horizon) | its acts so far and that it has not bought yet).

        Parameters
        ----------
        lead
            Shape (n,): positions in `lead_ids`.
        as_of_us
            Shape (n,): microseconds UTC. Exact at midnight; inside opening hours a visit may be half seen.
        horizon_days
            Calendar days.

        Returns
        -------
        Shape (n,); NaN before the first voluntary act (a contact, no lead) and after the purchase.

        Raises
        ------
        InputError
            If an as_of lies outside of the simulated time.
        """
        start_us = self.end_us - self.days * MICROSECONDS_PER_DAY
        if np.any((as_of_us < start_us) | (as_of_us > self.end_us)):
            raise InputError(
                f"as_of must lie within the {self.days} simulated days from {self.start:%Y-%m-%d}, got "
                f"{as_of_us.min()} to {as_of_us.max()} microseconds UTC. Ask within them or simulate more days."
            )
        clock = business_clock(self.start, days=self.days + horizon_days + 2, company=self.company)
        now, until = clock.business(as_of_us), clock.business(as_of_us + horizon_days * MICROSECONDS_PER_DAY)
        result = np.full(len(lead), np.nan)
        open_rows = np.flatnonzero((self.first_act[lead] < now) & (now <= self.converted[lead]))
        for begin in range(0, len(open_rows), _CHUNK):
            rows = open_rows[begin : begin + _CHUNK]
            arguments = lead[rows], now[rows], until[rows]
            result[rows] = -np.expm1(self._log_past(*arguments) + np.log(self._future(*arguments)))
        return result

    def _log_past(self, lead: Ints, now: Floats, until: Floats) -> Floats:
        """Log-probability that no trigger seen so far leads to a purchase before `until`."""
        keys = sort_keys(self.trigger_lead, self.trigger_time)
        begin = np.searchsorted(keys, sort_keys(lead, np.zeros(len(lead))))
        count = np.searchsorted(keys, sort_keys(lead, now)) - begin
        row = np.repeat(np.arange(len(lead)), count)
        seen = np.repeat(begin, count) + np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        kind = self.trigger_kind[seen]
        promise = promises(self.fit[lead], self.company)[row, kind]
        scale = self.company.scales[kind]
        gone = delay_cdf(now[row] - self.trigger_time[seen], scale)
        due = delay_cdf(until[row] - self.trigger_time[seen], scale)
        terms = np.log1p(-promise * due) - np.log1p(-promise * gone)
        return np.asarray(np.bincount(row, weights=terms, minlength=len(lead)), dtype=np.float64)

    def _future(self, lead: Ints, now: Floats, until: Floats) -> Floats:
        """Probability that no trigger between `now` and `until` leads to a purchase before `until`."""
        keys = sort_keys(self.return_lead, self.return_time)
        returns = np.searchsorted(keys, sort_keys(lead, now)) - np.searchsorted(
            keys, sort_keys(lead, np.zeros(len(lead)))
        )
        left = self.unsubscribed[lead] < now
        exposure = self.exposure(lead, now)
        shape, rate = LIVELINESS_SHAPE + returns, LIVELINESS_SHAPE + exposure

        # Midpoint rule on a grid of the horizon; the delays depend on the span alone, so on few distinct values.
        company, span, age = self.company, until - now, now - self.first_act[lead]
        spans, which = np.unique(span, return_inverse=True)
        steps = max(_LEAST_STEPS, int(np.ceil(_STEPS_PER_DELAY * span.max(initial=0.0) / company.scales.min())))
        middle = (np.arange(steps) + 0.5) / steps
        sold = np.stack([delay_cdf(spans[:, None] * (1 - middle), scale) for scale in company.scales], axis=2)
        marks = chances(self.fit[lead], company) * promises(self.fit[lead], company)
        step = span / steps
        spread = np.empty((len(lead), steps))
        for j in range(steps):
            buys = 1 - np.prod(1 - marks * sold[which, j], axis=1)
            spread[:, j] = self.pace[lead] * interest(age + span * middle[j], company) * buys * step
        total = spread.sum(axis=1)

        def nothing(intensity: Floats) -> Floats:
            return np.asarray((1 + intensity / rate) ** -shape)

        # An unsubscription in step j cuts what comes after the middle of that step.
        survival = np.exp(-self.unsubscribe_rate[lead][:, None] * step[:, None] * np.arange(steps + 1))
        kept = REMAINDER_AFTER_UNSUBSCRIBE
        before = np.cumsum(spread, axis=1) - spread / 2
        staying = survival[:, -1] * nothing(total)
        for j in range(steps):
            cut = before[:, j] + kept * (total - before[:, j])
            staying += (survival[:, j] - survival[:, j + 1]) * nothing(cut)
        return np.where(left, nothing(kept * total), staying)

    def exposure(self, lead: Ints, now: Floats) -> Floats:
        """The returns that a lead of liveliness 1 would have made since its first act, shape (n,)."""
        age, left = now - self.first_act[lead], np.minimum(self.unsubscribed[lead], now) - self.first_act[lead]
        subscribed = interest_until(left, self.company)
        return self.pace[lead] * (
            subscribed + REMAINDER_AFTER_UNSUBSCRIBE * (interest_until(age, self.company) - subscribed)
        )

"""What the simulated leads do and when they buy: the process of `synthetic_truth`, drawn, and the events it leaves.

Events that are no triggers (pages, e-mails, calls) follow from the triggers, from fit and from chance, never from a
purchase to come: they are what a model has to see through.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from features.tables import MICROSECONDS_PER_DAY
from pipelines.synthetic_company import Company
from pipelines.synthetic_people import People
from pipelines.synthetic_truth import (
    DELAY_SHAPE,
    LIVELINESS_SHAPE,
    REMAINDER_AFTER_UNSUBSCRIBE,
    BusinessClock,
    Floats,
    Ints,
    Truth,
    chances,
    interest_until,
    promises,
    sort_keys,
)

_UNSUBSCRIBE_PER_DAY: Final = 0.0008
_MINUTE_US: Final = 60_000_000
_LATE_SHARE: Final = 0.018


@dataclass(frozen=True)
class Acts:
    """One entry per event, ordered by (lead, occurred_us, kind), a position in the company's kinds; NaN = no value."""

    lead: Ints
    occurred_us: Ints
    known_us: Ints
    kind: Ints
    value: Floats


def draw_truth(
    rng: np.random.Generator,
    people: People,
    *,
    company: Company,
    lead_ids: npt.NDArray[np.str_],
    start: datetime,
    days: int,
    end: float,
) -> Truth:
    """Let the leads live up to the business day `end`: their returns, triggers, unsubscription and purchase."""
    fit, first = people.fit, people.first_act
    leads = len(fit)
    pace = company.returns_per_day * np.exp(0.25 * fit)
    unsubscribe_rate = _UNSUBSCRIBE_PER_DAY * np.exp(-0.3 * fit)
    unsubscribed = first + rng.exponential(1.0, leads) / unsubscribe_rate

    span = np.where(np.isfinite(first), end - first, 0.0)
    liveliness = rng.gamma(LIVELINESS_SHAPE, 1 / LIVELINESS_SHAPE, leads)
    who = np.repeat(np.arange(leads), rng.poisson(liveliness * pace * interest_until(span, company)))
    when = first[who] + _draw_ages(rng, span[who], company)
    stays = (when < unsubscribed[who]) | (rng.random(len(who)) < REMAINDER_AFTER_UNSUBSCRIBE)
    who, when = who[stays], when[stays]

    row, kind = np.nonzero(rng.random((len(who), len(company.triggers))) < chances(fit, company)[who])
    interested = np.flatnonzero(np.isfinite(first))
    kinds = [company.kinds.index(name) for name in company.first_acts]
    opening = rng.choice(kinds, size=len(interested), p=list(company.first_acts.values()))
    trigger_lead = np.concatenate([who[row], interested])
    trigger_time = np.concatenate([when[row], first[interested]])
    trigger_kind = np.concatenate([kind, opening])

    sells = rng.random(len(trigger_lead)) < promises(fit, company)[trigger_lead, trigger_kind]
    scale = company.scales[trigger_kind]
    bought = trigger_time + scale * rng.weibull(DELAY_SHAPE, len(scale))
    converted = np.full(leads, np.inf)
    np.minimum.at(converted, trigger_lead[sells], bought[sells])

    by_return = np.argsort(sort_keys(who, when), kind="stable")
    by_trigger = np.argsort(sort_keys(trigger_lead, trigger_time), kind="stable")
    return Truth(
        company=company,
        start=start,
        days=days,
        lead_ids=lead_ids,
        fit=fit,
        pace=pace,
        unsubscribe_rate=unsubscribe_rate,
        first_act=first,
        unsubscribed=unsubscribed,
        converted=np.where(converted <= end, converted, np.inf),
        return_lead=who[by_return],
        return_time=when[by_return],
        trigger_lead=trigger_lead[by_trigger],
        trigger_time=trigger_time[by_trigger],
        trigger_kind=trigger_kind[by_trigger],
    )


def _draw_ages(rng: np.random.Generator, span: Floats, company: Company) -> Floats:
    """Ages at which returns happen, density in proportion to `interest` on [0, span], shape (n,)."""
    steady = rng.random(len(span)) * interest_until(span, company) < company.interest_floor * span
    uniform = rng.random(len(span))
    fading = company.interest_fading_days
    faded = -fading * np.log1p(uniform * np.expm1(-span / fading))
    return np.where(steady, uniform * span, faded)


def write_acts(rng: np.random.Generator, truth: Truth, people: People, *, clock: BusinessClock, end: float) -> Acts:
    """Turn the drawn process into the events that a marketing tool would record.

    A trigger is known at once. Other acts are known some minutes later, and a few of them days later. Nothing is
    recorded after a purchase or after the business day `end`.
    """
    leads, company = len(truth.fit), truth.company
    return_us = clock.calendar(truth.return_time)
    parts = [(truth.trigger_lead, clock.calendar(truth.trigger_time), truth.trigger_kind)]

    def add(kind: str, lead: Ints, at_us: Ints) -> None:
        parts.append((lead, at_us, np.full(len(lead), company.kinds.index(kind))))

    pages = np.repeat(np.arange(len(return_us)), 1 + rng.poisson(company.pages_per_return, len(return_us)))
    add("page", truth.return_lead[pages], return_us[pages] + rng.integers(0, 20 * _MINUTE_US, len(pages)))

    reachable = people.columns["email_class"] != "absent"
    bounces = rng.random(leads) < np.where(people.columns["email_class"] == "disposable", 0.3, 0.015)
    mailed = np.repeat(
        np.arange(leads),
        np.where(reachable, np.floor((end - people.created) / company.days_between_mailings), 0).astype(np.int64),
    )
    number = np.arange(len(mailed)) - np.searchsorted(mailed, mailed)
    sent = people.created[mailed] + (number + rng.random(len(mailed))) * company.days_between_mailings
    wanted = (sent < truth.unsubscribed[mailed]) & ~(bounces[mailed] & (number > 0))
    mailed, sent = mailed[wanted], sent[wanted]
    sent_us, lost = clock.calendar(sent), bounces[mailed]
    add("email_delivered", mailed[~lost], sent_us[~lost])
    add("bounce", mailed[lost], sent_us[lost])
    reads = rng.random(len(mailed)) < 1 / (1 + np.exp(1.0 - 0.4 * truth.fit[mailed]))
    opened = ~lost & reads & (sent > truth.first_act[mailed])
    add("email_opened", mailed[opened], sent_us[opened] + rng.integers(_MINUTE_US, 150 * _MINUTE_US, int(opened.sum())))

    clicks = (rng.random(len(return_us)) < 0.2) & (reachable & ~bounces)[truth.return_lead]
    add("email_opened", truth.return_lead[clicks], return_us[clicks])
    add("email_clicked", truth.return_lead[clicks], return_us[clicks])

    called = company.hot[truth.trigger_kind] & (rng.random(len(truth.trigger_kind)) < company.called_share)
    waited = rng.uniform(0.3, 3.0, int(called.sum()))
    add("call", truth.trigger_lead[called], clock.calendar(truth.trigger_time[called] + waited))
    gone = np.flatnonzero(truth.unsubscribed <= end)
    add("unsubscribe", gone, clock.calendar(truth.unsubscribed[gone]))

    lead, occurred_us, kind = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((kind, occurred_us, lead))
    lead, occurred_us, kind = lead[order], occurred_us[order], kind[order]
    bought_us = np.where(np.isfinite(truth.converted), clock.calendar(truth.converted), truth.end_us + 1)
    kept = occurred_us < bought_us[lead]
    lead, occurred_us, kind = lead[kept], occurred_us[kept], kind[kept]
    known_us = _known(rng, occurred_us, kind, company=company, end_us=truth.end_us)
    return Acts(lead, occurred_us, known_us, kind, _values(rng, kind, company))


def _known(rng: np.random.Generator, occurred_us: Ints, kind: Ints, *, company: Company, end_us: int) -> Ints:
    """When each act came to be known: at once, within the half hour, or one to ten days late."""
    quiet = (kind >= len(company.triggers)) & (kind != company.kinds.index("unsubscribe"))
    soon = occurred_us + np.where(quiet, rng.integers(0, 30 * _MINUTE_US, len(kind)), 0)
    late = occurred_us + rng.integers(MICROSECONDS_PER_DAY, 10 * MICROSECONDS_PER_DAY, len(kind))
    is_late = quiet & (rng.random(len(kind)) < _LATE_SHARE) & (late < end_us)
    return np.where(is_late, late, soon)


def _values(rng: np.random.Generator, kind: Ints, company: Company) -> Floats:
    """The number that goes with each act; NaN = none."""
    middle, spread = np.full(len(company.kinds), np.nan), np.zeros(len(company.kinds))
    for name, (median, sigma) in company.values.items():
        at = company.kinds.index(name)
        middle[at], spread[at] = median, sigma
    return np.asarray(np.round(middle[kind] * np.exp(spread[kind] * rng.standard_normal(len(kind))), 1))

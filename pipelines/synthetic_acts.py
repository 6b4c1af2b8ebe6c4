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
from pipelines.synthetic_people import People
from pipelines.synthetic_truth import (
    DELAY_SHAPE,
    INTEREST_FADING_DAYS,
    INTEREST_FLOOR,
    LIVELINESS_SHAPE,
    REMAINDER_AFTER_UNSUBSCRIBE,
    TRIGGERS,
    BusinessClock,
    Floats,
    Ints,
    Truth,
    chances,
    interest_until,
    promises,
    sort_keys,
)

TRIGGER_KINDS: Final = tuple(trigger.kind for trigger in TRIGGERS)
QUIET_KINDS: Final = ("page", "email_delivered", "email_opened", "email_clicked", "call", "unsubscribe", "bounce")
KINDS: Final = (*TRIGGER_KINDS, *QUIET_KINDS)
HOT: Final = np.array([trigger.hot for trigger in TRIGGERS])

#: The first voluntary act, which makes a contact a lead.
_FIRST_ACTS: Final = {
    "form": 0.40,
    "content_download": 0.25,
    "webinar": 0.15,
    "demo_request": 0.13,
    "quote_request": 0.07,
}
#: Median and spread (log) of the number that goes with an act.
_VALUES: Final = {
    "basket": (900, 0.8),
    "product_use": (12, 0.7),
    "call": (9, 0.6),
    "meeting": (35, 0.3),
    "budget_declared": (8000, 0.9),
}
_RETURNS_PER_DAY: Final = 0.027
_UNSUBSCRIBE_PER_DAY: Final = 0.0008
_DAYS_BETWEEN_MAILINGS: Final = 14.0
_MINUTE_US: Final = 60_000_000
_LATE_SHARE: Final = 0.018


@dataclass(frozen=True)
class Acts:
    """One entry per event, ordered by (lead, occurred_us, kind). `kind` is a position in `KINDS`; value NaN = none."""

    lead: Ints
    occurred_us: Ints
    known_us: Ints
    kind: Ints
    value: Floats


def draw_truth(
    rng: np.random.Generator, people: People, *, lead_ids: npt.NDArray[np.str_], start: datetime, days: int, end: float
) -> Truth:
    """Let the leads live up to the business day `end`: their returns, triggers, unsubscription and purchase."""
    fit, first = people.fit, people.first_act
    leads = len(fit)
    pace = _RETURNS_PER_DAY * np.exp(0.25 * fit)
    unsubscribe_rate = _UNSUBSCRIBE_PER_DAY * np.exp(-0.3 * fit)
    unsubscribed = first + rng.exponential(1.0, leads) / unsubscribe_rate

    span = np.where(np.isfinite(first), end - first, 0.0)
    liveliness = rng.gamma(LIVELINESS_SHAPE, 1 / LIVELINESS_SHAPE, leads)
    who = np.repeat(np.arange(leads), rng.poisson(liveliness * pace * interest_until(span)))
    when = first[who] + _draw_ages(rng, span[who])
    stays = (when < unsubscribed[who]) | (rng.random(len(who)) < REMAINDER_AFTER_UNSUBSCRIBE)
    who, when = who[stays], when[stays]

    row, kind = np.nonzero(rng.random((len(who), len(TRIGGERS))) < chances(fit)[who])
    interested = np.flatnonzero(np.isfinite(first))
    kinds = [TRIGGER_KINDS.index(name) for name in _FIRST_ACTS]
    opening = rng.choice(kinds, size=len(interested), p=list(_FIRST_ACTS.values()))
    trigger_lead = np.concatenate([who[row], interested])
    trigger_time = np.concatenate([when[row], first[interested]])
    trigger_kind = np.concatenate([kind, opening])

    sells = rng.random(len(trigger_lead)) < promises(fit)[trigger_lead, trigger_kind]
    scale = np.array([trigger.scale_days for trigger in TRIGGERS])[trigger_kind]
    bought = trigger_time + scale * rng.weibull(DELAY_SHAPE, len(scale))
    converted = np.full(leads, np.inf)
    np.minimum.at(converted, trigger_lead[sells], bought[sells])

    by_return = np.argsort(sort_keys(who, when), kind="stable")
    by_trigger = np.argsort(sort_keys(trigger_lead, trigger_time), kind="stable")
    return Truth(
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


def _draw_ages(rng: np.random.Generator, span: Floats) -> Floats:
    """Ages at which returns happen, density in proportion to `interest` on [0, span], shape (n,)."""
    steady = rng.random(len(span)) * interest_until(span) < INTEREST_FLOOR * span
    uniform = rng.random(len(span))
    fading = -INTEREST_FADING_DAYS * np.log1p(uniform * np.expm1(-span / INTEREST_FADING_DAYS))
    return np.where(steady, uniform * span, fading)


def write_acts(rng: np.random.Generator, truth: Truth, people: People, *, clock: BusinessClock, end: float) -> Acts:
    """Turn the drawn process into the events that a marketing tool would record.

    A trigger is known at once. Other acts are known some minutes later, and a few of them days later. Nothing is
    recorded after a purchase or after the business day `end`.
    """
    leads = len(truth.fit)
    return_us = clock.calendar(truth.return_time)
    parts = [(truth.trigger_lead, clock.calendar(truth.trigger_time), truth.trigger_kind)]

    def add(kind: str, lead: Ints, at_us: Ints) -> None:
        parts.append((lead, at_us, np.full(len(lead), KINDS.index(kind))))

    pages = np.repeat(np.arange(len(return_us)), 1 + rng.poisson(3.0, len(return_us)))
    add("page", truth.return_lead[pages], return_us[pages] + rng.integers(0, 20 * _MINUTE_US, len(pages)))

    reachable = people.columns["email_class"] != "absent"
    bounces = rng.random(leads) < np.where(people.columns["email_class"] == "disposable", 0.3, 0.015)
    mailed = np.repeat(
        np.arange(leads),
        np.where(reachable, np.floor((end - people.created) / _DAYS_BETWEEN_MAILINGS), 0).astype(np.int64),
    )
    number = np.arange(len(mailed)) - np.searchsorted(mailed, mailed)
    sent = people.created[mailed] + (number + rng.random(len(mailed))) * _DAYS_BETWEEN_MAILINGS
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

    called = HOT[truth.trigger_kind] & (rng.random(len(truth.trigger_kind)) < 0.6)
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
    return Acts(lead, occurred_us, _known(rng, occurred_us, kind, end_us=truth.end_us), kind, _values(rng, kind))


def _known(rng: np.random.Generator, occurred_us: Ints, kind: Ints, *, end_us: int) -> Ints:
    """When each act came to be known: at once, within the half hour, or one to ten days late."""
    quiet = (kind >= len(TRIGGER_KINDS)) & (kind != KINDS.index("unsubscribe"))
    soon = occurred_us + np.where(quiet, rng.integers(0, 30 * _MINUTE_US, len(kind)), 0)
    late = occurred_us + rng.integers(MICROSECONDS_PER_DAY, 10 * MICROSECONDS_PER_DAY, len(kind))
    is_late = quiet & (rng.random(len(kind)) < _LATE_SHARE) & (late < end_us)
    return np.where(is_late, late, soon)


def _values(rng: np.random.Generator, kind: Ints) -> Floats:
    """The number that goes with each act; NaN = none."""
    middle, spread = np.full(len(KINDS), np.nan), np.zeros(len(KINDS))
    for name, (median, sigma) in _VALUES.items():
        middle[KINDS.index(name)], spread[KINDS.index(name)] = median, sigma
    return np.asarray(np.round(middle[kind] * np.exp(spread[kind] * rng.standard_normal(len(kind))), 1))

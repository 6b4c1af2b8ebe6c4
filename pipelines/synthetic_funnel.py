"""What people make of the simulated leads: marketing's points and the stages that salespeople record by hand.

Both follow from the acts, from fit and from chance, never from a purchase to come. Stages that sales skipped are
entered when the lead buys: dated a few minutes earlier, known only then.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from features.tables import MICROSECONDS_PER_DAY
from pipelines.synthetic_acts import Acts
from pipelines.synthetic_company import QUIET_KINDS, Company
from pipelines.synthetic_people import People
from pipelines.synthetic_truth import BusinessClock, Floats, Ints, Truth
from pipelines.synthetic_words import Texts

TITLE_WORDS: Final = ("chief", "ceo", "head of", "vp", "director", "manager")
_POINTS_AFTER_DAYS: Final = (0, 7, 30, 60, 90, 120, 180, 270, 365, 540)
_PATH: Final = ("mql", "sal", "sql", "opportunity")
_LOST: Final = ("no budget", "no answer", "chose a competitor", "project put off")


@dataclass(frozen=True)
class PointsHistory:
    """One entry per lead and day on which its points were kept."""

    lead: Ints
    known_us: Ints
    points: Floats


@dataclass(frozen=True)
class StageChanges:
    """One entry per change, ordered by (lead, entered_us); amount NaN and reason None = none."""

    lead: Ints
    stage: Texts
    entered_us: Ints
    known_us: Ints
    amount: Floats
    reason: Texts


def profile_points(people: People, company: Company) -> Floats:
    """What the card gives for the first profile row, shape (n,)."""
    points = np.array(
        [
            company.title_points * any(word in (title or "").lower() for word in TITLE_WORDS)
            for title in people.columns["job_title"]
        ]
    )
    for column, card in company.profile_points.items():
        points = points + np.array([card.get(value, 0) for value in people.columns[column]])
    return np.asarray(points, dtype=np.float64)


def points_at(acts: Acts, people: People, company: Company, lead: Ints, at_us: Ints) -> Floats:
    """Points of the profile and of the acts in the days before, up to and including each moment, shape (n,)."""
    earned = np.cumsum(
        np.array([company.event_points.get(kind, 0) for kind in company.kinds], dtype=np.float64)[acts.kind]
    )
    total = np.concatenate([[0.0], earned])

    def key(who: Ints, moment_us: Ints) -> Ints:
        # Seconds, so that (lead, time) fits into one sortable integer.
        return who * 2**34 + moment_us // 1_000_000

    keys = key(acts.lead, acts.occurred_us)
    until = np.searchsorted(keys, key(lead, at_us), side="right")
    since = np.searchsorted(keys, key(lead, at_us - company.points_last_days * MICROSECONDS_PER_DAY))
    return np.asarray(profile_points(people, company)[lead] + total[until] - total[since])


def points_history(acts: Acts, people: People, truth: Truth, *, clock: BusinessClock) -> PointsHistory:
    """Marketing's points as the CRM kept them: some rows per lead, while it is open."""
    interested = np.flatnonzero(np.isfinite(truth.first_act))
    lead = np.repeat(interested, len(_POINTS_AFTER_DAYS))
    after = np.tile(np.array(_POINTS_AFTER_DAYS, dtype=np.int64), len(interested)) * MICROSECONDS_PER_DAY
    known_us = clock.calendar(truth.first_act[lead]) + after
    kept = known_us < np.minimum(_bought_us(truth, clock), truth.end_us)[lead]
    lead, known_us = lead[kept], known_us[kept]
    return PointsHistory(lead, known_us, points_at(acts, people, truth.company, lead, known_us))


def draw_stages(
    rng: np.random.Generator, acts: Acts, people: People, truth: Truth, *, clock: BusinessClock, end: float
) -> StageChanges:
    """The stages that people record: a funnel for those who qualify, recycling and disqualification for others."""
    leads, first, company = len(truth.fit), truth.first_act, truth.company
    cycle = company.cycle
    hot = _first(acts, np.concatenate([company.hot, np.zeros(len(QUIET_KINDS), dtype=bool)])[acts.kind], clock, leads)
    scored = _first(
        acts, points_at(acts, people, company, acts.lead, acts.occurred_us) >= company.mql_points, clock, leads
    )

    def some(share: Floats | float, times: Floats) -> Floats:
        return np.where(rng.random(leads) < share, times, np.inf)

    hopeless = truth.fit < -2.0
    disqualified = some(np.where(hopeless, 0.6, 0.03), first + 2 * cycle + rng.exponential(20.0 * cycle, leads))
    mql = np.minimum(hot, scored) + rng.uniform(0.0, 0.5 * cycle, leads)
    sal = some(1 / (1 + np.exp(-0.8 - 0.5 * truth.fit)), mql + 0.5 * cycle + rng.exponential(4.0 * cycle, leads))
    sql = some(0.85, np.maximum(sal, hot) + rng.uniform(0.2 * cycle, 4.0 * cycle, leads))
    opportunity = some(0.6, sql + cycle + rng.exponential(8.0 * cycle, leads))
    quiet = some(0.5, mql + 120 * cycle + rng.exponential(60.0 * cycle, leads))
    lost = some(0.8, opportunity + 90 * cycle + rng.exponential(40.0 * cycle, leads))
    recycled = np.where(np.isfinite(opportunity), lost, quiet)

    times = {"lead": first, "mql": mql, "sal": sal, "sql": sql, "opportunity": opportunity, "recycled": recycled}
    times = {stage: np.where(at < disqualified, at, np.inf) for stage, at in times.items()} | {
        "disqualified": disqualified
    }
    times = {stage: at for stage, at in times.items() if stage in company.stages}
    last = np.minimum(truth.converted, end)
    bought_us = _bought_us(truth, clock)
    parts: list[tuple[Ints, str, Ints, Ints]] = []
    for stage, at in times.items():
        lead = np.flatnonzero(at < last)
        entered = clock.calendar(at[lead])
        lag = 0 if stage == "lead" else rng.integers(0, MICROSECONDS_PER_DAY // 3, len(lead))
        parts.append((lead, stage, entered, np.minimum(entered + lag, np.minimum(bought_us[lead], truth.end_us))))
    buyers = np.flatnonzero(np.isfinite(truth.converted))
    for minutes, stage in enumerate((stage for stage in reversed(_PATH) if stage in times), start=1):
        skipped = buyers[times[stage][buyers] >= truth.converted[buyers]]
        entered = np.maximum(bought_us[skipped] - minutes * 60_000_000, clock.calendar(first[skipped]))
        parts.append((skipped, stage, entered, bought_us[skipped]))
    parts.append((buyers, "customer", bought_us[buyers], bought_us[buyers]))

    lead, entered_us, known_us = (np.concatenate([part[i] for part in parts]) for i in (0, 2, 3))
    stage_names = np.repeat(np.array([part[1] for part in parts], dtype=object), [len(part[0]) for part in parts])
    order = np.lexsort((entered_us, lead))
    lead, entered_us, known_us, stage_names = lead[order], entered_us[order], known_us[order], stage_names[order]

    deal = np.round(
        _typical_deals(acts, people, company) * np.exp(0.4 * rng.standard_normal(leads)), company.deal_decimals
    )
    why_lost = np.array(_LOST, dtype=object)[rng.integers(0, len(_LOST), leads)]
    why_not = np.where(hopeless, "out of target", "wrong contact").astype(object)
    amount = np.where(np.isin(stage_names, ("opportunity", "customer")), deal[lead], np.nan)
    reason = np.full(len(lead), None, dtype=object)
    reason[stage_names == "recycled"] = why_lost[lead[stage_names == "recycled"]]
    reason[stage_names == "disqualified"] = why_not[lead[stage_names == "disqualified"]]
    return StageChanges(lead, stage_names, entered_us, known_us, amount, reason)


def _typical_deals(acts: Acts, people: People, company: Company) -> Floats:
    """What each lead would spend: what it said, else what it last put in, else what is usual for its size."""
    typical = np.array([company.deals.get(size, company.other_deal) for size in people.columns["company_size"]])
    if company.order_kind:
        put = acts.kind == company.kinds.index(company.order_kind)
        typical[acts.lead[put]] = acts.value[put]  # in order of time, so that the last one stays
    return np.where(np.isnan(people.amount), typical, people.amount)


def _first(acts: Acts, wanted: npt.NDArray[np.bool_], clock: BusinessClock, leads: int) -> Floats:
    """The business time of each lead's first wanted act; infinite = none. Acts are ordered by (lead, time)."""
    lead, row = np.unique(acts.lead[wanted], return_index=True)
    first = np.full(leads, np.inf)
    first[lead] = clock.business(acts.occurred_us[wanted][row])
    return first


def _bought_us(truth: Truth, clock: BusinessClock) -> Ints:
    """When each lead bought; the far future for never."""
    bought = np.full(len(truth.converted), np.iinfo(np.int64).max)
    buyers = np.isfinite(truth.converted)
    bought[buyers] = clock.calendar(truth.converted[buyers])
    return bought

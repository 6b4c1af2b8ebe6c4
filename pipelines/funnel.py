"""The funnel of a lead store: one row per lead read range by range, as of a moment, and followed through the stages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd

from features.errors import ConfigError, InputError
from features.profile import reader
from pipelines.config import Settings
from pipelines.funnel_reading import LeadRows
from pipelines.mapped_tables import nearest
from pipelines.moments import microseconds, moment
from pipelines.nights import day_of, midnight
from pipelines.store import EPOCH, Inventory, LeadStore
from serve.funnel import CHANNEL, RECORDED, funnel
from serve.funnel_facts import Funnel, Period
from serve.funnel_page import funnel_page
from serve.funnel_words import LANGUAGES

#: Months in a period, by what `--every` says.
EVERY: Final = {"month": 1, "quarter": 3}
#: What people call the column of channels.
_CHANNEL: Final = "channel"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a report is asked for.

    Parameters
    ----------
    by : profile columns or declared attributes to cut by; None: by channel, where the store knows any
    first, last : days between which leads were created, both included; None: as far as the store goes
    every : "month" or "quarter"
    """

    by: Sequence[str] | None = None
    first: date | None = None
    last: date | None = None
    every: str = "month"


def report(store: LeadStore, settings: Settings, asked: Asked, *, as_of: datetime) -> Funnel:
    """The funnel by what was known before `as_of`.

    Where the store knows of nothing so late, everything is counted up to the last thing it knows: a lead is not taken
    to have waited through weeks of which nobody told the store. One rule looks past as_of, on purpose: a lead that
    objects to profiling, whenever it said so, is in no report.

    Raises
    ------
    ConfigError
        A column to cut by, a period or a day that cannot be meant.
    InputError
        The store knows of no leads, or of no stage that anybody reached.
    """
    if asked.every not in EVERY:
        raise ConfigError(f"--every must be one of {', '.join(EVERY)}; found {asked.every!r}.")
    with store.snapshot() as now:
        inventory = now.inventory(until=microseconds(as_of))
        until = inventory.known_until
        _refuse_nothing(now, inventory, as_of)
        columns = _columns(asked.by, inventory, settings)
        reading = LeadRows(now, settings, inventory, tuple({CHANNEL: "categorical"} | columns), until)
        leads, left_out = reading.leads()
        if leads.empty:
            raise InputError(
                f"No lead of {store.where} can be followed as of {moment(until)}: {_told(left_out)}. Say which kinds "
                "of events are a lead's own act in [cohort] voluntary_kinds, or name a later --as-of."
            )
        for name, kind in columns.items():
            leads[name] = _grouped(leads[name], kind)
        zone = settings.score.timezone
        window = _window(asked, leads["created_at"].to_numpy(np.int64), until=until, zone=zone)
        costs = _costs(now, zone=zone)
    return funnel(
        leads,
        as_of=until,
        window=window,
        periods=periods(window, every=asked.every, zone=zone),
        cuts=tuple(columns),
        costs=costs,
        every=asked.every,
        left_out=left_out,
        currency=settings.economics.currency,
        value_from=reading.value_from(leads),
    )


def page_of(told: Funnel, *, language: str) -> str:
    """The report as a page.

    Raises
    ------
    ConfigError
        There are no words for the language.
    """
    if language not in LANGUAGES:
        raise ConfigError(f"--lang must be one of {', '.join(LANGUAGES)}; found {language!r}.")
    return funnel_page(told, language=language)


def periods(window: Period, *, every: str, zone: str) -> list[Period]:
    """The months or quarters of a window, the first and the last cut off where it begins and ends.

    Examples
    --------
    >>> [p.name for p in periods(stretch(date(2025, 11, 5), date(2026, 2, 1), zone="UTC"), every="quarter", zone="UTC")]
    ['2025-Q4', '2026-Q1']
    """
    step, day, last = EVERY[every], date.fromisoformat(window.first), date.fromisoformat(window.last)
    begin = date(day.year, (day.month - 1) // step * step + 1, 1)
    made = []
    while begin <= last:
        after = _months_later(begin, step)
        name = f"{begin:%Y-%m}" if every == "month" else f"{begin.year}-Q{(begin.month + 2) // 3}"
        whole = stretch(begin, after - timedelta(days=1), zone=zone)
        start, end = max(whole.start, window.start), min(whole.end, window.end)
        cut = replace(whole, first=max(whole.first, window.first), last=min(whole.last, window.last))
        made.append(replace(cut, name=name, start=start, end=end, whole=(start, end) == (whole.start, whole.end)))
        begin = after
    return made


def stretch(first: date, last: date, *, zone: str) -> Period:
    """From the first moment of a day to the last moment of another, in a zone."""
    start, end = (microseconds(midnight(day, zone=zone)) for day in (first, last + timedelta(days=1)))
    return Period(name="", start=start, end=end, first=first.isoformat(), last=last.isoformat())


def _months_later(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _refuse_nothing(store: LeadStore, inventory: Inventory, as_of: datetime) -> None:
    if not inventory.leads:
        raise InputError(
            f"{store.where} knows of no lead before {as_of:%Y-%m-%d %H:%M} UTC: there is no funnel to show. Import "
            "leads (leadscore import FILE --mapping NAME), or name a later --as-of."
        )
    if not any(inventory.stages.get(stage) for recorded in RECORDED.values() for stage in recorded):
        found = ", ".join(f"{stage} ({count:,})" for stage, count in inventory.stages.items()) or "none"
        raise InputError(
            f"A funnel follows the stages that people recorded: expected stage_changes to {', '.join(RECORDED)}, sal "
            f"or pql before {as_of:%Y-%m-%d %H:%M} UTC in {store.where}, found {found}. Import the CRM's history of "
            "stages (leadscore import FILE --mapping generic: lead_id, stage, entered_at), or name a later --as-of."
        )


def _columns(by: Sequence[str] | None, inventory: Inventory, settings: Settings) -> dict[str, str]:
    """The columns to cut by, with their types."""
    types = {**inventory.attributes, **settings.attributes}
    there = dict.fromkeys(inventory.profile_columns, "categorical") | types
    if by is None:
        return {CHANNEL: "categorical"} if CHANNEL in there else {}
    found = {}
    for asked in by:
        name = CHANNEL if asked == _CHANNEL else asked
        if name not in there:
            raise ConfigError(
                f"--by {asked}: expected a profile column that is filled, or a declared attribute, found none of that "
                f"name.{nearest(name, {**dict.fromkeys(inventory.profile_columns), **types})}"
            )
        if there[name] in ("date", "ignored"):
            raise ConfigError(
                f"--by {asked}: leads can be cut by text, numbers and yes or no; {name} is declared {there[name]}. "
                "Choose another column, or declare it otherwise in [attributes]."
            )
        found[name] = there[name]
    return found


def _grouped(values: "pd.Series[Any]", kind: str) -> "pd.Series[Any]":
    """Text as it is; yes and no as such; numbers as they are where few are different, else by their quartiles.

    Of two numbers in a group's name, the first belongs to the group before.
    """
    if kind == "categorical":
        return values
    by_code = values.cat.categories.to_series().reset_index(drop=True)
    read = reader(kind)(by_code.astype(object)).to_numpy(np.float64)
    numbers = np.append(read, np.nan)[values.cat.codes.to_numpy()]
    distinct = np.unique(numbers[~np.isnan(numbers)])
    if kind == "boolean":
        codes = np.where(np.isnan(numbers), -1, numbers == 1).astype(np.int64)
        return pd.Series(pd.Categorical.from_codes(codes, pd.Index(["false", "true"])))
    if len(distinct) <= 8:
        names = [f"{number:g}" for number in distinct]
        codes = np.where(np.isnan(numbers), -1, np.searchsorted(distinct, numbers))
    else:
        edges = np.unique(np.nanquantile(numbers, [0.25, 0.5, 0.75], method="lower"))
        told = [f"{edge:.6g}" for edge in edges]
        names = [f"≤ {told[0]}", *(f"{a}–{b}" for a, b in pairwise(told)), f"> {told[-1]}"]
        codes = np.where(np.isnan(numbers), -1, np.searchsorted(edges, numbers, side="left"))
    return pd.Series(pd.Categorical.from_codes(codes.astype(np.int64), pd.Index(names), ordered=True))


def _window(asked: Asked, created: "np.ndarray[Any, np.dtype[np.int64]]", *, until: int, zone: str) -> Period:
    days = [day_of(EPOCH + timedelta(microseconds=int(at)), zone=zone) for at in (created.min(), until - 1)]
    first, last = asked.first or days[0], min(asked.last or days[1], days[1])
    if last < first:
        raise ConfigError(
            f"No day lies between --from {first} and --to {asked.last or last}: the leads of this store were created "
            f"from {days[0]} on, and it knows of nothing after {days[1]}. Give the earlier day first."
        )
    whole = stretch(first, last, zone=zone)
    return whole if ((created >= whole.start) & (created < whole.end)).any() else _refuse_empty(first, last, days)


def _refuse_empty(first: date, last: date, days: Sequence[date]) -> Period:
    raise ConfigError(
        f"No lead that can be followed was created from --from {first} to --to {last}; the leads of this store were "
        f"created from {days[0]} on. Name other days."
    )


def _costs(store: LeadStore, *, zone: str) -> pd.DataFrame:
    """Channel costs with the bounds of their months."""
    rows = store.rows("SELECT channel, month, sum(cost) FROM channel_costs GROUP BY channel, month ORDER BY 1, 2")
    bounds = {}
    for month in {row[1].replace(day=1) for row in rows}:
        bounds[month] = stretch(month, _months_later(month, 1) - timedelta(days=1), zone=zone)
    plain = [(channel, bounds[m.replace(day=1)].start, bounds[m.replace(day=1)].end, cost) for channel, m, cost in rows]
    found = pd.DataFrame(plain, columns=["channel", "start", "end", "cost"])
    # Of a month that was told by two of its days, both count.
    return found.groupby(["channel", "start", "end"])["cost"].sum().reset_index()


def _told(left_out: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} left out ({reason})" for reason, count in left_out.items()) or "there are none"

"""What every feature should be, the slow and obvious way: one lead, one as_of, one column at a time.

Whoever adds an `Op` to `features/declare.py` adds a line to `OPS` here.
"""

import math
from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd

from features.catalogue import Catalogue
from features.declare import Attribute, Column, Combination, Completeness, Moment, Op, Primitive
from features.declare import Profile as Reading
from tests.features.data import DAY, MEANINGS, MINUTE, Asked, Event, Profile, World

Value = float | str | None


def is_seen(event: Event, *, as_of: int, days: int | None = None) -> bool:
    """The cut of time: happened and known before as_of, and not longer ago than `days`."""
    seen = event.occurred_at < as_of and event.known_at < as_of
    return seen and (days is None or event.occurred_at >= as_of - days * DAY)


def seen_events(world: World, primitive: Primitive, asked: Asked, kinds: Mapping[str, str]) -> list[Event]:
    """The events that a primitive is about, oldest first; of those of one moment, in a fixed order."""
    events = [
        e
        for e in world.events
        if e.lead_id == asked.lead_id
        and e.type in kinds
        and ("*" in primitive.kinds or kinds[e.type] in primitive.kinds)
        and is_seen(e, as_of=asked.as_of, days=primitive.days)
    ]
    return sorted(events, key=lambda e: (e.occurred_at, max(e.occurred_at, e.known_at), kinds[e.type], *values([e])))


def values(events: list[Event]) -> list[float]:
    return [e.value for e in events if e.value is not None and not math.isnan(e.value)]


def days(events: list[Event]) -> float:
    return len({e.occurred_at // DAY for e in events})


def visits(events: list[Event]) -> float:
    times = [e.occurred_at for e in events]
    return len(times[:1]) + sum(b - a >= 30 * MINUTE for a, b in pairwise(times))


def since(moment: int | None, as_of: int) -> float | None:
    return None if moment is None else (as_of - moment) / DAY


def decayed(events: list[Event], as_of: int, half_life_days: float) -> float:
    return math.fsum(0.5 ** ((as_of - e.occurred_at) / DAY / half_life_days) for e in events)


OPS: Final[Mapping[Op, Callable[[list[Event], int, Primitive], float | None]]] = {
    Op.COUNT: lambda events, *_: len(events),
    Op.SUM: lambda events, *_: math.fsum(values(events)),
    Op.DAYS: lambda events, *_: days(events),
    Op.VISITS: lambda events, *_: visits(events),
    Op.SINCE_FIRST: lambda events, as_of, _: since(min((e.occurred_at for e in events), default=None), as_of),
    Op.SINCE_LAST: lambda events, as_of, _: since(max((e.occurred_at for e in events), default=None), as_of),
    Op.LAST_VALUE: lambda events, *_: values(events)[-1] if values(events) else None,
    Op.DECAYED: lambda events, as_of, primitive: decayed(events, as_of, primitive.half_life_days),
}
#: Columns over these agree to 1e-9 of their size; all others to the bit.
ROUNDED: Final = (Op.SUM, Op.DECAYED)


def last_profile(world: World, asked: Asked) -> Profile | None:
    known = [p for p in world.profiles if p.lead_id == asked.lead_id and p.known_at < asked.as_of]
    return max(known, key=lambda p: p.known_at, default=None)


@cache
def read_alone(read: Callable[[Any], Any], text: str) -> Any:
    return read(pd.Series([text], dtype=object)).iloc[0]


def attribute(profile: Profile | None, source: Attribute, as_of: int) -> Value:
    text = ((profile and profile.attributes) or {}).get(source.name)
    meaning: Any = None if text is None else MEANINGS[source.type][text]
    return since(meaning, as_of) if source.type == "date" else meaning


def completeness(profile: Profile | None, of: Catalogue) -> float | None:
    if profile is None:
        return None
    filled = [profile.texts.get(name) is not None for name in of.profile_columns]
    filled += [name in (profile.attributes or {}) for name in of.attributes]
    return sum(filled) / len(filled)


def expected(world: World, asked: Asked, column: Column, of: Catalogue) -> Value:
    """The value of one column for one snapshot; None where it is missing."""
    value: Any
    match column.source:
        case Primitive() as primitive:
            value = measured(world, asked, primitive, of)
        case Combination(inputs=inputs, combine=combine):
            named = {c.name: c for c in of.columns}
            parts = [
                expected(world, asked, named[i], of) if isinstance(i, str) else measured(world, asked, i, of)
                for i in inputs
            ]
            value = combine(*(np.array([part], np.float64) for part in parts))[0]
        case Moment(since="created_at"):
            value = since(next(lead.created_at for lead in world.leads if lead.lead_id == asked.lead_id), asked.as_of)
        case Moment():
            profile = last_profile(world, asked)
            value = None if profile is None else since(profile.known_at, asked.as_of)
        case Completeness():
            value = completeness(last_profile(world, asked), of)
        case Reading(column=name, read=read):
            profile = last_profile(world, asked)
            text = None if profile is None else profile.texts.get(name)
            value = None if text is None else read_alone(read, text)
        case Attribute() as source:
            value = attribute(last_profile(world, asked), source, asked.as_of)
    missing = value is None or value == "" or (isinstance(value, float) and math.isnan(value))
    return None if missing else value


def measured(world: World, asked: Asked, primitive: Primitive, of: Catalogue) -> float | None:
    return OPS[primitive.op](seen_events(world, primitive, asked, of.kinds), asked.as_of, primitive)


def agrees(found: Any, wanted: Value, column: Column) -> bool:
    if wanted is None or pd.isna(found):
        return wanted is None and bool(pd.isna(found))
    if isinstance(column.source, Primitive) and column.source.op in ROUNDED:
        return math.isclose(found, float(wanted), rel_tol=1e-9, abs_tol=1e-9)
    return bool(found == wanted)


def disagreements(frame: pd.DataFrame, world: World, of: Catalogue) -> list[str]:
    """Where the frame is not what it should be: column, snapshot, found and expected."""
    return [
        f"{column.name} of {asked.lead_id} at {asked.as_of}: {found!r} instead of {wanted!r}"
        for column in of.columns
        for found, asked in zip(frame[column.name], world.asked, strict=True)
        if not agrees(found, wanted := expected(world, asked, column, of), column)
    ]

"""Small lead stores to try features on: drawn by hand, row by row, or made by Hypothesis, as awkward as real ones."""

import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import pandas as pd
import pyarrow as pa
from hypothesis import settings
from hypothesis import strategies as st

from features.catalogue import catalogue
from features.kinds import KINDS, kinds_of
from features.tables import (
    EVENTS,
    LEADS,
    MICROSECONDS_PER_DAY,
    OBJECTIONS,
    PROFILE_COLUMNS,
    PROFILES,
    STAGE_CHANGES,
    STAGES,
    LeadTables,
)

#: For laws over whole worlds: a frame of features takes longer than an example should.
few_examples: Final = settings(max_examples=settings().max_examples // 4)

MINUTE: Final = 60_000_000
DAY: Final = MICROSECONDS_PER_DAY


def at(text: str) -> int:
    """A time as people write it, in microseconds UTC.

    >>> at("1970-01-02")
    86400000000
    """
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000_000)


class Lead(NamedTuple):
    lead_id: str
    created_at: int
    known_at: int


class Profile(NamedTuple):
    lead_id: str
    known_at: int
    texts: Mapping[str, str | None] = {}
    attributes: Mapping[str, str] | None = None


class Event(NamedTuple):
    lead_id: str
    occurred_at: int
    known_at: int
    type: str
    value: float | None = None


class Change(NamedTuple):
    lead_id: str
    stage: str
    entered_at: int
    known_at: int


class Objection(NamedTuple):
    lead_id: str
    since: int


class Asked(NamedTuple):
    lead_id: str
    as_of: int


@dataclass(frozen=True)
class World:
    """A lead store as plain rows, in any order, and the snapshots asked of it."""

    leads: Sequence[Lead]
    asked: Sequence[Asked] = ()
    events: Sequence[Event] = ()
    profiles: Sequence[Profile] = ()
    changes: Sequence[Change] = ()
    objections: Sequence[Objection] = ()

    @property
    def tables(self) -> LeadTables:
        profiles = [
            {
                "lead_id": row.lead_id,
                "known_at": row.known_at,
                **row.texts,
                "attributes": None if row.attributes is None else json.dumps(row.attributes),
            }
            for row in self.profiles
        ]
        return LeadTables(
            leads=_table(self.leads, LEADS),
            profiles=pa.Table.from_pylist(profiles, schema=PROFILES),
            events=_table(self.events, EVENTS),
            stage_changes=_table(self.changes, STAGE_CHANGES),
            objections=_table(self.objections, OBJECTIONS),
        )

    @property
    def snapshots(self) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "lead_id": pd.Series([row.lead_id for row in self.asked], dtype="str"),
                "as_of": pd.Series([row.as_of for row in self.asked], dtype="int64"),
            }
        )

    def before(self, as_of: int) -> "World":
        """Without anything that had not happened, or was not known, before as_of."""
        return replace(
            self,
            events=[e for e in self.events if e.occurred_at < as_of and e.known_at < as_of],
            profiles=[p for p in self.profiles if p.known_at < as_of],
            changes=[c for c in self.changes if c.entered_at < as_of and c.known_at < as_of],
        )

    def only(self, lead_id: str) -> "World":
        """Without any other lead."""
        parts = {
            name: [row for row in rows if row.lead_id == lead_id]
            for name, rows in vars(self).items()
            if name != "asked"
        }
        return replace(self, **parts)


def _table(rows: Sequence[Any], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([row._asdict() for row in rows], schema=schema)


#: What the texts of declared attributes mean, by type; what cannot be read means nothing.
MEANINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "numeric": {
        "12": 12.0,
        " 12 ": 12.0,
        "3.5e2": 350.0,
        "-4": -4.0,
        "18446744073709551615": 2.0**64,
        "1,5": None,
        "twelve": None,
        "": None,
        "inf": None,
        "1e400": None,
        "nan": None,
    },
    "categorical": {"gold": "gold", " Gold ": "gold", "ÉTÉ": "été", "": None, " ": None},
    "boolean": {"true": 1.0, " Oui": 1.0, "1": 1.0, "NO": 0.0, "faux": 0.0, "maybe": None, "1.0": None, "": None},
    "date": {
        "2024-05-01": at("2024-05-01"),
        " 2024-05-01T10:00:00+02:00": at("2024-05-01T08:00"),
        "2024-05-01T00:00:00.123456789Z": at("2024-05-01") + 123_456,
        "1066-10-14": at("1066-10-14"),
        "2124-01-01T00:00": at("2124-01-01"),
        "2024-02-30": None,
        "01/05/2024": None,
        "now": None,
        "today": None,
        "": None,
    },
}

#: One of each type, one that bears the name of a feature, and one that is ignored.
ATTRIBUTES: Final = {
    "euribor.3m": "numeric",
    "plan": "categorical",
    "trial": "boolean",
    "renewal": "date",
    "country": "categorical",
    "notes": "ignored",
}
#: Every kind by its own name, a second type of one kind, own kinds (one bears the name of a feature), an ignored type.
TYPE_KINDS: Final = kinds_of(
    [*KINDS, "Visited pricing", "W_Valideren", "Visits", "Heartbeat"],
    {"Visited pricing": "pricing_page", "Heartbeat": "ignored"},
)
UNKNOWN_TYPE: Final = "Never heard of"
#: A store that can fill every column there is.
CATALOGUE: Final = catalogue(
    kinds=TYPE_KINDS,
    type_counts=dict.fromkeys(TYPE_KINDS, 60),
    profile_columns=PROFILE_COLUMNS,
    attributes=ATTRIBUTES,
)

AS_OF: Final = at("2024-06-01")
AS_OFS: Final = (AS_OF, AS_OF + 1, AS_OF + 7 * DAY, AS_OF + 45 * DAY + 7 * MINUTE)
#: How long before an as_of: on and beside the edges of windows, of days and of visits; before 1970; and after it.
_BEFORE: Final = sorted(
    {
        days * DAY + minutes * MINUTE + microseconds
        for days in (0, 1, 7, 14, 28, 30, 60, 90)
        for minutes in (0, 30, 60)
        for microseconds in (-1, 0, 1)
    }
    | {5 * MINUTE, 400 * DAY, 700 * DAY, 30_000 * DAY, -20 * MINUTE, -DAY, -10 * DAY}
)
_DAYS: Final = range(120)
_MINUTES: Final = range(24 * 60)
#: How much later a store knows of a thing than it happened; a meeting is known before.
_LATE: Final = (0, 0, 0, 0, 1, MINUTE, DAY, 7 * DAY, 31 * DAY, 90 * DAY, -3 * DAY)

_VALUES: Final = (None, None, 0.0, 1.0, 2.5, -3.25, 0.1, 0.2, 1e3, math.nan)
_TEXTS: Final[Mapping[str, Sequence[str | None]]] = {
    "source_channel": (None, "Webinar", " webinar"),
    "direction": (None, "inbound", "outbound"),
    "job_title": (None, "", "CEO", "VP Sales", "Acheteuse", "n/a"),
    "industry": (None, "", " ", "Retail"),
    "company_size": (None, "11-50", "50+", "PME", "?"),
    "country": (None, "France", "FRANCE "),
    "language": (None, "fr"),
    "email_class": (None, "business", "free", "education", "disposable"),
}


#: Chooses one of several: Hypothesis, which can then make a failing example smaller, or a random number generator.
Pick = Callable[[Sequence[Any]], Any]


def _clock(pick: Pick, as_ofs: Sequence[int]) -> tuple[int, int]:
    """When a thing happened and when it was known: near the edges that one of `as_ofs` draws, or anywhere."""
    as_of = pick(as_ofs)
    how = pick(("near an edge", "anywhere", "known near as_of"))
    occurred_at: int = as_of - (pick(_DAYS) * DAY + pick(_MINUTES) * MINUTE if how == "anywhere" else pick(_BEFORE))
    return occurred_at, as_of + pick((-1, 0, 1)) if how == "known near as_of" else occurred_at + pick(_LATE)


def _event(pick: Pick, leads: Sequence[str], as_ofs: Sequence[int], types: Sequence[str]) -> Event:
    return Event(pick(leads), *_clock(pick, as_ofs), pick(types), pick(_VALUES))


def _profile(pick: Pick, leads: Sequence[str], as_ofs: Sequence[int]) -> Profile:
    texts = {name: pick(values) for name, values in _TEXTS.items()}
    said = {name: pick([None, *MEANINGS[type_]]) for name, type_ in ATTRIBUTES.items() if type_ != "ignored"}
    given = {name: text for name, text in said.items() if text is not None}
    attributes = pick((None, {"notes": "call back", "undeclared": "1"} | given, given))
    return Profile(pick(leads), _clock(pick, as_ofs)[1], texts, attributes)


def _picking(draw: st.DrawFn) -> Pick:
    return lambda options: draw(st.sampled_from(options))


@st.composite
def event_rows(draw: st.DrawFn, leads: Sequence[str], as_ofs: Sequence[int]) -> Event:
    return _event(_picking(draw), leads, as_ofs, [*TYPE_KINDS, UNKNOWN_TYPE])


@st.composite
def profile_rows(draw: st.DrawFn, leads: Sequence[str], as_ofs: Sequence[int]) -> Profile:
    return _profile(_picking(draw), leads, as_ofs)


@st.composite
def worlds(draw: st.DrawFn, *, least_asked: int = 0) -> World:
    """A few leads, some with nothing known of them, asked about at a few times, some of them repeated.

    A few rows are drawn one by one; behind them stand others by the dozen, so that every column has something to
    count, from a generator whose seed is drawn: they can only be made smaller by being fewer.
    """
    pick = _picking(draw)
    names = [f"lead {n}" for n in range(draw(st.integers(1, 3)))]
    as_ofs = draw(st.lists(st.sampled_from(AS_OFS), min_size=1, max_size=3, unique=True))
    # A few types at a time, so that several events of one meet in one window.
    types = draw(st.lists(st.sampled_from([*TYPE_KINDS, UNKNOWN_TYPE]), min_size=1, max_size=4))
    many = random.Random(draw(st.integers(0, 2**32 - 1)))
    events = [_event(pick, names, as_ofs, types) for _ in range(draw(st.integers(0, 8)))]
    events += [_event(many.choice, names, as_ofs, [*TYPE_KINDS, UNKNOWN_TYPE]) for _ in range(pick((0, 60, 200, 200)))]
    profiles = [_profile(pick, names, as_ofs) for _ in range(draw(st.integers(0, 1)))]
    profiles += [_profile(many.choice, names, as_ofs) for _ in range(pick((0, 3, 12, 12)))]
    changes = [Change(pick(names), pick(STAGES), *_clock(pick, as_ofs)) for _ in range(draw(st.integers(0, 4)))]
    changes += [
        Change(many.choice(names), many.choice(STAGES), *_clock(many.choice, as_ofs)) for _ in range(pick((0, 3)))
    ]
    asked = st.builds(Asked, st.sampled_from(names), st.sampled_from(as_ofs))
    return World(
        leads=[
            Lead(name, *pick(((AS_OF - 400 * DAY,) * 2, _clock(pick, as_ofs)))) for name in draw(st.permutations(names))
        ],
        asked=draw(st.lists(asked, min_size=least_asked, max_size=6)),
        events=events,
        profiles=list({(row.lead_id, row.known_at): row for row in profiles}.values()),
        changes=list({(row.lead_id, row.stage, row.entered_at): row for row in changes}.values()),
        objections=[Objection(names[0], AS_OF + DAY)] if pick((False, False, False, True)) else [],
    )


def crowded() -> World:
    """The same store every time, in which every column has something to tell."""
    many = random.Random(1)
    names = [f"lead {n}" for n in range(6)]
    types = [*TYPE_KINDS, UNKNOWN_TYPE]
    profiles = [_profile(many.choice, names, AS_OFS) for _ in range(60)]
    return World(
        leads=[Lead(name, *_clock(many.choice, AS_OFS)) for name in names],
        asked=[Asked(name, as_of) for as_of in AS_OFS for name in names],
        events=[_event(many.choice, names, AS_OFS, types) for _ in range(500)],
        profiles=list({(row.lead_id, row.known_at): row for row in profiles}.values()),
    )

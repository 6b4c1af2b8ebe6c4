"""Small lead stores to try features on: drawn by hand row by row, or made by Hypothesis to be as awkward as real ones."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import pandas as pd
import pyarrow as pa
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
            name: [row for row in rows if row.lead_id == lead_id] for name, rows in vars(self).items() if name != "asked"
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


def _clock(as_ofs: Sequence[int]) -> st.SearchStrategy[tuple[int, int]]:
    """When a thing happened and when it was known: near the edges that one of `as_ofs` draws, or anywhere."""
    near = st.tuples(st.sampled_from(as_ofs), st.sampled_from(_BEFORE), st.sampled_from(_LATE)).map(
        lambda t: (t[0] - t[1], t[0] - t[1] + t[2])
    )
    known_near = st.tuples(st.sampled_from(as_ofs), st.sampled_from(_BEFORE), st.sampled_from((-1, 0, 1))).map(
        lambda t: (t[0] - t[1], t[0] + t[2])
    )
    anywhere = st.tuples(st.integers(0, 120 * DAY), st.integers(0, 90 * DAY)).map(
        lambda t: (as_ofs[0] - t[0], as_ofs[0] - t[0] + t[1])
    )
    return near | known_near | anywhere


def _lists(rows: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[list[Any]]:
    """Lists of any length up to `most`, the long ones as likely as the short ones."""
    return st.integers(0, most).flatmap(lambda n: st.lists(rows, min_size=n, max_size=n))


_PROFILE_TEXTS: Final = st.fixed_dictionaries({name: st.sampled_from(texts) for name, texts in _TEXTS.items()})
_PROFILE_ATTRIBUTES: Final = st.fixed_dictionaries(
    {},
    optional={
        name: st.sampled_from(sorted(MEANINGS[type_])) for name, type_ in ATTRIBUTES.items() if type_ != "ignored"
    }
    | {"notes": st.just("call back"), "undeclared": st.just("1")},
)


def event_rows(leads: Sequence[str], as_ofs: Sequence[int], types: Sequence[str]) -> st.SearchStrategy[Event]:
    return st.builds(
        lambda lead, clock, type_, value: Event(lead, *clock, type_, value),
        st.sampled_from(leads),
        _clock(as_ofs),
        st.sampled_from(types),
        st.sampled_from(_VALUES),
    )


def profile_rows(leads: Sequence[str], as_ofs: Sequence[int]) -> st.SearchStrategy[Profile]:
    return st.builds(
        lambda lead, clock, texts, attributes: Profile(lead, clock[1], texts, attributes),
        st.sampled_from(leads),
        _clock(as_ofs),
        _PROFILE_TEXTS,
        st.none() | _PROFILE_ATTRIBUTES,
    )


@st.composite
def worlds(draw: st.DrawFn, *, least_asked: int = 0, most_events: int = 30) -> World:
    """A few leads, some with nothing known of them, asked about at a few times, some of them repeated."""
    names = [f"lead {n}" for n in range(draw(st.integers(1, 3)))]
    as_ofs = draw(st.lists(st.sampled_from(AS_OFS), min_size=1, max_size=3, unique=True))
    # A few types at a time, so that several events of one meet in one window.
    types = draw(st.lists(st.sampled_from([*TYPE_KINDS, UNKNOWN_TYPE]), min_size=1, max_size=6))
    changes = st.builds(
        lambda lead, stage, clock: Change(lead, stage, *clock),
        st.sampled_from(names),
        st.sampled_from(STAGES),
        _clock(as_ofs),
    )
    profiles = draw(_lists(profile_rows(names, as_ofs), 4))
    entered = draw(_lists(changes, 5))
    objecting = draw(st.lists(st.sampled_from(names), max_size=1))
    return World(
        leads=[Lead(name, *draw(_clock(as_ofs))) for name in draw(st.permutations(names))],
        asked=draw(
            st.lists(
                st.builds(Asked, st.sampled_from(names), st.sampled_from(as_ofs)), min_size=least_asked, max_size=6
            )
        ),
        events=draw(_lists(event_rows(names, as_ofs, types), most_events)),
        profiles=list({(row.lead_id, row.known_at): row for row in profiles}.values()),
        changes=list({(row.lead_id, row.stage, row.entered_at): row for row in entered}.values()),
        objections=[Objection(name, AS_OF + DAY) for name in objecting],
    )

"""Input tables that are a company's own: which of its tables and columns are read instead of ours, and never written.

Names come from the settings. They are held against a pattern before anything is connected, looked up in the database's
catalogue when the store is opened, and always quoted (`mapped_reading.py`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final
from zoneinfo import ZoneInfo

from features.errors import ConfigError
from features.tables import PROFILE_COLUMNS, STAGES
from pipelines.engine import SCHEMA

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_SNAPSHOT: Final = (
    "A CRM table is a snapshot of today: without the moment from which each row was known, training would see what was "
    "written after the outcome. Map a history of changes (known_at = the moment of the change), or import snapshots."
)


@dataclass(frozen=True)
class MappedTable:
    """One of our input tables as `[store.tables.NAME]` says it is read."""

    table: str
    """schema.table; a view works too."""
    columns: Mapping[str, str]
    """Our column -> theirs."""
    zone: str | None = None
    """IANA zone of their dates and of times without a zone; of an hour that comes twice, the second is meant."""
    attributes: Sequence[str] = ()
    """Columns of theirs that become declared attributes; of profiles only."""
    stages: Mapping[str, str] = field(default_factory=dict)
    """Their stage -> ours; of stage_changes only. Without it, stages that bear our names count."""


@dataclass(frozen=True)
class Offer:
    """What an input table must and may be given."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    known_by: str | None = None
    """The column that says when a row was known, where no column of theirs does."""
    key: tuple[str, ...] = ()
    """What no two rows may share."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that can be mapped."""
        return (*self.required, *self.optional, *(("known_at",) if self.known_by else ()))


MAPPABLE: Final[Mapping[str, Offer]] = {
    "leads": Offer(("lead_id", "created_at"), (), "created_at", ("lead_id",)),
    "profiles": Offer(("lead_id", "known_at"), PROFILE_COLUMNS, None, ("lead_id", "known_at")),
    "events": Offer(("event_id", "lead_id", "occurred_at", "type"), ("value",), "occurred_at", ("event_id",)),
    "stage_changes": Offer(("lead_id", "stage", "entered_at"), ("amount", "reason"), "entered_at"),
    "rule_points": Offer(("lead_id", "known_at", "points"), (), None, ("lead_id", "known_at")),
    "objections": Offer(("lead_id",), ("since",)),
}


def check_names(tables: Mapping[str, MappedTable]) -> None:
    """Refuse a mapping that no database could make good; nothing is connected for it.

    Raises
    ------
    ConfigError
        A table or column that cannot be mapped, or is missing, or a name that is none.

    Examples
    --------
    >>> check_names({"leads": MappedTable("crm.leads", {"lead_id": "id", "created_at": "made"})})
    >>> check_names({"leads": MappedTable("crm.leads; DROP TABLE x", {})})
    Traceback (most recent call last):
    features.errors.ConfigError: [store.tables.leads] table must be SCHEMA.TABLE, each a letter or _ and then at most \
62 letters, digits or _; found 'crm.leads; DROP TABLE x'. For a table with another name, map a view.
    """
    for name, mapped in tables.items():
        where = f"[store.tables.{name}]"
        offer = MAPPABLE.get(name)
        if name == "contacts":
            raise ConfigError("[store.tables.contacts] cannot be mapped: personal data of contacts is never read.")
        if offer is None:
            raise ConfigError(f"There is no table {name!r} to be mapped.{nearest(name, MAPPABLE)}")
        parts = mapped.table.split(".")
        if len(parts) != 2 or not all(map(NAME.fullmatch, parts)):
            raise _no_name(f"{where} table must be SCHEMA.TABLE, each", mapped.table)
        if parts[0].lower() == SCHEMA:
            raise ConfigError(
                f"{where} table: the schema {SCHEMA} is our own and needs no mapping; found {mapped.table}."
            )
        _check_columns(where, mapped, offer)
        if mapped.zone is not None:
            _check_zone(where, mapped.zone)
        if mapped.attributes and name != "profiles":
            raise ConfigError(f"{where} attributes: only profiles have attributes.")
        if mapped.stages and name != "stage_changes":
            raise ConfigError(f"{where} stages: only stage_changes have stages.")
        for stage, ours in mapped.stages.items():
            if ours not in STAGES:
                raise ConfigError(f"{where[:-1]}.stages] {stage!r}: there is no stage {ours!r}.{nearest(ours, STAGES)}")
            if "\0" in stage:
                raise ConfigError(f"{where[:-1]}.stages] {stage!r}: no database has a NUL character in a text.")


def quoted(name: str) -> str:
    """A name as SQL takes it: `schema.table` as two.

    Examples
    --------
    >>> quoted("crm.order")
    '"crm"."order"'
    """
    assert all(map(NAME.fullmatch, name.split("."))), "names are checked before they are used"
    return ".".join(f'"{part}"' for part in name.split("."))


def literal(text: str) -> str:
    """A text as SQL takes it; a $ is spelled out, for "$1" would be taken for a parameter's place.

    Examples
    --------
    >>> print(literal("it's $1"))
    ('it''s ' || chr(36) || '1')
    """
    pieces = ["'" + piece.replace("'", "''") + "'" for piece in text.split("$")]
    return "(" + " || chr(36) || ".join(pieces) + ")" if len(pieces) > 1 else pieces[0]


def _check_columns(where: str, mapped: MappedTable, offer: Offer) -> None:
    for ours, theirs in mapped.columns.items():
        if ours not in offer.columns:
            raise ConfigError(f"{where[:-1]}.columns] has no {ours!r}.{nearest(ours, offer.columns)}")
        if not NAME.fullmatch(theirs):
            raise _no_name(f"{where[:-1]}.columns] {ours} must be", theirs)
    for theirs in mapped.attributes:
        if not NAME.fullmatch(theirs):
            raise _no_name(f"{where} attributes: each must be", theirs)
    for needed in offer.required:
        if needed not in mapped.columns:
            why = (
                _SNAPSHOT if needed == "known_at" else f"Add {needed} = 'COLUMN', the column of {mapped.table} to read."
            )
            raise ConfigError(f"{where[:-1]}.columns] needs {needed}. {why}")


def _check_zone(where: str, zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (OSError, ValueError, LookupError):
        raise ConfigError(
            f"{where} zone: there is no zone {zone[:60]!r}. Name one like 'Europe/Paris' or 'UTC'."
        ) from None


def _no_name(must_be: str, found: str) -> ConfigError:
    return ConfigError(
        f"{must_be} a letter or _ and then at most 62 letters, digits or _; found {found[:90]!r}. For a "
        f"{'column' if '.columns' in must_be or 'attributes' in must_be else 'table'} with another name, map a view."
    )


def nearest(name: str, there: Sequence[str] | Mapping[str, object]) -> str:
    """The rest of a message about a name that is not there: those that look like it, or all.

    Examples
    --------
    >>> nearest("lead", ["leads", "events"])
    ' Did you mean leads?'
    """
    near = get_close_matches(name, list(there), n=3)
    if near:
        return f" Did you mean {' or '.join(near)}?"
    shown = ", ".join(list(there)[:20])
    return f" There are: {shown}{', …' if len(there) > 20 else ''}." if shown else " There are none."

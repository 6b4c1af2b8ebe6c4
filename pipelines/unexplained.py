"""Why nothing can be told of a lead: it is not there, may not be told of, or was not scored, and for which reason."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import pandas as pd

from features.cohort import DISQUALIFIED, IN_TARGET_STAGE, NO_VOLUNTARY_ACT, NOT_YET_KNOWN, eligible
from features.errors import ConfigError, UserError
from features.kinds import kinds_of
from features.tables import AS_OF, LEAD_ID
from pipelines.config import Settings
from pipelines.moments import moment
from pipelines.snapshots import voluntary_types
from pipelines.store import EPOCH, LeadStore

_WHY: Final[Mapping[str, str]] = {
    NOT_YET_KNOWN: "it came to be known only after that",
    IN_TARGET_STAGE: "it was in the target stage ({target}) already",
    DISQUALIFIED: "a person had disqualified it",
    NO_VOLUNTARY_ACT: "it had done nothing of its own will yet: a contact, and no lead",
}


def refusal(
    store: LeadStore, settings: Settings, lead_id: str, *, run: Mapping[str, Any] | None, as_of: int | None
) -> UserError:
    """The error that says why.

    Parameters
    ----------
    run : what is published: `run_id` and `as_of`; None: nothing
    as_of : the moment that was asked for, None: now
    """
    if not lead_id.strip():
        return ConfigError("Say which lead: leadscore explain LEAD_ID.")
    none = f"No score is published for lead {lead_id!r}: "
    if not is_text(lead_id):
        return UserError(f"{none}a store holds ids of UTF-8 text without NUL. How was it typed, or copied?")
    if store.rows("SELECT 1 FROM tombstones WHERE lead_id = $1", [lead_id]):
        return UserError(f"{none}it was erased at its request, and nothing of it is kept.")
    if store.rows(f"SELECT 1 FROM {store.source('objections')} WHERE lead_id = $1", [lead_id]):
        return UserError(f"{none}it objects to profiling, so it is not scored, and nothing of before is told.")
    if not store.rows(f"SELECT 1 FROM {store.source('leads')} WHERE lead_id = $1", [lead_id]):
        if store.rows("SELECT 1 FROM scores WHERE lead_id = $1 LIMIT 1", [lead_id]):
            return UserError(
                f"Nothing can be told of lead {lead_id!r}: it was scored, and is no longer among the leads of "
                f"{store.where}. If it should be, look at the table that [store.tables] reads them from."
            )
        return UserError(f"{none}the store {store.where} holds no such lead.{_alike(store, lead_id)}")
    if run is None:
        before = f" as of {moment(as_of)} or before" if as_of is not None else " yet"
        return UserError(f"{none}nothing is published{before}. Score first: leadscore score.")
    return UserError(f"{none}{_not_scored(store, settings, lead_id, int(run['as_of']))}")


def is_text(lead_id: str) -> bool:
    """Whether a store could hold such an id at all: arguments may come in bytes that are no text.

    >>> is_text("L-1 \\u202e"), is_text("L\\0"), is_text(chr(0xDCFF))
    (True, False, False)
    """
    return "\0" not in lead_id and not any(0xD800 <= ord(c) < 0xE000 for c in lead_id)


def _alike(store: LeadStore, lead_id: str) -> str:
    """Ids that differ in case or in spaces around them only."""
    found = store.rows(
        f"SELECT lead_id FROM {store.source('leads')} WHERE lower(trim(lead_id)) = lower(trim($1)) ORDER BY lead_id "
        "LIMIT 3",
        [lead_id],
    )
    return f" Did you mean {' or '.join(repr(name) for (name,) in found)}?" if found else ""


def _not_scored(store: LeadStore, settings: Settings, lead_id: str, as_of: int) -> str:
    inventory, target = store.inventory(until=as_of), settings.label.target_stage
    kinds = kinds_of(inventory.event_types, settings.events.kinds)
    cohort = eligible(
        store.read(lead_id, lead_id),
        pd.DataFrame({LEAD_ID: [lead_id], AS_OF: [as_of]}),
        target_stage=target,
        voluntary_types=voluntary_types(inventory, kinds, settings.cohort.voluntary_kinds),
    )
    said = f"it was not scored as of {moment(as_of)}, the newest that is published: "
    reason = next(iter(cohort.excluded), None)
    if reason is None:
        why = (
            "by what the store holds today it should have been, so it was imported since, or quarantined by that run. "
            "Score again ('leadscore score --supersede --reason WHY'), or wait for the next night"
        )
    else:
        why = _WHY.get(reason, reason).format(target=target)
    return f"{said}{why}.{_last_time(store, lead_id, as_of)}"


def _last_time(store: LeadStore, lead_id: str, as_of: int) -> str:
    rows = store.rows(
        "SELECT epoch_us(p.as_of) FROM published p JOIN scores s ON s.run_id = p.run_id WHERE s.lead_id = $1 AND "
        "p.as_of < $2 ORDER BY p.as_of DESC LIMIT 1",
        [lead_id, EPOCH + timedelta(microseconds=as_of)],
    )
    if not rows:
        return ""
    return f" It was scored before: add --as-of {moment(int(rows[0][0]))}."

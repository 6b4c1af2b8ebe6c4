"""Forget a lead: all that the store holds of it goes in one transaction, and a tombstone keeps it from coming back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb

from features.errors import ConfigError, StoreFailed
from pipelines.failpoints import reached
from pipelines.store import LeadStore

#: Where a lead can be found by its id.
TABLES: Final = (
    "leads", "contacts", "profiles", "events", "stage_changes", "rule_points", "objections", "scores", "scores_staging",
    "out_of_time",
)  # fmt: skip
OUT_OF_REACH: Final = (
    "backups of the store", "the write-ahead log of the database", "files that were imported or exported",
    "the CRM and other programs that have read the scores",
    "releases that were registered before, and their runs in MLflow: they hold no row of a lead, but what was learned "
    "from many; train again, and let the old ones go",
)  # fmt: skip


@dataclass(frozen=True)
class Receipt:
    """How many rows of a lead went from where, and what no command of ours can reach."""

    lead_id: str
    erased: Mapping[str, int]
    out_of_reach: tuple[str, ...]
    dry_run: bool


def erase(store: LeadStore, lead_id: str, *, now: datetime, dry_run: bool = False) -> Receipt:
    """Erase a lead that asked to be forgotten; doing it again, or after having been killed, does no harm.

    A lead the store does not hold gets its tombstone too: an import may bring it tomorrow.

    Raises
    ------
    ConfigError
        The id is empty.
    """
    if not lead_id:
        raise ConfigError("Say which lead: leadscore erase LEAD_ID.")
    found = {table: _count(store, table, lead_id) for table in TABLES}
    traces = _quarantined(store, lead_id)
    found["quarantine"] = len(traces)
    mapped = [f"{table}: {store.mapped_to(table)} is not ours to change" for table in TABLES if store.mapped_to(table)]
    receipt = Receipt(lead_id, {k: n for k, n in found.items() if n}, (*OUT_OF_REACH, *mapped), dry_run)
    if dry_run:
        return receipt
    with store.transaction():
        # A publication or an import that is about to commit goes first, or sees the tombstone: neither can slip
        # between.
        store.engine.serialised()
        store.change(
            "INSERT INTO tombstones (lead_id, erased_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", [lead_id, now]
        )
        for table in TABLES:
            # A run at work counts what it staged, and drops the lead itself when it publishes.
            at_work = "run_id IN (SELECT run_id FROM runs WHERE status = 'running')"
            kept = f" AND NOT {at_work}" if table == "scores_staging" else ""
            store.change(f"DELETE FROM {table} WHERE lead_id = $1{kept}", [lead_id])
        for source, line in traces:
            store.change("DELETE FROM quarantine WHERE source_id = $1 AND line = $2", [source, line])
        reached("erase: before the commit")
    reached("erase: after the commit")
    return receipt


def compact(path: Path) -> int:
    """Write a closed DuckDB file anew, so that nothing of what was deleted is left in its bytes.

    Returns
    -------
    Bytes of the new file. The old one is replaced only when the new one is whole.

    Raises
    ------
    StoreFailed
        It cannot be done; the file is as it was.
    """
    fresh = path.with_name(path.name + ".compacting")
    fresh.unlink(missing_ok=True)
    try:
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH '{_quoted(path)}' AS old (READ_ONLY)")
            connection.execute(f"ATTACH '{_quoted(fresh)}' AS new")
            connection.execute("COPY FROM DATABASE old TO new")
            connection.execute("DETACH new")
        fresh.replace(path)
    except (duckdb.Error, OSError) as error:
        fresh.unlink(missing_ok=True)
        raise StoreFailed(f"{path} could not be compacted: {error}. It is as it was.") from error
    return path.stat().st_size


def _count(store: LeadStore, table: str, lead_id: str) -> int:
    return int(store.rows(f"SELECT count(*) FROM {table} WHERE lead_id = $1", [lead_id])[0][0])


def _quarantined(store: LeadStore, lead_id: str) -> list[tuple[str, int]]:
    """Quarantined rows that name the lead, or its address: they are kept as they were read, under the file's names."""
    mails = store.rows("SELECT email FROM contacts WHERE lead_id = $1 AND email IS NOT NULL", [lead_id])
    wanted = [lead_id, *(str(mail) for (mail,) in mails)]
    found: dict[tuple[str, int], None] = {}
    for text in wanted:
        rows = store.rows(
            "SELECT source_id, line FROM quarantine WHERE position($1 IN content) > 0", [f'"{_json_text(text)}"']
        )
        found |= {(str(source), int(line)): None for source, line in rows}
    return list(found)


def _json_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("'", "''")

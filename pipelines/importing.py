"""`leadscore import`: one file -> the lead store, in one transaction, with an account of every row.

A row of the file is either loaded or quarantined, with its line and one reason; the two add up to the rows of the
file, and nothing is stored if the import does not come to its end. Importing a file again changes nothing.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from features.errors import InputError
from pipelines import dates, filling
from pipelines.admitting import admit
from pipelines.converting import Plan, TextBatch
from pipelines.failpoints import reached
from pipelines.import_report import ImportReport, Tally, sentences, too_many
from pipelines.joining import Lookup, open_lookups
from pipelines.mapping import Mapping
from pipelines.matching import Match, match
from pipelines.reading import Batch, TableFile, Unreadable, open_table
from pipelines.store import INPUT_TABLES, LeadStore
from pipelines.surveying import Passes, columns_of, needs_survey, survey

#: How far ahead of our clock a recorded time may lie: clocks and zones are never quite right.
TOLERANCE: Final = timedelta(days=1)

#: Characters kept of each value of a quarantined row.
KEPT_CHARACTERS: Final = 1_000


class _DryRun(Exception):
    """Ends the transaction of a dry run, so that nothing stays."""


def import_file(
    store: LeadStore,
    file: Path,
    mapping: Mapping,
    *,
    now: datetime,
    on_progress: Callable[[int, int], None] | None = None,
    dry_run: bool = False,
    max_rejects: int | None = None,
) -> ImportReport:
    """Load one file into the store, all of it or nothing.

    Parameters
    ----------
    store : open for writing
    file : CSV (plain or packed) or Parquet
    mapping : what its columns mean
    now : with a zone; times more than a day later are quarantined
    on_progress : called now and then with (bytes done, bytes in all)
    dry_run : do everything, then undo it
    max_rejects : above this many quarantined rows nothing is loaded; None = no limit

    Raises
    ------
    InputError
        The file cannot be read, does not fit the mapping, or has more than `max_rejects` bad rows. The store is as
        it was before.
    """
    table = open_table(file, encoding=mapping.encoding, delimiter=mapping.delimiter)
    found = match(mapping, table)
    lookups, said = open_lookups(found.source, mapping, folder=file.parent)
    passes = Passes(table, on_progress, times=2 if needs_survey(found) else 1)
    stored = dict(store.rows("SELECT name, type FROM attributes"))
    first_look = survey(passes, found, mapping, lookups=lookups, stored=stored)
    plan = Plan(
        where=file.name,
        mapping=mapping,
        source=found.source,
        columns=frozenset([*found.columns, *(name for lookup in lookups for name in lookup.columns)]),
        attributes=tuple(a for a in first_look.attributes if a.kind != "ignored"),
        latest=dates.micros_of(now + TOLERANCE),
        created=first_look.created,
        erased=frozenset(str(row[0]) for row in store.rows("SELECT lead_id FROM tombstones")),
    )
    import_id = _import_id(table, mapping, lookups)
    again = bool(store.rows("SELECT 1 FROM imports WHERE import_id = $1", [import_id]))
    kinds = {a.name: a.kind for a in first_look.attributes}
    messages = [*table.messages, *said, *first_look.messages]
    tally = Tally()
    try:
        with store.transaction():
            store.change("DELETE FROM quarantine WHERE source_id = $1", [import_id])
            for batch in passes:
                _load(store, batch, plan, found, lookups, tally, import_id)
                reached("import: after a batch")
            quarantined = tally.reasons.total()
            assert tally.loaded + quarantined == tally.rows, "every row is either loaded or quarantined"
            if max_rejects is not None and quarantined > max_rejects:
                raise too_many(file, tally, max_rejects=max_rejects)
            store.declare_attributes(kinds, about={a.name: a.column for a in first_look.attributes})
            store.change(
                "INSERT INTO imports (import_id, file, digest, mapping, imported_at, file_rows, loaded, quarantined) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (import_id) DO UPDATE SET "
                "loaded = excluded.loaded, quarantined = excluded.quarantined",
                [import_id, file.name, table.digest, mapping.name, now, tally.rows, tally.loaded, quarantined],
            )
            passes.check_unchanged()
            _refuse_erased(store)
            if dry_run:
                raise _DryRun
            reached("import: before the commit")
        reached("import: after the commit")
    except _DryRun:
        messages.append("A dry run: nothing was stored.")
    messages += sentences(plan, found, tally)
    messages += [sentence for lookup in lookups for sentence in lookup.messages(tally.rows)]
    if again:
        messages.append("This very file was imported before with this mapping; it was read again and compared.")
    return ImportReport(
        file=str(file),
        mapping=mapping.name,
        source=found.source.name,
        import_id=import_id,
        rows=tally.rows,
        loaded=tally.loaded,
        quarantined=quarantined,
        reasons=dict(tally.reasons.most_common()),
        new=dict(tally.new),
        unchanged=dict(tally.unchanged),
        attributes=kinds,
        messages=tuple(messages),
        dry_run=dry_run,
    )


def _refuse_erased(store: LeadStore) -> None:
    """A lead that was erased while the file was read must not come in with it: the next import knows of it."""
    store.engine.serialised()
    for table in INPUT_TABLES:
        if "lead_id" not in (*INPUT_TABLES[table].key, *INPUT_TABLES[table].columns):
            continue
        if store.rows(f"SELECT 1 FROM {table} WHERE lead_id IN (SELECT lead_id FROM tombstones) LIMIT 1"):
            raise InputError(
                "A lead of this file was erased on request while the file was read. Nothing was stored; import the "
                "file "
                "again, and that lead's rows stay out."
            )


def _load(
    store: LeadStore,
    batch: Batch,
    plan: Plan,
    found: Match,
    lookups: list[Lookup],
    tally: Tally,
    import_id: str,
) -> None:
    """Convert one batch, store what is sound and quarantine the rest."""
    converted = TextBatch(columns_of(batch, found, plan.mapping, lookups), batch.numbers, plan)
    new, unchanged = admit(store, converted, filling.fill(converted))
    tally.new.update(new)
    tally.unchanged.update(unchanged)
    bad = [
        Unreadable(int(batch.lines[row]), str(converted.reasons[row]), [_content(batch.table, int(row))])
        for row in np.flatnonzero(~converted.sound)
    ]
    for row in bad:
        if row.reason == filling.ERASED:
            row.content.clear()
    unreadable = [Unreadable(row.line, row.reason, [_json(row.content)]) for row in batch.unreadable]
    _quarantine(store, import_id, [*bad, *unreadable])
    tally.rows += converted.count + len(unreadable)
    tally.loaded += int(converted.sound.sum())
    tally.reasons.update(row.reason for row in (*bad, *unreadable))
    tally.notes.update(converted.notes)
    tally.examples += [f"line {row.line}: {row.reason}" for row in (*bad, *unreadable)][: 5 - len(tally.examples)]


def _content(table: pa.Table, row: int) -> str:
    """A row as it was read, as a JSON object of its columns."""
    return _json({name: value for name, value in table.slice(row, 1).to_pylist()[0].items() if value})


def _json(content: Any) -> str:
    if isinstance(content, dict):
        content = {name: value[:KEPT_CHARACTERS] for name, value in content.items()}
    else:
        content = [value[:KEPT_CHARACTERS] for value in content]
    return json.dumps(content, ensure_ascii=False)


def _quarantine(store: LeadStore, import_id: str, rows: list[Unreadable]) -> None:
    if not rows:
        return
    table = pa.table(
        {
            "source_id": pa.array([import_id] * len(rows), pa.string()),
            "line": pa.array([row.line for row in rows], pa.int64()),
            "reason": pa.array([row.reason for row in rows], pa.string()),
            "content": pa.array([row.content[0] if row.content else None for row in rows], pa.string()),
        }
    )
    store.engine.load("quarantine", table)


def _import_id(table: TableFile, mapping: Mapping, lookups: list[Lookup]) -> str:
    parts = [table.digest, mapping.digest, *(lookup.digest for lookup in lookups)]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:32]

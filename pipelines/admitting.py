"""Rows that contradict nothing stored go in, whole; a row that contradicts something in one table goes into none.

A row contradicts another if both fill a table under one key with different values. What is stored stands; within a
file the earlier row stands. Contacts are an exception: people change their telephone, and that is no reason to refuse
what else a row says, so a contact that differs is left as it is stored and counted.
"""

from collections import Counter
from typing import Final

import numpy as np
import pyarrow as pa

from pipelines.converting import Integers, Mask, TextBatch
from pipelines.filling import Filling
from pipelines.store import INPUT_TABLES, Appended, LeadStore

CONFLICT: Final = "differs from what is stored"
SELF_CONFLICT: Final = "gives one key two different values"


def admit(store: LeadStore, batch: TextBatch, fillings: list[Filling]) -> tuple[Counter[str], Counter[str]]:
    """Store what the sound rows of a batch fill; refuse, in `batch`, the rows that contradict.

    Returns
    -------
    Rows added to each table, and rows that were there already.
    """
    tables = _by_table(fillings)
    new: Counter[str] = Counter()
    unchanged: Counter[str] = Counter()
    pending = batch.sound.copy()
    # A row that contradicts an earlier one of the batch must wait: whether that one goes in may hang on a third.
    # Each round settles at least the first row that waits; nearly always, two rounds settle all.
    while pending.any():
        waits = np.zeros(batch.count, np.bool_)
        for name, filling in tables.items():
            if name != "contacts":
                _check(store, batch, filling, pending, waits)
        now = pending & batch.sound & ~waits
        for name, filling in tables.items():
            chosen = now[filling.origin]
            if chosen.any():
                appended = store.append(name, filling.rows.filter(pa.array(chosen)))
                new[name] += appended.new
                unchanged[name] += appended.unchanged
                _note_contacts(batch, name, appended)
        pending = pending & batch.sound & waits
    return new, unchanged


def _by_table(fillings: list[Filling]) -> dict[str, Filling]:
    """What several rules of a mapping put into one table, in the order of the file's rows."""
    tables: dict[str, Filling] = {}
    for name in dict.fromkeys(filling.table for filling in fillings):
        parts = [filling for filling in fillings if filling.table == name]
        origin = np.concatenate([part.origin for part in parts])
        order = np.argsort(origin, kind="stable")
        rows = pa.concat_tables([part.rows for part in parts]).take(pa.array(order))
        tables[name] = Filling(name, rows, origin[order])
    return tables


def _check(store: LeadStore, batch: TextBatch, filling: Filling, pending: Mask, waits: Mask) -> None:
    """Refuse the pending rows that contradict the store or themselves; mark those that contradict an earlier row."""
    chosen = (pending & batch.sound)[filling.origin]
    if not chosen.any():
        return
    origin: Integers = filling.origin[chosen]
    spec = INPUT_TABLES[filling.table]
    rows = filling.rows.filter(pa.array(chosen)).append_column("_row", pa.array(origin))
    key = ", ".join(spec.key)
    compared = [name for name in spec.columns if name in filling.rows.column_names]
    unlike_stored = " OR ".join(f"i.{name} IS DISTINCT FROM t.{name}" for name in compared) or "false"
    unlike_first = " OR ".join(f"i.{name} IS DISTINCT FROM f.{name}" for name in compared) or "false"
    with store.engine.offered("offered", rows):
        stored = store.rows(f"SELECT i._row FROM offered i JOIN {filling.table} t USING ({key}) WHERE {unlike_stored}")
        earlier = store.rows(
            f"WITH f AS (SELECT DISTINCT ON ({key}) * FROM offered ORDER BY {key}, _row) "
            f"SELECT i._row, f._row FROM offered i JOIN f USING ({key}) WHERE {unlike_first}"
        )
    refused = np.zeros(batch.count, np.bool_)
    refused[[row for (row,) in stored]] = True
    batch.refuse(refused, CONFLICT)
    refused[:] = False
    refused[[row for row, first in earlier if row == first]] = True
    batch.refuse(refused, SELF_CONFLICT)
    waits[[row for row, first in earlier if row != first]] = True


def _note_contacts(batch: TextBatch, table: str, appended: Appended) -> None:
    if appended.conflicts:
        assert table == "contacts", f"{table}: rows in conflict were checked before"
        batch.note(len(appended.conflicts), "contacts that differ from those stored, which stay as they are")

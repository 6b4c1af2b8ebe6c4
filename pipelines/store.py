"""LeadStore: a DuckDB file that takes imports in, streams leads out, range by range, and keeps what is published.

Input tables are append-only. `append` says for every row whether it is new, already there, or in conflict with what
is there; nothing stored is ever overwritten. Reading hands out `LeadTables` for one range of leads at a time, so
memory stays flat however many leads there are.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import duckdb
import pyarrow as pa

from features.errors import ConfigError, LockHeld, StoreUnreachable
from features.tables import PROFILE_COLUMNS, LeadTables
from pipelines import migrations


@dataclass(frozen=True)
class InputTable:
    """An append-only table: its key, and the columns that must agree when the key is there already."""

    key: tuple[str, ...]
    columns: tuple[str, ...]
    first_by: str | None = None
    """Of several rows with one key in a batch, the one with the smallest value of this column is kept."""


#: The tables that imports fill, by name.
INPUT_TABLES: Final[Mapping[str, InputTable]] = {
    "leads": InputTable(("lead_id",), ("created_at",), first_by="known_at"),
    "contacts": InputTable(("lead_id",), ("email", "full_name", "company_name", "phone")),
    "profiles": InputTable(("lead_id", "known_at"), (*PROFILE_COLUMNS, "attributes")),
    "events": InputTable(("event_id",), ("lead_id", "occurred_at", "type", "value"), first_by="known_at"),
    "stage_changes": InputTable(("lead_id", "stage", "entered_at"), ("amount", "reason"), first_by="known_at"),
    "rule_points": InputTable(("lead_id", "known_at"), ("points",)),
    "channel_costs": InputTable(("channel", "month"), ("cost",)),
    "objections": InputTable(("lead_id",), (), first_by="since"),
}


@dataclass(frozen=True)
class Appended:
    """What became of a batch: rows that are new, rows already there, and the positions of rows in conflict."""

    new: int
    unchanged: int
    conflicts: list[int]


@dataclass(frozen=True)
class Inventory:
    """What a store holds, in counts: what decides which features can be computed."""

    leads: int
    events: int
    event_types: Mapping[str, int]
    profile_columns: tuple[str, ...]
    """Profile columns that are filled for at least one lead."""
    attributes: Mapping[str, str]
    """Declared attributes: name -> numeric, categorical, boolean, date or ignored."""
    stages: Mapping[str, int]
    first_created_at: int
    """Microseconds UTC; 0 in an empty store."""
    known_until: int
    """One microsecond after the last thing the store knows of: outcomes are complete up to here, and no further."""


class LeadStore:
    """One open lead store. Use as a context manager; a connection is short-lived on purpose (one writer at a time)."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, where: str) -> None:
        self.connection = connection
        self.where = where

    @classmethod
    def open(cls, url: str, *, read_only: bool = False, create: bool = False) -> Self:
        """Open the DuckDB file `url`, bringing its tables up to date unless it is opened to read only.

        Raises
        ------
        StoreUnreachable
            The file is missing (and `create` is false), is no DuckDB file, or was made by a newer program.
        LockHeld
            Another process has the file open.
        ConfigError
            `url` names an engine that this version does not speak.
        """
        if "://" in url:
            scheme = url.split("://", 1)[0]
            raise ConfigError(
                f"The store is a DuckDB file; found a {scheme}:// address. Give the path of a file with --store or "
                "LEADSCORE_STORE, for example leads.duckdb."
            )
        path = Path(url)
        if not path.exists() and not create:
            raise StoreUnreachable(
                f"There is no lead store at {url}. Run 'leadscore import FILE --mapping NAME' to make one, "
                "'leadscore demo' for a simulated one, or name another with --store or LEADSCORE_STORE."
            )
        if create:
            _make_folder(path)
        if path.is_file():
            _check_kind(path)
        try:
            # As a whole path, so that no name (":memory:") means anything else to DuckDB.
            connection = duckdb.connect(str(path.absolute()), read_only=read_only)
        except duckdb.IOException as error:
            raise _explained(error, url) from error
        except duckdb.Error as error:
            raise StoreUnreachable(f"{url} cannot be opened as a DuckDB file: {_first_line(error)}") from error
        try:
            connection.execute("SET TimeZone = 'UTC'")
            if read_only:
                migrations.check_current(connection, where=url)
            else:
                migrations.migrate(connection, where=url)
        except BaseException:
            connection.close()
            raise
        return cls(connection, url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; what was committed is on disk."""
        self.connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block, or nothing of it."""
        self.connection.execute("BEGIN TRANSACTION")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def rows(self, query: str, parameters: object = None) -> list[tuple[Any, ...]]:
        """The rows of a small query."""
        return self.connection.execute(query, parameters).fetchall()

    def arrow(self, query: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
        """The result of a query as an Arrow table."""
        return self.connection.sql(query, params=parameters).to_arrow_table()

    def append(self, table: str, rows: pa.Table) -> Appended:
        """Add rows to an input table; rows whose key is there already change nothing.

        Parameters
        ----------
        table : one of `INPUT_TABLES`
        rows : its columns by name, in any order; times as timestamp[us, UTC]; columns that are left out are null

        Returns
        -------
        Appended
            `conflicts` are the positions in `rows` whose key is stored with other values; the stored ones stay.
        """
        spec = INPUT_TABLES[table]
        if rows.num_rows == 0:
            return Appended(0, 0, [])
        incoming = rows.append_column("_position", pa.array(range(rows.num_rows), pa.int64()))
        names = ", ".join(rows.column_names)
        key = ", ".join(spec.key)
        order = ", ".join([*spec.key, *([spec.first_by] if spec.first_by else []), "_position"])
        compared = [name for name in spec.columns if name in rows.column_names]
        differs = " OR ".join(f"i.{name} IS DISTINCT FROM t.{name}" for name in compared) or "false"
        self.connection.register("incoming", incoming)
        try:
            inserted = self.rows(
                f"INSERT INTO {table} ({names}) SELECT DISTINCT ON ({key}) {names} FROM incoming "
                f"ORDER BY {order} ON CONFLICT DO NOTHING"
            )
            conflicts = self.rows(
                f"SELECT i._position FROM incoming i JOIN {table} t USING ({key}) WHERE {differs} ORDER BY 1"
            )
        finally:
            self.connection.unregister("incoming")
        new = int(inserted[0][0])
        return Appended(new, rows.num_rows - new - len(conflicts), [int(row[0]) for row in conflicts])

    def declare_attributes(self, attributes: Mapping[str, str], *, about: Mapping[str, str] | None = None) -> None:
        """Record what the declared attributes are; a name that is there already keeps its type.

        Parameters
        ----------
        attributes : name -> numeric, categorical, boolean, date or ignored
        about : name -> what the attribute is called where it comes from
        """
        for name, kind in attributes.items():
            self.connection.execute(
                "INSERT INTO attributes (name, type, about) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                [name, kind, (about or {}).get(name)],
            )

    def inventory(self, *, until: int | None = None) -> Inventory:
        """Count what the store holds, or held: what was known before `until` (microseconds UTC).

        Declared attributes are those of today: a type is a statement about a column, not about a lead.
        """
        known = "true" if until is None else f"epoch_us(known_at) < {int(until)}"
        filled = self.rows(
            "SELECT " + ", ".join(f"count({name})" for name in PROFILE_COLUMNS) + f" FROM profiles WHERE {known}"
        )[0]
        last = " UNION ALL ".join(
            f"SELECT max(epoch_us(known_at)) AS t FROM {name} WHERE {known}"
            for name in ("leads", "profiles", "events", "stage_changes", "rule_points")
        )
        leads, first, end = self.rows(
            f"SELECT (SELECT count(*) FROM leads WHERE {known}), "
            f"(SELECT coalesce(min(epoch_us(created_at)), 0) FROM leads WHERE {known}), coalesce(max(t) + 1, 0) "
            f"FROM ({last})"
        )[0]
        types = self.rows(f"SELECT type, count(*) FROM events WHERE {known} GROUP BY type ORDER BY type")
        stages = self.rows(f"SELECT stage, count(*) FROM stage_changes WHERE {known} GROUP BY stage ORDER BY stage")
        return Inventory(
            leads=int(leads),
            events=sum(int(count) for _, count in types),
            event_types={str(name): int(count) for name, count in types},
            profile_columns=tuple(n for n, count in zip(PROFILE_COLUMNS, filled, strict=True) if count),
            attributes=dict(self.rows("SELECT name, type FROM attributes ORDER BY name")),
            stages={str(stage): int(count) for stage, count in stages},
            first_created_at=int(first),
            known_until=int(end),
        )

    def points_as_of(self, first: str, last: str, *, as_of: int) -> dict[str, float]:
        """Marketing's points last known before as_of (microseconds UTC), for the leads from `first` to `last`."""
        table = self.arrow(
            "SELECT DISTINCT ON (lead_id) lead_id, points FROM rule_points WHERE lead_id >= $first AND "
            "lead_id <= $last AND epoch_us(known_at) < $as_of ORDER BY lead_id, known_at DESC",
            {"first": first, "last": last, "as_of": as_of},
        )
        return dict(zip(table.column("lead_id").to_pylist(), table.column("points").to_pylist(), strict=True))

    def lead_ranges(self, *, size: int) -> list[tuple[str, str]]:
        """Cut the leads into ranges of at most `size`: (first, last) lead_id of each, both included, in order."""
        ids = self.arrow("SELECT lead_id FROM leads ORDER BY lead_id").column("lead_id").to_pylist()
        return [(ids[i], ids[min(i + size, len(ids)) - 1]) for i in range(0, len(ids), size)]

    def read(self, first: str, last: str) -> LeadTables:
        """Stream out everything known about the leads from `first` to `last`, both included."""
        between = {"first": first, "last": last}
        inside = "lead_id >= $first AND lead_id <= $last"
        known = f"{inside} AND lead_id IN (SELECT lead_id FROM leads WHERE {inside})"
        return LeadTables(
            leads=self.arrow(
                "SELECT lead_id, epoch_us(created_at) AS created_at, epoch_us(known_at) AS known_at "
                f"FROM leads WHERE {inside} ORDER BY lead_id",
                between,
            ),
            profiles=self.arrow(
                f"SELECT lead_id, epoch_us(known_at) AS known_at, {', '.join(PROFILE_COLUMNS)}, attributes "
                f"FROM profiles WHERE {known} ORDER BY lead_id, known_at",
                between,
            ),
            events=self.arrow(
                "SELECT lead_id, epoch_us(occurred_at) AS occurred_at, epoch_us(known_at) AS known_at, type, value "
                f"FROM events WHERE {known} ORDER BY lead_id, occurred_at, known_at, event_id",
                between,
            ),
            stage_changes=self.arrow(
                "SELECT lead_id, stage, epoch_us(entered_at) AS entered_at, epoch_us(known_at) AS known_at "
                f"FROM stage_changes WHERE {known} ORDER BY lead_id, entered_at, known_at, stage",
                between,
            ),
            objections=self.arrow(
                f"SELECT lead_id, epoch_us(since) AS since FROM objections WHERE {known} ORDER BY lead_id", between
            ),
        )


def _make_folder(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnreachable(f"The folder of the store, {path.parent}, cannot be made: {error.strerror}.") from error
    if not os.access(path.parent, os.W_OK):
        raise StoreUnreachable(
            f"The folder of the store, {path.parent}, cannot be written to. Name another with --store."
        )


def _check_kind(path: Path) -> None:
    """Refuse what is no DuckDB file: DuckDB itself would open a CSV, and keep what is written to it nowhere."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise StoreUnreachable(f"The store {path} cannot be opened: {error.strerror}.") from error
    if head[8:] != b"DUCK":
        raise StoreUnreachable(
            f"{path} cannot be opened as a lead store: it is no DuckDB file. Name the store with --store or "
            "LEADSCORE_STORE; a file of leads is loaded into it with 'leadscore import FILE --mapping NAME'."
        )


def _explained(error: duckdb.Error, url: str) -> StoreUnreachable | LockHeld:
    text = str(error)
    if "could not set lock" in text.lower():
        return LockHeld(
            f"Another program has the store {url} open: {_first_line(error)} A DuckDB file takes one writer, or "
            "several readers. Close that program, or wait until it ends."
        )
    return StoreUnreachable(f"The store {url} cannot be opened: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]

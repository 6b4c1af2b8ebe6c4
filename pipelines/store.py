"""LeadStore: a DuckDB file or a PostgreSQL database that takes leads in, streams them out, and keeps what is published.

Input tables are append-only. `append` says for every row whether it is new, already there, or in conflict with what
is there; nothing stored is ever overwritten. Reading hands out `LeadTables` for one range of leads at a time, so
memory stays flat however many leads there are.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

import pyarrow as pa

from features.errors import ConfigError, StoreUnreachable
from features.tables import PROFILE_COLUMNS, LeadTables
from pipelines import mapped_reading, migrations
from pipelines.engine import Engine, Parameters
from pipelines.mapped_reading import Source
from pipelines.mapped_tables import MappedTable, check_names
from pipelines.store_url import parsed

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: Seconds before each attempt to reach a database again whose connection broke.
RECONNECT_PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0)


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
    left_out: tuple[str, ...] = ()
    """What of a company's own tables is not read, in sentences; nothing of an imported table ever is."""


class LeadStore:
    """One open lead store. Use as a context manager; a connection is short-lived on purpose."""

    def __init__(
        self, engine: Engine, *, mapped: Mapping[str, Source] | None = None, reopen: Callable[[], Engine] | None = None
    ) -> None:
        self.engine = engine
        self.where = engine.where
        self._mapped = mapped or {}
        self._reopen = reopen

    @classmethod
    def open(
        cls,
        url: str,
        *,
        read_only: bool = False,
        create: bool = False,
        wait_seconds: float = 0,
        tables: Mapping[str, MappedTable] | None = None,
    ) -> Self:
        """Open a store, bringing its tables up to date unless it is opened to read only.

        Parameters
        ----------
        url : path of a DuckDB file, or postgresql://…
        create : make the store if it is not there
        wait_seconds : how long to wait for a program that holds a DuckDB file
        tables : input tables that are read out of a company's own tables, by name

        Raises
        ------
        StoreUnreachable
            It is missing (and `create` is false), cannot be reached, or was made by a newer program.
        LockHeld
            Another process has the file open.
        ConfigError
            `url` is no address of a store, or `tables` maps what is not there, or cannot be read as it is mapped to.
        """
        check_names(tables or {})

        def connect() -> Engine:
            return _connected(url, read_only=read_only, create=create, wait_seconds=wait_seconds)

        engine = connect()
        try:
            if read_only:
                migrations.check_current(engine)
            else:
                if not create and not engine.has_table(migrations.LEDGER_TABLE):
                    raise migrations.no_store(engine)
                migrations.migrate(engine)
            mapped = mapped_reading.sources(engine, tables or {})
        except BaseException:
            engine.close()
            raise
        return cls(engine, mapped=mapped, reopen=connect)

    def reconnect(self) -> None:
        """Leave a connection that broke, and make a new one; a server that is not back yet is asked again for a while.

        Raises
        ------
        StoreUnreachable
            It did not come back.
        """
        assert self._reopen is not None, "a snapshot is not connected again: it would see another moment"
        self.engine.close()
        for pause in RECONNECT_PAUSES:
            time.sleep(pause)
            try:
                self.engine = self._reopen()
                return
            except StoreUnreachable as error:
                last = error
        raise last

    def source(self, table: str) -> str:
        """What stands after FROM to read an input table: its name, or a subquery of that name on a company's own."""
        return self._mapped[table].after_from if table in self._mapped else table

    def mapped_to(self, table: str) -> str | None:
        """The table of a company's own that an input table is read out of; None when it is ours."""
        return self._mapped[table].theirs if table in self._mapped else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; what was committed stays."""
        self.engine.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block, or nothing of it."""
        with self.engine.transaction():
            yield

    @contextlib.contextmanager
    def snapshot(self) -> Iterator["LeadStore"]:
        """The store as it is now, to read from, whatever other programs commit in the meantime."""
        with self.engine.snapshot() as engine:
            yield LeadStore(engine, mapped=self._mapped)

    def rows(self, query: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """The rows of a small query; parameters are $1, $2, …"""
        return self.engine.rows(query, parameters)

    def change(self, statement: str, parameters: Parameters = ()) -> int:
        """Run a statement; return how many rows it inserted, updated or deleted."""
        return self.engine.change(statement, parameters)

    def arrow(self, query: str, parameters: Parameters = ()) -> pa.Table:
        """The result of a query as an Arrow table."""
        return self.engine.arrow(query, parameters)

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

        Raises
        ------
        ConfigError
            The table is read out of a company's own. Objections are taken all the same: they count wherever they are.
        """
        if table in self._mapped and table != "objections":
            raise ConfigError(
                f"{table} are read from {self._mapped[table].theirs} ([store.tables.{table}]), where leadscore writes "
                "nothing: import only what is not mapped, or take the section out. Nothing was imported."
            )
        spec = INPUT_TABLES[table]
        if rows.num_rows == 0:
            return Appended(0, 0, [])
        incoming = rows.append_column("_position", pa.array(range(rows.num_rows), pa.int64()))
        names = ", ".join(rows.column_names)
        key = ", ".join(spec.key)
        order = ", ".join([*spec.key, *([spec.first_by] if spec.first_by else []), "_position"])
        compared = [name for name in spec.columns if name in rows.column_names]
        differs = " OR ".join(f"i.{name} IS DISTINCT FROM t.{name}" for name in compared) or "false"
        with self.engine.offered("incoming", incoming):
            new = self.change(
                f"INSERT INTO {table} ({names}) SELECT DISTINCT ON ({key}) {names} FROM incoming "
                f"ORDER BY {order} ON CONFLICT DO NOTHING"
            )
            conflicts = self.rows(
                f"SELECT i._position FROM incoming i JOIN {table} t USING ({key}) WHERE {differs} ORDER BY 1"
            )
        return Appended(new, rows.num_rows - new - len(conflicts), [int(row[0]) for row in conflicts])

    def declare_attributes(self, attributes: Mapping[str, str], *, about: Mapping[str, str] | None = None) -> None:
        """Record what the declared attributes are; a name that is there already keeps its type.

        Parameters
        ----------
        attributes : name -> numeric, categorical, boolean, date or ignored
        about : name -> what the attribute is called where it comes from
        """
        for name, kind in attributes.items():
            self.change(
                "INSERT INTO attributes (name, type, about) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                [name, kind, (about or {}).get(name)],
            )

    def inventory(self, *, until: int | None = None) -> Inventory:
        """Count what the store holds, or held: what was known before `until` (microseconds UTC).

        Declared attributes are those of today: a type is a statement about a column, not about a lead.
        """
        # Compared as a moment, and turned into a number only at the end: that spares the server a sum for every row.
        known, given = ("true", []) if until is None else ("known_at < $1", [EPOCH + timedelta(microseconds=until)])
        source = self.source
        left_out = [sentence for mapped in self._mapped.values() for sentence in mapped.left_out(self.engine)]
        *filled, last_profile = self.rows(
            f"SELECT {', '.join(f'count({name})' for name in PROFILE_COLUMNS)}, epoch_us(max(known_at)) "
            f"FROM {source('profiles')} WHERE {known}",
            given,
        )[0]
        leads, first, last_lead = self.rows(
            "SELECT count(*), coalesce(epoch_us(min(created_at)), 0), epoch_us(max(known_at)) "
            f"FROM {source('leads')} WHERE {known}",
            given,
        )[0]
        last_points = self.rows(f"SELECT epoch_us(max(known_at)) FROM {source('rule_points')} WHERE {known}", given)[0][
            0
        ]
        types, stages = (
            self.rows(
                f"SELECT {name}, count(*), epoch_us(max(known_at)) FROM {source(table)} WHERE {known} "
                f"GROUP BY {name} ORDER BY {name}",
                given,
            )
            for name, table in (("type", "events"), ("stage", "stage_changes"))
        )
        last = [last_profile, last_lead, last_points, *(row[2] for row in (*types, *stages))]
        end = max((int(moment) + 1 for moment in last if moment is not None), default=0)
        return Inventory(
            leads=int(leads),
            events=sum(int(count) for _, count, _ in types),
            event_types={str(name): int(count) for name, count, _ in types},
            profile_columns=tuple(n for n, count in zip(PROFILE_COLUMNS, filled, strict=True) if count),
            attributes=self._attributes(),
            stages={str(stage): int(count) for stage, count, _ in stages},
            first_created_at=int(first),
            known_until=end,
            left_out=tuple(left_out),
        )

    def _attributes(self) -> dict[str, str]:
        """Declared attribute -> type, by name: what the imports declared, or the catalogue of mapped profiles says."""
        if "profiles" in self._mapped:
            return dict(sorted(self._mapped["profiles"].attributes.items()))
        return dict(self.rows("SELECT name, type FROM attributes ORDER BY name"))

    def points_as_of(self, first: str, last: str, *, as_of: int) -> dict[str, float]:
        """Marketing's points last known before as_of (microseconds UTC), for the leads from `first` to `last`."""
        table = self.arrow(
            f"SELECT DISTINCT ON (lead_id) lead_id, points FROM {self.source('rule_points')} WHERE lead_id >= $1 AND "
            "lead_id <= $2 AND epoch_us(known_at) < $3 ORDER BY lead_id, known_at DESC",
            [first, last, as_of],
        )
        return dict(zip(table.column("lead_id").to_pylist(), table.column("points").to_pylist(), strict=True))

    def lead_ranges(self, *, size: int) -> list[tuple[str, str]]:
        """Cut the leads into ranges of at most `size`: (first, last) lead_id of each, both included, in order."""
        query = f"SELECT lead_id FROM {self.source('leads')} ORDER BY lead_id"
        ids = self.arrow(query).column("lead_id").to_pylist()
        return [(ids[i], ids[min(i + size, len(ids)) - 1]) for i in range(0, len(ids), size)]

    def read(self, first: str, last: str) -> LeadTables:
        """Stream out everything known about the leads from `first` to `last`, both included."""
        between = [first, last]
        inside = "lead_id >= $1 AND lead_id <= $2"
        # IS TRUE makes PostgreSQL look rows up in one hash of the leads. Left to itself it may compare every row with
        # every lead, for of new tables, and of ids that are cast, it has no statistics.
        known = f"{inside} AND (lead_id IN (SELECT lead_id FROM {self.source('leads')} WHERE {inside})) IS TRUE"
        return LeadTables(
            leads=self.arrow(
                "SELECT lead_id, epoch_us(created_at) AS created_at, epoch_us(known_at) AS known_at "
                f"FROM {self.source('leads')} WHERE {inside} ORDER BY lead_id",
                between,
            ),
            profiles=self.arrow(
                f"SELECT lead_id, epoch_us(known_at) AS known_at, {', '.join(PROFILE_COLUMNS)}, attributes "
                f"FROM {self.source('profiles')} WHERE {known} ORDER BY lead_id, known_at",
                between,
            ),
            events=self.arrow(
                "SELECT lead_id, epoch_us(occurred_at) AS occurred_at, epoch_us(known_at) AS known_at, type, value "
                f"FROM {self.source('events')} WHERE {known} ORDER BY lead_id, occurred_at, known_at, event_id",
                between,
            ),
            stage_changes=self.arrow(
                "SELECT lead_id, stage, epoch_us(entered_at) AS entered_at, epoch_us(known_at) AS known_at "
                f"FROM {self.source('stage_changes')} WHERE {known} ORDER BY lead_id, entered_at, known_at, stage",
                between,
            ),
            objections=self.arrow(
                f"SELECT lead_id, epoch_us(since) AS since FROM {self.source('objections')} WHERE {known} "
                "ORDER BY lead_id",
                between,
            ),
        )


def _connected(url: str, *, read_only: bool, create: bool, wait_seconds: float) -> Engine:
    # Each engine's library is loaded where it is used: it costs tenths of a second.
    address = parsed(url)
    if address.engine == "postgres":
        from pipelines.postgres_engine import PostgresEngine

        return PostgresEngine.open(url, read_only=read_only)
    from pipelines.duckdb_engine import DuckDBEngine

    return DuckDBEngine.open(Path(url), read_only=read_only, create=create, wait_seconds=wait_seconds)

"""DuckDB as the lead store's engine: a file, one writer or several readers."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Self

import duckdb
import pyarrow as pa

from features.errors import LockHeld, StoreFailed, StoreUnreachable
from pipelines.engine import SCHEMA, Parameters

_LOCKED: Final = "could not set lock"
_RETRY_SECONDS: Final = 0.2


class DuckDBEngine:
    """One open DuckDB database."""

    name: Final = "duckdb"

    def __init__(self, connection: duckdb.DuckDBPyConnection, where: str) -> None:
        self.connection = connection
        self.where = where
        connection.execute("SET TimeZone = 'UTC'")
        # Arrow hands rows on in the order in which it got them; a query that needs an order states it.
        if self._has_schema():
            connection.execute(f"USE {SCHEMA}")

    @classmethod
    def open(cls, path: Path, *, read_only: bool, create: bool, wait_seconds: float = 0) -> Self:
        """Open a file; wait up to `wait_seconds` for another program to let go of it.

        Raises
        ------
        StoreUnreachable
            The file is missing (and `create` is false), or is no DuckDB file.
        LockHeld
            Another process has it open, still.
        """
        if not path.exists() and not create:
            raise StoreUnreachable(
                f"There is no lead store at {path}. Run 'leadscore import FILE --mapping NAME' to make one, "
                "'leadscore demo' for a simulated one, or name another with --store or LEADSCORE_STORE."
            )
        if create:
            _make_folder(path)
        if path.is_file():
            _check_kind(path)
        until = time.monotonic() + wait_seconds
        while True:
            try:
                # As a whole path, so that no name (":memory:") means anything else to DuckDB.
                return cls(duckdb.connect(str(path.absolute()), read_only=read_only), str(path))
            except duckdb.IOException as error:
                if _LOCKED not in str(error).lower():
                    raise StoreUnreachable(f"The store {path} cannot be opened: {_first_line(error)}") from error
                if time.monotonic() >= until:
                    raise LockHeld(
                        f"Another program has the store {path} open: {_first_line(error)} A DuckDB file takes one "
                        "writer, or several readers. Close that program, wait longer (--lock-timeout), or keep the "
                        "leads in PostgreSQL, where readers and writers do not exclude each other."
                    ) from error
            except duckdb.Error as error:
                raise StoreUnreachable(f"{path} cannot be opened as a DuckDB file: {_first_line(error)}") from error
            time.sleep(_RETRY_SECONDS)

    def rows(self, query: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """The rows of a small query."""
        with self._explained():
            return self.connection.execute(query, list(parameters)).fetchall()

    def change(self, statement: str, parameters: Parameters = ()) -> int:
        """Run a statement; return how many rows it changed."""
        found = self.rows(statement, parameters)
        return int(found[0][0]) if found and isinstance(found[0][0], int) else 0

    def arrow(self, query: str, parameters: Parameters = ()) -> pa.Table:
        """The result of a query as an Arrow table."""
        with self._explained():
            return self.connection.sql(query, params=list(parameters)).to_arrow_table()

    def load(self, table: str, rows: pa.Table) -> None:
        """Add rows to a table in bulk; columns go by name."""
        names = ", ".join(rows.column_names)
        with self.offered("loaded", rows):
            self.rows(f"INSERT INTO {table} ({names}) SELECT {names} FROM loaded")

    @contextlib.contextmanager
    def offered(self, name: str, rows: pa.Table) -> Iterator[None]:
        """Let SQL read an Arrow table under a name of its own."""
        self.connection.register(name, rows)
        try:
            yield
        finally:
            self.connection.unregister(name)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block, or nothing of it."""
        self.rows("BEGIN TRANSACTION")
        try:
            yield
        except BaseException:
            # Where the commit itself failed (a full disk), the transaction has ended already.
            with contextlib.suppress(duckdb.Error):
                self.connection.execute("ROLLBACK")
            raise
        self.rows("COMMIT")

    def has_table(self, name: str) -> bool:
        """Whether leadscore's schema holds this table."""
        query = "SELECT 1 FROM information_schema.tables WHERE table_schema = $1 AND table_name = $2"
        return bool(self.rows(query, [SCHEMA, name]))

    def serialised(self) -> None:
        """Nothing to wait for: one program writes at a time."""

    def spelled(self, statement: str) -> str:
        """Migrations are written in DuckDB's spelling."""
        return statement

    def take_lock(self, name: str) -> bool:  # noqa: ARG002 - the file's own lock is held already
        """Always: whoever has the file open to write is the only one."""
        return True

    def release_lock(self, name: str) -> None:
        """The file's own lock ends with the connection."""

    def free_lock(self, name: str) -> int:  # noqa: ARG002 - nobody else can have it
        """0: whoever has the file open to write is the only one."""
        return 0

    @contextlib.contextmanager
    def snapshot(self) -> Iterator["DuckDBEngine"]:
        """Itself: nobody else writes while it is open."""
        yield self

    def clock_difference(self, now_us: int) -> int:  # noqa: ARG002 - one machine, one clock
        """0: the engine runs in this process."""
        return 0

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def use_schema(self) -> None:
        """From here on, names without a schema are leadscore's own."""
        self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        self.connection.execute(f"USE {SCHEMA}")

    def _has_schema(self) -> bool:
        query = "SELECT 1 FROM information_schema.schemata WHERE schema_name = $1"
        return bool(self.connection.execute(query, [SCHEMA]).fetchall())

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Say what a user can mend; anything else stays the bug it is."""
        try:
            yield
        except (duckdb.IOException, duckdb.FatalException, duckdb.OutOfMemoryException) as error:
            raise StoreFailed(
                f"The store {self.where} could not be read or written: {_first_line(error)} What was being written was "
                "not stored. Is the disk full, or memory short?"
            ) from error
        except duckdb.TransactionException as error:
            if "failed to commit" not in str(error).lower():
                raise
            raise StoreFailed(
                f"The store {self.where} could not commit: {_first_line(error)} Nothing of this step was stored. "
                "Is the disk full?"
            ) from error
        except duckdb.InvalidInputException as error:
            if "read-only" not in str(error):
                raise
            raise StoreFailed(f"The store {self.where} is open to read only: {_first_line(error)}") from error


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


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]

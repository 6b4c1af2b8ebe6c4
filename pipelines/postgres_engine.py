"""PostgreSQL (12 to 17 and newer) as the lead store's engine: many programs read and write at a time.

One connection through psycopg; bulk rows travel by COPY, as CSV that Arrow writes and reads: exact for text, numbers
and booleans, and one transaction with everything else. Text columns of ours compare byte by byte (COLLATE "C"),
whatever the database's own collation, so that both engines order leads alike.
"""

import contextlib
import io
import re
import time
from collections.abc import Iterator
from typing import Any, Final, Self, cast

import psycopg
import pyarrow as pa
import pyarrow.csv as pc
from psycopg import errors, sql

from features.errors import LockHeld, StoreFailed, StoreLost, StoreUnreachable, UserError
from pipelines.engine import SCHEMA, Parameters
from pipelines.store_url import parsed

_OLDEST: Final = 12
_CONNECT_SECONDS: Final = 10
#: How long a server that is starting up is waited for, and how often it is asked.
_STARTING_SECONDS: Final = 30.0
_RETRY_SECONDS: Final = 0.2
#: How often it is looked whether a session that was told to end has gone, twenty times a second.
_GONE_POLLS: Final = 200

_ARROW_TYPES: Final = {
    16: pa.bool_(), 17: pa.binary(), 20: pa.int64(), 21: pa.int16(), 23: pa.int32(), 25: pa.string(),
    700: pa.float32(), 701: pa.float64(), 1042: pa.string(), 1043: pa.string(), 1082: pa.date32(),
    1184: pa.timestamp("us", tz="UTC"), 1700: pa.float64(), 19: pa.string(),
}  # fmt: skip
_SQL_TYPES: Final = {
    pa.string(): 'TEXT COLLATE "C"', pa.large_string(): 'TEXT COLLATE "C"', pa.int64(): "BIGINT",
    pa.int32(): "INTEGER", pa.float64(): "DOUBLE PRECISION", pa.bool_(): "BOOLEAN", pa.date32(): "DATE",
    pa.timestamp("us", tz="UTC"): "TIMESTAMPTZ",
}  # fmt: skip
_PLACE: Final = re.compile(r"\$(\d+)")


class PostgresEngine:
    """One open connection to one PostgreSQL database."""

    name: Final = "postgres"

    def __init__(self, connection: "psycopg.Connection[tuple[Any, ...]]", where: str, url: str) -> None:
        self.connection = connection
        self.where = where
        self._url = url

    @classmethod
    def open(cls, url: str, *, read_only: bool) -> Self:
        """Connect; a server that is just starting up is waited for.

        Raises
        ------
        ConfigError
            The address cannot be understood.
        StoreUnreachable
            There is no server, or it does not let us in, or it is older than PostgreSQL 12.
        """
        where = parsed(url).shown
        until = time.monotonic() + _STARTING_SECONDS
        while True:
            try:
                connection = psycopg.connect(
                    url,
                    autocommit=True,
                    cursor_factory=psycopg.RawCursor,
                    connect_timeout=_CONNECT_SECONDS,
                    application_name="leadscore",
                    client_encoding="utf8",
                )
                break
            except psycopg.OperationalError as error:
                if "starting up" not in str(error) or time.monotonic() >= until:
                    raise StoreUnreachable(f"The store {where} cannot be reached: {_why(error)}") from None
            time.sleep(_RETRY_SECONDS)
        version = connection.info.server_version
        if version < _OLDEST * 10_000:
            connection.close()
            raise StoreUnreachable(
                f"The store {where} runs PostgreSQL {version // 10_000}; {_OLDEST} or newer is needed."
            )
        engine = cls(connection, where, url)
        engine._settle(version, read_only=read_only)
        return engine

    def rows(self, query: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """The rows of a small query."""
        with self._explained(), self.connection.cursor() as cursor:
            cursor.execute(cast("Any", query), list(parameters) or None)
            return cursor.fetchall() if cursor.description else []

    def change(self, statement: str, parameters: Parameters = ()) -> int:
        """Run a statement; return how many rows it changed."""
        with self._explained(), self.connection.cursor() as cursor:
            cursor.execute(cast("Any", statement), list(parameters) or None)
            return max(cursor.rowcount, 0)

    def arrow(self, query: str, parameters: Parameters = ()) -> pa.Table:
        """The result of a query as an Arrow table."""
        # COPY takes no parameters, so they are written into the query, quoted by psycopg.
        text = _PLACE.sub(lambda place: self._literal(parameters[int(place.group(1)) - 1]), query)
        with self._explained(), self.connection.cursor() as cursor:
            cursor.execute(cast("Any", f"SELECT * FROM ({text}) AS q LIMIT 0"))
            types = {column.name: _ARROW_TYPES[column.type_code] for column in cursor.description or ()}
            content = self._copied(f"COPY ({text}) TO STDOUT (FORMAT csv, HEADER)")
        return _from_csv(content, pa.schema(list(types.items())))

    def load(self, table: str, rows: pa.Table) -> None:
        """Add rows to a table in bulk; columns go by name."""
        names = ", ".join(rows.column_names)
        statement = cast("Any", f"COPY {table} ({names}) FROM STDIN (FORMAT csv)")
        with self._explained(), self.connection.cursor() as cursor, cursor.copy(statement) as copy:
            for batch in rows.to_batches(max_chunksize=20_000):
                copy.write(_to_csv(batch))

    @contextlib.contextmanager
    def offered(self, name: str, rows: pa.Table) -> Iterator[None]:
        """Let SQL read an Arrow table under a name of its own: a temporary table."""
        columns = ", ".join(f"{field.name} {_SQL_TYPES[field.type]}" for field in rows.schema)
        self.change(f"CREATE TEMPORARY TABLE {name} ({columns})")
        try:
            self.load(f"pg_temp.{name}", rows)
            yield
        finally:
            # In a transaction that has failed, the rollback takes the table with it.
            if self.connection.info.transaction_status != psycopg.pq.TransactionStatus.INERROR:
                with contextlib.suppress(UserError):
                    self.change(f"DROP TABLE pg_temp.{name}")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block, or nothing of it."""
        with self._explained(), self.connection.transaction():
            yield

    def use_schema(self) -> None:
        """Make leadscore's schema, if it is not there; the search path names it already."""
        if not self.rows("SELECT 1 FROM pg_namespace WHERE nspname = $1", [SCHEMA]):
            self.change(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")

    def has_table(self, name: str) -> bool:
        """Whether leadscore's schema holds this table."""
        query = (
            "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = $1 AND c.relname = $2"
        )
        return bool(self.rows(query, [SCHEMA, name]))

    def serialised(self) -> None:
        """Inside a transaction: from here to its end, no other program is past this point of any transaction."""
        self.rows("SELECT pg_advisory_xact_lock(hashtext($1))", [f"{SCHEMA} one at a time"])

    def spelled(self, statement: str) -> str:
        """Text of ours compares byte by byte, as DuckDB's does."""
        return re.sub(r"\bTEXT\b", 'TEXT COLLATE "C"', statement)

    def take_lock(self, name: str) -> bool:
        """Take a session's advisory lock: the server gives it back when this connection ends, however it ends."""
        return bool(self.rows("SELECT pg_try_advisory_lock(hashtext($1))", [f"{SCHEMA} {name}"])[0][0])

    def release_lock(self, name: str) -> None:
        """Give a lock back."""
        self.rows("SELECT pg_advisory_unlock(hashtext($1))", [f"{SCHEMA} {name}"])

    def free_lock(self, name: str) -> int:
        """End the sessions that hold an advisory lock, and wait until they are gone; their statements roll back."""
        # The key of 64 bits stands in two columns of 32.
        held = (
            "FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND pid <> pg_backend_pid() "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            "AND ((classid::bigint << 32) | objid::bigint) = hashtext($1)::bigint"
        )
        key = [f"{SCHEMA} {name}"]
        ended = self.rows(f"SELECT pg_terminate_backend(pid) {held}", key)
        # Ending a session is a signal: its lock goes a moment later, and whoever freed it means to take it next.
        for _ in range(_GONE_POLLS):
            if not self.rows(f"SELECT 1 {held}", key):
                break
            self.rows("SELECT pg_sleep(0.05)")
        return len(ended)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator["PostgresEngine"]:
        """A second connection that sees the database as it is now, whatever is committed in the meantime."""
        reader = PostgresEngine.open(self._url, read_only=True)
        try:
            reader.rows("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield reader
        finally:
            reader.close()

    def clock_difference(self, now_us: int) -> int:
        """The server's clock less ours, in microseconds."""
        return int(self.rows("SELECT round(extract(epoch FROM clock_timestamp()) * 1000000)::bigint")[0][0]) - now_us

    def close(self) -> None:
        """End the connection; the server rolls back what was not committed."""
        self.connection.close()

    def _settle(self, version: int, *, read_only: bool) -> None:
        """Fix what a server's or a role's settings could change under us."""
        settings = {
            "TimeZone": "UTC",
            "DateStyle": "ISO, YMD",
            "search_path": f"{SCHEMA}, pg_catalog, pg_temp",
            "extra_float_digits": "1",
            "standard_conforming_strings": "on",
            # Whoever holds up others for longer hangs.
            "lock_timeout": "60s",
            # A range of leads is sorted in memory; compiling each query anew costs more than it gains.
            "work_mem": "64MB",
            "jit": "off",
        }
        if version >= 140_000:
            # A client that was killed is noticed while its statement runs, and its locks are given back.
            settings["client_connection_check_interval"] = "500"
        if read_only:
            settings["default_transaction_read_only"] = "on"
        # One statement: each costs a round trip, and a nightly job may be far from its database.
        set_all = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in settings.items())
        self.rows(f"SELECT {set_all}")

    def _copied(self, statement: str) -> bytes:
        """What a COPY sends, whole.

        The server sends it row by row; taken straight from libpq, a million rows cost a third of what they cost through
        a cursor.
        """
        server = self.connection.pgconn
        started = server.exec_(statement.encode())
        if started.status != psycopg.pq.ExecStatus.COPY_OUT:
            raise psycopg.OperationalError(started.get_error_message())
        parts = []
        try:
            while (received := server.get_copy_data(0))[0] > 0:
                parts.append(bytes(received[1]))
        except BaseException:  # a signal: leave the connection fit for what is still to be written down
            with contextlib.suppress(psycopg.Error):
                server.get_cancel().cancel()
                while server.get_copy_data(0)[0] > 0:
                    pass
            while server.get_result() is not None:
                pass
            raise
        ended = server.get_result()
        while server.get_result() is not None:
            pass
        if ended is None or ended.status != psycopg.pq.ExecStatus.COMMAND_OK:
            raise psycopg.OperationalError(ended.get_error_message() if ended else server.get_error_message())
        return b"".join(parts)

    def _literal(self, value: object) -> str:
        return sql.Literal(value).as_string(self.connection)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Say what a user can mend; never a value of a row: the server's DETAIL may hold personal data."""
        try:
            yield
        except psycopg.Error as error:
            if self.connection.broken or self.connection.closed or isinstance(error, errors.AdminShutdown):
                raise StoreLost(
                    f"The connection to the store {self.where} broke ({_why(error)}). What was committed before is "
                    "there; run the command again."
                ) from None
            if isinstance(error, errors.LockNotAvailable | errors.DeadlockDetected | errors.SerializationFailure):
                raise LockHeld(
                    f"Another program holds what this one needs in the store {self.where} ({_why(error)}). Nothing of "
                    "this step was stored; run the command again."
                ) from None
            if isinstance(error, errors.InsufficientPrivilege):
                raise StoreFailed(
                    f"This role may not do that in the store {self.where}: {_why(error)}. 'leadscore store grants' "
                    "prints the rights that each job needs."
                ) from None
            if isinstance(error, psycopg.OperationalError | errors.ReadOnlySqlTransaction | errors.QueryCanceled):
                raise StoreFailed(
                    f"The store {self.where} could not do what was asked: {_why(error)}. Nothing of this step was "
                    "stored."
                ) from None
            raise


def _why(error: psycopg.Error) -> str:
    """The server's own first sentence and its code; of a failed connection, the last line without the address."""
    if error.diag.message_primary:
        return f"{error.diag.message_primary} [{error.sqlstate}]"
    text = str(error).strip().splitlines()
    return re.sub(r"^.*failed: ", "", text[0]) if text else type(error).__name__


def _to_csv(batch: pa.RecordBatch) -> bytes:
    """COPY's CSV: every value in quotes, nulls bare, so that an empty text stays a text."""
    buffer = io.BytesIO()
    pc.write_csv(batch, buffer, pc.WriteOptions(include_header=False, quoting_style="all_valid"))
    return buffer.getvalue()


def _from_csv(content: bytes, schema: pa.Schema) -> pa.Table:
    return pc.read_csv(
        pa.BufferReader(content),
        # An empty line is a null in a table of one column; a backslash is a backslash.
        parse_options=pc.ParseOptions(
            newlines_in_values=True, double_quote=True, escape_char=False, ignore_empty_lines=False
        ),
        convert_options=pc.ConvertOptions(
            column_types=schema,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )

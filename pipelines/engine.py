"""What a database must be able to do to be a lead store's engine; DuckDB and PostgreSQL each do it in their own file.

The SQL that the two share is written once, where it is used: parameters are `$1`, `$2`, …; a moment is read as
microseconds with `epoch_us(…)`; text is compared byte by byte. An engine covers what they do not share: connecting,
bulk loading, Arrow, locks, and what their errors mean.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

import pyarrow as pa

#: All of leadscore's own tables live in this schema, on both engines; a company's tables are left alone.
SCHEMA: Final = "leadscore"

Parameters = Sequence[object]


class Engine(Protocol):
    """One open connection to one database. Every error it raises is a `UserError`, or a bug."""

    @property
    def name(self) -> str:
        """duckdb or postgres."""

    @property
    def where(self) -> str:
        """The database, for messages: no password in it."""

    def rows(self, query: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """The rows of a small query."""

    def change(self, statement: str, parameters: Parameters = ()) -> int:
        """Run a statement; return how many rows it inserted, updated or deleted."""

    def arrow(self, query: str, parameters: Parameters = ()) -> pa.Table:
        """The result of a query as an Arrow table; text, numbers and booleans come back to the bit."""

    def load(self, table: str, rows: pa.Table) -> None:
        """Add rows to a table in bulk; columns go by name."""

    def offered(self, name: str, rows: pa.Table) -> AbstractContextManager[None]:
        """Let SQL read an Arrow table under a name of its own for the length of the block."""

    def transaction(self) -> AbstractContextManager[None]:
        """All of the block, or nothing of it."""

    def use_schema(self) -> None:
        """Make leadscore's schema, if it is not there, and read names without a schema as its own."""

    def has_table(self, name: str) -> bool:
        """Whether leadscore's schema holds this table."""

    def serialised(self) -> None:
        """Inside a transaction: from here to its end, no other program is past this point of any transaction."""

    def spelled(self, statement: str) -> str:
        """A migration's statement as this engine wants it."""

    def take_lock(self, name: str) -> bool:
        """Take a lock by name without waiting, until the connection ends; False when another program holds it."""

    def release_lock(self, name: str) -> None:
        """Give a lock back."""

    def free_lock(self, name: str) -> int:
        """End the connections of the programs that hold a lock; return how many there were."""

    def snapshot(self) -> "AbstractContextManager[Engine]":
        """An engine that sees the database as it is now, whatever others commit in the meantime."""

    def clock_difference(self, now_us: int) -> int:
        """The database's clock less ours, in microseconds; 0 where they are one."""

    def close(self) -> None:
        """End the connection; what was committed stays."""

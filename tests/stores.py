"""A store in memory, for tests that need many; those that need both engines take the fixture `store_url`."""

import duckdb

from pipelines import migrations
from pipelines.duckdb_engine import DuckDBEngine
from pipelines.store import LeadStore


def memory_store() -> LeadStore:
    """A new, empty store on DuckDB that is gone when it is closed."""
    engine = DuckDBEngine(duckdb.connect(), "memory")
    engine.change("SET threads = 1")
    migrations.migrate(engine)
    return LeadStore(engine)


def rows_in_order(store: LeadStore, table: str) -> list[tuple[object, ...]]:
    """Every row of a table, sorted by all its columns, whatever the engine's own order."""
    rows = [tuple(row.values()) for row in store.arrow(f"SELECT * FROM {table}").to_pylist()]
    return sorted(rows, key=lambda row: tuple((value is not None, str(value)) for value in row))

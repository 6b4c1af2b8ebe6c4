"""The store's tables come about in numbered steps, each whole or not at all; and they are those of the design."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from features.errors import StoreUnreachable
from pipelines import migrations
from pipelines.migrations import MIGRATIONS, Migration, check_current, migrate
from pipelines.store import INPUT_TABLES, LeadStore

#: The lead store as it is documented, table by table.
DESIGN = {
    "leads": "lead_id created_at known_at",
    "contacts": "lead_id email full_name company_name phone",
    "profiles": "lead_id known_at source_channel direction job_title industry company_size country language attributes",
    "events": "event_id lead_id occurred_at known_at type value",
    "stage_changes": "lead_id stage entered_at known_at amount reason",
    "rule_points": "lead_id known_at points",
    "channel_costs": "channel month cost",
    "objections": "lead_id since",
    "runs": "run_id as_of status excluded quarantined",
    "scores": "run_id lead_id as_of probability probability_low probability_high percentile band recommended_stage "
    "stage_reason reasons points points_stage model_version",
    "published": "as_of run_id",
    "current_scores": "run_id lead_id as_of probability probability_low probability_high percentile band "
    "recommended_stage stage_reason reasons points points_stage model_version",
    "quarantine": "reason",
    "releases": "digest",
    "tombstones": "lead_id",
}
TIMES = ("created_at", "known_at", "occurred_at", "entered_at", "since", "as_of", "started_at", "ended_at")


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def columns(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    query = "SELECT table_name, column_name, data_type FROM information_schema.columns"
    for table, column, kind in connection.execute(query).fetchall():
        found.setdefault(table, {})[column] = kind
    return found


def ledger(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, str]]:
    return connection.execute("SELECT number, name FROM schema_migrations ORDER BY number").fetchall()


@pytest.mark.parametrize("table", DESIGN)
def test_a_table_of_the_design_is_there_with_its_columns(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    migrate(connection, where="memory")
    assert set(DESIGN[table].split()) <= set(columns(connection)[table])


def test_times_know_their_zone(connection: duckdb.DuckDBPyConnection) -> None:
    migrate(connection, where="memory")
    for table, found in columns(connection).items():
        for name in set(TIMES) & set(found):
            assert found[name] == "TIMESTAMP WITH TIME ZONE", f"{table}.{name}"


def test_an_input_table_s_key_is_the_store_s(connection: duckdb.DuckDBPyConnection) -> None:
    migrate(connection, where="memory")
    query = "SELECT table_name, constraint_column_names FROM duckdb_constraints() WHERE constraint_type = 'PRIMARY KEY'"
    keys = {table: tuple(names) for table, names in connection.execute(query).fetchall()}
    for table, spec in INPUT_TABLES.items():
        assert keys[table] == spec.key
        assert set(spec.columns) <= set(columns(connection)[table])


def test_every_change_is_numbered_and_applied_once(connection: duckdb.DuckDBPyConnection) -> None:
    names = [migration.name for migration in MIGRATIONS]
    assert migrate(connection, where="memory") == names
    before = (columns(connection), ledger(connection))
    assert before[1] == list(enumerate(names, start=1))
    assert migrate(connection, where="memory") == []
    assert (columns(connection), ledger(connection)) == before
    check_current(connection, where="memory")


def test_a_change_that_fails_leaves_nothing_and_can_be_mended(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Migration("half", ("CREATE TABLE half (number INTEGER)", "INSERT INTO half SELECT * FROM nowhere"))
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, broken))
    with pytest.raises(duckdb.CatalogException, match="nowhere"):
        migrate(connection, where="memory")
    assert "half" not in columns(connection)
    assert len(ledger(connection)) == len(MIGRATIONS)
    mended = Migration("half", ("CREATE TABLE half (number INTEGER)",))
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, mended))
    assert migrate(connection, where="memory") == ["half"]
    assert "half" in columns(connection)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "leads.duckdb"
    LeadStore.open(str(path), create=True).close()
    return path


@pytest.mark.parametrize("read_only", [False, True])
def test_a_store_of_a_newer_program_is_refused_and_unchanged(file: Path, read_only: bool) -> None:
    with duckdb.connect(str(file)) as connection:
        number = len(MIGRATIONS) + 1
        connection.execute("INSERT INTO schema_migrations (number, name) VALUES (?, 'from tomorrow')", [number])
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(StoreUnreachable, match=f"made by a newer leadscore: it has {number} .* Update leadscore"):
        LeadStore.open(str(file), read_only=read_only)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before


def test_an_older_store_is_not_read_but_brought_up_to_date_by_writing(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = Migration("one more", ("CREATE TABLE more (number INTEGER)",))
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, added))
    with pytest.raises(StoreUnreachable, match=r"made by an older leadscore.*Run any command that writes"):
        LeadStore.open(str(file), read_only=True)
    LeadStore.open(str(file)).close()
    LeadStore.open(str(file), read_only=True).close()


def test_a_database_without_our_tables_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "other.duckdb"
    duckdb.connect(str(file)).close()
    with pytest.raises(StoreUnreachable, match="0 migrations"):
        LeadStore.open(str(file), read_only=True)

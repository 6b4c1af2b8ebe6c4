"""The store's tables come about in numbered steps, each whole or not at all; and they are those of the design."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import duckdb
import psycopg
import pytest

from features.errors import StoreUnreachable
from pipelines import migrations
from pipelines.duckdb_engine import DuckDBEngine
from pipelines.engine import Engine
from pipelines.migrations import MIGRATIONS, Migration, check_current, migrate
from pipelines.postgres_engine import PostgresEngine
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
def engine(store_url: str) -> Iterator[Engine]:
    """A database without our tables, on each engine in turn."""
    with closing(connected(store_url)) as opened:
        yield opened


def connected(url: str) -> Engine:
    if url.startswith("postgresql://"):
        return PostgresEngine.open(url, read_only=False)
    return DuckDBEngine.open(Path(url), read_only=False, create=True)


def columns(engine: Engine) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    query = (
        "SELECT table_name, column_name, upper(data_type) FROM information_schema.columns "
        "WHERE table_schema = 'leadscore'"
    )
    for table, column, kind in engine.rows(query):
        found.setdefault(table, {})[column] = kind
    return found


def ledger(engine: Engine) -> list[tuple[int, str]]:
    return [(n, name) for n, name in engine.rows("SELECT number, name FROM schema_migrations ORDER BY number")]


def test_the_tables_of_the_design_are_there_with_their_columns(engine: Engine) -> None:
    migrate(engine)
    found = columns(engine)
    for table, names in DESIGN.items():
        assert set(names.split()) <= set(found[table]), table


def test_times_know_their_zone(engine: Engine) -> None:
    migrate(engine)
    for table, found in columns(engine).items():
        for name in set(TIMES) & set(found):
            assert found[name] == "TIMESTAMP WITH TIME ZONE", f"{table}.{name}"


def test_an_input_table_s_key_is_the_store_s(engine: Engine) -> None:
    migrate(engine)
    query = (
        "SELECT k.column_name FROM information_schema.table_constraints c JOIN information_schema.key_column_usage k "
        "ON k.constraint_name = c.constraint_name AND k.table_name = c.table_name WHERE c.table_schema = 'leadscore' "
        "AND c.constraint_type = 'PRIMARY KEY' AND c.table_name = $1 ORDER BY k.ordinal_position"
    )
    for table, spec in INPUT_TABLES.items():
        assert tuple(name for (name,) in engine.rows(query, [table])) == spec.key
        assert set(spec.columns) <= set(columns(engine)[table])


def test_every_change_is_numbered_and_applied_once(engine: Engine) -> None:
    names = [migration.name for migration in MIGRATIONS]
    assert migrate(engine) == names
    before = (columns(engine), ledger(engine))
    assert before[1] == list(enumerate(names, start=1))
    assert migrate(engine) == []
    assert (columns(engine), ledger(engine)) == before
    check_current(engine)


def test_nothing_of_ours_lies_outside_our_schema(engine: Engine) -> None:
    query = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN ('main', 'public')"
    where = "public" if engine.name == "postgres" else "main"
    engine.change(f"CREATE TABLE {where}.theirs (id INTEGER)")
    before = engine.rows(query)
    assert len(before) == 1
    migrate(engine)
    assert engine.rows(query) == before


def test_a_change_that_fails_leaves_nothing_and_can_be_mended(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Migration("half", ("CREATE TABLE half (number INTEGER)", "INSERT INTO half SELECT * FROM nowhere"))
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, broken))
    with pytest.raises((duckdb.CatalogException, psycopg.errors.UndefinedTable), match="nowhere"):
        migrate(engine)
    assert "half" not in columns(engine)
    assert len(ledger(engine)) == len(MIGRATIONS)
    mended = Migration("half", ("CREATE TABLE half (number INTEGER)",))
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, mended))
    assert migrate(engine) == ["half"]
    assert "half" in columns(engine)


@pytest.fixture
def made(store_url: str) -> str:
    LeadStore.open(store_url, create=True).close()
    return store_url


@pytest.mark.parametrize("read_only", [False, True])
def test_a_store_of_a_newer_program_is_refused_and_unchanged(made: str, read_only: bool) -> None:
    number = len(MIGRATIONS) + 1
    with LeadStore.open(made) as store:
        store.change("INSERT INTO schema_migrations (number, name) VALUES ($1, 'from tomorrow')", [number])
        before = columns(store.engine)
    with pytest.raises(StoreUnreachable, match=f"made by a newer leadscore: it has {number} .* Update leadscore"):
        LeadStore.open(made, read_only=read_only)
    with closing(connected(made)) as engine:
        assert columns(engine) == before


def test_an_older_store_is_not_read_but_brought_up_to_date_by_writing(
    made: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = Migration("one more", ("CREATE TABLE more (number INTEGER)",))
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, added))
    with pytest.raises(StoreUnreachable, match=r"made by an older leadscore.*Run any command that writes"):
        LeadStore.open(made, read_only=True)
    LeadStore.open(made).close()
    LeadStore.open(made, read_only=True).close()


@pytest.mark.parametrize("read_only", [False, True])
def test_a_database_without_our_tables_is_left_as_it_is(store_url: str, read_only: bool) -> None:
    connected(store_url).close()
    with pytest.raises(StoreUnreachable, match=r"holds no lead store.*leadscore import"):
        LeadStore.open(store_url, read_only=read_only)
    with closing(connected(store_url)) as engine:
        assert columns(engine) == {}


def test_two_programs_that_make_the_store_at_once_make_it_once(postgres_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: LeadStore.open(postgres_url, create=True).close(), range(4)))
    with LeadStore.open(postgres_url) as store:
        assert ledger(store.engine) == list(enumerate([m.name for m in MIGRATIONS], start=1))

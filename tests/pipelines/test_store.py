"""The store keeps what it was given: append laws, ranges, reading, and what it says when it cannot be opened."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ConfigError, LockHeld, StoreFailed, StoreUnreachable
from features.tables import MICROSECONDS_PER_DAY as DAY
from features.tables import PROFILE_COLUMNS
from pipelines.store import INPUT_TABLES, Appended, LeadStore
from tests.conftest import fresh_store
from tests.features.data import few_examples

TIME = pa.timestamp("us", tz="UTC")
TYPES: dict[str, dict[str, pa.DataType]] = {
    "leads": {"lead_id": pa.string(), "created_at": TIME, "known_at": TIME},
    "contacts": dict.fromkeys(("lead_id", "email", "full_name", "company_name", "phone"), pa.string()),
    "profiles": {"lead_id": pa.string(), "known_at": TIME, "job_title": pa.string(), "attributes": pa.string()},
    "events": {
        "event_id": pa.string(), "lead_id": pa.string(), "occurred_at": TIME, "known_at": TIME, "type": pa.string(),
        "value": pa.float64(),
    },
    "stage_changes": {
        "lead_id": pa.string(), "stage": pa.string(), "entered_at": TIME, "known_at": TIME, "amount": pa.float64(),
        "reason": pa.string(),
    },
    "rule_points": {"lead_id": pa.string(), "known_at": TIME, "points": pa.float64()},
    "channel_costs": {"channel": pa.string(), "month": pa.date32(), "cost": pa.float64()},
    "objections": {"lead_id": pa.string(), "since": TIME},
}  # fmt: skip

times = st.integers(0, 6).map(lambda days: days * DAY)
texts = st.sampled_from(["a", "b", "c"])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "month": st.sampled_from([date(2025, 1, 1), date(2025, 2, 1)]),
    "stage": st.sampled_from(["mql", "customer"]),
    **dict.fromkeys(("value", "amount"), st.one_of(st.none(), st.sampled_from([0.0, 1.5]))),
    **dict.fromkeys(("points", "cost"), st.sampled_from([0.0, 1.5])),
    **dict.fromkeys(("job_title", "attributes", "reason", "email"), st.one_of(st.none(), texts)),
}


def batches(table: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Rows of one table over few keys, so that they meet."""
    columns = {name: times if kind == TIME else VALUES.get(name, texts) for name, kind in TYPES[table].items()}
    return st.lists(st.fixed_dictionaries(columns), max_size=8)


def arrow(table: str, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=pa.schema(list(TYPES[table].items())))


def content(store: LeadStore, table: str) -> list[dict[str, Any]]:
    names = ", ".join(f"epoch_us({n}) AS {n}" if kind == TIME else n for n, kind in TYPES[table].items())
    order = ", ".join(str(n + 1) for n in range(len(TYPES[table])))
    return store.arrow(f"SELECT {names} FROM {table} ORDER BY {order}").to_pylist()


@pytest.fixture
def store(store_url: str) -> Iterator[LeadStore]:
    """A new store, on each engine in turn."""
    with LeadStore.open(store_url, create=True) as opened:
        yield opened


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeadStore]:
    """One store per engine for all drawn examples: each of them is undone."""
    with fresh_store(request, tmp_path_factory) as url, LeadStore.open(url, create=True) as opened:
        yield opened


class _UndoneError(Exception):
    """Ends a transaction, so that nothing of it stays."""


@contextmanager
def undone(store: LeadStore) -> Iterator[None]:
    """Whatever is done to the store inside is rolled back."""
    with suppress(_UndoneError), store.transaction():
        yield
        raise _UndoneError


class Oracle:
    """Append, slowly and plainly: a dictionary, and a look at each row in turn."""

    def __init__(self, table: str) -> None:
        self.spec, self.columns, self.kept = INPUT_TABLES[table], list(TYPES[table]), dict[Any, dict[str, Any]]()

    def append(self, rows: list[dict[str, Any]]) -> Appended:
        before = len(self.kept)
        first_by = self.spec.first_by
        ordered = sorted(rows, key=lambda row: row[first_by]) if first_by else rows
        for row in ordered:
            self.kept.setdefault(self._key(row), row)
        compared = [name for name in self.spec.columns if name in self.columns]
        conflicts = [
            at for at, row in enumerate(rows) if any(row[name] != self.kept[self._key(row)][name] for name in compared)
        ]
        new = len(self.kept) - before
        return Appended(new, len(rows) - new - len(conflicts), conflicts)

    def content(self) -> list[dict[str, Any]]:
        return list(self.kept.values())

    def _key(self, row: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(row[name] for name in self.spec.key)


def as_set(rows: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    return {tuple(sorted(row.items())) for row in rows}


@pytest.mark.parametrize("table", INPUT_TABLES)
@few_examples
@given(data=st.data())
def test_appending_agrees_with_the_oracle(shared: LeadStore, table: str, data: st.DataObject) -> None:
    oracle = Oracle(table)
    with undone(shared):
        for rows in data.draw(st.lists(batches(table), max_size=3)):
            assert shared.append(table, arrow(table, rows)) == oracle.append(rows)
        assert as_set(content(shared, table)) == as_set(oracle.content())


@pytest.mark.parametrize("table", INPUT_TABLES)
@few_examples
@given(data=st.data())
def test_appending_again_changes_nothing(shared: LeadStore, table: str, data: st.DataObject) -> None:
    rows = arrow(table, data.draw(batches(table)))
    with undone(shared):
        first = shared.append(table, rows)
        before = content(shared, table)
        again = shared.append(table, rows)
        assert again == Appended(0, rows.num_rows - len(first.conflicts), first.conflicts)
        assert content(shared, table) == before


@pytest.mark.parametrize("table", ["leads", "events", "stage_changes", "objections"])
@few_examples
@given(data=st.data())
def test_the_order_of_a_batch_changes_nothing(shared: LeadStore, table: str, data: st.DataObject) -> None:
    spec = INPUT_TABLES[table]
    # Rows of one key agree but for when they were known, as redelivered rows do.
    rows = data.draw(batches(table))
    agreed = {tuple(row[n] for n in spec.key): {n: row[n] for n in spec.columns} for row in rows}
    rows = [row | agreed[tuple(row[n] for n in spec.key)] for row in rows]
    found = []
    for batch in (rows, data.draw(st.permutations(rows))):
        with undone(shared):
            assert shared.append(table, arrow(table, batch)).conflicts == []
            found.append(content(shared, table))
    assert found[0] == found[1]


def test_of_rows_in_conflict_the_first_is_kept(store: LeadStore) -> None:
    row = {"lead_id": "a", "created_at": 1 * DAY, "known_at": 2 * DAY}
    assert store.append("leads", arrow("leads", [row])) == Appended(1, 0, [])
    other = [row | {"lead_id": "b"}, row | {"created_at": 5 * DAY}]
    assert store.append("leads", arrow("leads", other)) == Appended(1, 0, [1])
    assert content(store, "leads") == [row, row | {"lead_id": "b"}]


def test_of_duplicates_in_a_batch_the_one_known_first_is_kept(store: LeadStore) -> None:
    row = {"event_id": "e", "lead_id": "a", "occurred_at": 0, "known_at": 3 * DAY, "type": "page", "value": None}
    early = row | {"known_at": 1 * DAY}
    assert store.append("events", arrow("events", [row, early, row])) == Appended(1, 2, [])
    assert content(store, "events") == [early]


def test_columns_that_are_left_out_are_null_and_no_conflict(store: LeadStore) -> None:
    full = {"lead_id": "a", "known_at": 1 * DAY, "job_title": "CTO", "attributes": "{}"}
    store.append("profiles", arrow("profiles", [full]))
    narrow = arrow("profiles", [full, full | {"lead_id": "b"}]).select(["lead_id", "known_at"])
    assert store.append("profiles", narrow) == Appended(1, 1, [])
    assert content(store, "profiles")[1] == {"lead_id": "b", "known_at": DAY, "job_title": None, "attributes": None}


def test_a_failed_transaction_leaves_nothing(store: LeadStore) -> None:
    def half() -> None:
        with store.transaction():
            store.append("objections", arrow("objections", [{"lead_id": "a", "since": 0}]))
            raise InterruptedError

    with pytest.raises(InterruptedError):
        half()
    assert content(store, "objections") == []


def test_a_declared_attribute_keeps_its_type(store: LeadStore) -> None:
    store.declare_attributes({"age": "numeric"})
    store.declare_attributes({"age": "categorical", "region": "categorical"}, about={"region": "Region"})
    assert store.inventory().attributes == {"age": "numeric", "region": "categorical"}


# Reading -------------------------------------------------------------------------------------------------------------

IDS = st.lists(st.sampled_from([f"{c}{n}" for c in "aBé_" for n in range(4)]), unique=True, max_size=12)


def fill_leads(store: LeadStore, ids: list[str]) -> None:
    store.append("leads", arrow("leads", [{"lead_id": i, "created_at": 0, "known_at": 0} for i in ids]))


@few_examples
@given(ids=IDS, size=st.integers(1, 5))
def test_ranges_hold_every_lead_once(shared: LeadStore, ids: list[str], size: int) -> None:
    with undone(shared):
        fill_leads(shared, ids)
        ranges = shared.lead_ranges(size=size)
        read = [shared.read(*ends).leads.column("lead_id").to_pylist() for ends in ranges]
        assert all(0 < len(part) <= size for part in read)
        assert [part[0] for part in read] == [first for first, _ in ranges]
        joined = [lead for part in read for lead in part]
        assert joined == sorted(joined, key=lambda text: text.encode())
        assert set(joined) == set(ids)
        assert len(joined) == len(ids)


@few_examples
@given(data=st.data(), size=st.integers(1, 3))
def test_reading_gives_the_rows_of_the_range_s_leads_in_order(
    shared: LeadStore, data: st.DataObject, size: int
) -> None:
    drawn = {table: data.draw(batches(table)) for table in ("profiles", "events", "stage_changes", "objections")}
    ids = data.draw(st.lists(texts, unique=True, min_size=1))
    order = {
        "profiles": ("lead_id", "known_at"),
        "events": ("lead_id", "occurred_at", "known_at", "event_id"),
        "stage_changes": ("lead_id", "entered_at", "known_at", "stage"),
        "objections": ("lead_id",),
    }
    with undone(shared):
        fill_leads(shared, ids)
        for table, rows in drawn.items():
            shared.append(table, arrow(table, rows))
        for first, last in shared.lead_ranges(size=size):
            tables = shared.read(first, last)
            wanted = set(tables.leads.column("lead_id").to_pylist())
            assert wanted <= set(ids)
            for table, by in order.items():
                rows = [row for row in content(shared, table) if row["lead_id"] in wanted]
                rows.sort(key=lambda row, by=by: tuple(row[name] for name in by))
                read = getattr(tables, table)
                names = [name for name in read.column_names if name in TYPES[table]]
                assert read.select(names).to_pylist() == [{name: row[name] for name in names} for row in rows]


def test_an_empty_store_has_no_ranges_and_nothing_to_count(store: LeadStore) -> None:
    assert store.lead_ranges(size=10) == []
    inventory = store.inventory()
    assert (inventory.leads, inventory.events, inventory.first_created_at, inventory.known_until) == (0, 0, 0, 0)
    assert inventory.profile_columns == ()


@few_examples
@given(data=st.data(), until=times)
def test_an_inventory_until_a_moment_is_that_of_what_was_known_then(
    shared: LeadStore, data: st.DataObject, until: int
) -> None:
    tables = ("leads", "profiles", "events", "stage_changes", "rule_points")
    # Rows of one key would keep the one that came first, whenever it was known.
    drawn = {
        table: data.draw(batches(table).map(lambda rows, t=table: Oracle(t).append(rows) and unique(t, rows)))
        for table in tables
    }
    found = []
    for known_only in (False, True):
        with undone(shared):
            for table, rows in drawn.items():
                shared.append(table, arrow(table, [row for row in rows if not known_only or row["known_at"] < until]))
            found.append(shared.inventory() if known_only else shared.inventory(until=until))
    assert found[0] == found[1]


def unique(table: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    oracle = Oracle(table)
    oracle.append(rows)
    return oracle.content()


def test_an_inventory_counts_what_is_there(store: LeadStore) -> None:
    fill_leads(store, ["a", "b"])
    event = {"lead_id": "a", "occurred_at": 0, "known_at": 4 * DAY, "value": None}
    events = [event | {"event_id": str(n), "type": kind} for n, kind in enumerate(["page", "form", "page"])]
    store.append("events", arrow("events", events))
    store.append(
        "profiles", arrow("profiles", [{"lead_id": "a", "known_at": 0, "job_title": "CTO", "attributes": None}])
    )
    inventory = store.inventory()
    assert (inventory.leads, inventory.events) == (2, 3)
    assert inventory.event_types == {"form": 1, "page": 2}
    assert inventory.profile_columns == ("job_title",)
    assert set(inventory.profile_columns) < set(PROFILE_COLUMNS)
    assert inventory.known_until == 4 * DAY + 1


def test_points_are_those_last_known_before_the_moment(store: LeadStore) -> None:
    rows = [("a", 1, 10.0), ("a", 3, 30.0), ("a", 5, 50.0), ("b", 5, 1.0), ("c", 2, 2.0)]
    points = [{"lead_id": lead, "known_at": day * DAY, "points": value} for lead, day, value in rows]
    store.append("rule_points", arrow("rule_points", points))
    assert store.points_as_of("a", "c", as_of=5 * DAY) == {"a": 30.0, "c": 2.0}
    assert store.points_as_of("a", "a", as_of=5 * DAY + 1) == {"a": 50.0}


# Opening -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "leads.duckdb"
    LeadStore.open(str(path), create=True).close()
    return path


def test_what_was_appended_is_there_when_the_file_is_opened_again(file: Path) -> None:
    with LeadStore.open(str(file)) as store:
        fill_leads(store, ["a"])
    with LeadStore.open(str(file), read_only=True) as store:
        assert store.inventory().leads == 1


def test_a_store_opened_to_read_takes_no_writing_and_other_readers(store_url: str) -> None:
    LeadStore.open(store_url, create=True).close()
    with LeadStore.open(store_url, read_only=True) as store, LeadStore.open(store_url, read_only=True) as other:
        assert other.inventory() == store.inventory()
        with pytest.raises(StoreFailed, match=r"read.only"):
            fill_leads(store, ["a"])


@pytest.mark.parametrize("read_only", [False, True])
def test_a_missing_store_is_not_made_by_opening_it(tmp_path: Path, read_only: bool) -> None:
    with pytest.raises(StoreUnreachable, match=r"no lead store at .*leadscore import FILE --mapping NAME.*--store"):
        LeadStore.open(str(tmp_path / "leads.duckdb"), read_only=read_only)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path: Path, read_only: bool) -> None:
    file = tmp_path / "leads.csv"
    file.write_text("lead_id,created_at\n" + "a,2025-01-01\n" * 1000, encoding="utf-8")
    before = file.read_bytes()
    with pytest.raises(StoreUnreachable, match=r"leads\.csv.*cannot be opened"):
        LeadStore.open(str(file), read_only=read_only)
    assert file.read_bytes() == before


def test_a_folder_is_no_store_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "locks").mkdir()
    with pytest.raises(StoreUnreachable, match="cannot be opened"):
        LeadStore.open(str(tmp_path / "locks"))


def test_no_name_of_a_file_makes_a_store_that_is_lost_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    LeadStore.open(":memory:", create=True).close()
    assert (tmp_path / ":memory:").is_file()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreUnreachable, match="cannot be made"):
        LeadStore.open(str(tmp_path / "file" / "leads.duckdb"), create=True)


@pytest.mark.parametrize("url", ["mysql://user@host/leads", "s3://bucket/leads.duckdb"])
def test_an_engine_that_is_not_spoken_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"a PostgreSQL database; found a .*:// address.*--store or LEADSCORE_STORE"):
        LeadStore.open(url)


def test_a_store_that_another_program_holds_is_named_with_it(file: Path) -> None:
    hold = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "held\n"
        for read_only in (False, True):
            with pytest.raises(LockHeld, match=rf"Another program has the store .*PID {other.pid}\b.*Close that"):
                LeadStore.open(str(file), read_only=read_only)
        other.stdin.close()
    with LeadStore.open(str(file)) as store:
        assert store.inventory().leads == 0

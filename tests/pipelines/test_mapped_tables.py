"""A company's own tables, read in place: the same leads come out as from an import, and nothing is written there."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from features.errors import ConfigError, InputError, StoreUnreachable
from features.tables import STAGES
from pipelines import config, store
from pipelines.mapped_tables import MAPPABLE, NAME, MappedTable, check_names, literal
from pipelines.score import Job
from pipelines.score import run as score
from pipelines.store import LeadStore
from pipelines.synthetic import SimulatedStore, simulate
from tests.pipelines.company import MAPPED, as_integers, content, fill_company
from tests.pipelines.conftest import NOW, World
from tests.stores import memory_store


@pytest.fixture(scope="session")
def few() -> SimulatedStore:
    return simulate(leads=300, seed=5)


def plain(table: pa.Table) -> list[dict[str, Any]]:
    """The rows, attributes read: 5 and 5.0 are one number, however it is written."""
    rows = table.to_pylist()
    for row in rows:
        if row.get("attributes") is not None:
            row["attributes"] = {k: _number(v) for k, v in json.loads(row["attributes"]).items()}
    return rows


def _number(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text


@dataclass(frozen=True)
class Both:
    """The same content, imported and in the company's own tables."""

    imported: LeadStore
    mapped: LeadStore
    url: str


@pytest.fixture
def both(store_url: str, few: SimulatedStore) -> Iterator[Both]:
    """On each engine in turn; what is imported lies in a file."""
    tables = as_integers(few.tables())
    with memory_store() as imported:
        imported.declare_attributes(few.attribute_types())
        for name in MAPPABLE:
            imported.append(name, tables[name])
        with LeadStore.open(store_url, create=True) as filling:
            fill_company(filling, tables, id_type="BIGINT")
        with LeadStore.open(store_url, tables=MAPPED) as mapped:
            yield Both(imported, mapped, store_url)


def test_the_same_content_reads_the_same(both: Both) -> None:
    before = content(both.mapped)
    inventory = both.mapped.inventory()
    assert inventory == both.imported.inventory()
    until = inventory.known_until - 200 * 86_400_000_000
    assert both.mapped.inventory(until=until) == both.imported.inventory(until=until)
    ranges = both.mapped.lead_ranges(size=100)
    assert ranges == both.imported.lead_ranges(size=100)
    assert len(ranges) == 3
    for low, high in ranges:
        ours, theirs = both.imported.read(low, high), both.mapped.read(low, high)
        for name in ("leads", "profiles", "events", "stage_changes", "objections"):
            a, b = getattr(ours, name), getattr(theirs, name)
            assert a.schema == b.schema
            assert plain(a) == plain(b), name
        as_of = inventory.known_until
        assert both.imported.points_as_of(low, high, as_of=as_of) == both.mapped.points_as_of(low, high, as_of=as_of)
    assert content(both.mapped) == before


def test_what_is_mapped_is_not_imported_into(both: Both, few: SimulatedStore) -> None:
    before = content(both.mapped)
    tables = as_integers(few.tables())
    for name in set(MAPPED) - {"objections"}:
        with pytest.raises(ConfigError, match=rf"{name} are read from crm\.\w+ .*import only what is not mapped"):
            both.mapped.append(name, tables[name])
    assert both.mapped.append("contacts", tables["contacts"]).new == few.tables()["contacts"].num_rows
    assert content(both.mapped) == before


def test_an_objection_counts_wherever_it_is(both: Both) -> None:
    (low, high), *_ = both.mapped.lead_ranges(size=1000)
    theirs = both.mapped.read(low, high).objections.to_pylist()
    lead = next(
        row["lead_id"] for row in both.mapped.read(low, high).leads.to_pylist()
        if row["lead_id"] not in {row["lead_id"] for row in theirs}
    )  # fmt: skip
    since = pa.array([1_000_000], pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    assert both.mapped.append("objections", pa.table({"lead_id": [lead], "since": since})).new == 1
    told = both.mapped.read(low, high).objections.to_pylist()
    assert {row["lead_id"] for row in told} == {lead, *(row["lead_id"] for row in theirs)}
    # One without a moment, in theirs, of a lead that ours has too: the earlier counts, once.
    both.mapped.change(f'INSERT INTO crm.optouts ("user") VALUES ({lead})')
    assert [r["since"] for r in both.mapped.read(low, high).objections.to_pylist() if r["lead_id"] == lead] == [0]


def test_an_erased_lead_is_read_no_more(both: Both) -> None:
    (low, high), *_ = both.mapped.lead_ranges(size=1000)
    before = both.mapped.inventory()
    both.mapped.change("INSERT INTO tombstones (lead_id, erased_at) VALUES ($1, $2)", [low, NOW])
    assert both.mapped.inventory().leads == before.leads - 1
    tables = both.mapped.read(low, high)
    for table in (tables.leads, tables.profiles, tables.events, tables.stage_changes):
        assert low not in table.column("lead_id").to_pylist()


def test_a_snapshot_reads_the_same_tables(both: Both) -> None:
    with both.mapped.snapshot() as frozen:
        assert frozen.inventory() == both.mapped.inventory()
        assert frozen.mapped_to("events") == "crm.acts"
        assert frozen.mapped_to("contacts") is None


def test_the_same_release_scores_them_to_the_bit(world: World, store_url: str) -> None:
    with world.open() as imported:
        kept = {t: imported.arrow(f"SELECT * FROM {t}") for t in ("releases", "promotions")}
        columns = "lead_id, probability, probability_low, probability_high, percentile, band, stage_reason, reasons"
        query = f"SELECT {columns}, points FROM current_scores ORDER BY lead_id"
        expected = imported.arrow(query).to_pylist()
    with LeadStore.open(store_url, create=True) as filling:
        fill_company(filling, world.simulated.tables(), id_type="TEXT")
        for name, rows in kept.items():
            filling.engine.load(name, rows)
        before = content(filling)
    with LeadStore.open(store_url, tables=MAPPED) as opened:
        asked = {"as_of": world.as_of, "clock": lambda: NOW, "job": Job()}
        report = score(opened, world.settings(), world.tracking(), **asked)
        assert report.status == "published"
        assert (report.leads_in, report.excluded) == (world.scored.leads_in, world.scored.excluded)
        scored = opened.arrow(query).to_pylist()
        assert len(scored) == len(expected) > 1000
        assert scored == expected
        assert content(opened) == before


TINY = MappedTable("crm.t", {"lead_id": "id", "created_at": "made"}, zone="Europe/Paris")


def opened_with(url: str, create: str, tables: Mapping[str, MappedTable]) -> LeadStore:
    with LeadStore.open(url, create=True) as made:
        made.change("CREATE SCHEMA crm")
        for statement in create.split(";"):
            made.change(statement)
    return LeadStore.open(url, tables=tables)


def moments(opened: LeadStore) -> list[str]:
    leads = opened.read("0", "z").leads.to_pylist()
    return [datetime.fromtimestamp(row["created_at"] / 1e6, tz=UTC).isoformat()[:16] for row in leads]


def test_a_local_time_is_read_by_its_clock(store_url: str) -> None:
    create = (
        "CREATE TABLE crm.t (id TEXT, made TIMESTAMP); INSERT INTO crm.t VALUES ('a', '2025-01-01 12:00'), "
        # Skipped in spring, so an hour later; twice in autumn, so the second time.
        "('b', '2025-07-01 12:00'), ('c', '2025-03-30 02:30'), ('d', '2025-10-26 02:30')"
    )
    with opened_with(store_url, create, {"leads": TINY}) as opened:
        assert moments(opened) == ["2025-01-01T11:00", "2025-07-01T10:00", "2025-03-30T01:30", "2025-10-26T01:30"]


def test_a_date_begins_at_its_midnight_and_what_has_a_zone_needs_none(store_url: str) -> None:
    create = "CREATE TABLE crm.t (id TEXT, made DATE, ts TIMESTAMPTZ); INSERT INTO crm.t VALUES "
    create += "('a', '2025-07-01', '2025-07-01 12:00+05')"
    with opened_with(store_url, create, {"leads": TINY}) as opened:
        assert moments(opened) == ["2025-06-30T22:00"]
    aware = MappedTable("crm.t", {"lead_id": "id", "created_at": "ts"})
    with LeadStore.open(store_url, tables={"leads": aware}) as opened:
        assert moments(opened) == ["2025-07-01T07:00"]
    with pytest.raises(ConfigError, match=r"created_at = 'made': it is a date, and nothing says by which clock"):
        LeadStore.open(store_url, tables={"leads": replace(TINY, zone=None)})


def test_rows_without_what_is_needed_are_left_out_and_counted(store_url: str) -> None:
    create = (
        "CREATE TABLE crm.t (id TEXT, made TIMESTAMPTZ); INSERT INTO crm.t VALUES ('a', '2025-01-01'), "
        "(NULL, '2025-01-01'), ('b', NULL), ('c', 'infinity'); "
        "CREATE TABLE crm.s (id TEXT, stage TEXT, ts TIMESTAMPTZ); INSERT INTO crm.s VALUES ('a', 'Won', '2025-01-02'),"
        "('a', 'Prospecting', '2025-01-03'), ('a', 'Prospecting', '2025-01-04'), ('a', 'won', '2025-01-05'), "
        "('a', NULL, '2025-01-05')"
    )
    tables = {
        "leads": TINY,
        "stage_changes": MappedTable(
            "crm.s", {"lead_id": "id", "stage": "stage", "entered_at": "ts"}, stages={"Won": "customer"}
        ),
    }
    with opened_with(store_url, create, tables) as opened:
        inventory = opened.inventory()
        assert (inventory.leads, dict(inventory.stages)) == (1, {"customer": 1})
        not_said = "[store.tables.stage_changes.stages] does not say what"
        assert inventory.left_out == (
            "crm.t: 3 rows left out: they have no lead_id or no created_at or no known_at.",
            "crm.s: 1 rows left out: they have no lead_id or no stage or no entered_at or no known_at.",
            f"crm.s: 2 rows left out: {not_said} 'Prospecting' is.",
            f"crm.s: 1 rows left out: {not_said} 'won' is.",
        )


def test_stages_need_no_words_where_they_bear_our_names(store_url: str) -> None:
    create = "CREATE TABLE crm.s (id INT, stage TEXT, ts TIMESTAMPTZ); INSERT INTO crm.s VALUES "
    create += ", ".join(f"(1, '{stage}', '2025-01-02')" for stage in (*STAGES, "MQL"))
    columns = {"lead_id": "id", "stage": "stage", "entered_at": "ts"}
    with opened_with(store_url, create, {"stage_changes": MappedTable("crm.s", columns)}) as opened:
        assert opened.inventory().stages == dict.fromkeys(sorted(STAGES), 1)


def test_rows_that_share_a_key_are_refused(store_url: str) -> None:
    create = (
        "CREATE TABLE crm.t (id TEXT, made TIMESTAMPTZ);"
        "INSERT INTO crm.t VALUES ('a', '2025-01-01'), ('a', '2025-01-02')"
    )
    with (
        opened_with(store_url, create, {"leads": TINY}) as opened,
        pytest.raises(InputError, match=r"crm\.t is read as leads, .* same lead_id; 1 are there more than once"),
    ):
        opened.inventory()


def test_attributes_take_the_types_of_the_catalogue(store_url: str) -> None:
    kinds = {
        "INTEGER": ("numeric", "5", "5"), "NUMERIC(8, 2)": ("numeric", "5.25", "5.25"),
        "BOOLEAN": ("boolean", "true", "true"), "DATE": ("date", "'2025-01-31'", "2025-01-31"),
        "TIMESTAMPTZ": ("date", "'2025-01-31 10:00+02'", "2025-01-31 08:00:00+00"),
        "TIMESTAMP": ("date", "'2025-01-31 10:00:00.5'", "2025-01-31 09:00:00.5+00"),
        "VARCHAR(20)": ("categorical", "'say \"é\"'", 'say "é"'), "TEXT": ("categorical", "NULL", None),
    }  # fmt: skip
    columns = ", ".join(f"Col_{n} {kind}" for n, kind in enumerate(kinds))
    values = ", ".join(value for _, value, _ in kinds.values())
    create = (
        f"CREATE TABLE crm.t (id INT, ts TIMESTAMPTZ, {columns}); INSERT INTO crm.t VALUES (1, '2025-02-01', {values})"
    )
    names = [f"Col_{n}" if "duckdb" in store_url else f"col_{n}" for n in range(len(kinds))]
    mapped = MappedTable("crm.t", {"lead_id": "id", "known_at": "ts"}, zone="Europe/Paris", attributes=names)
    leads = MappedTable("crm.t", {"lead_id": "id", "created_at": "ts"})
    with opened_with(store_url, create, {"profiles": mapped, "leads": leads}) as opened:
        assert opened.inventory().attributes == {f"col_{n}": kind for n, (kind, *_) in enumerate(kinds.values())}
        ((text,),) = opened.rows(f"SELECT attributes FROM {opened.source('profiles')}")
        texts = [text for *_, text in kinds.values()]
        assert json.loads(text) == {f"col_{n}": text for n, text in enumerate(texts) if text is not None}
        assert not text.startswith("{ ")


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"leads": replace(TINY, table="crm.tt")}, r"no table or view crm\.tt in .*Did you mean crm\.t\?"),
        ({"leads": replace(TINY, table="cmr.t")}, r"no table or view cmr\.t in .*Did you mean crm\.t\?"),
        ({"leads": replace(TINY, columns={"lead_id": "idd", "created_at": "made"})}, "crm.t has no column 'idd'. Did"),
        ({"leads": replace(TINY, columns={"lead_id": "id", "created_at": "id"})}, "created_at must be a moment .*'id'"),
        (
            {"rule_points": MappedTable("crm.t", {"lead_id": "id", "known_at": "made", "points": "id"}, zone="UTC")},
            r"\[store\.tables\.rule_points\] points must be a number; 'id' of crm\.t is (varchar|text)",
        ),
    ],
)  # fmt: skip
def test_what_is_not_there_or_does_not_fit_is_said(store_url: str, tables: dict[str, MappedTable], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        opened_with(store_url, "CREATE TABLE crm.t (id TEXT, made TIMESTAMP)", tables)


REFUSED = [
    ({"lead": TINY}, "no table 'lead' to be mapped. Did you mean leads?"),
    ({"contacts": TINY}, "contacts] cannot be mapped: personal data"),
    ({"leads": replace(TINY, table="LeadScore.contacts")}, "the schema leadscore is our own"),
    ({"leads": replace(TINY, columns={"lead_id": "id"})}, "needs created_at. Add created_at = 'COLUMN'"),
    ({"leads": replace(TINY, columns={"leadid": "id"})}, "has no 'leadid'. Did you mean lead_id?"),
    ({"profiles": MappedTable("crm.t", {"lead_id": "id"})}, "needs known_at. A CRM table is a snapshot of today"),
    ({"rule_points": MappedTable("crm.t", {"lead_id": "id"})}, "needs known_at. A CRM table is a snapshot of today"),
    ({"leads": replace(TINY, zone="Europe/Pariss")}, "there is no zone 'Europe/Pariss'"),
    ({"leads": replace(TINY, zone="../../etc/passwd")}, "there is no zone"),
    ({"leads": replace(TINY, attributes=("x",))}, "only profiles have attributes"),
    ({"leads": replace(TINY, stages={"a": "mql"})}, "only stage_changes have stages"),
    (
        {"stage_changes": MappedTable("crm.t", {"lead_id": "a", "stage": "b", "entered_at": "c"}, stages={"a": "won"})},
        "'a': there is no stage 'won'",
    ),
]


@pytest.mark.parametrize(("tables", "said"), REFUSED)
def test_a_mapping_that_cannot_be_is_refused_before_anything_is_connected(
    tables: dict[str, MappedTable], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_connected", None)
    with pytest.raises(ConfigError) as caught:
        LeadStore.open("postgresql://nobody@127.0.0.1:1/none", tables=tables)
    assert said in str(caught.value)


HOSTILE = [
    "", " ", "a b", 'a"b', "a'b", "a;b", "a--b", "a/*b*/", 'x"; DROP TABLE leads; --', "'; drop table leads; --",
    "a.b.c",    "1a", "a-b", "a\nb", "a\0b", "ünïcode", "ａ", "$1", "%s", "a" * 64, "a\\b", "(SELECT 1)", "a,b", "a\n",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_never_reaches_the_database(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_connected", None)
    assert not NAME.fullmatch(name)
    for tables in (
        {"leads": replace(TINY, table=name)},
        {"leads": replace(TINY, table=f"crm.{name}")},
        {"leads": replace(TINY, table=f"{name}.t")},
        {"leads": replace(TINY, columns={"lead_id": name, "created_at": "made"})},
        {"profiles": MappedTable("crm.t", {"lead_id": "id", "known_at": "ts"}, attributes=(name,))},
    ):
        with pytest.raises(ConfigError, match=r"at most 62 letters, digits or _; found"):
            LeadStore.open("postgresql://nobody@127.0.0.1:1/none", tables=tables)
    with pytest.raises(ConfigError):
        check_names({name: TINY})


@pytest.mark.parametrize("name", ["select", "ORDER", "user", "Table", "null", "_", "a" * 63])
def test_a_word_of_sql_is_a_name_like_any_other(name: str, store_url: str) -> None:
    create = f'CREATE TABLE crm."{name}" ("{name}" TEXT, made TIMESTAMP); '
    create += f"INSERT INTO crm.\"{name}\" VALUES ('a', '2025-07-01 12:00')"
    mapped = MappedTable(f"crm.{name}", {"lead_id": name, "created_at": "made"}, zone="UTC")
    with opened_with(store_url, create, {"leads": mapped}) as opened:
        assert moments(opened) == ["2025-07-01T12:00"]


@pytest.mark.parametrize("text", ["$1", "it's $1 and $2$", "'; DROP TABLE leads; --", "\\'", "", "$", "ünï", "a\nb"])
def test_a_text_is_the_same_text_in_sql(text: str, store_url: str) -> None:
    with LeadStore.open(store_url, create=True) as opened:
        # With a parameter beside it: "$1" in a text is no place for one.
        query = f"SELECT {literal(text)} AS text, CAST($1 AS text) AS other"
        assert opened.arrow(query, ["x"]).to_pylist() == [{"text": text, "other": "x"}]
        assert opened.rows(query, ["x"]) == [(text, "x")]


def test_the_settings_say_it(tmp_path: Any) -> None:
    file = tmp_path / "my.toml"
    file.write_text(
        '[store.tables.events]\ntable = "crm.activities"\nzone = "Europe/Paris"\n[store.tables.events.columns]\n'
        'event_id = "id"\nlead_id = "user"\noccurred_at = "ts"\ntype = "kind"\n'
    )
    settings = config.load(file, environment={})
    columns = {"event_id": "id", "lead_id": "user", "occurred_at": "ts", "type": "kind"}
    mapped = settings.store.mapped()
    assert mapped == {"events": MappedTable("crm.activities", columns, zone="Europe/Paris", attributes=[])}
    check_names(mapped)
    # How the tables are read decides the scores.
    assert settings.digest() != config.load(environment={}).digest()
    file.write_text('[store.tables.events]\ntable = "crm.activities"\ncolumn = {}\n')
    with pytest.raises(ConfigError, match=r"store\.tables\.events\.columns: Field required"):
        config.load(file, environment={})


def test_the_read_only_store_of_another_day_is_still_told_apart(tmp_path: Any) -> None:
    with pytest.raises(StoreUnreachable, match="There is no lead store"):
        LeadStore.open(str(tmp_path / "none.duckdb"), read_only=True, tables={"leads": TINY})

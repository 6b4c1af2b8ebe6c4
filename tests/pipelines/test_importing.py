"""Importing: every row is accounted for, nothing is half done, and how a file is written does not matter."""

import csv
import gzip
import io
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError
from pipelines import reading
from pipelines.import_report import ImportReport
from pipelines.importing import import_file
from pipelines.mapping import Mapping, load_mapping, parse_mapping
from pipelines.store import LeadStore
from tests.stores import memory_store, rows_in_order

NOW = datetime(2025, 1, 1, tzinfo=UTC)
TABLES = ("leads", "contacts", "profiles", "events", "stage_changes", "rule_points", "channel_costs", "objections")
DATA = Path(os.environ.get("LEADSCORE_DATA", Path(__file__).parents[2] / "../shared/data"))


@pytest.fixture
def store(store_url: str) -> Iterator[LeadStore]:
    """A new store, on each engine in turn."""
    with LeadStore.open(store_url, create=True) as opened:
        yield opened


def content(store: LeadStore, *tables: str) -> dict[str, list[tuple[Any, ...]]]:
    return {name: rows_in_order(store, name) for name in tables or TABLES}


def everything(store: LeadStore) -> dict[str, list[tuple[Any, ...]]]:
    return content(store, *TABLES, "quarantine", "imports", "attributes")


def load(
    store: LeadStore, folder: Path, text: str | bytes, mapping: str | Mapping = "generic", **options: Any
) -> ImportReport:
    path = folder / options.pop("name", "file.csv")
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    chosen = load_mapping(mapping) if isinstance(mapping, str) else mapping
    report = import_file(store, path, chosen, now=NOW, **options)
    assert report.loaded + report.quarantined == report.rows == report.loaded + sum(report.reasons.values())
    return report


def own(text: str) -> Mapping:
    return parse_mapping(text, name="own", where="own.toml")


def said(report: ImportReport) -> str:
    return "\n".join(report.messages)


def quarantine(store: LeadStore) -> list[tuple[int, str]]:
    return [(line, reason) for line, reason in store.rows("SELECT line, reason FROM quarantine ORDER BY line")]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# ---- laws ------------------------------------------------------------------------------------------------------

dirt = st.sampled_from(
    ["", "unknown", "soon", "1e999", "a\0b", '"', "x;y", "2999-01-01", "0001-01-01", "é", "inf", " L1 "]
)
lead_ids = st.sampled_from(["L1", "L2", "L3"]) | dirt
times = st.sampled_from(["2024-01-01", "2024-02-29T10:00:00Z", "2024-01-01 10:00:00.5+02:00"]) | dirt
names = st.sampled_from(["lead", "customer", "Sales Qualified Lead", "visit"]) | dirt
values = st.sampled_from(["1", "2.5", "-3"]) | dirt
HEADERS = {
    "lead_id,created_at,industry,employees,stage,entered_at": (lead_ids, times, names, values, names, times),
    "lead_id,created_at,known_at,direction,amount": (lead_ids, times, times, names, values),
    "lead_id,occurred_at,type,value": (lead_ids, times, names, values),
    "lead_id,stage,entered_at,amount": (lead_ids, names, times, values),
    "lead_id,known_at,points": (lead_ids, times, values),
    "channel,month,cost": (names, times, values),
    "lead_id,since": (lead_ids, times),
    "lead_id,known_at,industry,score": (lead_ids, times, names, values),
}


@st.composite
def dirty_files(draw: st.DrawFn) -> tuple[str, int]:
    header = draw(st.sampled_from(sorted(HEADERS)))
    rows = draw(st.lists(st.tuples(*HEADERS[header]).map(list), max_size=12))
    for row in rows:
        ragged = draw(st.integers(-9, 9))
        if abs(ragged) == 9:
            row[:] = row[:1] if ragged < 0 else [*row, "extra"]
    held = io.StringIO()
    csv.writer(held, lineterminator="\n").writerows([header.split(","), *rows])
    return held.getvalue(), len(rows)


@settings(max_examples=30, deadline=None)
@given(dirty_files(), st.sampled_from([2, 50]))
def test_every_row_is_loaded_or_quarantined_and_twice_is_once(
    tmp_path_factory: pytest.TempPathFactory, file: tuple[str, int], batch_rows: int
) -> None:
    text, rows = file
    folder = tmp_path_factory.mktemp("dirty")
    with pytest.MonkeyPatch.context() as patch, memory_store() as store:
        patch.setattr(reading.TableFile.batches, "__kwdefaults__", {"rows": batch_rows})
        report = load(store, folder, text)
        assert report.rows == rows
        assert len(quarantine(store)) == report.quarantined
        assert store.rows("SELECT file_rows, loaded, quarantined FROM imports") == [
            (rows, report.loaded, report.quarantined)
        ]
        before = everything(store)
        again = load(store, folder, text)
        assert everything(store) == before
        assert (again.reasons, again.import_id) == (report.reasons, report.import_id)
        assert sum(again.new.values()) == 0


@settings(max_examples=30, deadline=None)
@given(dirty_files(), st.sampled_from([2, 50]))
def test_a_quarantined_row_leaves_no_trace_in_any_table(
    tmp_path_factory: pytest.TempPathFactory, file: tuple[str, int], batch_rows: int
) -> None:
    folder = tmp_path_factory.mktemp("trace")
    with pytest.MonkeyPatch.context() as patch, memory_store() as whole, memory_store() as sound:
        patch.setattr(reading.TableFile.batches, "__kwdefaults__", {"rows": batch_rows})
        for store in (whole, sound):
            store.declare_attributes({"employees": "numeric", "amount": "numeric", "score": "numeric"})
        load(whole, folder, file[0])
        bad = {line for line, _ in quarantine(whole)}
        lines = file[0].splitlines(keepends=True)
        load(sound, folder, "".join(text for number, text in enumerate(lines, 1) if number not in bad))
        assert content(whole) == content(sound)
        assert quarantine(sound) == []


events = st.tuples(
    st.sampled_from(["L1", "L2"]), st.integers(1, 28), st.sampled_from(["visit", "form"]), st.integers(0, 2)
)


@settings(max_examples=10, deadline=None)
@given(st.lists(events, min_size=1, max_size=15).flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_the_order_of_rows_and_their_repetition_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, both: tuple[list[tuple[str, int, str, int]], list[Any]]
) -> None:
    folder = tmp_path_factory.mktemp("order")

    def text(rows: list[Any]) -> str:
        return "lead_id,occurred_at,type,value\n" + "".join(f"{i},2024-01-{d:02},{t},{v}\n" for i, d, t, v in rows)

    with memory_store() as one, memory_store() as other:
        load(one, folder, text(both[0]))
        load(other, folder, text(both[1] + both[0][:3]))
        assert content(one) == content(other)


LEADS = (
    "lead_id,created_at,email,job_title,direction,visits,vip\n"
    "L1,2024-05-01T08:00:00Z,ann@example.com,Directrice générale,Inbound,1.5,yes\n"
    "L2,2024-05-02,bob@gmail.com,,sideways,,no\n"
    'L3,2024-05-03 10:00:00+02:00,,"CTO, interim",outbound,3,\n'
)


def test_how_a_file_is_written_does_not_matter(tmp_path: Path) -> None:
    rows = list(csv.reader(io.StringIO(LEADS)))
    semicolons = io.StringIO()
    csv.writer(semicolons, delimiter=";", lineterminator="\r\n").writerows(rows)
    table = pa.table(dict(zip(rows[0], zip(*rows[1:], strict=True), strict=True)))
    parquet = pa.BufferOutputStream()
    pq.write_table(table, parquet)
    forms: list[bytes] = [
        LEADS.encode(),
        b"\xef\xbb\xbf" + LEADS.encode(),
        LEADS.encode("utf-16"),
        LEADS.encode("cp1252"),
        gzip.compress(LEADS.encode(), mtime=0),
        semicolons.getvalue().encode(),
        LEADS.replace("\n", "\r").encode(),
        LEADS.replace("lead_id", "Lead ID").replace("created_at", "CreatedAt").encode(),
        LEADS.replace("\n", ",\n").encode(),
        parquet.getvalue().to_pybytes(),
    ]
    found = []
    for form in forms:
        with memory_store() as store:
            load(store, tmp_path, form)
            found.append(content(store, *TABLES, "attributes"))
    for other in found[1:]:
        assert other == found[0]
    assert found[0]["leads"][2] == ("L3", at("2024-05-03 08:00"), at("2024-05-03 08:00"))
    assert found[0]["profiles"][0][2:] == (
        *(None, "inbound", "Directrice générale", None, None, None, None, "business"),
        '{"vip":"true","visits":"1.5"}',
    )


def test_an_import_that_ends_early_leaves_nothing(store: LeadStore, tmp_path: Path) -> None:
    before = everything(store)

    def kill(done: int, total: int) -> None:
        if done == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(store, tmp_path, "lead_id,created_at\nL1,2024-01-01\nL2,soon\n", on_progress=kill)
    with pytest.raises(InputError, match="a quote opened on line 3"):
        load(store, tmp_path, 'lead_id,created_at\nL1,2024-01-01\nL2,"2024\n')
    with pytest.raises(
        InputError, match=r"1 of 2 rows cannot be loaded; at most 0 .* line 3: created_at is not a date"
    ):
        load(store, tmp_path, "lead_id,created_at\nL1,2024-01-01\nL2,soon\n", max_rejects=0)
    assert everything(store) == before
    report = load(store, tmp_path, "lead_id,created_at\nL1,2024-01-01\nL2,soon\n", dry_run=True, max_rejects=1)
    assert (report.loaded, report.quarantined, report.new) == (1, 1, {"leads": 1})
    assert "dry run" in said(report)
    assert everything(store) == before


def test_progress_goes_up_to_the_whole(store: LeadStore, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    load(store, tmp_path, LEADS, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1] == 2 * len(LEADS.encode())


# ---- what is refused, row by row -------------------------------------------------------------------------------


def test_bad_rows_are_quarantined_whole_with_line_and_one_reason(store: LeadStore, tmp_path: Path) -> None:
    text = (
        "lead_id,created_at,email,size,stage,entered_at\n"
        "L1,2024-01-01,a@example.com,1,lead,2024-01-02\n"
        ",2024-01-01,,1,,\n"
        "L3,soon,,1,,\n"
        "L4,2025-01-03,,1,,\n"
        "L5,1969-12-31,,1,,\n"
        "L6,2024-01-01,,inf,,\n"
        "L7,2024-01-01,\0,1,,\n"
        "L8,2024-01-01\n"
        "L9,2024-01-01,b@example.com,1,gold,2024-01-02\n"
        "LA,2024-01-01,,1,lead,\n"
        "LB,2024-01-01,,1,,2024-01-02\n"
        "L1,2024-01-09,,1,,\n"
        "LC,2025-01-01,,1,,\n"
    )
    report = load(store, tmp_path, text)
    assert quarantine(store) == [
        (3, "no lead_id"),
        (4, "created_at is not a date"),
        (5, "created_at lies in the future"),
        (6, "created_at is not between 1970 and 2200"),
        (7, "size is infinite"),
        (8, "a NUL character in a value"),
        (9, "fewer values than columns"),
        (10, "unknown stage"),
        (11, "no entered_at"),
        (12, "no stage"),
        (13, "differs from what is stored"),
    ]
    assert [row[0] for row in content(store)["leads"]] == ["L1", "LC"]
    assert [row[0] for row in content(store)["contacts"]] == ["L1"]
    assert report.attributes == {"size": "numeric"}
    assert "stage 'gold' is not known" in said(report)
    assert "needs a column known_at" in said(report)
    kept = store.rows("SELECT content FROM quarantine WHERE line IN (4, 9) ORDER BY line")
    assert [json.loads(row[0]) for row in kept] == [
        {"lead_id": "L3", "created_at": "soon", "size": "1"},
        ["L8", "2024-01-01"],
    ]


def test_erased_leads_stay_away_and_leave_no_trace(store: LeadStore, tmp_path: Path) -> None:
    store.rows("INSERT INTO tombstones VALUES ('L1', '2024-06-01T00:00:00Z')")
    report = load(store, tmp_path, LEADS)
    assert report.reasons == {"this lead was erased on request": 1}
    assert store.rows("SELECT content FROM quarantine") == [(None,)]
    assert store.rows("SELECT count(*) FROM contacts WHERE lead_id = 'L1'") == [(0,)]


def test_contacts_that_changed_do_not_cost_the_row(store: LeadStore, tmp_path: Path) -> None:
    load(store, tmp_path, "lead_id,created_at,known_at,phone,industry\nL1,2024-01-01,2024-02-01,1,a\n")
    report = load(store, tmp_path, "lead_id,created_at,known_at,phone,industry\nL1,2024-01-01,2024-03-01,2,b\n")
    assert (report.loaded, report.new) == (1, {"leads": 0, "contacts": 0, "profiles": 1})
    assert content(store)["contacts"] == [("L1", None, None, None, "1")]
    assert "contacts that differ" in said(report)


def test_a_row_that_contradicts_in_one_table_fills_none(store: LeadStore, tmp_path: Path) -> None:
    text = (
        "lead_id,created_at,known_at,industry,stage,entered_at,amount\n"
        "L1,2024-01-01,2024-02-01,a,customer,2024-02-01,1\n"
        "L1,2024-01-01,2024-03-01,b,customer,2024-02-01,2\n"  # another amount: its profile must not go in either
        "L1,2024-01-01,2024-03-01,c,customer,2024-02-01,1\n"  # contradicts only a row that did not go in
    )
    assert load(store, tmp_path, text).new == {"leads": 1, "profiles": 2, "stage_changes": 1}
    assert quarantine(store) == [(3, "differs from what is stored")]
    assert [row[5] for row in content(store)["profiles"]] == ["a", "c"]


def test_a_row_that_contradicts_itself_is_quarantined(store: LeadStore, tmp_path: Path) -> None:
    mapping = own(
        "[[source]]\nname = 'log'\nlead_id = 'id'\n"
        "[[source.event]]\nevent_id = 'n'\ntype = 'a'\nat = 'on'\n"
        "[[source.event]]\nevent_id = 'n'\ntype = 'b'\nat = 'on'\n"
    )
    text = "id,n,a,b,on\nL1,1,x,y,2024-01-01T00:00Z\nL1,2,x,x,2024-01-01T00:00Z\n"
    assert load(store, tmp_path, text, mapping).reasons == {"gives one key two different values": 1}
    assert [row[0] for row in content(store)["events"]] == ["2"]


# ---- dates -----------------------------------------------------------------------------------------------------

ZONELESS = "[[source]]\nname = 'leads'\nlead_id = 'id'\ncreated_at = 'on'\n"


def test_times_without_offset_need_a_zone_and_ambiguous_dates_a_format(store: LeadStore, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"file.csv: created_at has times without an offset, such as '2024-07-01'"):
        load(store, tmp_path, "id,on\nL1,2024-07-01\n", own(ZONELESS))
    with pytest.raises(InputError, match=r'created_at is written like \'03-04-2024\'.*formats = \["%d-%m-%Y"\]'):
        load(store, tmp_path, "id,on\nL1,03-04-2024\n", own("zone = 'UTC'\n" + ZONELESS))
    load(store, tmp_path, "id,on\nL1,2024-07-01T00:00:00Z\n", own(ZONELESS))
    report = load(
        store, tmp_path, "id,on\nL2,03-04-2024\nL3,2024-03-31 02:30\n",
        own("zone = 'Europe/Paris'\nformats = ['%d-%m-%Y', 'iso']\n" + ZONELESS),
    )  # fmt: skip
    assert [row[1] for row in content(store)["leads"]] == [
        at("2024-07-01"),
        at("2024-04-02 22:00"),
        at("2024-03-31 01:00"),
    ]
    assert "2 × created_at: times without an offset, read in the zone Europe/Paris" in said(report)
    assert "1 × created_at: local times that a clock change skips or repeats" in said(report)


def test_assumed_clocks_are_reported(store: LeadStore, tmp_path: Path) -> None:
    report = load(store, tmp_path, "lead_id,created_at,known_at\nL1,2024-01-01,2024-02-01\n")
    assert "taken to be created_at" not in said(report)
    assert content(store)["leads"] == [("L1", at("2024-01-01"), at("2024-02-01"))]
    assert "taken to be created_at" in said(load(store, tmp_path, "lead_id,created_at\nL2,2024-01-01\n"))
    assert "taken to be when it occurred" in said(load(store, tmp_path, "lead_id,occurred_at,type\nL2,2024-01-01,x\n"))


# ---- the generic mapping ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "table", "row"),
    [
        ("lead_id,created_at\nL1,2024-01-01\n", "leads", ("L1", at("2024-01-01"), at("2024-01-01"))),
        (
            "lead_id,occurred_at,type,value,event_id\nL1,2024-01-01,visit,2.5,E1\n",
            "events",
            ("E1", "L1", at("2024-01-01"), at("2024-01-01"), "visit", 2.5),
        ),
        (
            "lead_id,stage,entered_at,amount,reason\nL1,Sales Qualified Lead,2024-01-01,9,demo\n",
            "stage_changes",
            ("L1", "sql", at("2024-01-01"), at("2024-01-01"), 9.0, "demo"),
        ),
        ("lead_id,known_at,points\nL1,2024-01-01,55\n", "rule_points", ("L1", at("2024-01-01"), 55.0)),
        ("channel,month,cost\nads,2024-05,100\n", "channel_costs", ("ads", at("2024-05-01").date(), 100.0)),
        ("lead_id,since\nL1,2024-01-01\n", "objections", ("L1", at("2024-01-01"))),
        (
            "lead_id,known_at,industry,Founded in\nL1,2024-01-01,retail,1999\n",
            "profiles",
            ("L1", at("2024-01-01"), *[None] * 3, "retail", *[None] * 4, '{"founded_in":"1999"}'),
        ),
    ],
)
def test_generic_files_find_their_table(
    store: LeadStore, tmp_path: Path, text: str, table: str, row: tuple[Any, ...]
) -> None:
    report = load(store, tmp_path, text)
    assert content(store)[table] == [row]
    assert report.new == {table: 1}


def test_leads_with_a_stage_fill_both(store: LeadStore, tmp_path: Path) -> None:
    text = "lead_id,created_at,stage,entered_at\nL1,2024-01-01,marketingqualifiedlead,2024-01-05\nL2,2024-01-01,,\n"
    assert load(store, tmp_path, text).new == {"leads": 2, "stage_changes": 1}
    assert content(store)["stage_changes"][0][:3] == ("L1", "mql", at("2024-01-05"))


def test_events_without_an_id_are_told_apart_by_what_they_are(store: LeadStore, tmp_path: Path) -> None:
    text = "lead_id,occurred_at,type,value\nL1,2024-01-01,a,\nL1,2024-01-01,a,\nL1,2024-01-01,a,0\nL1,2024-01-01,b,\n"
    report = load(store, tmp_path, text)
    assert (report.loaded, report.new, report.unchanged) == (4, {"events": 3}, {"events": 1})
    assert all(len(row[0]) == 64 for row in content(store)["events"])


def test_columns_that_do_not_fit_are_named_with_the_nearest(store: LeadStore, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"lacks 'created_at' \(nearest: 'creation_at'; to take it, write"):
        load(store, tmp_path, "lead_id,creation_at\nL1,2024-01-01\n")
    with pytest.raises(InputError, match="'lead_id' could be any of the columns 'Lead ID', 'LeadID'"):
        load(store, tmp_path, "Lead ID,LeadID,created_at\nL1,L1,2024-01-01\n")


def test_types_are_inferred_over_the_whole_file_and_persons_left_out(store: LeadStore, tmp_path: Path) -> None:
    report = load(
        store,
        tmp_path,
        "lead_id,created_at,First Name,their mail,zip,late,until,opted in,nothing,stage\n"
        "L1,2024-01-01,Ann,a@example.com,75001,1,2024-05-01,yes,,customer\n"
        "L2,2024-01-01,Bob,b@example.com,2A004,2,2024-05-01T10:00:00+02:00,No,,lead\n",
    )
    assert report.attributes == {
        "first_name": "ignored", "late": "numeric", "opted_in": "boolean", "stage": "ignored", "their_mail": "ignored",
        "until": "date", "zip": "categorical",
    }  # fmt: skip
    assert json.loads(content(store)["profiles"][1][-1]) == {
        "late": "2", "opted_in": "false", "until": "2024-05-01T08:00:00Z", "zip": "2A004",
    }  # fmt: skip
    assert "'First Name' is left out: it looks like personal data" in said(report)
    assert "'nothing'" in said(report)
    assert store.rows("SELECT about FROM attributes WHERE name = 'opted_in'") == [("opted in",)]


def test_the_stores_word_on_a_type_stands(store: LeadStore, tmp_path: Path) -> None:
    load(store, tmp_path, "lead_id,created_at,size\nL1,2024-01-01,5\n")
    report = load(store, tmp_path, "lead_id,created_at,size\nL2,2024-01-01,6\nL3,2024-01-01,many\n")
    assert report.attributes == {"size": "numeric"}
    assert [row[-1] for row in content(store)["profiles"]] == ['{"size":"5"}', '{"size":"6"}', "{}"]
    assert "Attribute size is numeric in the store and would be categorical" in said(report)
    assert "1 × size: values that are not numeric, left out" in said(report)


def test_a_header_without_rows_is_said(store: LeadStore, tmp_path: Path) -> None:
    report = load(store, tmp_path, "lead_id,created_at\n")
    assert report.rows == 0
    assert "a header and no rows" in said(report)


def test_decimal_commas_and_joined_names(store: LeadStore, tmp_path: Path) -> None:
    mapping = own(
        "zone = 'UTC'\ndecimal = ','\n" + ZONELESS + "[source.contact]\n"
        "full_name = { columns = ['first', 'last'], joined_by = ' ', skip_missing = true }\n"
        "[source.attributes]\nsize = 'numeric'\n[source.replace.size]\n'ten' = '10'\n[source.missing]\nsize = ['-1']\n"
    )
    text = "id;on;first;last;size\nL1;2024-01-01;Ann;Lee;1,5\nL2;2024-01-01;;Roe;ten\nL3;2024-01-01;;;-1\n"
    load(store, tmp_path, text, mapping)
    assert [row[2] for row in content(store)["contacts"]] == ["Ann Lee", "Roe"]
    assert [row[-1] for row in content(store)["profiles"]] == ['{"size":"1.5"}', '{"size":"10"}', "{}"]


# ---- the mappings that come along ------------------------------------------------------------------------------

PIPELINE = (
    "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value\n"
    "O1,Ann,GTXPro,Acme,Won,2016-10-20,2017-03-01,1054\n"
    "O2,Bob,GTX Pro,,Lost,2016-10-25,2017-03-11,0\n"
    "O3,Cid,MG,Acme,Engaging,2016-10-25,,\n"
    "O4,Ann,MG,Acme,Prospecting,,,\n"
)


def test_sibling_files_are_joined_and_what_is_not_found_is_counted(store: LeadStore, tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text("product,series,sales_price\nGTX Pro,GTX,4821\n")
    (tmp_path / "sales_teams.csv").write_text("sales_agent,manager,regional_office\nAnn,Zoe,East\nBob,Zoe,West\n")
    report = load(store, tmp_path, PIPELINE, "crm-sales")
    assert report.reasons == {"deal_stage is not Won or Lost": 2}
    first, second = [json.loads(row[-1]) for row in content(store)["profiles"]]
    assert (first["product"], first["sales_price"], first["manager"]) == ("GTX Pro", "4821", "Zoe")
    assert "account" not in second
    assert not {"deal_stage", "close_date", "close_value"} & (first.keys() | second.keys())
    assert [row[:5] for row in content(store)["stage_changes"]] == [
        ("O1", "customer", at("2017-03-01"), at("2017-03-01"), 1054.0),
        ("O2", "disqualified", at("2017-03-11"), at("2017-03-11"), None),
    ]
    assert "There is no accounts.csv beside the file: sector" in said(report)
    assert "2 of 4 rows name a product that products.csv does not have ('MG' 2 times)" in said(report)
    assert "1 of 4 rows name a sales_agent" in said(report)


BANK = (
    "age;job;marital;education;default;housing;loan;contact;month;day_of_week;duration;campaign;pdays;previous;poutcome;"
    "emp.var.rate;cons.price.idx;cons.conf.idx;euribor3m;nr.employed;y"
)


def test_a_file_without_dates_is_dated_by_its_months(store: LeadStore, tmp_path: Path) -> None:
    def row(month: str, pdays: int, y: str) -> str:
        return (
            f"56;unknown;married;basic;no;no;no;cellular;{month};mon;261;1;{pdays};0;none;1.1;93.9;-36.4;4.8;5191;{y}"
        )

    rows = [row("nov", 999, "no"), row("???", 999, "no"), row("nov", 3, "yes"), row("mar", 999, "no")]
    report = load(store, tmp_path, "\n".join([BANK, *rows]), "bank-marketing")
    assert report.reasons == {"created_at has no month": 1}
    assert [row[:2] for row in content(store)["leads"]] == [
        ("contact-00001", at("2008-11-01")),
        ("contact-00003", at("2008-11-16")),
        ("contact-00004", at("2009-03-01")),
    ]
    assert [row[:4] for row in content(store)["stage_changes"]] == [
        ("contact-00003", "customer", at("2008-11-16 01:00"), at("2008-11-16 01:00"))
    ]
    first, second, _ = [json.loads(row[-1]) for row in content(store)["profiles"]]
    assert not {"duration", "y", "job", "pdays"} & first.keys()
    assert (first["emp_var_rate"], second["pdays"], report.attributes["duration"]) == ("1.1", "3", "ignored")
    leaky = own((Path(reading.__file__).parent / "mappings/bank-marketing.toml").read_text().replace(
        'duration = "ignored"', 'duration = "numeric"'
    ))  # fmt: skip
    with memory_store() as other:
        load(other, tmp_path, "\n".join([BANK, *rows]), leaky)
        assert json.loads(content(other)["profiles"][0][-1])["duration"] == "261"


needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data at {DATA}: set LEADSCORE_DATA")


@needs_data
def test_bank_marketing_whole(store: LeadStore) -> None:
    file = DATA / "bank-marketing/bank-additional-full.csv.gz"
    report = import_file(store, file, load_mapping("bank-marketing"), now=NOW)
    assert (report.rows, report.loaded, report.quarantined) == (41_188, 41_188, 0)
    assert report.new == {"leads": 41_188, "profiles": 41_188, "stage_changes": 4_640}
    months = store.rows(
        "SELECT extract(year FROM created_at)::int, extract(month FROM created_at)::int, count(*) FROM leads "
        "GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert (months[0], months[-1], len(months)) == ((2008, 5, 7_763), (2010, 11, 128), 26)
    assert sum(report.attributes[name] != "ignored" for name in report.attributes) == 19


@needs_data
def test_bpi2012_whole(store: LeadStore) -> None:
    mapping = load_mapping("bpi2012")
    cases = import_file(store, DATA / "bpi2012/cases.csv", mapping, now=NOW)
    log = import_file(store, DATA / "bpi2012/events.csv.gz", mapping, now=NOW)
    assert (cases.rows, cases.new) == (13_087, {"leads": 13_087, "profiles": 13_087})
    assert (log.rows, log.loaded, log.new["events"]) == (262_200, 262_200, 262_200)
    assert store.rows("SELECT count(DISTINCT lead_id) FROM stage_changes WHERE stage = 'customer'") == [(2_246,)]
    assert store.rows("SELECT count(DISTINCT lead_id) FROM stage_changes WHERE stage = 'disqualified'") == [(10_442,)]
    assert store.rows("SELECT count(*) FROM events WHERE lead_id NOT IN (SELECT lead_id FROM leads)") == [(0,)]


@needs_data
def test_crm_sales_whole(store: LeadStore) -> None:
    report = import_file(store, DATA / "crm-sales/sales_pipeline.csv", load_mapping("crm-sales"), now=NOW)
    assert (report.rows, report.loaded, report.reasons) == (8_800, 6_711, {"deal_stage is not Won or Lost": 2_089})
    assert "that products.csv does not have" not in said(report)
    assert store.rows("SELECT stage, count(*) FROM stage_changes GROUP BY 1 ORDER BY 1") == [
        ("customer", 4_238),
        ("disqualified", 2_473),
    ]

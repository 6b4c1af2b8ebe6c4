"""A simulated funnel by others: dated events, an outcome without a date, and two columns from after the outcome."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import config
from pipelines.config import Settings
from pipelines.import_report import ImportReport
from pipelines.importing import import_file
from pipelines.leak_report import find_leaks
from pipelines.mapping import FOLDER, Mapping, load_mapping, parse_mapping
from pipelines.snapshots import TrainingFrame
from pipelines.store import LeadStore
from pipelines.train import read_catalogue, read_frame
from tests.stores import memory_store, rows_in_order
from tests.test_path import Folder, files

NOW = datetime(2025, 1, 1, tzinfo=UTC)
TASK = "tasks/converted_within_90_days"
LEADS = tuple(f"{TASK}/{part}.parquet" for part in ("train", "valid", "test"))
TABLES = tuple(f"tables/{name}.parquet" for name in ("touches", "sessions", "sales_activities", "opportunities"))
TEXT = (FOLDER / "leadforge.toml").read_text(encoding="utf-8")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def changed(before: str, after: str) -> Mapping:
    """The mapping with one line of it written differently, as a user's copy would have it."""
    assert TEXT.count(before) == 1
    return parse_mapping(TEXT.replace(before, after), name="own", where="own.toml")


def load(store: LeadStore, paths: list[Path], mapping: Mapping | None = None) -> list[ImportReport]:
    return [import_file(store, path, mapping or load_mapping("leadforge"), now=NOW) for path in paths]


@pytest.fixture(scope="module")
def bundle() -> Iterator[LeadStore]:
    """All its files in one store; for reading only."""
    paths = files("leadforge", *LEADS, *TABLES)
    with memory_store() as store:
        for report in load(store, paths):
            assert (report.quarantined, report.loaded) == (0, report.rows)
        yield store


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Folder:
    return Folder(tmp_path / "empty", monkeypatch, capsys)


def settings(folder: Path, **flags: Any) -> Settings:
    file = folder / config.FILE
    file.write_text(config.preset("leadforge"), encoding="utf-8")
    return config.load(file, environment={}, flags={name.replace("__", "."): value for name, value in flags.items()})


def frame(store: LeadStore, chosen: Settings) -> TrainingFrame:
    inventory = store.inventory()
    columns = read_catalogue(inventory, chosen)
    return read_frame(store, chosen, inventory, columns, as_of=None, progress=lambda _done, _total: None)


def leaks(store: LeadStore, chosen: Settings) -> dict[str, dict[str, Any]]:
    """What `train` says of the columns before it learns from them, by column."""
    inventory = store.inventory()
    found = find_leaks(
        store,
        frame(store, chosen),
        read_catalogue(inventory, chosen),
        target_stage=chosen.label.target_stage,
        until=inventory.known_until,
    )
    return {leak["column"]: leak for leak in found}


# ---- the mapping, on a file made up here -----------------------------------------------------------------------


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def lead(lead_id: str, *, converted: bool) -> dict[str, Any]:
    return {
        "lead_id": lead_id, "contact_id": "c1", "account_id": "a1", "lead_created_at": "2024-01-04",
        "lead_source": "partner_referral", "industry": "logistics", "region": "UK", "employee_band": "200-499",
        "estimated_revenue_band": "$1M-$10M", "process_maturity_band": "low", "role_function": "ap_manager",
        "seniority": "vp", "buyer_role": "champion", "touch_count": 3.0, "total_touches_all": 12,
        "converted_within_90_days": converted,
    }  # fmt: skip


def test_leads_find_their_contact_account_and_owner_and_an_outcome_is_known_at_the_end(tmp_path: Path) -> None:
    written(tmp_path / "tables/leads.parquet", [
        {"lead_id": "L1", "first_touch_channel": "partner_referral", "owner_rep_id": "r1"},
        {"lead_id": "L2", "first_touch_channel": "inbound_marketing", "owner_rep_id": "r2"},
    ])  # fmt: skip
    written(tmp_path / "tables/contacts.parquet", [
        {"contact_id": "c1", "job_title": "AP Manager", "email_domain_type": "corporate", "created_at": "2022-01-01"},
    ])  # fmt: skip
    written(tmp_path / "tables/accounts.parquet", [
        {"account_id": "a1", "company_name": "Acme", "industry": "another", "created_at": "2022-01-01"},
    ])  # fmt: skip
    file = written(tmp_path / TASK / "train.parquet", [lead("L1", converted=True), lead("L2", converted=False)])
    with memory_store() as store:
        load(store, [file])
        assert rows_in_order(store, "leads") == [
            ("L1", at("2024-01-04"), at("2024-01-04")),
            ("L2", at("2024-01-04"), at("2024-01-04")),
        ]
        assert store.rows("SELECT company_name FROM contacts") == [("Acme",)] * 2
        profiles = store.rows(
            "SELECT source_channel, direction, job_title, industry, company_size, country, email_class, attributes "
            "FROM profiles ORDER BY lead_id"
        )
        assert profiles[0][:7] == (
            "partner_referral", "outbound", "AP Manager", "logistics", "200-499", "UK", "business",
        )  # fmt: skip
        assert profiles[1][1] == "inbound"
        assert json.loads(str(profiles[0][7])) == {
            "buyer_role": "champion", "estimated_revenue_band": "$1M-$10M", "owner_rep_id": "r1",
            "process_maturity_band": "low", "role_function": "ap_manager", "seniority": "vp",
        }  # fmt: skip
        # The 90th day begins on 2 April (2024 is a leap year); at its end the outcome is known.
        assert [row[:4] for row in rows_in_order(store, "stage_changes")] == [
            ("L1", "customer", at("2024-04-02 23:59"), at("2024-04-02 23:59"))
        ]


def test_how_an_opportunity_ended_is_not_read(tmp_path: Path) -> None:
    deal = {"opportunity_id": "o1", "lead_id": "L1", "created_at": "2024-01-15", "stage": "closed_won"}
    with memory_store() as store:
        load(store, [written(tmp_path / "opportunities.parquet", [{**deal, "estimated_acv": 47_173}])])
        when = at("2024-01-15")
        assert rows_in_order(store, "stage_changes") == [("L1", "opportunity", when, when, 47_173.0, None)]
        assert rows_in_order(store, "events") == [("o1", "L1", when, when, "opportunity opened", 47_173.0)]


# ---- the files themselves --------------------------------------------------------------------------------------


def test_the_bundle_is_loaded_whole(bundle: LeadStore) -> None:
    inventory = bundle.inventory()
    assert (inventory.leads, inventory.stages) == (5_000, {"customer": 1_049, "opportunity": 4_255})
    by_table = bundle.rows(
        "SELECT split_part(event_id, '_', 1), count(*) FROM events GROUP BY 1 ORDER BY 2 DESC LIMIT 4"
    )
    assert by_table == [("touch", 38_724), ("act", 20_679), ("sess", 13_818), ("opp", 4_255)]
    assert bundle.rows("SELECT count(*) FROM events WHERE lead_id NOT IN (SELECT lead_id FROM leads)") == [(0,)]
    # Every feature column of the profile that the bundle speaks of is filled.
    assert set(inventory.profile_columns) == {
        "source_channel", "direction", "job_title", "industry", "company_size", "country", "email_class",
    }  # fmt: skip
    assert "total_touches_all" not in {name for name, kind in inventory.attributes.items() if kind != "ignored"}


def test_a_type_of_event_that_the_preset_names_is_in_the_files(bundle: LeadStore, tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    assert set(chosen.events.kinds) <= set(bundle.inventory().event_types)
    assert set(chosen.cohort.voluntary_kinds) <= set(read_catalogue(bundle.inventory(), chosen).own_kinds)


@pytest.mark.parametrize("days", [10, 89])
def test_what_happened_at_or_after_the_moment_is_not_seen(bundle: LeadStore, tmp_path: Path, days: int) -> None:
    data = frame(bundle, settings(tmp_path, snapshots__days_after_creation=[float(days)]))
    seen = dict(bundle.rows(
        "SELECT e.lead_id, count(*) FROM events e JOIN leads l USING (lead_id) "
        f"WHERE e.known_at < l.created_at + INTERVAL {days} DAY GROUP BY 1"
    ))  # fmt: skip
    assert dict(zip(data.lead_id, data.frame["events"], strict=True)) == {name: seen[name] for name in data.lead_id}
    # Whoever looks on day 10 is blind to two thirds of the thirty days that the tables hold.
    assert (sum(seen.values()) > 70_000) == (days == 89)


def test_the_trap_is_pointed_out_by_its_name_and_by_nothing_else(tmp_path: Path) -> None:
    """It counts touches of two more months, but alone it ranks leads hardly better than chance: values cannot tell."""
    mapping = changed('total_touches_all = "ignored"', 'total_touches_all = "numeric"')
    with memory_store() as store:
        load(store, files("leadforge", *LEADS), mapping)
        found = leaks(store, settings(tmp_path))
        assert set(found) == {"total_touches_all"}
        assert found["total_touches_all"]["probe"] == "name"
        assert "after the moment of scoring" in found["total_touches_all"]["sentence"]
        assert leaks(store, settings(tmp_path, features__exclude=["total_touches_all"])) == {}


def test_the_stage_of_an_opportunity_tells_the_outcome_and_is_pointed_out(tmp_path: Path) -> None:
    """The data card says that the tables hold nothing from after day 30; this column does."""
    mapping = changed('type = { constant = "opportunity opened" }', 'type = "stage"')
    with memory_store() as store:
        load(store, files("leadforge", *LEADS, TABLES[-1]), mapping)
        found = leaks(store, settings(tmp_path))
    assert found["closed_won"]["probe"] == "auc"
    assert found["closed_won"]["value"] > 0.97
    assert {"closed_lost", "negotiation"} <= set(found)


def test_the_commands_end_with_a_candidate_that_beats_the_baselines(folder: Folder) -> None:
    folder.start("leadforge", "leadforge", *files("leadforge", *LEADS, *TABLES))
    report = folder.train()
    assert (report["version"], report["verdict"], report["leaks"]) == ("1", "candidate", [])
    log_loss = report["metrics"]["log_loss"]["value"]
    assert log_loss <= 0.502
    assert log_loss < min(report["baselines"][name]["log_loss"]["value"] for name in ("base_rate", "logistic"))
    assert report["metrics"]["roc_auc"]["value"] >= 0.60
    # The same question on day 30: every lead is from one January, so no outcome is known in time.
    file = folder.path / config.FILE
    text = file.read_text(encoding="utf-8").replace("horizon_days = 1", "horizon_days = 60").replace("[89.0]", "[30.0]")
    file.write_text(text, encoding="utf-8")
    folder.leadscore("train", code=1)
    assert "Import more history" in folder.stderr

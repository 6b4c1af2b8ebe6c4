"""Forgetting a lead: nothing of it is left, nothing of it comes back, and nobody else is touched."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.errors import ConfigError
from pipelines.erase import TABLES, compact, erase
from pipelines.importing import import_file
from pipelines.mapping import load_mapping
from pipelines.store import LeadStore
from tests.stores import rows_in_order

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LEAD = "unmistakable-lead-7f3a"
FILES = {
    "leads.csv": "lead_id,created_at,email,full_name,job_title,colour\n"
    f"{LEAD},2025-01-01T00:00:00Z,jane.unmistakable@example.com,Jane Unmistakable,CTO,blue\n"
    "other,2025-01-01T00:00:00Z,o@example.com,Other,CTO,red\n"
    f"{LEAD},no date,jane.unmistakable@example.com,Jane,CTO,blue\n"
    "nobody,no date,jane.unmistakable@example.com,Jane,CTO,blue\n",
    "events.csv": f"event_id,lead_id,occurred_at,type\ne1,{LEAD},2025-02-01T00:00:00Z,page\n"
    "e2,other,2025-02-01T00:00:00Z,page\n",
    "points.csv": f"lead_id,known_at,points\n{LEAD},2025-02-01T00:00:00Z,5\nother,2025-02-01T00:00:00Z,6\n",
}


@pytest.fixture
def url(store_url: str, tmp_path: Path) -> str:
    """A filled store, on each engine in turn."""
    return filled(store_url, tmp_path)


def filled(store_url: str, tmp_path: Path) -> str:
    """A store with the lead, another one, and quarantined rows that name it or its address."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with LeadStore.open(store_url, create=True) as store:
        imported(store, tmp_path)
        for run in ("one", "two"):
            for lead in (LEAD, "other"):
                store.change(
                    "INSERT INTO scores (run_id, lead_id, as_of, probability, probability_low, probability_high, "
                    "percentile, band, recommended_stage, stage_reason, needs_confirmation, reasons, model_version) "
                    "VALUES ($1, $2, $3, 0.1, 0.1, 0.1, 50, 'C', 'mql', '', false, '{}', '1')",
                    [run, lead, NOW],
                )
    return store_url


def imported(store: LeadStore, folder: Path) -> int:
    """Import all files; return how many rows went to quarantine."""
    return sum(import_file(store, folder / name, load_mapping("generic"), now=NOW).quarantined for name in FILES)


def everywhere(store: LeadStore) -> str:
    tables = (*TABLES, "quarantine", "imports", "attributes", "runs", "published")
    return "\n".join(str(row) for table in tables for row in rows_in_order(store, table))


def test_nothing_of_the_lead_is_left_and_nobody_else_is_touched(url: str) -> None:
    with LeadStore.open(url) as store:
        others = everywhere(store).count("other")
        assert "unmistakable" in everywhere(store).lower()
        receipt = erase(store, LEAD, now=NOW)
        assert receipt.erased == {
            "leads": 1, "contacts": 1, "profiles": 1, "events": 1, "rule_points": 1, "scores": 2, "quarantine": 2,
        }  # fmt: skip
        assert "unmistakable" not in everywhere(store).lower()
        assert everywhere(store).count("other") == others
        assert erase(store, LEAD, now=NOW).erased == {}


def test_what_no_command_reaches_is_told(url: str) -> None:
    with LeadStore.open(url) as store:
        told = " ".join(erase(store, LEAD, now=NOW, dry_run=True).out_of_reach)
    for place in ("backups of the store", "CRM", "releases", "MLflow"):
        assert place in told


def test_a_dry_run_counts_and_changes_nothing(url: str) -> None:
    with LeadStore.open(url) as store:
        before = everywhere(store)
        receipt = erase(store, LEAD, now=NOW, dry_run=True)
        assert (receipt.erased["scores"], receipt.dry_run) == (2, True)
        assert everywhere(store) == before
        assert store.rows("SELECT count(*) FROM tombstones") == [(0,)]


def test_the_lead_does_not_come_back(url: str, tmp_path: Path) -> None:
    with LeadStore.open(url) as store:
        erase(store, LEAD, now=NOW)
        # Also one that was never here, and is imported only now.
        erase(store, "late", now=NOW)
        (tmp_path / "leads.csv").write_text(FILES["leads.csv"] + "late,2025-01-01T00:00:00Z,,,,\n", encoding="utf-8")
        assert imported(store, tmp_path) > 0
        assert LEAD not in everywhere(store)
        assert store.rows("SELECT lead_id FROM leads") == [("other",)]


def test_an_empty_id_is_refused(url: str) -> None:
    with LeadStore.open(url) as store, pytest.raises(ConfigError, match="Say which lead"):
        erase(store, "", now=NOW)


def test_a_compacted_file_holds_no_byte_of_the_lead(tmp_path: Path) -> None:
    file = tmp_path / "leads.duckdb"
    url = str(file)
    filled(url, tmp_path)
    with LeadStore.open(url) as store:
        erase(store, LEAD, now=NOW)
        store.change("DELETE FROM tombstones")
        kept = everywhere(store)
    # What was deleted is still in the file's free blocks: this is what compacting is for.
    assert b"unmistakable" in file.read_bytes().lower()
    compact(file)
    assert b"unmistakable" not in file.read_bytes().lower()
    assert not file.with_name(file.name + ".compacting").exists()
    with LeadStore.open(url) as store:
        assert everywhere(store) == kept
        assert store.rows("SELECT count(*) FROM current_scores") == [(0,)]

"""Clocks that differ, and events from the future."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.importing import import_file
from pipelines.mapping import load_mapping
from pipelines.score import Job
from pipelines.score import run as score
from tests.faults.cases import Case


@pytest.mark.fault("F17")
@pytest.mark.parametrize(("minutes", "flagged"), [(-30, True), (-3, False), (3, False), (30, True)])
def test_a_database_whose_clock_differs_is_said(on_postgres: Case, minutes: int, flagged: bool) -> None:
    with on_postgres.open() as store:
        report = score(
            store, on_postgres.settings(), on_postgres.tracking(), as_of=on_postgres.day(1),
            clock=lambda: datetime.now(UTC) + timedelta(minutes=minutes), job=Job(dry_run=True),
        )  # fmt: skip
    assert ("clock_skew" in report.flags) == flagged


@pytest.mark.fault("F17")
def test_events_from_too_far_ahead_are_quarantined(case: Case, tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    now = datetime.now(UTC)
    (lead,) = case.rows("SELECT min(lead_id) FROM leads")[0]
    times = [now - timedelta(hours=2), now + timedelta(hours=2), now + timedelta(days=730)]
    rows = [f"clock-{n},{lead},demo_request,{time.isoformat()}\n" for n, time in enumerate(times)]
    file.write_text("event_id,lead_id,type,occurred_at\n" + "".join(rows))
    with case.open() as store:
        report = import_file(store, file, load_mapping("generic"), now=now)
    assert (report.loaded, report.reasons) == (2, {"occurred_at lies in the future": 1})

"""Ids that repeat or differ by case, and numbers that are none: what the store takes, and what it never publishes."""

from pathlib import Path

import pytest

from features.errors import UserError
from pipelines.importing import import_file
from pipelines.mapping import load_mapping
from tests.faults.cases import Case, now


@pytest.mark.fault("F41")
def test_an_id_twice_is_one_lead_and_case_counts(case: Case, tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    file.write_text(
        "lead_id,created_at,email\n00Qa,2025-01-02,a@b.example\n00QA,2025-01-03,c@b.example\n"
        "00Qa,2025-01-02,a@b.example\n00Qa,2025-02-02,a@b.example\n"
    )
    with case.open() as store:
        report = import_file(store, file, load_mapping("generic"), now=now())
    assert (report.rows, report.loaded, report.quarantined) == (4, 3, 1)
    assert report.reasons == {"differs from what is stored": 1}
    found = case.rows("SELECT lead_id, email FROM contacts WHERE lead_id LIKE '00Q%' ORDER BY lead_id")
    assert found == [("00QA", "c@b.example"), ("00Qa", "a@b.example")]


@pytest.mark.fault("F37")
@pytest.mark.parametrize("value", ["'NaN'::double precision", "'Infinity'::double precision", "-0.1", "1.5", "NULL"])
def test_the_store_itself_refuses_what_is_no_probability(case: Case, value: str) -> None:
    """Whatever the audit thinks of it."""
    same = (
        "lead_id, as_of, percentile, band, recommended_stage, stage_reason, needs_confirmation, reasons, model_version"
    )
    statement = (
        f"INSERT INTO scores (run_id, {same}, probability, probability_low, probability_high) SELECT 'x', {same}, "
        f"{value}, 0.1, 0.9 FROM scores"
    )
    before = case.seen()
    with pytest.raises((UserError, Exception), match=r"(?i)constraint|null"):
        case.change(statement)
    assert case.seen() == before
    case.check_at_rest()

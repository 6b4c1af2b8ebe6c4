"""Days of 23 and 25 hours, clocks that differ, nights that were missed and days that are done again."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import backfill, ledger, nights
from pipelines.importing import import_file
from pipelines.mapping import load_mapping
from pipelines.score import Job, ScoreReport
from pipelines.score import run as score
from pipelines.status import missing_days
from pipelines.store import LeadStore
from tests.faults.cases import Case

ZONES = ("UTC", "Europe/Paris", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu")


# Days (F15) ----------------------------------------------------------------------------------------------------------


@pytest.mark.fault("F15")
@given(
    zone=st.sampled_from(ZONES),
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_each_moment_belongs_to_exactly_one_day(zone: str, moment: datetime) -> None:
    day = nights.day_of(moment, zone=zone)
    assert nights.midnight(day, zone=zone) <= moment < nights.midnight(day + timedelta(days=1), zone=zone)


@pytest.mark.fault("F15")
@given(zone=st.sampled_from(ZONES), first=st.dates(date(2000, 1, 1), date(2090, 1, 1)), length=st.integers(0, 800))
def test_days_follow_one_another_and_add_up(zone: str, first: date, length: int) -> None:
    days = nights.days(first, first + timedelta(days=length))
    assert len(days) == length + 1
    ends = [nights.midnight(day, zone=zone) for day in (*days, days[-1] + timedelta(days=1))]
    hours = [(after - before) / timedelta(hours=1) for before, after in zip(ends, ends[1:], strict=False)]
    assert set(hours) <= {0, 23, 23.5, 24, 24.5, 25}  # 0: the day that Samoa left out
    assert sum(hours) == (ends[-1] - ends[0]) / timedelta(hours=1)


@pytest.mark.fault("F15")
@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Paris", date(2026, 3, 29), 23),
        ("Europe/Paris", date(2026, 10, 25), 25),
        ("Europe/Paris", date(2028, 2, 29), 24),
        # Midnight itself is skipped: the day begins at one o'clock.
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("America/Sao_Paulo", date(2018, 2, 17), 25),
    ],
)
def test_days_on_which_the_clocks_change(zone: str, day: date, hours: int) -> None:
    after = nights.midnight(day + timedelta(days=1), zone=zone)
    assert after - nights.midnight(day, zone=zone) == timedelta(hours=hours)
    # A run at half past two of that night scores that day, whichever half past two it is.
    for half_past_two in (nights.midnight(day, zone=zone) + timedelta(hours=h) for h in (1.5, 2.5)):
        assert nights.day_of(half_past_two, zone=zone) == day


# Clocks (F17) --------------------------------------------------------------------------------------------------------


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


# Nights (F18, F20, F21) ----------------------------------------------------------------------------------------------


def at(case: Case, days: int) -> ledger.Clock:
    """A clock that stands at four in the morning, so many days after the published one."""
    return lambda: case.day(days) + timedelta(hours=4)


@pytest.mark.fault("F18")
def test_what_comes_in_late_is_not_in_what_was_published(case: Case) -> None:
    before = case.seen()
    (lead,) = case.rows("SELECT min(lead_id) FROM current_scores")[0]
    day = f"TIMESTAMPTZ '{case.as_of:%Y-%m-%d %H:%M:%S}Z'"
    case.change(
        "INSERT INTO events (event_id, lead_id, occurred_at, known_at, type, value) VALUES "
        f"('late', '{lead}', {day} - INTERVAL '1 day', {day} + INTERVAL '1 hour', 'demo_request', NULL)"
    )
    again = case.score(supersede="an event came in late")
    assert again.status == "published"
    assert (case.seen().digest, case.seen().rows) == (before.digest, before.rows)


@pytest.mark.fault("F20")
def test_nights_that_were_missed_are_named_and_filled(case: Case) -> None:
    case.change(f"UPDATE promotions SET promoted_at = TIMESTAMPTZ '{case.day(1):%Y-%m-%d %H:%M:%S}Z'")
    zone = case.settings().score.timezone
    with case.open() as store:
        days = [case.day(n).date() for n in (1, 2, 3)]
        assert missing_days(store, zone=zone, now=at(case, 3)()) == days
        done = list(backfill.catch_up(store, case.settings(), case.tracking(), clock=at(case, 3), job=Job()))
        assert [(report.as_of, report.status) for report in done] == [
            (case.day(n).isoformat(), "published") for n in (1, 2, 3)
        ]
        assert [report.mode for report in done if isinstance(report, ScoreReport)] == [
            "catch-up",
            "catch-up",
            "nightly",
        ]
        assert missing_days(store, zone=zone, now=at(case, 3)()) == []


@pytest.mark.fault("F20")
def test_a_night_before_the_first_promotion_is_left_out_and_said(case: Case) -> None:
    case.change(f"UPDATE promotions SET promoted_at = TIMESTAMPTZ '{case.day(2):%Y-%m-%d} 12:00:00Z'")
    with case.open() as store:
        done = list(backfill.catch_up(store, case.settings(), case.tracking(), clock=at(case, 3), job=Job()))
    assert [report.status for report in done] == ["skipped", "skipped", "published"]
    assert isinstance(done[0], backfill.Skipped)
    assert "no version was champion then" in done[0].why


@pytest.mark.fault("F21")
def test_past_days_are_scored_by_what_was_known_then(case: Case) -> None:
    before = case.seen()

    def filled(store: LeadStore, job: Job) -> list[tuple[str, str]]:
        done = backfill.backfill(
            store, case.settings(), case.tracking(), first=case.day(-2).date(), last=case.day(0).date(),
            clock=at(case, 3), job=job,
        )  # fmt: skip
        return [(report.as_of, report.status) for report in done]

    with case.open() as store:
        days = [case.day(n).isoformat() for n in (-2, -1, 0)]
        assert filled(store, Job()) == list(zip(days, ("published", "published", "unchanged"), strict=True))
        # An event that was known a day later changes nothing of the day before.
        assert filled(store, Job()) == [(day, "unchanged") for day in days]
        assert (
            store.rows("SELECT mode FROM runs WHERE as_of < $1 AND job = 'score'", [case.as_of]) == [("backfill",)] * 2
        )
    assert case.seen() == before, "readers see the newest day"
    case.check_at_rest()

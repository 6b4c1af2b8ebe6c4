"""Days as people know them, moments as the store knows them: each event belongs to exactly one day."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ConfigError
from pipelines.nights import day_of, days, midnight, missing

ZONES = ("UTC", "Europe/Paris", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia", "Africa/Cairo")
zones = st.sampled_from(ZONES)
dates = st.dates(date(2000, 1, 1), date(2030, 12, 31))


@given(zone=zones, moment=st.datetimes(datetime(2000, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_moment_belongs_to_the_one_day_whose_window_holds_it(zone: str, moment: datetime) -> None:
    day = day_of(moment, zone=zone)
    assert midnight(day, zone=zone) <= moment < midnight(day + timedelta(days=1), zone=zone)


@given(zone=zones, day=dates)
def test_days_follow_one_another_without_a_gap_or_an_overlap(zone: str, day: date) -> None:
    length = midnight(day + timedelta(days=1), zone=zone) - midnight(day, zone=zone)
    # Samoa left out a whole day when it changed sides of the date line.
    assert length == timedelta(0) or timedelta(hours=22) <= length <= timedelta(hours=26)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Paris", date(2026, 3, 29), 23),
        ("Europe/Paris", date(2026, 10, 25), 25),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),  # at midnight itself
        ("America/Sao_Paulo", date(2018, 2, 17), 25),
        ("Europe/Paris", date(2028, 2, 29), 24),
    ],
)
def test_a_day_has_the_hours_that_it_has(zone: str, day: date, hours: int) -> None:
    assert midnight(day + timedelta(days=1), zone=zone) - midnight(day, zone=zone) == timedelta(hours=hours)


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_a_job_at_half_past_two_of_a_change_night_scores_the_day_it_is(day: date) -> None:
    started = datetime(day.year, day.month, day.day, 2, 30, tzinfo=ZoneInfo("Europe/Paris"))
    as_of = midnight(day_of(started, zone="Europe/Paris"), zone="Europe/Paris")
    assert as_of == datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Europe/Paris"))
    assert as_of < started.astimezone(UTC)


@given(published=st.sets(dates, max_size=5), today=dates, zone=zones)
def test_missing_days_are_those_between_the_first_published_and_today(
    published: set[date], today: date, zone: str
) -> None:
    published = {day for day in published if (today - day).days < 400}
    found = missing({midnight(day, zone=zone) for day in published}, today=today, zone=zone)
    if not published:
        assert found == []
        return
    there = {day_of(midnight(day, zone=zone), zone=zone) for day in published}
    first = min(min(there), today)
    assert found == [
        first + timedelta(days=n) for n in range((today - first).days + 1) if first + timedelta(days=n) not in there
    ]


def test_a_range_of_days_has_both_ends() -> None:
    assert days(date(2026, 2, 27), date(2026, 3, 1)) == [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]
    with pytest.raises(ConfigError, match="--from 2026-03-02 comes after --to 2026-03-01"):
        days(date(2026, 3, 2), date(2026, 3, 1))


def test_a_zone_that_is_none_is_named_with_its_setting() -> None:
    with pytest.raises(ConfigError, match=r"\[score\] timezone: there is no time zone 'Europe/Pari'"):
        midnight(date(2026, 1, 1), zone="Europe/Pari")

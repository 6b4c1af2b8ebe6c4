"""Times mean what the declared clock says, and a row's month gives it a place in that month."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError
from pipelines.dates import Moments, micros_of, moments, month_numbers, spread_over_months

years = {"min_value": datetime(1970, 1, 2), "max_value": datetime(2199, 12, 31)}  # noqa: DTZ001
offsets = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))


def read(*texts: str | None, formats: tuple[str, ...] = ("iso",), zone: str | None = "UTC") -> Moments:
    return moments(pa.array(texts, pa.string()), formats=formats, zone=zone, where="file.csv: on")


@settings(deadline=None)
@given(st.lists(st.datetimes(**years, timezones=offsets), min_size=1, max_size=5), st.sampled_from("T "))
def test_times_with_an_offset_are_read_exactly_whatever_the_zone(times: list[datetime], sign: str) -> None:
    found = read(*(time.isoformat(sign) for time in times), zone=None)
    assert found.micros.tolist() == [micros_of(time) for time in times]
    assert found.valid.all()
    assert (found.local, found.shifted) == (0, 0)


@settings(deadline=None)
@given(st.datetimes(**years), st.sampled_from(["Europe/Paris", "America/Sao_Paulo", "Asia/Kolkata", "UTC"]))
def test_times_without_an_offset_are_read_by_the_zones_clock(time: datetime, zone: str) -> None:
    local = time.replace(tzinfo=ZoneInfo(zone))
    found = read(time.isoformat(), zone=zone)
    assert found.local == 1
    if local.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == time:  # not in a skipped hour
        assert found.micros.tolist() == [micros_of(local)]
    else:
        assert found.shifted == 1


def test_clock_changes_are_resolved_as_documented_and_counted() -> None:
    found = read("2024-03-31 02:30", "2024-03-31 03:00", "2024-10-27 02:30", "2024-10-27 03:00", zone="Europe/Paris")
    hours = [str(moment)[11:16] for moment in found.micros.astype("datetime64[us]")]
    assert hours == ["01:00", "01:00", "00:30", "02:00"]
    assert (found.local, found.shifted) == (4, 2)
    # A day begins at its first moment, also where midnight itself is skipped.
    assert str(read("2018-11-04", zone="America/Sao_Paulo").micros.astype("datetime64[us]")[0])[:13] == "2018-11-04T03"


@pytest.mark.parametrize(
    "text", ["", "soon", "2024", "20240501", "2024-5-1", "2024-02-30", "2024-W18-3", "2024-05-01T24:00", "1714521600"]
)
def test_what_is_not_iso_is_no_date(text: str) -> None:
    assert not read(text, None).valid.any()


def test_formats_are_tried_in_order() -> None:
    found = read("03/04/2024", "1714521600", "1714521600000", formats=("iso", "%d/%m/%Y", "epoch_s", "epoch_ms"))
    assert [str(day)[:10] for day in found.micros.astype("datetime64[us]")] == [
        "2024-04-03",
        "2024-05-01",
        "2024-05-01",
    ]
    assert read("3 May 2024 10:00 +0200", formats=("%d %B %Y %H:%M %z",), zone=None).valid.all()


@pytest.mark.parametrize(
    ("text", "pattern"), [("03-04-2024", "%d-%m-%Y"), ("3/4/24 10:00", "%d/%m/%y %H:%M"), ("13.04.24", "%d.%m.%y")]
)
def test_dates_that_could_be_swapped_are_refused_with_the_setting(text: str, pattern: str) -> None:
    with pytest.raises(InputError, match=rf'file.csv: on is written like {text!r}.* formats = \["{pattern}"\] for day'):
        read("2024-01-01", text)


@given(st.lists(st.integers(0, 12), max_size=40))
def test_rows_are_spread_over_their_months_in_order(months: list[int]) -> None:
    found = spread_over_months(np.array(months, np.int8), first_year=2008)
    known = [(month, moment) for month, moment in zip(months, found.tolist(), strict=True) if month]
    assert all(moment == 0 for month, moment in zip(months, found.tolist(), strict=True) if not month)
    moments_only = [moment for _, moment in known]
    assert moments_only == sorted(set(moments_only))
    for month, moment in known:
        assert datetime.fromtimestamp(moment // 1_000_000, UTC).month == month


def test_month_names() -> None:
    assert month_numbers(pa.array(["may", "May", "MAY", "5", "05", "Mai", None, "sept"])).tolist() == [5] * 5 + [
        0,
        0,
        9,
    ]

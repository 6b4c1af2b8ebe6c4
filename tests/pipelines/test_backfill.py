"""Several nights in one go: past days by what was known then, missed nights with the release of that night."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from features.errors import ConfigError
from pipelines import nights
from pipelines.backfill import Skipped, backfill, catch_up
from pipelines.doctor import examine
from pipelines.score import Job, ScoreReport, cache_of
from pipelines.status import status_of
from tests.pipelines.conftest import World, second_version
from tests.signed import approve_and_promote


@pytest.fixture
def world(world_on: World) -> World:
    """A world of its own for each test, on each engine in turn."""
    return world_on


def day(world: World, later: int = 0) -> date:
    return (world.as_of + timedelta(days=later)).date()


def clock(world: World, later: int) -> Any:
    """A clock that says two in the morning of so many days after the run that is published."""
    return lambda: world.as_of + timedelta(days=later, hours=2)


def filled(world: World, first: int, last: int, *, today: int = 9, **job: Any) -> list[ScoreReport | Skipped]:
    with world.open() as store:
        return list(
            backfill(
                store, world.settings(), world.tracking(), first=day(world, first), last=day(world, last),
                clock=clock(world, today), job=Job(**job),
            )
        )  # fmt: skip


def caught_up(world: World, *, today: int) -> list[ScoreReport | Skipped]:
    with world.open() as store:
        return list(catch_up(store, world.settings(), world.tracking(), clock=clock(world, today), job=Job()))


def scores_of(world: World, run: str | None) -> pd.DataFrame:
    with world.open(read_only=True) as store:
        rows = store.arrow("SELECT * FROM scores WHERE run_id = $1 ORDER BY lead_id", [run]).to_pandas()
    return rows.drop(columns="run_id")


def test_a_past_day_is_scored_by_what_was_known_then_and_gives_the_scores_of_that_day(world: World) -> None:
    night = world.score(days_later=3)
    before = scores_of(world, night.run_id)
    # The same day again, after five more days of leads: forced, for the release is the same.
    (again,) = filled(world, 3, 3, supersede="to compare")
    assert isinstance(again, ScoreReport)
    assert (again.status, again.mode) == ("published", "backfill")
    pd.testing.assert_frame_equal(scores_of(world, again.run_id), before, check_exact=True)
    with world.open(read_only=True) as store:
        assert store.rows("SELECT mode FROM runs WHERE run_id = $1", [again.run_id]) == [("backfill",)]


def test_a_range_is_filled_day_by_day_and_what_is_there_stays(world: World) -> None:
    reports = filled(world, -1, 2)
    assert [report.status for report in reports] == ["published", "unchanged", "published", "published"]
    assert [report.as_of[:10] for report in reports] == [day(world, n).isoformat() for n in (-1, 0, 1, 2)]
    assert [report.status for report in filled(world, -1, 2)] == ["unchanged"] * 4
    with world.open(read_only=True) as store:
        # Filling the past does not change what is current.
        assert store.rows("SELECT max(epoch_us(as_of)) FROM current_scores") == store.rows(
            "SELECT max(epoch_us(as_of)) FROM published"
        )


def test_a_day_of_another_release_is_kept_unless_a_reason_is_given(world: World) -> None:
    version = second_version(world)
    with world.open() as store:
        settings, now = world.settings(), clock(world, 1)()
        approve_and_promote(store, world.tracking(), cache_of(settings), settings, version=version, now=now)
    kept, new = filled(world, 0, 1)
    assert isinstance(kept, Skipped)
    assert kept.status == "kept"
    assert "version 1 is published for it; --supersede --reason" in kept.why
    assert (new.status, new.model_version) == ("published", version)  # type: ignore[union-attr]
    over, _ = filled(world, 0, 1, supersede="a better model")
    assert (over.status, over.model_version) == ("published", version)  # type: ignore[union-attr]


def test_a_range_that_reaches_into_the_future_is_refused(world: World) -> None:
    with pytest.raises(ConfigError, match=r"--to .* lies in the future"):
        filled(world, 0, 3, today=2)


def test_missed_nights_are_seen_and_filled_each_with_the_release_of_that_night(world: World) -> None:
    # Version 1 since before the first night, version 2 from the evening of day 2 on; days 1 to 3 are missed.
    version = second_version(world)
    with world.open() as store:
        store.change("UPDATE promotions SET promoted_at = $1", [world.as_of - timedelta(days=30)])
        settings, now = world.settings(), clock(world, 2)()
        approve_and_promote(store, world.tracking(), cache_of(settings), settings, version=version, now=now)
        facts = status_of(store, zone="UTC", now=clock(world, 4)())
        found = examine(store, world.settings(), world.tracking(), now=clock(world, 4)())
    assert facts["missing_days"] == [day(world, n).isoformat() for n in (1, 2, 3, 4)]
    (missing,) = [finding for finding in found if finding.what == "missing nights"]
    assert missing.next == "leadscore score --catch-up"
    reports = caught_up(world, today=4)
    told = [(report.as_of[:10], report.status, getattr(report, "mode", None)) for report in reports]
    assert told == [
        (day(world, 4).isoformat(), "published", "nightly"),
        *((day(world, n).isoformat(), "published", "catch-up") for n in (1, 2, 3)),
    ]
    versions = [report.model_version for report in reports]  # type: ignore[union-attr]
    assert versions == [version, "1", "1", version]
    with world.open(read_only=True) as store:
        assert status_of(store, zone="UTC", now=clock(world, 4)())["missing_days"] == []
    assert [report.status for report in caught_up(world, today=4)] == ["unchanged"]


def test_a_night_before_the_first_champion_is_left_out_and_said_so(world: World) -> None:
    with world.open() as store:
        store.change("UPDATE promotions SET promoted_at = $1", [world.as_of + timedelta(days=1, hours=12)])
    today, first, second = caught_up(world, today=2), None, None
    assert [report.status for report in today] == ["published", "skipped"]
    assert isinstance(today[1], Skipped)
    assert "no version was champion then" in today[1].why
    assert first is second is None


def test_days_are_those_of_the_configured_zone(world: World) -> None:
    settings = world.settings(score__timezone="Asia/Kathmandu")
    with world.open() as store:
        (report,) = backfill(
            store, settings, world.tracking(), first=day(world), last=day(world), clock=clock(world, 9), job=Job()
        )
    assert isinstance(report, ScoreReport)
    as_of = datetime.fromisoformat(report.as_of)
    assert as_of == nights.midnight(day(world), zone="Asia/Kathmandu")
    assert (as_of.astimezone(UTC).hour, as_of.astimezone(UTC).minute) == (18, 15)


def test_the_status_is_plain_data(world: World) -> None:
    with world.open(read_only=True) as store:
        facts = json.loads(json.dumps(status_of(store, zone="UTC", now=clock(world, 2)()), allow_nan=False))
    assert facts["published"]["model_version"] == "1"
    assert facts["published"]["scored"] == world.scored.scored
    assert facts["published"]["age_days"] == pytest.approx(2 + 2 / 24, abs=0.01)
    assert facts["runs"][0]["status"] == "published"
    assert facts["runs"][0]["excluded"] == world.scored.excluded
    assert facts["runs"][0]["seconds"] is not None

"""Nights that follow one another: who moves and why, what is remembered, and the word of people in between."""

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.errors import AuditRefused
from features.tables import MICROSECONDS_PER_DAY as DAY
from pipelines import stage_changes
from pipelines.report import print_scoring
from pipelines.stage_changes import Night, compared
from pipelines.synthetic import SimulatedStore
from serve.stage_memory import KEPT_UP, SENT_BACK, LastNight
from serve.stages import StageLimits, recommend
from tests.benchmarks.sixty_nights import counted, flaps
from tests.pipelines.conftest import World
from tests.serve.stage_data import LEAD, as_signals

TIME = pa.timestamp("us", tz="UTC")


@pytest.fixture
def world(world_on: World) -> World:
    """A world of its own for each test, on each engine in turn."""
    return world_on


def scores_of(world: World, run: str | None) -> pd.DataFrame:
    with world.open(read_only=True) as store:
        rows: pd.DataFrame = store.arrow("SELECT * FROM scores WHERE run_id = $1", [run]).to_pandas()
    return rows.set_index("lead_id").sort_index()


def record(world: World, changes: list[tuple[str, str]], *, hours: int) -> None:
    """People record stages so many hours after the published night."""
    entered = pa.array([world.as_of + timedelta(hours=hours)] * len(changes), TIME)
    columns: dict[str, Any] = {"lead_id": [lead for lead, _ in changes], "stage": [stage for _, stage in changes]}
    with world.open() as store:
        store.append("stage_changes", pa.table(columns | {"entered_at": entered, "known_at": entered}))


def test_a_night_remembers_the_one_before_it_and_says_who_moves(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.scored.changes is not None
    assert (world.scored.changes.since, world.scored.changes.moved) == (None, 0)
    dry = world.score(days_later=1, dry_run=True)
    report = world.score(days_later=1)
    found = report.changes
    assert found is not None
    assert dry.changes == found
    assert found.since is not None
    assert found.since.startswith(world.as_of.date().isoformat())

    before, after = scores_of(world, world.scored.run_id), scores_of(world, report.run_id)
    both = after.merge(before, left_index=True, right_index=True, suffixes=("", "_before"))
    moved = both[both["recommended_stage"] != both["recommended_stage_before"]]
    assert (found.compared, found.moved, found.share) == (len(both), len(moved), len(moved) / len(both))
    pairs = moved.groupby(["recommended_stage_before", "recommended_stage"]).size()
    assert {(a, b): n for a, row in found.matrix.items() for b, n in row.items()} == pairs.to_dict()
    assert 0 < len(found.examples) <= 10
    for one in found.examples:
        row = moved.loc[one.lead_id]
        assert (one.before, one.after) == (row["recommended_stage_before"], row["recommended_stage"])
        assert (one.probability, one.reason) == (row["probability"], row["stage_reason"])
    # What was recommended is kept a fifth below its limit: only those that had it.
    near = both[(both["probability"] < 0.05) & (both["probability"] >= 0.04)]
    kept = near["stage_reason"].str.contains("Keeps its stage: 5.0 % to enter it.", regex=False)
    assert kept.any()
    assert near[kept]["recommended_stage_before"].isin(["mql", "sal", "pql", "sql"]).all()

    # The same once more is the same, and says the same of it.
    again = world.score(days_later=1)
    assert again.status == "unchanged"
    assert again.changes == found
    json.dumps(again.as_dict(), allow_nan=False)
    print_scoring(dry)
    shown = capsys.readouterr().out
    assert f"Stage changes since {world.as_of:%Y-%m-%d}: {found.moved:,} of {found.compared:,} leads" in shown
    assert "Stage changes: from (down) to (across)" in shown
    assert found.examples[0].lead_id in shown


def test_a_dry_run_says_whether_the_night_would_be_stopped(world: World) -> None:
    found = world.score(days_later=1, dry_run=True)
    assert found.changes is not None
    assert found.changes.share > 0
    assert stage_changes.STOPPED not in " ".join(found.warnings)
    strict = world.settings(score__most_stage_changes_share=found.changes.share * 0.99)
    warned = world.score(days_later=1, settings=strict, dry_run=True)
    (said,) = [one for one in warned.warnings if one.startswith(stage_changes.STOPPED)]
    assert f"{found.changes.moved:,} of {found.changes.compared:,} leads get another stage than on" in said
    # And so it is.
    with pytest.raises(AuditRefused, match="more than \\[score\\] most_stage_changes_share"):
        world.score(days_later=1, settings=strict)
    # At the limit itself it comes through.
    exact = world.settings(score__most_stage_changes_share=found.changes.share)
    assert stage_changes.STOPPED not in " ".join(world.score(days_later=1, settings=exact, dry_run=True).warnings)
    assert world.score(days_later=1, settings=exact).status == "published"


def test_a_day_that_is_filled_in_later_reads_the_night_before_it(world: World) -> None:
    later = world.score(days_later=2)
    between = world.score(days_later=1)
    again = world.score(days_later=2, supersede="the day before is there now")
    since = [report.changes.since[:10] for report in (later, between, again) if report.changes and report.changes.since]
    day = [(world.as_of + timedelta(days=n)).date().isoformat() for n in (0, 0, 1)]
    assert since == day


def test_what_people_decide_between_two_nights_goes_before_the_model(world: World) -> None:
    before = scores_of(world, world.scored.run_id)
    with world.open(read_only=True) as store:
        customers = [
            str(lead) for (lead,) in store.rows(
                "SELECT lead_id FROM stage_changes WHERE stage = 'customer' AND known_at < $1 ORDER BY lead_id LIMIT 3",
                [world.as_of - timedelta(days=30)],
            )
        ]  # fmt: skip
        touched = {
            str(lead) for (lead,) in store.rows("SELECT lead_id FROM events WHERE known_at >= $1", [world.as_of])
        }
    calm = before[~before.index.isin(touched)]
    refused = calm[calm["recommended_stage"] == "sal"].index[:5].tolist()
    taken = calm[calm["recommended_stage"] == "lead"].index[:4].tolist()
    assert len(customers) == 3
    assert len(refused) == 5
    assert not set(customers) & set(before.index)
    plain = world.score(days_later=1, dry_run=True)
    record(world, [(lead, "recycled") for lead in (*refused, *customers)] + [(lead, "sal") for lead in taken], hours=9)
    report = world.score(days_later=1)
    after = scores_of(world, report.run_id)
    assert set(after.loc[refused, "recommended_stage"]) == {"recycled"}
    assert after.loc[refused, "stage_reason"].str.startswith("Sent back to recycled by people, no act since, ").all()
    assert set(after.loc[taken, "recommended_stage"]) == {"sal"}
    assert after.loc[taken, "stage_reason"].str.startswith("Accepted by sales as sal, ").all()
    told = {
        KEPT_UP: after["stage_reason"].str.startswith("Accepted by sales as ").sum(),
        SENT_BACK: after["stage_reason"].str.startswith("Sent back to ").sum(),
    }
    assert report.overridden == told
    # A customer that people recycled begins anew: it is scored again.
    assert set(customers) <= set(after.index)
    assert report.scored >= plain.scored + 3


def test_moves_are_counted_whatever_the_leads() -> None:
    scores = pd.DataFrame(
        {
            "lead_id": ["a", "b", "c", "d"],
            "probability": [0.1, 0.3, 0.2, 0.4],
            "recommended_stage": ["mql", "sal", "sal", "sal"],
            "stage_reason": ["r1", "r2", "r3", "r4"],
        }
    )
    rows = compared(scores, LastNight(7, {"a": "mql", "b": "mql", "c": "mql", "gone": "sql"}))
    assert rows["stage_reason"].tolist() == ["", "r2", "r3", ""]
    found = stage_changes.changes(rows, Night("r", 0))
    assert asdict(found) == {
        "since": "1970-01-01T00:00:00+00:00",
        "compared": 3,
        "moved": 2,
        "share": 2 / 3,
        "matrix": {"mql": {"sal": 2}},
        "examples": [{"lead_id": "b", "before": "mql", "after": "sal", "probability": 0.3, "reason": "r2"}],
    }
    none = stage_changes.changes(compared(scores.iloc[:0], None), None)
    assert (none.since, none.compared, none.moved, none.share, none.matrix, none.examples) == (None, 0, 0, 0.0, {}, [])


def test_leads_seldom_come_and_go_over_sixty_nights_of_their_true_probability(simulated: SimulatedStore) -> None:
    """Without memory, many do: probabilities of the process that made the store, at the default settings' limits."""
    leads = simulated.truth.lead_ids[::4]
    last = simulated.truth.end_us // DAY * DAY - 2 * DAY
    nights = np.array([simulated.true_probability(leads, last - n * DAY, 60) for n in range(60)])[::-1]
    nights = nights[:, ~np.isnan(nights).any(axis=0)]

    def share(keep: float) -> float:
        limits = StageLimits(
            mql_probability=0.05, sal_probability=0.15, sql_probability=0.15, pql_min_probability=0.05, keep_share=keep
        )
        signals, stages = as_signals([LEAD] * nights.shape[1]), [np.full(nights.shape[1], None, dtype=object)]
        for probability in nights:
            advice = recommend(probability, signals, limits, previous=stages[-1])
            stages.append(advice["recommended_stage"].to_numpy(object))
        told = np.array(stages[1:])
        return float(counted({str(lead): told[:, lead].tolist() for lead in range(told.shape[1])})["share of leads"])

    assert share(0.0) > 0.04
    assert share(0.2) < 0.01


def test_a_flap_is_a_move_that_is_undone_within_three_nights() -> None:
    assert flaps(["mql", "sal", "sal", "sal", "mql"]) == [1]
    assert flaps(["mql", "sal", "sal", "sal", "sal", "mql"]) == []
    assert flaps(["mql", None, "sal", "mql"]) == []
    found = counted({"ann": ["mql", "sal", "mql"], "bob": ["mql", "mql", "mql"], "new": [None, None, "mql"]})
    assert (found["leads"], found["share of leads"], found["share of lead-nights"], found["moves"]) == (2, 0.5, 0.25, 2)
    assert found["kinds"] == {"mql → sal → back": 1}

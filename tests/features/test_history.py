"""Stages as people had recorded them, and the signals that stages are recommended from."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.history import EPISODE_STARTS, QUALIFIED, entries, lead_codes, reached_as_of, stage_as_of
from features.kinds import ACTS, INTENT
from features.signals import signals
from features.tables import STAGES
from tests.features import data
from tests.features.data import AS_OF, DAY, TYPE_KINDS, Asked, Change, Event, Lead, World


def seen_changes(world: World, asked: Asked) -> list[Change]:
    """The changes of one lead that had happened and were known before as_of, oldest first."""
    mine = [c for c in world.changes if c.lead_id == asked.lead_id]
    seen = [c for c in mine if c.entered_at < asked.as_of and c.known_at < asked.as_of]
    return sorted(
        seen,
        key=lambda c: (
            c.entered_at, c.stage not in EPISODE_STARTS, max(c.entered_at, c.known_at), STAGES.index(c.stage)
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("on_one_day", "last"),
    [
        (("lead", "disqualified"), "disqualified"),
        (("customer", "opportunity"), "customer"),
        (("recycled", "customer"), "customer"),
        (("sal", "pql", "lead"), "pql"),
    ],
)
def test_of_what_happened_on_one_day_a_start_comes_first_and_what_is_further_on_last(
    on_one_day: tuple[str, ...], last: str
) -> None:
    """Records with days and no hours: who came and was disqualified on one day is disqualified."""
    changes = [Change("ann", stage, AS_OF - DAY, AS_OF - DAY) for stage in on_one_day]
    lead = Lead("ann", AS_OF - 9 * DAY, AS_OF - 9 * DAY)
    world = World(leads=[lead], changes=changes, asked=[Asked("ann", AS_OF)])
    assert stage_as_of(world.tables, world.snapshots)["stage"].tolist() == [last]


def episode(changes: list[Change], *, but: tuple[str, ...] = ()) -> list[Change]:
    """The changes of the present episode, its start included, out of those of one lead, oldest first."""
    starts = [c.entered_at for c in changes if c.stage in EPISODE_STARTS and c.stage not in but]
    return [c for c in changes if not starts or c.entered_at >= starts[-1]]


@data.few_examples
@given(data.worlds())
def test_the_stage_is_the_last_one_entered_of_those_known(world: World) -> None:
    snapshots = world.snapshots
    snapshots.index = pd.Index([f"row {n}" for n in range(len(snapshots))])
    found = stage_as_of(world.tables, snapshots)
    seen = [seen_changes(world, asked) for asked in world.asked]
    assert found["stage"].to_list() == [changes[-1].stage if changes else None for changes in seen]
    assert found["stage_before"].to_list() == [changes[-2].stage if len(changes) > 1 else None for changes in seen]
    days = [
        (asked.as_of - changes[-1].entered_at) / DAY if changes else np.nan
        for asked, changes in zip(world.asked, seen, strict=True)
    ]
    np.testing.assert_array_equal(found["days_in_stage"], days)
    assert found["was_qualified"].to_list() == [any(c.stage in QUALIFIED for c in episode(changes)) for changes in seen]
    assert found["was_qualified"].dtype == bool
    assert found.index.equals(snapshots.index)


@data.few_examples
@given(data.worlds(), st.sampled_from(STAGES))
def test_a_stage_is_reached_in_the_present_episode_or_not_at_all(world: World, stage: str) -> None:
    seen = [episode(seen_changes(world, asked), but=(stage,)) for asked in world.asked]
    wanted = [any(change.stage == stage for change in changes) for changes in seen]
    assert reached_as_of(world.tables, world.snapshots, stage).tolist() == wanted


def slow_entries(changes: list[Change], stage: str) -> list[tuple[str, int, int]]:
    """The first entry of each episode, one lead and one moment after the other."""
    found = []
    for lead in sorted({change.lead_id for change in changes}):
        mine = [change for change in changes if change.lead_id == lead]
        inside = False
        for moment in sorted({change.entered_at for change in mine}):
            now = [change for change in mine if change.entered_at == moment]
            if any(c.stage in EPISODE_STARTS and c.stage != stage for c in now):
                inside = False
            told = [max(c.known_at, moment) for c in now if c.stage == stage]
            if told and not inside:
                found.append((lead, moment, min(told)))
                inside = True
    return found


@data.few_examples
@given(data.worlds(), st.sampled_from(STAGES))
def test_an_entry_is_the_first_of_its_episode_and_known_when_that_very_one_was(world: World, stage: str) -> None:
    found = entries(world.tables, stage)
    assert list(found.itertuples(index=False, name=None)) == slow_entries(list(world.changes), stage)


@data.few_examples
@given(data.worlds(), st.sampled_from(STAGES))
def test_a_lead_that_is_in_no_episode_with_the_stage_can_enter_it(world: World, stage: str) -> None:
    """Where everything is known at once, the next record of the stage is an entry exactly where it was not reached."""
    world = replace(world, changes=[change._replace(known_at=change.entered_at) for change in world.changes])
    reached = reached_as_of(world.tables, world.snapshots, stage)
    for asked, inside in zip(world.asked, reached, strict=True):
        more = Change(asked.lead_id, stage, asked.as_of, asked.as_of)
        if more in world.changes or any(
            c.lead_id == asked.lead_id and c.entered_at == asked.as_of and c.stage in EPISODE_STARTS
            for c in world.changes
        ):
            continue
        found = entries(replace(world, changes=[*world.changes, more]).tables, stage)
        entered = ((found["lead_id"] == asked.lead_id) & (found["entered_at"] == asked.as_of)).any()
        assert entered == (not inside)


def test_a_stage_recorded_late_takes_its_place_in_the_order_of_entry() -> None:
    world = World(
        leads=[Lead("ann", 0, 0)],
        asked=[Asked("ann", AS_OF), Asked("ann", AS_OF + 3 * DAY)],
        changes=[
            Change("ann", "sql", AS_OF - DAY, AS_OF - DAY),
            Change("ann", "mql", AS_OF - 9 * DAY, AS_OF + DAY),
        ],
    )
    found = stage_as_of(world.tables, world.snapshots)
    assert found["stage"].to_list() == ["sql", "sql"]
    assert found["stage_before"].to_list() == [None, "mql"]
    assert found["days_in_stage"].to_list() == [1, 4]


def test_a_recycled_lead_was_not_qualified_and_a_recycled_customer_may_convert_again() -> None:
    path = ("mql", "sql", "customer", "recycled", "mql", "customer", "customer")
    world = World(
        leads=[Lead("ann", 0, 0)],
        asked=[Asked("ann", AS_OF + n * DAY + 1) for n in range(len(path))],
        changes=[Change("ann", stage, AS_OF + n * DAY, AS_OF + n * DAY) for n, stage in enumerate(path)],
    )
    found = stage_as_of(world.tables, world.snapshots)
    assert found["was_qualified"].to_list() == [True, True, True, False, True, True, True]
    assert (
        reached_as_of(world.tables, world.snapshots, "customer").tolist()
        == [False] * 2 + [True] + [False] * 2 + [True] * 2
    )
    assert entries(world.tables, "customer")["entered_at"].to_list() == [AS_OF + 2 * DAY, AS_OF + 5 * DAY]


def test_leads_are_numbered_by_their_place() -> None:
    world = World(leads=[Lead("b", 0, 0), Lead("a", 0, 0)])
    assert lead_codes(pd.Series(["a", "b", "nobody"]), world.tables).tolist() == [1, 0, -1]


def signals_of(world: World, kinds: dict[str, str] = TYPE_KINDS, **days: int) -> pd.DataFrame:
    return signals(world.tables, world.snapshots, kinds=kinds, **{"intent_days": 30, "product_use_days": 7, **days})


@data.few_examples
@given(data.worlds(), st.sampled_from((7, 30, 90)), st.sampled_from((7, 90)))
def test_signals_are_counted_as_features_are(world: World, intent_days: int, product_use_days: int) -> None:
    found = signals_of(world, intent_days=intent_days, product_use_days=product_use_days)

    def seen(asked: Asked, kinds: tuple[str, ...], days: int = 10**6) -> list[int]:
        return [
            e.occurred_at
            for e in world.events
            if e.lead_id == asked.lead_id and TYPE_KINDS.get(e.type) in kinds
            if asked.as_of - days * DAY <= e.occurred_at < asked.as_of and e.known_at < asked.as_of
        ]

    last_acts = [max(seen(asked, ACTS), default=np.nan) for asked in world.asked]
    wanted: dict[str, list[Any]] = {
        "explicit_intent": [bool(seen(asked, INTENT, intent_days)) for asked in world.asked],
        "product_use": [bool(seen(asked, ("product_use",), product_use_days)) for asked in world.asked],
        "was_qualified": [
            any(c.stage in QUALIFIED for c in episode(seen_changes(world, asked))) for asked in world.asked
        ],
    }
    for name, values in wanted.items():
        assert found[name].dtype == bool
        assert found[name].to_list() == values
    since = [(asked.as_of - last) / DAY for asked, last in zip(world.asked, last_acts, strict=True)]
    np.testing.assert_array_equal(found["days_since_act"].to_numpy(np.float64), since)
    stages = [seen_changes(world, asked) for asked in world.asked]
    assert found["human_stage"].to_list() == [changes[-1].stage if changes else None for changes in stages]
    pd.testing.assert_frame_equal(
        found[["stage_before", "days_in_stage"]],
        stage_as_of(world.tables, world.snapshots)[["stage_before", "days_in_stage"]],
    )


@data.few_examples
@given(data.worlds(least_asked=1))
def test_time_travel_of_stages_and_signals(world: World) -> None:
    as_of = world.asked[0].as_of
    world = replace(world, asked=[asked for asked in world.asked if asked.as_of == as_of])
    pd.testing.assert_frame_equal(signals_of(world), signals_of(world.before(as_of)))


def test_signals_of_a_store_that_has_none_of_the_kinds() -> None:
    world = World(
        leads=[Lead("ann", 0, 0)],
        asked=[Asked("ann", AS_OF)],
        events=[Event("ann", AS_OF - DAY, AS_OF - DAY, "W_Valideren")],
    )
    for kinds in ({}, {"W_Valideren": "w_valideren"}):
        found = signals_of(world, kinds).iloc[0]
        assert not found[["explicit_intent", "product_use", "was_qualified"]].any()
        assert np.isnan(found["days_since_act"])
        assert found["human_stage"] is None
    assert signals_of(replace(world, asked=[])).empty

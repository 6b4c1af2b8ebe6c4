"""Stages as people had recorded them, and the signals that stages are recommended from."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from features.history import QUALIFIED, first_entered, lead_codes, stage_as_of
from features.kinds import ACTS, INTENT
from features.signals import signals
from features.tables import STAGES
from tests.features import data
from tests.features.data import AS_OF, DAY, TYPE_KINDS, Asked, Change, Event, Lead, World


def seen_changes(world: World, asked: Asked) -> list[Change]:
    """The changes of one lead that had happened and were known before as_of, oldest first."""
    mine = [c for c in world.changes if c.lead_id == asked.lead_id]
    seen = [c for c in mine if c.entered_at < asked.as_of and c.known_at < asked.as_of]
    return sorted(seen, key=lambda c: (c.entered_at, max(c.entered_at, c.known_at), c.stage))


@data.few_examples
@given(data.worlds())
def test_the_stage_is_the_last_one_entered_of_those_known(world: World) -> None:
    snapshots = world.snapshots
    snapshots.index = pd.Index([f"row {n}" for n in range(len(snapshots))])
    found = stage_as_of(world.tables, snapshots)
    seen = [seen_changes(world, asked) for asked in world.asked]
    assert found["stage"].to_list() == [changes[-1].stage if changes else None for changes in seen]
    assert found["was_qualified"].to_list() == [any(c.stage in QUALIFIED for c in changes) for changes in seen]
    assert found["was_qualified"].dtype == bool
    assert found.index.equals(snapshots.index)


@data.few_examples
@given(data.worlds(), st.sets(st.sampled_from(STAGES), min_size=1, max_size=4))
def test_first_entered_is_the_first_entry_and_when_the_first_was_known(world: World, stages: set[str]) -> None:
    found = first_entered(world.tables, stages)
    entered = [change for change in world.changes if change.stage in stages]
    wanted = {
        lead: (
            min(c.entered_at for c in entered if c.lead_id == lead),
            min(max(c.entered_at, c.known_at) for c in entered if c.lead_id == lead),
        )
        for lead in sorted({change.lead_id for change in entered})
    }
    assert dict(zip(found.index, found.itertuples(index=False, name=None), strict=True)) == wanted


def test_a_stage_recorded_late_takes_its_place_in_the_order_of_entry() -> None:
    world = World(
        leads=[Lead("ann", 0, 0)],
        asked=[Asked("ann", AS_OF), Asked("ann", AS_OF + 3 * DAY)],
        changes=[
            Change("ann", "recycled", AS_OF - DAY, AS_OF - DAY),
            Change("ann", "mql", AS_OF - 9 * DAY, AS_OF + DAY),
        ],
    )
    found = stage_as_of(world.tables, world.snapshots)
    assert found["stage"].to_list() == ["recycled", "recycled"]
    assert found["was_qualified"].to_list() == [False, True]


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
        "was_qualified": [any(c.stage in QUALIFIED for c in seen_changes(world, asked)) for asked in world.asked],
    }
    for name, values in wanted.items():
        assert found[name].dtype == bool
        assert found[name].to_list() == values
    since = [(asked.as_of - last) / DAY for asked, last in zip(world.asked, last_acts, strict=True)]
    np.testing.assert_array_equal(found["days_since_act"].to_numpy(np.float64), since)
    stages = [seen_changes(world, asked) for asked in world.asked]
    assert found["human_stage"].to_list() == [changes[-1].stage if changes else None for changes in stages]


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

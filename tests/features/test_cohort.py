"""Who is eligible, and why the others are not."""

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import cohort
from features.cohort import DISQUALIFIED, IN_TARGET_STAGE, NO_VOLUNTARY_ACT, NOT_YET_KNOWN, OBJECTS, eligible
from features.history import EPISODE_STARTS
from features.tables import STAGES
from tests.features import data
from tests.features.data import AS_OF, DAY, Asked, Change, Event, Lead, Objection, World

STAGE = st.sampled_from(STAGES)
#: Types that worlds draw from; None when every lead counts.
VOLUNTARY = st.none() | st.sets(st.sampled_from([*data.TYPE_KINDS, data.UNKNOWN_TYPE]), min_size=8)


def verdict(world: World, asked: Asked, *, target_stage: str, voluntary: set[str] | None) -> str | None:
    """Why one lead is not eligible, the slow and obvious way; None when it is."""
    as_of = asked.as_of
    lead = next(lead for lead in world.leads if lead.lead_id == asked.lead_id)
    changes = [c for c in world.changes if c.lead_id == lead.lead_id and c.entered_at < as_of and c.known_at < as_of]
    last = max(changes, key=lambda c: (c.entered_at, max(c.entered_at, c.known_at), c.stage), default=None)
    acts = [
        event
        for event in world.events
        if event.lead_id == lead.lead_id and event.occurred_at < as_of and event.known_at < as_of
    ]
    if lead.created_at >= as_of or lead.known_at >= as_of:
        return NOT_YET_KNOWN
    if any(row.lead_id == lead.lead_id for row in world.objections):
        return OBJECTS
    starts = [c.entered_at for c in changes if c.stage in EPISODE_STARTS and c.stage != target_stage]
    if any(c.stage == target_stage and c.entered_at >= max(starts, default=c.entered_at) for c in changes):
        return IN_TARGET_STAGE
    if last is not None and last.stage == "disqualified":
        return DISQUALIFIED
    if voluntary is not None and not any(event.type in voluntary for event in acts):
        return NO_VOLUNTARY_ACT
    return None


# Laws


@data.few_examples
@given(data.worlds(), STAGE, VOLUNTARY)
def test_the_cohort_is_what_each_lead_deserves_and_its_counts_add_up(
    world: World, target_stage: str, voluntary: set[str] | None
) -> None:
    found = eligible(world.tables, world.snapshots, target_stage=target_stage, voluntary_types=voluntary)
    verdicts = [verdict(world, asked, target_stage=target_stage, voluntary=voluntary) for asked in world.asked]
    kept = [asked for asked, reason in zip(world.asked, verdicts, strict=True) if reason is None]
    assert list(found.snapshots.itertuples(index=False, name=None)) == kept
    assert dict(found.excluded) == {reason: verdicts.count(reason) for reason in cohort.REASONS if reason in verdicts}
    assert len(found.snapshots) + sum(found.excluded.values()) == len(world.asked)


@data.few_examples
@given(data.worlds(least_asked=1), STAGE, VOLUNTARY)
def test_time_travel_eligibility_does_not_know_the_future_except_of_objections(
    world: World, target_stage: str, voluntary: set[str] | None
) -> None:
    as_of = world.asked[0].as_of
    world = replace(world, asked=[asked for asked in world.asked if asked.as_of == as_of])
    now = eligible(world.tables, world.snapshots, target_stage=target_stage, voluntary_types=voluntary)
    past = world.before(as_of)  # objections and leads stay
    then = eligible(past.tables, past.snapshots, target_stage=target_stage, voluntary_types=voluntary)
    pd.testing.assert_frame_equal(now.snapshots, then.snapshots)
    assert now.excluded == then.excluded


# Examples

HERE = Lead("ann", AS_OF - 30 * DAY, AS_OF - 30 * DAY)
ACTED = Event("ann", AS_OF - 20 * DAY, AS_OF - 20 * DAY, "form")
ELIGIBLE = World(leads=[HERE], asked=[Asked("ann", AS_OF)], events=[ACTED])


def became(stage: str, entered: int = -10 * DAY, known: int = -10 * DAY) -> Change:
    return Change("ann", stage, AS_OF + entered, AS_OF + known)


@pytest.mark.parametrize(
    ("world", "reason"),
    [
        (ELIGIBLE, None),
        (replace(ELIGIBLE, leads=[HERE._replace(known_at=AS_OF)]), NOT_YET_KNOWN),
        (replace(ELIGIBLE, leads=[HERE._replace(created_at=AS_OF)]), NOT_YET_KNOWN),
        (replace(ELIGIBLE, leads=[HERE._replace(created_at=AS_OF - 1, known_at=AS_OF - 1)]), None),
        (replace(ELIGIBLE, objections=[Objection("ann", AS_OF + 900 * DAY)]), OBJECTS),
        (replace(ELIGIBLE, objections=[Objection("bob", AS_OF)]), None),
        (replace(ELIGIBLE, changes=[became("customer")]), IN_TARGET_STAGE),
        # A customer is done with, until people record that it is not.
        (replace(ELIGIBLE, changes=[became("customer"), became("recycled", -DAY, -DAY)]), None),
        (replace(ELIGIBLE, changes=[became("customer"), became("lead", -DAY, -DAY)]), None),
        (replace(ELIGIBLE, changes=[became("customer"), became("recycled", -DAY, 0)]), IN_TARGET_STAGE),
        (replace(ELIGIBLE, changes=[became("customer"), became("recycled", 0, -DAY)]), IN_TARGET_STAGE),
        (replace(ELIGIBLE, changes=[became("customer"), became("recycled")]), IN_TARGET_STAGE),
        (replace(ELIGIBLE, changes=[became("customer"), became("mql", -DAY, -DAY)]), IN_TARGET_STAGE),
        (
            replace(
                ELIGIBLE, changes=[became("customer", -9 * DAY), became("recycled", -8 * DAY), became("customer", -1)]
            ),
            IN_TARGET_STAGE,
        ),
        (replace(ELIGIBLE, changes=[became("customer", -1, -1)]), IN_TARGET_STAGE),
        (replace(ELIGIBLE, changes=[became("customer", -1, 0)]), None),
        (replace(ELIGIBLE, changes=[became("customer", 0, -1)]), None),
        (replace(ELIGIBLE, changes=[became("opportunity")]), None),
        (replace(ELIGIBLE, changes=[became("disqualified")]), DISQUALIFIED),
        (replace(ELIGIBLE, changes=[became("disqualified"), became("mql", -DAY, -DAY)]), None),
        (replace(ELIGIBLE, changes=[became("disqualified", -DAY, DAY)]), None),
        (replace(ELIGIBLE, events=[]), NO_VOLUNTARY_ACT),
        (replace(ELIGIBLE, events=[ACTED._replace(type="email_opened")]), NO_VOLUNTARY_ACT),
        (replace(ELIGIBLE, events=[ACTED._replace(known_at=AS_OF)]), NO_VOLUNTARY_ACT),
        (replace(ELIGIBLE, events=[ACTED._replace(lead_id="bob")]), NO_VOLUNTARY_ACT),
        # Of several reasons the first one counts.
        (replace(ELIGIBLE, objections=[Objection("ann", 0)], changes=[became("customer")]), OBJECTS),
        (replace(ELIGIBLE, changes=[became("customer"), became("disqualified", -DAY, -DAY)]), IN_TARGET_STAGE),
        (replace(ELIGIBLE, changes=[became("disqualified")], events=[]), DISQUALIFIED),
    ],
)
def test_each_reason(world: World, reason: str | None) -> None:
    found = eligible(world.tables, world.snapshots, target_stage="customer", voluntary_types=["form"])
    assert dict(found.excluded) == ({} if reason is None else {reason: 1})
    assert len(found.snapshots) == (reason is None)
    assert cohort.REASONS == (NOT_YET_KNOWN, OBJECTS, IN_TARGET_STAGE, DISQUALIFIED, NO_VOLUNTARY_ACT)


def test_every_lead_counts_where_acts_say_nothing() -> None:
    world = replace(ELIGIBLE, events=[])
    assert len(eligible(world.tables, world.snapshots, target_stage="customer", voluntary_types=None).snapshots) == 1
    nobody = World(leads=[])
    assert eligible(nobody.tables, nobody.snapshots, target_stage="sql", voluntary_types=["form"]).snapshots.empty

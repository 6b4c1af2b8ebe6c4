"""The training frame: which snapshots there are, which of them are mature, and that nothing later than it is in it."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.catalogue import Catalogue
from features.kinds import kinds_of
from features.tables import MICROSECONDS_PER_DAY as DAY
from pipelines import config, demo
from pipelines.snapshots import TrainingFrame, When, candidates, training_frame, voluntary_types
from pipelines.store import LeadStore
from pipelines.synthetic import SimulatedStore, simulate
from pipelines.train import read_catalogue
from tests.features.data import Lead, World
from tests.stores import memory_store

# Which snapshots there are ------------------------------------------------------------------------------------------

moments = st.integers(0, 40 * 4).map(lambda quarters: quarters * DAY // 4) | st.integers(0, 40 * DAY)


@st.composite
def leads(draw: st.DrawFn) -> list[Lead]:
    drawn = draw(st.lists(st.tuples(moments, moments), max_size=5))
    return [Lead(f"lead-{number}", created, known) for number, (created, known) in enumerate(drawn)]


def asked(rows: list[Lead], when: When, *, first: int, until: int) -> list[tuple[str, int]]:
    frame = candidates(World(rows).tables, when=when, first=first, until=until)
    assert list(frame.columns) == ["lead_id", "as_of"]
    return sorted(zip(frame["lead_id"].tolist(), frame["as_of"].tolist(), strict=True))


@given(rows=leads(), every=st.integers(1, 9), first=moments, until=moments)
def test_on_a_calendar_a_lead_is_looked_at_on_each_of_its_days_once_it_is_known(
    rows: list[Lead], every: int, first: int, until: int
) -> None:
    expected = [
        (lead.lead_id, day * DAY)
        for lead in rows
        for day in range(42)
        if day % every == 0 and first < day * DAY <= until and lead.created_at < day * DAY and lead.known_at < day * DAY
    ]
    assert asked(rows, When("calendar", every, (0.0,)), first=first, until=until) == sorted(expected)


@given(rows=leads(), days=st.lists(st.sampled_from([0.0, 0.5, 1.0, 7.0]), min_size=1, unique=True), until=moments)
def test_after_creation_a_lead_is_looked_at_so_many_days_later(rows: list[Lead], days: list[float], until: int) -> None:
    expected = []
    for lead in rows:
        for after in days:
            as_of = lead.created_at + (int(after * DAY) or 1)
            if as_of <= until:
                expected.append((lead.lead_id, as_of))
    assert asked(rows, When("creation", 30, tuple(days)), first=0, until=until) == sorted(expected)


# The frame -----------------------------------------------------------------------------------------------------------

HORIZON = 60
CALENDAR, CREATION = When("calendar", 30, (0.0,)), When("creation", 30, (3.0, 20.0))
SETTINGS = config.load(environment={})


def filled(tables: SimulatedStore) -> LeadStore:
    store = memory_store()
    demo.fill(store, tables)
    return store


@pytest.fixture(scope="module")
def simulation() -> SimulatedStore:
    return simulate(leads=250, seed=5)


@pytest.fixture(scope="module")
def store(simulation: SimulatedStore) -> Iterator[LeadStore]:
    with filled(simulation) as opened:
        yield opened


@pytest.fixture(scope="module")
def middle(store: LeadStore) -> int:
    """A moment with much before it and much after."""
    inventory = store.inventory()
    return (inventory.first_created_at + 2 * inventory.known_until) // 3


def columns_of(store: LeadStore, until: int) -> Catalogue:
    return read_catalogue(store.inventory(until=until), SETTINGS)


def frame_of(store: LeadStore, until: int, **given: Any) -> TrainingFrame:
    inventory = store.inventory(until=until)
    wanted: dict[str, Any] = {
        "when": CALENDAR,
        "target_stage": "customer",
        "horizon_days": HORIZON,
        "voluntary": voluntary_types(inventory, kinds_of(inventory.event_types, {}), []),
        "first": inventory.first_created_at,
        "most": 1_000_000,
        "range_leads": 100_000,
    }
    return training_frame(store, columns_of(store, until), until=until, **wanted | given)


def assert_same(one: TrainingFrame, other: TrainingFrame) -> None:
    pd.testing.assert_frame_equal(one.frame, other.frame, check_exact=True)
    np.testing.assert_array_equal(one.outcome, other.outcome)
    assert one.digest() == other.digest()
    assert (one.sampled_share, one.dropped_immature, one.excluded) == (
        other.sampled_share,
        other.dropped_immature,
        other.excluded,
    )


def test_a_frame_has_one_row_per_mature_snapshot_in_order_of_time(store: LeadStore, middle: int) -> None:
    data = frame_of(store, middle)
    assert data.frame.index.is_unique
    assert len(data.outcome) > 200
    assert set(np.unique(data.outcome)) == {0, 1}
    assert data.frame.index.tolist() == sorted(data.frame.index, key=lambda key: (key[1], key[0]))
    # Mature means that the whole horizon is past, so no snapshot lies at until or after it.
    assert max(data.as_of) + HORIZON * DAY <= middle


@pytest.mark.parametrize("when", [CALENDAR, CREATION], ids=["calendar", "creation"])
def test_immature_snapshots_are_dropped_whole_and_counted(store: LeadStore, middle: int, when: When) -> None:
    data = frame_of(store, middle, when=when)
    tables = store.read("", "z")
    every = candidates(tables, when=when, first=store.inventory().first_created_at, until=middle)
    immature = every["as_of"] + HORIZON * DAY > middle
    assert data.dropped_immature == int(immature.sum()) > 0
    assert len(data.outcome) + sum(data.excluded.values()) == int((~immature).sum())
    longer = frame_of(store, middle, when=when, horizon_days=HORIZON + 30)
    assert set(longer.frame.index) < set(data.frame.index)


def test_outcomes_are_those_of_the_tables(store: LeadStore, simulation: SimulatedStore, middle: int) -> None:
    data = frame_of(store, middle)
    bought = simulation.stage_changes.filter(pc.equal(simulation.stage_changes["stage"], "customer"))
    known = pc.less(pc.cast(bought["known_at"], pa.int64()), middle)
    entered = dict(
        zip(bought.filter(known)["lead_id"].to_pylist(), np.asarray(bought.filter(known)["entered_at"]), strict=True)
    )
    expected = [
        lead in entered and as_of <= entered[lead].astype("datetime64[us]").astype(int) < as_of + HORIZON * DAY
        for lead, as_of in data.frame.index
    ]
    np.testing.assert_array_equal(data.outcome, np.array(expected, np.int64))


def test_ranges_change_nothing(store: LeadStore, middle: int) -> None:
    assert_same(frame_of(store, middle, most=300, range_leads=30), frame_of(store, middle, most=300))


def test_one_lead_at_a_time_gives_the_same_as_all_at_once() -> None:
    with filled(simulate(leads=25, seed=5)) as few:
        until = few.inventory().known_until
        assert_same(frame_of(few, until, range_leads=1), frame_of(few, until))


def only(simulation: SimulatedStore, until: int) -> SimulatedStore:
    """What was known of it before `until`. Objections count whenever they were said, so they stay."""
    parts: Mapping[str, pa.Table] = {
        name: table.filter(pc.less(pc.cast(table["known_at"], pa.int64()), until))
        for name, table in simulation.tables().items()
        if "known_at" in table.column_names
    }
    return SimulatedStore(**vars(simulation) | parts)


@pytest.mark.parametrize("most", [200, 1_000_000])
@pytest.mark.parametrize("when", [CALENDAR, CREATION], ids=["calendar", "creation"])
def test_what_is_known_at_until_or_later_changes_nothing(
    store: LeadStore, simulation: SimulatedStore, middle: int, when: When, most: int
) -> None:
    with filled(only(simulation, middle)) as earlier:
        then, now = frame_of(earlier, middle, when=when, most=most), frame_of(store, middle, when=when, most=most)
    pd.testing.assert_frame_equal(now.frame, then.frame, check_exact=True)
    np.testing.assert_array_equal(now.outcome, then.outcome)
    assert now.sampled_share == then.sampled_share


def test_what_came_in_late_changes_nothing_either(simulation: SimulatedStore, middle: int) -> None:
    """Rows known only from `until` on, about times long before it: a lead, profiles, acts, and a purchase of each."""
    with filled(simulation) as store:
        before = frame_of(store, middle)
        past = middle - 200 * DAY
        late = store.arrow("SELECT lead_id FROM leads ORDER BY lead_id").column("lead_id").to_pylist()

        def rows(**columns: Any) -> pa.Table:
            filled = {
                name: value if isinstance(value, list) else [value] * len(late) for name, value in columns.items()
            }
            times = pa.timestamp("us", tz="UTC")
            return pa.table({n: pa.array(v).cast(times) if n.endswith("_at") else v for n, v in filled.items()})

        store.append("leads", rows(lead_id=[f"{lead}-late" for lead in late], created_at=past, known_at=middle))
        store.append("profiles", rows(lead_id=late, known_at=middle, job_title="CEO", attributes='{"employees": "9"}'))
        ids = [f"late-{number}" for number in range(len(late))]
        store.append(
            "events",
            rows(event_id=ids, lead_id=late, occurred_at=past, known_at=middle, type="demo_request", value=1.0),
        )
        store.append("stage_changes", rows(lead_id=late, stage="customer", entered_at=past, known_at=middle))
        after = frame_of(store, middle)
    pd.testing.assert_frame_equal(after.frame, before.frame, check_exact=True)
    np.testing.assert_array_equal(after.outcome, before.outcome)


@pytest.mark.parametrize("when", [CALENDAR, CREATION], ids=["calendar", "creation"])
def test_a_sample_is_of_whole_leads_and_the_same_each_time(store: LeadStore, middle: int, when: When) -> None:
    every = frame_of(store, middle, when=when)
    # Ineligible snapshots count too: who is eligible is known only once they are read.
    most = (len(every.outcome) + sum(every.excluded.values())) // 3
    drawn = frame_of(store, middle, when=when, most=most)
    assert every.sampled_share == 1
    assert drawn.sampled_share == pytest.approx(1 / 3, abs=0.01)
    assert 0.5 * most < len(drawn.outcome) + sum(drawn.excluded.values()) < 1.5 * most
    kept = every.frame.index.get_level_values("lead_id").isin(drawn.lead_id)
    pd.testing.assert_frame_equal(drawn.frame, every.frame[kept], check_exact=True)
    np.testing.assert_array_equal(drawn.outcome, every.outcome[kept])
    assert_same(drawn, frame_of(store, middle, when=when, most=most))


def test_more_is_drawn_by_adding_leads(store: LeadStore, middle: int) -> None:
    few, more = (set(frame_of(store, middle, most=most).lead_id) for most in (300, 600))
    assert few < more


@pytest.mark.parametrize(
    ("types", "voluntary", "expected"),
    [
        (["page", "form", "demo_request"], [], ["form", "demo_request"]),
        (["page", "form", "demo_request"], ["page"], ["page"]),
        (["Filled a form", "page"], [], ["Filled a form"]),
        (["page", "email_opened"], [], None),
        ([], [], None),
    ],
)
def test_voluntary_types(store: LeadStore, types: list[str], voluntary: list[str], expected: list[str] | None) -> None:
    inventory = store.inventory()
    counted = type(inventory)(**vars(inventory) | {"event_types": dict.fromkeys(types, 1)})
    assert voluntary_types(counted, kinds_of(types, {"Filled a form": "form"}), voluntary) == expected

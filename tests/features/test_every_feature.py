"""The laws that every feature obeys; nobody who adds one writes anything here.

The whole frame is computed for each example, over a catalogue that holds every column there is: those of the families,
of own kinds, and of declared attributes of every type. A failure names the columns.
"""

import copy
import random
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.build import describe
from features.catalogue import FAMILIES
from features.declare import Column
from features.kinds import identifier
from features.tables import LeadTables
from pipelines.store import LeadStore
from tests.features import data, oracle
from tests.features.data import CATALOGUE, DAY, Event, Profile, World

SEEDS = st.integers(0, 2**32 - 1)


def described(world: World) -> pd.DataFrame:
    return describe(world.tables, world.snapshots, of=CATALOGUE)


def different(left: pd.DataFrame, right: pd.DataFrame) -> list[str]:
    """Names of the columns that are not equal to the bit, rows taken in their order."""
    pd.testing.assert_index_equal(left.index, right.index)
    pd.testing.assert_index_equal(left.columns, right.columns)
    if left.equals(right):
        return []
    return [name for name in left.columns if not left[name].equals(right[name])]


@data.few_examples
@given(data.worlds(least_asked=1))
def test_agreement_with_the_oracle(world: World) -> None:
    assert oracle.disagreements(described(world), world, CATALOGUE) == []


@data.few_examples
@given(data.worlds(least_asked=1))
def test_time_travel_deleting_the_future_changes_nothing(world: World) -> None:
    frame = described(world)
    for as_of in {asked.as_of for asked in world.asked}:
        then = replace(world.before(as_of), asked=[asked for asked in world.asked if asked.as_of == as_of])
        assert different(frame[frame.index.get_level_values("as_of") == as_of], described(then)) == []


@data.few_examples
@given(data.worlds(least_asked=1), st.data())
def test_time_travel_inserting_a_future_changes_nothing(world: World, drawn: st.DataObject) -> None:
    as_of = world.asked[0].as_of
    names = [lead.lead_id for lead in world.leads]
    events = drawn.draw(st.lists(data.event_rows(names, [as_of]), min_size=1, max_size=8))
    profiles = drawn.draw(st.lists(data.profile_rows(names, [as_of]), min_size=1, max_size=2))
    present = replace(world, asked=[asked for asked in world.asked if asked.as_of == as_of])
    future = replace(
        present,
        events=[*(later(event, as_of) for event in events), *world.events],
        profiles=[*world.profiles, *later_profiles(profiles, as_of, world)],
    )
    assert different(described(present), described(future)) == []


def later(event: Event, as_of: int) -> Event:
    """The same, known at as_of or after."""
    return event if event.occurred_at >= as_of else event._replace(known_at=as_of + abs(as_of - event.known_at))


def later_profiles(rows: list[Profile], as_of: int, world: World) -> list[Profile]:
    moved = (row._replace(known_at=as_of + abs(as_of - row.known_at)) for row in rows)
    taken = {(row.lead_id, row.known_at) for row in world.profiles}
    new = {(row.lead_id, row.known_at): row for row in moved}
    return [row for key, row in new.items() if key not in taken]


@data.few_examples
@given(data.worlds(least_asked=1), st.data())
def test_independence_of_other_leads_and_other_dates(world: World, drawn: st.DataObject) -> None:
    place = drawn.draw(st.integers(0, len(world.asked) - 1))
    among_all = described(world).iloc[[place]]
    asked = [world.asked[place]]
    assert different(among_all, described(replace(world, asked=asked))) == []
    assert different(among_all, described(replace(world.only(asked[0].lead_id), asked=asked))) == []


@data.few_examples
@given(data.worlds(least_asked=1), SEEDS)
def test_order_of_rows_does_not_matter(world: World, seed: int) -> None:
    def shuffled(rows: Any) -> list[Any]:
        return random.Random(seed).sample(list(rows), len(rows))

    frame = described(world)
    mixed = World(**{name: shuffled(rows) for name, rows in vars(world).items()})
    assert different(frame.iloc[shuffled(range(len(frame)))], described(mixed)) == []


@settings(max_examples=6)  # each makes a file
@given(data.worlds(least_asked=1), SEEDS)
def test_an_event_delivered_twice_counts_once(world: World, seed: int) -> None:
    ids = [f"event {n}" for n in range(len(world.events))]
    again = [event._replace(known_at=event.known_at + DAY) for event in world.events]
    with TemporaryDirectory() as folder, LeadStore.open(str(Path(folder) / "leads.duckdb"), create=True) as store:
        tables = world.tables
        for name in ("leads", "profiles", "stage_changes", "objections"):
            store.append(name, timestamped(getattr(tables, name)))
        store.append("events", timestamped(tables.events).append_column("event_id", pa.array(ids, pa.string())))
        once = read(store)
        twice = timestamped(replace(world, events=[*again, *world.events]).tables.events)
        order = pa.array(random.Random(seed).sample(range(twice.num_rows), twice.num_rows), pa.int64())
        appended = store.append("events", twice.append_column("event_id", pa.array(ids * 2, pa.string())).take(order))
        assert (appended.new, appended.conflicts) == (0, [])
        delivered_again = read(store)
    frame = described(world)
    assert different(frame, describe(once, world.snapshots, of=CATALOGUE)) == []
    assert different(frame, describe(delivered_again, world.snapshots, of=CATALOGUE)) == []


def timestamped(table: pa.Table) -> pa.Table:
    """With its times as importers write them."""
    for place, field in enumerate(table.schema):
        if field.type == pa.int64():
            table = table.set_column(place, field.name, table.column(place).cast(pa.timestamp("us", "UTC")))
    return table


def read(store: LeadStore) -> LeadTables:
    return store.read(*store.lead_ranges(size=100)[0])


@data.few_examples
@given(data.worlds())
def test_grain_one_row_per_snapshot_in_order(world: World) -> None:
    frame = described(world)
    assert frame.index.names == ["lead_id", "as_of"]
    assert list(frame.index) == list(world.asked)
    assert tuple(frame.columns) == CATALOGUE.names


@data.few_examples
@given(data.worlds())
def test_inputs_are_not_changed(world: World) -> None:
    tables, snapshots = world.tables, world.snapshots
    snapshots.index = pd.Index(range(100, 100 + len(snapshots)))
    before, catalogue = snapshots.copy(), copy.copy(CATALOGUE)
    kinds, attributes = dict(CATALOGUE.kinds), dict(CATALOGUE.attributes)
    first = describe(tables, snapshots, of=CATALOGUE)
    pd.testing.assert_frame_equal(snapshots, before)
    assert (catalogue, kinds, attributes) == (catalogue, CATALOGUE.kinds, CATALOGUE.attributes)
    assert all(getattr(tables, name).equals(getattr(world.tables, name)) for name in ("leads", "profiles"))
    assert different(first, describe(tables, snapshots, of=CATALOGUE)) == []


@data.few_examples
@given(data.worlds())
def test_declaration_types_and_missing_values_are_as_stated(world: World) -> None:
    frame = described(world)
    types = {"numeric": np.dtype("float64"), "categorical": pd.StringDtype(na_value=np.nan)}
    assert [c.name for c in CATALOGUE.columns if frame[c.name].dtype != types[c.type]] == []
    assert [c.name for c in CATALOGUE.columns if c.missing == "never" and frame[c.name].isna().any()] == []
    numbers = frame.select_dtypes("number").to_numpy()
    assert not np.isinf(numbers).any()


@pytest.mark.parametrize("column", CATALOGUE.columns, ids=lambda column: column.name)
def test_declaration_says_what_a_reader_must_know(column: Column) -> None:
    assert column.name == identifier(column.name)
    assert column.about == column.about.strip()
    assert column.about[0].isupper()
    assert not column.about.endswith(".")
    assert column.unit
    assert column.missing
    assert column.family in {family.name for family in FAMILIES}
    assert column.monotone in (-1, 0, 1)


def test_the_laws_are_tried_on_every_column_there_is() -> None:
    assert CATALOGUE.left_out == {}
    assert {column.name for family in FAMILIES for column in family.columns} <= set(CATALOGUE.names)
    assert {"w_valideren_30d", "event_visits_30d", "euribor_3m", "attribute_country"} <= set(CATALOGUE.names)
    assert len(set(CATALOGUE.names)) == len(CATALOGUE.names)
    different_values = described(data.crowded()).nunique(dropna=False)
    assert different_values[different_values < 2].index.to_list() == []


def test_agreement_with_the_oracle_where_every_column_has_something_to_tell() -> None:
    world = data.crowded()
    assert oracle.disagreements(described(world), world, CATALOGUE) == []

"""A label sees the entries into the target stage within the horizon, and nothing else."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.history import EPISODE_STARTS
from features.tables import EVENTS, LEADS, OBJECTIONS, PROFILES, STAGE_CHANGES, STAGES, LeadTables
from models.label import converted, is_mature
from tests.models.data import DAY, few_examples

HORIZON = 30
AS_OF = 20_000 * DAY
LEADS_ASKED = ("a", "b", "c", "d")
Change = tuple[str, str, int, int]  # lead_id, stage, entered_at, known_at

#: On and beside both ends of the horizon, and anywhere.
MOMENTS = st.sampled_from([AS_OF + end + by for end in (0, HORIZON * DAY) for by in (-1, 0, 1)]) | st.integers(
    AS_OF - 100 * DAY, AS_OF + 100 * DAY
)
CHANGES = st.lists(
    st.tuples(st.sampled_from(LEADS_ASKED), st.sampled_from(STAGES) | st.just("customer"), MOMENTS, MOMENTS),
    max_size=12,
)


def tables(changes: Sequence[Change], leads: Sequence[str] = LEADS_ASKED) -> LeadTables:
    rows = [
        {"lead_id": lead, "stage": stage, "entered_at": entered, "known_at": known}
        for lead, stage, entered, known in changes
    ]
    return LeadTables(
        leads=pa.Table.from_pylist([{"lead_id": lead, "created_at": 0, "known_at": 0} for lead in leads], schema=LEADS),
        profiles=PROFILES.empty_table(),
        events=EVENTS.empty_table(),
        stage_changes=pa.Table.from_pylist(rows, schema=STAGE_CHANGES),
        objections=OBJECTIONS.empty_table(),
    )


def label(
    changes: Sequence[Change], leads: Sequence[str] = LEADS_ASKED, as_of: int = AS_OF, *, target: str = "customer"
) -> list[int]:
    snapshots = pd.DataFrame({"lead_id": list(leads), "as_of": as_of})
    labels, _ = converted(tables(changes), snapshots, target_stage=target, horizon_days=HORIZON)
    plain: list[int] = labels.tolist()
    return plain


def slow_conversions(changes: Sequence[Change], lead: str) -> list[tuple[int, int]]:
    """(entered_at, known_at) of each first entry of an episode."""
    found, customer = [], False
    mine = [(entered, stage == "customer", max(entered, known), stage) for one, stage, entered, known in changes
            if one == lead]  # fmt: skip
    for entered, is_entry, known, stage in sorted(mine):
        if is_entry and not customer:
            found.append((entered, known))
        customer = is_entry or (customer and stage not in EPISODE_STARTS)
    return found


def slow_label(changes: Sequence[Change], lead: str, as_of: int) -> int:
    return int(
        any(as_of <= entered < as_of + HORIZON * 86_400_000_000 for entered, _ in slow_conversions(changes, lead))
    )


@few_examples
@given(CHANGES, MOMENTS)
def test_agrees_with_a_slow_loop(changes: list[Change], as_of: int) -> None:
    assert label(changes, as_of=as_of) == [slow_label(changes, lead, as_of) for lead in LEADS_ASKED]


@few_examples
@given(CHANGES, CHANGES)
def test_entries_after_the_horizon_change_no_label(changes: list[Change], later: list[Change]) -> None:
    end = AS_OF + HORIZON * DAY
    beyond = [(lead, stage, max(entered, end), known) for lead, stage, entered, known in later]
    assert label(changes + beyond) == label(changes)


@few_examples
@given(CHANGES, CHANGES)
def test_other_stages_change_no_label_unless_they_begin_an_episode(changes: list[Change], others: list[Change]) -> None:
    begin = ("customer", *EPISODE_STARTS)
    assert label(changes + [row for row in others if row[1] not in begin]) == label(changes)


@few_examples
@given(CHANGES, CHANGES)
def test_customers_before_as_of_convert_only_in_a_new_episode(changes: list[Change], earlier: list[Change]) -> None:
    """One thing that rows before as_of can say: the lead was a customer, so that this order is no conversion."""
    before = [(lead, stage, min(entered, AS_OF - 1), known) for lead, stage, entered, known in earlier]
    kept = label(changes + before)
    began = {lead for lead, stage, *_ in changes + before if stage in EPISODE_STARTS}
    customers = {lead for lead, stage, *_ in before if stage == "customer"}
    for lead, now, then in zip(LEADS_ASKED, kept, label(changes), strict=True):
        if lead not in began:
            assert now == (0 if lead in customers else then)


@few_examples
@given(CHANGES, st.lists(MOMENTS, min_size=12, max_size=12))
def test_when_a_change_was_known_does_not_matter(changes: list[Change], known: list[int]) -> None:
    """What is recorded late still happened when it happened: outcomes are read when the horizon is long past."""
    moved = [(*row[:3], when) for row, when in zip(changes, known, strict=False)]
    assert label(moved) == label(changes)


@few_examples
@given(CHANGES)
def test_a_conversion_is_known_when_it_happened_and_was_recorded(changes: list[Change]) -> None:
    snapshots = pd.DataFrame({"lead_id": list(LEADS_ASKED), "as_of": AS_OF})
    outcome, known_at = converted(tables(changes), snapshots, target_stage="customer", horizon_days=HORIZON)
    for lead, happened, known in zip(LEADS_ASKED, outcome, known_at, strict=True):
        told = [at for entered, at in slow_conversions(changes, lead) if AS_OF <= entered < AS_OF + HORIZON * DAY]
        assert (happened, known) == ((1, told[0]) if told else (0, 0))


def test_a_conversion_is_known_when_that_very_entry_was() -> None:
    """A second order that is recorded at once says nothing of the first, which is recorded late."""
    late, soon = ("a", "customer", AS_OF + DAY, AS_OF + 20 * DAY), ("a", "customer", AS_OF + 2 * DAY, AS_OF + 2 * DAY)
    snapshots = pd.DataFrame({"lead_id": ["a"], "as_of": AS_OF})
    _, known_at = converted(tables([late, soon]), snapshots, target_stage="customer", horizon_days=HORIZON)
    assert known_at.tolist() == [AS_OF + 20 * DAY]


@pytest.mark.parametrize(
    ("between", "expected"),
    [(("recycled", -5), 1), (("lead", -5), 1), (("lead", 5), 1), (("mql", -5), 0), (("recycled", -10), 0)],
)
def test_a_customer_converts_again_once_people_recorded_that_it_is_one_no_more(
    between: tuple[str, int], expected: int
) -> None:
    days = [("customer", -10), between, ("customer", 10)]
    changes = [("a", stage, AS_OF + day * DAY, AS_OF + day * DAY) for stage, day in days]
    assert label(changes) == [expected, 0, 0, 0]


@few_examples
@given(CHANGES)
def test_the_outcome_of_one_episode_says_nothing_of_the_next(changes: list[Change]) -> None:
    """After a new episode began, the label is that of a lead that never was a customer."""
    restart = [(lead, "recycled", AS_OF - 1, AS_OF - 1) for lead in LEADS_ASKED]
    # Of a start and an order at the very same moment, the order is the later.
    changes = [row for row in changes if row[2] != AS_OF - 1]
    assert label(changes + restart) == label([row for row in changes if row[2] >= AS_OF])


@pytest.mark.parametrize(
    ("entered", "expected"),
    [(AS_OF - 1, 0), (AS_OF, 1), (AS_OF + 1, 1), (AS_OF + HORIZON * DAY - 1, 1), (AS_OF + HORIZON * DAY, 0)],
)
def test_the_horizon_is_closed_at_its_start_and_open_at_its_end(entered: int, expected: int) -> None:
    assert label([("a", "customer", entered, entered)]) == [expected, 0, 0, 0]


def test_microseconds_count_in_this_century() -> None:
    """Times go through float64, which holds whole microseconds up to the year 2255."""
    as_of = int(pd.Timestamp("2099-12-31T23:59:59.999999Z").value // 1000)
    end = as_of + HORIZON * DAY
    assert label([("a", "customer", as_of - 1, 0), ("b", "customer", as_of, 0)], as_of=as_of)[:2] == [0, 1]
    assert label([("a", "customer", end - 1, 0), ("b", "customer", end, 0)], as_of=as_of)[:2] == [1, 0]


def test_the_target_stage_is_the_one_asked_for_and_snapshots_keep_their_order() -> None:
    changes = [("b", "sql", AS_OF + DAY, AS_OF + DAY), ("a", "customer", AS_OF + DAY, AS_OF + DAY)]
    assert label(changes, ("b", "a", "b"), target="sql") == [1, 0, 1]
    assert label(changes, ("b", "a", "b"), target="customer") == [0, 1, 0]
    assert label([], ()) == []


@given(st.integers(0, 10**16), st.integers(1, 400))
def test_a_snapshot_is_mature_exactly_when_its_horizon_is_past(as_of: int, horizon: int) -> None:
    end = as_of + horizon * 86_400_000_000
    moments = np.array([as_of - 1, as_of, as_of + 1])
    assert is_mature(moments, horizon_days=horizon, known_until=end).tolist() == [True, True, False]

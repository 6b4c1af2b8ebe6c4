"""The kernel by itself: the edges of time drawn one by one, what it refuses, and proof that the oracle would notice."""

import inspect
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import kernel
from features.build import describe
from features.declare import Op, Primitive
from features.kernel import compile_plan, last_known, measure
from tests.features import data, oracle
from tests.features.data import AS_OF, CATALOGUE, DAY, MINUTE, Asked, Event, Lead, World

NEVER = np.nan


def measured(
    primitive: Primitive, events: list[tuple[int, int, str, float]], as_of: int | list[int] = AS_OF
) -> list[float]:
    """One primitive for one lead's events (occurred_at, known_at, kind, value) at each as_of."""
    moments = np.atleast_1d(np.array(as_of, np.int64))
    occurred, known, kinds, values = zip(*events, strict=True) if events else ((), (), (), ())
    matrix = measure(
        compile_plan([primitive], ["a", "b"]),
        event_lead=np.zeros(len(events), np.int64),
        occurred_at=np.array(occurred, np.int64),
        known_at=np.array(known, np.int64),
        kind=np.array(["ab".index(kind) for kind in kinds], np.int64),
        value=np.array(values, np.float64),
        snapshot_lead=np.zeros(len(moments), np.int64),
        as_of=moments,
    )
    assert matrix.shape == (len(moments), 1)
    return [float(value) for value in matrix[:, 0]]


def events_at(*times: int, late: int = 0) -> list[tuple[int, int, str, float]]:
    return [(AS_OF + time, AS_OF + time + late, "a", NEVER) for time in times]


# The edges of time, drawn


@pytest.mark.parametrize(
    ("occurred", "known", "seen", "seen_7d"),
    [
        pytest.param(-1, -1, 1, 1, id="just before as_of"),
        pytest.param(0, 0, 0, 0, id="at as_of"),
        pytest.param(-1, 0, 0, 0, id="before, but known at as_of"),
        pytest.param(-5 * DAY, 5 * DAY, 0, 0, id="known after"),
        pytest.param(5 * DAY, -5 * DAY, 0, 0, id="known before it occurs, like a meeting"),
        pytest.param(-7 * DAY, -7 * DAY, 1, 1, id="at the window's start"),
        pytest.param(-7 * DAY, -1, 1, 1, id="at the window's start, known late"),
        pytest.param(-7 * DAY - 1, -1, 1, 0, id="just before the window, known inside it"),
    ],
)
def test_what_is_seen(occurred: int, known: int, seen: int, seen_7d: int) -> None:
    events = [(AS_OF + occurred, AS_OF + known, "a", NEVER)]
    assert measured(Primitive(Op.COUNT, ("a",)), events) == [seen]
    assert measured(Primitive(Op.COUNT, ("a",), 7), events) == [seen_7d]


def test_a_late_event_shows_from_the_moment_it_is_known_and_in_its_place() -> None:
    as_of = [AS_OF - 30 * DAY, AS_OF - 10 * DAY, AS_OF]
    # Occurred 40 days before the last as_of, first and last of all; the middle one became known only 5 days before it.
    events = [
        (AS_OF - 40 * DAY, AS_OF - 40 * DAY, "a", 1.0),
        (AS_OF - 35 * DAY, AS_OF - 5 * DAY, "a", 2.0),
        (AS_OF - 20 * DAY, AS_OF - 20 * DAY, "a", 4.0),
    ]
    assert measured(Primitive(Op.COUNT, ("a",)), events, as_of) == [1, 2, 3]
    assert measured(Primitive(Op.SUM, ("a",)), events, as_of) == [1, 5, 7]
    assert measured(Primitive(Op.SUM, ("a",), 36), events, as_of) == [1, 5, 6]
    assert measured(Primitive(Op.LAST_VALUE, ("a",)), events, as_of) == [1, 4, 4]
    assert measured(Primitive(Op.SINCE_LAST, ("a",)), events, as_of) == [10, 10, 20]
    assert measured(Primitive(Op.DECAYED, ("a",), None, 5.0), events, as_of) == pytest.approx(
        [2**-2, 2**-6 + 2**-2, 2**-8 + 2**-7 + 2**-4]
    )


def test_days_are_utc_days_and_visits_end_after_half_an_hour_of_silence() -> None:
    midnight = -10 * DAY
    assert measured(Primitive(Op.DAYS, ("a",)), events_at(midnight - 1, midnight, midnight + DAY - 1)) == [2]
    assert measured(Primitive(Op.VISITS, ("a",)), events_at(0 - DAY, 30 * MINUTE - 1 - DAY)) == [1]
    assert measured(Primitive(Op.VISITS, ("a",)), events_at(0 - DAY, 30 * MINUTE - DAY)) == [2]
    # A visit that the window cuts in two counts once in the window.
    assert measured(Primitive(Op.VISITS, ("a",), 7), events_at(-7 * DAY - MINUTE, -7 * DAY, -DAY)) == [2]


def test_missing_values_add_nothing_and_nothing_at_all_is_zero_or_missing() -> None:
    events = [(AS_OF - 3, AS_OF - 3, "a", 2.0), (AS_OF - 2, AS_OF - 2, "a", NEVER), (AS_OF - 1, AS_OF - 1, "b", 5.0)]
    assert measured(Primitive(Op.SUM, ("a",)), events) == [2]
    assert measured(Primitive(Op.LAST_VALUE, ("a",)), events) == [2]
    assert measured(Primitive(Op.SUM, ("a", "b")), events) == [7]
    for op in (Op.COUNT, Op.SUM, Op.DAYS, Op.VISITS, Op.DECAYED):
        assert measured(Primitive(op, ("a",), None, 7.0), []) == [0]
    for op in (Op.SINCE_FIRST, Op.SINCE_LAST, Op.LAST_VALUE):
        np.testing.assert_array_equal(measured(Primitive(op, ("a",)), []), [np.nan])


def test_decay_of_events_before_1970() -> None:
    weight = Primitive(Op.DECAYED, ("a",), None, 1.0)
    assert measured(weight, [(-20_000 * DAY, -20_000 * DAY, "a", NEVER)], [-19_999 * DAY, AS_OF]) == pytest.approx(
        [0.5, 0]
    )
    assert measured(weight, [], -20_000 * DAY) == [0]


def test_as_of_in_any_order_and_repeated() -> None:
    as_of = [AS_OF, AS_OF - 5 * DAY, AS_OF, AS_OF - 9 * DAY]
    assert measured(Primitive(Op.COUNT, ("a",), 7), events_at(-10 * DAY, -6 * DAY, -DAY), as_of) == [2, 2, 2, 1]


# What the compiled pass could not see


def arrays(**changed: Any) -> dict[str, Any]:
    whole = np.zeros(2, np.int64)
    names = ("event_lead", "occurred_at", "known_at", "kind", "snapshot_lead", "as_of")
    return {**dict.fromkeys(names, whole), "value": np.zeros(2), **changed}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kind": np.zeros(3, np.int64)}, r"arrays of events differ in length: \[2, 3\]"),
        ({"value": np.zeros(1)}, r"arrays of events differ in length: \[1, 2\]"),
        ({"as_of": np.zeros(1, np.int64)}, "arrays of snapshots differ in length: 2 and 1"),
        ({"kind": np.array([0, 2])}, "kinds run from 0 to 1, got 0 to 2"),
        ({"kind": np.array([-1, 1])}, "kinds run from 0 to 1, got -1 to 1"),
        ({"occurred_at": np.zeros(2)}, "events are flat and hold integers, got float64"),
        ({"as_of": np.zeros(2, "datetime64[us]")}, "snapshots are flat and hold integers, got datetime64"),
        ({"snapshot_lead": np.zeros((2, 1), np.int64)}, r"flat and hold integers, got int64 of shape \(2, 1\)"),
        ({"value": np.array([1.0, np.inf])}, "value is infinite"),
    ],
)
def test_refusals(changed: dict[str, Any], message: str) -> None:
    plan = compile_plan([Primitive(Op.COUNT, ("a",))], ["a", "b"])
    assert measure(plan, **arrays()).shape == (2, 1)
    with pytest.raises(ValueError, match=message):
        measure(plan, **arrays(**changed))


def test_narrower_strided_and_read_only_arrays_are_taken() -> None:
    plan = compile_plan([Primitive(Op.COUNT, ("a",))], ["a", "b"])
    kind = np.zeros(4, np.int32)[::2]
    kind.flags.writeable = False
    assert measure(plan, **arrays(kind=kind, as_of=np.ones(2, np.int64))).tolist() == [[2], [2]]


# The plan


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="No event kind named c, d; the kinds are a, b"):
        compile_plan([Primitive(Op.COUNT, ("a", "c", "d"))], ["a", "b"])


def test_work_is_shared() -> None:
    kinds = ["a", "b"]
    primitives = [
        Primitive(Op.COUNT, ("a",), 14),
        Primitive(Op.COUNT, ("a",), 28),  # what Trend asks for
        Primitive(Op.DAYS, ("a",), 14),
        Primitive(Op.SINCE_LAST, ("a",)),
        Primitive(Op.COUNT, ("*",)),
        Primitive(Op.SUM, ("a", "b")),
        Primitive(Op.DECAYED, ("a",), None, 7.0),
        Primitive(Op.DECAYED, ("a",), None, 7.0),
    ]
    plan = compile_plan(primitives, kinds)
    assert plan.stream_count == 2  # a; a and b, which is all of them
    assert plan.windows.tolist() == [[0, -1], [1, -1], [0, 14 * DAY], [0, 28 * DAY]]
    assert len(plan.decay_rates) == 1
    assert plan.columns[:, 0].tolist() == [primitive.op for primitive in primitives]
    assert compile_plan([], []).columns.shape == (0, 2)


# The last row known


@given(
    st.lists(st.tuples(st.integers(-1, 2), st.integers(-3, 3)), max_size=8, unique=True),
    st.lists(st.tuples(st.integers(0, 2), st.integers(-4, 4)), max_size=8),
)
def test_last_known_is_the_newest_row_before_as_of(rows: list[tuple[int, int]], asked: list[tuple[int, int]]) -> None:
    row, wanted = np.array(rows, np.int64).reshape(-1, 2), np.array(asked, np.int64).reshape(-1, 2)
    found = last_known(row_lead=row[:, 0], known_at=row[:, 1], snapshot_lead=wanted[:, 0], as_of=wanted[:, 1])
    newest = [max((r for r in rows if r[0] == lead and r[1] < as_of), default=None) for lead, as_of in asked]
    assert [None if place < 0 else rows[place] for place in found] == newest


# The pass uncompiled, where an index out of bounds is an error; and spoilt, to show that the oracle would notice

SOURCE = inspect.getsource(kernel._pass.py_func)


def with_pass(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    namespace = dict(vars(kernel))
    exec(source[source.index("def _pass") :], namespace)
    monkeypatch.setattr(kernel, "_pass", namespace["_pass"])


def described(world: World) -> pd.DataFrame:
    return describe(world.tables, world.snapshots, of=CATALOGUE)


#: Every edge once: two leads, so that what is left over from one would show in the other.
EDGES = World(
    leads=[Lead("lead 0", AS_OF, AS_OF), Lead("lead 1", AS_OF, AS_OF)],
    asked=[Asked(lead, AS_OF + later) for lead in ("lead 0", "lead 1") for later in (0, 20 * DAY)],
    events=[
        Event("lead 0", AS_OF, AS_OF, "form"),
        Event("lead 0", AS_OF - 1, AS_OF, "webinar"),
        Event("lead 0", AS_OF - 7 * DAY, AS_OF - 7 * DAY, "call", 2.0),
        Event("lead 0", AS_OF - 3 * DAY, AS_OF + 10 * DAY, "call", 3.0),
        Event("lead 0", AS_OF - 2 * DAY, AS_OF - 2 * DAY, "basket", 5.0),
        Event("lead 0", AS_OF - DAY, AS_OF - DAY, "basket"),
        Event("lead 0", AS_OF - 4 * DAY, AS_OF - 4 * DAY, "page"),
        Event("lead 0", AS_OF - 4 * DAY + 30 * MINUTE, AS_OF - 4 * DAY + 30 * MINUTE, "page"),
        Event("lead 0", AS_OF - 5 * DAY - 1, AS_OF - 5 * DAY - 1, "page"),
        Event("lead 0", AS_OF - 5 * DAY, AS_OF - 5 * DAY, "page"),
        *(Event("lead 1", AS_OF - day * DAY, AS_OF - day * DAY, "page") for day in (1, 2, 120)),
    ],
)


# `occurred[i] <= now` is not among them: `available`, never before `occurred`, holds such an event back as well.
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param("available[i] >= now", "available[i] > now", id="an event known at as_of is seen"),
        pytest.param("available[i] >= now", "False", id="an event not yet known is seen"),
        pytest.param("+ middle] < start", "+ middle] <= start", id="the window's start is outside"),
        pytest.param("rebuild = True\n                else", "pass\n                else", id="late events never show"),
        pytest.param("low[:] = 0", "pass", id="the last lead's windows stay"),
        pytest.param("level[:] = 0.0\n                level_at[:] = 0", "pass", id="the last lead's decays stay"),
        pytest.param("last_value[:] = np.nan", "pass", id="the last lead's value stays"),
        pytest.param("< VISIT_GAP", "<= VISIT_GAP", id="half an hour of silence is one visit"),
        pytest.param("t // MICROSECONDS_PER_DAY == times", "t // (2 * MICROSECONDS_PER_DAY) == times", id="long days"),
        pytest.param("if not np.isnan(v)", "if True", id="missing values count"),
        pytest.param("base[at] + size[at] - 1", "base[at]", id="the last is the first"),
    ],
)
def test_the_oracle_would_notice(right: str, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert SOURCE.count(right) == 1
    assert oracle.disagreements(described(EDGES), EDGES, CATALOGUE) == []
    with_pass(monkeypatch, SOURCE.replace(right, wrong))
    assert oracle.disagreements(described(EDGES), EDGES, CATALOGUE) != []


@settings(max_examples=3)
@given(data.worlds())
def test_uncompiled_it_computes_the_same(world: World) -> None:
    same_when_uncompiled(world)


def test_uncompiled_it_computes_the_same_over_a_crowd() -> None:
    same_when_uncompiled(data.crowded())


def same_when_uncompiled(world: World) -> None:
    compiled = described(world)
    with pytest.MonkeyPatch.context() as monkeypatch:
        with_pass(monkeypatch, SOURCE)
        # exp may differ in its last bit between NumPy and the compiler's library.
        pd.testing.assert_frame_equal(described(world), compiled, rtol=1e-13, atol=1e-300)

"""One pass over each lead's events and snapshots; the only place where time is cut.

A plan says which primitives are wanted; `measure` computes them all for many (lead, as_of) in one compiled pass. An
event is seen iff it occurred *and* was known before as_of; windows are [as_of - d, as_of) by occurrence; days are UTC
days; a missing value adds nothing.

How ("prefix streams"): the kinds a primitive asks for are a *stream*. Walking a lead's events in the order in which
they occurred, each stream keeps, per event, its time and the number of distinct days, of visits and the sum of values
so far. Everything windowed is then a difference between two places of the stream. An event that has occurred but is
not yet known is skipped, and the lead is walked again for its next snapshot: exact for late events, and free for the
others.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numba
import numpy as np

from features.declare import Numbers, Op, Primitive
from features.tables import MICROSECONDS_PER_DAY

VISIT_GAP_MICROSECONDS: Final = 30 * 60 * 1_000_000
_EVER: Final = -1

Integers = np.ndarray[Any, np.dtype[np.int64]]


class Plan(NamedTuple):
    """Primitives compiled to arrays. Kinds are numbered in the order of `kinds` given to `compile_plan`."""

    kind_count: int
    stream_count: int
    stream_starts: Integers
    """CSR over kinds: the streams of kind k are `stream_list[stream_starts[k]:stream_starts[k + 1]]`."""
    stream_list: Integers
    decay_starts: Integers
    decay_list: Integers
    decay_rates: Numbers
    """Per microsecond."""
    windows: Integers
    """(w, 2): stream and length in microseconds of each distinct window; the first `stream_count` are "ever"."""
    columns: Integers
    """(c, 2): op, and its window (COUNT, SUM, DAYS, VISITS), stream, or decay."""


def compile_plan(primitives: Sequence[Primitive], kinds: Sequence[str]) -> Plan:
    """Compile primitives to a plan for events whose kind k is `kinds[k]`; `"*"` stands for all of them.

    Raises
    ------
    ValueError
        A primitive asks for a kind that is not among `kinds`.
    """
    number = {kind: k for k, kind in enumerate(kinds)}
    streams: dict[tuple[int, ...], int] = {}
    decays: dict[tuple[tuple[int, ...], float], int] = {}
    wanted: list[tuple[Op, tuple[int, ...], int, float]] = []
    for primitive in primitives:
        unknown = [kind for kind in primitive.kinds if kind != "*" and kind not in number]
        if unknown:
            raise ValueError(f"No event kind named {', '.join(unknown)}; the kinds are {', '.join(kinds)}")
        members = tuple(range(len(kinds))) if "*" in primitive.kinds else tuple(number[k] for k in primitive.kinds)
        length = _EVER if primitive.days is None else primitive.days * MICROSECONDS_PER_DAY
        wanted.append((primitive.op, members, length, primitive.half_life_days))
        if primitive.op is Op.DECAYED:
            decays.setdefault((members, primitive.half_life_days), len(decays))
        else:
            streams.setdefault(members, len(streams))
    windows = {(stream, _EVER): stream for stream in range(len(streams))}
    columns = []
    for op, members, length, half_life in wanted:
        if op is Op.DECAYED:
            columns.append((int(op), decays[members, half_life]))
        elif op in (Op.COUNT, Op.SUM, Op.DAYS, Op.VISITS):
            columns.append((int(op), windows.setdefault((streams[members], length), len(windows))))
        else:
            columns.append((int(op), streams[members]))
    stream_starts, stream_list = _csr(list(streams), len(kinds))
    decay_starts, decay_list = _csr([members for members, _ in decays], len(kinds))
    rates = [np.log(2.0) / (half_life * MICROSECONDS_PER_DAY) for _, half_life in decays]
    return Plan(
        len(kinds),
        len(streams),
        stream_starts,
        stream_list,
        decay_starts,
        decay_list,
        np.array(rates, np.float64),
        np.array(list(windows), np.int64).reshape(-1, 2),
        np.array(columns, np.int64).reshape(-1, 2),
    )


def _csr(groups: Sequence[tuple[int, ...]], size: int) -> tuple[Integers, Integers]:
    """For each of `size` kinds, the groups it belongs to, as one flat list and where each kind's part starts."""
    lists = [[g for g, members in enumerate(groups) if kind in members] for kind in range(size)]
    starts = np.cumsum([0, *(len(part) for part in lists)]).astype(np.int64)
    return starts, np.array([g for part in lists for g in part], np.int64)


def measure(
    plan: Plan,
    *,
    event_lead: Integers,
    occurred_at: Integers,
    known_at: Integers,
    kind: Integers,
    value: Numbers,
    snapshot_lead: Integers,
    as_of: Integers,
) -> Numbers:
    """Compute every primitive of the plan for every snapshot.

    Parameters
    ----------
    event_lead, occurred_at, known_at, kind, value : (events,) arrays in any order; leads are numbered from 0
    snapshot_lead, as_of : (snapshots,) arrays in any order

    Returns
    -------
    (snapshots, primitives) float64, rows in the order given

    Raises
    ------
    ValueError
        Arrays of different lengths, a kind out of range, an infinite value: what the compiled pass could not see
        and would crash on, or silently get wrong.
    """
    events = [_whole(a, "events") for a in (event_lead, occurred_at, known_at, kind)]
    values = np.ascontiguousarray(value, np.float64)
    snapshots = [_whole(a, "snapshots") for a in (snapshot_lead, as_of)]
    _check(plan, events, values, snapshots)
    # Canonical order, so that neither the order of arrival nor of the store can change a number.
    event_order = np.lexsort((values, events[3], np.maximum(events[1], events[2]), events[1], events[0]))
    lead, occurred, known, kinds = (np.ascontiguousarray(a[event_order]) for a in events)
    order = np.lexsort((snapshots[1], snapshots[0]))
    snapshot_leads, moments = (np.ascontiguousarray(a[order]) for a in snapshots)
    leads = np.unique(snapshot_leads)
    event_starts = np.stack([np.searchsorted(lead, leads, "left"), np.searchsorted(lead, leads, "right")], axis=1)
    snapshot_starts = np.append(np.searchsorted(snapshot_leads, leads, "left"), len(snapshot_leads))
    out = np.empty((len(moments), len(plan.columns)), np.float64)
    _pass(
        plan,
        np.ascontiguousarray(event_starts, np.int64),
        occurred,
        np.maximum(occurred, known),
        kinds,
        np.ascontiguousarray(values[event_order]),
        np.ascontiguousarray(snapshot_starts, np.int64),
        moments,
        out,
    )
    unsorted = np.empty_like(out)
    unsorted[order] = out
    return unsorted


def last_known(*, row_lead: Integers, known_at: Integers, snapshot_lead: Integers, as_of: Integers) -> Integers:
    """The position of each snapshot's last row known before as_of, or -1.

    Rows are in any order, at most one per (lead, known_at).
    """
    order = np.lexsort((known_at, row_lead))
    lead, known = row_lead[order], known_at[order]
    # Times become ranks, so that (lead, time) fits one sortable number without losing a microsecond.
    times = np.unique(known)
    keys = lead * (len(times) + 1) + np.searchsorted(times, known) + 1
    wanted = snapshot_lead * (len(times) + 1) + np.searchsorted(times, as_of, "left")
    place = np.searchsorted(keys, wanted, "right") - 1
    found = (place >= 0) & (lead[np.maximum(place, 0)] == snapshot_lead) if len(lead) else np.zeros(len(as_of), bool)
    return np.where(found, order[np.maximum(place, 0)] if len(lead) else -1, -1).astype(np.int64)


def _whole(array: Integers, what: str) -> Integers:
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"The arrays of {what} are flat and hold integers, got {array.dtype} of shape {array.shape}")
    return np.ascontiguousarray(array, np.int64)


def _check(plan: Plan, events: list[Integers], values: Numbers, snapshots: list[Integers]) -> None:
    lengths = {len(a) for a in events} | {len(values)}
    if len(lengths) != 1:
        raise ValueError(f"The arrays of events differ in length: {sorted(lengths)}")
    if len(snapshots[0]) != len(snapshots[1]):
        raise ValueError(f"The arrays of snapshots differ in length: {len(snapshots[0])} and {len(snapshots[1])}")
    kinds = events[3]
    if len(kinds) and (kinds.min() < 0 or kinds.max() >= plan.kind_count):
        raise ValueError(f"Event kinds run from 0 to {plan.kind_count - 1}, got {kinds.min()} to {kinds.max()}")
    if np.isinf(values).any():
        raise ValueError("An event's value is infinite; a windowed sum could not be told from its neighbours'")


@numba.njit(cache=True, nogil=True)
def _pass(  # type: ignore[no-untyped-def]  # pragma: no cover - compiled; also run uncompiled by the tests
    plan, event_starts, occurred, available, kind, value, snapshot_starts, as_of, out
):
    """Fill `out`, row by row; leads are consecutive in both inputs, sorted by time inside a lead."""
    streams = plan.stream_count
    decays = len(plan.decay_rates)
    size = np.zeros(streams, np.int64)
    most = 0
    for lead in range(len(event_starts)):
        total = 0
        for i in range(event_starts[lead, 0], event_starts[lead, 1]):
            total += plan.stream_starts[kind[i] + 1] - plan.stream_starts[kind[i]]
        most = max(most, total)
    # Streams share one pool, laid out by their length in the lead at hand: a lead with a million events costs what
    # its own events cost, not streams x the longest lead.
    times = np.empty(most, np.int64)
    days = np.empty(most, np.int64)
    visits = np.empty(most, np.int64)
    sums = np.empty(most, np.float64)
    base = np.zeros(streams + 1, np.int64)
    last_value = np.empty(streams, np.float64)
    level = np.zeros(decays, np.float64)
    level_at = np.zeros(decays, np.int64)
    low = np.zeros(len(plan.windows), np.int64)

    for lead in range(len(event_starts)):
        first, end = event_starts[lead, 0], event_starts[lead, 1]
        base[:] = 0
        for i in range(first, end):
            for s in range(plan.stream_starts[kind[i]], plan.stream_starts[kind[i] + 1]):
                base[plan.stream_list[s] + 1] += 1
        for s in range(streams):
            base[s + 1] += base[s]
        rebuild = True
        i = first
        for row in range(snapshot_starts[lead], snapshot_starts[lead + 1]):
            now = as_of[row]
            if rebuild:
                size[:] = 0
                last_value[:] = np.nan
                level[:] = 0.0
                level_at[:] = 0
                low[:] = 0
                i = first
                rebuild = False
            while i < end and occurred[i] < now:
                if available[i] >= now:
                    rebuild = True
                else:
                    t, v = occurred[i], value[i]
                    for j in range(plan.stream_starts[kind[i]], plan.stream_starts[kind[i] + 1]):
                        s = plan.stream_list[j]
                        p = base[s] + size[s]
                        if size[s] == 0:
                            days[p], visits[p], sums[p] = 1, 1, 0.0
                        else:
                            same_day = t // MICROSECONDS_PER_DAY == times[p - 1] // MICROSECONDS_PER_DAY
                            same_visit = t - times[p - 1] < VISIT_GAP_MICROSECONDS
                            days[p] = days[p - 1] + (0 if same_day else 1)
                            visits[p] = visits[p - 1] + (0 if same_visit else 1)
                            sums[p] = sums[p - 1]
                        times[p] = t
                        if not np.isnan(v):
                            sums[p] += v
                            last_value[s] = v
                        size[s] += 1
                    for j in range(plan.decay_starts[kind[i]], plan.decay_starts[kind[i] + 1]):
                        d = plan.decay_list[j]
                        if level[d] > 0.0:  # 0 x exp(of a time before 1970) would be NaN
                            level[d] *= np.exp(plan.decay_rates[d] * (level_at[d] - t))
                        level[d] += 1.0
                        level_at[d] = t
                i += 1
            for w in range(streams, len(plan.windows)):
                s, start = plan.windows[w, 0], now - plan.windows[w, 1]
                lo, hi = low[w], size[s]
                while lo < hi:
                    middle = (lo + hi) // 2
                    if times[base[s] + middle] < start:
                        lo = middle + 1
                    else:
                        hi = middle
                low[w] = lo
            for c in range(len(plan.columns)):
                op, at = plan.columns[c, 0], plan.columns[c, 1]
                if op == 7:
                    out[row, c] = 0.0
                    if level[at] > 0.0:
                        out[row, c] = level[at] * np.exp(plan.decay_rates[at] * (level_at[at] - now))
                elif op <= 3:
                    s = plan.windows[at, 0]
                    n, lo = size[s], low[at]
                    b = base[s]
                    if op == 0:
                        out[row, c] = n - lo
                    elif n == lo:
                        out[row, c] = 0.0
                    elif op == 1:
                        out[row, c] = sums[b + n - 1] - (sums[b + lo - 1] if lo > 0 else 0.0)
                    elif op == 2:
                        out[row, c] = days[b + n - 1] - days[b + lo] + 1
                    else:
                        out[row, c] = visits[b + n - 1] - visits[b + lo] + 1
                elif op == 6:
                    out[row, c] = last_value[at]
                elif size[at] == 0:
                    out[row, c] = np.nan
                elif op == 4:
                    out[row, c] = (now - times[base[at]]) / MICROSECONDS_PER_DAY
                else:
                    out[row, c] = (now - times[base[at] + size[at] - 1]) / MICROSECONDS_PER_DAY

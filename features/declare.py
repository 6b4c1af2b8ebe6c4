"""The words for declaring features: Count, Sum, DistinctDays, Visits, DaysSinceLast, Decayed, Trend, Latest, Ratio, …

A declaration is a frozen value in its family's file. It yields one `Column` per window; a column's name is the
name in the training frame, its `about` the entry in the data dictionary. The author never writes a time filter: a
column says *what* is measured (a `Primitive`, run by `kernel.py`; a reading of the `Profile` last known; or a
`Combination` of other columns) and `build.py` sees to *when*.

Whoever needs a new kind of aggregate adds an `Op` and a word here, a branch to `kernel.py`, and a slow line to the
oracle in the tests.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from features.kinds import identifier

Windows = tuple[int | None, ...]
#: Days of the usual windows; None is "ever".
USUAL_WINDOWS: Final[Windows] = (7, 30, 90, None)

Numbers = np.ndarray[Any, np.dtype[np.float64]]


class Op(IntEnum):
    """What the kernel can compute over a lead's events."""

    COUNT = 0
    SUM = 1
    DAYS = 2
    VISITS = 3
    SINCE_FIRST = 4
    SINCE_LAST = 5
    LAST_VALUE = 6
    DECAYED = 7


@dataclass(frozen=True)
class Primitive:
    """One number over the events of some kinds: `days` is the window (None = ever)."""

    op: Op
    kinds: tuple[str, ...]
    days: int | None = None
    half_life_days: float = 0.0


@dataclass(frozen=True)
class Profile:
    """A value read from one column of the profile last known before as_of.

    `read` maps the column's distinct texts (null = None) to values; it sees nothing else, so it cannot leak.
    """

    column: str
    read: Callable[["pd.Series[Any]"], "pd.Series[Any]"]


@dataclass(frozen=True)
class Attribute:
    """A declared attribute of the profile last known: numeric, categorical, boolean or date."""

    name: str
    type: str


@dataclass(frozen=True)
class Moment:
    """Days from a time of the lead's own (created_at, or the profile's known_at) to as_of."""

    since: Literal["created_at", "profile_known_at"]


@dataclass(frozen=True)
class Completeness:
    """Share of the profile's columns, and declared attributes, that are filled."""


@dataclass(frozen=True)
class Combination:
    """A NumPy expression over other columns, by name, and primitives of its own."""

    inputs: tuple[str | Primitive, ...]
    combine: Callable[..., Numbers]
    needs_all: bool = True
    """Whether the column makes sense only when the store has the kinds of every input, not just of one."""


Source = Primitive | Profile | Attribute | Moment | Completeness | Combination


@dataclass(frozen=True)
class Column:
    """One feature column: what it is called, where it comes from, and what a reader must know of it."""

    name: str
    about: str
    unit: str
    source: Source
    missing: str
    """What an empty cell means; "never" where there is none."""
    type: Literal["numeric", "categorical"] = "numeric"
    monotone: int = 0
    """+1 when more of it may never lower the probability, -1 when it may never raise it, 0 when either may be."""
    family: str = ""

    def __post_init__(self) -> None:
        if self.name != identifier(self.name):
            raise ValueError(
                f"A feature's name must be an identifier like {identifier(self.name)!r}, got {self.name!r}"
            )
        if not self.about or not self.unit or not self.missing:
            raise ValueError(f"{self.name}: a feature states what it is about, its unit and what missing means")


@dataclass(frozen=True)
class Declaration:
    """What one word in a family's file declares: its columns, in order."""

    columns: tuple[Column, ...]


def _kinds(of: str | Sequence[str]) -> tuple[str, ...]:
    return (of,) if isinstance(of, str) else tuple(sorted(set(of)))


def _window(days: int | None) -> tuple[str, str]:
    if days is None:
        return "", ", ever"
    if days <= 0:
        raise ValueError(f"A window is a positive number of days, got {days}")
    return f"_{days}d", f" in the last {days} days"


def _windowed(
    op: Op, name: str, of: str | Sequence[str], days: Windows, about: str, unit: str, missing: str, monotone: int
) -> Declaration:
    columns = []
    for window in days:
        suffix, when = _window(window)
        source = Primitive(op, _kinds(of), window)
        columns.append(Column(name + suffix, about + when, unit, source, missing, monotone=monotone))
    return Declaration(tuple(columns))


def Count(
    name: str, *, of: str | Sequence[str], about: str, days: Windows = USUAL_WINDOWS, monotone: int = 0
) -> Declaration:
    """How many events of these kinds fell in each window.

    >>> [column.name for column in Count("demo_requests", of="demo_request", days=(7, None), about="Demos").columns]
    ['demo_requests_7d', 'demo_requests']
    """
    return _windowed(Op.COUNT, name, of, days, about, "events", "never", monotone)


def Sum(
    name: str, *, of: str | Sequence[str], about: str, unit: str, days: Windows = (90, None), monotone: int = 0
) -> Declaration:
    """Sum of the values of these events in each window; an event without a value adds nothing."""
    return _windowed(Op.SUM, name, of, days, about, unit, "never", monotone)


def DistinctDays(
    name: str, *, of: str | Sequence[str], about: str, days: Windows = USUAL_WINDOWS, monotone: int = 0
) -> Declaration:
    """On how many UTC days such an event fell."""
    return _windowed(Op.DAYS, name, of, days, about, "days", "never", monotone)


def Visits(
    name: str, *, of: str | Sequence[str], about: str, days: Windows = USUAL_WINDOWS, monotone: int = 0
) -> Declaration:
    """How many visits: runs of such events with less than 30 minutes between one and the next."""
    return _windowed(Op.VISITS, name, of, days, about, "visits", "never", monotone)


def _single(
    op: Op, name: str, of: str | Sequence[str], about: str, unit: str, missing: str, monotone: int
) -> Declaration:
    return Declaration((Column(name, about, unit, Primitive(op, _kinds(of)), missing, monotone=monotone),))


def DaysSinceLast(name: str, *, of: str | Sequence[str], about: str, monotone: int = 0) -> Declaration:
    """Days from the last such event to as_of."""
    return _single(Op.SINCE_LAST, name, of, about, "days", "it never happened", monotone)


def DaysSinceFirst(name: str, *, of: str | Sequence[str], about: str, monotone: int = 0) -> Declaration:
    """Days from the first such event to as_of."""
    return _single(Op.SINCE_FIRST, name, of, about, "days", "it never happened", monotone)


def LastValue(name: str, *, of: str | Sequence[str], about: str, unit: str, monotone: int = 0) -> Declaration:
    """The value of the last such event that had one."""
    return _single(Op.LAST_VALUE, name, of, about, unit, "no such event had a value", monotone)


def Decayed(name: str, *, of: str | Sequence[str], half_life_days: float, about: str, monotone: int = 0) -> Declaration:
    """Events ever, each weighing half as much for every `half_life_days` that have passed since."""
    if half_life_days <= 0:
        raise ValueError(f"{name}: a half-life is a positive number of days, got {half_life_days}")
    source = Primitive(Op.DECAYED, _kinds(of), None, half_life_days)
    return Declaration((Column(name, about, "events, decayed", source, "never", monotone=monotone),))


def Trend(name: str, *, of: str | Sequence[str], days: int, about: str, monotone: int = 0) -> Declaration:
    """Events of the last `days` days less those of as many days before."""
    kinds = _kinds(of)
    inputs = (Primitive(Op.COUNT, kinds, days), Primitive(Op.COUNT, kinds, 2 * days))
    source = Combination(inputs, lambda recent, both: 2.0 * recent - both)
    return Declaration((Column(name, about, "events", source, "never", monotone=monotone),))


def Breadth(name: str, *, of: Sequence[str], days: int | None, about: str, monotone: int = 0) -> Declaration:
    """How many different kinds among these occurred in the window."""
    inputs = tuple(Primitive(Op.COUNT, (kind,), days) for kind in _kinds(of))

    def kinds_seen(*counts: Numbers) -> Numbers:
        seen: Numbers = np.sum([count > 0 for count in counts], axis=0, dtype=np.float64)
        return seen

    return Declaration(
        (Column(name, about, "kinds", Combination(inputs, kinds_seen, needs_all=False), "never", monotone=monotone),)
    )


def Ratio(name: str, part: str, whole: str, *, about: str, monotone: int = 0) -> Declaration:
    """One column as a share of another; empty when the other is 0."""

    def share(part: Numbers, whole: Numbers) -> Numbers:
        shares: Numbers = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
        return shares

    source = Combination((part, whole), share)
    return Declaration(
        (Column(name, about, "share", source, "there was nothing to take a share of", monotone=monotone),)
    )


def DaysBetween(
    name: str, *, first: str | Sequence[str], then: str | Sequence[str], about: str, monotone: int = 0
) -> Declaration:
    """Days from the first event of one kind to the first of another; negative when the other came before."""
    inputs = (Primitive(Op.SINCE_FIRST, _kinds(first)), Primitive(Op.SINCE_FIRST, _kinds(then)))
    source = Combination(inputs, lambda earlier, later: earlier - later)
    return Declaration((Column(name, about, "days", source, "one of the two never happened", monotone=monotone),))


def Latest(
    name: str,
    *,
    column: str,
    about: str,
    read: Callable[["pd.Series[Any]"], "pd.Series[Any]"] | None = None,
    type: Literal["numeric", "categorical"] = "categorical",
    unit: str = "category",
    missing: str = "not known",
    monotone: int = 0,
) -> Declaration:
    """What the profile last known says in `column`, as it is (trimmed, case folded) or through `read`."""
    source = Profile(column, read or _tidy)
    return Declaration((Column(name, about, unit, source, missing, type=type, monotone=monotone),))


def Since(name: str, *, moment: Literal["created_at", "profile_known_at"], about: str, missing: str) -> Declaration:
    """Days from a time of the lead's own to as_of."""
    return Declaration((Column(name, about, "days", Moment(moment), missing),))


def Filled(name: str, *, about: str) -> Declaration:
    """Share of the profile that is filled."""
    return Declaration((Column(name, about, "share", Completeness(), "no profile is known"),))


def _tidy(texts: "pd.Series[Any]") -> "pd.Series[Any]":
    return texts.str.strip().str.casefold()


@dataclass(frozen=True)
class Family:
    """A family of features: its name and what it declares, in order."""

    name: str
    about: str
    declarations: tuple[Declaration, ...] = field(repr=False)

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns, in the order declared."""
        return tuple(replace(c, family=self.name) for declaration in self.declarations for c in declaration.columns)

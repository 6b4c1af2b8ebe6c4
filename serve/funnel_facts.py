"""What a funnel report says, as values: told to people with intervals and words, and to programs as JSON."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Final, Literal

import numpy as np

from models.intervals import Interval, plain, wilson
from models.survival import Curve
from serve.funnel_money import Money

Word = Literal["above", "level", "below"]
ValueFrom = Literal["economics", "amounts"]

#: Points of a curve that are told; they are read off at even distances.
_POINTS: Final = 120


@dataclass(frozen=True, kw_only=True)
class Period:
    """A stretch of time in which leads were created, [start, end) in microseconds UTC; its first and last day."""

    name: str
    start: int
    end: int
    first: str
    last: str
    whole: bool = True
    """Whether it is a month or quarter from end to end, and not what `--from`, `--to` or as_of leave of one."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """The leads of a group from one stage to another.

    Attributes
    ----------
    entered, passed : all leads so far, of whatever age
    counted, counted_passed : the leads among them that are old enough; `rate` is the share, with its Wilson interval
    days : days within which half of those who go on do so, those still waiting counted right
    days_of_all : the same for half of all who entered: the Kaplan–Meier median; NaN where fewer than half go on
    """

    origin: str
    goal: str
    entered: int
    passed: int
    counted: int
    counted_passed: int
    rate: Interval | None
    days: Interval
    days_of_all: Interval


@dataclass(frozen=True, kw_only=True)
class CohortStep:
    """The same step of the leads of one period; `rate` is of all of them, and the last word only when `mature`."""

    origin: str
    goal: str
    entered: int
    passed: int
    rate: Interval | None
    mature: bool


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """The leads created in one period: how many, and their steps."""

    period: Period
    leads: int
    steps: tuple[CohortStep, ...]


@dataclass(frozen=True, kw_only=True)
class Group:
    """The leads with one value of one column, or all of them (`name` "").

    Attributes
    ----------
    reached : stage -> how many leads have reached it; `old_enough` says how many of those are old enough for it
    steps : from each stage to the next, and last from lead to the last stage, where there are stages between
    word : how the rate over all steps compares with that of all other leads, by the interval of their difference; None
        where either has too few customers to say
    """

    name: str
    leads: int
    reached: Mapping[str, int]
    old_enough: Mapping[str, int]
    steps: tuple[Step, ...]
    cohorts: tuple[Cohort, ...]
    money: Money | None
    word: Word | None = None


@dataclass(frozen=True, kw_only=True)
class Cut:
    """All leads, cut by the values of one column; numbers in their order, else the largest group first."""

    column: str
    groups: tuple[Group, ...]


@dataclass(frozen=True, kw_only=True)
class Funnel:
    """The whole report.

    Attributes
    ----------
    stages : `lead` and the stages that were ever recorded, in order
    old_enough_days : stage -> days after which a lead is old enough for it; None where that cannot be told yet
    implied : stage -> leads that have passed it and were recorded there later than further on, or never
    left_out : why leads of the store are not in here -> how many
    curves : one per step of `total`
    value_from : what a customer's value is: the company's [economics], or the amounts recorded with the customers
    """

    as_of: int
    window: Period
    stages: tuple[str, ...]
    old_enough_days: Mapping[str, float | None]
    implied: Mapping[str, int]
    total: Group
    cuts: tuple[Cut, ...]
    curves: tuple[Curve, ...]
    every: str
    left_out: Mapping[str, int] = field(default_factory=dict)
    currency: str = ""
    value_from: ValueFrom | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON: what is not known is null, moments are ISO 8601 in UTC, curves have 120 points."""
        told: dict[str, Any] = _plain(self)
        return told | {"as_of": moment(self.as_of)}


def rate_of(passed: int, entered: int) -> Interval | None:
    """A rate with its Wilson interval; None where nobody entered.

    >>> rate_of(1, 4), rate_of(0, 0)
    (Interval(value=0.25, low=0.0455..., high=0.699..., undefined=0), None)
    """
    return Interval(passed / entered, *wilson(passed / entered, entered)) if entered else None


def points(found: Curve) -> list[tuple[float, float, float, float]]:
    """(days, share, low, high) of a curve at even distances, from entering to its end; none where it reaches nowhere.

    >>> from models.survival import curve
    >>> points(curve(np.array([1.0, np.nan]), watched=np.array([4.0, 4.0]), least_watched=1))[-1][:2]
    (4.0, 0.5)
    """
    if not math.isfinite(found.watched_days):
        return []
    days = np.linspace(0, found.watched_days, _POINTS)
    place = np.searchsorted(found.days, days, side="right")
    lines = (np.append(0.0, line)[place] for line in (found.share, found.low, found.high))
    return list(zip(days.tolist(), *(line.tolist() for line in lines), strict=True))


def moment(microseconds: int) -> str:
    """A moment as ISO 8601 in UTC, to the second.

    >>> moment(1_767_225_600_000_000)
    '2026-01-01T00:00:00+00:00'
    """
    return str(np.datetime64(microseconds, "us").astype("datetime64[s]")) + "+00:00"


def _plain(value: Any) -> Any:
    if isinstance(value, Interval):
        return {name: plain(getattr(value, name)) for name in ("value", "low", "high")}
    if isinstance(value, Period):
        return {"name": value.name, "first": value.first, "last": value.last, "whole": value.whole}
    if isinstance(value, Curve):
        told = [dict(zip(("days", "share", "low", "high"), point, strict=True)) for point in points(value)]
        counts = {"entered": value.entered, "passed": value.passed}
        return counts | {"watched_days": _plain(value.watched_days), "points": told}
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

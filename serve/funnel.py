"""The funnel: how many leads pass from stage to stage, by group and period, how fast, and for how much money.

Stages are those that people recorded. A lead that is recorded at a later stage has passed the earlier ones, at the
latest on that day; a stage that nobody ever recorded is left out. `sal` and `pql` are ways of being qualified and not
yet handed over, so they stand with `mql`: marketing's work is done with the first of the three. `recycled` and
`disqualified` lead out of the funnel and undo nothing: such a lead has passed what it passed, and may still come back.

Young leads are no bad leads. A lead is *old enough* for a stage once it has had the days, since it was created, within
which 90 % of those who ever reach that stage do so (by the Kaplan–Meier curve of all leads). Rates count old enough
leads only, and a period is *mature* for a step when all its leads are old enough for the stage at the step's end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.tables import MICROSECONDS_PER_DAY
from models.intervals import plain
from models.segments import MOST_VALUES, NOT_KNOWN, OTHER
from models.survival import Curve, curve, half_of_all, time_of
from serve.funnel_facts import Cohort, CohortStep, Cut, Funnel, Group, Period, Step, Word, rate_of
from serve.funnel_money import LEAST_CUSTOMERS, Money, money, share_out

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: The stages after `lead` in their order, and what people record when a lead has reached one.
RECORDED: Final[Mapping[str, tuple[str, ...]]] = {
    "mql": ("mql", "sal", "pql"),
    "sql": ("sql",),
    "opportunity": ("opportunity",),
    "customer": ("customer",),
}
LEAD: Final = "lead"
CHANNEL: Final = "source_channel"
#: Of those who ever reach a stage, the part that has done so when a lead is old enough for it.
OLD_ENOUGH: Final = 0.9
#: Leads that must have reached a stage before it can be said how long that takes.
LEAST_REACHED: Final = 5


def funnel(
    leads: pd.DataFrame,
    *,
    as_of: int,
    window: Period,
    periods: Sequence[Period],
    cuts: Sequence[str] = (),
    costs: pd.DataFrame | None = None,
    **told: Any,
) -> Funnel:
    """Follow leads through the stages.

    Parameters
    ----------
    leads : one row per lead, nothing in it known only at or after `as_of`: `created_at` and one column per key of
        `RECORDED`, when the lead was first recorded there (microseconds UTC, NaN: never); `value`, what a customer
        brings (NaN: not known); `source_channel` and the columns of `cuts` (null: not known)
    as_of : microseconds UTC; how long leads have been watched is counted up to here
    window : only leads created in it are counted; how long steps take to come to rest is learned from all
    periods : ascending, within the window
    cuts : columns to cut by; ordered categories are numbers
    costs : as for `share_out`
    told : `every`, `left_out`, `currency` and `value_from`, passed on

    Raises
    ------
    ValueError
        A moment is not before as_of.
    """
    created = leads["created_at"].to_numpy(np.float64)
    recorded = leads[list(RECORDED)].to_numpy(np.float64)
    if len(leads) and max(created.max(), np.nanmax(recorded, initial=-np.inf)) >= as_of:
        raise ValueError(f"every moment must come before as_of ({as_of}): cut the history there first.")
    there = np.isfinite(recorded).any(axis=0)
    stages = (LEAD, *(stage for stage, ever in zip(RECORDED, there, strict=True) if ever))
    entered, implied = passed_by(created, recorded[:, there])
    old_days = [0.0, *(_old_enough(entered[:, 0], entered[:, at], as_of=as_of) for at in range(1, len(stages)))]
    old = created[:, None] + np.array(old_days) * MICROSECONDS_PER_DAY <= as_of
    shared, idle = np.full(len(leads), np.nan), None
    if costs is not None:
        shared, idle = share_out(leads[CHANNEL], leads["created_at"].to_numpy(np.int64), costs, as_of=as_of)
        idle = idle[(idle["start"] >= window.start) & (idle["end"] <= window.end)]
    inside = (created >= window.start) & (created < window.end)
    followed = _Followed(
        stages=stages,
        entered=entered[inside],
        old=old[inside],
        period=_numbered(created[inside], periods),
        cost=shared[inside],
        value=leads["value"].to_numpy(np.float64)[inside] if told.get("value_from") else None,
        month_over=_month_over(created[inside], costs, as_of=as_of),
        periods=tuple(periods),
        old_days=tuple(old_days),
        as_of=as_of,
    )
    everybody = np.ones(int(inside.sum()), bool)
    return Funnel(
        as_of=as_of,
        window=window,
        stages=stages,
        old_enough_days=dict(zip(stages, map(plain, old_days), strict=True)),
        implied={stage: int(count) for stage, count in zip(stages[1:], implied[inside].sum(axis=0), strict=True)},
        total=followed.group("", everybody, idle=idle),
        cuts=tuple(_cut(followed, name, leads.loc[inside, name], idle=idle) for name in cuts),
        curves=tuple(followed.curve(a, b, everybody) for a, b in followed.pairs),
        **told,
    )


def passed_by(created: Floats, recorded: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """When each lead had passed each stage, from when it was first recorded at each.

    Parameters
    ----------
    created : (leads,)
    recorded : (leads, stages after lead), in order; NaN: never

    Returns
    -------
    entered : (leads, 1 + stages); a lead recorded further on has passed all before, and its first moment is no later
    implied : (leads, stages) where it had passed a stage before it was recorded there

    Examples
    --------
    >>> entered, implied = passed_by(np.array([1.0]), np.array([[np.nan, 4.0, 3.0, np.nan]]))
    >>> entered.tolist(), implied.tolist()
    ([[1.0, 3.0, 3.0, 3.0, nan]], [[True, True, False, False]])
    """
    later = np.fmin.accumulate(recorded[:, ::-1], axis=1)[:, ::-1] if recorded.shape[1] else recorded
    first = np.fmin(created, later[:, 0]) if recorded.shape[1] else created
    return np.column_stack([first, later]), np.isfinite(later) & ~(recorded == later)


@dataclass(frozen=True, kw_only=True)
class _Followed:
    """The leads of the window, one row each."""

    stages: tuple[str, ...]
    entered: Floats
    old: Flags
    period: npt.NDArray[np.int64]
    cost: Floats
    value: Floats | None
    month_over: Flags
    periods: tuple[Period, ...]
    old_days: tuple[float, ...]
    as_of: int

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The steps, as places in `stages`."""
        last = len(self.stages) - 1
        return [(at, at + 1) for at in range(last)] + ([(0, last)] if last > 1 else [])

    def curve(self, origin: int, goal: int, who: Flags) -> Curve:
        """How long the step takes."""
        start, end = self.entered[who, origin], self.entered[who, goal]
        return _curve(start[np.isfinite(start)], end[np.isfinite(start)], as_of=self.as_of)

    def group(self, name: str, who: Flags, *, idle: pd.DataFrame | None, word: Word | None = None) -> Group:
        """The leads for which `who` holds."""
        reached = np.isfinite(self.entered[who])
        old = self.old[who]
        cohorts = self._cohorts(who, reached)
        return Group(
            name=name,
            leads=int(who.sum()),
            reached={stage: int(count) for stage, count in zip(self.stages, reached.sum(axis=0), strict=True)},
            old_enough={stage: int(n) for stage, n in zip(self.stages, (reached & old).sum(axis=0), strict=True)},
            steps=tuple(self._step(a, b, who, reached, old) for a, b in self.pairs),
            cohorts=cohorts,
            money=self._money(who, reached, old, idle),
            word=word,
        )

    def _step(self, origin: int, goal: int, who: Flags, reached: Flags, old: Flags) -> Step:
        counted = int((reached[:, origin] & old[:, goal]).sum())
        counted_passed = int((reached[:, goal] & old[:, goal]).sum())
        found = self.curve(origin, goal, who)
        return Step(
            origin=self.stages[origin],
            goal=self.stages[goal],
            entered=int(reached[:, origin].sum()),
            passed=int(reached[:, goal].sum()),
            counted=counted,
            counted_passed=counted_passed,
            rate=rate_of(counted_passed, counted),
            days=time_of(found, 0.5),
            days_of_all=half_of_all(found),
        )

    def _cohorts(self, who: Flags, reached: Flags) -> tuple[Cohort, ...]:
        period, size = self.period[who], len(self.periods)
        counts = np.column_stack(
            [np.bincount(period[(period >= 0) & reached[:, at]], minlength=size) for at in range(len(self.stages))]
        )
        return tuple(
            Cohort(
                period=one,
                leads=int(row[0]),
                steps=tuple(
                    CohortStep(
                        origin=self.stages[a],
                        goal=self.stages[b],
                        entered=int(row[a]),
                        passed=int(row[b]),
                        rate=rate_of(int(row[b]), int(row[a])),
                        mature=one.end + self.old_days[b] * MICROSECONDS_PER_DAY <= self.as_of,
                    )
                    for a, b in self.pairs
                ),
            )
            for one, row in zip(self.periods, counts, strict=True)
        )

    def _money(self, who: Flags, reached: Flags, old: Flags, idle: pd.DataFrame | None) -> Money | None:
        if self.stages[-1] != "customer":
            return None
        long_ago = self.as_of - self.old_days[-1] * MICROSECONDS_PER_DAY
        return money(
            self.cost[who],
            None if self.value is None else self.value[who],
            over=self.month_over[who],
            old=old[:, -1],
            customer=reached[:, -1],
            idle=0.0 if idle is None else float(idle["cost"].sum()),
            idle_old=0.0 if idle is None else float(idle.loc[idle["end"] <= long_ago, "cost"].sum()),
        )


def _cut(followed: _Followed, column: str, values: "pd.Series[Any]", *, idle: pd.DataFrame | None) -> Cut:
    categories = values.astype("category").cat
    codes, names = categories.codes.to_numpy(), [str(name) for name in categories.categories]
    sizes = np.bincount(codes[codes >= 0], minlength=len(names))
    order = list(range(len(names)))
    if not categories.ordered:
        order.sort(key=lambda at: (-sizes[at], names[at]))
    order = [at for at in order if sizes[at]]
    kept, rest = (order, []) if len(order) <= MOST_VALUES else (order[:MOST_VALUES], order[MOST_VALUES:])
    members = [(names[at], codes == at) for at in kept]
    members += [(OTHER, np.isin(codes, rest))] if rest else []
    members += [(NOT_KNOWN, codes < 0)] if (codes < 0).any() else []
    # What was spent without bringing a lead can be laid at the door of a channel, and of no other group.
    groups = [
        followed.group(
            name,
            who,
            idle=idle[idle["channel"] == name] if idle is not None and column == CHANNEL else None,
            word=_compared(followed, who),
        )
        for name, who in members
    ]
    return Cut(column=column, groups=tuple(groups))


def _compared(followed: _Followed, who: Flags) -> Word | None:
    """A group against all other leads: Newcombe's interval of the difference of the two rates (his method 10).

    References
    ----------
    Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions. Statistics in
        Medicine 17(8). doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I
    """
    old, done = followed.old[:, -1], np.isfinite(followed.entered[:, -1])
    ours, others = (rate_of(int((old & done & part).sum()), int((old & part).sum())) for part in (who, ~who))
    if ours is None or others is None or min((old & done & part).sum() for part in (who, ~who)) < LEAST_CUSTOMERS:
        return None
    difference = ours.value - others.value
    if difference > np.hypot(ours.value - ours.low, others.high - others.value):
        return "above"
    return "below" if -difference > np.hypot(ours.high - ours.value, others.value - others.low) else "level"


def _curve(start: Floats, end: Floats, *, as_of: int) -> Curve:
    return curve((end - start) / MICROSECONDS_PER_DAY, watched=(as_of - start) / MICROSECONDS_PER_DAY)


def _old_enough(start: Floats, end: Floats, *, as_of: int) -> float:
    """Days, whole and rounded up; infinite where too few were ever seen to reach the stage."""
    found = _curve(start, end, as_of=as_of)
    return float(np.ceil(time_of(found, OLD_ENOUGH).value)) if found.passed >= LEAST_REACHED else np.inf


def _numbered(created: Floats, periods: Sequence[Period]) -> npt.NDArray[np.int64]:
    """The place of each lead's period; -1 where it is in none."""
    starts, ends = (np.array([getattr(one, at) for one in periods], np.float64) for at in ("start", "end"))
    place = np.searchsorted(starts, created, side="right") - 1
    outside = (place < 0) | (created >= ends[np.maximum(place, 0)]) if len(periods) else np.ones(len(created), bool)
    return np.where(outside, -1, place).astype(np.int64)


def _month_over(created: Floats, costs: pd.DataFrame | None, *, as_of: int) -> Flags:
    """Whether costs are known of the month in which each lead was created: some were recorded, and it is over."""
    if costs is None or not len(costs):
        return np.zeros(len(created), bool)
    months = costs.loc[costs["end"] <= as_of, ["start", "end"]].drop_duplicates().sort_values("start")
    place = np.searchsorted(months["start"].to_numpy(np.float64), created, side="right") - 1
    ends = np.append(months["end"].to_numpy(np.float64), -np.inf)  # the place before the first is the last, -1
    return created < ends[place]

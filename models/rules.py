"""Marketing's points card: criteria on named features, each worth points, whose sum is always the total.

A card has two groups: *fit* (who the lead is) and *engagement* (what it did, and how it answered).

- A criterion matches a lead or not, once, by its feature as of as_of. A missing value matches `is_missing` and nothing
  else, not even `is_not`.
- The points of an act may decay by a feature that says how many days ago it was: halved every `half_life_days`, or
  straight down to nothing at `zero_after_days`. Where those days are missing, it never happened: no points.
- A cap holds the sum of a group, or of all, from above, and a floor the sum of all from below; points below zero count
  before them. What they take away or add is a part of its own, so the parts add up to the points exactly.
- Points are counted in whole units of the card's last decimal (half a unit is rounded away from zero), so nothing is
  lost or gained by binary fractions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Number = int | float
Value = None | Number | str | tuple[str, ...] | tuple[Number, Number]

#: What a lead is by its total, and how it is graded by fit and by engagement; the lowest first.
STEPS: Final = {"total": ("lead", "mql", "sql"), "fit": ("C", "B", "A"), "engagement": ("3", "2", "1")}
#: Names of the parts that caps and the floor are; no criterion bears one of them.
CAPS: Final = ("cap of fit", "cap of engagement", "cap of all")
FLOOR: Final = "floor of all"


@dataclass(frozen=True, kw_only=True)
class Decay:
    """How points fade with the days that the feature `by` counts: by a half-life, or straight down to nothing.

    Examples
    --------
    >>> Decay(by="days_since_answer", half_life_days=30).share(np.array([0.0, 30.0, np.nan])).tolist()
    [1.0, 0.5, 0.0]
    >>> Decay(by="days_since_answer", zero_after_days=90).share(np.array([0.0, 45.0, 100.0])).tolist()
    [1.0, 0.5, 0.0]
    """

    by: str
    half_life_days: Number | None = None
    zero_after_days: Number | None = None

    def share(self, days: Floats) -> Floats:
        """What is left of the points after so many days, in [0, 1]: all of it before, nothing where days are NaN."""
        since = np.maximum(days, 0.0)
        if self.half_life_days is not None:
            left = np.exp2(-since / self.half_life_days)
        else:
            left = np.maximum(1.0 - since / (self.zero_after_days or 1.0), 0.0)
        return np.where(np.isnan(days), 0.0, left)


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """Points for the leads of whom something is so, such as `content_downloads_90d at_least 1`."""

    name: str
    feature: str
    operator: str
    points: Decimal
    value: Value = None
    decay: Decay | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """The columns that it needs."""
        return (self.feature,) if self.decay is None else (self.feature, self.decay.by)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Criteria of fit or of engagement; `limits` are the points from which a lead is graded B, A, or 2, 1."""

    criteria: tuple[Criterion, ...]
    limits: tuple[Decimal, Decimal]
    cap: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Card:
    """All that makes points. `pipelines.rules_card` reads and checks one; a card made by hand is taken as it is.

    Parameters
    ----------
    limits : the total from which a lead is an mql, an sql
    cap : no total is above it
    floor : no total is below it; it is below the cap
    decimals : how finely points are counted; no number of points in the card has more
    where : the card's name in messages
    left_out : name of a criterion that the store has no column for -> why
    """

    fit: Group
    engagement: Group
    limits: tuple[Decimal, Decimal]
    cap: Decimal | None = None
    floor: Decimal | None = None
    decimals: int = 0
    where: str = "the points card"
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def groups(self) -> dict[str, Group]:
        """Fit and engagement, by name."""
        return {"fit": self.fit, "engagement": self.engagement}

    @property
    def features(self) -> tuple[str, ...]:
        """The columns that its criteria need, each once."""
        criteria = (*self.fit.criteria, *self.engagement.criteria)
        return tuple(dict.fromkeys(name for criterion in criteria for name in criterion.features))

    def units(self, points: Decimal) -> int:
        """Points in whole units of the last decimal."""
        whole = int(points.scaleb(self.decimals))
        assert whole == points.scaleb(self.decimals), f"{points} has more decimals than {self.where} counts"
        return whole


@dataclass(frozen=True)
class Part:
    """One summand of a lead's points; `group` is fit or engagement, or "all" for the cap and the floor of all."""

    name: str
    group: str
    points: Decimal
    says: str


def points(frame: pd.DataFrame, card: Card) -> pd.DataFrame:
    """Count every row's points.

    Parameters
    ----------
    frame : features, one row per (lead_id, as_of); needs the columns `card.features`

    Returns
    -------
    DataFrame indexed as `frame`, without nulls
        `total`, `fit`, `engagement` : float64, after their caps, and the total after its floor; the doubles nearest to
        points of so many decimals.
        `grade` : A1 (fits best, engages most) to C3. `stage` : lead, mql or sql, by the total.

    Raises
    ------
    ValueError
        The frame lacks a column that the card needs.

    Examples
    --------
    >>> forms = Criterion(name="Forms", feature="forms", operator="at_least", value=1, points=Decimal(30))
    >>> limits = (Decimal(10), Decimal(25))
    >>> group = Group(criteria=(forms,), limits=limits, cap=Decimal(20))
    >>> card = Card(fit=Group(criteria=(), limits=limits), engagement=group, limits=limits)
    >>> points(pd.DataFrame({"forms": [2.0, 0.0]}), card)
       total  fit  engagement grade stage
    0   20.0  0.0        20.0    C2   mql
    1    0.0  0.0         0.0    C3  lead
    >>> [(part.name, int(part.points)) for part in parts(pd.DataFrame({"forms": [2.0]}), card)]
    [('Forms', 30), ('cap of engagement', -10)]
    >>> points(pd.DataFrame({"visits": [2.0]}), card)
    Traceback (most recent call last):
    ...
    ValueError: the points card: the frame has no column forms; fit the card to the store first
    """
    sheet = units(frame, card)
    held = {
        name: _held(_sum(sheet, [c.name for c in group.criteria]), group.cap, card)
        for name, group in card.groups.items()
    }
    held["total"] = _lifted(_held(held["fit"] + held["engagement"], card.cap, card), card)
    assert np.array_equal(_sum(sheet, list(sheet.columns)), held["total"]), "the parts do not add up to the points"
    steps = {}
    for name, limits in (("total", card.limits), ("fit", card.fit.limits), ("engagement", card.engagement.limits)):
        edges = [card.units(limit) for limit in limits]
        steps[name] = np.array(STEPS[name])[np.searchsorted(edges, held[name], side="right")]
    return pd.DataFrame(
        {
            **{name: held[name] / 10**card.decimals for name in ("total", "fit", "engagement")},
            "grade": np.char.add(steps["fit"], steps["engagement"]),
            "stage": steps["total"],
        },
        index=frame.index,
    )


def parts(row: pd.DataFrame, card: Card) -> tuple[Part, ...]:
    """The parts of one lead's points, in the card's order; those of 0 points are not told.

    Their points add up to the lead's total exactly, which is asserted.

    Parameters
    ----------
    row : one row of features, such as `frame.iloc[[0]]`

    Raises
    ------
    ValueError
        There is not exactly one row, or it lacks a column that the card needs.
    """
    if len(row) != 1:
        raise ValueError(f"Expected the features of one lead, got {len(row)} rows: take one with frame.iloc[[i]]")
    amounts = [Decimal(int(n)).scaleb(-card.decimals) for n in units(row, card).iloc[0]]
    says: list[tuple[str, str, str]] = []
    for name, group in card.groups.items():
        says += [(c.name, name, _says(c, row.iloc[0])) for c in group.criteria]
        says.append((f"cap of {name}", name, f"no more than {group.cap} points of {name}"))
    says.append(("cap of all", "all", f"no more than {card.cap} points"))
    says.append((FLOOR, "all", f"no fewer than {card.floor} points"))
    told = tuple(Part(*said[:2], amount, said[2]) for said, amount in zip(says, amounts, strict=True) if amount)
    total = points(row, card)["total"].iloc[0]
    assert float(sum((part.points for part in told), Decimal(0))) == total, "the parts do not add up to the points"
    return told


def units(frame: pd.DataFrame, card: Card) -> pd.DataFrame:
    """Every part of every row's points, in whole units of the card's last decimal.

    Returns
    -------
    DataFrame indexed as `frame`, one int64 column per part: each group's criteria, by name, and its cap, then the cap
    and the floor of all. A row's sum is its total.

    Raises
    ------
    ValueError
        The frame lacks a column that the card needs.
    """
    missing = [name for name in card.features if name not in frame]
    if missing:
        raise ValueError(f"{card.where}: the frame has no column {', '.join(missing)}; fit the card to the store first")
    sheet: dict[str, Integers] = {}
    everything = np.zeros(len(frame), np.int64)
    for name, group in card.groups.items():
        summed = np.zeros(len(frame), np.int64)
        for criterion in group.criteria:
            sheet[criterion.name] = _worth(frame, criterion, card)
            summed = summed + sheet[criterion.name]
        held = _held(summed, group.cap, card)
        sheet[f"cap of {name}"] = held - summed
        everything = everything + held
    capped = _held(everything, card.cap, card)
    sheet["cap of all"] = capped - everything
    sheet[FLOOR] = _lifted(capped, card) - capped
    return pd.DataFrame(sheet, index=frame.index)


def fold(text: str) -> str:
    """A text as it is compared: trimmed and case folded, as the features' texts are."""
    return text.strip().casefold()


def _held(summed: Integers, cap: Decimal | None, card: Card) -> Integers:
    return summed if cap is None else np.minimum(summed, card.units(cap))


def _lifted(summed: Integers, card: Card) -> Integers:
    return summed if card.floor is None else np.maximum(summed, card.units(card.floor))


def _sum(sheet: pd.DataFrame, names: list[str]) -> Integers:
    summed: Integers = sheet[names].to_numpy(np.int64).sum(axis=1)
    return summed


def _worth(frame: pd.DataFrame, criterion: Criterion, card: Card) -> Integers:
    full = card.units(criterion.points)
    worth = np.full(len(frame), full, np.int64)
    if criterion.decay is not None:
        left = full * criterion.decay.share(frame[criterion.decay.by].to_numpy(np.float64))
        # To 9 decimals first: a half is a half on every machine, and whichever rows stand beside it.
        worth = np.copysign(np.floor(np.abs(left).round(9) + 0.5), left).astype(np.int64)
    counted: Integers = np.where(matches(frame[criterion.feature], criterion), worth, 0)
    return counted


def matches(column: "pd.Series[Any]", criterion: Criterion) -> npt.NDArray[np.bool_]:
    """(rows,) whether a criterion matches each value of its feature, whatever it is worth."""
    operator, value = criterion.operator, criterion.value
    known = column.notna().to_numpy(bool)
    if value is None:
        return known if operator == "is_known" else ~known
    texts = [v for v in (value if isinstance(value, tuple) else (value,)) if isinstance(v, str)]
    if texts:
        wanted = {fold(text) for text in texts}
        codes, distinct = pd.factorize(column)
        # Missing cells have the code -1, which is the last place: they match nothing.
        yes = [(fold(str(text)) in wanted) == (operator in ("is", "is_one_of")) for text in distinct]
        return np.array([*yes, False], bool)[codes]
    low, high = value if isinstance(value, tuple) else (value, value)
    numbers = column.to_numpy(np.float64)
    matched: Mapping[str, npt.NDArray[np.bool_]] = {
        "at_least": numbers >= low,
        "more_than": numbers > low,
        "at_most": numbers <= low,
        "less_than": numbers < low,
        "between": (numbers >= low) & (numbers <= high),
        "is": numbers == low,
        "is_not": numbers != low,
    }
    return known & matched[operator]


def _says(criterion: Criterion, row: "pd.Series[Any]") -> str:
    """What the lead has and, of an act, how long ago and what it was worth then."""
    value = row[criterion.feature]
    says = f"{criterion.feature} is {'not known' if pd.isna(value) else _short(value)}"
    if criterion.decay is not None:
        ago = "" if criterion.decay.by == criterion.feature else f", {_short(row[criterion.decay.by])} days ago"
        says += f"; {criterion.points} points at first{ago}"
    return says


def _short(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"

"""The criteria that a rule of a CRM could hold: one column, one operator, a number that people would choose.

Only what a CRM keeps by itself can be carried back into one: fields in words, counts of one kind of event, days since
something, sums, attributes. Rates, trends, and counts that fade are left to the model; and how often we wrote to a lead
says something of us. Numbers are the trade's (3
times, 30 days) or else the roundest near a quantile. Texts are taken one by one and in groups, those of the highest
and of the lowest conversion first; a value that few leads have is never named.

References
----------
Fisher, W. D. (1958). On grouping for maximum homogeneity. J. Am. Stat. Assoc. 53. doi:10.1080/01621459.1958.10501479
(with two outcomes, the best group of categories is a run of them in the order of their rates).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.declare import Attribute, Column, Combination, Completeness, Moment, Op, Primitive, Profile, Source
from features.sizes import BANDS
from features.titles import SENIORITIES
from models.rules import Criterion, Value, fold, matches
from models.rules_words import named

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

#: A criterion matches at least so many leads, and this share of the snapshots, and leaves as many out.
FEWEST_LEADS: Final = 20
LEAST_SHARE: Final = 0.005
#: What we do, not the lead.
OURS: Final = ("email_delivered",)
#: Texts that stand in an order of their own, in which they are named.
ORDERED: Final = {"company_size_band": tuple(name for _, name in BANDS), "seniority": SENIORITIES}
#: Unit -> operators; for any other, from a number on and below it. What a lead did counts, not what it did not do.
OPERATORS: Final = {
    "days": ("at_most", "more_than"), "events": ("at_least",), "visits": ("at_least",), "0 or 1": ("at_least",),
}  # fmt: skip
#: Numbers that people choose.
TIMES: Final = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
DAYS: Final = (1.0, 3.0, 7.0, 14.0, 30.0, 60.0, 90.0, 180.0, 365.0)
QUANTILES: Final = tuple(n / 10 for n in range(1, 10))
#: How far from a quantile, in share of the snapshots, a rounder number may lie.
AROUND: Final = 0.03
#: No group of texts is longer, and no more texts are tried one by one.
MOST_TEXTS: Final = 6
MOST_SINGLE: Final = 30
#: Rows at the base rate that are added to a text's own before texts are put in order.
PRIOR: Final = 20.0


@dataclass(frozen=True)
class Candidate:
    """A criterion without points yet, the group it belongs to, and the sign that its points must have."""

    criterion: Criterion
    group: str
    sign: int


def candidates(
    frame: pd.DataFrame, columns: Sequence[Column], target: Floats, *, lead_id: npt.ArrayLike
) -> tuple[list[Candidate], Flags]:
    """Every criterion worth trying on these snapshots.

    A criterion's sign is that of its own connection with the target: no card takes points away for what, by itself,
    goes with converting. Where the column declares the other sign, the criterion is no candidate. Of two criteria that
    match the same snapshots, or exactly the others, one is kept: the rarer, then the one of the wider window.

    Parameters
    ----------
    frame : (rows, …) features; holds every one of `columns`
    target : (rows,) probabilities, or outcomes
    lead_id : (rows,)

    Returns
    -------
    (candidates, matched)
        `matched` is (candidates, rows).
    """
    leads = pd.factorize(np.asarray(lead_id, object))[0]
    base = float(target.mean())
    found: list[Candidate] = []
    rows: list[Flags] = []
    seen: dict[bytes, int] = {}
    # Wider windows first: of two criteria that match the same leads, the one without a window is simpler.
    for column in sorted(columns, key=lambda column: -_window_days(column.source)):
        group = group_of(column)
        if group is None:
            continue
        for criterion in _criteria(frame[column.name], column, target, leads):
            matched = matches(frame[criterion.feature], criterion)
            if not _common(matched, leads):
                continue
            sign = 1 if float(target[matched].mean()) > base else -1
            if sign * _declared_sign(criterion, column) < 0:
                continue
            this, other = (np.packbits(side).tobytes() for side in (matched, ~matched))
            place = seen.get(this, seen.get(other))
            if place is None:
                seen[this] = len(found)
                found.append(Candidate(criterion, group, sign))
                rows.append(matched)
            elif this not in seen and matched.sum() < rows[place].sum():
                seen[this] = place
                found[place], rows[place] = Candidate(criterion, group, sign), matched
    return found, np.array(rows, bool).reshape(len(rows), len(frame))


def group_of(column: Column) -> str | None:
    """Fit or engagement; None for what a CRM's rule cannot hold.

    >>> from features.declare import Count, Ratio
    >>> group_of(Count("forms", of="form", about="Forms").columns[0])
    'engagement'
    >>> group_of(Ratio("rate", "a", "b", about="Rate").columns[0]) is None
    True
    """
    match column.source:
        case Attribute():
            return "fit"
        case Profile():
            return "fit" if column.type == "categorical" else None  # its words stand in a column of their own
        case Moment(since=since):
            return "engagement" if since == "created_at" else None
        case Primitive(op=op, kinds=kinds):
            if "*" in kinds or set(kinds) <= set(OURS):
                return None
            if op in (Op.VISITS, Op.SINCE_LAST):
                return "engagement"
            return "engagement" if op in (Op.COUNT, Op.SUM, Op.LAST_VALUE) and len(kinds) == 1 else None
        case Combination() | Completeness():
            return None


def roundest(low: float, high: float) -> float:
    """The number of the fewest digits in [low, high], fives before other digits; the middle-most of several.

    >>> roundest(28.2, 31.9), roundest(4.851, 4.862), roundest(-3.1, 2.0), roundest(1234.0, 1890.0)
    (30.0, 4.86, 0.0, 1500.0)
    """
    if low <= 0 <= high:
        return 0.0
    middle = Decimal(repr((low + high) / 2))
    largest = Decimal(repr(max(abs(low), abs(high))))
    power = largest.adjusted() + 1
    while True:
        for step in (Decimal(10).scaleb(power - 1), Decimal(5).scaleb(power - 1)):
            number = (middle / step).to_integral_value() * step
            if low <= float(number) <= high:
                return float(number)
        power -= 1


def apart(criteria: Sequence[Criterion], columns: Sequence[Column]) -> tuple[Criterion, ...]:
    """The same points, with no text named twice: of criteria on groups of one feature's texts that overlap, each text
    goes to one group with what it is worth in all. Left as they are where that would take more criteria.

    Examples
    --------
    >>> from features.declare import Latest
    >>> columns = Latest("country", column="country", about="Country").columns
    >>> def worth(points: int, *texts: str) -> Criterion:
    ...     return Criterion(name="", feature="country", operator="is_one_of", value=texts, points=Decimal(points))
    >>> [(c.name, int(c.points)) for c in apart([worth(20, "fr", "be"), worth(10, "fr", "be", "ch")], columns)]
    [('Country: fr or be', 30), ('Country: ch', 10)]
    """
    of_column = {column.name: column for column in columns}
    told: dict[str, list[Criterion]] = {}
    for criterion in criteria:
        if criterion.operator in ("is", "is_one_of") and isinstance(criterion.value, str | tuple):
            told.setdefault(criterion.feature, []).append(criterion)
    instead: dict[str, tuple[Criterion, ...]] = {}
    for feature, those in told.items():
        worth: dict[str, Decimal] = {}
        for criterion in those:
            for text in criterion.value if isinstance(criterion.value, tuple) else (criterion.value,):
                worth[str(text)] = worth.get(str(text), Decimal(0)) + criterion.points
        groups = [tuple(t for t in worth if worth[t] == points) for points in dict.fromkeys(worth.values()) if points]
        if len(groups) <= len(those):
            instead[feature] = tuple(
                _of_texts(of_column[feature], _in_order(feature, group), worth[group[0]]) for group in groups
            )
    kept = [c for c in criteria if c.feature not in instead or not any(c is other for other in told[c.feature])]
    return tuple(sorted((*kept, *chain.from_iterable(instead.values())), key=lambda c: -abs(c.points)))


def _common(matched: Flags, leads: npt.NDArray[np.intp]) -> bool:
    share = matched.mean()
    if not LEAST_SHARE <= share <= 1 - LEAST_SHARE:
        return False
    return all(np.count_nonzero(np.bincount(leads[side])) >= FEWEST_LEADS for side in (matched, ~matched))


def _declared_sign(criterion: Criterion, column: Column) -> int:
    """What a monotone column says of a criterion's points: +1, -1, or 0 where it says nothing."""
    rising = {"at_least": 1, "more_than": 1, "at_most": -1, "less_than": -1}
    return column.monotone * rising.get(criterion.operator, 0)


def _criteria(
    values: "pd.Series[Any]", column: Column, target: Floats, leads: npt.NDArray[np.intp]
) -> Iterator[Criterion]:
    def criterion(operator: str, value: Value = None) -> Criterion:
        name = named(column, operator, value)
        return Criterion(name=name, feature=column.name, operator=operator, value=value, points=Decimal(0))

    if column.type == "categorical":
        for texts in _groups_of_texts(values, target, leads):
            yield _of_texts(column, _in_order(column.name, texts))
    else:
        for number in _numbers(values.to_numpy(np.float64), column):
            plain = int(number) if number == int(number) else number
            for operator in OPERATORS.get(column.unit, ("at_least", "less_than")):
                yield criterion(operator, plain)
    if column.missing != "never":
        yield criterion("is_known")


def _of_texts(column: Column, texts: tuple[str, ...], points: Decimal = Decimal(0)) -> Criterion:
    operator, value = ("is", texts[0]) if len(texts) == 1 else ("is_one_of", texts)
    name = named(column, operator, value)
    return Criterion(name=name, feature=column.name, operator=operator, value=value, points=points)


def _in_order(feature: str, texts: tuple[str, ...]) -> tuple[str, ...]:
    places = {text: place for place, text in enumerate(ORDERED.get(feature, ()))}
    return tuple(sorted(texts, key=lambda text: places.get(fold(text), 0)))


def _window_days(source: Source) -> float:
    """Days of a window; without end where there is none."""
    return float(source.days) if isinstance(source, Primitive) and source.days is not None else float("inf")


def _numbers(values: Floats, column: Column) -> list[float]:
    known = values[~np.isnan(values)]
    if not len(known):
        return []
    if column.unit == "days":
        return [number for number in DAYS if known.min() <= number < known.max()]
    if column.unit in ("events", "visits"):
        return [number for number in TIMES if known.min() < number <= known.max()]
    if column.unit == "0 or 1":
        return [1.0]
    numbers = []
    for quantile in QUANTILES:
        low, high = np.quantile(known, [max(quantile - AROUND, 0.0), min(quantile + AROUND, 1.0)])
        # Between a value and the one below it, every number cuts alike: the roundest is taken there too.
        below = known[known < low]
        lowest = low - 0.9 * (low - below.max()) if len(below) else low
        numbers.append(roundest(float(lowest), float(high)))
    return [float(number) for number in np.unique(numbers) if known.min() < number <= known.max()]


def _groups_of_texts(values: "pd.Series[Any]", target: Floats, leads: npt.NDArray[np.intp]) -> list[tuple[str, ...]]:
    codes, distinct = pd.factorize(values, sort=True)
    known = codes >= 0
    rows = np.bincount(codes[known], minlength=len(distinct))
    summed = np.bincount(codes[known], target[known], minlength=len(distinct))
    holders = np.bincount(np.unique(np.stack([codes[known], leads[known]]), axis=1)[0], minlength=len(distinct))
    rate = (summed + PRIOR * target.mean()) / (rows + PRIOR)
    enough = np.flatnonzero(holders >= FEWEST_LEADS)
    order = enough[np.argsort(-rate[enough], kind="stable")]
    groups: list[tuple[str, ...]] = [
        (str(distinct[place]),) for place in enough[np.argsort(-rows[enough], kind="stable")][:MOST_SINGLE]
    ]
    for side in (order, order[::-1]):
        for length in range(1, min(MOST_TEXTS, len(order) - 1) + 1):
            # In the order of how common they are: that is how a reader knows them.
            some = sorted(side[:length], key=lambda place: (-rows[place], place))
            groups.append(tuple(str(distinct[place]) for place in some))
    return list(dict.fromkeys(groups))

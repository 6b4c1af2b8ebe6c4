"""Two rankings, group by group: how much each hands over of a segment or a month, and finds of its conversions.

Lists are cut as they are for everybody, whatever the group: a segment that a ranking hardly hands over loses its
conversions. Intervals resample leads with the lists as they were cut.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.encoding import Floats
from models.intervals import Interval, Word, percentile_interval, resample, verdict
from models.ranking import rank
from models.segments import MOST_VALUES, NOT_KNOWN, OTHER

#: Converted leads below which nothing is said of a group.
LEAST_CONVERTED: Final = 10


@dataclass(frozen=True)
class Group:
    """The snapshots with one value of one column.

    `handed_a`, `handed_b`: share of them that each hands over; `captured_a`, `captured_b`: share of their conversions.
    `word` says of A's captured less B's; None where fewer than ten leads converted.
    """

    column: str
    value: str
    snapshots: int
    leads: int
    converted: int
    handed_a: float
    handed_b: float
    captured_a: float | None
    captured_b: float | None
    difference: Interval | None
    word: Word | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"difference": self.difference.as_dict() if self.difference else None}


def named(values: npt.ArrayLike, lead_id: npt.ArrayLike) -> npt.NDArray[np.object_]:
    """(rows,) values as they are told: null and empty are "(not known)", beyond twelve the rarest are "(other)".

    Examples
    --------
    >>> named(["CH", None, " "], ["a", "b", "c"]).tolist()
    ['CH', '(not known)', '(not known)']
    """
    told = np.array(
        [NOT_KNOWN if pd.isna(v) or not str(v).strip() else str(v) for v in np.asarray(values, object)], object
    )
    leads = pd.Series(np.asarray(lead_id, object)).groupby(told).nunique().drop(NOT_KNOWN, errors="ignore")
    rare = leads.sort_index().sort_values(ascending=False, kind="stable").index[MOST_VALUES:]
    return np.where(np.isin(told.astype(str), rare.astype(str)), OTHER, told)


def by_group(
    labels: Mapping[str, npt.NDArray[np.object_]],
    outcome: npt.ArrayLike,
    *,
    of_a: Floats,
    of_b: Floats,
    lead_id: npt.ArrayLike,
    resamples: int = 500,
    seed: int = 0,
) -> tuple[Group, ...]:
    """One row per (column, value): columns as given, in each the values with most leads first, those in brackets last.

    Parameters
    ----------
    labels : column -> one text per snapshot (see `named`)
    of_a, of_b : (rows,) how much of each snapshot the two rankings hand over

    Examples
    --------
    >>> handed = {"of_a": np.array([1.0, 0.0]), "of_b": np.array([0.0, 1.0])}
    >>> rows = by_group({"country": np.array(["CH", "FR"], object)}, [1, 0], **handed, lead_id=["x", "y"], resamples=50)
    >>> [(row.value, row.captured_a, row.captured_b, row.word) for row in rows]
    [('CH', 1.0, 0.0, None), ('FR', None, None, None)]
    """
    y = np.asarray(outcome, np.float64)
    ranked = rank(np.full(y.shape, 0.5), y, lead_id)
    lead = pd.factorize(np.asarray(lead_id), sort=True)[0]
    cells = [(column, value) for column, texts in labels.items() for value in _in_order(texts, lead)]
    inside = [labels[column] == value for column, value in cells]
    sums = np.stack(
        [
            np.stack(
                [np.bincount(lead[rows], weights=w[rows], minlength=ranked.leads) for w in (y, y * of_a, y * of_b)]
            )
            for rows in inside
        ]
    )  # (groups, 3, leads)
    flat = sums.reshape(-1, ranked.leads).T
    drawn = [(counts @ flat).reshape(len(counts), -1, 3) for counts in resample(ranked, resamples=resamples, seed=seed)]
    every = np.concatenate([np.empty((0, len(cells), 3)), *drawn])
    groups = []
    for at, ((column, value), rows) in enumerate(zip(cells, inside, strict=True)):
        converted, by_a, by_b = sums[at].sum(axis=1)
        who = np.unique(lead[rows & (y == 1)]).size
        difference = None
        if converted:
            total = every[:, at, 0]
            ratio = np.divide(
                every[:, at, 1] - every[:, at, 2], total, out=np.full(total.shape, np.nan), where=total > 0
            )
            difference = percentile_interval(float((by_a - by_b) / converted), [ratio])
        groups.append(
            Group(
                column=column,
                value=value,
                snapshots=int(rows.sum()),
                leads=int(np.unique(lead[rows]).size),
                converted=int(converted),
                handed_a=float(of_a[rows].mean()),
                handed_b=float(of_b[rows].mean()),
                captured_a=float(by_a / converted) if converted else None,
                captured_b=float(by_b / converted) if converted else None,
                difference=difference,
                word=verdict(difference, lower_is_better=False) if difference and who >= LEAST_CONVERTED else None,
            )
        )
    return tuple(groups)


def _in_order(texts: npt.NDArray[np.object_], lead: npt.NDArray[np.intp]) -> list[str]:
    leads = pd.Series(lead).groupby(texts).nunique().sort_index().sort_values(ascending=False, kind="stable")
    last = [OTHER, NOT_KNOWN]
    return [*(str(v) for v in leads.index if v not in last), *(v for v in last if v in leads.index)]

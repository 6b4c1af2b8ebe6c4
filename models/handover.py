"""Whom a ranking hands over: the same share of every list from its top, and what is found there.

A *list* is what sales get at once: that of a night, so of one as_of. Leads of equal rank that stand where a list is cut
share the places that are left: each is handed over in part, which is the mean over all the orders they could stand in.
So ties favour nobody, and no order of rows can matter.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.encoding import Floats
from models.ranked import Positions


@dataclass(frozen=True, eq=False)
class Lists:
    """Snapshots in the order in which they are handed over: by list, and in each by falling rank.

    Everything but `row` goes by place in that order; `past` is the first place after.
    """

    row: Positions
    """Which snapshot stands there."""
    first: Positions
    """Where its run of equals begins."""
    past: Positions
    """Where that run ends."""
    ends: Positions
    """(lists + 1,) 0, and where each list ends."""


def stand(ranking: npt.ArrayLike, lists: npt.ArrayLike) -> Lists:
    """Put snapshots in the order of a ranking, list by list.

    Parameters
    ----------
    ranking : (rows,) any numbers, the best highest; NaN stands below all others
    lists : (rows,) a label per snapshot, none null: the list that it stands on

    Raises
    ------
    ValueError
        The two have not one entry per snapshot each.

    Examples
    --------
    >>> stand([0.2, 0.9, np.nan, 0.9], [1, 1, 1, 2]).row.tolist()
    [1, 0, 2, 3]
    >>> stand([0.2], [1, 2])
    Traceback (most recent call last):
    ...
    ValueError: a ranking and its lists need one entry per snapshot each, found 1 and 2.
    """
    given, label = np.asarray(ranking, np.float64), np.asarray(lists)
    if given.ndim != 1 or given.shape != label.shape:
        raise ValueError(
            f"a ranking and its lists need one entry per snapshot each, found {given.size} and {label.size}."
        )
    best = np.where(np.isnan(given), -np.inf, given)
    number = np.unique(label, return_inverse=True)[1]
    row = np.lexsort((-best, number))
    ordered, on = best[row], number[row]
    begins = np.flatnonzero(np.r_[True, (ordered[1:] != ordered[:-1]) | (on[1:] != on[:-1])][: row.size])
    size = np.diff(begins, append=row.size)
    return Lists(
        row=row,
        first=np.repeat(begins, size),
        past=np.repeat(begins + size, size),
        ends=np.append(np.flatnonzero(np.r_[True, on[1:] != on[:-1]][: row.size]), row.size),
    )


def handed_over(lists: Lists, share: float) -> Floats:
    """(rows,) how much of each snapshot is handed over when a share of each list is: 1, 0, or a part for equals.

    Examples
    --------
    >>> handed_over(stand([3, 2, 2, 1], [0, 0, 0, 0]), 0.5).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    size = np.diff(lists.ends)
    wanted = np.repeat(lists.ends[:-1] + share * size, size)
    part = np.empty(lists.row.size)
    part[lists.row] = np.clip((wanted - lists.first) / (lists.past - lists.first), 0.0, 1.0)
    return part


def percentile(lists: Lists) -> Floats:
    """(rows,) share of its list that stands below each snapshot; of those that are equal to it, half do.

    Examples
    --------
    >>> percentile(stand([3, 2, 2, 1], [0, 0, 0, 0])).tolist()
    [0.875, 0.5, 0.5, 0.125]
    """
    size = np.diff(lists.ends)
    above = (lists.first + lists.past) / 2 - np.repeat(lists.ends[:-1], size)
    below = np.empty(lists.row.size)
    below[lists.row] = 1.0 - above / np.repeat(size, size)
    return below


def found(lists: Lists, gains: Floats, *, lead: Positions, counts: Floats, shares: Floats) -> Floats:
    """What is found at the top of the lists, under many weightings of the leads at once.

    Parameters
    ----------
    gains : (rows, kinds) what handing a snapshot over brings; 0 where nothing
    lead : (rows,) number of each snapshot's lead
    counts : (k, leads) how often each lead was drawn: a list is as long as the leads on it were drawn
    shares : (shares,) of each list, in [0, 1]

    Returns
    -------
    (k, kinds, shares) sums over all lists

    Examples
    --------
    >>> lists, gains = stand([3, 2, 2, 1], [0, 0, 0, 0]), np.array([[1.0], [1.0], [0.0], [0.0]])
    >>> found(lists, gains, lead=np.arange(4), counts=np.ones((1, 4)), shares=np.array([0.25, 0.5, 1.0])).tolist()
    [[[1.0, 1.5, 2.0]]]
    """
    at = lead[lists.row]
    drawn = np.zeros((len(counts), at.size + 1))
    np.cumsum(counts[:, at], axis=1, out=drawn[:, 1:])
    paying = np.flatnonzero((gains[lists.row] != 0).any(axis=1))
    before = np.searchsorted(paying, np.arange(at.size + 1))
    weight = counts[:, at[paying]]
    total = np.zeros((len(counts), gains.shape[1], shares.size))
    start = drawn[:, lists.ends[:-1]]
    wanted = start[:, :, None] + np.diff(drawn[:, lists.ends], axis=1)[:, :, None] * shares
    for k in range(len(counts)):
        asked = wanted[k].ravel()
        # The place in which a list is cut; rounding must not push the end of the last one beyond it.
        cut = np.minimum(np.searchsorted(drawn[k, 1:], asked), at.size - 1)
        first, past = lists.first[cut], lists.past[cut]
        equal = drawn[k, past] - drawn[k, first]
        part = np.divide(asked - drawn[k, first], equal, out=np.zeros(asked.size), where=equal > 0)
        for kind in range(gains.shape[1]):
            running = np.zeros(paying.size + 1)
            np.cumsum(weight[k] * gains[lists.row[paying], kind], out=running[1:])
            low, high = running[before[first]], running[before[past]]
            brought = (low + part * (high - low)).reshape(-1, shares.size)
            total[k, kind] = (brought - running[before[lists.ends[:-1]]][:, None]).sum(axis=0)
    return total

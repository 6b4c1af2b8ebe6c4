"""Train, calibrate and test on snapshots that follow one another, a gap of one horizon between each.

The outcome of a training snapshot is known one horizon after its as_of. So a training snapshot may be used for a test
that begins at t only when `as_of + horizon <= t`: otherwise the model would learn from outcomes that were still open
when the first tested lead was scored. What falls into a gap is dropped, and counted.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.tables import MICROSECONDS_PER_DAY

Rows = npt.NDArray[np.int64]

TEST_SHARE: Final = 0.3


@dataclass(frozen=True)
class Split:
    """Positions of earlier and later rows, with the rows between them that neither may use."""

    earlier: Rows
    later: Rows
    gap: Rows


def split_by_time(as_of: npt.NDArray[Any], *, later_share: float, horizon_days: int) -> Split:
    """Cut snapshots in two by time: the newest share, and those whose outcome was known before it began.

    Parameters
    ----------
    as_of : (rows,) microseconds UTC
    later_share : share of all rows that the later part holds (more where many rows share the as_of of the cut)
    horizon_days : the label's horizon, which is the least gap

    Examples
    --------
    >>> day = 86_400_000_000
    >>> split = split_by_time(np.arange(10) * day, later_share=0.3, horizon_days=2)
    >>> split.earlier.tolist(), split.gap.tolist(), split.later.tolist()
    ([0, 1, 2, 3, 4, 5], [6], [7, 8, 9])
    """
    if not 0 < later_share < 1:
        raise ValueError(f"The later share lies between 0 and 1, got {later_share}")
    moments = np.asarray(as_of, np.int64)
    if not len(moments):
        nothing = np.empty(0, np.int64)
        return Split(nothing, nothing, nothing)
    start = np.sort(moments)[min(int(len(moments) * (1 - later_share)), len(moments) - 1)]
    is_later = moments >= start
    is_earlier = moments + horizon_days * MICROSECONDS_PER_DAY <= start
    return Split(np.flatnonzero(is_earlier), np.flatnonzero(is_later), np.flatnonzero(~is_earlier & ~is_later))


def check_gap(*, earlier_as_of: npt.NDArray[Any], later_as_of: npt.NDArray[Any], horizon_days: int) -> None:
    """Assert, without trusting who split, that no earlier outcome was still open when the later part began.

    Raises
    ------
    AssertionError
    """
    if len(earlier_as_of) and len(later_as_of):
        open_until = max(int(moment) for moment in earlier_as_of) + horizon_days * MICROSECONDS_PER_DAY
        begins = min(int(moment) for moment in later_as_of)
        assert open_until <= begins, (
            f"an outcome of the earlier part is open until {open_until}, the later part begins at {begins}: "
            f"the gap must be at least {horizon_days} days"
        )


def known_by(moment: int, outcome: Rows, known_at: npt.NDArray[np.int64]) -> Rows:
    """Outcomes as they were known just before a moment: what was recorded later had not happened yet, for all one knew.

    Examples
    --------
    >>> known_by(10, np.array([1, 1, 0]), np.array([9, 10, 0])).tolist()
    [1, 0, 0]
    """
    return np.where(known_at < moment, outcome, 0)

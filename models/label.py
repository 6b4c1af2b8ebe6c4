"""Did the lead enter the target stage within the horizon; is the answer known yet.

The label lives above `features/`, so that no feature can import it.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.history import first_entered
from features.tables import MICROSECONDS_PER_DAY, LeadTables


def is_mature(as_of: npt.NDArray[np.int64], *, horizon_days: int, known_until: int) -> npt.NDArray[np.bool_]:
    """Whether the whole horizon of each snapshot lies before `known_until`, so that its outcome is known.

    Immature snapshots are unknown, never negative: a lead of yesterday has not failed to buy.

    Examples
    --------
    >>> day = 86_400_000_000
    >>> is_mature(np.array([0, 5 * day]), horizon_days=30, known_until=30 * day).tolist()
    [True, False]
    """
    mature: npt.NDArray[np.bool_] = as_of + horizon_days * MICROSECONDS_PER_DAY <= known_until
    return mature


def converted(
    tables: LeadTables, snapshots: pd.DataFrame, *, target_stage: str, horizon_days: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """1 where the lead first entered the target stage in [as_of, as_of + horizon), else 0; and when that was known.

    Parameters
    ----------
    snapshots : mature ones, with lead_id and as_of

    Returns
    -------
    (snapshots,) int64 each: the outcome, and the microseconds at which the store could know of a conversion (0 where
    there was none)
    """
    found = first_entered(tables, [target_stage]).reindex(snapshots["lead_id"])
    entered, known_at = found["entered_at"].to_numpy(np.float64), found["known_at"].fillna(0).to_numpy(np.int64)
    as_of = snapshots["as_of"].to_numpy(np.int64)
    inside = (entered >= as_of) & (entered < as_of + horizon_days * MICROSECONDS_PER_DAY)
    return inside.astype(np.int64), np.where(inside, known_at, 0)

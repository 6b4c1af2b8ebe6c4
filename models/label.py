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
) -> npt.NDArray[np.int64]:
    """1 where the lead first entered the target stage in [as_of, as_of + horizon), else 0.

    Parameters
    ----------
    snapshots : mature ones, with lead_id and as_of

    Returns
    -------
    (snapshots,) int64
    """
    entered = first_entered(tables, [target_stage])["entered_at"].reindex(snapshots["lead_id"]).to_numpy(np.float64)
    as_of = snapshots["as_of"].to_numpy(np.int64)
    inside = (entered >= as_of) & (entered < as_of + horizon_days * MICROSECONDS_PER_DAY)
    return inside.astype(np.int64)

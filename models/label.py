"""Did the lead enter the target stage within the horizon; is the answer known yet.

The label lives above `features/`, so that no feature can import it.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.history import entries
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
    """1 where the lead entered the target stage in [as_of, as_of + horizon), else 0; and when that was known.

    Only the first entry of an episode is a conversion (`features.history`): a customer's second order is none, unless
    people recorded the lead as recycled, or as a lead again, in between.

    Parameters
    ----------
    snapshots : mature ones, with lead_id and as_of

    Returns
    -------
    (snapshots,) int64 each: the outcome, and the microseconds at which the store could know of the first conversion in
    the horizon (0 where there was none)
    """
    asked = pd.DataFrame(
        {
            "row": np.arange(len(snapshots)),
            "lead_id": snapshots["lead_id"].astype("str").array,
            "as_of": snapshots["as_of"].to_numpy(np.int64),
        }
    )
    found = asked.merge(entries(tables, target_stage), on="lead_id")
    end = found["as_of"] + horizon_days * MICROSECONDS_PER_DAY
    found = found[(found["entered_at"] >= found["as_of"]) & (found["entered_at"] < end)]
    first = found.sort_values(["row", "entered_at"]).drop_duplicates("row")
    rows = first["row"].to_numpy(np.int64)
    outcome, known_at = np.zeros(len(snapshots), np.int64), np.zeros(len(snapshots), np.int64)
    outcome[rows], known_at[rows] = 1, first["known_at"]
    return outcome, known_at

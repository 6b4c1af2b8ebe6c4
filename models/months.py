"""Month by month: did what was promised happen, and were the right leads on top.

References
----------
Van Calster, B. et al. (2016). A calibration hierarchy for risk models was defined. J. Clin. Epidemiol. 74.
doi:10.1016/j.jclinepi.2015.12.005 (calibration in the large).
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.intervals import Interval, Promise, intervals, observed, plain, promise, wilson
from models.metrics import METRICS
from models.pooling import pool_intercepts
from models.ranked import log_odds
from models.ranking import rank


@dataclass(frozen=True)
class Month:
    """The snapshots of one calendar month, UTC.

    ``converted`` counts snapshots, of which ``observed_rate`` is the share; its Wilson interval takes the distinct
    leads as their number. ``calibration_intercept`` (> 0 where too little was promised) and ``roc_auc`` are None where
    all have the same outcome; the word is then "undefined". Else it goes by ``pooled_intercept``, partially pooled with
    the other months (see ``pooling``), so that a month of few leads raises no alarm; None where no month has both.
    """

    month: str
    snapshots: int
    leads: int
    converted: int
    predicted_mean: float
    observed_rate: float
    observed_low: float
    observed_high: float
    calibration_intercept: Interval | None
    pooled_intercept: Interval | None
    roc_auc: float | None
    word: Promise

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        both = {"calibration_intercept": self.calibration_intercept, "pooled_intercept": self.pooled_intercept}
        return asdict(self) | {name: interval.as_dict() if interval else None for name, interval in both.items()}


def by_month(
    probability: npt.ArrayLike,
    outcome: npt.ArrayLike,
    *,
    lead_id: npt.ArrayLike,
    as_of: npt.ArrayLike,
    resamples: int = 500,
    seed: int = 0,
) -> tuple[Month, ...]:
    """One row per month that has snapshots, in order of time.

    Parameters
    ----------
    probability, outcome, lead_id
        One entry per snapshot, as in ``evaluation.evaluate``.
    as_of
        (rows,) int64 microseconds UTC.
    resamples, seed
        Number of bootstrap resamples of each month's leads, at least 1, and their seed.

    Raises
    ------
    ValueError
        On arrays of different lengths, or what ``evaluate`` would refuse.

    Examples
    --------
    >>> january, march = 1_704_067_200_000_000, 1_709_251_200_000_000  # 2024
    >>> told = [0.2, 0.4, 0.3], [0, 1, 0]
    >>> rows = by_month(*told, lead_id=["a", "b", "a"], as_of=[january, january, march], resamples=50)
    >>> [(row.month, row.snapshots, row.converted, row.word) for row in rows]
    [('2024-01', 2, 1, 'as promised'), ('2024-03', 1, 0, 'undefined')]
    >>> by_month(*told, lead_id=["a", "b", "a"], as_of=[january])
    Traceback (most recent call last):
    ...
    ValueError: as_of needs one moment per snapshot (3), found 1.
    """
    p, y, leads = np.asarray(probability, np.float64), np.asarray(outcome, np.float64), np.asarray(lead_id)
    moments = np.asarray(as_of, np.int64)
    if moments.shape != p.shape:
        raise ValueError(f"as_of needs one moment per snapshot ({p.size}), found {moments.size}.")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}: 500 is usual.")
    months = moments.astype("datetime64[us]").astype("datetime64[M]")
    rank(p, y, leads)  # refuses here, with positions in what was given
    names, number = np.unique(months, return_inverse=True)
    pooled = pool_intercepts(log_odds(p), y, group=number, lead=pd.factorize(leads)[0]).intervals()
    rows = []
    for at, month in enumerate(names):
        inside = number == at
        ranked = rank(p[inside], y[inside], leads[inside])
        asked = {"calibration_intercept": METRICS["calibration_intercept"]}
        intercept = intervals(ranked, asked, resamples=resamples, seed=seed)["calibration_intercept"]
        rate = float(ranked.outcome.mean())
        low, high = wilson(rate, ranked.leads)
        rows.append(
            Month(
                month=str(month),
                snapshots=ranked.outcome.size,
                leads=ranked.leads,
                converted=int(ranked.outcome.sum()),
                predicted_mean=float(ranked.row_probability.mean()),
                observed_rate=rate,
                observed_low=low,
                observed_high=high,
                calibration_intercept=intercept if np.isfinite(intercept.value) else None,
                pooled_intercept=pooled[at],
                roc_auc=plain(float(METRICS["roc_auc"](observed(ranked))[0])),
                word=promise(pooled[at] if np.isfinite(intercept.value) else None),
            )
        )
    return tuple(rows)

"""Segment by segment: does what is promised to leads of a channel, a size or a country come true for them.

Each column is looked at by itself. A segment is told with its counts, as it is and, so that a handful of leads raises
no alarm, partially pooled with the rest of its column (see ``pooling``): the word that judges it goes by the latter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.intervals import Interval, Promise, Word, intervals, promise, verdict, wilson
from models.metrics import METRICS, Metric, log_loss_above_base_rate
from models.pooling import pool_intercepts
from models.ranked import Ranked, log_odds
from models.ranking import rank
from models.recalibration import logistic

NOT_KNOWN: Final = "(not known)"
#: In brackets, so that a value that is really called "other" stays apart.
OTHER: Final = "(other)"
MOST_VALUES: Final = 12
#: Leads with either outcome below which a ranking is not judged.
LEAST_TO_RANK: Final = 10


@dataclass(frozen=True)
class Segment:
    """The snapshots with one value of one column.

    Attributes
    ----------
    snapshots, leads, converted
        Counts; ``converted`` is of leads. A lead whose value changes counts in each segment that it was in.
    observed_rate, wilson_low, wilson_high
        Share of the snapshots that converted, and its Wilson interval with the leads as their number.
    log_loss_above_base_rate, log_loss_word
        Log loss less that of the constant learned on the training data: below 0, the model says more than it.
    roc_auc
        None with fewer than ten leads that converted, or ten that did not.
    calibration_intercept
        The segment's own calibration in the large, > 0 where too little is promised; None where all have one outcome.
    pooled_intercept, pooled_rate
        Partially pooled: the intercept, and the rate of these snapshots if it is right. None where nothing in the whole
        column converted, or everything.
    word
        By ``pooled_intercept``. Of twenty segments that are as promised, chance makes about one look as if it were not.
    """

    column: str
    value: str
    snapshots: int
    leads: int
    converted: int
    predicted_mean: float
    observed_rate: float
    wilson_low: float
    wilson_high: float
    log_loss: float
    log_loss_above_base_rate: Interval
    log_loss_word: Word
    roc_auc: Interval | None
    calibration_intercept: Interval | None
    pooled_intercept: Interval | None
    pooled_rate: Interval | None
    word: Promise

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        plain = {name: value.as_dict() for name, value in told.items() if isinstance(value, Interval)}
        return asdict(self) | plain


def by_segment(
    labels: Mapping[str, Sequence[str | None] | npt.NDArray[np.object_]],
    probability: npt.ArrayLike,
    outcome: npt.ArrayLike,
    *,
    lead_id: npt.ArrayLike,
    base_rate_probability: npt.ArrayLike,
    resamples: int = 500,
    seed: int = 0,
) -> tuple[Segment, ...]:
    """One row per (column, value): columns as given, in each the values with most leads first.

    Parameters
    ----------
    labels
        Column -> one value per snapshot. Null and empty become "(not known)"; of more than 12 other values those with
        the fewest leads become "(other)". Both stand last.
    probability, outcome, lead_id, base_rate_probability
        As in ``evaluation.evaluate_together``.
    resamples, seed
        Number of bootstrap resamples of each segment's leads, at least 1, and their seed.

    Raises
    ------
    ValueError
        On a column that has not one value per snapshot, or what ``evaluate`` would refuse.

    Examples
    --------
    >>> told = {"probability": [0.2, 0.4, 0.3, 0.3], "outcome": [0, 1, 0, 1], "lead_id": ["a", "b", "c", "d"]}
    >>> asked = {"base_rate_probability": 0.3, "resamples": 50}
    >>> rows = by_segment({"country": ["CH", "CH", None, "CH"]}, **told, **asked)
    >>> [(row.value, row.leads, row.converted, row.word) for row in rows]
    [('CH', 3, 2, 'as promised'), ('(not known)', 1, 0, 'as promised')]
    >>> by_segment({"country": ["CH"]}, **told, **asked)
    Traceback (most recent call last):
    ...
    ValueError: Segments by country need one value per snapshot (4), found 1.
    """
    p, y, leads = np.asarray(probability, np.float64), np.asarray(outcome, np.float64), np.asarray(lead_id)
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}: 500 is usual.")
    rank(p, y, leads, base_rate_probability=base_rate_probability)  # refuses here, with positions in what was given
    base = np.broadcast_to(np.asarray(base_rate_probability, np.float64), p.shape)
    who = pd.factorize(leads)[0].astype(np.int64)
    z = log_odds(p)
    segments = []
    for column, values in labels.items():
        if len(values) != p.size:
            raise ValueError(f"Segments by {column} need one value per snapshot ({p.size}), found {len(values)}.")
        number, names = _grouped(np.asarray(values, object), who)
        pooled = pool_intercepts(z, y, group=number, lead=who).intervals()
        for group, value in enumerate(names):
            inside = number == group
            intercept = pooled[group]
            ranked = rank(p[inside], y[inside], leads[inside], base_rate_probability=base[inside])
            measured = intervals(ranked, _asked(ranked), resamples=resamples, seed=seed)
            rate = float(ranked.outcome.mean())
            low, high = wilson(rate, ranked.leads)
            own = measured["calibration_intercept"]
            segments.append(
                Segment(
                    column=column,
                    value=value,
                    snapshots=ranked.outcome.size,
                    leads=ranked.leads,
                    converted=ranked.converted_leads,
                    predicted_mean=float(ranked.row_probability.mean()),
                    observed_rate=rate,
                    wilson_low=low,
                    wilson_high=high,
                    log_loss=measured["log_loss"].value,
                    log_loss_above_base_rate=measured["log_loss_above_base_rate"],
                    log_loss_word=verdict(measured["log_loss_above_base_rate"]),
                    roc_auc=measured.get("roc_auc"),
                    calibration_intercept=own if np.isfinite(own.value) else None,
                    pooled_intercept=intercept,
                    pooled_rate=_rate(z[inside], intercept) if intercept else None,
                    word=promise(intercept),
                )
            )
    return tuple(segments)


def _asked(ranked: Ranked) -> dict[str, Metric]:
    others = np.unique(ranked.lead[ranked.outcome == 0]).size
    names = ["log_loss", "calibration_intercept"] + ["roc_auc"] * (min(ranked.converted_leads, others) >= LEAST_TO_RANK)
    return {"log_loss_above_base_rate": log_loss_above_base_rate} | {name: METRICS[name] for name in names}


def _rate(z: npt.NDArray[np.float64], intercept: Interval) -> Interval:
    """Of snapshots with these log odds, shifted."""
    value, low, high = (float(logistic(z + c).mean()) for c in (intercept.value, intercept.low, intercept.high))
    return Interval(value, low, high)


def _grouped(values: npt.NDArray[np.object_], who: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Per row the number of its segment, and their names: most leads first, equal ones by name."""
    known = np.array([not pd.isna(value) and str(value).strip() != "" for value in values], np.bool_)
    names = np.where(known, values.astype(str), NOT_KNOWN)
    leads = pd.DataFrame({"name": names, "who": who}).groupby("name")["who"].nunique()
    by_size = [str(name) for name in leads.sort_index().sort_values(ascending=False, kind="stable").index]
    kept = [name for name in by_size if name != NOT_KNOWN]
    if len(kept) > MOST_VALUES:
        names = np.where(np.isin(names, [*kept[:MOST_VALUES], NOT_KNOWN]), names, OTHER)
        kept = [*kept[:MOST_VALUES], OTHER]
    if not known.all():
        kept = [*kept, NOT_KNOWN]
    return pd.Index(kept).get_indexer(pd.Index(names)).astype(np.int64), kept

"""How well probabilities foretold what happened, alone and beside others: every metric with an interval.

Intervals count leads, not rows (see ``intervals``). All contestants are judged on the same resamples of leads, so their
differences are paired: what moves them all, an easy month or a lucky lead, cancels. The metrics stand in ``metrics``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.calibration_table import CalibrationRow, calibration_table
from models.intervals import CONFIDENCE, Interval, Word, observed, percentile_interval, resample, verdict
from models.metrics import LOWER_IS_BETTER, METRICS, measurable
from models.ranked import Weighted
from models.ranking import rank
from models.recalibration import Floats

__all__ = [
    "CONFIDENCE",
    "CalibrationRow",
    "Difference",
    "Evaluation",
    "Interval",
    "Together",
    "evaluate",
    "evaluate_together",
    "paired_difference",
    "verdict",
]


@dataclass(frozen=True)
class Evaluation:
    """All metrics of one set of probabilities, its calibration table and the counts behind them.

    ``converted`` counts distinct leads that converted in at least one of their snapshots. ``base_rate_probability``
    is the mean over snapshots where each has its own. ``capacity_share`` is None where none was given.
    """

    metrics: dict[str, Interval]
    calibration_table: tuple[CalibrationRow, ...]
    snapshots: int
    leads: int
    converted: int
    base_rate_probability: float
    resamples: int
    seed: int
    capacity_share: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        plain = asdict(self) | {"metrics": {name: interval.as_dict() for name, interval in self.metrics.items()}}
        plain["calibration_table"] = [asdict(row) for row in self.calibration_table]
        return plain


@dataclass(frozen=True)
class Difference:
    """A metric of the judged contestant minus that of another, and what it says of the judged one.

    ``word`` is None where nothing was resampled: without an interval nobody can tell.
    """

    interval: Interval
    word: Word | None

    def as_dict(self) -> dict[str, float | int | str | None]:
        """Plain values for JSON."""
        return {**self.interval.as_dict(), "word": self.word}


@dataclass(frozen=True)
class Together:
    """Contestants on the same snapshots.

    ``differences`` are of ``against`` − other: by the other's name, then by metric.
    """

    against: str
    evaluations: dict[str, Evaluation]
    differences: dict[str, dict[str, Difference]]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "against": self.against,
            "evaluations": {name: evaluation.as_dict() for name, evaluation in self.evaluations.items()},
            "differences": {
                name: {metric: difference.as_dict() for metric, difference in of.items()}
                for name, of in self.differences.items()
            },
        }


def evaluate_together(
    predictions: Mapping[str, npt.ArrayLike],
    outcome: npt.ArrayLike,
    *,
    lead_id: npt.ArrayLike,
    base_rate_probability: npt.ArrayLike,
    period: npt.ArrayLike | None = None,
    capacity_share: float | None = None,
    against: str = "model",
    differences: Sequence[str] = ("log_loss", "brier", "roc_auc", "pr_auc", "lift_at_10"),
    resamples: int = 500,
    seed: int = 0,
    metrics: Sequence[str] | None = None,
) -> Together:
    """Judge several sets of probabilities of the same snapshots, on the same resamples of leads.

    Parameters
    ----------
    predictions
        Name -> one probability per snapshot.
    outcome, lead_id
        One entry per snapshot (lead_id, as_of): what happened (0 or 1; mature snapshots only), and whose it is.
    base_rate_probability
        The constant learned on the *training* data, in (0, 1), that the Brier skill is measured against; one per
        snapshot where several were learned, such as one per cut-off of a backtest.
    period
        A label per snapshot, such as its as_of or its month, for ``roc_auc_within``; None leaves that out.
    capacity_share
        Share of the list that sales can work, in (0, 1]; None leaves out what is measured there.
    against, differences
        Who is judged, and the metrics of which to give that one's difference to everybody else.
    resamples, seed
        Number of bootstrap resamples of leads, and their seed. With 0 there are no intervals (NaN) and no words.
    metrics
        What to measure; None: all that can be.

    Raises
    ------
    ValueError
        On arrays that do not fit or hold something else, an unknown name, or a difference of which no way is better.

    Examples
    --------
    >>> told = {"model": [0.1, 0.2, 0.7, 0.9], "points": [0.5, 0.5, 0.5, 0.5]}
    >>> asked = {"lead_id": [1, 2, 3, 4], "base_rate_probability": 0.5, "resamples": 50}
    >>> brier = evaluate_together(told, [0, 0, 1, 1], **asked).differences["points"]["brier"]
    >>> round(brier.interval.value, 4), brier.word
    (-0.2125, 'better')
    >>> evaluate_together(told, [0, 0, 1, 1], against="rules", **asked)
    Traceback (most recent call last):
    ...
    ValueError: against must be one of the contestants model, points, got 'rules'.
    """
    if against not in predictions:
        raise ValueError(f"against must be one of the contestants {', '.join(predictions)}, got {against!r}.")
    contestants = {
        name: rank(
            probability,
            outcome,
            lead_id,
            base_rate_probability=base_rate_probability,
            period=period,
            capacity_share=capacity_share,
            called=f"probability of {name}" if len(predictions) > 1 else "probability",
        )
        for name, probability in predictions.items()
    }
    judged = contestants[against]
    names = measurable(judged)
    if metrics is not None and (unknown := [name for name in metrics if name not in names]):
        raise ValueError(f"metrics must be of {', '.join(names)}, got {', '.join(unknown)}.")
    names = names if metrics is None else tuple(metrics)
    if unknown := [name for name in differences if name not in names or name not in LOWER_IS_BETTER]:
        known = ", ".join(name for name in names if name in LOWER_IS_BETTER)
        raise ValueError(f"differences must be of {known}, got {', '.join(unknown)}.")
    drawn: dict[str, dict[str, list[Floats]]] = {name: {metric: [] for metric in names} for name in contestants}
    for counts in resample(judged, resamples=resamples, seed=seed):
        for name, ranked in contestants.items():
            weighted = Weighted(ranked, counts)
            for metric in names:
                drawn[name][metric].append(METRICS[metric](weighted))
    resampled = {name: {m: np.concatenate([np.empty(0), *d]) for m, d in of.items()} for name, of in drawn.items()}
    values = {}
    for name, ranked in contestants.items():
        once = observed(ranked)
        values[name] = {metric: float(METRICS[metric](once)[0]) for metric in names}

    def difference(other: str, metric: str) -> Difference:
        interval = percentile_interval(
            values[against][metric] - values[other][metric], [resampled[against][metric] - resampled[other][metric]]
        )
        return Difference(interval, verdict(interval, LOWER_IS_BETTER[metric]) if resamples else None)

    return Together(
        against=against,
        evaluations={
            name: Evaluation(
                metrics={m: percentile_interval(values[name][m], [resampled[name][m]]) for m in names},
                calibration_table=calibration_table(ranked),
                snapshots=ranked.outcome.size,
                leads=ranked.leads,
                converted=ranked.converted_leads,
                base_rate_probability=float(ranked.base_rate_probability.mean()),
                resamples=resamples,
                seed=seed,
                capacity_share=capacity_share,
            )
            for name, ranked in contestants.items()
        },
        differences={
            other: {metric: difference(other, metric) for metric in differences}
            for other in contestants
            if other != against
        },
    )


def evaluate(
    probability: npt.ArrayLike,
    outcome: npt.ArrayLike,
    *,
    lead_id: npt.ArrayLike,
    base_rate_probability: npt.ArrayLike,
    period: npt.ArrayLike | None = None,
    capacity_share: float | None = None,
    resamples: int = 500,
    seed: int = 0,
    metrics: Sequence[str] | None = None,
) -> Evaluation:
    """Judge one set of probabilities against what happened; arguments are those of ``evaluate_together``.

    Raises
    ------
    ValueError
        On arrays of different lengths, nulls, probabilities outside [0, 1] or outcomes other than 0 and 1.

    Examples
    --------
    >>> e = evaluate([0.1, 0.2, 0.7, 0.9], [0, 0, 1, 1], lead_id=[1, 2, 3, 4], base_rate_probability=0.5, resamples=20)
    >>> round(e.metrics["brier"].value, 4), e.metrics["roc_auc"].value, e.converted
    (0.0375, 1.0, 2)
    >>> evaluate([0.1, 1.2], [0, 1], lead_id=[1, 2], base_rate_probability=0.5)
    Traceback (most recent call last):
    ...
    ValueError: probability must lie in [0, 1], found 1.2 at position 1: give calibrated probabilities, not log-odds.
    """
    together = evaluate_together(
        {"model": probability},
        outcome,
        lead_id=lead_id,
        base_rate_probability=base_rate_probability,
        period=period,
        capacity_share=capacity_share,
        differences=(),
        resamples=resamples,
        seed=seed,
        metrics=metrics,
    )
    return together.evaluations["model"]


def paired_difference(
    metric_name: str,
    p_a: npt.ArrayLike,
    p_b: npt.ArrayLike,
    outcome: npt.ArrayLike,
    *,
    lead_id: npt.ArrayLike,
    resamples: int = 500,
    seed: int = 0,
) -> Interval:
    """Metric of ``p_a`` minus metric of ``p_b`` on the same snapshots and the same resamples of leads.

    Arguments are as in ``evaluate``. For ``brier_skill``, and for what needs periods or a capacity, see
    ``evaluate_together``.

    Raises
    ------
    ValueError
        On an unknown metric, or arrays that ``evaluate`` would refuse.

    Examples
    --------
    >>> difference = paired_difference("brier", [0.1, 0.9], [0.5, 0.5], [0, 1], lead_id=["a", "b"], resamples=50)
    >>> round(difference.value, 2), verdict(difference)
    (-0.24, 'better')
    >>> paired_difference("accuracy", [0.1], [0.5], [0], lead_id=["a"])
    Traceback (most recent call last):
    ...
    ValueError: metric_name must be one of log_loss, brier, roc_auc, ..., got 'accuracy'.
    """
    a, b = rank(p_a, outcome, lead_id), rank(p_b, outcome, lead_id)
    known = [name for name in measurable(a) if name != "brier_skill"]
    if metric_name not in known:
        raise ValueError(f"metric_name must be one of {', '.join(known)}, got {metric_name!r}.")
    metric = METRICS[metric_name]
    drawn = [
        metric(Weighted(a, counts)) - metric(Weighted(b, counts))
        for counts in resample(a, resamples=resamples, seed=seed)
    ]
    value = metric(observed(a)) - metric(observed(b))
    return percentile_interval(float(value[0]), drawn)

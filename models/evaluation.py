"""How well probabilities foretold what happened: each metric with an interval that counts leads, not rows.

A lead seen on many days is one piece of evidence, not many, so every interval is a percentile bootstrap that
resamples *leads* and keeps all their snapshots together (Field and Welsh 2007). Rows are sorted once; a resample is a
vector of integer weights per lead, and every metric has a weighted form, so 500 resamples of 20,000 rows take a second
or two. Equal seeds and equal leads give equal resamples, whatever the order of the rows and whichever probabilities
are judged: that is what makes ``paired_difference`` paired.

What each metric means, and how ties are treated, is said in ``metrics``.

References
----------
Field, C. A. and Welsh, A. H. (2007). Bootstrapping clustered data. JRSS B 69(3). doi:10.1111/j.1467-9868.2007.00593.x
Wilson, E. B. (1927). Probable inference. JASA 22(158). doi:10.1080/01621459.1927.10502953
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from models.metrics import METRICS, Floats, Ranked, Weighted, rank

CONFIDENCE: Final = 0.95
_Z: Final = 1.959963984540054  # normal quantile of CONFIDENCE
_CELLS: Final = 2**18  # weights held at once: small enough to stay in the processor's cache


@dataclass(frozen=True)
class Interval:
    """A number and its 95 % bootstrap interval.

    NaN means undefined (one outcome only, or perfectly separated outcomes). ``undefined`` counts the resamples in
    which the metric was; they are left out of ``low`` and ``high``.
    """

    value: float
    low: float
    high: float
    undefined: int = 0

    def as_dict(self) -> dict[str, float | int | None]:
        """Plain values for JSON, which has no NaN: undefined becomes None."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {k: (v if np.isfinite(v) else None) for k, v in numbers.items()} | {"undefined": self.undefined}


@dataclass(frozen=True)
class CalibrationRow:
    """One equal-mass bin of snapshots, in order of probability; equal probabilities are never split.

    ``wilson_low`` and ``wilson_high`` take the bin's distinct *leads* as its size, so that daily snapshots of one
    lead do not narrow them.
    """

    probability_low: float
    probability_high: float
    snapshots: int
    leads: int
    predicted_mean: float
    observed_rate: float
    wilson_low: float
    wilson_high: float


@dataclass(frozen=True)
class Evaluation:
    """All metrics of one set of probabilities, its calibration table and the counts behind them.

    ``converted`` counts distinct leads that converted in at least one of their snapshots.
    """

    metrics: dict[str, Interval]
    calibration_table: tuple[CalibrationRow, ...]
    snapshots: int
    leads: int
    converted: int
    base_rate_probability: float
    resamples: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        plain = asdict(self) | {"metrics": {name: interval.as_dict() for name, interval in self.metrics.items()}}
        plain["calibration_table"] = [asdict(row) for row in self.calibration_table]
        return plain


def evaluate(
    probability: npt.ArrayLike,
    outcome: npt.ArrayLike,
    *,
    lead_id: npt.ArrayLike,
    base_rate_probability: float,
    resamples: int = 500,
    seed: int = 0,
) -> Evaluation:
    """Judge probabilities against what happened.

    Parameters
    ----------
    probability, outcome, lead_id
        One entry per snapshot (lead_id, as_of): P(convert) in [0, 1], what happened (0 or 1; mature snapshots only),
        and whose it is. Neither may be null.
    base_rate_probability
        The constant learned on the *training* data, in (0, 1): what the Brier skill is measured against.
    resamples, seed
        Number of bootstrap resamples of leads, and their seed.

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
    if not 0.0 < base_rate_probability < 1.0:
        raise ValueError(
            f"base_rate_probability must lie strictly between 0 and 1, got {base_rate_probability}: "
            "give the share of conversions in the training data."
        )
    ranked = rank(probability, outcome, lead_id, base_rate_probability=base_rate_probability)
    drawn: dict[str, list[Floats]] = {name: [] for name in METRICS}
    for counts in _resample(ranked, resamples=resamples, seed=seed):
        weighted = Weighted(ranked, counts)
        for name, metric in METRICS.items():
            drawn[name].append(metric(weighted))
    observed = Weighted(ranked, np.ones((1, ranked.leads)))
    metrics = {
        name: _interval(float(metric(observed)[0]), np.concatenate(drawn[name])) for name, metric in METRICS.items()
    }
    return Evaluation(
        metrics=metrics,
        calibration_table=_calibration_table(ranked),
        snapshots=ranked.outcome.size,
        leads=ranked.leads,
        converted=np.unique(ranked.lead[ranked.outcome == 1]).size,
        base_rate_probability=float(base_rate_probability),
        resamples=resamples,
    )


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

    Arguments are as in ``evaluate``. ``brier_skill`` has no difference of its own (its constant cancels): ask for
    ``brier``.

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
    known = [name for name in METRICS if name != "brier_skill"]
    if metric_name not in known:
        raise ValueError(f"metric_name must be one of {', '.join(known)}, got {metric_name!r}.")
    metric = METRICS[metric_name]
    a, b = rank(p_a, outcome, lead_id), rank(p_b, outcome, lead_id)
    drawn = [
        metric(Weighted(a, counts)) - metric(Weighted(b, counts))
        for counts in _resample(a, resamples=resamples, seed=seed)
    ]
    once = np.ones((1, a.leads))
    value = metric(Weighted(a, once)) - metric(Weighted(b, once))
    return _interval(float(value[0]), np.concatenate(drawn))


def verdict(interval: Interval, lower_is_better: bool = True) -> Literal["better", "level", "worse"]:
    """What a paired difference (a − b) says of a: 'level' unless the whole interval lies on one side of zero.

    Examples
    --------
    >>> verdict(Interval(-0.02, -0.03, -0.01)), verdict(Interval(-0.02, -0.03, -0.01), lower_is_better=False)
    ('better', 'worse')
    >>> verdict(Interval(-0.02, -0.05, 0.01))
    'level'
    """
    low, high = (interval.low, interval.high) if lower_is_better else (-interval.high, -interval.low)
    if high < 0:
        return "better"
    return "worse" if low > 0 else "level"


def _resample(ranked: Ranked, *, resamples: int, seed: int) -> Iterator[Floats]:
    """Blocks of (k, leads) counts; each row draws as many leads as there are, with replacement."""
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}: 500 is usual.")
    generator, leads = np.random.default_rng(seed), ranked.leads
    block = max(1, _CELLS // ranked.outcome.size)
    for first in range(0, resamples, block):
        k = min(block, resamples - first)
        drawn = generator.integers(0, leads, size=(k, leads)) + leads * np.arange(k)[:, None]
        yield np.bincount(drawn.ravel(), minlength=k * leads).reshape(k, leads).astype(np.float64)


def _interval(value: float, drawn: Floats) -> Interval:
    defined = drawn[np.isfinite(drawn)]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(defined, [tail, 1 - tail]) if defined.size else (np.nan, np.nan)
    return Interval(value, float(low), float(high), undefined=drawn.size - defined.size)


def _wilson(rate: float, size: int) -> tuple[float, float]:
    centre = rate + _Z**2 / (2 * size)
    reach = _Z * float(np.sqrt(rate * (1 - rate) / size + _Z**2 / (4 * size**2)))
    scale = 1 + _Z**2 / size
    return max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale)


def _calibration_table(ranked: Ranked) -> tuple[CalibrationRow, ...]:
    table = []
    for number in range(int(ranked.row_bin.max()) + 1):
        inside = ranked.row_bin == number
        p, rate = ranked.row_probability[inside], float(ranked.outcome[inside].mean())
        leads = np.unique(ranked.lead[inside]).size
        low, high = _wilson(rate, leads)
        table.append(CalibrationRow(float(p.min()), float(p.max()), p.size, leads, float(p.mean()), rate, low, high))
    return tuple(table)

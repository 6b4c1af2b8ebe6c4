"""A number and how sure it is: intervals by resampling leads, and the word for a difference.

A lead seen on many days is one piece of evidence, not many, so intervals are percentile bootstraps that resample
*leads* and keep all their snapshots together (Field and Welsh 2007).

References
----------
Field, C. A. and Welsh, A. H. (2007). Bootstrapping clustered data. JRSS B 69(3). doi:10.1111/j.1467-9868.2007.00593.x
Wilson, E. B. (1927). Probable inference. JASA 22(158). doi:10.1080/01621459.1927.10502953
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from models.metrics import Metric
from models.ranked import Ranked, Weighted
from models.recalibration import Floats

CONFIDENCE: Final = 0.95
Z_95: Final = 1.959963984540054  # normal quantile of CONFIDENCE
_CELLS: Final = 2**20  # weights held at once: few calls, and little memory

Word = Literal["better", "level", "worse"]
Promise = Literal["as promised", "promises too much", "promises too little", "undefined"]


@dataclass(frozen=True)
class Interval:
    """A number and its 95 % interval.

    NaN means undefined (one outcome only, perfectly separated outcomes; ends also where nothing was resampled).
    ``undefined`` counts the resamples in which the metric was; they are left out of ``low`` and ``high``.
    """

    value: float
    low: float
    high: float
    undefined: int = 0

    def as_dict(self) -> dict[str, float | int | None]:
        """Plain values for JSON, which has no NaN: undefined becomes None."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {k: plain(v) for k, v in numbers.items()} | {"undefined": self.undefined}


def plain(number: float) -> float | None:
    """The number for JSON, which has no NaN: undefined becomes None."""
    return float(number) if np.isfinite(number) else None


def verdict(interval: Interval, lower_is_better: bool = True) -> Word:
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


def promise(intercept: Interval | None) -> Promise:
    """What calibration in the large says: 'as promised' unless the whole interval lies on one side of zero.

    Examples
    --------
    >>> promise(Interval(-0.4, -0.7, -0.1)), promise(Interval(0.2, -0.1, 0.5)), promise(None)
    ('promises too much', 'as promised', 'undefined')
    """
    if intercept is None:
        return "undefined"
    if intercept.high < 0:
        return "promises too much"
    return "promises too little" if intercept.low > 0 else "as promised"


def resample(ranked: Ranked, *, resamples: int, seed: int) -> Iterator[Floats]:
    """Blocks of (k, leads) counts; each row draws as many leads as there are, with replacement.

    Equal seeds and equal leads give equal resamples, whatever the order of the rows and whichever probabilities are
    judged: that is what makes differences paired.
    """
    if resamples < 0:
        raise ValueError(f"resamples must be at least 0 (no intervals), got {resamples}: 500 is usual.")
    generator, leads = np.random.default_rng(seed), ranked.leads
    block = max(1, _CELLS // ranked.outcome.size)
    for first in range(0, resamples, block):
        k = min(block, resamples - first)
        drawn = generator.integers(0, leads, size=(k, leads)) + leads * np.arange(k)[:, None]
        yield np.bincount(drawn.ravel(), minlength=k * leads).reshape(k, leads).astype(np.float64)


def observed(ranked: Ranked) -> Weighted:
    """The snapshots as they are: every lead once."""
    return Weighted(ranked, np.ones((1, ranked.leads)))


def percentile_interval(value: float, drawn: Iterable[Floats]) -> Interval:
    """The value, and between which resampled ones 95 % lie."""
    every = np.concatenate([np.empty(0), *drawn])
    defined = every[np.isfinite(every)]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(defined, [tail, 1 - tail]) if defined.size else (np.nan, np.nan)
    return Interval(value, float(low), float(high), undefined=every.size - defined.size)


def intervals(ranked: Ranked, metrics: dict[str, Metric], *, resamples: int, seed: int) -> dict[str, Interval]:
    """Each metric with its interval."""
    drawn: dict[str, list[Floats]] = {name: [] for name in metrics}
    for counts in resample(ranked, resamples=resamples, seed=seed):
        weighted = Weighted(ranked, counts)
        for name, metric in metrics.items():
            drawn[name].append(metric(weighted))
    once = observed(ranked)
    return {name: percentile_interval(float(metric(once)[0]), drawn[name]) for name, metric in metrics.items()}


def wilson(rate: float, size: int) -> tuple[float, float]:
    """95 % interval of a rate seen in `size` independent cases; never empty and never outside [0, 1]."""
    centre = rate + Z_95**2 / (2 * size)
    reach = Z_95 * float(np.sqrt(rate * (1 - rate) / size + Z_95**2 / (4 * size**2)))
    scale = 1 + Z_95**2 / size
    # The rate lies inside, but at 0 and 1 only to rounding.
    return max(0.0, min(rate, (centre - reach) / scale)), min(1.0, max(rate, (centre + reach) / scale))

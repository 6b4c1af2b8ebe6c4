"""Which step goes along with conversion: leads that lately read the prices, tried the product or met somebody, or not.

For each step the rate of conversion of mature snapshots that had it behind them is divided by that of those that had
not. Snapshots are compared within strata only, with the weights of Mantel and Haenszel: the caller puts those together
that had been silent for as long, for otherwise every step would look strong that was taken lately.

What is not known: what a step causes. Leads that were going to buy take steps; a theme that follows the strongest
missing one is a hint for marketing, and only an experiment tells what it brings.

References
----------
Mantel, N. and Haenszel, W. (1959). Statistical aspects of the analysis of data from retrospective studies of disease.
JNCI 22(4). doi:10.1093/jnci/22.4.719
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.intervals import Interval, percentile_interval

Floats = npt.NDArray[np.float64]

#: A step is judged only where so many snapshots that converted had it, and so many had not.
LEAST_CONVERTED: Final = 20


@dataclass(frozen=True)
class Step:
    """A step, the snapshots with it behind them, and how many times as often they converted, with a 95 % interval."""

    name: str
    snapshots: int
    converted: int
    lift: Interval

    @property
    def tells(self) -> bool:
        """Whether it goes along with more conversions for certain."""
        return self.lift.low > 1

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "name": self.name, "snapshots": self.snapshots, "converted": self.converted, "lift": self.lift.as_dict(),
            "tells": self.tells,
        }  # fmt: skip


def steps(
    done: pd.DataFrame,
    outcome: npt.ArrayLike,
    lead_id: npt.ArrayLike,
    *,
    stratum: npt.ArrayLike,
    resamples: int = 200,
    seed: int = 7,
) -> list[Step]:
    """Judge each step, the strongest first; steps of which too little is known are left out.

    Parameters
    ----------
    done
        One row per mature snapshot, one bool column per step: had the lead taken it, as of then?
    outcome, lead_id
        Shape (snapshots,): whether it converted within the horizon (0/1), and whose snapshot it is.
    stratum
        Shape (snapshots,): snapshots are compared with those of the same stratum.

    Examples
    --------
    >>> tried = np.repeat([True, False], 1000)
    >>> bought = np.r_[np.arange(1000) < 300, np.arange(1000) < 100]
    >>> [found] = steps(pd.DataFrame({"trial": tried}), bought, np.arange(2000), stratum=np.zeros(2000), resamples=50)
    >>> found.name, round(found.lift.value, 2), found.tells
    ('trial', 3.0, True)
    >>> steps(pd.DataFrame({"trial": [True, False]}), [1, 0], ["a", "b"], stratum=[0, 0])
    []
    """
    y = np.asarray(outcome, np.float64)
    codes = pd.factorize(np.asarray(lead_id, object))[0]
    strata = pd.factorize(np.asarray(stratum))[0]
    found = []
    for name in map(str, done.columns):
        has = done[name].to_numpy(bool)
        if min(y[has].sum(), y[~has].sum()) < LEAST_CONVERTED:
            continue
        cells = _per_lead(codes, has, y, strata)
        generator = np.random.default_rng(seed)
        leads = len(cells)
        drawn = [
            np.array([_ratio(np.tensordot(times.astype(np.float64), cells, 1))])
            for times in (np.bincount(generator.integers(0, leads, leads), minlength=leads) for _ in range(resamples))
        ]
        lift = percentile_interval(_ratio(cells.sum(axis=0)), drawn)
        found.append(Step(name, int(has.sum()), int(y[has].sum()), lift))
    return sorted(found, key=lambda step: (-step.lift.value, step.name))


def _per_lead(
    codes: npt.NDArray[np.intp], has: npt.NDArray[np.bool_], y: Floats, stratum: npt.NDArray[np.intp]
) -> Floats:
    """(leads, strata, 4): snapshots and conversions with the step, snapshots and conversions without."""
    leads, strata = int(codes.max()) + 1, int(stratum.max()) + 1
    cell = codes * strata + stratum
    sums = [
        np.bincount(cell, weights=weight, minlength=leads * strata)
        for weight in (has * 1.0, has * y, ~has * 1.0, ~has * y)
    ]
    return np.stack(sums, axis=1).astype(np.float64).reshape(leads, strata, 4)


def _ratio(cells: Floats) -> float:
    """The rate ratio of Mantel and Haenszel over strata; NaN where it is undefined."""
    n1, y1, n0, y0 = cells.T
    total = np.maximum(n1 + n0, 1.0)
    above, below = float((y1 * n0 / total).sum()), float((y0 * n1 / total).sum())
    return above / below if below > 0 else float("nan")

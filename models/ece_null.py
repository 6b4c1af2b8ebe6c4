"""What calibration error a perfect model would show by chance: an error is large only beside that.

Even debiased, the error of a perfect model is not 0 but scatters above it, and the fewer leads, the more. So outcomes
are drawn from the probabilities themselves, many times, and the error is measured each time.
"""

import numpy as np
import numpy.typing as npt

from models.intervals import CONFIDENCE
from models.metrics import debiased_error
from models.ranking import rank


def ece_null95(probability: npt.ArrayLike, *, lead_id: npt.ArrayLike, simulations: int = 300, seed: int = 0) -> float:
    """95th percentile of the metric ``ece`` of a perfectly calibrated model with these probabilities.

    Snapshots of one lead share one draw: one that converts with a probability of 5 % also does with one of 8 %. That
    ties their outcomes as closely as the probabilities allow, so the figure is, if anything, too high.

    Parameters
    ----------
    probability, lead_id
        One entry per snapshot.
    simulations, seed
        How often outcomes are drawn, at least once, and the seed.

    Examples
    --------
    >>> few, many = np.full(100, 0.1), np.full(10_000, 0.1)
    >>> [round(ece_null95(p, lead_id=np.arange(p.size)), 3) for p in (few, many)]
    [0.047, 0.004]
    >>> ece_null95([0.1], lead_id=["a"], simulations=0)
    Traceback (most recent call last):
    ...
    ValueError: simulations must be at least 1, got 0: 300 is usual.
    """
    if simulations < 1:
        raise ValueError(f"simulations must be at least 1, got {simulations}: 300 is usual.")
    p = np.asarray(probability, np.float64)
    ranked = rank(p, np.zeros(p.shape), lead_id)
    generator = np.random.default_rng(seed)
    snapshots, _ = ranked.per_lead_bin
    bins = snapshots.shape[1]
    cell, used = np.unique(ranked.lead * bins + ranked.row_bin, return_inverse=True)
    size, expected = np.bincount(used).astype(np.float64), np.bincount(used, ranked.row_probability)
    at = cell % bins
    errors = []
    for _ in range(simulations):
        converted = generator.random(ranked.leads)[ranked.lead] < ranked.row_probability
        residual = np.bincount(used, converted) - expected
        columns = size, residual, residual**2, residual * size, size**2
        sums = [np.bincount(at, column, minlength=bins)[None, :].astype(np.float64) for column in columns]
        errors.append(debiased_error(*sums, leads_in_bin=(snapshots > 0).sum(axis=0))[0])
    return float(np.quantile(errors, CONFIDENCE))

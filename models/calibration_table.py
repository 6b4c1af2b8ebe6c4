"""What was promised and what happened, in groups of about equal size by probability."""

from dataclasses import dataclass

import numpy as np

from models.intervals import wilson
from models.ranked import Ranked


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


def calibration_table(ranked: Ranked) -> tuple[CalibrationRow, ...]:
    """One row per equal-mass bin, lowest probabilities first."""
    table = []
    for number in range(int(ranked.row_bin.max()) + 1):
        inside = ranked.row_bin == number
        p, rate = ranked.row_probability[inside], float(ranked.outcome[inside].mean())
        leads = np.unique(ranked.lead[inside]).size
        low, high = wilson(rate, leads)
        table.append(CalibrationRow(float(p.min()), float(p.max()), p.size, leads, float(p.mean()), rate, low, high))
    return tuple(table)

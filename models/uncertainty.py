"""How sure a probability is: an interval for the conversion rate of leads scored like this one.

On snapshots later than everything the model learned from, the outcome is regressed on the model's log odds (intercept
and slope, the classic recalibration of Cox 1958). How uncertain that line is at a lead's log odds is how uncertain the
rate of leads scored like it is; errors are clustered by lead. Few later outcomes, or log odds far from those seen, make
it wide. It is the uncertainty of the map from score to rate, not of the one lead: a lead converts or does not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from models.encoding import Floats

Z_95 = 1.959963984540054
#: Of the line's level and slope before any outcome is seen: a handful of them, or all alike, must not look certain.
PRIOR_VARIANCE = 4.0


@dataclass(frozen=True)
class Band:
    """Covariance of the recalibration line's level and slope, around `centre` log odds."""

    centre: float
    level_variance: float
    covariance: float
    slope_variance: float

    def interval(self, log_odds: npt.ArrayLike) -> tuple[Floats, Floats]:
        """95 % interval (low, high) of the rate, as probabilities; the probability itself lies inside."""
        z = np.asarray(log_odds, np.float64)
        away = z - self.centre
        variance = self.level_variance + 2 * away * self.covariance + away**2 * self.slope_variance
        reach = Z_95 * np.sqrt(np.maximum(variance, 0.0))
        return expit(z - reach), expit(z + reach)

    def as_dict(self) -> dict[str, float]:
        """Plain values for JSON."""
        return {
            "centre": self.centre,
            "level_variance": self.level_variance,
            "covariance": self.covariance,
            "slope_variance": self.slope_variance,
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Read what `as_dict` wrote."""
        return cls(
            **{name: float(plain[name]) for name in ("centre", "level_variance", "covariance", "slope_variance")}
        )


def fit_band(log_odds: npt.ArrayLike, outcome: npt.ArrayLike, *, lead_id: Sequence[str]) -> Band:
    """Fit the band on later snapshots: one entry per snapshot, clustered by lead."""
    z, y = np.asarray(log_odds, np.float64), np.asarray(outcome, np.float64)
    p: Floats = expit(z)
    weight = p * (1 - p)
    centre = float(weight @ z / weight.sum())
    design = np.column_stack([np.ones(len(z)), z - centre])
    prior = np.eye(2) / PRIOR_VARIANCE
    information = (design * weight[:, None]).T @ design + prior
    scores = pd.DataFrame(design * (y - p)[:, None]).groupby(np.asarray(lead_id, object)).sum().to_numpy()
    inverse = np.linalg.inv(information)
    clustered = inverse @ (scores.T @ scores + prior) @ inverse
    # Never narrower than independent snapshots would make it, whatever the log odds: with few leads the cluster sum is
    # itself uncertain. So in each direction the wider of the two counts.
    root = np.linalg.cholesky(inverse)
    strength, axes = np.linalg.eigh(np.linalg.solve(root, np.linalg.solve(root, clustered).T))
    half = root @ (axes * np.sqrt(np.maximum(strength, 1.0)))
    covariance = half @ half.T
    return Band(centre, float(covariance[0, 0]), float(covariance[0, 1]), float(covariance[1, 1]))

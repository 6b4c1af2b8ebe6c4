"""How sure a probability is: an interval for the conversion rate of leads scored like this one.

On snapshots later than everything the model learned from, the outcome is regressed on the model's log odds (intercept
and slope, the classic recalibration of Cox 1958). How uncertain that line is at a lead's log odds is how uncertain the
rate of leads scored like it is; errors are clustered by lead. Few later outcomes, or log odds far from those seen, make
it wide. It is the uncertainty of the map from score to rate, not of the one lead: a lead converts or does not.

That alone would say how well the line is known, and nothing of how wrong the model was: rates that bend where it does
not, a level that has moved. So the snapshots are cut into parts by score, and the parts' rates are compared with what
was promised: what they scatter beyond what their outcomes explain is a variance between parts (DerSimonian and Laird
1986). It counts where it is the wider; less than the outcomes could have shown is never claimed. The released model is
fitted anew, on more, and is taken to be as wrong as the one that was measured, in a direction that nobody knows: so the
interval lies around the probability, and corrects nothing.

References
----------
Cox, D. R. (1958). Two further applications of a model for binary regression. Biometrika 45(3/4), 562 to 565.
doi:10.1093/biomet/45.3-4.562
DerSimonian, R. and Laird, N. (1986). Meta-analysis in clinical trials. Controlled Clinical Trials 7(3), 177 to 188.
doi:10.1016/0197-2456(86)90046-2
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from models.encoding import Floats

Places = npt.NDArray[np.int64]

Z_95 = 1.959963984540054
#: Of the line's level and slope before any outcome is seen: a handful of them, or all alike, must not look certain.
PRIOR_VARIANCE = 4.0
#: Parts of equal size, by score: fine enough for a bend. Parts by time as well were no better on simulated stores.
PARTS = 10


@dataclass(frozen=True)
class Band:
    """Covariance of the recalibration line's level and slope, around `centre` log odds.

    `level_variance` is at least the variance between parts, which is the same at every score.
    """

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
    lead = pd.factorize(np.asarray(lead_id, object))[0]
    centre = float(weight @ z / weight.sum())
    design = np.column_stack([np.ones(len(z)), z - centre])
    prior = np.eye(2) / PRIOR_VARIANCE
    information = (design * weight[:, None]).T @ design + prior
    scores = pd.DataFrame(design * (y - p)[:, None]).groupby(lead).sum().to_numpy()
    inverse = np.linalg.inv(information)
    clustered = inverse @ (scores.T @ scores + prior) @ inverse
    # Never narrower than independent snapshots would make it, whatever the log odds: with few leads the cluster sum is
    # itself uncertain. So in each direction the wider of the two counts.
    root = np.linalg.cholesky(inverse)
    strength, axes = np.linalg.eigh(np.linalg.solve(root, np.linalg.solve(root, clustered).T))
    half = root @ (axes * np.sqrt(np.maximum(strength, 1.0)))
    covariance = half @ half.T
    level = max(float(covariance[0, 0]), _between(_parts(z), y - p, weight, lead))
    return Band(centre, level, float(covariance[0, 1]), float(covariance[1, 1]))


def _parts(log_odds: Floats) -> Places:
    """Number of the part of each snapshot, of equal sizes as far as equal scores allow."""
    return np.searchsorted(np.sort(log_odds), log_odds) * PARTS // len(log_odds)


def _between(part: Places, residual: Floats, information: Floats, lead: Places) -> float:
    """Variance, in squared log odds, of the parts' true levels around the promised ones, by the method of moments.

    Each part's deviation in log odds is its sum of residuals over its information; their weighted squares, less what
    the outcomes alone would make them, measure it. Below zero is none.
    """
    size, total = np.bincount(part, weights=information), np.bincount(part, weights=residual)
    within = pd.Series(residual).groupby(part * (int(lead.max()) + 1) + lead).sum()
    # Snapshots of one lead are one piece of evidence: how much less they weigh is pooled over all parts, since one in
    # which nobody happened to convert would look certain by its own residuals.
    likeness = max(1.0, float((within**2).sum()) / float(size.sum()))
    seen = size > 0
    excess = float((total[seen] ** 2 / size[seen]).sum()) / likeness - int(seen.sum())
    return float(np.clip(excess * likeness / float(size.sum()), 0.0, PRIOR_VARIANCE))

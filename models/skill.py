"""What each member's differences between leads are worth on later leads: a weight for the logistic part and the trees'.

A model that has learned nothing still ranks leads, a member that fails under drift ranks them wrongly, and both claim
what is not so. So the outcomes of later windows, each with a level of its own, are regressed on what the two members
say there, above the base rate: a slope of 1 is borne out, of 0 is noise (Cox 1958). Three things decide between them.

* How sure a window is of its slopes: errors are clustered by lead, so a lead seen often is one piece of evidence.
* How far the windows agree (DerSimonian and Laird 1986). Under drift slopes were seen to fall to nothing in one window
  and to come back in the next, after the members had been fitted again. Windows that differ more than chance allows
  are weak evidence, however many rows they hold; noise is nothing in every window, and they agree on it.
* What is expected before: weights of n / (n + `FEW`) with n conversions to learn from, give or take
  `EXPECTED_DEVIATION`. Members fitted on few conversions claim too much, and no window is large enough to show it. Of
  that expectation as much is kept as the windows can tell from noise (positive-part James–Stein): by what they say
  together, or, where drift turned some of them over, by how far each is from nothing.

No weight is below 0: what is borne out nowhere is left out, never turned over.

References
----------
Cox, D. R. (1958). Two further applications of a model for binary regression. Biometrika 45(3/4), 562 to 565.
doi:10.1093/biomet/45.3-4.562
DerSimonian, R. and Laird, N. (1986). Meta-analysis in clinical trials. Control. Clin. Trials 7(3), 177 to 188.
doi:10.1016/0197-2456(86)90046-2
James, W. and Stein, C. (1961). Estimation with quadratic loss. Proc. Fourth Berkeley Symp. 1, 361 to 379.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from features.tables import MICROSECONDS_PER_DAY
from models.encoding import Floats

Integers = npt.NDArray[np.int64]

#: Conversions that earn members half of what they claim.
FEW: Final = 60.0
EXPECTED_DEVIATION: Final = 0.2
#: Between windows, as if measured once, before it is: a few windows agree by chance.
WINDOW_DEVIATION: Final = 0.2
LEAST_ROWS: Final = 10
LEAST_OF_EACH: Final = 2
_LEVEL_PRECISION: Final = 0.05
_SLOPE_PRECISION: Final = 0.25  # within one window: a separated one must have an estimate


@dataclass(frozen=True)
class Said:
    """Snapshots, what the members say of each in log odds above `base`, and what happened."""

    base: float
    parts: Floats
    """(rows, 2): the logistic member less the base rate, and the trees."""
    outcome: Integers
    lead_id: npt.NDArray[np.object_]
    as_of: Integers

    def log_odds(self, weights: Floats) -> Floats:
        """(rows,) of the weighted members."""
        z: Floats = self.base + self.parts @ weights
        return z

    def take(self, rows: npt.NDArray[np.bool_]) -> Self:
        """Some of the snapshots."""
        return replace(
            self,
            parts=self.parts[rows],
            outcome=self.outcome[rows],
            lead_id=self.lead_id[rows],
            as_of=self.as_of[rows],
        )


@dataclass(frozen=True)
class Window:
    """Snapshots from `begins` on, said by members that were fitted on what was known by then."""

    begins: int
    converted: int
    """Conversions that these members had to learn from."""
    later: Said
    recent: Said
    """The newest snapshots that these members were fitted on: how far the level had moved by then."""

    def halves(self) -> tuple[Self, ...]:
        """The window cut in two at a moment in the middle of its snapshots; whole where all share one."""
        as_of = self.later.as_of
        middle = int(np.sort(as_of)[len(as_of) // 2]) if len(as_of) else self.begins
        first = as_of < middle
        if not first.any():
            return (self,)
        return replace(self, later=self.later.take(first)), replace(self, begins=middle, later=self.later.take(~first))

    def known_by(self, moment: int, *, horizon_days: int) -> Self:
        """Without the snapshots whose outcome was still open."""
        closed = self.later.as_of + horizon_days * MICROSECONDS_PER_DAY <= moment
        return replace(self, later=self.later.take(closed))


def weigh(windows: Sequence[Window], *, converted: int) -> Floats:
    """Weights (logistic, trees), neither below 0, of members fitted on `converted` conversions.

    Examples
    --------
    >>> weigh([], converted=60).tolist()
    [0.5, 0.5]
    """
    found = [_slopes(window.later) for window in windows if _can_tell(window.later)]
    expected = np.full(2, converted / (converted + FEW) * _told_from_noise(found))
    between = _between(found)
    precision = np.eye(2) / EXPECTED_DEVIATION**2
    total = precision @ expected
    for slopes, variance in found:
        inverse = np.linalg.inv(variance + between * np.eye(2))
        precision, total = precision + inverse, total + inverse @ slopes
    weights: Floats = np.linalg.solve(precision, total)
    if weights.min() < 0:
        other = int(np.argmax(weights))
        alone = max(0.0, float(total[other] / precision[other, other]))
        weights = np.zeros(2)
        weights[other] = alone
    return weights


def _can_tell(said: Said) -> bool:
    converted = int(said.outcome.sum())
    return len(said.outcome) >= LEAST_ROWS and min(converted, len(said.outcome) - converted) >= LEAST_OF_EACH


def _told_from_noise(found: Sequence[tuple[Floats, Floats]]) -> float:
    """Share, in [0, 1], of the members' differences, both alike, that is no noise; 1 where nothing was found."""
    if not found:
        return 1.0
    inverses = [np.linalg.inv(variance) for _, variance in found]
    information = np.array([inverse.sum() for inverse in inverses])
    slopes = np.array([(inverse @ s).sum() for inverse, (s, _) in zip(inverses, found, strict=True)]) / information
    together = float(information @ slopes) / float(np.sqrt(information.sum()))
    apart = float((information * slopes**2).sum())
    kept = [1 - len(found) / apart if apart > 0 else 0.0, 1 - 1 / together**2 if together > 0 else 0.0]
    return max(0.0, *kept)


def _slopes(said: Said) -> tuple[Floats, Floats]:
    """Slopes of the two parts in one window, beside its own level, and their covariance."""
    y = said.outcome.astype(np.float64)
    design = np.column_stack([said.parts, np.ones(len(y))])
    prior = np.diag([_SLOPE_PRECISION, _SLOPE_PRECISION, _LEVEL_PRECISION])
    theta = np.zeros(3)
    for _ in range(100):
        p = expit(said.base + design @ theta)
        information = (design.T * (p * (1 - p))) @ design + prior
        step = np.linalg.solve(information, design.T @ (p - y) + prior @ theta)
        theta = theta - step / max(1.0, float(np.abs(step).max()))
        if float(np.abs(step).max()) < 1e-10:
            break
    p = expit(said.base + design @ theta)
    scores = pd.DataFrame(design * (y - p)[:, None]).groupby(said.lead_id).sum().to_numpy()
    inverse = np.linalg.inv(information)
    clustered = inverse @ (scores.T @ scores + prior) @ inverse
    # Never surer than independent snapshots would be: few leads make the clustered sum itself uncertain.
    wider = max(1.0, float(np.trace(clustered[:2, :2]) / np.trace(inverse[:2, :2])))
    return theta[:2], inverse[:2, :2] * wider


def _between(found: Sequence[tuple[Floats, Floats]]) -> float:
    """Variance of the true slopes between windows: by moments, beside one measurement of what is expected."""
    if len(found) < 2:
        return WINDOW_DEVIATION**2
    weights = [np.linalg.inv(variance) for _, variance in found]
    total = np.sum(weights, axis=0)
    mean = np.linalg.solve(total, np.sum([w @ s for w, (s, _) in zip(weights, found, strict=True)], axis=0))
    spread = float(sum((s - mean) @ w @ (s - mean) for w, (s, _) in zip(weights, found, strict=True)))
    scale = float(np.trace(total) - np.trace(np.linalg.solve(total, np.sum([w @ w for w in weights], axis=0))))
    free = len(found) - 1
    measured = max(0.0, (spread - 2 * free) / scale)
    return (WINDOW_DEVIATION**2 + free * measured) / (1 + free)

"""The best few criteria out of many, in whole points: a sparse scorecard of least log loss.

What is sought is the card whose points, read as log odds, lose least log loss against the target.

1. *Which criteria*: forward selection with a beam. At each step the candidates that promise most by their score test
   are fitted together with what is chosen already, and the best few sets go on; then each chosen criterion is
   exchanged as long as another one is better.
2. *How many points*: the coefficients, scaled so that no lead has more than 100 points and no criterion is worth more
   than 50, are rounded and then moved one step at a time, down and up, while that lowers the loss. Steps of 5 points
   are taken where they cost next to nothing.

Published packages learn from outcomes; here the target is what a model says (see `rules_fit`), and so few criteria make
so few distinct patterns of leads that the whole search is small.

References
----------
Ustun, B. and Rudin, C. (2019). Learning optimized risk scores. J. Mach. Learn. Res. 20(150) (whole points, coordinate
descent, and why rounding alone is not enough).
Liu, J., Zhong, C., Li, B., Seltzer, M. and Rudin, C. (2022). FasterRisk: fast and accurate interpretable risk scores.
NeurIPS 35. arXiv:2210.05846 (beam search, then whole points at the best scale).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

#: No lead of those learnt from has more points; a card's cap.
MOST_POINTS: Final = 100
#: No criterion gives or takes more.
MOST_OF_ONE: Final = 50
#: Sets of criteria that are followed at once, and candidates that are fitted to each of them.
BEAM: Final = 4
TRIED: Final = 6
#: Criteria are chosen on at most about so many snapshots; points are counted on all.
CHOOSE_ON_ROWS: Final = 30_000
#: One more criterion lowers the log loss by at least this share of what the card gains over the base rate.
LEAST_GAIN: Final = 0.005
#: Rounder points (steps of 5) may cost this share of what the card gains.
ROUND_COST: Final = 0.01
_STEPS: Final = (5, 1)
#: Squared pull towards 0 on every coefficient, so that one that separates the outcomes stays finite.
_PENALTY: Final = 1.0
_NEWTON: Final = 30


@dataclass(frozen=True)
class Chosen:
    """Places of the chosen candidates and the points of each, those worth most first."""

    places: tuple[int, ...]
    points: tuple[int, ...]
    loss: float
    """Log loss of the total, read as log odds by the best straight line, against the target."""
    base_loss: float
    """The same of the base rate."""


def choose(matched: Flags, target: Floats, signs: Integers, *, most: int) -> Chosen:
    """The best card of at most `most` criteria.

    Parameters
    ----------
    matched : (candidates, rows)
    target : (rows,) probabilities to come near to, in [0, 1]; outcomes will do
    signs : (candidates,) +1 or -1, of the points

    Returns
    -------
    Chosen
        Of no criterion where none says anything.

    Raises
    ------
    ValueError
        `most` is below 1.

    Examples
    --------
    >>> asked, opened = np.array([True] * 40 + [False] * 60), np.arange(100) % 2 == 0
    >>> card = choose(np.array([opened, asked]), np.where(asked, 0.5, 0.1), np.array([1, 1]), most=1)
    >>> card.places, card.points
    ((1,), (50,))
    >>> choose(np.array([asked]), np.where(asked, 0.5, 0.1), np.array([1]), most=0)
    Traceback (most recent call last):
    ...
    ValueError: A card has 1 criterion or more, got most = 0.
    """
    if most < 1:
        raise ValueError(f"A card has 1 criterion or more, got most = {most}.")
    rows = slice(None, None, max(1, len(target) // CHOOSE_ON_ROWS))
    search = _Search(np.ascontiguousarray(matched[:, rows], np.float32), target[rows], signs)
    places = search.exchanged(search.forward(most))
    while True:
        found = _in_points(matched, target, signs, places)
        if all(found.points):
            return found
        # A criterion that rounds to nothing is none.
        places = tuple(place for place, points in zip(places, found.points, strict=True) if points)


class _Search:
    """Candidates and their target, and the sets of them that were fitted already."""

    def __init__(self, matrix: npt.NDArray[np.float32], target: Floats, signs: Integers) -> None:
        self.matrix, self.target, self.signs = matrix, target, signs
        self.known: dict[frozenset[int], float] = {}
        self.base = self.loss(())

    def loss(self, places: tuple[int, ...]) -> float:
        """Log loss of the best coefficients; infinite where one of them has the wrong sign."""
        key = frozenset(places)
        if key not in self.known:
            coefficients, loss = self._patterns(places).fit()
            wrong = (coefficients[1:] * self.signs[list(places)] <= 0).any()
            self.known[key] = float("inf") if wrong else loss
        return self.known[key]

    def promising(self, places: tuple[int, ...], *, tried: int) -> list[int]:
        """The candidates whose score test promises most beside a set: those of the right sign, best first."""
        patterns = self._patterns(places)
        probability = patterns.probability(patterns.fit()[0])
        residual = (self.target - probability).astype(np.float32)
        weight = (probability * (1 - probability)).astype(np.float32)
        slope = (self.matrix @ residual).astype(np.float64)
        inside = (self.matrix @ weight).astype(np.float64)
        curvature = inside - inside**2 / max(float(weight.sum()), 1e-12) + _PENALTY
        gain = np.where(slope * self.signs > 0, slope**2 / curvature, 0.0)
        gain[list(places)] = 0.0
        order = np.argsort(-gain, kind="stable")[:tried]
        return [int(place) for place in order if gain[place] > 0]

    def forward(self, most: int) -> tuple[int, ...]:
        """Criteria added one by one, the best few sets side by side, while they gain enough."""
        best: tuple[int, ...] = ()
        beam: list[tuple[int, ...]] = [()]
        for _ in range(most):
            larger = {
                frozenset((*places, place)): (*places, place)
                for places in beam
                for place in self.promising(places, tried=TRIED)
            }
            beam = sorted(larger.values(), key=self.loss)[:BEAM]
            if not beam or not self._worth_it(beam[0], best):
                break
            best = beam[0]
        return best

    def exchanged(self, places: tuple[int, ...]) -> tuple[int, ...]:
        """Each criterion exchanged for a better one, as long as there is any; what gains too little is taken out."""
        improved = True
        while improved:
            improved = False
            for place in places:
                others = tuple(other for other in places if other != place)
                if places and not self._worth_it(places, others):
                    places, improved = others, True
                    break
                tried = [(*others, new) for new in self.promising(others, tried=TRIED)]
                better = min(tried, key=self.loss, default=places)
                if self.loss(better) < self.loss(places) - 1e-9:
                    places, improved = better, True
                    break
        return places

    def _patterns(self, places: tuple[int, ...]) -> "_Patterns":
        return _Patterns(self.matrix[list(places)] > 0, self.target)

    def _worth_it(self, larger: tuple[int, ...], smaller: tuple[int, ...]) -> bool:
        gained = self.base - self.loss(larger)
        return self.loss(smaller) - self.loss(larger) > max(LEAST_GAIN * gained, 1e-9)


class _Patterns:
    """Rows told apart by which of a few criteria match: as many as there are patterns, however many rows there are."""

    def __init__(self, matched: Flags, target: Floats) -> None:
        code = np.zeros(len(target), np.int64)
        for bit, flags in enumerate(matched):
            code |= flags.astype(np.int64) << bit
        distinct, self.row_pattern = np.unique(code, return_inverse=True)
        self.matrix = ((distinct[:, None] >> np.arange(len(matched))) & 1).astype(np.float64)
        self.rows = np.bincount(self.row_pattern).astype(np.float64)
        self.converted = np.bincount(self.row_pattern, target)

    def fit(self, *, matrix: Floats | None = None) -> tuple[Floats, float]:
        """Intercept and coefficients of least log loss against the target, by Newton steps, and that loss."""
        columns = self.matrix if matrix is None else matrix
        design = np.column_stack([np.ones(len(self.rows)), columns])
        pull = np.full(design.shape[1], _PENALTY)
        pull[0] = 0.0
        beta = np.zeros(design.shape[1])
        rate = np.clip(self.converted.sum() / self.rows.sum(), 1e-9, 1 - 1e-9)
        beta[0] = logit(rate)
        value = self._penalised(design, beta, pull)
        for _ in range(_NEWTON):
            p = expit(design @ beta)
            gradient = design.T @ (self.rows * p - self.converted) + pull * beta
            hessian = (design * (self.rows * p * (1 - p))[:, None]).T @ design + np.diag(pull + 1e-9)
            step = np.linalg.solve(hessian, gradient)
            size = 1.0
            while (new := self._penalised(design, beta - size * step, pull)) > value and size > 1e-6:
                size /= 2
            if value - new < 1e-10 * len(self.row_pattern):
                break
            beta, value = beta - size * step, new
        return beta, self._loss(design @ beta)

    def probability(self, coefficients: Floats) -> Floats:
        """(rows,) what the coefficients say."""
        by_pattern: Floats = expit(coefficients[0] + self.matrix @ coefficients[1:])
        return by_pattern[self.row_pattern]

    def _penalised(self, design: Floats, beta: Floats, pull: Floats) -> float:
        z = design @ beta
        return float(np.sum(self.rows * np.logaddexp(0, z) - self.converted * z) + 0.5 * pull @ beta**2)

    def _loss(self, z: Floats) -> float:
        """Mean log loss per row."""
        return float(np.sum(self.rows * np.logaddexp(0, z) - self.converted * z) / self.rows.sum())


def _in_points(matched: Flags, target: Floats, signs: Integers, places: tuple[int, ...]) -> Chosen:
    """Whole points: the roundest that cost next to nothing."""
    chosen = list(places)
    patterns = _Patterns(matched[chosen], target)
    base = _Patterns(matched[[]], target).fit()[1]
    if not chosen:
        return Chosen((), (), base, base)
    coefficients, exact = patterns.fit()
    coefficients = np.where(coefficients[1:] * signs[chosen] > 0, coefficients[1:], 0.0)
    for step in _STEPS:
        points, loss = _rounded(patterns, coefficients, signs[chosen], step)
        if loss - exact <= ROUND_COST * (base - exact) or step == _STEPS[-1]:
            break
    order = np.argsort(-np.abs(points), kind="stable")
    return Chosen(tuple(chosen[place] for place in order), tuple(int(points[place]) for place in order), loss, base)


def _rounded(patterns: _Patterns, coefficients: Floats, signs: Integers, step: int) -> tuple[Integers, float]:
    """Multiples of `step`: coefficients scaled to `MOST_POINTS` and `MOST_OF_ONE`, rounded, then moved by a step at a
    time while the log loss falls; and that loss."""

    def read(points: Integers) -> float:
        total = patterns.matrix @ points
        return patterns.fit(matrix=(total / MOST_POINTS)[:, None])[1]

    highest = max(float((patterns.matrix @ coefficients).max()), float(np.abs(coefficients).max()) * 2)
    points = np.rint(coefficients / (highest or 1.0) * MOST_POINTS / step).astype(np.int64) * step
    while not _allowed(patterns, points, signs):
        # Rounded up here and there, somebody has a step or two too many: taken from the largest.
        points[np.argmax(points)] -= step
    best = read(points)
    improved = True
    while improved:
        improved = False
        for place in range(len(points)):
            for move in (step, -step):
                tried = points.copy()
                tried[place] += move
                if not _allowed(patterns, tried, signs):
                    continue
                found = read(tried)
                if found < best - 1e-9:
                    points, best, improved = tried, found, True
    return points, best


def _allowed(patterns: _Patterns, points: Integers, signs: Integers) -> bool:
    return bool(
        (points * signs >= 0).all()
        and np.abs(points).max() <= MOST_OF_ONE
        and (patterns.matrix @ points).max() <= MOST_POINTS
    )

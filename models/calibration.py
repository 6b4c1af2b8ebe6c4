"""Calibration: from the log odds a model gives to log odds that outcomes bear out, by a few numbers in JSON.

The map is beta calibration (Kull et al. 2017), logit(p') = c + a·ln p − b·ln(1 − p), whose a stretches the low end
and b the high end; a = b = 1, c = 0 changes nothing. It is kept on the log-odds scale, so that reasons which sum to
the log odds stay comparable, and it is strictly increasing whatever it was fitted on: calibration may say how much
to believe a ranking, never turn it over.

How much is learned depends on how many of the rarer outcome were seen:

=====================================  ==================  ====================================
converters (or non-converters)         method              free numbers
=====================================  ==================  ====================================
``min_positives`` (200) or more        ``beta``            a, b, c
``SLOPE_POSITIVES`` (30) or more       ``temperature``     a = b, c
at least one                           ``intercept``       c
none                                   ``identity``        none: no level can be told
=====================================  ==================  ====================================

Two methods more follow steps that the outcomes show (`calibration_steps`): ``isotonic`` and ``venn_abers``. Theirs is
a chain of knots with straight lines between, and slopes a and b beyond the first and last. Which method is worth its
numbers is decided out of time (`calibration_choice`).

References
----------
Kull, M., Silva Filho, T. and Flach, P. (2017). Beyond sigmoids: how to obtain well-calibrated probabilities from
binary classifiers with beta calibration. Electron. J. Statist. 11(2). doi:10.1214/17-EJS1338SI
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from features.errors import ReleaseRefused

Floats = npt.NDArray[np.float64]

METHODS: Final = ("identity", "intercept", "temperature", "beta", "isotonic", "venn_abers")
WITH_KNOTS: Final = ("isotonic", "venn_abers")
PRIOR_STRENGTH: Final = 10.0
MIN_POSITIVES: Final = 200
SLOPE_POSITIVES: Final = 30
#: Least a and b: below it, log odds that differ would round to the same number where the other term is flat.
SLOPE_FLOOR: Final = 0.01
#: Beyond it the constant would swallow differences between leads in rounding; no honest fit comes near.
NUMBER_LIMIT: Final = 1e6
MOST_KNOTS: Final = 64

Knots = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Calibrator:
    """logit(p') = c + a·ln p − b·ln(1 − p), with a and b at least ``SLOPE_FLOOR``; or c + a line through knots.

    ``knots`` are (log odds, calibrated log odds) pairs, for the methods ``WITH_KNOTS`` only: straight between them
    with slopes of at least ``SLOPE_FLOOR``, slope a below the first and b above the last.

    Examples
    --------
    >>> halved = Calibrator("temperature", a=0.5, b=0.5, c=-1.0)
    >>> halved.apply_log_odds([-2.0, 0.0, 2.0]).tolist()
    [-2.0, -1.0, 0.0]
    >>> Calibrator.from_dict(halved.as_dict()) == halved
    True
    >>> Calibrator.from_dict({"method": "beta", "a": 1.0, "b": -0.2, "c": 0.0})
    Traceback (most recent call last):
    ...
    features.errors.ReleaseRefused: calibrator: a and b must be at least 0.01, so that no ranking is turned over; found
    a=1.0, b=-0.2. Fetch the release again as it was reviewed, or train a new one.
    """

    method: str
    a: float
    b: float
    c: float
    knots: Knots = ()

    def apply_log_odds(self, log_odds: npt.ArrayLike) -> Floats:
        """Calibrated log odds, strictly increasing in ``log_odds`` and finite within ±40.

        Raises
        ------
        ValueError
            If a log odds is not finite.
        """
        x = _finite(log_odds)
        if self.knots:
            at, to = np.array(self.knots, np.float64).T
            below, above = np.minimum(x - at[0], 0.0), np.maximum(x - at[-1], 0.0)
            chained: Floats = self.c + np.interp(x, at, to) + self.a * below + self.b * above
            return chained
        # ln p and −ln(1 − p) without rounding either probability to 0 or 1
        calibrated: Floats = self.c - self.a * np.logaddexp(0.0, -x) + self.b * np.logaddexp(0.0, x)
        # a = b is linear: the two logarithms would only add rounding
        return self.c + self.a * x if self.a == self.b else calibrated

    def apply(self, log_odds: npt.ArrayLike) -> Floats:
        """Calibrated probability; 1.0 exactly above log odds of about 37, where doubles end."""
        calibrated = self.apply_log_odds(log_odds)
        probability: Floats = expit(calibrated)
        return probability

    def raised(self, by: float) -> Self:
        """The same differences between leads at another level; a calibrator that changed nothing moves the level now.

        Examples
        --------
        >>> identity().raised(0.5)
        Calibrator(method='intercept', a=1.0, b=1.0, c=0.5, knots=())
        """
        if by == 0:
            return self
        return replace(self, method="intercept" if self.method == "identity" else self.method, c=self.c + by)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, ``knots`` only where there are any; ``from_dict`` gives back the very same numbers."""
        plain: dict[str, Any] = {"method": self.method, "a": self.a, "b": self.b, "c": self.c}
        return plain | ({"knots": [list(knot) for knot in self.knots]} if self.knots else {})

    @classmethod
    def from_dict(cls, plain: object) -> Self:
        """Read a calibrator of a release, trusting nothing.

        Raises
        ------
        ReleaseRefused
            On unknown or missing keys, an unknown method, numbers that are not finite, or slopes with which the map
            would not increase strictly.
        """
        if not isinstance(plain, Mapping) or set(plain) - {"knots"} != {"method", "a", "b", "c"}:
            keys = sorted(map(str, plain)) if isinstance(plain, Mapping) else type(plain).__name__
            raise _refusal("expected exactly the keys method, a, b and c, and knots where there are any", keys)
        if plain["method"] not in METHODS:
            raise _refusal(f"method must be one of {', '.join(METHODS)}", repr(plain["method"]))
        if ("knots" in plain) != (plain["method"] in WITH_KNOTS):
            raise _refusal(f"knots belong to {' and '.join(WITH_KNOTS)}, and to no other method", sorted(plain))
        numbers = {key: plain[key] for key in ("a", "b", "c")}
        found = ", ".join(f"{key}={number!r}" for key, number in numbers.items())
        if not all(_is_number(v) for v in numbers.values()):
            raise _refusal(f"a, b and c must be finite numbers within ±{NUMBER_LIMIT:g}", found)
        a, b, c = (float(v) for v in numbers.values())
        if min(a, b) < SLOPE_FLOOR:
            raise _refusal(
                f"a and b must be at least {SLOPE_FLOOR}, so that no ranking is turned over", f"a={a}, b={b}"
            )
        return cls(str(plain["method"]), a, b, c, _read_knots(plain["knots"]) if "knots" in plain else ())


def identity() -> Calibrator:
    """The calibrator that changes nothing.

    Examples
    --------
    >>> identity().apply_log_odds([-3.0, 0.5]).tolist()
    [-3.0, 0.5]
    """
    return Calibrator("identity", 1.0, 1.0, 0.0)


def fit_calibrator(
    log_odds: npt.ArrayLike,
    outcome: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    prior_strength: float = PRIOR_STRENGTH,
    min_positives: int = MIN_POSITIVES,
    level_only: bool = False,
) -> Calibrator:
    """Fit a strictly increasing calibrator, shrunk towards changing nothing.

    Parameters
    ----------
    log_odds, outcome
        One entry per mature snapshot that the model was *not* fitted on, best the newest ones: the model's log odds,
        and what happened (0 or 1).
    weights
        How many snapshots each row stands for; null means one each.
    prior_strength
        In pseudo-converters, > 0: every free number has a Gaussian prior around no change, with the precision that
        this many converters (Fisher information Σ p (1 − p)) would bring. The level is that of the average lead; the
        slopes are per unit of log odds. With as many real converters as this, half the shift is believed.
    min_positives
        Fewest of the rarer outcome for three free numbers; below it see the table above.
    level_only
        Fit the constant alone, however many converted.

    Raises
    ------
    ValueError
        On different lengths, log odds that are not finite, outcomes other than 0 and 1, negative weights, or a
        ``prior_strength`` that is not positive.

    Examples
    --------
    >>> few = fit_calibrator([-1.0, 0.0, 1.0, 2.0], [0, 0, 0, 1])
    >>> few.method, few.a, round(few.c, 2)
    ('intercept', 1.0, -0.13)
    >>> fit_calibrator([0.0], [0]) == identity()
    True
    >>> fit_calibrator([0.0, 1.0], [0, 1], prior_strength=0)
    Traceback (most recent call last):
    ...
    ValueError: prior_strength must be a positive number of pseudo-converters, got 0: separated outcomes have no ...
    """
    x, y = _finite(log_odds), np.asarray(outcome, dtype=np.float64)
    w = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or x.shape != w.shape:
        raise ValueError(f"log_odds, outcome and weights need equal lengths, got {x.shape}, {y.shape} and {w.shape}.")
    if not np.isin(y, (0.0, 1.0)).all():
        raise ValueError("outcome must be 0 or 1 everywhere: drop snapshots that are not mature yet.")
    if not (np.isfinite(w) & (w >= 0)).all():
        raise ValueError("weights must be finite and not negative: they count snapshots.")
    if not (np.isfinite(prior_strength) and prior_strength > 0):
        raise ValueError(
            f"prior_strength must be a positive number of pseudo-converters, got {prior_strength}: "
            "separated outcomes have no finite fit without it."
        )
    rarer = min(float(w @ y), float(w @ (1 - y)))
    if rarer <= 0:
        return identity()
    if rarer >= min_positives and not level_only:
        low, high = -np.logaddexp(0.0, -x), np.logaddexp(0.0, x)  # ln p, −ln(1 − p); they sum to x
        a, b, c = _fit(x, np.stack([low, high], axis=1), y, w, prior_strength)
        return Calibrator("beta", a, b, c)
    if rarer >= SLOPE_POSITIVES and not level_only:
        slope, c = _fit(x, x[:, None], y, w, prior_strength)
        return Calibrator("temperature", slope, slope, c)
    (c,) = _fit(x, np.empty((x.size, 0)), y, w, prior_strength)
    return Calibrator("intercept", 1.0, 1.0, c)


def _fit(x: Floats, terms: Floats, y: Floats, w: Floats, prior_strength: float) -> list[float]:
    """Slope of each term (1 changes nothing; at least the floor), then the constant.

    Terms are centred at the average lead, weighted by its information, so that shrinking the constant shrinks the
    change of *that lead's* level, whatever the slopes do. A slope below the floor is put on it and the others are
    fitted again, until none is below.
    """
    p = expit(x)
    information = w * np.maximum(p * (1 - p), 1e-12)
    centre = information @ terms / information.sum()
    centred = terms - centre
    held = np.zeros(centre.size, dtype=bool)
    while True:
        change = np.where(held, SLOPE_FLOOR - 1.0, 0.0)
        design = np.column_stack([centred[:, ~held], np.ones(x.size)])
        *free, level = _newton(design, x + centred @ change, y, w, prior_strength)
        change[~held] = free
        below = 1.0 + change < SLOPE_FLOOR
        if not (below & ~held).any():
            slopes = np.where(held, SLOPE_FLOOR, 1.0 + change)  # the floor itself, not the floor after rounding
            return [*slopes.tolist(), float(level - change @ centre)]
        held |= below


def _newton(design: Floats, offset: Floats, y: Floats, w: Floats, prior_strength: float) -> Floats:
    """Coefficients, shrunk towards 0, of a logistic regression beside a fixed offset.

    The penalised likelihood is strictly concave and a step that does not climb is halved, so it converges from
    anywhere and always to the same numbers.
    """

    def loss(theta: Floats) -> float:
        eta = offset + design @ theta
        return float(w @ (np.logaddexp(0.0, eta) - y * eta) + prior_strength / 2 * theta @ theta)

    theta = np.zeros(design.shape[1])
    best = loss(theta)
    for _ in range(200):
        mu = expit(offset + design @ theta)
        gradient = design.T @ (w * (mu - y)) + prior_strength * theta
        hessian = (design.T * (w * mu * (1 - mu))) @ design + prior_strength * np.eye(theta.size)
        step = np.linalg.solve(hessian, gradient)
        while (following := loss(theta - step)) > best and float(np.abs(step).max()) > 1e-12:
            step /= 2
        if following > best:
            break  # nothing below in doubles
        theta, best = theta - step, following
        if float(np.abs(step).max()) < 1e-10:
            break
    return theta


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and abs(value) < NUMBER_LIMIT  # type: ignore[arg-type]


def _read_knots(plain: object) -> Knots:
    """Knots of a release, trusting nothing."""
    if not isinstance(plain, list) or not 2 <= len(plain) <= MOST_KNOTS:
        raise _refusal(f"knots must be a list of 2 to {MOST_KNOTS} pairs", repr(plain)[:80])
    for pair in plain:
        if not (isinstance(pair, list) and len(pair) == 2 and all(_is_number(v) for v in pair)):
            raise _refusal(f"a knot must be two finite numbers within ±{NUMBER_LIMIT:g}", repr(pair)[:80])
    knots = np.array(plain, np.float64)
    run, rise = np.diff(knots, axis=0).T
    if not ((run > 0).all() and (rise >= SLOPE_FLOOR * run * (1 - 1e-6)).all()):
        raise _refusal(
            f"knots must rise with a slope of at least {SLOPE_FLOOR}, so that no ranking is turned over and none tied",
            repr(plain)[:80],
        )
    return tuple((float(at), float(to)) for at, to in plain)


def _finite(log_odds: npt.ArrayLike) -> Floats:
    x = np.asarray(log_odds, dtype=np.float64)
    if not np.isfinite(x).all():
        raise ValueError(f"log_odds must be finite, found {x[~np.isfinite(x)][0]}: a model gives log odds, not nulls.")
    return x


def _refusal(expected: str, found: object) -> ReleaseRefused:
    return ReleaseRefused(
        f"calibrator: {expected}; found {found}. Fetch the release again as it was reviewed, or train a new one."
    )

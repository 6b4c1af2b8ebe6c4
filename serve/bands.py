"""Two ways to read a probability at a glance: a band with fixed limits, and a percentile among the leads scored.

A band keeps its meaning from night to night: an A lead is one whose probability reaches the A limit, however many
there are. A percentile says where a lead stands among tonight's leads, and moves when they do. Neither replaces the
probability, and neither may be read as one.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from features.errors import ConfigError

#: From the least to the most likely.
BANDS: Final = ("D", "C", "B", "A")


@dataclass(frozen=True)
class BandLimits:
    """The probability from which a lead is in band A, B or C; below the last it is in D.

    Parameters
    ----------
    a_probability, b_probability, c_probability
        Probabilities strictly between 0 and 1, each above the next.

    Raises
    ------
    ConfigError
        If a limit is not strictly between 0 and 1, or not above the next.

    Examples
    --------
    >>> BandLimits(0.30, 0.10, 0.10)
    Traceback (most recent call last):
    ...
    features.errors.ConfigError: [bands] b_probability must be above [bands] c_probability, got 0.1 and 0.1: ...
    """

    a_probability: float
    b_probability: float
    c_probability: float

    def __post_init__(self) -> None:
        names = ("a_probability", "b_probability", "c_probability")
        for name in names:
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(
                    f"[bands] {name} must be a probability strictly between 0 and 1, got {getattr(self, name)}: "
                    "every lead, or none, would reach it. Write 20 % as 0.20."
                )
        for upper, lower in pairwise(names):
            if getattr(self, upper) <= getattr(self, lower):
                raise ConfigError(
                    f"[bands] {upper} must be above [bands] {lower}, got {getattr(self, upper)} and "
                    f"{getattr(self, lower)}: a band between them would be empty. Raise the first or lower the second."
                )


def checked(probability: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the probabilities as a one-dimensional float64 array.

    Raises
    ------
    ValueError
        If they are not one-dimensional, or one is missing or outside [0, 1].

    Examples
    --------
    >>> checked([0.2, 1])
    array([0.2, 1. ])
    >>> checked([0.2, float("nan")])
    Traceback (most recent call last):
    ...
    ValueError: expected probabilities in [0, 1], got nan at position 1
    """
    values = np.asarray(probability, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"expected one probability per lead, got an array of shape {values.shape}")
    wrong = ~((values >= 0) & (values <= 1))  # written so that NaN is wrong too
    if wrong.any():
        position = int(wrong.argmax())
        raise ValueError(f"expected probabilities in [0, 1], got {values[position]} at position {position}")
    return values


def band(probability: npt.ArrayLike, limits: BandLimits) -> npt.NDArray[np.str_]:
    """Return each lead's band, "A" to "D": the highest one whose limit its probability reaches.

    Parameters
    ----------
    probability
        Shape (leads,), calibrated, in [0, 1].
    limits
        A >= a > B >= b > C >= c > D.

    Returns
    -------
    Shape (leads,), in the order given.

    Raises
    ------
    ValueError
        If a probability is missing or outside [0, 1].

    Examples
    --------
    >>> band([0.4, 0.3, 0.1, 0.05, 0.0], BandLimits(0.30, 0.10, 0.03)).tolist()
    ['A', 'A', 'B', 'C', 'D']
    """
    edges = np.array([limits.c_probability, limits.b_probability, limits.a_probability])
    return np.array(BANDS)[np.searchsorted(edges, checked(probability), side="right")]


def percentile(probability: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return, for each lead, the percentage of the leads given whose probability is at most its own.

    Equal probabilities get equal percentiles, and the most likely lead gets 100. It is a property of the whole set
    of leads scored together: adding a lead moves the others.

    Parameters
    ----------
    probability
        Shape (leads,), in [0, 1].

    Returns
    -------
    Shape (leads,), in the order given, in (0, 100].

    Raises
    ------
    ValueError
        If a probability is missing or outside [0, 1].

    Examples
    --------
    >>> percentile([0.5, 0.1, 0.1, 0.9]).tolist()
    [75.0, 50.0, 50.0, 100.0]
    """
    values = checked(probability)
    return np.searchsorted(np.sort(values), values, side="right") * 100.0 / max(len(values), 1)

"""What the first calls bring: conversions found when the best-ranked share of a list is called."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from models.encoding import Floats

#: Shares of the list at which a curve is drawn.
SHARES: Final = tuple(step / 20 for step in range(21))


def captured(probability: npt.ArrayLike, outcome: npt.ArrayLike, shares: npt.ArrayLike) -> Floats:
    """Share of all conversions found in the first `shares` of the list, leads of equal probability in any order.

    Parameters
    ----------
    probability, outcome : one entry per snapshot; at least one converted
    shares : in [0, 1]

    Examples
    --------
    >>> captured([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0], [0.25, 0.5, 1]).tolist()
    [0.5, 0.75, 1.0]
    """
    p, y = np.asarray(probability, np.float64), np.asarray(outcome, np.float64)
    order = np.argsort(-p, kind="stable")
    last = np.flatnonzero(np.diff(p[order], append=-np.inf))  # of each run of equal probabilities
    called = np.concatenate([[0.0], (last + 1) / len(p)])
    found = np.concatenate([[0.0], np.cumsum(y[order])[last] / y.sum()])
    interpolated: Floats = np.interp(np.asarray(shares, np.float64), called, found)
    return interpolated


def gain_curve(rankings: Mapping[str, npt.ArrayLike], outcome: npt.ArrayLike) -> list[dict[str, float]]:
    """A row per share of the list (`SHARES`), with what each ranking has found by then.

    Examples
    --------
    >>> gain_curve({"model": [0.9, 0.1]}, [1, 0])[10]
    {'share': 0.5, 'model': 1.0}
    """
    found = {name: captured(ranking, outcome, SHARES) for name, ranking in rankings.items()}
    return [
        {"share": share} | {name: float(curve[place]) for name, curve in found.items()}
        for place, share in enumerate(SHARES)
    ]

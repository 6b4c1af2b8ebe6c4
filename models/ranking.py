"""Snapshots, checked and put in order of their probability, so that they can be judged."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.ranked import Positions, Ranked
from models.recalibration import Floats

BINS: Final = 10


def rank(
    probability: npt.ArrayLike,
    outcome: npt.ArrayLike,
    lead_id: npt.ArrayLike,
    *,
    base_rate_probability: npt.ArrayLike = 0.5,
    period: npt.ArrayLike | None = None,
    capacity_share: float | None = None,
    called: str = "probability",
) -> Ranked:
    """Check and sort snapshots; equal lead ids give equal lead positions whatever the order of the rows.

    Parameters
    ----------
    probability, outcome, lead_id
        One entry per snapshot (lead_id, as_of), none of them null.
    base_rate_probability
        In (0, 1): the constant learned on the training data, or one per snapshot where they learned from several.
    period
        A label per snapshot, such as its as_of or its month; None: not judged within periods.
    capacity_share
        Share of the list that sales can work, in (0, 1]; None: not known.
    called
        What messages call the probabilities.

    Raises
    ------
    ValueError
        On different lengths, nulls, probabilities outside [0, 1] or outcomes other than 0 and 1.

    Examples
    --------
    >>> rank([0.2, 0.7, 0.2], [0, 1, 1], ["a", "b", "b"]).probability
    array([0.7, 0.2])
    >>> rank([0.2], [2], ["a"])
    Traceback (most recent call last):
    ...
    ValueError: outcome must be 0 or 1, found 2.0 at position 0: drop snapshots that are not mature yet.
    """
    p, y = np.asarray(probability, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    lead, names = pd.factorize(np.asarray(lead_id), sort=True)
    if p.ndim != 1 or p.shape != y.shape or p.shape != lead.shape or p.size == 0:
        raise ValueError(
            f"{called}, outcome and lead_id need one entry per snapshot, and at least one: "
            f"found shapes {p.shape}, {y.shape} and {lead.shape}."
        )
    if not (ok := (p >= 0) & (p <= 1)).all():
        at = int(np.argmin(ok))
        raise ValueError(
            f"{called} must lie in [0, 1], found {p[at]} at position {at}: give calibrated probabilities, not log-odds."
        )
    if not (ok := (y == 0) | (y == 1)).all():
        at = int(np.argmin(ok))
        raise ValueError(
            f"outcome must be 0 or 1, found {y[at]} at position {at}: drop snapshots that are not mature yet."
        )
    if (lead < 0).any():
        raise ValueError(f"lead_id must not be null, found a null at position {int(np.argmin(lead))}.")
    base, when = _base_rates(base_rate_probability, p.size), _periods(period, p.size)
    if capacity_share is not None and not 0.0 < capacity_share <= 1.0:
        raise ValueError(
            f"capacity_share must lie in (0, 1], got {capacity_share}: give the share of the list that sales can work, "
            "or leave it out."
        )
    # Also by everything else, so that sums over rows are the same to the last bit however the rows came.
    order = np.lexsort((base, np.zeros(p.size) if when is None else when, lead, y, -p))
    p, y, lead = p[order], y[order], lead[order].astype(np.intp)
    start = np.flatnonzero(np.r_[True, p[1:] != p[:-1]])
    size = np.diff(start, append=p.size)
    # A group goes where its middle lies, so ties stay together and the order of rows cannot matter.
    below = 1.0 - (start + size / 2) / p.size
    bins = np.unique(np.floor(below * BINS), return_inverse=True)[1]
    return Ranked(
        probability=p[start],
        start=start,
        lead=lead,
        outcome=y,
        row_bin=np.repeat(bins, size),
        leads=len(names),
        base_rate_probability=base[order],
        period=None if when is None else when[order],
        capacity_share=capacity_share,
    )


def _base_rates(base_rate_probability: npt.ArrayLike, rows: int) -> Floats:
    base = np.asarray(base_rate_probability, np.float64)
    if base.shape not in ((), (rows,)):
        raise ValueError(
            f"base_rate_probability must be one number, or one per snapshot ({rows}): found shape {base.shape}."
        )
    wrong = base[~((base > 0) & (base < 1))]
    if wrong.size:
        raise ValueError(
            f"base_rate_probability must lie strictly between 0 and 1, got {wrong.flat[0]}: "
            "give the share of conversions in the training data."
        )
    return np.broadcast_to(base, (rows,))


def _periods(period: npt.ArrayLike | None, rows: int) -> Positions | None:
    if period is None:
        return None
    codes = pd.factorize(np.asarray(period), sort=True)[0].astype(np.intp)
    if codes.shape != (rows,) or (codes < 0).any():
        raise ValueError(
            f"period needs one label per snapshot ({rows}), none null: found {codes.size}, {int((codes < 0).sum())} "
            "of them null."
        )
    return codes

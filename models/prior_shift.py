"""The level of the newest leads: how far the base rate has moved, and how much of that to believe.

A model fitted on all leads is right about their average level, not about today's. How far the newest half of what it
was fitted on lies off is its *gap*. Believing all of it follows every season; believing none is late after every jump.
So a share is believed, learned from the past: at each earlier origin the gap that was known then is set against the
one that followed (both in log odds, each weighted by how well it could be measured), as a regression through the
origin that starts from `EXPECTED_SHARE`. A level that goes on raises the share, one that turns back lowers it; never
more than half is believed (Saerens et al. 2002 would believe all of it, which real data paid for when it turned back).

References
----------
Saerens, M., Latinne, P. and Decaestecker, C. (2002). Adjusting the outputs of a classifier to new a priori
probabilities. Neural Computation 14(1), 21 to 41. doi:10.1162/089976602753284446
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.special import expit

from models.encoding import Floats
from models.skill import Said, Window

EXPECTED_SHARE: Final = 0.25
#: In pairs of gaps of 1 each, perfectly measured.
EXPECTED_STRENGTH: Final = 4.0
MOST_SHARE: Final = 0.5
#: Variance of a gap that no count of outcomes takes away.
_RESTLESS: Final = 0.02
#: Pseudo-outcomes, in units of information, that hold a gap of few outcomes near 0.
_PRIOR: Final = 1.0


def gap(said: Said, weights: Floats) -> tuple[float, float]:
    """Shift of the log odds at which what is expected equals what happened, and its variance; leads count once."""
    if not len(said.outcome):
        return 0.0, np.inf
    seen = pd.Series(said.lead_id).value_counts().to_numpy()
    alike = float((seen**2).sum() / seen.sum())
    z, shift = said.log_odds(weights), 0.0
    information = _PRIOR
    for _ in range(100):
        p = expit(z + shift)
        information = float((p * (1 - p)).sum() / alike) + _PRIOR
        step = (float((p - said.outcome).sum() / alike) + _PRIOR * shift) / information
        shift -= min(max(step, -1.0), 1.0)
        if abs(step) < 1e-10:
            break
    return shift, 1 / information


def share_that_stays(windows: Sequence[Window], weights: Floats) -> float:
    """Share of a gap to believe, from earlier origins.

    Examples
    --------
    >>> share_that_stays([], np.ones(2))
    0.25
    """
    above, below = EXPECTED_SHARE * EXPECTED_STRENGTH, EXPECTED_STRENGTH
    for window in windows:
        (known, known_variance), (followed, variance) = gap(window.recent, weights), gap(window.later, weights)
        weight = 1 / (known_variance + variance + _RESTLESS)
        above, below = above + weight * known * followed, below + weight * known**2
    return min(max(above / below, 0.0), MOST_SHARE)


def shift_of(recent: Said, weights: Floats, *, share: float) -> float:
    """What to add to the log odds of a model whose newest snapshots are `recent`."""
    return share * gap(recent, weights)[0]


def before_and_after(window: Window, weights: Floats, *, share: float) -> dict[str, Any]:
    """The shift a model fitted by `window.begins` would have got, and what that did for the snapshots that followed."""
    z, shift = window.later.log_odds(weights), shift_of(window.recent, weights, share=share)
    return {
        "begins": window.begins,
        "snapshots": len(z),
        "share": share,
        "shift": shift,
        "predicted_before": float(expit(z).mean()),
        "predicted_after": float(expit(z + shift).mean()),
        "observed": float(window.later.outcome.mean()),
    }

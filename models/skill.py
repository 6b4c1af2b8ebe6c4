"""How much of the differences a model sees between leads is borne out on later leads: what is noise is not told.

A model that has learned nothing still ranks leads, and its probabilities scatter around the base rate: each scatter
costs log loss, and the probabilities claim what is not so. On the later slice the outcomes are regressed on the
model's log odds (the slope of Cox 1958: 1 = borne out, 0 = noise). A slope b measured with standard error s holds about
b² − s² of signal and s² of noise, so the share b² − s² of b² is kept, none below zero (positive-part James–Stein). With
many outcomes and skill it is all but 1; where the slope cannot be told from nothing it is 0.

The sign of the slope is not read. Under drift it was seen to turn for a while on the newest slice, significantly, and
to turn back after it: a model that differs that much from nothing has learned something.

References
----------
Cox, D. R. (1958). Two further applications of a model for binary regression. Biometrika 45(3/4), 562 to 565.
doi:10.1093/biomet/45.3-4.562
James, W. and Stein, C. (1961). Estimation with quadratic loss. Proc. Fourth Berkeley Symp. 1, 361 to 379.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.logistic import fit_logistic
from models.uncertainty import PRIOR_VARIANCE, fit_band


def share_borne_out(log_odds: npt.ArrayLike, outcome: npt.ArrayLike, *, lead_id: Sequence[str]) -> float:
    """Share, in [0, 1], of the differences in log odds to keep.

    Parameters
    ----------
    log_odds, outcome, lead_id
        One entry per snapshot later than everything the model was fitted on; both outcomes among them. Errors are
        clustered by lead.

    Examples
    --------
    >>> log_odds, leads = np.tile([-1.5, 1.5], 50), [f"lead {n}" for n in range(100)]
    >>> as_promised = np.tile([0, 1, 0, 1, 0, 1, 0, 1, 1, 0], 10)  # of both ends four in five
    >>> round(share_borne_out(log_odds, as_promised, lead_id=leads), 2)
    0.96
    >>> share_borne_out(log_odds, np.repeat([0, 1], 50), lead_id=leads)
    0.0
    """
    z, y = np.asarray(log_odds, np.float64), np.asarray(outcome, np.int64)
    band = fit_band(z, y, lead_id=lead_id)
    signs = np.zeros(1, np.int64)
    (slope,), _ = fit_logistic((z - band.centre)[:, None], y, penalty=PRIOR_VARIANCE, signs=signs)
    return float(max(0.0, 1 - band.slope_variance / slope**2)) if slope else 0.0

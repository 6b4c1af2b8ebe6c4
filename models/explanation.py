"""The reasons behind one probability: what each feature adds to the log odds, exactly.

The logistic member's contributions are its coefficients times how far the lead is from the average one; the trees'
are TreeSHAP values (Lundberg et al. 2020, doi:10.1038/s42256-019-0138-9), computed by LightGBM itself. Both are in log
odds, so they add: base + all contributions = the model's log odds, and what the calibrator changes is named as such.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from models.encoding import Encoding, Floats
from models.estimator import Members, Model

TOLERANCE: Final = 1e-6


@dataclass(frozen=True)
class Contributions:
    """(rows, features) in log odds; `base` is where every lead starts, `calibration` what the calibrator adds."""

    features: tuple[str, ...]
    values: Floats
    base: float
    calibration: Floats
    log_odds: Floats
    """(rows,) calibrated: base + values + calibration, asserted."""


def explain(model: Model, frame: pd.DataFrame, *, centre: Floats) -> Contributions:
    """Contributions of every feature to every row's calibrated log odds.

    Parameters
    ----------
    frame : checked against the contract
    centre : (columns of the logistic member,) its average over the training rows (`linear_centre`)

    Raises
    ------
    AssertionError
        The contributions do not add up to the log odds that are scored.
    """
    members = model.members
    features = tuple(str(name) for name in frame.columns)
    values = np.zeros((len(frame), len(features)))
    place = {name: i for i, name in enumerate(features)}
    linear = (members.encoding.linear(frame) - centre) * members.coefficients
    for column, source in enumerate(members.encoding.linear_sources):
        values[:, place[source]] += linear[:, column]
    base = float(centre @ members.coefficients) + members.intercept
    if members.booster.num_trees() and len(frame):
        trees = np.asarray(members.booster.predict(members.encoding.trees(frame), pred_contrib=True), np.float64)
        for column, source in enumerate(members.encoding.tree_sources):
            values[:, place[source]] += trees[:, column]
        base += float(trees[0, -1])
    raw = members.log_odds(frame)
    calibrated = model.calibrator.apply_log_odds(raw)
    total = base + values.sum(axis=1)
    assert np.allclose(total, raw, atol=TOLERANCE, rtol=1e-6), "the reasons do not add up to the log odds"
    return Contributions(features, values, base, calibrated - raw, calibrated)


def linear_centre(encoding: Encoding, frame: pd.DataFrame) -> Floats:
    """The average training lead, as the logistic member reads it."""
    centre: Floats = encoding.linear(frame).mean(axis=0)
    return centre


def importance(model: Model, frame: pd.DataFrame, *, centre: Floats) -> dict[str, float]:
    """Mean absolute contribution of each feature over the rows of `frame`, in log odds."""
    contributions = explain(model, frame, centre=centre)
    strength = np.abs(contributions.values).mean(axis=0)
    return dict(zip(contributions.features, strength.tolist(), strict=True))


def unused(members: Members, names: tuple[str, ...]) -> list[str]:
    """Features that neither member reads."""
    used = {*members.encoding.linear_sources, *members.encoding.tree_sources}
    return [name for name in names if name not in used]

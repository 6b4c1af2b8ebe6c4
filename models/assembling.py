"""What was learned, and the columns it was learned from -> a release: contract, importance, card."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from features.catalogue import Catalogue
from features.measures import measures
from models.bundle import Release
from models.card import to_html, to_markdown
from models.contract import Contract, ContractColumn, ranges
from models.estimator import Learned
from models.explanation import importance, linear_centre
from models.uncertainty import Band

#: Importance is measured on at most so many rows: it is an average.
IMPORTANCE_ROWS: Final = 5000


def assemble(
    learned: Learned,
    frame: pd.DataFrame,
    *,
    columns: Catalogue,
    band: Band,
    facts: Mapping[str, Any],
    target_stage: str,
    horizon_days: int,
) -> Release:
    """Make the release of a model that was learned from `frame`.

    Parameters
    ----------
    frame : (snapshots, features) that `learned` was fitted on, `columns.names` in their order
    facts : what was measured; features with their importance, and notes on how it was learned, are added for the card
    """
    frame = frame.reset_index(drop=True)
    encoding = learned.model.members.encoding
    centre = linear_centre(encoding, frame)
    measured, measure_of = ranges(frame, encoding=encoding), measures(columns.columns, kinds=columns.kinds)
    contract = Contract(
        columns=tuple(
            ContractColumn(
                c.name,
                c.type,
                c.about,
                c.unit,
                c.missing,
                c.family,
                c.monotone,
                measure=measure_of[c.name],
                **measured[c.name],
            )
            for c in columns.columns
        ),
        kinds=dict(columns.kinds),
        own_kinds=columns.own_kinds,
        attributes=dict(columns.attributes),
        profile_columns=columns.profile_columns,
        target_stage=target_stage,
        horizon_days=horizon_days,
    )
    step = max(1, len(frame) // IMPORTANCE_ROWS)
    weight = importance(learned.model, frame.iloc[::step], centre=centre)
    features = [
        {
            "name": c.name,
            "about": c.about,
            "unit": c.unit,
            "missing": c.missing,
            "family": c.family,
            "importance": weight[c.name],
            "monotone": c.monotone,
            "low": c.low,
            "high": c.high,
            "missing_share": c.missing_share,
        }
        for c in contract.columns
    ]
    method = learned.model.calibrator.method
    notes = [
        *learned.notes,
        f"{learned.trees} trees, logistic penalty C = {learned.penalty}, calibration: {method}",
    ]
    # How this model was calibrated and weighted, not the one of the last cut-off.
    of_its_own = {
        "calibration": {**facts.get("calibration", {}), **learned.calibration},
        "weights": dict(learned.weights),
    }
    whole = {**facts, **of_its_own, "features": features, "notes": notes}
    return Release(learned.model, contract, band, centre, whole, to_markdown(whole), to_html(whole))

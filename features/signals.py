"""What stages are recommended from, beside the probability: facts of the lead's history, in words people use.

They come from the same kernel as the features, under the same time cut, but are no features: what the model was
trained with may leave any of them out.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from features.build import measured
from features.declare import Op, Primitive
from features.history import lead_codes, stage_as_of
from features.kinds import ACTS, INTENT
from features.tables import LeadTables


def signals(
    tables: LeadTables,
    snapshots: pd.DataFrame,
    *,
    kinds: Mapping[str, str],
    intent_days: int,
    product_use_days: int,
) -> pd.DataFrame:
    """Read the signals of every snapshot.

    Parameters
    ----------
    kinds : event type -> kind
    intent_days, product_use_days : how long declared intent and use of the product count

    Returns
    -------
    DataFrame aligned with `snapshots`
        `explicit_intent`, `product_use`, `was_qualified` : bool.
        `days_since_act` : float, NaN when the lead never acted.
        `human_stage`, `stage_before` : the stage people last recorded, and the one before it; None when there is none.
        `days_in_stage` : float, days since people recorded `human_stage`; NaN when there is none.
    """
    present = set(kinds.values())
    wanted = {
        "explicit_intent": Primitive(Op.COUNT, tuple(k for k in INTENT if k in present), intent_days),
        "product_use": Primitive(Op.COUNT, tuple(k for k in ("product_use",) if k in present), product_use_days),
        "days_since_act": Primitive(Op.SINCE_LAST, tuple(k for k in ACTS if k in present)),
    }
    lead, as_of = lead_codes(snapshots["lead_id"], tables), snapshots["as_of"].to_numpy(np.int64)
    asked = [primitive for primitive in wanted.values() if primitive.kinds]
    numbers = measured(tables, lead, as_of, asked, kinds)
    nothing = np.zeros(len(snapshots))
    stages = stage_as_of(tables, snapshots)
    return pd.DataFrame(
        {
            "explicit_intent": numbers.get(wanted["explicit_intent"], nothing) > 0,
            "product_use": numbers.get(wanted["product_use"], nothing) > 0,
            "days_since_act": numbers.get(wanted["days_since_act"], np.full(len(snapshots), np.nan)),
            "was_qualified": stages["was_qualified"].to_numpy(bool),
            "human_stage": stages["stage"],
            "stage_before": stages["stage_before"],
            "days_in_stage": stages["days_in_stage"],
        },
        index=snapshots.index,
    )

"""What each lead of a night would bring, and who of them finds a place with sales, where stages go by economics."""

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from features.build import describe
from features.tables import LeadTables
from models.encoding import Floats
from pipelines.config import Settings
from pipelines.published import columns_named
from pipelines.store import Inventory
from serve.paying_stages import place_of_last
from serve.scorer import Policy
from serve.stage_limits import Cut

#: What leads of a range bring as customers, in the order of the snapshots; None: stages do not go by economics.
Worth = Callable[[LeadTables, pd.DataFrame], Floats | None]


def worth_of(settings: Settings, inventory: Inventory, policy: Policy) -> Worth:
    """How to tell what leads bring.

    Raises
    ------
    ConfigError
        A column that [economics] names is not there, or is not of the type it must be.
    """
    economics = policy.economics
    if economics is None:
        return lambda _tables, _snapshots: None
    named = {"amount": economics.amount, "segment": economics.segment}
    columns = columns_named(settings, inventory, named) if any(named.values()) else None

    def worth(tables: LeadTables, snapshots: pd.DataFrame) -> Floats:
        return economics.value(snapshots if columns is None else describe(tables, snapshots, of=columns))

    return worth


def cut_of_night(asking: Iterable[pd.DataFrame], policy: Policy) -> Cut | None:
    """The last lead that finds a place.

    Parameters
    ----------
    asking : range by range, the candidates (`serve.scorer.candidates`)
    """
    economics = policy.economics
    if economics is None or economics.touches_per_day == 0:
        return None  # and nothing of `asking` is computed
    parts = list(asking)
    if not parts:
        return None
    leads = pd.concat(parts, ignore_index=True)
    return place_of_last(
        leads["probability"].to_numpy(np.float64),
        leads["worth"].to_numpy(np.float64),
        leads["lead_id"].to_numpy(object),
        economics=economics,
        keep_share=policy.stages.keep_share,
        previous=leads["previous"].to_numpy(object),
        competing=leads["competing"].to_numpy(bool),
    )

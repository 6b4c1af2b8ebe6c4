"""The columns by which leads are worth something else than the average customer, for the snapshots of a contest."""

import pandas as pd

from features.build import describe
from features.tables import AS_OF, LEAD_ID
from pipelines.config import Settings
from pipelines.contest import Contest
from pipelines.published import columns_named
from pipelines.store import Inventory, LeadStore
from serve.economics import Economics


def with_worth(
    frame: pd.DataFrame,
    economics: Economics | None,
    contest: Contest,
    store: LeadStore,
    settings: Settings,
    inventory: Inventory,
) -> pd.DataFrame:
    """The features, with the columns that [economics] names: what is kept from the model may still be told in money.

    Raises
    ------
    ConfigError
        A column that [economics] names is not there, or is not of the type it must be.
    """
    named = {"amount": economics.amount, "segment": economics.segment} if economics else {}
    if not any(named.values()):
        return frame
    columns = columns_named(settings, inventory, named)
    lacking = [name for name in named.values() if name and name not in frame.columns]
    if not lacking:
        return frame
    asked = pd.DataFrame({LEAD_ID: contest.lead_id, AS_OF: contest.as_of})
    parts = []
    for low, high in store.lead_ranges(size=settings.score.range_leads):
        tables = store.read(low, high)
        inside = asked[asked[LEAD_ID].isin(tables.leads.column(LEAD_ID).to_pylist())]
        parts.append(describe(tables, inside.reset_index(drop=True), of=columns)[lacking].set_axis(inside.index))
    return pd.concat([frame, pd.concat(parts).reindex(frame.index)], axis=1)

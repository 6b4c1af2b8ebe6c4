"""What people had recorded of a lead's stage, as of a moment."""

from collections.abc import Collection
from typing import Any, Final

import numpy as np
import pandas as pd

from features.kernel import Integers
from features.tables import LeadTables

#: Stages that say a lead was once worth more than nurturing.
QUALIFIED: Final = ("mql", "sal", "sql", "pql")


def lead_codes(lead_ids: "pd.Series[Any]", tables: LeadTables) -> Integers:
    """Number lead_ids by their place in `tables.leads`; -1 for a lead that is not there."""
    known = pd.Index(tables.leads.column("lead_id").to_pandas())
    codes: Integers = known.get_indexer(pd.Index(lead_ids)).astype(np.int64)
    return codes


def first_entered(tables: LeadTables, stages: Collection[str]) -> "pd.DataFrame":
    """When each lead first entered one of `stages`.

    Returns
    -------
    DataFrame indexed by lead_id
        `entered_at` and `known_at` (when both the change had happened and the store could know), microseconds UTC;
        leads that never did are absent.
    """
    changes = tables.stage_changes.to_pandas()
    changes = changes[changes["stage"].isin(list(stages))]
    changes = changes.assign(known_at=np.maximum(changes["entered_at"], changes["known_at"]))
    first: pd.DataFrame = changes.groupby("lead_id")[["entered_at", "known_at"]].min()
    return first


def stage_as_of(tables: LeadTables, snapshots: pd.DataFrame) -> pd.DataFrame:
    """The stage people had recorded, and whether the lead had ever been qualified, before each as_of.

    Parameters
    ----------
    snapshots : DataFrame with lead_id and as_of, one row per snapshot

    Returns
    -------
    DataFrame aligned with `snapshots`
        `stage` : the stage entered last among the changes known before as_of; None when there is none.
        `was_qualified` : whether mql, sal, sql or pql is among them.
    """
    changes = tables.stage_changes.to_pandas()
    changes["known_at"] = np.maximum(changes["entered_at"], changes["known_at"])
    asked = pd.DataFrame(
        {
            "row": np.arange(len(snapshots)),
            "lead_id": snapshots["lead_id"].to_numpy(),
            "as_of": snapshots["as_of"].to_numpy(),
        }
    )
    seen = asked.merge(changes, on="lead_id")
    seen = seen[seen["known_at"] < seen["as_of"]].sort_values(["row", "entered_at", "known_at", "stage"])
    last = seen.groupby("row")["stage"].last()
    qualified = seen["stage"].isin(QUALIFIED).groupby(seen["row"]).any()
    return pd.DataFrame(
        {
            "stage": pd.Series(
                [stage if isinstance(stage, str) else None for stage in last.reindex(asked["row"])],
                index=snapshots.index,
                dtype=object,  # else None would become NaN as soon as there is one text
            ),
            "was_qualified": qualified.reindex(asked["row"], fill_value=False).to_numpy(bool),
        },
        index=snapshots.index,
    )

"""Which leads are eligible at each as_of, and why the others are not."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from features.history import reached_as_of, stage_as_of
from features.tables import LeadTables

NOT_YET_KNOWN: Final = "not yet known"
OBJECTS: Final = "objects to profiling"
IN_TARGET_STAGE: Final = "already in the target stage"
DISQUALIFIED: Final = "disqualified by a person"
NO_VOLUNTARY_ACT: Final = "no voluntary act yet"
REASONS: Final = (NOT_YET_KNOWN, OBJECTS, IN_TARGET_STAGE, DISQUALIFIED, NO_VOLUNTARY_ACT)


@dataclass(frozen=True)
class Cohort:
    """The eligible snapshots (lead_id, as_of), one row each, and how many others were left out, by reason."""

    snapshots: pd.DataFrame
    excluded: Mapping[str, int]


def eligible(
    tables: LeadTables, snapshots: pd.DataFrame, *, target_stage: str, voluntary_types: Collection[str] | None
) -> Cohort:
    """Keep the snapshots of leads that may be scored at their as_of.

    A lead is eligible when the store knew of it, it had done something of its own will, it had not entered the
    target stage in its present episode (`features.history`), and no person had disqualified it: all by what was known
    before as_of. So a customer is not scored until people record it as recycled, or as a lead again. One rule looks
    past as_of, on purpose: a lead that objects to profiling, whenever it said so, is left out of every snapshot, past
    ones too.

    Parameters
    ----------
    snapshots : DataFrame with lead_id and as_of (microseconds UTC); each lead is one of `tables.leads`
    target_stage : the stage whose entry is a conversion
    voluntary_types : event types that count as an act of the lead's own will; None when every lead counts (a flat
        import, or an event log that says nothing of this)

    Returns
    -------
    Cohort
        Its rows are those of `snapshots`, in their order; each other row is counted under the first reason that fits.
    """
    leads = tables.leads.to_pandas().set_index("lead_id")
    lead, as_of = snapshots["lead_id"], snapshots["as_of"].to_numpy(np.int64)
    known = np.maximum(leads["known_at"], leads["created_at"]).reindex(lead).to_numpy()
    verdicts = {
        NOT_YET_KNOWN: known >= as_of,
        OBJECTS: lead.isin(tables.objections.column("lead_id").to_pylist()).to_numpy(),
        IN_TARGET_STAGE: reached_as_of(tables, snapshots, target_stage),
        DISQUALIFIED: (stage_as_of(tables, snapshots)["stage"] == "disqualified").to_numpy(),
        NO_VOLUNTARY_ACT: ~_has_acted(tables, snapshots, voluntary_types),
    }
    left = np.zeros(len(snapshots), bool)
    excluded = {}
    for reason, applies in verdicts.items():
        excluded[reason] = int((applies & ~left).sum())
        left |= applies
    kept = snapshots.loc[~left, ["lead_id", "as_of"]].reset_index(drop=True)
    return Cohort(kept, {reason: count for reason, count in excluded.items() if count})


def _has_acted(
    tables: LeadTables, snapshots: pd.DataFrame, voluntary_types: Collection[str] | None
) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    if voluntary_types is None:
        return np.ones(len(snapshots), bool)
    events = tables.events.select(["lead_id", "occurred_at", "known_at", "type"]).to_pandas()
    events = events[events["type"].isin(list(voluntary_types))]
    known = np.maximum(events["occurred_at"], events["known_at"]).groupby(events["lead_id"]).min()
    first = known.reindex(snapshots["lead_id"]).to_numpy(np.float64)
    acted: np.ndarray[tuple[int], np.dtype[np.bool_]] = first < snapshots["as_of"].to_numpy(np.int64)
    return acted

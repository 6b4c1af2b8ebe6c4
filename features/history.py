"""What people had recorded of a lead's stage, as of a moment, episode by episode.

An episode begins when people record a lead as `lead` or `recycled`: what it reached before belongs to the past. So a
customer that is recycled may convert once more, and a recycled lead that was qualified a year ago is not qualified now.
Of a start and another stage entered at the same moment, the start comes first: it takes a later record to say that
something is over.
"""

from collections.abc import Collection
from typing import Any, Final

import numpy as np
import pandas as pd

from features.kernel import Integers
from features.tables import MICROSECONDS_PER_DAY, STAGES, LeadTables

#: Stages that say a lead was once worth more than nurturing.
QUALIFIED: Final = ("mql", "sal", "sql", "pql")
#: Stages whose entry begins a new episode.
EPISODE_STARTS: Final = ("lead", "recycled")
#: Of stages entered and known at one moment, as where records have days and no hours, the one further on comes last.
_RANK: Final = {stage: rank for rank, stage in enumerate(STAGES)}
_BEFORE_EVERYTHING: Final = np.iinfo(np.int64).min


def lead_codes(lead_ids: "pd.Series[Any]", tables: LeadTables) -> Integers:
    """Number lead_ids by their place in `tables.leads`; -1 for a lead that is not there."""
    known = pd.Index(tables.leads.column("lead_id").to_pandas())
    codes: Integers = known.get_indexer(pd.Index(lead_ids)).astype(np.int64)
    return codes


def entries(tables: LeadTables, stage: str) -> pd.DataFrame:
    """The first entry of each lead into `stage` in each of its episodes.

    A stage that is recorded again without a new episode, such as a second order of a customer, is no second entry. If
    `stage` itself is one that begins episodes, only the other one does here.

    Returns
    -------
    DataFrame, one row per entry, by lead_id and entered_at
        `lead_id`, `entered_at` and `known_at` (when both the change had happened and the store could know),
        microseconds UTC.
    """
    changes = _changes(tables)
    changes = changes[changes["stage"].isin([stage, *EPISODE_STARTS])]
    changes = changes.assign(wanted=changes["stage"] == stage).sort_values(
        ["lead_id", "entered_at", "wanted", "known_at"]
    )
    changes["episode"] = (~changes["wanted"]).groupby(changes["lead_id"]).cumsum()
    first: pd.DataFrame = changes[changes["wanted"]].drop_duplicates(["lead_id", "episode"])
    return first[["lead_id", "entered_at", "known_at"]].reset_index(drop=True)


def stage_as_of(tables: LeadTables, snapshots: pd.DataFrame) -> pd.DataFrame:
    """The stage people had recorded, and what went before it, as it was known before each as_of.

    Parameters
    ----------
    snapshots : DataFrame with lead_id and as_of, one row per snapshot

    Returns
    -------
    DataFrame aligned with `snapshots`
        `stage` : the stage entered last among the changes known before as_of; None when there is none.
        `stage_before` : the one entered before it, whatever episode it belongs to; None when there is none.
        `days_in_stage` : days from the entry of `stage` to as_of; NaN when there is none.
        `was_qualified` : whether the lead entered mql, sal, sql or pql in its present episode.
    """
    seen = _seen(tables, snapshots)
    rows = pd.RangeIndex(len(snapshots))
    by_row = seen.groupby("row")
    last = by_row[["stage", "entered_at", "as_of"]].last().reindex(rows)
    before = seen[by_row.cumcount(ascending=False) == 1].set_index("row")["stage"].reindex(rows)
    return pd.DataFrame(
        {
            "stage": _texts(last["stage"], snapshots.index),
            "stage_before": _texts(before, snapshots.index),
            "days_in_stage": ((last["as_of"] - last["entered_at"]) / MICROSECONDS_PER_DAY).to_numpy(np.float64),
            "was_qualified": _reached(seen, QUALIFIED, len(snapshots)),
        },
        index=snapshots.index,
    )


def reached_as_of(
    tables: LeadTables, snapshots: pd.DataFrame, stage: str
) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Whether each lead had entered `stage` in its episode as of each as_of, by what was known before.

    Parameters
    ----------
    snapshots : DataFrame with lead_id and as_of, one row per snapshot

    Returns
    -------
    (snapshots,) bool
    """
    return _reached(_seen(tables, snapshots), [stage], len(snapshots))


def _reached(seen: pd.DataFrame, stages: Collection[str], rows: int) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    starts = seen[seen["stage"].isin([name for name in EPISODE_STARTS if name not in stages])]
    began = starts.groupby("row")["entered_at"].max().reindex(seen["row"], fill_value=_BEFORE_EVERYTHING)
    entered = seen["stage"].isin(list(stages)) & (seen["entered_at"].to_numpy() >= began.to_numpy())
    found = np.zeros(rows, bool)
    found[seen.loc[entered, "row"].to_numpy(np.int64)] = True
    return found


def _seen(tables: LeadTables, snapshots: pd.DataFrame) -> pd.DataFrame:
    """The changes that had happened and were known before each as_of, in the order of their entry, by `row`."""
    asked = pd.DataFrame(
        {
            "row": np.arange(len(snapshots)),
            "lead_id": snapshots["lead_id"].to_numpy(),
            "as_of": snapshots["as_of"].to_numpy(),
        }
    )
    seen: pd.DataFrame = asked.merge(_changes(tables), on="lead_id")
    seen = seen[seen["known_at"] < seen["as_of"]]
    seen = seen.assign(goes_on=~seen["stage"].isin(EPISODE_STARTS), rank=seen["stage"].map(_RANK))
    return seen.sort_values(["row", "entered_at", "goes_on", "known_at", "rank"])


def _changes(tables: LeadTables) -> pd.DataFrame:
    """Every change, known when both it had happened and the store could know."""
    changes: pd.DataFrame = tables.stage_changes.to_pandas()
    return changes.assign(known_at=np.maximum(changes["entered_at"], changes["known_at"]))


def _texts(values: "pd.Series[Any]", index: "pd.Index[Any]") -> "pd.Series[Any]":
    """Texts or None; left to itself, pandas makes a NaN of None as soon as there is one text."""
    return pd.Series([text if isinstance(text, str) else None for text in values], index=index, dtype=object)

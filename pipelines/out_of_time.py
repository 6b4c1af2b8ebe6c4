"""What a release foretold of leads it had not learned from, kept in the store: what any two versions are judged by."""

from typing import Final

import pandas as pd
import pyarrow as pa

from pipelines.store import LeadStore

#: One row per (lead_id, as_of): as_of in microseconds UTC, probability, and whether the lead converted in the horizon.
COLUMNS: Final = ("lead_id", "as_of", "probability", "converted")


def remember(store: LeadStore, digest: str, rows: pd.DataFrame) -> int:
    """Inside a transaction: keep a release's predictions; those that are there already stay. Returns how many are new.

    Parameters
    ----------
    rows : `COLUMNS`
    """
    if rows.empty:
        return 0
    table = pa.table(
        {
            "lead_id": pa.array(rows["lead_id"].tolist(), pa.string()),
            "as_of": pa.array(rows["as_of"].to_numpy("int64"), pa.int64()).cast(pa.timestamp("us", tz="UTC")),
            "probability": pa.array(rows["probability"].to_numpy("float64")),
            "converted": pa.array(rows["converted"].to_numpy(bool)),
        }
    )
    with store.engine.offered("foretold", table):
        return store.change(
            # Of somebody who was erased in the meantime nothing is kept.
            "INSERT INTO out_of_time (release_digest, lead_id, as_of, probability, converted) "
            "SELECT $1, lead_id, as_of, probability, converted FROM foretold "
            "WHERE lead_id NOT IN (SELECT lead_id FROM tombstones) ON CONFLICT DO NOTHING",
            [digest],
        )


def recall(store: LeadStore, digest: str) -> pd.DataFrame:
    """`COLUMNS` of a release, in order of as_of and lead; of leads that object by now, nothing is read any more."""
    objecting = f"SELECT lead_id FROM {store.source('objections')} WHERE lead_id IS NOT NULL"
    rows: pd.DataFrame = store.arrow(
        "SELECT lead_id, epoch_us(as_of) AS as_of, probability, converted FROM out_of_time "
        f"WHERE release_digest = $1 AND lead_id NOT IN ({objecting}) ORDER BY as_of, lead_id",
        [digest],
    ).to_pandas()
    return rows.astype({"converted": bool})

"""Everything that looks like a column written after the outcome: by its values, by its history, by its name.

The probes themselves are in `models/leaks.py` and `models/leak_names.py`; here the store's history is read for them.
"""

import json
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import pandas as pd

from features.catalogue import Catalogue
from models.leak_names import denied_name
from models.leaks import changed_after_outcome_probe, single_feature_probe
from pipelines.snapshots import TrainingFrame
from pipelines.store import LeadStore


def find_leaks(
    store: LeadStore, data: TrainingFrame, columns: Catalogue, *, target_stage: str, until: int
) -> list[dict[str, Any]]:
    """Look at every column before anything is learned from it.

    Parameters
    ----------
    until : microseconds UTC; profiles and outcomes that came to be known at or after it are not looked at

    Returns
    -------
    One dict per suspicious column or attribute, by name: column, probe, value, limit and the sentence that says what to
    do (see `models.leaks.Leak`); `auc` as well where its values gave it away.
    """
    found: dict[str, dict[str, Any]] = {}
    for probe in single_feature_probe(data.frame, data.outcome):
        if probe.leak is not None:
            found[probe.column] = asdict(probe.leak) | {"auc": probe.auc}
    for leak in changed_after_outcome_probe(
        _changes(store, columns, until=until), _outcomes(store, target_stage=target_stage, until=until)
    ):
        found.setdefault(leak.column, asdict(leak))
    for name in columns.attributes:
        why = denied_name(name)
        if why is not None:
            sentence = f"{why} Exclude it ([features] exclude), or declare it ignored in the mapping."
            found.setdefault(
                name, {"column": name, "probe": "name", "value": None, "limit": None, "sentence": sentence}
            )
    return [found[name] for name in sorted(found)]


def _changes(store: LeadStore, columns: Catalogue, *, until: int) -> pd.DataFrame:
    """Every change of a declared attribute between two profiles of a lead: lead_id, attribute, known_at."""
    profiles = store.source("profiles")
    rows = store.arrow(
        f"SELECT lead_id, epoch_us(known_at) AS known_at, attributes FROM {profiles} WHERE (lead_id IN "
        f"(SELECT lead_id FROM {profiles} GROUP BY lead_id HAVING count(*) > 1)) IS TRUE ORDER BY lead_id, known_at"
    ).to_pylist()
    changes = []
    for before, after in pairwise(row for row in rows if row["known_at"] < until):
        if before["lead_id"] == after["lead_id"]:
            old, new = json.loads(before["attributes"] or "{}"), json.loads(after["attributes"] or "{}")
            changes += [
                {"lead_id": after["lead_id"], "attribute": name, "known_at": after["known_at"]}
                for name in columns.attributes
                if old.get(name) != new.get(name)
            ]
    return pd.DataFrame(changes, columns=["lead_id", "attribute", "known_at"])


def _outcomes(store: LeadStore, *, target_stage: str, until: int) -> "pd.Series[Any]":
    """When each lead that is known to have converted did: microseconds UTC by lead_id."""
    entries = store.arrow(
        "SELECT lead_id, epoch_us(entered_at) AS t, epoch_us(known_at) AS known_at "
        f"FROM {store.source('stage_changes')} WHERE stage = $1",
        [target_stage],
    ).to_pandas()
    first: pd.Series[Any] = entries[entries["known_at"] < until].groupby("lead_id")["t"].min()
    return first

"""Families -> one row of features per (lead_id, as_of), with all shared work done once."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.catalogue import Catalogue
from features.declare import Column, Combination, Completeness, Moment, Numbers, Primitive, Profile
from features.history import lead_codes
from features.kernel import Integers, compile_plan, measure
from features.profile import attribute_texts, by_distinct, completeness, days_since, profile_as_of, reader
from features.tables import LeadTables


def describe(tables: LeadTables, snapshots: pd.DataFrame, *, of: Catalogue) -> pd.DataFrame:
    """Compute every column of the catalogue for every snapshot.

    Parameters
    ----------
    tables : everything known of the leads; what was known at or after an as_of does not show in its row
    snapshots : DataFrame with lead_id and as_of (microseconds UTC), one row per snapshot, leads of `tables`

    Returns
    -------
    DataFrame indexed by (lead_id, as_of), rows in the order of `snapshots`
        Numeric columns are float64, categorical ones pandas' `str`; an empty cell is NaN in both, and what it means
        is in `Column.missing`.
    """
    lead = lead_codes(snapshots["lead_id"], tables)
    if (lead < 0).any():
        raise ValueError("A snapshot's lead is not among the leads of the tables")
    as_of = snapshots["as_of"].to_numpy(np.int64)
    primitives = list(dict.fromkeys(p for column in of.columns for p in _primitives(column)))
    numbers = measured(tables, lead, as_of, primitives, of.kinds)
    profile = profile_as_of(tables, lead, as_of)
    columns: dict[str, Any] = {}
    for column in of.columns:
        columns[column.name] = _value(column, columns, numbers, profile, of)
    index = pd.MultiIndex.from_arrays([snapshots["lead_id"], as_of], names=["lead_id", "as_of"])
    return pd.DataFrame(columns, index=index, columns=list(of.names))


def _primitives(column: Column) -> list[Primitive]:
    if isinstance(column.source, Primitive):
        return [column.source]
    if isinstance(column.source, Combination):
        return [i for i in column.source.inputs if isinstance(i, Primitive)]
    return []


def measured(
    tables: LeadTables,
    lead: Integers,
    as_of: Integers,
    primitives: Sequence[Primitive],
    kinds: Mapping[str, str],
) -> dict[Primitive, Numbers]:
    """Each primitive for each snapshot, events of unknown types aside; `lead` numbers `tables.leads`."""
    names = sorted(set(kinds.values()))
    code = {kind: k for k, kind in enumerate(names)}
    encoded = tables.events.column("type").combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    by_type = np.array([code.get(kinds.get(t, ""), -1) for t in encoded.dictionary.to_pylist()] or [-1], np.int64)
    kind = by_type[encoded.indices.to_numpy(zero_copy_only=False)] if len(encoded) else np.empty(0, np.int64)
    positions = pc.index_in(tables.events.column("lead_id"), value_set=tables.leads.column("lead_id"))
    event_lead = pc.fill_null(positions, -1).to_numpy().astype(np.int64)
    seen = (kind >= 0) & (event_lead >= 0)
    events = tables.events
    matrix = measure(
        compile_plan(primitives, names),
        event_lead=event_lead[seen],
        occurred_at=events.column("occurred_at").to_numpy()[seen],
        known_at=events.column("known_at").to_numpy()[seen],
        kind=kind[seen],
        value=pc.cast(events.column("value"), pa.float64()).to_numpy()[seen],
        snapshot_lead=lead,
        as_of=as_of,
    )
    return {primitive: matrix[:, c] for c, primitive in enumerate(primitives)}


def _value(
    column: Column, done: Mapping[str, Any], numbers: Mapping[Primitive, Numbers], profile: pd.DataFrame, of: Catalogue
) -> Any:
    source = column.source
    if isinstance(source, Primitive):
        return numbers[source]
    if isinstance(source, Combination):
        return source.combine(*(numbers[i] if isinstance(i, Primitive) else done[i] for i in source.inputs))
    if isinstance(source, Moment):
        return profile["_created_days" if source.since == "created_at" else "_profile_days"].to_numpy(np.float64)
    if isinstance(source, Completeness):
        return completeness(profile, columns=of.profile_columns, attributes=of.attributes)
    if isinstance(source, Profile):
        return by_distinct(profile[source.column], source.read, numeric=column.type == "numeric")
    texts = attribute_texts(profile, source.name)
    if source.type == "date":
        return days_since(texts, as_of=profile["_as_of"].to_numpy(np.int64))
    return by_distinct(texts, reader(source.type), numeric=column.type == "numeric")

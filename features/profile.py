"""The profile last known before each as_of, and how its texts are read."""

import json
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from features.declare import Numbers
from features.history import lead_codes
from features.kernel import Integers, last_known
from features.tables import MICROSECONDS_PER_DAY, LeadTables

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TRUE: Final = frozenset({"1", "true", "yes", "y", "t", "oui", "vrai", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "n", "f", "non", "faux", "off"})


def profile_as_of(tables: LeadTables, lead: Integers, as_of: Integers) -> pd.DataFrame:
    """The profile last known before each as_of (all None where there is none), with the lead's own times."""
    profiles = tables.profiles.to_pandas()
    row = last_known(
        row_lead=lead_codes(profiles["lead_id"], tables),
        known_at=profiles["known_at"].to_numpy(np.int64),
        snapshot_lead=lead,
        as_of=as_of,
    )
    found = profiles.take(np.maximum(row, 0)) if len(profiles) else profiles.reindex(range(len(row)))
    found = found.astype(object).where(found.notna(), None).reset_index(drop=True)
    found.loc[row < 0, :] = None
    created = tables.leads.column("created_at").to_numpy()[lead]
    days = (as_of - created) / MICROSECONDS_PER_DAY
    since = (as_of - pd.to_numeric(found["known_at"]).to_numpy(np.float64)) / MICROSECONDS_PER_DAY
    described: pd.DataFrame = found.assign(_created_days=days, _profile_days=since, _as_of=as_of)
    return described


def by_distinct(texts: "pd.Series[Any]", read: Callable[["pd.Series[Any]"], "pd.Series[Any]"], *, numeric: bool) -> Any:
    """Read each distinct text once: a store has thousands of leads and a few hundred titles.

    Returns
    -------
    float64 array if `numeric`, else an array of pandas' `str`, even where all are missing; "" is missing
    """
    codes, distinct = pd.factorize(texts)
    values = read(pd.Series(distinct, dtype=object))
    if numeric:
        return np.append(values.to_numpy(np.float64), np.nan)[codes]
    table = np.array([*(text if isinstance(text, str) and text else None for text in values), None], object)
    return pd.array(table[codes], dtype="str")


def reader(type_: str) -> Callable[["pd.Series[Any]"], "pd.Series[Any]"]:
    """How the texts of a declared attribute of this type are read; what cannot be read is missing."""
    return {"numeric": _number, "boolean": _boolean, "categorical": _category}[type_]


def days_since(texts: "pd.Series[Any]", *, as_of: Integers) -> Numbers:
    """Days from the ISO 8601 date in each text (UTC unless it says otherwise) to its as_of; NaN where there is none."""
    at: Numbers = by_distinct(texts, lambda distinct: distinct.map(_microseconds).astype(float), numeric=True)
    return (as_of - at) / MICROSECONDS_PER_DAY


def _microseconds(text: str) -> float:
    # Not pandas.to_datetime: it reads the clock for "now" and "today", and one text with nanoseconds makes it lose
    # other leads' dates.
    try:
        moment = datetime.fromisoformat(str(text).strip())
    except ValueError:
        return np.nan
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - _EPOCH) / timedelta(microseconds=1)


def _number(texts: "pd.Series[Any]") -> "pd.Series[Any]":
    values = pd.to_numeric(texts, errors="coerce").astype(float)
    return values.where(np.isfinite(values))


def _boolean(texts: "pd.Series[Any]") -> "pd.Series[Any]":
    folded = _category(texts)
    return folded.map(lambda text: 1.0 if text in _TRUE else 0.0 if text in _FALSE else np.nan).astype(float)


def _category(texts: "pd.Series[Any]") -> "pd.Series[Any]":
    return texts.astype(object).map(lambda text: str(text).strip().casefold() if text is not None else None)


def attribute_texts(profile: pd.DataFrame, name: str) -> "pd.Series[Any]":
    """What each profile says of a declared attribute; missing where it says nothing."""
    if "_parsed" not in profile:
        codes, distinct = pd.factorize(profile["attributes"])
        parsed = np.empty(len(distinct) + 1, object)
        parsed[:-1] = [json.loads(text) for text in distinct]
        parsed[-1] = {}
        profile["_parsed"] = parsed[codes]
    texts: pd.Series[Any] = profile["_parsed"].map(lambda attributes: attributes.get(name)).astype(object)
    return texts


def completeness(profile: pd.DataFrame, *, columns: Sequence[str], attributes: Collection[str]) -> Numbers:
    """Share of the profile's columns and declared attributes that are filled; NaN where no profile is known."""
    filled = [profile[name].notna().to_numpy(np.float64) for name in columns]
    filled += [attribute_texts(profile, name).notna().to_numpy(np.float64) for name in attributes]
    share = np.mean(filled, axis=0) if filled else np.ones(len(profile))
    return np.where(profile["known_at"].notna(), share, np.nan)

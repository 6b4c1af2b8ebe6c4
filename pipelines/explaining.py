"""All that can be told of one lead, as plain values: what is published of it, why, and what would change it.

What was published is a fact and is told as it stands in the store. What the release says beside it (how the rest of the
reasons divides, what would change it) is computed anew from the release that scored, verified by its digest; where that
cannot be read it is said, and the rest is told all the same. Contacts are not read.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from features.build import describe
from features.errors import ConfigError, RegistryUnreachable, ReleaseRefused
from features.kinds import kinds_of
from features.signals import signals
from features.tables import AS_OF, LEAD_ID, LeadTables
from models.bundle import Release
from models.explanation import explain
from pipelines.catalogues import catalogue_for
from pipelines.champion import Champion, champion_of
from pipelines.config import Settings
from pipelines.decisions import economics_of, policy
from pipelines.moments import moment
from pipelines.points import parts_of
from pipelines.published import columns_named
from pipelines.release_cache import ReleaseCache
from pipelines.store import EPOCH, Inventory, LeadStore
from pipelines.unexplained import is_text, refusal
from serve.lead_reasons import breakdown
from serve.lead_trend import Night, Trend, trend
from serve.scorer import catalogue_of
from serve.stages import MEANING
from serve.what_if import AS_IT_IS, changes, what_if

if TYPE_CHECKING:  # MLflow takes seconds, and is asked only where there is no verified copy here
    from pipelines.tracking import Tracking

#: Log odds computed anew are those that were published when they differ by less.
SAME: Final = 1e-6
_COLUMNS: Final = (
    "lead_id, epoch_us(as_of) AS as_of, probability, probability_low, probability_high, percentile, band, "
    "recommended_stage, stage_reason, needs_confirmation, reasons, points, points_stage, model_version"
)


def explanation(
    store: LeadStore,
    settings: Settings,
    tracking: "Callable[[], Tracking]",
    lead_id: str,
    *,
    as_of: int | None = None,
) -> dict[str, Any]:
    """Everything there is to tell of a lead; times are ISO 8601, effects log odds and odds factors.

    Parameters
    ----------
    tracking : asked for the release only where there is no verified local copy
    as_of : explain what was published as of then, or last before it (microseconds UTC); None: what is published now

    Raises
    ------
    UserError
        Nothing is published of the lead; the message says why.
    ConfigError
        The id is empty, or what the company decided contradicts itself.
    """
    run = _published(store, as_of)
    found = _score(store, lead_id, run["run_id"]) if run and is_text(lead_id) else None
    if run is None or found is None or _is_gone(store, lead_id):
        raise refusal(store, settings, lead_id, run=run, as_of=as_of)
    at = int(found["as_of"])
    notes: list[dict[str, Any]] = []
    tables, inventory = store.read(lead_id, lead_id), store.inventory(until=at)
    if not tables.leads.num_rows:  # a company's own table, that has it no longer
        raise refusal(store, settings, lead_id, run=run, as_of=as_of)
    release = _release(store, settings, tracking, run, notes)
    snapshot = pd.DataFrame({LEAD_ID: [lead_id], AS_OF: [at]})
    today = catalogue_for(settings, inventory)
    families = {column.name: column.family for column in (release.contract if release else today).columns}
    sums = _family_sums(release, tables, snapshot, found, notes) if release else None
    money = _money(settings, tables, snapshot, inventory, found["probability"], notes)
    after = _what_if(store, settings, release, tables, inventory, found, money, notes) if release else None
    nights = _nights(store, lead_id, until=at)
    newest = _published(store, None)
    if newest and newest["as_of"] != at:
        notes.insert(0, {"note": "older", "date": moment(at)})
    return {
        **found,
        "as_of": moment(at),
        "horizon_days": release.contract.horizon_days if release else settings.label.horizon_days,
        "target_stage": release.contract.target_stage if release else settings.label.target_stage,
        "stage_meaning": MEANING[found["recommended_stage"]],
        "signals": _signals(tables, snapshot, settings, inventory),
        "groups": breakdown(found["reasons"], probability=found["probability"], families=families, sums=sums).as_dict(),
        "points_parts": parts_of(store, settings, lead_id, as_of=at),
        "trend": _trend(trend(nights), nights),
        "economics": money,
        "what_if": after,
        "notes": notes,
    }


def _published(store: LeadStore, as_of: int | None) -> dict[str, Any] | None:
    """The run that counts as of a moment, or last before it."""
    until = "" if as_of is None else "AND p.as_of <= $1 "
    rows = store.arrow(
        "SELECT p.run_id, epoch_us(p.as_of) AS as_of, r.model_version, r.release_digest FROM published p JOIN runs r "
        f"ON r.run_id = p.run_id WHERE p.run_id IS NOT NULL {until}ORDER BY p.as_of DESC LIMIT 1",
        [] if as_of is None else [EPOCH + timedelta(microseconds=as_of)],
    ).to_pylist()
    return rows[0] if rows else None


def _score(store: LeadStore, lead_id: str, run_id: str) -> dict[str, Any] | None:
    query = f"SELECT {_COLUMNS} FROM scores WHERE run_id = $1 AND lead_id = $2"
    rows = store.arrow(query, [run_id, lead_id]).to_pylist()
    return rows[0] | {"reasons": json.loads(rows[0]["reasons"])} if rows else None


def _is_gone(store: LeadStore, lead_id: str) -> bool:
    """Whether it objects, or was erased: then what was published is told to nobody."""
    return any(
        store.rows(f"SELECT 1 FROM {table} WHERE lead_id = $1", [lead_id])
        for table in (store.source("objections"), "tombstones")
    )


def _nights(store: LeadStore, lead_id: str, *, until: int) -> list[Night]:
    """Whatever is published of a lead, night by night."""
    rows = store.arrow(
        "SELECT epoch_us(p.as_of) AS as_of, s.probability, s.probability_low, s.probability_high, s.percentile, "
        "s.band, s.recommended_stage, s.model_version FROM published p JOIN scores s ON s.run_id = p.run_id "
        "WHERE s.lead_id = $1 AND p.as_of <= $2 ORDER BY p.as_of",
        [lead_id, EPOCH + timedelta(microseconds=until)],
    ).to_pylist()
    return [Night(**row) for row in rows]


def _trend(found: Trend, nights: list[Night]) -> dict[str, Any]:
    return {
        "direction": found.direction,
        "since": moment(found.since.as_of) if found.since else None,
        "days": found.days,
        "probability_before": found.since.probability if found.since else None,
        "versions": list(found.versions),
        "nights": [asdict(night) | {"as_of": moment(night.as_of)} for night in nights],
    }


def _release(
    store: LeadStore,
    settings: Settings,
    tracking: "Callable[[], Tracking]",
    run: Mapping[str, Any],
    notes: list[dict[str, Any]],
) -> Release | None:
    """The release that scored, from its verified local copy or else from the registry; None, and a note, without it."""
    scored = Champion(run["model_version"], run["release_digest"])
    current = champion_of(store)
    if current is not None and current.digest != scored.digest:
        notes.append({"note": "champion", "version": scored.version, "champion": current.version})
    cache = ReleaseCache(Path(settings.release.cache))
    try:
        try:
            copy = cache.load(scored.digest)
        except ReleaseRefused:  # damaged: the next night mends it
            copy = None
        if copy is None:
            from pipelines.active_release import fetch

            copy = fetch(tracking(), cache, scored)
        catalogue_of(copy.contract)
    except (ReleaseRefused, RegistryUnreachable) as error:
        notes.append({"note": "release", "version": scored.version, "why": str(error)})
        return None
    return copy


def _family_sums(
    release: Release,
    tables: LeadTables,
    snapshot: pd.DataFrame,
    found: Mapping[str, Any],
    notes: list[dict[str, Any]],
) -> dict[str, float] | None:
    """Family -> the sum of what its columns add; None where the data are not those that were scored any more."""
    frame = describe(tables, snapshot, of=catalogue_of(release.contract))
    told = explain(release.model, frame, centre=release.centre)
    now = 1 / (1 + math.exp(-float(told.log_odds[0])))
    if not math.isclose(now, found["probability"], rel_tol=SAME):
        notes.append({"note": "recomputed", "now": now})
        return None
    family = {column.name: column.family for column in release.contract.columns}
    sums: dict[str, float] = {}
    for name, value in zip(told.features, told.values[0].tolist(), strict=True):
        sums[family[name]] = sums.get(family[name], 0.0) + value
    return sums


def _signals(tables: LeadTables, snapshot: pd.DataFrame, settings: Settings, inventory: Inventory) -> dict[str, Any]:
    decisions = policy(settings)
    row = signals(
        tables,
        snapshot,
        kinds=kinds_of(inventory.event_types, settings.events.kinds),
        intent_days=decisions.intent_days,
        product_use_days=decisions.product_use_days,
    ).iloc[0]
    days = float(row["days_since_act"])
    return {
        "explicit_intent": bool(row["explicit_intent"]),
        "product_use": bool(row["product_use"]),
        "days_since_act": None if math.isnan(days) else days,
        "was_qualified": bool(row["was_qualified"]),
        "human_stage": row["human_stage"],
    }


def _money(
    settings: Settings,
    tables: LeadTables,
    snapshot: pd.DataFrame,
    inventory: Inventory,
    probability: float,
    notes: list[dict[str, Any]],
) -> dict[str, Any] | None:
    """The expected value; None where no economics are told, or they name what this store cannot fill."""
    economics = economics_of(settings)
    if economics is None:
        return None
    try:
        columns = columns_named(settings, inventory, {"amount": economics.amount, "segment": economics.segment})
    except ConfigError as error:  # no reason to keep back all the rest
        notes.append({"note": "economics", "why": str(error)})
        return None
    value = float(economics.value(describe(tables, snapshot, of=columns))[0])
    return {
        "currency": economics.currency,
        "value": value,
        "expected_value": probability * value,
        "sales_touch_cost": economics.sales_touch_cost,
        "pays": probability * value > economics.sales_touch_cost,
    }


def _what_if(
    store: LeadStore,
    settings: Settings,
    release: Release,
    tables: LeadTables,
    inventory: Inventory,
    found: Mapping[str, Any],
    money: Mapping[str, Any] | None,
    notes: list[dict[str, Any]],
) -> dict[str, Any]:
    """What the release would say of the lead as it is, and after each change; the likeliest act first."""
    as_of = int(found["as_of"])
    kinds = kinds_of(inventory.event_types, settings.events.kinds)
    asked = changes(
        kinds,
        counts=inventory.event_types,
        read=release.contract.kinds,
        own=settings.cohort.voluntary_kinds,
        values=_usual_values(store, as_of),
    )
    decisions = policy(settings)
    worth = float(money["value"]) if money and decisions.economics else None
    if decisions.economics and decisions.economics.touches_per_day:
        notes.append({"note": "places"})
    scores = what_if(
        release,
        tables,
        asked,
        as_of=as_of,
        columns=catalogue_of(release.contract),
        kinds=kinds,
        policy=decisions,
        stage=found["recommended_stage"],
        worth=worth,
    )
    odds = scores["probability"] / (1 - scores["probability"]).clip(lower=1e-15)
    scores["odds_factor"] = (odds / max(float(odds.iloc[0]), 1e-300)).to_numpy(np.float64)
    told = scores[
        ["key", "probability", "probability_low", "probability_high", "band", "recommended_stage", "odds_factor"]
    ].to_dict("records")
    as_it_is, *after = told
    assert as_it_is.pop("key") == AS_IT_IS
    rows = [row | {"type": change.type, "days": change.days} for row, change in zip(after, asked, strict=True)]
    rows.sort(key=lambda row: (row["days"], -row["probability"]))
    return {"as_it_is": as_it_is, "changes": rows}


def _usual_values(store: LeadStore, as_of: int) -> dict[str, float]:
    """Event type -> the median of what such events are worth, for the types that come with a value."""
    rows = store.rows(
        "SELECT type, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) FROM "
        f"{store.source('events')} WHERE value IS NOT NULL AND known_at < $1 GROUP BY type",
        [EPOCH + timedelta(microseconds=as_of)],
    )
    return {str(name): float(value) for name, value in rows}

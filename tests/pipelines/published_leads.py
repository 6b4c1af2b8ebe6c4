"""A small store with scores published, made by hand: no model, so that what is expected can be told by counting."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa

from pipelines.store import LeadStore

AS_OF = datetime(2025, 6, 1, tzinfo=UTC)
_TIME = pa.timestamp("us", tz="UTC")
_DAYS_BEFORE = 300


def days_before(days: float) -> datetime:
    return AS_OF - timedelta(days=days)


def publish(store: LeadStore, leads: Sequence[Mapping[str, Any]]) -> None:
    """Leads with `id`, `p`, and if they have them `stage`, `size`, `attributes` (JSON) and `acts` (kind, days ago)."""
    ids = [lead["id"] for lead in leads]
    known = pa.array([days_before(_DAYS_BEFORE)] * len(ids), _TIME)
    store.append("leads", pa.table({"lead_id": ids, "created_at": known, "known_at": known}))
    profiles = {
        "lead_id": ids,
        "known_at": known,
        "company_size": pa.array([lead.get("size") for lead in leads], pa.string()),
        "attributes": pa.array([lead.get("attributes", "{}") for lead in leads], pa.string()),
    }
    store.append("profiles", pa.table(profiles))
    acts(store, [(lead["id"], kind, days) for lead in leads for kind, days in lead.get("acts", ())])
    store.change(
        "INSERT INTO runs (run_id, job, as_of, status, started_at, fence) "
        "VALUES ('r', 'score', $1, 'published', $1, 0)",
        [AS_OF],
    )
    store.change("INSERT INTO published (as_of, run_id, fence, published_at) VALUES ($1, 'r', 1, $1)", [AS_OF])
    stages = [lead.get("stage", "lead") for lead in leads]
    every: dict[str, Any] = {
        "run_id": "r", "probability_low": 0.0, "probability_high": 1.0, "percentile": 50.0, "band": "A",
        "stage_reason": "", "reasons": "{}", "model_version": "1",
    }  # fmt: skip
    scores = pa.table(
        {
            "lead_id": ids, "as_of": pa.array([AS_OF] * len(ids), _TIME), "probability": [lead["p"] for lead in leads],
            "recommended_stage": stages, "needs_confirmation": [stage == "disqualified" for stage in stages],
            **{name: [value] * len(ids) for name, value in every.items()},
        }
    )  # fmt: skip
    store.engine.load("scores", scores)


def acts(store: LeadStore, rows: Sequence[tuple[str, str, float]]) -> None:
    """Events (lead_id, type, days before AS_OF)."""
    if rows:
        frame = pd.DataFrame(rows, columns=["lead_id", "type", "days"])
        times = pa.array([days_before(days) for days in frame["days"]], _TIME)
        store.append(
            "events",
            pa.table(
                {
                    "event_id": [f"{lead}-{kind}-{days}" for lead, kind, days in rows],
                    "lead_id": frame["lead_id"].tolist(), "type": frame["type"].tolist(),
                    "occurred_at": times, "known_at": times,
                }
            ),
        )  # fmt: skip


def converted(store: LeadStore, rows: Sequence[tuple[str, float]]) -> None:
    """(lead_id, days before AS_OF) of leads that became customers."""
    times = pa.array([days_before(days) for _, days in rows], _TIME)
    ids = [lead for lead, _ in rows]
    store.append(
        "stage_changes",
        pa.table({"lead_id": ids, "stage": ["customer"] * len(ids), "entered_at": times, "known_at": times}),
    )

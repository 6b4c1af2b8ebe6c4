"""What a store holds, what is published, which runs there were and which nights are missing."""

import json
from datetime import UTC, date, datetime
from typing import Any, Final

from pipelines import nights
from pipelines.moments import microseconds, moment
from pipelines.store import LeadStore

_RECENT_RUNS: Final = 10


def status_of(store: LeadStore, *, zone: str, now: datetime) -> dict[str, Any]:
    """The facts, plain: what `status --json` prints."""
    inventory = store.inventory()
    return {
        "store": store.where,
        "leads": inventory.leads,
        "events": inventory.events,
        "known_until": moment(inventory.known_until),
        "stages": dict(inventory.stages),
        "left_out": list(inventory.left_out),
        "quarantined": int(store.rows("SELECT count(*) FROM quarantine")[0][0]),
        "published": _published(store, now=now),
        "missing_days": [day.isoformat() for day in missing_days(store, zone=zone, now=now)],
        "runs": _runs(store),
        "releases": _releases(store),
    }


def missing_days(store: LeadStore, *, zone: str, now: datetime) -> list[date]:
    """The days since the first published one, today included, for which nothing is published."""
    moments = store.rows("SELECT epoch_us(as_of) FROM published WHERE run_id IS NOT NULL")
    published = {datetime.fromtimestamp(us / 1e6, tz=UTC) for (us,) in moments}
    return nights.missing(published, today=nights.day_of(now, zone=zone), zone=zone)


def _published(store: LeadStore, *, now: datetime) -> dict[str, Any] | None:
    found = store.arrow(
        "SELECT epoch_us(p.as_of) AS as_of, p.run_id, p.fence, r.model_version, r.mode, r.scored, r.flags FROM "
        "published p JOIN runs r ON r.run_id = p.run_id ORDER BY p.as_of DESC LIMIT 1"
    ).to_pylist()
    if not found:
        return None
    row: dict[str, Any] = found[0]
    age = (microseconds(now) - row["as_of"]) / 86_400e6
    return row | {
        "as_of": moment(row["as_of"]), "age_days": round(age, 2), "flags": json.loads(row["flags"] or "[]"),
    }  # fmt: skip


def _runs(store: LeadStore) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = store.arrow(
        "SELECT run_id, job, mode, epoch_us(as_of) AS as_of, model_version, status, epoch_us(started_at) AS "
        "started_at, epoch_us(ended_at) AS ended_at, leads_in, scored, excluded, quarantined, config_digest, host, "
        f"pid, flags, message FROM runs ORDER BY started_at DESC LIMIT {_RECENT_RUNS}"
    ).to_pylist()
    for row in rows:
        ended = row.pop("ended_at")
        row["seconds"] = None if ended is None else round((ended - row["started_at"]) / 1e6, 3)
        row["started_at"] = moment(row["started_at"])
        row["as_of"] = None if row["as_of"] is None else moment(row["as_of"])
        for key, empty in (("excluded", "{}"), ("quarantined", "{}"), ("flags", "[]")):
            row[key] = json.loads(row[key] or empty)
    return rows


def _releases(store: LeadStore) -> list[dict[str, Any]]:
    rows = store.arrow(
        "SELECT model_version, status, digest, epoch_us(registered_at) AS registered_at, epoch_us(checked_at) AS "
        "checked_at FROM releases ORDER BY registered_at DESC"
    ).to_pylist()
    return [
        row
        | {
            "registered_at": moment(row["registered_at"]),
            "checked_at": None if row["checked_at"] is None else moment(row["checked_at"]),
        }
        for row in rows
    ]

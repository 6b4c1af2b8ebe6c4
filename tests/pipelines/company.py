"""A company's own CRM in the same database, for tests: its names, its types, its order, and more than we need."""

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from features.tables import PROFILE_COLUMNS, STAGES
from pipelines.mapped_tables import MappedTable
from pipelines.store import LeadStore

#: No clock changes there: an hour that comes twice could not be told apart.
ZONE = "Asia/Kolkata"
WORDS = {stage: f"Stage: {stage}, it's > $1" for stage in STAGES}
#: Three words of theirs are names of ours and keywords besides.
MAPPED = {
    "leads": MappedTable("crm.People", {"lead_id": "user", "created_at": "made", "known_at": "seen"}, zone=ZONE),
    "profiles": MappedTable(
        "crm.history",
        {"lead_id": "user", "known_at": "valid_from", **{name: f"c_{name}" for name in PROFILE_COLUMNS}}
        | {"job_title": "order"},
        attributes=("annual_revenue_keur", "employees", "region", "uses_competitor"),
    ),
    "events": MappedTable(
        "crm.acts",
        {"event_id": "id", "lead_id": "user", "occurred_at": "ts", "known_at": "seen", "type": "select", "value": "v"},
        zone=ZONE,
    ),
    "stage_changes": MappedTable(
        "crm.deals",
        {"lead_id": "user", "stage": "state", "entered_at": "ts", "known_at": "seen"},
        stages={word: stage for stage, word in WORDS.items()},
        zone=ZONE,
    ),
    "rule_points": MappedTable("crm.points", {"lead_id": "user", "known_at": "ts", "points": "pts"}),
    "objections": MappedTable("crm.optouts", {"lead_id": "user", "since": "ts"}),
}
THEIRS = ("People", "history", "activities", "deals", "points", "optouts")


def as_integers(tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """The same leads and events under numbers, as texts."""
    ids = {name: str(7 * n + 3) for n, name in enumerate(tables["leads"].column("lead_id").to_pylist())}
    changed = {}
    for name, table in tables.items():
        if "lead_id" in table.column_names:
            text = pa.array([ids[lead] for lead in table.column("lead_id").to_pylist()], pa.string())
            table = table.set_column(table.schema.get_field_index("lead_id"), "lead_id", text)
        if "event_id" in table.column_names:
            # A delivery that came twice comes twice.
            numbers = table.column("event_id").combine_chunks().dictionary_encode().indices.cast(pa.string())
            table = table.set_column(table.schema.get_field_index("event_id"), "event_id", numbers)
        changed[name] = table
    return changed


def local(times: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.local_timestamp(times.cast(pa.timestamp("us", tz=ZONE)))


def fill_company(opened: LeadStore, tables: Mapping[str, pa.Table], *, id_type: str) -> None:
    """A CRM of the company's own, in the same database: its names, its types, its order, and more than we need."""
    engine = opened.engine
    number = pa.int64() if id_type == "BIGINT" else pa.string()
    t = {name: table.take(pa.array(range(table.num_rows), pa.int64())[::-1]) for name, table in tables.items()}

    def make(name: str, columns: str, rows: dict[str, Any]) -> None:
        opened.change(f'CREATE TABLE crm."{name}" ({columns})')
        engine.load(f'crm."{name}"', pa.table(rows))

    user = {name: table.column("lead_id").cast(number) for name, table in t.items() if "lead_id" in table.column_names}
    opened.change("CREATE SCHEMA crm")
    leads, profiles, events, stages = t["leads"], t["profiles"], t["events"], t["stage_changes"]
    make(
        "People", f"uid {id_type}, made TIMESTAMP, seen TIMESTAMPTZ, email TEXT",
        {"uid": user["leads"], "made": local(leads.column("created_at")), "seen": leads.column("known_at"),
         "email": pa.array(["secret@example.org"] * leads.num_rows)},
    )  # fmt: skip
    packed = [json.loads(text or "{}") for text in profiles.column("attributes").to_pylist()]
    make(
        "history",
        f"uid {id_type}, valid_from TIMESTAMPTZ, annual_revenue_keur DOUBLE PRECISION, employees INTEGER, region TEXT, "
        "uses_competitor BOOLEAN, " + ", ".join(f"c_{name} TEXT" for name in PROFILE_COLUMNS),
        {
            "uid": user["profiles"], "valid_from": profiles.column("known_at"),
            "annual_revenue_keur": pa.array([_made(float, row.get("annual_revenue_keur")) for row in packed]),
            "employees": pa.array([_made(int, row.get("employees")) for row in packed], pa.int32()),
            "region": pa.array([row.get("region") for row in packed], pa.string()),
            "uses_competitor": pa.array([_made("true".__eq__, row.get("uses_competitor")) for row in packed]),
            **{f"c_{name}": profiles.column(name) for name in PROFILE_COLUMNS},
        },
    )  # fmt: skip
    opened.change('ALTER TABLE crm.history RENAME COLUMN c_job_title TO "order"')
    make(
        "activities", f"id {id_type}, uid {id_type}, ts TIMESTAMP, seen TIMESTAMP, kind TEXT, v DOUBLE PRECISION, "
        "gone BOOLEAN",
        {"id": events.column("event_id").cast(number), "uid": user["events"], "ts": local(events.column("occurred_at")),
         "seen": local(events.column("known_at")), "kind": events.column("type"), "v": events.column("value"),
         "gone": pa.array([False] * events.num_rows)},
    )  # fmt: skip
    opened.change("INSERT INTO crm.activities (id, uid, ts, seen, kind, gone) SELECT id, uid, ts, seen, 'noise', true "
                  "FROM crm.activities")  # fmt: skip
    opened.change(
        'CREATE VIEW crm.acts AS SELECT DISTINCT ON (id) id, uid AS "user", ts, seen, kind AS "select", v '
        "FROM crm.activities WHERE NOT gone ORDER BY id, seen"
    )
    words = pa.array([WORDS[stage] for stage in stages.column("stage").to_pylist()], pa.string())
    make(
        "deals", f"uid {id_type}, state TEXT, ts TIMESTAMP, seen TIMESTAMPTZ",
        {"uid": user["stage_changes"], "state": words, "ts": local(stages.column("entered_at")),
         "seen": stages.column("known_at")},
    )  # fmt: skip
    points, objections = t["rule_points"], t["objections"]
    make(
        "points", f"uid {id_type}, ts TIMESTAMPTZ, pts NUMERIC(12, 4)",
        {"uid": user["rule_points"], "ts": points.column("known_at"), "pts": points.column("points")},
    )  # fmt: skip
    make("optouts", f"uid {id_type}, ts TIMESTAMPTZ", {"uid": user["objections"], "ts": objections.column("since")})
    for name in THEIRS:
        if name != "activities":
            opened.change(f'ALTER TABLE crm."{name}" RENAME COLUMN uid TO "user"')


def _made(kind: Any, text: str | None) -> Any:
    return None if text is None else kind(text)


def content(opened: LeadStore) -> list[Any]:
    """Everything in the company's tables."""
    return [sorted(opened.rows(f'SELECT CAST(t AS text) FROM crm."{name}" AS t')) for name in THEIRS]

"""Which columns a training names as leaks: by values, by history and by name, and nothing known too late."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.catalogue import Catalogue, catalogue
from pipelines.leak_report import find_leaks
from pipelines.snapshots import TrainingFrame
from pipelines.store import LeadStore

START = datetime(2024, 1, 1, tzinfo=UTC)
LEADS = 60
ATTRIBUTES = {"contract_type": "categorical", "region": "categorical"}


def micros(day: float) -> int:
    return int((START + timedelta(days=day)).timestamp()) * 1_000_000


def at(days: list[float]) -> pa.Array:
    return pa.array([START + timedelta(days=day) for day in days], pa.timestamp("us", tz="UTC"))


def columns(**attributes: str) -> Catalogue:
    return catalogue(kinds={}, type_counts={}, profile_columns=(), attributes=ATTRIBUTES | attributes)


def training_frame(**changed: Any) -> TrainingFrame:
    """Snapshots in which nothing tells anything, unless a column is added."""
    random = np.random.default_rng(1)
    outcome = random.integers(0, 2, 400)
    frame = pd.DataFrame({"noise": random.normal(size=400)} | {name: make(outcome) for name, make in changed.items()})
    return TrainingFrame(frame, outcome, np.zeros_like(outcome), np.full(len(outcome), None, object), 0, {}, 1.0)


@pytest.fixture
def store(tmp_path: Path) -> Any:
    """Everybody converts on day 10, known on day 20; on day 15 each lead's contract type is written."""
    ids = [f"lead-{n:03d}" for n in range(LEADS)]
    with LeadStore.open(str(tmp_path / "leads.duckdb"), create=True) as made:
        made.append("leads", pa.table({"lead_id": ids, "created_at": at([0] * LEADS), "known_at": at([0] * LEADS)}))
        for day, profile in ((0, {"region": "north"}), (15, {"region": "north", "contract_type": "yearly"})):
            rows = {"lead_id": ids, "known_at": at([day] * LEADS), "attributes": [json.dumps(profile)] * LEADS}
            made.append("profiles", pa.table(rows))
        customers = {
            "lead_id": ids,
            "stage": ["customer"] * LEADS,
            "entered_at": at([10] * LEADS),
            "known_at": at([20] * LEADS),
        }
        made.append("stage_changes", pa.table(customers))
        yield made


def found(store: LeadStore, *, until: float, data: TrainingFrame | None = None, **attributes: str) -> dict[str, str]:
    leaks = find_leaks(
        store, data or training_frame(), columns(**attributes), target_stage="customer", until=micros(until)
    )
    assert [leak["column"] for leak in leaks] == sorted(leak["column"] for leak in leaks)
    assert all(leak["sentence"] for leak in leaks)
    return {leak["column"]: leak["probe"] for leak in leaks}


@pytest.mark.parametrize(
    ("until", "leaks"),
    [
        (30, {"contract_type": "changed_after_outcome"}),
        # The conversion is not known yet.
        (18, {}),
        (20, {}),
        # Nor what was written because of it.
        (12, {}),
    ],
)
def test_the_history_is_looked_at_as_it_was_known(store: LeadStore, until: float, leaks: dict[str, str]) -> None:
    assert found(store, until=until) == leaks


def test_a_profile_that_came_later_is_not_looked_at(store: LeadStore) -> None:
    ids = [f"lead-{n:03d}" for n in range(LEADS)]
    later = [json.dumps({"region": "south", "contract_type": "yearly"})] * LEADS
    store.append("profiles", pa.table({"lead_id": ids, "known_at": at([40] * LEADS), "attributes": later}))
    assert found(store, until=40) == {"contract_type": "changed_after_outcome"}
    assert set(found(store, until=41)) == {"contract_type", "region"}


def test_values_and_names_are_looked_at_too(store: LeadStore) -> None:
    told = training_frame(invoice=lambda outcome: outcome.astype(float))
    assert found(store, until=5, data=told, close_date="date") == {"close_date": "name", "invoice": "auc"}


def test_a_target_stage_that_nobody_has_entered_is_no_history(store: LeadStore) -> None:
    assert find_leaks(store, training_frame(), columns(), target_stage="opportunity", until=micros(30)) == []

"""Log a training in MLflow, and register its release: last of all, and once."""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from models.bundle import Release
from pipelines import out_of_time, release
from pipelines.config import Settings
from pipelines.store import LeadStore
from pipelines.tracking import CANDIDATE, Registered, Tracking, Within
from pipelines.tuning import Trial


def log(
    tracking: Tracking,
    settings: Settings,
    facts: Mapping[str, Any],
    drawn: Mapping[str, Any],
    *,
    job: str = "train",
    trials: Sequence[Trial] = (),
) -> str:
    """Log what was measured and drawn, with no release behind it; return the run's id."""
    run_id = _log(tracking, settings, facts, drawn, None, job=job, trials=trials)
    assert isinstance(run_id, str)
    return run_id


def register(
    store: LeadStore,
    tracking: Tracking,
    settings: Settings,
    made: Release,
    drawn: Mapping[str, Any],
    *,
    foretold: pd.DataFrame,
    trials: Sequence[Trial] = (),
    now: datetime,
    say: Callable[[str], None],
) -> tuple[str, str, str]:
    """Register a release as the candidate; one that is there already is found again, not registered twice.

    Parameters
    ----------
    drawn : file name -> matplotlib figure
    foretold : what the procedure foretold of later leads (see `out_of_time`)
    trials : shapes that were tried on the way, as runs within the run

    Returns
    -------
    (version, run id, digest)
    """
    facts = made.card
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "release"
        folder.mkdir()
        digest = release.write(made, folder)
        release.load(folder, digest=digest)
        for (known,) in store.rows("SELECT model_version FROM releases WHERE digest = $1", [digest]):
            if tracking.exists(str(known)):
                say(f"same data, same configuration: this is the release of version {known}, registered before")
                run_id = log(tracking, settings, facts, drawn, trials=trials)
                tracking.set_alias(CANDIDATE, str(known))
                return str(known), run_id, digest
        registered = _log(tracking, settings, facts, drawn, folder, digest=digest, trials=trials)
    assert isinstance(registered, Registered)
    with store.transaction():
        # A lead that is erased meanwhile, or a version that is promoted, goes first, or sees what is written here.
        store.engine.serialised()
        store.change(
            "INSERT INTO releases (model_version, digest, status, registered_at, facts) VALUES ($1, $2, $3, $4, "
            "$5) "
            "ON CONFLICT (model_version) DO UPDATE SET digest = excluded.digest, status = excluded.status, "
            "registered_at = excluded.registered_at, promoted_at = NULL, checked_at = NULL, facts = excluded.facts",
            [registered.version, digest, "candidate", now, _facts_text(facts)],
        )
        out_of_time.remember(store, digest, foretold)
    tracking.set_alias(CANDIDATE, registered.version)
    return registered.version, registered.run_id, digest


def _log(
    tracking: Tracking,
    settings: Settings,
    facts: Mapping[str, Any],
    drawn: Mapping[str, Any],
    folder: Path | None,
    *,
    digest: str = "",
    job: str = "train",
    trials: Sequence[Trial] = (),
) -> Registered | str:
    numbers = {f"{name}": m["value"] for name, m in facts["metrics"].items() if m["value"] is not None}
    for baseline, metrics in facts["baselines"].items():
        numbers |= {f"{baseline}.{k}": m["value"] for k, m in metrics.items() if m["value"] is not None}
    for name, m in facts["metrics"].items():
        numbers |= {f"{name}.{end}": m[end] for end in ("low", "high") if m[end] is not None}
    return tracking.log_run(
        name=f"{job} {facts['data']['known_until'][:10]}",
        parameters=settings.flat(),
        metrics=numbers | {f"snapshots.{k}": float(v) for k, v in facts["snapshots"].items()},
        tags={
            "verdict": facts["verdict"],
            "data_digest": facts["data"]["digest"],
            "data_first_as_of": facts["data"]["first_as_of"],
            "data_last_as_of": facts["data"]["last_as_of"],
            "release_digest": digest,
        },
        documents={"card.json" if job == "train" else f"{job}.json": dict(facts)},
        figures=drawn,
        within=[
            Within(f"trial {trial.number + 1}", trial.shape, {"log_loss": trial.log_loss}, {"state": trial.state})
            for trial in trials
        ],
        release=folder,
    )


def _facts_text(facts: Mapping[str, Any]) -> str:
    kept = {key: facts[key] for key in ("verdict", "verdict_reason", "label", "data", "snapshots", "metrics")}
    return json.dumps(kept, ensure_ascii=False)

"""Log a training in MLflow, and register its release: last of all, and once."""

import json
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from models.bundle import Release
from pipelines import release
from pipelines.config import Settings
from pipelines.store import LeadStore
from pipelines.tracking import CANDIDATE, Registered, Tracking


def log(tracking: Tracking, settings: Settings, facts: Mapping[str, Any], drawn: Mapping[str, Any]) -> str:
    """Log what was measured and drawn, with no release behind it; return the run's id."""
    run_id = _log(tracking, settings, facts, drawn, None)
    assert isinstance(run_id, str)
    return run_id


def register(
    store: LeadStore,
    tracking: Tracking,
    settings: Settings,
    made: Release,
    drawn: Mapping[str, Any],
    *,
    now: datetime,
    say: Callable[[str], None],
) -> tuple[str, str, str]:
    """Register a release as the candidate; one that is there already is found again, not registered twice.

    Parameters
    ----------
    drawn : file name -> matplotlib figure

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
                run_id = log(tracking, settings, facts, drawn)
                tracking.set_alias(CANDIDATE, str(known))
                return str(known), run_id, digest
        registered = _log(tracking, settings, facts, drawn, folder, digest=digest)
    assert isinstance(registered, Registered)
    with store.transaction():
        store.change(
            "INSERT INTO releases (model_version, digest, status, registered_at, facts) VALUES ($1, $2, $3, $4, "
            "$5) "
            "ON CONFLICT (model_version) DO UPDATE SET digest = excluded.digest, status = excluded.status, "
            "registered_at = excluded.registered_at, promoted_at = NULL, checked_at = NULL, facts = excluded.facts",
            [registered.version, digest, "candidate", now, _facts_text(facts)],
        )
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
) -> Registered | str:
    numbers = {f"{name}": m["value"] for name, m in facts["metrics"].items() if m["value"] is not None}
    for baseline, metrics in facts["baselines"].items():
        numbers |= {f"{baseline}.{k}": m["value"] for k, m in metrics.items() if m["value"] is not None}
    for name, m in facts["metrics"].items():
        numbers |= {f"{name}.{end}": m[end] for end in ("low", "high") if m[end] is not None}
    parameters = {
        f"{section}.{key}": value
        for section, keys in settings.model_dump(exclude={"store", "tracking", "attributes"}).items()
        for key, value in keys.items()
    }
    return tracking.log_run(
        name=f"train {facts['data']['known_until'][:10]}",
        parameters=parameters,
        metrics=numbers | {f"snapshots.{k}": float(v) for k, v in facts["snapshots"].items()},
        tags={
            "verdict": facts["verdict"],
            "data_digest": facts["data"]["digest"],
            "data_first_as_of": facts["data"]["first_as_of"],
            "data_last_as_of": facts["data"]["last_as_of"],
            "release_digest": digest,
        },
        documents={"card.json": dict(facts)},
        figures=drawn,
        release=folder,
    )


def _facts_text(facts: Mapping[str, Any]) -> str:
    kept = {key: facts[key] for key in ("verdict", "verdict_reason", "label", "data", "snapshots", "metrics")}
    return json.dumps(kept, ensure_ascii=False)

"""Sixty nights in a row: how many leads are moved to another stage and back again within three nights.

    python -m tests.benchmarks.sixty_nights [--leads 4000] [--nights 60] [--keep-shares 0 0.2]

A simulated store is trained on once, up to the first night; then each night is scored and published by
`pipelines.score.run`, in a store of its own for each share of `[stages] keep_share`.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from features.tables import MICROSECONDS_PER_DAY
from pipelines import config, demo
from pipelines.config import Settings
from pipelines.moments import microseconds
from pipelines.score import Job, cache_of
from pipelines.score import run as score
from pipelines.store import LeadStore
from pipelines.synthetic import simulate
from pipelines.tracking import Tracking
from pipelines.train import train
from tests.signed import approve_and_promote

#: A move is undone when the lead is back in its stage within so many nights.
WITHIN = 3


def flaps(stages: Sequence[str | None]) -> list[int]:
    """The nights at which a lead's stage changed and was back within three nights; None: it was not scored.

    >>> flaps(["mql", "sal", "mql", "mql", "sal", "sal", "sal", "sal", "mql"])
    [1, 2]
    """
    return [
        night
        for night in range(1, len(stages))
        if None not in (stages[night - 1], stages[night]) and stages[night] != stages[night - 1]
        if stages[night - 1] in stages[night + 1 : night + 1 + WITHIN]
    ]


def counted(histories: Mapping[str, Sequence[str | None]]) -> dict[str, Any]:
    """Flaps of all leads, by lead and by night."""
    seen = {lead: stages for lead, stages in histories.items() if sum(stage is not None for stage in stages) > 1}
    found = {lead: flaps(stages) for lead, stages in seen.items()}
    lead_nights = sum(stage is not None for stages in seen.values() for stage in stages[1:])
    moves = sum(a is not None and b is not None and a != b for stages in seen.values() for a, b in pairwise(stages))
    kinds = Counter(
        f"{histories[lead][night - 1]} → {histories[lead][night]} → back" for lead in found for night in found[lead]
    )
    flapping = sum(bool(nights) for nights in found.values())
    return {
        "leads": len(seen),
        "leads that flap": flapping,
        "share of leads": flapping / len(seen) if seen else 0.0,
        "share of lead-nights": sum(map(len, found.values())) / lead_nights if lead_nights else 0.0,
        "moves": moves,
        "share of lead-nights that move": moves / lead_nights if lead_nights else 0.0,
        "kinds": dict(kinds.most_common(8)),
    }


def sixty(folder: Path, settings: Settings, *, first: datetime, nights: int) -> dict[str, list[str | None]]:
    """The recommended stage of each lead in each of so many nights."""
    tracking = _tracking(settings)
    histories: dict[str, list[str | None]] = {}
    with LeadStore.open(settings.store.url) as store:
        for night in range(nights):
            as_of = first + timedelta(days=night)
            run = score(store, settings, tracking, as_of=as_of, clock=lambda: first, job=Job(accept_drift="measured"))
            rows = store.rows("SELECT lead_id, recommended_stage FROM scores WHERE run_id = $1", [run.run_id])
            for lead, stage in rows:
                histories.setdefault(lead, [None] * nights)[night] = stage
    return histories


def prepared(folder: Path, *, leads: int, nights: int) -> tuple[Settings, datetime]:
    """A store with a champion trained on what was known before the first night."""
    flags: dict[str, Any] = {
        "store.url": str(folder / "leads.duckdb"), "tracking.uri": f"sqlite:///{folder / 'mlflow.db'}",
        "release.cache": str(folder / "releases"), "snapshots.most": 20_000, "model.resamples": 50,
    }  # fmt: skip
    settings = config.load(environment={}, flags=flags)
    tracking = _tracking(settings)
    with LeadStore.open(settings.store.url, create=True) as store:
        demo.fill(store, simulate(leads=leads))
        end = store.inventory().known_until // MICROSECONDS_PER_DAY
        first = datetime.fromtimestamp((end - nights) * 86_400, UTC)
        report = train(store, settings, tracking, as_of=microseconds(first), now=first)
        if report.version is None:
            raise SystemExit(f"No candidate: {report.facts['verdict_reason']}")
        approve_and_promote(store, tracking, cache_of(settings), settings, version=report.version, now=first)
    return settings, first


def _tracking(settings: Settings) -> Tracking:
    return Tracking(uri=settings.tracking.uri, experiment="leadscore", model_name="leadscore")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leads", type=int, default=4000)
    parser.add_argument("--nights", type=int, default=60)
    parser.add_argument("--keep-shares", type=float, nargs="+", default=[0.0, 0.2])
    parser.add_argument("--folder", type=Path, help="Where the store is prepared, and kept for the next time.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary) / "base"
        ready = folder / "first_night"
        if not ready.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _, first = prepared(folder, leads=given.leads, nights=given.nights)
            ready.write_text(first.isoformat(), encoding="utf-8")
        first = datetime.fromisoformat(ready.read_text(encoding="utf-8"))
        for share in given.keep_shares:
            store = shutil.copy(folder / "leads.duckdb", Path(temporary) / f"{share}.duckdb")
            flags: dict[str, Any] = {
                "store.url": str(store), "tracking.uri": f"sqlite:///{folder / 'mlflow.db'}",
                "release.cache": str(folder / "releases"), "stages.keep_share": share,
            }  # fmt: skip
            began = time.monotonic()
            settings = config.load(environment={}, flags=flags)
            found = counted(sixty(folder, settings, first=first, nights=given.nights))
            seconds = round(time.monotonic() - began)
            told = {"keep_share": share, "nights": given.nights, "seconds": seconds, **found}
            sys.stdout.write(json.dumps(told, indent=1) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()

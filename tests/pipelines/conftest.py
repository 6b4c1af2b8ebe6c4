"""One simulated store, trained, promoted and scored once; a test that changes anything gets a copy of all of it."""

import shutil
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from features.tables import MICROSECONDS_PER_DAY
from pipelines import config, demo
from pipelines.config import Settings
from pipelines.promote import promote
from pipelines.score import ScoreReport
from pipelines.score import run as score
from pipelines.store import LeadStore
from pipelines.synthetic import SimulatedStore, simulate
from pipelines.tracking import Tracking
from pipelines.train import TrainReport, train

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SMALL: dict[str, Any] = {"snapshots.most": 4000, "model.resamples": 50, "score.range_leads": 1500}


@dataclass(frozen=True)
class World:
    """A store and its tracking folder, what was trained on it, and the run that was published as of `as_of`."""

    folder: Path
    as_of: datetime
    simulated: SimulatedStore
    report: TrainReport
    scored: ScoreReport

    @property
    def store_file(self) -> Path:
        return self.folder / "leads.duckdb"

    def settings(self, **flags: Any) -> Settings:
        """The settings it was trained under, but for these; `score__reasons=3` is `[score] reasons = 3`."""
        asked = {key.replace("__", "."): value for key, value in flags.items()}
        where = {"store.url": str(self.store_file), "tracking.uri": f"sqlite:///{self.folder / 'mlflow.db'}"}
        return config.load(environment={}, flags=SMALL | where | asked)

    def open(self, *, read_only: bool = False) -> LeadStore:
        return LeadStore.open(str(self.store_file), read_only=read_only)

    def tracking(self) -> Tracking:
        kept = self.settings().tracking
        return Tracking(uri=kept.uri, experiment=kept.experiment, model_name=kept.model_name)

    def score(self, *, days_later: int = 0, settings: Settings | None = None, **given: Any) -> ScoreReport:
        """Score the store as of so many days after the run that is published."""
        with self.open() as store:
            return score(
                store,
                settings or self.settings(),
                self.tracking(),
                as_of=self.as_of + timedelta(days=days_later),
                clock=lambda: NOW,
                **given,
            )


@pytest.fixture(scope="session")
def simulated() -> SimulatedStore:
    return simulate(leads=4000, seed=11)


@pytest.fixture(scope="session")
def trained(simulated: SimulatedStore, tmp_path_factory: pytest.TempPathFactory) -> World:
    """For reading only: it is shared by all tests."""
    folder = tmp_path_factory.mktemp("trained")
    where = {"store.url": str(folder / "leads.duckdb"), "tracking.uri": f"sqlite:///{folder / 'mlflow.db'}"}
    settings = config.load(environment={}, flags=SMALL | where)
    tracking = Tracking(uri=settings.tracking.uri, experiment="leadscore", model_name="leadscore")
    with LeadStore.open(settings.store.url, create=True) as store:
        demo.fill(store, simulated)
        # Ten days before the end, so that the store knows things that the run may not.
        end = store.inventory().known_until // MICROSECONDS_PER_DAY
        as_of = datetime.fromtimestamp((end - 10) * 86_400, tz=UTC)
        report = train(store, settings, tracking, as_of=None, now=NOW)
        assert report.version is not None, report.facts["verdict_reason"]
        promote(store, tracking, version=report.version, now=NOW)
        scored = score(store, settings, tracking, as_of=as_of, clock=lambda: NOW)
    return World(folder, as_of, simulated, report, scored)


@pytest.fixture
def world(trained: World, tmp_path: Path) -> World:
    """A copy of `trained`, the tracking files with it, to do with as a test likes."""
    folder = tmp_path / "world"
    shutil.copytree(trained.folder, folder)
    database = sqlite3.connect(folder / "mlflow.db")
    with database:  # MLflow keeps absolute paths
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for column in [row[1] for row in database.execute(f"PRAGMA table_info({table})") if "CHAR" in row[2]]:
                database.execute(
                    f"UPDATE {table} SET {column} = replace({column}, ?, ?) WHERE instr({column}, ?)",
                    [str(trained.folder), str(folder), str(trained.folder)],
                )
    database.close()
    return World(folder, trained.as_of, trained.simulated, trained.report, trained.scored)

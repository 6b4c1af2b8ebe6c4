"""One simulated store, trained, promoted and scored once; a test that changes anything gets a copy of all of it."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from features.tables import MICROSECONDS_PER_DAY
from pipelines import config, demo, provenance, release
from pipelines.config import Settings
from pipelines.score import Job, ScoreReport, cache_of
from pipelines.score import run as score
from pipelines.store import LeadStore
from pipelines.synthetic import SimulatedStore, simulate
from pipelines.tracking import Registered, Tracking
from pipelines.train import TrainReport, train
from tests.conftest import DATABASES
from tests.postgres import Server
from tests.signed import approve_and_promote

ALL_TABLES = (
    "leads", "contacts", "profiles", "events", "stage_changes", "rule_points", "channel_costs", "objections",
    "attributes", "imports", "quarantine", "tombstones", "runs", "scores", "scores_staging", "published",
    "publications", "releases", "promotions", "out_of_time", "reviews",
)  # fmt: skip
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
#: The program's, when the world was trained.
COMMIT = "5211c8d4bb2ad50a2b9a603123143d206814496f"
SMALL: dict[str, Any] = {
    "snapshots.most": 4000, "splits.cut_offs": 2, "model.resamples": 50, "score.range_leads": 1500,
}  # fmt: skip


def places(folder: Path) -> dict[str, str]:
    """Where everything of a world is kept."""
    return {
        "store.url": str(folder / "leads.duckdb"),
        "tracking.uri": f"sqlite:///{folder / 'mlflow.db'}",
        "release.cache": str(folder / "releases"),
    }


@dataclass(frozen=True)
class World:
    """A store and its tracking folder, what was trained on it, and the run that was published as of `as_of`."""

    folder: Path
    as_of: datetime
    simulated: SimulatedStore
    report: TrainReport
    scored: ScoreReport
    url: str
    """The store: a file in `folder`, or a PostgreSQL database with the same rows."""

    @property
    def store_file(self) -> Path:
        return self.folder / "leads.duckdb"

    def settings(self, **flags: Any) -> Settings:
        """The settings it was trained under, but for these; `score__reasons=3` is `[score] reasons = 3`."""
        asked = {key.replace("__", "."): value for key, value in flags.items()}
        return config.load(environment={}, flags=SMALL | places(self.folder) | {"store.url": self.url} | asked)

    def open(self, *, read_only: bool = False) -> LeadStore:
        return LeadStore.open(self.url, read_only=read_only)

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
                job=Job(**given),
            )


@pytest.fixture(scope="session")
def simulated() -> SimulatedStore:
    return simulate(leads=4000, seed=11)


@pytest.fixture(scope="session")
def trained(simulated: SimulatedStore, tmp_path_factory: pytest.TempPathFactory) -> World:
    """For reading only: it is shared by all tests."""
    folder = tmp_path_factory.mktemp("trained")
    settings = config.load(environment={}, flags=SMALL | places(folder))
    tracking = Tracking(uri=settings.tracking.uri, experiment="leadscore", model_name="leadscore")
    with LeadStore.open(settings.store.url, create=True) as store:
        demo.fill(store, simulated)
        # Ten days before the end, so that the store knows things that the run may not.
        end = store.inventory().known_until // MICROSECONDS_PER_DAY
        as_of = datetime.fromtimestamp((end - 10) * 86_400, tz=UTC)
        with pytest.MonkeyPatch.context() as patched:  # whether files differ from it is nothing to these tests
            patched.setattr(provenance, "commit", lambda: COMMIT)
            report = train(store, settings, tracking, as_of=None, now=NOW)
        assert report.version is not None, report.facts["verdict_reason"]
        approve_and_promote(store, tracking, cache_of(settings), settings, version=report.version, now=NOW)
        scored = score(store, settings, tracking, as_of=as_of, clock=lambda: NOW)
    return World(folder, as_of, simulated, report, scored, settings.store.url)


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
    return replace(trained, folder=folder, url=str(folder / "leads.duckdb"))


def second_version(world: World) -> str:
    """Register another version: the same model under another card, so another digest, with the same scores."""
    first = cache_of(world.settings()).load(str(world.report.digest))
    assert first is not None
    tracking = world.tracking()
    with tempfile.TemporaryDirectory() as place, world.open() as store:
        folder = Path(place) / "release"
        folder.mkdir()
        number = int(store.rows("SELECT count(*) FROM releases")[0][0]) + 1
        digest = release.write(replace(first, card_text=f"{first.card_text}\nVersion {number}.\n"), folder)
        registered = tracking.log_run(
            name="again", parameters={}, metrics={}, tags={}, documents={}, figures={}, release=folder
        )
        assert isinstance(registered, Registered)
        store.change(
            "INSERT INTO releases (model_version, digest, status, registered_at, facts) VALUES ($1, $2, 'candidate', "
            "$3, '')",
            [registered.version, digest, NOW],
        )
    return registered.version


@pytest.fixture(scope="session")
def trained_on_postgres(trained: World, postgres_server: Server) -> str:
    """The name of a database with the same rows as the file of `trained`: a template, for reading only."""
    name = "trained"
    postgres_server.create_database(name)
    with (
        trained.open(read_only=True) as source,
        LeadStore.open(postgres_server.url(name), create=True) as target,
        target.transaction(),
    ):
        for table in ALL_TABLES:
            target.engine.load(table, source.arrow(f"SELECT * FROM {table}"))
    return name


@pytest.fixture(params=["duckdb", "postgres"])
def world_on(request: pytest.FixtureRequest, world: World) -> Iterator[World]:
    """`world`, with its store on each engine in turn."""
    if request.param == "duckdb":
        yield world
        return
    server: Server = request.getfixturevalue("postgres_server")
    template: str = request.getfixturevalue("trained_on_postgres")
    name = f"world_{next(DATABASES)}"
    server.create_database(name, template)
    try:
        yield replace(world, url=server.url(name))
    finally:
        server.start()
        server.drop_database(name)

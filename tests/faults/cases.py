"""A small trained store, its copies on each engine, and what readers see of one."""

import hashlib
import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from features.tables import MICROSECONDS_PER_DAY
from pipelines import champion, config, demo, erase, out_of_time, registering, release
from pipelines.config import Settings
from pipelines.score import Job, ScoreReport, cache_of
from pipelines.score import run as score
from pipelines.store import LeadStore
from pipelines.synthetic import simulate
from pipelines.tracking import Tracking
from pipelines.train import train
from tests.faults.nursery import Child, Ended, Nursery
from tests.faults.second import second_release
from tests.signed import approve_and_promote
from tests.stores import rows_in_order

LEADS = 300
#: What a lead was told, and nothing of the run that told it.
TOLD = (
    "lead_id, epoch_us(as_of) AS as_of, probability, probability_low, probability_high, percentile, band, "
    "recommended_stage, stage_reason, needs_confirmation, reasons, points, model_version"
)
INPUT = ("leads", "contacts", "profiles", "events", "stage_changes", "rule_points", "objections", "tombstones")
OUTPUT = (
    "attributes",
    "channel_costs",
    "runs",
    "scores",
    "published",
    "publications",
    "releases",
    "promotions",
    "reviews",
    "out_of_time",
)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Seen:
    """What one look at `current_scores` shows."""

    runs: tuple[str, ...]
    rows: int
    digest: str


@dataclass(frozen=True)
class Case:
    """A store with leads, a champion (version 1), a candidate (version 2) and one published run, as of `as_of`."""

    folder: Path
    url: str
    as_of: datetime
    digests: tuple[str, str]
    """Of the releases of the two versions."""
    nursery: Nursery | None = None

    @property
    def flags(self) -> dict[str, Any]:
        return {
            "store.url": self.url,
            "tracking.uri": f"sqlite:///{self.folder / 'mlflow.db'}",
            "release.cache": str(self.folder / "releases"),
            "score.range_leads": LEADS // 2,
            "snapshots.most": 2000,
            "splits.cut_offs": 1,
            "model.resamples": 50,
        }

    def settings(self, **flags: Any) -> Settings:
        asked = {key.replace("__", "."): value for key, value in flags.items()}
        return config.load(environment={}, flags=self.flags | asked)

    def tracking(self) -> Tracking:
        return Tracking(uri=self.settings().tracking.uri, experiment="leadscore", model_name="leadscore")

    def open(self, *, read_only: bool = False) -> LeadStore:
        return LeadStore.open(self.url, read_only=read_only)

    def day(self, later: int) -> datetime:
        return self.as_of + timedelta(days=later)

    def score(self, *, days_later: int = 0, settings: Settings | None = None, **given: Any) -> ScoreReport:
        """A run in this very process, undisturbed."""
        with self.open() as store:
            return score(
                store, settings or self.settings(), self.tracking(), as_of=self.day(days_later), clock=now,
                job=Job(**given),
            )  # fmt: skip

    def start(
        self, job: str = "score", *, days_later: int = 1, flags: Mapping[str, Any] | None = None, **spec: Any
    ) -> Child:
        """A job in a process of its own."""
        assert self.nursery is not None
        as_of = self.day(days_later).isoformat()
        return self.nursery.start({"job": job, "settings": self.flags | dict(flags or {}), "as_of": as_of, **spec})

    def run(self, job: str = "score", **spec: Any) -> Ended:
        return self.start(job, **spec).ended()

    def seen(self) -> Seen:
        """What a reader who comes now sees."""
        with self.open(read_only=True) as store:
            return look(store)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.open(read_only=True) as store:
            return store.rows(query)

    def change(self, *statements: str) -> None:
        with self.open() as store:
            for statement in statements:
                store.change(statement)

    def content(self, *tables: str) -> dict[str, list[tuple[object, ...]]]:
        with self.open(read_only=True) as store:
            return {table: rows_in_order(store, table) for table in tables}

    def check_at_rest(self) -> None:
        """Nothing is left over, and every published run is there with all its rows."""
        assert self.rows("SELECT count(*) FROM scores_staging") == [(0,)]
        assert self.rows("SELECT count(*) FROM runs WHERE status = 'running' AND job = 'score'") == [(0,)]
        broken = (
            "SELECT p.as_of FROM published p LEFT JOIN runs r ON r.run_id = p.run_id WHERE p.run_id IS NOT NULL AND "
            "(r.scored IS NULL OR r.scored <> (SELECT count(*) FROM scores s WHERE s.run_id = p.run_id))"
        )
        assert self.rows(broken) == []
        # Every state that was published is on record, without a gap; scores are of runs that were published.
        assert self.rows(
            "SELECT p.as_of FROM published p WHERE p.fence <> (SELECT count(*) FROM publications l WHERE l.as_of = "
            "p.as_of)"
        ) == []  # fmt: skip
        assert self.rows(
            "SELECT DISTINCT run_id FROM scores WHERE run_id NOT IN (SELECT run_id FROM publications WHERE run_id IS "
            "NOT NULL)"
        ) == []  # fmt: skip


def look(store: LeadStore) -> Seen:
    rows = store.arrow(f"SELECT run_id, {TOLD} FROM current_scores ORDER BY lead_id").to_pylist()
    told = hashlib.sha256()
    for row in rows:
        told.update(repr([value for name, value in row.items() if name != "run_id"]).encode())
    return Seen(tuple(sorted({row["run_id"] for row in rows})), len(rows), told.hexdigest())


def make(folder: Path) -> Case:
    """Simulate, train, promote, register a second version, keep few leads, and publish a run; some ten seconds."""
    case = Case(folder, str(folder / "leads.duckdb"), now(), ("", ""))
    settings, tracking = case.settings(), case.tracking()
    with LeadStore.open(case.url, create=True) as store:
        demo.fill(store, simulate(leads=2000, seed=11))
        end = store.inventory().known_until // MICROSECONDS_PER_DAY
        case = replace(case, as_of=datetime.fromtimestamp((end - 10) * 86_400, tz=UTC))
        report = train(store, settings, tracking, as_of=None, now=now())
        assert report.version is not None, report.facts["verdict_reason"]
        assert report.digest is not None
        approve_and_promote(store, tracking, cache_of(settings), settings, version=report.version, now=now())
        made = second_release(release.load(folder / "releases" / report.digest, digest=report.digest))
        version, _, digest = registering.register(
            store,
            tracking,
            settings,
            made,
            {},
            foretold=out_of_time.recall(store, report.digest),
            now=now(),
            say=lambda _: None,
        )
        assert (report.version, version) == ("1", "2")
        few = f"(SELECT lead_id FROM leads ORDER BY lead_id DESC LIMIT {LEADS})"
        for table in (*INPUT[1:], "leads"):
            store.change(f"DELETE FROM {table} WHERE lead_id NOT IN {few}")
        score(store, settings, tracking, as_of=case.as_of, clock=now)
        assert champion.registered(store, "2").digest == digest
    erase.compact(Path(case.url))
    return replace(case, digests=(report.digest, digest))


def copied(case: Case, folder: Path) -> Case:
    """A copy with a registry of its own; the files in the registry are shared, and for reading only."""
    folder.mkdir()
    shutil.copy(case.folder / "leads.duckdb", folder)
    shutil.copytree(case.folder / "releases", folder / "releases")
    with sqlite3.connect(case.folder / "mlflow.db") as source, sqlite3.connect(folder / "mlflow.db") as target:
        source.backup(target)
    source.close()
    target.close()
    return replace(case, folder=folder, url=str(folder / "leads.duckdb"))


def pour(source: LeadStore, target: LeadStore) -> None:
    """Every row of a store into another, new one."""
    with target.transaction():
        for table in (*INPUT, *OUTPUT, "imports", "quarantine"):
            target.engine.load(table, source.arrow(f"SELECT * FROM {table}"))

"""What the promises are held against: a model of the store in plain dictionaries, and a registry that can fail."""

import itertools
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from features.errors import RegistryUnreachable, ReleaseRefused
from pipelines import cards, config, release
from pipelines import score as nightly
from pipelines.erase import TABLES
from pipelines.importing import import_file
from pipelines.mapping import load_mapping
from pipelines.promote import promote
from pipelines.store import LeadStore
from tests.conftest import DATABASES
from tests.models.card_data import full
from tests.postgres import Server
from tests.serve.test_scorer import market
from tests.serve.test_scorer import release as trained_release
from tests.signed import SMALL, sign
from tests.stores import memory_store

DAY_ZERO = datetime(2024, 6, 1, tzinfo=UTC)
#: Day 400 of the market, whose leads were all created by day 360.
MARKET_ZERO = DAY_ZERO - timedelta(days=400)
VERSIONS = ("1", "2", "3")
BEFORE_THE_COMMIT = (
    "score: after the lock", "score: mid staging", "score: after staging", "score: mid audit",
    "score: before publishing", "score: before the pointer", "score: after the pointer",
)  # fmt: skip
AFTER_THE_COMMIT = "score: after the commit"
#: What a run can be overtaken by between reading and publishing.
MEANWHILE = ("an objection", "an import", "an erasure", "a promotion", "a rollback", "another run")
COLUMNS = (
    "lead_id, epoch_us(as_of), probability, probability_low, probability_high, percentile, band, recommended_stage, "
    "stage_reason, needs_confirmation, reasons, points, model_version"
)
PERCENTILE, STAGE = 5, 7
TIME = pa.timestamp("us", tz="UTC")


class Killed(BaseException):
    """The process is no more."""


class Registry:
    """Stands for MLflow: a folder for each version, and aliases. It may be away, or hand out other bytes."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self.folders, self.aliases, self.state = folders, dict[str, str](), "up"

    def _reach(self) -> None:
        if self.state == "away":
            raise RegistryUnreachable("The registry is away.")

    def version_of(self, alias: str) -> str | None:
        self._reach()
        return self.aliases.get(alias)

    def set_alias(self, alias: str, version: str) -> None:
        self._reach()
        self.aliases[alias] = version

    def exists(self, version: str) -> bool:
        self._reach()
        return version in self.folders

    def download(self, version: str) -> Path:
        if self.state == "away":
            raise ReleaseRefused("The registry is away.")
        folder = Path(tempfile.mkdtemp()) / "release"
        shutil.copytree(self.folders[version], folder)
        if self.state == "tampered with":
            damage(folder)
        return folder


def damage(folder: Path) -> None:
    """Change one byte."""
    file = folder / "calibrator.json"
    file.write_bytes(file.read_bytes().replace(b"1", b"2", 1))


@dataclass(frozen=True)
class Lead:
    """A row of a file of leads."""

    lead_id: str
    created_at: datetime
    known_at: datetime
    job_title: str | None
    country: str | None
    email: str


@dataclass(frozen=True)
class Event:
    """A row of a file of events."""

    event_id: str
    lead_id: str
    type: str
    occurred_at: datetime
    known_at: datetime


Rows = dict[str, tuple[Any, ...]]


@dataclass
class Run:
    """A run that was published, and what it must have written."""

    as_of: datetime
    version: str
    config: str
    rows: Rows
    leads_in: int
    away: bool


@dataclass
class Model:
    """What the store must hold."""

    leads: dict[str, Lead] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    objections: set[str] = field(default_factory=set)
    tombstones: set[str] = field(default_factory=set)
    runs: dict[str, Run] = field(default_factory=dict)
    publications: list[tuple[datetime, int, str | None]] = field(default_factory=list)
    promotions: list[tuple[str, datetime]] = field(default_factory=list)
    withdrawn: set[str] = field(default_factory=set)

    @property
    def published(self) -> dict[datetime, str | None]:
        return {as_of: run for as_of, _, run in self.publications}

    @property
    def champion(self) -> str:
        return self.promotions[-1][0]

    def point(self, as_of: datetime, run: str | None) -> None:
        fence = 1 + sum(moment == as_of for moment, _, _ in self.publications)
        self.publications.append((as_of, fence, run))

    def crown(self, version: str, now: datetime) -> None:
        self.promotions.append((version, now))
        self.withdrawn.discard(version)

    def before_the_champion(self) -> str | None:
        others = [v for v, _ in self.promotions if v != self.champion and v not in self.withdrawn]
        return others[-1] if others else None

    def roll_back(self, now: datetime) -> None:
        before = self.before_the_champion()
        assert before is not None
        withdrawn = self.champion
        self.withdrawn.add(withdrawn)
        for as_of, run in sorted(self.published.items()):
            if run and self.runs[run].version == withdrawn:
                logged = [r for moment, _, r in self.publications if moment == as_of and r]
                kept = [r for r in logged if self.runs[r].version not in self.withdrawn]
                self.point(as_of, kept[-1] if kept else None)
        self.crown(before, now)

    def forget(self, lead: str) -> None:
        self.tombstones.add(lead)
        self.leads.pop(lead, None)
        self.events = {key: event for key, event in self.events.items() if event.lead_id != lead}
        self.objections.discard(lead)
        for run in self.runs.values():
            run.rows.pop(lead, None)

    @property
    def shown(self) -> list[str]:
        """The run that readers must see: that of the newest as_of for which one is published."""
        return [run for _, run in sorted(self.published.items()) if run][-1:]

    def read_now(self) -> Rows:
        """What a reader must see: its rows, less who left."""
        gone = self.objections | self.tombstones
        return {lead: row for run in self.shown for lead, row in self.runs[run].rows.items() if lead not in gone}


@dataclass
class Prepared:
    """What all examples share: the releases, the first file of leads, a store filled with it, undisturbed runs."""

    folders: dict[str, Path]
    digests: dict[str, str]
    card_digest: str
    """All three have the same card."""
    place: Path
    leads: list[Lead]
    events: list[Event]
    template: Path
    clean: LeadStore
    known: dict[Any, Rows] = field(default_factory=dict)

    def settings_of(self, name: str, cache: Path) -> config.Settings:
        limits = {f"score.{key}": 1e6 for key in ("most_volume_factor", "most_mean_factor")}
        limits["score.most_stage_changes_share"] = 1.0
        few = {"score.least_volume_share": 1e-6, "release.max_stale_days": 1e6, "release.cache": str(cache)}
        return config.load(environment={}, flags=limits | few | {"score.reasons": 5 if name == "usual" else 3})

    def undisturbed(self, model: Model, as_of: datetime, version: str, named: str) -> Rows:
        """The rows of a run on a clean store that holds only what was known before as_of, and the night before it."""
        leads = tuple(lead for _, lead in sorted(model.leads.items()) if lead.known_at < as_of)
        known = {lead.lead_id for lead in leads}
        events = tuple(
            event for _, event in sorted(model.events.items()) if event.known_at < as_of and event.lead_id in known
        )
        nights = [(moment, run) for moment, run in model.published.items() if run and moment < as_of]
        before = {moment: model.runs[run].rows for moment, run in sorted(nights)[-1:]}
        stages = tuple((moment, lead, row[STAGE]) for moment, rows in before.items() for lead, row in rows.items())
        key = (leads, events, frozenset(model.objections), as_of, version, named, frozenset(stages))
        if key not in self.known:
            store = self.clean
            for table in (*TABLES, "runs", "published", "publications", "releases", "promotions", "reviews"):
                store.change(f"DELETE FROM {table}")
            put(store, leads, events)
            for lead in sorted(model.objections & known):
                store.change("INSERT INTO objections VALUES ($1, $2)", [lead, as_of])
            register(store, self.digests, self.card_digest)
            for moment in before:
                store.change("INSERT INTO published VALUES ($1, 'before', 1, $1)", [moment])
            for moment, lead, stage in stages:
                store.change(
                    "INSERT INTO scores (run_id, lead_id, as_of, probability, probability_low, probability_high, "
                    "percentile, band, recommended_stage, stage_reason, needs_confirmation, reasons, model_version) "
                    "VALUES ('before', $1, $2, 0.1, 0.1, 0.1, 50, 'C', $3, '', false, '{}', '1')",
                    [lead, moment, stage],
                )
            cache, registry = self.place / "clean", Registry(self.folders)
            given = self.settings_of(named, cache)
            kept = nightly.ReleaseCache(cache)
            promote(store, registry, kept, given, version=version, now=as_of, force_reason=SMALL)  # type: ignore[arg-type]
            nightly.run(store, given, registry, as_of=as_of, clock=lambda: as_of)  # type: ignore[arg-type]
            self.known[key] = {
                row[0]: row for row in store.rows(f"SELECT {COLUMNS} FROM scores WHERE run_id <> 'before'")
            }
        return dict(self.known[key])


def put(store: LeadStore, leads: tuple[Lead, ...], events: tuple[Event, ...]) -> None:
    """Fill a store without an import."""

    def table(rows: tuple[Any, ...], *names: str) -> pa.Table:
        kinds = {name: TIME if name.endswith("_at") else pa.string() for name in names}
        return pa.table({name: pa.array([getattr(row, name) for row in rows], kind) for name, kind in kinds.items()})

    store.append("leads", table(leads, "lead_id", "created_at", "known_at"))
    profiles = table(leads, "lead_id", "known_at", "job_title", "country")
    store.append("profiles", profiles.append_column("email_class", pa.array(["business"] * len(leads), pa.string())))
    store.append("events", table(events, "event_id", "lead_id", "type", "occurred_at", "known_at"))


def register(store: LeadStore, digests: dict[str, str], card_digest: str) -> None:
    for version, digest in digests.items():
        store.change(
            "INSERT INTO releases (model_version, digest, status, registered_at, facts) VALUES ($1, $2, 'candidate', "
            "$3, '')",
            [version, digest, DAY_ZERO - timedelta(days=30)],
        )
        sign(store, version, card_digest, now=DAY_ZERO - timedelta(days=30))


def written(rows: list[Any], place: Path) -> Path:
    """Rows as a CSV file."""
    names = list(vars(rows[0]))
    lines = [",".join(names), *(",".join(str(getattr(row, name) or "") for name in names) for row in rows)]
    place.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return place


def fill(
    store: LeadStore, leads: list[Lead], events: list[Event], *, folder: Path, digests: dict[str, str], card_digest: str
) -> None:
    for rows, name in ((leads, "leads.csv"), (events, "events.csv")):
        import_file(store, written(list(rows), folder / name), load_mapping("generic"), now=DAY_ZERO)
    register(store, digests, card_digest)


@contextmanager
def prepare(place: Path) -> Iterator[Prepared]:
    """Three releases, forty leads, and a store filled with them."""
    usual = replace(trained_release(), card=full(), card_text="made for a test")
    folders, digests = {}, {}
    for version, shift in zip(VERSIONS, (0.0, 0.4, -0.3), strict=True):
        folders[version] = place / f"release-{version}"
        folders[version].mkdir()
        members = replace(usual.model.members, intercept=usual.model.members.intercept + shift)
        made = replace(usual, model=replace(usual.model, members=members))
        digests[version] = release.write(made, folders[version])
        card_digest = cards.digest_of(release.verified(folders[version], digest=digests[version]))
    known = market(40, seed=1)
    leads, events = [], []
    for row in known:
        created = MARKET_ZERO + timedelta(days=row.created)
        leads.append(Lead(row.lead_id, created, created, row.title, row.country, f"{row.lead_id[5:]}@acme.com"))
        for number, (day, kind) in enumerate(row.events):
            if day >= 399:
                continue
            at = MARKET_ZERO + timedelta(days=day)
            events.append(Event(f"{row.lead_id}/{number}", row.lead_id, kind, at, at))
    template = place / "template.duckdb"
    with LeadStore.open(str(template), create=True) as store:
        fill(store, leads, events, folder=place, digests=digests, card_digest=card_digest)
    with memory_store() as clean:
        yield Prepared(folders, digests, card_digest, place, leads, events, template, clean)


class Place:
    """Where an example's store is: on each engine another way to begin, and to die."""

    def __init__(self, prepared: Prepared, server: Server | None) -> None:
        self.server, self.folder = server, Path(tempfile.mkdtemp(dir=prepared.place))
        self.copies = itertools.count()
        if server is None:
            self.url = str(self.folder / "store.duckdb")
            shutil.copy(prepared.template, self.url)
        else:
            self.name = f"promises_{next(DATABASES)}"
            server.create_database(self.name, "promises_template")
            self.url = server.url(self.name)

    def die(self, store: LeadStore, reader: LeadStore) -> None:
        """What a process that is killed at this moment leaves behind: its files as they are, or a closed connection."""
        if self.server is None:
            now = self.folder / f"store-{next(self.copies)}.duckdb"
            for ending in ("", ".wal"):
                if Path(self.url + ending).exists():
                    shutil.copy(self.url + ending, f"{now}{ending}")
            self.url = str(now)
            return
        connection: Any = store.engine.connection  # type: ignore[attr-defined]
        pid = connection.info.backend_pid
        connection.close()
        while reader.rows("SELECT 1 FROM pg_stat_activity WHERE pid = $1", [pid]):
            time.sleep(0.005)

    def remove(self) -> None:
        if self.server is not None:
            self.server.drop_database(self.name)
        shutil.rmtree(self.folder)

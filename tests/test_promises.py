"""The promises of the lead store, whatever happens to it, in any order: held against a model of plain dictionaries.

A machine imports, scores, promotes, rolls back, erases, damages files and kills its own jobs at their named places;
after every step the store must hold exactly what the model says:

I1 whole or nothing - readers see one run, the old or the new; I2 idempotent - the same rows, to the bit; I3 one
publisher - who comes late publishes nothing; I4 every lead is accounted for; I5 no look-ahead - the rows of a run are
those of a store that never heard of anything later; I6 nothing is scored with files that are not those registered; I7
history is only added to; I8 erasure and objection win; I9 what was said to be done is done; I10 what went wrong is on
record.
"""

import itertools
import json
import os
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from features.errors import AuditRefused, ConfigError, LockHeld, ReleaseRefused, UserError
from models.encoding import Floats
from models.members import Members
from pipelines import active_release, backfill, config, failpoints, ledger, publishing, release
from pipelines import score as nightly
from pipelines import store as store_module
from pipelines.erase import erase
from pipelines.importing import import_file
from pipelines.mapping import load_mapping
from pipelines.promote import promote, rollback
from pipelines.store import LeadStore
from tests.postgres import Server
from tests.promises import (
    AFTER_THE_COMMIT,
    BEFORE_THE_COMMIT,
    COLUMNS,
    DAY_ZERO,
    MEANWHILE,
    PERCENTILE,
    TIME,
    VERSIONS,
    Event,
    Killed,
    Lead,
    Model,
    Place,
    Prepared,
    Registry,
    Rows,
    Run,
    damage,
    fill,
    prepare,
    written,
)
from tests.serve.test_scorer import TITLES
from tests.signed import SMALL, sign

LONG = os.environ.get("LEADSCORE_HYPOTHESIS") == "long"
HOW_MUCH = settings(
    max_examples=300 if LONG else 12,
    stateful_step_count=40 if LONG else 15,
    # An example takes seconds, and shrinking takes thousands of them.
    phases=tuple(Phase) if LONG else (Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
    deadline=None,
)


@pytest.fixture(scope="module", autouse=True)
def quickly() -> Iterator[None]:
    """Parse the same verified bytes once, and do not sleep before connecting again."""
    with pytest.MonkeyPatch.context() as patched:
        parsed: dict[Any, Any] = {}
        honest = release.from_files

        def from_files(files: dict[str, bytes]) -> Any:
            key = tuple(sorted(files.items()))
            return parsed[key] if key in parsed else parsed.setdefault(key, honest(files))

        patched.setattr(release, "from_files", from_files)
        patched.setattr(store_module, "RECONNECT_PAUSES", (0.0,))
        yield


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    with prepare(tmp_path_factory.mktemp("promises")) as made:
        yield made


class Promises(RuleBasedStateMachine):
    """The store, the model, and everything that people and programs do to them."""

    def __init__(self, prepared: Prepared, server: Server | None) -> None:
        super().__init__()
        self.prepared, self.place = prepared, Place(prepared, server)
        self.model = Model(
            {lead.lead_id: lead for lead in prepared.leads}, {event.event_id: event for event in prepared.events}
        )
        self.registry: Any = Registry(prepared.folders)
        self.cache = nightly.ReleaseCache(self.place.folder / "releases")
        self.files: list[tuple[Path, list[Any]]] = [
            (prepared.place / "leads.csv", list(prepared.leads)), (prepared.place / "events.csv", list(prepared.events))
        ]  # fmt: skip
        self.damaged: set[str] = set()
        self.today, self.ticks = DAY_ZERO, itertools.count()
        self.names = itertools.count()
        self.dead = False
        self._open()

    def _open(self) -> None:
        self.store, self.reader = LeadStore.open(self.place.url), LeadStore.open(self.place.url)

    def teardown(self) -> None:
        self.store.close()
        self.reader.close()
        self.place.remove()

    def now(self) -> datetime:
        """Some time after four in the morning, later each time."""
        return self.today + timedelta(hours=4, seconds=next(self.ticks))

    def settings_of(self, name: str) -> config.Settings:
        return self.prepared.settings_of(name, self.cache.folder)

    # How things go wrong -----------------------------------------------------------------------------------------

    @contextmanager
    def at(self, point: str, then: Callable[[], None]) -> Iterator[None]:
        """Do something when a job comes to a place, once; whoever reads meanwhile sees one whole run (I1)."""
        waiting = [then]
        before = [(run,) for run in self.model.shown if self.model.read_now()]

        def hook(name: str) -> None:
            if self.dead:
                raise Killed(name)
            if name in BEFORE_THE_COMMIT and waiting:
                assert before == self.reader.rows("SELECT DISTINCT run_id FROM current_scores"), "a reader saw it early"
            if name == point and waiting:
                waiting.pop()()

        failpoints.HOOK.append(hook)
        try:
            yield
        finally:
            failpoints.HOOK.remove(hook)

    @contextmanager
    def killed_at(self, point: str) -> Iterator[None]:
        """Kill the job at a place, if it comes to it, and begin anew with what is left."""

        def die() -> None:
            self.dead = True
            self.place.die(self.store, self.reader)
            raise Killed(point)

        try:
            with self.at(point, die):
                yield
        except (Killed, UserError, duckdb.Error):
            if not self.dead:
                raise
        if self.dead:
            self.store.close()
            self.reader.close()
            self._open()

    # What the model says of a run --------------------------------------------------------------------------------

    def refusal(self, as_of: datetime, version: str, named: str, *, supersede: bool) -> type[UserError] | None:
        """The error a run must end with before it begins; None when it may go on."""
        if version in self.damaged and self.registry.state != "up":
            return ReleaseRefused
        if self.registry.state == "up":
            self.damaged.discard(version)
        run = self.model.published.get(as_of)
        other = run is not None and (self.model.runs[run].version, self.model.runs[run].config) != (version, named)
        return ConfigError if other and not supersede else None

    def expected(self, as_of: datetime, version: str, named: str) -> Run:
        rows = self.prepared.undisturbed(self.model, as_of, version, named)
        return Run(as_of, version, named, rows, len(self.model.leads), self.registry.state == "away")

    def publish(self, run: Run, run_id: str) -> None:
        """Note a run, less the leads that left while it was at work."""
        gone = self.model.objections | self.model.tombstones
        left = {lead: row for lead, row in run.rows.items() if lead not in gone}
        if len(left) < len(run.rows):
            order = sorted(row[2] for row in left.values())
            for lead, row in left.items():
                share = 100 * (bisect_right(order, row[2]) / len(order))
                left[lead] = (*row[:PERCENTILE], share, *row[PERCENTILE + 1 :])
        self.model.runs[run_id] = replace(run, rows=left)
        self.model.point(run.as_of, run_id)

    def newest(self, as_of: datetime) -> str:
        return str(self.store.rows("SELECT run_id FROM published WHERE as_of = $1", [as_of])[0][0])

    def score(self, named: str, *, supersede: bool, store: LeadStore | None = None) -> nightly.ScoreReport:
        job = nightly.Job(supersede="asked for" if supersede else None, lock_timeout_seconds=5)
        return nightly.run(
            store or self.store, self.settings_of(named), self.registry, as_of=self.today, clock=self.now, job=job
        )

    def note(self, report: nightly.ScoreReport, run: Run, *, supersede: bool) -> None:
        """What a report says must be so (I9), and be counted in full (I4)."""
        before = self.model.published.get(run.as_of)
        if before is not None and not supersede:
            assert (report.status, report.run_id) == ("unchanged", before)
            return
        assert report.status == "published"
        assert report.run_id == self.newest(run.as_of)
        assert report.leads_in == report.scored + sum(report.excluded.values()) + sum(report.quarantined.values())
        self.publish(run, str(report.run_id))

    # What happens ------------------------------------------------------------------------------------------------

    @initialize(version=st.sampled_from(VERSIONS))
    def first(self, version: str) -> None:
        self.let_through(version, self.now())
        self.model.crown(version, self.now())
        self.scores("usual", supersede=False)

    @rule(days=st.integers(1, 2))
    def days_pass(self, days: int) -> None:
        self.today += timedelta(days=days)

    @rule(rows=st.lists(st.tuples(st.sampled_from(sorted(TITLES)), st.integers(0, 30)), min_size=1, max_size=3))
    def imports_leads(self, rows: list[tuple[str, int]]) -> None:
        leads = []
        for title, days in rows:
            number = next(self.names)
            known = self.today + timedelta(hours=2) - timedelta(days=days)
            leads.append(Lead(f"new {number}", known, known, title, "fr", f"new{number}@acme.com"))
        self.imports(leads)

    @rule(
        data=st.data(),
        rows=st.lists(
            st.tuples(st.sampled_from(["Demo asked", "page", "content_download"]), st.integers(0, 9), st.booleans()),
            min_size=1,
            max_size=4,
        ),
    )
    def imports_events(self, data: st.DataObject, rows: list[tuple[str, int, bool]]) -> None:
        """Some come late: they happened before today's midnight, and are known only since."""
        events = []
        for kind, days, late in rows:
            lead = data.draw(self.a_lead())
            happened = self.today - timedelta(days=days, hours=3)
            known = self.today + timedelta(hours=1) if late else happened
            events.append(Event(f"new {next(self.names)}", lead, kind, happened, known))
        self.imports(events)

    def a_lead(self) -> st.SearchStrategy[str]:
        """Any lead that was ever in a file, erased ones too."""
        return st.sampled_from(sorted({row.lead_id for _, rows in self.files for row in rows}))

    def imports(self, rows: list[Any]) -> None:
        file = written(rows, self.place.folder / f"file-{len(self.files)}.csv")
        self.files.append((file, rows))
        self.import_again(len(self.files) - 1)

    @rule(which=st.integers(0, 20))
    def import_again(self, which: int) -> None:
        file, rows = self.files[which % len(self.files)]
        report = import_file(self.store, file, load_mapping("generic"), now=self.now())
        sound = [row for row in rows if row.lead_id not in self.model.tombstones]
        assert (report.rows, report.loaded, report.quarantined) == (len(rows), len(sound), len(rows) - len(sound))
        for row in sound:
            if isinstance(row, Lead):
                self.model.leads.setdefault(row.lead_id, row)
            else:
                self.model.events.setdefault(row.event_id, row)

    @rule(named=st.sampled_from(["usual", "other"]), supersede=st.booleans())
    def scores(self, named: str, supersede: bool) -> None:
        version = self.model.champion
        refused = self.refusal(self.today, version, named, supersede=supersede)
        if refused:
            with pytest.raises(refused):
                self.score(named, supersede=supersede)
            return
        run = self.expected(self.today, version, named)
        self.note(self.score(named, supersede=supersede), run, supersede=supersede)

    @rule(point=st.sampled_from([*BEFORE_THE_COMMIT, AFTER_THE_COMMIT]), supersede=st.booleans())
    def is_killed_while_scoring(self, point: str, supersede: bool) -> None:
        if self.refusal(self.today, self.model.champion, "usual", supersede=supersede):
            return
        run = self.expected(self.today, self.model.champion, "usual")
        with self.killed_at(point):
            self.note(self.score("usual", supersede=supersede), run, supersede=supersede)
        if self.dead and point == AFTER_THE_COMMIT:
            self.publish(run, self.newest(self.today))
        self.dead = False

    @rule(
        data=st.data(),
        what=st.sampled_from(MEANWHILE),
        point=st.sampled_from(["score: after staging", "score: mid audit", "score: before publishing"]),
    )
    def scores_while(self, data: st.DataObject, what: str, point: str) -> None:
        """Another program, on a connection of its own, is faster."""
        version = self.model.champion
        if self.refusal(self.today, version, "usual", supersede=True):
            return
        run, store, moved = self.expected(self.today, version, "usual"), self.store, len(self.model.publications)

        def other() -> None:
            self.store = self.reader
            if what == "an objection":
                self.objects(data)
            elif what == "an erasure":
                self.erases(data, kill=None)
            elif what == "an import":
                self.imports_leads([("Student", 5)])
            elif what == "a promotion":
                self.promotes(data.draw(st.sampled_from(VERSIONS)), kill=None)
            elif what == "a rollback":
                self.rolls_back(kill=None)
            else:
                with pytest.MonkeyPatch.context() as patched:  # it takes the first for dead
                    patched.setattr(self.reader.engine, "take_lock", lambda _: True)
                    self.scores("usual", supersede=True)
            self.store = store

        report = None
        try:
            with self.at(point, other):
                report = self.score("usual", supersede=True)
        except (LockHeld, ReleaseRefused, AuditRefused):
            if len(self.model.publications) == moved and version not in self.model.withdrawn:
                raise  # nobody was faster
        finally:
            self.store = store
        if report is not None:
            assert len(self.model.publications) == moved, "it came late, and published all the same"
            assert version not in self.model.withdrawn
            self.note(report, run, supersede=True)

    @rule(back=st.integers(0, 3), supersede=st.booleans())
    def back_fills(self, back: int, supersede: bool) -> None:
        version = self.model.champion
        if self.refusal(self.today, version, "usual", supersede=True):
            return
        job = nightly.Job(supersede="asked for" if supersede else None)
        first = self.today - timedelta(days=back)
        done = backfill.backfill(
            self.store, self.settings_of("usual"), self.registry, first=first.date(), last=self.today.date(),
            clock=self.now, job=job,
        )  # fmt: skip
        for n in range(back + 1):
            as_of = first + timedelta(days=n)
            kept = self.refusal(as_of, version, "usual", supersede=supersede) is not None
            run = self.expected(as_of, version, "usual")
            result = next(done)
            assert isinstance(result, backfill.Skipped) == kept
            if isinstance(result, nightly.ScoreReport):
                self.note(result, run, supersede=supersede)
        assert next(done, None) is None

    @rule()
    def catches_up(self) -> None:
        there = sorted(as_of for as_of, run in self.model.published.items() if run)
        first = there[0] if there else self.today
        days = [first + timedelta(days=n) for n in range((self.today - first).days + 1)]
        wanted = [day for day in days if day not in there] or [self.today]
        done = backfill.catch_up(
            self.store, self.settings_of("usual"), self.registry, clock=self.now, job=nightly.Job()
        )
        for as_of in sorted(wanted, key=lambda day: (day != self.today, day)):
            active = [v for v, at in self.model.promotions if at <= as_of and v not in self.model.withdrawn]
            version = self.model.champion if as_of == self.today else active[-1] if active else None
            refused = self.refusal(as_of, version, "usual", supersede=False) if version else None
            if refused and as_of == self.today:
                with pytest.raises(refused):
                    next(done)
                return
            result = next(done)
            assert isinstance(result, backfill.Skipped) == (version is None or refused is not None)
            assert result.as_of == as_of.isoformat()
            if version is not None and isinstance(result, nightly.ScoreReport):
                self.note(result, self.expected(as_of, version, "usual"), supersede=False)
        assert next(done, None) is None

    def let_through(self, version: str, now: datetime) -> None:
        def through() -> None:
            promote(
                self.store, self.registry, self.cache, self.settings_of("usual"), version=version, now=now,
                force_reason=SMALL,
            )  # fmt: skip

        if version in self.model.withdrawn:
            with pytest.raises(ReleaseRefused):  # it was approved before it was withdrawn
                through()
            sign(self.store, version, self.prepared.card_digest, now=now)
        through()

    @rule(version=st.sampled_from(VERSIONS), kill=st.sampled_from([None, None, "before", "after"]))
    def promotes(self, version: str, kill: str | None) -> None:
        def go() -> None:
            self.let_through(version, now)

        now = self.now()
        if self.registry.state != "up":
            with pytest.raises(ReleaseRefused):
                go()
            return
        self.damaged.discard(version)
        if self.ends(go, "promote", kill) and version != self.model.champion:
            self.model.crown(version, now)

    @rule(kill=st.sampled_from([None, None, "before", "after"]))
    def rolls_back(self, kill: str | None) -> None:
        def go() -> None:
            rollback(self.store, self.registry, self.cache, reason="it was wrong", now=now)

        now, before = self.now(), self.model.before_the_champion()
        if before is None or (before in self.damaged and self.registry.state != "up"):
            with pytest.raises(ReleaseRefused):
                go()
            return
        self.damaged.discard(before)
        if self.ends(go, "rollback", kill):
            self.model.roll_back(now)

    @rule(data=st.data(), kill=st.sampled_from([None, None, "before", "after"]))
    def erases(self, data: st.DataObject, kill: str | None) -> None:
        lead, now = data.draw(self.a_lead()), self.now()
        if self.ends(lambda: erase(self.store, lead, now=now), "erase", kill):
            self.model.forget(lead)

    def ends(self, go: Callable[[], Any], job: str, kill: str | None) -> bool:
        """Do it, or die just before or just after its commit; whether it is done."""
        if kill is None:
            go()
            return True
        with self.killed_at(f"{job}: {kill} the commit"):
            go()
        assert self.dead
        self.dead = False
        return kill == "after"

    @rule(data=st.data())
    def objects(self, data: st.DataObject) -> None:
        lead = data.draw(self.a_lead())
        if lead in self.model.leads:
            self.store.append("objections", pa.table({"lead_id": [lead], "since": pa.array([self.now()], TIME)}))
            self.model.objections.add(lead)

    @rule(state=st.sampled_from(["up", "up", "away", "tampered with"]))
    def the_registry_is(self, state: str) -> None:
        self.registry.state = state

    @precondition(lambda self: self.model.champion not in self.damaged)
    @rule()
    def the_local_copy_is_damaged(self) -> None:
        damage(self.cache.folder / self.prepared.digests[self.model.champion])
        self.damaged.add(self.model.champion)

    # What must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def the_leads_are_those_imported_less_those_erased(self) -> None:
        rows, model = self.store.rows, self.model
        assert {(r.lead_id, us(r.created_at), us(r.known_at)) for r in model.leads.values()} == set(
            rows("SELECT lead_id, epoch_us(created_at), epoch_us(known_at) FROM leads")
        )
        assert {(r.lead_id, us(r.known_at), r.job_title, r.country) for r in model.leads.values()} == set(
            rows("SELECT lead_id, epoch_us(known_at), job_title, country FROM profiles")
        )
        assert {(r.lead_id, r.email) for r in model.leads.values()} == set(rows("SELECT lead_id, email FROM contacts"))
        assert {(r.event_id, r.lead_id, us(r.occurred_at), us(r.known_at), r.type) for r in model.events.values()} == (
            set(rows("SELECT event_id, lead_id, epoch_us(occurred_at), epoch_us(known_at), type FROM events"))
        )
        assert model.objections == {row[0] for row in rows("SELECT lead_id FROM objections")}
        assert model.tombstones == {row[0] for row in rows("SELECT lead_id FROM tombstones")}
        assert rows("SELECT 1 FROM quarantine WHERE content IS NOT NULL") == []

    @invariant()
    def every_run_that_was_published_is_there_to_the_bit(self) -> None:
        """I2, I5, I7, I8: the rows of all runs, less those of erased leads; nothing else was ever added or changed."""
        stored: dict[str, Rows] = {run: {} for run in self.model.runs}
        for run, lead, *rest in self.store.rows(f"SELECT run_id, {COLUMNS} FROM scores"):
            stored[run][lead] = (lead, *rest)
        assert stored == {run: noted.rows for run, noted in self.model.runs.items()}

    @invariant()
    def what_counts_for_each_moment_is_on_record(self) -> None:
        """I3, I7: each change of a pointer raised its fence by one."""
        model, rows = self.model, self.store.rows
        log = rows("SELECT epoch_us(as_of), fence, run_id FROM publications")
        assert sorted(log, key=str) == sorted([(us(a), f, r) for a, f, r in model.publications], key=str)
        last = {as_of: (us(as_of), fence, run) for as_of, fence, run in model.publications}
        assert set(rows("SELECT epoch_us(as_of), fence, run_id FROM published")) == set(last.values())
        promoted = rows("SELECT model_version, epoch_us(promoted_at) FROM promotions ORDER BY number")
        assert [version for version, _ in promoted] == [version for version, _ in model.promotions]
        assert model.withdrawn == {r[0] for r in rows("SELECT model_version FROM releases WHERE status = 'withdrawn'")}

    @invariant()
    def readers_see_the_newest_run_whole(self) -> None:
        """I1, I8."""
        seen = {row[0]: row for row in self.reader.rows(f"SELECT {COLUMNS} FROM current_scores")}
        assert seen == self.model.read_now()

    @invariant()
    def the_ledger_accounts_for_every_run(self) -> None:
        """I4, I10."""
        runs = self.store.arrow(
            "SELECT run_id, status, leads_in, scored, excluded, quarantined, flags, ended_at, message, release_digest "
            "FROM runs WHERE job = 'score'"
        ).to_pylist()
        by_id = {run["run_id"]: run for run in runs}
        assert {k for k, run in by_id.items() if run["status"] == ledger.PUBLISHED} == set(self.model.runs)
        for run_id, noted in self.model.runs.items():
            run = by_id[run_id]
            counts = publishing.Counts(
                run["leads_in"], run["scored"], json_of(run["excluded"]), json_of(run["quarantined"])
            )
            assert counts.balances()
            assert counts.leads_in == noted.leads_in
            assert run["release_digest"] == self.prepared.digests[noted.version]
            assert noted.away == (active_release.REGISTRY_UNREACHABLE in json_of(run["flags"]))
        for run in runs:
            if run["status"] not in (ledger.PUBLISHED, ledger.RUNNING):
                assert run["message"]
        running = {k for k, run in by_id.items() if run["status"] == ledger.RUNNING}
        assert len(running) <= 1, "what died is swept by the next"
        assert {row[0] for row in self.store.rows("SELECT DISTINCT run_id FROM scores_staging")} <= running


def us(moment: datetime) -> int:
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))


def json_of(text: str | None) -> Any:
    return json.loads(text or "null")


@pytest.mark.parametrize("point", ["score: after staging", "score: before publishing"])
def test_a_lead_that_is_erased_while_a_run_is_at_work_is_left_out_alone(prepared: Prepared, point: str) -> None:
    machine = Promises(prepared, None)

    def other() -> None:
        erase(machine.reader, "lead 0003", now=machine.now())

    try:
        machine.let_through("1", machine.now())
        with machine.at(point, other):
            report = machine.score("usual", supersede=False)
        assert (report.leads_in, report.scored, report.excluded) == (40, 39, {publishing.ERASED: 1})
        for table in ("scores", "scores_staging"):
            assert machine.store.rows(f"SELECT 1 FROM {table} WHERE lead_id = 'lead 0003'") == []
    finally:
        machine.teardown()


def test_a_lead_without_a_finite_probability_is_counted(prepared: Prepared) -> None:
    machine = Promises(prepared, None)
    honest, hurt_once = Members.log_odds, itertools.chain([np.nan], itertools.repeat(0.0))

    def hurt(members: Members, frame: pd.DataFrame) -> Floats:
        """The first lead that is asked for gets no number."""
        told = honest(members, frame)
        told[0] += next(hurt_once)
        return told

    try:
        machine.let_through("1", machine.now())
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Members, "log_odds", hurt)
            report = machine.score("usual", supersede=False)
        assert report.quarantined == {nightly.NOT_FINITE: 1}
        assert (report.leads_in, report.scored) == (40, 39)
    finally:
        machine.teardown()


def test_on_duckdb(prepared: Prepared) -> None:
    run_state_machine_as_test(lambda: Promises(prepared, None), settings=HOW_MUCH)


def test_on_postgres(prepared: Prepared, postgres_server: Server) -> None:
    postgres_server.create_database("promises_template")
    with LeadStore.open(postgres_server.url("promises_template"), create=True) as store:
        fill(
            store,
            prepared.leads,
            prepared.events,
            folder=prepared.place,
            digests=prepared.digests,
            card_digest=prepared.card_digest,
        )
    run_state_machine_as_test(lambda: Promises(prepared, postgres_server), settings=HOW_MUCH)

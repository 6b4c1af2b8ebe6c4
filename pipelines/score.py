"""The nightly job: score the cohort of a moment with the release that is champion, audit, and publish.

It may be killed at any line, run twice, run late or lose its database: readers see the run before it or this one,
whole. Whoever comes after finds out from the store what was published, and never guesses.
"""

import contextlib
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd

from features.cohort import Cohort, eligible
from features.errors import ConfigError, ReleaseRefused, StoreLost
from features.kinds import kinds_of
from features.tables import LeadTables
from models.bundle import Release
from pipelines import active_release, champion, ledger, publishing, stage_changes
from pipelines.active_release import Active
from pipelines.champion import Champion
from pipelines.clocks import minutes_off
from pipelines.config import Settings
from pipelines.decisions import limits_of, policy
from pipelines.failpoints import reached
from pipelines.ledger import Clock
from pipelines.moments import microseconds
from pipelines.places import cut_of_night, worth_of
from pipelines.points import PointsCard, card_for
from pipelines.publishing import Counts
from pipelines.release_cache import ReleaseCache
from pipelines.snapshots import voluntary_types
from pipelines.stage_changes import Night, StageChanges
from pipelines.store import LeadStore
from pipelines.tracking import Tracking
from serve.scorer import candidates, catalogue_of, score
from serve.stage_memory import LastNight

NOT_FINITE: Final = "no finite probability"
NIGHTLY, BACKFILL, CATCH_UP = "nightly", "backfill", "catch-up"
CLOCK_SKEW: Final = "clock_skew"
ROWS_LEFT_OUT: Final = "mapped_rows_left_out"
STAGE_CHANGES: Final = "stage_changes"
#: What is kept in memory of each lead until the end.
_KEPT: Final = ["lead_id", "probability", "band", "recommended_stage", "stage_reason", "overridden", "before", "moves"]
#: How often a run is begun anew when its connection broke.
_ATTEMPTS: Final = 3

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Job:
    """How a run is asked for."""

    mode: str = NIGHTLY
    """nightly, backfill or catch-up."""
    dry_run: bool = False
    """Compute and report, write nothing."""
    supersede: str | None = None
    """The reason for publishing over a run of another release or configuration."""
    accept_drift: str | None = None
    """The reason for publishing although volume, level, categories or stages moved too far."""
    lock_timeout_seconds: float = 0
    release: Champion | None = None
    """The version that scores; None: the champion."""


@dataclass(frozen=True)
class ScoreReport:
    """What a run did. `status`: published, unchanged (published before, by the same release) or dry run."""

    run_id: str | None
    as_of: str
    mode: str
    status: str
    model_version: str
    leads_in: int
    scored: int
    excluded: dict[str, int]
    quarantined: dict[str, int]
    stages: dict[str, int]
    bands: dict[str, int]
    mean_probability: float | None
    new_categories: dict[str, float]
    checked: list[str]
    flags: list[str]
    warnings: list[str]
    seconds: float
    changes: StageChanges | None = None
    """Which leads get another stage than the night before."""
    overridden: dict[str, int] | None = None
    """Leads of which people's word stands instead of the stage they earned, by how; None: not counted anew."""

    def as_dict(self) -> dict[str, Any]:
        """What `score --json` prints."""
        return asdict(self)


def run(
    store: LeadStore,
    settings: Settings,
    tracking: Tracking,
    *,
    as_of: datetime,
    clock: Clock,
    job: Job = Job(),
    progress: Progress = lambda _done, _total: None,
) -> ScoreReport:
    """Score every eligible lead as of a moment, and publish the run.

    A connection that breaks is made again and the run begun anew, a few times; if its commit had come through, that is
    found and said.

    Parameters
    ----------
    clock : tells the time; for the ledger and the age of the release alone, no score depends on it

    Raises
    ------
    ReleaseRefused
        There is no champion, or its files are not those that were registered.
    AuditRefused
        The run's own checks failed; nothing was published.
    LockHeld
        Another run is at work, or published first.
    ConfigError
        Another release's or configuration's run is published for this as_of, and no reason to supersede it is given.
    """
    mine: list[str] = []
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _Scoring(store, settings, as_of, clock, job, progress, mine).run(tracking)
        except StoreLost:
            if attempt == _ATTEMPTS:
                raise
            store.reconnect()
    raise AssertionError("the last attempt returns or raises")


def cache_of(settings: Settings) -> ReleaseCache:
    """Where verified copies of releases are kept."""
    return ReleaseCache(Path(settings.release.cache))


@dataclass
class _Scoring:
    """One attempt at one run."""

    store: LeadStore
    settings: Settings
    as_of: datetime
    clock: Clock
    job: Job
    progress: Progress
    mine: list[str]
    """The ids of this run's attempts, for one of them may have been published."""
    started: float = field(default_factory=time.monotonic)

    def run(self, tracking: Tracking) -> ScoreReport:
        reached("score: before the lock")
        with self._lock():
            reached("score: after the lock")
            active = self._active(tracking)
            before = publishing.published_run(self.store, as_of=self.as_of)
            if before and not self.job.dry_run:
                if before.run_id in self.mine:
                    return self._found(
                        before, active, "published", "the connection broke after the commit: it came through"
                    )
                same = (before.release_digest, before.config_digest) == (active.digest, self.settings.digest())
                # With a reason the same release scores again: leads may have been imported late.
                if same and self.job.supersede is None:
                    told = "published before by the same release and configuration: nothing to do"
                    return self._found(before, active, "unchanged", told)
                self._refuse_other(before, active)
            return self._scored(active)

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        if self.job.dry_run:
            yield
            return
        with ledger.locked(self.store, "score", wait_seconds=self.job.lock_timeout_seconds):
            yield

    def _active(self, tracking: Tracking) -> Active:
        chosen = self.job.release or champion.champion_of(self.store)
        if chosen is None:
            raise ReleaseRefused(
                f"No version is champion in the store {self.store.where}. Train one (leadscore train) and let it "
                "through (leadscore promote VERSION)."
            )
        now = self.clock()
        active = active_release.load(
            self.store, tracking, cache_of(self.settings), chosen, now=now,
            max_stale_days=self.settings.release.max_stale_days,
        )  # fmt: skip
        minutes = minutes_off(self.store, now=now)
        if minutes is not None:
            sentence = f"The database's clock is {minutes:+.0f} minutes off this machine's. Set one of them."
            active.warn(CLOCK_SKEW, sentence)
        return active

    def _refuse_other(self, before: publishing.PublishedRun, active: Active) -> None:
        if self.job.supersede is None:
            raise ConfigError(
                f"Version {before.model_version} is published for {self.as_of:%Y-%m-%d %H:%M} UTC, under another "
                f"release or configuration than version {active.version} would be. To publish over it, give "
                "--supersede --reason 'REASON'; the old scores stay in the store."
            )

    def _scored(self, active: Active) -> ScoreReport:
        job, run_id = self.job, uuid.uuid4().hex
        if not job.dry_run:
            self.mine.append(run_id)
            publishing.begin_run(
                self.store,
                run_id=run_id,
                as_of=self.as_of,
                mode=job.mode,
                model_version=active.version,
                release_digest=active.digest,
                config_digest=self.settings.digest(),
                now=self.clock(),
                flags=active.flags,
            )
        try:
            with self.store.snapshot() as frozen:
                counts, rows, night, new = self._score_all(frozen, active, None if job.dry_run else run_id)
            reached("score: after staging")
            checked: list[str] = []
            if job.dry_run:
                # Nothing is audited, but whoever tries a release wants to know whether the night would come through.
                brake = self.settings.score.most_stage_changes_share
                if stopped := stage_changes.would_stop(stage_changes.changes(rows, night), most_share=brake):
                    active.warn(STAGE_CHANGES, stopped)
            else:
                counts, checked = self._published(counts, new, active, run_id)
        except BaseException as error:
            if not job.dry_run:
                ledger.end(self.store, run_id, ledger.ended_as(error), message=ledger.in_words(error), now=self.clock())
            raise
        return self._report(
            "dry run" if job.dry_run else "published", active, None if job.dry_run else run_id, counts, rows,
            night=night, new=new, checked=checked, overridden=_counted(rows["overridden"]),
        )  # fmt: skip

    def _published(
        self, counts: Counts, new: dict[str, float], active: Active, run_id: str
    ) -> tuple[Counts, list[str]]:
        audit = publishing.audit(
            self.store,
            counts,
            run_id=run_id,
            as_of=self.as_of,
            limits=limits_of(self.settings),
            new_categories=new,
            accept=self.job.accept_drift,
        )
        for warning in audit.warnings:
            active.warn("drift_accepted" if self.job.accept_drift else "new_categories", warning)
        reasons = [text for text in (self.job.supersede, self.job.accept_drift) if text]
        counts = publishing.publish(
            self.store,
            counts,
            run_id=run_id,
            as_of=self.as_of,
            reason=" ".join(reasons) or "scored",
            message=" ".join([*reasons, *active.warnings]),
            flags=active.flags,
            now=self.clock(),
        )
        return counts, audit.checked

    def _score_all(
        self, frozen: LeadStore, active: Active, stage_as: str | None
    ) -> tuple[Counts, pd.DataFrame, Night | None, dict[str, float]]:
        """Score range by range, into staging unless it is a dry run; a few columns per lead are kept in memory."""
        release: Release = active.release
        moment = microseconds(self.as_of)
        inventory = frozen.inventory(until=moment)
        for sentence in inventory.left_out:
            active.warn(ROWS_LEFT_OUT, sentence)
        kinds = kinds_of(inventory.event_types, self.settings.events.kinds)
        voluntary = voluntary_types(inventory, kinds, self.settings.cohort.voluntary_kinds)
        columns, decisions = catalogue_of(release.contract), policy(self.settings)
        night = stage_changes.night_before(frozen, as_of=self.as_of)
        card = card_for(self.settings, inventory)
        worth = worth_of(self.settings, inventory, decisions)
        how: dict[str, Any] = {"columns": columns, "kinds": kinds, "policy": decisions}

        def read(first: str, last: str) -> tuple[LeadTables, Cohort, LastNight | None]:
            tables = frozen.read(first, last)
            asked = pd.DataFrame({"lead_id": tables.leads.column("lead_id").to_pandas(), "as_of": moment})
            target = release.contract.target_stage
            cohort = eligible(tables, asked, target_stage=target, voluntary_types=voluntary)
            return tables, cohort, stage_changes.recommended(frozen, night, first, last)

        def asking() -> Iterator[pd.DataFrame]:
            for first, last in ranges:
                tables, cohort, last_night = read(first, last)
                brings = worth(tables, cohort.snapshots)
                assert brings is not None  # they ask only where stages go by economics
                yield candidates(release, tables, cohort.snapshots, last_night=last_night, worth=brings, **how)

        excluded: Counter[str] = Counter()
        quarantined: Counter[str] = Counter()
        new: dict[str, float] = {}
        leads_in, kept = 0, []
        ranges = frozen.lead_ranges(size=self.settings.score.range_leads)
        # Who finds a place with sales is known when all leads are. Where places are counted, all are read, described
        # and predicted twice; the reasons, which take the longest, are made once.
        cut = cut_of_night(asking(), decisions)
        for done, (first, last) in enumerate(ranges):
            tables, cohort, last_night = read(first, last)
            leads_in += tables.leads.num_rows
            excluded.update(cohort.excluded)
            scores, more = score(
                release, tables, cohort.snapshots, last_night=last_night, worth=worth(tables, cohort.snapshots),
                cut=cut, **how,
            )  # fmt: skip
            finite = cohort.snapshots["lead_id"].isin(scores["lead_id"]).to_numpy(bool)
            if not finite.all():
                quarantined[NOT_FINITE] += int((~finite).sum())
            for name, share in more.items():
                new[name] = max(share, new.get(name, 0.0))
            if stage_as is not None:
                told = scores.drop(columns="overridden")
                told = self._with_points(told, card, frozen, tables, cohort.snapshots, moment)
                publishing.stage(self.store, told, run_id=stage_as, model_version=active.version)
                reached("score: mid staging")
            kept.append(stage_changes.compared(scores, last_night)[_KEPT])
            self.progress(done + 1, len(ranges))
        rows = pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=_KEPT)
        return Counts(leads_in, len(rows), dict(excluded), dict(quarantined)), rows, night, new

    def _with_points(
        self,
        scores: pd.DataFrame,
        card: PointsCard | None,
        frozen: LeadStore,
        tables: LeadTables,
        snapshots: pd.DataFrame,
        moment: int,
    ) -> pd.DataFrame:
        """Marketing's points beside the probability; a stage from them only where a card says how."""
        leads = scores["lead_id"]
        if card is not None:
            counted = card.count(tables, snapshots).reindex(leads)
            return scores.assign(points=counted["points"].to_numpy(), points_stage=counted["points_stage"].to_numpy())
        if not len(leads):
            return scores.assign(points=pd.Series(dtype="float64"))
        points = frozen.points_as_of(str(leads.min()), str(leads.max()), as_of=moment)
        return scores.assign(points=leads.map(points).astype("float64"))

    def _found(self, before: publishing.PublishedRun, active: Active, status: str, told: str) -> ScoreReport:
        """The report of a run that is there already."""
        rows = self.store.arrow(
            "SELECT lead_id, probability, band, recommended_stage, stage_reason FROM scores WHERE run_id = $1 "
            "ORDER BY lead_id",
            [before.run_id],
        ).to_pandas()
        night = stage_changes.night_before(self.store, as_of=self.as_of)
        ends = (str(rows["lead_id"].min()), str(rows["lead_id"].max())) if len(rows) else ("", "")
        rows = stage_changes.compared(rows, stage_changes.recommended(self.store, night, *ends))
        return self._report(status, active, before.run_id, before.counts, rows, night=night, new={}, checked=[told])

    def _report(
        self,
        status: str,
        active: Active,
        run_id: str | None,
        counts: Counts,
        rows: pd.DataFrame,
        *,
        night: Night | None,
        new: dict[str, float],
        checked: list[str],
        overridden: dict[str, int] | None = None,
    ) -> ScoreReport:
        return ScoreReport(
            run_id=run_id,
            as_of=self.as_of.isoformat(),
            mode=self.job.mode,
            status=status,
            model_version=active.version,
            leads_in=counts.leads_in,
            scored=counts.scored,
            excluded=dict(counts.excluded),
            quarantined=dict(counts.quarantined),
            stages=_counted(rows["recommended_stage"]),
            bands=_counted(rows["band"]),
            mean_probability=float(rows["probability"].mean()) if len(rows) else None,
            new_categories=new,
            checked=checked,
            flags=active.flags,
            warnings=active.warnings,
            seconds=round(time.monotonic() - self.started, 3),
            changes=stage_changes.changes(rows, night),
            overridden=overridden,
        )


def _counted(column: "pd.Series[Any]") -> dict[str, int]:
    return {str(name): int(count) for name, count in column.value_counts().sort_index().items()}

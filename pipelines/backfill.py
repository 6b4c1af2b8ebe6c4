"""Several nights in one go: a range of past days, or those that were missed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from features.errors import AuditRefused, ConfigError, ReleaseRefused
from pipelines import champion, nights, publishing
from pipelines.config import Settings
from pipelines.ledger import Clock
from pipelines.score import BACKFILL, CATCH_UP, NIGHTLY, Job, Progress, ScoreReport
from pipelines.score import run as score
from pipelines.status import missing_days
from pipelines.store import LeadStore
from pipelines.tracking import Tracking

Say = Callable[[str], None]


@dataclass(frozen=True)
class Skipped:
    """A day that was not scored, and why."""

    as_of: str
    status: str
    why: str


def mode_of(as_of: datetime, *, now: datetime, zone: str) -> str:
    """Nightly for a moment of today, backfill for any earlier one."""
    return NIGHTLY if nights.day_of(as_of, zone=zone) == nights.day_of(now, zone=zone) else BACKFILL


def backfill(
    store: LeadStore,
    settings: Settings,
    tracking: Tracking,
    *,
    first: date,
    last: date,
    clock: Clock,
    job: Job,
    progress: Progress = lambda _done, _total: None,
) -> Iterator[ScoreReport | Skipped]:
    """Score every day of a range, oldest first, by what was known then and with the release of today.

    A day for which another release's run is published keeps it, unless the job gives a reason to supersede it.

    Raises
    ------
    ConfigError
        The range is empty, or reaches into the future.
    """
    zone, now = settings.score.timezone, clock()
    if last > nights.day_of(now, zone=zone):
        raise ConfigError(f"--to {last} lies in the future: nothing of it is known yet. Give a past day.")
    for day in nights.days(first, last):
        as_of = nights.midnight(day, zone=zone)
        asked = replace(job, mode=mode_of(as_of, now=now, zone=zone))
        kept = _kept(store, settings, as_of, asked)
        yield kept or score(store, settings, tracking, as_of=as_of, clock=clock, job=asked, progress=progress)


def catch_up(
    store: LeadStore,
    settings: Settings,
    tracking: Tracking,
    *,
    clock: Clock,
    job: Job,
    progress: Progress = lambda _done, _total: None,
) -> Iterator[ScoreReport | Skipped]:
    """Score the days since the first published one that have no run, each with the release that was champion then.

    Today comes first: what sales calls from tomorrow on must not wait for an old day that is refused. An old day that
    is refused is reported, and the others go on.
    """
    zone, now = settings.score.timezone, clock()
    today = nights.day_of(now, zone=zone)

    def one(day: date, asked: Job) -> ScoreReport:
        as_of = nights.midnight(day, zone=zone)
        return score(store, settings, tracking, as_of=as_of, clock=clock, job=asked, progress=progress)

    missing = missing_days(store, zone=zone, now=now) or [today]
    if today in missing:
        yield one(today, replace(job, mode=NIGHTLY))
    for day in missing:
        if day == today:
            continue
        as_of = nights.midnight(day, zone=zone).isoformat()
        then = champion.active_at(store, nights.midnight(day, zone=zone))
        if then is None:
            yield Skipped(as_of, "skipped", "no version was champion then; --from and --to use today's")
            continue
        try:
            yield one(day, replace(job, mode=CATCH_UP, release=then))
        except (AuditRefused, ReleaseRefused) as error:
            yield Skipped(as_of, "refused", str(error))


def _kept(store: LeadStore, settings: Settings, as_of: datetime, job: Job) -> Skipped | None:
    before = publishing.published_run(store, as_of=as_of)
    now = job.release or champion.champion_of(store)
    if before is None or job.supersede or job.dry_run or now is None:
        return None
    if (before.release_digest, before.config_digest) == (now.digest, settings.digest()):
        return None
    why = f"version {before.model_version} is published for it; --supersede --reason 'REASON' replaces it"
    return Skipped(as_of.isoformat(), "kept", why)

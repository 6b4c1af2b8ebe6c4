"""Look a store over after a bad night: what is stuck, left over, missing or late, and what to type about it."""

import os
import socket
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from features.errors import RegistryUnreachable
from pipelines import champion, ledger
from pipelines.clocks import minutes_off
from pipelines.config import Settings
from pipelines.moments import microseconds, moment
from pipelines.score import cache_of
from pipelines.status import missing_days
from pipelines.store import LeadStore
from pipelines.tracking import CHAMPION, Tracking, ask_briefly

_ANEW: Final = "leadscore train, leadscore review VERSION, then leadscore promote VERSION"
#: A job on another machine, of which nobody here can say whether it lives, is worth a word after so long.
_LONG_HOURS: Final = 24


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be."""

    what: str
    detail: str
    next: str
    """What to type; empty when it was mended just now."""
    freed: bool = False


def examine(
    store: LeadStore, settings: Settings, tracking: Tracking, *, now: datetime, free: bool = False
) -> list[Finding]:
    """Examine a store, and with `free` end what is stuck and sweep what is left over.

    Freeing ends a job that hangs, and equally one that is still at work: it publishes nothing, and nothing published
    is lost.
    """
    return [
        *_stuck_runs(store, now=now, free=free),
        *_orphan_staging(store, free=free),
        *_damaged(store),
        *_release(store, settings, tracking),
        *_clock(store, now=now),
        *_nights(store, settings, now=now),
    ]


def _stuck_runs(store: LeadStore, *, now: datetime, free: bool) -> list[Finding]:
    running = store.rows(
        "SELECT run_id, job, host, pid, epoch_us(started_at) FROM runs WHERE status = $1 ORDER BY started_at",
        [ledger.RUNNING],
    )
    if not running:
        return []
    # Whoever holds the scoring lock is connected, at work or frozen; without a holder, every scoring run is dead.
    held = not store.engine.take_lock("score")
    if not held:
        store.engine.release_lock("score")
    found = []
    for run_id, job, host, pid, started in running:
        who = ledger.Holder(str(run_id), str(host), int(pid), moment(int(started)))
        if job == "score" and held:
            state = "is connected: at work, or frozen"
        elif job == "score" or (host == socket.gethostname() and not _alive(int(pid))):
            state = "is dead: it ended without a word"
        elif (microseconds(now) - int(started)) / 3.6e9 > _LONG_HOURS:
            state = f"has been at work for more than {_LONG_HOURS} hours"
        else:
            continue
        if free:
            if job == "score" and held:
                store.engine.free_lock("score")
            ledger.end(store, who.run_id, ledger.FAILED, message="freed by doctor", now=now)
        found.append(
            Finding("stuck run", f"{job} {who.in_words()} {state}", "" if free else "leadscore doctor --free", free)
        )
    return found


def _orphan_staging(store: LeadStore, *, free: bool) -> list[Finding]:
    count = int(store.rows(f"SELECT count(*) FROM scores_staging WHERE {ledger.ORPHANS}", [ledger.RUNNING])[0][0])
    if not count:
        return []
    if free:
        ledger.sweep_staging(store)
    return [
        Finding(
            "orphan staging",
            f"{count:,} staged rows belong to no run that is at work; no reader sees them",
            "" if free else "leadscore doctor --free",
            free,
        )
    ]


def _damaged(store: LeadStore) -> list[Finding]:
    """A published run without its rows: nothing of ours does that, so a person must look."""
    rows = store.rows(
        "SELECT p.run_id, epoch_us(p.as_of), r.scored, (SELECT count(*) FROM scores s WHERE s.run_id = p.run_id) "
        "FROM published p LEFT JOIN runs r ON r.run_id = p.run_id WHERE p.run_id IS NOT NULL ORDER BY p.as_of"
    )
    return [
        Finding(
            "damaged run",
            f"run {run_id[:8]} is published for {moment(int(as_of))} and has {have:,} of its {scored or 0:,} rows",
            f"restore a backup, or: leadscore score --as-of {moment(int(as_of))} --supersede --reason 'rows were lost'",
        )
        for run_id, as_of, scored, have in rows
        if scored is None or (scored and not have)
    ]


def _release(store: LeadStore, settings: Settings, tracking: Tracking) -> list[Finding]:
    chosen = champion.champion_of(store)
    if chosen is None:
        return [Finding("no champion", "no version was ever promoted", _ANEW)]
    again = f"leadscore promote {chosen.version}"
    found = []
    cache = cache_of(settings)
    if not cache.has(chosen.digest):
        detail = f"version {chosen.version} has no local copy in {cache.folder} that verifies"
        found.append(Finding("no local copy", detail, again))
    ask_briefly()
    try:
        alias = tracking.version_of(CHAMPION)
        if alias != chosen.version:
            detail = f"version {chosen.version} scores; the registry's champion is {alias or 'none'}"
            found.append(Finding("alias differs", detail, again))
        if not tracking.exists(chosen.version):
            detail = f"the registry has no version {chosen.version} any more; the local copy scores"
            found.append(Finding("missing release", detail, _ANEW))
    except RegistryUnreachable as error:
        found.append(
            Finding("registry unreachable", str(error), "see [tracking] uri; until then the local copy scores")
        )
    return found


def _clock(store: LeadStore, *, now: datetime) -> list[Finding]:
    minutes = minutes_off(store, now=now)
    if minutes is None:
        return []
    detail = f"the database's clock is {minutes:+.0f} minutes off this machine's"
    return [Finding("clock difference", detail, "set one of the two clocks (NTP)")]


def _nights(store: LeadStore, settings: Settings, *, now: datetime) -> list[Finding]:
    missing = missing_days(store, zone=settings.score.timezone, now=now)
    if not missing:
        return []
    days = ", ".join(map(str, missing[:5])) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
    return [Finding("missing nights", f"nothing is published for {days}", "leadscore score --catch-up")]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True

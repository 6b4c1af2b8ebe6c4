"""The run ledger: one row in `runs` for every job that writes, from its beginning to how it ended."""

import contextlib
import json
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from features.errors import LockHeld, StoreFailed, StoreLost
from pipelines.moments import moment
from pipelines.store import LeadStore

RUNNING: Final = "running"
DONE: Final = "done"
PUBLISHED: Final = "published"
FAILED: Final = "failed"
INTERRUPTED: Final = "interrupted"
#: What is said of a run that was killed, by whoever finds it.
WITHOUT_A_WORD: Final = "ended without a word"

#: Of staged rows: those of no run that is at work; $1 is RUNNING.
ORPHANS: Final = "run_id NOT IN (SELECT run_id FROM runs WHERE status = $1)"

Clock = Callable[[], datetime]
_RETRY_SECONDS: Final = 0.2


@dataclass
class Run:
    """A job at work; what it puts here is written when it ends."""

    run_id: str
    message: str = ""
    as_of: datetime | None = None
    model_version: str | None = None
    release_digest: str | None = None
    quarantined: dict[str, int] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Holder:
    """The job that holds a lock, as it wrote itself into the ledger."""

    run_id: str
    host: str
    pid: int
    since: str

    def in_words(self) -> str:
        """Host, process and since when."""
        return f"run {self.run_id[:8]} (host {self.host}, process {self.pid}, since {self.since})"


@contextlib.contextmanager
def recorded(store: LeadStore, job: str, *, clock: Clock, config_digest: str | None = None) -> Iterator[Run]:
    """Keep the row of a job that needs nothing special: done, failed or interrupted."""
    run = Run(uuid.uuid4().hex)
    begin(store, run.run_id, job, now=clock(), config_digest=config_digest)
    try:
        yield run
    except BaseException as error:
        end(store, run.run_id, ended_as(error), message=in_words(error), now=clock())
        raise
    store.change(
        "UPDATE runs SET status = $1, ended_at = $2, message = $3, as_of = $4, model_version = $5, release_digest = "
        "$6, quarantined = $7, flags = $8 WHERE run_id = $9",
        [
            DONE, clock(), run.message, run.as_of, run.model_version, run.release_digest, json.dumps(run.quarantined),
            json.dumps(run.flags), run.run_id,
        ],
    )  # fmt: skip


def begin(
    store: LeadStore,
    run_id: str,
    job: str,
    *,
    now: datetime,
    mode: str | None = None,
    as_of: datetime | None = None,
    model_version: str | None = None,
    release_digest: str | None = None,
    config_digest: str | None = None,
    fence: int | None = None,
    flags: Sequence[str] = (),
) -> None:
    """Open a row."""
    store.change(
        "INSERT INTO runs (run_id, job, mode, as_of, model_version, release_digest, config_digest, status, started_at, "
        "host, pid, fence, flags) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        [
            run_id, job, mode, as_of, model_version, release_digest, config_digest, RUNNING, now,
            socket.gethostname(), os.getpid(), fence, json.dumps(list(flags)),
        ],
    )  # fmt: skip


def end(store: LeadStore, run_id: str, status: str, *, message: str, now: datetime) -> None:
    """Close the row of a run that did not come to its end, and sweep what it staged, if the store still answers."""
    with contextlib.suppress(StoreLost, StoreFailed), store.transaction():
        store.change("DELETE FROM scores_staging WHERE run_id = $1", [run_id])
        store.change(
            "UPDATE runs SET status = $1, ended_at = $2, message = $3 WHERE run_id = $4 AND status = $5",
            [status, now, message, run_id, RUNNING],
        )


def sweep(store: LeadStore, job: str, *, now: datetime) -> int:
    """Close the rows of runs of a job that died, and what they staged; only for who holds the job's lock.

    Returns
    -------
    How many there were.
    """
    dead = store.change(
        "UPDATE runs SET status = $1, ended_at = $2, message = $3 WHERE status = $4 AND job = $5",
        [FAILED, now, WITHOUT_A_WORD, RUNNING, job],
    )
    sweep_staging(store)
    return dead


def sweep_staging(store: LeadStore) -> None:
    """Delete what is staged for no run that is at work."""
    store.change(f"DELETE FROM scores_staging WHERE {ORPHANS}", [RUNNING])


@contextlib.contextmanager
def locked(store: LeadStore, job: str, *, wait_seconds: float) -> Iterator[None]:
    """Be the only one that runs this job on this store, for the length of the block.

    The lock is a courtesy that saves work: what makes a run safe is the fence it must pass to publish.

    Raises
    ------
    LockHeld
        Another program still ran it after `wait_seconds`.
    """
    until = time.monotonic() + wait_seconds
    while not store.engine.take_lock(job):
        if time.monotonic() >= until:
            found = holder(store, job)
            who = found.in_words() if found else "it has not said who it is"
            raise LockHeld(
                f"Another {job} job is at work on {store.where}: {who}. Waited {wait_seconds:g} s (--lock-timeout). "
                "Let it end; if it hangs, 'leadscore doctor --free' ends it."
            )
        time.sleep(_RETRY_SECONDS)
    try:
        yield
    finally:
        with contextlib.suppress(StoreLost):
            store.engine.release_lock(job)


def holder(store: LeadStore, job: str) -> Holder | None:
    """The run of a job that is at work now, by its own account."""
    found = store.rows(
        "SELECT run_id, host, pid, epoch_us(started_at) FROM runs WHERE job = $1 AND status = $2 "
        "ORDER BY started_at DESC LIMIT 1",
        [job, RUNNING],
    )
    return Holder(str(found[0][0]), str(found[0][1]), int(found[0][2]), moment(int(found[0][3]))) if found else None


def ended_as(error: BaseException) -> str:
    """The status of a run that an error ended."""
    return INTERRUPTED if isinstance(error, KeyboardInterrupt) else FAILED


def in_words(error: BaseException) -> str:
    """An error as the ledger keeps it: its class and its first line."""
    text: Any = str(error).splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__

"""Write, audit, publish: scores go to staging, are audited, and become visible in one transaction, or not at all.

`published` says which run counts for an as_of, and every change of it raises its fence. A run remembers the fence it
saw when it began and must find it unchanged to publish: one that slept while another published comes too late, and
nothing of it is seen. Rows of `scores` are only ever added; what readers see is moved by the pointer alone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import pandas as pd
import pyarrow as pa

from features.cohort import OBJECTS
from features.errors import AuditRefused, LockHeld, ReleaseRefused
from pipelines import ledger
from pipelines.failpoints import reached
from pipelines.stage_changes import LEAST_LEADS, moved_too_far, night_before
from pipelines.store import EPOCH, LeadStore

_TIME: Final = pa.timestamp("us", tz="UTC")
WITHDRAWN: Final = "withdrawn"
ERASED: Final = "erased during the run"
GONE: Final = "gone during the run"


@dataclass(frozen=True)
class Counts:
    """The account of a run: every lead is scored, excluded or quarantined, and each is counted once."""

    leads_in: int
    scored: int
    excluded: Mapping[str, int]
    quarantined: Mapping[str, int]

    def balances(self) -> bool:
        """leads_in = scored + excluded (by reason) + quarantined (by reason)."""
        return self.leads_in == self.scored + sum(self.excluded.values()) + sum(self.quarantined.values())


@dataclass(frozen=True)
class PublishedRun:
    """The run that counts for an as_of."""

    run_id: str
    model_version: str
    release_digest: str
    config_digest: str
    counts: Counts


@dataclass(frozen=True)
class Limits:
    """How far a run may move from the one before it; `[score]` of the settings."""

    least_volume_share: float
    most_volume_factor: float
    most_mean_factor: float
    most_new_category_share: float
    warn_new_category_share: float
    most_stage_changes_share: float


@dataclass(frozen=True)
class Audit:
    """What the audit checked, in words, and what it only warns of."""

    checked: list[str]
    warnings: list[str]


def begin_run(
    store: LeadStore,
    *,
    run_id: str,
    as_of: datetime,
    mode: str,
    model_version: str,
    release_digest: str,
    config_digest: str,
    now: datetime,
    flags: list[str] | None = None,
) -> None:
    """Open a row in the ledger with the fence as it is now, and sweep what earlier runs that died left behind."""
    with store.transaction():
        ledger.sweep(store, "score", now=now)
        ledger.begin(
            store,
            run_id,
            "score",
            now=now,
            mode=mode,
            as_of=as_of,
            model_version=model_version,
            release_digest=release_digest,
            config_digest=config_digest,
            fence=fence_of(store, as_of=as_of),
            flags=flags or [],
        )


def fence_of(store: LeadStore, *, as_of: datetime) -> int:
    """How often what is published for an as_of has changed; 0 when nothing ever was."""
    found = store.rows("SELECT fence FROM published WHERE as_of = $1", [as_of])
    return int(found[0][0]) if found else 0


def published_run(store: LeadStore, *, as_of: datetime) -> PublishedRun | None:
    """The run published for an as_of, None when there is none."""
    rows = store.rows(
        "SELECT r.run_id, r.model_version, r.release_digest, r.config_digest, r.leads_in, r.scored, r.excluded, "
        "r.quarantined FROM published p JOIN runs r ON r.run_id = p.run_id WHERE p.as_of = $1",
        [as_of],
    )
    if not rows:
        return None
    run, version, release, config, leads_in, scored, excluded, quarantined = rows[0]
    counts = Counts(int(leads_in), int(scored), json.loads(excluded), json.loads(quarantined))
    return PublishedRun(str(run), str(version), str(release), str(config), counts)


def stage(store: LeadStore, scores: pd.DataFrame, *, run_id: str, model_version: str) -> None:
    """Put scored leads into staging, where no reader looks."""
    table = pa.Table.from_pandas(scores.assign(run_id=run_id, model_version=model_version), preserve_index=False)
    place = table.schema.get_field_index("as_of")
    store.engine.load("scores_staging", table.set_column(place, "as_of", table.column("as_of").cast(_TIME)))


def audit(
    store: LeadStore,
    counts: Counts,
    *,
    run_id: str,
    as_of: datetime,
    limits: Limits,
    new_categories: Mapping[str, float] | None = None,
    accept: str | None = None,
) -> Audit:
    """Check what is staged before anyone sees it.

    Parameters
    ----------
    new_categories : column -> how many more leads than in training have a category that training never saw (share)
    accept : the reason for which a person accepts a jump of volume, level, categories or stages; the account must
        balance all the same

    Raises
    ------
    AuditRefused
        The account does not balance, a probability is none, or volume, level, categories or stages moved too far.
    """
    staged, distinct, bad, mean, different = store.rows(
        "SELECT count(*), count(DISTINCT lead_id), count(*) FILTER (WHERE probability IS NULL OR NOT (probability >= 0 "
        "AND probability <= 1) OR probability_low > probability OR probability_high < probability), avg(probability), "
        "count(DISTINCT probability) FROM scores_staging WHERE run_id = $1",
        [run_id],
    )[0]
    reached("score: mid audit")
    if not store.rows("SELECT 1 FROM runs WHERE run_id = $1 AND status = $2", [run_id, ledger.RUNNING]):
        raise _too_late(store, run_id, as_of)  # another took it for dead, and swept what it had staged
    if staged != counts.scored or distinct != staged or not counts.balances():
        raise AuditRefused(
            f"The run does not balance: {counts.leads_in:,} leads in, {staged:,} rows staged of {distinct:,} leads, "
            f"{counts.scored:,} scored, excluded {dict(counts.excluded)}, quarantined {dict(counts.quarantined)}. "
            "Nothing was published."
        )
    if bad:
        raise AuditRefused(f"{bad:,} staged rows have no probability between 0 and 1. Nothing was published.")
    if staged == 0:
        raise AuditRefused(
            f"No lead is eligible: excluded {dict(counts.excluded)}. Nothing was published; what was published before "
            "stays. Is the import up to date, and --as-of the right day?"
        )
    checked = ["the account balances", "every probability lies in its interval, in [0, 1]"]
    refusals: list[str] = []
    warnings: list[str] = []
    if different == 1 and staged >= LEAST_LEADS:
        refusals.append(f"All {staged:,} leads have one and the same probability: what tells them apart is missing.")
    night = night_before(store, as_of=as_of)
    before = store.rows(
        "SELECT count(*), avg(probability) FROM scores WHERE run_id = $1", [night.run_id if night else ""]
    )
    if night and before[0][0]:
        volume, level = int(before[0][0]), float(before[0][1])
        for said, unlike in (
            _compare(staged, float(mean), volume, level, limits),
            moved_too_far(store, run_id, night, most_share=limits.most_stage_changes_share, least_leads=LEAST_LEADS),
        ):
            refusals += unlike
            checked += [] if unlike else [said]
    for column, share in (new_categories or {}).items():
        text = f"{share:.0%} more leads than in training have an unknown category in {column}"
        if share > limits.most_new_category_share:
            refusals.append(f"{text}, more than [score] most_new_category_share = {limits.most_new_category_share:g}.")
        elif share > limits.warn_new_category_share:
            warnings.append(text)
    if refusals and accept is None:
        raise AuditRefused(
            f"{' '.join(refusals)} Nothing was published; what was published before stays. Look at what was imported "
            "since. If the leads really are like that, publish with --accept-drift 'REASON'."
        )
    warnings += [f"accepted ({accept}): {text}" for text in refusals]
    return Audit(checked, warnings)


def _compare(staged: int, mean: float, volume: int, level: float, limits: Limits) -> tuple[str, list[str]]:
    unlike = []
    if staged < limits.least_volume_share * volume:
        unlike.append(
            f"Only {staged:,} leads scored, after {volume:,} in the run before: less than [score] least_volume_share = "
            f"{limits.least_volume_share:g}. Is the import complete?"
        )
    if staged > limits.most_volume_factor * volume:
        unlike.append(
            f"{staged:,} leads scored, after {volume:,} in the run before: more than [score] most_volume_factor = "
            f"{limits.most_volume_factor:g} times as many. Were leads imported twice under other ids?"
        )
    if not level / limits.most_mean_factor <= mean <= level * limits.most_mean_factor:
        unlike.append(
            f"The mean probability moved from {level:.4f} to {mean:.4f}, by more than [score] most_mean_factor = "
            f"{limits.most_mean_factor:g}."
        )
    return f"volume ({staged:,} after {volume:,}) and level ({mean:.4f} after {level:.4f}) within limits", unlike


def publish(
    store: LeadStore,
    counts: Counts,
    *,
    run_id: str,
    as_of: datetime,
    reason: str,
    message: str,
    flags: list[str],
    now: datetime,
) -> Counts:
    """Make the staged run the one that counts for its as_of: one transaction, everything or nothing.

    Parameters
    ----------
    reason : why, for the log of publications
    message, flags : what was odd, for the ledger

    Returns
    -------
    The final account: leads that objected, were erased or vanished while the run was on its way are left out of it.

    Raises
    ------
    LockHeld
        Another run was published for this as_of since this one began, or swept it away as dead.
    ReleaseRefused
        The release was withdrawn since.
    """
    columns = (
        "run_id, lead_id, as_of, probability, probability_low, probability_high, band, recommended_stage, "
        "stage_reason, needs_confirmation, reasons, points, points_stage, model_version"
    )
    reached("score: before publishing")
    with store.transaction():
        # A lead that is being erased at this moment is gone before, or is erased from what is published here.
        store.engine.serialised()
        counts = _without_the_gone(store, counts, run_id)
        inserted = store.change(
            # Share of scored leads with at most this probability: needs them all, so it is taken here.
            f"INSERT INTO scores ({columns}, percentile) SELECT {columns}, 100 * cume_dist() OVER (ORDER BY "
            "probability) FROM scores_staging WHERE run_id = $1",
            [run_id],
        )
        ended = store.change(
            "UPDATE runs SET status = $1, ended_at = $2, leads_in = $3, scored = $4, excluded = $5, quarantined = $6, "
            "flags = $7, message = $8 WHERE run_id = $9 AND status = $10",
            [
                ledger.PUBLISHED, now, counts.leads_in, counts.scored, json.dumps(dict(counts.excluded)),
                json.dumps(dict(counts.quarantined)), json.dumps(flags), message, run_id, ledger.RUNNING,
            ],
        )  # fmt: skip
        reached("score: before the pointer")
        if inserted != counts.scored or not ended or not _moved(store, run_id, as_of=as_of, now=now):
            raise _too_late(store, run_id, as_of)
        _refuse_withdrawn(store, run_id)
        _log(store, as_of=as_of, now=now, reason=reason)
        store.change("DELETE FROM scores_staging WHERE run_id = $1", [run_id])
        reached("score: after the pointer")
    reached("score: after the commit")
    return counts


def _without_the_gone(store: LeadStore, counts: Counts, run_id: str) -> Counts:
    """A lead that objected, was erased or vanished since the run read it is dropped, and counted as such."""
    excluded = dict(counts.excluded)
    for reason, where in (
        (ERASED, "lead_id IN (SELECT lead_id FROM tombstones)"),
        (OBJECTS, f"lead_id IN (SELECT lead_id FROM {store.source('objections')})"),
        (GONE, f"lead_id NOT IN (SELECT lead_id FROM {store.source('leads')})"),
    ):
        dropped = store.change(f"DELETE FROM scores_staging WHERE run_id = $1 AND {where}", [run_id])
        if dropped:
            excluded[reason] = excluded.get(reason, 0) + dropped
    return replace(
        counts, scored=counts.leads_in - sum(excluded.values()) - sum(counts.quarantined.values()), excluded=excluded
    )


def _moved(store: LeadStore, run_id: str, *, as_of: datetime, now: datetime) -> bool:
    """Point the as_of at the run, if its fence is still the one the run saw when it began."""
    seen = int(store.rows("SELECT fence FROM runs WHERE run_id = $1", [run_id])[0][0])
    if seen == 0:
        statement = (
            "INSERT INTO published (as_of, run_id, fence, published_at) VALUES ($1, $2, 1, $3) ON CONFLICT DO NOTHING"
        )
        return store.change(statement, [as_of, run_id, now]) == 1
    statement = "UPDATE published SET run_id = $2, fence = fence + 1, published_at = $3 WHERE as_of = $1 AND fence = $4"
    return store.change(statement, [as_of, run_id, now, seen]) == 1


def _too_late(store: LeadStore, run_id: str, as_of: datetime) -> LockHeld:
    winner = store.rows("SELECT run_id FROM published WHERE as_of = $1", [as_of])
    who = f"run {winner[0][0][:8]} was published" if winner and winner[0][0] else "another run took over"
    return LockHeld(
        f"Run {run_id[:8]} comes too late: {who} for {as_of:%Y-%m-%d %H:%M} UTC while it was at work. Nothing of it "
        "was published; what the other published stands."
    )


def _refuse_withdrawn(store: LeadStore, run_id: str) -> None:
    found = store.rows(
        "SELECT r.model_version FROM runs u JOIN releases r ON r.model_version = u.model_version WHERE u.run_id = $1 "
        "AND r.status = $2",
        [run_id, WITHDRAWN],
    )
    if found:
        raise ReleaseRefused(
            f"Version {found[0][0]} was withdrawn while it scored. Nothing was published. Run 'leadscore score' again: "
            "it takes the version that is champion now."
        )


def _log(store: LeadStore, *, as_of: datetime, now: datetime, reason: str) -> None:
    """Keep what `published` says of an as_of from now on."""
    store.change(
        "INSERT INTO publications (as_of, fence, run_id, published_at, reason) "
        "SELECT as_of, fence, run_id, $2, $3 FROM published WHERE as_of = $1",
        [as_of, now, reason],
    )


def withdraw(store: LeadStore, *, digest: str, reason: str, now: datetime) -> tuple[int, int]:
    """Inside a transaction: take back what a release published; each as_of returns to the run before, or to none.

    Returns
    -------
    (as_ofs that went back to an earlier run, as_ofs for which nothing is published any more)
    """
    back = none = 0
    moments = store.rows(
        "SELECT epoch_us(p.as_of), p.fence FROM published p JOIN runs r ON r.run_id = p.run_id WHERE r.release_digest "
        "= $1 ORDER BY p.as_of",
        [digest],
    )
    for as_of_us, fence in moments:
        earlier = store.rows(
            "SELECT l.run_id FROM publications l JOIN runs r ON r.run_id = l.run_id WHERE epoch_us(l.as_of) = $1 AND "
            "r.release_digest <> $2 AND r.model_version NOT IN (SELECT model_version FROM releases WHERE status = $3) "
            "ORDER BY l.fence DESC LIMIT 1",
            [as_of_us, digest, WITHDRAWN],
        )
        run = str(earlier[0][0]) if earlier else None
        store.change(
            "UPDATE published SET run_id = $1, fence = fence + 1, published_at = $2 WHERE epoch_us(as_of) = $3 AND "
            "fence = $4",
            [run, now, as_of_us, fence],
        )
        _log(store, as_of=EPOCH + timedelta(microseconds=int(as_of_us)), now=now, reason=reason)
        back, none = back + (run is not None), none + (run is None)
    return back, none

"""Write, audit, publish: scores go to staging, are audited, and become visible in one transaction, or not at all."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from features.errors import AuditRefused
from pipelines.store import LeadStore

_TIME: Final = pa.timestamp("us", tz="UTC")


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


def begin_run(
    store: LeadStore,
    *,
    run_id: str,
    as_of: datetime,
    model_version: str,
    release_digest: str,
    config_digest: str,
    now: datetime,
) -> None:
    """Open a row in the ledger, and sweep what an earlier run that died left in staging."""
    with store.transaction():
        store.connection.execute("DELETE FROM scores_staging")
        store.connection.execute(
            "UPDATE runs SET status = 'failed', ended_at = ?, message = 'ended without a word' "
            "WHERE status = 'running' AND job = 'score'",
            [now],
        )
        store.connection.execute(
            "INSERT INTO runs (run_id, job, as_of, model_version, release_digest, config_digest, status, started_at) "
            "VALUES (?, 'score', ?, ?, ?, ?, 'running', ?)",
            [run_id, as_of, model_version, release_digest, config_digest, now],
        )


def fail_run(store: LeadStore, *, run_id: str, message: str, now: datetime) -> None:
    """Close a run that published nothing."""
    with store.transaction():
        store.connection.execute("DELETE FROM scores_staging WHERE run_id = ?", [run_id])
        store.connection.execute(
            "UPDATE runs SET status = 'failed', ended_at = ?, message = ? WHERE run_id = ?", [now, message, run_id]
        )


def published_run(store: LeadStore, *, as_of: datetime) -> PublishedRun | None:
    """The run published for an as_of, None when there is none."""
    rows = store.rows(
        "SELECT r.run_id, r.model_version, r.release_digest, r.config_digest, r.leads_in, r.scored, r.excluded, "
        "r.quarantined FROM published p JOIN runs r ON r.run_id = p.run_id WHERE p.as_of = ?",
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
    table = table.set_column(place, "as_of", table.column("as_of").cast(_TIME))
    names = ", ".join(table.column_names)
    store.connection.register("incoming", table)
    try:
        store.connection.execute(f"INSERT INTO scores_staging ({names}) SELECT {names} FROM incoming")
    finally:
        store.connection.unregister("incoming")


def audit(
    store: LeadStore,
    counts: Counts,
    *,
    run_id: str,
    as_of: datetime,
    least_volume_share: float,
    most_mean_factor: float,
) -> list[str]:
    """Check what is staged before anyone sees it.

    Returns
    -------
    What was checked, in words.

    Raises
    ------
    AuditRefused
        The account does not balance, a probability is none, or volume or level moved too far since the last run.
    """
    staged, distinct, bad, mean = store.rows(
        "SELECT count(*), count(DISTINCT lead_id), count(*) FILTER (WHERE probability IS NULL OR NOT (probability >= 0 "
        "AND probability <= 1) OR probability_low > probability OR probability_high < probability), avg(probability) "
        "FROM scores_staging WHERE run_id = ?",
        [run_id],
    )[0]
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
    before = store.rows(
        "SELECT count(*), avg(s.probability), epoch_us(p.as_of) FROM published p JOIN scores s ON s.run_id = p.run_id "
        "WHERE p.as_of = (SELECT max(as_of) FROM published WHERE as_of < ?) GROUP BY p.as_of",
        [as_of],
    )
    if before:
        volume, level = int(before[0][0]), float(before[0][1])
        if staged < least_volume_share * volume:
            raise AuditRefused(
                f"Only {staged:,} leads scored, after {volume:,} in the run before: less than [score] "
                f"least_volume_share = {least_volume_share:g}. Nothing was published. Is the import complete?"
            )
        if not level / most_mean_factor <= mean <= level * most_mean_factor:
            raise AuditRefused(
                f"The mean probability moved from {level:.4f} to {mean:.4f}, by more than [score] most_mean_factor = "
                f"{most_mean_factor:g}. Nothing was published. Look at what was imported since."
            )
        checked.append(f"volume ({staged:,} after {volume:,}) and level ({mean:.4f} after {level:.4f}) within limits")
    return checked


def publish(store: LeadStore, counts: Counts, *, run_id: str, as_of: datetime, message: str, now: datetime) -> None:
    """Make the staged run the one that counts for its as_of: one transaction, everything or nothing.

    Raises
    ------
    AuditRefused
        Another run was published for this as_of since this one began.
    """
    columns = (
        "run_id, lead_id, as_of, probability, probability_low, probability_high, band, recommended_stage, "
        "stage_reason, needs_confirmation, reasons, points, points_stage, model_version"
    )
    with store.transaction():
        # A lead that objected, or was erased, since the run read it must not be published.
        gone = store.rows(
            "SELECT count(*) FROM scores_staging WHERE run_id = ? AND (lead_id IN (SELECT lead_id FROM objections) OR "
            "lead_id IN (SELECT lead_id FROM tombstones))",
            [run_id],
        )[0][0]
        if gone:
            raise AuditRefused(f"{gone:,} leads objected or were erased during the run. Run it again.")
        store.connection.execute(
            # Share of scored leads with at most this probability: needs them all, so it is taken here.
            f"INSERT INTO scores ({columns}, percentile) "
            f"SELECT {columns}, 100 * cume_dist() OVER (ORDER BY probability) FROM scores_staging WHERE run_id = ?",
            [run_id],
        )
        store.connection.execute("DELETE FROM scores_staging WHERE run_id = ?", [run_id])
        store.connection.execute(
            "INSERT INTO published (as_of, run_id, fence, published_at) VALUES (?, ?, 1, ?) ON CONFLICT (as_of) "
            "DO UPDATE SET run_id = excluded.run_id, fence = published.fence + 1, published_at = excluded.published_at",
            [as_of, run_id, now],
        )
        store.connection.execute(
            "UPDATE runs SET status = 'published', ended_at = ?, leads_in = ?, scored = ?, excluded = ?, "
            "quarantined = ?, message = ? WHERE run_id = ?",
            [
                now,
                counts.leads_in,
                counts.scored,
                json.dumps(dict(counts.excluded)),
                json.dumps(dict(counts.quarantined)),
                message,
                run_id,
            ],
        )


def current_score(store: LeadStore, lead_id: str) -> dict[str, Any] | None:
    """What is published of a lead now, None when nothing is."""
    rows = store.arrow(
        "SELECT lead_id, epoch_us(as_of) AS as_of, probability, probability_low, probability_high, percentile, band, "
        "recommended_stage, stage_reason, needs_confirmation, reasons, points, model_version "
        "FROM current_scores WHERE lead_id = $lead",
        {"lead": lead_id},
    ).to_pylist()
    return rows[0] | {"reasons": json.loads(rows[0]["reasons"])} if rows else None

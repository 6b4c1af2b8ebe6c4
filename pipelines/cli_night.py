"""The commands of every night, and of the morning after: score, roll back, look, mend, forget.

As in `cli.py`: arguments in, messages and JSON out, no logic.
"""

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from pipelines.command_line import (
    AsOf,
    Config,
    DryRun,
    Json,
    LockTimeout,
    Store,
    day_of,
    given,
    moment_of,
    now_utc,
    opened,
    print_json,
    progress_bar,
    recorded,
    say,
    settings_of,
    tracking_of,
    warn,
)


def rollback(
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept with what was published.")],
    store: Store = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Bring back the version before the champion, and the scores it had published, in one transaction."""
    from pipelines.promote import rollback as run
    from pipelines.score import cache_of

    settings = settings_of(config, store)
    with opened(settings) as leads, recorded(leads, "rollback", settings) as row:
        done = run(leads, tracking_of(settings), cache_of(settings), reason=given(reason, "--reason"), now=now_utc())
        row.model_version, row.message = done.version, f"withdrawn: version {done.withdrawn}; {reason}"
    if as_json:
        print_json(asdict(done))
    else:
        warn(done.warnings)
        say(
            f"Version {done.version} is champion again, version {done.withdrawn} is withdrawn. {done.back} published "
            f"days show the run before it again; for {done.none} nothing is published any more."
        )


def score(
    store: Store = None,
    config: Config = None,
    as_of: AsOf = None,
    first: Annotated[str | None, typer.Option("--from", help="Back-fill: the first day; needs --to.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Back-fill: the last day, included; needs --from.")] = None,
    catch_up: Annotated[bool, typer.Option("--catch-up", help="Score the days that were missed, and today.")] = False,
    dry_run: DryRun = False,
    supersede: Annotated[
        bool, typer.Option("--supersede", help="Publish over another release's run; needs --reason.")
    ] = False,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; it is kept with the run.")] = None,
    accept_drift: Annotated[
        str | None, typer.Option("--accept-drift", help="Reason for publishing though volume, level or stages jumped.")
    ] = None,
    lock_timeout: LockTimeout = None,
    as_json: Json = False,
) -> None:
    """Score the eligible leads as of a day (default: today's midnight in score.timezone) and publish."""
    from features.errors import ConfigError
    from pipelines import backfill, metrics_file, nights
    from pipelines.report import print_scoring, print_skipped
    from pipelines.score import Job, ScoreReport
    from pipelines.score import run as score_one

    settings = settings_of(config, store)
    if supersede and not reason:
        raise ConfigError("--supersede needs --reason 'WHY': it is kept with the run.")
    if reason and not supersede:
        raise ConfigError("--reason says why a run is superseded: it goes with --supersede.")
    if (first is None) != (last is None):
        raise ConfigError("A back-fill names both ends: --from DAY --to DAY.")
    if sum([as_of is not None, first is not None, catch_up]) > 1:
        raise ConfigError("--as-of, --from with --to, and --catch-up exclude one another: give one of them.")
    wait = settings.store.lock_timeout_seconds if lock_timeout is None else lock_timeout
    job = Job(
        dry_run=dry_run,
        supersede=given(reason, "--reason") if reason is not None else None,
        accept_drift=given(accept_drift, "--accept-drift") if accept_drift is not None else None,
        lock_timeout_seconds=wait,
    )
    now, zone = now_utc(), settings.score.timezone
    moment = moment_of(as_of, settings) if as_of else nights.midnight(nights.day_of(now, zone=zone), zone=zone)
    if moment > now:
        raise ConfigError(f"--as-of {as_of} lies in the future: nothing of it is known yet. Give a past moment.")
    days = (day_of(first, "--from"), day_of(last, "--to")) if first is not None and last is not None else None
    done: list[ScoreReport | backfill.Skipped] = []
    with opened(settings, wait_seconds=wait) as leads, progress_bar("Scoring leads") as progress:
        asked = (leads, settings, tracking_of(settings))
        if days is not None:
            reports = backfill.backfill(*asked, first=days[0], last=days[1], clock=now_utc, job=job, progress=progress)
        elif catch_up:
            reports = backfill.catch_up(*asked, clock=now_utc, job=job, progress=progress)
        else:
            job = replace(job, mode=backfill.mode_of(moment, now=now, zone=zone))
            reports = iter([score_one(*asked, as_of=moment, clock=now_utc, job=job, progress=progress)])
        for report in reports:
            done.append(report)
            if isinstance(report, ScoreReport):
                warn(report.warnings)
                warn(metrics_file.write(settings.score.metrics_file, report, now=now_utc()))
            if as_json:
                continue
            if isinstance(report, ScoreReport):
                print_scoring(report)
            else:
                print_skipped(report)
    if as_json:
        plain = [asdict(report) for report in done]
        print_json(plain if days is not None or catch_up else plain[0])


def status(store: Store = None, config: Config = None, as_json: Json = False) -> None:
    """Say what the store holds, which runs there were, what is published, and which nights are missing."""
    from pipelines.report import print_status
    from pipelines.status import status_of

    settings = settings_of(config, store)
    with opened(settings, read_only=True) as leads:
        facts = status_of(leads, zone=settings.score.timezone, now=now_utc())
    if as_json:
        print_json(facts)
    else:
        print_status(facts)


def doctor(
    free: Annotated[
        bool, typer.Option("--free", help="End what hangs, sweep what is left over; nothing published is lost.")
    ] = False,
    store: Store = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Look for stuck runs, leftovers, missing releases and nights; say what to type. Exit code 1 if any is left."""
    from pipelines.doctor import examine
    from pipelines.report import print_findings

    settings = settings_of(config, store)
    with opened(settings) as leads:
        found = examine(leads, settings, tracking_of(settings), now=now_utc(), free=free)
    if as_json:
        print_json([asdict(finding) for finding in found])
    else:
        print_findings(found)
    if any(not finding.freed for finding in found):
        raise typer.Exit(1)


def erase(
    lead_id: Annotated[str, typer.Argument(help="The lead that asked to be forgotten.")],
    compact: Annotated[
        bool, typer.Option("--compact", help="DuckDB: also write the file anew, so that no byte of it is left.")
    ] = False,
    dry_run: DryRun = False,
    store: Store = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Forget a lead: delete all that the store holds of it, and keep it from being imported again."""
    from features.errors import ConfigError
    from pipelines import erase as erasing
    from pipelines.store_url import parsed

    settings = settings_of(config, store)
    if compact and parsed(settings.store.url).engine != "duckdb":
        raise ConfigError(
            "--compact writes a DuckDB file anew; on PostgreSQL, VACUUM FULL and the backups are yours to do."
        )
    with opened(settings) as leads, recorded(leads, "erase", settings, dry_run=dry_run) as row:
        receipt = erasing.erase(leads, lead_id, now=now_utc(), dry_run=dry_run)
        row.message = f"one lead, {sum(receipt.erased.values())} rows"
    if compact and not dry_run:
        erasing.compact(Path(settings.store.url))
    if as_json:
        print_json(asdict(receipt))
        return
    verb = "Would erase" if dry_run else "Erased"
    counts = (
        ", ".join(f"{table} {count:,}" for table, count in receipt.erased.items()) or "nothing: the store held none"
    )
    say(f"{verb} lead {lead_id}: {counts}.")
    for place in receipt.out_of_reach:
        say(f"  out of our reach: {place}")


def store_grants(
    role_prefix: Annotated[
        str | None, typer.Option(help="All roles: this before ingest, train, … (default: ls_).")
    ] = None,
    ingest: Annotated[str | None, typer.Option(help="The role that imports.")] = None,
    train: Annotated[str | None, typer.Option(help="The role that trains.")] = None,
    score: Annotated[str | None, typer.Option(help="The role of the nightly job.")] = None,
    privacy: Annotated[str | None, typer.Option(help="The role that answers and forgets people.")] = None,
    review: Annotated[str | None, typer.Option(help="The role that reviews model cards.")] = None,
    report: Annotated[str | None, typer.Option(help="The role that reports to marketing.")] = None,
    read: Annotated[str | None, typer.Option(help="The role that reads what is published.")] = None,
    config: Config = None,
) -> None:
    """Print the least rights of each role, as SQL for the owner of a PostgreSQL store."""
    from features.errors import ConfigError
    from pipelines.grants import ROLES, grants

    named = {
        "ingest": ingest, "train": train, "score": score, "privacy": privacy, "review": review, "report": report,
        "read": read,
    }  # fmt: skip
    roles = {purpose: role for purpose, role in named.items() if role is not None}
    if roles and role_prefix is not None:
        raise ConfigError("--role-prefix names all roles: give it, or the roles one by one.")
    roles = roles or {purpose: f"{'ls_' if role_prefix is None else role_prefix}{purpose}" for purpose in ROLES}
    sys.stdout.write(grants(roles, settings_of(config, None).store.mapped()))

"""The command line: one command per module, arguments in, messages and JSON out; no logic.

Only typer is imported up here, so that `--help` answers at once. Data go to stdout, messages and progress to stderr.
This is the only module that asks the clock what time it is.
"""

import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipelines.config import Settings
    from pipelines.ledger import Run
    from pipelines.store import LeadStore
    from pipelines.tracking import Tracking

EXIT_CODES = (
    "Exit codes: 0 done · 1 failed, nothing published · 2 usage or configuration · 10 audit refused · 11 lock held · "
    "12 release refused · 13 store unreachable · 130 interrupted (Ctrl-C) · 143 terminated"
)

app = typer.Typer(
    name="leadscore",
    help="Predictive lead scoring that a company can trust with its sales calls.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
config_app = typer.Typer(help="Look at the settings.", no_args_is_help=True)
app.add_typer(config_app, name="config")
store_app = typer.Typer(help="Look after the lead store.", no_args_is_help=True)
app.add_typer(store_app, name="store")

Config = Annotated[Path | None, typer.Option("--config", help="Configuration file (default: leadscore.toml here).")]
Store = Annotated[
    str | None, typer.Option("--store", help="Lead store: a DuckDB file or postgresql://… (or LEADSCORE_STORE).")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, write nothing.")]
LockTimeout = Annotated[
    float | None,
    typer.Option(
        "--lock-timeout", min=0, help="Seconds to wait for another job (default: [store] lock_timeout_seconds)."
    ),
]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="Day (of [score] timezone) or moment, ISO 8601; UTC unless it has an offset."),
]


@app.callback()
def main_options() -> None:
    """Commands share --config and --store; see 'leadscore COMMAND --help'."""


@app.command()
def init(
    preset: Annotated[str, typer.Option("--preset", help="saas, bank-marketing, bpi2012 or crm-sales.")] = "saas",
    force: Annotated[bool, typer.Option("--force", help="Replace a leadscore.toml that is there.")] = False,
) -> None:
    """Write a leadscore.toml to start from."""
    from features.errors import ConfigError
    from pipelines import config

    text = config.preset(preset)
    file = Path(config.FILE)
    if file.exists() and not force:
        raise ConfigError(f"{file} is there already. Keep it, or replace it with --force.")
    file.write_text(text, encoding="utf-8")
    _say(f"Wrote {file} ({preset}). Next: leadscore import FILE --mapping NAME")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV (any delimiter, encoding, compression) or Parquet.")],
    mapping: Annotated[str, typer.Option("--mapping", help="A known mapping's name, or a TOML file.")],
    store: Store = None,
    config: Config = None,
    max_rejects: Annotated[int | None, typer.Option(help="Refuse the file when more rows are bad.")] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Load a file into the lead store; bad rows go to quarantine with their line and reason."""
    from pipelines.importing import import_file
    from pipelines.mapping import load_mapping
    from pipelines.store import LeadStore

    settings = _settings(config, store)
    chosen = load_mapping(mapping)
    with (
        LeadStore.open(
            settings.store.url,
            create=True,
            wait_seconds=settings.store.lock_timeout_seconds,
            tables=settings.store.mapped(),
        ) as leads,
        _recorded(leads, "import", settings, dry_run=dry_run) as run,
        _progress(f"Importing {file.name}") as progress,
    ):
        report = import_file(
            leads,
            file,
            chosen,
            now=_now() + timedelta(days=settings.events.future_days - 1),
            on_progress=progress,
            dry_run=dry_run,
            max_rejects=max_rejects,
        )
        run.message = f"{file.name}: {report.rows} rows, {report.loaded} loaded, {report.quarantined} quarantined"
        run.quarantined = report.reasons
    if as_json:
        _print_json(asdict(report))
        return
    for message in report.messages:
        _say(message)
    verb = "would be loaded" if dry_run else "loaded"
    _say(f"{report.rows:,} rows: {report.loaded:,} {verb}, {report.quarantined:,} quarantined.")
    for reason, count in report.reasons.items():
        _say(f"  quarantined {count:,}: {reason}")
    for table in report.new:
        _say(f"  {table}: {report.new[table]:,} new, {report.unchanged.get(table, 0):,} already there")


@app.command()
def train(store: Store = None, config: Config = None, as_of: AsOf = None, as_json: Json = False) -> None:
    """Learn from past leads, prove it on later ones, register a candidate (or say: no skill)."""
    from pipelines.report import print_training
    from pipelines.train import train as run

    settings = _settings(config, store)
    with (
        _store(settings) as leads,
        _recorded(leads, "train", settings) as row,
        _progress("Reading leads") as progress,
    ):
        report = run(
            leads,
            settings,
            _tracking(settings),
            as_of=_microseconds(as_of, settings) if as_of else None,
            now=_now(),
            say=_say,
            progress=progress,
        )
        row.message, row.model_version, row.release_digest = report.verdict, report.version, report.digest
        row.as_of = _moment(as_of, settings) if as_of else None
    if as_json:
        _print_json(report.as_dict())
    else:
        print_training(report)


@app.command()
def promote(
    version: Annotated[str | None, typer.Argument(help="Registered version (default: the candidate).")] = None,
    store: Store = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Make a registered version the champion: from then on it scores."""
    from pipelines.promote import promote as run
    from pipelines.score import cache_of

    settings = _settings(config, store)
    with _store(settings) as leads, _recorded(leads, "promote", settings) as row:
        done = run(leads, _tracking(settings), cache_of(settings), version=version, now=_now())
        row.model_version, row.release_digest = done.version, done.digest
        row.message = f"before: version {done.before}" if done.before else "the first champion"
    if as_json:
        _print_json(asdict(done))
    else:
        before = f" (before: version {done.before})" if done.before else ""
        _warn(done.warnings)
        _say(f"Version {done.version} is champion{before}. Next: leadscore score")


@app.command()
def rollback(
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept with what was published.")],
    store: Store = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Bring back the version before the champion, and the scores it had published, in one transaction."""
    from pipelines.promote import rollback as run
    from pipelines.score import cache_of

    settings = _settings(config, store)
    with _store(settings) as leads, _recorded(leads, "rollback", settings) as row:
        done = run(leads, _tracking(settings), cache_of(settings), reason=_given(reason, "--reason"), now=_now())
        row.model_version, row.message = done.version, f"withdrawn: version {done.withdrawn}; {reason}"
    if as_json:
        _print_json(asdict(done))
    else:
        _warn(done.warnings)
        _say(
            f"Version {done.version} is champion again, version {done.withdrawn} is withdrawn. {done.back} published "
            f"days show the run before it again; for {done.none} nothing is published any more."
        )


@app.command()
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
        str | None, typer.Option("--accept-drift", help="Reason for publishing though volume or level jumped.")
    ] = None,
    lock_timeout: LockTimeout = None,
    as_json: Json = False,
) -> None:
    """Score the eligible leads as of a day (default: today's midnight in [score] timezone) and publish."""
    from features.errors import ConfigError
    from pipelines import backfill, metrics_file, nights
    from pipelines.report import print_scoring, print_skipped
    from pipelines.score import Job, ScoreReport
    from pipelines.score import run as score_one

    settings = _settings(config, store)
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
        supersede=_given(reason, "--reason") if reason is not None else None,
        accept_drift=_given(accept_drift, "--accept-drift") if accept_drift is not None else None,
        lock_timeout_seconds=wait,
    )
    now, zone = _now(), settings.score.timezone
    moment = _moment(as_of, settings) if as_of else nights.midnight(nights.day_of(now, zone=zone), zone=zone)
    if moment > now:
        raise ConfigError(f"--as-of {as_of} lies in the future: nothing of it is known yet. Give a past moment.")
    days = (_day(first, "--from"), _day(last, "--to")) if first is not None and last is not None else None
    done: list[ScoreReport | backfill.Skipped] = []
    with _store(settings, wait_seconds=wait) as leads, _progress("Scoring leads") as progress:
        asked = (leads, settings, _tracking(settings))
        if days is not None:
            reports = backfill.backfill(*asked, first=days[0], last=days[1], clock=_now, job=job, progress=progress)
        elif catch_up:
            reports = backfill.catch_up(*asked, clock=_now, job=job, progress=progress)
        else:
            job = replace(job, mode=backfill.mode_of(moment, now=now, zone=zone))
            reports = iter([score_one(*asked, as_of=moment, clock=_now, job=job, progress=progress)])
        for report in reports:
            done.append(report)
            if isinstance(report, ScoreReport):
                _warn(report.warnings)
                _warn(metrics_file.write(settings.score.metrics_file, report, now=_now()))
            if as_json:
                continue
            if isinstance(report, ScoreReport):
                print_scoring(report)
            else:
                print_skipped(report)
    if as_json:
        plain = [asdict(report) for report in done]
        _print_json(plain if days is not None or catch_up else plain[0])


@app.command()
def explain(
    lead_id: Annotated[str, typer.Argument(help="The lead.")],
    store: Store = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Say why a lead has the probability that is published."""
    from features.errors import UserError
    from pipelines.publishing import current_score
    from pipelines.report import print_explanation

    settings = _settings(config, store)
    with _store(settings, read_only=True) as leads:
        published = current_score(leads, lead_id)
    if published is None:
        raise UserError(
            f"No score is published for lead {lead_id!r}. It may not exist, or not be eligible; "
            "'leadscore score' says how many leads are excluded, and why."
        )
    if as_json:
        _print_json(published)
    else:
        print_explanation(published)


@app.command()
def compare(store: Store = None, config: Config = None, as_of: AsOf = None, as_json: Json = False) -> None:
    """Compare the model with marketing's points on the same later leads."""
    from pipelines.compare import compare as run
    from pipelines.report import print_comparison

    settings = _settings(config, store)
    with _store(settings, read_only=True) as leads, _progress("Reading leads") as progress:
        report = run(
            leads, settings, as_of=_microseconds(as_of, settings) if as_of else None, say=_say, progress=progress
        )
    if as_json:
        _print_json(report)
    else:
        print_comparison(report)


@app.command()
def status(store: Store = None, config: Config = None, as_json: Json = False) -> None:
    """Say what the store holds, which runs there were, what is published, and which nights are missing."""
    from pipelines.report import print_status
    from pipelines.status import status_of

    settings = _settings(config, store)
    with _store(settings, read_only=True) as leads:
        facts = status_of(leads, zone=settings.score.timezone, now=_now())
    if as_json:
        _print_json(facts)
    else:
        print_status(facts)


@app.command()
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

    settings = _settings(config, store)
    with _store(settings) as leads:
        found = examine(leads, settings, _tracking(settings), now=_now(), free=free)
    if as_json:
        _print_json([asdict(finding) for finding in found])
    else:
        print_findings(found)
    if any(not finding.freed for finding in found):
        raise typer.Exit(1)


@app.command()
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

    settings = _settings(config, store)
    if compact and parsed(settings.store.url).engine != "duckdb":
        raise ConfigError(
            "--compact writes a DuckDB file anew; on PostgreSQL, VACUUM FULL and the backups are yours to do."
        )
    with _store(settings) as leads, _recorded(leads, "erase", settings, dry_run=dry_run) as row:
        receipt = erasing.erase(leads, lead_id, now=_now(), dry_run=dry_run)
        row.message = f"one lead, {sum(receipt.erased.values())} rows"
    if compact and not dry_run:
        erasing.compact(Path(settings.store.url))
    if as_json:
        _print_json(asdict(receipt))
        return
    verb = "Would erase" if dry_run else "Erased"
    counts = (
        ", ".join(f"{table} {count:,}" for table, count in receipt.erased.items()) or "nothing: the store held none"
    )
    _say(f"{verb} lead {lead_id}: {counts}.")
    for place in receipt.out_of_reach:
        _say(f"  out of our reach: {place}")


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where to put the demo store.")] = Path("demo-store"),
    leads: Annotated[int, typer.Option(min=2000, help="How many leads to simulate.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same store.")] = 7,
) -> None:
    """Simulate a lead store, train, promote, score and explain: see it work in minutes."""
    from pipelines.demo import demo as run

    run(folder, leads=leads, seed=seed, say=_say, bar=_progress, clock=_now)


@config_app.command("show")
def config_show(config: Config = None, store: Store = None) -> None:
    """Print the settings in force, as JSON; with no file of your own, the commented defaults."""
    from importlib import resources

    from pipelines.config import FILE

    settings = _settings(config, store)
    if config is None and not Path(FILE).is_file() and store is None:
        sys.stdout.write((resources.files("pipelines") / "defaults.toml").read_text(encoding="utf-8"))
    else:
        _print_json(settings.model_dump())


@config_app.command("kinds")
def config_kinds() -> None:
    """List the kinds of events that features know by name."""
    from features.kinds import KINDS

    for kind, about in KINDS.items():
        sys.stdout.write(f"{kind:18} {about}\n")


@store_app.command("grants")
def store_grants(
    role_prefix: Annotated[
        str | None, typer.Option(help="All five roles: this before ingest, train, … (default: ls_).")
    ] = None,
    ingest: Annotated[str | None, typer.Option(help="The role that imports.")] = None,
    train: Annotated[str | None, typer.Option(help="The role that trains.")] = None,
    score: Annotated[str | None, typer.Option(help="The role of the nightly job.")] = None,
    privacy: Annotated[str | None, typer.Option(help="The role that answers and forgets people.")] = None,
    read: Annotated[str | None, typer.Option(help="The role that reads what is published.")] = None,
    config: Config = None,
) -> None:
    """Print the least rights of each role, as SQL for the owner of a PostgreSQL store."""
    from features.errors import ConfigError
    from pipelines.grants import ROLES, grants

    named = {"ingest": ingest, "train": train, "score": score, "privacy": privacy, "read": read}
    roles = {purpose: role for purpose, role in named.items() if role is not None}
    if roles and role_prefix is not None:
        raise ConfigError("--role-prefix names all roles: give it, or the roles one by one.")
    roles = roles or {purpose: f"{'ls_' if role_prefix is None else role_prefix}{purpose}" for purpose in ROLES}
    sys.stdout.write(grants(roles, _settings(config, None).store.mapped()))


def _settings(config: Path | None, store: str | None) -> "Settings":
    from pipelines.config import load

    # A launcher whose parameters are always passed (MLproject) says "" for what is not given; as a path that is ".".
    return load(None if config == Path() else config, flags={"store.url": store or None})


@contextmanager
def _store(
    settings: "Settings", *, read_only: bool = False, wait_seconds: float | None = None
) -> Iterator["LeadStore"]:
    from pipelines.store import LeadStore

    wait = settings.store.lock_timeout_seconds if wait_seconds is None else wait_seconds
    with LeadStore.open(
        settings.store.url,
        read_only=read_only,
        wait_seconds=0 if read_only else wait,
        tables=settings.store.mapped(),
    ) as store:
        yield store


@contextmanager
def _recorded(store: "LeadStore", job: str, settings: "Settings", *, dry_run: bool = False) -> Iterator["Run"]:
    """A row in the ledger for a job that writes."""
    from pipelines import ledger

    if dry_run:
        yield ledger.Run("")
        return
    with ledger.recorded(store, job, clock=_now, config_digest=settings.digest()) as run:
        yield run


def _tracking(settings: "Settings") -> "Tracking":
    from pipelines.tracking import Tracking

    return Tracking(
        uri=settings.tracking.uri, experiment=settings.tracking.experiment, model_name=settings.tracking.model_name
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _moment(text: str, settings: "Settings") -> datetime:
    """A day is its first moment in [score] timezone, as it is for --from and --to; a moment without an offset is UTC."""
    from features.errors import ConfigError
    from pipelines import nights

    with contextlib.suppress(ValueError):
        return nights.midnight(date.fromisoformat(text), zone=settings.score.timezone)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"--as-of must be a day or a moment in ISO 8601, like 2026-11-22 or 2026-11-22T06:00+01:00; found {text!r}."
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _day(text: str, option: str) -> date:
    from features.errors import ConfigError

    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{option} must be a day like 2026-11-22; found {text!r}.") from error


def _given(text: str, option: str) -> str:
    from features.errors import ConfigError

    if not text.strip():
        raise ConfigError(f"{option} is empty: say why, for whoever looks at this run later.")
    return text.strip()


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        _say(f"warning: {warning}")


def _microseconds(text: str, settings: "Settings") -> int:
    from pipelines.moments import microseconds

    return microseconds(_moment(text, settings))


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")


def _print_json(plain: Any) -> None:
    sys.stdout.write(json.dumps(plain, ensure_ascii=False, indent=2, default=str) + "\n")


@contextmanager
def _progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr while something long runs; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(title, total=None)

        def advance(done: int, total: int) -> None:
            bars.update(task, completed=done, total=total)

        yield advance

"""The command line: one command per module, arguments in, messages and JSON out; no logic.

Only typer is imported up here, so that `--help` answers at once. Data go to stdout, messages and progress to stderr.
This is the only module that asks the clock what time it is.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipelines.config import Settings
    from pipelines.store import LeadStore
    from pipelines.tracking import Tracking

EXIT_CODES = (
    "Exit codes: 0 done · 1 failed, nothing published · 2 usage or configuration · 10 audit refused · 11 lock held · "
    "12 release refused · 13 store unreachable · 130 interrupted"
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

Config = Annotated[Path | None, typer.Option("--config", help="Configuration file (default: leadscore.toml here).")]
Store = Annotated[str | None, typer.Option("--store", help="Lead store: a DuckDB file (or LEADSCORE_STORE).")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, write nothing.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Day or moment, ISO 8601; UTC unless it has an offset.")]


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
    from dataclasses import asdict

    from pipelines.importing import import_file
    from pipelines.mapping import load_mapping
    from pipelines.store import LeadStore

    settings = _settings(config, store)
    chosen = load_mapping(mapping)
    with LeadStore.open(settings.store.url, create=True) as leads, _progress(f"Importing {file.name}") as progress:
        report = import_file(
            leads,
            file,
            chosen,
            now=_now() + timedelta(days=settings.events.future_days - 1),
            on_progress=progress,
            dry_run=dry_run,
            max_rejects=max_rejects,
        )
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
    with _store(settings) as leads, _progress("Reading leads") as progress:
        report = run(
            leads,
            settings,
            _tracking(settings),
            as_of=_microseconds(as_of) if as_of else None,
            now=_now(),
            say=_say,
            progress=progress,
        )
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
    from dataclasses import asdict

    from pipelines.promote import promote as run

    settings = _settings(config, store)
    with _store(settings) as leads:
        done = run(leads, _tracking(settings), version=version, now=_now())
    if as_json:
        _print_json(asdict(done))
    else:
        before = f" (before: version {done.before})" if done.before else ""
        _say(f"Version {done.version} is champion{before}. Next: leadscore score")


@app.command()
def score(
    store: Store = None,
    config: Config = None,
    as_of: AsOf = None,
    dry_run: DryRun = False,
    supersede: Annotated[str | None, typer.Option(help="Reason for publishing over another release's run.")] = None,
    as_json: Json = False,
) -> None:
    """Score the eligible leads as of a day (default: today, 00:00 UTC) and publish."""
    from features.errors import ConfigError
    from pipelines.report import print_scoring
    from pipelines.score import run

    settings = _settings(config, store)
    today = _now().replace(hour=0, minute=0, second=0, microsecond=0)
    moment = _moment(as_of) if as_of else today
    if moment > _now():
        raise ConfigError(f"--as-of {as_of} lies in the future: nothing of it is known yet. Give a past moment.")
    with _store(settings) as leads, _progress("Scoring leads") as progress:
        report = run(
            leads,
            settings,
            _tracking(settings),
            as_of=moment,
            clock=_now,
            dry_run=dry_run,
            supersede=supersede,
            progress=progress,
        )
    if as_json:
        _print_json(report.as_dict())
    else:
        print_scoring(report)


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
        report = run(leads, settings, as_of=_microseconds(as_of) if as_of else None, say=_say, progress=progress)
    if as_json:
        _print_json(report)
    else:
        print_comparison(report)


@app.command()
def status(store: Store = None, config: Config = None, as_json: Json = False) -> None:
    """Say what the store holds, which runs there were, and what is published."""
    from pipelines.report import print_status, status_of

    settings = _settings(config, store)
    with _store(settings, read_only=True) as leads:
        facts = status_of(leads)
    if as_json:
        _print_json(facts)
    else:
        print_status(facts)


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


def _settings(config: Path | None, store: str | None) -> "Settings":
    from pipelines.config import load

    # A launcher whose parameters are always passed (MLproject) says "" for what is not given; as a path that is ".".
    return load(None if config == Path() else config, flags={"store.url": store or None})


@contextmanager
def _store(settings: "Settings", *, read_only: bool = False) -> Iterator["LeadStore"]:
    from pipelines.store import LeadStore

    with LeadStore.open(settings.store.url, read_only=read_only) as store:
        yield store


def _tracking(settings: "Settings") -> "Tracking":
    from pipelines.tracking import Tracking

    return Tracking(
        uri=settings.tracking.uri, experiment=settings.tracking.experiment, model_name=settings.tracking.model_name
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _moment(text: str) -> datetime:
    from features.errors import ConfigError

    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"--as-of must be a day or a moment in ISO 8601, like 2026-11-22 or 2026-11-22T06:00+01:00; found {text!r}."
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _microseconds(text: str) -> int:
    from pipelines.moments import microseconds

    return microseconds(_moment(text))


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

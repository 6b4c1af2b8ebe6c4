"""The command line: one command per module, arguments in, messages and JSON out; no logic.

Only typer is imported up here, so that `--help` answers at once.
"""

import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from pipelines import (
    cli_compare,
    cli_economics,
    cli_explain,
    cli_funnel,
    cli_next,
    cli_night,
    cli_review,
    cli_rules,
)
from pipelines.command_line import (
    AsOf,
    Config,
    DryRun,
    Json,
    Store,
    microseconds_of,
    moment_of,
    now_utc,
    opened,
    print_json,
    progress_bar,
    recorded,
    say,
    settings_of,
    tracking_of,
)

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
app.add_typer(cli_rules.rules_app, name="rules")


@app.callback()
def main_options() -> None:
    """Commands share --config and --store; see 'leadscore COMMAND --help'."""


@app.command()
def init(
    preset: Annotated[
        str, typer.Option("--preset", help="saas, agency, ecommerce, bank-marketing, bpi2012, crm-sales, leadforge.")
    ] = "saas",
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
    say(f"Wrote {file} ({preset}). Next: leadscore import FILE --mapping NAME")


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

    settings = settings_of(config, store)
    chosen = load_mapping(mapping)
    with (
        LeadStore.open(
            settings.store.url,
            create=True,
            wait_seconds=settings.store.lock_timeout_seconds,
            tables=settings.store.mapped(),
        ) as leads,
        recorded(leads, "import", settings, dry_run=dry_run) as run,
        progress_bar(f"Importing {file.name}") as progress,
    ):
        report = import_file(
            leads,
            file,
            chosen,
            now=now_utc() + timedelta(days=settings.events.future_days - 1),
            on_progress=progress,
            dry_run=dry_run,
            max_rejects=max_rejects,
        )
        run.message = f"{file.name}: {report.rows} rows, {report.loaded} loaded, {report.quarantined} quarantined"
        run.quarantined = report.reasons
    if as_json:
        print_json(asdict(report))
        return
    for message in report.messages:
        say(message)
    verb = "would be loaded" if dry_run else "loaded"
    say(f"{report.rows:,} rows: {report.loaded:,} {verb}, {report.quarantined:,} quarantined.")
    for reason, count in report.reasons.items():
        say(f"  quarantined {count:,}: {reason}")
    for table in report.new:
        say(f"  {table}: {report.new[table]:,} new, {report.unchanged.get(table, 0):,} already there")


@app.command()
def train(
    store: Store = None,
    config: Config = None,
    as_of: AsOf = None,
    tune: Annotated[
        bool, typer.Option("--tune", help="Look for a better shape of the trees first; say what it brought.")
    ] = False,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long --tune looks; it goes on where it stopped.")] = 10.0,
    as_json: Json = False,
) -> None:
    """Learn from past leads, prove it on later ones, register a candidate (or say: no skill)."""
    from pipelines.report_proof import print_training
    from pipelines.train import train as run

    settings = settings_of(config, store)
    with (
        opened(settings) as leads,
        recorded(leads, "train", settings) as row,
        progress_bar("Reading leads") as progress,
    ):
        report = run(
            leads,
            settings,
            tracking_of(settings),
            as_of=microseconds_of(as_of, settings) if as_of else None,
            now=now_utc(),
            tune_minutes=minutes if tune else None,
            say=say,
            progress=progress,
        )
        row.message, row.model_version, row.release_digest = report.verdict, report.version, report.digest
        row.as_of = moment_of(as_of, settings) if as_of else None
    if as_json:
        print_json(report.as_dict())
    else:
        print_training(report)


@app.command()
def backtest(
    store: Store = None,
    config: Config = None,
    as_of: AsOf = None,
    cut_offs: Annotated[
        int | None, typer.Option(min=1, max=24, help="Instead of the settings' splits.cut_offs.")
    ] = None,
    learning_curve: Annotated[
        bool, typer.Option("--learning-curve", help="Learn from growing parts of the leads: would more data help?")
    ] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Prove the training on the past, cut-off by cut-off, beside every baseline; register nothing."""
    from pipelines.backtesting import backtest as run
    from pipelines.report_proof import print_backtest

    settings = settings_of(config, store, splits__cut_offs=cut_offs)
    with opened(settings, read_only=True) as leads, progress_bar("Reading leads") as progress:
        report = run(
            leads,
            settings,
            None if dry_run else tracking_of(settings),
            as_of=microseconds_of(as_of, settings) if as_of else None,
            curve=learning_curve,
            say=say,
            progress=progress,
        )
    if as_json:
        print_json(report)
    else:
        print_backtest(report)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where to put the demo store.")] = Path("demo-store"),
    preset: Annotated[str, typer.Option("--preset", help="The trade: saas, agency, ecommerce.")] = "saas",
    leads: Annotated[
        int | None, typer.Option(min=2000, help="How many leads to simulate; left out, what suits the trade.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same store.")] = 7,
) -> None:
    """Simulate a lead store, train, promote, score and explain: see it work in minutes."""
    from pipelines.demo import demo as run

    run(folder, preset=preset, leads=leads, seed=seed, say=say, bar=progress_bar, clock=now_utc)


@config_app.command("show")
def config_show(config: Config = None, store: Store = None) -> None:
    """Print the settings in force, as JSON; with no file of your own, the commented defaults."""
    from importlib import resources

    from pipelines.config import FILE

    settings = settings_of(config, store)
    if config is None and not Path(FILE).is_file() and store is None:
        sys.stdout.write((resources.files("pipelines") / "defaults.toml").read_text(encoding="utf-8"))
    else:
        print_json(settings.model_dump())


@config_app.command("kinds")
def config_kinds() -> None:
    """List the kinds of events that features know by name."""
    from features.kinds import KINDS

    for kind, about in KINDS.items():
        sys.stdout.write(f"{kind:18} {about}\n")


@config_app.command("card")
def config_card(
    name: Annotated[str, typer.Argument(help="default, agency, ecommerce, bank-marketing, bpi2012.")] = "default",
) -> None:
    """Print a points card that comes along, to start one's own from."""
    from pipelines.config import card

    sys.stdout.write(card(name))


# In the order in which --help lists them.
for command in (
    cli_review.card, cli_review.review, cli_review.reviews, cli_review.promote,
    cli_night.score, cli_explain.explain, cli_next.next_, cli_compare.compare, cli_economics.economics,
    cli_funnel.funnel, cli_night.rollback, cli_night.status, cli_night.doctor, cli_night.erase,
):  # fmt: skip
    app.command(command.__name__.rstrip("_"))(command)
store_app.command("grants")(cli_night.store_grants)

"""The commands on points cards: learn one from the model, check one against the store.

As in `cli.py`: arguments in, messages and JSON out, no logic.
"""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.command_line import (
    AsOf,
    Config,
    Json,
    Store,
    check_writable,
    microseconds_of,
    opened,
    print_json,
    progress_bar,
    say,
    settings_of,
    write_file,
)

rules_app = typer.Typer(help="Learn a points card from the model, or check one.", no_args_is_help=True)


@rules_app.command("fit")
def rules_fit(
    criteria: Annotated[int, typer.Option("--criteria", min=1, max=30, help="At most so many on the card.")] = 10,
    out: Annotated[Path | None, typer.Option("--out", help="Write the card to this TOML file.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_of: AsOf = None,
    store: Store = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Learn a points card from the model, for a CRM that knows only rules; judge it beside the model and the points."""
    from features.errors import ConfigError
    from pipelines.fitting_rules import fit_rules
    from pipelines.rules_report import print_fitted

    check_writable(out)
    if out is not None and out.exists() and not force:
        raise ConfigError(f"{out} is there already. Name another file, or replace it with --force.")
    settings = settings_of(config, store)
    with opened(settings, read_only=True) as leads, progress_bar("Reading leads") as progress:
        fitted = fit_rules(
            leads,
            settings,
            criteria=criteria,
            as_of=microseconds_of(as_of, settings) if as_of else None,
            say=say,
            progress=progress,
        )
    if out is not None:
        write_file(out, fitted.text)
    if as_json:
        print_json(fitted.report)
    else:
        print_fitted(fitted.report)
    if out is None:
        say("Nothing was written: --out card.toml writes the card.")
    else:
        say(
            f'To count by it: [points] source = "{out}". It was judged above by cards learned before each period; it '
            f"learned itself from all of them, so leadscore compare is fair to this card only on leads after "
            f"{fitted.report['known_until']}."
        )


@rules_app.command("check")
def rules_check(
    file: Annotated[Path | None, typer.Argument(help="A card (default: the one that comes along).")] = None,
    as_of: AsOf = None,
    store: Store = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Check a points card against the store: what it cannot fill, how many leads each criterion matches."""
    from pipelines.checking_rules import check_rules
    from pipelines.rules_report import print_checked

    settings = settings_of(config, store)
    with opened(settings, read_only=True) as leads, progress_bar("Reading leads") as progress:
        report = check_rules(
            leads, settings, file, as_of=microseconds_of(as_of, settings) if as_of else None, progress=progress
        )
    if as_json:
        print_json(report)
    else:
        print_checked(report)

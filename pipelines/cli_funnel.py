"""The command that shows the funnel: who gets how far, how fast, and for how much money.

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
    day_of,
    moment_of,
    now_utc,
    opened,
    print_json,
    say,
    settings_of,
    write_file,
)


def funnel(
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by", help="Profile column or declared attribute to cut by; may be repeated (default: channel)."
        ),
    ] = None,
    first: Annotated[str | None, typer.Option("--from", help="First day on which the leads were created.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day on which the leads were created.")] = None,
    every: Annotated[str, typer.Option("--every", help="month or quarter: the periods of creation.")] = "month",
    as_of: AsOf = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the report as one HTML page to this file.")] = None,
    language: Annotated[str, typer.Option("--lang", help="Language of the page: en or fr.")] = "en",
    csv: Annotated[Path | None, typer.Option("--csv", help="Write every number as a row of this CSV file.")] = None,
    store: Store = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Show how leads pass from stage to stage, by channel or any column and by period: rates, days, cost and return."""
    from features.errors import ConfigError
    from pipelines import funnel_report
    from pipelines.funnel import Asked, page_of, report
    from pipelines.spreadsheet import write_csv
    from serve.funnel_words import LANGUAGES

    if language not in LANGUAGES:
        raise ConfigError(f"--lang must be one of {', '.join(LANGUAGES)}; found {language!r}.")
    check_writable(out, csv)
    settings = settings_of(config, store)
    asked = Asked(
        by=by,
        first=day_of(first, "--from") if first is not None else None,
        last=day_of(last, "--to") if last is not None else None,
        every=every,
    )
    moment = moment_of(as_of, settings) if as_of is not None else now_utc()
    with opened(settings, read_only=True) as leads:
        told = report(leads, settings, asked, as_of=moment)
    if out is not None:
        write_file(out, page_of(told, language=language))
    if csv is not None:
        write_csv(csv, funnel_report.rows(told), columns=funnel_report.COLUMNS)
        say(f"Wrote {csv}.")
    if as_json:
        print_json(told.as_dict())
    else:
        funnel_report.print_funnel(told)

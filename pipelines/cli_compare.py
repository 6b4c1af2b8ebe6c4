"""`leadscore compare`: arguments in; tables, JSON, a page and a CSV file out; no logic."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.command_line import (
    AsOf,
    Config,
    DryRun,
    Json,
    Store,
    check_writable,
    microseconds_of,
    opened,
    print_json,
    progress_bar,
    say,
    settings_of,
    tracking_of,
    write_file,
)


def compare(
    version: Annotated[
        str | None, typer.Option("--version", help="A registered version instead of the model as it would be trained.")
    ] = None,
    against: Annotated[str, typer.Option("--against", help="points, or a registered version.")] = "points",
    out: Annotated[Path | None, typer.Option("--out", help="Write the report's page to this file.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write every lead that changes hands to this file.")] = None,
    language: Annotated[str, typer.Option("--lang", help="The page opens in: en or fr; it has both.")] = "en",
    store: Store = None,
    config: Config = None,
    as_of: AsOf = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Compare the model with marketing's points, or with another version, on the same later leads."""
    from features.errors import ConfigError
    from pipelines import compare as comparing
    from pipelines.contest import POINTS
    from pipelines.report_comparison import print_comparison
    from serve.comparison_page import to_html
    from serve.comparison_words import languages

    if language not in languages():
        raise ConfigError(f"--lang must be one of {', '.join(languages())}; found {language!r}.")
    check_writable(out, csv)
    settings = settings_of(config, store)
    with opened(settings, read_only=True) as leads, progress_bar("Reading leads") as progress:
        tracking = None if dry_run and version is None and against == POINTS else tracking_of(settings)
        report = comparing.compare(
            leads, settings, as_of=microseconds_of(as_of, settings) if as_of else None, tracking=tracking,
            version=version, against=against, say=say, progress=progress,
        )  # fmt: skip
    if out is not None and not dry_run:
        write_file(out, to_html(comparing.shortened(report), language=language))
    if csv is not None and not dry_run:
        comparing.write_swap_set(report, csv)
        say(f"Wrote {csv}: {report['swap_set']['snapshots']:,} leads that change hands.")
    if tracking is not None and not dry_run:
        comparing.log(tracking, settings, report, say=say)
    if as_json:
        print_json(comparing.shortened(report))
    else:
        print_comparison(report)

"""The command that says what to do next with each lead: arguments in, messages and JSON out, no logic."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.command_line import (
    Config,
    Json,
    Store,
    check_writable,
    opened,
    print_json,
    progress_bar,
    say,
    settings_of,
)


def next_(
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many leads to list, the most urgent first.")] = 20,
    left_alone: Annotated[
        bool, typer.Option("--left-alone", help="Only leads worth a call that nobody has answered.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write all of them to this CSV file, not to the terminal.")
    ] = None,
    store: Store = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List the published leads with what to do next and why, the most urgent first."""
    from pipelines.next_steps import next_steps_of, write_csv
    from pipelines.report_next import print_next

    check_writable(out)
    settings = settings_of(config, store)
    with opened(settings, read_only=True) as leads, progress_bar("Reading leads") as progress:
        found = next_steps_of(leads, settings, progress=progress)
    asked = found.leads[found.leads["left_alone"]] if left_alone else found.leads
    if out is not None:
        write_csv(asked, out)
        say(f"Wrote {len(asked):,} leads to {out}.")
    if as_json:
        print_json(found.as_dict(asked.head(limit)))
    elif out is None:
        print_next(found, asked, limit=limit)

"""The command that explains one lead, to people and to programs.

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
    settings_of,
    tracking_of,
    write_file,
)


def explain(
    lead_id: Annotated[str, typer.Argument(help="The lead.")],
    as_of: AsOf = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write a page for a browser to this file.")] = None,
    language: Annotated[str, typer.Option("--lang", help="en or fr.")] = "en",
    store: Store = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Say why a lead has the probability that is published (--as-of: was, then), and what would change it."""
    from features.errors import ConfigError
    from pipelines.explaining import explanation
    from pipelines.report_lead import print_lead
    from serve.lead_page import lead_page
    from serve.lead_story import story
    from serve.lead_words import LANGUAGES

    if language not in LANGUAGES:
        raise ConfigError(f"--lang must be one of {', '.join(LANGUAGES)}; found {language!r}.")
    check_writable(out)
    settings = settings_of(config, store)
    with opened(settings, read_only=True) as leads:
        facts = explanation(
            leads, settings, lambda: tracking_of(settings), lead_id,
            as_of=microseconds_of(as_of, settings) if as_of else None,
        )  # fmt: skip
    if out is not None:
        write_file(out, lead_page(story(facts, language=language)))
    if as_json:
        print_json(facts)
    elif out is None:
        print_lead(story(facts, language=language))

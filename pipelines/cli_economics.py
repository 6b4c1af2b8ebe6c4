"""The command that says what leads are worth: arguments in, messages and JSON out, no logic."""

from typing import Annotated

import typer

from pipelines.command_line import Config, Json, Store, opened, print_json, progress_bar, settings_of


def economics(
    language: Annotated[str, typer.Option("--lang", help="en or fr.")] = "en",
    store: Store = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Say what leads are worth, from which probability a call pays, and what a fifth more or less would change."""
    from pipelines.economics import report as run
    from pipelines.economics_words import words_in
    from pipelines.report_economics import print_economics

    words_in(language)
    settings = settings_of(config, store)
    with opened(settings, read_only=True) as leads, progress_bar("Reading leads") as progress:
        report = run(leads, settings, progress=progress)
    if as_json:
        print_json(report)
    else:
        print_economics(report, language=language)

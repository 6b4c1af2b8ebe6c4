"""The commands between training and scoring: read a card, review it, promote.

As in `cli.py`: arguments in, messages and JSON out, no logic.
"""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pipelines.command_line import (
    Config,
    DryRun,
    Json,
    Store,
    given,
    now_utc,
    opened,
    print_json,
    recorded,
    say,
    settings_of,
    tracking_of,
    warn,
    write_file,
)

_Version = Annotated[str, typer.Argument(help="Registered version.")]
_VersionOrCandidate = Annotated[str | None, typer.Argument(help="Registered version (default: the candidate).")]


def card(
    version: _VersionOrCandidate = None,
    form: Annotated[
        str | None, typer.Option("--format", help="markdown, html or json (default: by --out's ending, or markdown).")
    ] = None,
    language: Annotated[str, typer.Option("--lang", help="en or fr.")] = "en",
    out: Annotated[Path | None, typer.Option("--out", help="Write it to this file, not to the terminal.")] = None,
    store: Store = None,
    config: Config = None,
) -> None:
    """Show the model card of a version: what it learned from, how well it does, for whom, and who approved it."""
    from pipelines import cards, reviewing
    from pipelines.score import cache_of

    settings = settings_of(config, store)
    with opened(settings, read_only=True) as leads:
        tracking, in_form = tracking_of(settings), cards.form_of(form, out)
        chosen = cards.version_or_candidate(leads, tracking, version)
        found = cards.card_of(tracking, cache_of(settings), chosen)
        text = cards.shown(found, reviewing.standing_of(leads, found), form=in_form, language=language)
    if out is None:
        sys.stdout.write(text)
    else:
        write_file(out, text)
        say(f"Next: leadscore review {chosen.version} --approve --card {found.digest[:12]} --by NAME --note TEXT")


def review(
    version: _Version,
    by: Annotated[str, typer.Option("--by", help="Who reviewed it.")],
    note: Annotated[str, typer.Option("--note", help="What was looked at, and why it may score or may not.")],
    approve: Annotated[
        bool | None, typer.Option("--approve/--refuse", help="Whether the version may score.", show_default=False)
    ] = None,
    digest: Annotated[
        str | None,
        typer.Option("--card", help="Digest of the card that was read, or its first 12 digits: no other is signed."),
    ] = None,
    store: Store = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Approve or refuse a version's card; the review holds for the card as it is, and for no other."""
    from features.errors import ConfigError
    from pipelines import reviewing
    from pipelines.cards import Card
    from pipelines.gate_report import print_signing
    from pipelines.score import cache_of

    if approve is None:
        raise ConfigError("A review decides: give --approve or --refuse.")
    by, note = given(by, "--by"), given(note, "--note")

    def tell(card: Card) -> None:
        if not as_json:
            print_signing(card.version, digest=card.digest, missing=card.missing)

    settings = settings_of(config, store)
    with opened(settings) as leads, recorded(leads, "review", settings) as row:
        done = reviewing.review(
            leads, tracking_of(settings), cache_of(settings), version=version,
            decision="approved" if approve else "refused", by=by, note=note,
            now=now_utc(), card_digest=digest, tell=tell,
        )  # fmt: skip
        row.model_version, row.message = version, f"{done.review.decision} by {done.review.reviewer}"
    if as_json:
        print_json(asdict(done))
    else:
        warn(done.warnings)
        say(f"Version {version}: {row.message}." + (f" Next: leadscore promote {version}" if approve else ""))


def reviews(
    version: Annotated[str | None, typer.Argument(help="Registered version (default: all).")] = None,
    store: Store = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """List the reviews, newest first, and whether each still stands: for the card as it is, and not replaced."""
    from pipelines.gate_report import print_reviews
    from pipelines.reviewing import still_standing
    from pipelines.score import cache_of

    settings = settings_of(config, store)
    with opened(settings, read_only=True) as leads:
        found = still_standing(leads, tracking_of(settings), cache_of(settings), version)
    if as_json:
        print_json(found)
    else:
        print_reviews(found)


def promote(
    version: _VersionOrCandidate = None,
    force: Annotated[
        bool, typer.Option("--force", help="Let checks on what was measured pass though they refuse; needs --reason.")
    ] = False,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; it is kept, and shown with the card.")] = None,
    dry_run: DryRun = False,
    store: Store = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Hold a version against the gate, and if it passes make it the champion: from then on it scores."""
    from features.errors import ConfigError, ReleaseRefused
    from pipelines.gate_report import print_gate
    from pipelines.judging import Judged
    from pipelines.promote import promote as run
    from pipelines.score import cache_of

    if force != (reason is not None):
        raise ConfigError("--force and --reason go together: --force --reason 'WHY'; the reason is kept.")
    reason = given(reason, "--reason") if reason is not None else None
    told: dict[str, object] = {}

    def tell(judged: Judged) -> None:
        told["checks"] = [check.as_dict() for check in judged.checks]
        if not as_json:
            print_gate(judged.chosen.version, judged.checks)

    settings = settings_of(config, store)
    with (
        opened(settings, read_only=dry_run) as leads,
        recorded(leads, "promote", settings, dry_run=dry_run) as row,
    ):
        try:
            done = run(
                leads, tracking_of(settings), cache_of(settings), settings, version=version, now=now_utc(),
                force_reason=reason, dry_run=dry_run, tell=tell,
            )  # fmt: skip
        except ReleaseRefused:
            if as_json and told:
                print_json({"promoted": False} | told)
            raise
        row.model_version, row.release_digest = done.version, done.digest
        row.message = f"before: version {done.before}" if done.before else "the first champion"
        if done.forced:
            row.flags.append("forced_past_the_gate")
            row.message += f"; forced past {', '.join(done.forced)}: {reason}"
    if as_json:
        print_json({"promoted": not dry_run} | asdict(done) | told)
        return
    warn(done.warnings)
    before = f" (before: version {done.before})" if done.before else ""
    if dry_run:
        say(f"Version {done.version} would be champion{before}. Nothing was changed.")
    else:
        say(f"Version {done.version} is champion{before}. Next: leadscore score")

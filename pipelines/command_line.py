"""What commands share: options, settings, the store, the clock, and how they speak.

Data go to stdout, messages and progress to stderr. This is the only module that asks the clock what time it is.
"""

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipelines.config import Settings
    from pipelines.ledger import Run
    from pipelines.store import LeadStore
    from pipelines.tracking import Tracking

Config = Annotated[Path | None, typer.Option("--config", help="Configuration file (default: leadscore.toml here).")]
Store = Annotated[
    str | None, typer.Option("--store", help="Lead store: a DuckDB file or postgresql://… (or LEADSCORE_STORE).")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, write nothing.")]
LockTimeout = Annotated[
    float | None,
    typer.Option(
        "--lock-timeout", min=0, help="Seconds to wait for another job (default: store.lock_timeout_seconds)."
    ),
]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="Day (in score.timezone) or moment, ISO 8601; UTC unless it has an offset."),
]


def settings_of(config: Path | None, store: str | None, **flags: Any) -> "Settings":
    """The settings in force: defaults < file < environment < flags (section__key; None where it is not given)."""
    from pipelines.config import load

    # A launcher whose parameters are always passed (MLproject) says "" for what is not given; as a path that is ".".
    return load(
        None if config == Path() else config,
        flags={"store.url": store or None} | {key.replace("__", "."): value for key, value in flags.items()},
    )


@contextmanager
def opened(
    settings: "Settings", *, read_only: bool = False, wait_seconds: float | None = None
) -> Iterator["LeadStore"]:
    """The lead store, open for the length of the block; to write, waiting for whoever holds a file."""
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
def recorded(store: "LeadStore", job: str, settings: "Settings", *, dry_run: bool = False) -> Iterator["Run"]:
    """A row in the ledger for a job that writes."""
    from pipelines import ledger

    if dry_run:
        yield ledger.Run("")
        return
    with ledger.recorded(store, job, clock=now_utc, config_digest=settings.digest()) as run:
        yield run


def tracking_of(settings: "Settings") -> "Tracking":
    """The MLflow server and registry of the settings."""
    from pipelines.tracking import Tracking

    return Tracking(
        uri=settings.tracking.uri, experiment=settings.tracking.experiment, model_name=settings.tracking.model_name
    )


def now_utc() -> datetime:
    """What time it is."""
    return datetime.now(UTC)


def moment_of(text: str, settings: "Settings") -> datetime:
    """A day is its first moment in [score] timezone, as for --from and --to; a moment without an offset is UTC."""
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


def day_of(text: str, option: str) -> date:
    """A day, as an option gives it."""
    from features.errors import ConfigError

    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{option} must be a day like 2026-11-22; found {text!r}.") from error


def given(text: str, option: str) -> str:
    """An option's text, which may not be empty."""
    from features.errors import ConfigError

    if not text.strip():
        raise ConfigError(f"{option} is empty: say why, for whoever looks at this run later.")
    return text.strip()


def warn(warnings: Iterable[str]) -> None:
    """Warnings, one per line."""
    for warning in warnings:
        say(f"warning: {warning}")


def microseconds_of(text: str, settings: "Settings") -> int:
    """As `moment_of`, in microseconds since 1970 UTC."""
    from pipelines.moments import microseconds

    return microseconds(moment_of(text, settings))


def say(message: str) -> None:
    """A message, on stderr."""
    sys.stderr.write(message + "\n")


def print_json(plain: Any) -> None:
    """Data for a program, on stdout."""
    sys.stdout.write(json.dumps(plain, ensure_ascii=False, indent=2, default=str) + "\n")


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
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


def check_writable(*files: Path | None) -> None:
    """Before work that takes long: what it comes to can be written where it was asked for (None: nowhere).

    Raises
    ------
    UserError
        A file's folder is not there, or it may not be written to.
    """
    from features.errors import UserError

    for file in files:
        if file is None:
            continue
        why = None
        if not file.parent.is_dir():
            why = f"there is no folder {file.parent}"
        elif file.is_dir():
            why = "it is a folder"
        elif not os.access(file if file.exists() else file.parent, os.W_OK):
            why = "permission denied"
        if why is not None:
            raise UserError(
                f"{file} cannot be written: {why}. Name a file in a folder that is there, and that may be written to."
            )


def write_file(file: Path, text: str) -> None:
    """Write what a command was asked to put into a file, and say so.

    Raises
    ------
    UserError
        The file cannot be written there.
    """
    from features.errors import UserError

    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"{file} cannot be written: {error.strerror}. Name a file in a folder that is there, and that may be "
            "written to."
        ) from error
    say(f"Wrote {file}.")

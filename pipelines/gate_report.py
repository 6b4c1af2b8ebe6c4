"""What the review and the gate tell people on a terminal: tables on stdout, plain where it is piped."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.card_blocks import visible
from models.gate import PASSED, REFUSE, WARN, Check

_COLOURS: Final = {PASSED: "green", WARN: "yellow", REFUSE: "bold red"}


def print_gate(version: str, checks: Sequence[Check]) -> None:
    """Every check with its limit and what was found; then a sentence for each that does not pass."""
    console = Console()
    table = Table(title=f"Version {version} at the gate", title_justify="left")
    for heading in ("check", "limit", "found", ""):
        table.add_column(heading)
    for check in checks:
        colour = _COLOURS[check.state]
        table.add_row(check.name, check.limit, check.value, f"[{colour}]{check.state}[/]")
    console.print(table)
    for check in checks:
        if check.state != PASSED:
            colour = _COLOURS[check.state]
            console.print(f"[{colour}]{check.state}[/] {check.name}: {escape(visible(check.sentence))}")


def print_signing(version: str, *, digest: str, missing: Sequence[str]) -> None:
    """What a reviewer signs."""
    console = Console()
    console.print(f"Version {version}, card {digest[:12]}: leadscore card {version} prints it.")
    if missing:
        console.print(f"[yellow]It says nothing of {escape(', '.join(missing))}.[/]")
    else:
        console.print("Every section says something.")


def print_reviews(reviews: Sequence[Mapping[str, Any]]) -> None:
    """Every review, newest first, and whether it still stands."""
    console = Console()
    if not reviews:
        console.print("No version was reviewed. Next: leadscore card, then leadscore review VERSION")
        return
    table = Table(title="Reviews, newest first", title_justify="left")
    for heading in ("version", "decision", "by", "when", "note", "still stands"):
        table.add_column(heading)
    words = {True: "yes", False: "no", None: "unknown"}
    for review in reviews:
        shown = (review[key] for key in ("version", "decision", "reviewer"))
        table.add_row(
            *(escape(visible(text)) for text in shown),
            review["reviewed_at"][:16].replace("T", " "),
            escape(visible(review["note"])),
            words[review["stands"]] + (f": {review['why']}" if review["why"] else ""),
        )
    console.print(table)

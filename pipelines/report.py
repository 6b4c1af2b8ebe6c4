"""What commands tell people on a terminal: tables on stdout, plain where it is piped."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from serve.stages import MEANING, ORDER

if TYPE_CHECKING:  # what these bring with them (MLflow, LightGBM) takes seconds, and 'status' needs none of it
    from pipelines.backfill import Skipped
    from pipelines.doctor import Finding
    from pipelines.score import ScoreReport
    from pipelines.stage_changes import StageChanges

#: Columns that a terminal has no room for.
_ONLY_FOR_PROGRAMS: Final = ("excluded", "quarantined", "config_digest", "host", "pid", "digest")


def print_scoring(report: "ScoreReport") -> None:
    """The closing summary of a run."""
    console = Console()
    table = Table(title=f"Scores as of {report.as_of[:16]} UTC, version {report.model_version}", title_justify="left")
    table.add_column("recommended stage")
    table.add_column("leads", justify="right")
    table.add_column("what it means")
    for stage in reversed(ORDER):
        if stage in report.stages:
            table.add_row(stage, f"{report.stages[stage]:,}", MEANING[stage])
    console.print(table)
    bands = " · ".join(f"{name} {report.bands.get(name, 0):,}" for name in "ABCD")
    console.print(f"Bands: {bands}" + _mean(report.mean_probability))
    out = [f"{reason} {count:,}" for reason, count in {**report.excluded, **report.quarantined}.items()]
    console.print(
        f"{report.leads_in:,} leads = {report.scored:,} scored + {report.leads_in - report.scored:,} left out"
        + (f" ({', '.join(out)})" if out else "")
    )
    if report.overridden:
        how = ", ".join(f"{way} {count:,}" for way, count in report.overridden.items())
        console.print(f"Overridden by people: {sum(report.overridden.values()):,} ({how})")
    if report.changes is not None:
        _print_changes(console, report.changes, examples=report.status == "dry run")
    for line in report.checked:
        console.print(f"[green]✓[/] {escape(line)}")
    mode = "" if report.mode == "nightly" else f" ({report.mode})"
    console.print(f"[bold]{report.status}[/]{mode} in {report.seconds:.1f} s")


def _print_changes(console: Console, changes: "StageChanges", *, examples: bool) -> None:
    """Who gets another stage than the night before: a line, and on request the moves and some of the leads."""
    if changes.since is None:
        console.print("Stage changes: no night before to compare with")
        return
    of = f"{changes.moved:,} of {changes.compared:,} leads ({changes.share:.1%})"
    console.print(f"Stage changes since {changes.since[:10]}: {of}")
    if not examples or not changes.moved:
        return
    stages = [stage for stage in reversed(ORDER) if stage in changes.matrix or _moved_to(changes, stage)]
    table = Table(title="Stage changes: from (down) to (across)", title_justify="left")
    table.add_column("from")
    for stage in stages:
        table.add_column(stage, justify="right")
    for before in (stage for stage in stages if stage in changes.matrix):
        counts = (changes.matrix[before].get(after, 0) for after in stages)
        table.add_row(before, *(f"{count:,}" if count else "" for count in counts))
    console.print(table)
    for one in changes.examples:
        console.print(f"{escape(one.lead_id)}: {one.before} → {one.after}. {escape(one.reason)}")


def _moved_to(changes: "StageChanges", stage: str) -> bool:
    return any(stage in row for row in changes.matrix.values())


def print_skipped(skipped: "Skipped") -> None:
    """A day of a back-fill or catch-up that was not scored."""
    Console().print(f"{skipped.as_of[:16]} UTC: {skipped.status}: {escape(skipped.why)}")


def print_status(facts: Mapping[str, Any]) -> None:
    """The status for people."""
    console = Console()
    console.print(
        f"{escape(facts['store'])}: {facts['leads']:,} leads, {facts['events']:,} events, known until "
        f"{facts['known_until']}; {facts['quarantined']:,} rows in quarantine"
    )
    published = facts["published"]
    if published:
        console.print(
            f"Published: {published['as_of']} by version {published['model_version']}, {published['scored']:,} leads, "
            f"{published['age_days']:.1f} days old"
        )
    else:
        console.print("Published: nothing yet")
    missing = facts["missing_days"]
    if missing:
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        console.print(f"[yellow]Nothing is published for {shown}[/]: leadscore score --catch-up")
    for heading, rows in (("releases", facts["releases"]), ("last runs", facts["runs"])):
        if rows:
            table = Table(title=heading, title_justify="left")
            shown_columns = [name for name in rows[0] if name not in _ONLY_FOR_PROGRAMS]
            for name in shown_columns:
                table.add_column(name)
            for row in rows:
                table.add_row(*(escape(_short(row[name])) for name in shown_columns))
            console.print(table)


def print_findings(found: "Sequence[Finding]") -> None:
    """What the doctor found, and what to type."""
    console = Console()
    for finding in found:
        colour, end = ("green", "freed") if finding.freed else ("yellow", f"next: {finding.next}")
        console.print(f"[{colour}]{finding.what}[/]: {escape(finding.detail)}. {escape(end)}")
    if not found:
        console.print("[green]✓[/] nothing is stuck, left over, missing or late")


def _short(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 28 else text[:27] + "…"


def _mean(mean: float | None) -> str:
    return "" if mean is None else f" · mean probability {mean:.1%}"

"""What commands tell people on a terminal: tables on stdout, plain where it is piped."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from scipy.special import expit

from models.card import METRIC_NAMES, number
from serve.reasons import in_words
from serve.stages import MEANING, ORDER, percent

if TYPE_CHECKING:  # what these bring with them (MLflow, LightGBM) takes seconds, and 'status' needs none of it
    from pipelines.backfill import Skipped
    from pipelines.doctor import Finding
    from pipelines.score import ScoreReport

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
    for line in report.checked:
        console.print(f"[green]✓[/] {escape(line)}")
    mode = "" if report.mode == "nightly" else f" ({report.mode})"
    console.print(f"[bold]{report.status}[/]{mode} in {report.seconds:.1f} s")


def print_skipped(skipped: "Skipped") -> None:
    """A day of a back-fill or catch-up that was not scored."""
    Console().print(f"{skipped.as_of[:16]} UTC: {skipped.status}: {escape(skipped.why)}")


def print_explanation(published: Mapping[str, Any]) -> None:
    """One lead: probability, stage and why, reasons that add up."""
    console = Console()
    p, low, high = (published[k] for k in ("probability", "probability_low", "probability_high"))
    console.print(
        f"[bold]{escape(published['lead_id'])}[/]  {percent(p)} likely to convert ({percent(low)} – {percent(high)})  "
        f"band {published['band']}  percentile {published['percentile']:.0f}"
    )
    confirm = " [yellow](for a person to confirm)[/]" if published["needs_confirmation"] else ""
    console.print(
        f"  recommended stage: [bold]{published['recommended_stage']}[/]{confirm}: {escape(published['stage_reason'])}"
    )
    plain = published["reasons"]
    console.print(f"  start: {_odds(plain['start'])}")
    for reason in plain["reasons"]:
        console.print(f"  {escape(in_words(reason))}")
    console.print(
        f"  everything else ×{np.exp(plain['rest']):.2g} odds, calibration ×{np.exp(plain['calibration']):.2g}"
    )
    if published["points"] is not None:
        stage = f", stage {published['points_stage']}" if published["points_stage"] else ""
        console.print(f"  marketing's points: {published['points']:g}{stage}")
        for part in published.get("points_parts") or []:
            if part["points"]:
                console.print(f"    {part['points']:+g}  {escape(part['name'])}: {escape(part['says'])}")


def print_comparison(report: Mapping[str, Any]) -> None:
    """Model against points, metric by metric."""
    console = Console()
    table = Table(title="Model against marketing's points, on the same later leads", title_justify="left")
    for heading in ("metric", "model", "points", "difference", "95 % interval"):
        table.add_column(heading, justify="left" if heading == "metric" else "right")
    for key, row in report["metrics"].items():
        difference = row["difference"]
        table.add_row(
            METRIC_NAMES.get(key, key),
            number(row["model"]),
            number(row["points"]),
            number(difference["value"]),
            f"{number(difference['low'])} – {number(difference['high'])}",
        )
    console.print(table)
    console.print(escape(report["verdict"]))


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


def _odds(log_odds: float) -> str:
    return f"{expit(log_odds):.1%} (the average lead)"


def _mean(mean: float | None) -> str:
    return "" if mean is None else f" · mean probability {mean:.1%}"

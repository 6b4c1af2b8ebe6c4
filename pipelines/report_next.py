"""What `leadscore next` tells people on a terminal: who is next, why, and what the history says of waiting."""

from typing import Final

import numpy as np
import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.next_steps import NextSteps
from serve.stages import percent

_WIDE: Final = 120
_COLOUR: Final = {"high": "bold red", "normal": "", "low": "dim"}
#: Days of silence at which the cost of a week more is told.
_TOLD_AT: Final = (1.0, 7.0, 30.0)


def print_next(found: NextSteps, leads: pd.DataFrame, *, limit: int) -> None:
    """The first `limit` of `leads`, and what it all rests on."""
    console = Console()
    if console.width < _WIDE:
        console = Console(width=_WIDE)
    whole = found.leads
    console.print(
        f"Scores as of {found.as_of[:16].replace('T', ' ')} UTC: {len(whole):,} leads, "
        f"{int((whole['urgency'] == 'high').sum()):,} urgent, {int(whole['left_alone'].sum()):,} left alone.",
        highlight=False,
    )
    counts = whole["next_step"].value_counts()
    console.print("Next: " + " · ".join(f"{name} {count:,}" for name, count in counts.items()), highlight=False)
    console.print(_table(found, leads.head(limit)))
    if len(leads) > limit:
        console.print(f"{len(leads) - limit:,} more: --limit, or --out FILE.csv for all of them.", highlight=False)
    for line in _notes(found):
        console.print(escape(line), highlight=False, soft_wrap=True)


def _table(found: NextSteps, leads: pd.DataFrame) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for name in ("lead", "stage", "next step", "urgency"):
        table.add_column(name, no_wrap=True)
    table.add_column("likely", justify="right", no_wrap=True)
    if found.currency is not None:
        table.add_column(f"expected {found.currency}", justify="right")
        table.add_column("lost a day", justify="right")
    table.add_column("why")
    for row in leads.to_dict("records"):
        colour = _COLOUR[row["urgency"]]
        urgency = f"[{colour}]{row['urgency']}[/]" if colour else row["urgency"]
        money = [_money(row["expected_value"]), _money(row["value_lost_per_day"])] if found.currency else []
        told = (row["recommended_stage"], row["next_step"], urgency, percent(row["probability"]), *money)
        table.add_row(escape(row["lead_id"]), *told, escape(row["next_step_reason"]))
    return table


def _notes(found: NextSteps) -> list[str]:
    notes = []
    if found.answers:
        counted = {"call": "calls", "meeting": "meetings", "email_delivered": "delivered e-mails"}
        notes.append(
            f"Counted as an answer of ours: {' and '.join(counted[kind] for kind in found.answers)}"
            + ("; mailings answer nobody." if "email_delivered" not in found.answers else ".")
        )
    else:
        notes.append("The store records no calls, meetings or e-mails of ours, so nobody is called left alone.")
    fades = found.history.waiting
    if fades is None:
        notes.append("Too few conversions after an act of interest to say what waiting costs.")
    else:
        told = []
        for days in _TOLD_AT:
            value, low, high = fades.interval(days, over_days=7.0)
            told.append(f"{value:.0%} ({low:.0%} – {high:.0%}) after {days:.0f} day{'s' * (days != 1)} of silence")
        notes.append(
            f"What a week more of silence takes of a lead's chance: {', '.join(told)}. Estimated from leads that were "
            "silent for longer; not what a call would change."
        )
    known = [step for step in found.history.steps if step.tells]
    if known:
        lifts = [
            f"{step.name.replace('_', ' ')} {step.lift.value:.1f} ({step.lift.low:.1f} – {step.lift.high:.1f})"
            for step in known
        ]
        notes.append(
            "Steps of the last 90 days, and how many times as often (×) leads with one converted as others that were "
            f"silent for as long: {', '.join(lifts)}. What a step causes, history does not say."
        )
    elif found.history.steps:
        notes.append("No step of the last 90 days goes along with more conversions for certain.")
    return notes


def _money(value: float) -> str:
    if np.isnan(value):
        return ""
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:,.1f}"

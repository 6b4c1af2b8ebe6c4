"""What the commands on points cards tell people on a terminal: tables on stdout, plain where it is piped."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.card import METRIC_NAMES, number
from models.card_blocks import visible
from pipelines.fitting_rules import LEARNED, METRICS
from serve.stages import percent


def print_fitted(report: Mapping[str, Any]) -> None:
    """The learned card, and how it does beside the model and the points so far."""
    console = Console()
    limits = report["limits"]
    table = Table(title="Points card learned from the model", title_justify="left")
    for heading in ("group", "criterion", "points", "leads", "of whom convert"):
        table.add_column(heading, justify="left" if heading in ("group", "criterion") else "right")
    for row in report["criteria"]:
        converted = "" if row["converted_share"] is None else percent(row["converted_share"])
        table.add_row(
            row["group"], escape(visible(row["name"])), f"{row['points']:+d}", percent(row["share"]), converted
        )
    console.print(table)
    for stage, name in (("mql_points", "mql"), ("sql_points", "sql")):
        handed = report["handed_over"][name]
        console.print(
            f"{name} from {limits[stage]} points on: {percent(handed[LEARNED])} of the leads "
            f"(by the model's probability {percent(handed['model'])})"
        )
    others = list(report["differences"])
    table = Table(title="On later leads that none of them saw", title_justify="left")
    table.add_column("metric")
    for name in (LEARNED, *others):
        table.add_column(name, justify="right")
    for name in others:
        table.add_column(f"card − {name}, 95 % interval", justify="right")
    for key in METRICS:
        values = [number(report["metrics"][name][key]["value"]) for name in (LEARNED, *others)]
        differences = [report["differences"][name][key] for name in others]
        table.add_row(
            METRIC_NAMES.get(key, key),
            *values,
            *(f"{number(d['low'])} – {number(d['high'])}" for d in differences),
        )
    console.print(table)
    console.print(escape(report["verdict"]))


def print_checked(report: Mapping[str, Any]) -> None:
    """What a card finds in a store, and what it cannot."""
    console = Console()
    table = Table(title=f"{visible(report['card'])}, as of {report['as_of'][:16]} UTC", title_justify="left")
    for heading in ("group", "criterion", "points", "leads", "share"):
        table.add_column(heading, justify="left" if heading in ("group", "criterion") else "right")
    for row in report["criteria"]:
        share = row["matches"] / report["leads"] if report["leads"] else 0.0
        colour = "" if row["matches"] else "[yellow]"
        table.add_row(
            row["group"], colour + escape(visible(row["name"])), f"{row['points']:+g}", f"{row['matches']:,}",
            percent(share) if row["matches"] else "nobody",
        )  # fmt: skip
    console.print(table)
    for name, why in report["left_out"].items():
        console.print(f"[yellow]left out[/] {escape(visible(name))}: {escape(visible(why))}")
    console.print(f"{report['leads']:,} leads: {_listed(report['stages'])}. Grades: {_listed(report['grades'])}.")


def _listed(counts: Mapping[str, int]) -> str:
    named: Sequence[str] = [f"{name} {count:,}" for name, count in counts.items()]
    return ", ".join(named) or "none"

"""What a comparison comes to, on a terminal: the verdict, both at the capacity, and who changes hands."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.card import METRIC_NAMES, number
from serve.comparison_verdict import named
from serve.comparison_words import words_of

_SIDES = ("a", "b")


def print_comparison(report: Mapping[str, Any]) -> None:
    """Two rankings, side by side."""
    console, names, place = Console(), [escape(name) for name in report["names"]], report["at_capacity"]
    per = f"about {report['capacity']['leads']:,.0f} leads per {report['per']}"
    table = _table(f"The first {place['share']:.1%} of each list, {per}", ["", *names, "difference", "95 % interval"])
    table.add_row("conversions found", *(_percent(place[s]["captured"]["value"]) for s in _SIDES),
                  *_difference(place["captured"], _percent))  # fmt: skip
    table.add_row("times chance (lift)", *(number(place[s]["lift"]["value"]) for s in _SIDES),
                  *_difference(place["lift"], number))  # fmt: skip
    if place["value"] is not None:
        table.add_row(f"value, {escape(report['economics']['currency'])}",
                      *(_whole(place[s]["value"]["value"]) for s in _SIDES),
                      *_difference(place["value"], _whole))  # fmt: skip
    for name, row in report["metrics"].items():
        table.add_row(METRIC_NAMES.get(name, name), *(number(row[of]) for of in report["names"]),
                      *_difference(row["difference"], number))  # fmt: skip
    console.print(table)
    for side, name in zip(_SIDES, report["names"], strict=True):
        one = report["swap_set"][side]
        rate = f" ({one['converted'] / one['leads']:.1%})" if one["leads"] else ""
        console.print(
            f"Only {escape(named(name, words_of('en')))} would call {one['leads']:,.0f}, of which "
            f"{one['converted']:,.0f} converted{rate}" + _who(one)
        )
    alike = report["agreement"]
    if alike["kendall"] is not None:
        told = f"{alike['spearman']:.2f} (Spearman), {alike['kendall']:.2f} (Kendall)"
        console.print(f"They order a list alike to {told}")
    console.print(f"[bold]{escape(report['verdict'])}[/]")


def _who(portrait: Mapping[str, Any]) -> str:
    told = [f"{one['column']} {one['value']} {one['share']:.0%} (of all {one['of_all']:.0%})"
            for one in portrait["standouts"]]  # fmt: skip
    return escape(": " + ", ".join(told)) if told else ""


def _table(title: str, headings: list[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "" else "right")
    return table


def _difference(interval: Mapping[str, Any], says: Any) -> tuple[str, str]:
    return says(interval["value"]), f"{says(interval['low'])} – {says(interval['high'])}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _whole(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"

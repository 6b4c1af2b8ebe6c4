"""What `leadscore economics` tells people on a terminal: sentences, two tables, and what to paste."""

from collections.abc import Mapping
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.economics_words import words_in
from serve.stage_limits import LEAST

_WIDE: Final = 120

Facts = Mapping[str, Any]


def print_economics(report: Facts, *, language: str = "en") -> None:
    """The report for people."""
    voice = _Voice(words_in(language), str(report["currency"]))
    console = Console()
    if console.width < _WIDE:
        console = Console(width=_WIDE)
    for line in _sentences(report, voice):
        console.print(escape(line), highlight=False, soft_wrap=True)
    console.print(_limits(report, voice))
    console.print(_sensitivity(report, voice))
    if any(case["capacity_binds"] for case in report["sensitivity"]):
        console.print(escape(voice.words["binds"]), highlight=False)
    console.print(escape(voice.words["caveat"].format(days=report["horizon_days"])), highlight=False, soft_wrap=True)
    console.print(f"\n[bold]{escape(voice.words['paste'])}[/]")
    console.print(escape(report["toml"] + voice.words["kept_up"]), highlight=False, soft_wrap=True)


class _Voice:
    """How numbers are written in a language."""

    def __init__(self, words: Mapping[str, str], currency: str) -> None:
        self.words, self.currency = words, currency

    def number(self, value: float, decimals: int = 0) -> str:
        plain = f"{value:,.{decimals}f}"
        signs = {",": self.words["thousands"], ".": self.words["decimal"], "-": "−"}
        return "".join(signs.get(sign, sign) for sign in plain)

    def money(self, value: float) -> str:
        """Whole from 100 up; cents below, where there are any."""
        return self.number(value, 0 if abs(value) >= 100 or value == round(value) else 2)

    def percent(self, probability: float) -> str:
        """Three significant digits at most: limits lie close together where capacity decides."""
        if probability <= LEAST:
            return f"{self.number(0)} %"
        if probability < 0.0001:
            return f"< {self.number(0.01, 2)} %"
        if probability > 0.999:
            return f"> {self.number(99.9, 1)} %"
        decimals = 2 if probability < 0.0995 else 1
        return f"{self.number(100 * probability, decimals)} %"


def _sentences(report: Facts, voice: _Voice) -> list[str]:
    words, value, capacity = voice.words, report["value"], report["capacity"]
    figures = report["figures"]
    one = value["lowest"] == value["highest"]
    money = {name: voice.money(value[name]) for name in ("lowest", "median", "highest", "expected")}
    even = report["break_even"]
    told = [
        words["leads"].format(
            as_of=report["as_of"][:16].replace("T", " "),
            leads=voice.number(report["leads"]),
            aside=voice.number(report["left_aside"]),
        ),
        words["one_value" if one else "values"].format(
            **money, currency=voice.currency, days=report["horizon_days"]
        ),
    ]  # fmt: skip
    if value["worthless"]:
        told.append(words["worthless"].format(worthless=voice.number(value["worthless"])))
    told.append(
        words["pays" if one else "pays_at"].format(
            nurture=voice.money(figures["nurture_touch_cost"]),
            sales=voice.money(figures["sales_touch_cost"]),
            currency=voice.currency,
            mql=voice.percent(even["mql"]["median_value"]),
            sal=voice.percent(even["sal"]["median_value"]),
            sal_highest=voice.percent(even["sal"]["highest_value"]),
            sal_lowest=voice.percent(even["sal"]["lowest_value"]),
        )
    )
    binds = capacity["last_expected_value"] is not None
    raised = "capacity_binds" if one else "capacity_binds_values"
    key = raised if binds else "capacity_free" if capacity["touches_per_day"] else "capacity_unknown"
    told.append(
        words[key].format(
            worth=voice.number(capacity["worth_a_call"]),
            places=voice.number(capacity["touches_per_day"]),
            limit=voice.percent(capacity["sal_limit"]),
            cut=voice.money(capacity["last_expected_value"] or 0.0),
            left=voice.number(capacity["worth_a_call"] - capacity["handed_over"]),
            left_over=voice.money(capacity["left_over"]),
            currency=voice.currency,
        )
    )
    now = report["settings"]
    if now["over_capacity"]:
        told.append(
            words["too_many"].format(
                handed=voice.number(now["handed_over"]),
                places=voice.number(capacity["touches_per_day"]),
                at_random=voice.money(round(now["net_value_at_random"])),
                best=voice.money(round(report["per_lead"]["expected_net_value"])),
                currency=voice.currency,
            )
        )
    if report["product_use_on_top"]:
        told.append(words["product_use"].format(count=voice.number(report["product_use_on_top"])))
    return told


def _table(title: str, columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    for place, heading in enumerate(columns.split("|")):
        table.add_column(heading, justify="right" if place else "left", no_wrap=not place)
    return table


def _limits(report: Facts, voice: _Voice) -> Table:
    table = _table(voice.words["limits_title"], voice.words["limits_columns"])
    for key in ("settings", "suggestion", "per_lead"):
        row = report[key]
        if key == "per_lead" and report["settings"].get("limits") == "economics":
            continue
        limits = [
            voice.words["by_lead"] if row[name] is None else voice.percent(row[name])
            for name in ("mql_probability", "sal_probability")
        ]
        table.add_row(
            escape(voice.words[key]),
            *limits,
            voice.number(row["handed_over"]),
            voice.number(row["over_capacity"]),
            voice.number(row["expected_customers"], 1),
            f"{voice.money(row['expected_net_value'])} {escape(voice.currency)}",
            voice.number(row["nurtured"]),
        )
    return table


def _sensitivity(report: Facts, voice: _Voice) -> Table:
    one = report["value"]["lowest"] == report["value"]["highest"]
    title = voice.words["sensitivity_title" if one else "sensitivity_values"]
    table = _table(title, voice.words["sensitivity_columns"])
    base = report["sensitivity"][0]["outcome"]["expected_net_value"]
    for case in report["sensitivity"]:
        found, moved = case["outcome"], case["input"]
        change = found["expected_net_value"] - base
        limits = (
            [voice.percent(case[name]) for name in ("mql_limit", "sal_limit")]
            if one
            else [voice.money(case[name]) for name in ("mql_expected", "sal_expected")]
        )
        sign = "−" if round(change) < 0 else "+" if round(change) else ""
        by = f" {'−' if case['factor'] < 1 else '+'}{abs(case['factor'] - 1):.0%}" if moved else ""
        table.add_row(
            escape(voice.words[moved or "as_told"] + by.replace("%", " %")),
            limits[0],
            limits[1] + ("*" if case["capacity_binds"] else ""),
            voice.number(found["handed_over"]),
            voice.number(found["expected_customers"], 1),
            voice.money(round(found["expected_net_value"])),
            f"{sign}{voice.money(abs(round(change)))}" if moved else "",
            voice.number(found["nurtured"]),
        )
    return table

"""The funnel on a terminal, and as rows of a spreadsheet."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.intervals import Interval
from serve.funnel_facts import CohortStep, Funnel, Group, Step, moment
from serve.funnel_money import Money

#: One row per group, period and step; the row of a group's whole history has no period, the one of all leads no group.
COLUMNS: Final = (
    "as_of", "cut", "group", "period", "period_first", "period_last", "period_whole", "origin", "goal", "entered",
    "passed", "counted", "counted_passed", "rate", "rate_low", "rate_high", "mature", "median_days", "median_days_low",
    "median_days_high", "median_days_of_all", "against_the_rest", "currency", "money_leads", "cost", "cost_per_lead",
    "money_old_leads", "old_cost", "customers", "cost_per_customer", "cost_per_customer_low", "cost_per_customer_high",
    "value", "returned", "returned_low", "returned_high",
)  # fmt: skip
#: Periods that a terminal has room for: the last ones.
_PERIODS: Final = 12


def rows(told: Funnel) -> Iterator[Mapping[str, object]]:
    """Everything that is counted, as rows with the columns `COLUMNS`; what is not known is None.

    Money stands with a group's last step, which is the whole way where there is more than one.
    """
    groups = [("", told.total), *((cut.column, group) for cut in told.cuts for group in cut.groups)]
    for column, group in groups:
        head = {"as_of": moment(told.as_of), "cut": column or None, "group": group.name or None}
        for step in group.steps:
            last = step is group.steps[-1]
            paid = _paid(group.money, told.currency) if last and group.money else {}
            yield head | _step(step) | ({"against_the_rest": group.word} if last else {}) | paid
        for cohort in group.cohorts:
            period = cohort.period
            when = {"period": period.name, "period_first": period.first, "period_last": period.last}
            for part in cohort.steps:
                yield head | when | {"period_whole": period.whole} | _cohort_step(part)


def _step(step: Step) -> dict[str, object]:
    names = ("origin", "goal", "entered", "passed", "counted", "counted_passed")
    days = {"median_days_of_all": _known(step.days_of_all.value)} | _ends("median_days", step.days)
    return {name: getattr(step, name) for name in names} | _ends("rate", step.rate) | days


def _cohort_step(step: CohortStep) -> dict[str, object]:
    names = ("origin", "goal", "entered", "passed", "mature")
    return {name: getattr(step, name) for name in names} | _ends("rate", step.rate)


def _paid(money: Money, currency: str) -> dict[str, object]:
    names = ("cost", "cost_per_lead", "old_cost", "customers", "value")
    plain = {name: getattr(money, name) for name in names} | {"currency": currency}
    counts = {"money_leads": money.leads, "money_old_leads": money.old_leads}
    return plain | counts | _ends("cost_per_customer", money.cost_per_customer) | _ends("returned", money.returned)


def _ends(name: str, interval: Interval | None) -> dict[str, object]:
    ends = {name: "value", f"{name}_low": "low", f"{name}_high": "high"}
    return {key: None if interval is None else _known(getattr(interval, end)) for key, end in ends.items()}


def _known(number: float) -> float | None:
    return number if math.isfinite(number) else None


def print_funnel(told: Funnel) -> None:
    """The steps of all leads and of each group, the last periods, and the money."""
    console, window, total = Console(), told.window, told.total
    console.print(
        f"{total.leads:,} leads created from {window.first} to {window.last}, followed until "
        f"{moment(told.as_of)[:16]} UTC"
    )
    left = "; ".join(f"{count:,} left out: {reason}" for reason, count in told.left_out.items())
    if left:
        console.print(left)
    steps = [f"{step.origin} → {step.goal}" for step in total.steps]
    table = _titled("Step by step: rate of the leads that are old enough, 95 % interval, days that half of them take")
    for name in ("", "leads", *steps):
        table.add_column(name, justify="right" if name else "left")
    for cut in told.cuts:
        table.add_column(f"by {escape(cut.column)}" if len(told.cuts) > 1 else "against the rest")
        for group in cut.groups:
            table.add_row(*_group(group), *_words(told, cut.column, group))
        table.add_section()
    table.add_row(*_group(total))
    console.print(table)
    console.print(_periods(told, steps))
    days = [f"{stage} {days:g}" for stage, days in told.old_enough_days.items() if days and stage != told.stages[0]]
    console.print(
        f"Old enough after days: {', '.join(days) or 'not known yet'} (90 % of those who get there are there)"
    )
    implied = [f"{stage} {count:,}" for stage, count in told.implied.items() if count]
    if implied:
        console.print(f"Passed without being recorded there in time: {', '.join(implied)}")
    if total.money is None:
        console.print("No channel costs are recorded for months that are over: no cost per lead, customer or return.")
    else:
        console.print(_money(told))


def _titled(title: str) -> Table:
    return Table(title=title, title_justify="left")


def _words(told: Funnel, column: str, group: Group) -> list[str]:
    word = group.word or "too few customers to say"
    return [word if cut.column == column else "" for cut in told.cuts]


def _group(group: Group) -> list[str]:
    return [escape(group.name or "all leads"), f"{group.leads:,}", *(_stepped(step) for step in group.steps)]


def _stepped(step: Step) -> str:
    if step.rate is None:
        return "too early"
    days = "" if math.isnan(step.days.value) else f"\n{_days(step.days)}"
    return f"{_rate(step.rate)}{days}"


def _rate(rate: Interval) -> str:
    return f"{rate.value:.0%} ({rate.low:.0%} – {rate.high:.0%})" if rate.value >= 0.1 else _small(rate)


def _small(rate: Interval) -> str:
    return f"{rate.value:.1%} ({rate.low:.1%} – {rate.high:.1%})"


def _days(days: Interval) -> str:
    if days.high < 1:
        return "< 1 d"
    written = [f"{day:.0f}" if day >= 10 else f"{day:.1f}" for day in (days.value, days.low, days.high)]
    return f"{written[0]} d" + (f" ({written[1]} – {written[2]})" if math.isfinite(days.high) else "")


def _periods(told: Funnel, steps: list[str]) -> Table:
    cohorts = told.total.cohorts
    shown = cohorts[-_PERIODS:]
    more = f" (the last {len(shown)} of {len(cohorts)})" if len(shown) < len(cohorts) else ""
    table = _titled(f"By {told.every} of creation{more}; grey “so far” is not mature yet, and nothing bad")
    for name in (told.every, "leads", *steps):
        table.add_column(name, justify="left" if name == told.every else "right")
    for cohort in shown:
        cells = (_cohort(step) for step in cohort.steps)
        part = "" if cohort.period.whole else " (part)"
        table.add_row(cohort.period.name + part, f"{cohort.leads:,}", *cells)
    return table


def _cohort(step: CohortStep) -> str:
    if step.rate is None:
        return "–"
    return _rate(step.rate) if step.mature else f"[dim]{step.rate.value:.0%} so far[/]"


def _money(told: Funnel) -> Table:
    where = {"economics": "as [economics] says", "amounts": "amounts recorded: turnover", None: "not known"}
    table = _titled(f"Cost and return in {told.currency}; value of customers: {where[told.value_from]}")
    for name in ("", "leads", "cost", "per lead", "customers of", "per customer", "return"):
        table.add_column(name, justify="right" if name else "left")
    for cut in told.cuts:
        for group in cut.groups:
            table.add_row(escape(group.name), *_spent(group.money))
        table.add_section()
    table.add_row("all leads", *_spent(told.total.money))
    return table


def _spent(money: Money | None) -> list[str]:
    if money is None:
        return ["no cost recorded"]
    each, back = money.cost_per_customer, money.returned
    shown = "too early" if each is None else _between(each, digits=0) or f"at least {each.low:,.0f}"
    return [
        f"{money.leads:,}",
        f"{money.cost:,.0f}",
        "–" if money.cost_per_lead is None else f"{money.cost_per_lead:,.2f}",
        f"{money.customers:,} of {money.old_leads:,}",
        shown,
        "–" if back is None else _between(back, digits=1),
    ]


def _between(number: Interval, *, digits: int) -> str:
    if not math.isfinite(number.value):
        return ""
    ends: list[Any] = [number.low, number.high]
    around = " (" + " – ".join(f"{end:,.{digits}f}" for end in ends) + ")" if all(map(math.isfinite, ends)) else ""
    return f"{number.value:,.{digits}f}{around}"

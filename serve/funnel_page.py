"""The funnel as a page that stands alone: bars by group, periods, how long steps take, cost and return; no script."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape
from typing import Final

from models.card_blocks import visible
from models.card_voice import Voice
from models.intervals import Interval
from models.segments import NOT_KNOWN, OTHER
from serve.funnel_drawings import STYLE, curve_drawn, rate_told, stages_drawn, step_told
from serve.funnel_facts import Cohort, CohortStep, Cut, Funnel, Group, Step, moment
from serve.funnel_money import LEAST_CUSTOMERS, Money
from serve.funnel_words import voice_of
from serve.page import page

#: A cell: HTML, and its class ("number", or "number young").
Cell = tuple[str, str]

_OWN: Final = """
td.young { color: var(--soft); background: var(--head); font-style: italic; }
td.young small { font-style: italic; }
#title dl { grid-template-columns: repeat(auto-fit, minmax(min(13rem, 100%), 1fr)); }
@media print { .drawings { grid-template-columns: repeat(3, 1fr); } td.young { print-color-adjust: exact; } }
"""


def funnel_page(told: Funnel, *, language: str = "en") -> str:
    """The page.

    Raises
    ------
    KeyError
        There are no words for the language.
    """
    voice = voice_of(language)
    sections = (_head, _steps, _cohorts, _times, _money, _counted)
    body = "\n".join("\n".join(section(told, voice)) for section in sections)
    return page(title=voice["title"], body=body, language=language, style=STYLE + _OWN)


def _head(told: Funnel, voice: Voice) -> Iterator[str]:
    window, total = told.window, told.total
    yield f'<section id="title"><h1>{escape(voice["title"])}</h1>'
    summary = voice["summary"].format(
        leads=voice.count(total.leads), first=voice.date(window.first), last=voice.date(window.last),
        as_of=voice.moment(moment(told.as_of)),
    )  # fmt: skip
    yield f"<p>{escape(summary)}</p><dl>"
    last, whole = told.stages[-1], total.steps[-1]
    stage = _stage(last, voice)
    name = voice["figure_rate"] if last == "customer" else voice["figure_rate_other"].format(stage=stage)
    passed, counted = voice.count(whole.counted_passed), voice.count(whole.counted)
    shown = rate_told(whole.rate, voice)
    yield _figure(name, shown, voice["figure_rate_says"].format(passed=passed, counted=counted))
    days = voice["figure_days"].format(stage=stage)
    yield _figure(days, _days(whole.days, voice) or voice["too_early"], voice["figure_days_says"])
    if total.money is not None:
        yield from _figures_of(total.money, told.currency, voice)
    yield "</dl></section>"


def _figures_of(money: Money, currency: str, voice: Voice) -> Iterator[str]:
    each, back = money.cost_per_customer, money.returned
    customers, cost = voice.count(money.customers), voice.count(money.old_cost)
    says = voice["figure_cost_says"].format(cost=cost, customers=customers, currency=currency)
    shown = voice["too_early"] if each is None else _each(each, voice)
    yield _figure(voice["figure_cost"].format(currency=currency), shown, says)
    if back is not None:
        says = voice["figure_return_says"].format(value=voice.count(money.value), currency=currency)
        yield _figure(voice["figure_return"].format(currency=currency), _between(back, voice.short, voice), says)


def _figure(name: str, shown: str, says: str) -> str:
    value, bracket, around = shown.partition(" (")
    small = f" <small>({escape(around)}</small>" if bracket else ""
    return f"<div><dt>{escape(name)}</dt><dd><b>{escape(value)}</b>{small}<br><small>{escape(says)}</small></dd></div>"


def _steps(told: Funnel, voice: Voice) -> Iterator[str]:
    yield f'<section id="steps"><h2>{escape(voice["steps"])}</h2><p>{escape(voice["steps_says"])}</p>'
    yield f'<div class="drawings">{_drawing(told.total, voice["all"], key="all", voice=voice)}</div>'
    for place, cut in enumerate(told.cuts):
        yield f"<h3>{escape(voice['by'].format(column=_column(cut, voice)))}</h3>"
        drawings = (
            _drawing(group, _name(group, voice), key=f"cut-{place}-{at}", voice=voice)
            for at, group in enumerate(cut.groups)
        )
        yield f'<div class="drawings">{"".join(drawings)}</div>'
    for title, groups, cut_by in _tables(told, "rates", voice):
        yield f"<h3>{escape(title)}</h3>"
        head = [voice["group"], voice["leads"], *(step_told(s.origin, s.goal, voice) for s in told.total.steps)]
        rows = [
            [(escape(_name(group, voice)), ""), _number(voice.count(group.leads))]
            + [_rate(step, voice) for step in group.steps]
            + ([(escape(voice[group.word or "few"] if group.name else ""), "")] if cut_by else [])
            for group in groups
        ]
        yield _table([*head, voice["compared"]] if cut_by else head, rows, words=(0, len(head)))
        if cut_by:
            yield f"<p><small>{escape(voice['compared_says'].format(least=LEAST_CUSTOMERS))}</small></p>"
    yield "</section>"


def _drawing(group: Group, name: str, *, key: str, voice: Voice) -> str:
    caption = f"<figcaption>{escape(visible(name))}</figcaption>"
    return f"<figure>{caption}{stages_drawn(group, key=key, name=name, voice=voice)}</figure>"


def _cohorts(told: Funnel, voice: Voice) -> Iterator[str]:
    every = voice[f"every_{told.every}"]
    yield f'<section id="cohorts"><h2>{escape(voice["cohorts"].format(every=every))}</h2>'
    yield f"<p>{escape(voice['cohorts_says'])}</p>"
    yield _cohort_table(told.total.cohorts, told, voice)
    for cut in told.cuts:
        yield f"<details><summary>{escape(voice['cohorts_by'].format(column=_column(cut, voice)))}</summary>"
        for group in cut.groups:
            yield f"<h3>{escape(_name(group, voice))}</h3>{_cohort_table(group.cohorts, told, voice)}"
        yield "</details>"
    yield "</section>"


def _cohort_table(cohorts: Iterable[Cohort], told: Funnel, voice: Voice) -> str:
    head = [voice[f"{told.every}_"], voice["leads"]]
    head += [step_told(step.origin, step.goal, voice) for step in told.total.steps]
    rows = []
    for one in cohorts:
        period = one.period
        year, _, number = period.name.partition("-Q")
        name = voice["quarter_name"].format(number=number, year=year) if number else voice.month(period.name)
        part = "" if period.whole else f" <small>{escape(voice['partial'])}</small>"
        rows.append(
            [(escape(name) + part, ""), _number(voice.count(one.leads)), *(_cohort_cell(s, voice) for s in one.steps)]
        )
    return _table(head, rows)


def _cohort_cell(step: CohortStep, voice: Voice) -> Cell:
    of = voice["of"].format(passed=voice.count(step.passed), counted=voice.count(step.entered))
    if step.mature:
        return (f"{escape(rate_told(step.rate, voice))}<small>{escape(of)}</small>" if step.rate else "–", "number")
    far = "–" if step.rate is None else voice.percent(step.rate.value, digits=0)
    return f"{escape(far)} {escape(voice['so_far'])}<small>{escape(of)}</small>", "number young"


def _times(told: Funnel, voice: Voice) -> Iterator[str]:
    yield f'<section id="times"><h2>{escape(voice["times"])}</h2><p>{escape(voice["times_says"])}</p>'
    yield '<div class="drawings curves">'
    for at, (found, step) in enumerate(zip(told.curves, told.total.steps, strict=True)):
        name = step_told(step.origin, step.goal, voice)
        if not found.share.size:
            yield f"<figure><figcaption>{escape(voice['times_none'].format(step=name))}</figcaption></figure>"
            continue
        caption = voice["times_caption"].format(
            step=name, share=voice.percent(found.end, digits=0), days=voice.count(found.watched_days),
            half=_days(step.days, voice),
        )  # fmt: skip
        drawn = curve_drawn(found, step, key=f"times-{at}", voice=voice)
        yield f"<figure><figcaption>{escape(caption)}</figcaption>{drawn}</figure>"
    yield f"</div><p>{escape(voice['days_says'])}</p>"
    for title, groups, _ in _tables(told, "times", voice):
        yield f"<h3>{escape(title)}</h3>"
        head = [voice["group"], *(step_told(s.origin, s.goal, voice) for s in told.total.steps)]
        yield _table(head, [[(escape(_name(g, voice)), ""), *(_time(s, voice) for s in g.steps)] for g in groups])
    yield "</section>"


def _money(told: Funnel, voice: Voice) -> Iterator[str]:
    yield f'<section id="money"><h2>{escape(voice["money"])}</h2>'
    if told.total.money is None:
        yield f"<p>{escape(voice['money_none'])}</p></section>"
        return
    said = voice["money_says"] + " " + voice[f"value_{told.value_from or 'none'}"]
    yield f"<p>{escape(said)}</p>"
    names = ["leads", "cost", "cost_per_lead", "old_leads", "customers", "cost_per_customer"]
    names += ["value", "returned"] if told.value_from else []
    for title, groups, _ in _tables(told, "money", voice):
        yield f"<h3>{escape(title)} ({escape(told.currency)})</h3>"
        rows = [[(escape(_name(g, voice)), ""), *_paid(g.money, len(names), voice)] for g in groups]
        yield _table([voice["group"], *(voice[name] for name in names)], rows)
    yield "</section>"


def _paid(money: Money | None, width: int, voice: Voice) -> list[Cell]:
    if money is None:
        return [(escape(voice["no_cost"]), "number"), *[_number("–")] * (width - 1)]
    each = money.cost_per_customer
    cells = [
        _number(voice.count(money.leads)),
        _number(voice.count(money.cost)),
        _number("–" if money.cost_per_lead is None else voice.short(money.cost_per_lead)),
        _number(voice.count(money.old_leads)),
        _number(voice.count(money.customers)),
        _young(voice) if each is None else (_around(_each(each, voice)), "number"),
    ]
    if width > len(cells):
        back = money.returned
        cells.append(_young(voice) if money.value is None else _number(voice.count(money.value)))
        cells.append(_young(voice) if back is None else (_around(_between(back, voice.short, voice)), "number"))
    return cells


def _counted(told: Funnel, voice: Voice) -> Iterator[str]:
    yield f'<section id="counted"><h2>{escape(voice["counted"])}</h2><ul>'
    lines = [voice["counted_stages"]]
    for stage in told.stages[1:]:
        days, name = told.old_enough_days[stage], _stage(stage, voice)
        known = voice["counted_old"].format(stage=name, days=voice.count(days))
        lines.append(voice["counted_old_unknown"].format(stage=name) if days is None else known)
        if told.implied[stage]:
            lines.append(voice["counted_implied"].format(count=voice.count(told.implied[stage]), stage=name))
    lines.append(voice["counted_as_of"].format(as_of=voice.moment(moment(told.as_of))))
    for reason, key in (("objects to profiling", "left_out_objects"), ("no voluntary act yet", "left_out_acts")):
        if told.left_out.get(reason):
            lines.append(voice[key].format(count=voice.count(told.left_out[reason])))
    yield "".join(f"<li>{escape(line)}</li>" for line in lines)
    yield "</ul></section>"


def _tables(told: Funnel, key: str, voice: Voice) -> Iterator[tuple[str, Sequence[Group], bool]]:
    """One table for each column, all leads last; or all leads alone. Titles are those of `key`."""
    if not told.cuts:
        yield voice["money"] if key == "money" else voice[f"{key}_all"], (told.total,), False
    for cut in told.cuts:
        by = voice["by" if key == "money" else f"{key}_by" if key == "times" else key]
        yield by.format(column=_column(cut, voice)), (*cut.groups, told.total), True


def _table(head: Sequence[str], rows: Iterable[Sequence[Cell]], *, words: Sequence[int] = (0,)) -> str:
    """A table in a box that scrolls sideways by itself; `words` are the columns that are not numbers."""
    kinds = ("" if at in words else "number" for at in range(len(head)))
    tops = "".join(f"<th{_class(kind)}>{escape(name)}</th>" for name, kind in zip(head, kinds, strict=True))
    body = "".join("<tr>" + "".join(f"<td{_class(kind)}>{html}</td>" for html, kind in row) + "</tr>" for row in rows)
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{tops}</tr></thead><tbody>{body}</tbody></table></div>'


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _number(text: str) -> Cell:
    return escape(text), "number"


def _young(voice: Voice) -> Cell:
    return escape(voice["too_early"]), "number young"


def _rate(step: Step, voice: Voice) -> Cell:
    if step.rate is None:
        return _young(voice)
    of = voice["of"].format(passed=voice.count(step.counted_passed), counted=voice.count(step.counted))
    return f"{_around(rate_told(step.rate, voice))}<small>{escape(of)}</small>", "number"


def _time(step: Step, voice: Voice) -> Cell:
    if not math.isfinite(step.days.value):
        return _young(voice)
    half = _days(step.days_of_all, voice) or voice["never"]
    said = voice["half_of_all"].format(days=half.partition(" (")[0])
    return f"{_around(_days(step.days, voice))}<small>{escape(said)}</small>", "number"


def _around(shown: str) -> str:
    """A number, and its interval in the quieter letters of a second line."""
    value, bracket, interval = shown.partition(" (")
    return escape(value) + (f"<small>{escape(interval.removesuffix(')'))}</small>" if bracket else "")


def _days(days: Interval, voice: Voice) -> str:
    """Days with their interval; "" where there are none."""

    def write(day: float) -> str:
        return voice["minutes"] if day < 1 else voice.number(day, digits=1 if day < 10 else 0)

    return write(days.value) if days.high < 1 else _between(days, write, voice)


def _each(each: Interval, voice: Voice) -> str:
    if not math.isfinite(each.value):
        return voice["at_least"].format(low=voice.short(each.low))
    return _between(each, voice.short, voice)


def _between(number: Interval, write: Callable[[float], str], voice: Voice) -> str:
    if not math.isfinite(number.value):
        return ""
    return write(number.value) + voice.between(number.low, number.high, write)


def _stage(stage: str, voice: Voice) -> str:
    """A stage's name within a sentence."""
    return voice.words.get(f"within_{stage}", voice[f"stage_{stage}"])


def _name(group: Group, voice: Voice) -> str:
    known = {"": "all", NOT_KNOWN: "not_known", OTHER: "other", "true": "yes", "false": "no"}
    return voice[known[group.name]] if group.name in known else visible(group.name)


def _column(cut: Cut, voice: Voice) -> str:
    return voice.words.get(cut.column, cut.column) if cut.column == "source_channel" else visible(cut.column)

"""One lead on a terminal: how likely, since when, why, by which points, and what would change it."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from serve.lead_story import Story, spark


def print_lead(told: Story, *, console: Console | None = None) -> None:
    """Everything a person asks of a lead, on one screen. Texts from data are shown, never read as markup."""
    console, words, facts = console or Console(highlight=False), told.words, told.facts
    console.print(_text(told.lead, "bold") + _text(f"  {told.standing()}", "dim"))
    console.print(
        _text(f"  {told.likely()}, {told.interval(facts)} · {words['band'].lower()} {facts['band']} · {told.rank()}")
    )
    first, *more = told.trend()
    nights = [night["probability"] for night in facts["trend"]["nights"]]
    console.print(_text(f"  {first}" + (f"  {spark(nights)}" if len(nights) > 1 else "")))
    for sentence in more:
        console.print(_text(f"  {sentence}"))
    reason, foreign = told.stage_reason()
    stage = words["stage_told"].format(stage=told.stage(facts["recommended_stage"]))
    console.print(_text(f"  {stage}", "bold") + _text(f". {reason}" + _mark(told, foreign)))
    if facts["needs_confirmation"]:
        console.print(_text(f"  {words['confirm']}", "yellow"))
    expected = told.expected()
    if expected:
        worth, says = expected
        console.print(_text(f"  {words['expected'].lower()}: {worth} ({' '.join(says)})"))
    _why(console, told)
    _points(console, told)
    _what_if(console, told)
    for note in told.notes():
        console.print(_text(f"\n{note}", "yellow"))


def _why(console: Console, told: Story) -> None:
    console.print(_text("\n" + told.words["why"].format(probability=told.percent(told.facts["probability"])), "bold"))
    console.print(_text(f"  {told.steps()}"))
    rows = _rows()
    for effect in told.effects():
        arrow = "▲" if effect.log_odds > 0 else "▼"
        indent = "    " if effect.level else "  "
        rows.add_row(
            _text(f"{indent}{arrow} {effect.says}" + _mark(told, effect.foreign)),
            _text(told.times(effect.log_odds)),
            style="" if effect.level else "bold",
        )
    console.print(rows)


def _points(console: Console, told: Story) -> None:
    total, parts, says = told.points()
    head = told.words["points"] + (f"{told.words['colon']}{total}" if total else "")
    console.print(_text(f"\n{head}", "bold"))
    rows = _rows()
    for part in parts:
        rows.add_row(_text(f"    {part.says}"), _text(part.points))
    if parts:
        console.print(rows)
    for sentence in says:
        console.print(_text(f"  {sentence}"))


def _what_if(console: Console, told: Story) -> None:
    rows, little = told.what_if()
    if not rows and not little:
        return
    console.print(_text(f"\n{told.words['what_if']}", "bold"))
    console.print(_text(f"  {told.words['what_if_says']}"))
    table = _rows()
    table.add_column(no_wrap=True)
    table.add_column()
    for then in rows:
        table.add_row(
            _text(f"    {'▲' if then.likelier else '▼'} {then.says}"),
            _text(then.probability),
            _text(then.interval, "dim"),
            _text(then.stage, "bold" if then.moves else "dim"),
        )
    console.print(table)
    if little:
        console.print(_text(f"  {little}"))


def _rows() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    return table


def _mark(told: Story, foreign: bool) -> str:
    """What nobody has put into the language is said to be in English."""
    return f" {told.words['foreign']}" if foreign else ""


def _text(text: str, style: str = "") -> Text:
    """Never markup; and with spaces as people type them, so that what is shown can be searched."""
    return Text(text.replace("\u00a0", " ").replace("\u202f", " "), style)

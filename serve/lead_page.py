"""One lead on a page: what is published of it, why, where it is going, and what would change it.

The page holds no script: it reads the same on a telephone, in the dark, in grey and on paper.
"""

from collections.abc import Iterator
from html import escape
from typing import Final

from serve.lead_chart import chart
from serve.lead_story import Effect, Story
from serve.page import page

STYLE: Final = """
h1, h2, dd { overflow-wrap: anywhere; }
.plot path.area { fill: var(--mark); fill-opacity: .16; stroke: none; }
.plot path.version { stroke: var(--soft); stroke-dasharray: 2 4; }
.plot circle.dot { fill: var(--mark); stroke: none; }
.effects td:nth-child(2) { width: 9rem; padding-top: .7rem; }
.effect { display: block; width: 8rem; height: .7rem; }
.effect .up { fill: var(--mark); }
.effect .down { fill: var(--paper); stroke: var(--other); stroke-width: 1.4; }
.effect .zero { stroke: var(--soft); stroke-width: 1; }
.effects .sum td { font-weight: 600; background: var(--head); }
.effects .part td:first-child { padding-left: 1.6rem; }
.then .moves { font-weight: 600; }
.lead { font-size: 1.15rem; }
@media (max-width: 40rem) {
  .effects td:nth-child(2) { width: 4rem; min-width: 0; }
  .effect { width: 3.4rem; }
}
@media print { .effect .up, .effect .down { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
#: Half the width of an effect's drawing, in its own units.
_HALF: Final = 60.0


def lead_page(told: Story) -> str:
    """The page, in the language of the story."""
    title = told.words["title"].format(lead=told.lead)
    return page(title=title, body="\n".join(_body(told, title)), language=told.words["language"], style=STYLE)


def _body(told: Story, title: str) -> Iterator[str]:
    words, facts = told.words, told.facts
    yield f"<h1>{escape(title)}</h1>"
    yield f'<p class="lead">{escape(told.likely())}, {escape(told.interval(facts))}.</p>'
    yield f"<p>{escape(told.standing())}</p>"
    for note in told.notes():
        yield f'<p class="notice warn">{escape(note)}</p>'
    yield from _tiles(told)
    yield from _stage(told)
    yield f'<section id="trend"><h2>{escape(words["trend"])}</h2>'
    for sentence in told.trend():
        yield f"<p>{escape(sentence)}</p>"
    yield chart(told)
    yield "</section>"
    yield from _why(told)
    yield from _what_if(told)
    yield from _points(told)


def _tiles(told: Story) -> Iterator[str]:
    words, facts = told.words, told.facts
    tiles = [
        (words["probability"], told.percent(facts["probability"]), told.interval(facts)),
        (words["stage"], told.stage(facts["recommended_stage"]), ""),
        (words["trend"], words[facts["trend"]["direction"]], ""),
        (words["percentile"], told.percentile(), told.at_least()),
        (words["fit"], told.times(facts["groups"]["fit"]["log_odds"]), words["odds"]),
        (words["engagement"], told.times(facts["groups"]["engagement"]["log_odds"]), words["odds"]),
    ]
    expected = told.expected()
    if expected:
        tiles.append((words["expected"], expected[0], " ".join(expected[1])))
    yield "<dl>"
    for name, figure, small in tiles:
        below = f"<br><small>{escape(small)}</small>" if small else ""
        yield f"<div><dt>{escape(name)}</dt><dd><b>{escape(figure)}</b>{below}</dd></div>"
    yield "</dl>"


def _stage(told: Story) -> Iterator[str]:
    words, facts = told.words, told.facts
    reason, foreign = told.stage_reason()
    yield f'<section id="stage"><h2>{escape(words["stage"])}{escape(words["colon"])}'
    yield f"{escape(told.stage(facts['recommended_stage']))}</h2>"
    yield f"<p{_english(foreign)}>{escape(reason)}</p>"
    yield f"<p><small>{escape(words['meaning_' + facts['recommended_stage']])}</small></p>"
    if facts["needs_confirmation"]:
        yield f'<p class="notice warn">{escape(words["confirm"])}</p>'
    yield f"<h3>{escape(words['signals'])}</h3><ul>"
    for name, value in told.signals():
        yield f"<li>{escape(name)}{escape(words['colon'])}<strong>{escape(value)}</strong></li>"
    yield "</ul></section>"


def _why(told: Story) -> Iterator[str]:
    words = told.words
    effects = list(told.effects())
    widest = max((abs(effect.log_odds) for effect in effects), default=0.0) or 1.0
    heading = words["why"].format(probability=told.percent(told.facts["probability"]))
    yield f'<section id="why"><h2>{escape(heading)}</h2><p>{escape(told.steps())}</p>'
    yield f"<p><small>{escape(words['factors'])}</small></p>"
    yield '<div class="scroll" tabindex="0"><table class="effects"><thead><tr>'
    yield f"<th>{escape(words['what'])}</th><th>{escape(words['effect'])}</th>"
    yield f'<th class="number">{escape(words["odds"])}</th><th class="number">{escape(words["log_odds"])}</th>'
    yield "</tr></thead><tbody>"
    start, total = told.facts["groups"]["start"], told.facts["groups"]["log_odds"]
    yield _ends(f"{words['start']}{words['colon']}{told.chance(start)}", told, start)
    for effect in effects:
        yield _effect(effect, told, widest)
    yield _ends(f"{words['together']}{words['colon']}{told.chance(total)}", told, total)
    yield "</tbody></table></div></section>"


def _ends(name: str, told: Story, log_odds: float) -> str:
    """The first and the last row: where it starts, and what it comes to."""
    number = told.voice.number(log_odds, digits=2, sign=True)
    return f'<tr class="sum"><td>{escape(name)}</td><td></td><td></td><td class="number">{escape(number)}</td></tr>'


def _effect(effect: Effect, told: Story, widest: float) -> str:
    number = told.voice.number(effect.log_odds, digits=2, sign=True)
    kind = "part" if effect.level else "sum"
    return (
        f'<tr class="{kind}"><td{_english(effect.foreign)}>{escape(effect.says)}</td>'
        f"<td>{_bar(effect.log_odds / widest)}</td>"
        f'<td class="number">{escape(told.times(effect.log_odds))}</td><td class="number">{escape(number)}</td></tr>'
    )


def _bar(share: float) -> str:
    """To the right of the middle, and full, what raises; to the left, and hollow, what lowers."""
    reach = max(abs(share) * (_HALF - 2), 0.5)
    kind, x = ("up", _HALF) if share > 0 else ("down", _HALF - reach)
    return (
        f'<svg class="effect" viewBox="0 0 {2 * _HALF:g} 12" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="{kind}" x="{x:.1f}" y="2" width="{reach:.1f}" height="8"/>'
        f'<path class="zero" d="M{_HALF:g} 0V12"/></svg>'
    )


def _what_if(told: Story) -> Iterator[str]:
    rows, little = told.what_if()
    words = told.words
    if not rows and not little:
        return
    yield f'<section id="what-if"><h2>{escape(words["what_if"])}</h2><p>{escape(words["what_if_says"])}</p>'
    if rows:
        yield '<div class="scroll" tabindex="0"><table class="then"><thead><tr>'
        yield f'<th>{escape(words["if"])}</th><th class="number">{escape(words["probability"])}</th>'
        yield f"<th>{escape(words['interval_of'])}</th><th>{escape(words['stage'])}</th></tr></thead><tbody>"
        now = told.facts["what_if"]["as_it_is"]
        yield (
            f'<tr><td>{escape(words["what_if_now"])}</td><td class="number">'
            f"{escape(told.percent(now['probability']))}</td><td>{escape(told.from_to(now))}</td>"
            f"<td>{escape(told.stage(now['recommended_stage']))}</td></tr>"
        )
        for then in rows:
            moved = ' class="moves"' if then.moves else ""
            yield (
                f"<tr><td>{'▲' if then.likelier else '▼'} {escape(then.says)}</td>"
                f'<td class="number">{escape(then.probability)}</td><td>{escape(then.interval)}</td>'
                f"<td{moved}>{escape(('→ ' if then.moves else '') + then.stage)}</td></tr>"
            )
        yield "</tbody></table></div>"
    if little:
        yield f"<p>{escape(little)}</p>"
    yield "</section>"


def _points(told: Story) -> Iterator[str]:
    total, parts, says = told.points()
    words = told.words
    head = words["points"] + (f"{words['colon']}{total}" if total else "")
    yield f'<section id="points"><h2>{escape(head)}</h2>'
    for sentence in says:
        yield f"<p>{escape(sentence)}</p>"
    if parts:
        english = _english(words["language"] != "en")  # a points card speaks for itself
        yield '<div class="scroll" tabindex="0"><table><thead><tr>'
        yield f'<th>{escape(words["what"])}</th><th class="number">{escape(words["points"])}</th></tr></thead><tbody>'
        for part in parts:
            yield f'<tr><td{english}>{escape(part.says)}</td><td class="number">{escape(part.points)}</td></tr>'
        yield (
            f"<tr><td><strong>{escape(words['points_in_all'])}</strong></td>"
            f'<td class="number"><strong>{escape(told.points_sum())}</strong></td></tr>'
        )
        yield "</tbody></table></div>"
    yield "</section>"


def _english(foreign: bool) -> str:
    return ' lang="en"' if foreign else ""

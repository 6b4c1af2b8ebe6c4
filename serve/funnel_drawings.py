"""The drawings of the funnel's page in SVG: bars of the stages a group has reached, curves of how long a step takes.

Everything drawn is told in a table beside it too. What is young is hatched, not only paler, so that it shows in grey.
"""

from collections.abc import Iterator
from html import escape
from typing import Final

from models.card_axes import Frame, even_marks
from models.card_blocks import visible
from models.card_voice import Voice
from models.intervals import Interval
from models.survival import Curve
from serve.funnel_facts import Group, Step, points

_WIDTH: Final = 360
_ROW: Final = 47
_BAR: Final = 16

STYLE: Final = """
.drawings { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(19rem, 100%), 1fr)); gap: 1rem 1.5rem; }
.drawings figure { margin: 0; min-width: 0; }
.drawings figcaption { color: var(--ink); font-weight: 600; }
.drawings.curves figcaption { color: var(--soft); font-weight: 400; min-height: 2.6em; }
.plot.steps { max-width: 26rem; }
.plot.steps text { font-size: 14px; fill: var(--ink); }
.plot.steps .quiet { fill: var(--soft); font-size: 13px; }
.plot .track { fill: var(--grid); stroke: none; }
.plot .old { fill: var(--mark); stroke: none; }
.plot .young { stroke: var(--mark); stroke-width: 1; }
.plot .hatch { stroke: var(--mark); stroke-width: 1.6; }
.plot .band { fill: var(--mark); fill-opacity: .2; stroke: none; }
.plot .half { stroke: var(--ink); stroke-dasharray: 2 3; }
"""


def stages_drawn(group: Group, *, key: str, name: str, voice: Voice) -> str:
    """A bar per stage: the leads of a group that have reached it, and the rate at which they came from the one before.

    Parameters
    ----------
    key : tells the drawing from all others of the page: letters, digits and hyphens
    name : of the group, as people read it
    """
    return "\n".join(_bars(group, key=key, name=name, voice=voice))


def _bars(group: Group, *, key: str, name: str, voice: Voice) -> Iterator[str]:
    stages = list(group.reached)
    height = _ROW * len(stages)
    said = "; ".join(
        voice["steps_drawn_says"].format(stage=voice[f"stage_{stage}"], count=voice.count(count))
        for stage, count in group.reached.items()
    )
    title = voice["steps_drawn"].format(name=visible(name))
    yield (
        f'<svg class="plot steps" viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="{key}-title {key}-says">'
        f'<title id="{key}-title">{escape(title)}</title><desc id="{key}-says">{escape(said)}</desc>'
    )
    yield (
        f'<defs><pattern id="{key}-hatch" width="5" height="5" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><path class="hatch" d="M0 0V5"/></pattern></defs>'
    )
    whole = max(group.leads, 1)
    for at, stage in enumerate(stages):
        top = _ROW * at
        reached, old = (counts[stage] * _WIDTH / whole for counts in (group.reached, group.old_enough))
        yield (
            f'<text x="0" y="{top + 17}">{escape(voice[f"stage_{stage}"])} · '
            f"{escape(voice.count(group.reached[stage]))}</text>"
        )
        if at:
            step = group.steps[at - 1]
            rate = rate_told(step.rate, voice)
            told = voice["of_before"].format(rate=rate, stage=voice[f"stage_{stages[at - 1]}"])
            shown = voice["too_early"] if step.rate is None else told
            yield f'<text class="quiet" x="{_WIDTH}" y="{top + 17}" text-anchor="end">{escape(shown)}</text>'
        yield f'<rect class="track" x="0" y="{top + 23}" width="{_WIDTH}" height="{_BAR}"/>'
        yield f'<rect class="old" x="0" y="{top + 23}" width="{old:.1f}" height="{_BAR}"/>'
        if reached > old:
            yield (
                f'<rect class="young" x="{old:.1f}" y="{top + 23.5}" width="{max(reached - old - 0.5, 0):.1f}" '
                f'height="{_BAR - 1}" fill="url(#{key}-hatch)"/>'
            )
    yield "</svg>"


def curve_drawn(found: Curve, step: Step, *, key: str, voice: Voice) -> str:
    """How the share that has gone on grows with the days, with its band and the days that half of them need."""
    return "\n".join(_curve(found, step, key=key, voice=voice))


def _curve(found: Curve, step: Step, *, key: str, voice: Voice) -> Iterator[str]:
    frame = Frame(width=400, height=250, left=58, right=16, top=12, bottom=46)
    title = step_told(step.origin, step.goal, voice)
    yield frame.opened(key, title=title, says=voice["times_drawn_says"])
    for mark in even_marks(1.0):
        yield from frame.marked_up(mark, voice.percent(mark, digits=0))
    reach = max(found.watched_days, 1.0)
    for mark in even_marks(reach, most=5):
        if mark <= reach:
            yield from frame.marked_across(mark / reach, voice.short(mark))
    yield from frame.names(voice["days"], "")
    told = points(found)
    x = [frame.x(days / reach) for days, *_ in told]
    upper = [f"{at:.1f} {frame.y(high):.1f}" for at, (_, _, _, high) in zip(x, told, strict=True)]
    lower = [f"{at:.1f} {frame.y(low):.1f}" for at, (_, _, low, _) in zip(x, told, strict=True)]
    yield f'<path class="band" d="M{"L".join([*upper, *reversed(lower)])}Z"/>'
    line = "L".join(f"{at:.1f} {frame.y(share):.1f}" for at, (_, share, _, _) in zip(x, told, strict=True))
    yield f'<path class="line a" d="M{line}"/>'
    if step.days.value == step.days.value:  # not NaN
        half = frame.x(step.days.value / reach)
        yield f'<path class="half" d="M{half:.1f} {frame.y(0):.1f}V{frame.y(found.at(step.days.value)):.1f}"/>'
    yield "</svg>"


def step_told(origin: str, goal: str, voice: Voice) -> str:
    """A step's name."""
    return voice["step"].format(origin=voice[f"stage_{origin}"], goal=voice[f"stage_{goal}"])


def rate_told(rate: Interval | None, voice: Voice) -> str:
    """A rate with its interval, short enough for a drawing.

    >>> from serve.funnel_words import voice_of
    >>> rate_told(Interval(0.874, 0.863, 0.884), voice_of("en"))
    '87\\xa0% (86 to 88)'
    """
    if rate is None:
        return voice["too_early"]
    digits = 0 if rate.value >= 0.1 and rate.high - rate.low >= 0.01 else 1
    return voice.percent(rate.value, digits=digits) + voice.between(
        rate.low, rate.high, lambda share: voice.number(100 * share, digits=digits)
    )

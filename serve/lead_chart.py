"""A lead's probability over the published nights, as a line with its interval; where the model changed is marked."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from html import escape
from typing import Any, Final

from models.card_axes import Frame, Scale, even_marks, line, marker, shortened
from serve.lead_story import Story

_FRAME: Final = Frame(width=620, height=280, left=66, right=36, bottom=60)
#: Dates that have room below.
_DATES: Final = 5
#: More nights than this are told by their line alone, but for the newest.
_DOTS: Final = 120


def chart(told: Story) -> str:
    """The drawing; "" where there are not two nights to draw a line between."""
    nights = told.facts["trend"]["nights"]
    if len(nights) < 2:
        return ""
    return "<figure>" + "\n".join(_drawn(nights, told)) + "</figure>"


def _drawn(nights: Sequence[Mapping[str, Any]], told: Story) -> Iterator[str]:
    frame, words = _FRAME, told.words
    days = [date.fromisoformat(night["as_of"][:10]).toordinal() for night in nights]
    first, length = days[0], max(days[-1] - days[0], 1)
    ends = even_marks(max(night["probability_high"] for night in nights))

    def x(day: float) -> float:
        return (day - first) / length

    def place(day: int, probability: float) -> tuple[float, float]:
        return frame.x(x(day)), frame.y(probability / ends[-1])

    yield frame.opened("trend", title=words["plot"], says=words["plot_says"])
    for mark in ends:
        yield from frame.marked_up(mark / ends[-1], told.voice.percent(mark, digits=_digits(ends[1])))
    for day in _dates(first, days[-1]):
        across = frame.x(x(day))
        yield f'<path class="grid" d="M{across:.1f} {frame.y(0):.1f}V{frame.y(1):.1f}"/>'
        below, name = frame.y(0) + 22, escape(_short(day, words["months"]))
        yield f'<text x="{across:.1f}" y="{below:.1f}" text-anchor="middle">{name}</text>'
    years = "–".join(dict.fromkeys(str(date.fromordinal(day).year) for day in (first, days[-1])))
    yield from frame.names(words["plot_x"].format(years=years), words["plot_y"])
    low = [place(day, night["probability_low"]) for day, night in zip(days, nights, strict=True)]
    high = [place(day, night["probability_high"]) for day, night in zip(days, nights, strict=True)]
    around = "L".join(f"{across:.1f} {up:.1f}" for across, up in [*high, *low[::-1]])
    yield f'<path class="area" d="M{around}Z"/>'
    yield from _versions(nights, days, told, x)
    points = [place(day, night["probability"]) for day, night in zip(days, nights, strict=True)]
    yield line("a", points)
    if len(points) <= _DOTS:
        for (across, up), night in zip(points[:-1], nights[:-1], strict=True):
            title = f"<title>{_named(night, told)}</title>"
            yield f'<circle class="dot" cx="{across:.1f}" cy="{up:.1f}" r="2.6">{title}</circle>'
    yield marker("a", *points[-1])
    yield "</svg>"


def _versions(nights: Sequence[Mapping[str, Any]], days: Sequence[int], told: Story, x: Scale) -> Iterator[str]:
    for before, after, day in zip(nights, nights[1:], days[1:], strict=False):
        if before["model_version"] != after["model_version"]:
            across = _FRAME.x(x(day))
            name = told.words["plot_version"].format(version=shortened(after["model_version"], most=12))
            anchor = "end" if x(day) > 0.7 else "start"
            yield f'<path class="version" d="M{across:.1f} {_FRAME.y(0):.1f}V{_FRAME.y(1):.1f}"/>'
            beside, below = across + (-5 if anchor == "end" else 5), _FRAME.y(1) + 12
            yield f'<text x="{beside:.1f}" y="{below:.1f}" text-anchor="{anchor}">{escape(name)}</text>'


def _named(night: Mapping[str, Any], told: Story) -> str:
    says = f"{told.voice.date(night['as_of'])}{told.words['colon']}{told.percent(night['probability'])}, "
    return escape(says + f"{told.interval(night)}, {told.stage(night['recommended_stage'])}")


def _dates(first: int, last: int) -> list[int]:
    """Days to be named, evenly: the first and the last among them.

    >>> _dates(0, 4), _dates(10, 50)
    ([0, 1, 2, 3, 4], [10, 20, 30, 40, 50])
    """
    steps = min(last - first, _DATES - 1)
    return [first + round((last - first) * step / steps) for step in range(steps + 1)] if steps else [first]


def _short(day: int, months: str) -> str:
    """A day as it fits below an axis.

    >>> _short(date(2026, 1, 5).toordinal(), "Jan|Feb")
    '5 Jan'
    """
    found = date.fromordinal(day)
    return f"{found.day} {months.split('|')[found.month - 1]}"


def _digits(step: float) -> int:
    """Decimals of a percentage that tell marks so far apart from one another.

    >>> _digits(0.05), _digits(0.025), _digits(0.0005)
    (0, 1, 2)
    """
    return next((digits for digits in range(4) if abs(round(100 * step, digits) - 100 * step) < 1e-9), 4)

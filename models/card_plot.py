"""The drawings of a card in SVG: reliability, months, groups and gain; each is told by a table beside it as well."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import sqrt
from typing import Any, Final

from models.card_axes import Frame, even_marks, key, line, marker, shortened
from models.card_blocks import Plot, visible
from models.card_voice import Voice

Rows = Sequence[Mapping[str, Any]]

SIZE: Final = 400
_SQUARE: Final = Frame(width=SIZE, height=SIZE, left=66, top=20)
_WIDE: Final = Frame(width=620, height=300, left=66, bottom=68)
_MARKS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
#: Least distance between two marks, as a share of an axis.
_APART: Final = 0.1
#: Names of months have room for so many.
_MONTHS_NAMED: Final = 6
_GROUP_HEIGHT: Final = 22
#: Characters that have room beside a group.
_LABEL: Final = 24


def drawn(plot: Plot, *, voice: Voice) -> str:
    """One drawing, in the language of the card."""
    match plot.kind:
        case "reliability":
            lines = _reliability(plot.rows, voice)
        case "months":
            lines = _months(plot.rows, voice)
        case "segments":
            lines = _segments(plot.rows, voice)
        case "gain":
            lines = _gain(plot.rows, plot.capacity, voice)
    return "\n".join(lines)


def top(table: Rows) -> float:
    """Where both axes end: the smallest mark above everything that is drawn.

    >>> top([{"predicted_mean": 0.07, "wilson_high": 0.21}])
    0.3
    """
    highest = max(max(row["predicted_mean"], row["wilson_high"]) for row in table)
    return next((mark for mark in _MARKS if mark >= highest), 1.0)


def marks(end: float) -> list[float]:
    """The marks of an axis from 0 to `end`, ascending: the end, and down from it whatever is far enough from the last.

    >>> marks(0.4)
    [0.0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4]
    """
    kept = [end]
    for mark in reversed([0.0, *(mark for mark in _MARKS if mark < end)]):
        if sqrt(kept[-1] / end) - sqrt(mark / end) >= _APART and (mark == 0 or sqrt(mark / end) >= _APART):
            kept.append(mark)
    return kept[::-1]


def _reliability(rows: Rows, voice: Voice) -> Iterator[str]:
    """Both axes are square roots: the diagonal stays straight, and small probabilities can be told apart."""
    frame, end = _SQUARE, top(rows)

    def x(share: float) -> float:
        return frame.x(sqrt(share / end))

    def y(share: float) -> float:
        return frame.y(sqrt(share / end))

    yield frame.opened("reliability", title=voice["calibration"], says=voice["plot_reliability"])
    for mark in marks(end):
        label = voice["percent"].format(number=voice.short(100 * mark))
        yield from frame.marked_across(sqrt(mark / end), label)
        yield from frame.marked_up(sqrt(mark / end), label)
    yield from frame.names(voice["plot_x"], voice["plot_y"])
    yield f'<path class="perfect" d="M{x(0):.1f} {y(0):.1f}L{x(end):.1f} {y(end):.1f}"/>'
    for row in rows:
        across = x(row["predicted_mean"])
        yield _interval(across, y(row["wilson_low"]), y(row["wilson_high"]))
        yield marker("a", across, y(row["observed_rate"]), named=_named(row, "wilson", voice))
    yield "</svg>"


def _months(rows: Rows, voice: Voice) -> Iterator[str]:
    frame = _WIDE
    ends = even_marks(max(max(row["predicted_mean"], row["observed_high"]) for row in rows))
    yield frame.opened("months", title=voice["months"], says=voice["plot_months"])
    for mark in ends:
        yield from frame.marked_up(mark / ends[-1], voice["percent"].format(number=voice.short(100 * mark)))
    places = [(at + 0.5) / len(rows) for at in range(len(rows))]
    every = -(-len(rows) // _MONTHS_NAMED)
    for at, row in enumerate(rows):
        if at % every == 0:
            yield from frame.marked_across(places[at], visible(_short_month(str(row["month"]))))
    yield from _named_axes(frame, voice)
    points = [
        (frame.x(place), frame.y(row["predicted_mean"] / ends[-1])) for place, row in zip(places, rows, strict=True)
    ]
    yield line("b", points)
    for place, row in zip(places, rows, strict=True):
        across = frame.x(place)
        yield _interval(across, *(frame.y(row[end] / ends[-1]) for end in ("observed_low", "observed_high")))
        says = voice["plot_named"].format(name=voice.month(str(row["month"])), says=_named(row, "observed", voice))
        yield marker("a", across, frame.y(row["observed_rate"] / ends[-1]), named=visible(says))
    for across, up in points:
        yield marker("b", across, up)
    yield from _predicted_and_observed(frame, voice)
    yield "</svg>"


def _short_month(month: str) -> str:
    """A month as it fits below an axis: 11/2026 reads the same in English and French."""
    year, _, number = month.partition("-")
    return f"{number}/{year}" if number.isdigit() and year.isdigit() else month


def _named_axes(frame: Frame, voice: Voice) -> Iterator[str]:
    """The names, the lower one above the key."""
    y = (frame.y(0) + frame.y(1)) / 2
    yield (
        f'<text x="14" y="{y:.1f}" transform="rotate(-90 14 {y:.1f})" text-anchor="middle">'
        f"{escape(voice['plot_y'])}</text>"
    )
    x = (frame.x(0) + frame.x(1)) / 2
    yield f'<text x="{x:.1f}" y="{frame.height - 32:.1f}" text-anchor="middle">{escape(voice["plot_month"])}</text>'


def _predicted_and_observed(frame: Frame, voice: Voice) -> Iterator[str]:
    entries = (("b", voice["plot_predicted"]), ("interval a", voice["plot_observed"]))
    for (kind, name), x in zip(entries, (frame.left, frame.left + 150), strict=True):
        at = frame.height - 12
        yield f'<path class="line {kind}" d="M{x:.1f} {at:.1f}h26"/>'
        yield marker(kind[-1], x + 13, at)
        yield f'<text x="{x + 33:.1f}" y="{at:.1f}" dy="4">{escape(name)}</text>'


def _segments(rows: Rows, voice: Voice) -> Iterator[str]:
    frame = Frame(width=_WIDE.width, height=_GROUP_HEIGHT * len(rows) + 90, left=240, bottom=74)
    ends = even_marks(max(max(row["predicted_mean"], row["wilson_high"]) for row in rows), most=5)
    yield frame.opened("segments", title=voice["segments"], says=voice["plot_segments"])
    for mark in ends:
        yield from frame.marked_across(mark / ends[-1], voice["percent"].format(number=voice.short(100 * mark)))
    below = frame.height - frame.bottom + 38
    middle = (frame.x(0) + frame.x(1)) / 2
    yield f'<text x="{middle:.1f}" y="{below:.1f}" text-anchor="middle">{escape(voice["plot_y"])}</text>'
    for at, row in enumerate(rows):
        up = frame.y(1 - (at + 0.5) / len(rows))
        whole = visible(f"{row['column']}: {row['value']}")
        yield (
            f'<text x="{frame.left - 10:.1f}" y="{up:.1f}" dy="4" text-anchor="end">'
            f"{escape(_group(str(row['column']), str(row['value'])))}</text>"
        )
        low, high, predicted, observed = (
            frame.x(row[name] / ends[-1]) for name in ("wilson_low", "wilson_high", "predicted_mean", "observed_rate")
        )
        yield f'<path class="interval" d="M{low:.1f} {up:.1f}H{high:.1f}"/>'
        says = voice["plot_named"].format(name=whole, says=_named(row, "wilson", voice))
        yield marker("a", observed, up, named=says)
        yield marker("b", predicted, up)
    yield from _predicted_and_observed(frame, voice)
    yield "</svg>"


def _group(column: str, value: str) -> str:
    """A group's name as there is room for it: of its value first, then of its column.

    >>> _group("source_channel", "inbound_marketing")
    'source_…: inbound_marke…'
    """
    value = shortened(value, most=_LABEL - 10)
    return f"{shortened(column, most=_LABEL - 2 - len(value))}: {value}"


def _gain(rows: Rows, capacity: float | None, voice: Voice) -> Iterator[str]:
    frame = Frame(width=520, height=400, left=66, top=20)
    yield frame.opened("gain", title=voice["gain"], says=voice["plot_gain"])
    for mark in even_marks(1.0):
        label = voice.percent(mark, digits=0)
        yield from frame.marked_across(mark, label)
        yield from frame.marked_up(mark, label)
    yield from frame.names(voice["plot_called"], voice["plot_found"])
    yield f'<path class="perfect" d="M{frame.x(0):.1f} {frame.y(0):.1f}L{frame.x(1):.1f} {frame.y(1):.1f}"/>'
    if capacity is not None and 0 <= capacity <= 1:
        across = frame.x(capacity)
        yield f'<path class="capacity" d="M{across:.1f} {frame.y(0):.1f}V{frame.y(1):.1f}"/>'
        yield f'<text x="{across + 4:.1f}" y="{frame.y(1) + 12:.1f}">{escape(voice["gain_at_capacity"])}</text>'
    entries = []
    for kind, name in (("c", "logistic"), ("b", "points"), ("a", "model")):
        points = [(row["share"], row[name]) for row in rows if row.get(name) is not None]
        if not points:
            continue
        entries.append((kind, voice[f"gain_{name}"]))
        yield line(kind, [(frame.x(share), frame.y(found)) for share, found in points])
        for share, found in points[:: max(1, len(points) // 10)]:
            says = f"{voice.percent(share, digits=0)}, {voice.percent(found)}"
            named = voice["plot_named"].format(name=voice[f"gain_{name}"], says=says)
            yield marker(kind, frame.x(share), frame.y(found), named=named)
    entries = [*entries[::-1], ("perfect", voice["gain_random"])]
    yield from key(entries, x=frame.x(0.56), y=frame.y(0.06) - 18 * (len(entries) - 1))
    yield "</svg>"


def _interval(x: float, low: float, high: float) -> str:
    return f'<path class="interval" d="M{x:.1f} {low:.1f}V{high:.1f}"/>'


def _named(row: Mapping[str, Any], ends: str, voice: Voice) -> str:
    return voice["plot_point"].format(
        predicted=voice.percent(row["predicted_mean"]),
        converted=voice.percent(row["observed_rate"]),
        low=voice.percent(row[f"{ends}_low"]),
        high=voice.percent(row[f"{ends}_high"]),
    )

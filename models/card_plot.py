"""The calibration table -> a reliability plot in SVG: does 22 % mean 22 of 100?

Both axes are square roots: the diagonal stays straight, and small probabilities, where most leads are, can be told
apart. Colours are the page's; only numbers of our own making get into it.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import sqrt
from typing import Any, Final

from models.card_words import Words

SIZE: Final = 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 20, 20, 50
_SIDE: Final = SIZE - _LEFT - _RIGHT
_HEIGHT: Final = SIZE - _TOP - _BOTTOM
_MARKS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
#: Least distance between two marks, as a share of an axis.
_APART: Final = 0.1


def reliability(table: Sequence[Mapping[str, Any]], *, words: Words) -> str:
    """Mean prediction against observed rate, one point per row of `calibration_table` with its 95 % interval."""
    return "\n".join(_drawn(table, words))


def top(table: Sequence[Mapping[str, Any]]) -> float:
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


def _drawn(table: Sequence[Mapping[str, Any]], words: Words) -> Iterator[str]:
    end = top(table)

    def x(share: float) -> str:
        return f"{_LEFT + _SIDE * sqrt(share / end):.1f}"

    def y(share: float) -> str:
        return f"{SIZE - _BOTTOM - _HEIGHT * sqrt(share / end):.1f}"

    yield f'<svg class="plot" viewBox="0 0 {SIZE} {SIZE}" role="img" aria-label="{escape(words["plot"])}">'
    for mark in marks(end):
        label = f"{100 * mark:g} %"
        yield f'<path class="grid" d="M{x(mark)} {y(0)}V{y(end)}M{x(0)} {y(mark)}H{x(end)}"/>'
        yield f'<text x="{x(mark)}" y="{SIZE - _BOTTOM + 18}" text-anchor="middle">{label}</text>'
        yield f'<text x="{_LEFT - 8}" y="{y(mark)}" dy="4" text-anchor="end">{label}</text>'
    yield f'<text x="{_LEFT + _SIDE / 2:.1f}" y="{SIZE - 8}" text-anchor="middle">{escape(words["plot_x"])}</text>'
    middle = f"{_TOP + _HEIGHT / 2:.1f}"
    yield (
        f'<text x="14" y="{middle}" transform="rotate(-90 14 {middle})" text-anchor="middle">'
        f"{escape(words['plot_y'])}</text>"
    )
    yield f'<path class="perfect" d="M{x(0)} {y(0)}L{x(end)} {y(end)}"/>'
    for row in table:
        across = x(row["predicted_mean"])
        named = words["plot_point"].format(
            predicted=f"{100 * row['predicted_mean']:.1f} %",
            converted=f"{100 * row['observed_rate']:.1f} %",
            low=f"{100 * row['wilson_low']:.1f} %",
            high=f"{100 * row['wilson_high']:.1f} %",
        )
        yield f'<path class="interval" d="M{across} {y(row["wilson_low"])}V{y(row["wilson_high"])}"/>'
        yield f'<circle cx="{across}" cy="{y(row["observed_rate"])}" r="4.5"><title>{escape(named)}</title></circle>'
    yield "</svg>"

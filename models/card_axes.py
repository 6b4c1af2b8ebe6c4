"""The frame of a drawing in SVG: its size, its scales, its grid with marks, and the names of its axes.

Colours are the page's. Only numbers of our own making, and escaped text, get into a drawing.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

from models.card_blocks import visible

Scale = Callable[[float], float]


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Where a drawing's axes lie, in units of its own; y grows downwards as everywhere in SVG."""

    width: float
    height: float
    left: float
    right: float = 30.0
    top: float = 16.0
    bottom: float = 50.0

    def x(self, share: float) -> float:
        """A share of the way across."""
        return self.left + (self.width - self.left - self.right) * share

    def y(self, share: float) -> float:
        """A share of the way up."""
        return self.height - self.bottom - (self.height - self.top - self.bottom) * share

    def opened(self, key: str, *, title: str, says: str) -> str:
        """The drawing's first tag, with a title and a description for those who cannot see it."""
        wide = " wide" if self.width > 450 else ""  # drawn small on a telephone, so its letters are made larger
        return (
            f'<svg class="plot{wide}" viewBox="0 0 {self.width:g} {self.height:g}" role="img" '
            f'aria-labelledby="{key}-title {key}-says"><title id="{key}-title">{escape(title)}</title>'
            f'<desc id="{key}-says">{escape(says)}</desc>'
        )

    def names(self, across: str, up: str) -> Iterator[str]:
        """What the axes are."""
        x = (self.x(0) + self.x(1)) / 2
        yield f'<text x="{x:.1f}" y="{self.height - 8:.1f}" text-anchor="middle">{escape(across)}</text>'
        if up:
            y = (self.y(0) + self.y(1)) / 2
            yield (
                f'<text x="14" y="{y:.1f}" transform="rotate(-90 14 {y:.1f})" text-anchor="middle">{escape(up)}</text>'
            )

    def marked_across(self, share: float, label: str) -> Iterator[str]:
        """One upright line of the grid, and its label below."""
        x = self.x(share)
        yield f'<path class="grid" d="M{x:.1f} {self.y(0):.1f}V{self.y(1):.1f}"/>'
        below = self.height - self.bottom + 18
        yield f'<text x="{x:.1f}" y="{below:.1f}" text-anchor="middle">{escape(label)}</text>'

    def marked_up(self, share: float, label: str) -> Iterator[str]:
        """One level line of the grid, and its label to the left."""
        y = self.y(share)
        yield f'<path class="grid" d="M{self.x(0):.1f} {y:.1f}H{self.x(1):.1f}"/>'
        yield f'<text x="{self.left - 8:.1f}" y="{y:.1f}" dy="4" text-anchor="end">{escape(label)}</text>'


def even_marks(highest: float, *, most: int = 6) -> list[float]:
    """Even, round marks from 0 to the first that is not below `highest`.

    >>> even_marks(0.23), even_marks(1.0)
    ([0.0, 0.05, 0.1, 0.15, 0.2, 0.25], [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    """
    highest = max(highest, 1e-4)
    unit = 10.0 ** floor(log10(highest / most))
    step = next(unit * times for times in (1, 2, 2.5, 5, 10, 20) if unit * times * (most - 1) >= highest * (1 - 1e-9))
    marks = [0.0]
    while marks[-1] < highest * (1 - 1e-9):
        marks.append(round(step * len(marks), 12))
    return marks


def marker(kind: str, x: float, y: float, *, named: str = "") -> str:
    """A point that is told from others by its shape, not only its colour; `named` shows under the pointer."""
    title = f"<title>{escape(named)}</title>" if named else ""
    match kind:
        case "a":
            return f'<circle class="a" cx="{x:.1f}" cy="{y:.1f}" r="4.5">{title}</circle>'
        case "b":
            return f'<rect class="b" x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8">{title}</rect>'
        case _:
            return f'<path class="c" d="M{x - 5:.1f} {y + 4:.1f}h10l-5 -9z">{title}</path>'


def line(kind: str, points: Sequence[tuple[float, float]]) -> str:
    """A line through points; its dashes tell it from others."""
    through = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path class="line {kind}" d="M{through}"/>'


def key(entries: Sequence[tuple[str, str]], *, x: float, y: float) -> Iterator[str]:
    """The drawing's key, one entry below the other."""
    for row, (kind, name) in enumerate(entries):
        at = y + 18 * row
        yield f'<path class="line {kind}" d="M{x:.1f} {at:.1f}h26"/>'
        if kind in ("a", "b", "c"):
            yield marker(kind, x + 13, at)
        yield f'<text x="{x + 33:.1f}" y="{at:.1f}" dy="4">{escape(name)}</text>'


def shortened(text: str, *, most: int) -> str:
    """A name that fits beside a drawing; its end is cut off.

    >>> shortened("a very long name of a channel", most=12)
    'a very long…'
    """
    line = visible(text).strip()
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"

"""What a model card is made of, whichever format it is read in: sections of paragraphs, lists, tables and a plot."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any, Final, Literal


@dataclass(frozen=True)
class Span:
    """A piece of text with a role."""

    text: str
    role: Literal["strong", "code", "quiet"]


@dataclass(frozen=True)
class Bar:
    """A bar, `share` of the widest one; only where pages are drawn."""

    share: float


Text = tuple[str | Span | Bar, ...]


@dataclass(frozen=True)
class Paragraph:
    """One paragraph."""

    text: Text


@dataclass(frozen=True)
class Bullets:
    """A list, in no order."""

    items: tuple[Text, ...]


@dataclass(frozen=True)
class Code:
    """Lines to be shown as they are."""

    text: str


@dataclass(frozen=True)
class Table:
    """Rows as wide as `head`; `align` has one letter per column: l for words, r for numbers."""

    head: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]
    align: str


@dataclass(frozen=True)
class Figure:
    """One number to be seen at a glance."""

    name: str
    value: str
    interval: str


@dataclass(frozen=True)
class Figures:
    """A few of them, side by side."""

    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Plot:
    """The calibration table as a reliability plot; only where pages are drawn."""

    table: tuple[Mapping[str, Any], ...]


Block = Paragraph | Bullets | Code | Table | Figures | Plot


@dataclass(frozen=True)
class Section:
    """A heading of `level` 1 to 3, and what stands under it; `key` names it whatever the language."""

    key: str
    title: str
    blocks: tuple[Block, ...]
    level: int = 2


def say(template: str | None, **values: str | int | Span | None) -> Text:
    """Fill a sentence's placeholders; empty when a value is not known, for then there is nothing to say.

    >>> say("Enters {stage} within {days} days.", stage=Span("won", "code"), days=30)
    ('Enters ', Span(text='won', role='code'), ' within ', '30', ' days.')
    >>> say("Enters {stage} within {days} days.", stage="won", days=None)
    ()
    """
    text: list[str | Span | Bar] = []
    for literal, name, _, _ in Formatter().parse(template or ""):
        if literal:
            text.append(literal)
        if name is not None:
            value = values.get(name)
            if value is None:
                return ()
            text.append(value if isinstance(value, Span) else str(value))
    return tuple(text)


def visible(text: str) -> str:
    """Text from data on one line, where what cannot be seen, or turns the reading direction round, is spelled out.

    >>> visible("plan\\t(old)\\u202ejs"), visible("nul\\x00")
    ('plan (old)[U+202E]js', 'nul[U+0000]')
    """
    line = _SPACE.sub(" ", text)
    return line if line.isprintable() else "".join(f"[U+{ord(c):04X}]" if _hidden(c) else c for c in line)


_SPACE: Final = re.compile(r"\s+")


def _hidden(character: str) -> bool:
    never = ord(character) & 0xFFFE == 0xFFFE or "\ufdd0" <= character <= "\ufdef"  # by definition no character
    return never or unicodedata.category(character) in ("Cc", "Cf", "Cs")

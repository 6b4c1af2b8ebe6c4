"""What a model card is made of, whichever format it is read in: sections of paragraphs, lists, tables and plots."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any, Final, Literal


@dataclass(frozen=True)
class Span:
    """A piece of text with a role; "english" is what nobody has put into the language of the card."""

    text: str
    role: Literal["strong", "code", "quiet", "english"]


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
class Notice:
    """A sentence in a box, with the tone of what it says."""

    text: Text
    tone: Literal["good", "warn", "bad"]


@dataclass(frozen=True)
class Figure:
    """One number to be seen at a glance, and what it says."""

    name: str
    value: str
    interval: str
    meaning: str = ""


@dataclass(frozen=True)
class Figures:
    """A few of them, side by side."""

    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Plot:
    """Rows of facts as a drawing; only where pages are drawn, for a table beside it says the same."""

    kind: Literal["reliability", "months", "segments", "gain"]
    rows: tuple[Mapping[str, Any], ...]
    capacity: float | None = None
    """Share of the list that can be called; only for gain."""


@dataclass(frozen=True)
class Folded:
    """Blocks that a page may fold away under a summary; on paper, and in Markdown, they are all there."""

    summary: str
    blocks: tuple["Block", ...]
    open: bool = False


Block = Paragraph | Bullets | Code | Table | Notice | Figures | Plot | Folded


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


#: All but the spaces that keep a number and its unit on one line.
_SPACE: Final = re.compile(r"[^\S\u00a0\u202f]+")


def _hidden(character: str) -> bool:
    never = ord(character) & 0xFFFE == 0xFFFE or "\ufdd0" <= character <= "\ufdef"  # by definition no character
    return never or unicodedata.category(character) in ("Cc", "Cf", "Cs")

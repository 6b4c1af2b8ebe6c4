"""Sections -> Markdown: what data are called is text in it, never markup."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from models.card_blocks import (
    Bar,
    Block,
    Bullets,
    Code,
    Figures,
    Folded,
    Notice,
    Paragraph,
    Plot,
    Section,
    Span,
    Table,
    Text,
    visible,
)

#: What means something inside a line, in CommonMark and in the tables, strikethrough, links and formulas of its kin.
_INLINE: Final = re.compile(r"[\\`*_\[\]<>|&~$]|:(?=//)|(?<=www)\.", re.IGNORECASE)
#: What means something where a line begins.
_START: Final = re.compile(r"^(\d*)([-+=#.)])")


def render(sections: Sequence[Section]) -> str:
    """One Markdown document; figures and plots, which only a page can show, are left to the tables."""
    blocks = [
        block
        for section in sections
        for block in (f"{'#' * section.level} {section.title}", *(_block(block) for block in section.blocks))
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _block(block: Block) -> str:
    match block:
        case Paragraph(text):
            return _line(text)
        case Bullets(items):
            return "\n".join(f"- {_line(item)}" for item in items)
        case Code(text):
            fence = _fence(text, least=3)
            return f"{fence}sql\n{text}\n{fence}"
        case Table():
            return "\n".join(_rows(block))
        case Notice(text):
            return _line((Span(_unmarked(text), "strong"),))
        case Folded(summary, blocks):
            inside = (_block(block) for block in blocks)
            return "\n\n".join([_line((Span(summary, "strong"),)), *(block for block in inside if block)])
        case Figures() | Plot():
            return ""


def _rows(table: Table) -> Iterator[str]:
    yield f"| {' | '.join(_escaped(title) for title in table.head)} |"
    yield f"| {' | '.join('---:' if letter == 'r' else '---' for letter in table.align)} |"
    for row in table.rows:
        yield f"| {' | '.join(_text(cell, in_table=True) for cell in row)} |"


def _line(text: Text) -> str:
    return _START.sub(r"\1\\\2", _text(text))


def _text(text: Text, *, in_table: bool = False) -> str:
    return "".join(_piece(piece, in_table=in_table) for piece in text).strip()


def _unmarked(text: Text) -> str:
    """The words of a sentence that is bold as a whole."""
    return "".join(piece.text if isinstance(piece, Span) else piece for piece in text if not isinstance(piece, Bar))


def _piece(piece: str | Span | Bar, *, in_table: bool) -> str:
    match piece:
        case str():
            return _escaped(piece)
        case Span(text, "strong"):
            return f"**{_escaped(text).strip()}**"
        case Span(text, "code"):
            return _code(visible(text).strip(), in_table=in_table)
        case Span(text):
            return _escaped(text)
        case Bar():
            return ""


def _escaped(text: str) -> str:
    return _INLINE.sub(r"\\\g<0>", visible(text))


def _code(text: str, *, in_table: bool) -> str:
    """A code span, fenced so that no backtick in it ends it."""
    if not text or (in_table and ("|" in text or "\\" in text)):
        return _escaped(text)  # how a bar in a cell's code is escaped differs from reader to reader
    fence = _fence(text, least=1)
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def _fence(text: str, *, least: int) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    return "`" * max(least, longest + 1)

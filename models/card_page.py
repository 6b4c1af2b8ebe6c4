"""Sections -> one HTML page that stands alone: it loads nothing, runs nothing, and reads in the dark and on paper.

Nothing that data are called becomes an element or an attribute; the browser is told to refuse everything but the
page's own style. The same sections give the same bytes.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from models.card_blocks import (
    Bar,
    Block,
    Bullets,
    Code,
    Figure,
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
from models.card_plot import drawn
from models.card_style import STYLE
from models.card_voice import Voice

_DIGEST: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY: Final = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'"
_TAGS: Final = {
    "strong": ("<strong>", "</strong>"),
    "code": ("<code>", "</code>"),
    "quiet": ("<small>", "</small>"),
    "english": ('<span lang="en">', "</span>"),
}


def render(sections: Sequence[Section], *, voice: Voice) -> str:
    """The page; its first section is the header, the others of level 2 are listed in its contents."""
    return "\n".join(_page(sections, voice)) + "\n"


def _page(sections: Sequence[Section], words: Voice) -> Iterator[str]:
    yield "<!DOCTYPE html>"
    yield f'<html lang="{words["language"]}">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="referrer" content="no-referrer">'
    yield f"<title>{escape(words['title'])}</title>"
    yield f"<style>{STYLE}</style>"
    yield "</head>"
    yield "<body>"
    yield "<main>"
    for section in sections:
        yield f'<section id="{section.key}">'
        yield f"<h{section.level}>{escape(section.title)}</h{section.level}>"
        for block in section.blocks:
            yield _block(block, section, words)
        yield "</section>"
        if section.level == 1:
            yield _contents(sections, words)
    yield "</main>"
    yield "</body>"
    yield "</html>"


def _contents(sections: Sequence[Section], words: Voice) -> str:
    entries = "".join(f'<li><a href="#{s.key}">{escape(s.title)}</a></li>' for s in sections if s.level == 2)
    return f'<nav aria-label="{escape(words["contents"])}"><ul>{entries}</ul></nav>'


def _block(block: Block, section: Section, words: Voice) -> str:
    match block:
        case Paragraph(text):
            return f"<p>{_text(text)}</p>"
        case Bullets(items):
            return f"<ul>{''.join(f'<li>{_text(item)}</li>' for item in items)}</ul>"
        case Code(text):
            return f'<pre tabindex="0"><code>{escape(text)}</code></pre>'
        case Table():
            return "\n".join(_table(block, section))
        case Notice(text, tone):
            return f'<p class="notice {tone}">{_text(text)}</p>'
        case Folded(summary, blocks, opened):
            inside = "\n".join(_block(inner, section, words) for inner in blocks)
            return f"<details{' open' if opened else ''}><summary>{_plain(summary)}</summary>\n{inside}\n</details>"
        case Figures(figures):
            return f"<dl>{''.join(_tile(figure) for figure in figures)}</dl>"
        case Plot(kind):
            caption = escape(words[f"plot_{kind}"])
            return f"<figure>{drawn(block, voice=words)}<figcaption>{caption}</figcaption></figure>"


def _tile(figure: Figure) -> str:
    """Name, value, interval, and what it says."""
    says = f"<dd><small>{escape(figure.meaning)}</small></dd>" if figure.meaning else ""
    value = f"<dd><b>{escape(figure.value)}</b> <small>{escape(figure.interval)}</small></dd>"
    return f"<div><dt>{escape(figure.name)}</dt>{value}{says}</div>"


def _table(table: Table, section: Section) -> Iterator[str]:
    """In a box that scrolls by itself, by keyboard too, so that the page never does sideways."""
    classes = [' class="number"' if letter == "r" else "" for letter in table.align]
    yield f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(section.title)}"><table>'
    head = "".join(f'<th scope="col"{c}>{_plain(title)}</th>' for c, title in zip(classes, table.head, strict=True))
    yield f"<thead><tr>{head}</tr></thead>"
    yield "<tbody>"
    for row in table.rows:
        yield "<tr>" + "".join(f"<td{c}>{_text(cell)}</td>" for c, cell in zip(classes, row, strict=True)) + "</tr>"
    yield "</tbody></table></div>"


def _text(text: Text) -> str:
    return "".join(_piece(piece) for piece in text).strip()


def _piece(piece: str | Span | Bar) -> str:
    match piece:
        case str():
            return _plain(piece)
        case Span(text, role):
            before, after = _TAGS[role]
            return f"{before}{_plain(text)}{after}"
        case Bar(share):
            width = f"{100 * min(max(share, 0.0), 1.0):.1f}"
            return (
                '<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
                f'<rect width="{width}" height="6"/></svg>'
            )


def _plain(text: str) -> str:
    return escape(visible(text))

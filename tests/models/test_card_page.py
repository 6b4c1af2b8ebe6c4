"""The page says what the Markdown says, and nothing that data are called becomes an element or an attribute of it."""

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.card import languages, sections, to_html, to_markdown, voice_of, words_of
from models.card_axes import even_marks
from models.card_blocks import Plot, visible
from models.card_page import POLICY
from models.card_plot import drawn, marks, top
from models.card_words import ENGLISH
from tests.models.card_data import full, standing
from tests.models.card_hostile import HOSTILE, named
from tests.models.data import facts, few_examples
from tests.models.test_card import READER, shown

VOID = {"meta"}
#: All that a page is made of: nothing of it loads, runs, submits or leads away.
ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "main", "section", "nav", "ul", "li", "a", "h1", "h2", "h3"),
    *("p", "strong", "small", "code", "pre", "div", "table", "thead", "tbody", "tr", "th", "td", "dl", "dt", "dd"),
    *("figure", "figcaption", "svg", "path", "text", "circle", "rect", "desc", "details", "summary", "b", "span"),
}


class Skeleton(HTMLParser):
    """The elements and attributes of a page, and the texts between them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.other: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.texts and self.texts[-1][0] == self.open[-1:]:
            self.texts[-1] = (self.texts[-1][0], self.texts[-1][1] + data)
        elif data.strip():
            self.texts.append((self.open[-1] if self.open else "", data))

    def handle_comment(self, data: str) -> None:
        self.other.append(data)

    def handle_decl(self, decl: str) -> None:
        self.other.append(decl)

    def unknown_decl(self, data: str) -> None:
        self.other.append(data)

    def handle_pi(self, data: str) -> None:
        self.other.append(data)


@cache
def plain() -> Skeleton:
    return Skeleton(to_html(named([f"name{i}" for i in range(12)])))


def hostile_names() -> st.SearchStrategy[str]:
    return st.sampled_from(HOSTILE) | st.text(min_size=1).filter(str.strip)


@few_examples
@given(st.lists(hostile_names(), min_size=12, max_size=12, unique_by=visible))
def test_no_name_becomes_an_element_or_an_attribute(names: list[str]) -> None:
    page = Skeleton(to_html(named(names)))
    assert page.elements == plain().elements
    assert page.other == ["DOCTYPE html"]
    assert page.open == []


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_shown_as_it_is(name: str) -> None:
    html = to_html(named([f"{name} {i}" for i in range(12)]))
    page = Skeleton(html)
    assert page.elements == plain().elements
    shown_as = {re.sub(r"\s+", " ", text) for tag, text in page.texts if tag == "code"}
    assert {re.sub(r"\s+", " ", visible(f"{name} {i}").lstrip()) for i in range(3)} <= shown_as
    assert all(ord(c) >= 32 or c == "\n" for c in html)


def test_the_page_loads_runs_and_submits_nothing() -> None:
    page = Skeleton(to_html(full()))
    assert {tag for tag, _ in page.elements} <= ELEMENTS
    for tag, attributes in page.elements:
        for key, value in attributes:
            assert not key.startswith("on")
            assert key not in ("style", "src", "srcset", "action", "xlink:href")
            assert key != "href" or (tag == "a" and value is not None and value.startswith("#"))
    assert "url(" not in to_html(full())
    assert "@import" not in to_html(full())


def test_the_browser_is_told_to_refuse_all_but_the_page_s_own_style() -> None:
    page = Skeleton(to_html(facts()))
    ((_, style),) = [text for text in page.texts if text[0] == "style"]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert policy == POLICY
    assert ("meta", (("http-equiv", "Content-Security-Policy"), ("content", POLICY))) in page.elements
    tags = [tag for tag, _ in page.elements]
    assert tags.index("meta") < tags.index("style")


@pytest.mark.parametrize("language", languages())
def test_both_renderings_say_the_same(language: str) -> None:
    """Sentence by sentence and cell by cell, but for what only a page can show."""
    words = words_of(language)
    html = to_html(full(), words=words, standing=standing())
    for drawing in (
        r"<style>.*?</style>",
        r"<title>.*?</title>",
        r"<nav.*?</nav>",
        r"<dl>.*?</dl>",
        r"<figure>.*?</figure>",
    ):
        html = re.sub(drawing, "", html, flags=re.DOTALL)
    of_page = "".join(text for _, text in Skeleton(html).texts)
    tokens = READER.parse(to_markdown(full(), words=words, standing=standing()))
    of_markdown = "".join(shown(t) if t.type == "inline" else t.content for t in tokens)
    assert re.sub(r"\s+", "", of_page) == re.sub(r"\s+", "", of_markdown)


def test_figures_at_a_glance_say_what_they_mean() -> None:
    (glance,) = re.findall(r"<dl>(.*?)</dl>", to_html(full()), re.DOTALL)
    tiles = re.findall(r"<dt>(.*?)</dt><dd><b>(.*?)</b> <small>(.*?)</small></dd><dd><small>(.*?)</small>", glance)
    assert len(tiles) == 6
    assert ("ROC-AUC", "0.812", "(0.791 to 0.833)") in [tile[:3] for tile in tiles]
    assert all(meaning for *_, meaning in tiles)


def test_the_contents_lead_to_every_section() -> None:
    page = Skeleton(to_html(facts()))
    ids = [dict(attributes)["id"] for tag, attributes in page.elements if tag == "section"]
    links = [str(dict(attributes)["href"]) for tag, attributes in page.elements if tag == "a"]
    assert len(set(ids)) == len(ids)
    assert links == [f"#{section.key}" for section in sections(facts()) if section.level == 2]
    assert {link[1:] for link in links} <= set(ids)


def test_every_table_has_its_heads_and_scrolls_in_a_box_of_its_own() -> None:
    html = to_html(full())
    assert html.count("<table>") == html.count('<div class="scroll" role="region" tabindex="0"')
    for table in re.findall(r"<table>(.*?)</table>", html, re.DOTALL):
        heads = table.count('<th scope="col"')
        assert heads
        assert {row.count("<td") for row in re.findall(r"<tr>(<td.*?)</tr>", table)} == {heads}


def test_the_same_facts_give_the_same_bytes() -> None:
    assert to_html(full()).encode() == to_html(full()).encode()
    assert to_html(full()) != to_html(full() | {"notes": []})


def test_another_language_is_said_to_the_reader() -> None:
    page = to_html(full(), words={**ENGLISH, "language": "fr", "title": "Fiche du modèle"})
    assert '<html lang="fr">' in page
    assert "<title>Fiche du modèle</title>" in page
    assert "<h1>Fiche du modèle</h1>" in page


@st.composite
def calibration_tables(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows = []
    for _ in range(draw(st.integers(1, 10))):
        low, observed, high = sorted(draw(st.lists(st.floats(0, 1), min_size=3, max_size=3)))
        rows.append(
            {"predicted_mean": draw(st.floats(0, 1)), "observed_rate": observed, "wilson_low": low, "wilson_high": high}
        )
    return rows


def drawing(kind: Any, rows: list[dict[str, Any]], capacity: float | None = None) -> str:
    return drawn(Plot(kind, tuple(rows), capacity), voice=voice_of(ENGLISH))


@few_examples
@given(calibration_tables())
def test_every_point_lies_inside_the_plot_and_on_the_side_it_belongs(table: list[dict[str, Any]]) -> None:
    plot = drawing("reliability", table)
    points = [(float(x), float(y)) for x, y in re.findall(r'<circle class="a" cx="(.*?)" cy="(.*?)"', plot)]
    left, bottom, right, up = map(float, re.findall(r'class="perfect" d="M(.*?) (.*?)L(.*?) (.*?)"', plot)[0])
    assert len(points) == len(table)
    for (x, y), row in zip(points, table, strict=True):
        assert left <= x <= right
        assert up <= y <= bottom
        above = (bottom - y) / (bottom - up) - (x - left) / (right - left)
        difference = row["observed_rate"] - row["predicted_mean"]
        assert abs(above) < 0.002 or (above > 0) == (difference > 0)


@few_examples
@given(calibration_tables())
def test_axes_end_above_everything_and_their_marks_stand_apart(table: list[dict[str, Any]]) -> None:
    end = top(table)
    assert end >= max(max(row["predicted_mean"], row["wilson_high"]) for row in table)
    places = [(mark / end) ** 0.5 for mark in marks(end)]
    assert (places[0], places[-1]) == (0.0, 1.0)
    assert len(places) >= 2
    assert all(b - a > 0.08 for a, b in pairwise(places))


@few_examples
@given(st.floats(0, 1))
def test_even_marks_begin_at_nothing_and_end_above_everything(highest: float) -> None:
    found = even_marks(highest)
    assert found[0] == 0
    assert found[-1] >= highest * (1 - 1e-9)
    assert 2 <= len(found) <= 8
    steps = [b - a for a, b in pairwise(found)]
    assert max(steps) - min(steps) < 1e-9


@few_examples
@given(calibration_tables(), st.none() | st.floats(0, 1))
def test_no_drawing_goes_beyond_its_edge(table: list[dict[str, Any]], capacity: float | None) -> None:
    ends = {"observed_low": "wilson_low", "observed_high": "wilson_high"}
    rows = [
        row
        | {name: row[of] for name, of in ends.items()}
        | {"month": f"2026-{1 + at % 12:02}", "column": "c" * 50, "value": "v", "share": at / 10, "model": at / 10}
        for at, row in enumerate(table)
    ]
    for kind in ("reliability", "months", "segments", "gain"):
        plot = drawing(kind, rows, capacity)
        width, height = map(float, re.findall(r'viewBox="0 0 (.*?) (.*?)"', plot)[0])
        for x, y in re.findall(r'(?:cx|x)="([\d.-]+)" (?:cy|y)="([\d.-]+)"', plot):
            assert 0 <= float(x) <= width
            assert 0 <= float(y) <= height


def test_drawings_are_told_apart_without_colours_and_named_for_those_who_cannot_see_them() -> None:
    html = to_html(full())
    plots = re.findall(r'<svg class="plot.*?</svg>', html, re.DOTALL)
    assert len(plots) == 4
    for plot in plots:
        title, says = re.findall(r'aria-labelledby="(\S+) (\S+)"', plot)[0]
        assert re.search(rf'<title id="{title}">[^<]+</title><desc id="{says}">[^<]+</desc>', plot)
        assert html.count(f'id="{title}"') == 1
    gain = plots[0]
    assert all(f'class="line {kind}"' in gain for kind in "abc")  # of which each has dashes and markers of its own
    assert gain.count("<circle") > 5 < gain.count("<rect")
    assert "capacity" in gain


def test_groups_are_named_beside_the_drawing_however_long_their_names() -> None:
    long = full() | {"segments": [full()["segments"][0] | {"value": "<b>" + "long" * 500}]}
    (plot,) = re.findall(r'<svg class="plot wide".*?id="segments-title".*?</svg>', to_html(long), re.DOTALL)
    plot = plot[plot.index('id="segments-title"') :]
    assert all(len(label) < 60 for label in re.findall(r"<text[^>]*>(.*?)</text>", plot))
    assert "&lt;b&gt;longlong" in plot

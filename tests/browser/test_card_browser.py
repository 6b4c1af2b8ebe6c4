"""A model card's page in a browser: quiet, whole on a telephone, in the dark and on paper, in every language."""

import io
from functools import cache, partial
from typing import Any

import pytest

from models.card import languages, to_html, words_of
from tests.browser.conftest import Open
from tests.models.card_data import described, full, segment, standing
from tests.models.card_hostile import HOSTILE, named
from tests.models.data import facts

#: Millimetres between the margins of A4, in CSS pixels.
PAPER = 688

#: Everything there is to tell, all names made to break out, and a card of before: incomplete.
CARDS = (("full", "en"), ("full", "fr"), ("hostile", "en"), ("before", "fr"))


@cache
def card(which: str, language: str = "en") -> str:
    """The page of one of the cards."""
    made: dict[str, Any] = {
        "full": full() | {"features": described()},
        "hostile": named([f"{HOSTILE[at % len(HOSTILE)]} {at} {'long' * 40}" for at in range(0, 36, 3)]),
        "before": facts(),
    }[which]
    return to_html(made, words=words_of(language), standing=standing())


@pytest.mark.parametrize(("which", "language"), CARDS)
def test_a_page_asks_for_nothing_says_nothing_and_fits_its_window(shown: Open, which: str, language: str) -> None:
    for width, scheme in ((360, "dark"), (768, "light"), (1280, "light")):
        opened = shown(card(which, language), width=width, scheme=scheme)
        assert opened.asked == []
        assert opened.said == []
        assert opened.measure("document.documentElement.scrollWidth") <= width
        assert opened.measure("document.documentElement.lang") == language
        assert opened.measure("document.querySelectorAll('script, img, iframe, link, object, form').length") == 0


def test_what_is_too_wide_for_a_telephone_scrolls_in_a_box_of_its_own(shown: Open) -> None:
    opened = shown(card("full"), width=360)
    wide = "[...document.querySelectorAll('.scroll')].filter(box => box.scrollWidth > box.clientWidth)"
    assert opened.measure(f"{wide}.length") > 3
    opened.measure(f"{wide}[0].focus()")
    opened.page.keyboard.press("ArrowRight")
    opened.page.wait_for_function(f"{wide}[0].scrollLeft > 0")
    assert opened.measure("window.scrollX") == 0


def test_the_first_screen_tells_the_verdict_the_figures_and_what_they_mean(shown: Open) -> None:
    opened = shown(card("full"))
    ends = opened.measure(
        "['#title > p', '#title dl', '#title > ul > li:nth-child(4)'].map("
        "which => document.querySelector(which).getBoundingClientRect().bottom)"
    )
    assert max(ends) <= 900
    assert opened.page.locator("#title dl div").count() == 6


CONTRAST = """
() => {
  const channel = c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const numbers = text => text.match(/[\\d.]+/g).map(Number);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const colour = numbers(getComputedStyle(node).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = {};
  for (const node of document.querySelectorAll('h1, h2, p, li, a, small, th, td, dt, b, code, summary, figcaption')) {
    const [one, other] = [light(numbers(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const name = node.tagName + (node.className ? '.' + node.className : '');
    found[name] = Math.min(found[name] ?? 99, ratio);
  }
  return found;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("which", ["full", "before"])
def test_every_text_stands_out_by_day_and_by_night(shown: Open, which: str, scheme: str) -> None:
    """WCAG 2.1, 1.4.3: at least 4.5 to 1."""
    found = shown(card(which), scheme=scheme).measure(CONTRAST)
    assert {name: ratio for name, ratio in found.items() if ratio < 4.5} == {}
    assert len(found) > 10


def test_what_has_no_evidence_is_shown_in_red(shown: Open) -> None:
    opened = shown(card("before"))
    red = opened.page.locator(".notice.bad")
    assert red.count() == 11
    assert red.first.inner_text().startswith("INCOMPLETE")
    red_, green, blue = opened.measure(
        "getComputedStyle(document.querySelector('.notice.bad')).color.match(/\\d+/g).map(Number)"
    )
    assert red_ > 2 * max(green, blue)


@pytest.mark.parametrize(("which", "language"), CARDS)
def test_on_paper_nothing_is_folded_away_or_cut_off(shown: Open, which: str, language: str) -> None:
    opened = shown(card(which, language), width=PAPER, media="print")
    assert opened.measure("document.documentElement.scrollWidth") <= PAPER
    assert opened.measure(
        f"[...document.querySelectorAll('table, svg, pre')].filter("
        f"one => one.getBoundingClientRect().right > {PAPER} + 0.5 || one.getBoundingClientRect().height === 0).length"
    ) == 0  # fmt: skip
    rules = opened.measure(
        "['tr', 'figure', 'pre'].map(name => [...document.querySelectorAll(name)].every("
        "one => getComputedStyle(one).breakInside === 'avoid'))"
    )
    assert rules == [True, True, True]
    assert opened.measure("[...document.querySelectorAll('thead')].every("
                          "one => getComputedStyle(one).display === 'table-header-group')")  # fmt: skip
    assert opened.measure("getComputedStyle(document.querySelector('nav')).display") == "none"


def _beginning(begins: list[float], text: str, place: list[float], within: list[float], *_: Any) -> None:
    """How far from the left edge of the paper a piece of text begins, in points."""
    if text.strip():
        begins.append(within[4] * place[0] + within[5] * place[2] + place[4])


@pytest.mark.parametrize("which", ["full", "hostile"])
def test_printed_pages_hold_every_word_and_repeat_the_head_of_a_table(shown: Open, which: str) -> None:
    from pypdf import PdfReader

    texts = []
    for page in PdfReader(io.BytesIO(shown(card(which)).page.pdf(prefer_css_page_size=True))).pages:
        begins: list[float] = []
        texts.append(page.extract_text(visitor_text=partial(_beginning, begins)))
        assert 0 <= min(begins) <= max(begins) < float(page.mediabox.width)
    printed = "".join("".join(texts).split())
    if which == "full":
        for feature in described():
            assert feature["name"] in printed
        assert printed.count("featurewhatitisfamily") >= 4  # the table goes on for pages, each with its head
    assert "Digestofthetrainingdata" in printed


def test_contents_lead_to_sections_and_folded_parts_open(shown: Open) -> None:
    opened = shown(card("full"))
    opened.page.get_by_role("link", name="Calibration").click()
    assert opened.page.url.endswith("#calibration")
    folded = opened.page.locator("details", has_text="What these metrics mean")
    inside = folded.locator("li").first
    assert not inside.is_visible()
    folded.locator("summary").press("Enter")
    assert inside.is_visible()


@pytest.mark.parametrize("language", languages())
def test_drawings_have_names_and_can_be_told_apart_without_colours(shown: Open, language: str) -> None:
    words, opened = words_of(language), shown(card("full", language))
    for key in ("gain", "calibration", "months", "segments"):
        drawing = opened.page.get_by_role("img", name=words[key])
        assert drawing.count() == 1
        assert drawing.bounding_box()["width"] > 300
    dashes = opened.measure("['a', 'b', 'c'].map(kind => getComputedStyle("
                            "document.querySelector('.line.' + kind)).strokeDasharray)")  # fmt: skip
    assert len(set(dashes)) == 3


@pytest.mark.parametrize("width", [360, 1280])
def test_labels_of_drawings_do_not_run_into_one_another(shown: Open, width: int) -> None:
    many = full()
    row = segment("source_channel_of_ours", "", False, 900, 90, "as promised")
    many["segments"] = [row | {"value": f"Wallonia and Brussels {at}"} for at in range(40)]
    for month in range(9, 30):
        many["months"].append(many["months"][0] | {"month": f"{2025 + month // 12}-{month % 12 + 1:02}"})
    opened = shown(to_html(many, words=words_of("fr")), width=width)
    overlapping = opened.measure("""() => [...document.querySelectorAll('svg.plot')].flatMap(svg => {
      const boxes = [...svg.querySelectorAll('text')].map(text => [text.textContent, text.getBoundingClientRect()]);
      return boxes.flatMap(([a, one], at) => boxes.slice(at + 1).filter(([b, other]) =>
        one.left < other.right - 1 && other.left < one.right - 1 &&
        one.top < other.bottom - 3 && other.top < one.bottom - 3).map(([b]) => a + ' / ' + b));
    })""")
    assert overlapping == []
    cut = opened.measure("""() => [...document.querySelectorAll('svg.plot')].flatMap(svg => {
      const [frame, names] = [svg.getBoundingClientRect(), [...svg.querySelectorAll('text')]];
      return names.filter(name => name.getBoundingClientRect().left < frame.left - 1 ||
        name.getBoundingClientRect().right > frame.right + 1).map(name => name.textContent);
    })""")
    assert cut == []

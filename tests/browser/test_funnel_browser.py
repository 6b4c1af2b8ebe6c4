"""The funnel's page in a browser: quiet, whole on a telephone, in the dark and on paper, in both languages."""

from functools import cache

import pytest

from serve.funnel_page import funnel_page
from tests.browser.conftest import Open
from tests.serve.test_funnel import HOSTILE, costs, followed, frame, hostile

#: Millimetres between the margins of A4, in CSS pixels.
PAPER = 688


@cache
def shown_as(which: str, language: str) -> str:
    """The page of a plain report, or of one in which every name is made to break out."""
    if which == "hostile":
        return funnel_page(hostile(), language=language)
    leads = [
        (
            at * 11 % 395,
            (at % 9, at % 20 + 5, None, at % 60 + 20 if at % 4 == 0 else None),
            ("ads", "mail", None)[at % 3],
        )
        for at in range(600)
    ]
    paid = costs(*(("ads", month, 900.0) for month in range(13)))
    return funnel_page(followed(frame(leads), costs=paid), language=language)


@pytest.mark.parametrize(("which", "language"), [("plain", "en"), ("plain", "fr"), ("hostile", "en")])
def test_a_page_asks_for_nothing_says_nothing_and_fits_its_window(shown: Open, which: str, language: str) -> None:
    for width, scheme in ((360, "dark"), (1280, "light")):
        opened = shown(shown_as(which, language), width=width, scheme=scheme)
        assert opened.asked == []
        assert opened.said == []
        assert opened.measure("document.documentElement.scrollWidth") <= width
        assert opened.measure("document.documentElement.lang") == language
        assert opened.measure("document.querySelectorAll('script, img, iframe, link, object, form').length") == 0


def test_it_is_whole_on_paper(shown: Open) -> None:
    opened = shown(shown_as("plain", "fr"), width=PAPER, media="print")
    assert opened.measure("document.documentElement.scrollWidth") <= PAPER
    assert opened.measure("[...document.querySelectorAll('details table')].every(one => one.getClientRects().length)")


def test_hostile_names_are_text(shown: Open) -> None:
    opened = shown(shown_as("hostile", "en"))
    names = opened.measure("[...document.querySelectorAll('figcaption')].map(one => one.textContent)")
    assert HOSTILE[0] in names
    assert HOSTILE[1] in names


def test_what_is_young_is_told_in_words_and_drawn_with_hatches(shown: Open) -> None:
    opened = shown(shown_as("plain", "en"))
    cells = opened.measure("[...document.querySelectorAll('#cohorts td.young')].map(one => one.textContent)")
    assert cells
    assert all("so far" in cell for cell in cells)
    fills = opened.measure(
        "[...document.querySelectorAll('rect.young')].filter(one => one.getBoundingClientRect().width > 1)"
        ".map(one => getComputedStyle(one).fill)"
    )
    assert fills
    assert all("-hatch" in fill for fill in fills)


@pytest.mark.parametrize("width", [360, 1280])
def test_no_words_of_a_drawing_overlap_or_leave_it(shown: Open, width: int) -> None:
    opened = shown(shown_as("plain", "fr"), width=width)
    assert opened.measure("document.querySelectorAll('svg.plot text').length") > 40
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

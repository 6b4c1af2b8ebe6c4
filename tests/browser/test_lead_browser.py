"""A lead's page in a browser: quiet, whole on a telephone, in the dark and on paper, whatever its names are."""

import pytest

from serve.lead_page import lead_page
from serve.lead_story import story
from tests.browser.conftest import Open
from tests.browser.test_card_browser import CONTRAST, PAPER
from tests.models.card_hostile import HOSTILE
from tests.serve.lead_data import facts, night

#: Everything there is to tell, in two languages, and names made to break out.
PAGES = (("full", "en"), ("full", "fr"), ("hostile", "en"), ("hostile", "fr"))


def page(which: str, language: str) -> str:
    made = facts(needs_confirmation=True)
    made["trend"]["nights"] = [night(day, 0.05 + 0.003 * day, version=str(1 + day // 30)) for day in range(47)]
    if which == "hostile":
        every = f"{' '.join(HOSTILE)} {'long' * 60}"
        made |= {"lead_id": every, "stage_reason": every, "model_version": every}
        made["groups"]["families"]["behavioural"]["reasons"][0]["says"] = every
        made["points_parts"][0] |= {"name": every, "says": every}
        made["what_if"]["changes"][1]["type"] = every
        made["notes"] = [{"note": "release", "version": every, "why": every}]
        for one in made["trend"]["nights"][:20]:
            one["model_version"] = every
    return lead_page(story(made, language=language))


@pytest.mark.parametrize(("which", "language"), PAGES)
def test_a_page_asks_for_nothing_says_nothing_and_fits_its_window(shown: Open, which: str, language: str) -> None:
    for width, scheme in ((360, "dark"), (1280, "light")):
        opened = shown(page(which, language), width=width, scheme=scheme)
        assert opened.asked == []
        assert opened.said == []
        assert opened.measure("document.documentElement.scrollWidth") <= width
        assert opened.measure("document.documentElement.lang") == language
        assert opened.measure("document.querySelectorAll('script, img, iframe, link, object, form').length") == 0


def test_the_first_screen_tells_how_likely_which_stage_and_where_it_is_going(shown: Open) -> None:
    opened = shown(page("full", "en"))
    assert opened.page.locator("h1").inner_text() == "Lead L-1"
    assert opened.measure("document.querySelector('dl').getBoundingClientRect().bottom") <= 900
    tiles = [tile.split("\n")[:2] for tile in opened.page.locator("dl div").all_inner_texts()]
    assert ["Recommended stage", "sal"] in tiles
    assert ["Trend", "improving"] in tiles
    assert opened.page.get_by_role("img", name="Probability, as published").bounding_box()["width"] > 300


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_by_day_and_by_night(shown: Open, scheme: str) -> None:
    """WCAG 2.1, 1.4.3: at least 4.5 to 1."""
    found = shown(page("full", "fr"), scheme=scheme).measure(CONTRAST)
    assert {name: ratio for name, ratio in found.items() if ratio < 4.5} == {}


def test_what_raises_and_what_lowers_are_told_apart_without_colours(shown: Open) -> None:
    opened = shown(page("full", "en"))
    fills = opened.measure(
        "['up', 'down'].map(kind => getComputedStyle(document.querySelector('.effect .' + kind)).fill)"
    )
    paper = opened.measure("getComputedStyle(document.body).backgroundColor")
    assert fills[1] == paper != fills[0]
    sides = opened.measure("""[...document.querySelectorAll('.effect rect')].map(bar => {
      const [one, all] = [bar.getBoundingClientRect(), bar.parentNode.getBoundingClientRect()];
      return [bar.className.baseVal, one.left + one.right > all.left + all.right];
    })""")
    assert {(kind, right) for kind, right in sides} == {("up", True), ("down", False)}


@pytest.mark.parametrize(("which", "language"), PAGES)
def test_on_paper_nothing_is_cut_off(shown: Open, which: str, language: str) -> None:
    opened = shown(page(which, language), width=PAPER, media="print")
    assert opened.measure("document.documentElement.scrollWidth") <= PAPER
    assert opened.measure(
        f"[...document.querySelectorAll('table, svg')].filter("
        f"one => one.getBoundingClientRect().right > {PAPER} + 0.5 || one.getBoundingClientRect().height === 0).length"
    ) == 0  # fmt: skip


@pytest.mark.parametrize("width", [360, 1280])
def test_labels_of_the_drawing_do_not_run_into_one_another(shown: Open, width: int) -> None:
    overlapping = shown(page("full", "fr"), width=width).measure("""() => {
      const texts = [...document.querySelectorAll('svg.plot text')];
      const boxes = texts.map(text => [text.textContent, text.getBoundingClientRect()]);
      return boxes.flatMap(([a, one], at) => boxes.slice(at + 1).filter(([b, other]) =>
        one.left < other.right - 1 && other.left < one.right - 1 &&
        one.top < other.bottom - 3 && other.top < one.bottom - 3).map(([b]) => a + ' / ' + b));
    }""")
    assert overlapping == []

"""A lead is told alike in both languages, and nothing in its data can break out of the page or the terminal."""

import html
import io
import re
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from features.kinds import KINDS
from features.tables import STAGES
from pipelines.report_lead import print_lead
from serve.lead_page import lead_page
from serve.lead_story import spark, story
from serve.lead_words import LANGUAGES, words_of
from serve.what_if import ACTS, QUIET
from tests.models.card_hostile import HOSTILE
from tests.serve.lead_data import facts

#: Bells, escapes, and what turns the reading direction round.
ROOT = Path(__file__).parents[2]
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)


def places(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def test_all_languages_have_the_same_words_with_the_same_places() -> None:
    english, french = words_of("en"), words_of("fr")
    assert set(english) == set(french)
    assert {key: places(text) for key, text in english.items()} == {key: places(text) for key, text in french.items()}
    for words in (english, french):
        assert {f"stage_{stage}" for stage in STAGES} | {f"meaning_{stage}" for stage in STAGES} <= set(words)
        assert {f"act_{kind}" for kind in (*ACTS, QUIET)} <= set(words)
        assert not [text for text in words.values() if re.search(r" [%:;?!]", text) and words["language"] == "fr"]
    assert set(ACTS) <= set(KINDS)


def test_every_word_is_used() -> None:
    source = "".join(
        (ROOT / file).read_text(encoding="utf-8")
        for file in ("serve/lead_story.py", "serve/lead_page.py", "serve/lead_chart.py", "pipelines/report_lead.py")
    )
    families = ("stage_", "meaning_", "act_", "family_", "note_", "trend_")
    unused = [key for key in words_of("en") if f'"{key}"' not in source and f"'{key}'" not in source]
    axes = {"fit", "engagement", "improving", "declining", "steady", "unknown"}
    assert [key for key in unused if not key.startswith(families) and key not in axes] == []


def shown(plain: dict[str, Any], *, language: str = "en") -> str:
    """The text of a terminal."""
    file = io.StringIO()
    print_lead(story(plain, language=language), console=Console(file=file, width=300))
    return file.getvalue()


def test_people_read_everything_on_a_terminal() -> None:
    told = shown(facts())
    for part in (
        "16 % likely to convert within 60 days, between 13 % and 20 %", "band B", "percentile 91",
        "Improving: 8.0 % on 1 November 2026, 16 % now", "The model changed in between (versions 1, 2)",
        "recommended stage: sal. 16 % likely", "expected value: 321 EUR (16 % of 2,000 EUR. A call costs 60 EUR",
        "Start at 7.6 %, the average lead of the training. Fit ×1.6: 11 %. Engagement ×1.6: 17 %.",
        "Fit: who the lead and its company are", "Country: FR", "Marketing’s points: 42, stage mql",
        "Manager: seniority is manager", "What would change it",
        "asks for a demo", "does nothing for 30 days more", "if it: attends a webinar.",
        "version 3 has become champion",
    ):  # fmt: skip
        assert part in told, part
    assert "counted by the points card of today" not in told


def test_parts_of_points_that_are_others_than_published_are_said_to_be() -> None:
    told = shown(facts(points=50.0))
    assert "make 42, not the 50 that were published" in told
    assert "kept by the CRM" in shown(facts(points_parts=None))
    assert "No points are kept" in shown(facts(points_parts=None, points=None, points_stage=None))


def test_what_is_not_known_is_not_told() -> None:
    alone = facts()["trend"] | {"direction": "unknown", "since": None, "probability_before": None}
    alone["nights"] = alone["nights"][:1]
    bare = {
        "trend": alone, "economics": None, "what_if": None,
        "notes": [{"note": "release", "version": "2", "why": "It is not what was registered."}],
    }  # fmt: skip
    told = shown(facts(**bare))
    assert "Too few published nights in the last 30 days" in told
    assert "expected value" not in told
    assert "What would change it" not in told
    assert "cannot be read: It is not what was registered." in told
    page = lead_page(story(facts(**bare)))
    assert '<svg class="plot' not in page
    assert 'id="what-if"' not in page


@LANGUAGE
def test_a_page_tells_what_the_terminal_tells(language: str) -> None:
    told = story(facts(), language=language)
    page = html.unescape(lead_page(told))
    for text in (
        told.likely(), *told.trend(), told.stage_reason()[0], told.steps(), *told.notes(),
        *(effect.says for effect in told.effects()), *(then.says for then in told.what_if()[0]),
        told.what_if()[1], *(part.says for part in told.points()[1]), *told.expected()[1],  # type: ignore[index]
    ):  # fmt: skip
        assert text in page
    assert "<script" not in page
    assert f'<html lang="{language}">' in page


@LANGUAGE
@pytest.mark.parametrize("hostile", HOSTILE)
def test_names_from_data_are_text(hostile: str, language: str) -> None:
    plain = facts()
    named = facts(lead_id=hostile, stage_reason=hostile, model_version=hostile)
    named["groups"]["families"]["demographic"]["reasons"][0]["says"] = f"Country: {hostile}"
    named["points_parts"][0] |= {"name": hostile, "says": hostile}
    named["what_if"]["changes"][1]["type"] = hostile
    named["economics"]["currency"] = hostile
    named["notes"] = [{"note": "release", "version": hostile, "why": hostile}]
    named["trend"]["nights"][-1]["model_version"] = hostile
    tags = re.compile(r"<(/?[a-zA-Z!][a-zA-Z0-9]*)")
    # A reason that nobody has translated is marked as English; nothing else differs.
    page = lead_page(story(named, language=language))
    assert sorted(tags.findall(page)) == sorted(
        tags.findall(lead_page(story(plain | {"notes": named["notes"]}, language=language)))
    )
    assert not UNSEEN.search(page)
    assert not UNSEEN.search(shown(named, language=language))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=300))
def test_a_line_of_characters_is_as_high_as_its_values(values: list[float]) -> None:
    drawn = spark(values)
    assert 1 <= len(drawn) <= min(len(values), 40)
    assert set(drawn) <= set("▁▂▃▄▅▆▇█")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="en, fr; found 'de'"):
        story(facts(), language="de")

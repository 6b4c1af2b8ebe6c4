"""A comparison's page as it is written: the same words in every language, and nothing from data as markup."""

import re

import pytest

from pipelines.compare import shortened
from serve.comparison_page import page_data, to_html
from serve.comparison_script import SCRIPT
from serve.comparison_verdict import sentence
from serve.comparison_words import languages, words_of
from tests.browser.comparison_data import report
from tests.models.card_hostile import HOSTILE


def _places(text: str) -> set[str]:
    return {name.lower() for name in re.findall(r"\{(\w+)\}", text)}


def test_every_language_has_every_word_with_the_same_places() -> None:
    english = words_of("en")
    for language in languages():
        words = words_of(language)
        assert set(words) == set(english)
        assert {key: _places(text) for key, text in words.items()} == {
            key: _places(text) for key, text in english.items()
        }


def test_the_script_asks_for_words_that_there_are() -> None:
    asked = set(re.findall(r"say\('(\w+)'", SCRIPT)) | set(re.findall(r'data-(?:word|hint)="(\w+)"', to_html(report())))
    assert {name for name in asked if not name.endswith("_")} <= set(words_of("en"))
    assert "innerHTML" not in SCRIPT


def test_names_from_data_stand_in_the_page_as_data_only() -> None:
    names = [*HOSTILE[:8], "=1+1"]
    told = report(snapshots=800, leads=200, names=names, prefix="<script>alert(1)</script>")
    page = to_html(shortened(told), language="fr")
    assert "alert(1)" not in page.split('<script type="application/json"')[0]
    assert page.count("<script") == 2
    assert page_data(told)["swap"][0]["lead"].startswith("<script>")


@pytest.mark.parametrize("language", languages())
def test_the_verdict_has_a_sentence_for_every_outcome(language: str) -> None:
    told = report(snapshots=800, leads=200)
    found = {word: sentence(told | {"word": word}, language=language) for word in ("better", "level", "worse")}
    assert len(set(found.values())) == 3
    assert not any("{" in one for one in found.values())
    versions = sentence(told | {"names": ["version 3", "version 2"]}, language=language)
    assert "3" in versions
    assert "version 2" in versions


def test_a_difference_near_nothing_is_not_told_as_nothing() -> None:
    told = report(snapshots=800, leads=200)
    place = told["at_capacity"] | {"captured": {"value": -0.009, "low": -0.017, "high": -0.0003}}
    assert "1.7 fewer to 0.03 fewer" in sentence(told | {"at_capacity": place, "word": "worse"}, language="en")


def test_a_language_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no page in 'de'; the languages are: en, fr"):
        to_html(report(snapshots=800, leads=200), language="de")

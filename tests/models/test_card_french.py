"""The card in French: every word of ours is there, names and figures are the same, and what stays English is marked."""

import re
from collections.abc import Iterator
from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.cohort import REASONS
from models.card import languages, sections, to_html, to_markdown, voice_of, words_of
from models.card_blocks import Block, Bullets, Folded, Paragraph, Table, Text
from models.card_features_french import ABOUT, UNITS, feature_in_french
from models.card_phrases_french import in_french, leak_in_french
from models.card_words import ENGLISH
from models.card_words_french import FRENCH
from models.intervals import Interval
from models.leaks import changed_after_outcome_probe
from tests.models.card_data import described, full, standing
from tests.models.card_hostile import named
from tests.models.data import few_examples


def placeholders(template: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(template) if name is not None)


def test_every_word_is_there_with_its_placeholders_columns_and_lines() -> None:
    assert list(FRENCH) == list(ENGLISH)
    for key, words in ENGLISH.items():
        assert placeholders(FRENCH[key]) == placeholders(words), key
        assert FRENCH[key].count("|") == words.count("|"), key
        assert FRENCH[key].count("\n") == words.count("\n"), key


def test_no_english_sentence_is_left_among_the_words() -> None:
    def letters(words: str) -> str:
        return "".join(text for text, *_ in Formatter().parse(words))

    same = {key for key, words in ENGLISH.items() if FRENCH[key] == words and re.search(r"[a-z]{4}", letters(words))}
    alike = {"calibration", "data_calibrate", "details_python", "family_engagement", "gain_points", "status_candidate"}
    assert same == alike | {"verdict_candidate", "method_venn_abers"}


def test_typography_is_french() -> None:
    for words in (*FRENCH.values(), *ABOUT.values(), *UNITS.values()):
        assert not re.search(r" [:;?!%»]|« |\d\.\d|'", words), words


def test_every_declared_feature_is_translated() -> None:
    everything = described()
    assert len(everything) > 120
    for feature in everything:
        for key in ("about", "unit", "missing"):
            said = in_french(feature[key])
            assert said is not None, feature[key]
            assert said != feature[key] or feature[key] in ("",)


def test_the_phrase_book_has_no_entry_that_nothing_says() -> None:
    said = {re.sub(r", ever$| in the last \d+ days$", "", feature["about"]) for feature in described()}
    assert set(ABOUT) <= said
    assert set(UNITS) <= {feature[key] for feature in described() for key in ("unit", "missing")}


@given(st.text(min_size=1))
def test_names_of_the_company_s_own_stay_as_they_are(name: str) -> None:
    assert feature_in_french(f"Declared attribute: {name}") == f"Attribut déclaré\u00a0: {name}"
    assert feature_in_french(f"Events of the type {name} in the last 7 days") == (
        f"Événements du type {name} au cours des 7 derniers jours"
    )
    date = feature_in_french(f"Days since {name}")
    assert date in (f"Jours depuis {name}", ABOUT.get(f"Days since {name}")) or name.startswith("the ")
    assert in_french(f"no lead has a value for {name}") == f"aucun prospect n’a de valeur pour {name}"


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_not_to_be_scored_is_translated(reason: str) -> None:
    assert in_french(reason) not in (None, reason)


PROBES = ("auc", "deciding_value", "filled_after_conversion", "filled_after_loss", "dominant", "changed_after_outcome")


@pytest.mark.parametrize("probe", [*PROBES, "name"])
def test_leaks_are_said_anew_from_their_figures(probe: str) -> None:
    figures: dict[str, Any] = {"value": None, "limit": None} if probe == "name" else {"value": 0.973, "limit": 0.95}
    said = leak_in_french({"column": "durée {x}", "probe": probe, "sentence": "English.", **figures})
    assert said is not None
    assert "durée {x}" in said
    assert probe == "name" or ("0,973" if probe == "auc" else "97\u202f%") in said
    assert changed_after_outcome_probe  # the probe of that name lives there


def test_only_what_nobody_translated_is_marked_as_english() -> None:
    page = to_html(full(), words=FRENCH, standing=standing())
    assert '<html lang="fr">' in page
    assert re.findall(r'<span lang="en">(.*?)</span>', page) == ["somebody&#x27;s own remark"]
    assert '<html lang="en">' in to_html(full())
    assert 'lang="en"' not in to_html(full()).replace('<html lang="en">', "")


def test_a_verdict_is_said_anew_or_marked() -> None:
    assert "réduit la perte logarithmique de +0,0512" in to_markdown(full(), words=FRENCH)
    assert "(intervalle à 95\u202f%\u00a0: +0,0431 à +0,0588)" in to_markdown(full(), words=FRENCH)
    anew = full() | {"verdict_reason": "Something new."}
    assert "réduit la perte logarithmique de +0,0512" in to_markdown(anew, words=FRENCH)
    assert "(intervalle à 95\u202f%\u00a0: +0,0432 à +0,0592)" in to_markdown(anew, words=FRENCH)
    unheard = full() | {"verdict_facts": None, "verdict_reason": "Something new."}
    assert '<span lang="en">Something new.</span>' in to_html(unheard, words=FRENCH)


def test_both_verdicts_of_training_are_in_the_phrase_book() -> None:
    from pipelines.train import decide

    _, reason = decide({"roc_auc": Interval(0.8, 0.75, 0.85)}, Interval(-0.03, -0.05, -0.01))
    assert in_french(reason) is not None
    verdict, reason = decide({"roc_auc": Interval(0.5, 0.4, 0.6)}, Interval(0.01, -0.01, 0.02))
    none = full() | {"verdict": verdict, "verdict_reason": reason}
    assert "aucun apport trouvé\u00a0: perte logarithmique réduite de −0,0100" in to_markdown(none, words=FRENCH)
    assert "**Verdict\u00a0: sans apport**" in to_markdown(none, words=FRENCH)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1234567.891, 2, "1\u202f234\u202f567,89"),
        (-0.5, 1, "−0,5"),
        (-0.00001, 2, "0,00"),
        (float("nan"), 1, "indéfini"),
    ],
)
def test_numbers_are_written_the_french_way(value: float, digits: int, text: str) -> None:
    assert voice_of(FRENCH).number(value, digits=digits) == text


def test_dates_and_shares_are_written_the_french_way() -> None:
    voice = voice_of(FRENCH)
    assert voice.date("2026-11-22T10:00:00+00:00") == "22 novembre 2026"
    assert voice.moment("2026-11-01T10:05:00+00:00") == "1er novembre 2026 à 10:05"
    assert voice.month("2026-08") == "août 2026"
    assert voice.percent(0.1234) == "12,3\u202f%"
    assert [voice_of(ENGLISH).date(odd) for odd in (None, "soon", "2026-13-01", "２０２６-01-01")] == [
        *(None, "soon", "2026-13-01", "２０２６-01-01"),
    ]


def skeleton(blocks: tuple[Block, ...]) -> Iterator[Any]:
    """What a card is made of, whatever it says; of texts, only how many there are."""
    for block in blocks:
        match block:
            case Folded(_, inside):
                yield ("folded", *skeleton(inside))
            case Table(head, rows, align):
                yield ("table", len(head), len(rows), align)
            case Bullets(items):
                yield ("bullets", len(items))
            case _:
                yield type(block).__name__


def test_every_language_tells_the_same() -> None:
    for made in (full(), named([f"name{i}" for i in range(12)]), {}):
        told = [
            [(one.key, one.level, *skeleton(one.blocks)) for one in sections(made, words=words_of(language))]
            for language in languages()
        ]
        assert all(one == told[0] for one in told)


def digits(text: Text) -> str:
    said = "".join(piece if isinstance(piece, str) else getattr(piece, "text", "") for piece in text)
    return re.sub(r"\D", "", said)


@few_examples
@given(st.data())
def test_every_language_has_the_same_figures(data: st.DataObject) -> None:
    made = full()
    for row in made["calibration_table"]:
        row["observed_rate"] = data.draw(st.floats(0, 1))
    tables = [
        [
            [[digits(cell) for cell in row] for row in block.rows]
            for one in sections(made, words=words_of(language))
            for block in one.blocks
            if isinstance(block, Table)
            and one.key not in ("folds", "changes", "left_out")  # dates have names of months
        ]
        for language in languages()
    ]
    assert tables[0] == tables[1]
    assert any(isinstance(block, Paragraph) for block in sections(made)[0].blocks)


def test_another_language_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="A card can be read in en, fr; found 'de'"):
        words_of("de")

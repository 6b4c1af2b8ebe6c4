"""A card says where it lacks evidence: at its top, in the section, and to whoever asks; and how its version stands."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.card import languages, missing_sections, sections, to_html, to_markdown, words_of
from models.card_blocks import Notice
from models.card_evidence import EVIDENCE
from models.card_results import LOSSES, difference_in_words
from models.card_summary import state
from models.card_voice import Voice
from models.card_words import ENGLISH
from tests.models.card_data import full, interval, standing, without
from tests.models.data import facts, few_examples

#: What has to be there -> the section that is told to be missing without it.
NEEDED = {
    ("label", "horizon_days"): "label",
    ("data", "known_until"): "data",
    ("snapshots", "dropped_immature"): "data",
    ("folds",): "folds",
    ("metrics", "roc_auc"): "metrics",
    ("baselines",): "metrics",
    ("differences",): "differences",
    ("differences", "logistic"): "differences",
    ("champion",): "champion",
    ("gain",): "gain",
    ("targets",): "targets",
    ("targets", "model"): "targets",
    ("calibration_table",): "calibration",
    ("calibration", "method"): "calibration",
    ("months",): "months",
    ("segments",): "segments",
    ("leaks",): "leaks",
    ("features",): "features",
    ("drift_limits",): "drift",
    ("made",): "details",
    ("made", "seed"): "details",
}


def test_a_card_that_tells_everything_is_complete() -> None:
    assert missing_sections(full()) == []
    assert "INCOMPLETE" not in to_markdown(full())
    assert "No evidence" not in to_html(full())


@pytest.mark.parametrize(("path", "key"), NEEDED.items())
@pytest.mark.parametrize("language", languages())
def test_what_is_missing_is_said_in_its_section_and_at_the_top(path: tuple[str, ...], key: str, language: str) -> None:
    rest, words = without(full(), [path]), words_of(language)
    assert missing_sections(rest) == [key]
    (one,) = [one for one in sections(rest, words=words) if one.key == key]
    assert isinstance(one.blocks[0], Notice)
    said = words["no_evidence"].format(section=words[key])
    assert f"\n\n**{said}**\n" in to_markdown(rest, words=words)
    assert to_html(rest, words=words).count('<p class="notice bad">') == 2
    first = to_markdown(rest, words=words).split("\n\n")[1]
    assert first.startswith("**INCOMP")
    assert words[key] in first


@pytest.mark.parametrize("key", ["folds", "months", "segments", "gain", "features", "drift_limits", "differences"])
def test_what_is_there_but_empty_is_no_evidence(key: str) -> None:
    assert len(missing_sections(full() | {key: type(full()[key])()})) == 1


@given(st.sets(st.sampled_from(sorted(full()))))
@few_examples
def test_evidence_that_goes_never_makes_a_card_more_complete(gone: set[str]) -> None:
    missing = missing_sections(without(full(), [(key,) for key in gone]))
    assert missing == [key for key in EVIDENCE if key in missing]
    for key in gone:
        assert set(missing_sections(without(full(), [(key,)]))) <= set(missing)


def test_what_holds_for_every_version_is_no_evidence() -> None:
    assert missing_sections({}) == list(EVIDENCE)
    assert not {"not_for", "oversight", "limits", "privacy"} & set(EVIDENCE)
    assert all(key in ENGLISH for key in EVIDENCE)


def test_a_finding_that_there_is_nothing_is_evidence() -> None:
    nothing = full() | {
        "champion": {"version": "3", "why": "few"},
        "segments": [],
        "segment_columns": [],
        "leaks": [],
        "changes": None,
    }
    assert missing_sections(nothing) == []
    assert missing_sections(full() | {"segments": []}) == ["segments"]


def test_a_card_of_before_is_shown_and_called_incomplete() -> None:
    assert "folds" in missing_sections(facts())
    assert (
        to_markdown(facts()).split("\n\n")[1].startswith("**INCOMPLETE: there is no evidence for Periods of the test")
    )


@given(st.floats(-1, 1), st.floats(0, 1), st.sampled_from(sorted(LOSSES | {"roc_auc", "captured_at_10"})))
def test_the_size_of_a_difference_is_on_the_side_of_its_word(value: float, spread: float, metric: str) -> None:
    text = difference_in_words(metric, interval(value, spread), Voice(ENGLISH))
    word, by = str(getattr(text[0], "text", text[0])), "".join(part for part in text if isinstance(part, str))
    gained = -value if metric in LOSSES else value
    if abs(value) <= spread:
        assert word == "level"
        sign = {"−": -1, "+": 1}.get(by.removeprefix(", ")[0], 0)
        assert sign in (0, 1 if gained > 0 else -1)
    else:
        assert word == ("better" if gained > 0 else "worse")
        assert by.startswith(" by ")
        assert "−" not in by  # so much better, or so much worse


def test_a_difference_that_nobody_could_measure_is_undefined() -> None:
    voice = Voice(ENGLISH)
    for nothing in (None, {}, {"value": None, "low": None, "high": None}, {"value": float("nan"), "word": "better"}):
        assert difference_in_words("log_loss", nothing, voice) == ("undefined",)


REVIEW = standing()["reviews"][0]


@pytest.mark.parametrize(
    ("changed", "found", "tone", "says"),
    [
        ({}, "approved", "good", "Approved by Grace Hopper on 22 November 2026, 14:05. Note: Read with sales."),
        ({"reviews": []}, "unreviewed", "warn", "Not reviewed yet."),
        ({"approved": False}, "refused", "bad", "Refused by Grace Hopper"),
        ({"reviews": [REVIEW, REVIEW | {"decision": "refused"}]}, "refused", "bad", "Refused by Grace Hopper"),
        ({"reviews": [REVIEW | {"decision": "refused"}, REVIEW]}, "approved", "good", "Approved by Grace Hopper"),
        (
            {"approved": False, "withdrawn_at": "2026-11-23T00:00:00+00:00"},
            "withdrawn",
            "bad",
            "Approved by Grace Hopper on 22 November 2026, 14:05, and withdrawn since",
        ),
        ({"withdrawn_at": "2026-11-20T00:00:00+00:00"}, "approved", "good", "Approved by Grace Hopper"),
        ({"card_digest": "other"}, "changed", "bad", "Edited since the review: what Grace Hopper decided"),
    ],
)
def test_how_a_version_stands_is_said_above_its_card(changed: dict[str, Any], found: str, tone: str, says: str) -> None:
    stands = standing(**changed)
    assert state(stands) == found
    text, page = to_markdown(full(), standing=stands), to_html(full(), standing=stands)
    assert text.startswith("# Model card\n\nVersion **4**, registered on 21 November 2026; status: candidate.\n\n**")
    assert text.split("\n\n")[2].startswith(f"**{says}")
    (notice,) = re.findall(r'<p class="notice (.*?)">(.*?)</p>', page)
    assert notice[0] == tone
    assert re.sub("<.*?>", "", notice[1]).startswith(says)
    assert text.endswith(to_markdown(full()).removeprefix("# Model card\n"))


def test_all_reviews_are_told_with_the_card_that_each_was_of() -> None:
    reviews = [REVIEW | {"decision": "refused", "card_digest": "before"}, REVIEW]
    text = to_markdown(full(), standing=standing(reviews=reviews))
    assert "| 22 November 2026, 14:05 | refused | Grace Hopper | Read with sales. | another card |" in text
    assert "| 22 November 2026, 14:05 | approved | Grace Hopper | Read with sales. | this card |" in text


def test_a_promotion_past_the_gate_is_told() -> None:
    forced = [{"promoted_at": "2026-11-23T00:00:00+00:00", "reason": "forced past the gate: we know why"}]
    text = to_markdown(full(), standing=standing(forced=forced))
    assert "**Promoted on 23 November 2026 past what the gate asks for: forced past the gate: we know why**" in text
    assert "Digest of this card: `c0ffee`" in text


@pytest.mark.parametrize("language", languages())
def test_half_a_standing_breaks_nothing(language: str) -> None:
    for known in ({}, {"version": "4"}, {"reviews": [{}]}, {"reviews": [{"decision": "approved"}], "card_digest": "a"}):
        assert to_markdown(full(), words=words_of(language), standing=known)

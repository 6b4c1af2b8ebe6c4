"""The card says what was measured, in Markdown that renders, whatever is undefined, missing or oddly named."""

from typing import Any

import pytest

from models.card import METRIC_NAMES, number, to_markdown
from tests.models.data import facts


def tables(text: str) -> list[list[str]]:
    """The lines of each Markdown table."""
    blocks = [block.split("\n") for block in text.split("\n\n")]
    return [block for block in blocks if block[0].startswith("|")]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.replace("\\|", "¦").strip("|").split("|")]


def section(text: str, title: str) -> str:
    return text.split(f" {title}\n\n", 1)[1].split("\n#", 1)[0].strip()


def test_it_opens_with_the_verdict_and_names_every_section() -> None:
    text = to_markdown(facts())
    assert text.startswith("# Model card\n\n**Verdict: candidate.** gains log loss 0.05 against the base rate.\n")
    headings = [line.lstrip("# ") for line in text.split("\n") if line.startswith("#")]
    assert headings == [
        "Model card",
        "What it predicts",
        "Data",
        "How well it does, on later leads it never saw",
        "Calibration table",
        "Leak probes",
        "Features",
        "Left out",
        "Notes",
    ]
    assert text.endswith("- 150 trees\n")
    assert "Training 1,200, calibration 300, test 500 snapshots" in text
    assert "enters the stage *customer* within 30 days" in text
    assert "Not eligible: objects to profiling (3)." in text
    assert "Data digest `0123456789abcdef`." in text


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    found = tables(to_markdown(facts()))
    assert len(found) == 3
    for table in found:
        assert {len(cells(line)) for line in table} == {len(cells(table[0]))}
        assert set(cells(table[1])) == {"---"}


def test_metrics_stand_beside_those_of_the_baselines() -> None:
    table = tables(to_markdown(facts()))[0]
    assert cells(table[0]) == ["metric", "model (95 % interval)", "base rate", "logistic"]
    assert cells(table[2]) == [METRIC_NAMES["log_loss"], "0.2500 (0.2000 to 0.3000)", "0.2500", "0.2500"]
    undefined = "undefined (undefined to undefined)"
    assert cells(table[-1]) == [METRIC_NAMES["calibration_slope"], undefined, "undefined", "undefined"]


def test_features_come_by_weight_and_equal_ones_by_name() -> None:
    made = facts()
    weights = {"b": 1.0, "c": 2.0, "a": 1.0}
    made["features"] = [made["features"][0] | {"name": name, "importance": w} for name, w in weights.items()]
    names = [cells(line)[0] for line in tables(to_markdown(made))[2][2:]]
    assert names == ["`c`", "`a`", "`b`"]


def test_leaks_are_told_one_by_one() -> None:
    leak = {"column": "duration", "sentence": "Column 'duration' knows the outcome."}
    text = to_markdown(facts() | {"leaks": [leak, leak | {"column": "invoice"}]})
    assert section(text, "Leak probes") == (
        "- **duration**: Column 'duration' knows the outcome.\n- **invoice**: Column 'duration' knows the outcome."
    )


@pytest.mark.parametrize(
    ("key", "empty", "title", "says"),
    [
        ("leaks", [], "Leak probes", "Nothing found."),
        ("left_out", {}, "Left out", "None."),
        ("left_out", {"webinars": "no webinar"}, "Left out", "- `webinars`: no webinar"),
    ],
)
def test_what_is_empty_says_so(key: str, empty: Any, title: str, says: str) -> None:
    assert section(to_markdown(facts() | {key: empty}), title).startswith(says)


def test_nothing_is_said_where_there_is_nothing_to_say() -> None:
    bare = facts() | {"notes": [], "excluded": {}, "features": [], "left_out": {}, "calibration_table": []}
    text = to_markdown(bare)
    assert "## Notes" not in text
    assert "Not eligible" not in text
    assert "\n\n\n" not in text
    assert text.endswith("None.\n")


def test_a_pipe_in_the_name_of_an_attribute_does_not_break_the_table() -> None:
    made = facts()
    made["features"][0] |= {"about": "Declared attribute: size | region\n(old)", "missing": "a|b"}
    table = tables(to_markdown(made))[2]
    assert {len(cells(line)) for line in table} == {5}
    assert "Declared attribute: size \\| region (old)" in table[-1]


@pytest.mark.parametrize(
    ("value", "text"), [(None, "undefined"), (0.0, "0.0000"), (-0.12345, "-0.1235"), (3, "3.0000")]
)
def test_figures_have_four_digits(value: float | None, text: str) -> None:
    assert number(value) == text
    assert number(0.5, digits=1) == "0.5"

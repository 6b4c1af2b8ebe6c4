"""The gate refuses a version made bad on purpose, in each way by the check that is there for it, and by no other."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import gate, gate_measured
from models.gate import APPROVED, PASSED, REFUSE, REFUSED, WARN, Check, Limits, Review

LIMITS = Limits(
    least_converted=50, most_log_loss_above_champion=0.01, least_calibration_slope=0.8, most_calibration_slope=1.25
)
Facts = dict[str, Any]


def interval(value: float | None, low: float | None, high: float | None, **more: str) -> Facts:
    return {"value": value, "low": low, "high": high, "undefined": 0, **more}


def good() -> Facts:
    """The facts of a version that passes every check."""
    bands = [{"band": band, "rate": rate} for band, rate in zip("ABCD", (0.5, 0.2, 0.1, 0.02), strict=True)]
    better = {"log_loss": interval(-0.05, -0.07, -0.03, word="better")}
    return {
        "verdict": "candidate",
        "snapshots": {"converted_in_test": 400},
        "differences": {"base_rate": better, "logistic": better, "points": better},
        "metrics": {"calibration_slope": interval(1.0, 0.9, 1.1), "ece": interval(0.01, 0.005, 0.02)},
        "calibration": {"ece_null95": 0.02},
        "targets": {
            "model": {"top_two_share": 0.2, "captured": 0.7, "ratio": 25.0, "bands": bands},
            "points": {"top_two_share": 0.5, "captured": 0.55, "ratio": None, "bands": bands},
        },
        "leaks": [],
        "justification": {},
        "settings": {f"gate.{key}": value for key, value in asdict(LIMITS).items()},
    }


def checked(facts: Facts) -> dict[str, Check]:
    return {check.name: check for check in gate_measured.measured(facts, limits=LIMITS)}


def states(facts: Facts) -> dict[str, str]:
    return {name: check.state for name, check in checked(facts).items()}


def test_a_good_version_passes_every_check() -> None:
    assert set(states(good()).values()) == {PASSED}


def with_(change: Callable[[Facts], object]) -> Facts:
    facts = good()
    change(facts)
    return facts


WORSE = {"log_loss": interval(0.02, 0.01, 0.03, word="worse")}
LEVEL = {"log_loss": interval(-0.01, -0.03, 0.01, word="level")}
UNTOLD = {"log_loss": interval(None, None, None) | {"word": None}}
LEAK = {"column": "duration", "sentence": "It knows the outcome."}


@pytest.mark.parametrize(
    ("facts", "name", "state", "said"),
    [
        (with_(lambda f: f["snapshots"].update(converted_in_test=49)), "enough data", REFUSE, "Too few leads"),
        (with_(lambda f: f["differences"].update(base_rate=LEVEL)), "skill", REFUSE, "not shown to be better"),
        (with_(lambda f: f.update(verdict="no skill")), "skill", REFUSE, "not shown to be better"),
        (with_(lambda f: f["differences"].update(points=WORSE)), "against points", REFUSE, "Worse than points"),
        (with_(lambda f: f["differences"].update(logistic=LEVEL)), "against logistic", WARN, "which is simpler"),
        (with_(lambda f: f["metrics"].update(calibration_slope=interval(0.5, 0.4, 0.79))), "calibration slope", REFUSE,
         "too extreme"),
        (with_(lambda f: f["metrics"].update(calibration_slope=interval(2, 1.26, 3))), "calibration slope", REFUSE,
         "too timid"),
        (with_(lambda f: f["metrics"].update(calibration_slope=interval(0.7, 0.5, 0.9))), "calibration slope", WARN,
         "chance alone"),
        (with_(lambda f: f["metrics"].update(calibration_slope=interval(None, None, None))), "calibration slope",
         REFUSE, "not measured"),
        (with_(lambda f: f["metrics"]["ece"].update(value=0.03)), "calibration error", WARN, "95 times in 100"),
        (with_(lambda f: f["targets"]["model"].update(top_two_share=0.36)), "target: leads in two bands", WARN,
         "not reached"),
        (with_(lambda f: f["targets"]["model"].update(captured=0.5)), "target: conversions there", WARN, "not reached"),
        (with_(lambda f: f["targets"]["model"].update(ratio=9.9)), "target: top over bottom", WARN, "not reached"),
        (with_(lambda f: f["leaks"].append(LEAK)), "leaks", REFUSE, "duration may know the outcome"),
        (with_(lambda f: f["settings"].update({"gate.least_converted": 500})), "limits set beforehand", REFUSE,
         "least_converted was 500, and is 50"),
        (with_(lambda f: f["settings"].pop("gate.least_calibration_slope")), "limits set beforehand", REFUSE,
         "least_calibration_slope was not recorded, and is 0.8"),
        (with_(lambda f: f["differences"].update(points=UNTOLD)), "against points", REFUSE, "It was not measured"),
        (with_(lambda f: (f["leaks"].append(LEAK), f["justification"].update(duration="of the last call"))), "leaks",
         WARN, "duration: of the last call"),
    ],
)  # fmt: skip
def test_a_version_made_bad_in_one_way_fails_that_one_check(facts: Facts, name: str, state: str, said: str) -> None:
    found = checked(facts)
    assert found[name].state == state
    assert said in found[name].sentence
    assert {other for other, check in found.items() if check.state != PASSED} == {name}
    assert found[name].forcible


@given(gone=st.sets(st.sampled_from(sorted(good()))), emptied=st.sets(st.sampled_from(["snapshots", "metrics"])))
def test_what_was_not_measured_does_not_pass(gone: set[str], emptied: set[str]) -> None:
    facts = {key: {} if key in emptied else value for key, value in good().items() if key not in gone}
    found = states(facts)
    lacking = {
        "snapshots": ["enough data"], "differences": ["skill"], "verdict": ["skill"], "leaks": ["leaks"],
        "metrics": ["calibration slope", "calibration error"], "calibration": ["calibration error"],
        "targets": ["target: conversions there"], "settings": ["limits set beforehand"],
    }  # fmt: skip
    for key in gone | emptied:
        assert all(found[name] != PASSED for name in lacking.get(key, []))


@given(ends=st.lists(st.floats(0.1, 3), min_size=3, max_size=3).map(sorted))
def test_the_slope_refuses_only_beyond_doubt(ends: list[float]) -> None:
    low, value, high = ends
    facts = with_(lambda f: f["metrics"].update(calibration_slope=interval(value, low, high)))
    outside = high < LIMITS.least_calibration_slope or low > LIMITS.most_calibration_slope
    inside = LIMITS.least_calibration_slope <= value <= LIMITS.most_calibration_slope
    assert states(facts)["calibration slope"] == (REFUSE if outside else PASSED if inside else WARN)


def test_the_targets_are_told_of_the_points_too() -> None:
    found = checked(good())
    assert found["target: leads in two bands"].value == "20.0% (points: 50.0%)"
    assert found["target: top over bottom"].value == "25.0 (points: undefined)"
    facts = with_(lambda f: f["targets"].update(points=None))
    assert checked(facts)["target: conversions there"].value == "70.0%"


def test_a_bottom_band_in_which_nobody_converts_reaches_the_target() -> None:
    facts = good()
    model = facts["targets"]["model"]
    model["ratio"], model["bands"][-1]["rate"] = None, 0.0
    assert checked(facts)["target: top over bottom"].value.startswith("inf")
    assert states(facts)["target: top over bottom"] == PASSED
    model["bands"] = deepcopy(model["bands"])
    # Of the bands that are not empty, the last is the lowest, and the first the highest.
    model["bands"][-2]["rate"], model["bands"][-1]["rate"] = 0.0, None
    assert states(facts)["target: top over bottom"] == PASSED
    model["bands"][0]["rate"] = None
    assert states(facts)["target: top over bottom"] == PASSED
    model["bands"][1]["rate"] = 0.0
    assert states(facts)["target: top over bottom"] == WARN


# The card and the files ----------------------------------------------------------------------------------------------


def review(decision: str = APPROVED, *, digest: str = "c0ffee") -> Review:
    return Review(1, "3", digest, decision, "Ada", "looked at all of it", "2026-01-02T03:04:05+00:00")


@pytest.mark.parametrize(
    ("given_", "name", "said"),
    [
        ({"review": None}, "card approved", "leadscore review 3 --approve --by NAME --note TEXT"),
        ({"review": review(REFUSED)}, "card approved", "Refused by Ada on 2026-01-02: looked at all of it"),
        ({"review": review(digest="another")}, "card as reviewed", "Another card was reviewed"),
        ({"withdrawn_at": "2026-01-02T03:04:05+00:00"}, "card approved", "It was withdrawn on 2026-01-02, after its"),
        ({"card_digest": None}, "card as reviewed", "It cannot be told"),
        ({"missing": ["Months", "Segments"]}, "card complete", "Nothing was measured for: Months, Segments"),
    ],
)
def test_what_was_not_reviewed_is_refused_whatever_the_reason(given_: Facts, name: str, said: str) -> None:
    usual: Facts = {"review": review(), "card_digest": "c0ffee", "missing": []}
    assert {check.state for check in gate.reviewed("3", **usual)} == {PASSED}
    rows = gate.reviewed("3", **(usual | given_))
    (found,) = gate.refused(rows)
    assert found.name == name
    assert said in found.sentence
    assert not any(check.forcible for check in rows)


def test_an_approval_that_was_given_after_a_withdrawal_counts() -> None:
    rows = gate.reviewed(
        "3", review=review(), card_digest="c0ffee", missing=[], withdrawn_at="2026-01-02T03:04:04+00:00"
    )
    assert not gate.refused(rows)


def test_files_that_are_not_those_registered_are_refused_whatever_the_reason() -> None:
    assert gate.files(None).state == PASSED
    found = gate.files("card.md is not the file that was registered")
    assert (found.state, found.forcible) == (REFUSE, False)
    assert "card.md" in found.sentence


def test_what_nobody_can_overrule_is_told_first() -> None:
    rows = [*gate_measured.measured({}, limits=LIMITS), gate.files("changed")]
    first, *others = gate.refused(rows)
    assert not first.forcible
    assert others
    assert all(check.forcible for check in others)

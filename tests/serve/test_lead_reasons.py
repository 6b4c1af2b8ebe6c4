"""Reasons by family: whatever is told, and whatever is not, it adds up to the probability, exactly."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from serve.lead_reasons import AXIS, breakdown

EFFECTS = st.floats(-3, 3)
FEATURES = {f"{family}_{n}": family for family in AXIS for n in range(3)}


@st.composite
def published(draw: st.DrawFn) -> tuple[dict[str, Any], float]:
    """Reasons as they are published, rounded, and the probability that they add up to."""
    told = [
        {"feature": name, "says": name, "effect": round(draw(EFFECTS), 6)}
        for name in draw(st.lists(st.sampled_from([*FEATURES, "unheard_of"]), unique=True))
    ]
    start, rest, calibration = draw(EFFECTS), draw(EFFECTS), draw(EFFECTS)
    total = start + sum(one["effect"] for one in told) + rest + calibration
    reasons = {"start": start, "reasons": told, "rest": rest, "calibration": calibration}
    return {key: round(v, 6) if isinstance(v, float) else v for key, v in reasons.items()}, float(expit(total))


@given(published(), st.none() | st.fixed_dictionaries(dict.fromkeys(AXIS, EFFECTS)))
def test_start_families_rest_and_calibration_are_the_log_odds_exactly(
    case: tuple[dict[str, Any], float], sums: dict[str, float] | None
) -> None:
    reasons, probability = case
    found = breakdown(reasons, probability=probability, families=FEATURES, sums=sums)
    parts = [found.start, *found.families.values(), found.rest, found.calibration]
    assert math.fsum(parts) == pytest.approx(math.log(probability / (1 - probability)), abs=1e-9)
    assert math.fsum([found.start, *found.axes.values(), found.rest, found.calibration]) == pytest.approx(
        found.total, abs=1e-9
    )
    for family in AXIS:
        told = math.fsum(one["effect"] for one in found.told[family])
        assert told + found.others(family) == pytest.approx(found.families[family], abs=1e-9)
        assert all(FEATURES[one["feature"]] == family for one in found.told[family])
    if sums is None:  # what has no family is in the rest, and nothing is lost
        unknown = sum(one["effect"] for one in reasons["reasons"] if one["feature"] not in FEATURES)
        assert found.rest == pytest.approx(reasons["rest"] + unknown, abs=1e-4)


@given(published())
def test_factors_multiply_to_the_odds(case: tuple[dict[str, Any], float]) -> None:
    reasons, probability = case
    plain = breakdown(reasons, probability=probability, families=FEATURES).as_dict()
    factors = [plain[key]["odds_factor"] for key in ("fit", "engagement", "rest", "calibration")]
    odds = math.exp(plain["start"]) * math.prod(factors)
    assert odds == pytest.approx(probability / (1 - probability), rel=1e-6)


def test_a_certain_probability_has_no_log_odds_but_reasons() -> None:
    reasons = {"start": 30.0, "reasons": [], "rest": 20.0, "calibration": 0.0}
    assert breakdown(reasons, probability=1.0, families={}).total == 50.0


def test_reasons_of_another_probability_are_a_mistake() -> None:
    with pytest.raises(AssertionError, match="do not add up"):
        breakdown({"start": 0.0, "reasons": [], "rest": 0.0, "calibration": 0.0}, probability=0.2, families={})

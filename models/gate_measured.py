"""The checks of the gate on what was measured when a version was trained; what is missing was not measured, and does
not pass.

All of them may be overruled by a person who says why.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from models.gate import PASSED, REFUSE, WARN, Check, Limits, between
from models.intervals import Interval

#: What MadKudu asks of a scoring: leads in the top two bands, conversions among them, top band's rate by the bottom's.
LEAST_TOP_TWO, MOST_TOP_TWO, LEAST_CAPTURED, LEAST_RATIO = 0.15, 0.35, 0.60, 10.0
_ENDS: Final = ("value", "low", "high")


def measured(facts: Mapping[str, Any], *, limits: Limits) -> list[Check]:
    """The checks on what was measured when the version was trained.

    Parameters
    ----------
    facts : `card.json` of the release; what is missing from it was not measured, and does not pass

    Examples
    --------
    >>> limits = Limits(50, 0.01, 0.8, 1.25)
    >>> facts = {"snapshots": {"converted_in_test": 49}, "verdict": "candidate"}
    >>> [(check.name, check.state) for check in measured(facts, limits=limits)][1:3]
    [('enough data', 'refuse'), ('skill', 'refuse')]
    """
    return [
        _beforehand(facts, limits),
        _enough(facts, limits),
        _skill(facts),
        *_baselines(facts),
        _slope(facts, limits),
        _calibration_error(facts),
        *_targets(facts),
        _leaks(facts),
    ]


def _beforehand(facts: Mapping[str, Any], limits: Limits) -> Check:
    """Whether the limits are those that stood when the version was trained, before its figures were known."""
    name, limit = "limits set beforehand", "those on the card"
    now, then = asdict(limits), facts.get("settings") or {}
    other = [key for key, value in now.items() if then.get(f"gate.{key}") != value]
    if not other:
        return Check(name, limit, "the same", PASSED, "The limits are those that stood when it was trained.")
    said = "; ".join(f"{key} was {then.get(f'gate.{key}', 'not recorded')}, and is {now[key]:g}" for key in other)
    sentence = (
        f"[gate] {said}. Limits that are set once the figures are known prove nothing: put them back, or train again."
    )
    return Check(name, limit, f"{len(other)} changed", REFUSE, sentence)


def _enough(facts: Mapping[str, Any], limits: Limits) -> Check:
    name, limit = "enough data", f"at least {limits.least_converted:,} conversions"
    found = facts.get("snapshots", {}).get("converted_in_test")
    if found is None:
        return _not_measured(name, limit)
    if found < limits.least_converted:
        return Check(
            name,
            limit,
            f"{found:,}",
            REFUSE,
            "Too few leads converted in the test to prove anything: import more history.",
        )
    return Check(name, limit, f"{found:,}", PASSED, "Enough leads converted in the test to prove something.")


def _skill(facts: Mapping[str, Any]) -> Check:
    name, limit = "skill", "better than the base rate"
    found = facts.get("differences", {}).get("base_rate", {}).get("log_loss")
    if found is None:
        return _not_measured(name, limit)
    value = f"log loss {between(_interval(found), '+.4f')}"
    if facts.get("verdict") != "candidate" or found["word"] != "better":
        return Check(name, limit, value, REFUSE, "On later leads it is not shown to be better than one rate for all.")
    return Check(name, limit, value, PASSED, "On later leads it is better than one rate for all, beyond doubt.")


def _baselines(facts: Mapping[str, Any]) -> Iterator[Check]:
    others = {name: found for name, found in facts.get("differences", {}).items() if name != "base_rate"}
    if not others:
        yield _not_measured("against baselines", "not worse")
    for baseline, found in others.items():
        plain, loss = baseline.replace("_", " "), found.get("log_loss")
        name, limit = f"against {plain}", "not worse"
        if loss is None:
            yield _not_measured(name, limit)
            continue
        value = f"log loss {between(_interval(loss), '+.4f')}"
        match loss["word"]:
            case "better":
                yield Check(name, limit, value, PASSED, f"Better than {plain}, beyond doubt.")
            case "level":
                yield Check(name, limit, value, WARN, f"No better and no worse than {plain}, which is simpler.")
            case "worse":
                yield Check(name, limit, value, REFUSE, f"Worse than {plain}, beyond doubt: use that, or train again.")
            case _:
                yield _not_measured(name, limit)


def _slope(facts: Mapping[str, Any], limits: Limits) -> Check:
    low, high = limits.least_calibration_slope, limits.most_calibration_slope
    name, limit = "calibration slope", f"{low:g} to {high:g}"
    found = _interval(facts.get("metrics", {}).get("calibration_slope"))
    if np.isnan([found.value, found.low, found.high]).any():
        return _not_measured(name, limit)
    value = between(found, ".2f")
    if found.high < low:
        return Check(name, limit, value, REFUSE, "It claims far more than comes true: probabilities are too extreme.")
    if found.low > high:
        return Check(name, limit, value, REFUSE, "It claims far less than it knows: probabilities are too timid.")
    if not low <= found.value <= high:
        return Check(name, limit, value, WARN, "Outside the limits, though chance alone could do it.")
    return Check(name, limit, value, PASSED, "Probabilities are as far apart as what comes true.")


def _calibration_error(facts: Mapping[str, Any]) -> Check:
    name, most = "calibration error", facts.get("calibration", {}).get("ece_null95")
    found = facts.get("metrics", {}).get("ece", {}).get("value")
    if most is None or found is None:
        return Check(name, "no more than chance", "not measured", WARN, "How far it is off by chance is not known.")
    limit, value = f"at most {most:.4f}", f"{found:.4f}"
    if found > most:
        return Check(name, limit, value, WARN, "Further off than a calibrated model is 95 times in 100.")
    return Check(name, limit, value, PASSED, "No further off than a calibrated model would be.")


def _targets(facts: Mapping[str, Any]) -> Iterator[Check]:
    """The three targets, for the model, with the points' figures beside it; they never refuse."""
    targets = facts.get("targets") or {}
    model, points = targets.get("model"), targets.get("points")
    asked = (
        ("target: leads in two bands", "top_two_share", f"{LEAST_TOP_TWO:.0%} to {MOST_TOP_TWO:.0%}", ".1%"),
        ("target: conversions there", "captured", f"at least {LEAST_CAPTURED:.0%}", ".1%"),
        ("target: top over bottom", "ratio", f"at least {LEAST_RATIO:g} times", ".1f"),
    )
    for name, key, limit, form in asked:
        if model is None:
            yield Check(name, limit, "not measured", WARN, "A usual target for the bands; it was not measured.")
            continue
        found = _target(model, key)
        value = "undefined" if found is None else f"{found:{form}}"
        if points is not None:
            other = _target(points, key)
            value += f" (points: {'undefined' if other is None else f'{other:{form}}'})"
        if found is not None and _reached(key, found):
            yield Check(name, limit, value, PASSED, "A usual target for the bands, and reached.")
        else:
            yield Check(name, limit, value, WARN, "A usual target for the bands, and not reached: see [bands].")


def _target(found: Mapping[str, Any], key: str) -> float | None:
    """A target's figure; a lowest band in which nobody converts makes the ratio endless, not unknown."""
    if key != "ratio" or found["ratio"] is not None:
        return None if found[key] is None else float(found[key])
    rates = [band["rate"] for band in found.get("bands", ()) if band["rate"] is not None]  # those that are not empty
    return float("inf") if rates and rates[0] and rates[-1] == 0 else None


def _reached(key: str, found: float) -> bool:
    if key == "top_two_share":
        return LEAST_TOP_TWO <= found <= MOST_TOP_TWO
    return found >= (LEAST_CAPTURED if key == "captured" else LEAST_RATIO)


def _leaks(facts: Mapping[str, Any]) -> Check:
    name, limit = "leaks", "none that is not justified"
    if "leaks" not in facts:
        return _not_measured(name, limit)
    why = facts.get("justification", {})
    columns = sorted({str(leak["column"]) for leak in facts["leaks"]})
    open_ = [column for column in columns if column not in why]
    if open_:
        sentence = (
            f"{', '.join(open_)} may know the outcome. Exclude it ([features] exclude), or say in [card.justification] "
            "why it does not, and train again."
        )
        return Check(name, limit, f"{len(open_)} named", REFUSE, sentence)
    if columns:
        said = "; ".join(f"{column}: {why[column]}" for column in columns)
        return Check(name, limit, f"{len(columns)} justified", WARN, said)
    return Check(name, limit, "none named", PASSED, "No column looks as if it knew the outcome.")


def _not_measured(name: str, limit: str) -> Check:
    return Check(
        name, limit, "not measured", REFUSE, "It was not measured, or cannot be: train again, on more history."
    )


def _interval(plain: Mapping[str, Any] | None) -> Interval:
    """An interval as the card has it; null is NaN."""
    known = plain or {}
    value, low, high = (float("nan") if known.get(end) is None else float(known[end]) for end in _ENDS)
    return Interval(value, low, high)

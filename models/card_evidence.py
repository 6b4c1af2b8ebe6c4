"""Which sections of a card have nothing measured behind them: a card may say so, a gate may refuse it.

What holds for every version (uses out of scope, limits, privacy) is no evidence, and never counts as any.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from models.card_voice import value_of

Facts = Mapping[str, Any]


def missing_sections(facts: Facts) -> list[str]:
    """The sections of a card that lack evidence, in the order in which they are read.

    Parameters
    ----------
    facts : what was measured of a version; see `models.card.to_markdown`

    Returns
    -------
    list of section keys; `words[key]` is a section's title
        An empty list: the card is complete. Segments may be missing where no column was to be told
        (`segment_columns` is an empty list), and a champion where it is said why there is nothing to compare with
        (`champion` has `why`; null on older cards: there was none): both are findings, and must be stated.

    Examples
    --------
    >>> missing_sections({})[:4]
    ['label', 'data', 'folds', 'metrics']
    >>> "champion" in missing_sections({"champion": None}), "segments" in missing_sections({"segment_columns": []})
    (False, False)
    """
    return [key for key, evident in EVIDENCE.items() if not evident(facts)]


def _label(facts: Facts) -> bool:
    return _has(facts.get("label"), "target_stage", "horizon_days")


def _data(facts: Facts) -> bool:
    counts = ("train", "calibrate", "test", "dropped_immature", "dropped_in_gap")
    return _has(facts.get("data"), "first_as_of", "last_as_of", "known_until", "digest") and _has(
        facts.get("snapshots"), *counts
    )


def _folds(facts: Facts) -> bool:
    folds = facts.get("folds") or []
    return bool(folds) and all(_has(fold, "trained_until", "from", "to", "test", "converted") for fold in folds)


def _metrics(facts: Facts) -> bool:
    metrics = facts.get("metrics") or {}
    return all(value_of(metrics.get(name)) is not None for name in ("log_loss", "roc_auc")) and bool(
        facts.get("baselines")
    )


def _differences(facts: Facts) -> bool:
    differences = facts.get("differences") or {}
    return bool(differences) and set(facts.get("baselines") or {}) <= set(differences)


def _champion(facts: Facts) -> bool:
    found = facts.get("champion", {})
    return found is None or _has(found, "why") or _has(found, "version", "differences")


def _gain(facts: Facts) -> bool:
    return bool(facts.get("gain"))


def _targets(facts: Facts) -> bool:
    return _has(facts.get("targets"), "model")


def _calibration(facts: Facts) -> bool:
    return bool(facts.get("calibration_table")) and _has(facts.get("calibration"), "method")


def _months(facts: Facts) -> bool:
    return bool(facts.get("months"))


def _segments(facts: Facts) -> bool:
    return facts.get("segment_columns") == [] or bool(facts.get("segments"))


def _leaks(facts: Facts) -> bool:
    return facts.get("leaks") is not None


def _features(facts: Facts) -> bool:
    return bool(facts.get("features"))


def _drift(facts: Facts) -> bool:
    return bool(facts.get("drift_limits"))


def _details(facts: Facts) -> bool:
    return _has(facts.get("made"), "program", "libraries", "seed", "resamples")


#: Section -> whether the facts are there that it tells, in the order in which sections are read.
EVIDENCE: Final[Mapping[str, Callable[[Facts], bool]]] = {
    "label": _label,
    "data": _data,
    "folds": _folds,
    "metrics": _metrics,
    "differences": _differences,
    "champion": _champion,
    "gain": _gain,
    "targets": _targets,
    "calibration": _calibration,
    "months": _months,
    "segments": _segments,
    "leaks": _leaks,
    "features": _features,
    "drift": _drift,
    "details": _details,
}


def _has(part: Mapping[str, Any] | None, *keys: str) -> bool:
    return isinstance(part, Mapping) and all(part.get(key) is not None for key in keys)

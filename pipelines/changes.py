"""What changed between two versions, for whoever reads the new one's card."""

from collections.abc import Mapping
from typing import Any, Final

#: Where data come from and how much there were.
_DATA: Final = ("first_as_of", "last_as_of", "known_until")

Facts = Mapping[str, Any]


def changes(now: Facts, before: Facts, *, since_version: str) -> dict[str, Any]:
    """The difference of two cards' facts: features, settings, data and metrics.

    Parameters
    ----------
    now, before : facts as `card.json` has them; what an older card lacks is not compared
    """
    ours, theirs = _names(now), _names(before)
    return {
        "since_version": since_version,
        "features_added": sorted(ours - theirs),
        "features_gone": sorted(theirs - ours),
        "settings": [
            {"key": key, "before": before["settings"].get(key), "now": now["settings"].get(key)}
            for key in sorted({*now["settings"], *before.get("settings", {})})
            if "settings" in before and before["settings"].get(key) != now["settings"].get(key)
        ],
        "data": {
            name: {key: facts["data"].get(key) for key in _DATA} | {"snapshots": dict(facts["snapshots"])}
            for name, facts in (("before", before), ("now", now))
        },
        "metrics": {
            key: {"before": before["metrics"][key]["value"], "now": metric["value"]}
            for key, metric in now["metrics"].items()
            if key in before["metrics"]
        },
    }


def same_training(now: Facts, before: Facts) -> bool:
    """Whether both come from the same data, settings and program: then one is the other.

    A commit that is not known, or from which files differed, says nothing of the program.

    >>> facts = {"made": {"commit": "5211c8d"}, "data": {"digest": "d"}, "settings": {}, "snapshots": {}}
    >>> same_training(facts, facts), same_training(facts | {"made": {"commit": "5211c8d+"}}, facts)
    (True, False)
    """
    commit = str((now.get("made") or {}).get("commit") or "+")
    if commit.endswith("+"):
        return False
    shapes = [(facts.get("tuning") or {}).get("parameters") for facts in (now, before)]
    same = all(now.get(key) == before.get(key) for key in ("data", "settings", "made", "snapshots"))
    return same and shapes[0] == shapes[1]


def _names(facts: Facts) -> set[str]:
    return {str(feature["name"]) for feature in facts.get("features", [])}

"""The reasons behind one published probability, by family: how much is fit, how much is engagement, to the last bit.

Fit is who the lead and its company are (the demographic family); engagement is what it did and how it answered us (the
behavioural and engagement families). The sums are in log odds, where they add: start + families + rest + calibration =
the log odds of the probability. As a factor, each says how many times it multiplies the odds.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

FIT: Final = "fit"
ENGAGEMENT: Final = "engagement"
#: Family -> the sub-score it counts for, in the order in which they are told.
AXIS: Final[Mapping[str, str]] = {"demographic": FIT, "behavioural": ENGAGEMENT, "engagement": ENGAGEMENT}
#: How far the stored reasons, rounded, may be from the log odds of the stored probability.
_ROUNDING: Final = 1e-3


@dataclass(frozen=True, kw_only=True)
class Breakdown:
    """A probability taken apart, in log odds; `total` is the sum of the others, exactly.

    `families` : family -> its sum. `told` : family -> the reasons told by name, the strongest first. `rest` is what no
    family is known for: nothing worth telling where the release could be read.
    """

    start: float
    families: Mapping[str, float]
    told: Mapping[str, tuple[Mapping[str, Any], ...]]
    rest: float
    calibration: float
    total: float

    @property
    def axes(self) -> dict[str, float]:
        """Fit and engagement, in log odds."""
        return {
            axis: math.fsum(self.families[family] for family in AXIS if AXIS[family] == axis)
            for axis in (FIT, ENGAGEMENT)
        }

    def others(self, family: str) -> float:
        """What the columns of a family add that are not told by name."""
        return self.families[family] - math.fsum(float(reason["effect"]) for reason in self.told[family])

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON: log odds, and the factor by which each multiplies the odds."""
        return {
            "start": self.start,
            "families": {
                family: {
                    "axis": AXIS[family],
                    **_both(self.families[family]),
                    "reasons": [{**reason, "odds_factor": _factor(reason["effect"])} for reason in self.told[family]],
                    "others": _both(self.others(family)),
                }
                for family in AXIS
            },
            **{axis: _both(value) for axis, value in self.axes.items()},
            "rest": _both(self.rest),
            "calibration": _both(self.calibration),
            "log_odds": self.total,
        }


def breakdown(
    reasons: Mapping[str, Any],
    *,
    probability: float,
    families: Mapping[str, str],
    sums: Mapping[str, float] | None = None,
) -> Breakdown:
    """Group the published reasons of one lead by family.

    Parameters
    ----------
    reasons : as they are published: `{"start", "reasons": [{"feature", "says", "effect"}], "rest", "calibration"}`
    probability : as it is published; 0 and 1 have no log odds, so there the reasons' own sum is taken
    families : feature -> family; a reason whose feature is not there goes to the rest
    sums : family -> the sum over all its columns, as the release that scored it computes it anew. None: the release
        could not be read, and what is not told by name stays in the rest

    Examples
    --------
    >>> published = {"start": -2.0, "rest": 0.1, "calibration": 0.0, "reasons": [
    ...     {"feature": "country", "says": "Country: FR", "effect": 0.4},
    ...     {"feature": "forms", "says": "Forms: 2", "effect": -0.5}]}
    >>> found = breakdown(published, probability=1 / (1 + math.exp(2)),
    ...     families={"country": "demographic", "forms": "behavioural"})
    >>> {axis: round(value, 6) for axis, value in found.axes.items()}, round(found.rest, 6)
    ({'fit': 0.4, 'engagement': -0.5}, 0.1)
    """
    told: dict[str, list[Mapping[str, Any]]] = {family: [] for family in AXIS}
    for reason in sorted(reasons["reasons"], key=lambda one: -abs(float(one["effect"]))):
        family = families.get(str(reason["feature"]))
        if family in told:
            told[family].append(reason)
    if sums is None:
        sums = {family: math.fsum(float(one["effect"]) for one in told[family]) for family in AXIS}
    start, calibration = float(reasons["start"]), float(reasons["calibration"])
    stored = math.fsum(
        [start, calibration, float(reasons["rest"]), *(float(one["effect"]) for one in reasons["reasons"])]
    )
    total = math.log(probability / (1 - probability)) if 0 < probability < 1 else stored
    assert abs(total - stored) < _ROUNDING or not 1e-9 < probability < 1 - 1e-9, "the reasons do not add up"
    ours = {family: float(sums.get(family, 0.0)) for family in AXIS}
    rest = total - math.fsum([start, calibration, *ours.values()])
    return Breakdown(
        start=start,
        families=ours,
        told={family: tuple(found) for family, found in told.items()},
        rest=rest,
        calibration=calibration,
        total=total,
    )


def _both(log_odds: float) -> dict[str, float]:
    return {"log_odds": log_odds, "odds_factor": _factor(log_odds)}


def _factor(log_odds: float) -> float:
    return math.exp(min(log_odds, 700.0))

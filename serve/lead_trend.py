"""Whether a lead is improving, steady or declining: from the probabilities that were published of it, night by night.

From night to night a probability moves a little with every day that passes, and that means nothing. So the newest is
held against the first of the last weeks, and only a move that is beyond the interval of both, and worth telling, gets a
word: each probability lies outside of what the other night took for possible.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from features.tables import MICROSECONDS_PER_DAY

#: How far back the newest night is compared.
TREND_DAYS: Final = 30
#: Odds that changed by less than this factor are steady, however narrow the intervals.
LEAST_FACTOR: Final = 1.25

Direction = Literal["improving", "steady", "declining", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Night:
    """What was published of a lead as of a moment (microseconds UTC)."""

    as_of: int
    probability: float
    probability_low: float
    probability_high: float
    percentile: float
    band: str
    recommended_stage: str
    model_version: str


@dataclass(frozen=True)
class Trend:
    """Where a lead is going. `since` is the night it is compared with; None where there is no other."""

    direction: Direction
    newest: Night
    since: Night | None = None
    days: float = 0.0
    versions: tuple[str, ...] = ()
    """The versions that scored from `since` on, in order; more than one: part of the move may be the model's."""


def trend(nights: Sequence[Night]) -> Trend:
    """The trend of the last weeks.

    Parameters
    ----------
    nights : at least one, in order of time

    Examples
    --------
    >>> def night(day: int, p: float) -> Night:
    ...     return Night(as_of=day * MICROSECONDS_PER_DAY, probability=p, probability_low=p * 0.8, band="B",
    ...         probability_high=p * 1.2, percentile=50, recommended_stage="mql", model_version="1")
    >>> [trend([night(0, 0.1), night(20, p)]).direction for p in (0.05, 0.11, 0.2)]
    ['declining', 'steady', 'improving']
    >>> trend([night(0, 0.1)]).direction
    'unknown'
    """
    newest = nights[-1]
    window = [n for n in nights if n.as_of >= newest.as_of - TREND_DAYS * MICROSECONDS_PER_DAY]
    since = window[0]
    if since.as_of == newest.as_of:
        return Trend("unknown", newest)
    versions = tuple(dict.fromkeys(night.model_version for night in window))
    days = (newest.as_of - since.as_of) / MICROSECONDS_PER_DAY
    return Trend(_direction(since, newest), newest, since, days, versions)


def _direction(before: Night, now: Night) -> Direction:
    if now.probability > before.probability_high and before.probability < now.probability_low:
        return "improving" if _factor(now, before) >= LEAST_FACTOR else "steady"
    if now.probability < before.probability_low and before.probability > now.probability_high:
        return "declining" if _factor(before, now) >= LEAST_FACTOR else "steady"
    return "steady"


def _factor(more: Night, less: Night) -> float:
    """How many times the odds are the other's; a probability of 0 or 1 is infinitely far."""
    return (more.probability * (1 - less.probability)) / max((1 - more.probability) * less.probability, 1e-300)

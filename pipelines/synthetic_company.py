"""What sets one simulated company apart from another: its market, what its leads do, and what its people record.

The process behind the leads is the same for all (`synthetic_truth`); the numbers in it are a company's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

#: Level -> share, effect on fit (log-odds).
Levels = Mapping[str, tuple[float, float]]

#: Acts of ours, and those of a lead's that promise nothing.
QUIET_KINDS: Final = ("page", "email_delivered", "email_opened", "email_clicked", "call", "unsubscribe", "bounce")


class Trigger(NamedTuple):
    """An act that may lead to a purchase: its kind, how often a return brings it, what it promises, how soon.

    `promise` is the probability of a purchase at fit 0. Hot acts are those that leads that fit do more often, and after
    which the company calls.
    """

    kind: str
    chance: float
    promise: float
    scale_days: float
    hot: bool


@dataclass(frozen=True, kw_only=True)
class Company:
    """A company, in numbers. Days are business days of the clock that `months` and `weekend` make.

    Parameters
    ----------
    what : the company in words, with its article
    leads, days : how many leads, and calendar days, a store of its own has unless told otherwise
    months, weekend : how fast the clock goes, by month (those not named: 1) and at weekends
    channels : channel -> share at the start, share at the end, effect on fit; "outbound" is ours to begin
    channel_costs : channel -> what one lead of it costs
    seniority, function, size, email, industry, country : who the leads are
    unknown : profile column -> share left blank; x 0.6 with a business address, x 1.8 with another, so 1.7 = always
    no_title_effect, no_size_effect : what such a blank says about fit
    attributes : declared attribute -> type, of those that `synthetic_people` can write
    deals : company size -> what a deal is worth; `other_deal` where the size is not among them
    deal_decimals : to which a deal is rounded, as in `round`
    order_kind : the kind whose last value is what the lead then orders; "" = deals do not follow from an act
    triggers : the acts that may lead to a purchase
    first_acts : kind -> share; the first voluntary act, which makes a contact a lead
    values : kind -> median and spread (log) of the number that goes with an act
    returns_per_day, interest_floor, interest_fading_days : how often a lead comes back, and how that fades
    pages_per_return : pages read beyond the first
    days_between_mailings, called_share : how often we write, and how often we call after a hot act
    stages : those that its people record, beside customer
    cycle : how long its people take for everything, against a B2B software firm
    event_points, profile_points, title_points, mql_points : the points that its CRM keeps
    points_last_days : for how many calendar days an act counts; nothing fades within them
    """

    what: str
    leads: int
    days: int
    months: Mapping[int, float]
    weekend: float

    channels: Mapping[str, tuple[float, float, float]]
    channel_costs: Mapping[str, float]
    seniority: Levels
    function: Levels
    size: Levels
    email: Levels
    industry: Levels
    country: Levels
    unknown: Mapping[str, float]
    no_title_effect: float
    no_size_effect: float
    attributes: Mapping[str, str]
    deals: Mapping[str, float]
    other_deal: float
    deal_decimals: int
    order_kind: str

    triggers: tuple[Trigger, ...]
    first_acts: Mapping[str, float]
    values: Mapping[str, tuple[float, float]]
    returns_per_day: float
    interest_floor: float
    interest_fading_days: float
    pages_per_return: float
    days_between_mailings: float
    called_share: float

    stages: tuple[str, ...]
    cycle: float
    event_points: Mapping[str, int]
    profile_points: Mapping[str, Mapping[str, int]]
    title_points: int
    mql_points: int
    points_last_days: int

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """Every kind of event, the triggers first: an act's kind is a position in it."""
        return (*(trigger.kind for trigger in self.triggers), *QUIET_KINDS)

    @cached_property
    def hot(self) -> npt.NDArray[np.bool_]:
        """Which triggers are hot, shape (triggers,)."""
        return np.array([trigger.hot for trigger in self.triggers])

    @cached_property
    def scales(self) -> npt.NDArray[np.float64]:
        """The triggers' scales in days, shape (triggers,)."""
        return np.array([trigger.scale_days for trigger in self.triggers], dtype=np.float64)

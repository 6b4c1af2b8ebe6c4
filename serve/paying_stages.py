"""Stages by what they pay: each lead's own limits, from economics and capacity, with the memory that stages have.

A lead that sales have on their list holds its place until its expected value is keep_share below what is asked of
others: its value counts 1 / (1 - keep_share) times, both against the cost of the call and against those who would take
its place. So no more leads than sales can take up are handed over, and they do not change from night to night for a
hair's breadth. Leads that sales accepted are theirs already and stand beside that list: places are those of one day's
new calls, and what sales work on is a stock of weeks. Use of the product costs a call as well: a pql must pay for it
and find a place like any other.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from serve.economics import Economics
from serve.stage_limits import Bools, Cut, Floats, break_even, cut_of, limits_for
from serve.stage_memory import LimitsByLead
from serve.stages import ORDER, OWNED_BY_PEOPLE, Signals, StageLimits, evidence_of, gone_quiet, word_of_people

Texts = npt.NDArray[np.object_]

#: Stages in which a lead is on sales' list, and those in which marketing nurtures it at least.
WITH_SALES: Final = ("sal", "pql", "sql")
NURTURED: Final = ("mql", *WITH_SALES)


def asking(signals: Signals, limits: StageLimits, *, previous: Texts) -> Bools:
    """(leads,) who could be handed over, and so asks for a place with sales.

    A place is asked for only by who can use it. Not by leads that people own or that sales accepted, nor by those that
    stay where they are whatever they are worth: sent back below sal or gone quiet since they were recycled, and not
    heard of since; out of target without having declared intent.
    """
    human = pd.Series(signals.human_stage, dtype="str")
    up, down = word_of_people(signals, limits)
    below = human.isin(ORDER[: ORDER.index("sal")]).to_numpy(bool)
    resting = gone_quiet(signals, limits) & (pd.Series(previous, dtype="str") == "recycled").to_numpy(bool)
    doubted = evidence_of(signals).notna().to_numpy(bool) & ~signals.explicit_intent
    owned = human.isin(OWNED_BY_PEOPLE).to_numpy(bool)
    competing: Bools = ~(owned | up | (down & below) | resting | doubted)
    return competing


def place_of_last(
    probability: Floats,
    worth: Floats,
    lead_id: Texts,
    *,
    economics: Economics,
    keep_share: float,
    previous: Texts,
    competing: Bools,
) -> Cut | None:
    """The last lead of a whole night that finds a place with sales; None where all that pay for a call do.

    Parameters
    ----------
    probability, worth, lead_id, previous : (leads,) all leads of the night; what each brings as a customer; the stage
        recommended last, None = none
    competing : (leads,) as `asking` tells it
    """
    held = _held(worth, previous, WITH_SALES, keep_share=keep_share)
    return cut_of(probability, held, lead_id, economics=economics, competing=competing)


def paying_limits(
    probability: Floats,
    worth: Floats,
    lead_id: Texts,
    *,
    economics: Economics,
    limits: StageLimits,
    previous: Texts,
    competing: Bools,
    cut: Cut | None,
) -> LimitsByLead:
    """Each lead's limits; given the cut of the night, none depends on any other lead.

    `limits` says what is asked beside money: sql_probability of declared intent, pql_min_probability of use; neither
    lowers what a call must pay.

    Examples
    --------
    >>> firm = Economics(customer_value=1000, sales_touch_cost=100, nurture_touch_cost=10)
    >>> asked = StageLimits(
    ...     mql_probability=0.5, sal_probability=0.5, sql_probability=0.5, pql_min_probability=0.05, keep_share=0.2
    ... )
    >>> new_and_held = np.array([None, "sal"], object)
    >>> found = paying_limits(
    ...     np.array([0.2, 0.09]), np.array([1000.0, 1000.0]), np.array(["a", "b"], object), economics=firm,
    ...     limits=asked, previous=new_and_held, competing=np.array([True, True]), cut=None,
    ... )
    >>> found.stay["sal"].round(3).tolist(), found.enter["sal"].round(3).tolist()
    ([0.1, 0.08], [0.1, 0.1])
    """

    def asked(remembered: Texts) -> dict[str, Floats]:
        share = limits.keep_share
        held = _held(worth, remembered, WITH_SALES, keep_share=share)
        sal = limits_for(probability, held, lead_id, economics=economics, cut=cut, competing=competing).sal
        nurtured = _held(worth, remembered, NURTURED, keep_share=share)
        mql = break_even(nurtured, cost=economics.nurture_touch_cost)
        sql, pql = (
            np.where(np.isin(remembered, keeps), limit * (1 - share), limit)
            for limit, keeps in ((limits.sql_probability, ["sql"]), (limits.pql_min_probability, ["pql", "sql"]))
        )
        return {"mql": np.minimum(mql, sal), "sal": sal, "pql": np.maximum(pql, sal), "sql": np.maximum(sql, sal)}

    pays = break_even(worth, cost=economics.sales_touch_cost)
    return LimitsByLead(enter=asked(np.full(len(worth), None, object)), stay=asked(previous), pays=pays)


def _held(worth: Floats, previous: Texts, stages: tuple[str, ...], *, keep_share: float) -> Floats:
    held: Floats = worth / np.where(np.isin(previous, stages), 1 - keep_share, 1.0)
    return held

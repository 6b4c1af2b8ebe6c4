"""What advice remembers: the stage recommended last, and the word of people, so that it neither flaps nor quarrels.

Which way a lead may go from one night to the next:

======================  ==================================  ===================================================
from                    to                                  when
======================  ==================================  ===================================================
lead, mql, sal, pql,    a higher one of these               it has earned it at the full limit
sql
mql, sal, pql, sql      a lower one of these                its probability fell below the limit less keep_share,
                                                            or what the stage asks for beside it ran out
lead, mql, sal, pql,    recycled                            it was qualified and went quiet, or people sent it back
sql
recycled                lead, mql, sal, pql, sql            it acted again, or people took it up again
any but people's own    disqualified                        evidence that it is out of target
disqualified            any but people's own                the evidence is gone or contradicted
any                     opportunity, customer               people only, in both directions
======================  ==================================  ===================================================

What people decided goes before what was earned. A lead that they sent back (recycled it, or put it below the stage they
had given it before) is recommended for nothing above that until it acts again. One that sales accepted (sal, sql) is
theirs, and not recommended for less, until they send it back or nothing has happened for `recycle_after_days`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

#: Stages that say that sales accepted a lead.
ACCEPTED: Final = ("sal", "sql")
#: How the word of people stands against the rules: they keep a lead higher, or lower.
KEPT_UP, SENT_BACK = "accepted by sales", "sent back by people"


@dataclass(frozen=True)
class LastNight:
    """What was recommended in the newest published run before this one.

    Parameters
    ----------
    as_of : microseconds UTC
    stages : lead_id -> recommended stage
    """

    as_of: int
    stages: Mapping[str, str]

    def of(self, lead_ids: "pd.Series[str]") -> npt.NDArray[np.object_]:
        """The stage of each lead, None where none was recommended.

        Examples
        --------
        >>> LastNight(0, {"ann": "mql"}).of(pd.Series(["bob", "ann"])).tolist()
        [None, 'mql']
        """
        return np.array([self.stages.get(lead) for lead in lead_ids] or [], dtype=object)


@dataclass(frozen=True, eq=False)
class LimitsByLead:
    """From which probability each lead gets each stage, from the lowest rank to the highest: (leads,) each.

    `enter` is the full limit, `stay` what it takes given the stage recommended last: never more. `pays` is from where a
    call pays for itself, below the limit of sal for who finds no place with sales; None: places are not counted.
    """

    enter: Mapping[str, Floats]
    stay: Mapping[str, Floats]
    pays: Floats | None = None


def limits_by_lead(
    previous: npt.NDArray[np.object_], limits: Mapping[str, float], *, keep_share: float
) -> LimitsByLead:
    """From which probability each lead gets each stage: the full limit to enter it, less keep_share to stay.

    A lead stays in the stage it was recommended last, and in those below it for which its probability had been enough
    then: who was an sql and withdrew its quote request is still an sal. So with all else unchanged a stage is never
    raised above the one before, nor above what the full limits give.

    Parameters
    ----------
    previous : (leads,) stage recommended last; None or anything that is not in `limits`: no memory
    limits : stage -> the probability that it asks for, from the lowest rank to the highest
    keep_share : by which share of a limit a probability may fall below it; 0: no memory

    Examples
    --------
    >>> found = limits_by_lead(np.array([None, "mql", "sal"], object), {"mql": 0.05, "sal": 0.2}, keep_share=0.2)
    >>> {stage: by_lead.round(3).tolist() for stage, by_lead in found.stay.items()}
    {'mql': [0.05, 0.04, 0.04], 'sal': [0.2, 0.2, 0.16]}
    """
    ranked = list(limits)
    stay = {}
    for rank, (stage, limit) in enumerate(limits.items()):
        stayed = [higher for higher in ranked[rank:] if limits[higher] >= limit]
        stay[stage] = np.where(np.isin(previous, stayed), limit * (1 - keep_share), limit)
    return LimitsByLead({stage: np.full(len(previous), limit) for stage, limit in limits.items()}, stay)


def accepted(human: "pd.Series[str]", days_in_stage: Floats, days_since_act: Floats, *, quiet_days: float) -> Flags:
    """Whether a lead is sales' own: they accepted it, and they or the lead did something within `quiet_days`."""
    theirs: Flags = human.isin(ACCEPTED).to_numpy()
    return theirs & ((days_in_stage < quiet_days) | (days_since_act < quiet_days))


def sent_back(
    human: "pd.Series[str]",
    before: "pd.Series[str]",
    days_in_stage: Floats,
    days_since_act: Floats,
    *,
    order: Sequence[str],
) -> Flags:
    """Whether people put a lead below the stage they had given it before, and it has not acted since.

    Who was recycled was sent back, whatever it was before.

    Parameters
    ----------
    human, before : the stage people recorded last, and the one before it; null: none
    days_in_stage, days_since_act : NaN: never
    order : stages from the lowest rank to the highest

    Examples
    --------
    >>> nurtured = pd.Series(["recycled", "mql", "mql"], dtype="str")
    >>> before = pd.Series([None, "sal", "lead"], dtype="str")
    >>> order = ["recycled", "lead", "mql", "sal"]
    >>> sent_back(nurtured, before, np.full(3, 9.0), np.array([2.0, 9.5, 20.0]), order=order)
    array([False,  True, False])
    """
    ranks = {stage: rank for rank, stage in enumerate(order)}
    lower: Flags = (human.map(ranks) < before.map(ranks)).to_numpy(bool)
    back: Flags = lower | (human == "recycled").to_numpy(bool)
    return back & ~(days_since_act < days_in_stage)

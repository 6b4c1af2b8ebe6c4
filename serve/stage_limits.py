"""Stage limits that pay: from which probability a lead is worth nurturing, or a call, and how many calls there are.

A touch pays when the probability of converting times what a customer brings exceeds what the touch costs; so the limit
of each stage is cost / value, a number of its own for every lead whose value differs. Where more leads are worth a call
than sales can take up, the limit of sal rises to the last lead that fits. Leads are ranked by expected net value,
probability x value - cost. The cost is the same for all, so that is the order of probability x value; of equals the
smaller lead_id comes first. That maximises what one list is expected to bring.

What is not known here: what a touch itself adds. A lead that would have bought without a call is counted as if the call
had sold to it, for the history does not say who would have.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from serve.bands import checked
from serve.economics import Economics

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: A limit lies strictly between 0 and 1, as those that a company sets itself: no lower, and no higher.
LEAST: Final = 1e-9
MOST: Final = float(np.nextafter(1, 0))


@dataclass(frozen=True)
class Cut:
    """The last lead that sales can still take up: its probability x value, and its id to tell equals apart."""

    expected_value: float
    lead_id: str


@dataclass(frozen=True, eq=False)
class LeadLimits:
    """(leads,) the probability from which each lead is worth nurturing (mql), a call (sal), a call now (sql).

    Strictly between 0 and 1, and mql <= sal <= sql for each lead.
    """

    mql: Floats
    sal: Floats
    sql: Floats


@dataclass(frozen=True)
class Outcome:
    """What limits do to the leads of one list; money is in the currency of the economics.

    `worth_a_call` leads pay for a call, whatever the limits; `handed_over` reach the limit of sal, `nurtured` that of
    mql only. `expected_customers` and `expected_net_value` (what they bring less the cost of calling them) are of those
    handed over.
    """

    worth_a_call: int
    handed_over: int
    nurtured: int
    expected_customers: float
    expected_net_value: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(vars(self))


def break_even(value: npt.ArrayLike, *, cost: float) -> Floats:
    """(leads,) the probability at which a touch that costs `cost` is paid for by what each lead would bring.

    Kept strictly between 0 and 1: a lead that is worth less than the touch is worth it when it is sure to convert.

    Raises
    ------
    ValueError
        A value or the cost is negative or missing.

    Examples
    --------
    A basket of 5,000 at a margin of 40 %, and one in five that buys: a qualified lead is worth 400, and a call that
    costs 400 pays from 20 % on.

    >>> float(break_even([5000 * 0.40], cost=400).round(6)[0])
    0.2
    >>> break_even([-1.0], cost=400)
    Traceback (most recent call last):
    ...
    ValueError: expected values of 0 or more, got -1.0 at position 0
    """
    worth = np.atleast_1d(np.asarray(value, np.float64))
    wrong = ~((worth >= 0) & np.isfinite(worth))
    if wrong.any():
        raise ValueError(f"expected values of 0 or more, got {worth[wrong.argmax()]} at position {wrong.argmax()}")
    if not (cost >= 0 and np.isfinite(cost)):
        raise ValueError(f"expected a cost of 0 or more, got {cost}")
    # Divided only where the quotient stays below 1: a value near 0 would overflow.
    limit = np.divide(cost, worth, out=np.ones(worth.shape), where=worth > cost)
    return np.clip(limit, LEAST, MOST)


def cut_of(
    probability: npt.ArrayLike,
    value: npt.ArrayLike,
    lead_id: npt.ArrayLike,
    *,
    economics: Economics,
    competing: Bools | None = None,
) -> Cut | None:
    """The last lead that fits into `touches_per_day`; None where all that are worth a call fit, or it is not known (0).

    Parameters
    ----------
    probability, value, lead_id
        Shape (leads,): all the leads of one list, in any order.
    competing
        Shape (leads,): which of them a stage of ours could hand over; the others (those that people keep as
        opportunity or customer, those out of target) take no place. None: all of them.

    Examples
    --------
    >>> firm = Economics(customer_value=1000, sales_touch_cost=100, touches_per_day=2)
    >>> cut_of([0.3, 0.05, 0.2, 0.2], [1000] * 4, ["a", "b", "d", "c"], economics=firm)
    Cut(expected_value=200.0, lead_id='c')
    """
    p, worth, ids = _aligned(probability, value, lead_id)
    paying = p >= break_even(worth, cost=economics.sales_touch_cost)
    if competing is not None:
        paying &= np.asarray(competing, bool)
    places = economics.touches_per_day
    if places == 0 or int(paying.sum()) <= places:
        return None
    rows = np.flatnonzero(paying)
    last = rows[np.lexsort((ids[rows], -(p * worth)[rows]))[places - 1]]
    return Cut(float(p[last] * worth[last]), str(ids[last]))


def limits_for(
    probability: npt.ArrayLike,
    value: npt.ArrayLike,
    lead_id: npt.ArrayLike,
    *,
    economics: Economics,
    cut: Cut | None = None,
    sql_probability: float = LEAST,
    competing: Bools | None = None,
) -> LeadLimits:
    """Return each lead's limits; given the cut, no lead's limits depend on any other lead.

    With value, costs and cut as they are, a lead that becomes likelier never falls below a limit that it reached.
    Limits that are compared with ``probability >= limit`` hand over at most `touches_per_day` of the competing leads.
    (Certainty is the exception: a probability of 1, to the last digit, reaches every limit there can be.)

    Parameters
    ----------
    probability, value, lead_id
        Shape (leads,): the list, or any part of it.
    cut
        Of the whole list (`cut_of`); None: everybody fits.
    sql_probability
        What the company asks of a lead that declared intent; raised to the limit of sal where that is higher.
    competing
        As for `cut_of`; the limits of leads that take no place are not raised by it.

    Examples
    --------
    >>> firm = Economics(customer_value=1000, sales_touch_cost=100, nurture_touch_cost=20, touches_per_day=1)
    >>> one, two, three = [0.3, 0.2, 0.05], [1000, 4000, 1000], ["a", "b", "c"]
    >>> limits = limits_for(one, two, three, economics=firm, cut=cut_of(one, two, three, economics=firm))
    >>> limits.mql.tolist(), limits.sal.tolist()
    ([0.02, 0.005, 0.02], [0.8, 0.2, 0.8])
    """
    p, worth, ids = _aligned(probability, value, lead_id)
    sal = break_even(worth, cost=economics.sales_touch_cost)
    mql = break_even(worth, cost=economics.nurture_touch_cost)
    if cut is not None:
        expected = p * worth
        fits = (expected > cut.expected_value) | ((expected == cut.expected_value) & (ids <= cut.lead_id))
        raised = np.divide(cut.expected_value, worth, out=np.ones(worth.shape), where=worth > cut.expected_value)
        # Multiplied by the value and divided by it again, a probability may come out a hair off: the order decides.
        raised = np.where(fits, np.minimum(raised, p), np.maximum(raised, np.nextafter(p, 2)))
        inside = np.ones(len(p), bool) if competing is None else np.asarray(competing, bool)
        sal = np.where(inside, np.clip(np.maximum(sal, raised), LEAST, MOST), sal)
    return LeadLimits(mql=np.minimum(mql, sal), sal=sal, sql=np.maximum(sal, min(sql_probability, MOST)))


def outcome(
    probability: npt.ArrayLike,
    value: npt.ArrayLike,
    *,
    sal: float | Floats,
    mql: float | Floats,
    economics: Economics,
    competing: Bools | None = None,
) -> Outcome:
    """What limits (one for all, or one per lead) hand over, and what that is expected to bring.

    Examples
    --------
    >>> firm = Economics(customer_value=1000, sales_touch_cost=100, nurture_touch_cost=20)
    >>> outcome([0.3, 0.11, 0.05], [1000] * 3, sal=0.2, mql=0.02, economics=firm)
    Outcome(worth_a_call=2, handed_over=1, nurtured=2, expected_customers=0.3, expected_net_value=200.0)
    """
    p, worth = checked(probability), np.asarray(value, np.float64)
    inside = np.ones(len(p), bool) if competing is None else np.asarray(competing, bool)
    called = inside & (p >= sal)
    return Outcome(
        worth_a_call=int((inside & (p >= break_even(worth, cost=economics.sales_touch_cost))).sum()),
        handed_over=int(called.sum()),
        nurtured=int((inside & ~called & (p >= mql)).sum()),
        expected_customers=float(p[called].sum()),
        expected_net_value=float((p * worth - economics.sales_touch_cost)[called].sum()),
    )


def _aligned(
    probability: npt.ArrayLike, value: npt.ArrayLike, lead_id: npt.ArrayLike
) -> tuple[Floats, Floats, npt.NDArray[np.object_]]:
    p, worth, ids = checked(probability), np.asarray(value, np.float64), np.asarray(lead_id, object)
    if worth.shape != p.shape or ids.shape != p.shape:
        raise ValueError(f"expected a value and a lead_id per lead, got {worth.shape} and {ids.shape} for {len(p)}")
    return p, worth, ids

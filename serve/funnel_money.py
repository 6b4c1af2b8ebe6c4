"""What leads and customers cost, and what customers bring back: channel costs, shared out over each month's leads.

Each lead bears an equal share of what its channel cost in the month it was created, so that the cost of any group is
the sum of its leads'. A cost is known once its month is over: leads of a month still under way, or of which no cost was
recorded for any channel, are left out of every sum here.
"""

from dataclasses import dataclass
from math import fsum
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.intervals import Z_95, Interval, wilson

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: With fewer customers than these, a group is not compared, and its return has no interval.
LEAST_CUSTOMERS: Final = 5


@dataclass(frozen=True, kw_only=True)
class Money:
    """A group's costs and what came back, in the company's currency; None where it cannot be known.

    Attributes
    ----------
    leads, cost, cost_per_lead
        Of the months that are over.
    old_leads, old_cost, customers
        Of them, the leads that have had the time in which customers come, what they cost, and the customers among them.
    cost_per_customer
        ``old_cost`` over ``customers``; its interval is that of the rate at which these leads become customers. Without
        a customer, the value is NaN and ``low`` says what one costs at least.
    value, returned
        What these customers bring, and how much for each unit of cost.
    """

    leads: int
    cost: float
    cost_per_lead: float | None
    old_leads: int
    old_cost: float
    customers: int
    cost_per_customer: Interval | None
    value: float | None
    returned: Interval | None


def share_out(
    channel: "pd.Series[str]", created_at: npt.NDArray[np.int64], costs: pd.DataFrame, *, as_of: int
) -> tuple[Floats, pd.DataFrame]:
    """Share each channel's cost of each month equally over the leads that it brought in that month.

    Parameters
    ----------
    channel : (leads,) null where it is not known
    created_at : (leads,) microseconds UTC
    costs : channel, start, end (microseconds UTC, one whole month each), cost; one row per channel and start
    as_of : months that end later are not over

    Returns
    -------
    cost : (leads,) NaN where the lead's month is not over, or no cost of its channel was recorded for it
    idle : the rows of `costs` whose months are over and brought no lead: spent all the same

    Examples
    --------
    >>> costs = pd.DataFrame({"channel": ["ads", "ads"], "start": [0, 10], "end": [10, 20], "cost": [90.0, 50.0]})
    >>> shared, idle = share_out(pd.Series(["ads", "ads", "mail"]), np.array([1, 9, 2]), costs, as_of=20)
    >>> shared.tolist(), idle["cost"].tolist()
    ([45.0, 45.0, nan], [50.0])
    """
    over = costs[costs["end"] <= as_of].reset_index(drop=True)
    starts = np.unique(over["start"].to_numpy(np.int64))
    if not len(starts):
        return np.full(len(created_at), np.nan), over
    months = np.searchsorted(starts, created_at, side="right") - 1
    asked = pd.DataFrame({"channel": channel.to_numpy(object), "start": starts[np.maximum(months, 0)]})
    rows = pd.Series(np.arange(len(over)), index=pd.MultiIndex.from_frame(over[["channel", "start"]]))
    # Looked up once per distinct pair: there are few, whatever the number of leads.
    pair = asked.groupby(["channel", "start"], sort=False, dropna=False).ngroup().to_numpy()
    first = np.unique(pair, return_index=True)[1]
    found = rows.reindex(pd.MultiIndex.from_frame(asked.iloc[first])).to_numpy(np.float64)[pair]
    row = np.where(np.isnan(found), -1, found).astype(np.int64)
    row[months < 0] = -1
    row[(row >= 0) & (created_at >= over["end"].to_numpy(np.int64)[row])] = -1  # a month of which nothing is recorded
    brought = np.bincount(row[row >= 0], minlength=len(over))
    each = over["cost"].to_numpy(np.float64) / np.maximum(brought, 1)
    return np.where(row >= 0, each[row], np.nan), over[brought == 0].reset_index(drop=True)


def money(
    cost: Floats, value: Floats | None, *, over: Flags, old: Flags, customer: Flags, idle: float, idle_old: float
) -> Money | None:
    """Add up a group; None where no cost of it was ever recorded.

    Parameters
    ----------
    cost : (leads,) each lead's share; NaN where none was recorded, which counts as nothing
    value : (leads,) what each brings as a customer; NaN where that is not known, which counts as nothing; None where
        no value of customers is known at all
    over : (leads,) whose month is over
    old : (leads,) which have had the time in which customers come
    idle, idle_old : spent in months without a lead, in all and so long ago that customers would have come

    Examples
    --------
    >>> yes = np.ones(4, bool)
    >>> buys = np.array([True, False, False, False])
    >>> value = np.where(buys, 400.0, np.nan)
    >>> told = money(np.full(4, 25.0), value, over=yes, old=yes, customer=buys, idle=0, idle_old=0)
    >>> told.cost_per_lead, told.cost_per_customer.value, told.value, told.returned.value
    (25.0, 100.0, 400.0, 4.0)
    """
    if not (np.isfinite(cost) & over).any() and not idle:
        return None
    spent = np.nan_to_num(cost)
    # Exact sums: a month's equal shares come to what the month cost, and leads may come in any order.
    leads, total = int(over.sum()), fsum(spent[over]) + idle
    counted = over & old
    old_leads, old_cost = int(counted.sum()), fsum(spent[counted]) + idle_old
    bought = counted & customer
    customers = int(bought.sum())
    brought = None if value is None or not old_leads else np.where(bought, np.nan_to_num(value), 0.0)[counted]
    return Money(
        leads=leads,
        cost=total,
        cost_per_lead=total / leads if leads else None,
        old_leads=old_leads,
        old_cost=old_cost,
        customers=customers,
        cost_per_customer=_per_customer(old_cost, customers, old_leads) if old_leads else None,
        value=None if brought is None else float(brought.sum()),
        returned=None if brought is None or not old_cost else _returned(brought, old_cost, customers),
    )


def _per_customer(cost: float, customers: int, leads: int) -> Interval:
    low, high = wilson(customers / leads, leads)
    each = cost / leads
    return Interval(cost / customers if customers else np.nan, each / high, each / low if low > 0 else np.nan)


def _returned(brought: Floats, cost: float, customers: int) -> Interval:
    """The interval is of the mean value of a lead, on a log scale: it holds who buys, and for how much."""
    back = float(brought.sum()) / cost
    if customers < LEAST_CUSTOMERS or back <= 0:
        return Interval(back, np.nan, np.nan)
    reach = float(np.exp(Z_95 * brought.std(ddof=1) / brought.mean() / np.sqrt(brought.size)))
    return Interval(back, back / reach, back * reach)

"""What a company's figures decide: the limits and what they hand over, were each figure a fifth lower or higher."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from serve.economics import Economics
from serve.stage_limits import Bools, Outcome, cut_of, limits_for, outcome

#: The figures that are moved, in the order told. What a customer brings is one of them: an amount's margin, the values
#: of segments and customer_value all scale it.
INPUTS: Final = ("value", "sales_touch_cost", "nurture_touch_cost", "touches_per_day")


@dataclass(frozen=True)
class Case:
    """The limits at the median value and their outcome, with one input times `factor`; `input` is "" as told.

    `sal_limit` is after capacity; `capacity_binds` says whether capacity raised it. `mql_expected` and `sal_expected`
    are the same limits as probability x value, which holds for leads of any value.
    """

    input: str
    factor: float
    mql_limit: float
    sal_limit: float
    mql_expected: float
    sal_expected: float
    capacity_binds: bool
    outcome: Outcome

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(vars(self)) | {"outcome": self.outcome.as_dict()}


def sensitivity(
    probability: npt.ArrayLike,
    value: npt.ArrayLike,
    lead_id: npt.ArrayLike,
    *,
    economics: Economics,
    competing: Bools | None = None,
    share: float = 0.2,
) -> list[Case]:
    """The case as told, then every input of `INPUTS` that is told, first a `share` lower and then as much higher.

    A capacity is rounded to whole leads, and never to none: that would mean "not known".

    Parameters
    ----------
    probability, value, lead_id, competing : all the leads of one list, as for `serve.stage_limits.cut_of`
    share : strictly between 0 and 1

    Raises
    ------
    ValueError
        There is no lead, or the share is none.

    Examples
    --------
    >>> firm = Economics(customer_value=1000, sales_touch_cost=100, nurture_touch_cost=20, touches_per_day=2)
    >>> p = [0.4, 0.3, 0.11, 0.05]
    >>> for case in sensitivity(p, [1000.0] * 4, ["a", "b", "c", "d"], economics=firm)[:3]:
    ...     print(case.input or "as told", case.factor, case.sal_limit, case.outcome.handed_over)
    as told 1.0 0.3 2
    value 0.8 0.125 2
    value 1.2 0.3 2
    """
    if not 0 < share < 1:
        raise ValueError(f"share must lie strictly between 0 and 1, got {share}: 0.2 moves each figure by a fifth.")
    worth = np.asarray(value, np.float64)
    if not worth.size:
        raise ValueError("expected at least one lead: of none there is nothing to move")
    told: list[tuple[str, float]] = [("", 1.0)]
    told += [(name, factor) for name in INPUTS if _is_told(economics, name) for factor in (1 - share, 1 + share)]
    return list(_cases(probability, worth, lead_id, told, economics, competing))


def _cases(
    probability: npt.ArrayLike,
    worth: npt.NDArray[np.float64],
    lead_id: npt.ArrayLike,
    told: list[tuple[str, float]],
    economics: Economics,
    competing: Bools | None,
) -> Iterator[Case]:
    for name, factor in told:
        figures, values = economics, worth
        if name == "value":
            values = worth * factor
        elif name:
            figures = _scaled(economics, name, factor)
        cut = cut_of(probability, values, lead_id, economics=figures, competing=competing)
        limits = limits_for(probability, values, lead_id, economics=figures, cut=cut, competing=competing)
        typical = limits_for([0.0], [np.median(values)], [""], economics=figures, cut=cut)
        yield Case(
            input=name,
            factor=round(factor, 6),
            mql_limit=float(typical.mql[0]),
            sal_limit=float(typical.sal[0]),
            mql_expected=figures.nurture_touch_cost,
            sal_expected=cut.expected_value if cut else figures.sales_touch_cost,
            capacity_binds=cut is not None,
            outcome=outcome(
                probability, values, sal=limits.sal, mql=limits.mql, economics=figures, competing=competing
            ),
        )


def _is_told(economics: Economics, name: str) -> bool:
    return name == "value" or getattr(economics, name) > 0


def _scaled(economics: Economics, name: str, factor: float) -> Economics:
    if name == "touches_per_day":
        return replace(economics, touches_per_day=max(1, round(economics.touches_per_day * factor)))
    if name == "sales_touch_cost":
        return replace(economics, sales_touch_cost=economics.sales_touch_cost * factor)
    return replace(economics, nurture_touch_cost=economics.nurture_touch_cost * factor)

"""What a lead is worth in money: what a customer brings, what a touch costs, and how many touches there are."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Economics:
    """A company's figures, all in one currency.

    Parameters
    ----------
    customer_value : what one more customer brings
    amount, margin : the column that holds a lead's own amount ("": none), and the share of it that is earned
    segment, values, margins : the column by whose values customers differ ("": none), what one is worth where none
        states an amount, and the share of an amount that is earned instead of `margin`
    sales_touch_cost, nurture_touch_cost : of working one lead, and of nurturing one
    touches_per_day : leads that sales can take up from one night's list; 0: not known
    """

    currency: str = "EUR"
    customer_value: float
    amount: str = ""
    margin: float = 1.0
    segment: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    margins: Mapping[str, float] = field(default_factory=dict)
    sales_touch_cost: float = 0.0
    nurture_touch_cost: float = 0.0
    touches_per_day: int = 0

    def value(self, frame: pd.DataFrame) -> Floats:
        """(rows,) what each lead brings if it becomes a customer.

        Its own amount times the margin (its segment's, where that has one), else its segment's value, else
        `customer_value`. A negative amount, such as a credit note, brings nothing; an infinite one is no amount.

        Parameters
        ----------
        frame : holds `amount` (numeric) and `segment` (text) where they are named

        Examples
        --------
        >>> basket = Economics(customer_value=900, amount="basket", margin=0.4)
        >>> worth = basket.value(pd.DataFrame({"basket": [5000.0, np.nan]}))
        >>> worth.tolist(), float(0.2 * worth[0])
        ([2000.0, 900.0], 400.0)
        >>> basket.value(pd.DataFrame({"basket": [-120.0, np.inf]})).tolist()
        [0.0, 900.0]
        """
        worth = np.full(len(frame), float(self.customer_value))
        if self.segment:
            worth = self._by_segment(frame, self.values, worth)
        if self.amount:
            stated = frame[self.amount].to_numpy("float64", na_value=np.nan)
            margin = np.full(len(frame), self.margin)
            if self.segment:
                margin = self._by_segment(frame, self.margins, margin)
            worth = np.where(np.isfinite(stated), np.maximum(stated, 0.0) * margin, worth)
        return worth

    def _by_segment(self, frame: pd.DataFrame, told: Mapping[str, float], other: Floats) -> Floats:
        """(rows,) what is told of each lead's segment, else `other`."""
        own = frame[self.segment].map(dict(told)).to_numpy("float64", na_value=np.nan)
        return np.where(np.isnan(own), other, own)

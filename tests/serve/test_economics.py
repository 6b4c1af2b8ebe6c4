"""What a lead is worth: its own amount, else its segment's value, else what a customer brings."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.economics import Economics

FIRM = Economics(
    customer_value=900, amount="basket", margin=0.4, segment="size", values={"1-10": 50.0, "11-50": 0.0},
    margins={"11-50": 0.25, "51-200": 1.0},
)  # fmt: skip


def one(**columns):
    return float(FIRM.value(pd.DataFrame({name: [value] for name, value in columns.items()}))[0])


def test_the_check_of_the_trade():
    """A basket of 5,000, a margin of 40 %, one in five that buys: a qualified lead is worth 400."""
    assert 0.20 * one(basket=5000.0, size="1-10") == pytest.approx(400)


@pytest.mark.parametrize(
    ("basket", "size", "worth"),
    [
        (100.0, "1-10", 40),
        (np.nan, "1-10", 50),
        (np.nan, "11-50", 0),
        (np.nan, "elsewhere", 900),
        (np.nan, None, 900),
        (0.0, None, 0),
        # A credit note brings nothing, and takes nothing from what others bring; no amount is infinite.
        (-250.0, None, 0),
        (-250.0, "1-10", 0),
        (-np.inf, "1-10", 50),
        (np.inf, None, 900),
        # A segment's own margin, where it has one.
        (100.0, "11-50", 25),
        (100.0, "51-200", 100),
        (-100.0, "51-200", 0),
        (np.nan, "51-200", 900),
    ],
)
def test_the_nearest_figure_counts(basket, size, worth):
    assert one(basket=basket, size=size) == worth


def test_without_columns_every_lead_is_worth_a_customer():
    frame = pd.DataFrame(index=range(3))
    assert Economics(customer_value=7).value(frame).tolist() == [7, 7, 7]
    assert Economics(customer_value=7).value(frame.iloc[:0]).tolist() == []


AMOUNTS = st.floats(-1e9, 1e9) | st.sampled_from([np.nan, np.inf, -np.inf])


@given(st.lists(st.tuples(AMOUNTS, st.sampled_from(["1-10", "11-50", "x", None])), max_size=9))
def test_a_lead_s_worth_depends_on_nothing_but_itself(rows):
    frame = pd.DataFrame(rows, columns=["basket", "size"]).astype({"basket": float, "size": object})
    whole = FIRM.value(frame)
    assert (whole >= 0).all()
    assert np.isfinite(whole).all()
    assert whole.tolist() == [FIRM.value(frame.iloc[[row]])[0] for row in range(len(frame))]

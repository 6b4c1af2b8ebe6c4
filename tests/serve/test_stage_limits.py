"""More probability never lowers a stage, dearer calls never hand over more, sales never get more than they can take."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.economics import Economics
from serve.sensitivity import INPUTS, sensitivity
from serve.stage_limits import LEAST, MOST, Cut, break_even, cut_of, limits_for, outcome
from serve.stages import StageLimits

# Values and probabilities are drawn from few, so that equals are tried as much as neighbours.
LIKELIEST = 1 - 1e-12
PROBABILITIES = st.floats(0, LIKELIEST) | st.sampled_from([0.0, 0.1, 0.2, 0.2, 0.3, LIKELIEST])
VALUES = st.floats(0, 1e6) | st.sampled_from([0.0, 1e-300, 500.0, 1000.0, 1000.0, 2000.0])
COSTS = st.floats(0, 1e4) | st.sampled_from([0.0, 100.0, 200.0])
LEADS = st.lists(st.tuples(PROBABILITIES, VALUES, st.booleans()), min_size=1, max_size=14)


@st.composite
def lists(draw):
    leads = draw(LEADS)
    ids = np.array(draw(st.permutations([f"lead-{n:02}" for n in range(len(leads))])), object)
    p, value, competing = (np.array(column) for column in zip(*leads, strict=True))
    return p.astype(float), value.astype(float), ids, competing.astype(bool)


@st.composite
def firms(draw):
    nurture, sales = sorted([draw(COSTS), draw(COSTS)])
    return Economics(
        customer_value=1.0, sales_touch_cost=sales, nurture_touch_cost=nurture,
        touches_per_day=draw(st.integers(0, 15)),
    )  # fmt: skip


def handed(listed, firm):
    p, value, ids, competing = listed
    cut = cut_of(p, value, ids, economics=firm, competing=competing)
    return p >= limits_for(p, value, ids, economics=firm, cut=cut, competing=competing).sal


def oracle(listed, firm):
    """One lead after the other, the one that is expected to bring most first."""
    p, value, ids, competing = listed
    pays = [row for row in range(len(p)) if p[row] >= break_even([value[row]], cost=firm.sales_touch_cost)[0]]
    queue = sorted((row for row in pays if competing[row]), key=lambda row: (-p[row] * value[row], ids[row]))
    taken = queue[: firm.touches_per_day] if firm.touches_per_day else queue
    return [row in taken or (row in pays and not competing[row]) for row in range(len(p))]


@given(lists(), firms())
def test_agrees_with_the_oracle_and_never_exceeds_capacity(listed, firm):
    called = handed(listed, firm)
    assert called.tolist() == oracle(listed, firm)
    if firm.touches_per_day:
        assert (called & listed[3]).sum() <= firm.touches_per_day


@given(lists(), firms(), st.floats(0, 1))
def test_limits_are_in_order_and_strictly_inside(listed, firm, sql_probability):
    p, value, ids, competing = listed
    cut = cut_of(p, value, ids, economics=firm, competing=competing)
    limits = limits_for(
        p, value, ids, economics=firm, cut=cut, sql_probability=sql_probability, competing=competing
    )  # fmt: skip
    for mql, sal, sql in zip(limits.mql, limits.sal, limits.sql, strict=True):
        StageLimits(mql_probability=mql, sal_probability=sal, sql_probability=sql, pql_min_probability=0.5)


@given(lists(), firms(), st.data())
def test_more_probability_never_loses_a_lead_its_place(listed, firm, data):
    p, value, ids, competing = listed
    row = data.draw(st.integers(0, len(p) - 1))
    likelier = p.copy()
    likelier[row] = data.draw(st.floats(p[row], LIKELIEST))
    before, after = handed(listed, firm), handed((likelier, value, ids, competing), firm)
    assert after[row] >= before[row]
    # And with the cut as it is, which is how a night goes through its ranges.
    cut = cut_of(p, value, ids, economics=firm, competing=competing)
    reached = []
    for probabilities in (p, likelier):
        limits = limits_for(probabilities, value, ids, economics=firm, cut=cut, competing=competing)
        reached.append(int((probabilities >= limits.mql)[row]) + int((probabilities >= limits.sal)[row]))
    assert reached[1] >= reached[0]


@given(lists(), firms(), st.floats(1, 10))
def test_a_dearer_call_never_hands_over_more_leads(listed, firm, factor):
    dearer = replace(firm, sales_touch_cost=firm.sales_touch_cost * factor)
    assert not (handed(listed, dearer) & listed[3] & ~handed(listed, firm)).any()


@given(lists(), firms(), st.randoms(use_true_random=False))
def test_neither_order_nor_ranges_matter(listed, firm, random):
    p, value, ids, competing = listed
    rows = list(range(len(p)))
    random.shuffle(rows)
    cut = cut_of(p, value, ids, economics=firm, competing=competing)
    assert cut_of(p[rows], value[rows], ids[rows], economics=firm, competing=competing[rows]) == cut
    whole = limits_for(p, value, ids, economics=firm, cut=cut, competing=competing)
    for row in rows:
        alone = limits_for(
            p[[row]], value[[row]], ids[[row]], economics=firm, cut=cut, competing=competing[[row]]
        )  # fmt: skip
        assert (alone.mql[0], alone.sal[0], alone.sql[0]) == (whole.mql[row], whole.sal[row], whole.sql[row])


def test_the_check_of_the_trade():
    """A basket of 5,000, a margin of 40 %, one in five that buys: a qualified lead is worth 400."""
    import pandas as pd

    firm = Economics(customer_value=0.0, amount="basket", margin=0.4, sales_touch_cost=400.0)
    value = firm.value(pd.DataFrame({"basket": [5000.0]}))
    assert 0.2 * value[0] == pytest.approx(400)
    assert limits_for([0.2], value, ["a"], economics=firm).sal[0] == pytest.approx(0.2)


def test_equals_share_the_last_place_by_their_id():
    firm = Economics(customer_value=1000, sales_touch_cost=10, touches_per_day=2)
    p, value, ids = np.full(4, 0.2), np.full(4, 1000.0), np.array(["d", "b", "c", "a"], object)
    assert cut_of(p, value, ids, economics=firm) == Cut(200.0, "b")
    assert handed((p, value, ids, np.ones(4, bool)), firm).tolist() == [False, True, False, True]


def test_the_nearly_certain_share_a_place_as_well():
    firm = Economics(customer_value=1, touches_per_day=1)
    for value in (0.0, 1000.0):
        called = handed(
            (np.full(3, LIKELIEST), np.full(3, value), np.array(["c", "a", "b"], object), np.ones(3, bool)), firm
        )
        assert called.sum() <= 1


def test_a_lead_that_is_worth_more_needs_less_probability():
    firm = Economics(customer_value=1, sales_touch_cost=100, nurture_touch_cost=10)
    limits = limits_for([0.1, 0.1, 0.1], [500.0, 5000.0, 0.0], ["a", "b", "c"], economics=firm)
    assert limits.sal.tolist() == [0.2, 0.02, MOST]
    assert limits.mql.tolist() == [0.02, 0.002, MOST]


def test_what_costs_nothing_pays_for_everybody():
    assert break_even([1000.0], cost=0).tolist() == [LEAST]


@pytest.mark.parametrize(
    ("value", "cost", "said"),
    [([-1.0], 1, "values of 0 or more, got -1.0 at position 0"), ([1.0], float("nan"), "a cost of 0 or more, got nan")],
)
def test_a_value_or_a_cost_that_is_none_is_refused(value, cost, said):
    with pytest.raises(ValueError, match=said):
        break_even(value, cost=cost)


def test_there_is_a_value_and_an_id_per_lead():
    with pytest.raises(ValueError, match="expected a value and a lead_id per lead"):
        cut_of([0.1, 0.2], [1.0], ["a", "b"], economics=Economics(customer_value=1))


@given(lists(), firms())
def test_sensitivity_moves_what_is_told_and_begins_with_what_is(listed, firm):
    p, value, ids, competing = listed
    cases = sensitivity(p, value, ids, economics=firm, competing=competing)
    told = [name for name in INPUTS if name == "value" or getattr(firm, name)]
    assert [case.input for case in cases] == ["", *(name for name in told for _ in range(2))]
    called = handed(listed, firm)
    assert cases[0].outcome.handed_over == (called & competing).sum()
    assert cases[0].outcome.expected_customers == pytest.approx(p[called & competing].sum())
    by_input = {(case.input, case.factor): case.outcome for case in cases}
    if firm.sales_touch_cost:
        dear, cheap = by_input["sales_touch_cost", 1.2], by_input["sales_touch_cost", 0.8]
        assert dear.handed_over <= cases[0].outcome.handed_over <= cheap.handed_over
        assert dear.expected_net_value <= cheap.expected_net_value + 1e-6
    if firm.touches_per_day:
        assert by_input["touches_per_day", 1.2].handed_over >= by_input["touches_per_day", 0.8].handed_over


def test_sensitivity_of_no_lead_or_no_share_is_refused():
    firm = Economics(customer_value=1)
    with pytest.raises(ValueError, match="expected at least one lead"):
        sensitivity([], [], [], economics=firm)
    with pytest.raises(ValueError, match="share must lie strictly between 0 and 1, got 1"):
        sensitivity([0.1], [1.0], ["a"], economics=firm, share=1)


def test_an_outcome_counts_only_who_competes():
    firm = Economics(customer_value=1000, sales_touch_cost=100, nurture_touch_cost=20)
    found = outcome([0.5, 0.5, 0.05], [1000.0] * 3, sal=0.1, mql=0.02, economics=firm, competing=[True, False, True])
    assert (found.handed_over, found.nurtured, found.expected_net_value) == (1, 1, 400.0)

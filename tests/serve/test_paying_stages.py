"""Stages by what they pay: never more leads than there are places, and none that comes and goes for nothing."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from serve.economics import Economics
from serve.paying_stages import WITH_SALES, paying_limits, place_of_last
from serve.stage_limits import Cut
from serve.stages import StageLimits, recommend
from tests.serve.stage_data import LEAD, as_signals, rank

LIMITS = StageLimits(
    mql_probability=0.05, sal_probability=0.1, sql_probability=0.15, pql_min_probability=0.05, keep_share=0.2
)
few_examples = settings(max_examples=settings().max_examples // 2)

PROBABILITIES = st.floats(0, 0.999) | st.sampled_from([0.1, 0.08, 0.2])
LEADS = st.tuples(
    PROBABILITIES,
    st.sampled_from([100.0, 1_000.0, 1_000.0, 7_777.7]),
    st.sampled_from([None, "lead", "mql", "sal", "pql", "sql"]),
    st.booleans(),
    st.booleans(),
)
Drawn = list[tuple[float, float, str | None, bool, bool]]
FIRMS = st.builds(
    Economics,
    customer_value=st.just(1_000.0),
    sales_touch_cost=st.sampled_from([20.0, 100.0]),
    nurture_touch_cost=st.sampled_from([1.0, 20.0]),
    touches_per_day=st.integers(0, 5),
)


def columns(drawn: Drawn) -> dict[str, Any]:
    return {
        "probability": np.array([lead[0] for lead in drawn], float),
        "worth": np.array([lead[1] for lead in drawn], float),
        "lead_id": np.array([f"lead {number}" for number in range(len(drawn))], object),
        "previous": np.array([lead[2] for lead in drawn], object),
        "competing": np.ones(len(drawn), bool),
    }


def stages(drawn: Drawn, firm: Economics, *, cut: Cut | None) -> list[str]:
    given_, signals = columns(drawn), as_signals([LEAD | {"product_use": d[3], "explicit_intent": d[4]} for d in drawn])
    found = paying_limits(**given_, economics=firm, limits=LIMITS, cut=cut)
    told = recommend(given_["probability"], signals, LIMITS, previous=given_["previous"], by_lead=found)
    return [str(stage) for stage in told.recommended_stage]


def cut_of(drawn: Drawn, firm: Economics) -> Cut | None:
    return place_of_last(**columns(drawn), economics=firm, keep_share=LIMITS.keep_share)


@few_examples
@given(st.lists(LEADS, max_size=12), FIRMS)
def test_no_more_leads_stand_with_sales_than_there_are_places(drawn: Drawn, firm: Economics) -> None:
    found = stages(drawn, firm, cut=cut_of(drawn, firm))
    with_sales = [stage in WITH_SALES for stage in found]
    if firm.touches_per_day:
        assert sum(with_sales) <= firm.touches_per_day
    # Nobody who does not pay for a call, who has no place yet, is called.
    for stage, (p, worth, previous, _, _) in zip(found, drawn, strict=True):
        if stage in WITH_SALES and previous not in WITH_SALES:
            assert p * worth >= firm.sales_touch_cost * (1 - 1e-9)


@few_examples
@given(st.lists(LEADS, max_size=12), FIRMS)
def test_the_places_go_to_those_that_bring_most_and_holders_count_a_quarter_more(drawn: Drawn, firm: Economics) -> None:
    """The obvious way: sort everybody, and cut."""
    counted = [worth / (0.8 if previous in WITH_SALES else 1) for _, worth, previous, _, _ in drawn]
    paying = sorted(
        (-p * worth, f"lead {number}")
        for number, ((p, *_), worth) in enumerate(zip(drawn, counted, strict=True))
        if p >= firm.sales_touch_cost / worth
    )
    cut = cut_of(drawn, firm)
    if firm.touches_per_day == 0 or len(paying) <= firm.touches_per_day:
        assert cut is None
    else:
        assert cut is not None
        value, lead = paying[firm.touches_per_day - 1]
        np.testing.assert_allclose(cut.expected_value, -value)
        if sum(abs(value - other) < 1e-9 for other, _ in paying) == 1:
            assert cut.lead_id == lead


@few_examples
@given(st.lists(LEADS, max_size=12), FIRMS)
def test_a_night_in_which_nothing_changes_changes_no_stage(drawn: Drawn, firm: Economics) -> None:
    first = stages(drawn, firm, cut=cut_of(drawn, firm))
    again: Drawn = [(p, w, stage, u, i) for (p, w, _, u, i), stage in zip(drawn, first, strict=True)]
    second = stages(again, firm, cut=cut_of(again, firm))
    # Places that somebody left are taken by the next: who had one keeps it.
    assert all(rank(after) >= rank(before) for before, after in zip(first, second, strict=True))


@few_examples
@given(st.lists(LEADS, min_size=1, max_size=8), FIRMS, PROBABILITIES)
def test_given_the_cut_more_probability_never_lowers_a_stage(drawn: Drawn, firm: Economics, more: float) -> None:
    cut = cut_of(drawn, firm)
    before = stages(drawn, firm, cut=cut)
    raised = [(max(drawn[0][0], more), *drawn[0][1:]), *drawn[1:]]
    after = stages(raised, firm, cut=cut)
    assert rank(after[0]) >= rank(before[0])
    assert after[1:] == before[1:]


@few_examples
@given(st.lists(LEADS, max_size=8), FIRMS)
def test_what_it_takes_to_stay_is_never_more_than_to_enter(drawn: Drawn, firm: Economics) -> None:
    found = paying_limits(**columns(drawn), economics=firm, limits=LIMITS, cut=cut_of(drawn, firm))
    for stage, enter in found.enter.items():
        assert (found.stay[stage] <= enter * (1 + 1e-12)).all()
    forgetful = paying_limits(
        **columns([(p, w, None, u, i) for p, w, _, u, i in drawn]),
        economics=firm, limits=replace(LIMITS, keep_share=0.0), cut=None,
    )  # fmt: skip
    pd.testing.assert_frame_equal(pd.DataFrame(forgetful.stay), pd.DataFrame(forgetful.enter))

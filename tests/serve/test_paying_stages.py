"""Stages by what they pay: never more leads than there are places, and none that comes and goes for nothing."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve.economics import Economics
from serve.lead_french import stage_reason_in_french
from serve.paying_stages import WITH_SALES, asking, paying_limits, place_of_last
from serve.stage_limits import Bools, Cut
from serve.stages import StageLimits, recommend
from tests.serve.stage_data import LEAD, as_signals, oracle, rank
from tests.serve.stage_data import LEADS as SITUATIONS

LIMITS = StageLimits(
    mql_probability=0.05, sal_probability=0.1, sql_probability=0.15, pql_min_probability=0.05, keep_share=0.2
)
few_examples = settings(max_examples=settings().max_examples // 2)

PROBABILITIES = st.floats(0, 0.999) | st.sampled_from([0.1, 0.08, 0.2])
#: Known to nobody but us, or in any situation that people and evidence make.
PLAIN = st.builds(lambda uses, intent: LEAD | {"product_use": uses, "explicit_intent": intent}, *[st.booleans()] * 2)
LEADS = st.tuples(
    PROBABILITIES,
    st.sampled_from([100.0, 1_000.0, 1_000.0, 7_777.7]),
    st.sampled_from([None, "lead", "mql", "sal", "pql", "sql", "recycled", "disqualified"]),
    PLAIN | SITUATIONS,
)
Drawn = list[tuple[float, float, str | None, dict[str, Any]]]
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
    }


def mask(drawn: Drawn) -> Bools:
    return asking(as_signals([d[3] for d in drawn]), LIMITS, previous=columns(drawn)["previous"])


def advice(drawn: Drawn, firm: Economics, *, cut: Cut | None) -> pd.DataFrame:
    given_, signals = columns(drawn), as_signals([d[3] for d in drawn])
    found = paying_limits(**given_, competing=mask(drawn), economics=firm, limits=LIMITS, cut=cut)
    return recommend(given_["probability"], signals, LIMITS, previous=given_["previous"], by_lead=found)


def stages(drawn: Drawn, firm: Economics, *, cut: Cut | None) -> list[str]:
    return [str(stage) for stage in advice(drawn, firm, cut=cut).recommended_stage]


def cut_of(drawn: Drawn, firm: Economics) -> Cut | None:
    return place_of_last(**columns(drawn), competing=mask(drawn), economics=firm, keep_share=LIMITS.keep_share)


def is_accepted(lead: dict[str, Any]) -> bool:
    quiet = LIMITS.recycle_after_days
    return lead["human_stage"] in ("sal", "sql") and (lead["days_in_stage"] < quiet or lead["days_since_act"] < quiet)


def can_use_a_place(lead: dict[str, Any]) -> bool:
    """Whether the rules alone, without money, would let the likeliest such lead be handed over."""
    anyhow = StageLimits(mql_probability=0.01, sal_probability=0.01, sql_probability=0.01, pql_min_probability=0.01)
    return not is_accepted(lead) and oracle(1.0, lead, anyhow) in WITH_SALES


def called(drawn: Drawn, firm: Economics) -> list[bool]:
    return [stage in WITH_SALES for stage in stages(drawn, firm, cut=cut_of(drawn, firm))]


@few_examples
@given(st.lists(LEADS, max_size=12), FIRMS)
def test_no_more_leads_stand_with_sales_than_there_are_places(drawn: Drawn, firm: Economics) -> None:
    with_sales, accepted = called(drawn, firm), [is_accepted(lead) for *_, lead in drawn]
    if firm.touches_per_day:
        # Whom sales accepted is theirs beside the list.
        assert sum(with_sales) - sum(accepted) <= firm.touches_per_day
    for called_, theirs, (p, worth, previous, _) in zip(with_sales, accepted, drawn, strict=True):
        # Sales keep whom they accepted; nobody else who does not pay for a call, and has no place yet, is called.
        assert called_ or not theirs
        if called_ and not theirs and previous not in WITH_SALES:
            assert p * worth >= firm.sales_touch_cost * (1 - 1e-9)


@few_examples
@given(st.lists(LEADS, max_size=12), FIRMS)
def test_no_place_stays_empty_while_somebody_who_pays_can_use_it(drawn: Drawn, firm: Economics) -> None:
    with_sales = called(drawn, firm)
    handed_over = sum(with_sales) - sum(is_accepted(lead) for *_, lead in drawn)
    left_out = [
        lead for called_, (p, worth, previous, lead) in zip(with_sales, drawn, strict=True)
        if not called_ and can_use_a_place(lead) and p * worth > firm.sales_touch_cost * (1 + 1e-9)
        and (previous != "recycled" or lead["explicit_intent"] or lead["days_since_act"] < LIMITS.recycle_after_days)
    ]  # fmt: skip
    if left_out:
        assert firm.touches_per_day
        assert handed_over >= firm.touches_per_day


SENT_BACK = {"human_stage": "recycled", "stage_before": "sal", "days_in_stage": 2.0, "days_since_act": 9.0}
QUIET = {"was_qualified": True, "days_since_act": 99.0}


@pytest.mark.parametrize(
    ("situation", "previous", "stage"),
    [
        (SENT_BACK, None, "recycled"),
        (SENT_BACK | {"human_stage": "mql"}, "sal", "mql"),
        (QUIET, "recycled", "recycled"),
        ({"out_of_target": "student"}, None, "disqualified"),
        ({"human_stage": "opportunity"}, None, "opportunity"),
    ],
)
def test_who_cannot_use_a_place_leaves_it_to_the_next(
    situation: dict[str, Any], previous: str | None, stage: str
) -> None:
    firm = Economics(customer_value=1_000.0, sales_touch_cost=100.0, nurture_touch_cost=1.0, touches_per_day=1)
    drawn: Drawn = [(0.5, 1_000.0, previous, LEAD | situation), (0.4, 1_000.0, None, LEAD)]
    assert stages(drawn, firm, cut=cut_of(drawn, firm)) == [stage, "sal"]


@pytest.mark.parametrize("probability", [0.02, 0.9])
def test_whom_sales_accepted_stands_beside_the_list(probability: float) -> None:
    firm = Economics(customer_value=1_000.0, sales_touch_cost=100.0, nurture_touch_cost=1.0, touches_per_day=1)
    theirs = LEAD | {"human_stage": "sal", "days_in_stage": 2.0}
    drawn: Drawn = [(probability, 1_000.0, None, theirs), (0.5, 1_000.0, None, LEAD), (0.4, 1_000.0, None, LEAD)]
    assert stages(drawn, firm, cut=cut_of(drawn, firm)) == ["sal", "sal", "mql"]


def test_a_student_who_asks_for_a_quote_takes_its_place_among_the_others() -> None:
    firm = Economics(customer_value=1_000.0, sales_touch_cost=100.0, nurture_touch_cost=1.0, touches_per_day=1)
    student = LEAD | {"out_of_target": "student", "explicit_intent": True}
    drawn: Drawn = [(0.3, 1_000.0, None, student), (0.4, 1_000.0, None, LEAD)]
    # That there is no place speaks not against the student: it is nurtured, not thrown out.
    assert stages(drawn, firm, cut=cut_of(drawn, firm)) == ["mql", "sal"]
    assert stages(drawn[:1], firm, cut=cut_of(drawn[:1], firm)) == ["sql"]


def test_who_pays_and_finds_no_place_is_told_so() -> None:
    firm = Economics(customer_value=1_000.0, sales_touch_cost=100.0, nurture_touch_cost=1.0, touches_per_day=1)
    drawn: Drawn = [(0.4, 1_000.0, None, LEAD), (0.5, 1_000.0, None, LEAD), (0.05, 1_000.0, None, LEAD)]
    said = advice(drawn, firm, cut=cut_of(drawn, firm)).stage_reason.tolist()
    assert said == [
        "40 % likely to convert: marketing nurtures. Pays for a call, but sales' places went to leads expected to "
        "bring more.",
        "50 % likely to convert: for sales to accept.",
        "5.0 % likely to convert: marketing nurtures.",
    ]


@few_examples
@given(st.lists(LEADS, max_size=12), FIRMS)
def test_every_reason_has_its_french_and_names_the_places_only_where_they_are_few(
    drawn: Drawn, firm: Economics
) -> None:
    cut = cut_of(drawn, firm)
    for row in advice(drawn, firm, cut=cut).itertuples():
        assert stage_reason_in_french(str(row.stage_reason)) is not None
        if "places went to" in str(row.stage_reason):
            assert cut is not None
            assert row.recommended_stage in ("lead", "mql")


@few_examples
@given(st.lists(LEADS, max_size=12), FIRMS)
def test_the_places_go_to_those_that_bring_most_and_holders_count_a_quarter_more(drawn: Drawn, firm: Economics) -> None:
    """The obvious way: sort everybody, and cut."""
    drawn = [(p, worth, previous, LEAD) for p, worth, previous, _ in drawn if previous != "recycled"]
    counted = [worth / (0.8 if previous in WITH_SALES else 1) for _, worth, previous, _ in drawn]
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
    again: Drawn = [(p, w, stage, lead) for (p, w, _, lead), stage in zip(drawn, first, strict=True)]
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
    found = paying_limits(
        **columns(drawn), competing=mask(drawn), economics=firm, limits=LIMITS, cut=cut_of(drawn, firm)
    )  # fmt: skip
    for stage, enter in found.enter.items():
        assert (found.stay[stage] <= enter * (1 + 1e-12)).all()
    forgetful = paying_limits(
        **columns([(p, w, None, lead) for p, w, _, lead in drawn]), competing=mask(drawn),
        economics=firm, limits=replace(LIMITS, keep_share=0.0), cut=None,
    )  # fmt: skip
    pd.testing.assert_frame_equal(pd.DataFrame(forgetful.stay), pd.DataFrame(forgetful.enter))

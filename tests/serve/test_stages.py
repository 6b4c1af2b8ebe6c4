"""Every lead gets one stage and a reason; more probability never lowers it; what people own is left alone."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ConfigError
from features.tables import STAGES
from serve.stage_memory import KEPT_UP
from serve.stages import MEANING, ORDER, Signals, StageLimits, percent, recommend
from tests.serve.stage_data import (
    GOOD,
    LEAD,
    LEADS,
    LIMITS,
    NAN,
    PREVIOUS,
    PROBABILITIES,
    SCORED_LEADS,
    as_signals,
    oracle,
    rank,
    stage_limits,
)

Scored = list[tuple[float, dict[str, Any], str | None]]


def advise(scored: Scored, limits: StageLimits = LIMITS) -> pd.DataFrame:
    return recommend(
        [p for p, _, _ in scored],
        as_signals([lead for _, lead, _ in scored]),
        limits,
        previous=np.array([previous for _, _, previous in scored], dtype=object),
    )


def one(p: float, previous: str | None = None, **signals: Any) -> Any:
    return advise([(p, LEAD | signals, previous)]).iloc[0]


@given(SCORED_LEADS, stage_limits())
def test_agrees_with_the_oracle_one_lead_at_a_time(scored: Scored, limits: StageLimits) -> None:
    assert advise(scored, limits).recommended_stage.tolist() == [
        oracle(p, lead, limits, previous) for p, lead, previous in scored
    ]


@given(SCORED_LEADS, stage_limits())
def test_every_lead_gets_exactly_one_stage_and_a_reason(scored: Scored, limits: StageLimits) -> None:
    advice = advise(scored, limits)
    assert list(advice.columns) == ["recommended_stage", "stage_reason", "needs_confirmation", "overridden"]
    assert [str(kind) for kind in advice.dtypes] == ["str", "str", "bool", "str"]
    assert advice.index.tolist() == list(range(len(scored)))
    assert advice.recommended_stage.isin(STAGES).all()
    assert all(re.fullmatch(r"[A-Z0-9].*\.", reason) and "nan" not in reason.lower() for reason in advice.stage_reason)


@given(st.lists(PROBABILITIES, min_size=2, max_size=12), LEADS, PREVIOUS, stage_limits())
def test_more_probability_never_lowers_the_stage(
    probabilities: list[float], lead: dict[str, Any], previous: str | None, limits: StageLimits
) -> None:
    rising = sorted(probabilities)
    ranks = [rank(stage) for stage in advise([(p, lead, previous) for p in rising], limits).recommended_stage]
    assert ranks == sorted(ranks)


@given(PROBABILITIES, LEADS, PREVIOUS, stage_limits())
def test_neither_intent_nor_use_ever_lowers_the_stage(
    p: float, lead: dict[str, Any], previous: str | None, limits: StageLimits
) -> None:
    for signal in ("explicit_intent", "product_use"):
        both = [(p, lead | {signal: flag}, previous) for flag in (False, True)]
        without, with_it = advise(both, limits).recommended_stage
        assert rank(without) <= rank(with_it)


@given(SCORED_LEADS, stage_limits())
def test_stages_that_people_own(scored: Scored, limits: StageLimits) -> None:
    for (_, lead, _), stage in zip(scored, advise(scored, limits).recommended_stage, strict=True):
        for owned in ("opportunity", "customer"):
            assert (stage == owned) == (lead["human_stage"] == owned)
        if lead["human_stage"] == "disqualified":
            assert stage == "disqualified"


@given(SCORED_LEADS, stage_limits())
def test_disqualified_only_with_stated_evidence_and_confirmed_by_a_person(scored: Scored, limits: StageLimits) -> None:
    for (_, lead, _), row in zip(scored, advise(scored, limits).itertuples(), strict=True):
        ours = row.recommended_stage == "disqualified" and lead["human_stage"] != "disqualified"
        assert row.needs_confirmation == ours
        if ours:
            assert lead["out_of_target"].strip()
            assert f"({lead['out_of_target']})" in str(row.stage_reason)


@given(SCORED_LEADS, st.randoms(use_true_random=False))
def test_a_leads_advice_depends_on_that_lead_alone(scored: Scored, random: Any) -> None:
    together = advise(scored)
    order = list(range(len(scored)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(advise([scored[i] for i in order]), together.iloc[order].reset_index(drop=True))
    for row, alone in enumerate(scored):
        pd.testing.assert_frame_equal(advise([alone]), together.iloc[[row]].reset_index(drop=True))


@given(PROBABILITIES, LEADS, PREVIOUS)
def test_reason_names_the_figure_and_the_evidence(p: float, lead: dict[str, Any], previous: str | None) -> None:
    row = one(p, previous, **lead)
    if lead["human_stage"] in ("opportunity", "customer", "disqualified"):
        assert row.stage_reason == f"Set to {lead['human_stage']} by people, left alone."
        return
    assert percent(p) in row.stage_reason.replace("Under", "under").replace("Over", "over")
    assert lead["explicit_intent"] == ("eclared intent to buy" in row.stage_reason)
    if (lead["out_of_target"] or "").strip() == "":
        assert "out of target" not in row.stage_reason.lower()
    else:
        assert "out of target" in row.stage_reason.lower()
    if row.recommended_stage == "pql":
        assert "ses the product" in row.stage_reason


@pytest.mark.parametrize(
    ("p", "signals", "stage"),
    [
        # A purchasing manager who asks for a demo stands high, a student after a white paper low.
        (0.35, {"explicit_intent": True}, "sql"),
        (0.01, {"out_of_target": "student"}, "disqualified"),
        # Probability alone: lead, mql, sal and no further.
        (0.04, {}, "lead"),
        (0.05, {}, "mql"),
        (0.20, {}, "sal"),
        (0.99, {}, "sal"),
        # Intent at the sql limit, below it, and below every limit.
        (0.30, {"explicit_intent": True}, "sql"),
        (0.29, {"explicit_intent": True}, "sal"),
        (0.04, {"explicit_intent": True}, "lead"),
        # Product use at its limit, below it, and outranked by intent.
        (0.10, {"product_use": True}, "pql"),
        (0.09, {"product_use": True}, "mql"),
        (0.90, {"product_use": True}, "pql"),
        (0.90, {"product_use": True, "explicit_intent": True}, "sql"),
        # Quiet after having been qualified; what keeps a lead from it.
        (0.03, {"was_qualified": True, "days_since_act": 60.0}, "recycled"),
        (0.03, {"was_qualified": True, "days_since_act": 59.9}, "lead"),
        (0.03, {"was_qualified": True, "days_since_act": NAN}, "lead"),
        (0.03, {"was_qualified": False, "days_since_act": 400.0}, "lead"),
        (0.05, {"was_qualified": True, "days_since_act": 74.0}, "mql"),
        (0.03, {"was_qualified": True, "days_since_act": 74.0, "explicit_intent": True}, "lead"),
        (0.03, {"was_qualified": True, "days_since_act": 74.0, "product_use": True}, "lead"),
        # Evidence against the lead, contradicted only by intent and probability together.
        (0.90, {"out_of_target": "student"}, "disqualified"),
        (0.19, {"out_of_target": "student", "explicit_intent": True}, "disqualified"),
        (0.20, {"out_of_target": "student", "explicit_intent": True}, "sal"),
        (0.30, {"out_of_target": "student", "explicit_intent": True}, "sql"),
        # What people set: theirs, or advice all the same.
        (0.01, {"human_stage": "customer", "out_of_target": "student"}, "customer"),
        (0.01, {"human_stage": "opportunity"}, "opportunity"),
        (0.90, {"human_stage": "disqualified", "explicit_intent": True}, "disqualified"),
        (0.01, {"human_stage": "mql"}, "lead"),
        (0.35, {"human_stage": "mql", "explicit_intent": True}, "sql"),
    ],
)
def test_drawn_leads(p: float, signals: dict[str, Any], stage: str) -> None:
    assert one(p, **signals).recommended_stage == stage


INTENT = "Declared intent to buy (demo, quote, budget or date)"
OUT = "Out of target (student)"
CONFIRM = "a person should confirm before it is disqualified."


@pytest.mark.parametrize(
    ("p", "signals", "reason"),
    [
        (0.0004, {}, "Under 0.1 % likely to convert: not qualified yet."),
        (0.02, {"explicit_intent": True}, f"{INTENT}, but only 2.0 % likely to convert: not qualified yet."),
        (0.05, {}, "5.0 % likely to convert: marketing nurtures."),
        (0.06, {"product_use": True}, "Uses the product, but only 6.0 % likely to convert: marketing nurtures."),
        (0.999, {}, "Over 99 % likely to convert: for sales to accept."),
        (0.25, {"explicit_intent": True}, f"{INTENT} and 25 % likely to convert: for sales to accept."),
        (0.12, {"product_use": True}, "Uses the product and 12 % likely to convert: call about what it does with it."),
        (0.35, {"explicit_intent": True}, f"{INTENT} and 35 % likely to convert: hand over now."),
        (
            0.9,
            {"explicit_intent": True, "product_use": True},
            f"{INTENT}, uses the product and 90 % likely to convert: hand over now.",
        ),
        (
            0.03,
            {"was_qualified": True, "days_since_act": 74.9},
            "Was qualified, no act for 74 days, 3.0 % likely to convert: back to nurturing.",
        ),
        (0.01, {"out_of_target": " student "}, f"{OUT}, 1.0 % likely to convert: {CONFIRM}"),
        (
            0.1,
            {"out_of_target": "student", "explicit_intent": True},
            f"{OUT}, 10 % likely to convert although it declared intent to buy: {CONFIRM}",
        ),
        (
            0.4,
            {"out_of_target": "student", "explicit_intent": True},
            f"{INTENT} and 40 % likely to convert: hand over now. Check first: looks out of target (student).",
        ),
        (0.9, {"human_stage": "customer"}, "Set to customer by people, left alone."),
    ],
)
def test_drawn_reasons(p: float, signals: dict[str, Any], reason: str) -> None:
    assert one(p, **signals).stage_reason == reason


def test_what_sales_never_said_is_not_put_into_their_mouth() -> None:
    """They accepted a student as sal; that it uses the product makes it a pql, and that is our word."""
    student: dict[str, Any] = {"human_stage": "sal", "days_in_stage": 2.0, "out_of_target": "student"}
    row = one(0.2, product_use=True, **student)
    assert row.recommended_stage == "pql"
    assert row.stage_reason == (
        "Uses the product and 20 % likely to convert: call about what it does with it. Check first: looks out of "
        "target (student)."
    )
    assert pd.isna(row.overridden)
    row = one(0.25, **student)
    assert (row.recommended_stage, row.overridden) == ("sal", KEPT_UP)
    assert row.stage_reason.startswith("Accepted by sales as sal, ")


@given(SCORED_LEADS, stage_limits())
def test_people_are_quoted_with_the_stage_they_set(scored: Scored, limits: StageLimits) -> None:
    for (_, lead, _), row in zip(scored, advise(scored, limits).itertuples(), strict=True):
        quoted = re.match(r"Accepted by sales as (\w+)|Sent back to (\w+)", str(row.stage_reason))
        assert (quoted is not None) == isinstance(row.overridden, str)
        if quoted:
            assert lead["human_stage"] == row.recommended_stage == (quoted[1] or quoted[2])


def test_a_day_is_not_days() -> None:
    limits = StageLimits(**(GOOD | {"recycle_after_days": 1}))
    quiet = as_signals([LEAD | {"was_qualified": True, "days_since_act": 1.9}])
    assert "no act for 1 day," in recommend([0.01], quiet, limits).stage_reason[0]


def test_every_kind_of_null_text_is_none() -> None:
    signals = as_signals([LEAD | {"out_of_target": null, "human_stage": null} for null in (None, NAN, np.nan)])
    assert recommend([0.2] * 3, signals, LIMITS).recommended_stage.tolist() == ["sal"] * 3


def test_no_leads_give_no_rows() -> None:
    advice = recommend([], as_signals([]), LIMITS)
    assert len(advice) == 0
    assert [str(kind) for kind in advice.dtypes] == ["str", "str", "bool", "str"]


def test_inputs_are_not_changed() -> None:
    leads = [LEAD | {"out_of_target": " student ", "human_stage": "mql"}, LEAD]
    probability, signals = np.array([0.2, 0.3]), as_signals(leads)
    recommend(probability, signals, LIMITS)
    assert probability.tolist() == [0.2, 0.3]
    assert signals.out_of_target.tolist() == [" student ", None]
    assert signals.human_stage.tolist() == ["mql", None]


def test_every_stage_has_a_rank_and_a_meaning() -> None:
    assert set(ORDER) == set(MEANING) == set(STAGES)
    assert len(ORDER) == len(STAGES)
    assert all(sentence.endswith(".") for sentence in MEANING.values())


@pytest.mark.parametrize("bad", [NAN, -0.1, 1.1])
def test_what_is_no_probability_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match=r"expected probabilities in \[0, 1\], got .* at position 0"):
        one(bad)


def test_a_probability_for_each_lead_is_required() -> None:
    with pytest.raises(ValueError, match="one probability per lead, got 2 for 1 leads"):
        recommend([0.1, 0.2], as_signals([LEAD]), LIMITS)


def test_a_stage_before_is_one_of_each_lead_and_known() -> None:
    with pytest.raises(ValueError, match="one stage before per lead, got 2 for 1 leads"):
        recommend([0.1], as_signals([LEAD]), LIMITS, previous=np.array(["mql", None], object))
    with pytest.raises(ValueError, match=r"expected previous to be one of .*, got suspect"):
        one(0.1, "suspect")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"product_use": np.array([True, False])}, "one value per lead in every signal, got shapes"),
        ({"explicit_intent": np.array([None])}, "explicit_intent to be an array of bool, got object"),
        ({"days_since_act": np.array([-0.5])}, "days_since_act to be days >= 0 or NaN"),
        ({"days_since_act": np.array([np.inf])}, "days_since_act to be days >= 0 or NaN"),
        ({"human_stage": np.array(["prospect"], dtype=object)}, "human_stage to be one of lead, .*, got prospect"),
        ({"stage_before": np.array(["suspect"], dtype=object)}, "stage_before to be one of lead, .*, got suspect"),
        ({"days_in_stage": np.array([-1.0])}, "days_in_stage to be days >= 0 or NaN"),
    ],
)
def test_signals_that_are_not_as_documented_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Signals(**(vars(as_signals([LEAD])) | wrong))


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("bad", [0, 1, 20, NAN])
def test_limits_outside_the_open_interval_are_refused(name: str, bad: float) -> None:
    with pytest.raises(ConfigError, match=rf"\[stages\] {name} .* strictly between 0 and 1, got {bad}: .* Write 20 %"):
        StageLimits(**(GOOD | {name: bad}))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"mql_probability": 0.25}, "mql_probability must not be above .* sal_probability, got 0.25 and 0.2: .* Lower"),
        ({"sal_probability": 0.35}, "sal_probability must not be above .* sql_probability, got 0.35 and 0.3: .* Lower"),
        ({"recycle_after_days": 0}, "recycle_after_days .* at least 1, got 0: .* Set it to"),
        ({"recycle_after_days": NAN}, "recycle_after_days .* at least 1, got nan"),
        ({"keep_share": -0.1}, "keep_share .* at least 0 and below 1, got -0.1: .* Write 20 %"),
        ({"keep_share": 1}, "keep_share .* at least 0 and below 1, got 1"),
        ({"keep_share": NAN}, "keep_share .* at least 0 and below 1, got nan"),
    ],
)
def test_limits_that_contradict_each_other_are_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        StageLimits(**(GOOD | wrong))

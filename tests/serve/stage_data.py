"""Leads in every situation that stages know, and limits of every kind."""

from typing import Any, Final

import numpy as np
from hypothesis import strategies as st

from features.tables import STAGES
from serve.stages import ORDER, Signals, StageLimits

NAN: Final = float("nan")
GOOD: Final = {"mql_probability": 0.05, "sal_probability": 0.2, "sql_probability": 0.3, "pql_min_probability": 0.1}
LIMITS: Final = StageLimits(**GOOD)
LEAD: Final[dict[str, Any]] = {
    "product_use": False,
    "explicit_intent": False,
    "days_since_act": 3.0,
    "was_qualified": False,
    "out_of_target": None,
    "human_stage": None,
    "stage_before": None,
    "days_in_stage": NAN,
}
DTYPES: Final[dict[str, Any]] = {
    "product_use": bool,
    "explicit_intent": bool,
    "days_since_act": float,
    "was_qualified": bool,
    "out_of_target": object,
    "human_stage": object,
    "stage_before": object,
    "days_in_stage": float,
}


def as_signals(leads: list[dict[str, Any]]) -> Signals:
    return Signals(**{name: np.array([lead[name] for lead in leads], dtype=kind) for name, kind in DTYPES.items()})


# Limits, what is left of them, and the days' limit are drawn often: "at the limit" is tried as much as "near it".
PROBABILITIES: Final = st.floats(0, 1) | st.sampled_from([0.0, 0.04, 0.05, 0.08, 0.10, 0.16, 0.20, 0.24, 0.30, 1.0])
_DAYS: Final = st.floats(0, 1000) | st.sampled_from([60.0, 59.999, 3.0, NAN])


@st.composite
def leads(draw: st.DrawFn) -> dict[str, Any]:
    human = draw(st.sampled_from([None, None, *STAGES]))
    return {
        "product_use": draw(st.booleans()),
        "explicit_intent": draw(st.booleans()),
        "days_since_act": draw(_DAYS),
        "was_qualified": draw(st.booleans()),
        "out_of_target": draw(st.sampled_from([None, None, "student", "disposable e-mail address", "  ", ""])),
        "human_stage": human,
        "stage_before": None if human is None else draw(st.sampled_from([None, *STAGES])),
        "days_in_stage": NAN if human is None else draw(_DAYS),
    }


LEADS: Final = leads()
PREVIOUS: Final = st.sampled_from([None, *STAGES])
SCORED_LEADS: Final = st.lists(st.tuples(PROBABILITIES, LEADS, PREVIOUS), max_size=12)


@st.composite
def stage_limits(draw: st.DrawFn) -> StageLimits:
    mql, sal, sql = sorted(draw(st.lists(st.floats(0.01, 0.99), min_size=3, max_size=3)))
    # A company's own, where probabilities at the limits are drawn, or any.
    usual = draw(st.booleans())
    probabilities = (
        GOOD
        if usual
        else {"mql_probability": mql, "sal_probability": sal, "sql_probability": sql}
        | {"pql_min_probability": draw(st.floats(0.01, 0.99))}
    )
    return StageLimits(
        **probabilities,
        recycle_after_days=draw(st.integers(1, 400)),
        keep_share=draw(st.sampled_from([0.0, 0.2, 0.5]) | st.floats(0, 0.99)),
    )


def rank(stage: str | None) -> int:
    return -1 if stage is None else ORDER.index(stage)


def oracle(p: float, lead: dict[str, Any], limits: StageLimits, previous: str | None = None) -> str:
    """Each stage with its condition, highest first; then what people decided."""
    human, before, intent, uses = (
        lead[name] for name in ("human_stage", "stage_before", "explicit_intent", "product_use")
    )
    since, days, quiet_days = lead["days_since_act"], lead["days_in_stage"], limits.recycle_after_days
    if human in ("opportunity", "customer", "disqualified"):
        return str(human)
    entry = {
        "mql": limits.mql_probability,
        "sal": limits.sal_probability,
        "pql": limits.pql_min_probability,
        "sql": limits.sql_probability,
    }

    def reached(stage: str) -> bool:
        stays = previous in entry and rank(previous) >= rank(stage) and entry[str(previous)] >= entry[stage]
        return p >= (entry[stage] * (1 - limits.keep_share) if stays else entry[stage])

    sales_own = human in ("sal", "sql") and (days < quiet_days or since < quiet_days)
    if (lead["out_of_target"] or "").strip() and not sales_own:
        doubted = previous in (None, "disqualified")
        if not intent or p < limits.sal_probability * (1 if doubted else 1 - limits.keep_share):
            return "disqualified"
    quiet = (lead["was_qualified"] or human == "recycled") and since >= quiet_days and not intent and not uses
    if quiet and previous == "recycled":
        stage = "recycled"
    elif intent and reached("sql"):
        stage = "sql"
    elif uses and reached("pql"):
        stage = "pql"
    elif reached("sal"):
        stage = "sal"
    elif reached("mql"):
        stage = "mql"
    else:
        stage = "recycled" if quiet else "lead"
    if sales_own and rank(stage) < rank(human):
        return str(human)
    refused = human == "recycled" or (human is not None and before is not None and rank(human) < rank(before))
    acted = since < days
    if refused and not acted and rank(stage) > rank(human):
        return str(human)
    return stage

"""What to do next with each lead, why, and how urgent it is: from its stage, its silence and what history says of both.

=========  =======================================================================================================
answer     worth a call, wanted an answer (a form, a demo or quote, an e-mail), and nobody spoke to it since: left alone
call       worth a call: its stage is sal, pql or sql, and nobody spoke to it since its last act of interest
follow_up  worth a call, and somebody spoke to it since its last act of interest: ours to go on
deal       sales has an open deal with it
nurture    mql: marketing's, with a theme
revive     recycled: was qualified, went quiet; back to nurturing, with a theme
wait       lead: nothing that costs money pays yet
confirm    looks out of target: a person confirms
none       a customer, or disqualified by people
=========  =======================================================================================================

What is not known here: what an e-mail or a call would change, and whether somebody answered where the store does not
record it. Under `models.waiting` and `models.steps` stands what history can say, and what it cannot.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.steps import Step
from models.waiting import Waiting
from serve.acts import (
    INTEREST,
    LATELY_DAYS,
    THEMES,
    answer_kinds,
    ask_kinds,
    days_since_any,
    days_since_interest,
    ever,
    last_act,
    steps_taken,
)
from serve.bands import checked

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Stages whose leads are worth a salesperson's time.
WORTH_A_CALL: Final = ("sal", "pql", "sql", "opportunity")
URGENCIES: Final = ("high", "normal", "low")
#: A lead cannot be called left alone before somebody had a day to answer.
_A_DAY: Final = 1.0
#: A lead worth a call is urgent in the first week after its last act of interest.
_FRESH_DAYS: Final = 7.0


@dataclass(frozen=True)
class History:
    """What the past says: how a chance fades in silence (None: too little is known), and the steps, strongest first."""

    waiting: Waiting | None = None
    steps: Sequence[Step] = ()


def next_steps(
    frame: pd.DataFrame,
    *,
    probability: npt.ArrayLike,
    stage: Sequence[str],
    needs_confirmation: npt.ArrayLike,
    history: History,
    value: Floats | None = None,
    worth_calling: Bools | None = None,
    interest: Collection[str] = INTEREST,
) -> pd.DataFrame:
    """Say what to do next with each lead.

    Parameters
    ----------
    frame
        One row per lead: the columns of `serve.acts.family`, as of the moment of the scores. A column that is not there
        means that the store has no event of the kind.
    probability, stage, needs_confirmation
        Shape (leads,): as scored; `stage` is the recommended one.
    value
        Shape (leads,): what each brings as a customer; None where no value is told.
    worth_calling
        Shape (leads,): leads beside those of `WORTH_A_CALL` that would pay for a call; one of them is left alone too.

    Returns
    -------
    One row per lead, with the index of `frame`:

    next_step, next_step_reason
        One of the codes above, and a sentence. It ends with the theme and how many times as often leads that lately
        took that step converted, among those silent for as long (1.9×).
    urgency
        "high" for leads left alone, and for those to call in the week after their last act of interest; "low" where
        nothing is to be done now; "normal" for the rest. Within it, `value_lost_per_day` says what to do first.
    days_since_interest
        Days since the last act of interest; NaN: none is known.
    value_lost_per_day
        Money: probability x value x the share of the chance that a day of silence takes, on the average of the week to
        come. NaN where no value is told or history does not say; 0 where no chance is left to fade, or none of it ours.
    nurture_theme
        The strongest step that the lead has not taken lately, among those that go along with more conversions; "" where
        there is none, or where it unsubscribed.
    left_alone
        Worth a call, wanted an answer (`serve.acts.ASKS`) at least a day and at most `LATELY_DAYS` ago, and nobody has
        spoken to it since.
        False everywhere in a store that does not record how we speak to leads.

    Examples
    --------
    >>> frame = pd.DataFrame({"days_since_last_demo_request": [3.0, 40.0], "days_since_last_call": [np.nan, 2.0]})
    >>> told = next_steps(frame, probability=[0.3, 0.2], stage=["sql", "sal"], needs_confirmation=[False, False],
    ...                   history=History())
    >>> told[["next_step", "urgency", "left_alone"]].to_numpy().tolist()
    [['answer', 'high', True], ['follow_up', 'normal', False]]
    >>> print(told["next_step_reason"][0])
    A demo was asked for 3 days ago, and nobody has called it since.
    """
    p, stages = checked(probability), np.asarray(stage, object)
    if not len(p) == len(frame) == len(stages):
        raise ValueError(
            f"expected one probability and stage per lead, got {len(p)} and {len(stages)} for {len(frame)}"
        )
    silence = days_since_interest(frame, interest)
    answers = answer_kinds(frame)
    spoken = days_since_any(frame, answers)
    calls = np.isin(stages, WORTH_A_CALL)
    worth = calls if worth_calling is None else calls | (worth_calling & ~np.isin(stages, ("customer", "disqualified")))
    # NaN in a comparison is false: who was never spoken to has not been since.
    spoken_since = spoken <= silence
    asks = ask_kinds(frame, interest)
    asked = days_since_any(frame, asks)
    left_alone = worth & (asked >= _A_DAY) & (asked < LATELY_DAYS) & ~(spoken <= asked) & bool(answers)
    code = _codes(
        stages, np.asarray(needs_confirmation, bool), left_alone, spoken_since | (np.isnan(silence) & ~np.isnan(spoken))
    )
    week = np.full(len(p), np.nan) if history.waiting is None else history.waiting.share_lost(silence, over_days=7.0)
    unsubscribed = ever(frame, "unsubscribe")
    themes, why = _themes(frame, history.steps, sales=np.isin(code, ("answer", "call", "follow_up", "deal")))
    themes[unsubscribed & np.isin(code, ("nurture", "revive", "wait"))] = ""
    themes[np.isin(code, ("confirm", "none"))] = ""
    a_day = 1 - (1 - week) ** (1 / 7)
    lost = np.full(len(p), np.nan) if value is None else p * value * a_day
    lost = np.where(np.isin(code, ("confirm", "none")) & ~np.isnan(lost), 0.0, lost)
    urgency = np.full(len(p), "normal", object)
    urgency[np.isin(code, ("wait", "confirm", "none"))] = "low"
    urgency[left_alone | ((code == "call") & (silence <= _FRESH_DAYS))] = "high"
    last, wish = last_act(frame, interest), last_act(frame, asks)
    sentences = [
        _sentence(Facts(*facts), verbs=_verbs(answers))
        for facts in zip(
            code,
            stages,
            silence,
            last,
            asked,
            wish,
            spoken,
            themes,
            why,
            unsubscribed,
            strict=True,
        )
    ]
    return pd.DataFrame(
        {
            "next_step": code,
            "next_step_reason": sentences,
            "urgency": urgency,
            "days_since_interest": silence,
            "value_lost_per_day": lost,
            "nurture_theme": themes,
            "left_alone": left_alone,
        },
        index=frame.index,
    )


class Facts(NamedTuple):
    """What a sentence is made of."""

    code: str
    stage: str
    silence: float
    last: str
    asked: float
    wish: str
    spoken: float
    theme: str
    why: str
    unsubscribed: bool


def _codes(
    stages: npt.NDArray[np.object_], confirm: Bools, left_alone: Bools, spoken: Bools
) -> npt.NDArray[np.object_]:
    code = np.full(len(stages), "wait", object)
    code[stages == "mql"] = "nurture"
    code[stages == "recycled"] = "revive"
    handed = np.isin(stages, ("sal", "pql", "sql"))
    code[handed] = "call"
    code[handed & spoken] = "follow_up"
    code[stages == "opportunity"] = "deal"
    code[left_alone] = "answer"
    code[np.isin(stages, ("customer", "disqualified"))] = "none"
    code[(stages == "disqualified") & confirm] = "confirm"
    return code


def _themes(
    frame: pd.DataFrame, steps: Sequence[Step], *, sales: Bools
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
    """The strongest missing step of each lead, and how many times as often those who took it converted."""
    theme, why = np.full(len(frame), "", object), np.full(len(frame), "", object)
    taken, by_kind = steps_taken(frame), {theme.kind: theme for theme in THEMES}
    for step in sorted(steps, key=lambda step: step.lift.value):
        one = by_kind.get(step.name)
        if one is None or step.name not in taken or not step.lift.value > 1:
            continue
        missing = ~taken[step.name].to_numpy(bool) & (sales | (one.by == "marketing"))
        theme[missing] = one.theme
        why[missing] = f"{step.lift.value:.1f}×" + ("" if step.tells else ", may be chance")
    return theme, why


def _verbs(kinds: Collection[str]) -> str:
    verbs = {"call": "called", "meeting": "met", "email_delivered": "written to"}
    return " or ".join(verbs[kind] for kind in kinds) or "answered"


def _sentence(of: Facts, *, verbs: str) -> str:
    act = f"{of.last} {_ago(of.silence)}" if of.last else "no act of interest is known"
    offer = f" Offer: {of.theme} ({of.why})." if of.theme else ""
    nurture = f" Theme: {of.theme} ({of.why})." if of.theme else " No step stands out that it has not taken lately."
    if of.unsubscribed and of.code in ("nurture", "revive"):
        nurture = " It unsubscribed: no e-mails."
    sentences = {
        "answer": f"{of.wish} {_ago(of.asked)}, and nobody has {verbs} it since.{offer}",
        "call": f"worth a call ({of.stage}); {act}.{offer}",
        "follow_up": f"{verbs} {_ago(of.spoken)}, worth going on ({of.stage}); {act}.{offer}",
        "deal": f"sales has an open deal with it; {act}.",
        "nurture": f"for marketing to nurture; {act}.{nurture}",
        "revive": f"was qualified and went quiet; {act}.{nurture}",
        "wait": f"nothing that costs money pays yet; {act}.",
        "confirm": "looks out of target: a person should confirm before anything happens.",
        "none": "a customer already." if of.stage == "customer" else "disqualified by people.",
    }
    text = sentences[of.code]
    return text[0].upper() + text[1:]


def _ago(days: float) -> str:
    if np.isnan(days):
        return "at a time that is not known"
    whole = int(days)
    return "today" if whole == 0 else f"{whole} day{'s' * (whole != 1)} ago"


def most_urgent_first(told: pd.DataFrame, *, expected_value: Any) -> pd.Index:
    """The index of `next_steps`' rows in the order in which to act.

    High urgency first; in it what a day of silence costs most, then what is expected of it most (`expected_value`, or
    the probability where no value is told), then by index.
    """
    order = pd.DataFrame(
        {
            "urgency": told["urgency"].map({name: rank for rank, name in enumerate(URGENCIES)}),
            "lost": -told["value_lost_per_day"].fillna(0.0),
            "expected": -np.asarray(expected_value, np.float64),
            "lead": told.index.astype(str),
        },
        index=told.index,
    )
    return order.sort_values(["urgency", "lost", "expected", "lead"], kind="stable").index

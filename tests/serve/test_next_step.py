"""Every lead gets one next step, a sentence and an urgency, from itself and the history alone."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.kinds import KINDS
from features.tables import STAGES
from models.intervals import Interval
from models.steps import Step
from models.waiting import waiting
from serve.acts import ASKS, INTEREST, THEMES, answer_kinds, column_of, days_since_interest, family, steps_taken
from serve.next_step import URGENCIES, History, most_urgent_first, next_steps

NAN = float("nan")
CODES = {"answer", "call", "follow_up", "deal", "nurture", "revive", "wait", "confirm", "none"}
STEPS = (
    Step("demo_request", 100, 50, Interval(1.9, 1.5, 2.2)),
    Step("product_use", 100, 50, Interval(1.4, 1.2, 1.7)),
    Step("webinar", 100, 50, Interval(1.1, 0.9, 1.3)),
    Step("content_download", 100, 50, Interval(0.8, 0.5, 1.1)),
)
_SILENCE = np.repeat([0.5, 10.0, 50.0], 1000)
CURVE = waiting(
    _SILENCE, np.concatenate([np.arange(1000) < n for n in (300, 200, 50)]), np.arange(3000), resamples=20
)  # fmt: skip
HISTORY = History(CURVE, STEPS)


def frame_of(**days):
    size = max((len(np.atleast_1d(one)) for one in days.values()), default=1)
    return pd.DataFrame({column_of(kind): np.broadcast_to(np.atleast_1d(one), size) for kind, one in days.items()})


def one(stage, *, p=0.3, confirm=False, history=HISTORY, value=None, worth=None, **days):
    frame = frame_of(**days) if days else pd.DataFrame(index=[0])
    return next_steps(
        frame, probability=[p], stage=[stage], needs_confirmation=[confirm], history=history,
        value=None if value is None else np.array([value]), worth_calling=None if worth is None else np.array([worth]),
    ).iloc[0]  # fmt: skip


DAYS = st.one_of(st.just(NAN), st.floats(0, 400), st.sampled_from([0.0, 1.0, 7.0, 90.0]))
PRESENT = st.sets(st.sampled_from([column.name for column in family().columns]))


@st.composite
def leads(draw):
    size = draw(st.integers(1, 6))
    columns = sorted(draw(PRESENT))
    values = {name: draw(st.lists(DAYS, min_size=size, max_size=size)) for name in columns}
    return {
        "frame": pd.DataFrame(values, index=range(size), dtype=float),
        "probability": np.array(draw(st.lists(st.floats(0, 1), min_size=size, max_size=size))),
        "stage": draw(st.lists(st.sampled_from(STAGES), min_size=size, max_size=size)),
        "needs_confirmation": draw(st.lists(st.booleans(), min_size=size, max_size=size)),
        "value": np.array(draw(st.lists(st.floats(0, 1e6), min_size=size, max_size=size))),
        "worth_calling": np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size))),
    }


@given(leads(), st.sampled_from([HISTORY, History(), History(None, STEPS)]))
def test_every_lead_gets_one_of_each(asked, history):
    told = next_steps(**asked, history=history)
    assert told.index.equals(asked["frame"].index)
    assert set(told["next_step"]) <= CODES
    assert set(told["urgency"]) <= set(URGENCIES)
    assert all(re.fullmatch(r"[A-Z].*\.", text) and "nan" not in text for text in told["next_step_reason"])
    assert set(told["nurture_theme"]) <= {"", *(theme.theme for theme in THEMES)}
    lost = told["value_lost_per_day"].to_numpy()
    most = asked["probability"] * asked["value"]
    assert (np.isnan(lost) | ((lost >= -1e-9) & (lost <= most + 1e-6))).all()
    # Left alone is always urgent, and never somebody whom people keep out.
    assert (told["urgency"][told["left_alone"]] == "high").all()
    assert not told["left_alone"][np.isin(asked["stage"], ("customer", "disqualified"))].any()
    if history.waiting is None:
        assert np.isnan(lost).all() or set(told["next_step"][~np.isnan(lost)]) <= {"confirm", "none"}


@given(leads())
def test_the_advice_on_a_lead_depends_on_nothing_but_that_lead(asked):
    told = next_steps(**asked, history=HISTORY)
    for row in range(len(told)):
        alone = next_steps(
            **{
                name: of.iloc[[row]] if isinstance(of, pd.DataFrame) else of[row : row + 1]
                for name, of in asked.items()
            },
            history=HISTORY,
        )
        pd.testing.assert_frame_equal(alone, told.iloc[[row]])


@given(leads())
def test_the_order_has_everybody_once_and_the_urgent_first(asked):
    told = next_steps(**asked, history=HISTORY)
    order = most_urgent_first(told, expected_value=asked["probability"] * asked["value"])
    assert sorted(order) == list(told.index)
    ranks = [URGENCIES.index(level) for level in told.loc[order, "urgency"]]
    assert ranks == sorted(ranks)


@given(leads())
def test_nothing_that_is_given_is_changed(asked):
    before = asked["frame"].copy()
    next_steps(**asked, history=HISTORY)
    pd.testing.assert_frame_equal(asked["frame"], before)


@pytest.mark.parametrize(
    ("stage", "days", "code", "urgency"),
    [
        ("sql", {"demo_request": 3.0, "call": NAN}, "answer", "high"),
        ("sql", {"demo_request": 3.0, "call": 2.0}, "follow_up", "normal"),
        ("sql", {"demo_request": 3.0, "call": 5.0}, "answer", "high"),
        # Within a day nobody can be said to have been left alone.
        ("sql", {"demo_request": 0.4, "call": NAN}, "call", "high"),
        # Who wanted one half a year ago has been asked about something else since, or gone.
        ("sql", {"demo_request": 180.0, "call": NAN}, "call", "normal"),
        # A page wants no answer, where other acts do.
        ("sal", {"page": 3.0, "form": NAN, "meeting": NAN}, "call", "high"),
        ("sal", {"page": 20.0, "form": NAN, "meeting": NAN}, "call", "normal"),
        ("pql", {"product_use": 3.0, "call": NAN}, "answer", "high"),
        # Mailings answer nobody, unless they are all that the store records.
        ("sal", {"form": 9.0, "call": NAN, "email_delivered": 1.0}, "answer", "high"),
        ("sal", {"form": 9.0, "email_delivered": 1.0}, "follow_up", "normal"),
        ("sal", {"form": 9.0}, "call", "normal"),
        ("opportunity", {"quote_request": 2.0, "call": 30.0}, "answer", "high"),
        ("opportunity", {"quote_request": 2.0, "call": 1.0}, "deal", "normal"),
        ("mql", {"form": 3.0, "call": NAN}, "nurture", "normal"),
        ("recycled", {"form": 99.0, "call": NAN}, "revive", "normal"),
        ("lead", {"form": 3.0, "call": NAN}, "wait", "low"),
        ("customer", {"form": 3.0, "call": NAN}, "none", "low"),
    ],
)
def test_what_is_next(stage, days, code, urgency):
    told = one(stage, **days)
    assert (told["next_step"], told["urgency"], told["left_alone"]) == (code, urgency, code == "answer")


def test_who_looks_out_of_target_is_for_a_person_to_confirm():
    assert one("disqualified", confirm=True, form=3.0)["next_step"] == "confirm"
    told = one("disqualified", value=900.0, form=3.0)
    assert (told["next_step"], told["value_lost_per_day"], told["nurture_theme"]) == ("none", 0, "")


def test_a_lead_that_would_pay_for_a_call_is_not_left_alone_because_of_its_stage():
    assert one("mql", worth=True, form=3.0, call=NAN)["next_step"] == "answer"
    assert one("customer", worth=True, form=3.0, call=NAN)["next_step"] == "none"


def test_the_theme_is_the_strongest_step_that_is_missing():
    taken = {"webinar": 5.0, "demo_request": NAN, "product_use": NAN, "content_download": NAN, "page": 1.0, "call": 0.5}
    assert one("sal", **taken)["nurture_theme"] == "demo"
    # Marketing cannot bring a demo about.
    assert one("mql", **taken)["nurture_theme"] == "trial"
    assert one("mql", **taken | {"product_use": 89.0, "webinar": 91.0})["nurture_theme"] == "webinar"
    # All taken that goes along with more conversions; content does not.
    nothing = one("mql", **taken | {"product_use": 89.0})
    assert nothing["nurture_theme"] == ""
    assert "No step stands out" in nothing["next_step_reason"]
    assert "may be chance" in one("mql", **taken | {"product_use": 1.0, "webinar": NAN})["next_step_reason"]
    assert "may be chance" not in one("mql", **taken)["next_step_reason"]


def test_who_unsubscribed_is_not_nurtured_by_mail():
    told = one("mql", product_use=NAN, unsubscribe=400.0, page=2.0)
    assert (told["nurture_theme"], told["next_step_reason"]) == (
        "", "For marketing to nurture; a page of the site was read 2 days ago. It unsubscribed: no e-mails."
    )  # fmt: skip


def test_what_a_day_costs_is_the_average_of_the_week_to_come():
    told = one("sal", p=0.2, value=5000.0, form=10.0, call=9.0)
    week = 1 - (1 - told["value_lost_per_day"] / 1000) ** 7
    assert week == pytest.approx(CURVE.share_lost([10.0], over_days=7)[0])
    assert np.isnan(one("sal", value=None, form=10.0)["value_lost_per_day"])
    assert np.isnan(one("sal", value=5000.0)["value_lost_per_day"])


def test_the_kinds_that_are_read_are_kinds_that_there_are():
    assert {*INTEREST, *ASKS, *(theme.kind for theme in THEMES)} <= set(KINDS)
    assert "email_opened" not in INTEREST
    names = [column.name for column in family(["w_offer", *INTEREST]).columns]
    assert len(set(names)) == len(names)
    assert column_of("w_offer") in names


def test_a_store_without_any_such_events_says_what_it_can():
    frame = pd.DataFrame(index=["a"])
    assert np.isnan(days_since_interest(frame)).all()
    assert answer_kinds(frame) == ()
    assert steps_taken(frame).shape == (1, 0)
    told = one("sal")
    assert (told["next_step"], told["next_step_reason"]) == ("call", "Worth a call (sal); no act of interest is known.")


def test_there_is_a_probability_per_lead():
    with pytest.raises(ValueError, match="expected one probability and stage per lead, got 2 and 1 for 1"):
        next_steps(
            frame_of(page=1.0), probability=[0.1, 0.2], stage=["sal"], needs_confirmation=[False], history=HISTORY
        )

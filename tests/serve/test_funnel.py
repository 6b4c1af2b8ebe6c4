"""The funnel against a slow loop over leads, its sums, its maturity, and its page."""

import json
import re
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.tables import MICROSECONDS_PER_DAY as DAY
from models.segments import MOST_VALUES, NOT_KNOWN, OTHER
from serve import funnel_words
from serve.funnel import RECORDED, funnel
from serve.funnel_facts import Funnel, Period, moment
from serve.funnel_page import funnel_page

AS_OF = 400 * DAY
STAGES = list(RECORDED)
WORTH = 1000.0

#: Days of creation and after it of each stage (None: never recorded), a channel.
LEAD = st.tuples(
    st.integers(0, 399),
    st.tuples(*[st.none() | st.integers(-3, 300)] * 4),
    st.sampled_from(["ads", "mail", None]),
)
LEADS = st.lists(LEAD, min_size=1, max_size=60)


def frame(leads: list[Any]) -> pd.DataFrame:
    """The leads as the funnel takes them; what would lie at or after as_of has not happened."""
    rows = []
    for created, after, channel in leads:
        moments = [np.nan if days is None else float((created + days) * DAY) for days in after]
        there = [at if at < AS_OF else np.nan for at in moments]
        rows.append([created * DAY, *there, channel, WORTH if np.isfinite(there[-1]) else np.nan])
    made = pd.DataFrame(rows, columns=["created_at", *STAGES, "source_channel", "value"])
    return made.astype({"created_at": np.int64, "source_channel": object, "value": np.float64})


def period(name: str, first: int, end: int, *, whole: bool = True) -> Period:
    """A stretch of days."""
    return Period(
        name=name, start=first * DAY, end=end * DAY, first=moment(first * DAY)[:10], last=moment((end - 1) * DAY)[:10],
        whole=whole,
    )  # fmt: skip


MONTHS = [period(f"1970-{1 + at:02}", 30 * at, 30 * at + 30) for at in range(12)]
WINDOW = period("", 0, 360)


def followed(leads: pd.DataFrame, **given: Any) -> Funnel:
    """The funnel of the window, by channel."""
    told: dict[str, Any] = {
        "as_of": AS_OF, "window": WINDOW, "periods": MONTHS, "cuts": ["source_channel"], "every": "month",
        "value_from": "amounts", "currency": "EUR",
    }  # fmt: skip
    return funnel(leads, **told | given)


def _name(channel: object) -> str:
    return channel if isinstance(channel, str) else NOT_KNOWN


def slowly(leads: pd.DataFrame, stages: list[str]) -> list[dict[str, Any]]:
    """Each lead of the window and when it had passed each stage: by then at the latest, it was there or further on."""
    told = []
    for row in leads.to_dict("records"):
        passed = {}
        for at, stage in enumerate(stages):
            later = [row[name] for name in stages[at:] if not np.isnan(row[name])]
            if later:
                passed[stage] = min(later)
        if WINDOW.start <= row["created_at"] < WINDOW.end:
            told.append({"created": row["created_at"], "channel": _name(row["source_channel"]), "passed": passed})
    return told


@given(leads=LEADS)
def test_counts_rates_and_periods_are_those_of_a_slow_loop(leads: list[Any]) -> None:
    table = frame(leads)
    told = followed(table)
    stages = [stage for stage in STAGES if table[stage].notna().any()]
    assert told.stages == ("lead", *stages)
    loop = slowly(table, stages)
    groups = [(told.total, loop)]
    groups += [(one, [lead for lead in loop if lead["channel"] == one.name]) for one in told.cuts[0].groups]
    assert sum(len(ours) for _, ours in groups[1:]) == len(loop)
    for group, ours in groups:
        assert group.leads == len(ours)
        for step in group.steps:
            entered = [lead for lead in ours if step.origin == "lead" or step.origin in lead["passed"]]
            passed = [lead for lead in entered if step.goal in lead["passed"]]
            assert (step.entered, step.passed) == (len(entered), len(passed))
            days = told.old_enough_days[step.goal]
            old = [lead for lead in entered if days is not None and lead["created"] + days * DAY <= AS_OF]
            went_on = [lead for lead in old if step.goal in lead["passed"]]
            assert (step.counted, step.counted_passed) == (len(old), len(went_on))
            if old:
                assert step.rate is not None
                assert step.rate.value == len(went_on) / len(old)
                assert step.rate.low <= step.rate.value <= step.rate.high
        for cohort in group.cohorts:
            born = [lead for lead in ours if cohort.period.start <= lead["created"] < cohort.period.end]
            assert cohort.leads == len(born)
            for part in cohort.steps:
                entered = [lead for lead in born if part.origin == "lead" or part.origin in lead["passed"]]
                assert part.entered == len(entered)
                assert part.passed == sum(part.goal in lead["passed"] for lead in entered)
                days = told.old_enough_days[part.goal]
                assert part.mature == (days is not None and cohort.period.end + days * DAY <= AS_OF)


@given(leads=LEADS)
def test_groups_and_periods_add_up_and_nobody_skips_a_stage(leads: list[Any]) -> None:
    told = followed(frame(leads))
    total = told.total
    for stage in told.stages:
        assert sum(group.reached[stage] for group in told.cuts[0].groups) == total.reached[stage]
        assert total.old_enough[stage] <= total.reached[stage]
    for at, step in enumerate(total.steps):
        assert sum(cohort.steps[at].passed for cohort in total.cohorts) == step.passed
        assert step.passed <= step.entered
    assert list(total.reached.values()) == sorted(total.reached.values(), reverse=True)
    json.dumps(told.as_dict(), allow_nan=False)


@given(leads=LEADS, young=st.integers(1, 30))
@settings(max_examples=30)
def test_leads_of_today_change_no_rate_and_make_no_period_worse(leads: list[Any], young: int) -> None:
    # Nobody goes on within a day: leads of today have not been watched for longer.
    later = [
        (created, tuple(days if days is None else abs(days) + 1 for days in after), channel)
        for created, after, channel in leads
    ]
    before = frame([*later, *[(10, (1, 2, 3, 4), "ads")] * 25])
    today = frame([(399, (None,) * 4, "ads")] * young).assign(created_at=AS_OF - DAY // 2)
    months = {"window": period("", 0, 400), "periods": [*MONTHS, period("last", 360, 400)]}
    one, other = followed(before, **months), followed(pd.concat([before, today], ignore_index=True), **months)
    assert other.total.leads == one.total.leads + young
    assert [step.rate for step in one.total.steps] == [step.rate for step in other.total.steps]
    assert one.total.cohorts[:-1] == other.total.cohorts[:-1]
    assert not any(step.mature for step in other.total.cohorts[-1].steps)


def test_a_lead_is_old_enough_when_nine_in_ten_of_those_who_get_there_are_there() -> None:
    # 100 leads of the first day, of whom 50 become customers, one after each further two days.
    leads = [(0, (None, None, None, 2 * at if at <= 50 else None), "ads") for at in range(1, 101)]
    told = followed(frame(leads))
    assert told.stages == ("lead", "customer")
    assert told.old_enough_days == {"lead": 0.0, "customer": 90.0}
    mature = [cohort.steps[0].mature for cohort in told.total.cohorts]
    # The period that ends on day 300 has had 100 days, the one that ends on day 330 has had 70.
    assert mature == [True] * 10 + [False] * 2
    assert told.total.steps[0].days.value == 50.0


def test_where_too_few_got_anywhere_everything_is_too_early() -> None:
    told = followed(frame([(0, (1, None, None, 3), "ads")] * 4 + [(5, (None,) * 4, "ads")] * 40))
    assert told.old_enough_days == {"lead": 0.0, "mql": None, "customer": None}
    assert told.total.steps[0].rate is None
    assert "too early to tell" in funnel_page(told)


def test_a_lead_recorded_further_on_has_passed_what_lies_before() -> None:
    told = followed(frame([(0, (None, 8, None, 30), "ads")] * 24 + [(0, (9, 5, None, None), "ads")] * 6))
    # MQL was recorded of nobody but six, and of them only after SQL.
    assert told.total.reached == {"lead": 30, "mql": 30, "sql": 30, "customer": 24}
    assert told.implied == {"mql": 30, "sql": 0, "customer": 0}
    assert told.total.steps[1].days.value == 0.0
    assert "Leads that passed MQL without being recorded there in time: 30." in funnel_page(told)


def test_a_moment_at_as_of_is_refused() -> None:
    late = frame([(0, (None,) * 4, "ads")]).assign(mql=float(AS_OF))
    with pytest.raises(ValueError, match="cut the history there first"):
        followed(late)


def test_words_are_for_groups_with_customers_enough_and_the_largest_group_comes_first() -> None:
    def group(channel: str, leads: int, customers: int) -> list[Any]:
        return [(at % 90, (None, None, None, 5 if at < customers else None), channel) for at in range(leads)]

    told = followed(
        frame(group("best", 100, 60) + group("same", 220, 66) + group("few", 8, 4) + group("poor", 300, 60))
    )
    assert [(one.name, one.word) for one in told.cuts[0].groups] == [
        ("poor", "below"), ("same", "level"), ("best", "above"), ("few", None),
    ]  # fmt: skip
    few = told.cuts[0].groups[-1].steps[-1].rate
    assert few is not None
    assert few.high - few.low > 0.5
    assert "too few customers to say" in funnel_page(told)


def test_groups_beyond_the_largest_are_told_as_one() -> None:
    leads = [(0, (None, None, None, 5), f"c{at:02}") for at in range(20) for _ in range(at + 1)]
    names = [group.name for group in followed(frame(leads)).cuts[0].groups]
    assert names == [f"c{at:02}" for at in range(19, 19 - MOST_VALUES, -1)] + [OTHER]


def costs(*rows: tuple[str, int, float]) -> pd.DataFrame:
    """Costs of channels by the number of the month."""
    return pd.DataFrame(
        [(channel, 30 * month * DAY, (30 * month + 30) * DAY, cost) for channel, month, cost in rows],
        columns=["channel", "start", "end", "cost"],
    )


@given(
    leads=LEADS,
    paid=st.dictionaries(st.tuples(st.sampled_from(["ads", "mail", "fair"]), st.integers(0, 14)), st.integers(0, 900)),
)
def test_every_cost_of_a_month_that_is_over_is_borne_once(leads: list[Any], paid: dict[tuple[str, int], int]) -> None:
    table = frame(leads)
    told = followed(table, costs=costs(*((c, m, float(cost)) for (c, m), cost in paid.items())))
    over = {key: cost for key, cost in paid.items() if key[1] < 12}  # the window ends with month 11
    money = told.total.money
    if "customer" not in told.stages or not over:
        assert money is None or money.cost == 0
        return
    if money is None:
        assert sum(over.values()) == 0
        return
    assert money.cost == pytest.approx(sum(over.values()))
    months = {month for _, month in paid if 30 * month + 30 <= 400}
    born = [lead for lead in slowly(table, STAGES) if lead["created"] // (30 * DAY) in months]
    assert money.leads == len(born)
    days = told.old_enough_days["customer"]
    old = [lead for lead in born if days is not None and lead["created"] + days * DAY <= AS_OF]
    bought = [lead for lead in old if "customer" in lead["passed"]]
    assert (money.old_leads, money.customers) == (len(old), len(bought))
    if old:
        assert money.value == pytest.approx(WORTH * len(bought))
    for group in told.cuts[0].groups:
        of_channel = [cost for (channel, _), cost in over.items() if channel == group.name]
        assert (group.money.cost if group.money else 0.0) == pytest.approx(sum(of_channel))


def test_cost_per_customer_and_return_count_old_enough_leads_and_what_was_spent_on_nobody() -> None:
    old = [(5, (None, None, None, 10 if at < 10 else None), "ads") for at in range(40)]
    young = [(350, (None,) * 4, "ads")] * 20
    told = followed(frame(old + young), costs=costs(("ads", 0, 400.0), ("ads", 1, 100.0), ("ads", 11, 200.0)))
    money = told.cuts[0].groups[0].money
    assert money is not None
    assert (money.leads, money.cost, money.cost_per_lead) == (60, 700.0, pytest.approx(700 / 60))
    # Ten days are enough here, so leads of month 11 have had their time too.
    assert told.old_enough_days["customer"] == 10.0
    assert (money.old_leads, money.customers, money.value) == (60, 10, 10 * WORTH)
    assert money.cost_per_customer is not None
    assert money.cost_per_customer.value == pytest.approx(70.0)
    assert money.cost_per_customer.low < 70 < money.cost_per_customer.high
    assert money.returned is not None
    assert money.returned.value == pytest.approx(10_000 / 700)
    assert money.returned.low < money.returned.value < money.returned.high


def test_without_a_customer_one_costs_at_least_so_much() -> None:
    leads = [(5, (None, None, None, 10), "mail")] * 30 + [(5, (None,) * 4, "ads")] * 30
    told = followed(frame(leads), costs=costs(("ads", 0, 300.0)), value_from=None)
    ads = next(group for group in told.cuts[0].groups if group.name == "ads").money
    mail = next(group for group in told.cuts[0].groups if group.name == "mail").money
    assert mail is None
    assert ads is not None
    assert ads.cost_per_customer is not None
    assert np.isnan(ads.cost_per_customer.value)
    assert ads.cost_per_customer.low == pytest.approx(10 / 0.1135, rel=0.01)
    assert (ads.value, ads.returned) == (None, None)
    shown = funnel_page(told)
    assert "at least 88.1" in shown
    assert "no cost recorded" in shown


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "=cmd|' /C calc'!A0",
    "a\u202eb\x00",
    "{0}{x}",
]


def hostile() -> Funnel:
    """A report in which every name is made to break out."""
    leads = [(at * 7 % 350, (1, 5, 9, 20 if at % 3 else None), HOSTILE[at % len(HOSTILE)]) for at in range(200)]
    table = frame(leads)
    table["<b>column"] = table["source_channel"]
    return followed(table, cuts=["source_channel", "<b>column"], costs=costs((HOSTILE[0], 1, 50.0)), currency="<i>EUR")


@pytest.mark.parametrize("language", list(funnel_words.LANGUAGES))
def test_a_page_shows_names_as_text_and_has_all_its_words(language: str) -> None:
    told = hostile()
    shown = funnel_page(told, language=language)
    for name in ("<script>alert", "<img", "<b>column", "<i>EUR", "\u202e", "\x00"):
        assert name not in shown
    assert escape(HOSTILE[0]) in shown
    without = shown.replace("{0}{x}", "").replace(re.findall("<style>.*?</style>", shown, re.DOTALL)[0], "")
    assert "{" not in without
    assert f'<html lang="{language}">' in shown
    assert funnel_words.LANGUAGES[language]["so_far"] in shown
    assert "<script" not in shown
    assert " style=" not in shown


def test_the_languages_say_the_same_things() -> None:
    english, french = funnel_words.ENGLISH, funnel_words.FRENCH
    assert english.keys() == french.keys()
    for key, text in english.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", french[key])), key


def test_every_drawing_has_a_name_of_its_own() -> None:
    names = re.findall(r' id="([^"]+)"', funnel_page(hostile()))
    assert len(names) == len(set(names))

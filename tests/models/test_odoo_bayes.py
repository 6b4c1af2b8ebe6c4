"""Odoo's naive Bayes: its own published numbers, and agreement with a slow and obvious count."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import odoo_bayes
from models.odoo_bayes import HIGHEST, LOWEST, FrequencyTable, Leads, learn, strongest
from tests.models.data import few_examples

STAGES: Final = ("new", "qualified", "proposition", "won")
EMPTY_COUNTS: Final = ("email", "phone")
#: team, (email, phone, source), stage, tags, won
Row = tuple[str | None, dict[str, str | None], str | None, frozenset[str], int]


def leads(rows: Sequence[Row]) -> Leads:
    return Leads(
        pd.DataFrame([fields for _, fields, *_ in rows], dtype=object),
        stage=[row[2] for row in rows],
        team=[row[0] for row in rows],
        tags=[row[3] for row in rows],
    )


def learned(rows: Sequence[Row]) -> FrequencyTable:
    won = [row[4] for row in rows]
    return learn(leads(rows), won, stages=STAGES, won_stage="won", empty_is_value=EMPTY_COUNTS)


# Odoo's published numbers (its tests of predictive lead scoring)


def vector_a(team: str | None, country: int, state: int, source: int, stage: int, won: int = 0) -> Row:
    """E-mail and phone quality are empty for all leads: Odoo computes them anew when the test makes its leads."""
    fields = {"country": str(country), "state": str(state), "email": None, "phone": None, "source": str(source)}
    return team, fields, STAGES[stage], frozenset(), won


CLOSED_A: Final = (
    vector_a("1", 1, 1, 1, 0),
    vector_a("1", 2, 2, 2, 1),
    vector_a("1", 3, 3, 3, 2, won=1),
    vector_a("2", 1, 2, 2, 2),
    vector_a("2", 1, 2, 3, 1),
    vector_a("2", 1, 3, 3, 0, won=1),
    vector_a("3", 2, 2, 2, 2, won=1),
    vector_a("3", 1, 2, 1, 0),
    vector_a("3", 2, 3, 3, 0),
)


def test_odoos_numbers_for_three_teams() -> None:
    asked = leads([vector_a(team, 1, 2, 3, 1) for team in "123"])
    assert learned(CLOSED_A).percent(asked).tolist() == [33.49, 7.74, 35.09]


def test_odoos_number_for_leads_of_no_team_counts_all_teams() -> None:
    without_team = [(None if row[0] == "3" else row[0], *row[1:]) for row in CLOSED_A]
    assert learned(without_team).percent(leads([vector_a(None, 1, 2, 3, 1)])).tolist() == [35.19]


def vector_b(country: str, state: str, email: str, phone: str, source: str, stage: int, won: int = 0) -> Row:
    values = {"country": country, "state": state, "email": email, "phone": phone, "source": source}
    return "1", {name: None if v == "-" else v for name, v in values.items()}, STAGES[stage], frozenset(), won


def test_odoos_number_and_its_explanation() -> None:
    closed = [
        vector_b("1", "1", "ok", "ok", "2", 0, won=1),
        vector_b("2", "1", "ok", "ok", "-", 0, won=1),
        vector_b("-", "-", "ok", "bad", "1", 0),
        vector_b("1", "-", "ok", "bad", "1", 0),
        vector_b("-", "2", "ok", "ok", "-", 2),
    ]
    table, asked = learned(closed), leads([vector_b("1", "1", "ok", "ok", "1", 1)])
    assert table.percent(asked).tolist() == [74.30]
    scores = table.explain(asked)
    rounded = dict(zip(scores["field"], scores["score"].round(3), strict=True))
    assert rounded == {"country": 0.353, "state": 0.92, "email": 0.5, "phone": 0.735, "source": 0.08, "stage": 0.645}
    helps, harms = strongest(scores)
    assert (helps["field"].tolist(), harms["field"].tolist()) == (["state", "phone", "stage"], ["source", "country"])
    helps, harms = strongest(scores, most=1, never_helps=[("state", "1"), ("country", "1")])
    assert (helps["field"].tolist(), harms["field"].tolist()) == (["phone"], ["source"])


# The same by dictionaries


def slow(
    closed: Sequence[Row], asked: Row, *, least: float
) -> tuple[float | None, dict[tuple[str, str | None], float]]:
    """Won share in percent before rounding (None: nothing to say), and what explains it."""
    table: dict[Any, list[float]] = defaultdict(lambda: [0.1, 0.1])
    for team, fields, stage, tags, won in closed:
        for field, value in fields.items():
            if value is not None or field in EMPTY_COUNTS:
                table[team, field, value][1 - won] += 1
        for reached in STAGES if won else STAGES[: STAGES.index(stage) + 1] if stage else ():
            table[team, "stage", reached][1 - won] += 1
        for tag in tags:
            table[team, "tag", tag][1 - won] += 1
    team, fields, stage, tags, _ = asked
    own = team is not None and any(key[0] == team for key in table)
    scope: dict[Any, list[float]] = defaultdict(lambda: [0.0, 0.0])
    total: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for (of, field, value), counts in table.items():
        if (of == team or not own) and (field != "tag" or sum(counts) >= least):
            for side in (0, 1):
                scope[field, value][side] += counts[side]
                total[field][side] += counts[side]
    total["stage"] = first = scope["stage", STAGES[0]]
    if not sum(first):
        return None, {}
    product, scores = [first[0] / sum(first), first[1] / sum(first)], {}
    for field, value in [*fields.items(), ("stage", stage), *(("tag", tag) for tag in tags)]:
        counts = scope[field, value]
        if sum(counts):
            won_share, lost_share = (counts[side] / total[field][side] for side in (0, 1))
            product = [product[0] * won_share, product[1] * lost_share]
            scores[field, value] = 1 - lost_share if field == "stage" else won_share / (won_share + lost_share)
    return 100 * product[0] / sum(product), scores


VALUES = st.sampled_from(["a", "b", "c", None])
ROWS = st.tuples(
    st.sampled_from([None, "team 1", "team 2", "team 3"]),
    st.fixed_dictionaries({"email": VALUES, "phone": VALUES, "source": VALUES, "country": VALUES}),
    st.sampled_from([*STAGES[:3], None]),
    st.frozensets(st.sampled_from(["big", "fair", "partner"])),
    st.integers(0, 1),
)


@given(st.lists(ROWS, min_size=1, max_size=12), st.lists(ROWS, min_size=1, max_size=4), st.integers(1, 4))
def test_it_is_what_counting_in_dictionaries_gives(closed: list[Row], asked: list[Row], least: int) -> None:
    with mock.patch.object(odoo_bayes, "TAG_LEADS", least):
        table = learned(closed)
    percent, explained = table.percent(leads(asked)), table.explain(leads(asked))
    for place, row in enumerate(asked):
        expected, scores = slow(closed, row, least=least)
        if row[2] is None:
            assert percent[place] == 0
        elif expected is None:
            assert np.isnan(percent[place])
        else:
            assert percent[place] == pytest.approx(np.clip(expected, LOWEST, HIGHEST), abs=0.005 + 1e-9)
            of_row = explained[explained["row"] == place]
            found = dict(zip(zip(of_row["field"], of_row["value"], strict=True), of_row["score"], strict=True))
            assert found == pytest.approx(scores)


@few_examples
@given(st.lists(ROWS, min_size=2, max_size=12), st.lists(ROWS, min_size=2, max_size=6), st.randoms())
def test_neither_the_order_nor_the_company_of_leads_matters(closed: list[Row], asked: list[Row], random: Any) -> None:
    """So no lead is given the prior of the team before it."""
    table = learned(closed)
    together = table.percent(leads(asked))
    alone = [table.percent(leads([row]))[0] for row in asked]
    np.testing.assert_array_equal(together, alone)
    random.shuffle(closed)
    np.testing.assert_allclose(learned(closed).percent(leads(asked)), together, atol=0.01 + 1e-9)


# Single rules


def fair(*sources: str | None, **other: Any) -> Leads:
    return Leads(pd.DataFrame({"source": pd.Series(sources, dtype="str")}), **other)


def test_a_tag_counts_from_fifty_closed_leads_of_a_team_on() -> None:
    def helped(tagged: int) -> bool:
        tags = [["fair"]] * tagged + [["big"]] * 60
        table = learn(fair(*[None] * len(tags), tags=tags), [1] * tagged + [0] * 60)
        without, with_tag, twice, unseen = table.percent(
            fair(*[None] * 4, tags=[[], ["fair"], ["fair", "fair"], ["unseen"]])
        ).tolist()
        assert (twice, unseen) == (with_tag, without)
        return bool(with_tag > without)

    assert (helped(49), helped(50)) == (False, True)


def test_no_stage_is_no_chance_and_the_won_stage_is_certainty() -> None:
    table = learn(fair("a", "b", stage=["new", "won"]), [0, 1], stages=STAGES, won_stage="won")
    assert table.percent(fair("a", "a", "a", stage=[None, "won", "no such stage"]))[:2].tolist() == [0.0, 100.0]
    assert table.explain(fair("a", stage=["no such stage"]))["field"].tolist() == ["source"]


def test_a_team_whose_leads_were_in_no_stage_has_no_probability_and_hides_nothing() -> None:
    closed = fair("a", "b", "b", stage=[None, "new", "new"], team=["odd", "1", "1"])
    table = learn(closed, [0, 1, 0], stages=STAGES)
    p = table.percent(fair("b", "b", "b", "b", stage=["new"] * 4, team=["1", "odd", "odd", None]))
    assert np.isnan(p).tolist() == [False, True, True, False]


def test_emptiness_counts_only_where_it_is_a_value() -> None:
    closed = fair(None, None, "a", "a")
    skipped, counted = (learn(closed, [1, 1, 0, 1], empty_is_value=names) for names in ((), ("source",)))
    assert skipped.percent(fair(None, "never seen")).tolist() == [73.81, 73.81]
    empty, unseen = counted.percent(fair(None, "never seen")).tolist()
    assert empty > unseen == 73.81
    assert counted.explain(fair(None))["value"].tolist() == [None]


def test_nothing_is_certain_and_nothing_overflows() -> None:
    n = 300
    fields = pd.DataFrame({f"field {i}": ["a"] * n + ["b"] * n for i in range(400)})
    table = learn(Leads(fields), [1] * n + [0] * n)
    assert table.percent(Leads(fields.iloc[[0, -1]])).tolist() == [HIGHEST, LOWEST]


def test_no_fields_leave_the_prior_and_no_leads_leave_nothing() -> None:
    nothing = pd.DataFrame(index=range(4))
    assert learn(Leads(nothing), [1, 0, 0, 0]).percent(Leads(nothing)).tolist() == [26.19] * 4
    assert np.isnan(learn(fair(), []).percent(fair("a"))).all()
    assert learn(fair("a"), [1]).percent(fair()).shape == (0,)


def test_what_is_given_is_not_changed() -> None:
    closed = leads(CLOSED_A)
    kept = closed.fields.copy(deep=True)
    learned(CLOSED_A).percent(closed)
    pd.testing.assert_frame_equal(closed.fields, kept)


@pytest.mark.parametrize("won", [[1, 2], [1], [1, np.nan]])
def test_open_leads_are_refused(won: list[float]) -> None:
    with pytest.raises(ValueError, match="for each of the 2 closed leads"):
        learn(fair("a", "b"), won)


def test_entries_that_are_not_one_per_lead_are_refused() -> None:
    with pytest.raises(ValueError, match="team needs one entry per lead: 2 leads, got 1"):
        fair("a", "b", team=["1"])

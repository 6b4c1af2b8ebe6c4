"""A card learned from a model: few criteria, whole points, the right signs; where the truth is a card, that card."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from features.catalogue import FAMILIES
from features.declare import Attribute, Column, Count, DaysSinceLast, Latest, Ratio, Since
from features.errors import TooLittleData
from models.rules import Criterion, matches, points
from models.rules_candidates import FEWEST_LEADS, apart, candidates, group_of, roundest
from models.rules_fit import learned_card, limit_for, with_limits
from models.rules_search import MOST_OF_ONE, MOST_POINTS, choose
from models.rules_words import named
from tests.features.data import CATALOGUE
from tests.models.data import texts

Floats = npt.NDArray[np.float64]

few_examples: Final = settings(max_examples=settings().max_examples // 4)


def count(name: str, *, monotone: int = 0) -> Column:
    return Count(name, of=name, days=(None,), about=name.title(), monotone=monotone).columns[0]


def yes(name: str) -> Column:
    return Column(name, name.title(), "0 or 1", Attribute(name, "boolean"), "not known", family="demographic")


def told(card: Any) -> dict[str, int]:
    return {c.feature: int(c.points) for group in card.groups.values() for c in group.criteria}


# ---- The search, on any criteria and any target -------------------------------------------------------------------


@st.composite
def problems(draw: st.DrawFn) -> tuple[npt.NDArray[np.bool_], Floats, npt.NDArray[np.int64]]:
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    number, rows = draw(st.integers(1, 8)), draw(st.integers(30, 200))
    matched = random.random((number, rows)) < random.uniform(0.05, 0.95, (number, 1))
    z = random.normal(-1, 1) + random.normal(0, draw(st.sampled_from([0.0, 1.0, 4.0])), number) @ matched
    target = expit(z) if draw(st.booleans()) else (random.random(rows) < expit(z)).astype(float)
    return matched, target, random.choice([-1, 1], number).astype(np.int64)


@few_examples
@given(problems(), st.integers(1, 6))
def test_a_card_is_few_criteria_in_whole_points_of_the_right_sign(problem: Any, most: int) -> None:
    matched, target, signs = problem
    found = choose(matched, target, signs, most=most)
    assert len(found.places) == len(found.points) == len(set(found.places)) <= most
    assert all(isinstance(amount, int) for amount in found.points)
    assert all(
        0 < amount * signs[place] <= MOST_OF_ONE for place, amount in zip(found.places, found.points, strict=True)
    )
    total = matched[list(found.places)].T.astype(np.int64) @ np.array(found.points, np.int64)
    assert (total <= MOST_POINTS).all()
    assert found.loss <= found.base_loss + 1e-6
    assert choose(matched, target, signs, most=most) == found


@few_examples
@given(problems(), st.randoms())
def test_the_order_of_rows_changes_nothing(problem: Any, random: Any) -> None:
    matched, target, signs = problem
    order = random.sample(range(len(target)), len(target))
    found, mixed = (choose(m, t, signs, most=4) for m, t in ((matched, target), (matched[:, order], target[order])))
    assert found.loss == pytest.approx(mixed.loss, abs=1e-3)


def best_loss(matched: npt.NDArray[np.bool_], target: Floats, most: int) -> float:
    """The slow oracle: every set of criteria, coefficients by a general optimiser."""

    def loss(beta: Floats, rows: Floats) -> float:
        z = beta[0] + beta[1:] @ rows
        return float(np.mean(np.logaddexp(0, z) - target * z))

    losses = []
    for size in range(most + 1):
        for places in combinations(range(len(matched)), size):
            rows = matched[list(places)].astype(float).reshape(size, len(target))
            losses.append(minimize(loss, np.zeros(size + 1), args=(rows,), method="BFGS").fun)
    return min(losses)


@pytest.mark.parametrize("seed", range(4))
def test_few_criteria_in_points_are_nearly_as_good_as_the_best_of_all_sets(seed: int) -> None:
    random = np.random.default_rng(seed)
    matched = random.random((6, 400)) < 0.4
    z = -2 + np.array([2.0, 1.5, 1.0, 0.5, -1.0, 0.0]) @ matched + random.normal(0, 0.3, 400)
    signs = np.array([1, 1, 1, 1, -1, 1])
    found = choose(matched, expit(z), signs, most=3)
    best = best_loss(matched, expit(z), 3)
    assert found.loss - best <= 0.03 * (found.base_loss - best)


# ---- Where the truth is known -------------------------------------------------------------------------------------

TRUE_POINTS: Final = {"demos": 35, "meetings": 20, "webinars": 15, "forms": 10, "unsubscribed": -25, "student": -30}


def a_truth(rows: int, *, seed: int = 0, noise: int = 12) -> tuple[pd.DataFrame, list[Column], Floats]:
    """Leads whose log odds are a card's points, with columns that say nothing."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({name: random.binomial(1, random.uniform(0.1, 0.4), rows) for name in TRUE_POINTS}).astype(
        float
    )
    z = -2.5 + 0.06 * sum(frame[name] * worth for name, worth in TRUE_POINTS.items()).to_numpy()
    for n in range(noise):
        frame[f"noise_{n}"] = random.binomial(3, random.uniform(0.1, 0.5), rows).astype(float)
    columns = [yes(name) if name == "student" else count(name) for name in frame.columns]
    return frame, columns, expit(z)


@pytest.mark.parametrize("seed", range(3))
def test_a_card_that_is_the_truth_is_found_again(seed: int) -> None:
    frame, columns, truth = a_truth(4000, seed=seed)
    card = learned_card(frame, columns, truth, lead_id=np.arange(len(frame))).card
    found = told(card)
    assert set(found) == set(TRUE_POINTS)
    scale = sum(map(abs, found.values())) / sum(map(abs, TRUE_POINTS.values()))
    # Points come in steps of 5.
    assert all(abs(found[name] - scale * worth) <= 5 for name, worth in TRUE_POINTS.items()), found
    total = points(frame, card)["total"]
    true_total = sum(frame[name] * worth for name, worth in TRUE_POINTS.items())
    assert np.corrcoef(total, true_total)[0, 1] > 0.995
    assert {c.feature for c in card.fit.criteria} == {"student"}


def test_learned_from_outcomes_its_ranking_is_the_truth_s() -> None:
    frame, columns, truth = a_truth(12_000, seed=5)
    outcome = (np.random.default_rng(6).random(len(truth)) < truth).astype(float)
    card = learned_card(frame, columns, outcome, lead_id=np.arange(len(frame))).card
    later, _, later_truth = a_truth(20_000, seed=5)
    happened = np.random.default_rng(8).random(len(later_truth)) < later_truth
    ours, best = (roc_auc_score(happened, score) for score in (points(later, card)["total"], later_truth))
    assert best - ours < 0.005


@pytest.mark.parametrize("criteria", [1, 3, 6])
def test_noise_is_never_chosen_before_what_says_something(criteria: int) -> None:
    frame, columns, truth = a_truth(3000, seed=2, noise=30)
    outcome = (np.random.default_rng(3).random(len(truth)) < truth).astype(float)
    for target in (truth, outcome):
        found = told(learned_card(frame, columns, target, lead_id=np.arange(len(frame)), criteria=criteria).card)
        assert len(found) <= criteria
        assert set(found) <= set(TRUE_POINTS)
    assert "demos" in found


def test_a_threshold_is_found_and_a_text_is_put_with_its_like() -> None:
    random = np.random.default_rng(0)
    rows = 5000
    visits = random.poisson(3, rows).astype(float)
    country = random.choice(["fr", "be", "ch", "de", "it", "us"], rows)
    z = -2 + 1.5 * (visits >= 5) + 1.0 * np.isin(country, ["fr", "be", "ch"])
    frame = pd.DataFrame({"visits": visits, "country": texts(country.tolist())})
    columns = [count("visits"), Latest("country", column="country", about="Country").columns[0]]
    card = learned_card(frame, columns, expit(z), lead_id=np.arange(rows)).card
    (often,) = card.engagement.criteria
    assert (often.operator, often.value) == ("at_least", 5)
    (ours,) = card.fit.criteria
    kept = set(ours.value) if isinstance(ours.value, tuple) else {ours.value}
    assert kept in ({"fr", "be", "ch"}, {"de", "it", "us"})
    assert (ours.points > 0) == (kept == {"fr", "be", "ch"})


def test_points_go_by_the_sign_that_a_column_declares() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"demos": random.binomial(2, 0.3, 2000), "forms": random.binomial(2, 0.3, 2000)}).astype(float)
    target = expit(-1 - 1.0 * frame["demos"] - 0.5 * frame["forms"]).to_numpy()
    free = told(learned_card(frame, [count("demos"), count("forms")], target, lead_id=np.arange(2000)).card)
    assert free["demos"] < 0
    held = told(learned_card(frame, [count("demos", monotone=1), count("forms")], target, lead_id=np.arange(2000)).card)
    assert set(held) == {"forms"}


def test_nothing_good_is_counted_against_a_lead() -> None:
    random = np.random.default_rng(1)
    many = random.random(4000) < 0.3
    some = many | (random.random(4000) < 0.2)
    # Beside the other one, "some" goes with fewer conversions; by itself, with more.
    frame = pd.DataFrame({"many": many, "some": some}).astype(float)
    target = expit(-2 + 2.5 * many - 0.5 * some)
    assert target[some].mean() > target.mean()
    card = learned_card(frame, [count("many"), count("some")], target, lead_id=np.arange(4000)).card
    assert min(told(card).values()) > 0


def test_where_nothing_tells_leads_apart_there_is_no_card() -> None:
    frame = pd.DataFrame({"demos": np.arange(500) % 2.0})
    with pytest.raises(TooLittleData, match="No card can be learned: none of 1 criteria tells leads apart"):
        learned_card(frame, [count("demos")], np.full(500, 0.3), lead_id=np.arange(500))


# ---- Candidates ---------------------------------------------------------------------------------------------------


def test_what_few_leads_have_is_never_named() -> None:
    rows = 2000
    country = np.array(["fr"] * 1500 + ["be"] * 480 + ["is"] * 20, object)
    leads = np.arange(rows)
    leads[-20:] = rows  # twenty snapshots of one lead
    target = np.where(country == "is", 0.9, np.where(country == "be", 0.3, 0.1))
    columns = Latest("country", column="country", about="Country").columns
    found, matched = candidates(pd.DataFrame({"country": texts(country.tolist())}), columns, target, lead_id=leads)
    assert found
    assert not any(
        "is" in (c.criterion.value if isinstance(c.criterion.value, tuple) else (c.criterion.value,)) for c in found
    )
    assert all(len(np.unique(leads[side])) >= FEWEST_LEADS for row in matched for side in (row, ~row))


@few_examples
@given(st.integers(0, 2**32 - 1))
def test_candidates_match_what_they_say_and_no_two_the_same(seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = 300
    frame = pd.DataFrame(
        {
            "demos": random.poisson(random.choice([0.05, 1, 5]), rows).astype(float),
            "days_since_act": np.where(random.random(rows) < 0.3, np.nan, random.exponential(40, rows)),
            "amount": np.where(random.random(rows) < 0.2, np.nan, random.lognormal(5, 2, rows).round(1)),
            "industry": texts(random.choice(["it", "retail", "public", "other"], rows).tolist()),
        }
    )
    columns = [
        count("demos"),
        DaysSinceLast("days_since_act", of="act", about="Days since").columns[0],
        Column("amount", "Amount", "number", Attribute("amount", "numeric"), "not known", family="demographic"),
        Latest("industry", column="industry", about="Industry").columns[0],
    ]
    target = random.random(rows)
    found, matched = candidates(frame, columns, target, lead_id=np.arange(rows))
    for candidate, row in zip(found, matched, strict=True):
        np.testing.assert_array_equal(matches(frame[candidate.criterion.feature], candidate.criterion), row)
        assert candidate.sign == (1 if target[row].mean() > target.mean() else -1)
    distinct = {row.tobytes() for row in matched} | {(~row).tobytes() for row in matched}
    assert len(distinct) == 2 * len(found)


def test_only_what_a_crm_s_rule_can_hold_is_tried() -> None:
    groups = {column.name: group_of(column) for column in CATALOGUE.columns}
    assert {groups[n] for n in ("industry", "seniority", "company_size_band", "email_class", "euribor_3m")} == {"fit"}
    assert {groups[n] for n in ("demo_requests", "page_views_7d", "days_since_answer", "lead_age_days")} == {
        "engagement"
    }
    for name in ("email_open_rate_90d", "acts_trend_14d", "activity_7d_half_life", "profile_completeness", "events_7d",
                 "emails_delivered", "seniority_rank", "days_since_first_act", "acts_30d", "breadth"):  # fmt: skip
        assert groups[name] is None, name
    assert group_of(Ratio("rate", "a", "b", about="Rate").columns[0]) is None
    assert group_of(Since("age", moment="profile_known_at", about="Age", missing="never").columns[0]) is None


@given(st.floats(-1e6, 1e6), st.floats(0, 1e5))
def test_the_roundest_number_lies_within(low: float, width: float) -> None:
    high = low + width
    assert low <= roundest(low, high) <= high


def test_numbers_are_those_that_people_choose() -> None:
    assert [roundest(low, high) for low, high in ((0.93, 1.08), (97, 104), (14_200, 16_900), (0.0213, 0.0247))] == [
        1.0, 100.0, 15_000.0, 0.023,
    ]  # fmt: skip


def test_texts_on_one_card_are_named_once() -> None:
    columns = Latest("country", column="country", about="Country").columns

    def worth(amount: int, *values: str) -> Criterion:
        operator, value = ("is", values[0]) if len(values) == 1 else ("is_one_of", values)
        return Criterion(name="x", feature="country", operator=operator, value=value, points=Decimal(amount))

    def of(*criteria: Criterion) -> list[tuple[str, Any, int]]:
        return [(c.operator, c.value, int(c.points)) for c in apart(criteria, columns)]

    assert of(worth(20, "fr", "be"), worth(-20, "be")) == [("is", "fr", 20)]
    assert of(worth(20, "fr"), worth(10, "be")) == [("is", "fr", 20), ("is", "be", 10)]
    # Three groups out of two criteria would be one criterion more.
    assert of(worth(20, "fr", "be"), worth(10, "be", "ch")) == [
        ("is_one_of", ("fr", "be"), 20), ("is_one_of", ("be", "ch"), 10),
    ]  # fmt: skip


# ---- Limits -------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(-60, 100), min_size=1, max_size=60), st.floats(0, 1))
def test_a_limit_lets_through_as_many_as_can_be_had(totals: list[int], share: float) -> None:
    counted = np.array(totals)
    limit = limit_for(counted, share)
    off = abs((counted >= limit).sum() - share * len(counted))
    assert all(off <= abs((counted >= other).sum() - share * len(counted)) + 1e-9 for other in range(-61, 103))


def test_limits_follow_the_shares_and_stay_in_order() -> None:
    frame, columns, truth = a_truth(3000, seed=4)
    card = learned_card(frame, columns, truth, lead_id=np.arange(len(frame))).card
    for shares in ((0.4, 0.1), (0.2, 0.2), (0.0, 0.0), (1.0, 1.0)):
        limited = with_limits(card, frame, shares=shares)
        for low, high in (limited.limits, limited.fit.limits, limited.engagement.limits):
            assert low < high <= MOST_POINTS
    stage = points(frame, with_limits(card, frame, shares=(0.4, 0.1)))["stage"]
    assert (stage == "sql").mean() == pytest.approx(0.1, abs=0.06)
    assert (stage != "lead").mean() == pytest.approx(0.4, abs=0.06)


# ---- Names --------------------------------------------------------------------------------------------------------


def test_every_criterion_of_the_full_catalogue_has_a_name_of_its_own() -> None:
    operators: dict[str, Sequence[tuple[str, Any]]] = {
        "days": [("at_most", 30), ("more_than", 1)], "events": [("at_least", 1), ("at_least", 5)],
        "category": [("is", "a"), ("is_one_of", ("a", "b"))],
    }  # fmt: skip
    names = []
    for column in CATALOGUE.columns:
        if group_of(column):
            names += [
                named(column, *asked) for asked in operators.get(column.unit, [("at_least", 5), ("less_than", 5)])
            ]
    assert [name for name in names if not name.strip() or "Days since" in name] == []
    assert all(name[0].isupper() or name[0].islower() for name in names)
    assert {family.name for family in FAMILIES} == {"demographic", "behavioural", "engagement"}


def test_names_are_said_as_a_marketer_would() -> None:
    of = {column.name: column for column in CATALOGUE.columns}
    said = {
        ("demo_requests", "at_least", 1): "Asked for a demo",
        ("page_views_30d", "at_least", 3): "Read our pages, 3 times or more in the last 30 days",
        ("days_since_answer", "at_most", 1): "Answered, called or met us in the last day",
        ("days_since_last_act", "more_than", 60): "Did something, but not in the last 60 days",
        ("lead_age_days", "at_most", 30): "Became a lead in the last 30 days",
        ("lead_age_days", "more_than", 365): "A lead for more than 365 days",
        ("industry", "is_known", None): "Industry known",
        ("visits_7d", "at_least", 2): "Visited our site, 2 times or more in the last 7 days",
        ("euribor_3m", "less_than", 1.4): "euribor.3m below 1.4",
        ("basket_value", "at_least", 5000): "Value put into the basket from 5,000",
    }
    assert {key: named(of[key[0]], *key[1:]) for key in said} == said
    seniority = tuple("abcdefgh")
    assert named(of["seniority"], "is_one_of", seniority) == "Seniority: a, b, c, d, e, f or 2 more"

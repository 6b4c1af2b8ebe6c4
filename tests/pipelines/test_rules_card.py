"""A points card in a file: the default one is whole, every mistake is named, and a store's gaps are no mistakes."""

import copy
import math
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.build import describe
from features.catalogue import Catalogue, catalogue
from features.errors import ConfigError
from features.kinds import KINDS, kinds_of
from features.tables import PROFILE_COLUMNS
from models.rules import parts, points
from pipelines.rules_card import card_of, columns_of, default_card, for_store, load_card, read_card
from tests.features import data
from tests.features.data import CATALOGUE, World

SMALL: Final[dict[str, Any]] = {
    "rules": {
        "mql_points": 10,
        "sql_points": 20,
        "fit": {
            "points_a": 10,
            "points_b": 5,
            "criteria": [
                {"name": "Buyer", "feature": "job_function", "operator": "is", "value": "purchasing", "points": 10}
            ],
        },
        "engagement": {
            "points_1": 10,
            "points_2": 5,
            "criteria": [
                {
                    "name": "Prices",
                    "feature": "pricing_page_views",
                    "operator": "at_least",
                    "value": 1,
                    "points": 10,
                    "decay": {"by": "days_since_pricing_page", "half_life_days": 30},
                }
            ],
        },
    }
}


def a_store(*types: str, counts: int = 60, **changed: Any) -> Catalogue:
    asked: dict[str, Any] = {
        "kinds": kinds_of(types or KINDS, {}),
        "type_counts": dict.fromkeys(types or KINDS, counts),
        "profile_columns": PROFILE_COLUMNS,
        "attributes": {},
    }
    return catalogue(**asked | changed)


def changed(path: str, value: Any) -> dict[str, Any]:
    """The small card with one thing changed; `fit.0.value` is the value of the first criterion of fit."""
    plain = copy.deepcopy(SMALL)
    at: Any = plain["rules"]
    *steps, last = path.split(".")
    for step in steps:
        at = at["criteria"][int(step)] if step.isdigit() else at[step]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return plain


# ---- The default card ---------------------------------------------------------------------------------------------


def test_the_default_card_is_whole_where_a_store_has_everything() -> None:
    card = load_card(of=a_store())
    assert not card.left_out
    assert {"job_function", "industry", "company_size_band", "days_since_quote_request"} <= set(card.features)
    assert any(c.points < 0 for c in card.fit.criteria)
    assert any(c.points < 0 for c in card.engagement.criteria)
    assert {name for c in card.engagement.criteria if c.decay for name in c.features}


def test_every_act_that_the_default_card_counts_may_fade_or_is_counted_in_a_window() -> None:
    acts = [c for c in read_card().engagement.criteria if c.operator == "at_least" and c.points > 0]
    assert [c.name for c in acts if c.decay is None and not c.feature.endswith(("30d", "90d"))] == []


def test_a_floor_is_read_and_holds() -> None:
    card = card_of(changed("floor", -5), where="c")
    assert card.floor == -5
    assert card_of(SMALL, where="c").floor is None


def test_a_copy_of_the_default_card_is_the_default_card(tmp_path: Path) -> None:
    file = tmp_path / "card.toml"
    file.write_text(default_card(), encoding="utf-8")
    ours, theirs = read_card(file), read_card()
    assert (ours.fit, ours.engagement, ours.limits, ours.cap) == (
        theirs.fit,
        theirs.engagement,
        theirs.limits,
        theirs.cap,
    )
    assert ours.where == str(file)


@data.few_examples
@given(data.worlds(least_asked=1))
def test_the_default_card_counts_any_world_and_explains_each_lead(world: World) -> None:
    frame = describe(world.tables, world.snapshots, of=CATALOGUE)
    card = load_card(of=CATALOGUE)
    found = points(frame, card)
    for row in range(len(frame)):
        assert float(sum(part.points for part in parts(frame.iloc[[row]], card))) == found["total"].iloc[row]
    # What a store has no events for adds nothing where all stores have a column for it.
    smaller = a_store("page", "form", profile_columns=["job_title"])
    fitted = load_card(of=smaller)
    assert set(fitted.features) <= set(smaller.names)
    pd.testing.assert_index_equal(points(frame, fitted).index, frame.index)


# ---- What a store does not have is left out, and said so ------------------------------------------------------------


def test_a_criterion_without_a_column_in_this_store_is_left_out() -> None:
    card = load_card(of=a_store("page", "form", profile_columns=["job_title"]))
    assert card.left_out["Our sectors"] == "no column industry: no lead has a value for industry"
    assert card.left_out["Asked for a quote"] == "no column quote_requests: the store has no quote_request"
    assert card.left_out["Answered us"] == "no column days_since_answer: the store has no call, email_answered, meeting"
    assert {c.name for c in card.engagement.criteria} == {"Reads our pages", "Filled a form", "Went quiet"}
    whole = read_card()
    assert len(card.left_out) + sum(len(group.criteria) for group in card.groups.values()) == sum(
        len(group.criteria) for group in whole.groups.values()
    )


def test_a_criterion_that_cannot_decay_is_left_out() -> None:
    plain = changed("engagement.0.feature", "page_views")
    card = for_store(card_of(plain, where="card.toml"), of=a_store("page"))
    assert card.left_out == {"Prices": "no column days_since_pricing_page: the store has no pricing_page"}


def test_an_excluded_column_is_left_out() -> None:
    card = for_store(card_of(SMALL, where="card.toml"), of=a_store(exclude=["job_function"]))
    assert card.left_out == {"Buyer": "no column job_function: excluded by configuration"}


def test_an_excluded_attribute_is_left_out() -> None:
    store = a_store(attributes={"Net Worth": "numeric"}, exclude=["Net Worth"])
    criterion = {"name": "Rich", "feature": "net_worth", "operator": "at_least", "value": 1, "points": 3}
    card = for_store(card_of(changed("fit.criteria", [criterion]), where="card.toml"), of=store)
    assert card.left_out == {"Rich": "no column net_worth: excluded by configuration"}


def test_a_catalogue_that_says_no_reasons_is_enough() -> None:
    whole = a_store()
    released = replace(whole, columns=tuple(c for c in whole.columns if c.name != "job_function"), left_out={})
    card = for_store(card_of(SMALL, where="card.toml"), of=released)
    assert card.left_out == {"Buyer": "no column job_function: not among the columns that are computed"}


@data.few_examples
@given(data.worlds(least_asked=1))
def test_the_columns_of_a_card_are_enough_to_count_it(world: World) -> None:
    rate = {"name": "Clicks", "feature": "email_click_rate_90d", "operator": "at_least", "value": 0.5, "points": 3}
    plain = changed("engagement.criteria", [*SMALL["rules"]["engagement"]["criteria"], rate])
    card = for_store(card_of(plain, where="card.toml"), of=CATALOGUE)
    few = columns_of(card, of=CATALOGUE)
    assert set(few.names) == {*card.features, "email_clicks_90d", "emails_delivered_90d"}
    frame, everything = (describe(world.tables, world.snapshots, of=columns) for columns in (few, CATALOGUE))
    pd.testing.assert_frame_equal(points(frame, card), points(everything, card))


def test_events_and_attributes_of_a_store_of_its_own_are_features() -> None:
    def fitted(feature: str, **given: Any) -> dict[str, str]:
        criterion = {"name": "Own", "feature": feature, "operator": "at_least", "value": 1, "points": 3}
        card = card_of(changed("engagement.criteria", [criterion]), where="card.toml")
        return dict(for_store(card, of=a_store(**given)).left_out)

    types = {"kinds": {"Offer sent": "offer_sent"}}
    assert fitted("offer_sent_30d", type_counts={"Offer sent": 60}, **types) == {}
    why = "no column offer_sent_30d: fewer than 50 events of this type, or too many types"
    assert fitted("offer_sent_30d", type_counts={"Offer sent": 3}, **types) == {"Own": why}
    assert fitted("turnover", attributes={"Turnover": "numeric"}) == {}
    with pytest.raises(ConfigError, match=r"expected a feature that leadscore or this store knows, found 'turnover'"):
        fitted("turnover")


def test_a_date_of_ones_own_can_be_decayed_by_and_a_yes_is_true() -> None:
    store = a_store(attributes={"trial_start": "date", "partner": "boolean"})
    decay = {"by": "trial_start", "zero_after_days": 30}
    assert not for_store(card_of(changed("engagement.0.decay", decay), where="c"), of=store).left_out
    partner = {"name": "Partner", "feature": "partner", "operator": "is", "value": True, "points": 3}
    card = for_store(card_of(changed("fit.criteria", [partner]), where="c"), of=store)
    frame = pd.DataFrame(
        {"partner": [1.0, 0.0, math.nan], "pricing_page_views": 0.0, "days_since_pricing_page": math.nan}
    )
    assert points(frame, card)["fit"].tolist() == [3, 0, 0]


# ---- Every mistake is named -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("mql_point", 3, r"card.toml: \[rules\]: there is no key mql_point. Did you mean mql_points\?"),
        ("fit.colour", 3, r"card.toml: \[rules.fit\]: there is no key colour. Valid here: cap, points_a, points_b"),
        ("fit.0.weight", 3, r"card.toml: criterion 1 of \[rules.fit\], 'Buyer': there is no key weight. Valid here"),
        ("fit", None, r"card.toml: \[rules\]: expected a table fit, found nothing"),
        ("engagement", 3, r"\[rules\]: expected a table engagement, found 3"),
        ("decimals", 3, r"\[rules\]: expected decimals to be 0, 1 or 2, found 3. Write decimals = 0"),
        ("decimals", True, r"found True"),
        ("mql_points", None, r"\[rules\]: expected mql_points to be a number, found nothing. Write mql_points = 10"),
        ("mql_points", 20, r"\[rules\]: expected mql_points to be below sql_points, found 20 and 20: nobody"),
        ("fit.points_b", 11, r"\[rules.fit\]: expected points_b to be below points_a, found 11 and 10"),
        ("engagement.points_2", 11, r"\[rules.engagement\]: expected points_2 to be below points_1, found 11 and 10"),
        ("cap", -1, r"\[rules\]: expected cap to be 0 or more, found -1. Raise it, or take it out for no cap"),
        ("floor", 10, r"\[rules\]: expected floor to be below mql_points, found 10 and 10: everybody would be an mql"),
        ("floor", "0", r"\[rules\]: expected floor to be a number, found '0'"),
        ("fit.0.name", "floor of all", r"criterion 1 of \[rules.fit\], 'floor of all': expected a name of its own"),
        ("fit.cap", 9, r"\[rules.fit\]: expected points_a to be at most the cap, found 10 above 9: nobody could"),
        ("fit.cap", "9", r"\[rules.fit\]: expected cap to be a number, found '9'"),
        ("fit.criteria", {}, r"\[rules.fit\]: expected criteria to be a list"),
        ("fit.0.name", None, r"criterion 1 of \[rules.fit\], None: expected name to be a text, found nothing"),
        ("fit.0.name", "Prices", r"criterion 1 of \[rules.engagement\], 'Prices': expected a name of its own"),
        ("fit.0.name", "cap of all", r"criterion 1 of \[rules.fit\], 'cap of all': expected a name of its own"),
        ("fit.0.operator", "iss", r"'Buyer': expected an operator among at_least.*, found 'iss'. Did you mean is\?"),
        ("fit.0.operator", ">=", r"'Buyer': expected an operator among at_least.*, found '>='. Write one of them"),
        ("fit.0.operator", "is_one_of", r"expected the value of is_one_of to be a list of texts, found 'purchasing'"),
        ("fit.0.operator", "is_known", r"expected the value of is_known to be left out, found 'purchasing'"),
        ("fit.0.value", None, r"expected the value of is to be a text or a number, found none"),
        ("engagement.0.value", [5, 1], r"expected the value of at_least to be a number, found \[5, 1\]"),
        ("engagement.0.value", float("nan"), r"expected the value of at_least to be a number, found nan"),
        ("fit.0.points", "ten", r"'Buyer': expected points to be a number, found 'ten'"),
        ("fit.0.points", float("inf"), r"'Buyer': expected points to be a number, found inf"),
        ("fit.0.points", 100_000, r"expected points to lie within ±10,000, found 100000"),
        ("fit.0.points", 2.5, r"expected points to have at most 0 decimals, as \[rules\] decimals says, found 2.5"),
        ("fit.0.decay", {"by": "lead_age_days", "half_life_days": 9}, r"'Buyer': expected no decay.*Take it out"),
        ("engagement.0.decay.zero_after_days", 3, r"expected decay to state half_life_days or zero_after_days, one of"),
        ("engagement.0.decay.half_life_days", 0, r"from 0.1 to 3,650; found \{'half_life_days': 0\}"),
        ("engagement.0.decay.halflife_days", 0, r"decay: there is no key halflife_days. Did you mean half_life_days\?"),
        ("engagement.0.decay.by", None, r"expected by to be a text, found nothing"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(path: str, value: Any, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        card_of(changed(path, value), where="card.toml")
    assert str(caught.value).startswith("card.toml: ")


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("fit.0.feature", "job_functions", r"found 'job_functions'. Did you mean job_function\?"),
        ("engagement.0.decay.by", "days_since_price_page", r"'Prices'.*Did you mean days_since_pricing_page or"),
        ("fit.0.feature", "seniority_rank", r"expected a value for seniority_rank \(numbers, rank\), found 'purch"),
        ("fit.0.value", 3, r"expected a value for job_function \(texts\), found 3"),
        ("fit.0.value", "procurement", r"expected job_function to be one of purchasing, .*; found 'procurement', whi"),
        ("engagement.0.feature", "industry", r"for industry \(texts\): is, is_not, is_one_of, .*; found at_least"),
        ("engagement.0.decay.by", "active_days_30d", r"expected decay to go by days since something, found active_"),
        ("engagement.0", {"name": "Yes", "feature": "forms", "operator": "is", "value": True, "points": 1}, "True"),
    ],
)  # fmt: skip
def test_what_does_not_suit_a_column_is_named_with_its_place(path: str, value: Any, says: str) -> None:
    plain = copy.deepcopy(SMALL) if path == "engagement.0" else changed(path, value)
    if path == "engagement.0":
        plain["rules"]["engagement"]["criteria"] = [value]
    with pytest.raises(ConfigError, match=says) as caught:
        for_store(card_of(plain, where="card.toml"), of=a_store())
    assert str(caught.value).startswith("card.toml: criterion 1 of [rules.")


def test_all_mistakes_of_the_criteria_are_told_at_once() -> None:
    plain = changed("fit.0.operator", "iss")
    plain["rules"]["engagement"]["criteria"][0]["points"] = "ten"
    with pytest.raises(ConfigError) as caught:
        card_of(plain, where="card.toml")
    assert [line.split(":")[1] for line in str(caught.value).splitlines()] == [
        " criterion 1 of [rules.fit], 'Buyer'",
        " criterion 1 of [rules.engagement], 'Prices'",
    ]


def test_a_card_without_criteria_is_none() -> None:
    plain = changed("fit.criteria", [])
    assert card_of(plain, where="card.toml").fit.criteria == ()
    plain["rules"]["engagement"]["criteria"] = []
    with pytest.raises(ConfigError, match=r"expected criteria in \[rules.fit\] or \[rules.engagement\], found none"):
        card_of(plain, where="card.toml")
    with pytest.raises(ConfigError, match=r"card.toml: the file: there is no key store"):
        card_of({"store": {}}, where="card.toml")


def test_a_file_that_is_no_card_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"The points card .*gone.toml cannot be read.*Name a file that is there"):
        read_card(tmp_path / "gone.toml")
    file = tmp_path / "card.toml"
    file.write_text("[rules\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"card.toml is not valid TOML.*Mend that line"):
        read_card(file)


@given(st.integers(-10_000_00, 10_000_00))
def test_hundredths_are_read_as_they_are_written(hundredths: int) -> None:
    text = f"{hundredths / 100:.2f}"
    plain = changed("fit.0.points", tomllib.loads(f"points = {text}")["points"])
    plain["rules"]["decimals"] = 2
    card = card_of(plain, where="card.toml")
    assert card.units(card.fit.criteria[0].points) == hundredths

"""Which columns a store can fill, and why not the others."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given

from features.behavioural import of_own_kinds
from features.build import describe
from features.catalogue import OWN_KIND_MIN_EVENTS, OWN_KINDS_MOST, Catalogue, catalogue, check_excluded
from features.declare import Combination, Count, Family, Primitive
from features.errors import ConfigError
from features.kinds import KINDS, kinds_of
from features.tables import PROFILE_COLUMNS
from tests.features import data
from tests.features.data import ATTRIBUTES, CATALOGUE, TYPE_KINDS, World


def catalogue_of(*types: str, counts: int = 60, **changed: Any) -> Catalogue:
    given: dict[str, Any] = {
        "kinds": kinds_of(types, {}),
        "type_counts": dict.fromkeys(types, counts),
        "profile_columns": PROFILE_COLUMNS,
        "attributes": {},
    }
    return catalogue(**{**given, **changed})


@data.few_examples
@given(data.worlds(least_asked=1))
def test_leaving_out_what_a_store_cannot_fill_changes_no_number(world: World) -> None:
    types = {event.type for event in world.events} & set(TYPE_KINDS)
    present = {name: kind for name, kind in TYPE_KINDS.items() if name in types}
    filled = [name for name in PROFILE_COLUMNS if any(row.texts.get(name) is not None for row in world.profiles)]
    smaller = catalogue(
        kinds=present, type_counts=dict.fromkeys(present, 60), profile_columns=filled, attributes=ATTRIBUTES
    )
    frame = describe(world.tables, world.snapshots, of=smaller)
    everything = describe(world.tables, world.snapshots, of=CATALOGUE)
    # Completeness is a share of what the store fills.
    same = [name for name in smaller.names if name != "profile_completeness"]
    pd.testing.assert_frame_equal(frame[same], everything[same], check_exact=True)
    dropped = everything.drop(columns=list(smaller.names))
    assert (dropped.isna() | (dropped == 0)).all(axis=None)


def test_a_store_without_events_keeps_what_it_can_fill() -> None:
    found = catalogue_of()
    assert {column.family for column in found.columns} == {"demographic"}
    assert found.left_out["forms_7d"] == "the store has no form"
    assert found.left_out["events"] == "the store has no *"
    assert found.left_out["email_answer_rate"] == "the store has no email_answers and no emails_delivered"
    assert found.left_out["breadth"].startswith("the store has no basket and no budget_declared and no ")


def test_a_profile_column_that_nobody_fills_is_left_out() -> None:
    found = catalogue_of(profile_columns=["country", "job_title"])
    assert found.profile_columns == ("job_title", "country")  # in the tables' order
    assert found.left_out["industry"] == "no lead has a value for industry"
    assert {"job_function", "seniority", "seniority_rank", "country", "lead_age_days"} <= set(found.names)


def test_a_column_over_several_kinds_is_narrowed_to_those_there_are() -> None:
    found = catalogue_of("form", "page", "Strange")
    sources = {column.name: column.source for column in found.columns}
    assert sources["acts_7d"] == Primitive(sources["forms_7d"].op, ("form", "page"), 7)  # type: ignore[union-attr]
    assert sources["events_7d"] == Primitive(sources["forms_7d"].op, ("*",), 7)  # type: ignore[union-attr]
    breadth, trend = sources["breadth"], sources["acts_trend_14d"]
    assert isinstance(breadth, Combination)
    assert isinstance(trend, Combination)
    assert [i.kinds for i in breadth.inputs if isinstance(i, Primitive)] == [("form",), ("page",)]
    assert [i.kinds for i in trend.inputs if isinstance(i, Primitive)] == [("form", "page")] * 2
    assert "days_to_first_answer" in found.left_out  # it needs both


def test_own_kinds_need_enough_events_and_only_so_many_are_taken() -> None:
    rare = catalogue_of("Strange", counts=OWN_KIND_MIN_EVENTS - 1)
    assert not [name for name in rare.names if "strange" in name]
    assert rare.left_out["strange"] == "fewer than 50 events of this type, or too many types"
    assert "events" in rare.names  # it is an event all the same
    # Two types of one kind are counted together.
    both = kinds_of(["Strange", "strange"], {})
    together = catalogue_of(kinds=both, type_counts=dict.fromkeys(both, OWN_KIND_MIN_EVENTS // 2))
    assert {"strange_7d", "strange", "days_since_strange"} <= set(together.names)
    types = [f"T{n:03}" for n in range(OWN_KINDS_MOST + 1)]
    many = catalogue_of(*types, type_counts={name: 100 + n for n, name in enumerate(types)})
    assert "t000" in many.left_out  # the rarest
    assert {f"t{n:03}" for n in range(1, OWN_KINDS_MOST + 1)} <= set(many.names)


def test_a_release_knows_its_own_kinds_whatever_the_store_holds_by_now() -> None:
    counts = {"Strange": OWN_KIND_MIN_EVENTS, "Rare": 1}
    assert catalogue_of(*counts, type_counts=counts).own_kinds == ("strange",)
    found = catalogue_of(*counts, type_counts=counts, own_kinds=["rare"])
    assert found.own_kinds == ("rare",)
    assert "rare_7d" in found.names
    assert "strange_7d" not in found.names


def test_an_own_kind_that_bears_the_name_of_a_feature_gets_another() -> None:
    found = catalogue_of("page", "Visits", "contact", "first_contact", "events", "event_events")
    assert {"visits_7d", "event_visits_7d", "events_7d"} <= set(found.names)
    # days_since_first_contact could be of both.
    assert {"days_since_first_contact", "event_first_contact"} <= set(found.names)
    assert {"event_events_7d", "event_event_events_7d"} <= set(found.names)
    assert len(set(found.names)) == len(found.names)


def test_an_attribute_that_bears_the_name_of_a_feature_or_of_another_gets_another() -> None:
    names = dict.fromkeys(["a.b", "a_b", "country", "attribute_country", "lead_age_days"], "numeric")
    found = catalogue_of(attributes=names)
    assert set(found.names) >= {
        "a_b", "attribute_a_b", "attribute_country", "attribute_attribute_country", "attribute_lead_age_days",
    }  # fmt: skip
    assert found.attributes == names


def test_what_is_ignored_is_not_read() -> None:
    assert "Heartbeat" not in CATALOGUE.kinds
    assert "notes" not in CATALOGUE.attributes
    assert not [name for name in CATALOGUE.names if "notes" in name or "ignored" in name or "heartbeat" in name]


def test_what_is_excluded_is_left_out_with_all_that_is_made_of_it() -> None:
    found = catalogue_of(*KINDS, attributes=ATTRIBUTES, exclude=["plan", "email_opens_90d"])
    assert "plan" not in found.names
    assert "plan" not in found.attributes
    assert found.left_out["email_opens_90d"] == found.left_out["plan"] == "excluded by configuration"
    assert found.left_out["email_open_rate_90d"] == "the store has no email_opens_90d"
    assert set(found.names) < set(catalogue_of(*KINDS, attributes=ATTRIBUTES).names)


def test_two_declarations_of_one_name_are_refused() -> None:
    one = Family("one", "one", (Count("forms", of="form", days=(7,), about="Forms"),))
    with pytest.raises(ValueError, match="Two declarations produce a column of one name: forms_7d"):
        catalogue_of("form", families=(one, replace(one, name="two")))


def test_the_same_inventory_gives_the_same_catalogue_whatever_its_order() -> None:
    backwards = catalogue(
        kinds=dict(reversed(TYPE_KINDS.items())),
        type_counts=dict.fromkeys(reversed(TYPE_KINDS), 60),
        profile_columns=list(reversed(PROFILE_COLUMNS)),
        attributes=dict(reversed(ATTRIBUTES.items())),
    )
    assert backwards.names == CATALOGUE.names
    assert backwards.profile_columns == CATALOGUE.profile_columns


def test_every_name_that_could_be_left_out_is_taken_whether_or_not_the_store_fills_it() -> None:
    kinds = ("form", "Strange")
    for counts in (60, 1):  # common enough for columns of its own, or not
        there = catalogue_of(*kinds, counts=counts, attributes={"size": "numeric", "note": "ignored"})
        own = [column.name for column in of_own_kinds(["strange"])]
        for name in {*there.names, *there.left_out, *own, "size", "note"}:
            found = catalogue_of(
                *kinds, counts=counts, attributes={"size": "numeric", "note": "ignored"}, exclude=[name]
            )
            check_excluded([name], of=found)
            assert name not in found.names


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("webinar_7d", "did you mean webinars_7d"),
        ("Size", "did you mean size"),
        ("strange_8d", "did you mean strange_7d"),
        ("industry ", "did you mean industry"),
        ("company_size", r"read from it: company_size_band, company_employees"),
        ("zzz", "is called 'zzz'. Nothing is left out"),
    ],
)
def test_a_name_that_leaves_nothing_out_is_refused_with_the_nearest(name: str, said: str) -> None:
    exclude = ["size", name]
    found = catalogue_of("form", "Strange", attributes={"size": "numeric"}, exclude=exclude)
    with pytest.raises(ConfigError, match=said) as refused:
        check_excluded(exclude, of=found)
    assert refused.value.exit_code == 2
    assert "'size'" not in str(refused.value)

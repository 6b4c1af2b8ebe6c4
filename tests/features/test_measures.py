"""What is told as one reason: every column has one measure, and columns of one topic share it."""

from typing import Any

import pytest

from features.catalogue import Catalogue, catalogue
from features.kinds import KINDS, kinds_of
from features.measures import measures
from features.tables import PROFILE_COLUMNS


def catalogue_of(*types: str, **changed: Any) -> Catalogue:
    given: dict[str, Any] = {
        "kinds": kinds_of(types, {}),
        "type_counts": dict.fromkeys(types, 60),
        "profile_columns": PROFILE_COLUMNS,
        "attributes": {"plan": "categorical", "seats": "numeric"},
    }
    return catalogue(**(given | changed))


def measures_of(found: Catalogue) -> dict[str, str]:
    return measures(found.columns, kinds=found.kinds)


@pytest.mark.parametrize("types", [(), ("form",), ("page", "Strange"), (*KINDS, "Strange", "Other")])
def test_every_column_has_a_measure_named_by_its_first_column(types: tuple[str, ...]) -> None:
    columns = catalogue_of(*types)
    found = measures_of(columns)
    assert tuple(found) == columns.names
    for name, first in found.items():
        assert found[first] == first
        assert columns.names.index(first) <= columns.names.index(name)


def test_columns_that_tell_of_the_same_thing_share_a_measure() -> None:
    found = measures_of(catalogue_of(*KINDS, "Strange"))
    groups = [
        {"forms_7d", "forms"},
        {"job_function"},
        {"seniority", "seniority_rank"},
        {"company_size_band", "company_employees"},
        {"baskets", "basket_value", "last_basket_value"},
        {"demo_requests_30d", "quote_requests", "budgets_declared", "days_since_intent", "days_since_demo_request"},
        {"page_views", "pricing_page_views_7d", "visits", "days_since_pricing_page"},
        {"emails_delivered", "email_opens_7d", "email_click_rate_90d", "email_answer_rate"},
        {"calls", "call_minutes_90d", "meetings", "days_since_answer"},
        {"acts_7d", "events", "active_days", "breadth", "acts_trend_14d", "days_since_last_event"},
        {"strange_7d", "days_since_strange"},
        {"plan"},
        {"seats"},
        {"country"},
        {"lead_age_days"},
    ]
    for group in groups:
        assert len({found[name] for name in group}) == 1, group
    assert len({found[next(iter(group))] for group in groups}) == len(groups)


def test_what_a_store_does_not_have_takes_no_part() -> None:
    """Where forms are all that leads do, forms are how lively they are."""
    found = measures_of(catalogue_of("form"))
    assert found["forms_7d"] == found["acts_7d"] == found["events"]
    apart = measures_of(catalogue_of("form", "webinar"))
    assert apart["forms_7d"] != apart["acts_7d"] == apart["events"]

"""The frame of features: one drawn lead, and the smallest inputs there are."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.build import describe
from features.catalogue import catalogue
from features.tables import PROFILE_COLUMNS
from tests.features.data import AS_OF, CATALOGUE, DAY, MINUTE, TYPE_KINDS, UNKNOWN_TYPE, Asked, Event, Lead, World


def event(days_before: float, type_: str, value: float | None = None) -> Event:
    moment = AS_OF - round(days_before * DAY)
    return Event("ann", moment, moment, type_, value)


ANN = World(
    leads=[Lead("ann", AS_OF - 100 * DAY, AS_OF - 100 * DAY)],
    asked=[Asked("ann", AS_OF)],
    events=[
        event(95, "email_delivered"),
        event(60, "email_delivered"),
        event(59.5, "email_opened"),
        event(40, "email_delivered"),
        event(20, "page"),
        event(10, "page"),
        event(10 - 20 * MINUTE / DAY, "Visited pricing"),
        event(8, "basket", 120.0),
        event(6, "call", 15.0),
        event(5, "basket"),
        event(2, "demo_request"),
        event(1, "W_Valideren"),
        event(1, UNKNOWN_TYPE),
        event(1, "Heartbeat"),
        event(-1, "demo_request"),
    ],
)


def test_a_drawn_lead() -> None:
    row = describe(ANN.tables, ANN.snapshots, of=CATALOGUE).iloc[0]
    wanted = {
        "events": 12, "events_7d": 4, "acts": 7, "acts_7d": 2, "acts_30d": 6, "active_days_30d": 5,
        "page_views": 2, "page_views_7d": 0, "pricing_page_views_30d": 1, "visits": 2, "visits_7d": 0,
        "emails_delivered_90d": 2, "email_opens_90d": 1, "email_open_rate_90d": 0.5, "email_click_rate_90d": 0,
        "email_answer_rate": 0, "calls": 1, "call_minutes_90d": 15, "baskets": 2, "basket_value_90d": 120,
        "last_basket_value": 120, "demo_requests": 1, "demo_requests_7d": 1, "days_since_intent": 2,
        "days_since_last_act": 2, "days_since_first_act": 59.5, "days_since_answer": 6, "days_to_first_answer": 89,
        "acts_trend_14d": 4, "breadth_30d": 4, "breadth": 5, "w_valideren_7d": 1, "days_since_last_event": 1,
        "bounces": 0, "lead_age_days": 100,
    }  # fmt: skip
    assert row[list(wanted)].to_dict() == wanted
    assert row[["days_since_unsubscribe", "days_since_event_visits", "country", "plan"]].isna().all()
    assert row["activity_7d_half_life"] == pytest.approx(
        sum(0.5 ** (days / 7) for days in (59.5, 20, 10, 10 - 20 / 1440, 8, 5, 2))
    )


def test_a_lead_that_is_not_in_the_tables_is_refused() -> None:
    world = replace(ANN, asked=[Asked("ann", AS_OF), Asked("bob", AS_OF)])
    with pytest.raises(ValueError, match="A snapshot's lead is not among the leads of the tables"):
        describe(world.tables, world.snapshots, of=CATALOGUE)


def test_events_of_leads_outside_the_range_are_not_seen() -> None:
    stray = replace(ANN, events=[*ANN.events, event(1, "form")._replace(lead_id="bob")])
    pd.testing.assert_frame_equal(
        describe(stray.tables, stray.snapshots, of=CATALOGUE), describe(ANN.tables, ANN.snapshots, of=CATALOGUE)
    )


@pytest.mark.parametrize("leads", [[], ANN.leads])
def test_no_snapshots(leads: list[Lead]) -> None:
    nothing = World(leads=leads, events=ANN.events if leads else [])
    frame = describe(nothing.tables, nothing.snapshots, of=CATALOGUE)
    assert frame.shape == (0, len(CATALOGUE.columns))
    some = describe(ANN.tables, ANN.snapshots, of=CATALOGUE)
    pd.testing.assert_series_equal(frame.dtypes, some.dtypes)
    assert frame.index.names == some.index.names


def test_a_catalogue_of_no_kinds_needs_no_events() -> None:
    of = catalogue(kinds={}, type_counts={}, profile_columns=PROFILE_COLUMNS[:1], attributes={})
    frame = describe(ANN.tables, ANN.snapshots, of=of)
    assert list(frame.columns) == ["source_channel", "profile_completeness", "lead_age_days", "days_since_profile"]
    assert frame["lead_age_days"].to_list() == [100]


def test_the_catalogue_decides_what_is_seen() -> None:
    of = replace(
        CATALOGUE, kinds={name: kind for name, kind in TYPE_KINDS.items() if kind != "ignored"} | {"x": "form"}
    )
    pd.testing.assert_frame_equal(
        describe(ANN.tables, ANN.snapshots, of=of), describe(ANN.tables, ANN.snapshots, of=CATALOGUE)
    )
    renamed = replace(ANN, events=[e._replace(type="x") if e.type == "page" else e for e in ANN.events])
    frame = describe(renamed.tables, renamed.snapshots, of=of)
    assert frame["forms"].to_list() == [2]
    assert np.array_equal(frame["page_views"], [0])

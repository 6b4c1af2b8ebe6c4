"""What a lead might do moves all its columns together; what it did not do, and who it is, stay as they are."""

import numpy as np
import pandas as pd
import pytest

from features.build import describe
from features.tables import LeadTables
from serve.scorer import catalogue_of
from serve.what_if import AS_IT_IS, BEFORE, QUIET, QUIET_DAYS, Change, changes, hypothetical, what_if
from tests.serve.test_scorer import DAY, POLICY, TYPE_KINDS, Lead, at, release, scored, snapshots, tables

LEAD = Lead("ann", "Marketing Director", 300, [(300, "content_download"), (310, "page"), (320, "email_opened")])
AS_OF = 330
ASKED = changes(TYPE_KINDS, counts={"page": 9}, read=release().contract.kinds)


def asked_of(lead: Lead, *, as_of: float = AS_OF, stage: str | None = None) -> pd.DataFrame:
    columns = catalogue_of(release().contract)
    return what_if(
        release(), tables([lead]), ASKED, as_of=at(as_of), columns=columns, kinds=TYPE_KINDS, policy=POLICY,
        stage=stage,
    )  # fmt: skip


def test_first_stands_the_lead_as_it_is_and_then_each_change() -> None:
    found = asked_of(LEAD)
    assert found["key"].tolist() == [AS_IT_IS, "demo_request", "webinar", "content_download", QUIET]
    alone = scored([LEAD], AS_OF)
    for column in ("probability", "probability_low", "probability_high"):
        assert found[column].iloc[0] == pytest.approx(alone[column].iloc[0], abs=1e-12)
    for column in ("recommended_stage", "stage_reason", "reasons"):
        assert found[column].iloc[0] == alone[column].iloc[0]
    assert found["probability"].iloc[1] > 1.5 * found["probability"].iloc[0]
    assert found["recommended_stage"].iloc[1] == "sql"


def test_an_act_is_as_if_it_had_been_done_an_hour_ago() -> None:
    really = Lead("ann", LEAD.title, 300, [*LEAD.events, (AS_OF - BEFORE / DAY, "Demo asked")])
    hypothetical_ = asked_of(LEAD).iloc[1]
    assert hypothetical_["probability"] == pytest.approx(scored([really], AS_OF)["probability"].iloc[0], abs=1e-12)


def test_a_quiet_time_is_as_if_nothing_had_come() -> None:
    later = scored([LEAD], AS_OF + QUIET_DAYS)["probability"].iloc[0]
    assert asked_of(LEAD).iloc[-1]["probability"] == pytest.approx(later, abs=1e-12)


def test_what_came_to_be_known_later_is_not_looked_at() -> None:
    later = Lead("ann", LEAD.title, 300, [*LEAD.events, (AS_OF + 3, "Demo asked"), (AS_OF, "webinar")], AS_OF + 20)
    pd.testing.assert_frame_equal(asked_of(later), asked_of(LEAD))


def test_all_columns_move_together_and_only_those_of_acts() -> None:
    columns = catalogue_of(release().contract)
    copies, when = hypothetical(tables([LEAD]), [Change(key=AS_IT_IS), *ASKED], as_of=at(AS_OF))
    frame = describe(copies, when, of=columns).reset_index(drop=True)
    family = {column.name: column.family for column in columns.columns}
    before, demo = frame.iloc[0], frame.iloc[1]
    moved = {name for name in frame.columns if not (before[name] == demo[name] or pd.isna(before[name] + demo[name]))}
    assert {"demo_requests_7d", "demo_requests", "days_since_intent", "acts_7d", "days_since_last_act"} & set(
        frame.columns
    ) <= moved | {"days_since_intent"}
    assert not [name for name in moved if family[name] == "demographic"]
    since = frame["days_since_demo_request"]
    assert np.isnan(since[0])
    assert since[1] == pytest.approx(1 / 24)


def test_a_lead_of_this_very_hour_acts_after_it_came() -> None:
    newborn = Lead("ann", LEAD.title, AS_OF - 0.001, [(AS_OF - 0.001, "content_download")])
    copies, _ = hypothetical(tables([newborn]), ASKED[:1], as_of=at(AS_OF))
    assert copies.events.column("occurred_at").to_pylist() == [at(AS_OF - 0.001)] * 2


def test_the_stage_it_had_is_remembered() -> None:
    assert asked_of(LEAD, stage="sql")["recommended_stage"].iloc[1] == "sql"


def test_the_commonest_type_of_a_kind_stands_for_it_with_its_usual_value() -> None:
    kinds = {"Basket": "basket", "Cart": "basket", "Own": "own", "Unread": "webinar", "Newsletter": "email_delivered"}
    found = changes(
        kinds, counts={"Cart": 5, "Basket": 4}, read=["Basket", "Cart", "Own", "Newsletter"], own=["own", "form"],
        values={"Cart": 30.0},
    )  # fmt: skip
    assert found == [
        Change(key="basket", type="Cart", value=30.0),
        Change(key="own", type="Own"),
        Change(key=QUIET, days=QUIET_DAYS),
    ]


def test_one_lead_at_a_time() -> None:
    two = [LEAD, Lead("bob", None, 300, LEAD.events)]
    columns = catalogue_of(release().contract)
    nobody: list[Lead] = []
    for leads in (two, nobody):
        with pytest.raises(ValueError, match="tables of one lead, got"):
            what_if(release(), tables(leads), ASKED, as_of=at(AS_OF), columns=columns, kinds=TYPE_KINDS, policy=POLICY)


def test_the_tables_are_left_as_they_were() -> None:
    given: LeadTables = tables([LEAD])
    what_if(
        release(), given, ASKED, as_of=at(AS_OF), columns=catalogue_of(release().contract), kinds=TYPE_KINDS,
        policy=POLICY,
    )  # fmt: skip
    assert given == tables([LEAD])
    assert snapshots([LEAD], AS_OF)["lead_id"].tolist() == ["ann"]

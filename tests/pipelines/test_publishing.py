"""Write, audit, publish: readers see a whole run or the one before it, and the account of each run balances."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.cohort import OBJECTS
from features.errors import AuditRefused, LockHeld, ReleaseRefused
from pipelines import failpoints, ledger
from pipelines.publishing import (
    ERASED,
    GONE,
    Counts,
    Limits,
    audit,
    begin_run,
    publish,
    published_run,
    stage,
    withdraw,
)
from pipelines.stage_changes import night_before
from pipelines.store import LeadStore
from tests.stores import memory_store

AS_OF = datetime(2025, 6, 1, tzinfo=UTC)
NOW = datetime(2025, 6, 2, tzinfo=UTC)
TIME = pa.timestamp("us", tz="UTC")
LIMITS = Limits(
    least_volume_share=0.5,
    most_volume_factor=5.0,
    most_mean_factor=3.0,
    most_new_category_share=0.2,
    warn_new_category_share=0.05,
    most_stage_changes_share=0.3,
)


@pytest.fixture
def store(store_url: str) -> Iterator[LeadStore]:
    """A new store, on each engine in turn."""
    with LeadStore.open(store_url, create=True) as opened:
        yield opened


def begin(store: LeadStore, run: str, *, as_of: datetime = AS_OF) -> None:
    begin_run(
        store,
        run_id=run,
        as_of=as_of,
        mode="nightly",
        model_version="1",
        release_digest="d",
        config_digest="c",
        now=NOW,
    )


def staged(
    store: LeadStore,
    run: str,
    probabilities: list[float | None],
    *,
    as_of: datetime = AS_OF,
    stages: list[str] | str = "mql",
    version: str = "1",
) -> Counts:
    """Stage so many leads, and the account that goes with them: two were excluded, one quarantined."""
    rows: dict[str, Any] = {
        "lead_id": [f"lead-{n}" for n in range(len(probabilities))],
        "as_of": int(as_of.timestamp()) * 1_000_000,
        "probability": pd.Series(probabilities, dtype="float64"),
        "probability_low": 0.0,
        "probability_high": 1.0,
        "band": "A",
        "recommended_stage": stages,
        "stage_reason": "it fits",
        "needs_confirmation": False,
        "reasons": '{"start": 0}',
        "points": 5.0,
    }
    stage(store, pd.DataFrame(rows), run_id=run, model_version=version)
    ids = pa.table({"lead_id": rows["lead_id"], "created_at": pa.array([0] * len(probabilities), TIME)})
    store.append("leads", ids.append_column("known_at", ids.column("created_at")))
    scored = len(probabilities)
    return Counts(scored + 3, scored, {"no voluntary act yet": 2}, {"no finite probability": 1})


def check(store: LeadStore, counts: Counts, run: str, *, as_of: datetime = AS_OF, **more: Any) -> list[str]:
    return audit(store, counts, run_id=run, as_of=as_of, limits=LIMITS, **more).checked


def let_out(store: LeadStore, counts: Counts, run: str, *, as_of: datetime = AS_OF) -> Counts:
    return publish(store, counts, run_id=run, as_of=as_of, reason="scored", message="", flags=[], now=NOW)


def published(store: LeadStore, run: str, probabilities: list[float | None], *, as_of: datetime = AS_OF) -> Counts:
    begin(store, run, as_of=as_of)
    counts = staged(store, run, probabilities, as_of=as_of)
    check(store, counts, run, as_of=as_of)
    return let_out(store, counts, run, as_of=as_of)


def current(store: LeadStore) -> list[tuple[Any, ...]]:
    return store.rows("SELECT run_id, lead_id, probability FROM current_scores ORDER BY lead_id")


@given(
    leads_in=st.integers(0, 20),
    scored=st.integers(0, 9),
    excluded=st.dictionaries(st.text(max_size=2), st.integers(0, 9), max_size=3),
    quarantined=st.dictionaries(st.text(max_size=2), st.integers(0, 9), max_size=2),
)
def test_an_account_balances_when_every_lead_is_in_it_once(
    leads_in: int, scored: int, excluded: dict[str, int], quarantined: dict[str, int]
) -> None:
    left = leads_in - scored
    for counts in (excluded, quarantined):
        for count in counts.values():
            left -= count
    assert Counts(leads_in, scored, excluded, quarantined).balances() == (left == 0)


def test_a_run_is_published_whole(store: LeadStore) -> None:
    counts = published(store, "one", [0.1, 0.4, 0.4, 0.9])
    assert current(store) == [("one", f"lead-{n}", p) for n, p in enumerate([0.1, 0.4, 0.4, 0.9])]
    assert store.rows("SELECT count(*) FROM scores_staging") == [(0,)]
    assert store.rows("SELECT status, leads_in, scored, excluded, quarantined FROM runs") == [
        ("published", 7, 4, json.dumps(counts.excluded), json.dumps(counts.quarantined))
    ]
    run = published_run(store, as_of=AS_OF)
    assert run is not None
    assert (run.run_id, run.model_version, run.release_digest, run.config_digest) == ("one", "1", "d", "c")
    assert run.counts == counts
    assert published_run(store, as_of=AS_OF + timedelta(days=1)) is None


def test_the_percentile_is_the_share_of_leads_with_at_most_this_probability(store: LeadStore) -> None:
    published(store, "one", [0.1, 0.4, 0.4, 0.9])
    assert store.rows("SELECT percentile FROM current_scores ORDER BY lead_id") == [(25.0,), (75.0,), (75.0,), (100.0,)]


def test_readers_see_the_newest_as_of_and_one_run_of_it(store: LeadStore) -> None:
    published(store, "june", [0.2, 0.2])
    published(store, "may", [0.3, 0.3], as_of=AS_OF - timedelta(days=30))
    assert {row[0] for row in current(store)} == {"june"}
    published(store, "july", [0.2], as_of=AS_OF + timedelta(days=30))
    assert [row[:2] for row in current(store)] == [("july", "lead-0")]
    published(store, "july again", [0.25], as_of=AS_OF + timedelta(days=30))
    assert [row[:2] for row in current(store)] == [("july again", "lead-0")]
    assert store.rows("SELECT fence FROM published ORDER BY as_of") == [(1,), (1,), (2,)]
    assert store.rows("SELECT count(DISTINCT run_id) FROM scores") == [(4,)]


# What the audit refuses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "counts",
    [
        Counts(9, 2, {"no voluntary act yet": 2}, {}),
        Counts(4, 3, {"no voluntary act yet": 1}, {}),
        Counts(2, 2, {}, {"no finite probability": 1}),
    ],
    ids=["a lead got lost", "one less staged than scored", "one too many"],
)
def test_an_account_that_does_not_balance(store: LeadStore, counts: Counts) -> None:
    begin(store, "one")
    staged(store, "one", [0.1, 0.2])
    with pytest.raises(AuditRefused, match=r"does not balance: .* leads in, 2 rows staged.*Nothing was published"):
        check(store, counts, "one")


def test_a_lead_that_is_staged_twice(store: LeadStore) -> None:
    begin(store, "one")
    staged(store, "one", [0.1])
    staged(store, "one", [0.1])
    with pytest.raises(AuditRefused, match="2 rows staged of 1 leads"):
        check(store, Counts(2, 2, {}, {}), "one")


@pytest.mark.parametrize("probability", [None, -0.01, 1.01, float("nan"), float("inf")])
def test_what_is_no_probability(store: LeadStore, probability: float | None) -> None:
    begin(store, "one")
    counts = staged(store, "one", [0.1, probability])
    with pytest.raises(AuditRefused, match="1 staged rows have no probability between 0 and 1"):
        check(store, counts, "one")


@pytest.mark.parametrize("end", ["low = 0.2", "high = 0.05"])
def test_a_probability_outside_its_interval(store: LeadStore, end: str) -> None:
    begin(store, "one")
    counts = staged(store, "one", [0.1])
    store.change(f"UPDATE scores_staging SET probability_{end}")
    with pytest.raises(AuditRefused, match="1 staged rows"):
        check(store, counts, "one")


def test_a_run_that_scores_nobody(store: LeadStore) -> None:
    begin(store, "one")
    with pytest.raises(AuditRefused, match=r"No lead is eligible: excluded \{'no voluntary act yet': 2\}"):
        check(store, Counts(2, 0, {"no voluntary act yet": 2}, {}), "one")


def test_a_volume_that_falls_by_more_than_half(store: LeadStore) -> None:
    published(store, "before", [0.1] * 10)
    later = AS_OF + timedelta(days=1)
    begin(store, "few", as_of=later)
    with pytest.raises(AuditRefused, match=r"Only 4 leads scored, after 10 .*least_volume_share = 0\.5"):
        check(store, staged(store, "few", [0.1] * 4, as_of=later), "few", as_of=later)
    begin(store, "half", as_of=later)
    checked = check(store, staged(store, "half", [0.1] * 5, as_of=later), "half", as_of=later)
    assert any("volume (5 after 10)" in line for line in checked)


@pytest.mark.parametrize(("mean", "fine"), [(0.31, False), (0.29, True), (0.035, True), (0.03, False)])
def test_a_level_that_moves_by_more_than_a_factor_either_way(store: LeadStore, mean: float, fine: bool) -> None:
    published(store, "before", [0.1] * 4)
    later = AS_OF + timedelta(days=1)
    begin(store, "now", as_of=later)
    counts = staged(store, "now", [mean] * 4, as_of=later)
    if fine:
        check(store, counts, "now", as_of=later)
    else:
        with pytest.raises(AuditRefused, match=rf"moved from 0\.1000 to {mean:.4f}, .*most_mean_factor = 3"):
            check(store, counts, "now", as_of=later)


def moving(store: LeadStore, *, moved: int, of: int = 40, **changed: str) -> tuple[Counts, datetime]:
    """A night of `of` leads is published, and of the next one, in which so many get another stage, all is staged."""
    chances: list[float | None] = [0.1 + n / 100 for n in range(of)]
    published(store, "one", chances)
    tomorrow = AS_OF + timedelta(days=1)
    begin(store, "two", as_of=tomorrow)
    for column, value in changed.items():
        store.change(f"UPDATE runs SET {column} = $1 WHERE run_id = 'two'", [value])
    stages = ["sal"] * moved + ["mql"] * (of - moved)
    return staged(store, "two", chances, as_of=tomorrow, stages=stages), tomorrow


def test_a_night_that_moves_too_many_leads_is_stopped_unless_accepted(store: LeadStore) -> None:
    counts, tomorrow = moving(store, moved=13)
    said = (
        r"13 of 40 leads get another stage than on 2025-06-01 \(32%\), more than \[score\] most_stage_changes_share = "
        r"0\.3\. 'leadscore score --dry-run' shows who moves, and why\. Nothing was published; .* --accept-drift"
    )
    with pytest.raises(AuditRefused, match=said):
        check(store, counts, "two", as_of=tomorrow)
    kept = audit(store, counts, run_id="two", as_of=tomorrow, limits=LIMITS, accept="a new card").warnings
    assert len(kept) == 1
    assert kept[0].startswith("accepted (a new card): 13 of 40 leads")


def test_a_night_that_moves_as_many_leads_as_may_be_is_let_through_and_says_so(store: LeadStore) -> None:
    counts, tomorrow = moving(store, moved=12)
    assert "12 of 40 leads get another stage than on 2025-06-01" in check(store, counts, "two", as_of=tomorrow)


def test_a_few_leads_may_all_move(store: LeadStore) -> None:
    counts, tomorrow = moving(store, moved=19, of=19)
    assert "19 of 19 leads get another stage than on 2025-06-01" in check(store, counts, "two", as_of=tomorrow)


def test_leads_that_only_one_night_scored_move_nowhere(store: LeadStore) -> None:
    published(store, "one", [0.1 + n / 100 for n in range(20)])
    tomorrow = AS_OF + timedelta(days=1)
    begin(store, "two", as_of=tomorrow)
    stages = ["mql"] * 20 + ["sal"] * 20
    counts = staged(store, "two", [0.1 + n / 100 for n in range(40)], as_of=tomorrow, stages=stages)
    assert "0 of 20 leads get another stage than on 2025-06-01" in check(store, counts, "two", as_of=tomorrow)


def test_a_new_version_or_configuration_is_no_exception_and_is_named(store: LeadStore) -> None:
    counts, tomorrow = moving(store, moved=40, model_version="2", config_digest="other")
    said = (
        r"Version 2 scores now, version 1 did then: 'leadscore rollback' would bring that one back\. The configuration "
        r"is another one than then\. 'leadscore score --dry-run'"
    )
    with pytest.raises(AuditRefused, match=said):
        check(store, counts, "two", as_of=tomorrow)


def test_a_withdrawn_night_is_no_night_before(store: LeadStore) -> None:
    counts, tomorrow = moving(store, moved=40, release_digest="e")
    with store.transaction():
        withdraw(store, digest="d", reason="wrong", now=NOW)
    assert night_before(store, as_of=tomorrow) is None
    assert not any("another stage" in line for line in check(store, counts, "two", as_of=tomorrow))


def test_a_run_is_held_against_the_one_before_it_in_time_not_in_order(store: LeadStore) -> None:
    published(store, "later", [0.9] * 4, as_of=AS_OF + timedelta(days=5))
    published(store, "earlier", [0.1] * 4)
    published(store, "again", [0.8] * 4, as_of=AS_OF - timedelta(days=1))


# What goes wrong in between ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("INSERT INTO objections VALUES ('lead-1', TIMESTAMPTZ '2030-01-01 00:00:00Z')", OBJECTS),
        ("INSERT INTO tombstones VALUES ('lead-1', TIMESTAMPTZ '2025-01-01 00:00:00Z')", ERASED),
        ("DELETE FROM leads WHERE lead_id = 'lead-1'", GONE),
    ],
    ids=["objects", "erased", "gone"],
)
def test_a_lead_that_leaves_while_the_run_is_on_its_way_is_not_published(
    store: LeadStore, change: str, reason: str
) -> None:
    published(store, "before", [0.2, 0.2], as_of=AS_OF - timedelta(days=1))
    begin(store, "one")
    counts = staged(store, "one", [0.1, 0.2, 0.4])
    check(store, counts, "one")
    store.change(change)
    final = let_out(store, counts, "one")
    assert [row[1] for row in current(store)] == ["lead-0", "lead-2"]
    assert store.rows("SELECT percentile FROM current_scores ORDER BY lead_id") == [(50.0,), (100.0,)]
    assert final == Counts(counts.leads_in, 2, {**counts.excluded, reason: 1}, counts.quarantined)
    assert final.balances()
    run = published_run(store, as_of=AS_OF)
    assert run is not None
    assert run.counts == final


@pytest.mark.parametrize("table", ["objections", "tombstones"])
def test_a_lead_that_leaves_later_is_read_no_more(store: LeadStore, table: str) -> None:
    published(store, "one", [0.1, 0.2])
    store.change(f"INSERT INTO {table} VALUES ('lead-1', TIMESTAMPTZ '2030-01-01 00:00:00Z')")
    assert [row[1] for row in current(store)] == ["lead-0"]


# The fence -----------------------------------------------------------------------------------------------------------


def test_a_run_that_slept_while_another_published_comes_too_late(store: LeadStore) -> None:
    begin(store, "sleeper")
    asleep = staged(store, "sleeper", [0.1, 0.2])
    check(store, asleep, "sleeper")
    # The other finds no sign of life of the first, and takes over.
    published(store, "other", [0.3, 0.4])
    with pytest.raises(LockHeld, match=r"comes too late: run other was published.*Nothing of it was published"):
        let_out(store, asleep, "sleeper")
    assert [row[::2] for row in current(store)] == [("other", 0.3), ("other", 0.4)]


def test_the_fence_alone_stops_a_run_that_nobody_took_for_dead(store: LeadStore) -> None:
    begin(store, "one")
    counts = staged(store, "one", [0.1])
    check(store, counts, "one")
    store.change("INSERT INTO published (as_of, run_id, fence, published_at) VALUES ($1, 'other', 1, $2)", [AS_OF, NOW])
    with pytest.raises(LockHeld, match="comes too late"):
        let_out(store, counts, "one")
    assert store.rows("SELECT run_id, fence FROM published") == [("other", 1)]
    assert store.rows("SELECT count(*) FROM scores") == [(0,)]


def test_the_fence_alone_stops_a_run_over_one_that_was_replaced(store: LeadStore) -> None:
    published(store, "first", [0.1])
    begin(store, "second")
    counts = staged(store, "second", [0.2])
    store.change("UPDATE published SET run_id = 'third', fence = 2")
    with pytest.raises(LockHeld, match="comes too late: run third was published"):
        let_out(store, counts, "second")
    assert store.rows("SELECT run_id, fence FROM published") == [("third", 2)]


@given(order=st.lists(st.integers(0, 3), min_size=1, max_size=6))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_of_runs_that_overlap_the_first_to_publish_wins(order: list[int]) -> None:
    """Four runs begin one after the other without sweeping; they try to publish in any order, and again."""
    with memory_store() as store:
        counts = {}
        for run in range(4):
            begin(store, str(run))
            store.change("UPDATE runs SET status = 'running'")
            counts[run] = staged(store, str(run), [0.1 + run / 10])
        # Sweeping took the others' staging: put it back, as if nobody had swept.
        for run in range(3):
            staged(store, str(run), [0.1 + run / 10])
        for run in order:
            if run == order[0] and not current(store):
                let_out(store, counts[run], str(run))
            else:
                with pytest.raises(LockHeld):
                    let_out(store, counts[run], str(run))
        assert current(store) == [(str(order[0]), "lead-0", pytest.approx(0.1 + order[0] / 10))]
        assert store.rows("SELECT run_id, fence FROM publications") == [(str(order[0]), 1)]


def test_a_release_that_was_withdrawn_meanwhile_publishes_nothing(store: LeadStore) -> None:
    begin(store, "one")
    counts = staged(store, "one", [0.1])
    store.change(
        "INSERT INTO releases (model_version, digest, status, registered_at, facts) VALUES ('1', 'd', 'withdrawn', "
        "$1, '')",
        [NOW],
    )
    with pytest.raises(ReleaseRefused, match=r"Version 1 was withdrawn while it scored\. Nothing was published"):
        let_out(store, counts, "one")
    assert current(store) == []


def test_every_state_of_what_is_published_is_kept(store: LeadStore) -> None:
    published(store, "one", [0.1])
    published(store, "two", [0.2])
    with store.transaction():
        assert withdraw(store, digest="d", reason="it was wrong", now=NOW) == (0, 1)
    assert store.rows("SELECT fence, run_id, reason FROM publications ORDER BY fence") == [
        (1, "one", "scored"),
        (2, "two", "scored"),
        (3, None, "it was wrong"),
    ]
    assert current(store) == []
    published(store, "three", [0.3])
    assert store.rows("SELECT fence, run_id FROM published") == [(4, "three")]
    assert store.rows("SELECT count(*) FROM scores") == [(3,)]


def test_publishing_is_all_or_nothing(store: LeadStore, monkeypatch: pytest.MonkeyPatch) -> None:
    published(store, "before", [0.2, 0.2])
    begin(store, "one")
    counts = staged(store, "one", [0.1, 0.2])

    def stopped(place: str) -> None:
        if place == "score: after the pointer":  # the last place before the commit
            raise InterruptedError

    monkeypatch.setattr(failpoints, "HOOK", [stopped])
    with pytest.raises(InterruptedError):
        let_out(store, counts, "one")
    assert {row[0] for row in current(store)} == {"before"}
    assert store.rows("SELECT fence FROM published") == [(1,)]
    assert store.rows("SELECT count(*) FROM scores WHERE run_id = 'one'") == [(0,)]
    assert store.rows("SELECT count(*) FROM scores_staging") == [(2,)]


def test_a_failed_run_says_why_and_leaves_no_staging(store: LeadStore) -> None:
    begin(store, "one")
    staged(store, "one", [0.1])
    ledger.end(store, "one", ledger.FAILED, message="AuditRefused: no", now=NOW)
    assert store.rows("SELECT status, message FROM runs") == [("failed", "AuditRefused: no")]
    assert store.rows("SELECT count(*) FROM scores_staging") == [(0,)]


def test_what_a_run_that_died_left_is_swept_by_the_next(store: LeadStore) -> None:
    begin(store, "killed")
    staged(store, "killed", [0.1, 0.2])
    published(store, "next", [0.3])
    assert store.rows("SELECT run_id, status, message FROM runs ORDER BY run_id") == [
        ("killed", "failed", "ended without a word"),
        ("next", "published", ""),
    ]
    assert [row[:2] for row in current(store)] == [("next", "lead-0")]


def test_scores_are_staged_with_times_that_know_their_zone(store: LeadStore) -> None:
    begin(store, "one")
    staged(store, "one", [0.1])
    assert store.arrow("SELECT as_of FROM scores_staging").schema.field("as_of").type == pa.timestamp("us", tz="UTC")
    assert store.rows("SELECT epoch_us(as_of) FROM scores_staging") == [(int(AS_OF.timestamp()) * 1_000_000,)]

"""The nightly job: what it publishes, that it does so once, and that nothing that goes wrong can be seen."""

import json
import shutil
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.errors import AuditRefused, ConfigError, ReleaseRefused
from features.tables import MICROSECONDS_PER_DAY as DAY
from pipelines import champion, publishing
from pipelines.moments import microseconds
from pipelines.promote import promote
from pipelines.score import cache_of
from pipelines.store import LeadStore
from serve.paying_stages import WITH_SALES
from tests.pipelines.conftest import ALL_TABLES, NOW, World
from tests.signed import SMALL
from tests.stores import rows_in_order


@pytest.fixture
def world(world_on: World) -> World:
    """A world of its own for each test, on each engine in turn."""
    return world_on


def everything(world: World) -> dict[str, list[tuple[object, ...]]]:
    with world.open(read_only=True) as store:
        return {table: rows_in_order(store, table) for table in ALL_TABLES if table != "releases"}


def current(world: World) -> pd.DataFrame:
    with world.open(read_only=True) as store:
        return store.arrow("SELECT * FROM current_scores ORDER BY lead_id").to_pandas().drop(columns="run_id")


def runs(world: World) -> list[tuple[Any, ...]]:
    with world.open(read_only=True) as store:
        return store.rows("SELECT status, message FROM runs ORDER BY started_at, status")


def test_every_lead_is_scored_or_left_out_for_a_reason(trained: World) -> None:
    report = trained.scored
    assert report.status == "published"
    assert report.leads_in == trained.simulated.leads.num_rows
    assert report.scored + sum(report.excluded.values()) + sum(report.quarantined.values()) == report.leads_in
    assert sum(report.stages.values()) == sum(report.bands.values()) == report.scored > 1000
    assert len(current(trained)) == report.scored
    with trained.open(read_only=True) as store:
        ((leads_in, scored, excluded),) = store.rows("SELECT leads_in, scored, excluded FROM runs")
    assert (leads_in, scored, json.loads(excluded)) == (report.leads_in, report.scored, report.excluded)
    json.dumps(report.as_dict(), allow_nan=False)


def test_a_score_says_all_that_is_promised(trained: World) -> None:
    scores = current(trained)
    assert scores["lead_id"].is_unique
    assert (scores["probability_low"] <= scores["probability"]).all()
    assert (scores["probability"] <= scores["probability_high"]).all()
    assert scores["probability"].between(0, 1, inclusive="neither").all()
    expected = 100 * scores["probability"].rank(method="max") / len(scores)
    np.testing.assert_allclose(scores["percentile"], expected, rtol=1e-12)
    assert set(scores["band"]) == set("ABCD")
    assert scores.groupby("band")["probability"].min().sort_index(ascending=False).is_monotonic_increasing
    assert (scores["stage_reason"].str.len() > 10).all()
    assert scores["points"].notna().mean() > 0.5
    assert (scores["model_version"] == "1").all()


def test_reasons_add_up_to_the_probability(trained: World) -> None:
    scores = current(trained)
    for text, probability in zip(scores["reasons"], scores["probability"], strict=True):
        plain = json.loads(text)
        assert len(plain["reasons"]) <= 5
        total = plain["start"] + sum(r["effect"] for r in plain["reasons"]) + plain["rest"] + plain["calibration"]
        assert total == pytest.approx(np.log(probability / (1 - probability)), abs=1e-4)
        effects = [abs(r["effect"]) for r in plain["reasons"]]
        assert effects == sorted(effects, reverse=True)


def test_probabilities_are_close_to_the_true_ones_where_these_are_known(trained: World) -> None:
    scores = current(trained)
    truth = trained.simulated.true_probability(scores["lead_id"].to_numpy(str), microseconds(trained.as_of), 60)
    known = ~np.isnan(truth)
    assert known.mean() > 0.9
    assert scores["probability"][known].mean() == pytest.approx(truth[known].mean(), rel=0.35)
    assert np.corrcoef(scores["probability"][known].rank(), pd.Series(truth[known]).rank())[0, 1] > 0.6


def test_running_again_changes_nothing(world: World) -> None:
    before = everything(world)
    again = world.score()
    assert again.status == "unchanged"
    assert (again.run_id, again.scored, again.stages) == (world.scored.run_id, world.scored.scored, world.scored.stages)
    assert everything(world) == before


def test_a_dry_run_computes_the_same_and_writes_nothing(world: World) -> None:
    before = everything(world)
    dry = world.score(dry_run=True)
    assert (dry.status, dry.run_id) == ("dry run", None)
    assert (dry.scored, dry.excluded, dry.stages) == (world.scored.scored, world.scored.excluded, world.scored.stages)
    assert dry.mean_probability == world.scored.mean_probability
    assert everything(world) == before


def test_another_configuration_needs_a_reason_to_publish_over_a_run(world: World) -> None:
    before, scores = everything(world), current(world)
    other = world.settings(score__reasons=3)
    with pytest.raises(ConfigError, match=r"Version 1 is published for 2.*--supersede --reason 'REASON'"):
        world.score(settings=other)
    assert everything(world) == before
    report = world.score(settings=other, supersede="fewer reasons")
    assert report.status == "published"
    after = current(world)
    assert [len(json.loads(text)["reasons"]) for text in after["reasons"]] != [
        len(json.loads(text)["reasons"]) for text in scores["reasons"]
    ]
    pd.testing.assert_frame_equal(after.drop(columns="reasons"), scores.drop(columns="reasons"))
    with world.open(read_only=True) as store:
        assert store.rows("SELECT run_id, fence FROM published") == [(report.run_id, 2)]
        assert store.rows("SELECT fence, reason FROM publications ORDER BY fence") == [
            (1, "scored"),
            (2, "fewer reasons"),
        ]
        assert store.rows("SELECT DISTINCT run_id FROM current_scores") == [(report.run_id,)]
        assert store.rows("SELECT count(*), count(DISTINCT run_id) FROM scores") == [(2 * len(scores), 2)]
    assert any(status == "published" and message.startswith("fewer reasons") for status, message in runs(world))


def assert_close(scores: pd.DataFrame, before: pd.DataFrame) -> None:
    """The same but for the last bit: a row may be summed otherwise in a block of another size."""
    pd.testing.assert_frame_equal(scores, before, rtol=1e-12, atol=0)


def test_ranges_of_leads_change_nothing(world: World) -> None:
    before = current(world)
    world.score(settings=world.settings(score__range_leads=333), supersede="smaller ranges")
    assert_close(current(world), before)


def test_a_score_is_of_its_moment_whatever_came_in_since(world: World) -> None:
    """Without what was known at as_of or later, and with more of it, the very same scores."""
    before = current(world)
    moment = microseconds(world.as_of)
    with world.open() as store:
        for table in ("leads", "profiles", "events", "stage_changes", "rule_points"):
            store.change(f"DELETE FROM {table} WHERE epoch_us(known_at) >= {moment}")
    less = world.score(supersede="without what came later")
    assert_close(current(world), before)
    before = current(world)
    with world.open() as store:
        append_later(store, moment)
    more = world.score(supersede="with more")
    pd.testing.assert_frame_equal(current(world), before, check_exact=True)
    assert more.leads_in == less.leads_in + 1
    assert more.excluded["not yet known"] == 1


def append_later(store: LeadStore, moment: int) -> None:
    """Rows known from as_of on, about moments before and after it: nothing the run may see."""
    times = pa.timestamp("us", tz="UTC")
    ids = store.arrow("SELECT lead_id FROM leads ORDER BY lead_id").column("lead_id").to_pylist()
    known = pa.array([moment] * len(ids)).cast(times)
    past = pa.array([moment - DAY * (n % 90) for n in range(len(ids))]).cast(times)
    one = {"lead_id": ["new"], "created_at": past[:1], "known_at": known[:1]}
    store.append("leads", pa.table(one))
    events: dict[str, Any] = {
        "event_id": [f"later-{lead}" for lead in ids],
        "lead_id": ids,
        "type": ["demo_request"] * len(ids),
    }
    store.append("events", pa.table(events | {"occurred_at": past, "known_at": known, "value": [9.0] * len(ids)}))
    store.append("profiles", pa.table({"lead_id": ids, "known_at": known, "job_title": ["CEO"] * len(ids)}))
    store.append(
        "stage_changes",
        pa.table({"lead_id": ids, "stage": ["customer"] * len(ids), "entered_at": past, "known_at": known}),
    )
    store.append("rule_points", pa.table({"lead_id": ids, "known_at": known, "points": [99.0] * len(ids)}))


def test_a_crash_before_publishing_leaves_the_run_before_and_the_next_one_works(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = current(world)

    def crash(*_: object, **__: object) -> None:
        raise MemoryError("the machine is full")

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "audit", crash)
        with pytest.raises(MemoryError):
            world.score(days_later=1)
    pd.testing.assert_frame_equal(current(world), before, check_exact=True)
    assert ("failed", "MemoryError: the machine is full") in runs(world)
    with world.open(read_only=True) as store:
        assert store.rows("SELECT count(*) FROM scores_staging") == [(0,)]
    assert world.score(days_later=1).status == "published"
    assert len(current(world)) != 0
    assert (current(world)["as_of"] > before["as_of"].iloc[0]).all()


def test_a_lead_that_objects_between_reading_and_publishing_is_not_published(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead, objecting_before = current(world)["lead_id"].iloc[0], world.scored.excluded["objects to profiling"]
    honest = publishing.audit

    def objecting(store: LeadStore, *given: Any, **named: Any) -> publishing.Audit:
        store.change("INSERT INTO objections VALUES ($1, $2)", [lead, NOW])
        return honest(store, *given, **named)

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "audit", objecting)
        report = world.score(days_later=1)
    assert report.excluded["objects to profiling"] == objecting_before + 1
    assert report.scored + sum(report.excluded.values()) + sum(report.quarantined.values()) == report.leads_in
    scores = current(world)
    assert len(scores) == report.scored
    assert lead not in set(scores["lead_id"])
    assert scores["percentile"].max() == 100


@pytest.mark.parametrize(
    ("given", "said"),
    [({"score__most_mean_factor": 1.000001}, "mean probability moved"), ({"score__least_volume_share": 1.0}, "Only ")],
)
def test_a_jump_is_not_published(world: World, given: dict[str, float], said: str) -> None:
    before = current(world)
    if "score__least_volume_share" in given:
        with world.open() as store:
            store.change("DELETE FROM leads WHERE lead_id LIKE '%3'")
    with pytest.raises(AuditRefused, match=said):
        world.score(days_later=1, settings=world.settings(**given))
    pd.testing.assert_frame_equal(current(world), before, check_exact=True)
    assert "failed" in {status for status, _ in runs(world)}


# The champion --------------------------------------------------------------------------------------------------------


def test_without_a_champion_nothing_is_scored(world: World) -> None:
    with world.open() as store:
        store.change("DELETE FROM promotions")
    before = everything(world)
    with pytest.raises(ReleaseRefused, match=r"No version is champion.*leadscore promote"):
        world.score()
    assert everything(world) == before


@pytest.mark.parametrize("how", ["changed", "gone", "added", "all changed"])
def test_a_champion_whose_files_were_tampered_with_does_not_score(world: World, how: str) -> None:
    shutil.rmtree(world.folder / "releases")
    (model,) = (world.folder / "mlruns").rglob("model.txt")
    match how:
        case "changed":
            model.write_text(model.read_text().replace("leaf_value=", "leaf_value=1", 1))
        case "gone":
            model.unlink()
        case "added":
            (model.parent / "extra.txt").write_text("")
        case "all changed":
            # The manifest agrees with the changed file: only the digest in the store knows better.
            model.write_text(model.read_text() + "\n")
            import hashlib

            manifest = json.loads((model.parent / "manifest.json").read_text())
            content = model.read_bytes()
            manifest["model.txt"] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            (model.parent / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    before = everything(world)
    with pytest.raises(ReleaseRefused, match="is not what was registered"):
        world.score(days_later=1)
    with world.open() as store, pytest.raises(ReleaseRefused, match="is not what was registered"):
        promote(store, world.tracking(), cache_of(world.settings()), world.settings(), version="1", now=NOW)
    assert everything(world) == before


def test_a_version_of_another_store_is_not_trusted(world: World) -> None:
    with world.open() as store:
        store.change("DELETE FROM releases")
        with pytest.raises(ReleaseRefused, match=r"Version 1 was not registered from the store"):
            champion.registered(store, "1")


def test_a_promotion_says_who_was_champion_and_is_on_record(world: World) -> None:
    with world.open() as store:
        store.change("UPDATE releases SET status = 'candidate', promoted_at = NULL")
        store.change("DELETE FROM promotions")
        for before in (None, "1"):  # the second time it is champion already, and nothing changes
            settings = world.settings()
            done = promote(
                store, world.tracking(), cache_of(settings), settings, version=None, now=NOW, force_reason=SMALL
            )
            assert (done.version, done.before, done.digest) == ("1", before, world.report.digest)
        assert store.rows("SELECT number, model_version, action FROM promotions") == [(1, "1", "promote")]
        ((status, promoted),) = store.rows("SELECT status, epoch_us(promoted_at) FROM releases")
    assert (status, promoted) == ("champion", microseconds(NOW))


def test_there_must_be_something_to_promote(world: World) -> None:
    with world.open() as store:
        with pytest.raises(ReleaseRefused, match="Version 7 was not registered"):
            promote(store, world.tracking(), cache_of(world.settings()), world.settings(), version="7", now=NOW)
        world.tracking().client.delete_registered_model_alias("leadscore", "candidate")
        with pytest.raises(ReleaseRefused, match="no candidate to promote"):
            promote(store, world.tracking(), cache_of(world.settings()), world.settings(), version=None, now=NOW)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"bands__a_probability": 0.01}, r"\[bands\]"),
        ({"stages__mql_probability": 0.9}, r"\[stages\]"),
    ],
)
def test_limits_that_contradict_each_other_are_refused(world: World, given: dict[str, float], said: str) -> None:
    before = current(world)
    with pytest.raises(ConfigError, match=said):
        world.score(days_later=1, settings=world.settings(**given))
    pd.testing.assert_frame_equal(current(world), before, check_exact=True)


# Stages by economics -------------------------------------------------------------------------------------------------

MONEY: Final = {
    "stages__limits": "economics",
    "economics__customer_value": 12_000.0,
    "economics__sales_touch_cost": 150.0,
    "economics__nurture_touch_cost": 5.0,
}


def test_stages_by_economics_hand_over_no_more_than_sales_can_take_up(world: World) -> None:
    def stages(**given: Any) -> dict[str, int]:
        return world.score(settings=world.settings(**MONEY, **given), dry_run=True).stages

    def with_sales(found: dict[str, int]) -> int:
        return sum(found.get(stage, 0) for stage in WITH_SALES)

    # Whom sales accepted is theirs, and stands beside the list.
    one, few = stages(economics__touches_per_day=1), stages(economics__touches_per_day=11)
    assert with_sales(few) == with_sales(one) + 10 < with_sales(stages())
    # Places are given out over all leads, however they are read.
    assert stages(economics__touches_per_day=11, score__range_leads=37) == few

"""Who scores: promotions in order, and the way back with the scores that belong to it, in one transaction."""

from datetime import timedelta
from typing import Any

import pytest

from features.errors import ReleaseRefused
from pipelines import cards, champion, promote, reviewing
from pipelines.score import cache_of
from pipelines.tracking import CHAMPION, Tracking
from tests.pipelines.conftest import NOW, World, second_version
from tests.signed import approve_and_promote


def promoted(world: World, version: str, *, hours: int = 1) -> promote.Promotion:
    settings, now = world.settings(), NOW + timedelta(hours=hours)
    with world.open() as store:
        return approve_and_promote(store, world.tracking(), cache_of(settings), settings, version=version, now=now)


def rolled_back(world: World, *, tracking: Tracking | None = None) -> promote.Rollback:
    with world.open() as store:
        return promote.rollback(
            store, tracking or world.tracking(), cache_of(world.settings()), reason="it was wrong",
            now=NOW + timedelta(hours=5),
        )  # fmt: skip


def rows(world: World, query: str) -> list[tuple[Any, ...]]:
    with world.open(read_only=True) as store:
        return store.rows(query)


PUBLISHED = "SELECT as_of = (SELECT min(as_of) FROM published), run_id, fence FROM published ORDER BY as_of"


@pytest.mark.parametrize("registry", ["there", "away"])
def test_rolling_back_brings_back_the_version_and_the_scores_it_had_published(world_on: World, registry: str) -> None:
    world = world_on
    first = world.scored
    before = rows(world, "SELECT lead_id, probability, reasons FROM current_scores ORDER BY lead_id")
    second = second_version(world)
    assert promoted(world, second).before == "1"
    # It publishes over the night of the first, and one night that the first never saw.
    over = world.score(supersede="a new model")
    alone = world.score(days_later=1)
    assert (over.model_version, alone.model_version) == (second, second)
    assert rows(world, PUBLISHED) == [(True, over.run_id, 2), (False, alone.run_id, 1)]
    away = Tracking(uri="sqlite:////nowhere/mlflow.db", experiment="leadscore", model_name="leadscore")
    done = rolled_back(world, tracking=away if registry == "away" else None)
    assert (done.version, done.withdrawn, done.back, done.none) == ("1", second, 1, 1)
    assert bool(done.warnings) == (registry == "away")
    assert rows(world, PUBLISHED) == [(True, first.run_id, 3), (False, None, 2)]
    assert rows(world, "SELECT lead_id, probability, reasons FROM current_scores ORDER BY lead_id") == before
    # History stays: three runs, each with all of its rows, and every state of what was published.
    assert rows(world, "SELECT count(DISTINCT run_id) FROM scores") == [(3,)]
    log = rows(world, "SELECT fence, run_id, reason FROM publications ORDER BY as_of, fence")
    assert log == [
        (1, first.run_id, "scored"),
        (2, over.run_id, "a new model"),
        (3, first.run_id, "it was wrong"),
        (1, alone.run_id, "scored"),
        (2, None, "it was wrong"),
    ]
    assert rows(world, "SELECT action, model_version FROM promotions ORDER BY number")[1:] == [
        ("promote", second),
        ("rollback", "1"),
    ]
    assert rows(world, "SELECT reason FROM promotions ORDER BY number DESC LIMIT 1") == [("it was wrong",)]
    assert world.tracking().version_of(CHAMPION) == (second if registry == "away" else "1")
    # The nights go on with it.
    assert world.score(days_later=1).model_version == "1"
    assert world.score().status == "unchanged"


def test_a_withdrawn_version_is_skipped_on_the_way_back(world: World) -> None:
    second = second_version(world)
    promoted(world, second)
    rolled_back(world)
    with pytest.raises(ReleaseRefused, match=r"no version to go back to: no other was ever champion"):
        rolled_back(world)
    # What was said of it before does not bring it back.
    with world.open() as store, pytest.raises(ReleaseRefused, match="withdrawn on 2026-01-02, after its approval"):
        promote.promote(
            store, world.tracking(), cache_of(world.settings()), world.settings(), version=second,
            now=NOW + timedelta(hours=6), force_reason="it was approved once",
        )  # fmt: skip
    with world.open(read_only=True) as store:
        card = cards.card_of(world.tracking(), cache_of(world.settings()), champion.registered(store, second))
        standing = reviewing.standing_of(store, card)
        (found,) = reviewing.still_standing(store, world.tracking(), cache_of(world.settings()), second)
    assert (standing["approved"], standing["withdrawn_at"]) == (False, "2026-01-02T08:04:05+00:00")
    assert (found["stands"], found["why"]) == (False, "the version was withdrawn since")
    # A person may think again.
    assert promoted(world, second, hours=6).version == second
    assert rows(world, "SELECT status FROM releases ORDER BY model_version") == [("retired",), ("champion",)]


def test_a_version_that_was_refused_is_skipped_on_the_way_back(world: World) -> None:
    second = second_version(world)
    promoted(world, second)
    third = second_version(world)
    promoted(world, third, hours=2)

    def refuse(version: str, hours: int) -> None:
        with world.open() as store:
            reviewing.review(
                store, world.tracking(), cache_of(world.settings()), version=version, decision="refused", by="Bob",
                note="it leaks", now=NOW + timedelta(hours=hours),
            )  # fmt: skip

    refuse(second, 3)
    done = rolled_back(world)
    assert (done.version, done.withdrawn) == ("1", third)
    assert any(f"Version {second} was skipped on the way back" in warning for warning in done.warnings)
    promoted(world, third, hours=6)
    refuse("1", 7)
    with pytest.raises(ReleaseRefused, match=f"no version to go back to: the review of version 1, {second} refuses"):
        rolled_back(world)


def test_without_a_champion_there_is_nothing_to_go_back_from(world: World) -> None:
    with world.open() as store:
        store.change("DELETE FROM promotions")
    with pytest.raises(ReleaseRefused, match="none is champion"):
        rolled_back(world)


def test_a_rollback_that_fails_changes_nothing(world_on: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_on
    second = second_version(world)
    promoted(world, second)
    over = world.score(supersede="a new model")
    states = [PUBLISHED, "SELECT model_version, status FROM releases ORDER BY 1", "SELECT number FROM promotions"]
    before = [rows(world, query) for query in states]

    def crash(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(champion, "crown", crash)
    with pytest.raises(MemoryError):
        rolled_back(world)
    assert [rows(world, query) for query in states] == before
    assert before[0] == [(True, over.run_id, 2)]


def test_the_champion_of_a_moment_is_the_last_one_promoted_by_then(world: World) -> None:
    second = second_version(world)
    promoted(world, second, hours=2)
    with world.open(read_only=True) as store:
        versions = [
            found.version if (found := champion.active_at(store, NOW + timedelta(hours=h))) else None
            for h in (-1, 0, 1, 2, 3)
        ]
    assert versions == [None, "1", "1", second, second]

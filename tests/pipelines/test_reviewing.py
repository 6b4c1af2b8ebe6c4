"""A review is kept with the card's digest, stands for that card only, and reaches the registry when it can."""

from datetime import timedelta

import pytest

from features.errors import ReleaseRefused
from models import card
from pipelines import cards, champion, failpoints, reviewing
from pipelines.reviewing import Reviewed
from pipelines.score import cache_of
from pipelines.tracking import Tracking
from tests.pipelines.conftest import NOW, World, second_version

AWAY = "sqlite:////nowhere/mlflow.db"


def away() -> Tracking:
    return Tracking(uri=AWAY, experiment="leadscore", model_name="leadscore")


def reviewed(
    world: World, version: str, decision: reviewing.Decision, *, tracking: Tracking | None = None, note: str = "read"
) -> Reviewed:
    with world.open() as store:
        return reviewing.review(
            store, tracking or world.tracking(), cache_of(world.settings()), version=version, decision=decision,
            by="Ada", note=note, now=NOW + timedelta(hours=1),
        )  # fmt: skip


def test_reviews_are_kept_in_order_and_the_last_one_counts(world_on: World) -> None:
    world = world_on
    second = second_version(world)
    first = reviewed(world, second, "refused", note="no")
    then = reviewed(world, second, "approved", note="yes")
    assert [r.review.number for r in (first, then)] == [2, 3]
    with world.open(read_only=True) as store:
        assert reviewing.last_review(store, second) == then.review
        assert reviewing.last_review(store, "7") is None
        assert [r.decision for r in reviewing.reviews_of(store, second)] == ["approved", "refused"]
        assert [r.version for r in reviewing.reviews_of(store)] == [second, second, "1"]
        chosen = champion.registered(store, second)
        card = cards.card_of(world.tracking(), cache_of(world.settings()), chosen)
        standing = reviewing.standing_of(store, card)
    assert then.review.card_digest == card.digest
    assert (standing["approved"], standing["status"]) == (True, "candidate")
    assert [r["note"] for r in standing["reviews"]] == ["no", "yes"]
    tags = world.tracking().client.get_model_version("leadscore", second).tags
    assert tags["review"] == "approved"
    assert tags["review_by"] == "Ada"
    assert tags["reviewed_card"] == card.digest


def test_with_the_registry_away_the_review_counts_all_the_same(world: World) -> None:
    with world.open() as store:
        store.change("DELETE FROM reviews")
    done = reviewed(world, "1", "approved", tracking=away())
    assert "The store has the review all the same" in done.warnings[0]
    with world.open(read_only=True) as store:
        assert reviewing.last_review(store, "1") == done.review
        (found,) = reviewing.still_standing(store, away(), cache_of(world.settings()))
    assert (found["stands"], found["why"]) == (True, "")


def test_without_a_card_to_be_read_nothing_is_signed_and_nothing_is_known(world: World) -> None:
    second = second_version(world)
    with pytest.raises(Exception, match="cannot be used"):
        reviewed(world, second, "approved", tracking=away())
    with pytest.raises(ReleaseRefused, match="Version 7 was not registered"):
        reviewed(world, "7", "approved")
    reviewed(world, second, "approved")
    with world.open(read_only=True) as store:
        (found,) = reviewing.still_standing(store, away(), cache_of(world.settings()), second)
    assert (found["stands"], found["why"]) == (None, "its card cannot be read")


def test_refusing_the_champion_says_how_to_take_it_back(world: World) -> None:
    done = reviewed(world, "1", "refused")
    assert any("leadscore rollback --reason WHY" in warning for warning in done.warnings)
    with world.open(read_only=True) as store:
        assert champion.champion_of(store) == champion.registered(store, "1")


def test_an_incomplete_card_cannot_be_approved_but_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card, "missing_sections", lambda _: ["months", "segments"])
    with pytest.raises(ReleaseRefused, match=r"cannot be approved: it says nothing of .+, .+\. Train again"):
        reviewed(world, "1", "approved")
    assert len(reviewed(world, "1", "refused").missing) == 2


def test_only_the_card_that_was_read_is_signed(world: World) -> None:
    with world.open() as store:
        (before,) = reviewing.reviews_of(store)

        def sign(digest: str) -> Reviewed:
            return reviewing.review(
                store, world.tracking(), cache_of(world.settings()), version="1", decision="approved", by="Ada",
                note="read", now=NOW, card_digest=digest,
            )  # fmt: skip

        digest = before.card_digest
        for other in ("0" * 64, "", digest[:11], digest + "0", "0" + digest[1:]):
            with pytest.raises(ReleaseRefused, match=f"has the digest {digest}, not {other}: it is not the one that"):
                sign(other)
        assert len(reviewing.reviews_of(store)) == 1
        assert [sign(same).review.number for same in (digest, digest[:12])] == [2, 3]


def test_what_was_registered_anew_while_it_was_read_is_not_signed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world.open() as store:

        def other(_: cards.Card) -> None:
            store.change("UPDATE releases SET digest = 'another'")

        with pytest.raises(ReleaseRefused, match="registered anew while its card was read"):
            reviewing.review(
                store, world.tracking(), cache_of(world.settings()), version="1", decision="approved", by="Ada",
                note="read", now=NOW, tell=other,
            )  # fmt: skip
        assert len(reviewing.reviews_of(store)) == 1


def test_a_review_that_is_killed_before_its_commit_was_not_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(name: str) -> None:
        if name == "review: before the commit":
            raise KeyboardInterrupt

    monkeypatch.setattr(failpoints, "HOOK", [die])
    with pytest.raises(KeyboardInterrupt):
        reviewed(world, "1", "refused")
    with world.open(read_only=True) as store:
        assert [r.decision for r in reviewing.reviews_of(store)] == ["approved"]

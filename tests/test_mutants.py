"""Safeguards one at a time: what stands behind another one, and would not be missed; and that each can be removed."""

from pathlib import Path
from typing import Any

import pytest

from features.errors import LockHeld, ReleaseRefused
from pipelines import champion, config, failpoints
from pipelines.promote import promote, rollback
from pipelines.store import LeadStore
from tests.mutants import MUTANTS, ROOT, Mutant
from tests.pipelines.test_publishing import NOW, begin, let_out, published, staged
from tests.stores import memory_store


class Garbage:
    """A registry, and a cache, that have something else than was registered."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def download(self, version: str) -> Path:
        place = self.folder / version / "release"
        place.mkdir(parents=True)
        (place / "model.txt").write_text("tree")
        return place

    def set_alias(self, alias: str, version: str) -> None:
        """Done."""


def released(store: LeadStore, *versions: str) -> None:
    for version in versions:
        store.change(
            "INSERT INTO releases (model_version, digest, status, registered_at, facts) VALUES ($1, $2, 'candidate', "
            "$3, '')",
            [version, f"digest {version}", NOW],
        )


def test_a_run_that_began_before_a_later_one_was_published_cannot_replace_it() -> None:
    """The fence of an as_of that was published before; nobody took the first for dead."""
    with memory_store() as store:
        published(store, "first", [0.1])
        begin(store, "slow")
        counts = staged(store, "slow", [0.2])
        store.change("UPDATE published SET run_id = 'quick', fence = 2")
        with pytest.raises(LockHeld, match="comes too late"):
            let_out(store, counts, "slow")
        assert store.rows("SELECT run_id, fence FROM published") == [("quick", 2)]


def test_a_run_that_was_taken_for_dead_cannot_publish() -> None:
    """Its row is closed; nobody else has published."""
    with memory_store() as store:
        begin(store, "dead")
        counts = staged(store, "dead", [0.2])
        store.change("UPDATE runs SET status = 'failed'")
        with pytest.raises(LockHeld, match="another run took over"):
            let_out(store, counts, "dead")
        assert store.rows("SELECT count(*) FROM published") == [(0,)]


def test_a_run_that_lost_rows_after_its_audit_cannot_publish() -> None:
    with memory_store() as store:
        begin(store, "swept")
        counts = staged(store, "swept", [0.2, 0.3])
        store.change("DELETE FROM scores_staging WHERE lead_id = 'lead-1'")
        with pytest.raises(LockHeld):
            let_out(store, counts, "swept")
        assert store.rows("SELECT count(*) FROM scores") == [(0,)]


def test_a_run_that_dies_just_before_its_commit_has_published_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(name: str) -> None:
        if name == "score: after the pointer":
            raise KeyboardInterrupt

    with memory_store() as store:
        published(store, "before", [0.3])
        begin(store, "dies")
        counts = staged(store, "dies", [0.2])
        queries = [
            "SELECT run_id, fence FROM published",
            "SELECT run_id FROM scores_staging",
            "SELECT run_id, status FROM runs ORDER BY 1",
            "SELECT run_id FROM scores",
        ]
        before = [store.rows(query) for query in queries]
        monkeypatch.setattr(failpoints, "HOOK", [die])
        with pytest.raises(KeyboardInterrupt):
            let_out(store, counts, "dies")
        assert [store.rows(query) for query in queries] == before


def test_a_rollback_that_dies_before_its_commit_has_done_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry: Any = Garbage(tmp_path)
    registry.has = lambda _: True

    def die(name: str) -> None:
        if name == "rollback: before the commit":
            raise KeyboardInterrupt

    with memory_store() as store:
        released(store, "1", "2")
        for version in ("1", "2"):
            champion.crown(store, champion.registered(store, version), action="promote", reason="", now=NOW)
        queries = ["SELECT model_version, status FROM releases ORDER BY 1", "SELECT count(*) FROM promotions"]
        before = [store.rows(query) for query in queries]
        monkeypatch.setattr(failpoints, "HOOK", [die])
        with pytest.raises(KeyboardInterrupt):
            rollback(store, registry, registry, reason="it was wrong", now=NOW)
        assert [store.rows(query) for query in queries] == before


def test_nothing_is_promoted_whose_files_are_not_those_registered(tmp_path: Path) -> None:
    from pipelines.release_cache import ReleaseCache

    with memory_store() as store:
        released(store, "1")
        registry, cache = Garbage(tmp_path), ReleaseCache(tmp_path / "cache")
        with pytest.raises(ReleaseRefused, match="is not what was registered"):
            promote(store, registry, cache, config.load(environment={}), version="1", now=NOW)  # type: ignore[arg-type]
        assert champion.champion_of(store) is None


# The mutants themselves ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.safeguard.replace(" ", "-"))
def test_what_a_mutant_takes_away_is_there_once(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text(encoding="utf-8").count(mutant.old) == 1
    assert mutant.old != mutant.new
    for test in mutant.tests:
        file, name = test.split("::")
        assert f"def {name.split('[')[0]}(" in (ROOT / file).read_text(encoding="utf-8")

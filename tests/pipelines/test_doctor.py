"""After a bad night: what is stuck, left over, missing or late is found, said, and freed when asked."""

import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from pipelines import ledger, publishing
from pipelines.doctor import Finding, examine
from tests.pipelines.conftest import NOW, World


@pytest.fixture
def world(world_on: World) -> World:
    """A world of its own for each test, on each engine in turn."""
    return world_on


def looked(world: World, *, free: bool = False) -> dict[str, Finding]:
    with world.open() as store:
        now = world.as_of + timedelta(hours=2)
        # The test server's clock is not the world's.
        found = examine(store, world.settings(), world.tracking(), now=now, free=free)
    return {finding.what: finding for finding in found if finding.what != "clock difference"}


def begun(world: World, run: str = "stuck", **more: Any) -> None:
    with world.open() as store:
        publishing.begin_run(
            store, run_id=run, as_of=world.as_of, mode="nightly", model_version="1", release_digest="d",
            config_digest="c", now=NOW,
        )  # fmt: skip
        store.change("INSERT INTO scores_staging (run_id, lead_id, as_of) VALUES ($1, 'a', $2)", [run, NOW])


def test_a_store_in_order_has_nothing_to_say(world: World) -> None:
    assert looked(world) == {}


def test_a_run_that_died_is_found_and_freed(world: World) -> None:
    begun(world)
    found = looked(world)
    assert set(found) == {"stuck run"}
    assert "score run stuck" in found["stuck run"].detail
    assert "is dead: it ended without a word" in found["stuck run"].detail
    assert found["stuck run"].next == "leadscore doctor --free"
    assert looked(world)["stuck run"] == found["stuck run"], "looking changes nothing"
    assert looked(world, free=True)["stuck run"].freed
    assert looked(world) == {}
    with world.open(read_only=True) as store:
        assert store.rows("SELECT status, message FROM runs WHERE run_id = 'stuck'") == [("failed", "freed by doctor")]
        assert store.rows("SELECT count(*) FROM scores_staging") == [(0,)]


def test_staging_of_nobody_is_found_and_swept(world: World) -> None:
    with world.open() as store:
        store.change("INSERT INTO scores_staging (run_id, lead_id, as_of) VALUES ('nobody', 'a', $1)", [NOW])
    assert "1 staged rows belong to no run" in looked(world)["orphan staging"].detail
    assert looked(world, free=True)["orphan staging"].freed
    assert looked(world) == {}


def test_another_job_is_dead_when_its_process_is(world: World) -> None:
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    with world.open() as store:
        for run, pid in (("dead", process.pid), ("alive", os.getpid())):
            ledger.begin(store, run, "import", now=NOW)
            store.change("UPDATE runs SET pid = $1 WHERE run_id = $2", [pid, run])
    found = looked(world)
    assert "import run dead" in found["stuck run"].detail
    looked(world, free=True)
    assert looked(world) == {}
    with world.open(read_only=True) as store:
        assert store.rows("SELECT run_id FROM runs WHERE status = 'running'") == [("alive",)]


def test_a_published_run_without_its_rows_is_called_damaged(world: World) -> None:
    with world.open() as store:
        store.change("DELETE FROM scores")
    assert "has 0 of its" in looked(world)["damaged run"].detail
    assert not looked(world, free=True)["damaged run"].freed


def test_a_missing_release_is_named_with_what_to_type(world: World) -> None:
    (world.folder / "releases" / str(world.report.digest) / "model.txt").unlink()
    world.tracking().client.delete_model_version("leadscore", "1")
    found = looked(world)
    assert set(found) == {"no local copy", "alias differs", "missing release"}
    assert found["alias differs"].next == "leadscore promote 1"
    (world.folder / "mlflow.db").unlink()
    assert "registry unreachable" in looked(world)


def test_without_a_champion_the_next_steps_are_said(world: World) -> None:
    with world.open() as store:
        store.change("DELETE FROM promotions")
    assert (
        looked(world)["no champion"].next == "leadscore train, leadscore review VERSION, then leadscore promote VERSION"
    )


def test_a_job_that_hangs_is_ended_and_publishes_nothing(trained_on_postgres: str, postgres_server: Any) -> None:
    """Another session holds the scoring lock: its connection is cut, and the lock is free."""
    from pipelines.store import LeadStore

    postgres_server.create_database("hangs", trained_on_postgres)
    url = postgres_server.url("hangs")
    try:
        with LeadStore.open(url) as hanging, LeadStore.open(url) as doctor:
            assert hanging.engine.take_lock("score")
            assert not doctor.engine.take_lock("score")
            assert doctor.engine.free_lock("score") == 1
            assert doctor.engine.take_lock("score")
            with pytest.raises(Exception, match=r"connection to the store .* broke"):
                hanging.rows("SELECT 1")
    finally:
        postgres_server.drop_database("hangs")

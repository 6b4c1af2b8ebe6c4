"""The database goes away, answers are lost, disks and memory fill up."""

import contextlib
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from features.tables import PROFILE_COLUMNS
from tests.faults.cases import Case, Seen
from tests.faults.proxy import Proxy
from tests.postgres import Server


def published_once(case: Case, undisturbed: Seen) -> None:
    seen = case.seen()
    assert (seen.rows, seen.digest, len(seen.runs)) == (undisturbed.rows, undisturbed.digest, 1)
    day = f"epoch_us(as_of) = {int(case.day(1).timestamp()) * 1_000_000}"
    assert case.rows(f"SELECT run_id FROM publications WHERE {day}") == [seen.runs]
    case.check_at_rest()


# A server that restarts (F05) ----------------------------------------------------------------------------------------


@pytest.mark.fault("F05")
@pytest.mark.parametrize(
    "point",
    [
        "score: before the lock",
        "score: mid staging",
        "score: mid audit",
        "score: before the pointer",
        "score: after the commit",
    ],
)
def test_a_server_that_crashes_and_comes_back_costs_an_attempt(
    on_postgres: Case, postgres_server: Server, undisturbed: Seen, point: str
) -> None:
    child = on_postgres.start(at=point, then="freeze").until_frozen()
    postgres_server.restart(mode="immediate")
    child.resume()
    ended = child.ended()
    assert (ended.code, ended.report["status"]) == (0, "published"), ended
    published_once(on_postgres, undisturbed)


@pytest.mark.fault("F05")
def test_a_server_that_stays_away_ends_the_run_with_13(
    on_postgres: Case, postgres_server: Server, undisturbed: Seen
) -> None:
    before = on_postgres.seen()
    child = on_postgres.start(at="score: mid staging", then="freeze", patches=["without patience"]).until_frozen()
    postgres_server.stop(mode="immediate")
    child.resume()
    ended = child.ended()
    assert ended.code == 13, ended
    assert on_postgres.url.rpartition(":")[0].partition("@")[0][20:] not in ended.said, "no password"
    postgres_server.start()
    assert on_postgres.seen() == before
    assert on_postgres.run().code == 0
    published_once(on_postgres, undisturbed)


@pytest.mark.fault("F05")
def test_a_file_has_no_server_but_the_machine_may_stop(on_duckdb: Case, undisturbed: Seen) -> None:
    """What stands for it: the file as it lies on the disk while a run is in the middle of its commit."""
    child = on_duckdb.start(at="score: after the pointer", then="freeze").until_frozen()
    disk = on_duckdb.folder / "as-found"
    disk.mkdir()
    for file in on_duckdb.folder.glob("leads.duckdb*"):
        (disk / file.name).write_bytes(file.read_bytes())
    child.resume()
    assert child.ended().code == 0
    found = replace(on_duckdb, url=str(disk / "leads.duckdb"))
    assert found.seen().digest != undisturbed.digest
    assert found.run().code == 0
    for each in (found, on_duckdb):
        published_once(each, undisturbed)


# Around COMMIT (F06) -------------------------------------------------------------------------------------------------


@pytest.mark.fault("F06")
@pytest.mark.parametrize("lost", ["request", "answer"])
def test_a_connection_that_drops_around_the_commit_is_looked_up(
    on_postgres: Case, undisturbed: Seen, lost: str, measured: Callable[[str], None]
) -> None:
    with Proxy(on_postgres.url) as proxy:
        child = replace(on_postgres, url=proxy.url).start(at="score: after the pointer", then="freeze").until_frozen()
        proxy.arm(lost)  # type: ignore[arg-type]
        child.resume()
        ended = child.ended()
        assert proxy.cut.is_set()
    assert (ended.code, ended.report["status"]) == (0, "published"), ended
    looked_up = ended.report["checked"] == ["the connection broke after the commit: it came through"]
    assert looked_up == (lost == "answer")
    published_once(on_postgres, undisturbed)
    measured(f"COMMIT's {lost} lost: {'found published' if looked_up else 'begun anew'}")


@pytest.mark.fault("F10")
def test_a_killed_holder_s_lock_is_free_within_seconds(on_postgres: Case, measured: Callable[[str], None]) -> None:
    """Though its statement would run on for a minute: the server notices that nobody waits for it."""
    holder = on_postgres.start("hold").until("hold: the lock is held")
    time.sleep(0.3)
    busy = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%'"
    assert on_postgres.rows(busy) == [(1,)]
    held = on_postgres.run()
    assert held.code == 11, held
    holder.kill()
    began = time.monotonic()
    ended = on_postgres.run(given={"lock_timeout_seconds": 15})
    assert (ended.code, ended.report["status"]) == (0, "published"), ended
    measured(f"killed while a statement runs: next run published {time.monotonic() - began:.1f} s later")


# A full disk (F07) ---------------------------------------------------------------------------------------------------


@pytest.mark.fault("F07")
def test_a_full_disk_under_a_file(on_duckdb: Case, undisturbed: Seen, measured: Callable[[str], None]) -> None:
    """Every limit from the very first byte on, until a run passes: the file or its log may not grow beyond it."""
    before = on_duckdb.seen()
    failed = []
    limit = 16 * 1024
    while True:
        ended = on_duckdb.run(most_bytes=limit)
        if ended.code == 0:
            break
        assert ended.code in (1, 13), ended
        assert "Traceback" not in ended.log, ended
        assert str(on_duckdb.folder) in ended.said
        failed.append(limit)
        assert on_duckdb.seen() == before
        limit *= 4
        assert limit < 1 << 32
    assert len(failed) >= 2
    again = on_duckdb.run()
    assert again.report["status"] in {"published", "unchanged"}
    published_once(on_duckdb, undisturbed)
    measured(f"RLIMIT_FSIZE: {len(failed)} limits from 16 kB on refused, then published")


@pytest.mark.fault("F07")
def test_a_full_disk_under_a_server(
    on_postgres: Case, postgres_server: Server, undisturbed: Seen, measured: Callable[[str], None]
) -> None:
    """The staging table on a file system of half a megabyte."""
    place = postgres_server.folder / "small"
    place.mkdir(exist_ok=True)
    options = f"size=512k,mode=700,uid={place.parent.stat().st_uid}"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", place], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here; temp_file_limit stands for it")
    try:
        before = on_postgres.seen()
        on_postgres.change(
            f"CREATE TABLESPACE small LOCATION '{place}'", "ALTER TABLE scores_staging SET TABLESPACE small"
        )
        with (place / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(bytes(4096))
        ended = on_postgres.run()
        assert ended.code == 1, ended
        assert "No space left on device" in ended.said
        assert on_postgres.seen() == before
        (place / "filler").unlink()
        on_postgres.change("TRUNCATE scores_staging", "ALTER TABLE scores_staging SET TABLESPACE pg_default")
        assert on_postgres.run().code == 0
        published_once(on_postgres, undisturbed)
        on_postgres.change("DROP TABLESPACE small")
        measured("tmpfs of 512 kB under staging: refused, later published")
    finally:
        subprocess.run(["umount", "-l", place], check=True)


# Memory (F08) --------------------------------------------------------------------------------------------------------


@pytest.mark.fault("F08")
def test_a_run_that_gets_no_more_memory_publishes_all_or_nothing(
    case: Case, undisturbed: Seen, measured: Callable[[str], None]
) -> None:
    before = case.seen()
    failed = 0
    for megabytes in (0, 4, 16, 64, 256):
        ended = case.run(at="score: before the lock", then="starve", spare=megabytes << 20)
        if ended.code == 0:
            break
        failed += 1
        assert case.seen() == before, ended
    # Before a server, so small a run may find all it needs in memory that was freed before.
    assert failed or case.url.startswith("postgresql://")
    assert case.run().code == 0
    published_once(case, undisturbed)
    measured(f"RLIMIT_AS: {failed} runs without memory published nothing")


@pytest.mark.fault("F08")
def test_ten_times_the_leads_in_the_same_memory(case: Case, measured: Callable[[str], None]) -> None:
    few = case.run()
    columns = {
        "leads": "created_at, known_at",
        "profiles": f"known_at, {', '.join(PROFILE_COLUMNS)}, attributes",
        "stage_changes": "stage, entered_at, known_at, amount, reason",
    }
    copies = "(VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9)) AS k (n)"
    case.change(
        *(
            f"INSERT INTO {table} (lead_id, {names}) SELECT k.n || '-' || t.lead_id, {names} FROM {table} t, {copies}"
            for table, names in columns.items()
        ),
        "INSERT INTO events (event_id, lead_id, occurred_at, known_at, type, value) SELECT k.n || '-' || event_id, "
        f"k.n || '-' || lead_id, occurred_at, known_at, type, value FROM events t, {copies}",
    )
    refused = case.run(days_later=2)
    assert refused.code == 10, refused
    assert "times as many. Were leads imported twice under other ids?" in refused.said
    many = case.run(days_later=2, given={"accept_drift": "we bought a list"})
    assert (many.code, many.report["leads_in"]) == (0, 10 * few.report["leads_in"]), many
    more = (many.peak_kilobytes - few.peak_kilobytes) / 1024
    assert more < 120
    measured(f"10 times the leads, {more:+.0f} MB at the peak")


@pytest.mark.fault("F13")
def test_a_damaged_file_is_refused_by_name_and_left_alone(on_duckdb: Case) -> None:
    file = Path(on_duckdb.url)
    content = bytearray(file.read_bytes())
    content[4096 * 3 : 4096 * 3 + 64] = bytes(64)
    for damaged in (bytes(content[: len(content) // 2]), bytes(4096) + bytes(content[4096:])):
        file.write_bytes(damaged)
        ended = on_duckdb.run()
        assert ended.code in (1, 13), ended
        assert file.name in ended.said
        assert file.read_bytes() == damaged
    assert duckdb.__version__

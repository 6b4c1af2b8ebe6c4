"""kill -9 at every named place of every job: readers see a whole run, and running it again mends everything."""

import re
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median

import pytest

from features.errors import StoreUnreachable
from pipelines.migrations import MIGRATIONS
from tests.faults import cases
from tests.faults.cases import INPUT, LEADS, Case, Seen

#: 200 in all; PostgreSQL is where many programs write at a time.
KILLS = {"duckdb": 60, "postgres": 140}
BEFORE_THE_COMMIT = (
    "score: before the lock", "score: after the lock", "score: mid staging", "score: after staging",
    "score: mid audit", "score: before publishing", "score: before the pointer", "score: after the pointer",
)  # fmt: skip


@pytest.mark.fault("F01")
@pytest.mark.parametrize("point", BEFORE_THE_COMMIT)
def test_a_run_that_is_killed_before_its_commit_was_never_there(case: Case, point: str, undisturbed: Seen) -> None:
    before = case.seen()
    ended = case.run(at=point, then="kill")
    assert (ended.code, ended.points[-1]) == (-9, point)
    assert case.seen() == before
    again = case.run()
    assert (again.code, again.report["status"]) == (0, "published"), again
    after = case.seen()
    assert (after.rows, after.digest) == (undisturbed.rows, undisturbed.digest)
    assert after.runs == (again.report["run_id"],)
    case.check_at_rest()


@pytest.mark.fault("F01", "F02")
def test_a_run_that_is_killed_after_its_commit_is_found_and_not_done_again(case: Case, undisturbed: Seen) -> None:
    ended = case.run(at="score: after the commit", then="kill")
    assert ended.code == -9
    published = case.seen()
    assert (published.rows, published.digest) == (undisturbed.rows, undisturbed.digest)
    rows = case.rows("SELECT count(*) FROM scores")
    again = case.run()
    assert (again.code, again.report["status"], again.report["run_id"]) == (0, "unchanged", published.runs[0])
    assert case.seen() == published
    assert case.rows("SELECT count(*) FROM scores") == rows
    case.check_at_rest()


# At random times ------------------------------------------------------------------------------------------------------


@pytest.mark.fault("F01")
def test_kills_at_random_times(case: Case, undisturbed: Seen, measured: Callable[[str], None]) -> None:
    """Each run publishes over the one before; whenever it dies, its run or the one before is seen, all of it."""
    whole = {"score.range_leads": 2 * LEADS}
    took = []
    for number in range(3):
        began = time.monotonic()
        assert case.run(flags=whole, given={"supersede": f"warm-up {number}"}).code == 0
        took.append(time.monotonic() - began)
    random = Random(2026)
    before, dead, ends = case.seen(), 0, Counter[str]()
    with watched(case) as looks:
        while dead < KILLS["postgres" if case.url.startswith("postgresql://") else "duckdb"]:
            child = case.start(flags=whole, given={"supersede": "again"})
            if dead % 4:
                time.sleep(random.uniform(0, 1.1 * median(took)))
            else:  # more of them around the commit, which is short
                child.until("score: before publishing")
                time.sleep(random.uniform(0, 0.08))
            child.kill()
            ended = child.ended()
            seen = seen_or_kept(case, ended.points)
            assert (seen.rows, seen.digest, len(seen.runs)) == (undisturbed.rows, undisturbed.digest, 1), ended.points
            if ended.code == 0:
                assert seen.runs == (ended.report["run_id"],), "what was acknowledged is there"
            else:
                assert ended.code == -9, ended
                dead += 1
                published = seen.runs != before.runs
                ends["published" if published else "the run before"] += 1
                assert not published or "score: after the pointer" in ended.points
            before = seen
    assert looks() <= {(1, undisturbed.rows)}
    last = case.run(flags=whole, given={"supersede": "the end"})
    assert (last.code, last.report["status"]) == (0, "published"), last
    after = case.seen()
    assert (after.digest, after.runs) == (undisturbed.digest, (last.report["run_id"],))
    case.check_at_rest()
    (swept,) = case.rows("SELECT count(*) FROM runs WHERE message = 'ended without a word'")
    measured(
        f"{dead} kills at random times: {ends['the run before']} show the run before, {ends['published']} the new one, "
        f"0 a mix; {swept[0]} dead runs swept"
    )


def seen_or_kept(case: Case, points: tuple[str, ...]) -> Seen:
    """What a reader sees; a file that cannot be read any more is kept, for whoever looks into it."""
    found = sorted(case.folder.glob("leads.duckdb*"))
    try:
        return case.seen()
    except StoreUnreachable as error:
        kept = Path(tempfile.mkdtemp(prefix="leadscore-damaged-"))
        for file in found:
            shutil.copy(file, kept)
        raise AssertionError(f"killed at {points[-1:]}: {error} Kept in {kept}: {[f.name for f in found]}") from error


@contextmanager
def watched(case: Case) -> Iterator[Callable[[], set[tuple[int, int]]]]:
    """Let a reader look without a pause; yield what gives (runs, rows) of every look there was."""
    looks: set[tuple[int, int]] = set()
    if not case.url.startswith("postgresql://"):
        yield lambda: looks  # a file takes no reader while a run is at work: one comes after every kill
        return
    over = threading.Event()

    def read() -> None:
        with case.open(read_only=True) as store:
            while not over.is_set():
                runs, rows = store.rows("SELECT count(DISTINCT run_id), count(*) FROM current_scores")[0]
                looks.add((int(runs), int(rows)))
                over.wait(0.1)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield lambda: looks
    finally:
        over.set()
        reader.join()


# Other jobs -----------------------------------------------------------------------------------------------------------


def champion_of(case: Case) -> str:
    return str(case.rows("SELECT model_version FROM promotions ORDER BY number DESC LIMIT 1")[0][0])


@pytest.mark.fault("F01")
def test_a_promotion_that_is_killed_is_made_or_not(case: Case) -> None:
    assert case.run("promote", version="2", at="promote: before the commit", then="kill").code == -9
    assert champion_of(case) == "1"
    assert case.rows("SELECT status FROM releases ORDER BY model_version") == [("champion",), ("candidate",)]
    assert case.run("promote", version="2", at="promote: after the commit", then="kill").code == -9
    assert champion_of(case) == "2"
    again = case.run("promote", version="2")
    assert (again.code, again.report["version"]) == (0, "2")
    assert case.rows("SELECT number, model_version FROM promotions ORDER BY number") == [(1, "1"), (2, "2")]


@pytest.mark.fault("F01", "F32")
@pytest.mark.parametrize(
    ("point", "done"), [("rollback: before the commit", False), ("rollback: after the commit", True)]
)
def test_a_rollback_that_is_killed_is_made_or_not(case: Case, point: str, done: bool) -> None:
    first = case.seen()
    assert case.run("promote", version="2").code == 0
    assert case.run(days_later=0, given={"supersede": "a new version"}).code == 0
    second = case.seen()
    assert first.digest != second.digest
    assert case.run("rollback", at=point, then="kill").code == -9
    assert case.seen() == (first if done else second)
    assert champion_of(case) == ("1" if done else "2")
    if not done:
        assert case.run("rollback").code == 0
    assert case.seen() == first
    case.check_at_rest()


@pytest.mark.fault("F01")
@pytest.mark.parametrize(("point", "done"), [("erase: before the commit", False), ("erase: after the commit", True)])
def test_an_erasure_that_is_killed_is_made_or_not(case: Case, point: str, done: bool) -> None:
    (lead,) = case.rows("SELECT min(lead_id) FROM current_scores")[0]
    everywhere = (
        f"SELECT (SELECT count(*) FROM leads WHERE lead_id = '{lead}') + (SELECT count(*) FROM events WHERE lead_id = "
        f"'{lead}') + (SELECT count(*) FROM scores WHERE lead_id = '{lead}'), (SELECT count(*) FROM tombstones)"
    )
    ((before, _),) = case.rows(everywhere)
    assert case.run("erase", lead=lead, at=point, then="kill").code == -9
    assert case.rows(everywhere) == [(0, 1) if done else (before, 0)]
    again = case.run("erase", lead=lead)
    assert (again.code, bool(again.report)) == (0, not done)
    assert case.rows(everywhere) == [(0, 1)]


@pytest.mark.fault("F01")
@pytest.mark.parametrize("point", ["import: after a batch", "import: before the commit", "import: after the commit"])
def test_an_import_that_is_killed_is_made_or_not(case: Case, point: str, tmp_path: Path) -> None:
    tables = (*INPUT, "imports", "quarantine", "attributes")
    file = tmp_path / "leads.csv"
    file.write_text("lead_id,created_at,email\n" + "".join(f"new-{n},2025-01-02,a{n}@b.example\n" for n in range(50)))
    file.write_text(file.read_text() + "bad,soon,\n")
    before = case.content(*tables)
    assert case.run("import", file=str(file), at=point, then="kill").code == -9
    done = point == "import: after the commit"
    assert (case.content(*tables) == before) is not done
    again = case.run("import", file=str(file))
    assert (again.code, again.report["loaded"], again.report["quarantined"]) == (0, 50, 1), again
    assert again.report["new"]["leads"] == (0 if done else 50)
    after = case.content(*tables)
    assert len(after["leads"]) == len(before["leads"]) + 50
    assert len(after["quarantine"]) == len(before["quarantine"]) + 1


# Migrations -----------------------------------------------------------------------------------------------------------


@pytest.mark.fault("F14")
def test_a_migration_that_is_killed_leaves_whole_changes(
    case: Case, tmp_path: Path, request: pytest.FixtureRequest, measured: Callable[[str], None]
) -> None:
    """At every statement of it."""
    url = f"{tmp_path / 'fresh.duckdb'}"
    if case.url.startswith("postgresql://"):
        url = request.getfixturevalue("postgres_url")
    fresh = replace(case, url=url)
    killed, applied, nth = 0, 0, 1
    while True:
        ended = fresh.run("migrate", at="*", nth=nth, then="kill")
        if ended.code == 0:
            break
        assert ended.code == -9, ended
        after = applied_of(fresh)
        assert after == applied + (ended.points[-1] == "migrate: after a commit")
        # What is whole stays, and the next program goes on after it.
        killed, applied, nth = killed + 1, after, nth + 1 if after == applied else 1
    assert applied_of(fresh) == len(MIGRATIONS)
    assert killed > sum(len(migration.statements) for migration in MIGRATIONS)
    measured(f"killed at each of {killed} places")
    with case.open(read_only=True) as source, fresh.open() as target:
        cases.pour(source, target)
    assert fresh.seen() == case.seen()


def applied_of(case: Case) -> int:
    try:
        return int(case.rows("SELECT count(*) FROM schema_migrations")[0][0])
    except StoreUnreachable as error:
        found = re.search(r"it has (\d+) migrations", str(error))
        return int(found[1]) if found else 0


# Registering ----------------------------------------------------------------------------------------------------------


@pytest.mark.fault("F28")
@pytest.mark.parametrize(
    ("point", "there"),
    [
        ("register: before the version", False),
        ("register: before the store's row", False),
        ("register: before the alias", True),
    ],
)
def test_a_training_that_is_killed_while_it_registers(case: Case, point: str, there: bool) -> None:
    """The store knows a candidate only when its release is whole in the registry; whatever is left, it scores on."""
    asked = {"digest": case.digests[0], "shift": -0.5, "registry": "real"}
    assert case.run("register", at=point, then="kill", **asked).code == -9
    known = case.rows("SELECT model_version FROM releases ORDER BY 1")
    assert known == [("1",), ("2",), *([("3",)] if there else [])]
    if there:
        assert case.run("promote", version="3", registry="real").code == 0
    else:
        assert case.run(registry="real").code == 0, "what was champion scores on"
        again = case.run("register", **asked)
        assert again.code == 0, again
        done = case.run("promote", version=again.report["version"], registry="real")
        assert (done.code, done.report["digest"]) == (0, again.report["digest"]), done

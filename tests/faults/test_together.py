"""Two programs at the same time: signals, a run that sleeps, a run beside a run, a reader, a promotion in between."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines import erase
from tests.faults.cases import Case, Seen
from tests.faults.nursery import ROOT, wait_until

SCORE = "score: after staging"


def published(case: Case, undisturbed: Seen) -> None:
    seen = case.seen()
    assert (seen.rows, seen.digest, len(seen.runs)) == (undisturbed.rows, undisturbed.digest, 1)
    case.check_at_rest()


# Signals (F03) -------------------------------------------------------------------------------------------------------


def arguments(case: Case) -> list[str]:
    """The command line of the next day's run, its settings in a file."""
    text = ["[score]", "range_leads = 150", "[release]", f'cache = "{case.folder / "releases"}"']
    (case.folder / "leadscore.toml").write_text("\n".join(text) + "\n")
    return ["score", "--as-of", case.day(1).isoformat(), "--config", str(case.folder / "leadscore.toml")]


def surroundings(case: Case) -> dict[str, str]:
    return {"LEADSCORE_STORE": case.url, "MLFLOW_TRACKING_URI": f"sqlite:///{case.folder / 'mlflow.db'}"}


@pytest.mark.fault("F03")
@pytest.mark.parametrize(("then", "code"), [("terminate", 143), ("interrupt", 130)])
def test_a_signal_ends_a_run_cleanly(case: Case, undisturbed: Seen, then: str, code: int) -> None:
    before = case.seen()
    asked = {"arguments": arguments(case), "environment": surroundings(case)}
    # settings come from the command line and the environment here, as in production
    ended = case.run("cli", at="score: mid staging", then=then, **asked)
    assert ended.code == code, ended
    assert "interrupted; what it had not published is not seen" in ended.log
    assert "Traceback" not in ended.log
    assert case.seen() == before
    assert case.rows("SELECT status FROM runs ORDER BY started_at DESC LIMIT 1") == [("interrupted",)]
    case.check_at_rest()
    assert case.run("cli", **asked).code == 0
    published(case, undisturbed)


@pytest.mark.fault("F03")
def test_a_second_signal_ends_it_at_once(case: Case, undisturbed: Seen) -> None:
    before = case.seen()
    child = case.start(
        "cli", arguments=arguments(case), environment=surroundings(case), at="score: mid staging", then="terminate",
        patches=["slow ending"],
    )  # fmt: skip
    child.until("ledger: ending")
    child.send(signal.SIGTERM)
    assert child.ended().code == 143
    assert case.seen() == before
    assert case.run().code == 0
    published(case, undisturbed)


@pytest.mark.fault("F03")
def test_a_real_program_that_is_terminated(case: Case, undisturbed: Seen) -> None:
    """`python -m pipelines score`, as a scheduler starts and stops it."""
    before = case.seen()
    arguments_ = [*arguments(case), "--lock-timeout", "60"]
    # It is sure to be at work: it waits for somebody who has the store.
    other = case.start(at=SCORE, then="freeze").until_frozen()
    with subprocess.Popen(
        [sys.executable, "-m", "pipelines", *arguments_], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=ROOT, env=os.environ | surroundings(case),
    ) as program:  # fmt: skip
        # Its handler is there before anything of ours is loaded; the store's library is loaded when it is opened.
        library = "psycopg" if case.url.startswith("postgresql://") else "_duckdb"
        wait_until(lambda: library in Path(f"/proc/{program.pid}/maps").read_text(), what="the program to be at work")
        program.send_signal(signal.SIGTERM)
        out, said = program.communicate(timeout=60)
    assert (program.returncode, out) == (143, "")
    assert said == "leadscore: interrupted; what it had not published is not seen.\n"
    other.kill()
    other.ended()
    assert case.seen() == before
    assert case.run().code == 0
    published(case, undisturbed)


# Asleep (F04) --------------------------------------------------------------------------------------------------------


@pytest.mark.fault("F04")
@pytest.mark.parametrize("point", [SCORE, "score: before the pointer"])
def test_a_run_that_slept_while_its_lock_was_freed_publishes_nothing(
    on_postgres: Case, undisturbed: Seen, point: str
) -> None:
    sleeper = on_postgres.start(at=point, then="freeze").until_frozen()
    held = on_postgres.run()
    assert held.code == 11, held
    assert f"process {sleeper.pid}" in held.said
    freed = on_postgres.run(
        "cli", arguments=["doctor", "--free", *arguments(on_postgres)[3:]], environment=surroundings(on_postgres)
    )
    assert freed.code in (0, 1), freed
    other = on_postgres.run()
    assert (other.code, other.report["status"]) == (0, "published"), other
    seen = on_postgres.seen()
    sleeper.resume()
    woken = sleeper.ended()
    assert (woken.code, woken.report.get("status")) == (0, "unchanged"), woken
    assert on_postgres.seen() == seen
    published(on_postgres, undisturbed)


@pytest.mark.fault("F04")
def test_a_run_that_sleeps_keeps_its_file_and_the_other_is_told(on_duckdb: Case, undisturbed: Seen) -> None:
    sleeper = on_duckdb.start(at=SCORE, then="freeze").until_frozen()
    held = on_duckdb.run(given={"lock_timeout_seconds": 0.5})
    assert held.code == 11, held
    assert f"PID {sleeper.pid}" in held.said
    sleeper.resume()
    assert sleeper.ended().code == 0
    published(on_duckdb, undisturbed)


@pytest.mark.fault("F04", "F11")
@pytest.mark.parametrize("point", [SCORE, "score: mid audit", "score: before publishing"])
def test_where_no_lock_holds_anybody_the_fence_lets_one_publish(
    on_postgres: Case, undisturbed: Seen, point: str
) -> None:
    """As behind a pooler in transaction mode: both believe that they have the lock."""
    sleeper = on_postgres.start(at=point, then="freeze", patches=["without locks"]).until_frozen()
    other = on_postgres.run(patches=["without locks"])
    assert (other.code, other.report["status"]) == (0, "published"), other
    seen = on_postgres.seen()
    sleeper.resume()
    woken = sleeper.ended()
    assert woken.code in (10, 11), woken
    assert "Nothing" in woken.said
    assert on_postgres.seen() == seen
    published(on_postgres, undisturbed)


# Two at once (F09) ---------------------------------------------------------------------------------------------------


@pytest.mark.fault("F09")
def test_of_two_at_once_one_publishes_and_the_other_waits(case: Case, undisturbed: Seen) -> None:
    given = {"lock_timeout_seconds": 60}
    both = [case.start(given=given) for _ in range(2)]
    ended = [child.ended() for child in both]
    assert [each.code for each in ended] == [0, 0], ended
    assert sorted(str(each.report["status"]) for each in ended) == ["published", "unchanged"]
    assert ended[0].report["run_id"] == ended[1].report["run_id"]
    published(case, undisturbed)


@pytest.mark.fault("F09")
def test_who_does_not_wait_is_told_who_holds_the_store(case: Case, undisturbed: Seen) -> None:
    first = case.start(at="score: mid staging", then="freeze").until_frozen()
    second = case.run(given={"lock_timeout_seconds": 0.3})
    assert second.code == 11, second
    assert re.search(rf"(process|PID) {first.pid}\b", second.said), second.said
    assert "--lock-timeout" in second.said
    first.resume()
    assert first.ended().code == 0
    published(case, undisturbed)


# A reader (F12) ------------------------------------------------------------------------------------------------------


@pytest.mark.fault("F12")
def test_a_reader_of_a_file_is_named(on_duckdb: Case, undisturbed: Seen) -> None:
    reader = on_duckdb.start("read", at="read: the store is open", then="freeze").until_frozen()
    ended = on_duckdb.run()
    assert ended.code == 11, ended
    assert f"PID {reader.pid}" in ended.said
    assert "Close that program" in ended.said
    assert "PostgreSQL" in ended.said
    waiting = on_duckdb.start(given={"lock_timeout_seconds": 60})
    reader.resume()
    assert reader.ended().code == 0
    assert waiting.ended().code == 0
    published(on_duckdb, undisturbed)


@pytest.mark.fault("F12")
def test_a_reader_of_a_database_hinders_nobody_and_sees_one_run(on_postgres: Case, undisturbed: Seen) -> None:
    reader = on_postgres.start("read", at="read: the store is open", then="freeze").until_frozen()
    assert on_postgres.run().code == 0
    reader.resume()
    ended = reader.ended()
    assert ended.code == 0
    assert ended.report["before"] == ended.report["after"]
    published(on_postgres, undisturbed)


# In between (F33, F40, F46, F49) -------------------------------------------------------------------------------------


@pytest.mark.fault("F33")
def test_a_promotion_during_a_run_counts_from_the_next_one_on(
    on_postgres: Case, undisturbed: Seen, measured: Callable[[str], None]
) -> None:
    child = on_postgres.start(at="score: mid staging", then="freeze").until_frozen()
    assert on_postgres.run("promote", version="2").code == 0
    child.resume()
    ended = child.ended()
    assert (ended.code, ended.report["model_version"]) == (0, "1"), ended
    assert on_postgres.rows("SELECT DISTINCT model_version FROM current_scores") == [("1",)]
    published(on_postgres, undisturbed)
    after = on_postgres.run(days_later=2)
    assert (after.code, after.report["model_version"]) == (0, "2"), after


@pytest.mark.fault("F33")
def test_a_promotion_waits_for_the_run_that_has_the_file(on_duckdb: Case, undisturbed: Seen) -> None:
    child = on_duckdb.start(at="score: mid staging", then="freeze").until_frozen()
    held = on_duckdb.run("promote", version="2")
    assert held.code == 11, held
    waiting = on_duckdb.start("promote", version="2", given={"lock_timeout_seconds": 60})
    child.resume()
    assert child.ended().code == 0
    assert waiting.ended().code == 0
    published(on_duckdb, undisturbed)
    assert on_duckdb.run(days_later=2).report["model_version"] == "2"


@pytest.mark.fault("F33", "F32")
def test_a_rollback_during_a_run_stops_it(on_postgres: Case) -> None:
    assert on_postgres.run("promote", version="2").code == 0
    child = on_postgres.start(at="score: mid staging", then="freeze").until_frozen()
    before = on_postgres.seen()
    assert on_postgres.run("rollback").code == 0
    child.resume()
    ended = child.ended()
    assert ended.code == 12, ended
    assert "withdrawn while it scored. Nothing was published" in ended.said
    assert on_postgres.seen() == before
    on_postgres.check_at_rest()


@pytest.mark.fault("F40", "F46")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("INSERT INTO objections (lead_id, since) VALUES ('{}', current_timestamp)", "objects to profiling"),
        ("DELETE FROM leads WHERE lead_id = '{}'", "gone during the run"),
    ],
)
def test_a_lead_that_leaves_while_the_run_reads_is_not_published(on_postgres: Case, change: str, reason: str) -> None:
    (lead,) = on_postgres.rows("SELECT min(lead_id) FROM current_scores")[0]
    child = on_postgres.start(at="score: after staging", then="freeze").until_frozen()
    on_postgres.change(change.format(lead))
    child.resume()
    ended = child.ended()
    assert ended.code == 0, ended
    assert ended.report["excluded"].get(reason, 0) >= 1
    seen = on_postgres.seen()
    assert seen.rows == ended.report["scored"]
    assert on_postgres.rows(f"SELECT count(*) FROM scores WHERE lead_id = '{lead}' AND run_id = '{seen.runs[0]}'") == [
        (0,)
    ]
    counts = ended.report
    assert counts["leads_in"] == counts["scored"] + sum(counts["excluded"].values()) + sum(
        counts["quarantined"].values()
    )


@pytest.mark.fault("F46")
@pytest.mark.parametrize("point", ["score: mid staging", "score: before publishing", "score: before the pointer"])
def test_nothing_of_a_lead_that_is_erased_during_a_run_is_kept(on_postgres: Case, point: str) -> None:
    """Wherever the run is at that moment: it is published without the lead, and no row of the lead stays anywhere."""
    (lead,) = on_postgres.rows("SELECT min(lead_id) FROM current_scores")[0]
    child = on_postgres.start(at=point, then="freeze").until_frozen()
    erasing = on_postgres.start("erase", lead=lead)
    time.sleep(0.5)  # it may have to wait for the run
    child.resume()
    ended, erased = child.ended(), erasing.ended()
    assert erased.code == 0, erased
    assert ended.code == 0, ended
    for table in erase.TABLES:
        assert on_postgres.rows(f"SELECT count(*) FROM {table} WHERE lead_id = '{lead}'") == [(0,)], table
    assert on_postgres.seen().rows in (ended.report["scored"], ended.report["scored"] - 1)


@pytest.mark.fault("F46", "F47")
def test_a_lead_that_is_erased_while_a_file_brings_it_stays_away(on_postgres: Case, tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    file.write_text("lead_id,created_at,email\nnew-1,2025-01-02,a@b.example\nnew-2,2025-01-02,c@b.example\n")
    child = on_postgres.start("import", file=str(file), at="import: before the commit", then="freeze").until_frozen()
    erasing = on_postgres.start("erase", lead="new-1")
    time.sleep(0.5)  # it may have to wait for the import
    child.resume()
    assert child.ended().code == 0
    assert erasing.ended().code == 0
    assert on_postgres.rows("SELECT lead_id FROM leads WHERE lead_id LIKE 'new-%'") == [("new-2",)]
    assert on_postgres.rows("SELECT lead_id FROM contacts WHERE lead_id LIKE 'new-%'") == [("new-2",)]


@pytest.mark.fault("F49")
def test_a_run_writes_nothing_that_people_write(case: Case) -> None:
    tables = ("leads", "contacts", "profiles", "events", "stage_changes", "rule_points", "objections")
    (lead,) = case.rows("SELECT min(lead_id) FROM current_scores")[0]
    case.change(
        "INSERT INTO stage_changes (lead_id, stage, entered_at, known_at) VALUES "
        f"('{lead}', 'opportunity', current_timestamp, current_timestamp)"
    )
    before = case.content(*tables)
    assert case.run().code == 0
    assert case.content(*tables) == before
    assert case.rows(f"SELECT count(*) FROM current_scores WHERE lead_id = '{lead}'") == [(1,)]

"""Take one safeguard away at a time, and see that a test notices: `python -m tests.mutants [WORD ...]`.

Each mutant is one replacement in a copy of the sources. Its tests must pass without it and fail with it; one that
nobody catches makes the exit code 1. WORDs choose the mutants whose safeguard contains one of them.

The libraries are loaded once; each trial is a fork of this process, so that it costs what its tests cost.
"""

import contextlib
import importlib
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("features", "models", "serve", "pipelines", "tests", "pyproject.toml", "README.md")
#: What costs seconds to import, and is the same for every mutant.
LIBRARIES = (
    "numpy", "pandas", "pyarrow", "pyarrow.compute", "pyarrow.csv", "pyarrow.parquet", "scipy.optimize", "scipy.stats",
    "sklearn.linear_model", "lightgbm", "numba", "duckdb", "pydantic", "rich", "typer", "psycopg",
    "matplotlib.figure", "matplotlib.pyplot", "mlflow", "mlflow.tracking", "pytest",
)  # fmt: skip
PUBLISHING, SINGLE = "tests/pipelines/test_publishing.py", "tests/test_mutants.py"
LEAVES = f"{PUBLISHING}::test_a_lead_that_leaves_while_the_run_is_on_its_way_is_not_published"


@dataclass(frozen=True)
class Mutant:
    """A safeguard, the text that is it, what stands there when it is gone, and the tests that must notice."""

    safeguard: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def mutant(safeguard: str, file: str, old: str, new: str, *tests: str) -> Mutant:
    return Mutant(safeguard, file, old, new, tests)


MUTANTS = (
    # Publishing: I1, I3, I4.
    mutant(
        "fence of a moment published before", "pipelines/publishing.py",
        'WHERE as_of = $1 AND fence = $4"', 'WHERE as_of = $1 AND $4 >= 0"',
        f"{SINGLE}::test_a_run_that_began_before_a_later_one_was_published_cannot_replace_it",
    ),
    mutant(
        "fence of a moment never published", "pipelines/publishing.py",
        "VALUES ($1, $2, 1, $3) ON CONFLICT DO NOTHING",
        "VALUES ($1, $2, 1, $3) ON CONFLICT (as_of) DO UPDATE SET run_id = excluded.run_id",
        f"{PUBLISHING}::test_the_fence_alone_stops_a_run_that_nobody_took_for_dead[duckdb]",
    ),
    mutant(
        "status of the run that publishes", "pipelines/publishing.py",
        'WHERE run_id = $9 AND status = $10"', "WHERE run_id = $9 AND $10 <> ''\"",
        f"{SINGLE}::test_a_run_that_was_taken_for_dead_cannot_publish",
    ),
    mutant(
        "count of the rows that are published", "pipelines/publishing.py",
        "if inserted != counts.scored or not ended", "if not ended",
        f"{SINGLE}::test_a_run_that_lost_rows_after_its_audit_cannot_publish",
    ),
    mutant(
        "transaction of publishing", "pipelines/publishing.py",
        "with store.transaction():\n        # A lead that is being erased",
        "if True:\n        # A lead that is being erased",
        f"{SINGLE}::test_a_run_that_dies_just_before_its_commit_has_published_nothing",
    ),
    mutant(
        "withdrawn release", "pipelines/publishing.py",
        "        _refuse_withdrawn(store, run_id)\n", "",
        f"{PUBLISHING}::test_a_release_that_was_withdrawn_meanwhile_publishes_nothing[duckdb]",
    ),
    mutant(
        "sweeping what died", "pipelines/publishing.py",
        '        ledger.sweep(store, "score", now=now)\n', "",
        f"{PUBLISHING}::test_what_a_run_that_died_left_is_swept_by_the_next[duckdb]",
    ),
    mutant(
        "audit: the account balances", "pipelines/publishing.py",
        " or not counts.balances():", ":",
        f"{PUBLISHING}::test_an_account_that_does_not_balance[duckdb-a lead got lost]",
    ),
    mutant(
        "audit: what is staged is what was scored", "pipelines/publishing.py",
        "if staged != counts.scored or distinct", "if distinct",
        f"{PUBLISHING}::test_an_account_that_does_not_balance[duckdb-one less staged than scored]",
    ),
    mutant(
        "audit: one row per lead", "pipelines/publishing.py",
        " or distinct != staged or ", " or ",
        f"{PUBLISHING}::test_a_lead_that_is_staged_twice[duckdb]",
    ),
    mutant(
        "audit: a probability in its interval", "pipelines/publishing.py",
        "    if bad:\n", "    if False:\n",
        f"{PUBLISHING}::test_a_probability_outside_its_interval[duckdb-low = 0.2]",
        f"{PUBLISHING}::test_what_is_no_probability[duckdb-1.01]",
    ),
    mutant(
        "audit: somebody is scored", "pipelines/publishing.py",
        "    if staged == 0:\n", "    if False:\n",
        f"{PUBLISHING}::test_a_run_that_scores_nobody[duckdb]",
    ),
    mutant(
        "audit: volume", "pipelines/publishing.py",
        "if staged < limits.least_volume_share * volume:", "if False:",
        f"{PUBLISHING}::test_a_volume_that_falls_by_more_than_half[duckdb]",
    ),
    # Erasure and objection: I8.
    mutant(
        "objections seen when publishing", "pipelines/publishing.py",
        """        (OBJECTS, f"lead_id IN (SELECT lead_id FROM {store.source('objections')})"),\n""", "",
        f"{LEAVES}[duckdb-objects]",
    ),
    mutant(
        "tombstones seen when publishing", "pipelines/publishing.py",
        '        (ERASED, "lead_id IN (SELECT lead_id FROM tombstones)"),\n', "",
        f"{LEAVES}[duckdb-erased]",
    ),
    mutant(
        "leads that vanished, seen when publishing", "pipelines/publishing.py",
        """        (GONE, f"lead_id NOT IN (SELECT lead_id FROM {store.source('leads')})"),\n""", "",
        f"{LEAVES}[duckdb-gone]",
    ),
    mutant(
        "objections hidden from readers", "pipelines/migrations.py",
        "AND s.lead_id NOT IN (SELECT lead_id FROM leadscore.objections)", "",
        f"{PUBLISHING}::test_a_lead_that_leaves_later_is_read_no_more[duckdb-objections]",
    ),
    mutant(
        "tombstones hidden from readers", "pipelines/migrations.py",
        "AND s.lead_id NOT IN (SELECT lead_id FROM leadscore.tombstones)", "",
        f"{PUBLISHING}::test_a_lead_that_leaves_later_is_read_no_more[duckdb-tombstones]",
    ),
    mutant(
        "objections keep out of the cohort", "features/cohort.py",
        "OBJECTS: lead.isin(tables.objections.column(\"lead_id\").to_pylist()).to_numpy(),",
        "OBJECTS: np.zeros(len(snapshots), bool),",
        "tests/features/test_cohort.py::test_each_reason",
    ),
    mutant(
        "imports leave erased leads out", "pipelines/importing.py",
        'erased=frozenset(str(row[0]) for row in store.rows("SELECT lead_id FROM tombstones")),', "erased=frozenset(),",
        "tests/pipelines/test_importing.py::test_erased_leads_stay_away_and_leave_no_trace",
    ),
    mutant(
        "erasing leaves a tombstone", "pipelines/erase.py",
        "VALUES ($1, $2) ON CONFLICT DO NOTHING", "SELECT $1, $2 WHERE false",
        "tests/pipelines/test_erase.py::test_the_lead_does_not_come_back[duckdb]",
    ),
    # Nothing is scored with other files than were registered: I6.
    mutant(
        "digest of the manifest", "pipelines/release.py",
        "if _sha256(manifest) != digest:", "if False:",
        "tests/pipelines/test_release.py::test_another_digest_is_refused_before_even_the_manifest_is_parsed",
    ),
    mutant(
        "digest of each file", "pipelines/release.py",
        ' or _sha256(content) != facts[name]["sha256"]:', ":",
        "tests/pipelines/test_release.py::test_whatever_was_done_to_it_is_refused_before_it_is_parsed",
    ),
    mutant(
        "golden rows", "models/bundle.py",
        '        _check_golden(release, json.loads(files["golden.json"]))\n', "",
        "tests/models/test_bundle.py::test_a_coefficient_that_was_changed_is_found_out",
    ),
    mutant(
        "order of the columns", "models/contract.py",
        "if found != list(self.names):", "if set(found) != set(self.names):",
        "tests/models/test_contract.py::test_two_columns_swapped",
    ),
    mutant(
        "verifying what is promoted", "models/gate.py",
        '    if damaged is not None:\n        return _firm(name, limit, "not the same", REFUSE, damaged)\n', "",
        f"{SINGLE}::test_nothing_is_promoted_whose_files_are_not_those_registered",
    ),
    mutant(
        "review before a promotion", "models/gate.py",
        'return [*rows, _firm("card approved", APPROVED, "not reviewed", REFUSE, sentence)]', "return rows",
        "tests/models/test_gate.py::test_what_was_not_reviewed_is_refused_whatever_the_reason",
    ),
    mutant(
        "review of this very card", "models/gate.py",
        "if card_digest != review.card_digest:", "if False:",
        "tests/models/test_gate.py::test_what_was_not_reviewed_is_refused_whatever_the_reason",
    ),
    mutant(
        "second look before a promotion's commit", "pipelines/promote.py",
        "        judging.unchanged(store, judged)\n", "",
        "tests/pipelines/test_judging.py::test_what_was_reviewed_or_promoted_in_between_is_seen",
    ),
    mutant(
        "transaction of a rollback", "pipelines/promote.py",
        'with store.transaction():\n        store.change(\n            "UPDATE releases SET status = $1',
        'if True:\n        store.change(\n            "UPDATE releases SET status = $1',
        f"{SINGLE}::test_a_rollback_that_dies_before_its_commit_has_done_nothing",
    ),
    # Nothing sees the future: I5.
    mutant(
        "events are seen when they are known", "features/kernel.py",
        "if available[i] >= now:", "if False:",
        "tests/features/test_kernel.py::test_what_is_seen",
    ),
    mutant(
        "profiles are seen when they are known", "features/kernel.py",
        'np.searchsorted(times, as_of, "left")', 'np.searchsorted(times, as_of, "right")',
        "tests/features/test_kernel.py::test_last_known_is_the_newest_row_before_as_of",
    ),
    mutant(
        "leads are eligible when they are known", "features/cohort.py",
        "NOT_YET_KNOWN: known >= as_of,", "NOT_YET_KNOWN: known > as_of,",
        "tests/features/test_cohort.py::test_the_cohort_is_what_each_lead_deserves_and_its_counts_add_up",
    ),
    mutant(
        "approval from before a withdrawal", "models/gate.py",
        "if decided == PASSED and review.before(withdrawn_at):", "if False:",
        "tests/models/test_gate.py::test_what_was_not_reviewed_is_refused_whatever_the_reason",
    ),
    mutant(
        "the card that was read", "pipelines/reviewing.py",
        "if card_digest is not None and not card.is_called(card_digest):", "if False:",
        "tests/pipelines/test_reviewing.py::test_only_the_card_that_was_read_is_signed",
    ),
    mutant(
        "brake on changes of stage", "pipelines/stage_changes.py",
        "moved <= most_share * both", "moved <= both",
        f"{PUBLISHING}::test_a_night_that_moves_too_many_leads_is_stopped_unless_accepted[duckdb]",
    ),
    mutant(
        "no more leads with sales than places", "serve/paying_stages.py",
        "economics=economics, cut=cut, competing=competing).sal", "economics=economics, cut=None).sal",
        "tests/serve/test_paying_stages.py::test_no_more_leads_stand_with_sales_than_there_are_places",
    ),
    mutant(
        "who converted keeps out of the cohort", "features/cohort.py",
        "IN_TARGET_STAGE: reached_as_of(tables, snapshots, target_stage),",
        "IN_TARGET_STAGE: np.zeros(len(snapshots), bool),",
        "tests/features/test_cohort.py::test_each_reason",
    ),
    mutant(
        "stages are seen when they are known", "features/history.py",
        'seen[seen["known_at"] < seen["as_of"]]', 'seen[seen["known_at"] <= seen["as_of"]]',
        "tests/features/test_history.py::test_the_stage_is_the_last_one_entered_of_those_known",
        "tests/features/test_history.py::test_a_stage_recorded_late_takes_its_place_in_the_order_of_entry",
    ),
    mutant(
        "points are seen when they are known", "pipelines/store.py",
        '"lead_id <= $2 AND epoch_us(known_at) < $3 ', '"lead_id <= $2 AND $3 > 0 ',
        "tests/pipelines/test_store.py::test_points_are_those_last_known_before_the_moment[duckdb]",
    ),
    mutant(
        "immature snapshots are unknown", "models/label.py",
        "as_of + horizon_days * MICROSECONDS_PER_DAY <= known_until", "as_of <= known_until",
        "tests/models/test_label.py::test_a_snapshot_is_mature_exactly_when_its_horizon_is_past",
    ),
    mutant(
        "outcomes known later have no part in training", "pipelines/snapshots.py",
        'recorded = tables.stage_changes.filter(pc.less(tables.stage_changes.column("known_at"), until))',
        "recorded = tables.stage_changes",
        "tests/pipelines/test_snapshots.py::test_what_came_in_late_changes_nothing_either",
    ),
    # Imports and runs: I4, I7.
    mutant(
        "a lead without a probability is counted", "pipelines/score.py",
        "quarantined[NOT_FINITE] += int((~finite).sum())", "pass",
        "tests/test_promises.py::test_a_lead_without_a_finite_probability_is_counted",
    ),
    mutant(
        "every row that is refused is kept", "pipelines/importing.py",
        "_quarantine(store, import_id, [*bad, *unreadable])", "_quarantine(store, import_id, bad[1:])",
        "tests/pipelines/test_importing.py::test_bad_rows_are_quarantined_whole_with_line_and_one_reason",
    ),
    mutant(
        "transaction of an import", "pipelines/importing.py",
        '        with store.transaction():\n            store.change("DELETE FROM quarantine',
        '        if True:\n            store.change("DELETE FROM quarantine',
        "tests/pipelines/test_importing.py::test_an_import_that_ends_early_leaves_nothing",
    ),
)  # fmt: skip


def main(
    words: Sequence[str] = (), *, say: Callable[[str], object] = lambda line: sys.stdout.write(line + "\n")
) -> int:
    """Try every mutant; print who was caught by what, and return 1 if one was not."""
    chosen = [one for one in MUTANTS if not words or any(word in one.safeguard for word in words)]
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.duckdb"))
            else:
                shutil.copy(source, copy)
        _load_libraries()
        # Also compiles the kernel, once for all.
        if _fails(copy, sorted({test for one in chosen for test in one.tests})):
            say("Without any mutant these tests must pass, and they do not.\n" + _said(copy))
            return 1
        survivors = 0
        for one in chosen:
            with _mutated(copy, one):
                caught = next((test for test in one.tests if _fails(copy, [test])), None)
            survivors += not caught
            say(f"{one.safeguard:52} {caught.split('::')[1] if caught else 'NOBODY NOTICED'}")
    say(f"{len(chosen) - survivors} of {len(chosen)} caught in {time.monotonic() - started:.0f} s")
    return int(survivors > 0)


@contextlib.contextmanager
def _mutated(copy: Path, one: Mutant) -> Iterator[None]:
    file = copy / one.file
    text = file.read_text(encoding="utf-8")
    assert text.count(one.old) == 1, f"{one.safeguard}: {one.old!r} is {text.count(one.old)} times in {one.file}"
    file.write_text(text.replace(one.old, one.new), encoding="utf-8")
    # What was compiled is found to be stale by time and size: a replacement of the same size must not share a second.
    now = file.stat().st_mtime
    os.utime(file, (now + 10, now + 10))
    try:
        yield
    finally:
        file.write_text(text, encoding="utf-8")
        os.utime(file, (now + 20, now + 20))


def _load_libraries() -> None:
    os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "ERROR"}
    for name in LIBRARIES:
        importlib.import_module(name)


def _fails(copy: Path, tests: Sequence[str]) -> bool:
    """Run tests on the copy, in a process of their own; what they print goes to a file."""
    pid = os.fork()
    if pid == 0:
        code = 3
        try:
            code = _run(copy, tests)
        except BaseException:  # noqa: BLE001 - this process ends here, whatever it was
            traceback.print_exc()
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code not in (0, 1):
        raise RuntimeError(f"{', '.join(tests)} could not be run ({code}):\n{_said(copy)}")
    return code == 1


def _run(copy: Path, tests: Sequence[str]) -> int:
    output = os.open(copy / "output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(copy)
    sys.path[:] = [str(copy), *(entry for entry in sys.path if Path(entry or ".").resolve() != ROOT)]
    packages = {*COPIED}
    for name in [name for name in sys.modules if name.split(".")[0] in packages]:
        del sys.modules[name]
    import pytest

    # Plugins that are loaded already are not rewritten, and need not be.
    quiet = ["-W", "ignore:Module already imported so cannot be rewritten"]
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *quiet, *tests]))


def _said(copy: Path) -> str:
    return (copy / "output").read_text(encoding="utf-8")[-4000:]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

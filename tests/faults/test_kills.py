"""kill -9 at every named place of every job: readers see a whole run, and running it again mends everything."""

import pytest

from tests.faults.cases import Case, Seen

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

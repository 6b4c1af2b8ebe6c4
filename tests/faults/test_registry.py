"""The registry is away or changed, files are damaged, folders cannot be written: the night goes on, or says why not."""

import http.server
import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines import tracking
from tests.faults.cases import Case, Seen

BRIEF = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "2", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}


class Shut(http.server.BaseHTTPRequestHandler):
    """A server that wants a password."""

    def answer(self) -> None:
        self.send_response(401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = answer

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def registry(kind: str) -> Iterator[str]:
    """The address of a registry that is closed, says nothing, or lets nobody in."""
    if kind == "shut":
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shut) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()
            thread.join()
        return
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if kind == "silent":
            listener.listen(50)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.fault("F23")
@pytest.mark.parametrize("kind", ["closed", "silent"])
def test_a_registry_that_is_away_is_not_waited_for(
    case: Case, undisturbed: Seen, kind: str, measured: Callable[[str], None]
) -> None:
    with registry(kind) as uri:
        began = time.monotonic()
        ended = case.run(registry="real", flags={"tracking.uri": uri}, environment=BRIEF)
        seconds = time.monotonic() - began
    assert (ended.code, ended.report["status"]) == (0, "published"), ended
    assert "registry_unreachable" in ended.report["flags"]
    assert seconds < 40
    seen = case.seen()
    assert (seen.rows, seen.digest) == (undisturbed.rows, undisturbed.digest)
    assert "registry_unreachable" in str(case.rows("SELECT flags FROM runs WHERE status = 'published' ORDER BY as_of"))
    measured(f"{kind}: published after {seconds:.0f} s")


@pytest.mark.fault("F23")
def test_a_registry_is_asked_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """One retry of ten seconds, where MLflow itself would take minutes; a setting of the user's stands."""
    import os

    for name in BRIEF:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    tracking.ask_briefly()
    assert [os.environ[name] for name in BRIEF] == ["10", "1"]
    for name in BRIEF:
        monkeypatch.delenv(name)


@pytest.mark.fault("F23")
def test_a_registry_that_shuts_us_out_is_a_setting_to_mend(case: Case) -> None:
    before = case.seen()
    with registry("shut") as uri:
        ended = case.run(registry="real", flags={"tracking.uri": uri}, environment=BRIEF)
    assert ended.code == 2, ended
    assert "does not let us in" in ended.said
    assert "MLFLOW_TRACKING_PASSWORD" in ended.said
    assert case.seen() == before


@pytest.mark.fault("F23")
def test_an_address_that_looks_like_a_refusal_is_none(on_duckdb: Case) -> None:
    """What shuts us out is the answer's status, not the digits of a port."""
    uri = next(f"http://127.0.0.1:{port}" for port in (*range(40300, 40400), *range(40100, 40200)) if is_free(port))
    ended = on_duckdb.run(registry="real", flags={"tracking.uri": uri}, environment=BRIEF)
    assert ended.code == 0, ended
    assert "registry_unreachable" in ended.report["flags"]


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.fault("F23")
def test_a_champion_that_nobody_has_confirmed_for_too_long_is_not_used(case: Case) -> None:
    before = case.seen()
    case.change("UPDATE releases SET checked_at = TIMESTAMPTZ '2024-01-01 00:00:00Z'")
    with registry("closed") as uri:
        ended = case.run(registry="real", flags={"tracking.uri": uri}, environment=BRIEF)
    assert ended.code == 12, ended
    assert "max_stale_days" in ended.said
    assert case.seen() == before
    assert case.run(registry="real").code == 0, "with the registry back, it is confirmed"


@pytest.mark.fault("F24")
@pytest.mark.parametrize(
    ("gone", "flag"), [("alias", "alias_missing"), ("version", "alias_missing"), ("moved", "alias_differs")]
)
def test_an_alias_that_is_gone_changes_no_score(case: Case, undisturbed: Seen, gone: str, flag: str) -> None:
    client = case.tracking().client
    if gone == "alias":
        client.delete_registered_model_alias("leadscore", "champion")
    elif gone == "version":
        client.delete_model_version("leadscore", "1")
    else:
        client.set_registered_model_alias("leadscore", "champion", "2")
    ended = case.run(registry="real")
    assert (ended.code, ended.report["model_version"]) == (0, "1"), ended
    assert flag in ended.report["flags"]
    assert "'leadscore promote 1' sets it again" in " ".join(ended.report["warnings"])
    seen = case.seen()
    assert (seen.rows, seen.digest) == (undisturbed.rows, undisturbed.digest)


# The files that score (F25) ------------------------------------------------------------------------------------------


def truncated(folder: Path) -> None:
    (folder / "model.txt").write_bytes((folder / "model.txt").read_bytes()[:-1000])


def swapped(folder: Path) -> None:
    (folder / "linear.json").rename(folder / "aside")
    (folder / "calibrator.json").rename(folder / "linear.json")
    (folder / "aside").rename(folder / "calibrator.json")


def upwards(folder: Path) -> None:
    """The manifest names a file outside."""
    plain = json.loads((folder / "manifest.json").read_text())
    plain["../elsewhere.txt"] = plain.pop("model.txt")
    (folder / "manifest.json").write_text(json.dumps(plain, indent=1) + "\n")


@pytest.mark.fault("F25")
@pytest.mark.parametrize(
    "tamper", [truncated, swapped, upwards, None], ids=["truncated", "swapped", "upwards", "other"]
)
def test_a_local_copy_that_was_changed_does_not_score(
    on_duckdb: Case, small: Case, undisturbed: Seen, tamper: Callable[[Path], None] | None
) -> None:
    case = on_duckdb
    copy = case.folder / "releases" / case.digests[0]
    if tamper:
        tamper(copy)
    else:  # whole and sound, but another version's
        model = (copy / "calibrator.json").read_bytes()
        found = (
            file.parent for file in (small.folder / "mlruns").rglob("calibrator.json") if file.read_bytes() != model
        )
        shutil.rmtree(copy)
        shutil.copytree(next(found), copy)
    before = case.seen()
    ended = case.run(registry="real", flags={"tracking.uri": f"sqlite:///{case.folder / 'gone.db'}"})
    assert ended.code == 12, ended
    assert "is not what was registered" in ended.said
    assert case.seen() == before
    # With the registry there, the copy is fetched anew, and the night is like any other.
    mended = case.run(registry="real")
    assert mended.code == 0, mended
    assert "local_copy_repaired" in mended.report["flags"]
    assert case.seen().digest == undisturbed.digest


# What nobody has reviewed (F31) --------------------------------------------------------------------------------------


@pytest.mark.fault("F31")
def test_what_was_not_reviewed_does_not_score_whatever_the_reason(case: Case) -> None:
    asked = {"version": "2", "registry": "real", "signed": False, "force": "the night is near"}
    before, tables = case.seen(), case.content("promotions", "releases")
    ended = case.run("promote", **asked)
    assert ended.code == 12, ended
    assert "Nobody has reviewed version 2" in ended.said
    # Reviewed for another card than the one that is registered; then refused.
    review = (
        "INSERT INTO reviews SELECT {number}, '2', card_digest || '{more}', '{decision}', reviewer, note, reviewed_at "
        "FROM reviews WHERE number = 1"
    )
    for number, more, decision, said in (
        (2, "0", "approved", "Another card was reviewed"),
        (3, "0", "refused", "Refused by Ada"),
    ):
        case.change(review.format(number=number, more=more, decision=decision))
        ended = case.run("promote", **asked)
        assert ended.code == 12, ended
        assert said in ended.said
    assert case.content("promotions", "releases") == tables
    assert case.seen() == before
    assert case.run(days_later=1).report["model_version"] == "1", "the champion scores on"


@pytest.mark.fault("F31", "F01")
@pytest.mark.parametrize("point", ["review: before the commit", "review: after the commit"])
def test_a_review_that_is_killed_was_made_or_not(case: Case, point: str) -> None:
    assert case.run("promote", version="2", registry="real", at=point, then="kill").code == -9
    made = case.rows("SELECT count(*) FROM reviews WHERE model_version = '2'")
    assert made == [(int(point == "review: after the commit"),)]
    assert case.run("promote", version="2", registry="real").code == 0
    assert case.rows("SELECT count(*) FROM reviews WHERE model_version = '2'") == [(1,)]


# Rollback (F32) ------------------------------------------------------------------------------------------------------


@pytest.mark.fault("F32")
def test_a_rollback_brings_the_scores_back_with_the_registry_away(case: Case, undisturbed: Seen) -> None:
    first = case.seen()
    assert case.run("promote", version="2", registry="real").code == 0
    assert case.run(days_later=0, given={"supersede": "a new version"}).code == 0
    assert case.run(days_later=1).code == 0
    assert case.seen().digest not in {first.digest, undisturbed.digest}
    with registry("closed") as uri:
        ended = case.run("rollback", registry="real", flags={"tracking.uri": uri}, environment=BRIEF)
    assert ended.code == 0, ended
    assert (ended.report["version"], ended.report["back"], ended.report["none"]) == ("1", 1, 1)
    assert "'leadscore promote 1' sets the alias later" in ended.report["warnings"][0]
    assert case.seen() == first
    assert case.run(days_later=1).code == 0
    assert case.seen().digest == undisturbed.digest
    case.check_at_rest()


# Folders (F50) -------------------------------------------------------------------------------------------------------


@pytest.mark.fault("F50")
def test_what_is_beside_the_scores_may_fail(case: Case, undisturbed: Seen) -> None:
    """Root may write everywhere, but not below a file."""
    (case.folder / "a-file").touch()
    below = case.folder / "a-file" / "below"
    text = [
        "[score]",
        "range_leads = 150",
        f'metrics_file = "{below}/leadscore.prom"',
        "[release]",
        f'cache = "{below}"',
    ]
    (case.folder / "leadscore.toml").write_text("\n".join(text) + "\n")
    ended = case.run(
        "cli",
        arguments=[
            "score",
            "--as-of",
            case.day(1).isoformat(),
            "--config",
            str(case.folder / "leadscore.toml"),
            "--json",
        ],
        environment={"LEADSCORE_STORE": case.url, "MLFLOW_TRACKING_URI": f"sqlite:///{case.folder / 'mlflow.db'}"},
    )
    assert ended.code == 0, ended
    assert "No local copy of version 1 could be kept" in ended.log
    assert "The metrics file" in ended.log
    assert "Traceback" not in ended.log
    assert case.seen().digest == undisturbed.digest
    assert "no_local_copy" in str(case.rows("SELECT flags FROM runs WHERE status = 'published' ORDER BY as_of"))

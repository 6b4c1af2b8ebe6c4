"""The command line: exit codes, data on stdout and messages on stderr, and what it refuses."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from pipelines.__main__ import main
from pipelines.cli import app
from pipelines.config import FILE, preset
from pipelines.store import LeadStore
from serve.stages import percent
from tests.pipelines.conftest import World

SMALL = "[snapshots]\nmost = 4000\n[splits]\ncut_offs = 2\n[model]\nresamples = 50\n[score]\nrange_leads = 1500\n"


class Done(NamedTuple):
    code: int
    stdout: str
    stderr: str


Leadscore = Callable[..., Done]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and an environment that says nothing."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.delenv("LEADSCORE_STORE", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return home


@pytest.fixture
def at_home(world: World, folder: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The working folder is that of a store which is trained, promoted and scored."""
    monkeypatch.chdir(world.folder)
    # Whole, since MLflow remembers databases by their address, from one test to the next.
    monkeypatch.setenv("MLFLOW_TRACKING_URI", world.settings().tracking.uri)
    Path(FILE).write_text(SMALL, encoding="utf-8")
    return world


@pytest.fixture
def leadscore(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Leadscore:
    """Run a command as the program does, errors and exit code included."""

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["leadscore", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Done(int(ended.value.code or 0), printed.out, printed.err)

    return run


def day(world: World, *, later: int = 0) -> str:
    return (world.as_of + timedelta(days=later)).isoformat()


# Exit codes ----------------------------------------------------------------------------------------------------------


def test_0_done(at_home: World, leadscore: Leadscore) -> None:
    done = leadscore("status")
    assert (done.code, done.stderr) == (0, "")
    assert "4,000 leads" in done.stdout


def test_1_failed(folder: Path, leadscore: Leadscore) -> None:
    Path("leads.csv").write_text("lead_id,created_at\n" + "".join(f"l{n},2025-01-{n:02}\n" for n in range(1, 29)))
    assert leadscore("import", "leads.csv", "--mapping", "generic").code == 0
    done = leadscore("train", "--json")
    assert (done.code, done.stdout) == (1, "")
    assert "needs at least 40 snapshots that converted and 40 that did not; found 0 and 0" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["score", "--as-off", "2025-01-01"], "No such option"),
        (["scores"], "No such command"),
        (["score", "--as-of", "yesterday"], "must be a day or a moment in ISO 8601"),
        (["init", "--preset", "retail"], "no preset 'retail'"),
        (["status", "--config", "nowhere.toml"], "no configuration file nowhere.toml"),
        (["status", "--store", "mysql://host/leads"], "is a DuckDB file or a PostgreSQL database"),
        (["status", "--store", "postgresql://me:s3cr@t@host/leads"], "The address is not shown here"),
        (["import", "leads.csv", "--mapping", "hubspt"], "no mapping 'hubspt'"),
    ],
)
def test_2_usage_or_configuration(folder: Path, leadscore: Leadscore, arguments: list[str], said: str) -> None:
    done = leadscore(*arguments)
    assert (done.code, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())
    assert list(folder.iterdir()) == []


def test_10_audit_refused(at_home: World, leadscore: Leadscore) -> None:
    Path(FILE).write_text(SMALL + "most_mean_factor = 1.0000001\n", encoding="utf-8")
    done = leadscore("score", "--as-of", day(at_home, later=1))
    assert (done.code, done.stdout) == (10, "")
    assert "Nothing was published" in done.stderr


def test_11_lock_held(folder: Path, leadscore: Leadscore) -> None:
    LeadStore.open("leads.duckdb", create=True).close()
    hold = "import duckdb, sys; held = duckdb.connect('leads.duckdb'); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        done = leadscore("score", "--lock-timeout", "0.3")
        assert other.stdin is not None
        other.stdin.close()
    assert done.code == 11
    assert f"PID {other.pid}" in done.stderr


def test_12_release_refused(at_home: World, leadscore: Leadscore) -> None:
    (model,) = (at_home.folder / "mlruns").rglob("model.txt")
    model.write_text(model.read_text() + "\n")
    done = leadscore("score", "--as-of", day(at_home, later=1))
    assert done.code == 12
    assert "is not what was registered" in done.stderr
    with at_home.open() as store:
        store.change("DELETE FROM promotions")
    done = leadscore("score", "--as-of", day(at_home, later=1))
    assert done.code == 12
    assert "No version is champion" in done.stderr


@pytest.mark.parametrize("command", ["train", "promote", "score", "compare", "status"])
def test_13_store_unreachable(folder: Path, leadscore: Leadscore, command: str) -> None:
    done = leadscore(command)
    assert (done.code, done.stdout) == (13, "")
    assert done.stderr.startswith("leadscore: There is no lead store at leads.duckdb. Run 'leadscore import")
    assert list(folder.iterdir()) == []


def test_130_interrupted(at_home: World, leadscore: Leadscore, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.status.status_of", interrupted)
    done = leadscore("status")
    assert done.code == 130
    assert done.stderr == "leadscore: interrupted; what it had not published is not seen.\n"


# Data and messages ---------------------------------------------------------------------------------------------------


def test_what_a_program_reads_is_one_json_object(at_home: World, leadscore: Leadscore) -> None:
    with at_home.open(read_only=True) as store:
        ((lead,),) = store.rows("SELECT lead_id FROM current_scores ORDER BY probability DESC, lead_id LIMIT 1")

    def parsed(*arguments: str) -> dict[str, object]:
        done = leadscore(*arguments, "--json")
        assert done.code == 0, done.stderr
        found: dict[str, object] = json.loads(done.stdout)
        return found

    status = parsed("status")
    assert (status["leads"], status["store"]) == (4000, "leads.duckdb")
    assert [release["status"] for release in status["releases"]] == ["champion"]  # type: ignore[attr-defined]
    # The very settings it was trained under, from a file: nothing to do.
    assert parsed("score", "--as-of", day(at_home))["status"] == "unchanged"
    assert parsed("score", "--as-of", day(at_home, later=1), "--dry-run")["status"] == "dry run"
    explained = parsed("explain", str(lead))
    assert explained["lead_id"] == lead
    assert explained["reasons"]["reasons"]  # type: ignore[index]
    promoted = parsed("promote", "1")
    assert [check["name"] for check in promoted.pop("checks")] == ["files as registered"]  # type: ignore[attr-defined]
    assert promoted == {
        "promoted": True, "version": "1", "before": "1", "digest": at_home.report.digest, "forced": [], "warnings": [],
    }  # fmt: skip


def test_people_are_told_the_same_in_words(at_home: World, leadscore: Leadscore) -> None:
    done = leadscore("score", "--as-of", day(at_home))
    assert done.code == 0
    assert f"{at_home.scored.leads_in:,} leads = {at_home.scored.scored:,} scored" in done.stdout
    assert "unchanged" in done.stdout
    with at_home.open(read_only=True) as store:
        ((lead, p),) = store.rows("SELECT lead_id, probability FROM current_scores ORDER BY lead_id LIMIT 1")
    done = leadscore("explain", lead)
    assert done.code == 0
    assert f"{percent(p)} likely to convert" in done.stdout
    assert "recommended stage:" in done.stdout
    assert "×" in done.stdout
    done = leadscore("promote")
    assert done.code == 0
    assert "Version 1 at the gate" in done.stdout
    assert "Version 1 is champion (before: version 1)" in done.stderr


def test_another_day_is_published_and_shown(at_home: World, leadscore: Leadscore) -> None:
    done = leadscore("score", "--as-of", day(at_home, later=1), "--json")
    assert done.code == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "published"
    shown = json.loads(leadscore("status", "--json").stdout)
    assert shown["published"]["as_of"] == day(at_home, later=1)
    assert [run["status"] for run in shown["runs"]] == ["published", "published"]


def test_other_settings_need_a_reason(at_home: World, leadscore: Leadscore) -> None:
    Path(FILE).write_text(SMALL + "reasons = 3\n", encoding="utf-8")
    done = leadscore("score", "--as-of", day(at_home))
    assert done.code == 2
    assert "--supersede --reason 'REASON'" in " ".join(done.stderr.split())
    assert leadscore("score", "--as-of", day(at_home), "--supersede").code == 2
    assert leadscore("score", "--as-of", day(at_home), "--reason", "fewer reasons").code == 2
    assert leadscore("score", "--as-of", day(at_home), "--supersede", "--reason", " ").code == 2
    assert leadscore("score", "--as-of", day(at_home), "--supersede", "--reason", "fewer reasons").code == 0


def test_a_moment_that_has_not_come_is_refused(at_home: World, leadscore: Leadscore) -> None:
    done = leadscore("score", "--as-of", "2999-01-01")
    assert (done.code, done.stdout) == (2, "")
    assert "--as-of 2999-01-01 lies in the future" in done.stderr


def test_an_as_of_may_have_an_offset(at_home: World, leadscore: Leadscore) -> None:
    local = day(at_home).replace("T00:00:00+00:00", "T02:00+02:00")
    assert json.loads(leadscore("score", "--as-of", local, "--json").stdout)["status"] == "unchanged"


def test_a_lead_without_a_score_is_said_to_have_none(at_home: World, leadscore: Leadscore) -> None:
    done = leadscore("explain", "nobody")
    assert (done.code, done.stdout) == (1, "")
    assert "No score is published for lead 'nobody'" in done.stderr


def test_an_empty_store_has_a_status(folder: Path, leadscore: Leadscore) -> None:
    LeadStore.open("leads.duckdb", create=True).close()
    done = leadscore("status")
    assert (done.code, done.stderr) == (0, "")
    assert "0 leads" in done.stdout
    assert "Published: nothing yet" in done.stdout
    plain = json.loads(leadscore("status", "--json").stdout)
    assert (plain["leads"], plain["published"], plain["runs"], plain["releases"]) == (0, None, [], [])
    for command in ("train", "compare"):
        done = leadscore(command)
        assert done.code == 1
        assert "holds no leads" in done.stderr


# Small commands ------------------------------------------------------------------------------------------------------


def test_init_writes_a_preset_and_never_over_a_file(folder: Path, leadscore: Leadscore) -> None:
    done = leadscore("init", "--preset", "bpi2012")
    assert (done.code, done.stdout) == (0, "")
    assert Path(FILE).read_text(encoding="utf-8") == preset("bpi2012")
    Path(FILE).write_text("# mine\n", encoding="utf-8")
    done = leadscore("init")
    assert done.code == 2
    assert "is there already. Keep it, or replace it with --force" in done.stderr
    assert Path(FILE).read_text(encoding="utf-8") == "# mine\n"
    assert leadscore("init", "--force").code == 0
    assert Path(FILE).read_text(encoding="utf-8") == preset("saas")


def test_the_settings_in_force_are_shown(folder: Path) -> None:
    shown = CliRunner().invoke(app, ["config", "show"])
    assert tomllib.loads(shown.stdout)["label"]["horizon_days"] == 60
    Path(FILE).write_text("[label]\nhorizon_days = 30\n", encoding="utf-8")
    shown = CliRunner().invoke(app, ["config", "show"], env={"LEADSCORE_STORE": "other.duckdb"})
    plain = json.loads(shown.stdout)
    assert (plain["label"]["horizon_days"], plain["store"]["url"]) == (30, "other.duckdb")


def test_the_kinds_are_listed(folder: Path) -> None:
    lines = CliRunner().invoke(app, ["config", "kinds"]).stdout.splitlines()
    assert any(line.startswith("demo_request ") and "demo was asked for" in line for line in lines)


def test_a_demo_leaves_what_is_not_its_own_alone(folder: Path, leadscore: Leadscore) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "thesis.txt").write_text("years of work")
    done = leadscore("demo", "--folder", "mine")
    assert done.code == 2
    assert "it was left alone" in done.stderr
    assert (folder / "mine" / "thesis.txt").read_text() == "years of work"


# As a process --------------------------------------------------------------------------------------------------------


def launch(*arguments: str, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipelines", *arguments], stdout=stdout, stderr=subprocess.PIPE, text=True, check=False
    )


def test_nothing_but_the_answer_comes_out(folder: Path) -> None:
    LeadStore.open("leads.duckdb", create=True).close()
    done = launch("status", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["leads"] == 0


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("arguments", [["config", "show"], ["status"]])
def test_a_reader_that_has_gone_is_no_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], buffered: bool
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", "" if buffered else "1")
    LeadStore.open("leads.duckdb", create=True).close()
    reader, writer = os.pipe()
    os.close(reader)
    done = launch(*arguments, stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")

"""The page for operators: every example is taken out of it and parsed, checked field by field, or run."""

import configparser
import importlib.resources
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import types
from collections.abc import Iterator
from datetime import UTC, datetime, time
from functools import reduce
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock
from zoneinfo import ZoneInfo

import pytest
import yaml
from typer.core import TyperGroup

from features import errors
from pipelines import active_release, config, ledger, metrics_file, score
from pipelines.cli import EXIT_CODES
from pipelines.grants import ROLES
from pipelines.status import status_of
from pipelines.store import LeadStore
from pipelines.tracking import CHAMPION
from tests.postgres import Server
from tests.stores import memory_store
from tests.test_cli_docs import ROOT, ROOT_COMMAND

PAGE = (ROOT / "pipelines" / "OPERATIONS.md").read_text(encoding="utf-8")
PROSE = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
BLOCKS = re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)
SCRIPTS = Path(sys.executable).parent
BASH = shutil.which("bash") or "bash"
NOW = datetime(2026, 11, 22, 4, 15, tzinfo=UTC)


def block(language: str, name: str = "") -> str:
    """The one example of this language and name."""
    (found,) = (text for written_in, named, text in BLOCKS if (written_in, named) == (language, name))
    return str(found)


def table(heading: str) -> list[list[str]]:
    """The rows of the table whose first heading this is, without their backticks in the first column."""
    lines = re.findall(rf"^\| {re.escape(heading)} \|[^\n]*\n\|[^\n]*\n((?:\|[^\n]*\n)+)", PAGE, flags=re.MULTILINE)
    assert len(lines) == 1, f"there are {len(lines)} tables that begin with {heading!r}"
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in lines[0].splitlines()]


def simple_commands(script: str) -> Iterator[list[str]]:
    """The commands of a shell script, without what joins them and where their output goes."""
    for line in script.replace("\\\n", " ").splitlines():
        words = list(shlex.shlex(re.sub(r" >>? \S+", "", line), posix=True, punctuation_chars=True))
        while "&&" in words:
            yield words[: words.index("&&")]
            words = words[words.index("&&") + 1 :]
        if words:
            yield words


def check_arguments(words: list[str]) -> None:
    """Let the real command line parse these words, and stop before it does anything."""
    command: Any = ROOT_COMMAND
    name = "leadscore"
    while isinstance(command, TyperGroup):
        name, *words = words
        assert name in command.commands, f"there is no command {name!r}; there are {', '.join(command.commands)}"
        command = command.commands[name]
    command.make_context(name, list(words))


def check_cron(schedule: str) -> None:
    """Five fields of numbers, ranges and steps, each within its limits."""
    fields = schedule.split()
    assert len(fields) == 5
    for field, low, high in zip(fields, (0, 0, 1, 1, 0), (59, 23, 31, 12, 7), strict=True):
        for part in field.split(","):
            found = re.fullmatch(r"(?:\*|(\d+)(?:-(\d+))?)(?:/[1-9]\d*)?", part)
            assert found, f"{part!r} is no field of cron"
            assert all(low <= int(number) <= high for number in found.groups() if number)


IN_BLOCKS = [
    " ".join(map(shlex.quote, words[1:]))
    for language, _, text in BLOCKS
    if language == "sh"
    for words in simple_commands(text)
    if words[0] == "leadscore"
]
IN_PROSE = [shown for shown in re.findall(r"`leadscore ([^`]+)`", PROSE) if not shown.startswith("COMMAND ")]
CODES = {int(row[0]): row for row in table("code")}
AGAIN = {code for code, row in CODES.items() if row[3] == "yes"}
#: A person must look at these; nobody presses Ctrl-C under a scheduler.
FINAL = set(CODES) - AGAIN - {0, 130}


@pytest.mark.parametrize("arguments", sorted({*IN_BLOCKS, *IN_PROSE}))
def test_a_command_line_is_understood(arguments: str) -> None:
    check_arguments(shlex.split(arguments))


def test_a_command_line_that_is_wrong_is_noticed() -> None:
    with pytest.raises(Exception, match="No such option: --asof"):
        check_arguments(["score", "--asof", "2026-11-22"])
    with pytest.raises(AssertionError, match="there is no command 'skore'"):
        check_arguments(["skore"])
    with pytest.raises(AssertionError, match="no field of cron"):
        check_cron("4h 4 * * *")


@pytest.mark.parametrize("script", [text for language, _, text in BLOCKS if language == "sh"])
def test_a_shell_block_is_shell(script: str) -> None:
    done = subprocess.run([BASH, "-n"], input=script, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_exit_codes_are_those_of_the_command_line() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    raised = {kind.exit_code for kind in kinds if issubclass(kind, errors.UserError)}
    assert set(CODES) == {int(code) for code in re.findall(r"(\d+) [a-z]", EXIT_CODES)}
    assert raised == set(CODES) - {0, 130, 143}
    assert {errors.LockHeld.exit_code, errors.StoreUnreachable.exit_code, 143} == AGAIN


def test_every_setting_that_is_named_exists() -> None:
    defaults = tomllib.loads(importlib.resources.files("pipelines").joinpath("defaults.toml").read_text("utf-8"))
    named = re.findall(r"`\[([a-z_]+)\] ([a-z_]+)`", PROSE)
    assert len(named) > 10
    assert [(section, key) for section, key in named if key not in defaults.get(section, {})] == []


def test_the_settings_file_is_valid_and_holds_no_password(tmp_path: Path) -> None:
    file = tmp_path / "leadscore.toml"
    file.write_text(block("toml", "leadscore.toml"), encoding="utf-8")
    settings = config.load(file, environment={})
    assert re.search(r"//[^/]*:[^/]*@", settings.store.url) is None
    for place in (settings.score.metrics_file, settings.release.cache):
        assert Path(place).is_absolute()


REPORT = score.ScoreReport(
    run_id="r", as_of=NOW.isoformat(), mode=score.NIGHTLY, status="published", model_version="1", leads_in=3, scored=1,
    excluded={"gone": 1}, quarantined={"odd": 1}, stages={}, bands={}, mean_probability=0.1, new_categories={},
    checked=[], flags=["f"], warnings=[], seconds=1.0,
)  # fmt: skip


def test_the_metrics_are_those_that_a_run_writes() -> None:
    written = set(re.findall(r"^(leadscore_\w+)", metrics_file.text(REPORT, now=NOW), flags=re.MULTILINE))
    assert {row[0].strip("`") for row in table("metric")} == written
    rules = [rule for group in yaml.safe_load(block("yaml", "alerts.yaml"))["groups"] for rule in group["rules"]]
    for rule in rules:
        assert set(re.findall(r"leadscore_\w+", rule["expr"])) <= written
        assert set(rule) == {"alert", "expr", "annotations"}
    assert len({rule["alert"] for rule in rules}) == len(rules) > 0


def test_the_flags_are_those_that_a_run_is_marked_with() -> None:
    always = {value for name, value in vars(active_release).items() if name.isupper() and isinstance(value, str)}
    known = (always - {CHAMPION}) | {score.CLOCK_SKEW, score.ROWS_LEFT_OUT, "drift_accepted", "new_categories"}
    assert {row[0].strip("`") for row in table("flag")} == known
    assert {"drift_accepted", "new_categories"} <= set(re.findall(r'"(\w+)"', Path(score.__file__).read_text("utf-8")))


def test_the_fields_of_status_are_there() -> None:
    with memory_store() as store:
        ledger.begin(store, "r", "score", now=NOW, as_of=NOW)
        store.change("INSERT INTO published (as_of, run_id, fence, published_at) VALUES ($1, 'r', 1, $1)", [NOW])
        columns, values = "model_version, digest, status, registered_at, facts", "'1', 'd', 'champion', $1, '{}'"
        store.change(f"INSERT INTO releases ({columns}) VALUES ({values})", [NOW])
        facts = status_of(store, zone="UTC", now=NOW)
    rows = table("field of `status --json`")
    for path in re.findall(r"`([a-z_.\[\]]+)`", " ".join(row[0] for row in rows)):
        value: Any = facts
        for step in path.replace("[]", ".0").split("."):
            value = value[0] if step == "0" else value[step]
    statuses = {ledger.RUNNING, ledger.DONE, ledger.PUBLISHED, ledger.FAILED, ledger.INTERRUPTED}
    (said,) = (row[1] for row in rows if "runs[].status" in row[0])
    assert statuses <= set(re.findall(r"`(\w+)`", said))
    assert ledger.WITHOUT_A_WORD in said


def test_the_roles_are_those_of_the_grants() -> None:
    assert [row[0].strip("`") for row in table("role")] == list(ROLES)


def test_the_crontab() -> None:
    *settings, job = block("crontab").splitlines()
    *schedule, command = job.split(maxsplit=5)
    check_cron(" ".join(schedule))
    assert "%" not in command, "cron takes it for the end of the line"
    (entered, run) = simple_commands(command)
    assert (entered[0], run[0]) == ("cd", "leadscore")
    assert (SCRIPTS / run[0]).is_file()
    check_arguments(run[1:])
    assert [line.split("=")[0] for line in settings] == ["PATH", "MAILTO", "NUMBA_CACHE_DIR"]


def unit(name: str) -> configparser.ConfigParser:
    """A systemd unit, no key given twice."""
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign] # keys of units differ by case
    parser.read_string(block("ini", name))
    return parser


def test_the_systemd_units() -> None:
    service, timer = unit("leadscore.service")["Service"], unit("leadscore.timer")["Timer"]
    program, *arguments = shlex.split(service["ExecStart"])
    assert Path(program).name == "leadscore"
    check_arguments(arguments)
    assert {int(code) for code in service["RestartPreventExitStatus"].split()} == FINAL
    assert (service["Type"], service["KillSignal"], service["ProtectSystem"]) == ("oneshot", "SIGTERM", "strict")
    assert "MemoryDenyWriteExecute" not in service
    assert service["Environment"].startswith(f"NUMBA_CACHE_DIR=/var/cache/{service['CacheDirectory']}/")
    assert {"TimeoutStopSec", "TimeoutStartSec", "User", "StateDirectory"} <= set(service)
    day, moment, zone = timer["OnCalendar"].split()
    assert (day, timer["Persistent"]) == ("*-*-*", "true")
    time.fromisoformat(moment)
    ZoneInfo(zone)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for name in ("leadscore.service", "leadscore.timer"):
        text = block("ini", name).replace("/opt/leadscore/.venv/bin", str(SCRIPTS))
        (tmp_path / name).write_text(text, encoding="utf-8")
    units = [tmp_path / "leadscore.service", tmp_path / "leadscore.timer"]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True)
    assert [line for line in done.stderr.splitlines() if "leadscore" in line] == []
    calendar = ["systemd-analyze", "calendar", unit("leadscore.timer")["Timer"]["OnCalendar"]]
    assert subprocess.run(calendar, capture_output=True).returncode == 0


def test_the_image_is_built_as_the_makefile_builds() -> None:
    lines = block("dockerfile", "Containerfile").replace("\\\n", " ").splitlines()
    words = [line.split() for line in lines]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    copied = {source for first, *rest in words if first == "COPY" for source in rest[:-1]}
    assert all((ROOT / source).exists() for source in copied)
    packages = {name.split(".")[0] for name in project["tool"]["setuptools"]["packages"]}
    assert packages | {"pyproject.toml", "requirements.txt", project["project"]["readme"]} <= copied
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (run,) = (line for line in lines if "pip install" in line)
    for step in re.findall(r"pip install --no-cache-dir ([^&]+)", run):
        assert step.strip() in makefile
    assert json.loads(next(line for line in lines if line.startswith("ENTRYPOINT")).split(maxsplit=1)[1]) == list(
        project["project"]["scripts"]
    )


POD = "spec.jobTemplate.spec.template.spec"
#: Place -> the fields that Kubernetes asks for there, and others that it knows and this example uses.
FIELDS = {
    "": ("apiVersion kind metadata spec", ""),
    "spec": (
        "schedule jobTemplate",
        "timeZone concurrencyPolicy startingDeadlineSeconds successfulJobsHistoryLimit failedJobsHistoryLimit",
    ),
    "spec.jobTemplate": ("spec", ""),
    "spec.jobTemplate.spec": ("template", "backoffLimit activeDeadlineSeconds podFailurePolicy"),
    POD: (
        "containers",
        "restartPolicy automountServiceAccountToken terminationGracePeriodSeconds securityContext volumes",
    ),
}


def test_the_cronjob() -> None:
    manifest = yaml.safe_load(block("yaml", "cronjob.yaml"))
    assert (manifest["apiVersion"], manifest["kind"]) == ("batch/v1", "CronJob")
    for path, (compulsory, others) in FIELDS.items():
        place = reduce(lambda inner, step: inner[step], filter(None, path.split(".")), manifest)
        assert set(compulsory.split()) <= set(place) <= {*compulsory.split(), *others.split()}, path
    check_cron(manifest["spec"]["schedule"])
    ZoneInfo(manifest["spec"]["timeZone"])  # refuses what is no zone
    assert manifest["spec"]["concurrencyPolicy"] == "Forbid"
    job = manifest["spec"]["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["restartPolicy"] == "Never", "a pod failure policy asks for it"
    refused, evicted = job["podFailurePolicy"]["rules"]
    assert (refused["action"], evicted["action"]) == ("FailJob", "Ignore")
    assert refused["onExitCodes"]["containerName"] == container["name"]
    assert set(refused["onExitCodes"]["values"]) == FINAL
    assert container["command"] == ["leadscore"]
    check_arguments(container["args"])
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert set(mounts) == {volume["name"] for volume in pod["volumes"]}
    assert container["workingDir"] == mounts["state"]
    variables = {one["name"]: one for one in container["env"]}
    assert all("valueFrom" in one for name, one in variables.items() if "PASSWORD" in name)
    assert all(variables[name]["value"].startswith(mounts["tmp"]) for name in ("NUMBA_CACHE_DIR", "HOME"))
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert f"USER {pod['securityContext']['runAsUser']}\n" in block("dockerfile", "Containerfile")


class Failed(Exception):
    """Stands for Airflow's exception that is tried again."""


class FailedForGood(Failed):
    """Stands for its exception that is not."""


def stand_in(airflow: MagicMock) -> dict[str, dict[str, Any]]:
    """What the example imports from Airflow; `airflow` tells how the job ends, and notes what it was asked."""

    class BaseOperator:
        def __init__(self, **settings: object) -> None:
            assert set(settings) == {"task_id", "retries", "retry_delay", "execution_timeout"}
            airflow.task = self

    return {
        "airflow.sdk": {"BaseOperator": BaseOperator, "DAG": airflow.dag, "CronTriggerTimetable": airflow.timetable},
        "airflow.sdk.exceptions": {"AirflowException": Failed, "AirflowFailException": FailedForGood},
        "airflow.providers.standard.hooks.subprocess": {"SubprocessHook": lambda: airflow.hook},
    }


def test_the_dag_runs_the_job_and_tries_again_what_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    airflow = MagicMock()
    for name, content in stand_in(airflow).items():
        monkeypatch.setitem(sys.modules, name, module := types.ModuleType(name))
        vars(module).update(content)
    namespace: dict[str, Any] = {}
    exec(compile(block("python", "leadscore_dag.py"), "leadscore_dag.py", "exec"), namespace)  # the page's own code
    (cron,), zone = airflow.timetable.call_args
    check_cron(cron)
    ZoneInfo(zone["timezone"])
    assert airflow.dag.call_args.kwargs.keys() == {"dag_id", "schedule", "start_date", "catchup", "max_active_runs"}
    task = airflow.task
    assert task.template_fields == ("arguments",)
    check_arguments([word.replace("{{ ds }}", "2026-11-22") for word in task.arguments])
    task.on_kill()
    airflow.hook.send_sigterm.assert_not_called()
    for code in CODES:
        airflow.hook.run_command.return_value.exit_code = code
        if code == 0:
            task.execute({})
            continue
        with pytest.raises(Failed, match=f"leadscore ended with {code}") as raised:
            task.execute({})
        assert (raised.type is FailedForGood) == (code not in namespace["TRY_AGAIN"])
    assert set(namespace["TRY_AGAIN"]) == AGAIN - {143}
    ((program, *_),), asked = airflow.hook.run_command.call_args
    assert Path(program).name == "leadscore"
    assert asked["env"].keys() == {*os.environ, "NUMBA_CACHE_DIR"}
    task.on_kill()
    airflow.hook.send_sigterm.assert_called_once_with()


def run_block(script: str, *, folder: Path, **environment: str) -> str:
    """Run a shell block in a folder, with our commands first on the path; what it printed."""
    variables = os.environ | {"PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"} | environment
    command = [BASH, "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_duckdb_file_is_backed_up(tmp_path: Path) -> None:
    LeadStore.open(str(tmp_path / "leads.duckdb"), create=True).close()
    shown = run_block(block("sh", "backup-duckdb"), folder=tmp_path)
    assert "leads-backup.duckdb: 0 leads" in shown
    assert (tmp_path / "leads-backup.duckdb").read_bytes() == (tmp_path / "leads.duckdb").read_bytes()


def test_a_postgres_schema_is_backed_up_and_restored(
    postgres_server: Server, postgres_url: str, tmp_path: Path
) -> None:
    path = f"{postgres_server.binaries}{os.pathsep}{os.environ['PATH']}"
    if not all(shutil.which(program, path=path) for program in ("pg_dump", "pg_restore")):
        pytest.skip("pg_dump and pg_restore are not on this machine")
    with LeadStore.open(postgres_url, create=True) as store:
        ledger.begin(store, "r", "score", now=NOW)
    postgres_server.create_database("restored")
    try:
        other = postgres_server.url("restored")
        script = block("sh", "backup-postgres")
        run_block(script, folder=tmp_path, PATH=path, DATABASE=postgres_url, OTHER_DATABASE=other)
        with LeadStore.open(other, read_only=True) as store:
            assert [run["run_id"] for run in status_of(store, zone="UTC", now=NOW)["runs"]] == ["r"]
    finally:
        postgres_server.drop_database("restored")

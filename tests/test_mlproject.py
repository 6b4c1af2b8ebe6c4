"""The MLproject's entry points, run as `mlflow run` runs them: train, then score, then compare."""

import csv
import json
import os
import random
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.store import LeadStore

ROOT = Path(__file__).parents[1]
PROJECT = yaml.safe_load((ROOT / "MLproject").read_text(encoding="utf-8"))
#: Python's own folder first: MLflow runs whatever `python` the path finds.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "LEADSCORE"))} | {
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


@pytest.mark.parametrize("name", PROJECT["entry_points"])
def test_an_entry_point_passes_its_parameters_to_options_of_the_command(name: str) -> None:
    entry = PROJECT["entry_points"][name]
    command = typer.main.get_command(app).commands[name]
    options = {option for parameter in command.params for option in parameter.opts}
    assert entry["command"].startswith(f"python -m pipelines {name} ")
    passed = dict(re.findall(r"(--[a-z-]+) \{([a-z_]+)\}", entry["command"]))
    assert set(passed) <= options
    assert set(passed.values()) == set(entry["parameters"])
    assert all(isinstance(about["default"], str) for about in entry["parameters"].values()), "none is compulsory"


def test_the_environment_is_the_locked_one() -> None:
    environment = yaml.safe_load((ROOT / PROJECT["python_env"]).read_text(encoding="utf-8"))
    least = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    assert environment["dependencies"] == ["-r requirements.txt"]
    assert environment["python"].startswith(least.removeprefix(">=") + ".")


def test_an_empty_parameter_is_one_that_was_not_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LEADSCORE_STORE", raising=False)
    shown = CliRunner().invoke(app, ["config", "show", "--config", "", "--store", ""])
    assert shown.exit_code == 0
    assert json.loads(shown.stdout)["store"]["url"] == "leads.duckdb"


def write_files(folder: Path, *, leads: int) -> list[Path]:
    """Leads over a year, whose budget and channel tell who buys within a week; and points that tell less."""
    draw = random.Random(7)
    rows, points = [], []
    for number in range(leads):
        created = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=number * 8760 / leads)
        budget, channel = draw.randint(1, 9), draw.choice(["web", "fair", "referral"])
        bought = draw.random() < 0.05 + 0.6 * (budget > 6) + 0.2 * (channel == "referral")
        lead = {"lead_id": f"lead-{number:04d}", "created_at": created.isoformat(), "known_at": created.isoformat()}
        won = (created + timedelta(days=draw.randint(1, 6))).isoformat() if bought else ""
        rows.append(
            lead
            | {"source_channel": channel, "budget": budget, "stage": "customer" if bought else "", "entered_at": won}
        )
        points.append(
            {"lead_id": lead["lead_id"], "known_at": lead["known_at"], "points": 10 * budget + draw.randint(0, 90)}
        )
    files = []
    for name, content in (("leads.csv", rows), ("points.csv", points)):
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(content[0]))
            writer.writeheader()
            writer.writerows(content)
        files.append(folder / name)
    return files


def run(entry: str, *, folder: Path, **parameters: str | Path) -> str:
    """`mlflow run` of an entry point, from a folder that is not the project's; what it printed."""
    passed = [part for name, value in parameters.items() for part in ("-P", f"{name}={value}")]
    done = subprocess.run(
        [sys.executable, "-m", "mlflow", "run", str(ROOT), "-e", entry, "--env-manager", "local", *passed],
        cwd=folder,
        env=ENVIRONMENT | {"MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_train_score_and_compare_run_under_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, config = tmp_path / "leads.duckdb", tmp_path / "small.toml"
    config.write_text(
        '[label]\nhorizon_days = 7\n[snapshots]\nat = "creation"\ndays_after_creation = [0.5]\n'
        f"[model]\nresamples = 50\n[tracking]\nuri = 'sqlite:///{tmp_path / 'mlflow.db'}'\n",
        encoding="utf-8",
    )
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def leadscore(*arguments: str | Path) -> None:
        done = CliRunner().invoke(app, [*map(str, arguments), "--config", str(config), "--store", str(store)])
        assert done.exit_code == 0, done.output

    for file in write_files(tmp_path, leads=600):
        leadscore("import", file, "--mapping", "generic")

    run("train", folder=tmp_path, config=config, store=store)
    from pipelines.tracking import MlflowClient  # not at the top: two seconds, for this test alone

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    client = MlflowClient(uri, registry_uri=uri)
    (trained,) = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
    assert trained.info.status == "FINISHED"
    assert trained.data.tags["verdict"] == "candidate"
    assert trained.data.tags["mlflow.project.entryPoint"] == "train"
    assert trained.data.params["store"] == str(store)
    assert trained.data.params["label.horizon_days"] == "7"
    assert trained.data.metrics["roc_auc"] > 0.7
    assert client.get_model_version_by_alias("leadscore", "candidate").run_id == trained.info.run_id

    # No entry points: between training and scoring stands a person's decision.
    leadscore("review", "1", "--approve", "--by", "Ada", "--note", "read it all")
    leadscore("promote", "--force", "--reason", "600 leads prove little")
    run("score", folder=tmp_path, config=config, store=store, as_of="2025-12-31")
    with LeadStore.open(str(store), read_only=True) as leads:
        ((published, as_of),) = leads.rows("SELECT count(*), min(epoch(as_of)) FROM current_scores")
    assert published > 0
    assert datetime.fromtimestamp(as_of, tz=UTC) == datetime(2025, 12, 31, tzinfo=UTC)

    assert "points" in run("compare", folder=tmp_path, config=config, store=store)

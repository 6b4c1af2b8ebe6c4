"""The whole path on real files, through the command line; and on a simulated store, where the truth is known."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.baselines import base_rate
from models.estimator import learn
from models.evaluation import evaluate
from models.splits import split_by_time
from pipelines import config, demo
from pipelines.__main__ import main
from pipelines.mapping import FOLDER as MAPPINGS
from pipelines.store import LeadStore
from pipelines.synthetic import simulate
from pipelines.train import read_catalogue, read_frame
from tests.stores import memory_store

DATA = Path(os.environ.get("LEADSCORE_DATA") or Path(__file__).parents[1] / ".." / "shared" / "data").resolve()


def files(folder: str, *names: str) -> list[Path]:
    found = [DATA / folder / name for name in names]
    missing = [str(path) for path in found if not path.is_file()]
    if missing:
        pytest.skip(f"real data are not here: {', '.join(missing)}; LEADSCORE_DATA names the folder that holds them")
    return found


class Folder:
    """An empty working folder, and the command line in it."""

    def __init__(self, path: Path, patch: pytest.MonkeyPatch, printed: pytest.CaptureFixture[str]) -> None:
        self.path, self._patch, self._printed = path, patch, printed
        self.stderr = ""
        path.mkdir()
        patch.chdir(path)
        patch.delenv("LEADSCORE_STORE", raising=False)
        # Whole, since MLflow remembers databases by their address, from one test to the next.
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{path / 'mlflow.db'}")

    def leadscore(self, *arguments: str | Path, code: int = 0) -> str:
        """What a command prints; its messages are kept in `stderr`."""
        self._patch.setattr(sys, "argv", ["leadscore", *map(str, arguments)])
        self._printed.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        stdout, self.stderr = self._printed.readouterr()
        assert int(ended.value.code or 0) == code, stdout + self.stderr
        return stdout

    def start(self, preset: str, mapping: str | Path, *imported: Path, few: bool = False) -> None:
        """init and import; intervals from few resamples, which are not what is tested here."""
        self.leadscore("init", "--preset", preset)
        file = self.path / config.FILE
        text = file.read_text(encoding="utf-8") + "\n[model]\nresamples = 100\n"
        if few:
            text = text.replace("[snapshots]", "[snapshots]\nmost = 8000")
        file.write_text(text, encoding="utf-8")
        for path in imported:
            self.leadscore("import", path, "--mapping", mapping)

    def train(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.leadscore("train", "--json"))
        return report


class Processes(Folder):
    """The same with a process for each command, as people and schedulers run them."""

    def leadscore(self, *arguments: str | Path, code: int = 0) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
        command = [sys.executable, "-m", "pipelines", *map(str, arguments)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == code, done.stdout + done.stderr
        self.stderr = done.stderr
        return done.stdout


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Folder:
    return Folder(tmp_path / "empty", monkeypatch, capsys)


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Folder:
    return Processes(tmp_path / "empty", monkeypatch, capsys)


def test_loan_applications_from_nothing_to_reasons(processes: Folder) -> None:
    processes.start("bpi2012", "bpi2012", *files("bpi2012", "cases.csv", "events.csv.gz"))
    report = processes.train()
    assert (report["version"], report["verdict"]) == ("1", "candidate")
    assert report["metrics"]["roc_auc"]["value"] >= 0.80
    assert report["metrics"]["log_loss"]["value"] <= 0.495
    assert report["leaks"] == []
    processes.leadscore("promote", "1", code=12)
    assert "Nobody has reviewed version 1" in processes.stderr
    assert "## " in processes.leadscore("card", "1")
    processes.leadscore("review", "1", "--approve", "--by", "Ada", "--note", "read it all")
    processes.leadscore("promote", "1")
    # Two weeks before the log ends, when applications were still open.
    scored = json.loads(processes.leadscore("score", "--as-of", "2012-03-01", "--json"))
    assert scored["status"] == "published"
    assert scored["scored"] > 100
    assert scored["leads_in"] == scored["scored"] + sum(scored["excluded"].values())
    with LeadStore.open(str(processes.path / "leads.duckdb"), read_only=True) as store:
        ((lead, probability),) = store.rows(
            "SELECT lead_id, probability FROM current_scores ORDER BY probability DESC, lead_id LIMIT 1"
        )
    explained = json.loads(processes.leadscore("explain", lead, "--json"))
    reasons = explained["reasons"]
    total = reasons["start"] + sum(r["effect"] for r in reasons["reasons"]) + reasons["rest"] + reasons["calibration"]
    assert 1 / (1 + np.exp(-total)) == pytest.approx(probability, abs=1e-4)
    assert json.loads(processes.leadscore("score", "--as-of", "2012-03-01", "--json"))["status"] == "unchanged"
    assert json.loads(processes.leadscore("status", "--json"))["published"]["as_of"].startswith("2012-03-01")


def test_phone_contacts_are_no_worse_than_the_baselines(folder: Folder) -> None:
    folder.start("bank-marketing", "bank-marketing", *files("bank-marketing", "bank-additional-full.csv.gz"))
    report = folder.train()
    log_loss = report["metrics"]["log_loss"]["value"]
    assert log_loss <= 0.569
    assert log_loss <= max(baseline["log_loss"]["value"] for baseline in report["baselines"].values())
    assert "duration" not in {leak["column"] for leak in report["leaks"]}


def test_the_length_of_the_call_is_named_as_a_leak(folder: Folder) -> None:
    contacts = files("bank-marketing", "bank-additional-full.csv.gz")
    mapping = folder.path / "with-duration.toml"
    text = (MAPPINGS / "bank-marketing.toml").read_text(encoding="utf-8")
    mapping.write_text(text.replace('duration = "ignored"', 'duration = "numeric"'), encoding="utf-8")
    # A part of the leads is enough to see it.
    folder.start("bank-marketing", mapping, *contacts, few=True)
    report = folder.train()
    assert "duration" in {leak["column"] for leak in report["leaks"]}
    assert re.search(r"^leak\? duration: .*Exclude it", folder.stderr, re.MULTILINE)


def test_where_nothing_predicts_winning_nothing_is_registered(folder: Folder) -> None:
    folder.start("crm-sales", "crm-sales", *files("crm-sales", "sales_pipeline.csv"))
    report = folder.train()
    assert (report["version"], report["verdict"]) == (None, "no skill")
    assert report["metrics"]["roc_auc"]["low"] < 0.52
    folder.leadscore("promote", code=12)
    assert "no candidate to promote" in folder.stderr
    assert json.loads(folder.leadscore("status", "--json"))["releases"] == []


def test_on_a_simulated_store_probabilities_come_close_to_the_true_ones() -> None:
    """What no real data can show: how much is lost against whoever knows the process itself."""
    simulated = simulate()
    settings = config.load(environment={})
    with memory_store() as store:
        demo.fill(store, simulated)
        inventory = store.inventory()
        columns = read_catalogue(inventory, settings)
        data = read_frame(store, settings, inventory, columns, as_of=None, progress=lambda _done, _total: None)
    horizon = settings.label.horizon_days
    split = split_by_time(data.as_of, later_share=settings.splits.test_share, horizon_days=horizon)
    leads = np.asarray(data.lead_id)
    learned = learn(
        data.frame.iloc[split.earlier],
        data.outcome[split.earlier],
        lead_id=leads[split.earlier].tolist(),
        as_of=data.as_of[split.earlier],
        horizon_days=horizon,
        monotone={column.name: column.monotone for column in columns.columns if column.monotone},
        seed=settings.model.seed,
    )
    model = learned.model.probability(data.frame.iloc[split.later])
    truth = simulated.true_probability(leads[split.later], data.as_of[split.later], horizon)
    # A purchase that was not yet recorded: the store still offers the lead, the truth knows better.
    known = ~np.isnan(truth)
    assert known.mean() > 0.99
    model, truth, outcome = model[known], truth[known], data.outcome[split.later][known]
    who = leads[split.later][known].tolist()
    base = float(data.outcome[split.earlier].mean())
    ours, true, constant = (
        evaluate(p, outcome, lead_id=who, base_rate_probability=base, resamples=50).metrics
        for p in (model, truth, base_rate(data.outcome[split.earlier], rows=len(outcome)))
    )

    def expected_log_loss(p: np.ndarray) -> float:
        return float(-(truth * np.log(p) + (1 - truth) * np.log1p(-p)).mean())

    least = expected_log_loss(np.clip(truth, 1e-12, 1 - 1e-12))
    regret = expected_log_loss(model) / least - 1
    found = (
        f"{len(outcome):,} snapshots, {outcome.mean():.2%} converted; ROC-AUC {ours['roc_auc'].value:.4f} (truth "
        f"{true['roc_auc'].value:.4f}); ECE {ours['ece'].value:.4f} (truth {true['ece'].value:.4f}); log loss "
        f"{ours['log_loss'].value:.4f} (truth {true['log_loss'].value:.4f}, base rate "
        f"{constant['log_loss'].value:.4f}); regret {regret:.2%} of {least:.4f}; mean {model.mean():.4f} (truth "
        f"{truth.mean():.4f})"
    )
    assert true["roc_auc"].value - ours["roc_auc"].value < 0.01, found
    assert ours["ece"].value < 0.015, found
    assert regret < 0.03, found

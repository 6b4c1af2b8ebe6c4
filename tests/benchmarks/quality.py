"""The model against its baselines, and against AutoML tools, on real leads: one table.

    python -m tests.benchmarks.quality [--data "bpi2012, day 14"] [--seconds 60] [--peers .venv-peers/bin/python]

Each data set is imported into a store of its own by its preset and mapping; LEADSCORE_DATA names the folder that holds
them. Contestants learn from the earlier part of the snapshots, cut as `leadscore train` cuts them, and foretell the
later part. Intervals are paired by lead; "better", "level" and "worse" say how the *model* stands to the contestant.
The tools are those of requirements-peers.txt; one that is not there is skipped, by name.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.catalogue import Catalogue
from models import baselines
from models.estimator import learn
from models.evaluation import Interval, evaluate, paired_difference, verdict
from models.splits import Rows, split_by_time
from pipelines import config
from pipelines.points import points_of
from pipelines.snapshots import TrainingFrame
from pipelines.store import LeadStore
from pipelines.train import decide, read_catalogue, read_frame, read_inventory

Floats = npt.NDArray[np.float64]

REPOSITORY: Final = Path(__file__).parents[2]
RESAMPLES: Final = 1000
PEERS: Final = ("FLAML", "AutoGluon")
LEADFORGE: Final = (
    *(f"leadforge/tasks/converted_within_90_days/{part}.parquet" for part in ("train", "valid", "test")),
    *(f"leadforge/tables/{table}.parquet" for table in ("touches", "sessions", "sales_activities", "opportunities")),
)


@dataclass(frozen=True)
class Case:
    """A preset, the files that its mapping of the same name reads, and settings beside it."""

    preset: str
    files: tuple[str, ...]
    flags: Mapping[str, Any]


CASES: Final[Mapping[str, Case]] = {
    "bank-marketing": Case("bank-marketing", ("bank-marketing/bank-additional-full.csv.gz",), {}),
    **{
        f"bpi2012, day {days:g}": Case(
            "bpi2012", ("bpi2012/cases.csv", "bpi2012/events.csv.gz"), {"snapshots.days_after_creation": [days]}
        )
        for days in (14.0, 7.0, 1.0)
    },
    "leadforge": Case("leadforge", LEADFORGE, {}),
    "crm-sales": Case("crm-sales", ("crm-sales/sales_pipeline.csv",), {}),
}


@dataclass(frozen=True)
class Problem:
    """What everybody learns from, and is asked: positions in `data` of the earlier and the later snapshots."""

    data: TrainingFrame
    columns: Catalogue
    points: Floats | None
    settings: config.Settings
    earlier: Rows
    later: Rows

    @property
    def frames(self) -> tuple[pd.DataFrame, npt.NDArray[np.int64], pd.DataFrame]:
        """Training rows, their outcomes, and the rows to predict."""
        frame = self.data.frame
        return frame.iloc[self.earlier], self.data.outcome[self.earlier], frame.iloc[self.later]


@contextmanager
def imported(case: Case, data: Path) -> Iterator[Path]:
    """A folder with a store, made as a person would: init, then an import of each file."""
    with tempfile.TemporaryDirectory(prefix="leadscore-quality-") as name:
        folder = Path(name)
        environment = {k: v for k, v in os.environ.items() if k not in ("LEADSCORE_STORE", "MLFLOW_TRACKING_URI")}
        environment["PYTHONPATH"] = str(REPOSITORY)
        commands = [["init", "--preset", case.preset]]
        commands += [["import", str(data / file), "--mapping", case.preset] for file in case.files]
        for command in commands:
            done = subprocess.run(
                [sys.executable, "-m", "pipelines", *command],
                cwd=folder, env=environment, capture_output=True, text=True,
            )  # fmt: skip
            if done.returncode:
                raise SystemExit(f"leadscore {' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
        yield folder


def problem(folder: Path, case: Case) -> Problem:
    """The case's snapshots, cut in time."""
    settings = config.load(folder / config.FILE, environment={}, flags=case.flags)
    with LeadStore.open(str(folder / "leads.duckdb"), read_only=True) as store:
        inventory = read_inventory(store, as_of=None)
        columns = read_catalogue(inventory, settings)
        data = read_frame(store, settings, inventory, columns, as_of=None, progress=lambda _done, _total: None)
        points = points_of(store, settings, inventory, data)
    split = split_by_time(data.as_of, later_share=settings.splits.test_share, horizon_days=settings.label.horizon_days)
    return Problem(data, columns, points, settings, split.earlier, split.later)


def model(asked: Problem) -> Floats:
    """Our own procedure, as `leadscore train` calls it."""
    frame, outcome, later = asked.frames
    learned = learn(
        frame,
        outcome,
        lead_id=np.asarray(asked.data.lead_id, object)[asked.earlier].tolist(),
        as_of=asked.data.as_of[asked.earlier],
        horizon_days=asked.settings.label.horizon_days,
        monotone={column.name: column.monotone for column in asked.columns.columns if column.monotone},
        seed=asked.settings.model.seed,
    )
    return learned.model.probability(later)


def contestants(asked: Problem) -> dict[str, Callable[[], Floats]]:
    """Every baseline that the case has something for."""
    frame, outcome, later = asked.frames
    stage = asked.data.stage
    found: dict[str, Callable[[], Floats]] = {
        "base rate": lambda: baselines.base_rate(outcome, rows=len(later)),
        "best single feature": lambda: baselines.best_single_feature(frame, outcome, later)[1],
        "logistic regression": lambda: baselines.logistic_regression(frame, outcome, later),
        "Odoo naive Bayes": lambda: baselines.odoo_bayes(frame, outcome, later),
        "Odoo naive Bayes, bins": lambda: baselines.odoo_bayes_with_bins(frame, outcome, later),
    }
    if pd.notna(stage).any():
        found["Odoo naive Bayes, stage"] = lambda: baselines.odoo_bayes_with_stage(
            frame, outcome, later, stage=stage[asked.earlier], later_stage=stage[asked.later]
        )
    if (points := asked.points) is not None and len(np.unique(points)) > 1:
        found["points"] = lambda: baselines.points_probability(points[asked.earlier], outcome, points[asked.later])
    return found


class Peers:
    """The AutoML tools of another environment, each asked in a process of its own."""

    def __init__(self, python: Path, *, seconds: float) -> None:
        self.python, self.seconds = python, seconds
        self.versions: dict[str, str] = {}
        for name in PEERS:
            done = self._run(name) if python.is_file() else None
            if done is not None and done.returncode == 0:
                self.versions[name] = done.stdout
            else:
                sys.stderr.write(f"SKIPPED {name}: {python} has none; requirements-peers.txt installs it\n")

    def foretell(self, name: str, asked: Problem) -> Floats:
        """Its probabilities of the later rows."""
        frame, outcome, later = asked.frames
        names = {column: f"f{number}" for number, column in enumerate(frame.columns)}
        with tempfile.TemporaryDirectory(prefix="leadscore-peer-") as made:
            folder = Path(made)
            earlier = frame.rename(columns=names).reset_index(drop=True).assign(outcome=outcome)
            earlier.to_parquet(folder / "earlier.parquet")
            later.rename(columns=names).reset_index(drop=True).to_parquet(folder / "later.parquet")
            done = self._run(name, str(folder), str(self.seconds))
            if done.returncode:
                raise SystemExit(f"{name} ended with {done.returncode}:\n{done.stderr[-3000:]}")
            probability: Floats = np.load(folder / "probability.npy")
            return probability

    def _run(self, name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        script = Path(__file__).with_name("peers.py")
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
        environment.pop("PYTHONPATH", None)
        return subprocess.run(
            [self.python, script, name.lower(), *arguments], env=environment, capture_output=True, text=True
        )


def judged(case: str, asked: Problem, peers: Peers) -> tuple[list[str], list[str]]:
    """The case's rows of the table, and what the model did not reach there."""
    predictions: dict[str, Floats] = {}
    seconds: dict[str, float] = {}
    every: dict[str, Callable[[], Floats]] = {"model": lambda: model(asked), **contestants(asked)}
    every |= {name: (lambda name=name: peers.foretell(name, asked)) for name in peers.versions}  # type: ignore[misc]
    for name, foretell in every.items():
        sys.stderr.write(f"{case}: {name}\n")
        started = time.perf_counter()
        predictions[name] = foretell()
        seconds[name] = time.perf_counter() - started
    outcome = asked.data.outcome[asked.later]
    leads = np.asarray(asked.data.lead_id, object)[asked.later].tolist()
    base = float(asked.data.outcome[asked.earlier].mean())

    def against(metric: str, name: str) -> Interval:
        return paired_difference(
            metric, predictions["model"], predictions[name], outcome, lead_id=leads, resamples=RESAMPLES
        )

    metrics = {
        name: evaluate(
            p, outcome, lead_id=leads, base_rate_probability=base, resamples=RESAMPLES if not i else 1
        ).metrics
        for i, (name, p) in enumerate(predictions.items())
    }
    loss, auc = metrics["model"]["log_loss"], metrics["model"]["roc_auc"]
    decided, _ = decide(metrics["model"], against("log_loss", "base rate"))
    sized = f"{case}: {len(asked.earlier):,} → {len(asked.later):,}, {outcome.mean():.1%} converted"
    rows = [f"| {sized} | **model: {decided}** | {_span(loss)} | | {_span(auc)} | | {seconds['model']:.1f} |"]
    missed = []
    for name in list(predictions)[1:]:
        in_loss, in_auc = against("log_loss", name), against("roc_auc", name)
        cells = [
            name,
            f"{metrics[name]['log_loss'].value:.4f}",
            f"{verdict(in_loss)} {_span(in_loss, sign='+')}",
            f"{metrics[name]['roc_auc'].value:.4f}",
            f"{verdict(in_auc, lower_is_better=False)} {_span(in_auc, sign='+')}",
            f"{seconds[name]:.1f}",
        ]
        rows.append(f"| | {' | '.join(cells)} |")
        if verdict(in_loss) == "worse":
            missed.append(f"{case}: the model is worse than {name} in log loss, by {_span(in_loss)}")
        if verdict(in_auc, lower_is_better=False) == "worse":
            missed.append(f"{case}: the model is worse than {name} in ROC-AUC, by {_span(in_auc)}")
    if (case == "crm-sales") != (decided == "no skill"):
        missed.append(f"{case}: the verdict is {decided}")
    return rows, missed


def _span(interval: Interval, *, sign: str = "") -> str:
    value, low, high = (format(number, f"{sign}.4f") for number in (interval.value, interval.low, interval.high))
    return f"{value} ({low} to {high})"


def table(rows: Sequence[str], peers: Peers) -> str:
    """The rows under their heads."""
    head = "| snapshots | contestant | log loss | the model less it | ROC-AUC | the model less it | seconds |"
    told = ", ".join(f"{name} {version}" for name, version in peers.versions.items()) or "none here"
    return "\n".join(
        [head, "|" + "---|" * 7, *rows, "", f"AutoML tools: {told}; {peers.seconds:g} s and one thread each."]
    )


def main() -> None:
    """Import each data set, ask everybody, print the table; the exit code says whether the model held its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=CASES, action="append", help="only this case (may be given several times)")
    parser.add_argument("--seconds", type=float, default=60, help="what each AutoML tool is given")
    parser.add_argument("--peers", type=Path, default=REPOSITORY / ".venv-peers" / "bin" / "python", metavar="PYTHON")
    asked = parser.parse_args()
    if not (given := os.environ.get("LEADSCORE_DATA")):
        raise SystemExit("LEADSCORE_DATA must name the folder that holds the data sets; see CONTRIBUTING.md.")
    data = Path(given).resolve()
    peers = Peers(asked.peers, seconds=asked.seconds)
    rows, missed = [], []
    for name in asked.data or CASES:
        case = CASES[name]
        absent = [file for file in case.files if not (data / file).is_file()]
        if absent:
            sys.stderr.write(f"SKIPPED {name}: not in {data}: {', '.join(absent)}\n")
            continue
        with imported(case, data) as folder:
            its_rows, its_missed = judged(name, problem(folder, case), peers)
        rows += its_rows
        missed += its_missed
    sys.stdout.write(table(rows, peers) + "\n\n")
    sys.stdout.write(
        "\n".join(missed or ["The model is better or level everywhere, and says so where there is no skill."])
    )
    sys.stdout.write("\n")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()

"""Tuning: it sees nothing of what it will be judged on, goes on where it stopped, and is used only where it helps."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.storages.journal import JournalFileBackend

from features.catalogue import Catalogue
from features.errors import TooLittleData
from models.backtest import cut
from pipelines.config import Settings
from pipelines.proving import prove
from pipelines.snapshots import TrainingFrame
from pipelines.store import LeadStore
from pipelines.train import read_catalogue, read_frame, train
from pipelines.tuning import DEFAULT, SPACE, _suggested, brought, in_words, tune
from tests.pipelines.conftest import NOW, World


@pytest.fixture(scope="module")
def asked(trained: World) -> tuple[TrainingFrame, Settings, Catalogue]:
    settings = trained.settings()
    with LeadStore.open(settings.store.url, read_only=True) as store:
        inventory = store.inventory()
        columns = read_catalogue(inventory, settings)
        data = read_frame(store, settings, inventory, columns, as_of=None, progress=lambda _done, _total: None)
    return data, settings, columns


def some(data: TrainingFrame, *, of: int) -> TrainingFrame:
    """Every so many snapshots only."""
    kept = np.arange(len(data.outcome)) % of == 0
    return replace(
        data, frame=data.frame[kept], outcome=data.outcome[kept], known_at=data.known_at[kept], stage=data.stage[kept]
    )


def test_the_default_is_the_first_trial_and_the_search_goes_on_where_it_stopped(
    asked: tuple[TrainingFrame, Settings, Catalogue], tmp_path: Path
) -> None:
    said: list[str] = []
    first = tune(*asked, minutes=10, journal=tmp_path, most_trials=2)
    again = tune(*asked, minutes=10, journal=tmp_path, most_trials=1, say=said.append)
    assert dict(first.trials[0].shape) == DEFAULT
    assert [trial.number for trial in again.trials] == [0, 1, 2]
    assert again.trials[:2] == first.trials
    assert said[0] == "tuning goes on after 2 trials that were made before"
    assert said[1].startswith("trial 3, ")
    judged = [trial for trial in again.trials if trial.log_loss is not None]
    assert again.shape == min(judged, key=lambda trial: (trial.log_loss, trial.number)).shape
    for trial in again.trials:
        assert set(trial.shape) == set(SPACE)


def test_after_a_search_that_was_killed_at_its_first_trial_the_default_is_still_judged(
    asked: tuple[TrainingFrame, Settings, Catalogue], tmp_path: Path
) -> None:
    data, settings, _ = asked
    name = f"{data.digest()[:16]}-{settings.digest()[:16]}"
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(tmp_path / f"{name}.log")))
    study = optuna.create_study(study_name=name, storage=storage)
    study.enqueue_trial(DEFAULT)
    assert _suggested(study.ask()) == DEFAULT  # and there it is killed
    said: list[str] = []
    again = tune(*asked, minutes=10, journal=tmp_path, most_trials=1, say=said.append)
    assert [dict(trial.shape) for trial in again.trials] == [DEFAULT]
    assert not any("goes on" in sentence for sentence in said)


def test_a_mistake_in_the_program_is_not_taken_for_too_little_history(
    asked: tuple[TrainingFrame, Settings, Catalogue], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(*_: object) -> None:
        raise ValueError("shapes do not match")

    monkeypatch.setattr("pipelines.tuning.learner", lambda *_, **__: mistaken)
    with pytest.raises(ValueError, match="shapes do not match"):
        tune(*asked, minutes=10, journal=tmp_path, most_trials=1)


def test_what_comes_after_the_first_cut_off_changes_nothing(
    asked: tuple[TrainingFrame, Settings, Catalogue], tmp_path: Path
) -> None:
    data, settings, columns = asked
    begins = cut(
        data.as_of, test_share=settings.splits.test_share, cut_offs=settings.splits.cut_offs,
        horizon_days=settings.label.horizon_days,
    )[0].begins  # fmt: skip
    later = data.as_of >= begins
    poisoned = replace(data, outcome=np.where(later, 1 - data.outcome, data.outcome))
    one = tune(data, settings, columns, minutes=10, journal=tmp_path / "a", most_trials=2)
    other = tune(poisoned, settings, columns, minutes=10, journal=tmp_path / "b", most_trials=2)
    assert one.trials == other.trials


def test_too_little_history_before_the_test_is_said(
    asked: tuple[TrainingFrame, Settings, Catalogue], tmp_path: Path
) -> None:
    data, settings, columns = asked
    with pytest.raises(TooLittleData, match="too little history before the test to tune on"):
        tune(some(data, of=15), settings, columns, minutes=1, journal=tmp_path, most_trials=1)


def test_what_it_brought_is_told_with_an_interval_and_used_only_where_it_is_sure(
    asked: tuple[TrainingFrame, Settings, Catalogue], tmp_path: Path
) -> None:
    data, settings, columns = asked
    tuned = tune(data, settings, columns, minutes=10, journal=tmp_path, most_trials=1)
    default = prove(data, settings, columns, points=None)
    found = brought(tuned, default, default, settings)
    assert found["gain"] == {"value": 0, "low": 0, "high": 0, "undefined": 0, "word": "level"}
    assert found["used"] is False
    assert in_words(found).startswith("Tuning is not shown to help, so the default stays: 1 trials (0 given up early)")
    helped = in_words(found | {"used": True})
    assert helped.startswith("Tuning helped: ")
    assert helped.endswith("That was decided on the test itself, so its figures may flatter the shape a little.")


def test_a_training_that_tunes_tells_what_it_brought(world: World) -> None:
    settings, said = world.settings(), list[str]()
    with LeadStore.open(settings.store.url) as store:
        report = train(store, settings, world.tracking(), as_of=None, now=NOW, tune_minutes=0.05, say=said.append)
    tuning = report.facts["tuning"]
    assert tuning["trials"] >= 1
    assert set(tuning["parameters"]) == set(SPACE)
    assert in_words(tuning) in said
    runs = world.tracking().client.search_runs(["1"], f"tags.mlflow.parentRunId = '{report.run_id}'")
    assert len(runs) == tuning["trials"]
    assert {run.data.tags["state"] for run in runs} <= {"complete", "pruned"}

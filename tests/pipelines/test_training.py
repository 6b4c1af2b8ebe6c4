"""Training: what it reports, that it does the same twice, and that it refuses where there is nothing to learn."""

import json
import math
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.errors import TooLittleData
from models.bundle import FILES
from models.evaluation import Interval
from pipelines import champion, config, provenance, release
from pipelines.config import Settings
from pipelines.promote import promote
from pipelines.score import cache_of
from pipelines.store import LeadStore
from pipelines.tracking import CANDIDATE, CHAMPION, Tracking
from pipelines.train import decide, read_catalogue, read_frame, train
from tests.pipelines.conftest import COMMIT, NOW, World

METRICS = (
    "log_loss", "brier", "roc_auc", "pr_auc", "lift_at_10", "ece", "calibration_slope", "calibration_intercept",
)  # fmt: skip


def quiet(*_: object) -> None:
    """No progress."""


# A simulated store ---------------------------------------------------------------------------------------------------


def test_the_report_has_the_keys_that_programs_read(trained: World) -> None:
    plain = json.loads(json.dumps(trained.report.as_dict(), allow_nan=False))
    assert plain["version"] == "1"
    assert plain["verdict"] == "candidate"
    for key in ("train", "calibrate", "test", "dropped_immature"):
        assert plain["snapshots"][key] > 0
    others = {"base_rate", "logistic", "odoo_bayes", "odoo_bayes_with_stage", "single_feature", "points"}
    assert set(plain["baselines"]) == set(plain["differences"]) == others
    for metrics in (plain["metrics"], *plain["baselines"].values()):
        for name in METRICS:
            assert {"value", "low", "high"} <= set(metrics[name])
            value, low, high = (metrics[name][end] for end in ("value", "low", "high"))
            # A constant has no slope.
            assert (value is None and name == "calibration_slope") or low <= high
    assert plain["metrics"]["log_loss"]["value"] < plain["baselines"]["base_rate"]["log_loss"]["value"]
    assert plain["metrics"]["roc_auc"]["low"] > 0.6


def test_every_snapshot_is_accounted_for(trained: World) -> None:
    with trained.open(read_only=True) as store:
        inventory = store.inventory()
        settings = trained.settings()
        columns = read_catalogue(inventory, settings)
        data = read_frame(store, settings, inventory, columns, as_of=None, progress=quiet)
    facts = trained.report.facts
    counts, newest = facts["snapshots"], facts["folds"][-1]
    assert sum(newest[key] for key in ("train", "calibrate", "test", "dropped_in_gap")) == len(data.outcome)
    assert counts["test"] == sum(fold["test"] for fold in facts["folds"])
    assert counts["dropped_immature"] == data.dropped_immature
    assert trained.report.facts["data"]["digest"] == data.digest()
    assert trained.report.facts["data"]["config_digest"] == settings.digest()


def test_the_candidate_is_registered_with_its_digest_and_all_that_was_measured(trained: World) -> None:
    tracking = trained.tracking()
    assert tracking.version_of(CANDIDATE) == tracking.version_of(CHAMPION) == trained.report.version == "1"
    with trained.open(read_only=True) as store:
        ((digest, status, facts),) = store.rows("SELECT digest, status, facts FROM releases")
    assert (digest, status) == (trained.report.digest, "champion")
    assert json.loads(facts)["metrics"] == trained.report.facts["metrics"]
    run = tracking.client.get_run(trained.report.run_id)
    assert run.data.metrics["roc_auc"] == trained.report.facts["metrics"]["roc_auc"]["value"]
    assert run.data.metrics["logistic.log_loss"] == trained.report.facts["baselines"]["logistic"]["log_loss"]["value"]
    assert run.data.params["label.horizon_days"] == "60"
    assert run.data.tags["release_digest"] == digest
    files = {file.path for file in tracking.client.list_artifacts(run.info.run_id)}
    assert {"card.json", "reliability.png", "gain.png", "importance.png"} <= files


def test_training_again_is_the_same_release_and_no_second_version(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(provenance, "commit", lambda: COMMIT)
    with world.open() as store:
        again = train(store, world.settings(), world.tracking(), as_of=None, now=NOW, say=said.append)
        assert store.rows("SELECT count(*) FROM releases") == [(1,)]
    assert (again.digest, again.version) == (world.report.digest, "1")
    assert json.dumps(again.facts, sort_keys=True) == json.dumps(dict(world.report.facts), sort_keys=True)
    assert any("this is the release of version 1, registered before" in message for message in said)
    versions = world.tracking().client.search_model_versions("name = 'leadscore'")
    assert [str(version.version) for version in versions] == ["1"]


def test_the_release_s_files_are_text_and_nothing_in_the_registry_is_a_pickle(trained: World, tmp_path: Path) -> None:
    folder = trained.tracking().download("1")
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(files) == {*FILES, release.MANIFEST}
    for content in files.values():
        content.decode("utf-8")
    registered = [path for path in (trained.folder / "mlruns").rglob("*") if path.is_file()]
    assert any(path.name == "MLmodel" for path in registered)
    for path in registered:
        head = path.read_bytes()[:2]
        assert path.suffix not in (".pkl", ".pickle", ".joblib", ".pt", ".bin"), path
        assert not (head[:1] == b"\x80" and head[1:] in (b"\x02", b"\x03", b"\x04", b"\x05")), f"{path} is a pickle"


PREDICT = """
import sys, warnings
warnings.simplefilter("ignore")
import mlflow.pyfunc, numpy as np, pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
np.save(sys.argv[3], np.asarray(model.predict(pd.read_pickle(sys.argv[2]))))
import features
print(features.__file__)
"""


def test_the_pyfunc_gives_the_same_probabilities_in_a_process_that_knows_nothing_of_us(
    trained: World, tmp_path: Path
) -> None:
    with trained.open(read_only=True) as store:
        inventory, settings = store.inventory(), trained.settings()
        data = read_frame(store, settings, inventory, read_catalogue(inventory, settings), as_of=None, progress=quiet)
        chosen = champion.registered(store, "1")
    loaded = cache_of(settings).load(chosen.digest)
    assert loaded is not None
    rows = data.frame.reset_index(drop=True)
    rows.to_pickle(tmp_path / "rows.pkl")
    done = subprocess.run(
        [sys.executable, "-P", "-c", PREDICT, "models:/leadscore/1", "rows.pkl", "out.npy"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "MLFLOW_TRACKING_URI": trained.settings().tracking.uri},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), loaded.probability(rows), rtol=0, atol=1e-12)
    # The code came with the model, not from here.
    assert not Path(done.stdout.splitlines()[-1]).is_relative_to(Path(__file__).parents[2])


def test_a_release_whose_files_changed_is_not_promoted(world: World) -> None:
    with world.open() as store:
        store.change("UPDATE releases SET digest = 'another'")
        with pytest.raises(Exception, match="is not what was registered"):
            promote(store, world.tracking(), cache_of(world.settings()), world.settings(), version="1", now=NOW)


# The verdict ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("difference", "auc", "verdict"),
    [
        (Interval(-0.05, -0.08, -0.02), Interval(0.7, 0.65, 0.75), "candidate"),
        (Interval(-0.05, -0.11, 0.01), Interval(0.7, 0.65, 0.75), "no skill"),
        (Interval(-0.05, -0.08, -0.02), Interval(0.6, 0.49, 0.7), "no skill"),
        (Interval(0.05, 0.02, 0.08), Interval(0.7, 0.65, 0.75), "no skill"),
        (Interval(math.nan, math.nan, math.nan), Interval(0.7, 0.65, 0.75), "no skill"),
    ],
)
def test_only_what_beats_the_base_rate_beyond_doubt_is_a_candidate(
    difference: Interval, auc: Interval, verdict: str
) -> None:
    found, reason = decide({"roc_auc": auc}, difference)
    assert found == verdict
    assert "ROC-AUC" in reason
    assert ("nothing was registered" in reason) == (verdict == "no skill")


# Flat stores ---------------------------------------------------------------------------------------------------------


def flat(
    folder: Path, *, leads: int, skill: float, leak: str | None = None, rate: float = 0.3, days: int = 300
) -> tuple[Settings, Tracking]:
    """One row per lead: three attributes, and a purchase within a week that follows them as far as `skill` says."""
    draw = np.random.default_rng(3)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    created = [start + timedelta(days=days * n / leads) for n in range(leads)]
    age, region = draw.normal(40, 10, leads).round(1), draw.choice(["north", "south", "west"], leads)
    odds = math.log(rate / (1 - rate)) + skill * ((age - 40) / 10 + (region == "south"))
    bought = draw.random(leads) < 1 / (1 + np.exp(-odds))
    attributes = [{"age": str(a), "region": str(r)} for a, r in zip(age, region, strict=True)]
    if leak:
        attributes = [a | ({leak: "yes"} if b else {}) for a, b in zip(attributes, bought, strict=True)]
    ids = [f"lead-{n:04d}" for n in range(leads)]
    times = pa.timestamp("us", tz="UTC")
    won = [n for n in range(leads) if bought[n]]
    entered = pa.array([created[n] + timedelta(days=3) for n in won], times)
    settings = config.load(
        environment={},
        flags={
            "store.url": str(folder / "leads.duckdb"),
            "tracking.uri": f"sqlite:///{folder / 'mlflow.db'}",
            "label.horizon_days": 7,
            "snapshots.at": "creation",
            "model.resamples": 50,
        },
    )
    with LeadStore.open(settings.store.url, create=True) as store:
        known = pa.array(created, times)
        store.append("leads", pa.table({"lead_id": ids, "created_at": known, "known_at": known}))
        store.append(
            "profiles", pa.table({"lead_id": ids, "known_at": known, "attributes": [json.dumps(a) for a in attributes]})
        )
        bought_ids = pa.array([ids[n] for n in won], pa.string())
        stages = pa.array(["customer"] * len(won), pa.string())
        store.append(
            "stage_changes",
            pa.table({"lead_id": bought_ids, "stage": stages, "entered_at": entered, "known_at": entered}),
        )
        store.declare_attributes({"age": "numeric", "region": "categorical"} | ({leak: "categorical"} if leak else {}))
    kept = settings.tracking
    return settings, Tracking(uri=kept.uri, experiment=kept.experiment, model_name=kept.model_name)


@pytest.fixture(scope="module")
def empty_tracking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow takes seconds to make a database: made once, and copied."""
    folder = tmp_path_factory.mktemp("tracking")
    tracking = Tracking(uri=f"sqlite:///{folder / 'mlflow.db'}", experiment="other", model_name="other")
    assert tracking.client.search_registered_models() == []
    return folder / "mlflow.db"


@pytest.fixture
def folder(empty_tracking: Path, tmp_path: Path) -> Path:
    (tmp_path / "mlflow.db").write_bytes(empty_tracking.read_bytes())
    return tmp_path


def test_where_nothing_tells_who_buys_nothing_is_registered(folder: Path) -> None:
    settings, tracking = flat(folder, leads=500, skill=0.0)
    with LeadStore.open(settings.store.url) as store:
        report = train(store, settings, tracking, as_of=None, now=NOW)
        assert store.rows("SELECT count(*) FROM releases") == [(0,)]
    assert (report.version, report.verdict, report.digest) == (None, "no skill", None)
    assert "no skill found" in report.as_dict()["verdict_reason"]
    assert tracking.version_of(CANDIDATE) is None
    # It was tried, and that is on record.
    assert tracking.client.get_run(report.run_id).data.tags["verdict"] == "no skill"


def test_a_planted_leak_is_named_before_anything_is_learned(folder: Path) -> None:
    settings, tracking = flat(folder, leads=500, skill=1.0, leak="contract_sent")
    said: list[str] = []
    with LeadStore.open(settings.store.url) as store:
        report = train(store, settings, tracking, as_of=None, now=NOW, say=said.append)
    (named,) = [at for at, message in enumerate(said) if message.startswith("leak? contract_sent: ")]
    learned = next(at for at, message in enumerate(said) if message.startswith("cut-off 1 of "))
    assert named < learned
    # Beside so few columns an honest one may stand out as well.
    leaks = {leak["column"]: leak["sentence"] for leak in report.as_dict()["leaks"]}
    assert "Exclude it" in leaks["contract_sent"]


def test_a_name_known_for_leaking_is_said_whatever_is_in_it(folder: Path) -> None:
    settings, tracking = flat(folder, leads=300, skill=1.0)
    with LeadStore.open(settings.store.url) as store:
        store.declare_attributes({"close_date": "categorical"})
        store.change("""UPDATE profiles SET attributes = replace(attributes, '}', ', "close_date": "x"}')""")
        report = train(store, settings, tracking, as_of=None, now=NOW)
    assert {leak["column"]: leak["probe"] for leak in report.facts["leaks"]} == {"close_date": "name"}


@pytest.mark.parametrize(
    ("leads", "rate", "days", "said"),
    [
        (60, 0.3, 300, r"at least 40 snapshots that converted and 40 that did not; found \d+ and \d+"),
        (300, 0.01, 300, r"at least 40 snapshots that converted and 40 that did not; found \d and \d+"),
        # All of it within one horizon: no outcome is known.
        (300, 0.3, 3, r"found 0 and 0"),
    ],
)
def test_too_little_data_is_refused_with_counts(folder: Path, leads: int, rate: float, days: int, said: str) -> None:
    settings, tracking = flat(folder, leads=leads, skill=0.0, rate=rate, days=days)
    with LeadStore.open(settings.store.url) as store, pytest.raises(TooLittleData, match=said):
        train(store, settings, tracking, as_of=None, now=NOW)
    assert tracking.version_of(CANDIDATE) is None


def test_an_empty_store_is_told_to_import(folder: Path) -> None:
    settings, tracking = flat(folder, leads=1, skill=0.0)
    with (
        LeadStore.open(str(folder / "empty.duckdb"), create=True) as store,
        pytest.raises(TooLittleData, match=r"holds no leads.*leadscore import"),
    ):
        train(store, settings, tracking, as_of=None, now=NOW)


def test_training_as_of_a_day_is_training_on_that_day(folder: Path) -> None:
    """The same report from a store that knows more, up to the day, as from one that knew no more."""
    settings, tracking = flat(folder, leads=600, skill=1.0)
    day = int(datetime(2024, 8, 1, tzinfo=UTC).timestamp()) * 1_000_000
    with LeadStore.open(settings.store.url) as store:
        now = train(store, settings, tracking, as_of=day, now=NOW)
        for table in ("leads", "profiles", "stage_changes"):
            store.change(f"DELETE FROM {table} WHERE epoch_us(known_at) >= {day}")
        then = train(store, settings, tracking, as_of=day, now=NOW)
    assert (then.digest, then.version) == (now.digest, now.version)
    assert pd.Timestamp(then.facts["data"]["last_as_of"]) < pd.Timestamp("2024-08-01", tz="UTC")

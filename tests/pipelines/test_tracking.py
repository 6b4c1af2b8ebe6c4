"""MLflow as a catalogue: what is kept where, and what is said when it is not there."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from features.errors import RegistryUnreachable, ReleaseRefused, UserError
from pipelines.tracking import CANDIDATE, CHAMPION, Tracking
from tests.pipelines.conftest import World


def test_an_alias_points_at_one_version(world: World) -> None:
    tracking = world.tracking()
    assert tracking.version_of(CHAMPION) == "1"
    assert tracking.version_of("challenger") is None
    tracking.set_alias("challenger", "1")
    assert tracking.version_of("challenger") == "1"
    assert tracking.exists("1")
    assert not tracking.exists("2")


@pytest.mark.parametrize("uri", ["sqlite:////nowhere/mlflow.db", "http://127.0.0.1:9"])
def test_of_a_registry_that_is_away_nobody_says_that_it_has_no_such_version(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    tracking = Tracking(uri=uri, experiment="leadscore", model_name="leadscore")
    with pytest.raises(RegistryUnreachable, match="cannot be used"):
        tracking.exists("1")


def test_a_model_that_was_never_registered_has_no_versions(trained: World) -> None:
    tracking = Tracking(uri=trained.settings().tracking.uri, experiment="leadscore", model_name="another")
    assert tracking.version_of(CANDIDATE) is None
    assert not tracking.exists("1")
    with pytest.raises(ReleaseRefused, match="Version 1 of another cannot be fetched from sqlite:///"):
        tracking.download("1")


def test_a_downloaded_release_is_a_copy(trained: World) -> None:
    first, second = trained.tracking().download("1"), trained.tracking().download("1")
    assert first != second
    assert not first.is_relative_to(trained.folder)
    (first / "model.txt").write_text("changed", encoding="utf-8")
    assert (second / "model.txt").read_text(encoding="utf-8") != "changed"


def test_a_version_without_a_release_in_it_is_refused(world: World) -> None:
    (manifest,) = (world.folder / "mlruns").rglob("manifest.json")
    manifest.unlink()
    with pytest.raises(ReleaseRefused, match="Version 1 of leadscore holds no release; train again"):
        world.tracking().download("1")


def test_a_run_without_a_release_registers_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    tracking = world.tracking()
    run = tracking.log_run(
        name="a try",
        parameters={"long": "x" * 1000, "days": (1, 2)},
        metrics={"roc_auc": 0.5},
        tags={"verdict": "no skill"},
        documents={"card.json": {"verdict": "no skill"}},
        figures={"gain.png": Figure()},
        release=None,
    )
    assert isinstance(run, str)
    found = tracking.client.get_run(run)
    assert (found.data.params["long"], found.data.params["days"]) == ("x" * 500, "(1, 2)")
    assert (found.data.metrics["roc_auc"], found.data.tags["verdict"]) == (0.5, "no skill")
    assert {file.path for file in tracking.client.list_artifacts(run)} == {"card.json", "gain.png"}
    assert not tracking.exists("2")
    # Files go beside the database, wherever the command is run.
    assert list(elsewhere.iterdir()) == []
    assert Path(found.info.artifact_uri.removeprefix("file://")).is_relative_to(world.folder / "mlruns")


@pytest.mark.parametrize("uri", ["no-such-scheme://host", "sqlite:////proc/nowhere/mlflow.db"])
def test_a_server_that_cannot_be_used_is_named_with_the_setting(uri: str) -> None:
    with pytest.raises(UserError, match=r"MLflow at .* cannot be used: .*\[tracking\] uri or MLFLOW_TRACKING_URI"):
        Tracking(uri=uri, experiment="leadscore", model_name="leadscore").set_alias("champion", "1")

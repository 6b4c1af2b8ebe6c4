"""The only module that imports mlflow: runs, metrics, figures, and the registry with its aliases.

MLflow is the catalogue, never the judge: what may score is decided by digests in the lead store.
"""

import contextlib
import io
import logging
import os
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
logging.getLogger("alembic").setLevel(logging.WARNING)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mlflow warns of its own dependencies when it is imported
    import mlflow
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

from features.errors import ReleaseRefused, UserError  # noqa: E402 - the environment must be set before mlflow comes in

CANDIDATE: Final = "candidate"
CHAMPION: Final = "champion"
_ROOT: Final = Path(__file__).resolve().parent.parent
#: What a process needs to load the pyfunc; ours is shipped beside it.
_REQUIREMENTS: Final = ("lightgbm", "numpy", "pandas", "pyarrow", "scikit-learn")


@dataclass(frozen=True)
class Registered:
    """A registered version and the run it came from."""

    version: str
    run_id: str


class Tracking:
    """One MLflow tracking server and registry: `uri`, the experiment and the registered model's name."""

    def __init__(self, *, uri: str, experiment: str, model_name: str) -> None:
        self.uri, self.experiment, self.model_name = uri, experiment, model_name
        # Inside `mlflow run` the run, and with it the experiment, is there already; MLflow refuses another.
        launched = "MLFLOW_RUN_ID" in os.environ
        try:
            mlflow.set_tracking_uri(uri)
            mlflow.set_registry_uri(uri)
            self.client = MlflowClient()
            if not launched and self.client.get_experiment_by_name(experiment) is None:
                self.client.create_experiment(experiment, artifact_location=_beside(uri))
        except (MlflowException, OSError) as error:
            raise UserError(
                f"MLflow at {uri} cannot be used: {_first_line(error)} Name another with [tracking] uri or "
                "MLFLOW_TRACKING_URI."
            ) from error
        if not launched:
            mlflow.set_experiment(experiment)

    def log_run(
        self,
        *,
        name: str,
        parameters: Mapping[str, Any],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        documents: Mapping[str, Any],
        figures: Mapping[str, Any],
        release: Path | None,
    ) -> Registered | str:
        """Log one training; with a release folder, register it too, last, and return its version (else the run's id).

        Parameters
        ----------
        documents : file name -> JSON-able object
        figures : file name -> matplotlib figure
        release : a complete, verified release folder
        """
        # Inside `mlflow run` the run is there already: it is continued, not nested.
        with mlflow.start_run(run_name=None if os.environ.get("MLFLOW_RUN_ID") else name) as run:
            mlflow.log_params({key: str(value)[:500] for key, value in parameters.items()})
            mlflow.log_metrics(dict(metrics))
            mlflow.set_tags(dict(tags))
            for file, document in documents.items():
                mlflow.log_dict(document, file)
            for file, figure in figures.items():
                mlflow.log_figure(figure, file)
            run_id = str(run.info.run_id)
            if release is None:
                return run_id
            with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
                warnings.simplefilter("ignore")  # hints about signatures, which the contract makes idle
                logged = mlflow.pyfunc.log_model(
                    name="release",
                    python_model=str(_ROOT / "pipelines" / "pyfunc_model.py"),
                    artifacts={"release": str(release)},
                    code_paths=[str(_ROOT / "features"), str(_ROOT / "models")],
                    pip_requirements=list(_REQUIREMENTS),
                )
                version = mlflow.register_model(logged.model_uri, self.model_name, tags=dict(tags))
        return Registered(str(version.version), run_id)

    def set_alias(self, alias: str, version: str) -> None:
        """Point an alias at a version."""
        self.client.set_registered_model_alias(self.model_name, alias, version)

    def version_of(self, alias: str) -> str | None:
        """The version an alias points at; None when there is no such model or alias."""
        try:
            return str(self.client.get_model_version_by_alias(self.model_name, alias).version)
        except MlflowException:
            return None

    def exists(self, version: str) -> bool:
        """Whether the registry has this version."""
        try:
            self.client.get_model_version(self.model_name, version)
        except MlflowException:
            return False
        return True

    def download(self, version: str) -> Path:
        """Fetch a version's release folder; nothing in it has been verified yet.

        Raises
        ------
        ReleaseRefused
            The registry does not have it.
        """
        folder = Path(tempfile.mkdtemp(prefix="leadscore-release-"))
        try:
            uri = f"models:/{self.model_name}/{version}"
            path = mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder))
        except (MlflowException, OSError) as error:
            raise ReleaseRefused(
                f"Version {version} of {self.model_name} cannot be fetched from {self.uri}: {_first_line(error)}"
            ) from error
        found = list(Path(path).rglob("manifest.json"))
        if len(found) != 1:
            raise ReleaseRefused(f"Version {version} of {self.model_name} holds no release; train again.")
        return found[0].parent


def _beside(uri: str) -> str | None:
    """Where files go: beside a SQLite file; where a server decides, it does."""
    if not uri.startswith("sqlite:///"):
        return None
    return (Path(uri.removeprefix("sqlite:///")).resolve().parent / "mlruns").as_uri()


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__

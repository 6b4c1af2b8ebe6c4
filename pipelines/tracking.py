"""The only module that imports mlflow: runs, metrics, figures, and the registry with its aliases.

MLflow is the catalogue, never the judge: what may score is decided by digests in the lead store.
"""

import contextlib
import io
import logging
import os
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
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

from features.errors import ConfigError, RegistryUnreachable, ReleaseRefused  # noqa: E402 - the environment must be set before mlflow comes in

CANDIDATE: Final = "candidate"
CHAMPION: Final = "champion"
_NOT_THERE: Final = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
_ROOT: Final = Path(__file__).resolve().parent.parent
#: What a process needs to load the pyfunc; ours is shipped beside it.
_REQUIREMENTS: Final = ("lightgbm", "numpy", "pandas", "pyarrow", "scikit-learn")


@dataclass(frozen=True)
class Registered:
    """A registered version and the run it came from."""

    version: str
    run_id: str


@dataclass(frozen=True)
class Within:
    """A small run inside another: its parameters, metrics (None where there is none) and tags."""

    name: str
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float | None]
    tags: Mapping[str, str]


class Tracking:
    """One MLflow tracking server and registry: `uri`, the experiment and the registered model's name."""

    def __init__(self, *, uri: str, experiment: str, model_name: str) -> None:
        self.uri, self.experiment, self.model_name = uri, experiment, model_name
        mlflow.set_tracking_uri(uri)
        mlflow.set_registry_uri(uri)

    @cached_property
    def client(self) -> MlflowClient:
        """MLflow's own client; made when it is first needed, for a database file is made with it."""
        with self._reached():
            return MlflowClient()

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        """Tell a registry that is away (which passes) from one that shuts us out (which a person must mend)."""
        try:
            yield
        except (MlflowException, OSError) as error:
            text = _first_line(error)
            if re.search(r"error code (401|403)\b", text):
                raise ConfigError(
                    f"MLflow at {self.uri} does not let us in: {text} Set MLFLOW_TRACKING_USERNAME and "
                    "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."
                ) from error
            raise RegistryUnreachable(
                f"MLflow at {self.uri} cannot be used: {text} Name another with [tracking] uri or MLFLOW_TRACKING_URI."
            ) from error

    def _must_exist(self) -> None:
        """MLflow would make an empty database where the file is missing, and find nothing in it."""
        file = _sqlite_file(self.uri)
        if file is not None and not file.exists():
            raise RegistryUnreachable(
                f"MLflow at {self.uri} cannot be used: the file is not there. Name another with [tracking] uri or "
                "MLFLOW_TRACKING_URI."
            )

    def _set_experiment(self) -> None:
        # Inside `mlflow run` the run, and with it the experiment, is there already; MLflow refuses another.
        if "MLFLOW_RUN_ID" in os.environ:
            return
        with self._reached():
            if self.client.get_experiment_by_name(self.experiment) is None:
                self.client.create_experiment(self.experiment, artifact_location=_beside(self.uri))
            mlflow.set_experiment(self.experiment)

    def log_run(
        self,
        *,
        name: str,
        parameters: Mapping[str, Any],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        documents: Mapping[str, Any],
        figures: Mapping[str, Any],
        within: Sequence[Within] = (),
        release: Path | None,
    ) -> Registered | str:
        """Log one training; with a release folder, register it too, last, and return its version (else the run's id).

        Parameters
        ----------
        documents : file name -> JSON-able object
        figures : file name -> matplotlib figure
        release : a complete, verified release folder
        """
        self._set_experiment()
        # Inside `mlflow run` the run is there already: it is continued, not nested.
        with mlflow.start_run(run_name=None if os.environ.get("MLFLOW_RUN_ID") else name) as run:
            mlflow.log_params({key: str(value)[:500] for key, value in parameters.items()})
            mlflow.log_metrics(dict(metrics))
            mlflow.set_tags(dict(tags))
            for file, document in documents.items():
                mlflow.log_dict(document, file)
            for file, figure in figures.items():
                mlflow.log_figure(figure, file)
            for part in within:
                with mlflow.start_run(run_name=part.name, nested=True):
                    mlflow.log_params(dict(part.parameters))
                    mlflow.log_metrics({name: v for name, v in part.metrics.items() if v is not None})
                    mlflow.set_tags(dict(part.tags))
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
        """Point an alias at a version.

        Raises
        ------
        RegistryUnreachable
        """
        with self._reached():
            self._must_exist()
            self.client.set_registered_model_alias(self.model_name, alias, version)

    def set_version_tags(self, version: str, tags: Mapping[str, str]) -> None:
        """Put tags on a version, for people who look at it in the registry; one that is there already is replaced.

        Raises
        ------
        RegistryUnreachable
        """
        with self._reached():
            self._must_exist()
            for key, value in tags.items():
                self.client.set_model_version_tag(self.model_name, version, key, value)

    def version_of(self, alias: str) -> str | None:
        """The version an alias points at; None when there is no such model or alias.

        Raises
        ------
        RegistryUnreachable
            That cannot be said: nobody answers.
        """
        with self._reached():
            self._must_exist()
            try:
                return str(self.client.get_model_version_by_alias(self.model_name, alias).version)
            except MlflowException as error:
                if error.error_code in _NOT_THERE:
                    return None
                raise

    def exists(self, version: str) -> bool:
        """Whether the registry has this version.

        Raises
        ------
        RegistryUnreachable
            That cannot be said: nobody answers.
        """
        with self._reached():
            self._must_exist()
            try:
                self.client.get_model_version(self.model_name, version)
            except MlflowException as error:
                if error.error_code in _NOT_THERE:
                    return False
                raise
        return True

    def download(self, version: str) -> Path:
        """Fetch a version's release folder; nothing in it has been verified yet.

        Raises
        ------
        ReleaseRefused
            The registry does not have it.
        RegistryUnreachable
        """
        self._must_exist()
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


def ask_briefly() -> None:
    """For a job that can do without the registry: one retry and ten seconds, not MLflow's seven and two minutes."""
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")


def _sqlite_file(uri: str) -> Path | None:
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def _beside(uri: str) -> str | None:
    """Where files go: beside a SQLite file; where a server decides, it does."""
    file = _sqlite_file(uri)
    return None if file is None else (file.resolve().parent / "mlruns").as_uri()


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__

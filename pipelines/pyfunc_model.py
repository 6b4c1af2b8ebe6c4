"""The release as an MLflow pyfunc, for programs that speak MLflow: the same calibrated probabilities.

Loaded by MLflow from this file (models from code): no pickle. The night job does not come this way: it verifies the
release's digests and reads the files itself.
"""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from models.bundle import FILES, from_files


class LeadscoreModel(PythonModel):
    """Calibrated P(convert within the horizon) for frames that keep the release's contract."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the release's files; its golden rows are scored again."""
        folder = Path(context.artifacts["release"])
        self.release = from_files({name: (folder / name).read_bytes() for name in FILES})

    def predict(self, context: PythonModelContext, model_input: pd.DataFrame, params: Any = None) -> Any:  # noqa: ARG002
        """(rows,) probability of each row.

        Raises
        ------
        ReleaseRefused
            The frame's columns are not those of the contract, in its order and types.
        """
        return self.release.probability(model_input)


set_model(LeadscoreModel())

"""One AutoML tool, in an environment of its own where nothing of leadscore is: rows in files to probabilities in one.

    python peers.py flaml|autogluon FOLDER SECONDS

FOLDER holds earlier.parquet, with the column `outcome`, and later.parquet; probability.npy is written to it. One
thread, the tool's own defaults, log loss as the aim. Without FOLDER it says which version is there.
"""

import importlib.metadata
import sys
from pathlib import Path
from typing import Any

PACKAGES = {"flaml": "flaml", "autogluon": "autogluon.tabular"}


def flaml(earlier: Any, outcome: Any, later: Any, _: Path, seconds: float) -> Any:
    """FLAML's search, all its own learners that are installed."""
    from flaml import AutoML

    model = AutoML()
    model.fit(
        earlier, outcome, task="classification", metric="log_loss", time_budget=seconds, n_jobs=1, seed=0, verbose=0
    )
    return model.predict_proba(later)[:, 1]


def autogluon(earlier: Any, outcome: Any, later: Any, folder: Path, seconds: float) -> Any:
    """AutoGluon's medium quality: its learners, and their weighted ensemble."""
    from autogluon.tabular import TabularPredictor

    predictor = TabularPredictor(label="outcome", eval_metric="log_loss", path=folder / "autogluon", verbosity=0)
    predictor.fit(earlier.assign(outcome=outcome), presets="medium_quality", time_limit=seconds, num_cpus=1, num_gpus=0)
    return predictor.predict_proba(later)[1]


def main() -> None:
    """Read, fit, foretell, write."""
    name, *rest = sys.argv[1:]
    if not rest:
        sys.stdout.write(importlib.metadata.version(PACKAGES[name]))
        return
    import numpy as np
    import pyarrow.parquet as pq

    folder, seconds = Path(rest[0]), float(rest[1])
    # Plain columns: what the newer pandas that wrote them notes of its types, this one may not know.
    earlier, later = (
        pq.read_table(folder / f"{part}.parquet").to_pandas(ignore_metadata=True) for part in ("earlier", "later")
    )
    outcome = earlier.pop("outcome").to_numpy()
    probability = {"flaml": flaml, "autogluon": autogluon}[name](earlier, outcome, later, folder, seconds)
    np.save(folder / "probability.npy", np.asarray(probability, np.float64))


if __name__ == "__main__":
    main()

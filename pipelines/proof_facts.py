"""What a proof says, in plain values for the card: folds, metrics, baselines, months, segments, gain, targets."""

from dataclasses import asdict
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.backtest import Told
from models.ece_null import ece_null95
from models.evaluation import evaluate
from models.gain import gain_curve
from models.months import by_month
from models.segments import OTHER, by_segment
from pipelines.config import Settings
from pipelines.moments import moment
from pipelines.proving import MODEL, Proof, capacity_leads, segment_columns
from pipelines.snapshots import TrainingFrame
from serve.acceptance import targets
from serve.bands import BandLimits

#: A value that fewer leads have is not told apart.
FEWEST_LEADS: Final = 20
_PER_FOLD: Final = ("log_loss", "brier_skill", "roc_auc", "lift_at_10")


def facts(proof: Proof, data: TrainingFrame, settings: Settings) -> dict[str, Any]:
    """What the proof says, in plain values for the card: folds, metrics, baselines, months, segments, gain, targets."""
    evaluations = proof.together.evaluations
    metrics = {
        name: {key: interval.as_dict() for key, interval in evaluation.metrics.items()}
        for name, evaluation in evaluations.items()
    }
    probability = proof.backtest.probability
    asked: dict[str, Any] = {
        "lead_id": proof.lead_id, "resamples": settings.model.resamples, "seed": settings.model.seed,
    }  # fmt: skip
    frame = data.frame.iloc[proof.backtest.row]
    columns = segment_columns(frame, settings)
    sensitive = set(settings.evaluation.sensitive)
    share = proof.model.capacity_share
    ranked: dict[str, npt.ArrayLike] = {
        name: probability[name] for name in (MODEL, "points", "logistic") if name in probability
    }
    limits = BandLimits(**settings.bands.model_dump())
    labels = {name: _labels(frame[name], proof.lead_id) for name in columns}
    return {
        "folds": [_fold(told, data, settings) for told in proof.backtest.folds],
        "metrics": metrics[MODEL],
        "capacity": None if share is None else {"leads": capacity_leads(settings), "share": share},
        "baselines": {name: found for name, found in metrics.items() if name != MODEL},
        "baseline_notes": dict(proof.notes),
        "differences": {
            name: {key: difference.as_dict() for key, difference in found.items()}
            for name, found in proof.together.differences.items()
        },
        "calibration_table": [asdict(row) for row in proof.model.calibration_table],
        "months": [row.as_dict() for row in by_month(probability[MODEL], proof.outcome, as_of=proof.as_of, **asked)],
        "segment_columns": columns,
        "segments": [
            row.as_dict() | {"sensitive": row.column in sensitive}
            for row in by_segment(
                labels, probability[MODEL], proof.outcome, base_rate_probability=proof.backtest.base_rate, **asked
            )
        ],
        "gain": gain_curve(ranked, proof.outcome),
        "calibration": {
            **proof.last.learned.calibration,
            "ece_null95": ece_null95(probability[MODEL], lead_id=proof.lead_id, seed=settings.model.seed),
        },
        "weights": dict(proof.last.learned.weights),
        "targets": {
            name: targets(probability[name], proof.outcome, limits=limits).as_dict() if name in probability else None
            for name in (MODEL, "points")
        },
    }


def _labels(column: "pd.Series[Any]", lead_id: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Values as they are told on a card, which may point at nobody: those of a few leads are one."""
    values = pd.Series(column.to_numpy(object), dtype=object).where(column.notna().to_numpy(), None)
    leads = pd.Series(lead_id).groupby(values).nunique()
    small = leads[leads < FEWEST_LEADS]
    if 0 < small.sum() < FEWEST_LEADS and len(small) < len(leads):
        small = leads.sort_values(kind="stable").iloc[: len(small) + 1]  # the next smallest hides them
    return values.where(~values.isin(small.index), OTHER).to_numpy(object)


def _fold(told: Told, data: TrainingFrame, settings: Settings) -> dict[str, Any]:
    rows = told.fold.split.later
    outcome, leads = data.outcome[rows], np.asarray(data.lead_id, object)[rows]
    probability = told.probability[MODEL]
    found = evaluate(
        probability,
        outcome,
        lead_id=leads,
        base_rate_probability=told.base_rate,
        resamples=settings.model.resamples,
        seed=settings.model.seed,
    )
    return {
        "number": told.fold.number,
        "trained_until": moment(told.fold.begins),
        "from": moment(int(data.as_of[rows].min())),
        "to": moment(int(data.as_of[rows].max())),
        "train": told.learned.trained,
        "calibrate": told.learned.calibrated,
        "test": len(rows),
        "dropped_in_gap": len(told.fold.split.gap) + told.learned.dropped_in_gap,
        "leads": found.leads,
        "converted": found.converted,
        "predicted_mean": float(probability.mean()),
        "observed_rate": float(outcome.mean()),
        "base_rate_before": told.base_rate,
        "metrics": {name: found.metrics[name].as_dict() for name in _PER_FOLD},
    }

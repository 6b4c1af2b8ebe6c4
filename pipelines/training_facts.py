"""What a training knows of itself, as the facts of a card: data, settings, and what was measured."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from features.catalogue import Catalogue
from models.intervals import Interval
from pipelines.config import Settings
from pipelines.moments import moment
from pipelines.proof_facts import facts as measured
from pipelines.provenance import made_by
from pipelines.proving import Proof
from pipelines.snapshots import TrainingFrame

#: Keys of [score] at which the nightly audit warns or refuses.
_DRIFT_LIMITS: Final = (
    "least_volume_share", "most_volume_factor", "most_mean_factor", "warn_new_category_share",
    "most_new_category_share",
)  # fmt: skip


def data_facts(data: TrainingFrame, settings: Settings, *, until: int) -> dict[str, Any]:
    """Which snapshots of what were learned from and tested on.

    Parameters
    ----------
    until : up to when what the store knows was looked at, microseconds UTC
    """
    return {
        "first_as_of": moment(int(data.as_of.min())),
        "last_as_of": moment(int(data.as_of.max())),
        "known_until": moment(until),
        "digest": data.digest(),
        "config_digest": settings.digest(),
        "sampled_share": data.sampled_share,
        "snapshots_at": settings.snapshots.at,
        "every_days": settings.snapshots.every_days,
        "days_after_creation": list(settings.snapshots.days_after_creation),
    }


def training_facts(
    proof: Proof,
    better: Interval,
    data: TrainingFrame,
    settings: Settings,
    columns: Catalogue,
    *,
    until: int,
    verdict: str,
    reason: str,
    leaks: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """What is known of a training before its release is fitted, as a card's facts.

    Parameters
    ----------
    better : the model's log loss less the base rate's, on the same leads
    until : up to when what the store knows was looked at, microseconds UTC
    leaks : what the probes found
    """
    trained = proof.last.learned
    return {
        "verdict": verdict,
        "verdict_reason": reason,
        "verdict_facts": {"gain": better.as_dict(), "roc_auc": proof.model.metrics["roc_auc"].as_dict()},
        "label": settings.label.model_dump(),
        "data": data_facts(data, settings, until=until),
        "snapshots": {
            "train": trained.trained,
            "calibrate": trained.calibrated,
            "test": len(proof.outcome),
            "dropped_immature": data.dropped_immature,
            "dropped_in_gap": len(proof.last.fold.split.gap) + trained.dropped_in_gap,
            "converted_in_test": int(proof.model.converted),
        },
        "excluded": dict(data.excluded),
        **measured(proof, data, settings),
        "leaks": list(leaks),
        "left_out": dict(columns.left_out),
        "excluded_by_choice": list(settings.features.exclude),
        "never_read": ["email", "full_name", "company_name", "phone"],
        "attributes": sorted(columns.attributes),
        "sensitive": list(settings.evaluation.sensitive),
        "justification": dict(settings.card.justification),
        "owner": settings.card.owner,
        "note": settings.card.note,
        "drift_limits": {key: getattr(settings.score, key) for key in _DRIFT_LIMITS}
        | {"max_stale_days": settings.release.max_stale_days},
        "stages": settings.stages.model_dump(),
        "bands": settings.bands.model_dump(),
        "settings": settings.flat(),
        "made": made_by(seed=settings.model.seed, resamples=settings.model.resamples),
    }

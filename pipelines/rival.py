"""The champion on the leads that a new candidate is tested on: what it foretold of them without having seen them.

A champion's word counts where it is out of time: on snapshots later than all that its release learned from, and, where
they are not later, what its own backtest had foretold of them when it was trained.
"""

import contextlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from features.catalogue import Catalogue
from features.errors import UserError
from models.bundle import Release
from models.evaluation import evaluate_together
from models.non_inferiority import LEAST_IN_COMMON
from pipelines import active_release, champion, out_of_time
from pipelines.champion import Champion
from pipelines.config import Settings
from pipelines.moments import microseconds
from pipelines.proving import DIFFERENCES, MODEL, Proof
from pipelines.release_cache import ReleaseCache
from pipelines.snapshots import TrainingFrame
from pipelines.store import LeadStore
from pipelines.tracking import Tracking

_KEY: Final = ["lead_id", "as_of"]


@dataclass(frozen=True)
class NoRival:
    """Why a candidate cannot be compared with the champion; `version` is None where there is none."""

    version: str | None
    why: Literal["none", "away", "label", "few"]
    """There is none; its files cannot be had; it foretells another outcome; too few leads in common converted."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for the card."""
        return asdict(self)


@dataclass(frozen=True)
class Rival:
    """The champion, its card, and what it foretold of the candidate's test."""

    champion: Champion
    card: dict[str, Any]
    fresh: pd.DataFrame
    """Predictions of its release, made now, on snapshots later than all it learned from."""
    told: pd.DataFrame
    """These, and what its backtest had foretold of the others."""

    def facts(self, ours: pd.DataFrame, settings: Settings) -> dict[str, Any]:
        """Candidate and champion on the same snapshots, for the card; or that too few leads are in common.

        Parameters
        ----------
        ours : what the candidate's procedure foretold, as `out_of_time.COLUMNS`
        """
        both = ours.merge(self.told[[*_KEY, "probability"]], on=_KEY, suffixes=("", "_champion"))
        converted = both.loc[both["converted"], "lead_id"].nunique()
        if converted < LEAST_IN_COMMON or both["converted"].all():
            return NoRival(self.champion.version, "few").as_dict()
        together = evaluate_together(
            {MODEL: both["probability"].to_numpy(), "champion": both["probability_champion"].to_numpy()},
            both["converted"].to_numpy("int64"),
            lead_id=both["lead_id"].to_numpy(object),
            base_rate_probability=float(both["converted"].mean()),
            differences=DIFFERENCES,
            resamples=settings.model.resamples,
            seed=settings.model.seed,
        )
        of = {name: together.evaluations[name].metrics for name in (MODEL, "champion")}
        return {
            "version": self.champion.version,
            "digest": self.champion.digest,
            "snapshots": len(both),
            "leads": int(both["lead_id"].nunique()),
            "converted": int(converted),
            "metrics": {
                key: {"candidate": of[MODEL][key].value, "champion": of["champion"][key].value} for key in DIFFERENCES
            },
            "differences": {key: found.as_dict() for key, found in together.differences["champion"].items()},
        }


def foretold(proof: Proof) -> pd.DataFrame:
    """What the candidate's procedure foretold, as `out_of_time.COLUMNS`."""
    return pd.DataFrame(
        {
            "lead_id": proof.lead_id,
            "as_of": proof.as_of,
            "probability": proof.backtest.probability[MODEL],
            "converted": proof.outcome.astype(bool),
        }
    )


def rival_of(
    store: LeadStore,
    tracking: Tracking,
    cache: ReleaseCache,
    settings: Settings,
    data: TrainingFrame,
    columns: Catalogue,
    proof: Proof,
    *,
    say: Callable[[str], None],
) -> Rival | NoRival:
    """The version that scores now, or why the candidate cannot be compared with it."""
    current = champion.champion_of(store)
    if current is None:
        return NoRival(None, "none")
    try:
        release = cache.load(current.digest) or active_release.fetch(tracking, cache, current)
    except UserError as error:
        say(f"not compared with the champion, version {current.version}: {error}")
        return NoRival(current.version, "away")
    label = settings.label
    if (release.contract.target_stage, release.contract.horizon_days) != (label.target_stage, label.horizon_days):
        say(
            f"not compared with the champion, version {current.version}: it foretells {release.contract.target_stage} "
            f"within {release.contract.horizon_days} days"
        )
        return NoRival(current.version, "label")
    fresh = _fresh(release, data, columns, proof, say=say)
    told = pd.concat([fresh, out_of_time.recall(store, current.digest)]).drop_duplicates(_KEY, keep="first")
    return Rival(current, dict(release.card), fresh, told)


def _fresh(
    release: Release, data: TrainingFrame, columns: Catalogue, proof: Proof, *, say: Callable[[str], None]
) -> pd.DataFrame:
    known_until = microseconds(datetime.fromisoformat(release.card["data"]["known_until"]) + timedelta(seconds=1))
    rows = proof.backtest.row[proof.as_of >= known_until]
    contract, probability = release.contract, None
    alike = contract.kinds == dict(columns.kinds) and contract.attributes.items() <= dict(columns.attributes).items()
    if len(rows) and alike and set(contract.names) <= set(map(str, data.frame.columns)):
        # A column may have another type by now.
        with contextlib.suppress(UserError):
            probability = release.probability(data.frame.iloc[rows][list(contract.names)])
    if len(rows) and probability is None:
        say("the champion reads other columns than this training, or reads them otherwise: its backtest alone counts")
    if probability is None:
        rows, probability = rows[:0], np.empty(0)
    return pd.DataFrame(
        {
            "lead_id": pd.Series([data.lead_id[row] for row in rows], dtype=object),
            "as_of": data.as_of[rows],
            "probability": probability,
            "converted": data.outcome[rows].astype(bool),
        }
    )

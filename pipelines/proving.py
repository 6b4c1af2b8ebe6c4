"""The proof of a training procedure: what it, and everything it must beat, foretold of later leads, held against
what happened.

One backtest serves all: the verdict, the card, `leadscore backtest`, the comparison with the points, the gate. Its
figures are those of the procedure, trained anew at each cut-off; the released model is the same procedure applied to
everything.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.catalogue import Catalogue
from features.errors import TooLittleData
from models import baselines
from models.backtest import Backtest, Contestant, Outcome, Told, backtest, cut
from models.encoding import Floats
from models.estimator import Learned, learn
from models.evaluation import Evaluation, Together, evaluate_together
from models.splits import Rows
from pipelines.config import Settings
from pipelines.snapshots import TrainingFrame

Say = Callable[[str], None]

MODEL: Final = "model"
#: Columns by whose values results are told unless the settings name others; those that the store has.
SEGMENTS: Final = ("source_channel", "direction", "company_size_band", "country", "language", "industry")
DIFFERENCES: Final = ("log_loss", "brier", "roc_auc", "pr_auc", "lift_at_10")


@dataclass(frozen=True)
class Proof:
    """A backtest with what was measured of it; `frame` rows are those foretold, in the backtest's order."""

    backtest: Backtest
    together: Together
    outcome: npt.NDArray[np.int64]
    lead_id: npt.NDArray[np.object_]
    as_of: npt.NDArray[np.int64]
    notes: Mapping[str, str]
    """What to say of a baseline: which column the best single feature was."""

    @property
    def model(self) -> Evaluation:
        """The model's own figures."""
        return self.together.evaluations[MODEL]

    @property
    def last(self) -> Told:
        """The newest cut-off: the one that had most to learn from."""
        return self.backtest.folds[-1]


def learner(
    data: TrainingFrame, settings: Settings, columns: Catalogue, *, shape: Mapping[str, float] | None = None
) -> Callable[[Rows, Outcome], Learned]:
    """The training procedure under these settings, applied to rows of a frame; `shape` is another one of its trees."""
    leads = np.asarray(data.lead_id, object)
    monotone = {column.name: column.monotone for column in columns.columns if column.monotone}

    def learned(rows: Rows, outcome: Outcome) -> Learned:
        return learn(
            data.frame.iloc[rows],
            outcome,
            lead_id=leads[rows].tolist(),
            as_of=data.as_of[rows],
            known_at=data.known_at[rows],
            horizon_days=settings.label.horizon_days,
            monotone=monotone,
            seed=settings.model.seed,
            shape=shape or {},
        )

    return learned


def prove(
    data: TrainingFrame,
    settings: Settings,
    columns: Catalogue,
    *,
    points: Floats | None,
    shape: Mapping[str, float] | None = None,
    against: Collection[str] | None = None,
    say: Say = lambda _: None,
) -> Proof:
    """Foretell later snapshots from earlier ones, cut-off by cut-off, and judge model and baselines on all of them.

    Parameters
    ----------
    points : (snapshots,) marketing's points, NaN where a lead had none; None where there are none to compare with
    shape : of the trees, where it is not the default
    against : the baselines to judge beside the model; None: all there are

    Raises
    ------
    TooLittleData
        Too few outcomes to learn from, or later snapshots with one outcome only.
    """
    folds = cut(
        data.as_of,
        test_share=settings.splits.test_share,
        cut_offs=settings.splits.cut_offs,
        horizon_days=settings.label.horizon_days,
    )
    contestants, notes = _contestants(data, points)
    if against is not None:
        contestants = {name: contestant for name, contestant in contestants.items() if name in against}
    found = backtest(
        folds,
        data.outcome,
        known_at=data.known_at,
        learn=learner(data, settings, columns, shape=shape),
        log_odds=lambda learned, rows: learned.model.log_odds(data.frame.iloc[rows]),
        contestants=contestants,
        progress=say,
    )
    for sentence in found.skipped:
        say(sentence)
    rows = found.row
    outcome, leads, as_of = data.outcome[rows], np.asarray(data.lead_id, object)[rows], data.as_of[rows]
    if len(np.unique(outcome)) < 2:
        raise TooLittleData(
            f"The test needs both outcomes; all {len(outcome):,} later snapshots have the same one. Import more "
            "history, or raise [splits] test_share."
        )
    say(f"evaluating, with {settings.model.resamples} resamples by lead behind every interval")
    together = evaluate_together(
        found.probability,
        outcome,
        lead_id=leads,
        period=lists(as_of, settings),
        capacity_share=capacity_share(as_of, settings, drawn=data.sampled_share),
        base_rate_probability=found.base_rate,
        against=MODEL,
        differences=DIFFERENCES,
        resamples=settings.model.resamples,
        seed=settings.model.seed,
    )
    return Proof(found, together, outcome, leads, as_of, notes)


def lists(as_of: npt.NDArray[np.int64], settings: Settings) -> npt.NDArray[np.int64]:
    """Which list each snapshot would have stood on: that of its night, or of its month where leads come one by one."""
    if settings.snapshots.at == "calendar":
        return as_of
    months = pd.to_datetime(as_of, unit="us", utc=True)
    return np.asarray(months.year * 12 + months.month, np.int64)


def capacity_leads(settings: Settings) -> int:
    """Leads of one list that sales can work: as is told for evaluation, or else in [economics]; 0: nobody told."""
    per_night = settings.economics.touches_per_day if settings.snapshots.at == "calendar" else 0
    return settings.evaluation.capacity_leads or per_night


def capacity_share(as_of: npt.NDArray[np.int64], settings: Settings, *, drawn: float) -> float | None:
    """The share of an average list that sales can work; None where nobody has said how many leads that is.

    Parameters
    ----------
    as_of : (rows,) the snapshots at hand
    drawn : the share of all leads that these are of; lists are as much longer than they look
    """
    leads = capacity_leads(settings)
    if not leads:
        return None
    return min(1.0, leads * drawn * len(np.unique(lists(as_of, settings))) / len(as_of))


def segment_columns(frame: pd.DataFrame, settings: Settings) -> list[str]:
    """The columns by whose values results are told: those asked for, or the usual ones, that the frame holds."""
    wanted = [*(settings.evaluation.segments or SEGMENTS), *settings.evaluation.sensitive]
    return [
        name
        for name in dict.fromkeys(wanted)
        if name in frame.columns and not pd.api.types.is_float_dtype(frame[name].dtype) and frame[name].notna().any()
    ]


def _contestants(data: TrainingFrame, points: Floats | None) -> tuple[dict[str, Contestant], dict[str, str]]:
    """Everything the model must beat, as procedures on rows; and a place for what they have to say."""
    frame = data.frame
    notes: dict[str, str] = {}
    best: list[str] = []

    def single_feature(earlier: Rows, outcome: Outcome, later: Rows) -> Floats:
        name, probability = baselines.best_single_feature(frame.iloc[earlier], outcome, frame.iloc[later])
        best.append(name or "none")
        notes["single_feature"] = ", ".join(dict.fromkeys(best))
        return probability

    contestants: dict[str, Contestant] = {
        "base_rate": lambda _, outcome, later: baselines.base_rate(outcome, rows=len(later)),
        "logistic": lambda earlier, outcome, later: baselines.logistic_regression(
            frame.iloc[earlier], outcome, frame.iloc[later]
        ),
        "odoo_bayes": lambda earlier, outcome, later: baselines.odoo_bayes(
            frame.iloc[earlier], outcome, frame.iloc[later]
        ),
        "single_feature": single_feature,
    }
    if any(stage is not None for stage in data.stage):
        contestants["odoo_bayes_with_stage"] = lambda earlier, outcome, later: baselines.odoo_bayes_with_stage(
            frame.iloc[earlier], outcome, frame.iloc[later], stage=data.stage[earlier], later_stage=data.stage[later]
        )
    if points is not None:
        contestants["points"] = lambda earlier, outcome, later: baselines.points_probability(
            points[earlier], outcome, points[later]
        )
    return contestants, notes

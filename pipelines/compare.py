"""The model against marketing's points: who ranks the same later leads better.

Both are judged on mature snapshots later than everything they learned from. Points become probabilities in their
fairest form, by isotonic regression on the earlier snapshots, so that they are judged for what they say and not for
their scale. Differences are paired: each resample of leads judges both.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression

from features.errors import TooLittleData, UserError
from models.estimator import learn
from models.evaluation import evaluate, paired_difference, verdict
from models.splits import split_by_time
from pipelines.config import Settings
from pipelines.points import card_for
from pipelines.snapshots import TrainingFrame
from pipelines.store import LeadStore
from pipelines.train import read_catalogue, read_frame, read_inventory

METRICS: Final = ("lift_at_10", "roc_auc", "pr_auc", "log_loss", "brier")
_LOWER_IS_BETTER: Final = ("log_loss", "brier")
#: Isotonic regression says 0 and 1 where it saw few leads; nobody should bet a log loss on that.
_CLIP: Final = 1e-3


def compare(
    store: LeadStore,
    settings: Settings,
    *,
    as_of: int | None,
    say: Callable[[str], None] = lambda _: None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Any]:
    """Judge model and points on the same later snapshots.

    Returns
    -------
    `snapshots`, `converted`, `captured_at_10` of both, `metrics` (model, points, difference with 95 % interval and the
    word better / level / worse), and `verdict`, one sentence.

    Raises
    ------
    UserError
        The store holds no points.
    TooLittleData
        Too few outcomes on either side of the split.
    """
    inventory = read_inventory(store, as_of=as_of)
    for sentence in inventory.left_out:
        say(sentence)
    columns = read_catalogue(inventory, settings)
    data = read_frame(store, settings, inventory, columns, as_of=as_of, progress=progress)
    card = card_for(settings, inventory)
    for sentence in card.left_out if card else []:
        say(sentence)
    points = card.total(data.frame) if card else _points(store, data)
    if np.isnan(points).all():
        raise UserError(
            "The store holds no points of marketing's: import a file with lead_id, known_at and points "
            "(leadscore import FILE --mapping generic), or count them by a card ([points] source)."
        )
    horizon = settings.label.horizon_days
    split = split_by_time(data.as_of, later_share=settings.splits.test_share, horizon_days=horizon)
    earlier, later = data.outcome[split.earlier], data.outcome[split.later]
    if len(np.unique(later)) < 2:
        raise TooLittleData(f"All {len(later):,} later snapshots have the same outcome: nothing can be compared.")
    leads = np.asarray(data.lead_id, object)
    say(f"learning from {len(earlier):,} snapshots, comparing on {len(later):,} later ones")
    learned = learn(
        data.frame.iloc[split.earlier],
        earlier,
        lead_id=leads[split.earlier].tolist(),
        as_of=data.as_of[split.earlier],
        horizon_days=horizon,
        monotone={c.name: c.monotone for c in columns.columns if c.monotone},
        seed=settings.model.seed,
        progress=say,
    )
    # A lead without points stands below every lead that has some, as it does on marketing's list.
    ranked = np.where(np.isnan(points), np.nanmin(points) - 1.0, points)
    fair = IsotonicRegression(y_min=_CLIP, y_max=1 - _CLIP, out_of_bounds="clip")
    fair.fit(ranked[split.earlier], earlier)
    model = learned.model.probability(data.frame.iloc[split.later])
    mapped: npt.NDArray[np.float64] = fair.predict(ranked[split.later])
    asked = {
        "lead_id": leads[split.later].tolist(),
        "resamples": settings.model.resamples,
        "seed": settings.model.seed,
    }
    base = float(earlier.mean())
    ours = evaluate(model, later, base_rate_probability=base, **asked)
    theirs = evaluate(mapped, later, base_rate_probability=base, **asked)
    metrics = {}
    for name in METRICS:
        difference = paired_difference(name, model, mapped, later, **asked)
        metrics[name] = {
            "model": ours.metrics[name].value,
            "points": theirs.metrics[name].value,
            "difference": difference.as_dict(),
            "word": verdict(difference, lower_is_better=name in _LOWER_IS_BETTER),
        }
    lift, ranking, level = (metrics[name]["word"] for name in ("lift_at_10", "roc_auc", "log_loss"))
    captured = {
        name: 0.1 * result.metrics["lift_at_10"].value for name, result in (("model", ours), ("points", theirs))
    }
    return {
        "snapshots": len(later),
        "converted": int(later.sum()),
        "captured_at_10": captured,
        "metrics": metrics,
        "verdict": (
            f"Calling the first 10 % of the list, the model finds {captured['model']:.0%} of the conversions, the "
            f"points {captured['points']:.0%}: the model is {lift} on lift, {ranking} on ranking, {level} on "
            "probabilities."
        ),
    }


def _points(store: LeadStore, data: TrainingFrame) -> npt.NDArray[np.float64]:
    """The points last known before each snapshot; NaN where there were none."""
    history = store.arrow(
        f"SELECT lead_id, epoch_us(known_at) AS known_at, points FROM {store.source('rule_points')} "
        "ORDER BY lead_id, known_at"
    ).to_pandas()
    found = np.full(len(data.outcome), np.nan)
    by_lead = {
        lead: (rows["known_at"].to_numpy(np.int64), rows["points"].to_numpy(np.float64))
        for lead, rows in history.groupby("lead_id")
    }
    for row, (lead, as_of) in enumerate(zip(data.lead_id, data.as_of.tolist(), strict=True)):
        if lead in by_lead:
            known, values = by_lead[lead]
            place = int(np.searchsorted(known, as_of, "left")) - 1
            found[row] = values[place] if place >= 0 else np.nan
    return found

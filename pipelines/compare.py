"""The model against marketing's points: who ranks the same later leads better.

Both are judged in the backtest that proves a training: on mature snapshots later than everything they learned from.
Points become probabilities in their fairest form, by isotonic regression on the earlier snapshots, so that they are
judged for what they say and not for their scale. Differences are paired: each resample of leads judges both.
"""

from collections.abc import Callable
from typing import Any, Final

from features.errors import UserError
from pipelines.config import Settings
from pipelines.points import points_of
from pipelines.proving import MODEL, prove
from pipelines.store import LeadStore
from pipelines.train import read_catalogue, read_frame, read_inventory

METRICS: Final = ("lift_at_10", "roc_auc", "pr_auc", "log_loss", "brier")


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
    points = points_of(store, settings, inventory, data, say=say)
    if points is None:
        raise UserError(
            "The store holds no points of marketing's: import a file with lead_id, known_at and points "
            "(leadscore import FILE --mapping generic), or count them by a card ([points] source)."
        )
    proof = prove(data, settings, columns, points=points, against=("points",), say=say)
    ours, theirs = (proof.together.evaluations[name].metrics for name in (MODEL, "points"))
    differences = proof.together.differences["points"]
    metrics = {
        name: {
            "model": ours[name].value,
            "points": theirs[name].value,
            "difference": differences[name].interval.as_dict(),
            "word": differences[name].word,
        }
        for name in METRICS
    }
    lift, ranking, level = (metrics[name]["word"] for name in ("lift_at_10", "roc_auc", "log_loss"))
    captured = {name: of["captured_at_10"].value for name, of in (("model", ours), ("points", theirs))}
    return {
        "snapshots": len(proof.outcome),
        "converted": int(proof.outcome.sum()),
        "captured_at_10": captured,
        "metrics": metrics,
        "verdict": (
            f"Calling the first 10 % of the list, the model finds {captured['model']:.0%} of the conversions, the "
            f"points {captured['points']:.0%}: the model is {lift} on lift, {ranking} on ranking, {level} on "
            "probabilities."
        ),
    }

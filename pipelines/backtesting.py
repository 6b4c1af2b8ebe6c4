"""`leadscore backtest`: the proof of a training without a release at its end, as a run in MLflow and a report."""

from collections.abc import Callable
from typing import Any

import numpy as np

from models.estimator import check_enough
from models.learning_curve import learning_curve, says
from pipelines import figures
from pipelines.config import Settings
from pipelines.points import points_of
from pipelines.proof_facts import facts
from pipelines.proving import learner, prove
from pipelines.registering import log
from pipelines.store import LeadStore
from pipelines.tracking import Tracking
from pipelines.train import decide, known_until, read_catalogue, read_frame, read_inventory
from pipelines.training_facts import data_facts

Say = Callable[[str], None]


def backtest(
    store: LeadStore,
    settings: Settings,
    tracking: Tracking | None,
    *,
    as_of: int | None,
    curve: bool = False,
    say: Say = lambda _: None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Any]:
    """Backtest the training procedure on what the store knows (before `as_of`, microseconds UTC).

    Parameters
    ----------
    tracking : None: nothing is logged
    curve : learn from growing parts of the leads as well, and say whether more data would help

    Returns
    -------
    The facts of a card that a backtest can know: see `pipelines.proof_facts`.

    Raises
    ------
    TooLittleData
    """
    inventory = read_inventory(store, as_of=as_of)
    for sentence in inventory.left_out:
        say(sentence)
    until = known_until(inventory, as_of=as_of)
    columns = read_catalogue(inventory, settings)
    data = read_frame(store, settings, inventory, columns, as_of=as_of, progress=progress)
    say(f"{len(data.outcome):,} mature snapshots, {int(data.outcome.sum()):,} converted")
    check_enough(data.outcome, where="the training frame")
    points = points_of(store, settings, inventory, data)
    proof = prove(data, settings, columns, points=points, say=say)
    verdict, reason = decide(proof.model.metrics, proof.together.differences["base_rate"]["log_loss"].interval)
    report = {
        "verdict": verdict,
        "verdict_reason": reason,
        "label": settings.label.model_dump(),
        "data": data_facts(data, settings, until=until),
        "snapshots": {
            "test": len(proof.outcome),
            "converted_in_test": int(proof.model.converted),
            "dropped_immature": data.dropped_immature,
        },
        "skipped": list(proof.backtest.skipped),
        **facts(proof, data, settings),
        "learning_curve": None,
    }
    drawn = figures.of_proof(report)
    if curve:
        grown = learning_curve(
            proof.backtest,
            data.outcome,
            np.asarray(data.lead_id, object),
            known_at=data.known_at,
            learn=learner(data, settings, columns),
            log_odds=lambda learned, rows: learned.model.log_odds(data.frame.iloc[rows]),
            resamples=settings.model.resamples,
            seed=settings.model.seed,
            progress=say,
        )
        report["learning_curve"] = {"points": [point.as_dict() for point in grown], "says": says(grown)}
        drawn["learning_curve.png"] = figures.learning_curve(report["learning_curve"]["points"])
    if tracking is not None:
        report["run_id"] = log(tracking, settings, report, drawn, job="backtest")
    return report

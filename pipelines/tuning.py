"""`train --tune`: look for a better shape of the trees, out of time, and say honestly what it brought.

Each trial is judged by a small backtest of its own *before* the first cut-off of the proof, so that what is tested on
later leads was never searched on. A trial that does badly on the first periods is given up (median pruning). Trials are
kept in a journal beside the release cache: the same data and settings go on where they stopped.

References
----------
Akiba, T. et al. (2019). Optuna: a next-generation hyperparameter optimization framework. KDD '19.
doi:10.1145/3292500.3330701
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import optuna
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from features.catalogue import Catalogue
from features.errors import TooLittleData
from models.backtest import cut
from models.encoding import Floats
from models.evaluation import evaluate_together
from models.members import PARAMETERS
from models.splits import known_by
from pipelines.config import Settings
from pipelines.proving import Proof, learner
from pipelines.snapshots import TrainingFrame

Say = Callable[[str], None]

#: What is searched: LightGBM's names, with the least and the most; "log" where doubling is the natural step.
SPACE: Final[Mapping[str, tuple[float, float, bool]]] = {
    "learning_rate": (0.01, 0.1, True),
    "num_leaves": (3, 31, True),
    "min_child_samples": (10, 200, True),
    "feature_fraction": (0.2, 1.0, False),
    "bagging_fraction": (0.5, 1.0, False),
    "lambda_l2": (0.1, 50.0, True),
}
DEFAULT: Final = {name: PARAMETERS[name] for name in SPACE}
_INNER_SHARE: Final = 0.4
_INNER_CUT_OFFS: Final = 3
_STARTUP: Final = 8
_JUDGED: Final = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class Trial:
    """One shape that was tried; `log_loss` is None where it was given up early."""

    number: int
    shape: Mapping[str, float]
    log_loss: float | None
    state: str


@dataclass(frozen=True)
class Tuned:
    """The best shape found, and all that were tried."""

    shape: Mapping[str, float]
    trials: tuple[Trial, ...]
    minutes: float


def tune(
    data: TrainingFrame,
    settings: Settings,
    columns: Catalogue,
    *,
    minutes: float,
    journal: Path,
    say: Say = lambda _: None,
    most_trials: int | None = None,
) -> Tuned:
    """Search for `minutes`; the default shape is always the first trial.

    Parameters
    ----------
    journal : folder of the journals, one file per data and settings

    Raises
    ------
    TooLittleData
        Before the proof's test there is not enough to try anything on.
    """
    outer = cut(
        data.as_of,
        test_share=settings.splits.test_share,
        cut_offs=settings.splits.cut_offs,
        horizon_days=settings.label.horizon_days,
    )[0]
    # Outcomes as they were known when the proof's test began: nothing later may guide the search.
    seen = known_by(outer.begins, data.outcome, data.known_at)
    inside = outer.split.earlier
    folds = cut(
        data.as_of[inside],
        test_share=_INNER_SHARE,
        cut_offs=_INNER_CUT_OFFS,
        horizon_days=settings.label.horizon_days,
    )

    if not folds:
        raise _too_little()

    def tried(shape: Mapping[str, float], report: Callable[[int, float], None]) -> float:
        procedure = learner(data, settings, columns, shape=shape)
        losses: list[Floats] = []
        for fold in folds:
            earlier, later = inside[fold.split.earlier], inside[fold.split.later]
            learned = procedure(earlier, known_by(fold.begins, seen[earlier], data.known_at[earlier]))
            z = learned.model.log_odds(data.frame.iloc[later])
            losses.append(np.logaddexp(0.0, z) - seen[later] * z)
            report(fold.number, float(np.concatenate(losses).mean()))
        return float(np.concatenate(losses).mean())

    journal.mkdir(parents=True, exist_ok=True)
    name = f"{data.digest()[:16]}-{settings.digest()[:16]}"
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        study_name=name,
        storage=optuna.storages.JournalStorage(JournalFileBackend(str(journal / f"{name}.log"))),
        sampler=optuna.samplers.TPESampler(seed=settings.model.seed, n_startup_trials=_STARTUP),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_STARTUP),
        load_if_exists=True,
    )
    before = study.get_trials(deepcopy=False)
    if done := sum(trial.state in _JUDGED for trial in before):
        say(f"tuning goes on after {done} trials that were made before")
    if not any(_is_default(trial) for trial in before):
        study.enqueue_trial(DEFAULT)
    started = time.monotonic()

    def objective(trial: optuna.Trial) -> float:
        def report(step: int, value: float) -> None:
            trial.report(value, step)
            if trial.should_prune():
                raise optuna.TrialPruned

        return tried(_suggested(trial), report)

    def told(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        gone = (time.monotonic() - started) / 60
        found = f"log loss {trial.value:.4f}" if trial.value is not None else trial.state.name.lower()
        try:
            best = f"; best so far {study.best_value:.4f}"
        except ValueError:
            best = ""
        say(f"trial {trial.number + 1}, {gone:.1f} of {minutes:g} minutes: {found}{best}")

    try:
        study.optimize(objective, n_trials=most_trials, timeout=minutes * 60, callbacks=[told])
    except TooLittleData as error:
        raise _too_little() from error
    best = study.best_params
    trials = tuple(
        Trial(one.number, dict(one.params), one.value, one.state.name.lower())
        for one in study.get_trials(deepcopy=False)
        if one.state.is_finished()
    )
    return Tuned(best, trials, (time.monotonic() - started) / 60)


def _too_little() -> TooLittleData:
    return TooLittleData(
        "There is too little history before the test to tune on: import more, or train without --tune."
    )


def _is_default(trial: optuna.trial.FrozenTrial) -> bool:
    """Whether the default was judged by this trial, or waits for it; one that was killed at work says nothing."""
    return trial.state == TrialState.WAITING or (trial.state in _JUDGED and dict(trial.params) == DEFAULT)


def brought(tuned: Tuned, with_it: Proof, without: Proof, settings: Settings) -> dict[str, Any]:
    """What the best shape brought on the later leads of the proof, for the card; `used` only where that is sure.

    The same later leads give the figures of the card: where the shape is used, `in_words` and the card say so.

    Parameters
    ----------
    with_it, without : proofs of the procedure with the tuned shape, and with the default one
    """
    together = evaluate_together(
        {"model": with_it.backtest.probability["model"], "default": without.backtest.probability["model"]},
        without.outcome,
        lead_id=without.lead_id,
        base_rate_probability=without.backtest.base_rate,
        differences=("log_loss",),
        resamples=settings.model.resamples,
        seed=settings.model.seed,
    )
    gain = together.differences["default"]["log_loss"]
    return {
        "trials": len(tuned.trials),
        "pruned": sum(trial.state == "pruned" for trial in tuned.trials),
        "minutes": round(tuned.minutes, 1),
        "parameters": dict(tuned.shape),
        "gain": gain.as_dict(),
        "used": gain.word == "better",
    }


def in_words(found: Mapping[str, Any]) -> str:
    """What tuning brought, in a sentence."""
    gain = found["gain"]
    measured = (
        f"{found['trials']} trials ({found['pruned']} given up early) in {found['minutes']:g} minutes; on later leads "
        f"{-gain['value']:+.4f} of log loss against the default (95 % interval {-gain['high']:+.4f} to "
        f"{-gain['low']:+.4f})"
    )
    if found["used"]:
        return (
            f"Tuning helped: {measured}. That was decided on the test itself, so its figures may flatter the shape a "
            "little."
        )
    return f"Tuning is not shown to help, so the default stays: {measured}."


def _suggested(trial: optuna.Trial) -> dict[str, float]:
    shape: dict[str, float] = {}
    for name, (least, most, log) in SPACE.items():
        if isinstance(DEFAULT[name], int):
            shape[name] = trial.suggest_int(name, int(least), int(most), log=log)
        else:
            shape[name] = trial.suggest_float(name, least, most, log=log)
    return shape

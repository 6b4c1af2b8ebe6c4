"""The model: a logistic member, trees boosted from its log odds, a calibrator on the newest mature snapshots.

Log odds add: log odds = logistic + trees, then calibrated by a strictly increasing map. So reasons still sum, a
member that fails cannot pull the other's ranking apart, and where trees find nothing they add nothing.

How it is learned (`learn`): the newest share of the snapshots is set aside, with a gap of one horizon before it. The
members learn from the rest; the set-aside slice says how many trees are worth having, beyond a floor, and gives the
calibrator outcomes that the members have not seen. What it does not bear out of the differences between leads is taken
back (`skill`). Then the members are fitted again on everything: under drift the newest leads are the ones that matter
most.

Why these numbers (log loss on time-ordered splits of three real data sets, in seven cases, measured while building):
boosting from the logistic member was better than either member and than their average in the mean; stopping early on
a later slice alone stopped at once wherever the level had moved, though 100 to 200 trees were best on the test in
every case, hence the floor; and a weak prior on the calibrator followed the last shift of the level, which reversed,
hence the strong one. The same defaults serve every data set.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import TooLittleData
from models.calibration import Calibrator, fit_calibrator, identity
from models.encoding import Encoding, Floats, lead_folds, learn_encoding
from models.logistic import choose_penalty, fit_logistic
from models.skill import share_borne_out
from models.splits import CALIBRATE_SHARE, check_gap, split_by_time

FOLDS: Final = 5
LEAST_OUTCOMES: Final = 40
CALIBRATION_PRIOR: Final = 400.0
"""Pseudo-converters that the calibrator's prior stands for: a shift is believed by half when so many bear it out."""
#: Above this share of the differences between leads nobody needs to know what was taken for noise.
KEPT_UNSAID: Final = 0.9
TREES_LEAST: Final = 150
TREES_MOST: Final = 1200
PATIENCE: Final = 100
#: Trees are summed in blocks of so many: faster in the processor's cache, and always the same sum.
BLOCK: Final = 50

PARAMETERS: Final[Mapping[str, Any]] = {
    "objective": "binary",
    "metric": "binary_logloss",
    "learning_rate": 0.03,
    "num_leaves": 8,
    "min_child_samples": 40,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "feature_fraction": 0.6,
    "lambda_l2": 5.0,
    "deterministic": True,
    "force_col_wise": True,
    # Trees this small are little work each: on a busy machine threads wait for each other, many times longer than one
    # alone would take.
    "num_threads": 1,
    "verbose": -1,
    # Without it a column of one value would be dropped from the file, and the columns would shift.
    "feature_pre_filter": False,
}

Outcome = npt.NDArray[np.int64]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Members:
    """The logistic member and the trees boosted from its log odds."""

    encoding: Encoding
    coefficients: Floats
    intercept: float
    booster: lgb.Booster

    def log_odds(self, frame: pd.DataFrame) -> Floats:
        """(rows,) uncalibrated log odds."""
        return self.linear_log_odds(frame) + self.tree_log_odds(frame)

    def linear_log_odds(self, frame: pd.DataFrame) -> Floats:
        """The logistic member's part."""
        z: Floats = self.encoding.linear(frame) @ self.coefficients + self.intercept
        return z

    def tree_log_odds(self, frame: pd.DataFrame) -> Floats:
        """The trees' part."""
        matrix = self.encoding.trees(frame)
        z = np.zeros(len(frame))
        if len(frame) == 0:
            return z
        for start in range(0, self.booster.num_trees(), BLOCK):
            z += self.booster.predict(matrix, raw_score=True, start_iteration=start, num_iteration=BLOCK)
        return z


@dataclass(frozen=True)
class Model:
    """Members and calibrator: what a release holds."""

    members: Members
    calibrator: Calibrator

    def log_odds(self, frame: pd.DataFrame) -> Floats:
        """(rows,) calibrated log odds."""
        return self.calibrator.apply_log_odds(self.members.log_odds(frame))

    def probability(self, frame: pd.DataFrame) -> Floats:
        """(rows,) calibrated probability of converting within the horizon."""
        return self.calibrator.apply(self.members.log_odds(frame))


@dataclass(frozen=True)
class Learned:
    """A model with how it came about."""

    model: Model
    trained: int
    calibrated: int
    dropped_in_gap: int
    trees: int
    penalty: float
    notes: tuple[str, ...]


def check_enough(outcome: Outcome, *, where: str) -> None:
    """Refuse to learn from too few outcomes.

    Raises
    ------
    TooLittleData

    Examples
    --------
    >>> check_enough(np.array([1] * 39 + [0] * 500), where="training")
    Traceback (most recent call last):
    ...
    features.errors.TooLittleData: training needs at least 40 snapshots that converted and 40 that did not; found 39
    and 500. ...
    """
    converted = int(outcome.sum())
    if min(converted, len(outcome) - converted) < LEAST_OUTCOMES:
        raise TooLittleData(
            f"{where} needs at least {LEAST_OUTCOMES} snapshots that converted and {LEAST_OUTCOMES} that did not; "
            f"found {converted} and {len(outcome) - converted}. Import more history, take a shorter [label] "
            "horizon_days, or more snapshots per lead ([snapshots])."
        )


def learn(
    frame: pd.DataFrame,
    outcome: Outcome,
    *,
    lead_id: Sequence[str],
    as_of: npt.NDArray[np.int64],
    horizon_days: int,
    monotone: Mapping[str, int],
    seed: int = 7,
    progress: Progress = lambda _: None,
) -> Learned:
    """Learn a calibrated model from mature snapshots.

    Parameters
    ----------
    frame : (rows, features), numeric float64 or text
    outcome, lead_id, as_of : one per row; the order of rows changes nothing
    monotone : feature -> +1 or -1, for those that declare it

    Raises
    ------
    TooLittleData
        Fewer than 40 snapshots that converted, or that did not; or no column that differs between snapshots.
    """
    check_enough(outcome, where="training")
    # Bagging draws rows by position.
    order = np.lexsort((np.asarray(lead_id, str), as_of))
    frame, outcome, as_of, leads = frame.iloc[order], outcome[order], as_of[order], np.asarray(lead_id, object)[order]
    split = split_by_time(as_of, later_share=CALIBRATE_SHARE, horizon_days=horizon_days)
    check_gap(earlier_as_of=as_of[split.earlier], later_as_of=as_of[split.later], horizon_days=horizon_days)
    early, late = outcome[split.earlier], outcome[split.later]
    notes = []
    calibrator, kept, trees = identity(), 1.0, TREES_LEAST
    if min(early.sum(), (1 - early).sum()) < LEAST_OUTCOMES:
        notes.append(
            f"not calibrated: a horizon before the newest {len(late)} snapshots, {int(early.sum())} had converted and "
            f"{int((1 - early).sum())} had not; at least {LEAST_OUTCOMES} of each are needed"
        )
    elif not 0 < late.sum() < len(late):
        notes.append(
            f"not calibrated: of the newest {len(late)} snapshots, {int(late.sum())} converted and "
            f"{int((1 - late).sum())} did not; some of each are needed"
        )
    else:
        progress("fitting the members on the earlier snapshots")
        held_out = frame.iloc[split.later]
        members, _ = _fit_members(
            frame.iloc[split.earlier],
            early,
            leads[split.earlier],
            monotone=monotone,
            seed=seed,
            later=(held_out, late),
        )
        trees = members.booster.num_trees()
        progress("calibrating on the newest snapshots")
        log_odds = members.log_odds(held_out)
        calibrator = fit_calibrator(log_odds, late, prior_strength=CALIBRATION_PRIOR)
        kept = share_borne_out(calibrator.apply_log_odds(log_odds), late, lead_id=leads[split.later].tolist())
    progress("fitting the members again, on everything")
    # The penalty is chosen anew: the right one for the earlier snapshots alone can be far too strong for all of them.
    members, penalty = _fit_members(frame, outcome, leads, monotone=monotone, seed=seed, trees=trees)
    if kept < KEPT_UNSAID:
        notes.append(f"the newest snapshots bear out {kept:.0%} of the differences between leads; no more are told")
    return Learned(
        Model(members, calibrator.drawn_together(kept, around=members.encoding.base)),
        trained=len(split.earlier),
        calibrated=len(split.later),
        dropped_in_gap=len(split.gap),
        trees=trees,
        penalty=penalty,
        notes=tuple(notes),
    )


def _fit_members(
    frame: pd.DataFrame,
    outcome: Outcome,
    leads: npt.NDArray[np.object_],
    *,
    monotone: Mapping[str, int],
    seed: int,
    trees: int = TREES_MOST,
    later: tuple[pd.DataFrame, Outcome] | None = None,
) -> tuple[Members, float]:
    """Fit both members; with a later slice, stop growing trees where they stop helping there (but not too soon)."""
    encoding = learn_encoding(frame, outcome)
    if not encoding.tree_sources:
        raise TooLittleData(
            f"Each of the {frame.shape[1]} columns holds the same value in all {len(frame):,} snapshots: nothing tells "
            "one lead from another. Import profiles or events, or exclude fewer features ([features] exclude)."
        )
    folds = lead_folds(leads.tolist(), folds=FOLDS)
    linear = encoding.linear(frame)
    signs = np.array(
        [monotone.get(name, 0) if i < len(encoding.numeric) else 0 for i, name in enumerate(encoding.linear_sources)]
    )
    penalty = choose_penalty(linear, outcome, folds=folds)
    coefficients, intercept = fit_logistic(linear, outcome, penalty=penalty, signs=signs)
    start = linear @ coefficients + intercept
    parameters = dict(PARAMETERS) | {
        "seed": seed,
        "monotone_constraints": [monotone.get(c.name, 0) for c in encoding.numeric] + [0] * len(encoding.categorical),
    }
    names = [f"f{i}" for i in range(len(encoding.tree_sources))]
    data = lgb.Dataset(
        encoding.trees_out_of_fold(frame, outcome, folds=folds), outcome, init_score=start, feature_name=names
    )
    if later is None:
        booster = lgb.train(parameters, data, trees)
    else:
        held_out, held_outcome = later
        valid = lgb.Dataset(
            encoding.trees(held_out),
            held_outcome,
            init_score=encoding.linear(held_out) @ coefficients + intercept,
            reference=data,
        )
        grown = lgb.train(
            parameters,
            data,
            trees,
            valid_sets=[valid],
            callbacks=[_early_stopping()],
            keep_training_booster=True,  # the one returned otherwise has lost the trees after the best
        )
        wanted = max(TREES_LEAST, grown.best_iteration)
        booster = lgb.Booster(model_str=grown.model_to_string(num_iteration=wanted))
    return Members(encoding, coefficients, intercept, booster), penalty


def _early_stopping() -> Callable[[Any], None]:
    """LightGBM's early stopping, which lets the floor of trees grow before it acts on what it has found."""
    stop = lgb.early_stopping(PATIENCE, verbose=False)
    found: list[lgb.callback.EarlyStopException] = []

    def after_each_tree(state: Any) -> None:
        if not found:
            try:
                stop(state)
            except lgb.callback.EarlyStopException as enough:
                found.append(enough)
        if found and state.iteration + 1 >= TREES_LEAST:
            raise found[0]

    return after_each_tree

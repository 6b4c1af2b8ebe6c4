"""The two members of a model: a logistic regression, and many small trees boosted from its log odds.

The trees correct the logistic member where it is bent or where columns act together; where it has said all, they have
little to add. What each is worth on later leads is decided elsewhere (`skill`) and folded in here: a weight on the
logistic member multiplies its coefficients, one on the trees multiplies their leaves, so that a model's log odds stay
the sum of the two, and its reasons too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, Self

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from features.errors import TooLittleData
from models.encoding import Encoding, Floats, lead_folds, learn_encoding
from models.logistic import choose_penalty, fit_logistic

FOLDS: Final = 5
#: 100 to 200 trees were best on the test in every real case: no slice is believed that asks for fewer.
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
        # Row by row: a matrix product rounds the last rows of a range in another way than those before them, and the
        # last bit of a lead would depend on who stands beside it.
        z: Floats = np.einsum("ij,j->i", self.encoding.linear(frame), self.coefficients) + self.intercept
        return z

    def tree_log_odds(self, frame: pd.DataFrame, *, trees: int | None = None) -> Floats:
        """The trees' part; of the first so many, or of all."""
        z = np.zeros(len(frame))
        if len(frame) == 0:
            return z
        matrix = self.encoding.trees(frame)
        grown = self.booster.num_trees()
        most = grown if trees is None else min(trees, grown)
        for start in range(0, most, BLOCK):
            z += self.booster.predict(
                matrix, raw_score=True, start_iteration=start, num_iteration=min(BLOCK, most - start)
            )
        return z

    def weighted(self, *, logistic: float, trees: float) -> Self:
        """The same members, each telling so much of what it tells: base + logistic · (its − base) + trees · theirs."""
        base = self.encoding.base
        booster = lgb.Booster(model_str=self.booster.model_to_string())
        for tree in booster.dump_model()["tree_info"]:
            at = int(tree["tree_index"])
            for leaf in range(int(tree["num_leaves"])):
                booster.set_leaf_output(at, leaf, trees * booster.get_leaf_output(at, leaf))
        return replace(
            self,
            coefficients=logistic * self.coefficients,
            intercept=base + logistic * (self.intercept - base),
            booster=booster,
        )


@dataclass(frozen=True)
class Fitted:
    """Members as they were fitted, both at full weight."""

    members: Members
    penalty: float
    wanted: int
    """Trees worth having on the later slice, at least the floor; without one, as many as were asked for."""


def fit_members(
    frame: pd.DataFrame,
    outcome: Outcome,
    leads: npt.NDArray[np.object_],
    *,
    monotone: Mapping[str, int],
    seed: int,
    trees: int = TREES_MOST,
    later: tuple[pd.DataFrame, Outcome] | None = None,
    penalty: float | None = None,
    shape: Mapping[str, float] = MappingProxyType({}),
) -> Fitted:
    """Fit both members; with a later slice, stop growing trees where they stop helping there.

    Parameters
    ----------
    penalty : of the logistic member; without one it is chosen
    shape : LightGBM's parameters of the trees where they are not `PARAMETERS`

    Raises
    ------
    TooLittleData
        No column differs between snapshots.
    """
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
    penalty = choose_penalty(linear, outcome, folds=folds) if penalty is None else penalty
    coefficients, intercept = fit_logistic(linear, outcome, penalty=penalty, signs=signs)
    parameters = (
        dict(PARAMETERS)
        | dict(shape)
        | {
            "seed": seed,
            "monotone_constraints": [monotone.get(c.name, 0) for c in encoding.numeric]
            + [0] * len(encoding.categorical),
        }
    )
    data = lgb.Dataset(
        encoding.trees_out_of_fold(frame, outcome, folds=folds),
        outcome,
        init_score=linear @ coefficients + intercept,
        feature_name=[f"f{i}" for i in range(len(encoding.tree_sources))],
    )
    if later is None or not 0 < later[1].sum() < len(later[1]):
        booster = lgb.train(parameters, data, trees if later is None else TREES_LEAST)
        return Fitted(Members(encoding, coefficients, intercept, booster), penalty, booster.num_trees())
    held_out, held_outcome = later
    start = encoding.linear(held_out) @ coefficients + intercept
    valid = lgb.Dataset(
        encoding.trees(held_out), held_outcome, init_score=start + _level(start, held_outcome), reference=data
    )
    booster = lgb.train(
        parameters,
        data,
        trees,
        valid_sets=[valid],
        callbacks=[_early_stopping()],
        keep_training_booster=True,  # the one returned otherwise has lost the trees after the best
    )
    wanted = max(TREES_LEAST, booster.best_iteration)
    return Fitted(Members(encoding, coefficients, intercept, booster), penalty, wanted)


def _level(log_odds: Floats, outcome: Outcome) -> float:
    """What the level of the slice is off by: else trees would be judged by whether they happen to move it that way."""
    shift = 0.0
    for _ in range(50):
        p = expit(log_odds + shift)
        step = float((p - outcome).sum() / max(float((p * (1 - p)).sum()), 1e-9))
        shift -= min(max(step, -1.0), 1.0)
        if abs(step) < 1e-9:
            break
    return shift


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

"""A rolling-origin backtest: the newest snapshots, period by period, each foretold by what was known when it began.

The test is the newest share of the snapshots, cut into periods of about equal size at moments that snapshots share. For
each period everything is learned anew from the snapshots whose outcome was known when it began, as a company that
trains again now and then would have done; what lies between is the gap, and is dropped. Nothing foretold here was ever
learned from, so predictions of all periods are judged together.

References
----------
Tashman, L. J. (2000). Out-of-sample tests of forecasting accuracy. Int. J. Forecasting 16(4), 437 to 450.
doi:10.1016/S0169-2070(00)00065-0 (rolling origin, with recalibration).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from features.errors import TooLittleData
from features.tables import MICROSECONDS_PER_DAY
from models.encoding import Floats
from models.estimator import Learned
from models.splits import Rows, Split, check_gap, known_by, split_by_time

Outcome = npt.NDArray[np.int64]
#: Learns from rows and their outcomes, and foretells other rows: (later rows,) probability.
Contestant = Callable[[Rows, Outcome, Rows], Floats]


@dataclass(frozen=True)
class Fold:
    """One cut-off: positions of what is learned from, of what is foretold, and of what lies in the gap."""

    number: int
    begins: int
    """The cut-off, microseconds UTC: every outcome learned from was known before it."""
    split: Split


@dataclass(frozen=True)
class Told:
    """What one fold foretold: (later rows,) each."""

    fold: Fold
    learned: Learned
    log_odds: Floats
    probability: Mapping[str, Floats]
    base_rate: float
    """Share that converted among the rows learned from."""


@dataclass(frozen=True)
class Backtest:
    """What all folds foretold, in their order; `row` are positions in the frame that was given.

    `skipped` says in sentences which cut-offs had nothing to learn from.
    """

    folds: tuple[Told, ...]
    skipped: tuple[str, ...] = ()

    @property
    def row(self) -> Rows:
        """(rows foretold,) their positions."""
        return np.concatenate([told.fold.split.later for told in self.folds])

    @property
    def log_odds(self) -> Floats:
        """(rows foretold,) the model's, calibrated."""
        return np.concatenate([told.log_odds for told in self.folds])

    @property
    def base_rate(self) -> Floats:
        """(rows foretold,) the share that had converted among what was learned from."""
        return np.concatenate([np.full(len(told.fold.split.later), told.base_rate) for told in self.folds])

    @property
    def probability(self) -> dict[str, Floats]:
        """(rows foretold,) of every contestant, by name."""
        names = self.folds[0].probability
        return {name: np.concatenate([told.probability[name] for told in self.folds]) for name in names}


def cut(as_of: npt.NDArray[Any], *, test_share: float, cut_offs: int, horizon_days: int) -> list[Fold]:
    """Cut the newest share of the snapshots into periods, each with all that was known when it began.

    Parameters
    ----------
    as_of : (rows,) microseconds UTC
    cut_offs : periods wanted; fewer come out where snapshots share too few moments

    Examples
    --------
    >>> day = 86_400_000_000
    >>> folds = cut(np.arange(10) * day, test_share=0.4, cut_offs=2, horizon_days=1)
    >>> [(fold.split.earlier.tolist(), fold.split.later.tolist()) for fold in folds]
    [([0, 1, 2, 3, 4, 5], [6, 7]), ([0, 1, 2, 3, 4, 5, 6, 7], [8, 9])]
    """
    moments = np.asarray(as_of, np.int64)
    test = split_by_time(moments, later_share=test_share, horizon_days=horizon_days).later
    if not len(test):
        return []
    ordered = np.sort(moments[test])
    wanted = [int(ordered[len(ordered) * k // cut_offs]) for k in range(cut_offs)]
    starts = sorted(set(wanted))
    ends = [*starts[1:], int(ordered[-1]) + 1]
    folds = []
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), start=1):
        later = np.flatnonzero((moments >= start) & (moments < end))
        known = moments + horizon_days * MICROSECONDS_PER_DAY <= start
        gap = np.flatnonzero(~known & (moments < start))
        split = Split(np.flatnonzero(known), later, gap)
        check_gap(earlier_as_of=moments[split.earlier], later_as_of=moments[later], horizon_days=horizon_days)
        folds.append(Fold(number, start, split))
    return folds


def backtest(
    folds: list[Fold],
    outcome: Outcome,
    *,
    known_at: npt.NDArray[np.int64],
    learn: Callable[[Rows, Outcome], Learned],
    log_odds: Callable[[Learned, Rows], Floats],
    contestants: Mapping[str, Contestant],
    progress: Callable[[str], None] = lambda _: None,
) -> Backtest:
    """Foretell each fold's later rows by the model and by every contestant, each learned from its earlier rows only.

    Parameters
    ----------
    known_at : (rows,) microseconds UTC at which a conversion came to be known; one that was recorded only after a
        cut-off was none yet for whoever trained there
    learn, log_odds : the model's procedure on rows and their outcomes, and what it says of others
    contestants : by name; "model" is the model's own

    Raises
    ------
    TooLittleData
        No cut-off had enough to learn from: the reason of the last, which had most.
    """
    told, skipped = [], []
    last: TooLittleData | None = None
    for fold in folds:
        earlier, later = fold.split.earlier, fold.split.later
        progress(f"cut-off {fold.number} of {len(folds)}: learning from {len(earlier):,}, foretelling {len(later):,}")
        try:
            seen = known_by(fold.begins, outcome[earlier], known_at[earlier])
            learned = learn(earlier, seen)
        except TooLittleData as error:
            skipped.append(f"cut-off {fold.number} was skipped: {error}")
            last = error
            continue
        z = log_odds(learned, later)
        probability = {"model": expit(z)}
        probability |= {name: contestant(earlier, seen, later) for name, contestant in contestants.items()}
        told.append(Told(fold, learned, z, probability, float(seen.mean())))
    if not told:
        raise last or TooLittleData("There are no later snapshots to test on. Import more history.")
    return Backtest(tuple(told), tuple(skipped))

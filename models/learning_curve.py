"""How much data is enough: the same backtest, learned from an eighth, a quarter, half and all of the leads.

Parts are nested (a lead that is in a smaller one is in every larger one) and drawn by a fixed hash of the lead's id, so
that a curve differs from the next only by what was added. All are judged on the same later snapshots, with the same
resamples of leads: the gain of each doubling has an interval of its own.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from features.errors import TooLittleData
from models.backtest import Backtest, Outcome
from models.encoding import Floats
from models.estimator import Learned
from models.evaluation import Difference, evaluate_together
from models.intervals import Interval
from models.splits import Rows, known_by

#: Shares of the leads; each is half of the next.
SHARES: Final = (0.125, 0.25, 0.5, 1.0)
#: A doubling that gains less than this share of the log loss is not worth waiting for.
WORTH: Final = 0.005


@dataclass(frozen=True)
class Point:
    """One size; `leads`, `snapshots` and `converted` are what the newest cut-off learned from, as known then.

    `doubling` is the log loss less that of half as many leads, None for the smallest.
    """

    share: float
    leads: int
    snapshots: int
    converted: int
    log_loss: Interval
    roc_auc: Interval
    doubling: Difference | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "share": self.share,
            "leads": self.leads,
            "snapshots": self.snapshots,
            "converted": self.converted,
            "log_loss": self.log_loss.as_dict(),
            "roc_auc": self.roc_auc.as_dict(),
            "doubling": None if self.doubling is None else self.doubling.as_dict(),
        }


def learning_curve(
    found: Backtest,
    outcome: Outcome,
    lead_id: npt.NDArray[np.object_],
    *,
    known_at: npt.NDArray[np.int64],
    learn: Callable[[Rows, Outcome], Learned],
    log_odds: Callable[[Learned, Rows], Floats],
    resamples: int,
    seed: int,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Point]:
    """Learn from growing parts of the leads at every cut-off of a backtest.

    Parameters
    ----------
    found : the backtest on all leads
    outcome, lead_id : (snapshots,) of the frame that the backtest was made on
    known_at, learn, log_odds : as in `backtest`

    Returns
    -------
    A point per size, the smallest first; sizes with too few outcomes to learn from are left out.
    """
    told: dict[float, Floats] = {}
    for share in SHARES[:-1]:
        taken = drawn(lead_id, share)
        try:
            parts = []
            for fold in (one.fold for one in found.folds):
                rows = fold.split.earlier[taken[fold.split.earlier]]
                progress(f"{share:.1%} of the leads, cut-off {fold.number}: learning from {len(rows):,} snapshots")
                seen = known_by(fold.begins, outcome[rows], known_at[rows])
                parts.append(log_odds(learn(rows, seen), fold.split.later))
        except TooLittleData:
            continue
        told[share] = expit(np.concatenate(parts))
    told[SHARES[-1]] = found.probability["model"]
    rows = found.row
    newest = found.folds[-1].fold
    known = known_by(newest.begins, outcome, known_at)
    points = []
    for share, probability in told.items():
        half = told.get(share / 2)
        together = evaluate_together(
            {"model": probability} | ({} if half is None else {"half": half}),
            outcome[rows],
            lead_id=lead_id[rows],
            base_rate_probability=found.base_rate,
            differences=("log_loss",),
            resamples=resamples,
            seed=seed,
        )
        learned_from = newest.split.earlier[drawn(lead_id[newest.split.earlier], share)]
        metrics = together.evaluations["model"].metrics
        points.append(
            Point(
                share=share,
                leads=len(np.unique(lead_id[learned_from])),
                snapshots=len(learned_from),
                converted=int(known[learned_from].sum()),
                log_loss=metrics["log_loss"],
                roc_auc=metrics["roc_auc"],
                doubling=None if half is None else together.differences["half"]["log_loss"],
            )
        )
    return points


def says(points: list[Point]) -> str:
    """What the curve says about getting more data, in a sentence."""
    last = points[-1]
    if last.doubling is None:
        return f"With {last.leads:,} leads there is no smaller part to compare with: get more history."
    gain = last.doubling.interval
    bounds = f"{-gain.value:+.4f} of log loss (95 % interval {-gain.high:+.4f} to {-gain.low:+.4f})"
    if last.doubling.word == "better" and -gain.value >= WORTH * last.log_loss.value:
        return f"More leads would still help: the last doubling, to {last.leads:,}, gained {bounds}."
    if gain.low > -WORTH * last.log_loss.value:
        enough = next(
            point
            for place, point in enumerate(points)
            if all(
                later.doubling is not None and later.doubling.interval.value > -WORTH * last.log_loss.value
                for later in points[place + 1 :]
            )
        )
        return f"More leads no longer help beyond about {enough.leads:,}: the last doubling gained {bounds}."
    return f"It cannot be told whether more leads would help: the last doubling gained {bounds}."


def drawn(lead_id: npt.NDArray[np.object_], share: float) -> npt.NDArray[np.bool_]:
    """(snapshots,) whether the snapshot's lead is in the part; a larger share holds every smaller one."""
    distinct, code = np.unique(np.asarray(lead_id, str), return_inverse=True)
    place = np.array([zlib.crc32(f"curve {lead}".encode()) / 2**32 for lead in distinct.tolist()])
    inside: npt.NDArray[np.bool_] = (place < share)[code] if len(distinct) else np.zeros(0, bool)
    return inside

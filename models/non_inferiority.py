"""A candidate against the champion, on the leads that both foretold: is it shown to be no worse?

The question is non-inferiority: as good, or worse by less than a margin that was set beforehand. The interval of the
difference comes from resampling leads, and its upper end must lie within the margin; that it cannot be told is no pass.

References
----------
Piaggio, G. et al. (2012). Reporting of noninferiority and equivalence randomized trials. JAMA 308(24).
doi:10.1001/jama.2012.87802
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.evaluation import CONFIDENCE, Interval, paired_difference
from models.gate import PASSED, REFUSE, Check, Limits, between

#: Converted leads that both versions foretold: with fewer, nothing can be said of the two.
LEAST_IN_COMMON: Final = 20
_EPSILON: Final = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Rivals:
    """What the candidate and the champion foretold of the same later snapshots; one entry per (lead_id, as_of)."""

    champion: str
    """Its version."""
    of_candidate: npt.NDArray[np.float64]
    of_champion: npt.NDArray[np.float64]
    converted: npt.NDArray[np.int64]
    lead_id: Sequence[str]


def against_champion(rivals: Rivals | None, *, limits: Limits, resamples: int, seed: int) -> Check:
    """Whether the candidate is shown to be no worse than the version that scores now, within the margin.

    Parameters
    ----------
    rivals : None when no version ever scored
    resamples, seed : of the leads, for the interval
    """
    name, margin = "champion", limits.most_log_loss_above_champion
    limit = f"log loss at most {margin:+.1%}"
    if rivals is None:
        return Check(name, limit, "none", PASSED, "The first: there is no champion to be compared with.")
    leads = np.asarray(rivals.lead_id, object)
    converted = np.unique(leads[rivals.converted == 1]).size
    if converted < LEAST_IN_COMMON:
        return Check(
            name,
            limit,
            "cannot be told",
            REFUSE,
            f"Of the leads that both it and version {rivals.champion} foretold, {converted} converted; with fewer than "
            f"{LEAST_IN_COMMON} nothing can be said.",
        )
    more = relative_log_loss(rivals, resamples=resamples, seed=seed)
    ranked = paired_difference(
        "roc_auc", rivals.of_candidate, rivals.of_champion, rivals.converted, lead_id=rivals.lead_id,
        resamples=resamples, seed=seed,
    )  # fmt: skip
    where = (
        f"On {np.unique(leads).size:,} leads ({converted:,} converted) that version {rivals.champion} foretold too; "
        f"ROC-AUC {between(ranked, '+.3f')}."
    )
    if more.high <= margin:
        word = "Better" if more.high < 0 else "No worse" if more.low <= 0 else "Worse, by less than the margin"
        return Check(name, limit, between(more, "+.1%"), PASSED, f"{word}. {where}")
    word = "Worse" if more.low > 0 else f"Not shown to be as good: it may be worse by {more.high:.1%}"
    return Check(name, limit, between(more, "+.1%"), REFUSE, f"{word}. {where}")


def relative_log_loss(rivals: Rivals, *, resamples: int, seed: int) -> Interval:
    """(candidate − champion) / champion of the log loss, with an interval that counts leads, not snapshots.

    Examples
    --------
    >>> p, y = np.array([0.2, 0.8]), np.array([0, 1])
    >>> relative_log_loss(Rivals("1", p, p, y, ["a", "b"]), resamples=50, seed=0)
    Interval(value=0.0, low=0.0, high=0.0, undefined=0)
    """
    lead = np.unique(np.asarray(rivals.lead_id, object), return_inverse=True)[1]
    candidate, champion = (
        np.bincount(lead, weights=_loss(p, rivals.converted)) for p in (rivals.of_candidate, rivals.of_champion)
    )
    generator = np.random.default_rng(seed)
    drawn = np.empty(resamples)
    for n in range(resamples):  # a resample at a time: all of them at once would be leads x resamples numbers
        leads = generator.integers(0, candidate.size, candidate.size)
        drawn[n] = candidate[leads].sum() / champion[leads].sum() - 1
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(float(candidate.sum() / champion.sum() - 1), float(low), float(high))


def _loss(p: npt.NDArray[np.float64], converted: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    inside = np.clip(p, _EPSILON, 1 - _EPSILON)
    loss: npt.NDArray[np.float64] = -np.where(converted == 1, np.log(inside), np.log1p(-inside))
    return loss

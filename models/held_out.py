"""Members held against snapshots that they were not fitted on: those that followed, and other leads'.

At a few earlier moments members are fitted on what was known by then and say what they think of the snapshots that
follow, up to the next such moment: that shows what drift does to them. And members fitted without a part of the leads
say what they think of those: that shows, with all there is, what they are worth where nothing drifts.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import TooLittleData
from features.tables import MICROSECONDS_PER_DAY
from models.encoding import lead_folds
from models.members import Fitted, Members
from models.skill import InTime, Said, Window, together
from models.splits import check_gap, known_by

Outcome = npt.NDArray[np.int64]
#: `members.fit_members` with what does not differ between fits.
Fit = Callable[..., Fitted]

#: Shares of the snapshots after which members are fitted to be held against what follows.
ORIGINS: Final = (0.5, 0.7, 0.9)
#: Fewest of each outcome that members of an origin learn from.
LEAST_AT_ORIGIN: Final = 10
#: Members that are to be judged, not to score, are fitted on at most about so many snapshots: at an origin, where drift
#: is told by few windows (on the bank's contacts a third of them cost 2 % of the log loss), and without a part of the
#: leads, where all leads tell the same.
ORIGIN_ROWS: Final = 40_000
IN_TIME_ROWS: Final = 15_000
#: Parts of the leads; members fitted without one of them are held against it.
PARTS: Final = 4
#: The newest share of what members were fitted on, which shows how far the level has moved.
RECENT_SHARE: Final = 0.5


@dataclass(frozen=True)
class Rows:
    """Snapshots in order of time, then lead."""

    frame: pd.DataFrame
    outcome: Outcome
    leads: npt.NDArray[np.object_]
    as_of: npt.NDArray[np.int64]
    known_at: npt.NDArray[np.int64]
    """Of conversions."""

    def seen_by(self, moment: int) -> Self:
        """The same with the outcomes that were known by then."""
        return replace(self, outcome=known_by(moment, self.outcome, self.known_at))


@dataclass(frozen=True)
class Origin:
    """Members fitted on what was known at a moment, and the snapshots from then on that they are held against."""

    begins: int
    fitted: Fitted
    earlier: npt.NDArray[np.int64]
    later: npt.NDArray[np.int64]

    def window(self, rows: Rows, *, trees: int) -> Window:
        """What the members, with so many trees, say of what followed, and of the newest that they had learned from."""
        members, then = self.fitted.members, rows.seen_by(self.begins)
        return Window(
            self.begins,
            int(then.outcome[self.earlier].sum()),
            later=say(members, rows, self.later, trees=trees),
            recent=say(members, then, newest(self.earlier), trees=trees),
        )


def fit_origins(rows: Rows, fit: Callable[..., Fitted], *, horizon_days: int) -> list[Origin]:
    """Members at each origin at which enough outcomes were known, with some snapshots to follow."""
    origins: list[Origin] = []
    penalty: float | None = None
    cuts = [int(rows.as_of[at_share(rows.as_of, share)]) for share in ORIGINS]
    for begins, ends in zip(cuts, [*cuts[1:], int(rows.as_of[-1]) + 1], strict=True):
        earlier = np.flatnonzero(rows.as_of + horizon_days * MICROSECONDS_PER_DAY <= begins)
        later = np.flatnonzero((rows.as_of >= begins) & (rows.as_of < ends))
        seen = rows.seen_by(begins).outcome
        known = int(seen[earlier].sum())
        if not len(later) or min(known, len(earlier) - known) < LEAST_AT_ORIGIN:
            continue
        check_gap(earlier_as_of=rows.as_of[earlier], later_as_of=rows.as_of[later], horizon_days=horizon_days)
        some = earlier[_sampled(rows.leads[earlier], most=ORIGIN_ROWS)]
        if min(known := int(seen[some].sum()), len(some) - known) < LEAST_AT_ORIGIN:
            some = earlier
        try:
            fitted = fit(
                rows.frame.iloc[some],
                seen[some],
                rows.leads[some],
                later=(rows.frame.iloc[later], rows.outcome[later]),
                penalty=penalty,
            )
        except TooLittleData:  # no column differed yet
            continue
        # Origins that are thinned hold as many rows as the first of them: what was right there is right again.
        penalty = fitted.penalty if len(some) < len(earlier) else None
        origins.append(Origin(begins, fitted, some, later))
    return origins


def left_out(rows: Rows, fit: Callable[..., Fitted], *, trees: int, penalty: float) -> InTime | None:
    """What members say of leads that they were not fitted on, part by part; None where no part leaves enough."""
    some = np.flatnonzero(_sampled(rows.leads, most=IN_TIME_ROWS))
    # By other digits than the folds inside of a fit, else its own folds would be of unlike size.
    part = lead_folds([str(lead)[::-1] for lead in rows.leads[some]], folds=PARTS)
    said, learned = [], []
    for number in range(PARTS):
        inside, outside = some[part != number], some[part == number]
        known = int(rows.outcome[inside].sum())
        if not len(outside) or min(known, len(inside) - known) < LEAST_AT_ORIGIN:
            continue
        try:
            members = fit(
                rows.frame.iloc[inside], rows.outcome[inside], rows.leads[inside], trees=trees, penalty=penalty
            ).members
        except TooLittleData:  # no column differs
            continue
        said.append(say(members, rows, outside, trees=trees))
        learned.append(known)
    return InTime(int(np.mean(learned)), together(said)) if said else None


def at_share(as_of: npt.NDArray[np.int64], share: float) -> int:
    """The position after this share of the moments."""
    return min(int(len(as_of) * share), len(as_of) - 1)


def newest(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The newest `RECENT_SHARE` of rows in order of time."""
    return rows[int(len(rows) * (1 - RECENT_SHARE)) :]


def _sampled(leads: npt.NDArray[np.object_], *, most: int) -> npt.NDArray[np.bool_]:
    """Whole leads, about so many snapshots of them; the same leads on every machine."""
    if len(leads) <= most:
        return np.ones(len(leads), bool)
    # Other digits of the checksum than those that folds are made of.
    return lead_folds(leads.tolist(), folds=997) < 997 * most / len(leads)


def say(members: Members, rows: Rows, at: npt.NDArray[np.int64], *, trees: int) -> Said:
    """What members think of the snapshots at these positions, and what happened."""
    frame, base = rows.frame.iloc[at], members.encoding.base
    parts = np.column_stack([members.linear_log_odds(frame) - base, members.tree_log_odds(frame, trees=trees)])
    return Said(base, parts, rows.outcome[at], rows.leads[at], rows.as_of[at])

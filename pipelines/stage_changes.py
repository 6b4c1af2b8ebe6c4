"""What was recommended the night before, and which leads a run moves to another stage.

The night before is the newest as_of before the run's own for which a run is published: a run that failed or was
withdrawn is forgotten, and a day that is filled in later reads the night before that day. So the same moment, data,
release and earlier nights give the same stages.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pandas as pd

from pipelines.moments import moment
from pipelines.store import LeadStore
from serve.stage_memory import LastNight

#: Moves that a report gives as examples.
_MOST_EXAMPLES: Final = 10
#: Of fewer leads than this, most may well move at once.
LEAST_LEADS: Final = 20
#: How a dry run begins to say that the brake would hold.
STOPPED: Final = "A night like this would be stopped"


@dataclass(frozen=True)
class Night:
    """A published run."""

    run_id: str
    as_of: int
    """Microseconds UTC."""


@dataclass(frozen=True)
class Example:
    """A lead that moves, and why."""

    lead_id: str
    before: str
    after: str
    probability: float
    reason: str


@dataclass(frozen=True)
class StageChanges:
    """A run against the night before."""

    since: str | None
    """The as_of of the night before; None where there was none."""
    compared: int
    """Leads that both scored."""
    moved: int
    """Those of them that get another stage."""
    share: float
    """moved / compared; 0 where nothing can be compared."""
    matrix: dict[str, dict[str, int]]
    """stage before -> stage now -> leads, of those that moved."""
    examples: list[Example]
    """Of the commonest moves, of each the likeliest lead."""


def night_before(store: LeadStore, *, as_of: datetime) -> Night | None:
    """The newest published run before `as_of`."""
    found = store.rows(
        "SELECT run_id, epoch_us(as_of) FROM published WHERE as_of < $1 AND run_id IS NOT NULL "
        "ORDER BY as_of DESC LIMIT 1",
        [as_of],
    )
    return Night(str(found[0][0]), int(found[0][1])) if found else None


def recommended(store: LeadStore, night: Night | None, first: str, last: str) -> LastNight | None:
    """What a night recommended for the leads from `first` to `last`, both included."""
    if night is None:
        return None
    rows = store.arrow(
        "SELECT lead_id, recommended_stage FROM scores WHERE run_id = $1 AND lead_id >= $2 AND lead_id <= $3",
        [night.run_id, first, last],
    )
    stages = zip(rows.column("lead_id").to_pylist(), rows.column("recommended_stage").to_pylist(), strict=True)
    return LastNight(night.as_of, dict(stages))


def compared(scores: pd.DataFrame, last_night: LastNight | None) -> pd.DataFrame:
    """The scored leads with the stage they had (`before`, None: none); the reason is kept only of those that move.

    Parameters
    ----------
    scores : lead_id, probability, recommended_stage, stage_reason, more
    """
    before = [None] * len(scores) if last_night is None else last_night.of(scores["lead_id"])
    rows = scores.assign(before=pd.Series(before, index=scores.index, dtype=object))
    moves = rows["before"].notna() & (rows["before"] != rows["recommended_stage"])
    return rows.assign(stage_reason=rows["stage_reason"].where(moves, ""), moves=moves)


def changes(rows: pd.DataFrame, night: Night | None) -> StageChanges:
    """Count the moves of a run's leads.

    Parameters
    ----------
    rows : as `compared` returns them, in the order of lead_id
    """
    moves: Counter[tuple[str, str]] = Counter()
    likeliest: dict[tuple[str, str], Example] = {}
    columns = ["lead_id", "before", "recommended_stage", "probability", "stage_reason"]
    for values in rows.loc[rows["moves"].to_numpy(bool), columns].itertuples(index=False, name=None):
        example = Example(*values)
        move = (example.before, example.after)
        moves[move] += 1
        if move not in likeliest or example.probability > likeliest[move].probability:
            likeliest[move] = example
    ordered = sorted(moves, key=lambda move: (-moves[move], move))
    matrix: dict[str, dict[str, int]] = {}
    for before, after in sorted(moves):
        matrix.setdefault(before, {})[after] = moves[before, after]
    both = int(rows["before"].notna().sum())
    return StageChanges(
        since=None if night is None else moment(night.as_of),
        compared=both,
        moved=moves.total(),
        share=moves.total() / both if both else 0.0,
        matrix=matrix,
        examples=[likeliest[move] for move in ordered[:_MOST_EXAMPLES]],
    )


def would_stop(found: StageChanges, *, most_share: float, least_leads: int = LEAST_LEADS) -> str | None:
    """The sentence that says that the brake would stop a night with these changes; None: it would not.

    Examples
    --------
    >>> found = StageChanges("2026-01-05T00:00:00+00:00", 40, 30, 0.75, {}, [])
    >>> print(would_stop(found, most_share=0.5))
    A night like this would be stopped: 30 of 40 leads get another stage than on 2026-01-05 (75%), more than [score]
    most_stage_changes_share = 0.5. To publish it all the same, give --accept-drift 'REASON'.
    >>> would_stop(found, most_share=0.8) is None
    True
    """
    if found.since is None or not _too_many(
        found.moved, found.compared, most_share=most_share, least_leads=least_leads
    ):
        return None
    return (
        f"{STOPPED}: {found.moved:,} of {found.compared:,} leads get another stage than on "
        f"{found.since[:10]} ({found.share:.0%}), more than [score] most_stage_changes_share = {most_share:g}. To "
        "publish it all the same, give --accept-drift 'REASON'."
    )


def _too_many(moved: int, both: int, *, most_share: float, least_leads: int) -> bool:
    return not (both < least_leads or moved <= most_share * both)


def moved_too_far(
    store: LeadStore, run_id: str, night: Night, *, most_share: float, least_leads: int
) -> tuple[str, list[str]]:
    """Whether a staged run gives so many leads another stage than the night before that something must be the matter.

    Parameters
    ----------
    most_share : `[score] most_stage_changes_share`
    least_leads : with fewer leads to compare, nothing is the matter

    Returns
    -------
    What was found, in words; and the sentences that refuse the run, if any.
    """
    both, moved = store.rows(
        "SELECT count(*), count(*) FILTER (WHERE s.recommended_stage <> b.recommended_stage) FROM scores_staging s "
        "JOIN scores b ON b.lead_id = s.lead_id WHERE s.run_id = $1 AND b.run_id = $2",
        [run_id, night.run_id],
    )[0]
    told = f"{moved:,} of {both:,} leads get another stage than on {moment(night.as_of)[:10]}"
    if not _too_many(moved, both, most_share=most_share, least_leads=least_leads):
        return told, []
    (then, config_then), (now, config_now) = (
        store.rows("SELECT model_version, config_digest FROM runs WHERE run_id = $1", [run])[0]
        for run in (night.run_id, run_id)
    )
    why = []
    if now != then:
        why.append(
            f"Version {now} scores now, version {then} did then: 'leadscore rollback' would bring that one back."
        )
    if config_now != config_then:
        why.append("The configuration is another one than then.")
    why += ["'leadscore score --dry-run' shows who moves, and why."]
    return told, [
        f"{told} ({moved / both:.0%}), more than [score] most_stage_changes_share = {most_share:g}. {' '.join(why)}"
    ]

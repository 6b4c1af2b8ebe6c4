"""The published leads with what to do next, the most urgent first; what the history says of waiting and of steps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.catalogue import Catalogue, catalogue
from features.kinds import kinds_of
from features.tables import AS_OF, LEAD_ID
from models.intervals import plain
from models.steps import steps
from models.waiting import STEPS, waiting
from pipelines import spreadsheet
from pipelines.config import Settings
from pipelines.decisions import economics_of
from pipelines.published import described, published, values
from pipelines.snapshots import When, training_frame, voluntary_types
from pipelines.store import EPOCH, Inventory, LeadStore
from serve.acts import INTEREST, answer_kinds, days_since_interest, family, steps_taken
from serve.economics import Economics
from serve.next_step import History, most_urgent_first, next_steps
from serve.stage_limits import cut_of, limits_for
from serve.stages import OWNED_BY_PEOPLE

Floats = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]

#: The history is learnt from at most so many snapshots: a curve of eight steps needs no more.
MOST_SNAPSHOTS: Final = 50_000
#: What a list shows of each lead, in order.
COLUMNS: Final = (
    "lead_id", "next_step", "urgency", "probability", "recommended_stage", "value", "expected_value",
    "value_lost_per_day", "days_since_interest", "left_alone", "nurture_theme", "next_step_reason",
)  # fmt: skip
#: As many as anybody reads, in a file for people.
_DECIMALS: Final = {
    "probability": 4, "value": 2, "expected_value": 2, "value_lost_per_day": 2, "days_since_interest": 1
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class NextSteps:
    """The leads, one row each with `COLUMNS` (money NaN where it is not told), and what they were derived from."""

    leads: pd.DataFrame
    as_of: str
    currency: str | None
    """None where [economics] tells no value."""
    answers: tuple[str, ...]
    """Kinds of event that count as our answer in this store; where there are none, nobody is called left alone."""
    history: History

    def as_dict(self, leads: pd.DataFrame) -> dict[str, Any]:
        """What `next --json` prints, for some of the leads."""
        fades = self.history.waiting
        return {
            "as_of": self.as_of,
            "currency": self.currency,
            "answers": list(self.answers),
            "published": len(self.leads),
            "urgent": int((self.leads["urgency"] == "high").sum()),
            "left_alone": int(self.leads["left_alone"].sum()),
            "waiting": fades.as_dict() if fades else None,
            "steps": [step.as_dict() for step in self.history.steps],
            "leads": [_row(row) for row in leads.to_dict("records")],
        }


def next_steps_of(
    store: LeadStore, settings: Settings, *, progress: Progress = lambda _done, _total: None
) -> NextSteps:
    """Say what to do next with every published lead.

    Raises
    ------
    UserError
        Nothing is published.
    ConfigError
        [economics] contradicts itself, or names a column that is not there.
    """
    economics = economics_of(settings)
    with store.snapshot() as frozen:
        scores = published(frozen)
        moment = int(scores[AS_OF].max())
        inventory = frozen.inventory(until=moment)
        interest = (*INTEREST, *(k for k in settings.cohort.voluntary_kinds if k not in INTEREST))
        columns = columns_for(settings, inventory, interest=interest)
        frame = described(frozen, scores, columns, range_leads=settings.score.range_leads, progress=progress)
        value = values(frozen, settings, economics, scores) if economics else None
        history = history_of(frozen, settings, inventory, columns, until=moment, interest=interest)
    return _told(scores, frame, value, economics, history, moment=moment, interest=interest)


def columns_for(settings: Settings, inventory: Inventory, *, interest: tuple[str, ...] = INTEREST) -> Catalogue:
    """The columns of `serve.acts.family` that a store can fill; no release need know them."""
    return catalogue(
        kinds=kinds_of(inventory.event_types, settings.events.kinds),
        type_counts={},
        profile_columns=(),
        attributes={},
        own_kinds=(),
        families=(family(interest),),
    )


def history_of(
    store: LeadStore,
    settings: Settings,
    inventory: Inventory,
    columns: Catalogue,
    *,
    until: int,
    interest: tuple[str, ...] = INTEREST,
) -> History:
    """What mature snapshots before `until` (microseconds UTC) say of waiting and of steps.

    Snapshots are taken on the calendar of the settings, also where training takes them after creation: waiting is
    something that leads do later on.
    """
    if not columns.columns:
        return History()
    data = training_frame(
        store,
        columns,
        when=When("calendar", settings.snapshots.every_days, tuple(settings.snapshots.days_after_creation)),
        target_stage=settings.label.target_stage,
        horizon_days=settings.label.horizon_days,
        voluntary=voluntary_types(inventory, columns.kinds, settings.cohort.voluntary_kinds),
        first=inventory.first_created_at,
        until=min(until, inventory.known_until),
        most=MOST_SNAPSHOTS,
        range_leads=settings.score.range_leads,
    )
    if not len(data.outcome):
        return History()
    silence = days_since_interest(data.frame, interest)
    # Snapshots without any act stand together, in the stratum of those that were silent longest.
    stratum = np.searchsorted(STEPS, np.nan_to_num(silence, nan=np.inf), side="right")
    taken = steps_taken(data.frame)
    return History(
        waiting=waiting(silence, data.outcome, data.lead_id, seed=settings.model.seed),
        steps=steps(taken, data.outcome, data.lead_id, stratum=stratum, seed=settings.model.seed),
    )


def _told(
    scores: pd.DataFrame,
    frame: pd.DataFrame,
    value: Floats | None,
    economics: Economics | None,
    history: History,
    *,
    moment: int,
    interest: tuple[str, ...],
) -> NextSteps:
    p = scores["probability"].to_numpy(np.float64)
    leads = pd.Index(scores[LEAD_ID].astype(str))
    worth_calling = None
    if value is not None and economics is not None and economics.sales_touch_cost > 0:
        worth_calling = _fits(scores, value, economics)
    told = next_steps(
        frame.set_axis(leads, axis=0),
        probability=p,
        stage=scores["recommended_stage"].tolist(),
        needs_confirmation=scores["needs_confirmation"].to_numpy(bool),
        history=history,
        value=value,
        worth_calling=worth_calling,
        interest=interest,
    )
    worth = np.full(len(p), np.nan) if value is None else value
    whole = told.assign(
        lead_id=leads, probability=p, recommended_stage=scores["recommended_stage"].to_numpy(object), value=worth,
        expected_value=p * worth,
    )  # fmt: skip
    order = most_urgent_first(told, expected_value=p if value is None else p * worth)
    return NextSteps(
        leads=whole.loc[order, list(COLUMNS)].reset_index(drop=True),
        as_of=(EPOCH + pd.Timedelta(moment, "us")).isoformat(),
        currency=economics.currency if economics else None,
        answers=answer_kinds(frame),
        history=history,
    )


def _fits(scores: pd.DataFrame, value: Floats, economics: Economics) -> npt.NDArray[np.bool_]:
    """(leads,) who pays for a call and is among those that sales can take up."""
    p, ids = scores["probability"].to_numpy(np.float64), scores[LEAD_ID].to_numpy(object)
    # Who was sent back or went quiet takes no place from others.
    ours = ~scores["recommended_stage"].isin([*OWNED_BY_PEOPLE, "recycled"]).to_numpy(bool)
    cut = cut_of(p, value, ids, economics=economics, competing=ours)
    return ours & (p >= limits_for(p, value, ids, economics=economics, cut=cut, competing=ours).sal)


def write_csv(leads: pd.DataFrame, file: Path) -> None:
    """The leads as a CSV file that a spreadsheet opens safely; what is not known is an empty cell."""
    spreadsheet.write_csv(file, (_row(row) for row in leads.round(_DECIMALS).to_dict("records")), columns=COLUMNS)


def _row(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Plain values for JSON and CSV: NaN becomes None."""
    return {str(key): plain(cell) if isinstance(cell, float) else cell for key, cell in row.items()}

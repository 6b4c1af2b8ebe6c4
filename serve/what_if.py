"""What the model would say of a lead if it did one thing more, or nothing for a while.

An act is put into the lead's history shortly before as_of, and the lead is described and scored anew: so every column
moves as it would, with all its windows, rates and days since. Who the lead is stays as it is. This is what the model
would then say of it, and no promise of an effect: leads that ask for a demo buy more often, but not because somebody
made them ask.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.catalogue import Catalogue
from features.kinds import KINDS
from features.tables import EVENTS, MICROSECONDS_PER_DAY, LeadTables
from models.bundle import Release
from serve.scorer import Policy, score
from serve.stage_memory import LastNight

#: What a lead may do of its own, or in answer to us: the clearest first.
ACTS: Final = (
    "demo_request",
    "quote_request",
    "budget_declared",
    "date_declared",
    "meeting",
    "email_answered",
    "pricing_page",
    "product_use",
    "webinar",
    "content_download",
    "form",
    "basket",
    "email_clicked",
)
#: How long before as_of the act is put.
BEFORE: Final = 3_600_000_000
QUIET_DAYS: Final = 30
#: The keys of what is no act: the lead as it is, and without any.
AS_IT_IS: Final = ""
QUIET: Final = "quiet"
_WITH_TIMES: Final = ("leads", "profiles", "events", "stage_changes")


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that could come: an act of a kind, or days in which nothing does.

    Parameters
    ----------
    key : the kind of act; `QUIET`, or `AS_IT_IS`
    type : the event's type, as the store calls it; "" for no act
    value : what goes with the act, such as a basket's amount; None: nothing
    days : how many days later the lead is looked at
    """

    key: str
    type: str = ""
    value: float | None = None
    days: int = 0


def changes(
    kinds: Mapping[str, str],
    *,
    counts: Mapping[str, int],
    read: Collection[str],
    own: Collection[str] = (),
    values: Mapping[str, float] | None = None,
) -> list[Change]:
    """The changes that a store knows: each act by its commonest type, and a quiet time at the end.

    Parameters
    ----------
    kinds : event type -> kind
    counts : event type -> how many the store holds
    read : the event types that the release reads
    own : kinds of the store's own that count as acts of the lead's own will
    values : event type -> the usual value of such an event

    Examples
    --------
    >>> kinds = {"Demo": "demo_request", "Demo by phone": "demo_request", "Newsletter": "email_delivered"}
    >>> [(c.key, c.type) for c in changes(kinds, counts={"Demo": 9, "Demo by phone": 2}, read=kinds)]
    [('demo_request', 'Demo'), ('quiet', '')]
    """
    wanted = (*ACTS, *sorted(kind for kind in set(own) if kind not in KINDS))
    commonest: dict[str, str] = {}
    for name in sorted(set(read) & set(kinds), key=lambda name: (-counts.get(name, 0), name)):
        commonest.setdefault(kinds[name], name)
    acts = [
        Change(key=kind, type=commonest[kind], value=(values or {}).get(commonest[kind]))
        for kind in wanted
        if kind in commonest
    ]
    return [*acts, Change(key=QUIET, days=QUIET_DAYS)]


def what_if(
    release: Release,
    tables: LeadTables,
    asked: Sequence[Change],
    *,
    as_of: int,
    columns: Catalogue,
    kinds: Mapping[str, str],
    policy: Policy,
    stage: str | None = None,
    worth: float | None = None,
) -> pd.DataFrame:
    """Score one lead as it is, and after each of the changes.

    Parameters
    ----------
    tables : all that is known of this one lead; what came to be known at or after as_of is not looked at
    columns : `catalogue_of(release.contract)`
    stage : what is recommended of it as of then; None: nothing is
    worth : what it brings as a customer, where stages go by economics; how many places sales have is not looked at

    Returns
    -------
    DataFrame with one row per change, the lead as it is first
        `key`, and the columns of `serve.scorer.score`; `lead_id` is a number of the row's own.

    Raises
    ------
    ValueError
        `tables` hold no lead, or more than one.
    """
    if tables.leads.num_rows != 1:
        raise ValueError(f"expected the tables of one lead, got {tables.leads.num_rows} leads")
    whole = [Change(key=AS_IT_IS), *asked]
    copies, snapshots = hypothetical(tables, whole, as_of=as_of)
    last_night = LastNight(as_of, dict.fromkeys(snapshots["lead_id"], stage)) if stage else None
    scores, _ = score(
        release, copies, snapshots, columns=columns, kinds=kinds, policy=policy, last_night=last_night,
        worth=None if worth is None else np.full(len(snapshots), worth),
    )  # fmt: skip
    scores.insert(0, "key", [change.key for change in whole])
    return scores


def hypothetical(tables: LeadTables, asked: Sequence[Change], *, as_of: int) -> tuple[LeadTables, pd.DataFrame]:
    """One copy of a lead for each change, and when each copy is looked at.

    Returns
    -------
    (tables, snapshots) : the copies' lead_id are "000", "001", …, in the order of the changes
    """
    names = [f"{place:03}" for place in range(len(asked))]
    made = {name: _copied(getattr(tables, name), names, as_of) for name in _WITH_TIMES}
    # A lead that came to be known within the last hour acts just after that.
    since = max(map(int, tables.leads.column("known_at").to_pylist()), default=as_of - BEFORE)
    when = max(as_of - BEFORE, min(since, as_of - 1))
    acts = [(lead, change) for lead, change in zip(names, asked, strict=True) if change.type]
    more = pa.table(
        {
            "lead_id": [lead for lead, _ in acts],
            "occurred_at": [when] * len(acts),
            "known_at": [when] * len(acts),
            "type": [change.type for _, change in acts],
            "value": [change.value for _, change in acts],
        },
        schema=EVENTS,
    )
    events = pa.concat_tables([made["events"].cast(EVENTS), more])
    order = pc.sort_indices(
        events, sort_keys=[("lead_id", "ascending"), ("occurred_at", "ascending"), ("known_at", "ascending")]
    )
    made["events"] = events.take(order)
    moments = np.array([as_of + change.days * MICROSECONDS_PER_DAY for change in asked], np.int64)
    nobody_objects = tables.objections.slice(0, 0)
    return LeadTables(**made, objections=nobody_objects), pd.DataFrame({"lead_id": names, "as_of": moments})


def _copied(table: pa.Table, names: Sequence[str], as_of: int) -> pa.Table:
    """What was known of the lead before as_of, once under each of the names."""
    known = table.filter(pc.less(table.column("known_at"), as_of))
    place = known.schema.get_field_index("lead_id")
    field = pa.field("lead_id", pa.string(), False)
    return pa.concat_tables(
        known.set_column(place, field, pa.array([name] * known.num_rows, pa.string())) for name in names
    )

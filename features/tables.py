"""The tables and columns that a lead store offers to features, documented, with their constraints.

Times are int64 microseconds since 1970-01-01 UTC everywhere below `pipelines/`. Two clocks run side by side:
`occurred_at` says when a thing happened, `known_at` when the store could know of it. What is visible at an
`as_of` goes by `known_at < as_of`; which window it falls in goes by `occurred_at`.
"""

from dataclasses import dataclass
from typing import Final

import pyarrow as pa

MICROSECONDS_PER_DAY: Final = 86_400_000_000

LEAD_ID: Final = "lead_id"
AS_OF: Final = "as_of"

#: One row per lead, unique, ordered by lead_id.
LEADS: Final = pa.schema(
    [
        pa.field(LEAD_ID, pa.string(), False),
        pa.field("created_at", pa.int64(), False),
        pa.field("known_at", pa.int64(), False),
    ]
)

#: Profile columns every store has; all text, null = not known.
PROFILE_COLUMNS: Final = (
    "source_channel",
    "direction",
    "job_title",
    "industry",
    "company_size",
    "country",
    "language",
    "email_class",
)

#: One row per (lead_id, known_at), ordered by both. The last row known before as_of counts, whole. `attributes`
#: is a JSON object of the declared attributes, every value as text. `email_class` is business, free,
#: education, disposable or absent: the class is all that is kept of an address here.
PROFILES: Final = pa.schema(
    [
        pa.field(LEAD_ID, pa.string(), False),
        pa.field("known_at", pa.int64(), False),
        *(pa.field(name, pa.string()) for name in PROFILE_COLUMNS),
        pa.field("attributes", pa.string()),
    ]
)

#: One row per event_id, ordered by (lead_id, occurred_at, known_at, event_id). `value` is a number that goes with the
#: act (a basket's amount, minutes of a call); null = none.
EVENTS: Final = pa.schema(
    [
        pa.field(LEAD_ID, pa.string(), False),
        pa.field("occurred_at", pa.int64(), False),
        pa.field("known_at", pa.int64(), False),
        pa.field("type", pa.string(), False),
        pa.field("value", pa.float64()),
    ]
)

#: The stages people may record. Only those a person reaches by hand are never recommended: opportunity, customer.
STAGES: Final = ("lead", "mql", "sal", "sql", "pql", "opportunity", "customer", "recycled", "disqualified")

#: One row per (lead_id, stage, entered_at).
STAGE_CHANGES: Final = pa.schema(
    [
        pa.field(LEAD_ID, pa.string(), False),
        pa.field("stage", pa.string(), False),
        pa.field("entered_at", pa.int64(), False),
        pa.field("known_at", pa.int64(), False),
    ]
)

#: One row per lead that objects to being profiled.
OBJECTIONS: Final = pa.schema([pa.field(LEAD_ID, pa.string(), False), pa.field("since", pa.int64(), False)])


@dataclass(frozen=True)
class LeadTables:
    """The rows of one range of leads, as the store streams them.

    Every table holds only leads of the range; `leads` holds each of them once, ordered by lead_id.
    """

    leads: pa.Table
    profiles: pa.Table
    events: pa.Table
    stage_changes: pa.Table
    objections: pa.Table

"""A simulated company's lead store whose true conversion probabilities are known.

The tables carry the lead store's own columns, times as timestamps in UTC, and the flaws of real exports: blanks,
redelivered and late events, a second profile row from enrichment, stages recorded after the fact. Nobody in them
exists. The same seed gives the same bytes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import ConfigError, InputError
from features.tables import LEAD_ID, PROFILE_COLUMNS
from pipelines.synthetic_acts import Acts, draw_truth, write_acts
from pipelines.synthetic_agency import AGENCY
from pipelines.synthetic_company import Company
from pipelines.synthetic_ecommerce import ECOMMERCE
from pipelines.synthetic_funnel import StageChanges, draw_stages, points_history
from pipelines.synthetic_people import People, draw_people
from pipelines.synthetic_saas import SAAS
from pipelines.synthetic_truth import BusinessClock, Floats, Ints, Truth, business_clock
from pipelines.synthetic_words import write_contacts

#: By the name of the preset that each shows.
COMPANIES: Final[Mapping[str, Company]] = {"saas": SAAS, "agency": AGENCY, "ecommerce": ECOMMERCE}

_TIME: Final = pa.timestamp("us", tz="UTC")
_DUPLICATE_SHARE: Final = 0.004
_OBJECTION_SHARE: Final = 0.005


@dataclass(frozen=True)
class SimulatedStore:
    """The tables of a simulated lead store, ready to import, and the truth about them, which is never imported.

    Attributes
    ----------
    leads
        One row per lead, ordered by lead_id: lead_id, created_at, known_at.
    contacts
        One row per lead: email, full_name, company_name, phone; null = not known. All fictional.
    profiles
        One row per (lead_id, known_at): the profile columns and `attributes`, a JSON object of texts.
    events
        In order of known_at: event_id, lead_id, occurred_at, known_at, type, value. `duplicates` rows repeat an id.
    stage_changes
        One row per (lead_id, stage, entered_at): known_at, amount, reason.
    rule_points
        One row per (lead_id, known_at): points.
    channel_costs
        One row per (channel, month): cost; month is its first day.
    objections
        One row per lead that objects: since.
    truth
        The process that made them.
    duplicates
        How many event rows are redeliveries.
    """

    leads: pa.Table
    contacts: pa.Table
    profiles: pa.Table
    events: pa.Table
    stage_changes: pa.Table
    rule_points: pa.Table
    channel_costs: pa.Table
    objections: pa.Table
    truth: Truth
    duplicates: int

    def tables(self) -> Mapping[str, pa.Table]:
        """The tables to import, by name."""
        names = (
            "leads", "contacts", "profiles", "events", "stage_changes", "rule_points", "channel_costs", "objections",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}

    def attribute_types(self) -> Mapping[str, str]:
        """The types of the declared attributes in `profiles`."""
        return self.truth.company.attributes

    def true_probability(self, lead_ids: npt.ArrayLike, as_of_us: npt.ArrayLike, horizon_days: int) -> Floats:
        """P(enters customer in [as_of, as_of + horizon) | everything the lead did before as_of, not yet a customer).

        Parameters
        ----------
        lead_ids
            Shape (n,), text.
        as_of_us
            Shape (n,) or one for all: microseconds UTC, exact at midnights.
        horizon_days
            Calendar days.

        Returns
        -------
        Shape (n,), in closed form (see `synthetic_truth`; quadrature error below 1e-4 of the value). NaN where the
        lead had shown no interest yet or was a customer already.

        Raises
        ------
        InputError
            If a lead is not of this store, or an as_of lies outside the simulated time.
        """
        wanted = np.asarray(lead_ids, dtype=np.str_)
        lead = np.minimum(np.searchsorted(self.truth.lead_ids, wanted), len(self.truth.lead_ids) - 1)
        unknown = wanted[self.truth.lead_ids[lead] != wanted]
        if len(unknown):
            first, last = self.truth.lead_ids[[0, -1]]
            raise InputError(
                f"lead_ids must be of this store ({first} to {last}), got {str(unknown[0])!r} and {len(unknown) - 1} "
                "others. Ask with ids from its leads table, simulated with the same arguments."
            )
        moments = np.broadcast_to(np.asarray(as_of_us, dtype=np.int64), wanted.shape)
        return self.truth.probability(lead, moments, horizon_days=horizon_days)


def simulate(
    *,
    company: Company = SAAS,
    leads: int | None = None,
    start: datetime = datetime(2024, 1, 1, tzinfo=UTC),
    days: int | None = None,
    seed: int = 7,
) -> SimulatedStore:
    """Simulate a lead store.

    Parameters
    ----------
    company
        Whose: one of `COMPANIES`, or one made of it with `dataclasses.replace`.
    leads
        How many leads, a few contacts without any act of interest included; None takes what the company has.
    start
        A midnight UTC; nothing happens before it.
    days
        Calendar days simulated; nothing is known after them. None takes the company's.
    seed
        The same seed and arguments give the same tables, byte for byte.

    Raises
    ------
    ConfigError
        If there are no leads, under 30 days, or the start is not a midnight in UTC.

    Examples
    --------
    >>> store = simulate(leads=50, seed=1)
    >>> store.leads.num_rows, store.leads.column_names
    (50, ['lead_id', 'created_at', 'known_at'])
    >>> as_of_us = int(datetime(2024, 9, 1, tzinfo=UTC).timestamp()) * 1_000_000
    >>> store.true_probability(["lead-0000002", "lead-0000050"], as_of_us, 60).round(2)
    array([0.11,  nan])
    >>> simulate(leads=0)
    Traceback (most recent call last):
        ...
    features.errors.ConfigError: leads must be at least 1, got 0: ...
    """
    leads, days = company.leads if leads is None else leads, company.days if days is None else days
    _check(leads=leads, start=start, days=days)
    people_rng, truth_rng, acts_rng, funnel_rng, rest_rng = (np.random.default_rng([seed, part]) for part in range(5))
    clock = business_clock(start, days=days, company=company)
    end = float(clock.business_days[-1])

    people = draw_people(people_rng, company=company, leads=leads, end=end)
    lead_ids = np.array([f"lead-{number:07d}" for number in range(1, leads + 1)])
    truth = draw_truth(truth_rng, people, company=company, lead_ids=lead_ids, start=start, days=days, end=end)
    acts = write_acts(acts_rng, truth, people, clock=clock, end=end)
    events, duplicates = _events(rest_rng, lead_ids, acts, company)
    created_us = clock.calendar(people.created)
    kept = points_history(acts, people, truth, clock=clock)
    email, full_name, company_name, phone = write_contacts(rest_rng, email_class=people.columns["email_class"])
    objecting = np.flatnonzero(rest_rng.random(leads) < _OBJECTION_SHARE)
    since_us = created_us[objecting] + (
        rest_rng.random(len(objecting)) * (truth.end_us - created_us[objecting])
    ).astype(np.int64)
    return SimulatedStore(
        leads=pa.table({LEAD_ID: lead_ids, "created_at": _times(created_us), "known_at": _times(created_us)}),
        contacts=pa.table(
            {
                LEAD_ID: lead_ids,
                "email": _texts(email),
                "full_name": _texts(full_name),
                "company_name": _texts(company_name),
                "phone": _texts(phone),
            }
        ),
        profiles=_profiles(lead_ids, people, clock),
        events=events,
        stage_changes=_stage_changes(lead_ids, draw_stages(funnel_rng, acts, people, truth, clock=clock, end=end)),
        rule_points=pa.table({LEAD_ID: lead_ids[kept.lead], "known_at": _times(kept.known_us), "points": kept.points}),
        channel_costs=_channel_costs(rest_rng, people, company, created_us),
        objections=pa.table({LEAD_ID: lead_ids[objecting], "since": _times(since_us)}),
        truth=truth,
        duplicates=duplicates,
    )


def _check(*, leads: int, start: datetime, days: int) -> None:
    if leads < 1:
        raise ConfigError(f"leads must be at least 1, got {leads}: nothing to simulate. Raise leads.")
    if days < 30:
        raise ConfigError(f"days must be at least 30, got {days}: no horizon would fit. Raise days.")
    if start.utcoffset() is None or start.utcoffset() or start.time() != start.min.time():
        raise ConfigError(f"start must be a midnight in UTC, got {start.isoformat()}. Pass datetime(..., tzinfo=UTC).")


def _times(at_us: Ints) -> pa.Array:
    return pa.array(at_us).cast(_TIME)


def _texts(values: npt.NDArray[np.object_]) -> pa.Array:
    return pa.array(values, pa.string())


def _profiles(lead_ids: npt.NDArray[np.str_], people: People, clock: BusinessClock) -> pa.Table:
    """First rows and, where there is one, the second row that enrichment brings."""
    late = np.flatnonzero(np.isfinite(people.enriched))
    lead = np.concatenate([np.arange(len(lead_ids)), late])
    known_us = np.concatenate([clock.calendar(people.created), clock.calendar(people.enriched[late])])
    order = np.lexsort((known_us, lead))
    attributes = np.array(
        [
            json.dumps(known, sort_keys=True)
            for known in (*people.attributes, *(people.late_attributes[row] for row in late))
        ],
        dtype=object,
    )
    columns = {
        name: _texts(np.concatenate([people.columns[name], people.late_columns[name][late]])[order])
        for name in PROFILE_COLUMNS
    }
    return pa.table(
        {
            LEAD_ID: lead_ids[lead][order],
            "known_at": _times(known_us[order]),
            **columns,
            "attributes": _texts(attributes[order]),
        }
    )


def _events(
    rng: np.random.Generator, lead_ids: npt.NDArray[np.str_], acts: Acts, company: Company
) -> tuple[pa.Table, int]:
    """Events in the order in which they came in, a few of them twice; and how many came twice."""
    again = np.flatnonzero(rng.random(len(acts.kind)) < _DUPLICATE_SHARE)
    number = np.concatenate([np.arange(len(acts.kind)), again])
    number = number[np.argsort(acts.known_us[number], kind="stable")]
    digits = pc.utf8_lpad(pc.cast(pa.array(number), pa.string()), 9, "0")
    table = pa.table(
        {
            "event_id": pc.binary_join_element_wise("event", digits, "-"),
            LEAD_ID: pa.array(lead_ids).take(pa.array(acts.lead[number])),
            "occurred_at": _times(acts.occurred_us[number]),
            "known_at": _times(acts.known_us[number]),
            "type": pa.array(company.kinds).take(pa.array(acts.kind[number])),
            "value": pa.array(acts.value[number], from_pandas=True),
        }
    )
    return table, len(again)


def _stage_changes(lead_ids: npt.NDArray[np.str_], changes: StageChanges) -> pa.Table:
    return pa.table(
        {
            LEAD_ID: lead_ids[changes.lead],
            "stage": _texts(changes.stage),
            "entered_at": _times(changes.entered_us),
            "known_at": _times(changes.known_us),
            "amount": pa.array(changes.amount, from_pandas=True),
            "reason": _texts(changes.reason),
        }
    )


def _channel_costs(rng: np.random.Generator, people: People, company: Company, created_us: Ints) -> pa.Table:
    """What each paid channel cost in each month: so much per lead that it brought, give or take a fifth."""
    month = created_us.astype("datetime64[us]").astype("datetime64[M]")
    rows = [
        (channel, first, float(np.round(price * int(brought) * rng.uniform(0.8, 1.2), 2)))
        for channel, price in company.channel_costs.items()
        for first, brought in zip(
            *np.unique(month[people.columns["source_channel"] == channel], return_counts=True), strict=True
        )
    ]
    channels, months, costs = zip(*rows, strict=True) if rows else ((), (), ())
    return pa.table(
        {
            "channel": pa.array(channels, pa.string()),
            "month": pa.array(np.array(months, dtype="datetime64[D]"), pa.date32()),
            "cost": pa.array(costs, pa.float64()),
        }
    )

"""The leads of a store as a funnel follows them: one row each, of what was known before a moment, range by range."""

import json
from datetime import timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from features.build import describe
from features.kinds import kinds_of
from features.tables import AS_OF, LEAD_ID, PROFILE_COLUMNS
from pipelines.config import Settings
from pipelines.decisions import economics_of
from pipelines.published import columns_named
from pipelines.snapshots import voluntary_types
from pipelines.store import EPOCH, Inventory, LeadStore
from serve.funnel import RECORDED
from serve.funnel_facts import ValueFrom

OBJECTS: Final = "objects to profiling"
NO_ACT: Final = "no voluntary act yet"
_BETWEEN: Final = "lead_id >= $1 AND lead_id <= $2"


class LeadRows:
    """One row per lead, a range of leads at a time: memory holds a few numbers and codes for each, and no text."""

    def __init__(
        self, store: LeadStore, settings: Settings, inventory: Inventory, columns: tuple[str, ...], until: int
    ) -> None:
        self.store, self.settings, self.inventory, self.until = store, settings, inventory, until
        self.before = EPOCH + timedelta(microseconds=until)
        self.attributes = [name for name in columns if name not in PROFILE_COLUMNS]
        self.profile = [name for name in columns if name in PROFILE_COLUMNS]
        self.kinds = kinds_of(inventory.event_types, settings.events.kinds)
        self.acts = voluntary_types(inventory, self.kinds, settings.cohort.voluntary_kinds)
        self.economics = told = economics_of(settings)
        named = {"amount": told.amount, "segment": told.segment} if told else {}
        self.priced_by = columns_named(settings, inventory, named)

    def leads(self) -> tuple[pd.DataFrame, dict[str, int]]:
        """All leads that are followed, and how many others were left out, by reason."""
        frames: list[pd.DataFrame] = []
        texts: dict[str, list[pa.Array]] = {name: [] for name in (*self.profile, *self.attributes)}
        left_out = {OBJECTS: 0, NO_ACT: 0}
        for first, last in self.store.lead_ranges(size=self.settings.score.range_leads):
            found = self._range(first, last, left_out)
            for name, kept in texts.items():
                kept.append(pa.array(found.pop(name), pa.string(), from_pandas=True).dictionary_encode())
            frames.append(found.drop(columns=LEAD_ID))
        numbers = pd.concat(frames, ignore_index=True)
        for name, kept in texts.items():
            numbers[name] = pa.chunked_array(kept).unify_dictionaries().to_pandas()
        return numbers, {reason: count for reason, count in left_out.items() if count}

    def value_from(self, leads: pd.DataFrame) -> ValueFrom | None:
        """Where the values of customers come from."""
        if self.economics is not None:
            return "economics"
        return "amounts" if leads["value"].notna().any() else None

    def _range(self, first: str, last: str, left_out: dict[str, int]) -> pd.DataFrame:
        found = self._stages(first, last)
        objecting = self._ids(f"SELECT lead_id FROM {self.store.source('objections')} WHERE {_BETWEEN}", [first, last])
        objects = found[LEAD_ID].isin(objecting).to_numpy()
        idle = ~found[list(RECORDED)].notna().any(axis=1).to_numpy() & ~objects
        if self.acts is None:
            idle[:] = False
        elif idle.any():
            idle &= ~found[LEAD_ID].isin(self._acting(first, last)).to_numpy()
        left_out[OBJECTS] += int(objects.sum())
        left_out[NO_ACT] += int(idle.sum())
        found = found[~objects & ~idle].reset_index(drop=True)
        found = found.merge(self._profiles(first, last), on=LEAD_ID, how="left")
        return found.assign(value=self._value(found, first, last)).drop(columns="amount")

    def _stages(self, first: str, last: str) -> pd.DataFrame:
        """When each lead was created and first recorded at each stage, and the first amount of its purchases."""
        entered = ", ".join(
            f"epoch_us(min(CASE WHEN stage IN ({', '.join(map(repr, stages))}) THEN entered_at END)) AS {name}"
            for name, stages in RECORDED.items()
        )
        changes = f"FROM {self.store.source('stage_changes')} WHERE {_BETWEEN} AND entered_at < $3 AND known_at < $3"
        given = [first, last, self.before]
        leads = self.store.arrow(
            f"SELECT lead_id, epoch_us(created_at) AS created_at FROM {self.store.source('leads')} "
            f"WHERE {_BETWEEN} AND created_at < $3 AND known_at < $3 ORDER BY lead_id",
            given,
        ).to_pandas()
        stages = self.store.arrow(f"SELECT lead_id, {entered} {changes} GROUP BY lead_id", given).to_pandas()
        amounts = self.store.arrow(
            f"SELECT DISTINCT ON (lead_id) lead_id, amount {changes} AND stage = 'customer' AND amount IS NOT NULL "
            "ORDER BY lead_id, entered_at, known_at",
            given,
        ).to_pandas()
        found: pd.DataFrame = leads.merge(stages, on=LEAD_ID, how="left").merge(amounts, on=LEAD_ID, how="left")
        return found.astype(dict.fromkeys((*RECORDED, "amount"), np.float64))

    def _acting(self, first: str, last: str) -> set[str]:
        types = list(self.acts or ())
        listed = ", ".join(f"${place}" for place in range(4, 4 + len(types)))
        return self._ids(
            f"SELECT DISTINCT lead_id FROM {self.store.source('events')} WHERE {_BETWEEN} AND occurred_at < $3 "
            f"AND known_at < $3 AND type IN ({listed})",
            [first, last, self.before, *types],
        )

    def _profiles(self, first: str, last: str) -> pd.DataFrame:
        """The profile last known, as texts."""
        columns = [LEAD_ID, *self.profile, *(["attributes"] if self.attributes else [])]
        found: pd.DataFrame = self.store.arrow(
            f"SELECT DISTINCT ON (lead_id) {', '.join(columns)} FROM {self.store.source('profiles')} "
            f"WHERE {_BETWEEN} AND known_at < $3 ORDER BY lead_id, known_at DESC",
            [first, last, self.before],
        ).to_pandas()
        if not self.attributes:
            return found
        packed = [json.loads(text) if isinstance(text, str) else {} for text in found.pop("attributes")]
        return found.assign(**{name: [row.get(name) for row in packed] for name in self.attributes})

    def _value(self, found: pd.DataFrame, first: str, last: str) -> "pd.Series[float]":
        """What each customer brings: by the company's economics, else the amount recorded; NaN for all other leads.

        What a customer bought is its own amount, where amounts count; its other columns are those of the moment at
        which it became one.
        """
        bought = found["customer"].notna()
        if self.economics is None:
            return found["amount"].where(bought)
        told = self.economics
        columns = {name for name in (told.amount, told.segment) if name}
        customers = found.loc[bought, [LEAD_ID, "customer", "amount"]]
        frame = pd.DataFrame(index=customers.index)
        if columns and len(customers):
            asked = customers[[LEAD_ID]].assign(**{AS_OF: customers["customer"].astype(np.int64)})
            described = describe(self.store.read(first, last), asked, of=self.priced_by)
            frame = described.set_index(customers.index)[sorted(columns)]
            if told.amount:
                frame = frame.assign(**{told.amount: customers["amount"].fillna(frame[told.amount])})
        worth = np.full(len(found), np.nan)
        if len(customers):
            worth[bought.to_numpy()] = told.value(frame)
        return pd.Series(worth, index=found.index)

    def _ids(self, query: str, given: list[Any]) -> set[str]:
        return set(self.store.arrow(query, given).column(LEAD_ID).to_pylist())

"""Cohort + features + label -> the training frame, lead range by lead range."""

import hashlib
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from features.build import describe
from features.catalogue import Catalogue
from features.cohort import eligible
from features.history import stage_as_of
from features.kinds import VOLUNTARY
from features.tables import MICROSECONDS_PER_DAY, LeadTables
from models.label import converted, is_mature
from pipelines.store import Inventory, LeadStore

Moments = npt.NDArray[np.int64]


@dataclass(frozen=True)
class When:
    """When leads are looked at: on a calendar, or so many days after each was created."""

    at: str
    every_days: int
    days_after_creation: tuple[float, ...]


@dataclass(frozen=True)
class TrainingFrame:
    """Mature snapshots, one row per (lead_id, as_of), ordered by as_of, then lead_id.

    `frame` holds the features, `outcome` whether the lead converted within the horizon, `known_at` when that
    conversion came to be known (0 where there was none), `stage` what people had recorded of the lead before as_of
    (None: nothing); the counts say what was left out, and why.
    """

    frame: pd.DataFrame
    outcome: npt.NDArray[np.int64]
    known_at: Moments
    stage: npt.NDArray[np.object_]
    dropped_immature: int
    excluded: Mapping[str, int]
    sampled_share: float

    @property
    def lead_id(self) -> list[str]:
        """(rows,) lead of each snapshot."""
        return self.frame.index.get_level_values("lead_id").tolist()

    @property
    def as_of(self) -> Moments:
        """(rows,) microseconds UTC."""
        return self.frame.index.get_level_values("as_of").to_numpy(np.int64)

    def digest(self) -> str:
        """SHA-256 over every cell, key and outcome, when that came to be known, and the stage."""
        told = {"_outcome": self.outcome, "_known_at": self.known_at, "_stage": self.stage}
        hashed = pd.util.hash_pandas_object(self.frame.assign(**told), index=True)
        names = "\n".join(map(str, self.frame.columns)).encode()
        return hashlib.sha256(names + hashed.to_numpy(np.uint64).tobytes()).hexdigest()


def voluntary_types(inventory: Inventory, kinds: Mapping[str, str], voluntary: Collection[str]) -> list[str] | None:
    """The event types that make a contact a lead; None when the store has none and every lead counts."""
    wanted = set(voluntary) or set(VOLUNTARY)
    types = [name for name in inventory.event_types if kinds.get(name) in wanted]
    return types or None


def candidates(tables: LeadTables, *, when: When, first: int, until: int) -> pd.DataFrame:
    """Every (lead_id, as_of) at which the leads of a range could have been looked at, up to `until`, included.

    Calendar moments are UTC midnights, whole multiples of `every_days` since 1970: the same dates whatever the data.
    """
    leads = tables.leads.to_pandas()
    if when.at == "creation":
        frames = [leads.assign(as_of=leads["created_at"] + _after(days)) for days in when.days_after_creation]
        asked: pd.DataFrame = pd.concat(frames)
        return asked.loc[asked["as_of"] <= until, ["lead_id", "as_of"]].reset_index(drop=True)
    grid = calendar(every_days=when.every_days, first=first, until=until)
    known = np.maximum(leads["created_at"], leads["known_at"]).to_numpy(np.int64)
    start = np.searchsorted(grid, known, "right")
    counts = len(grid) - start
    rows = np.repeat(np.arange(len(leads)), counts)
    nth = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return pd.DataFrame({"lead_id": leads["lead_id"].to_numpy()[rows], "as_of": grid[np.repeat(start, counts) + nth]})


def calendar(*, every_days: int, first: int, until: int) -> Moments:
    """The calendar's moments in (first, until], ascending."""
    step = every_days * MICROSECONDS_PER_DAY
    return np.arange(first // step + 1, until // step + 1, dtype=np.int64) * step


def training_frame(
    store: LeadStore,
    catalogue: Catalogue,
    *,
    when: When,
    target_stage: str,
    horizon_days: int,
    voluntary: Collection[str] | None,
    first: int,
    until: int,
    most: int,
    range_leads: int,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> TrainingFrame:
    """Build the training frame from the store.

    Parameters
    ----------
    voluntary : event types that make a contact a lead; None when every lead counts
    first : when the first lead was created
    until : nothing known at or after it is used; outcomes are complete up to it
    most : at most about so many snapshots, those of leads drawn by a fixed hash of their id

    The store holds at least one lead.
    """
    ranges = store.lead_ranges(size=range_leads)
    share = _share(store, ranges, when=when, first=first, until=until, most=most, horizon_days=horizon_days)
    parts, outcomes, known, stages = [], [], [], []
    excluded: Counter[str] = Counter()
    immature = 0
    for done, (low, high) in enumerate(ranges):
        tables = store.read(low, high)
        # A conversion that came to be known later has no part in the outcome: it was not known either.
        recorded = tables.stage_changes.filter(pc.less(tables.stage_changes.column("known_at"), until))
        tables = replace(tables, stage_changes=recorded)
        asked = candidates(tables, when=when, first=first, until=until)
        if share < 1:
            asked = asked[_drawn(asked["lead_id"], share)].reset_index(drop=True)
        mature = is_mature(asked["as_of"].to_numpy(np.int64), horizon_days=horizon_days, known_until=until)
        immature += int((~mature).sum())
        cohort = eligible(
            tables, asked[mature].reset_index(drop=True), target_stage=target_stage, voluntary_types=voluntary
        )
        excluded.update(cohort.excluded)
        parts.append(describe(tables, cohort.snapshots, of=catalogue))
        happened, known_at = converted(tables, cohort.snapshots, target_stage=target_stage, horizon_days=horizon_days)
        outcomes.append(happened)
        known.append(known_at)
        stages.append(stage_as_of(tables, cohort.snapshots)["stage"].to_numpy(object))
        progress(done + 1, len(ranges))
    frame, outcome = pd.concat(parts), np.concatenate(outcomes)
    known_at, stage = np.concatenate(known), np.concatenate(stages)
    order = np.argsort(frame.index.get_level_values("as_of").to_numpy(np.int64), kind="stable")
    return TrainingFrame(
        frame.iloc[order], outcome[order], known_at[order], stage[order], immature, dict(excluded), share
    )


def _share(
    store: LeadStore, ranges: list[tuple[str, str]], *, when: When, first: int, until: int, most: int, horizon_days: int
) -> float:
    """The share of leads to draw so that about `most` mature snapshots come out, ineligible ones included."""
    total = 0
    for low, high in ranges:
        leads = store.arrow(
            "SELECT lead_id, epoch_us(created_at) AS created_at, epoch_us(known_at) AS known_at "
            f"FROM {store.source('leads')} WHERE lead_id >= $1 AND lead_id <= $2",
            [low, high],
        ).to_pandas()
        leads = leads[leads["known_at"] < until]
        latest = until - horizon_days * MICROSECONDS_PER_DAY
        if when.at == "creation":
            total += sum(int((leads["created_at"] + _after(days) <= latest).sum()) for days in when.days_after_creation)
        else:
            grid = calendar(every_days=when.every_days, first=first, until=latest)
            known = np.maximum(leads["created_at"], leads["known_at"]).to_numpy(np.int64)
            total += int((len(grid) - np.searchsorted(grid, known, "right")).clip(0).sum())
    return min(1.0, most / total) if total else 1.0


def _after(days: float) -> int:
    """Microseconds; at least one: the moment of creation itself sees nothing yet, "known before as_of" begins later."""
    return max(int(days * MICROSECONDS_PER_DAY), 1)


def _drawn(lead_id: "pd.Series[str]", share: float) -> npt.NDArray[np.bool_]:
    codes, distinct = pd.factorize(lead_id)
    fractions = np.array([zlib.crc32(f"draw {lead}".encode()) / 2**32 for lead in distinct])
    return fractions[codes] < share

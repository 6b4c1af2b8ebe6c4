"""Marketing's points of a lead: kept by the CRM, or counted by a points card: `[points] source` says which."""

import tomllib
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.build import describe
from features.catalogue import Catalogue
from features.tables import AS_OF, LEAD_ID, LeadTables
from models import rules
from models.rules import Card
from pipelines.catalogues import catalogue_for
from pipelines.config import Settings
from pipelines.rules_card import card_of, columns_of, for_store
from pipelines.snapshots import TrainingFrame
from pipelines.store import Inventory, LeadStore

CRM: Final = "crm"


class PointsCard:
    """A card fitted to what a store can fill."""

    def __init__(self, settings: Settings, inventory: Inventory) -> None:
        columns = catalogue_for(settings, inventory)
        source = settings.points.source
        plain = tomllib.loads(settings.points.text)
        self.card: Card = for_store(card_of(plain, where=f"the points card {source}"), of=columns)
        self.columns: Catalogue = columns_of(self.card, of=columns)

    def count(self, tables: LeadTables, snapshots: pd.DataFrame) -> pd.DataFrame:
        """`points` and `points_stage` of each snapshot, in their order."""
        counted = rules.points(describe(tables, snapshots, of=self.columns), self.card)
        return pd.DataFrame(
            {"points": counted["total"].to_numpy("float64"), "points_stage": counted["stage"].to_numpy(object)},
            index=pd.Index(counted.index.get_level_values(LEAD_ID), name=LEAD_ID),
        )

    def total(self, frame: pd.DataFrame) -> "npt.NDArray[np.float64] | None":
        """(rows,) points of a frame; None where it does not hold all that the card reads."""
        if not set(self.columns.names) <= set(map(str, frame.columns)):
            return None
        return rules.points(frame, self.card)["total"].to_numpy("float64")

    def parts(self, tables: LeadTables, snapshots: pd.DataFrame) -> list[dict[str, Any]]:
        """What the points of one snapshot are made of; the parts add up to them exactly."""
        row = describe(tables, snapshots, of=self.columns)
        return [
            {"name": part.name, "group": part.group, "points": float(part.points), "says": part.says}
            for part in rules.parts(row, self.card)
        ]

    @property
    def left_out(self) -> list[str]:
        """Criteria that this store cannot fill, in sentences."""
        return [f"{name} is left out of the points: {why}" for name, why in self.card.left_out.items()]


def card_for(settings: Settings, inventory: Inventory) -> PointsCard | None:
    """The card that counts points under these settings; None where the CRM keeps them.

    Raises
    ------
    ConfigError
        The card is not what a card must be.
    """
    return None if settings.points.source == CRM else PointsCard(settings, inventory)


def points_of(
    store: LeadStore,
    settings: Settings,
    inventory: Inventory,
    data: TrainingFrame,
    *,
    say: Callable[[str], None] = lambda _: None,
) -> "npt.NDArray[np.float64] | None":
    """(snapshots,) marketing's points as of each snapshot, NaN where a lead had none; None where none has any.

    Parameters
    ----------
    say : is told which criteria of a points card this store cannot fill
    """
    card = card_for(settings, inventory)
    for sentence in card.left_out if card else []:
        say(sentence)
    points = _counted(store, settings, card, data) if card else _kept_by_crm(store, data)
    return None if np.isnan(points).all() else points


def _counted(store: LeadStore, settings: Settings, card: PointsCard, data: TrainingFrame) -> "npt.NDArray[np.float64]":
    """By the card. What [features] exclude keeps from the model is not kept from marketing: it is described anew."""
    points = card.total(data.frame)
    if points is not None:
        return points
    asked = pd.DataFrame({LEAD_ID: data.lead_id, AS_OF: data.as_of})
    found = np.full(len(asked), np.nan)
    for low, high in store.lead_ranges(size=settings.score.range_leads):
        tables = store.read(low, high)
        inside = np.flatnonzero(asked[LEAD_ID].isin(tables.leads.column(LEAD_ID).to_pylist()))
        found[inside] = card.count(tables, asked.iloc[inside].reset_index(drop=True))["points"].to_numpy()
    return found


def _kept_by_crm(store: LeadStore, data: TrainingFrame) -> "npt.NDArray[np.float64]":
    """The points last known before each snapshot; NaN where there were none."""
    history = store.arrow(
        f"SELECT lead_id, epoch_us(known_at) AS known_at, points FROM {store.source('rule_points')} ORDER BY known_at"
    ).to_pandas()
    asked = pd.DataFrame({LEAD_ID: data.lead_id, AS_OF: data.as_of, "row": np.arange(len(data.outcome))})
    found = pd.merge_asof(
        asked.sort_values(AS_OF, kind="stable"),
        history.astype({LEAD_ID: asked[LEAD_ID].dtype}),
        left_on=AS_OF, right_on="known_at", by=LEAD_ID, allow_exact_matches=False,
    )  # fmt: skip
    return found.sort_values("row")["points"].to_numpy("float64")


def parts_of(store: LeadStore, settings: Settings, lead_id: str, *, as_of: int) -> list[dict[str, Any]] | None:
    """What the points of one lead as of a moment are made of; None where the CRM keeps them."""
    card = card_for(settings, store.inventory(until=as_of))
    if card is None:
        return None
    return card.parts(store.read(lead_id, lead_id), pd.DataFrame({LEAD_ID: [lead_id], AS_OF: [as_of]}))

"""The columns that a store can fill under its settings; and of these some, with those that they are made of."""

from collections.abc import Collection
from dataclasses import replace

from features.catalogue import Catalogue, catalogue
from features.declare import Combination
from features.kinds import kinds_of
from pipelines.config import Settings
from pipelines.store import Inventory


def catalogue_for(settings: Settings, inventory: Inventory) -> Catalogue:
    """Every column that a store can fill, also those that [features] exclude keeps from the model."""
    return catalogue(
        kinds=kinds_of(inventory.event_types, settings.events.kinds),
        type_counts=inventory.event_types,
        profile_columns=inventory.profile_columns,
        attributes={**inventory.attributes, **settings.attributes},
    )


def needed(names: Collection[str], *, of: Catalogue) -> Catalogue:
    """Of a catalogue, these columns and those that they are made of; names that it does not hold are passed over."""
    wanted = set(names)
    for column in reversed(of.columns):
        if column.name in wanted and isinstance(column.source, Combination):
            wanted.update(name for name in column.source.inputs if isinstance(name, str))
    return replace(of, columns=tuple(column for column in of.columns if column.name in wanted))

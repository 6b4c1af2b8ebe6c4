"""The database's clock and this machine's: how far apart they are, where that is worth a word."""

from datetime import datetime
from typing import Final

from pipelines.moments import microseconds
from pipelines.store import LeadStore

_TOLERANCE_US: Final = 5 * 60 * 1_000_000


def minutes_off(store: LeadStore, *, now: datetime) -> float | None:
    """How many minutes the database's clock is ahead of `now`; None within five minutes."""
    difference = store.engine.clock_difference(microseconds(now))
    return difference / 60e6 if abs(difference) > _TOLERANCE_US else None

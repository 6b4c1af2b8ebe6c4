"""Versions that a person has read and approved, for tests that are about something else."""

from datetime import datetime

from pipelines import reviewing
from pipelines.config import Settings
from pipelines.promote import Promotion, promote
from pipelines.release_cache import ReleaseCache
from pipelines.store import LeadStore
from pipelines.tracking import CANDIDATE, Tracking

#: The worlds of tests are small, so not everything that the gate asks for can be shown in them.
SMALL = "the world of a test is small"


def approve_and_promote(
    store: LeadStore, tracking: Tracking, cache: ReleaseCache, settings: Settings, *, version: str | None, now: datetime
) -> Promotion:
    """Review a version (None: the candidate) and let it through."""
    version = version or tracking.version_of(CANDIDATE)
    assert version is not None
    reviewing.approve(store, tracking, cache, version=version, by="Ada", note="read", now=now)
    return promote(store, tracking, cache, settings, version=version, now=now, force_reason=SMALL)


def sign(store: LeadStore, version: str, card_digest: str, *, now: datetime) -> None:
    """Write an approval into the store, and nowhere else."""
    store.change(
        "INSERT INTO reviews (number, model_version, card_digest, decision, reviewer, note, reviewed_at) "
        "SELECT coalesce(max(number), 0) + 1, $1, $2, 'approved', 'Ada', 'read', $3 FROM reviews",
        [version, card_digest, now],
    )

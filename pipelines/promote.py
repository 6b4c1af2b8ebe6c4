"""Give a candidate the champion's place: from then on it is the one that scores."""

from dataclasses import dataclass
from datetime import datetime

from features.errors import ReleaseRefused
from pipelines.score import load_version
from pipelines.store import LeadStore
from pipelines.tracking import CANDIDATE, CHAMPION, Tracking


@dataclass(frozen=True)
class Promotion:
    """Which version is champion now, and which was."""

    version: str
    before: str | None
    digest: str


def promote(store: LeadStore, tracking: Tracking, *, version: str | None, now: datetime) -> Promotion:
    """Make `version` (None: the candidate) the champion, once its release has been verified to be what was registered.

    Raises
    ------
    ReleaseRefused
        There is no such version, or its files are not those that were registered.
    """
    version = version or tracking.version_of(CANDIDATE)
    if version is None:
        raise ReleaseRefused("There is no candidate to promote. Train one: leadscore train.")
    digest, _ = load_version(store, tracking, version)
    before = tracking.version_of(CHAMPION)
    with store.transaction():
        store.connection.execute("UPDATE releases SET status = 'retired' WHERE status = 'champion'")
        store.connection.execute(
            "UPDATE releases SET status = 'champion', promoted_at = ? WHERE model_version = ?", [now, version]
        )
    tracking.set_alias(CHAMPION, version)
    return Promotion(version, before, digest)

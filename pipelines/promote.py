"""Give a version the champion's place, and take it back: from then on the store says which release scores."""

from dataclasses import dataclass, field
from datetime import datetime

from features.errors import ConfigError, RegistryUnreachable, ReleaseRefused
from pipelines import active_release, champion, publishing
from pipelines.champion import Champion
from pipelines.failpoints import reached
from pipelines.release_cache import ReleaseCache
from pipelines.store import LeadStore
from pipelines.tracking import CANDIDATE, CHAMPION, Tracking, ask_briefly


@dataclass(frozen=True)
class Promotion:
    """Which version is champion now, and which was."""

    version: str
    before: str | None
    digest: str
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Rollback:
    """Which version is champion again, which was withdrawn, and what became of what that one had published."""

    version: str
    withdrawn: str
    back: int
    """as_ofs that show the run before it again."""
    none: int
    """as_ofs for which nothing is published any more."""
    warnings: list[str] = field(default_factory=list)


def promote(
    store: LeadStore,
    tracking: Tracking,
    cache: ReleaseCache,
    *,
    version: str | None,
    now: datetime,
    reason: str = "promoted",
) -> Promotion:
    """Make `version` (None: the candidate) the champion, once its release has been verified to be what was registered.

    Raises
    ------
    ReleaseRefused
        There is no such version, or its files are not those that were registered.
    """
    version = version or tracking.version_of(CANDIDATE)
    if version is None:
        raise ReleaseRefused("There is no candidate to promote. Train one: leadscore train.")
    chosen = champion.registered(store, version)
    active_release.fetch(tracking, cache, chosen)
    before = champion.champion_of(store)
    with store.transaction():
        if before != chosen:
            champion.crown(store, chosen, action=champion.PROMOTE, reason=reason, now=now)
        champion.checked(store, chosen, now=now)
        reached("promote: before the commit")
    reached("promote: after the commit")
    return Promotion(version, before.version if before else None, chosen.digest, _set_alias(tracking, chosen))


def rollback(store: LeadStore, tracking: Tracking, cache: ReleaseCache, *, reason: str, now: datetime) -> Rollback:
    """Bring back the version before the champion, and the scores it had published, in one transaction.

    Every as_of that the champion published shows again the run that it replaced, or nothing; its rows stay in the
    store, and its version is marked withdrawn: a run of it that is still at work can publish no more.

    Raises
    ------
    ReleaseRefused
        There is no version to go back to, or no verified copy of its files is at hand and the registry has none.
    """
    current = champion.champion_of(store)
    before = champion.previous(store, current) if current else None
    if current is None or before is None:
        raise ReleaseRefused(
            "There is no version to go back to: " + ("no other was ever champion." if current else "none is champion.")
        )
    if not cache.has(before.digest):
        ask_briefly()
        active_release.fetch(tracking, cache, before)
    with store.transaction():
        store.change(
            "UPDATE releases SET status = $1 WHERE model_version = $2", [publishing.WITHDRAWN, current.version]
        )
        back, none = publishing.withdraw(store, digest=current.digest, reason=reason, now=now)
        champion.crown(store, before, action=champion.ROLLBACK, reason=reason, now=now)
        reached("rollback: before the commit")
    reached("rollback: after the commit")
    return Rollback(before.version, current.version, back, none, _set_alias(tracking, before))


def _set_alias(tracking: Tracking, chosen: Champion) -> list[str]:
    """Let the registry follow; that it is away changes nothing in the store."""
    ask_briefly()
    try:
        tracking.set_alias(CHAMPION, chosen.version)
    except (RegistryUnreachable, ConfigError) as error:
        return [
            f"{error} The store has version {chosen.version} as champion all the same; 'leadscore promote "
            f"{chosen.version}' sets the alias later."
        ]
    return []

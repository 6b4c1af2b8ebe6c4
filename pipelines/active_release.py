"""The files that score: the champion's local copy, verified; the registry is asked if it agrees, and may be away."""

import shutil
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from features.errors import RegistryUnreachable, ReleaseRefused
from models.bundle import Release
from pipelines import champion, release
from pipelines.champion import Champion
from pipelines.release_cache import ReleaseCache
from pipelines.store import LeadStore
from pipelines.tracking import CHAMPION, Tracking, ask_briefly

REGISTRY_UNREACHABLE: Final = "registry_unreachable"
ALIAS_MISSING: Final = "alias_missing"
ALIAS_DIFFERS: Final = "alias_differs"
NO_LOCAL_COPY: Final = "no_local_copy"
COPY_REPAIRED: Final = "local_copy_repaired"


@dataclass
class Active:
    """A verified release, ready to score, and what was odd on the way to it."""

    version: str
    digest: str
    release: Release
    flags: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def warn(self, flag: str, sentence: str) -> None:
        """Go on, but say it: in the run's row, and to whoever reads the output."""
        if flag not in self.flags:
            self.flags.append(flag)
        self.warnings.append(sentence)


def load(
    store: LeadStore, tracking: Tracking, cache: ReleaseCache, chosen: Champion, *, now: datetime, max_stale_days: float
) -> Active:
    """Load a version that was champion, from its local copy or else from the registry.

    Raises
    ------
    ReleaseRefused
        Neither has the files that were registered, or the registry has been away for longer than `max_stale_days`.
    """
    notes: list[tuple[str, str]] = []
    away = _ask_registry(store, tracking, chosen, notes, now=now)
    if away is not None or notes:
        _refuse_stale(store, chosen, str(away or notes[0][1]), now=now, max_stale_days=max_stale_days)
    files = _from_copy(cache, chosen, notes, away=away) or _from_registry(tracking, cache, chosen, notes)
    active = Active(chosen.version, chosen.digest, files)
    for flag, sentence in notes:
        active.warn(flag, sentence)
    return active


def fetch(tracking: Tracking, cache: ReleaseCache, chosen: Champion) -> Release:
    """Fetch a version from the registry, verify it, and keep a local copy.

    Raises
    ------
    ReleaseRefused
        The registry does not have it, or has other files than were registered.
    """
    notes: list[tuple[str, str]] = []
    return _from_registry(tracking, cache, chosen, notes)


def _ask_registry(
    store: LeadStore, tracking: Tracking, chosen: Champion, notes: list[tuple[str, str]], *, now: datetime
) -> RegistryUnreachable | None:
    ask_briefly()
    try:
        alias = tracking.version_of(CHAMPION)
    except RegistryUnreachable as error:
        return error
    current = champion.champion_of(store)
    if current == chosen and alias != chosen.version:
        repair = f"'leadscore promote {chosen.version}' sets it again."
        if alias is None:
            notes.append((ALIAS_MISSING, f"The registry has no champion; version {chosen.version} scores. {repair}"))
        else:
            notes.append(
                (
                    ALIAS_DIFFERS,
                    f"The registry's champion is version {alias}; version {chosen.version} scores. {repair}",
                )
            )
    elif alias == chosen.version:
        champion.checked(store, chosen, now=now)
    return None


def _refuse_stale(store: LeadStore, chosen: Champion, why: str, *, now: datetime, max_stale_days: float) -> None:
    found = store.rows(
        "SELECT epoch_us(coalesce(checked_at, promoted_at, registered_at)) FROM releases WHERE model_version = $1",
        [chosen.version],
    )
    days = (now.timestamp() - int(found[0][0]) / 1e6) / 86_400
    if days > max_stale_days:
        raise ReleaseRefused(
            f"The registry has not confirmed version {chosen.version} for {days:.1f} days, longer than [release] "
            f"max_stale_days = {max_stale_days:g}, so it is not used any more: {why} What was published before stays."
        )


def _from_copy(
    cache: ReleaseCache, chosen: Champion, notes: list[tuple[str, str]], *, away: RegistryUnreachable | None
) -> Release | None:
    try:
        copy = cache.load(chosen.digest)
    except ReleaseRefused:
        if away is not None:
            raise
        notes.append((COPY_REPAIRED, f"The local copy of version {chosen.version} was damaged; it was fetched anew."))
        return None
    if away is not None:
        if copy is None:
            raise ReleaseRefused(
                f"{away} There is no local copy of version {chosen.version} in {cache.folder} either. What was "
                "published before stays."
            ) from away
        notes.append((REGISTRY_UNREACHABLE, f"{away} Scored with the verified local copy of version {chosen.version}."))
    return copy


def _from_registry(tracking: Tracking, cache: ReleaseCache, chosen: Champion, notes: list[tuple[str, str]]) -> Release:
    folder = tracking.download(chosen.version)
    try:
        return cache.keep(folder, digest=chosen.digest)
    except OSError as error:
        notes.append(
            (
                NO_LOCAL_COPY,
                f"No local copy of version {chosen.version} could be kept in {cache.folder} ({error.strerror}): "
                "without the registry, the next night could not score. Name another folder with [release] cache.",
            )
        )
        return release.load(folder, digest=chosen.digest)
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)

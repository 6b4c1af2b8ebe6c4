"""Let a version through the gate, to the champion's place, and take it back: the store then says which one scores."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from features.errors import ConfigError, RegistryUnreachable, ReleaseRefused
from models.gate import refused
from pipelines import active_release, champion, judging, publishing
from pipelines.champion import Champion
from pipelines.config import Settings
from pipelines.failpoints import reached
from pipelines.judging import Judged
from pipelines.release_cache import ReleaseCache
from pipelines.store import LeadStore
from pipelines.tracking import CANDIDATE, CHAMPION, Tracking, ask_briefly


@dataclass(frozen=True)
class Promotion:
    """Which version is champion now, which was, and what was forced."""

    version: str
    before: str | None
    digest: str
    forced: list[str] = field(default_factory=list)
    """Checks that refused, and were let pass by a person's reason."""
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
    settings: Settings,
    *,
    version: str | None,
    now: datetime,
    force_reason: str | None = None,
    dry_run: bool = False,
    tell: Callable[[Judged], None] = lambda _: None,
) -> Promotion:
    """Make `version` (None: the candidate) the champion, if it passes the gate.

    Parameters
    ----------
    force_reason : why checks on what was measured may refuse and be let pass; it is kept. What was not reviewed, and
        files that are not those registered, never pass
    dry_run : only say what would become of it; nothing is written
    tell : is given every check before anything is decided

    Raises
    ------
    ReleaseRefused
        There is no such version, or it does not pass; nothing was changed.
    RegistryUnreachable
    """
    version = version or tracking.version_of(CANDIDATE)
    if version is None:
        raise ReleaseRefused("There is no candidate to promote. Train one: leadscore train.")
    judged = judging.judge(store, tracking, cache, settings, version, keep=not dry_run)
    tell(judged)
    forced = _let_through(judged, force_reason)
    chosen, before = judged.chosen, judged.before
    done = Promotion(version, before.version if before else None, chosen.digest, forced, judged.warnings)
    if dry_run:
        return done
    reached("promote: after the gate")
    with store.transaction():
        judging.unchanged(store, judged)
        if before != chosen:
            reason = f"{champion.FORCED} {', '.join(forced)}: {force_reason}" if forced else "promoted"
            champion.crown(store, chosen, action=champion.PROMOTE, reason=reason, now=now)
        champion.checked(store, chosen, now=now)
        reached("promote: before the commit")
    reached("promote: after the commit")
    done.warnings.extend(_set_alias(tracking, chosen))
    return done


def rollback(store: LeadStore, tracking: Tracking, cache: ReleaseCache, *, reason: str, now: datetime) -> Rollback:
    """Bring back the version before the champion, and the scores it had published, in one transaction.

    Every as_of that the champion published shows again the run that it replaced, or nothing; its rows stay in the
    store, and its version is marked withdrawn: a run of it that is still at work can publish no more. A version whose
    newest review refuses it is skipped on the way back.

    Raises
    ------
    ReleaseRefused
        There is no version to go back to, or no verified copy of its files is at hand and the registry has none.
    """
    current = champion.champion_of(store)
    if current is None:
        raise ReleaseRefused("There is no version to go back to: none is champion.")
    before, skipped = champion.previous(store, current)
    if before is None:
        no_other = f"the review of version {', '.join(skipped)} refuses." if skipped else "no other was ever champion."
        raise ReleaseRefused(f"There is no version to go back to: {no_other}")
    if not cache.has(before.digest):
        ask_briefly()
        active_release.fetch(tracking, cache, before)
    with store.transaction():
        store.change(
            "UPDATE releases SET status = $1 WHERE model_version = $2", [publishing.WITHDRAWN, current.version]
        )
        store.engine.serialised()
        if champion.champion_of(store) != current:
            raise ReleaseRefused(
                f"While version {current.version} was being withdrawn, another became champion. Nothing was changed: "
                "see 'leadscore status', and roll back again if it is still wanted."
            )
        if champion.previous(store, current)[0] != before:
            raise ReleaseRefused(
                f"While version {current.version} was being withdrawn, version {before.version} was reviewed or "
                "registered anew. Nothing was changed: roll back again."
            )
        back, none = publishing.withdraw(store, digest=current.digest, reason=reason, now=now)
        champion.crown(store, before, action=champion.ROLLBACK, reason=reason, now=now)
        reached("rollback: before the commit")
    reached("rollback: after the commit")
    warnings = [
        f"Version {version} was skipped on the way back: its newest review refuses it. 'leadscore reviews {version}' "
        "says why."
        for version in skipped
    ]
    return Rollback(before.version, current.version, back, none, [*warnings, *_set_alias(tracking, before)])


def _let_through(judged: Judged, force_reason: str | None) -> list[str]:
    """The names of the checks that are forced; none where all pass."""
    found = refused(judged.checks)
    firm = [check for check in found if not check.forcible]
    if not found or (force_reason is not None and not firm):
        return [check.name for check in found]
    said = " ".join(f"{check.name}: {check.sentence}" for check in (firm or found))
    how = "" if firm else " With a reason it may pass all the same: --force --reason WHY."
    raise ReleaseRefused(f"Version {judged.chosen.version} was not promoted, and nothing was changed. {said}{how}")


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

"""Which release scores: the lead store decides, by its log of promotions; MLflow's alias follows, and is only compared.

So a promotion or a rollback is one transaction beside the scores it concerns, and holds with the registry away.
"""

from dataclasses import dataclass
from datetime import datetime

from features.errors import ReleaseRefused
from models.gate import REFUSED
from pipelines.moments import moment
from pipelines.publishing import WITHDRAWN
from pipelines.store import LeadStore

PROMOTE, ROLLBACK = "promote", "rollback"
#: How the reason of a promotion begins that a person forced past the gate.
FORCED = "forced past"


@dataclass(frozen=True)
class Champion:
    """A version that scores, or once did."""

    version: str
    digest: str


def champion_of(store: LeadStore) -> Champion | None:
    """The version that scores now; None when none was ever promoted."""
    found = store.rows("SELECT model_version, digest FROM promotions ORDER BY number DESC LIMIT 1")
    return Champion(str(found[0][0]), str(found[0][1])) if found else None


def active_at(store: LeadStore, then: datetime) -> Champion | None:
    """The version that scored at a moment and was not withdrawn since; None before the first."""
    found = store.rows(
        "SELECT p.model_version, p.digest FROM promotions p JOIN releases r ON r.model_version = p.model_version "
        "WHERE p.promoted_at <= $1 AND r.status <> $2 ORDER BY p.number DESC LIMIT 1",
        [then, WITHDRAWN],
    )
    return Champion(str(found[0][0]), str(found[0][1])) if found else None


def previous(store: LeadStore, champion: Champion) -> tuple[Champion | None, list[str]]:
    """The version that scored before the champion, and was neither withdrawn nor refused since; None: there is none.

    Returns
    -------
    (version, versions that were skipped on the way because the newest review of them refuses)
    """
    found = store.rows(
        "SELECT p.model_version, p.digest, (SELECT v.decision FROM reviews v WHERE v.model_version = p.model_version "
        "AND v.reviewed_at >= r.registered_at ORDER BY v.number DESC LIMIT 1) "
        "FROM promotions p JOIN releases r ON r.model_version = p.model_version "
        "WHERE p.digest <> $1 AND r.digest = p.digest AND r.status <> $2 ORDER BY p.number DESC",
        [champion.digest, WITHDRAWN],
    )
    skipped: dict[str, None] = {}
    for version, digest, decision in found:
        if decision != REFUSED:
            return Champion(str(version), str(digest)), list(skipped)
        skipped[str(version)] = None
    return None, list(skipped)


def withdrawn_at(store: LeadStore, chosen: Champion) -> str | None:
    """When a rollback last took this version back (ISO 8601, UTC), whatever became of it since; None: never."""
    found = store.rows(
        "SELECT epoch_us(b.promoted_at) FROM promotions b JOIN promotions p ON p.number = b.number - 1 "
        "WHERE b.action = $1 AND p.model_version = $2 AND p.digest = $3 ORDER BY b.number DESC LIMIT 1",
        [ROLLBACK, chosen.version, chosen.digest],
    )
    return moment(int(found[0][0])) if found else None


def registered(store: LeadStore, version: str) -> Champion:
    """A version with the digest under which it was registered in this store: the only one the scorer trusts.

    Raises
    ------
    ReleaseRefused
        It was never registered from this store.
    """
    rows = store.rows("SELECT digest FROM releases WHERE model_version = $1", [version])
    if not rows:
        raise ReleaseRefused(
            f"Version {version} was not registered from the store {store.where}: its digest is not there. Train on "
            "this store, or name the right one with --store."
        )
    return Champion(version, str(rows[0][0]))


def crown(store: LeadStore, chosen: Champion, *, action: str, reason: str, now: datetime) -> None:
    """Inside a transaction: make a version the champion, and write down why."""
    store.change("UPDATE releases SET status = 'retired' WHERE status = 'champion'")
    store.change(
        "UPDATE releases SET status = 'champion', promoted_at = $1 WHERE model_version = $2", [now, chosen.version]
    )
    # Of two at the same time one fails here, on the key: promotions are numbered without a gap.
    store.change(
        "INSERT INTO promotions (number, model_version, digest, promoted_at, action, reason) "
        "SELECT coalesce(max(number), 0) + 1, $1, $2, $3, $4, $5 FROM promotions",
        [chosen.version, chosen.digest, now, action, reason],
    )


def checked(store: LeadStore, chosen: Champion, *, now: datetime) -> None:
    """Write down that the registry was there and still had this version."""
    store.change("UPDATE releases SET checked_at = $1 WHERE model_version = $2", [now, chosen.version])

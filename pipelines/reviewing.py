"""A person's word on a version's card: approved or refused, kept with the card's digest, so that it holds for that one.

The store keeps every review, in order; the last one counts. The registry gets it as tags, for people who look there:
that it is away keeps nobody from reviewing.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from features.errors import ConfigError, RegistryUnreachable, ReleaseRefused
from models.gate import APPROVED, Review
from pipelines import cards, champion
from pipelines.cards import Card
from pipelines.champion import Champion
from pipelines.failpoints import reached
from pipelines.moments import moment
from pipelines.release_cache import ReleaseCache
from pipelines.store import LeadStore
from pipelines.tracking import Tracking, ask_briefly

Decision = Literal["approved", "refused"]
_COLUMNS: Final = "number, model_version, card_digest, decision, reviewer, note, epoch_us(reviewed_at)"


@dataclass(frozen=True)
class Reviewed:
    """What was signed, and by whom."""

    review: Review
    missing: list[str]
    """Sections of the card that have nothing to say."""
    warnings: list[str] = field(default_factory=list)


def reviews_of(store: LeadStore, version: str | None = None) -> list[Review]:
    """The reviews of a version (None: of all), newest first."""
    which = "" if version is None else "WHERE model_version = $1 "
    rows = store.rows(
        f"SELECT {_COLUMNS} FROM reviews {which}ORDER BY number DESC", [] if version is None else [version]
    )
    return [
        Review(int(number), str(of), str(digest), str(decision), str(reviewer), str(note), moment(int(at)))
        for number, of, digest, decision, reviewer, note, at in rows
    ]


def last_review(store: LeadStore, version: str) -> Review | None:
    """The review of a version that counts; None when nobody has reviewed it."""
    return next(iter(reviews_of(store, version)), None)


def standing_of(store: LeadStore, card: Card) -> dict[str, Any]:
    """How a version stands: registered when, its status, its reviews in order, and promotions that were forced."""
    ((status, registered, digest),) = store.rows(
        "SELECT status, epoch_us(registered_at), digest FROM releases WHERE model_version = $1", [card.version]
    )
    reviews = reviews_of(store, card.version)[::-1]
    last = reviews[-1] if reviews else None
    withdrawn = champion.withdrawn_at(store, Champion(card.version, str(digest)))
    promotions = store.rows(
        # A number may have been given out anew since, to another release.
        "SELECT epoch_us(promoted_at), reason FROM promotions WHERE model_version = $1 AND digest = $2 ORDER BY number",
        [card.version, digest],
    )
    return {
        "version": card.version,
        "status": str(status),
        "registered_at": moment(int(registered)),
        "card_digest": card.digest,
        "withdrawn_at": withdrawn,
        "approved": last is not None
        and last.decision == APPROVED
        and last.card_digest == card.digest
        and not last.before(withdrawn),
        "reviews": [asdict(review) for review in reviews],
        "forced": [
            {"promoted_at": moment(int(at)), "reason": str(reason).removeprefix(champion.FORCED).strip()}
            for at, reason in promotions
            if str(reason).startswith(champion.FORCED)
        ],
    }


def still_standing(
    store: LeadStore, tracking: Tracking, cache: ReleaseCache, version: str | None = None
) -> list[dict[str, Any]]:
    """The reviews of a version (None: of all), newest first, each with whether it still counts, and why it does not.

    `stands` is None where the card cannot be read: its files are not those registered, or the registry is away and
    there is no local copy.
    """
    digests: dict[str, str | None] = {}
    found = []
    for review in reviews_of(store, version):
        stands: bool | None = False
        why = "a later one counts"
        if review.version not in digests:  # the newest of its version
            digest = digests[review.version] = _digest_now(store, tracking, cache, review.version)
            stands = None if digest is None else digest == review.card_digest
            why = "" if stands else "its card cannot be read" if digest is None else "the card is another one now"
            if review.decision == APPROVED and review.before(_withdrawn_at(store, review.version)):
                stands, why = False, "the version was withdrawn since"
        found.append(asdict(review) | {"stands": stands, "why": why})
    return found


def approve(
    store: LeadStore, tracking: Tracking, cache: ReleaseCache, *, version: str, by: str, note: str, now: datetime
) -> Reviewed:
    """Approve the card of a version, as it is registered now; see `review`."""
    return review(store, tracking, cache, version=version, decision=APPROVED, by=by, note=note, now=now)


def review(
    store: LeadStore,
    tracking: Tracking,
    cache: ReleaseCache,
    *,
    version: str,
    decision: Decision,
    by: str,
    note: str,
    now: datetime,
    card_digest: str | None = None,
    tell: Callable[[Card], None] = lambda _: None,
) -> Reviewed:
    """Write down what a person says of a version's card.

    Parameters
    ----------
    card_digest : of the card that was read, or its first 12 digits and more; None: whichever stands now is meant
    tell : is given the card that is signed, before anything is written

    Raises
    ------
    ReleaseRefused
        There is no such version, its files are not those that were registered, another card than the one that was read
        stands now, or it is to be approved though sections of its card have nothing to say.
    RegistryUnreachable
        It is away, and there is no local copy of the card.
    """
    chosen = champion.registered(store, version)
    card = cards.card_of(tracking, cache, chosen)
    tell(card)
    if card_digest is not None and not card.is_called(card_digest):
        raise ReleaseRefused(
            f"The card of version {version} that stands now has the digest {card.digest}, not {card_digest}: it is not "
            f"the one that was read. Nothing was written: read this one first, leadscore card {version}"
        )
    if decision == APPROVED and card.missing:
        raise ReleaseRefused(
            f"The card of version {version} cannot be approved: it says nothing of {', '.join(card.missing)}. Train "
            "again, so that everything is measured, or refuse it: leadscore review "
            f"{version} --refuse --by NAME --note TEXT"
        )
    with store.transaction():
        store.engine.serialised()
        if champion.registered(store, version) != chosen:
            raise ReleaseRefused(
                f"Version {version} was registered anew while its card was read. Nothing was written: read the new one "
                f"first, leadscore card {version}"
            )
        store.change(
            "INSERT INTO reviews (number, model_version, card_digest, decision, reviewer, note, reviewed_at) "
            "SELECT coalesce(max(number), 0) + 1, $1, $2, $3, $4, $5, $6 FROM reviews",
            [version, card.digest, decision, by, note, now],
        )
        written = last_review(store, version)
        assert written is not None
        reached("review: before the commit")
    reached("review: after the commit")
    warnings = _tag(tracking, chosen, written)
    if decision != APPROVED and champion.champion_of(store) == chosen:
        warnings.append(f"Version {version} is champion and scores on: leadscore rollback --reason WHY takes it back.")
    return Reviewed(written, card.missing, warnings)


def _withdrawn_at(store: LeadStore, version: str) -> str | None:
    try:
        return champion.withdrawn_at(store, champion.registered(store, version))
    except ReleaseRefused:
        return None


def _digest_now(store: LeadStore, tracking: Tracking, cache: ReleaseCache, version: str) -> str | None:
    ask_briefly()
    try:
        return cards.card_of(tracking, cache, champion.registered(store, version)).digest
    except (ReleaseRefused, RegistryUnreachable):
        return None


def _tag(tracking: Tracking, chosen: Champion, written: Review) -> list[str]:
    """Let the registry follow; that it is away changes nothing in the store."""
    ask_briefly()
    tags = {
        "review": written.decision,
        "review_by": written.reviewer,
        "review_note": written.note,
        "reviewed_at": written.reviewed_at,
        "reviewed_card": written.card_digest,
    }
    try:
        tracking.set_version_tags(chosen.version, tags)
    except (RegistryUnreachable, ConfigError) as error:
        return [f"{error} The store has the review all the same, and it counts; the registry shows no tag of it."]
    return []

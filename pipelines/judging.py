"""What the gate is told of a version, by its files, its predictions on later leads and its reviews; and its answer."""

import json
import shutil
from dataclasses import dataclass, field

import numpy as np

from features.errors import ReleaseRefused
from models import gate, gate_measured
from models.gate import Check, Limits, Review
from models.non_inferiority import Rivals, against_champion
from pipelines import cards, champion, release, reviewing
from pipelines.cards import Card
from pipelines.champion import Champion
from pipelines.config import Settings
from pipelines.release_cache import ReleaseCache
from pipelines.store import LeadStore
from pipelines.tracking import Tracking


@dataclass(frozen=True)
class Judged:
    """A version at the gate: every check, and what they were made under."""

    chosen: Champion
    before: Champion | None
    """The champion at that moment."""
    review: Review | None
    """The one that counted at that moment."""
    checks: list[Check]
    warnings: list[str] = field(default_factory=list)


def judge(
    store: LeadStore, tracking: Tracking, cache: ReleaseCache, settings: Settings, version: str, *, keep: bool
) -> Judged:
    """Hold a version against the limits of [gate]; for one that is champion already, only its files are looked at.

    Parameters
    ----------
    keep : whether a local copy of its files is kept

    Raises
    ------
    ReleaseRefused
        There is no such version.
    RegistryUnreachable
    """
    chosen = champion.registered(store, version)
    before, review = champion.champion_of(store), reviewing.last_review(store, version)
    warnings: list[str] = []
    try:
        card, damaged = _verified(tracking, cache if keep else None, chosen, warnings), None
    except ReleaseRefused as error:  # nothing that its files say is listened to
        card, damaged = None, str(error)
    if before == chosen:
        return Judged(chosen, before, review, [gate.files(damaged)], warnings)
    checks: list[Check] = []
    if card is not None:
        limits = Limits(**settings.gate.model_dump())
        checks += gate_measured.measured(card.facts, limits=limits)
        checks.append(
            against_champion(
                rivals(store, chosen, before),
                limits=limits,
                resamples=settings.model.resamples,
                seed=settings.model.seed,
            )
        )
    checks += gate.reviewed(
        version,
        review=review,
        card_digest=card.digest if card else None,
        missing=card.missing if card else [],
        withdrawn_at=champion.withdrawn_at(store, chosen),
    )
    return Judged(chosen, before, review, [*checks, gate.files(damaged)], warnings)


def unchanged(store: LeadStore, judged: Judged) -> None:
    """Inside a transaction: refuse when what was judged is not so any more; until its end, nobody can change it.

    Raises
    ------
    ReleaseRefused
    """
    store.engine.serialised()
    version = judged.chosen.version
    now = (champion.registered(store, version), champion.champion_of(store), reviewing.last_review(store, version))
    if now != (judged.chosen, judged.before, judged.review):
        raise ReleaseRefused(
            f"While version {version} was looked at, another program registered, reviewed or promoted one. Nothing was "
            f"promoted: look again, leadscore promote {version}"
        )


def rivals(store: LeadStore, chosen: Champion, before: Champion | None) -> Rivals | None:
    """What a version and the champion foretold of the same snapshots; None when there is no champion.

    Nothing is the same where the two foretell another outcome.
    """
    if before is None:
        return None
    if _label(store, chosen.version) != _label(store, before.version):
        nothing = np.empty(0)
        return Rivals(before.version, nothing, nothing, np.empty(0, np.int64), [])
    # Sums over what was foretold once: who objects since is nothing that a reviewer's role need read.
    both = store.arrow(
        "SELECT c.lead_id AS lead_id, c.probability AS of_candidate, h.probability AS of_champion, c.converted AS "
        "converted FROM out_of_time c JOIN out_of_time h ON h.lead_id = c.lead_id AND h.as_of = c.as_of "
        "WHERE c.release_digest = $1 AND h.release_digest = $2 ORDER BY c.lead_id, c.as_of",
        [chosen.digest, before.digest],
    )
    return Rivals(
        before.version,
        both.column("of_candidate").to_numpy(),
        both.column("of_champion").to_numpy(),
        np.asarray(both.column("converted").to_pylist(), np.int64),
        both.column("lead_id").to_pylist(),
    )


def _label(store: LeadStore, version: str) -> object:
    """The outcome that a version foretells: stage and horizon; None where nothing was kept of it."""
    (facts,) = store.rows("SELECT facts FROM releases WHERE model_version = $1", [version])[0]
    return json.loads(str(facts) or "{}").get("label")


def _verified(tracking: Tracking, cache: ReleaseCache | None, chosen: Champion, warnings: list[str]) -> Card:
    """The card of a version whose files the registry has as they were registered, and which compute what they did."""
    folder = tracking.download(chosen.version)
    try:
        files = release.verified(folder, digest=chosen.digest)
        try:
            if cache is not None:
                cache.keep(folder, digest=chosen.digest)
                return cards.read(chosen.version, files)
        except OSError as error:
            warnings.append(
                f"No local copy of version {chosen.version} could be kept ({error.strerror}): without the registry, "
                "the next night could not score. Name another folder with [release] cache."
            )
        release.load(folder, digest=chosen.digest)
        return cards.read(chosen.version, files)
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)

"""What a version must show before it may score: one check a row, each against a limit that was set beforehand.

A check passes, warns or refuses. What was measured (`gate_measured`, `non_inferiority`) may be overruled by a person
who says why; what nobody reviewed, and files that are not those registered, may not.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from models.intervals import Interval

State = Literal["pass", "warn", "refuse"]
PASSED: Final = "pass"
WARN: Final = "warn"
REFUSE: Final = "refuse"

APPROVED: Final = "approved"
REFUSED: Final = "refused"


@dataclass(frozen=True)
class Limits:
    """What was set beforehand: see [gate] in the settings."""

    least_converted: int
    most_log_loss_above_champion: float
    least_calibration_slope: float
    most_calibration_slope: float


@dataclass(frozen=True)
class Check:
    """One row of the gate: what was looked at, what was asked, what was found, and what follows."""

    name: str
    limit: str
    value: str
    state: State
    sentence: str
    forcible: bool = True
    """Whether a person may let it pass all the same, with a reason."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Review:
    """A person's decision on the card with this digest."""

    number: int
    version: str
    card_digest: str
    decision: str
    """approved or refused."""
    reviewer: str
    note: str
    reviewed_at: str
    """ISO 8601, UTC."""

    def before(self, withdrawn_at: str | None) -> bool:
        """Whether the version was withdrawn since, so that who wrote this knew nothing of it; None: it never was."""
        return withdrawn_at is not None and self.reviewed_at <= withdrawn_at


def refused(checks: Sequence[Check]) -> list[Check]:
    """The checks that refuse, those first that nobody can overrule."""
    return sorted((check for check in checks if check.state == REFUSE), key=lambda check: check.forcible)


def reviewed(
    version: str,
    *,
    review: Review | None,
    card_digest: str | None,
    missing: Sequence[str],
    withdrawn_at: str | None = None,
) -> list[Check]:
    """The checks on the card and on what a person said of it: none of them can be overruled.

    Parameters
    ----------
    review : the last of this version; None when nobody has reviewed it
    card_digest : of the card as it is registered; None when its files are not those registered
    missing : sections of the card for which nothing was measured
    withdrawn_at : when a rollback last took the version back (ISO 8601, UTC): a review of before knew nothing of it

    Examples
    --------
    >>> [check.state for check in reviewed("3", review=None, card_digest="c0ffee", missing=[])]
    ['pass', 'refuse']
    """
    rows = [] if card_digest is None else [_complete(missing)]
    if review is None:
        sentence = (
            f"Nobody has reviewed version {version}. Read it with 'leadscore card {version}', then: leadscore review "
            f"{version} --approve --by NAME --note TEXT"
        )
        return [*rows, _firm("card approved", APPROVED, "not reviewed", REFUSE, sentence)]
    said = f"{review.decision.capitalize()} by {review.reviewer} on {review.reviewed_at[:10]}: {review.note}"
    decided: State = PASSED if review.decision == APPROVED else REFUSE
    if decided == PASSED and review.before(withdrawn_at):
        sentence = (
            f"It was withdrawn on {str(withdrawn_at)[:10]}, after its approval. If it may return, review it again."
        )
        rows.append(_firm("card approved", APPROVED, "withdrawn since", REFUSE, sentence))
    else:
        rows.append(_firm("card approved", APPROVED, review.decision, decided, said))
    name, limit = "card as reviewed", f"digest {review.card_digest[:12]}"
    if card_digest is None:
        sentence = "It cannot be told: the files are not those that were registered."
        return [*rows, _firm(name, limit, "unknown", REFUSE, sentence)]
    if card_digest != review.card_digest:
        sentence = f"Another card was reviewed. Read this one, 'leadscore card {version}', and review it again."
        return [*rows, _firm(name, limit, card_digest[:12], REFUSE, sentence)]
    return [*rows, _firm(name, limit, card_digest[:12], PASSED, "It is the card that was reviewed.")]


def files(damaged: str | None) -> Check:
    """Whether the release's files are those that were registered; `damaged` says what is not."""
    name, limit = "files as registered", "every digest"
    if damaged is not None:
        return _firm(name, limit, "not the same", REFUSE, damaged)
    return _firm(name, limit, "the same", PASSED, "Every file is the one that was registered.")


def between(found: Interval, form: str) -> str:
    """An interval for people: what was found, and from where to where it may lie.

    >>> between(Interval(0.012, -0.001, 0.025), "+.1%")
    '+1.2% (-0.1% to +2.5%)'
    """
    return f"{found.value:{form}} ({found.low:{form}} to {found.high:{form}})"


def _firm(name: str, limit: str, value: str, state: State, sentence: str) -> Check:
    """A check that nobody can overrule."""
    return Check(name, limit, value, state, sentence, forcible=False)


def _complete(missing: Sequence[str]) -> Check:
    name, limit = "card complete", "every section"
    if missing:
        sentence = f"Nothing was measured for: {', '.join(missing)}. A card says all of it: train again."
        return _firm(name, limit, f"{len(missing)} missing", REFUSE, sentence)
    return _firm(name, limit, "all there", PASSED, "Every section says something.")

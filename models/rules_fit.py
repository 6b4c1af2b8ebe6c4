"""A points card learned from a model: what marketing can carry back into a CRM that knows only rules.

The card is fitted to what the model says of past leads, not to what happened to them: a probability holds what many
leads taught, an outcome is one throw of the dice, and thresholds that suit a few lucky leads are not found in it.
Measured out of time on a simulated store and two real ones (log loss of the card fitted to probabilities, and to
outcomes): 0.2413 and 0.2416; 0.4939 and 0.5102; 0.5185 and 0.5056.

A criterion's points have the sign of its own connection with converting, and of what its column declares: a card never
takes points away for something good, to mend what another criterion overstates.

References
----------
Hinton, G., Vinyals, O. and Dean, J. (2015). Distilling the knowledge in a neural network. arXiv:1503.02531.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.declare import Column
from features.errors import TooLittleData
from models.rules import Card, Criterion, Group, points
from models.rules_candidates import apart, candidates
from models.rules_search import MOST_POINTS, choose

Floats = npt.NDArray[np.float64]

#: Criteria on a card, unless another number is asked for.
CRITERIA: Final = 10
#: Shares of the leads that are graded A, and A or B, for fit; and likewise 1, and 1 or 2, for engagement.
GRADES: Final = (0.2, 0.5)


@dataclass(frozen=True)
class LearnedCard:
    """A card, and how much it says of what the model says."""

    card: Card
    kept: float
    """Share of the model's gain in log loss over the base rate, by its own probabilities, that the card keeps."""
    tried: int
    """Criteria that were to choose from."""


def learned_card(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    probability: Floats,
    *,
    lead_id: npt.ArrayLike,
    criteria: int = CRITERIA,
) -> LearnedCard:
    """The best card of at most so many criteria.

    Its limits are those of the best 5 % (sql) and 20 % (mql) of these snapshots; see `with_limits` for others. No
    total is above 100, which is the card's cap.

    Parameters
    ----------
    frame : (rows, …) features, known before each snapshot's as_of; holds every one of `columns`
    columns : that criteria may name
    probability : (rows,) what the model says
    lead_id : (rows,)
    criteria : at most, 1 or more

    Raises
    ------
    TooLittleData
        No criterion tells leads apart.
    """
    found, matched = candidates(frame, columns, probability, lead_id=lead_id)
    signs = np.array([candidate.sign for candidate in found], np.int64)
    chosen = choose(matched, probability, signs, most=criteria)
    if not chosen.places:
        raise TooLittleData(
            f"No card can be learned: none of {len(found):,} criteria tells leads apart, as the model sees them. "
            "Import more history, or exclude fewer columns ([features] exclude)."
        )
    worth = {
        place: replace(found[place].criterion, points=Decimal(amount))
        for place, amount in zip(chosen.places, chosen.points, strict=True)
    }
    groups = _named_apart(
        {
            name: apart([worth[place] for place in chosen.places if found[place].group == name], columns)
            for name in ("fit", "engagement")
        }
    )
    nothing = (Decimal(1), Decimal(2))
    card = Card(
        fit=Group(criteria=groups["fit"], limits=nothing),
        engagement=Group(criteria=groups["engagement"], limits=nothing),
        limits=nothing,
        cap=Decimal(MOST_POINTS),
        where="the learned points card",
    )
    card = with_limits(card, frame, shares=(0.2, 0.05))
    exact = _entropy(probability)
    gained = chosen.base_loss - exact
    return LearnedCard(card, (chosen.base_loss - chosen.loss) / gained if gained > 0 else 0.0, len(found))


def with_limits(card: Card, frame: pd.DataFrame, *, shares: tuple[float, float]) -> Card:
    """The card with limits that let through shares of these snapshots, as near as whole points come.

    Grades come by `GRADES`.

    Parameters
    ----------
    frame : (rows, …) the columns of the card
    shares : of the snapshots that are to be mql or more, and sql; in [0, 1]
    """
    counted = points(frame, card)
    limits = {
        name: _limits(counted[name].to_numpy(np.int64), wanted)
        for name, wanted in (("total", shares), ("fit", GRADES[::-1]), ("engagement", GRADES[::-1]))
    }
    return replace(
        card,
        fit=replace(card.fit, limits=limits["fit"]),
        engagement=replace(card.engagement, limits=limits["engagement"]),
        limits=limits["total"],
    )


def limit_for(totals: npt.NDArray[np.int64], share: float) -> int:
    """The whole number of points that a share of the leads reach, as nearly as can be; the higher of two as near.

    Examples
    --------
    >>> limit_for(np.array([10, 20, 20, 50]), 0.25), limit_for(np.array([10, 20, 20, 50]), 0.7)
    (50, 20)
    >>> limit_for(np.array([10, 20]), 0.0)
    21
    """
    levels, counts = np.unique(totals, return_counts=True)
    reached = np.append(np.cumsum(counts[::-1])[::-1], 0)
    off = np.abs(reached - share * len(totals))
    best = len(off) - 1 - int(np.argmin(off[::-1]))
    return int(levels[best]) if best < len(levels) else int(levels[-1]) + 1


def _limits(totals: npt.NDArray[np.int64], shares: tuple[float, float]) -> tuple[Decimal, Decimal]:
    """The lower limit (of the larger share) below the upper one, which somebody could reach."""
    upper = min(limit_for(totals, shares[1]), MOST_POINTS)
    lower = min(limit_for(totals, shares[0]), upper - 1)
    return Decimal(lower), Decimal(upper)


def _named_apart(groups: Mapping[str, tuple[Criterion, ...]]) -> dict[str, tuple[Criterion, ...]]:
    """No two of one name: the feature's own tells them apart."""
    names = [criterion.name for group in groups.values() for criterion in group]
    return {
        group: tuple(replace(c, name=f"{c.name} ({c.feature})") if names.count(c.name) > 1 else c for c in criteria)
        for group, criteria in groups.items()
    }


def _entropy(probability: Floats) -> float:
    """The least log loss that anything could have against these probabilities."""
    p = np.clip(probability, 1e-12, 1 - 1e-12)
    return float(-np.mean(p * np.log(p) + (1 - p) * np.log1p(-p)))

"""`leadscore rules fit`: a points card learned from the model, judged on later leads beside the model and the old card.

At each cut-off of the proof a card is learned from what the model, trained on what was known then, says of those
snapshots; and foretells the period after it. So the card's figures, like the model's, are of leads that it never saw;
points become probabilities as marketing's do, by isotonic regression on the earlier snapshots. The card that is handed
out is learned the same way from all of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from features.catalogue import Catalogue
from features.errors import TooLittleData
from models.backtest import Backtest
from models.baselines import points_probability
from models.encoding import Floats
from models.evaluation import Together, evaluate_together
from models.rules import Card, matches, points
from models.rules_fit import CRITERIA, LearnedCard, learned_card, with_limits
from models.splits import known_by
from pipelines.config import Settings
from pipelines.moments import moment
from pipelines.points import points_of
from pipelines.proving import DIFFERENCES, MODEL, Proof, capacity_share, learner, lists, prove
from pipelines.rules_writing import card_toml
from pipelines.snapshots import TrainingFrame
from pipelines.store import LeadStore
from pipelines.train import NO_SKILL, decide, known_until, read_catalogue, read_frame, read_inventory

Say = Callable[[str], None]

LEARNED: Final = "learned card"
POINTS: Final = "points"
METRICS: Final = ("log_loss", "brier", "roc_auc", "pr_auc", "lift_at_10")
_CAPTURED: Final = ("captured_at_5", "captured_at_10", "captured_at_20")


@dataclass(frozen=True)
class LearnedPoints:
    """What the cards learned at each cut-off of a backtest say of the snapshots it foretold, in its order.

    `points` are on the scale of each cut-off's own card; `probability` makes them one ranking.
    """

    points: Floats
    probability: Floats
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class FittedRules:
    """The card for the file, with its text, and what was found of it."""

    card: Card
    text: str
    report: Mapping[str, Any]


def learned_points(
    backtest: Backtest, data: TrainingFrame, columns: Catalogue, *, criteria: int = CRITERIA, say: Say = lambda _: None
) -> LearnedPoints:
    """What a learned card would have said of the snapshots that a backtest foretold.

    Parameters
    ----------
    backtest : `Proof.backtest`; its rows are those of `data`
    columns : that a card may name; those of the training frame
    criteria : on each card, at most

    Raises
    ------
    TooLittleData
        No criterion tells leads apart.
    """
    totals, probabilities, cards = [], [], []
    leads = np.asarray(data.lead_id, object)
    for told in backtest.folds:
        earlier, later = told.fold.split.earlier, told.fold.split.later
        frame = data.frame.iloc[earlier]
        say(f"cut-off {told.fold.number} of {len(backtest.folds)}: learning a card of {criteria} criteria at most")
        probability = expit(told.learned.model.log_odds(frame))
        card = learned_card(frame, columns.columns, probability, lead_id=leads[earlier], criteria=criteria).card
        totals.append(points(data.frame.iloc[later], card)["total"].to_numpy(np.float64))
        seen = known_by(told.fold.begins, data.outcome[earlier], data.known_at[earlier])
        probabilities.append(points_probability(points(frame, card)["total"], seen, totals[-1]))
        cards.append(card)
    return LearnedPoints(np.concatenate(totals), np.concatenate(probabilities), tuple(cards))


def fit_rules(
    store: LeadStore,
    settings: Settings,
    *,
    criteria: int = CRITERIA,
    as_of: int | None,
    say: Say = lambda _: None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> FittedRules:
    """Learn a card from the model, and judge it on later leads.

    Its limits hand over as many of the later leads as the model's stages do: mql from [stages] mql_probability on; sql
    from sal_probability on, or as many as sales can work ([evaluation] capacity_leads,
    or [economics] touches_per_day).

    Raises
    ------
    TooLittleData
        Too few outcomes, no skill in the model, or no criterion that tells leads apart.
    """
    inventory = read_inventory(store, as_of=as_of)
    for sentence in inventory.left_out:
        say(sentence)
    columns = read_catalogue(inventory, settings)
    data = read_frame(store, settings, inventory, columns, as_of=as_of, progress=progress)
    old = points_of(store, settings, inventory, data, say=say)
    proof = prove(data, settings, columns, points=old, against=(POINTS, "base_rate"), say=say)
    better = proof.together.differences["base_rate"]["log_loss"].interval
    verdict, reason = decide(proof.model.metrics, better)
    if verdict == NO_SKILL:
        raise TooLittleData(f"No card can be learned from a model that knows nothing: {reason}")
    judged = learned_points(proof.backtest, data, columns, criteria=criteria, say=say)
    say("learning the card from all snapshots")
    everything = np.arange(len(data.outcome))
    final = learner(data, settings, columns)(everything, data.outcome)
    probability = final.model.probability(data.frame)
    learned = learned_card(data.frame, columns.columns, probability, lead_id=data.lead_id, criteria=criteria)
    later = data.frame.iloc[proof.backtest.row]
    card = with_limits(learned.card, later, shares=_shares(proof, data, settings))
    until = moment(known_until(inventory, as_of=as_of))
    report = {**_report(proof, judged, card, learned, data, settings), "known_until": until}
    text = card_toml(card, head=_head(report, until=until))
    return FittedRules(card, text, {**report, "card": text})


def _shares(proof: Proof, data: TrainingFrame, settings: Settings) -> tuple[float, float]:
    """Of the later snapshots, those that the model would have made mql or more, and those handed to sales."""
    probability = proof.backtest.probability[MODEL]
    capacity = capacity_share(proof.as_of, settings, drawn=data.sampled_share)
    handed = float((probability >= settings.stages.sal_probability).mean()) if capacity is None else capacity
    return max(float((probability >= settings.stages.mql_probability).mean()), handed), handed


def _report(
    proof: Proof, judged: LearnedPoints, card: Card, learned: LearnedCard, data: TrainingFrame, settings: Settings
) -> dict[str, Any]:
    probability = proof.backtest.probability
    predictions = {MODEL: probability[MODEL], LEARNED: judged.probability}
    predictions |= {POINTS: probability[POINTS]} if POINTS in probability else {}
    share = capacity_share(proof.as_of, settings, drawn=data.sampled_share)
    at_capacity = [] if share is None else ["lift_at_capacity"]
    together = evaluate_together(
        predictions,
        proof.outcome,
        lead_id=proof.lead_id,
        base_rate_probability=proof.backtest.base_rate,
        period=lists(proof.as_of, settings),
        capacity_share=share,
        against=LEARNED,
        differences=[*DIFFERENCES, *at_capacity],
        resamples=settings.model.resamples,
        seed=settings.model.seed,
        metrics=[*METRICS, *_CAPTURED, *at_capacity, *(["captured_at_capacity"] if at_capacity else [])],
    )
    found = {name: evaluation.metrics for name, evaluation in together.evaluations.items()}
    captured = {name: of["captured_at_10"].value for name, of in found.items()}
    later = data.frame.iloc[proof.backtest.row]
    return {
        "snapshots": len(proof.outcome),
        "converted": int(proof.model.converted),
        "criteria": _criteria(card, later, proof.outcome),
        "tried": learned.tried,
        "limits": {"mql_points": int(card.limits[0]), "sql_points": int(card.limits[1]), "cap": int(card.cap or 0)},
        "handed_over": _handed_over(card, later, proof, data, settings),
        "metrics": {name: {key: of[key].as_dict() for key in of} for name, of in found.items()},
        "differences": {
            name: {key: difference.as_dict() for key, difference in of.items()}
            for name, of in together.differences.items()
        },
        "captured_at_10": captured,
        "kept": captured[LEARNED] / captured[MODEL] if captured[MODEL] else None,
        "kept_of_what_it_says": learned.kept,
        "verdict": _verdict(together, captured),
    }


def _criteria(card: Card, later: pd.DataFrame, outcome: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    """Every criterion, with the share of the later snapshots that it matches and how many of those converted."""
    told = []
    for group, of in card.groups.items():
        for criterion in of.criteria:
            matched = matches(later[criterion.feature], criterion)
            told.append(
                {
                    "name": criterion.name,
                    "group": group,
                    "feature": criterion.feature,
                    "operator": criterion.operator,
                    "value": list(criterion.value) if isinstance(criterion.value, tuple) else criterion.value,
                    "points": int(criterion.points),
                    "share": float(matched.mean()),
                    "converted_share": float(outcome[matched].mean()) if matched.any() else None,
                }
            )
    return told


def _handed_over(
    card: Card, later: pd.DataFrame, proof: Proof, data: TrainingFrame, settings: Settings
) -> dict[str, dict[str, float]]:
    """Of the later snapshots: the shares that reach each limit, by the card and by the model."""
    stage = points(later, card)["stage"].to_numpy(object)
    mql, sql = _shares(proof, data, settings)
    return {
        "mql": {LEARNED: float((stage != "lead").mean()), MODEL: mql},
        "sql": {LEARNED: float((stage == "sql").mean()), MODEL: sql},
    }


def _verdict(together: Together, captured: Mapping[str, float]) -> str:
    others = [(POINTS, "the points so far"), (MODEL, "the model")]
    found = [f"the learned card finds {captured[LEARNED]:.0%} of the conversions"]
    found += [f"{called} {captured[name]:.0%}" for name, called in reversed(others) if name in captured]
    words = []
    for name, called in others:
        if name in captured:
            lift, ranking = (together.differences[name][key].word for key in ("lift_at_10", "roc_auc"))
            same = f"{lift} on lift and on ranking" if lift == ranking else f"{lift} on lift, {ranking} on ranking"
            words.append(f"{same} beside {called}")
    return f"Calling the first 10 % of the list, {', '.join(found)}. The learned card is {'; '.join(words)}."


def _head(report: Mapping[str, Any], *, until: str) -> list[str]:
    return [
        f"Learned from the model by 'leadscore rules fit', from what was known up to {until}.",
        report["verdict"].replace(" The learned card is", "\nThe learned card is"),
        "These are figures of cards learned in the same way before the leads that they were judged on.",
        "This card learned from all leads up to then, so 'leadscore compare' is fair to it only on leads after "
        f"{until}.",
        "",
        "Job function and seniority are read from job titles, and sizes of companies put into bands.",
        "Every key is explained by 'leadscore config card'; [points] source = \"FILE\" counts by this card.",
    ]

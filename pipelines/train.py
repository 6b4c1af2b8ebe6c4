"""Fit, calibrate, evaluate on later leads, and register a candidate; or say "no skill", and register nothing.

The procedure is applied several times. At each cut-off of a backtest to the snapshots whose outcome was known by then,
to be measured on the period after it: that is the evidence. And once to all mature snapshots, for the release: leaving
the newest leads out of the model that scores tonight costs more, under drift, than anything else. What is measured is
the procedure; the card says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from features.catalogue import Catalogue, catalogue, check_excluded
from features.errors import TooLittleData
from features.kinds import kinds_of
from models.assembling import assemble
from models.encoding import Floats
from models.estimator import check_enough
from models.intervals import Interval
from models.uncertainty import fit_band
from pipelines import figures, out_of_time
from pipelines.changes import changes, same_training
from pipelines.config import Settings
from pipelines.leak_report import find_leaks
from pipelines.moments import moment
from pipelines.points import points_of
from pipelines.proving import Proof, learner, prove
from pipelines.registering import log, register
from pipelines.release_cache import ReleaseCache
from pipelines.rival import NoRival, Rival, foretold, rival_of
from pipelines.snapshots import TrainingFrame, When, training_frame, voluntary_types
from pipelines.store import Inventory, LeadStore
from pipelines.tracking import Tracking
from pipelines.training_facts import training_facts
from pipelines.tuning import Tuned, brought, in_words, tune

Say = Callable[[str], None]
NO_SKILL: Final = "no skill"


@dataclass(frozen=True)
class TrainReport:
    """What a training found; `version` is None when nothing was registered."""

    version: str | None
    verdict: str
    facts: Mapping[str, Any]
    digest: str | None
    run_id: str

    def as_dict(self) -> dict[str, Any]:
        """What `train --json` prints."""
        keys = (
            "snapshots", "metrics", "baselines", "differences", "folds", "months", "segments", "targets", "calibration",
            "champion", "verdict_reason", "leaks", "left_out", "excluded", "data", "label",
        )  # fmt: skip
        return {
            "version": self.version,
            "verdict": self.verdict,
            **{key: self.facts.get(key) for key in keys},
            "release_digest": self.digest,
            "run_id": self.run_id,
            "notes": self.facts["notes"],
        }


def read_inventory(store: LeadStore, *, as_of: int | None) -> Inventory:
    """What the store held before `as_of` (None: what it holds).

    Raises
    ------
    TooLittleData
        That is nothing.
    """
    inventory = store.inventory(until=as_of)
    if inventory.leads == 0:
        when = " before --as-of" if as_of is not None else ""
        raise TooLittleData(f"The store holds no leads{when}. Import some first: leadscore import FILE --mapping NAME.")
    return inventory


def known_until(inventory: Inventory, *, as_of: int | None) -> int:
    """Up to when what the store knows is looked at: `as_of`, but not beyond what it holds."""
    return inventory.known_until if as_of is None else min(as_of, inventory.known_until)


def read_catalogue(inventory: Inventory, settings: Settings) -> Catalogue:
    """The columns this store can fill, under these settings."""
    return catalogue(
        kinds=kinds_of(inventory.event_types, settings.events.kinds),
        type_counts=inventory.event_types,
        profile_columns=inventory.profile_columns,
        attributes={**inventory.attributes, **settings.attributes},
        exclude=settings.features.exclude,
    )


def read_frame(
    store: LeadStore,
    settings: Settings,
    inventory: Inventory,
    columns: Catalogue,
    *,
    as_of: int | None,
    progress: Callable[[int, int], None],
) -> TrainingFrame:
    """The mature snapshots of everything known before `as_of` (None: everything the store knows)."""
    return training_frame(
        store,
        columns,
        when=When(settings.snapshots.at, settings.snapshots.every_days, tuple(settings.snapshots.days_after_creation)),
        target_stage=settings.label.target_stage,
        horizon_days=settings.label.horizon_days,
        voluntary=voluntary_types(inventory, columns.kinds, settings.cohort.voluntary_kinds),
        first=inventory.first_created_at,
        until=known_until(inventory, as_of=as_of),
        most=settings.snapshots.most,
        range_leads=settings.score.range_leads,
        progress=progress,
    )


def train(
    store: LeadStore,
    settings: Settings,
    tracking: Tracking,
    *,
    as_of: int | None,
    now: datetime,
    tune_minutes: float | None = None,
    say: Say = lambda _: None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> TrainReport:
    """Train on everything known before `as_of` (microseconds UTC; None: everything the store knows).

    Parameters
    ----------
    tune_minutes : how long to look for a better shape of the trees; None: not at all

    Raises
    ------
    TooLittleData
        Too few outcomes, in training or in the test, to learn or to prove anything.
    """
    inventory = read_inventory(store, as_of=as_of)
    for sentence in inventory.left_out:
        say(sentence)
    until = known_until(inventory, as_of=as_of)
    columns = read_catalogue(inventory, settings)
    if as_of is None:  # before an earlier moment, a column may not be there yet
        check_excluded(settings.features.exclude, of=columns)
    say(f"{inventory.leads:,} leads and {inventory.events:,} events; outcomes are known up to {moment(until)}")
    say(_left_out_summary(columns))
    data = read_frame(store, settings, inventory, columns, as_of=as_of, progress=progress)
    say(
        f"{len(data.outcome):,} mature snapshots, {int(data.outcome.sum()):,} converted within "
        f"{settings.label.horizon_days} days; {data.dropped_immature:,} dropped as immature"
    )
    check_enough(data.outcome, where="the training frame")
    leaks = find_leaks(store, data, columns, target_stage=settings.label.target_stage, until=until)
    for leak in leaks:
        say(f"leak? {leak['column']}: {leak['sentence']}")
    points = points_of(store, settings, inventory, data)
    return _Training(settings, columns, data, points, leaks, until, tune_minutes, say).run(store, tracking, now)


@dataclass(frozen=True)
class _Training:
    """One training at work: what it was given, and the steps in order."""

    settings: Settings
    columns: Catalogue
    data: TrainingFrame
    points: Floats | None
    leaks: list[dict[str, Any]]
    until: int
    tune_minutes: float | None
    say: Say

    def run(self, store: LeadStore, tracking: Tracking, now: datetime) -> TrainReport:
        """Prove, decide, and only then fit and register the release."""
        proof = prove(self.data, self.settings, self.columns, points=self.points, say=self.say)
        tuned, tuning = None, None
        if self.tune_minutes is not None:
            tuned, tuning, proof = self._tuned(proof, self.tune_minutes)
        better = proof.together.differences["base_rate"]["log_loss"].interval
        verdict, reason = decide(proof.model.metrics, better)
        self.say(f"{verdict}: {reason}")
        facts = training_facts(
            proof,
            better,
            self.data,
            self.settings,
            self.columns,
            until=self.until,
            verdict=verdict,
            reason=reason,
            leaks=self.leaks,
        )
        facts["tuning"] = tuning
        drawn, trials = figures.of_proof(facts), tuned.trials if tuned else ()
        if verdict == NO_SKILL:
            facts |= {"features": [], "notes": list(proof.last.learned.notes)}
            return TrainReport(None, verdict, facts, None, log(tracking, self.settings, facts, drawn, trials=trials))
        ours = foretold(proof)
        rival = rival_of(
            store,
            tracking,
            ReleaseCache(Path(self.settings.release.cache)),
            self.settings,
            self.data,
            self.columns,
            proof,
            say=self.say,
        )
        facts |= self._since(rival, facts, ours)
        self.say("fitting the release on all mature snapshots")
        everything = np.arange(len(self.data.outcome))
        shape = tuned.shape if tuned and tuning and tuning["used"] else None
        final = learner(self.data, self.settings, self.columns, shape=shape)(everything, self.data.outcome)
        made = assemble(
            final,
            self.data.frame,
            columns=self.columns,
            band=fit_band(proof.backtest.log_odds, proof.outcome, lead_id=proof.lead_id.tolist()),
            facts=facts,
            target_stage=self.settings.label.target_stage,
            horizon_days=self.settings.label.horizon_days,
        )
        drawn["importance.png"] = figures.importance(made.card["features"])
        version, run_id, digest = register(
            store, tracking, self.settings, made, drawn, foretold=ours, trials=trials, now=now, say=self.say
        )
        if isinstance(rival, Rival):
            with store.transaction():
                store.engine.serialised()
                out_of_time.remember(store, rival.champion.digest, rival.fresh)
        return TrainReport(version, verdict, made.card, digest, run_id)

    def _tuned(self, default: Proof, minutes: float) -> tuple[Tuned, dict[str, Any], Proof]:
        """The best shape found, what it brought, and the proof of what will be released."""
        journal = Path(self.settings.release.cache).parent / "tuning"
        tuned = tune(self.data, self.settings, self.columns, minutes=minutes, journal=journal, say=self.say)
        self.say("proving the best shape on the later leads, beside the default")
        proof = prove(self.data, self.settings, self.columns, points=self.points, shape=tuned.shape, say=self.say)
        tuning = brought(tuned, proof, default, self.settings)
        self.say(in_words(tuning))
        return tuned, tuning, proof if tuning["used"] else default

    def _since(self, rival: Rival | NoRival, facts: dict[str, Any], ours: pd.DataFrame) -> dict[str, Any]:
        """The candidate beside the champion; a training that repeats the champion's finds the same card again."""
        if isinstance(rival, NoRival):
            return {"champion": rival.as_dict(), "changes": None}
        if same_training(facts, rival.card):
            return {key: rival.card.get(key) for key in ("champion", "changes")}
        named = facts | {"features": [{"name": name} for name in self.columns.names]}
        return {
            "champion": rival.facts(ours, self.settings),
            "changes": changes(named, rival.card, since_version=rival.champion.version),
        }


def decide(metrics: Mapping[str, Interval], better: Interval) -> tuple[str, str]:
    """Candidate or no skill: the model must beat the base rate, and rank better than chance, beyond doubt.

    Parameters
    ----------
    better : the model's log loss less the base rate's, on the same leads

    Returns
    -------
    (verdict, reason)
    """
    auc = metrics["roc_auc"]
    gained = (
        f"log loss {-better.value:+.4f} against the base rate (95 % interval {-better.high:+.4f} to {-better.low:+.4f})"
    )
    ranked = f"ROC-AUC {auc.value:.3f} ({auc.low:.3f} to {auc.high:.3f})"
    if better.high < 0 and auc.low > 0.5:
        return "candidate", f"gains {gained}; {ranked}."
    return NO_SKILL, (
        f"no skill found: {gained}; {ranked}. On later leads the model cannot be told from the base rate, so nothing "
        "was registered. What would decide is not among the columns: look for what is known before the outcome."
    )


def _left_out_summary(columns: Catalogue) -> str:
    reasons: dict[str, int] = {}
    for why in columns.left_out.values():
        reasons[why] = reasons.get(why, 0) + 1
    listed: Sequence[str] = [f"{why} ({n})" for why, n in sorted(reasons.items(), key=lambda item: -item[1])]
    shown = "; ".join(listed[:3]) + ("; …" if len(listed) > 3 else "")
    return f"{len(columns.columns)} features; {len(columns.left_out)} left out" + (f": {shown}" if listed else "")

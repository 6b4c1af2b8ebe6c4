"""Fit, calibrate, evaluate on later leads, and register a candidate; or say "no skill", and register nothing.

The procedure is applied twice. Once to the earlier snapshots, to be measured on the later ones, a horizon apart: that
is the evidence. Once to all mature snapshots, for the release: leaving the newest leads out of the model that scores
tonight costs more, under drift, than anything else. What is measured is the procedure; the card says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from scipy.special import expit

from features.catalogue import Catalogue, catalogue
from features.errors import TooLittleData
from features.kinds import kinds_of
from models.assembling import assemble
from models.baselines import base_rate, logistic_regression
from models.estimator import Learned, check_enough, learn
from models.evaluation import Evaluation, Interval, evaluate, paired_difference
from models.splits import check_gap, split_by_time
from models.uncertainty import fit_band
from pipelines import figures
from pipelines.config import Settings
from pipelines.leak_report import find_leaks
from pipelines.moments import moment
from pipelines.registering import log, register
from pipelines.snapshots import TrainingFrame, When, training_frame, voluntary_types
from pipelines.store import Inventory, LeadStore
from pipelines.tracking import Tracking

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
        keys = ("snapshots", "metrics", "baselines", "verdict_reason", "leaks", "left_out", "excluded", "data", "label")
        return {
            "version": self.version,
            "verdict": self.verdict,
            **{key: self.facts[key] for key in keys},
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
    until = min(as_of, inventory.known_until) if as_of is not None else inventory.known_until
    return training_frame(
        store,
        columns,
        when=When(settings.snapshots.at, settings.snapshots.every_days, tuple(settings.snapshots.days_after_creation)),
        target_stage=settings.label.target_stage,
        horizon_days=settings.label.horizon_days,
        voluntary=voluntary_types(inventory, columns.kinds, settings.cohort.voluntary_kinds),
        first=inventory.first_created_at,
        until=until,
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
    say: Say = lambda _: None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> TrainReport:
    """Train on everything known before `as_of` (microseconds UTC; None: everything the store knows).

    Raises
    ------
    TooLittleData
        Too few outcomes, in training or in the test, to learn or to prove anything.
    """
    inventory = read_inventory(store, as_of=as_of)
    for sentence in inventory.left_out:
        say(sentence)
    until = min(as_of, inventory.known_until) if as_of is not None else inventory.known_until
    columns = read_catalogue(inventory, settings)
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
    return _Training(settings, columns, data, leaks, until, say).run(store, tracking, now)


@dataclass(frozen=True)
class _Training:
    """One training at work: what it was given, and the steps in order."""

    settings: Settings
    columns: Catalogue
    data: TrainingFrame
    leaks: list[dict[str, Any]]
    until: int
    say: Say

    def run(self, store: LeadStore, tracking: Tracking, now: datetime) -> TrainReport:
        """Prove, decide, and only then fit and register the release."""
        horizon = self.settings.label.horizon_days
        as_of, leads = self.data.as_of, np.asarray(self.data.lead_id, object)
        split = split_by_time(as_of, later_share=self.settings.splits.test_share, horizon_days=horizon)
        check_gap(earlier_as_of=as_of[split.earlier], later_as_of=as_of[split.later], horizon_days=horizon)
        self.say(f"learning from {len(split.earlier):,} snapshots, to be tested on {len(split.later):,} later ones")
        proof = self._learn(split.earlier)
        later, outcome = self.data.frame.iloc[split.later], self.data.outcome[split.later]
        if len(np.unique(outcome)) < 2:
            raise TooLittleData(
                f"The test needs both outcomes; all {len(outcome):,} later snapshots have the same one. Import more "
                "history, or raise [splits] test_share."
            )
        self.say(f"evaluating, with {self.settings.model.resamples} resamples by lead behind every interval")
        log_odds = proof.model.log_odds(later)
        predictions = {
            "model": expit(log_odds),
            "base_rate": base_rate(self.data.outcome[split.earlier], rows=len(later)),
            "logistic": logistic_regression(
                self.data.frame.iloc[split.earlier], self.data.outcome[split.earlier], later
            ),
        }
        results = {
            name: evaluate(
                probability,
                outcome,
                lead_id=leads[split.later].tolist(),
                base_rate_probability=float(self.data.outcome[split.earlier].mean()),
                resamples=self.settings.model.resamples,
                seed=self.settings.model.seed,
            )
            for name, probability in predictions.items()
        }
        better = paired_difference(
            "log_loss",
            predictions["model"],
            predictions["base_rate"],
            outcome,
            lead_id=leads[split.later].tolist(),
            resamples=self.settings.model.resamples,
            seed=self.settings.model.seed,
        )
        verdict, reason = decide(results["model"].metrics, better)
        self.say(f"{verdict}: {reason}")
        facts = self._facts(proof, results, verdict=verdict, reason=reason, gap=len(split.gap), test=len(split.later))
        drawn = {
            "reliability.png": figures.reliability(facts["calibration_table"]),
            "gain.png": figures.gain({n: p for n, p in predictions.items() if n != "base_rate"}, outcome),
        }
        if verdict == NO_SKILL:
            facts |= {"features": [], "notes": list(proof.notes)}
            return TrainReport(None, verdict, facts, None, log(tracking, self.settings, facts, drawn))
        self.say("fitting the release on all mature snapshots")
        everything = np.arange(len(self.data.outcome))
        final = self._learn(everything)
        band = fit_band(log_odds, outcome, lead_id=leads[split.later].tolist())
        made = assemble(
            final,
            self.data.frame,
            columns=self.columns,
            band=band,
            facts=facts,
            target_stage=self.settings.label.target_stage,
            horizon_days=horizon,
        )
        drawn["importance.png"] = figures.importance(made.card["features"])
        version, run_id, digest = register(store, tracking, self.settings, made, drawn, now=now, say=self.say)
        return TrainReport(version, verdict, made.card, digest, run_id)

    def _learn(self, rows: "np.ndarray[Any, np.dtype[np.int64]]") -> Learned:
        return learn(
            self.data.frame.iloc[rows],
            self.data.outcome[rows],
            lead_id=np.asarray(self.data.lead_id, object)[rows].tolist(),
            as_of=self.data.as_of[rows],
            horizon_days=self.settings.label.horizon_days,
            monotone={column.name: column.monotone for column in self.columns.columns if column.monotone},
            seed=self.settings.model.seed,
            progress=self.say,
        )

    def _facts(
        self, proof: Learned, results: Mapping[str, Evaluation], *, verdict: str, reason: str, gap: int, test: int
    ) -> dict[str, Any]:
        metrics = {name: {k: i.as_dict() for k, i in result.metrics.items()} for name, result in results.items()}
        as_of = self.data.as_of
        return {
            "verdict": verdict,
            "verdict_reason": reason,
            "label": {
                "target_stage": self.settings.label.target_stage,
                "horizon_days": self.settings.label.horizon_days,
            },
            "data": {
                "first_as_of": moment(int(as_of.min())),
                "last_as_of": moment(int(as_of.max())),
                "known_until": moment(self.until),
                "digest": self.data.digest(),
                "config_digest": self.settings.digest(),
                "sampled_share": self.data.sampled_share,
            },
            "snapshots": {
                "train": proof.trained,
                "calibrate": proof.calibrated,
                "test": test,
                "dropped_immature": self.data.dropped_immature,
                "dropped_in_gap": gap + proof.dropped_in_gap,
                "converted_in_test": int(results["model"].converted),
            },
            "excluded": dict(self.data.excluded),
            "metrics": metrics["model"],
            "baselines": {name: metrics[name] for name in ("base_rate", "logistic")},
            "calibration_table": [asdict(row) for row in results["model"].calibration_table],
            "leaks": self.leaks,
            "left_out": dict(self.columns.left_out),
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

"""Fit, calibrate, evaluate on later leads, and register a candidate; or say "no skill", and register nothing.

The procedure is applied twice. Once to the earlier snapshots, to be measured on the later ones, a horizon apart: that
is the evidence. Once to all mature snapshots, for the release: leaving the newest leads out of the model that scores
tonight costs more, under drift, than anything else. What is measured is the procedure; the card says so.
"""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from features.catalogue import Catalogue, catalogue
from features.errors import TooLittleData
from features.kinds import kinds_of
from models import bundle, card
from models.baselines import base_rate, logistic_regression
from models.contract import Contract, ContractColumn, ranges
from models.estimator import Learned, check_enough, learn
from models.evaluation import Evaluation, Interval, evaluate, paired_difference
from models.explanation import importance, linear_centre
from models.leak_names import denied_name
from models.leaks import changed_after_outcome_probe, single_feature_probe
from models.splits import check_gap, split_by_time
from models.uncertainty import fit_band
from pipelines import figures, release
from pipelines.config import Settings
from pipelines.moments import moment
from pipelines.snapshots import TrainingFrame, When, training_frame, voluntary_types
from pipelines.store import Inventory, LeadStore
from pipelines.tracking import CANDIDATE, Registered, Tracking

Say = Callable[[str], None]
NO_SKILL: Final = "no skill"
#: Importance is measured on at most so many rows: it is an average.
IMPORTANCE_ROWS: Final = 5000


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
    leaks = find_leaks(store, data, columns, target_stage=settings.label.target_stage)
    for leak in leaks:
        say(f"leak? {leak['column']}: {leak['sentence']}")
    return _Training(settings, columns, data, leaks, until, say).run(store, tracking, now)


def find_leaks(store: LeadStore, data: TrainingFrame, columns: Catalogue, *, target_stage: str) -> list[dict[str, Any]]:
    """Everything that looks like a column written after the outcome: by value, by history, by name."""
    found: dict[str, dict[str, Any]] = {}
    for probe in single_feature_probe(data.frame, data.outcome):
        if probe.leak is not None:
            found[probe.column] = asdict(probe.leak) | {"auc": probe.auc}
    for leak in changed_after_outcome_probe(*_changes(store, columns, target_stage=target_stage)):
        found.setdefault(leak.column, asdict(leak))
    for name in columns.attributes:
        why = denied_name(name)
        if why is not None:
            sentence = f"{why} Exclude it ([features] exclude), or declare it ignored in the mapping."
            found.setdefault(
                name, {"column": name, "probe": "name", "value": None, "limit": None, "sentence": sentence}
            )
    return [found[name] for name in sorted(found)]


def _changes(store: LeadStore, columns: Catalogue, *, target_stage: str) -> tuple[pd.DataFrame, "pd.Series[Any]"]:
    """Every change of a declared attribute between two profiles of a lead, and when each lead converted."""
    rows = store.arrow(
        "SELECT lead_id, epoch_us(known_at) AS known_at, attributes FROM profiles WHERE lead_id IN "
        "(SELECT lead_id FROM profiles GROUP BY lead_id HAVING count(*) > 1) ORDER BY lead_id, known_at"
    ).to_pylist()
    changes = []
    for before, after in pairwise(rows):
        if before["lead_id"] == after["lead_id"]:
            old, new = json.loads(before["attributes"] or "{}"), json.loads(after["attributes"] or "{}")
            changes += [
                {"lead_id": after["lead_id"], "attribute": name, "known_at": after["known_at"]}
                for name in columns.attributes
                if old.get(name) != new.get(name)
            ]
    outcomes = store.arrow(
        "SELECT lead_id, min(epoch_us(entered_at)) AS t FROM stage_changes WHERE stage = $stage GROUP BY lead_id",
        {"stage": target_stage},
    ).to_pandas()
    frame = pd.DataFrame(changes, columns=["lead_id", "attribute", "known_at"])
    return frame, outcomes.set_index("lead_id")["t"]


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
        predictions = {
            "model": proof.model.probability(later),
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
            logged = self._log(tracking, facts, drawn, None)
            assert isinstance(logged, str)
            return TrainReport(None, verdict, facts, None, logged)
        self.say("fitting the release on all mature snapshots")
        everything = np.arange(len(self.data.outcome))
        final = self._learn(everything)
        band = fit_band(proof.model.log_odds(later), outcome, lead_id=leads[split.later].tolist())
        made = self._release(final, facts, band)
        drawn["importance.png"] = figures.importance(made.card["features"])
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "release"
            folder.mkdir()
            digest = release.write(made, folder)
            release.load(folder, digest=digest)
            version, run_id = self._register(store, tracking, made.card, drawn, folder, digest, now)
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

    def _release(self, final: Learned, facts: dict[str, Any], band: Any) -> bundle.Release:
        frame = self.data.frame.reset_index(drop=True)
        encoding = final.model.members.encoding
        centre = linear_centre(encoding, frame)
        measured = ranges(frame, encoding=encoding)
        step = max(1, len(frame) // IMPORTANCE_ROWS)
        weight = importance(final.model, frame.iloc[::step], centre=centre)
        contract = Contract(
            columns=tuple(
                ContractColumn(c.name, c.type, c.about, c.unit, c.missing, c.family, c.monotone, **measured[c.name])
                for c in self.columns.columns
            ),
            kinds=dict(self.columns.kinds),
            own_kinds=self.columns.own_kinds,
            attributes=dict(self.columns.attributes),
            profile_columns=self.columns.profile_columns,
            target_stage=self.settings.label.target_stage,
            horizon_days=self.settings.label.horizon_days,
        )
        features = [
            {
                "name": c.name,
                "about": c.about,
                "unit": c.unit,
                "missing": c.missing,
                "family": c.family,
                "importance": weight[c.name],
            }
            for c in contract.columns
        ]
        notes = [
            *final.notes,
            f"{final.trees} trees, logistic penalty C = {final.penalty}, calibration: {final.model.calibrator.method}",
        ]
        whole = facts | {"features": features, "notes": notes}
        return bundle.Release(final.model, contract, band, centre, whole, card.to_markdown(whole))

    def _register(
        self,
        store: LeadStore,
        tracking: Tracking,
        facts: Mapping[str, Any],
        drawn: Mapping[str, Any],
        folder: Path,
        digest: str,
        now: datetime,
    ) -> tuple[str, str]:
        """Register the release, last of all; one that is there already is found again, not registered twice."""
        for (known,) in store.rows("SELECT model_version FROM releases WHERE digest = ?", [digest]):
            if tracking.exists(str(known)):
                self.say(f"same data, same configuration: this is the release of version {known}, registered before")
                logged = self._log(tracking, facts, drawn, None)
                tracking.set_alias(CANDIDATE, str(known))
                assert isinstance(logged, str)
                return str(known), logged
        registered = self._log(tracking, facts, drawn, folder, digest=digest)
        assert isinstance(registered, Registered)
        with store.transaction():
            store.connection.execute(
                "INSERT INTO releases (model_version, digest, status, registered_at, facts) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (model_version) DO UPDATE SET digest = excluded.digest, status = excluded.status, "
                "registered_at = excluded.registered_at, promoted_at = NULL, facts = excluded.facts",
                [registered.version, digest, "candidate", now, _facts_text(facts)],
            )
        tracking.set_alias(CANDIDATE, registered.version)
        return registered.version, registered.run_id

    def _log(
        self,
        tracking: Tracking,
        facts: Mapping[str, Any],
        drawn: Mapping[str, Any],
        folder: Path | None,
        *,
        digest: str = "",
    ) -> Registered | str:
        numbers = {f"{name}": m["value"] for name, m in facts["metrics"].items() if m["value"] is not None}
        for baseline, metrics in facts["baselines"].items():
            numbers |= {f"{baseline}.{k}": m["value"] for k, m in metrics.items() if m["value"] is not None}
        for name, m in facts["metrics"].items():
            numbers |= {f"{name}.{end}": m[end] for end in ("low", "high") if m[end] is not None}
        parameters = {
            f"{section}.{key}": value
            for section, keys in self.settings.model_dump(exclude={"store", "tracking", "attributes"}).items()
            for key, value in keys.items()
        }
        return tracking.log_run(
            name=f"train {facts['data']['known_until'][:10]}",
            parameters=parameters,
            metrics=numbers | {f"snapshots.{k}": float(v) for k, v in facts["snapshots"].items()},
            tags={
                "verdict": facts["verdict"],
                "data_digest": facts["data"]["digest"],
                "data_first_as_of": facts["data"]["first_as_of"],
                "data_last_as_of": facts["data"]["last_as_of"],
                "release_digest": digest,
            },
            documents={"card.json": dict(facts)},
            figures=drawn,
            release=folder,
        )


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


def _facts_text(facts: Mapping[str, Any]) -> str:
    kept = {key: facts[key] for key in ("verdict", "verdict_reason", "label", "data", "snapshots", "metrics")}
    return json.dumps(kept, ensure_ascii=False)

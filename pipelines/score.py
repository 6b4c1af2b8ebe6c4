"""The nightly job: score today's cohort with the champion, audit, and publish."""

import shutil
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from features.cohort import eligible
from features.errors import ConfigError, ReleaseRefused
from features.kinds import kinds_of
from models.bundle import Release
from pipelines import publishing, release
from pipelines.config import Settings
from pipelines.moments import microseconds
from pipelines.publishing import Counts
from pipelines.snapshots import voluntary_types
from pipelines.store import LeadStore
from pipelines.tracking import CHAMPION, Tracking
from serve.bands import BandLimits
from serve.scorer import Policy, catalogue_of, score
from serve.stages import StageLimits

NOT_FINITE = "no finite probability"


@dataclass(frozen=True)
class ScoreReport:
    """What a run did. `status`: published, unchanged (published before, by the same release) or dry run."""

    run_id: str | None
    as_of: str
    status: str
    model_version: str
    leads_in: int
    scored: int
    excluded: dict[str, int]
    quarantined: dict[str, int]
    stages: dict[str, int]
    bands: dict[str, int]
    mean_probability: float | None
    new_categories: dict[str, float]
    checked: list[str]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """What `score --json` prints."""
        return asdict(self)


def run(
    store: LeadStore,
    settings: Settings,
    tracking: Tracking,
    *,
    as_of: datetime,
    clock: Callable[[], datetime],
    dry_run: bool = False,
    supersede: str | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> ScoreReport:
    """Score every eligible lead as of a moment, and publish the run.

    Parameters
    ----------
    clock : tells the time; for the ledger alone, nothing computed depends on it
    dry_run : compute and report, write nothing
    supersede : the reason for publishing over a run of another release or configuration

    Raises
    ------
    ReleaseRefused
        There is no champion, or it is not what was registered.
    AuditRefused
        The run's own checks failed; nothing was published.
    ConfigError
        Another release's or configuration's run is published for this as_of, and no reason to supersede it is given.
    """
    started = time.monotonic()
    version, digest, champion = load_champion(store, tracking)
    before = publishing.published_run(store, as_of=as_of)
    if before and not dry_run and supersede is None:
        if (before.release_digest, before.config_digest) == (digest, settings.digest()):
            return _unchanged(store, before, as_of, version, time.monotonic() - started)
        raise ConfigError(
            f"Version {before.model_version} is published for {as_of:%Y-%m-%d %H:%M} UTC, under another release or "
            f"configuration than version {version} would be. To publish over it, give --supersede 'REASON'; the old "
            "scores stay in the store."
        )
    run_id = uuid.uuid4().hex
    if not dry_run:
        publishing.begin_run(
            store,
            run_id=run_id,
            as_of=as_of,
            model_version=version,
            release_digest=digest,
            config_digest=settings.digest(),
            now=clock(),
        )
    try:
        counts, summary, new = _score_all(
            store, settings, champion, as_of=as_of, stage_as=None if dry_run else (run_id, version), progress=progress
        )
        checked: list[str] = []
        if not dry_run:
            checked = publishing.audit(
                store,
                counts,
                run_id=run_id,
                as_of=as_of,
                least_volume_share=settings.score.least_volume_share,
                most_mean_factor=settings.score.most_mean_factor,
            )
            publishing.publish(store, counts, run_id=run_id, as_of=as_of, message=supersede or "", now=clock())
    except BaseException as error:
        if not dry_run:
            publishing.fail_run(store, run_id=run_id, message=f"{type(error).__name__}: {error}", now=clock())
        raise
    return ScoreReport(
        run_id=None if dry_run else run_id,
        as_of=as_of.isoformat(),
        status="dry run" if dry_run else "published",
        model_version=version,
        leads_in=counts.leads_in,
        scored=counts.scored,
        excluded=dict(counts.excluded),
        quarantined=dict(counts.quarantined),
        stages=_counted(summary["recommended_stage"]),
        bands=_counted(summary["band"]),
        mean_probability=float(summary["probability"].mean()) if len(summary) else None,
        new_categories=new,
        checked=checked,
        seconds=round(time.monotonic() - started, 3),
    )


def load_champion(store: LeadStore, tracking: Tracking) -> tuple[str, str, Release]:
    """The champion's version, the digest it was registered under, and its verified release.

    Raises
    ------
    ReleaseRefused
    """
    version = tracking.version_of(CHAMPION)
    if version is None:
        raise ReleaseRefused(
            f"No version of {tracking.model_name} is champion in {tracking.uri}. Train one (leadscore train) and let "
            "it through (leadscore promote VERSION)."
        )
    return version, *load_version(store, tracking, version)


def load_version(store: LeadStore, tracking: Tracking, version: str) -> tuple[str, Release]:
    """The digest a version was registered under in this store, and its release, verified against it.

    Raises
    ------
    ReleaseRefused
    """
    rows = store.rows("SELECT digest FROM releases WHERE model_version = ?", [version])
    if not rows:
        raise ReleaseRefused(
            f"Version {version} of {tracking.model_name} was not registered from the store {store.where}: its digest "
            "is not there. Train on this store, or name the right one with --store."
        )
    folder = tracking.download(version)
    try:
        return str(rows[0][0]), release.load(folder, digest=str(rows[0][0]))
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)


def policy(settings: Settings) -> Policy:
    """The company's decisions, checked across sections.

    Raises
    ------
    ConfigError
        Limits that contradict each other.
    """
    s = settings.stages
    return Policy(
        bands=BandLimits(**settings.bands.model_dump()),
        stages=StageLimits(
            mql_probability=s.mql_probability,
            sal_probability=s.sal_probability,
            sql_probability=s.sql_probability,
            pql_min_probability=s.pql_min_probability,
            recycle_after_days=s.recycle_after_days,
        ),
        intent_days=s.intent_days,
        product_use_days=s.product_use_days,
        out_of_target_functions=s.out_of_target_functions,
        out_of_target_email_classes=s.out_of_target_email_classes,
        out_of_target_countries=s.out_of_target_countries,
        reasons=settings.score.reasons,
    )


def _score_all(
    store: LeadStore,
    settings: Settings,
    champion: Release,
    *,
    as_of: datetime,
    stage_as: tuple[str, str] | None,
    progress: Callable[[int, int], None],
) -> tuple[Counts, pd.DataFrame, dict[str, float]]:
    """Score range by range, into staging unless it is a dry run; what is kept in memory is a few columns per lead."""
    moment = microseconds(as_of)
    inventory = store.inventory(until=moment)
    kinds = kinds_of(inventory.event_types, settings.events.kinds)
    voluntary = voluntary_types(inventory, kinds, settings.cohort.voluntary_kinds)
    columns, decisions = catalogue_of(champion.contract), policy(settings)
    excluded: Counter[str] = Counter()
    quarantined: Counter[str] = Counter()
    new: dict[str, float] = {}
    leads_in, kept = 0, []
    ranges = store.lead_ranges(size=settings.score.range_leads)
    for done, (first, last) in enumerate(ranges):
        tables = store.read(first, last)
        asked = pd.DataFrame({"lead_id": tables.leads.column("lead_id").to_pandas(), "as_of": moment})
        cohort = eligible(tables, asked, target_stage=champion.contract.target_stage, voluntary_types=voluntary)
        leads_in += len(asked)
        excluded.update(cohort.excluded)
        scores, more = score(champion, tables, cohort.snapshots, columns=columns, kinds=kinds, policy=decisions)
        finite = np.isfinite(scores["probability"].to_numpy(np.float64))
        if not finite.all():
            quarantined[NOT_FINITE] += int((~finite).sum())
            scores = scores[finite]
        for name, share in more.items():
            new[name] = max(share, new.get(name, 0.0))
        if stage_as is not None:
            points = store.points_as_of(first, last, as_of=moment)
            scores = scores.assign(points=scores["lead_id"].map(points).astype("float64"))
            publishing.stage(store, scores, run_id=stage_as[0], model_version=stage_as[1])
        kept.append(scores[["probability", "band", "recommended_stage"]])
        progress(done + 1, len(ranges))
    summary = pd.concat(kept) if kept else pd.DataFrame(columns=["probability", "band", "recommended_stage"])
    return Counts(leads_in, len(summary), dict(excluded), dict(quarantined)), summary, new


def _unchanged(
    store: LeadStore, before: publishing.PublishedRun, as_of: datetime, version: str, seconds: float
) -> ScoreReport:
    rows = store.arrow(
        "SELECT probability, band, recommended_stage FROM scores WHERE run_id = $run", {"run": before.run_id}
    ).to_pandas()
    return ScoreReport(
        run_id=before.run_id,
        as_of=as_of.isoformat(),
        status="unchanged",
        model_version=version,
        leads_in=before.counts.leads_in,
        scored=before.counts.scored,
        excluded=dict(before.counts.excluded),
        quarantined=dict(before.counts.quarantined),
        stages=_counted(rows["recommended_stage"]),
        bands=_counted(rows["band"]),
        mean_probability=float(rows["probability"].mean()) if len(rows) else None,
        new_categories={},
        checked=["published before by the same release and configuration: nothing to do"],
        seconds=round(seconds, 3),
    )


def _counted(column: "pd.Series[Any]") -> dict[str, int]:
    return {str(name): int(count) for name, count in column.value_counts().sort_index().items()}

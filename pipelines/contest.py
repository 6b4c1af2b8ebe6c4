"""Two rankings put before the same later snapshots: the model against the points, or one version against another.

The model against the points is the proof of a training: at each cut-off both learn from what was known then. Versions
are judged by what they foretold of leads they had not learned from, which the store keeps by each release's digest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.catalogue import Catalogue
from features.errors import TooLittleData, UserError
from features.tables import MICROSECONDS_PER_DAY
from models.baselines import points_probability
from models.bundle import Release
from models.encoding import Floats
from models.evaluation import Together, evaluate_together
from models.non_inferiority import LEAST_IN_COMMON
from pipelines import active_release, cards, champion, out_of_time
from pipelines.champion import Champion
from pipelines.config import Settings
from pipelines.points import points_of
from pipelines.proving import DIFFERENCES, MODEL, Proof, capacity_share, lists, prove
from pipelines.release_cache import ReleaseCache
from pipelines.snapshots import TrainingFrame
from pipelines.store import Inventory, LeadStore
from pipelines.tracking import Tracking, ask_briefly

Say = Callable[[str], None]

POINTS: Final = "points"
_KEY: Final = ["lead_id", "as_of"]
_NO_POINTS: Final = (
    "The store holds no points of marketing's: import a file with lead_id, known_at and points "
    "(leadscore import FILE --mapping generic), or count them by a card ([points] source)."
)


@dataclass(frozen=True)
class Contest:
    """Rankings A and B of the same mature snapshots, in one order throughout.

    `a` and `b` rank (the best highest, NaN below all), `together` judges their probabilities under the names "a", "b";
    `row` is each snapshot's place in the training frame, -1 where that has it no more.
    """

    names: tuple[str, str]
    """What the two are called: "model", "points", or "version N"."""
    lead_id: npt.NDArray[np.object_]
    as_of: npt.NDArray[np.int64]
    outcome: npt.NDArray[np.int64]
    a: Floats
    b: Floats
    a_probability: Floats
    b_probability: Floats
    row: npt.NDArray[np.intp]
    points: Floats | None
    """Marketing's points of each snapshot, where B is they."""
    proof: Proof | None
    """Behind A, where it is the model as it would be trained: it can give its reasons."""
    together: Together
    drawn: float = 1.0
    """The share of all leads that these were drawn from: so much shorter are the lists here."""
    release: Release | None = None
    """Of A, where it is a version whose files are at hand: what it says now of these leads."""

    def frame(self, data: TrainingFrame) -> pd.DataFrame:
        """The features of each snapshot; missing where the training frame has it no more."""
        if (self.row >= 0).all():
            return data.frame.iloc[self.row].reset_index(drop=True)
        return data.frame.reset_index(drop=True).reindex(pd.Index(np.where(self.row < 0, len(data.frame), self.row)))


def model_against_points(
    store: LeadStore, settings: Settings, inventory: Inventory, columns: Catalogue, data: TrainingFrame, *, say: Say
) -> Contest:
    """The model, trained anew at each cut-off, against marketing's points.

    Raises
    ------
    UserError
        The store holds no points.
    TooLittleData
        Too few outcomes on either side of the split.
    """
    points = points_of(store, settings, inventory, data, say=say)
    if points is None:
        raise UserError(_NO_POINTS)
    proof = prove(data, settings, columns, points=points, against=(POINTS,), say=say)
    row, probability = proof.backtest.row, proof.backtest.probability
    found = proof.together
    renamed = Together(
        "a",
        {"a": found.evaluations[MODEL], "b": found.evaluations[POINTS]},
        {"b": found.differences[POINTS]},
    )
    return Contest(
        names=(MODEL, POINTS),
        lead_id=proof.lead_id,
        as_of=proof.as_of,
        outcome=proof.outcome,
        a=probability[MODEL],
        b=points[row],
        a_probability=probability[MODEL],
        b_probability=probability[POINTS],
        row=row,
        points=points[row],
        proof=proof,
        together=renamed,
        drawn=data.sampled_share,
    )


def version_against(
    store: LeadStore,
    settings: Settings,
    tracking: Tracking,
    inventory: Inventory,
    data: TrainingFrame,
    *,
    version: str | None,
    against: str | None,
    say: Say,
) -> Contest:
    """A registered version against another, or against the points, on what it foretold without having seen it.

    Parameters
    ----------
    version : None: the candidate
    against : None: marketing's points

    Raises
    ------
    ReleaseRefused
        A version was not registered from this store.
    TooLittleData
        Fewer than 20 leads that converted were foretold by both.
    """
    one = cards.version_or_candidate(store, tracking, version)
    ours = _told(store, one)
    place = pd.DataFrame({"lead_id": data.lead_id, "as_of": data.as_of, "row": np.arange(len(data.outcome))})
    if against is None:
        points = points_of(store, settings, inventory, data, say=say)
        if points is None:
            raise UserError(_NO_POINTS)
        both = ours.merge(place, on=_KEY, how="inner")
        both["other"] = points[both["row"].to_numpy(np.int64)]
        both["other_probability"] = _points_then(points, data, both, horizon_days=settings.label.horizon_days)
        both, names = both.dropna(subset=["other_probability"]), (f"version {one.version}", POINTS)
        theirs_drawn = data.sampled_share
    else:
        other = champion.registered(store, against)
        theirs_drawn = _drawn(_files(other, tracking, settings, say=say), now=data.sampled_share)
        theirs = _told(store, other)[[*_KEY, "probability"]].rename(columns={"probability": "other_probability"})
        both = ours.merge(theirs, on=_KEY).merge(place, on=_KEY, how="left")
        both["other"] = both["other_probability"]
        names = f"version {one.version}", f"version {other.version}"
    converted = both.loc[both["converted"], "lead_id"].nunique()
    if converted < LEAST_IN_COMMON or both["converted"].all():
        raise TooLittleData(
            f"{names[0]} and {names[1]} foretold {len(both):,} snapshots that both had not learned from, of which "
            f"{converted} leads converted; with fewer than {LEAST_IN_COMMON} nothing can be said. Train both on this "
            "store ('leadscore status' lists its versions), or compare other ones."
        )
    # Leads are drawn by a fixed hash of their id: those in common are those of the smallest draw.
    release = _files(one, tracking, settings, say=say)
    drawn = min(_drawn(release, now=data.sampled_share), theirs_drawn)
    outcome, lead_id = both["converted"].to_numpy(np.int64), both["lead_id"].to_numpy(object)
    as_of = both["as_of"].to_numpy(np.int64)
    a, b = both["probability"].to_numpy(np.float64), both["other_probability"].to_numpy(np.float64)
    say(f"evaluating, with {settings.model.resamples} resamples by lead behind every interval")
    together = evaluate_together(
        {"a": a, "b": b},
        outcome,
        lead_id=lead_id,
        period=lists(as_of, settings),
        capacity_share=capacity_share(as_of, settings, drawn=drawn),
        base_rate_probability=float(outcome.mean()),
        against="a",
        differences=DIFFERENCES,
        resamples=settings.model.resamples,
        seed=settings.model.seed,
    )
    second = both["other"].to_numpy(np.float64)
    return Contest(
        names=names,
        lead_id=lead_id,
        as_of=as_of,
        outcome=outcome,
        a=a,
        b=second,
        a_probability=a,
        b_probability=b,
        row=both["row"].fillna(-1).to_numpy(np.intp),
        points=second if against is None else None,
        proof=None,
        together=together,
        drawn=drawn,
        release=release,
    )


def _told(store: LeadStore, chosen: Champion) -> pd.DataFrame:
    told = out_of_time.recall(store, chosen.digest)
    if told.empty:
        raise TooLittleData(
            f"Nothing is kept of what version {chosen.version} foretold out of time; train again, or name another "
            "version ('leadscore status' lists them)."
        )
    return told


def _files(chosen: Champion, tracking: Tracking, settings: Settings, *, say: Say) -> Release | None:
    """A version's files, verified; None, and a word, where they are away."""
    cache = ReleaseCache(Path(settings.release.cache))
    ask_briefly()
    try:
        return cache.load(chosen.digest) or active_release.fetch(tracking, cache, chosen)
    except UserError as error:
        say(f"version {chosen.version} gives no reasons, and its leads are taken to be drawn as they are now: {error}")
        return None


def _drawn(release: Release | None, *, now: float) -> float:
    """The share of all leads that a version was tried on, as its card says; as they are drawn now where none does."""
    told = release.card.get("data", {}).get("sampled_share") if release else None
    return now if told is None else float(told)


def _points_then(points: Floats, data: TrainingFrame, both: pd.DataFrame, *, horizon_days: int) -> "pd.Series[Any]":
    """Points as probabilities, by what was known at the beginning of each month; NaN before anything was."""
    months = pd.to_datetime(both["as_of"], unit="us", utc=True).dt.strftime("%Y-%m")
    told = pd.Series(np.nan, index=both.index)
    for _, rows in both.groupby(months.to_numpy()):
        begins = int(rows["as_of"].min())
        known = data.as_of + horizon_days * MICROSECONDS_PER_DAY <= begins
        earlier = data.outcome[known] * (data.known_at[known] < begins)
        if 0 < earlier.sum() < earlier.size:
            later = points[rows["row"].to_numpy(np.int64)]
            told[rows.index] = points_probability(points[known], earlier, later)
    return told

"""Release + what is known of the leads -> probability, interval, band, reasons and recommended stage.

One row per eligible lead of a range, as of one moment. What needs all leads at once (the percentile) is left to whoever
has them all.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from features.build import describe
from features.catalogue import Catalogue, catalogue
from features.errors import ReleaseRefused
from features.signals import signals
from features.tables import MICROSECONDS_PER_DAY, LeadTables
from models.bundle import Release
from models.contract import Contract
from models.encoding import Floats
from models.explanation import explain
from serve.bands import BandLimits, band
from serve.economics import Economics
from serve.paying_stages import asking, paying_limits
from serve.reasons import reasons
from serve.stage_limits import Cut
from serve.stage_memory import LastNight, sent_back
from serve.stages import ORDER, Signals, StageLimits, recommend
from serve.targets import out_of_target


@dataclass(frozen=True)
class Policy:
    """What the company decided about bands, stages and targets."""

    bands: BandLimits
    stages: StageLimits
    intent_days: int
    product_use_days: int
    out_of_target_functions: Collection[str]
    out_of_target_email_classes: Collection[str]
    out_of_target_countries: Collection[str]
    reasons: int
    economics: Economics | None = None
    """By whose figures stages are recommended; None: by the probabilities in `stages`."""


def catalogue_of(contract: Contract) -> Catalogue:
    """The very columns a release was trained on, whatever the store holds today.

    Raises
    ------
    ReleaseRefused
        This program does not declare one of them any more.
    """
    whole = catalogue(
        kinds=contract.kinds,
        type_counts={},
        profile_columns=contract.profile_columns,
        attributes=contract.attributes,
        own_kinds=contract.own_kinds,
    )
    by_name = {column.name: column for column in whole.columns}
    gone = [name for name in contract.names if name not in by_name]
    if gone:
        raise ReleaseRefused(
            f"The release reads features that this program does not compute: {', '.join(gone)}. Train again, or run "
            "the program it was trained with."
        )
    columns = tuple(by_name[name] for name in contract.names)
    return Catalogue(columns, {}, whole.kinds, whole.attributes, whole.profile_columns, whole.own_kinds)


def score(
    release: Release,
    tables: LeadTables,
    snapshots: pd.DataFrame,
    *,
    columns: Catalogue,
    kinds: Mapping[str, str],
    policy: Policy,
    last_night: LastNight | None = None,
    worth: Floats | None = None,
    cut: Cut | None = None,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Score the eligible leads of a range.

    Parameters
    ----------
    snapshots : eligible (lead_id, as_of)
    columns : `catalogue_of(release.contract)`
    kinds : event type -> kind, for the signals behind stages
    last_night : what was recommended last, for stages to stay where nothing much changed; None: nothing was
    worth : (snapshots,) what each lead brings as a customer; needed where the policy's stages go by economics
    cut : the last lead of the whole night that finds a place with sales (`candidates`); None: all do

    Returns
    -------
    scores : one row per snapshot for which the model gives a finite number, in their order: lead_id, as_of,
        probability, probability_low, probability_high, band, recommended_stage, stage_reason, needs_confirmation,
        reasons (JSON), overridden (how the word of people stands instead of what the lead earned; null: it does not)
    new_categories : column -> how many more leads than in training have a category the model does not know (share)

    Raises
    ------
    ReleaseRefused
        The features are not those of the contract, or too many categories are new.
    """
    told = _told(release, tables, snapshots, columns=columns, kinds=kinds, policy=policy, last_night=last_night)
    contributions = explain(release.model, told.frame, centre=release.centre)
    low, high = release.band.interval(told.log_odds)
    by_lead = None
    if policy.economics is not None and worth is not None:
        by_lead = paying_limits(
            told.probability, worth[told.finite], told.lead_id, economics=policy.economics, limits=policy.stages,
            previous=told.previous, competing=told.competing, cut=cut,
        )  # fmt: skip
    stages = recommend(told.probability, told.signals, policy.stages, previous=told.previous, by_lead=by_lead)
    scores = pd.DataFrame(
        {
            "lead_id": told.snapshots["lead_id"].to_numpy(),
            "as_of": told.snapshots["as_of"].to_numpy(),
            "probability": told.probability,
            "probability_low": np.minimum(low, told.probability),
            "probability_high": np.maximum(high, told.probability),
            "band": band(told.probability, policy.bands),
            "recommended_stage": stages["recommended_stage"].to_numpy(),
            "stage_reason": stages["stage_reason"].to_numpy(),
            "needs_confirmation": stages["needs_confirmation"].to_numpy(),
            "reasons": reasons(contributions, told.frame, contract=release.contract, most=policy.reasons),
            "overridden": stages["overridden"].to_numpy(object),
        }
    )
    return scores, told.new


def candidates(
    release: Release,
    tables: LeadTables,
    snapshots: pd.DataFrame,
    *,
    columns: Catalogue,
    kinds: Mapping[str, str],
    policy: Policy,
    worth: Floats,
    last_night: LastNight | None = None,
) -> pd.DataFrame:
    """Who asks for a place with sales: what `place_of_last` takes, one row per lead that `score` returns.

    The probabilities are those of `score` to the last bit, or a lead at the cut could miss its place. Nothing is
    explained, which takes the longest.

    Returns
    -------
    lead_id, probability, worth, previous, competing
    """
    told = _told(release, tables, snapshots, columns=columns, kinds=kinds, policy=policy, last_night=last_night)
    return pd.DataFrame(
        {
            "lead_id": told.lead_id,
            "probability": told.probability,
            "worth": worth[told.finite],
            "previous": told.previous,
            "competing": told.competing,
        }
    )


@dataclass(frozen=True, eq=False)
class _Told:
    """What is known of each lead of a range before its stage is recommended, of those with a finite probability."""

    finite: npt.NDArray[np.bool_]
    """(snapshots asked,) which they are."""
    snapshots: pd.DataFrame
    frame: pd.DataFrame
    log_odds: Floats
    signals: Signals
    previous: npt.NDArray[np.object_]
    competing: npt.NDArray[np.bool_]
    new: dict[str, float]

    @property
    def probability(self) -> Floats:
        chance: Floats = expit(self.log_odds)
        return chance

    @property
    def lead_id(self) -> npt.NDArray[np.object_]:
        return self.snapshots["lead_id"].to_numpy(object)


def _told(
    release: Release,
    tables: LeadTables,
    snapshots: pd.DataFrame,
    *,
    columns: Catalogue,
    kinds: Mapping[str, str],
    policy: Policy,
    last_night: LastNight | None,
) -> _Told:
    frame = describe(tables, snapshots, of=columns).reset_index(drop=True)
    release.contract.check(frame)
    new = release.contract.check_categories(frame, encoding=release.model.members.encoding)
    raw = release.model.members.log_odds(frame)
    # Stages, bands and places refuse what is no number, and one lead would stop the night of all others.
    finite = np.isfinite(raw)
    snapshots, frame = snapshots[finite], frame[finite].reset_index(drop=True)
    facts = signals(
        tables,
        snapshots,
        kinds=kinds,
        intent_days=policy.intent_days,
        product_use_days=policy.product_use_days,
    )
    evidence = out_of_target(
        frame,
        functions=policy.out_of_target_functions,
        email_classes=policy.out_of_target_email_classes,
        countries=policy.out_of_target_countries,
    )
    known = Signals(
        product_use=facts["product_use"].to_numpy(bool),
        explicit_intent=facts["explicit_intent"].to_numpy(bool),
        days_since_act=facts["days_since_act"].to_numpy(np.float64),
        was_qualified=facts["was_qualified"].to_numpy(bool),
        out_of_target=evidence,
        human_stage=facts["human_stage"].to_numpy(object),
        stage_before=facts["stage_before"].to_numpy(object),
        days_in_stage=facts["days_in_stage"].to_numpy(np.float64),
    )
    previous = np.full(len(facts), None, object) if last_night is None else _remembered(last_night, snapshots, facts)
    competing = asking(known, policy.stages, previous=previous)
    log_odds = release.model.calibrator.apply_log_odds(raw[finite])
    return _Told(finite, snapshots, frame, log_odds, known, previous, competing, new)


def _remembered(last_night: LastNight, snapshots: pd.DataFrame, facts: pd.DataFrame) -> npt.NDArray[np.object_]:
    """The stage recommended last, but not to leads that people have sent back since: they begin anew."""
    nights = (snapshots["as_of"].to_numpy(np.int64) - last_night.as_of) / MICROSECONDS_PER_DAY
    days = facts["days_in_stage"].to_numpy(np.float64)
    never = np.full(len(facts), np.nan)
    human, before = (pd.Series(facts[name].to_numpy(object), dtype="str") for name in ("human_stage", "stage_before"))
    refused = sent_back(human, before, days, never, order=ORDER) & (days <= nights)
    found = last_night.of(snapshots["lead_id"])
    found[refused] = None
    return found

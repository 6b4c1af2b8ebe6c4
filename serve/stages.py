"""Recommend one stage per lead, and say why: from its probability, what it declared, and the limits the company set.

The rule in one line: a lead gets the highest stage, in `ORDER`, that it has earned. More probability can only earn
more, so a likelier lead never stands lower than a less likely one in the same situation.

=============  =====================================================================================
sql            declared intent to buy, and probability >= sql_probability
pql            uses the product, and probability >= pql_min_probability
sal            probability >= sal_probability
mql            probability >= mql_probability
lead           everybody else
recycled       instead of lead: was qualified, went quiet, declares nothing, does not use the product
disqualified   whatever was earned: stated out of target, unless intent and probability contradict it
=============  =====================================================================================

A lead keeps a stage until its probability is keep_share below the limit, leaves recycled only when it acts again, and
the word of people goes before what it earned: `serve.stage_memory`. Stages that people own are left as people set
them: opportunity, customer, and their own disqualified. The advice on a lead depends on nothing but that lead.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import ConfigError
from features.tables import STAGES
from serve.bands import checked
from serve.stage_memory import KEPT_UP, SENT_BACK, LimitsByLead, accepted, limits_by_lead, sent_back
from serve.stage_reasons import reason

#: From the lowest rank to the highest. pql outranks sal because use is evidence where sal has the probability only;
#: sql outranks both because the lead itself asked to be called.
ORDER: Final = ("disqualified", "recycled", "lead", "mql", "sal", "pql", "sql", "opportunity", "customer")

#: Stages that stay as people set them. The first two are never recommended to anybody else.
OWNED_BY_PEOPLE: Final = ("opportunity", "customer", "disqualified")

#: What each stage means, for readers of a report or a dashboard.
MEANING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "lead": "Showed interest, and nothing yet makes it worth more than that.",
        "mql": "Likely enough for marketing to nurture it.",
        "sal": "Likely enough to be worth a salesperson's time: for sales to accept or refuse.",
        "sql": "Declared that it wants to buy (demo, quote, budget or date) and is likely to: hand over now.",
        "pql": "Uses the product and is likely to buy: worth a call about what it already does with it.",
        "opportunity": "Sales opened a deal; only people set this stage.",
        "customer": "Bought; only people set this stage.",
        "recycled": "Was qualified once, then went quiet: goes back to nurturing.",
        "disqualified": "Out of target, on stated evidence; a person confirms it before anything happens.",
    }
)


@dataclass(frozen=True, kw_only=True)
class StageLimits:
    """From which probability, and after how many quiet days, a stage is recommended.

    Parameters
    ----------
    mql_probability, sal_probability, sql_probability
        Calibrated probabilities strictly between 0 and 1, none above the next. Where sql_probability equals
        sal_probability, declared intent alone makes a sal an sql.
    pql_min_probability
        Strictly between 0 and 1, from which a lead that uses the product is a pql; free of the other three.
    recycle_after_days
        Days without an act after which a lead that was qualified counts as quiet.
    keep_share
        A lead keeps the stage it had until its probability is this share below the limit; 0 = no memory.

    Raises
    ------
    ConfigError
        If a probability is not strictly between 0 and 1, the three are out of order, the days are fewer than 1, or the
        share is not in [0, 1).

    Examples
    --------
    >>> StageLimits(mql_probability=0.05, sal_probability=0.4, sql_probability=0.3, pql_min_probability=0.1)
    Traceback (most recent call last):
    ...
    features.errors.ConfigError: [stages] sal_probability must not be above [stages] sql_probability, ...
    """

    mql_probability: float
    sal_probability: float
    sql_probability: float
    pql_min_probability: float
    recycle_after_days: float = 60
    keep_share: float = 0.0

    def by_rank(self) -> dict[str, float]:
        """Stage -> the probability that it asks for, from the lowest rank to the highest."""
        return {
            "mql": self.mql_probability,
            "sal": self.sal_probability,
            "pql": self.pql_min_probability,
            "sql": self.sql_probability,
        }

    def __post_init__(self) -> None:
        for name in ("mql_probability", "sal_probability", "sql_probability", "pql_min_probability"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(
                    f"[stages] {name} must be a probability strictly between 0 and 1, got {getattr(self, name)}: "
                    "every lead, or none, would reach it. Write 20 % as 0.20."
                )
        for lower, upper in (("mql_probability", "sal_probability"), ("sal_probability", "sql_probability")):
            if getattr(self, lower) > getattr(self, upper):
                raise ConfigError(
                    f"[stages] {lower} must not be above [stages] {upper}, got {getattr(self, lower)} and "
                    f"{getattr(self, upper)}: a later stage would ask for less. Lower the first or raise the second."
                )
        if not 1 <= self.recycle_after_days < float("inf"):
            raise ConfigError(
                f"[stages] recycle_after_days must be a number of days of at least 1, got {self.recycle_after_days}: "
                "no lead is quiet within a day. Set it to the days without an act that you call quiet, such as 60."
            )
        if not 0 <= self.keep_share < 1:
            raise ConfigError(
                f"[stages] keep_share must be a share of at least 0 and below 1, got {self.keep_share}: no lead would "
                "ever lose a stage. Write 20 % as 0.20."
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class Signals:
    """What is known of each lead beside its probability. Grain: one value per lead, all arrays in the same order.

    Parameters
    ----------
    product_use
        Shape (leads,), bool: used the product lately. The caller chooses the window; 30 days is usual.
    explicit_intent
        Shape (leads,), bool: asked for a demo or a quote, or gave a budget or a date, within the caller's window.
    days_since_act
        Shape (leads,), float, days before as_of of the lead's last act; NaN = no act is known. A lead without known
        acts cannot have gone quiet, so it is never recycled: in a flat import no lead has any.
    was_qualified
        Shape (leads,), bool: people put it at mql, sal, sql or pql in its present episode (`features.history`).
    out_of_target
        Shape (leads,), text: the evidence that it is out of target, such as "student" or "disposable e-mail address";
        null or blank = none. It is printed in the reason as it stands, so it must hold no personal data.
    human_stage
        Shape (leads,), text: the stage that people recorded last, one of `features.tables.STAGES`; null = none.
    stage_before
        Shape (leads,), text: the stage that they had recorded before that one; null = none.
    days_in_stage
        Shape (leads,), float, days before as_of of the entry of `human_stage`; NaN = there is none.

    Raises
    ------
    ValueError
        If lengths or types differ from the above, days are negative, or a stage is unknown.
    """

    product_use: npt.NDArray[np.bool_]
    explicit_intent: npt.NDArray[np.bool_]
    days_since_act: npt.NDArray[np.float64]
    was_qualified: npt.NDArray[np.bool_]
    out_of_target: npt.NDArray[np.object_]
    human_stage: npt.NDArray[np.object_]
    stage_before: npt.NDArray[np.object_]
    days_in_stage: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        shapes = {name: np.shape(values) for name, values in vars(self).items()}
        if len(set(shapes.values())) != 1 or len(np.shape(self.product_use)) != 1:
            raise ValueError(f"expected one value per lead in every signal, got shapes {shapes}")
        for name in ("product_use", "explicit_intent", "was_qualified"):
            if getattr(self, name).dtype != np.bool_:
                # A null among objects would count as yes.
                raise ValueError(f"expected {name} to be an array of bool, got {getattr(self, name).dtype}")
        for name in ("days_since_act", "days_in_stage"):
            days = getattr(self, name)
            if not (np.isnan(days) | ((days >= 0) & np.isfinite(days))).all():
                raise ValueError(f"expected {name} to be days >= 0 or NaN: nothing known can lie after as_of")
        for name in ("human_stage", "stage_before"):
            _check_stages(getattr(self, name), name)

    def __len__(self) -> int:
        return len(self.product_use)


def recommend(
    probability: npt.ArrayLike,
    signals: Signals,
    limits: StageLimits,
    *,
    previous: npt.NDArray[np.object_] | None = None,
    by_lead: LimitsByLead | None = None,
) -> pd.DataFrame:
    """Return the recommended stage of each lead and why.

    Every lead gets exactly one stage, whatever its signals. With its signals and its stage before fixed, a higher
    probability never gives a stage of lower rank in `ORDER`. opportunity and customer are returned only where people
    set them; disqualified only where people set it or `out_of_target` states the evidence.

    Parameters
    ----------
    probability
        Shape (leads,), calibrated probability of converting within the horizon, in [0, 1].
    signals
        The same leads in the same order.
    limits
        What the company set.
    previous
        Shape (leads,), text: the stage recommended last; null = none. None: of no lead.
    by_lead
        Limits of each lead's own instead of the probabilities in `limits` (`serve.paying_stages`).

    Returns
    -------
    One row per lead, in the order given, numbered from 0: `recommended_stage` (one of `features.tables.STAGES`),
    `stage_reason` (one or two English sentences naming the evidence and the figures), `needs_confirmation` (bool: a
    person has to confirm before anybody acts on it; true where disqualified is our advice and not yet a person's),
    `overridden` (text: where the word of people stands instead of another stage that was earned, how; null = nowhere).

    Raises
    ------
    ValueError
        If a probability is missing or outside [0, 1], or there is not one per lead; or a stage before is unknown.

    Examples
    --------
    >>> limits = StageLimits(mql_probability=0.05, sal_probability=0.2, sql_probability=0.3, pql_min_probability=0.1)
    >>> purchasing_manager_and_student = Signals(
    ...     product_use=np.array([False, False]),
    ...     explicit_intent=np.array([True, False]),
    ...     days_since_act=np.array([2.0, 5.0]),
    ...     was_qualified=np.array([False, False]),
    ...     out_of_target=np.array([None, "student"]),
    ...     human_stage=np.array([None, None]),
    ...     stage_before=np.array([None, None]),
    ...     days_in_stage=np.array([np.nan, np.nan]),
    ... )
    >>> advice = recommend([0.35, 0.01], purchasing_manager_and_student, limits)
    >>> advice.recommended_stage.tolist()
    ['sql', 'disqualified']
    >>> print(*advice.stage_reason, sep="\\n")
    Declared intent to buy (demo, quote, budget or date) and 35 % likely to convert: hand over now.
    Out of target (student), 1.0 % likely to convert: a person should confirm before it is disqualified.
    >>> recommend([0.35], purchasing_manager_and_student, limits)
    Traceback (most recent call last):
    ...
    ValueError: expected one probability per lead, got 1 for 2 leads
    """
    p = checked(probability)
    last = np.full(len(p), None, dtype=object) if previous is None else previous
    if len(p) != len(signals) or len(last) != len(p):
        what = "probability" if len(p) != len(signals) else "stage before"
        raise ValueError(
            f"expected one {what} per lead, got {len(p if what == 'probability' else last)} for {len(signals)} leads"
        )
    _check_stages(last, "previous")
    intent, uses, since = signals.explicit_intent, signals.product_use, signals.days_since_act
    evidence = evidence_of(signals)
    human = _text(signals.human_stage)
    quiet = gone_quiet(signals, limits)
    before_now = _text(last)
    found = by_lead or limits_by_lead(last, limits.by_rank(), keep_share=limits.keep_share)
    limit = found.stay

    stage = np.full(len(p), "lead", dtype=object)
    # In the order of rank, each line overwriting the ones before: what remains is the highest stage earned.
    stage[quiet] = "recycled"
    stage[p >= limit["mql"]] = "mql"
    stage[p >= limit["sal"]] = "sal"
    stage[uses & (p >= limit["pql"])] = "pql"
    stage[intent & (p >= limit["sql"])] = "sql"
    stage[quiet & (before_now == "recycled").to_numpy(bool)] = "recycled"
    # That others take the places that sales have says nothing against a lead: what counts is whether it pays.
    pays = found.enter["sal"] if found.pays is None else found.pays
    # One that was not doubted last night is not from now on because its probability fell a little. Who holds a place is
    # let through at the very limit of it, for a product may come out a hair off.
    let_through = np.where(
        ((before_now == "disqualified") | before_now.isna()).to_numpy(bool),
        pays, np.minimum(pays * (1 - limits.keep_share), limit["sal"]),
    )  # fmt: skip
    doubtful = evidence.notna().to_numpy() & ~(intent & (p >= let_through))
    earned = stage.copy()
    earned[doubtful] = "disqualified"

    # What people decided goes before what was earned.
    rank, theirs = _ranks(stage), _ranks(human)
    up, down = word_of_people(signals, limits)
    follow = (up & (rank < theirs)) | (down & (rank > theirs))
    stage[follow] = human[follow]
    stage[doubtful & ~up] = "disqualified"
    left_alone = human.isin(OWNED_BY_PEOPLE).to_numpy()
    stage[left_alone] = human[left_alone]

    # Where sales accepted a doubted lead and it earned more than they said, the higher stage is not their word.
    overridden = (stage != earned) & ~left_alone & (~up | (human == stage).to_numpy(bool))
    word = pd.Series(np.where(up, KEPT_UP, SENT_BACK), dtype="str").where(overridden)
    no_place = (p >= pays) & (p < limit["sal"])
    full = np.select([stage == one for one in found.enter], list(found.enter.values()), np.nan)
    reasons = [
        f"Set to {one} by people, left alone."
        if owned
        else reason(
            one,
            percent=percent(chance),
            intent=declares,
            uses=used,
            days_since_act=days,
            evidence=None if pd.isna(why) else why,
            word=None if pd.isna(how) else how,
            kept=percent(to_enter) if chance < to_enter else None,
            no_place=full_up and one in ("lead", "mql"),
        )
        for one, owned, chance, declares, used, days, why, how, to_enter, full_up in zip(
            stage.tolist(),
            left_alone.tolist(),
            p.tolist(),
            intent.tolist(),
            uses.tolist(),
            since.tolist(),
            evidence.tolist(),
            word.tolist(),
            full.tolist(),
            no_place.tolist(),
            strict=True,
        )
    ]
    return pd.DataFrame(
        {
            "recommended_stage": pd.Series(stage, dtype="str"),
            "stage_reason": pd.Series(reasons, dtype="str"),
            "needs_confirmation": (stage == "disqualified") & ~left_alone,
            "overridden": word,
        }
    )


def evidence_of(signals: Signals) -> "pd.Series[str]":
    """(leads,) the evidence that each is out of target; null: there is none."""
    evidence = _text(signals.out_of_target).str.strip()
    return evidence.where(evidence != "")


def gone_quiet(signals: Signals, limits: StageLimits) -> npt.NDArray[np.bool_]:
    """(leads,) whether each was qualified and has not acted for long."""
    qualified = signals.was_qualified | (_text(signals.human_stage) == "recycled").to_numpy(bool)
    silent: npt.NDArray[np.bool_] = qualified & (signals.days_since_act >= limits.recycle_after_days)
    return silent & ~signals.explicit_intent & ~signals.product_use


def word_of_people(signals: Signals, limits: StageLimits) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """(leads,) whether sales accepted each, and whether people sent it back (`serve.stage_memory`)."""
    human, days, since = _text(signals.human_stage), signals.days_in_stage, signals.days_since_act
    return (
        accepted(human, days, since, quiet_days=limits.recycle_after_days),
        sent_back(human, _text(signals.stage_before), days, since, order=ORDER),
    )


def percent(probability: float) -> str:
    """Return a probability as a reader sees it: whole percents from 10 up, tenths below, never 0 or 100.

    Examples
    --------
    >>> [percent(p) for p in (0.0, 0.004, 0.0996, 0.342, 0.999)]
    ['under 0.1 %', '0.4 %', '10 %', '34 %', 'over 99 %']
    """
    if probability < 0.001:
        return "under 0.1 %"
    if probability > 0.99:
        return "over 99 %"
    return f"{100 * probability:.1f} %" if probability < 0.0995 else f"{100 * probability:.0f} %"


def _check_stages(values: npt.NDArray[np.object_], name: str) -> None:
    known = _text(values).dropna()
    unknown = sorted(set(known[~known.isin(STAGES)]))
    if unknown:
        raise ValueError(f"expected {name} to be one of {', '.join(STAGES)}, got {', '.join(unknown)}")


def _ranks(stages: Iterable[object]) -> npt.NDArray[np.float64]:
    """Place of each stage in `ORDER`; NaN for none, which is neither above nor below any."""
    places: dict[object, float] = {stage: float(rank) for rank, stage in enumerate(ORDER)}
    return np.array([places.get(stage, np.nan) for stage in stages], dtype=np.float64)


def _text(values: npt.NDArray[np.object_]) -> "pd.Series[str]":
    """Text with every kind of null as one kind."""
    return pd.Series(values, dtype="str")

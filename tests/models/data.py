"""Simulated snapshots whose true probability is known: numbers, texts, missing cells, several snapshots per lead."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from hypothesis import settings

from features.tables import MICROSECONDS_PER_DAY
from models.bundle import Release
from models.card import to_markdown
from models.contract import Contract, ContractColumn, ranges
from models.encoding import Encoding
from models.estimator import Learned, learn
from models.explanation import linear_centre
from models.uncertainty import fit_band

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: For laws whose every example takes milliseconds.
few_examples: Final = settings(max_examples=settings().max_examples // 4)

DAY: Final = MICROSECONDS_PER_DAY
HORIZON_DAYS: Final = 30
MONOTONE: Final = {"demo_requests": 1, "unsubscribes": -1}
NUMERIC: Final = ("visits", "demo_requests", "unsubscribes", "days_since_act", "amount", "constant")
#: Industries that are common, with what they add to the log odds; a few leads in a hundred are in rare ones.
INDUSTRIES: Final = {"software": 1.0, "retail": -0.6, "public": -1.0, "health": 0.2}


@dataclass(frozen=True)
class Simulated:
    """Snapshots in order of (as_of, lead_id); `truth` is the probability with which `outcome` was drawn."""

    frame: pd.DataFrame
    outcome: Integers
    truth: Floats
    lead_id: list[str]
    as_of: Integers

    def take(self, rows: npt.ArrayLike) -> "Simulated":
        """The same rows, or some of them, in another order."""
        at = np.asarray(rows, np.int64)
        return Simulated(
            self.frame.iloc[at].reset_index(drop=True),
            self.outcome[at],
            self.truth[at],
            [self.lead_id[row] for row in at],
            self.as_of[at],
        )


def texts(values: Sequence[Any]) -> "pd.Series[Any]":
    """A categorical column as features give it."""
    return pd.Series(values, dtype="str")


def simulated(leads: int = 700, *, snapshots: int = 3, seed: int = 0) -> Simulated:
    """Leads looked at every 20 days, over about 420 days; about one snapshot in six converts."""
    random = np.random.default_rng(seed)
    n = leads * snapshots
    lead = np.repeat(np.arange(leads), snapshots)
    as_of = (np.repeat(random.integers(1, 39, leads) * 10, snapshots) + np.tile(np.arange(snapshots) * 20, leads)) * DAY
    rare = np.array([f"rare {i}" for i in range(12)], object)
    industry = np.where(random.random(n) < 0.05, random.choice(rare, n), random.choice(list(INDUSTRIES), n))
    industry[random.random(n) < 0.1] = None
    frame = pd.DataFrame(
        {
            "visits": random.poisson(random.gamma(1.0, 3.0, n)).astype(float),
            "demo_requests": random.poisson(0.3, n).astype(float),
            "unsubscribes": random.binomial(1, 0.15, n).astype(float),
            "days_since_act": np.where(random.random(n) < 0.3, np.nan, random.exponential(20, n)),
            "amount": random.lognormal(3, 1.5, n),
            "industry": texts(industry.tolist()),
            "constant": np.full(n, 3.0),
            "one_text": texts(["same"] * n),
        }
    )
    truth = 1 / (1 + np.exp(-true_log_odds(frame)))
    made = Simulated(
        frame,
        (random.random(n) < truth).astype(np.int64),
        truth,
        [f"lead {i:05}" for i in lead],
        as_of.astype(np.int64),
    )
    return made.take(np.lexsort((lead, as_of)))


def true_log_odds(frame: pd.DataFrame) -> Floats:
    """What decides in this world; the amount and the constant columns say nothing."""
    industry = frame["industry"].map(INDUSTRIES).fillna(0.0).to_numpy(np.float64)
    days = frame["days_since_act"].to_numpy(np.float64)
    z: Floats = (
        -2.5
        + 0.8 * np.log1p(frame["visits"].to_numpy(np.float64))
        + 1.0 * np.minimum(frame["demo_requests"].to_numpy(np.float64), 2)
        - 1.5 * frame["unsubscribes"].to_numpy(np.float64)
        + np.where(np.isnan(days), -0.5, 0.8 - 0.4 * np.log1p(days))
        + industry
    )
    return z


def learn_from(rows: Simulated, **other: Any) -> Learned:
    """`learn` on simulated rows."""
    return learn(
        rows.frame,
        rows.outcome,
        lead_id=rows.lead_id,
        as_of=rows.as_of,
        **({"horizon_days": HORIZON_DAYS, "monotone": MONOTONE, **other}),
    )


@cache
def training() -> Simulated:
    """The rows that `learned` was trained on: shared, not to be changed."""
    return simulated(seed=1)


@cache
def learned() -> Learned:
    """One trained model for all tests: training takes seconds."""
    return learn_from(training())


@cache
def fresh() -> Simulated:
    """Leads that `learned` has not seen, many of them."""
    return simulated(2_000, seed=2)


def contract_of(frame: pd.DataFrame, encoding: Encoding) -> Contract:
    """The contract of a simulated frame."""
    measured = ranges(frame, encoding=encoding)
    return Contract(
        columns=tuple(
            ContractColumn(
                name,
                "numeric" if name in NUMERIC else "categorical",
                name.replace("_", " ").capitalize(),
                "days" if name.startswith("days") else "events" if name in NUMERIC else "category",
                "it never happened" if name.startswith("days") else "not known",
                "behavioural",
                MONOTONE.get(name, 0),
                **measured[name],
            )
            for name in map(str, frame.columns)
        ),
        kinds={"Demo asked": "demo_request", "page": "page"},
        own_kinds=("heartbeat",),
        attributes={"plan": "categorical"},
        profile_columns=("industry", "country"),
        target_stage="customer",
        horizon_days=HORIZON_DAYS,
    )


def facts() -> dict[str, Any]:
    """What `train` measures of a version, made up."""
    metric = {"value": 0.25, "low": 0.2, "high": 0.3, "undefined": 0}
    undefined = {"value": None, "low": None, "high": None, "undefined": 500}
    measured = {"log_loss": metric, "roc_auc": metric, "calibration_slope": undefined}
    return {
        "verdict": "candidate",
        "verdict_reason": "gains log loss 0.05 against the base rate.",
        "label": {"target_stage": "customer", "horizon_days": HORIZON_DAYS},
        "data": {
            "first_as_of": "2024-01-01T00:00:00+00:00",
            "last_as_of": "2025-01-01T00:00:00+00:00",
            "known_until": "2025-02-01T00:00:00+00:00",
            "digest": "0123456789abcdef0123456789abcdef",
        },
        "snapshots": {"train": 1200, "calibrate": 300, "test": 500, "dropped_immature": 20, "dropped_in_gap": 80},
        "excluded": {"objects to profiling": 3},
        "metrics": measured,
        "baselines": {"base_rate": measured, "logistic": measured},
        "calibration_table": [
            {
                "probability_low": 0.01,
                "probability_high": 0.1,
                "snapshots": 1500,
                "leads": 400,
                "predicted_mean": 0.05,
                "observed_rate": 0.06,
                "wilson_low": 0.04,
                "wilson_high": 0.08,
            }
        ],
        "leaks": [],
        "left_out": {"webinars": "the store has no webinar"},
        "features": [
            {"name": "visits", "about": "Visits", "unit": "visits", "missing": "never", "importance": 0.1},
            {"name": "amount", "about": "Amount", "unit": "euros", "missing": "not known", "importance": 0.9},
        ],
        "notes": ["150 trees"],
    }


@cache
def release() -> Release:
    """A release of `learned`, with everything that belongs to one."""
    rows, model = training(), learned().model
    later = simulated(300, seed=3)
    return Release(
        model,
        contract_of(rows.frame, model.members.encoding),
        fit_band(model.log_odds(later.frame), later.outcome, lead_id=later.lead_id),
        linear_centre(model.members.encoding, rows.frame),
        facts(),
        to_markdown(facts()),
    )

"""Simulated stores, whole training frames at once, whose true probability of every snapshot is known.

A seed draws a *process*: which columns matter and how, how strongly, how often leads convert, how that changes with
time. The process draws leads, as many as asked, over any period: so the truth about a score can be learned from leads
that no model has seen. Each lead is looked at on a calendar, several times; its counts have heavy tails, its recencies
gaps, its texts up to 150 categories. Horizons of one lead's snapshots overlap, so their outcomes resemble one another
the more the closer they are: through a normal copula, which leaves the probability of each exactly what it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, ndtr

from features.tables import MICROSECONDS_PER_DAY
from models.estimator import LEAST_OUTCOMES

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

HORIZON_DAYS: Final = 30
MONOTONE: Final = {"demo_requests_90d": 1, "unsubscribes": -1}
KINDS: Final = (
    "large", "small", "drifting level", "drifting coefficients", "no signal", "one segment", "heavy tails", "rare",
    "few positives",
)  # fmt: skip
DRIFTING: Final = ("drifting level", "drifting coefficients")

#: The likeness of two outcomes of a lead fades by e in so many days: beyond a horizon hardly any is left.
ALIKE_DAYS: Final = 12.0
_CATEGORIES: Final = {"channel": 6, "job": 8, "industry": 12, "country": 60, "campaign": 150}
_REFERENCE_LEADS: Final = 6_000
#: Of so many parts of the days, the later 30 % are the test; a horizon before it is the gap.
_EARLIER: Final = 0.62


@dataclass(frozen=True)
class Snapshots:
    """Rows in order of (as_of, lead_id); `truth` is the probability with which `outcome` was drawn."""

    frame: pd.DataFrame
    outcome: Integers
    truth: Floats
    lead_id: npt.NDArray[np.str_]
    as_of: Integers

    def take(self, rows: npt.ArrayLike) -> "Snapshots":
        """Some of them, in their order."""
        at = np.asarray(rows, np.int64)
        return Snapshots(
            self.frame.iloc[at].reset_index(drop=True),
            self.outcome[at],
            self.truth[at],
            self.lead_id[at],
            self.as_of[at],
        )


@dataclass(frozen=True)
class Process:
    """What makes leads and their outcomes; time is in days since the store began."""

    days: int
    every_days: int
    looks: float
    """Snapshots of a lead in the mean, before the end of the store cuts them off."""
    tail: float
    """Standard deviation of the logarithm of how lively a lead is."""
    noise_columns: int
    weights: Floats
    later_weights: Floats
    effects: Mapping[str, Floats]
    scale: tuple[Floats, Floats]
    """Mean and deviation of each term, by which the weights are understood."""
    strength: float
    """Deviation of the true log odds."""
    segment: bool
    """Only leads of the first channel differ from one another."""
    level: float
    level_days: Floats
    level_shifts: Floats
    turn: tuple[float, float]
    """From which to which day the weights turn into the later ones."""

    def draw(self, leads: int, *, first_day: float, last_day: float, seed: int) -> Snapshots:
        """Leads looked at between two days, both included."""
        random = np.random.default_rng(seed)
        frame, lead, day = self._look(leads, first_day, last_day, random)
        truth = expit(self._log_odds(frame, day))
        drawn = ndtr(_alike(lead, day, random))
        return Snapshots(
            frame,
            (drawn < truth).astype(np.int64),
            truth,
            np.char.add("lead ", np.char.zfill(lead.astype(str), 7)),
            (day * MICROSECONDS_PER_DAY).astype(np.int64),
        )

    def _look(
        self, leads: int, first_day: float, last_day: float, random: np.random.Generator
    ) -> tuple[pd.DataFrame, Integers, Floats]:
        """What is seen of new leads, each at several moments: columns, whose they are, and the day."""
        spread = self.looks * self.every_days
        created = random.uniform(first_day - spread, last_day, leads)
        count = random.geometric(1 / self.looks, leads)
        lead: Integers = np.repeat(np.arange(leads), count).astype(np.int64)
        look = np.arange(len(lead)) - np.repeat(np.cumsum(count) - count, count)
        day = (np.ceil(created[lead] / self.every_days) + look) * self.every_days
        inside = np.flatnonzero((day >= first_day) & (day <= last_day))
        inside = inside[np.lexsort((lead[inside], day[inside]))]
        lead, day = lead[inside], day[inside]
        return self._columns(leads, lead, day - created[lead], random), lead, day

    def _columns(self, leads: int, lead: Integers, age: Floats, random: np.random.Generator) -> pd.DataFrame:
        n = len(lead)
        lively = random.lognormal(0, self.tail, leads)[lead] * np.exp(-age / 120) * random.lognormal(0, 0.5, n)
        visits = random.poisson(np.minimum(1.5 * lively, 1e7)).astype(float)
        demos = random.poisson(np.minimum(0.12 * lively, 30)).astype(float)
        mails = random.poisson(3, n).astype(float)
        since_act = random.exponential(12 / (0.3 + np.minimum(lively, 20)), n)
        since_answer = np.where(random.random(n) < 0.6, np.nan, random.exponential(30, n))
        size = random.lognormal(4, 1.6, leads)
        money = size * random.lognormal(2, self.tail, leads)
        size[random.random(leads) < 0.25] = np.nan
        if self.tail > 1.5:
            odd = random.random(leads) < 0.002
            money[odd] *= 10.0 ** random.uniform(3, 7, int(odd.sum()))
        with np.errstate(invalid="ignore"):
            answered = np.where(mails > 0, random.binomial(mails.astype(int), 0.2) / np.maximum(mails, 1), np.nan)
        columns: dict[str, Any] = {
            "visits_30d": visits,
            "visits_90d": visits + random.poisson(np.minimum(3 * lively, 1e7)),
            "downloads_90d": random.poisson(np.minimum(0.4 * lively, 1e5)).astype(float),
            "demo_requests_90d": demos,
            "unsubscribes": random.binomial(1, 0.12, n).astype(float),
            "days_since_act": np.where(since_act > 90, np.nan, since_act),
            "days_since_answer": since_answer,
            "age_days": age,
            "email_answer_rate_90d": answered,
            "company_size": size[lead],
            "annual_revenue": money[lead],
        }
        for number in range(self.noise_columns):
            columns[f"other_{number}"] = random.lognormal(0, 1, n) if number % 2 else random.poisson(0.5, n) * 1.0
        for name, wide in _CATEGORIES.items():
            share = 1 / np.arange(1, wide + 1) ** (0.5 if wide < 20 else 1.0)
            code = random.choice(wide, leads, p=share / share.sum())[lead]
            names = np.array([f"{name} {i}" for i in range(wide)], object)[code]
            if name != "channel":
                names[(random.random(leads) < 0.08)[lead]] = None
            columns[name] = pd.Series(names, dtype="str")
        return pd.DataFrame(columns)

    def _log_odds(self, frame: pd.DataFrame, day: Floats) -> Floats:
        mean, deviation = self.scale
        terms = (_terms(frame, self.effects) - mean) / deviation
        begins, ends = self.turn
        turned = np.clip((day - begins) / max(ends - begins, 1e-9), 0, 1)
        z = (1 - turned) * (terms @ self.weights) + turned * (terms @ self.later_weights)
        if self.segment:
            z = z * (frame["channel"] == "channel 0").to_numpy()
        shift = np.interp(day, self.level_days, self.level_shifts)
        log_odds: Floats = self.level + shift + self.strength * np.clip(z, -4, 4)
        return log_odds


def _terms(frame: pd.DataFrame, effects: Mapping[str, Floats]) -> Floats:
    """What the log odds may depend on: straight, bent, stepped, of texts, and of two columns together."""

    def column(name: str, missing: float) -> Floats:
        values: Floats = frame[name].fillna(missing).to_numpy(np.float64)
        return values

    def category(name: str) -> Floats:
        codes = frame[name].str.slice(len(name) + 1).astype("float64").fillna(_CATEGORIES[name]).astype(int).to_numpy()
        values: Floats = effects[name][codes]
        return values

    visits, size = np.log1p(column("visits_30d", 0)), np.log(column("company_size", 20))
    demos, since = np.minimum(column("demo_requests_90d", 0), 3), np.exp(-column("days_since_act", 90) / 15)
    money = np.log1p(column("annual_revenue", 0))
    return np.column_stack(
        [
            demos,
            -column("unsubscribes", 0),
            visits,
            since,
            np.log1p(column("downloads_90d", 0)),
            -((size - 4.5) ** 2),  # the middle fits best
            (money > 7).astype(float),
            np.sin(1.3 * money),
            column("email_answer_rate_90d", 0.1) > 0.3,
            np.exp(-column("age_days", 0) / 40),
            frame["days_since_answer"].isna().to_numpy(),
            *(category(name) for name in _CATEGORIES),
            demos * (frame["channel"] == "channel 1").to_numpy(),
            since * (size > 4),
            visits * category("job"),
        ]
    )


def _alike(lead: Integers, day: Floats, random: np.random.Generator) -> Floats:
    """A standard normal number for each snapshot, those of one lead correlated as exp(-days between / ALIKE_DAYS)."""
    order = np.lexsort((day, lead))
    lead, day = lead[order], day[order]
    made = random.normal(size=len(lead))
    first = np.r_[True, lead[1:] != lead[:-1]]
    kept = np.where(first, 0.0, np.exp(-np.diff(day, prepend=0.0) / ALIKE_DAYS))
    number = np.arange(len(lead)) - np.maximum.accumulate(np.where(first, np.arange(len(lead)), 0))
    for look in range(1, int(number.max(initial=0)) + 1):
        rows = np.flatnonzero(number == look)
        made[rows] = kept[rows] * made[rows - 1] + np.sqrt(1 - kept[rows] ** 2) * made[rows]
    numbers = np.empty(len(lead))
    numbers[order] = made
    return numbers


@dataclass(frozen=True)
class Store:
    """What one company would know, and the process behind it."""

    kind: str
    seed: int
    process: Process
    snapshots: Snapshots

    def fresh(self, leads: int, *, days: int = 60) -> Snapshots:
        """New leads of the days after the store ends: those that a release trained on it would score."""
        end = self.process.days
        return self.process.draw(leads, first_day=end + 1, last_day=end + days, seed=self.seed + 2**31)


def make_store(kind: str, seed: int, *, snapshots: int | None = None) -> Store:
    """A store of one of `KINDS`: the same for the same seed.

    Parameters
    ----------
    snapshots : about so many instead of what the kind would draw
    """
    random = np.random.default_rng([KINDS.index(kind), seed])
    base = float(np.exp(random.uniform(np.log(0.03), np.log(0.3))))
    if kind == "rare":
        base = float(random.uniform(0.01, 0.02))
    rows = {
        "large": random.uniform(12_000, 30_000) if random.random() < 0.85 else 50_000,
        "small": random.uniform(1_000, 2_500) * max(1.0, 0.1 / base),
        "rare": random.uniform(7_000, 18_000),
        "few positives": random.uniform(46, 60) / (_EARLIER * base),
    }.get(kind, random.uniform(3_000, 10_000))
    process = _process(kind, base, random)
    wanted = snapshots or rows
    leads = int(wanted / (process.looks * _share_seen(process)))
    while True:
        made = process.draw(leads, first_day=0, last_day=process.days, seed=int(random.integers(2**31)))
        earlier = made.outcome[made.as_of <= np.quantile(made.as_of, 0.7) - HORIZON_DAYS * MICROSECONDS_PER_DAY]
        fewest = min(int(earlier.sum()), int((1 - earlier).sum()))
        if kind == "few positives" and fewest > 60:
            leads = int(leads * 50 / fewest)
        # With fewer of each, training refuses, and there would be nothing to judge: draw other leads.
        elif fewest >= LEAST_OUTCOMES:
            return Store(kind, seed, process, made)


def _share_seen(process: Process) -> float:
    """Of a lead's snapshots, those that fall within the store: it may be created before, and looked at after."""
    sample = process.draw(2_000, first_day=0, last_day=process.days, seed=1)
    return len(sample.outcome) / (2_000 * process.looks)


def _process(kind: str, base: float, random: np.random.Generator) -> Process:
    days = int(random.integers(450, 900))
    effects = {name: np.append(random.normal(size=wide), 0.0) for name, wide in _CATEGORIES.items()}
    count = 11 + len(_CATEGORIES) + 3
    weights = _weights(count, random)
    later, turn = weights, (0.0, 1.0)
    if kind == "drifting coefficients":
        like = random.uniform(0.2, 0.9)
        later = _unit(like * weights + np.sqrt(1 - like**2) * _weights(count, random))
        begins = random.uniform(0.2, 0.9)
        turn = (begins * days, (begins + random.choice([0.01, 0.6])) * days)
    level_days, level_shifts = np.array([0.0]), np.array([0.0])
    if kind == "drifting level":
        level_days, level_shifts = _wandering(days, random)
    process = Process(
        days=days,
        every_days=int(random.choice([7, 14, 30])),
        looks=float(random.uniform(2, 7)),
        tail=float(random.uniform(1.6, 2.6) if kind == "heavy tails" else random.uniform(0.6, 1.2)),
        noise_columns=int(random.integers(2, 20)),
        weights=weights,
        later_weights=later,
        effects=effects,
        scale=(np.zeros(count), np.ones(count)),
        strength=0.0,
        segment=kind == "one segment",
        level=0.0,
        level_days=level_days,
        level_shifts=level_shifts,
        turn=turn,
    )
    return _scaled(process, base, 0.0 if kind == "no signal" else float(random.uniform(0.4, 1.5)), random)


def _weights(count: int, random: np.random.Generator) -> Floats:
    weights = random.normal(size=count) * (random.random(count) < 0.6)
    monotone = [0, 1, count - 3]  # what is declared to help never harms
    weights[monotone] = np.abs(weights[monotone])
    return _unit(weights)


def _unit(weights: Floats) -> Floats:
    scaled: Floats = weights / max(float(np.linalg.norm(weights)), 1e-9)
    return scaled


def _wandering(days: int, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Months of a level that jumps once, wanders, or comes and goes with the season; it goes on after the store."""
    months = np.arange(0.0, days + 120, 30)
    how = random.choice(["jump", "wander", "season"])
    if how == "jump":
        return months, np.where(months > random.uniform(0.3, 0.95) * days, random.normal(0, 0.7), 0.0)
    if how == "wander":
        return months, np.cumsum(random.normal(0, 0.15, len(months)))
    return months, random.uniform(0.2, 0.6) * np.sin(2 * np.pi * (months / 365 + random.random()))


def _scaled(process: Process, base: float, strength: float, random: np.random.Generator) -> Process:
    """Give the terms unit deviation, the log odds the deviation asked for, and the whole the base rate."""
    frame, _, day = process._look(_REFERENCE_LEADS, 0, process.days, random)
    terms = _terms(frame, process.effects)
    deviation = terms.std(axis=0)
    process = replace(process, scale=(terms.mean(axis=0), np.where(deviation > 0, deviation, 1.0)), strength=1.0)
    shift = np.interp(day, process.level_days, process.level_shifts)
    raw = process._log_odds(frame, day) - shift
    strength /= max(float(raw.std()), 1e-9)
    log_odds = shift + strength * raw
    low, high = -15.0, 15.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(middle + log_odds).mean() < base else (low, middle)
    return replace(process, strength=strength, level=(low + high) / 2)

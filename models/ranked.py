"""Snapshots sorted once by falling probability, and the same snapshots under many weightings of their leads.

A *weighting* is a whole number per lead: how often a bootstrap resample drew it; all ones for the data as they are.
What a metric needs of k weightings comes in two cheap forms. Sums over rows are sums over leads (one product of
matrices). Whatever depends on the order is read off running totals, at the ends of runs of equal probabilities, so
that ties are exact and the order of rows cannot matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from models.recalibration import Floats, fit_line, fit_shift, logistic

Positions = npt.NDArray[np.intp]

_EPSILON: Final = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Order:
    """Rows in an order, with where each run of equal rows and each period begins and ends (`past`: first row after)."""

    lead: Positions  # per row: position of its lead among the sorted distinct lead ids
    converters: Positions  # the rows that converted
    converters_before: Positions  # (rows + 1,) how many converters stand before each row
    first: Positions  # per row: where its run of equals begins
    past: Positions  # per row: where that run ends
    period_ends: Positions  # (periods + 1,) 0, and where each period ends


@dataclass(frozen=True, eq=False)
class Ranked:
    """Snapshots sorted once by falling probability; a *group* is a run of equal probabilities."""

    probability: Floats  # per group, falling
    start: Positions  # per group: its first row
    lead: Positions  # per row: position of its lead among the sorted distinct lead ids
    outcome: Floats  # per row
    row_bin: Positions  # per row: equal-mass bin, 0 = lowest probabilities
    leads: int
    base_rate_probability: Floats  # per row
    period: Positions | None  # per row: position of its period among the sorted distinct ones
    capacity_share: float | None

    @cached_property
    def row_probability(self) -> Floats:
        """Per row, falling."""
        return np.repeat(self.probability, np.diff(self.start, append=self.outcome.size))

    @cached_property
    def converted_leads(self) -> int:
        """Leads that converted in at least one of their snapshots."""
        return int(np.unique(self.lead[self.outcome == 1]).size)

    @cached_property
    def log_odds(self) -> Floats:
        """Per group, falling; finite also where the probability is 0 or 1."""
        return log_odds(self.probability)

    @cached_property
    def order(self) -> Order:
        """By falling probability."""
        return _order(self.lead, self.outcome, np.isin(np.arange(self.outcome.size), self.start), None)

    @cached_property
    def order_within(self) -> Order:
        """By period, and in each by falling probability."""
        if self.period is None:
            raise ValueError("period must be given for what is judged within periods: one label per snapshot.")
        arranged = np.argsort(self.period, kind="stable")  # rows are already in order of probability
        period, p = self.period[arranged], self.row_probability[arranged]
        begins = np.r_[True, (p[1:] != p[:-1]) | (period[1:] != period[:-1])]
        return _order(self.lead[arranged], self.outcome[arranged], begins, period)

    @cached_property
    def per_lead(self) -> Floats:
        """(leads, 7) sums: snapshots, conversions, their log odds, and log loss and Brier of the two probabilities."""
        p, y, base = self.row_probability, self.outcome, self.base_rate_probability
        columns = (
            np.ones(y.size), y, y * log_odds(p), surprise(p, y), (p - y) ** 2, surprise(base, y), (base - y) ** 2,
        )  # fmt: skip
        return self._summed(columns)

    def _summed(self, columns: Sequence[Floats]) -> Floats:
        """(leads, columns) sums over the rows of each lead."""
        sums = [np.bincount(self.lead, weights=column, minlength=self.leads) for column in columns]
        return np.stack(sums, axis=1).astype(np.float64)

    @cached_property
    def per_lead_bin(self) -> tuple[Floats, Floats]:
        """(leads, bins) snapshots, and sum of outcome − probability."""
        bins = int(self.row_bin.max()) + 1
        cell, size = self.lead * bins + self.row_bin, self.leads * bins
        snapshots, residual = (
            np.bincount(cell, weights=w, minlength=size).reshape(self.leads, bins).astype(np.float64)
            for w in (None, self.outcome - self.row_probability)
        )
        return snapshots, residual

    @cached_property
    def per_lead_bin_products(self) -> tuple[Floats, Floats]:
        """(leads, 2·bins) both of `per_lead_bin`; (leads, 3·bins) their squares and product."""
        snapshots, residual = self.per_lead_bin
        return np.hstack([snapshots, residual]), np.hstack([residual**2, residual * snapshots, snapshots**2])

    @cached_property
    def recalibrated(self) -> "Recalibrated":
        """How the rows as they are would be recalibrated; those of resamples are looked for from there."""
        w = Weighted(self, np.ones((1, self.leads)))
        shift = float(fit_shift(self.log_odds, w.total, w.converted)[0])
        line = fit_line(self.log_odds, w.total, w.converted, w.converted_log_odds)[0]
        z = log_odds(self.row_probability)
        mu, nu = logistic(line[0] + line[1] * z), logistic(shift + z)
        information = mu * (1 - mu)
        columns = (
            self.outcome - mu, (self.outcome - mu) * z, information, information * z, information * z * z,
            self.outcome - nu, nu * (1 - nu),
        )  # fmt: skip
        return Recalibrated(line, shift, self._summed(columns))


@dataclass(frozen=True, eq=False)
class Recalibrated:
    """The line and the shift of the log odds that fit the rows as they are; NaN where there is none.

    `per_lead` (leads, 7) holds what one Newton step from there takes: of the line the two scores and the three distinct
    entries of the information, of the shift its score and information.
    """

    line: Floats
    shift: float
    per_lead: Floats

    def line_of(self, counts: Floats) -> Floats:
        """(k, 2) one step from the line towards those of k weightings."""
        if not np.isfinite(self.line).all():
            return np.tile([0.0, 1.0], (len(counts), 1))
        g0, g1, h0, h1, h2 = (counts @ self.per_lead[:, :5]).T
        determinant = h0 * h2 - h1 * h1
        solvable = determinant > 1e-12 * h0 * h2
        step = np.stack([h2 * g0 - h1 * g1, h0 * g1 - h1 * g0], axis=1) / np.where(solvable, determinant, 1.0)[:, None]
        return self.line + np.where(solvable & (np.abs(step).max(axis=1) < 1), step.T, 0.0).T

    def shift_of(self, counts: Floats) -> Floats:
        """(k,) one step from the shift towards those of k weightings."""
        if not np.isfinite(self.shift):
            return np.zeros(len(counts))
        score, information = (counts @ self.per_lead[:, 5:]).T
        step: Floats = np.clip(score / np.maximum(information, 1e-300), -1, 1)
        return self.shift + step


class Weighted:
    """The same snapshots under k weightings at once: ``counts`` (k, leads) says how often each lead was drawn."""

    def __init__(self, ranked: Ranked, counts: Floats) -> None:
        self.ranked, self.counts = ranked, counts
        (
            self.size,
            self.converted,
            self.converted_log_odds,
            self.surprise,
            self.squared_error,
            self.base_surprise,
            self.base_squared_error,
        ) = (counts @ ranked.per_lead).T

    @cached_property
    def running(self) -> "Running":
        """Running totals by falling probability."""
        return Running(self.ranked.order, self.counts)

    @cached_property
    def running_within(self) -> "Running":
        """Running totals by period, and in each by falling probability."""
        return Running(self.ranked.order_within, self.counts)

    @cached_property
    def total(self) -> Floats:
        """(k, groups) weighted snapshots."""
        return np.diff(self.running.snapshots[:, np.append(self.ranked.start, self.ranked.outcome.size)], axis=1)


class Running:
    """Weighted snapshots and conversions before each row: (k, rows + 1) and (k, converters + 1), both from 0."""

    def __init__(self, order: Order, counts: Floats) -> None:
        self.order = order
        self.drawn: Floats = counts[:, order.lead[order.converters]]  # (k, converters)
        self.snapshots: Floats = np.zeros((len(counts), order.lead.size + 1))
        np.cumsum(counts[:, order.lead], axis=1, out=self.snapshots[:, 1:])
        self.converted: Floats = np.zeros((len(counts), order.converters.size + 1))
        np.cumsum(self.drawn, axis=1, out=self.converted[:, 1:])

    def converted_before(self, row: Positions) -> Floats:
        """(k, rows asked) weighted conversions before these rows."""
        return self.converted[:, self.order.converters_before[row]]

    def others_before(self, row: Positions) -> Floats:
        """(k, rows asked) weighted snapshots without a conversion before these rows."""
        return self.snapshots[:, row] - self.converted_before(row)


def log_odds(probability: Floats) -> Floats:
    """Finite also where the probability is 0 or 1."""
    p = np.clip(probability, _EPSILON, 1 - _EPSILON)
    return np.log(p) - np.log1p(-p)


def surprise(probability: Floats, outcome: Floats) -> Floats:
    """−ln of the probability given to what happened, of probabilities clipped at 2e-16."""
    p = np.clip(probability, _EPSILON, 1 - _EPSILON)
    return -np.where(outcome == 1, np.log(p), np.log1p(-p))


def _order(lead: Positions, outcome: Floats, begins: npt.NDArray[np.bool_], period: Positions | None) -> Order:
    start = np.flatnonzero(begins)
    size = np.diff(start, append=outcome.size)
    changed = [False] if period is None else period[1:] != period[:-1]
    ends = np.flatnonzero(changed) + 1
    return Order(
        lead=lead,
        converters=np.flatnonzero(outcome == 1),
        converters_before=np.concatenate([[0], np.cumsum(outcome)]).astype(np.intp),
        first=np.repeat(start, size),
        past=np.repeat(start + size, size),
        period_ends=np.concatenate([[0], ends, [outcome.size]]).astype(np.intp),
    )

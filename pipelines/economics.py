"""What a list is worth: break-even limits, what capacity does to them, what a fifth more or less of a figure would do.

Everything is computed from the scores that are published, and nothing is written. Leads that a stage of ours cannot
hand over (those that people keep as opportunity or customer, those out of target) are left out, and counted.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import ConfigError, UserError
from features.tables import AS_OF, LEAD_ID
from pipelines.config import Settings
from pipelines.decisions import economics_of
from pipelines.moments import moment
from pipelines.published import published, values
from pipelines.store import LeadStore
from serve.economics import Economics
from serve.sensitivity import sensitivity
from serve.stage_limits import MOST, Outcome, break_even, cut_of, limits_for, outcome
from serve.stages import OWNED_BY_PEOPLE

Floats = npt.NDArray[np.float64]
_ROUNDED: Final = 3  # significant digits of a limit that is told
_AS_GOOD: Final = 0.001  # a limit that brings this share less may be told, where it has fewer digits

EXAMPLE: Final = """\
[economics]
customer_value = 12000      # what one more customer brings: its margin, not its turnover
sales_touch_cost = 150      # of having sales work one lead
nurture_touch_cost = 5      # of having marketing nurture one
touches_per_day = 20        # leads that sales can take up from one night's list; 0 = not known
"""


@dataclass(frozen=True, eq=False)
class Priced:
    """The published leads that a stage of ours could hand over, and what each would bring; rows by lead_id."""

    scores: pd.DataFrame
    value: Floats
    economics: Economics
    aside: int
    """Published leads that are left out."""


def told_economics(settings: Settings) -> Economics:
    """The figures, all that limits are derived from.

    Raises
    ------
    ConfigError
        They contradict each other, or are not told: with what to write.
    """
    economics = economics_of(settings)
    missing = [] if economics else ["customer_value (or amount, or segment with [economics.values])"]
    missing += [name for name in ("sales_touch_cost", "nurture_touch_cost") if not getattr(settings.economics, name)]
    if economics is None or missing:
        raise ConfigError(
            f"[economics] does not tell {', '.join(missing)}: without them nobody can say what a lead is worth. Write "
            f"into leadscore.toml, with figures of your own:\n\n{EXAMPLE}\n'leadscore config show' explains each key."
        )
    return economics


def priced(
    store: LeadStore,
    settings: Settings,
    economics: Economics,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Priced:
    """Read the published leads with their values.

    Raises
    ------
    UserError
        Nothing is published.
    ConfigError
        A column that [economics] names is not there.
    """
    with store.snapshot() as frozen:
        scores = published(frozen)
        value = values(frozen, settings, economics, scores, progress=progress)
    ours = ~scores["recommended_stage"].isin(OWNED_BY_PEOPLE).to_numpy(bool)
    return Priced(scores[ours].reset_index(drop=True), value[ours], economics, int((~ours).sum()))


def report(
    store: LeadStore,
    settings: Settings,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, Any]:
    """What `leadscore economics --json` prints; money in `currency`, probabilities within the label's horizon.

    Returns
    -------
    `figures` (as told), `value` (of one customer: lowest, median, highest over the leads; `expected` is the sum of
    probability x value; `worthless` counts the leads that would bring nothing), `break_even` (mql and sal, at the
    lowest, median and highest value), `capacity` (`left_over`: what leads that pay for a call but do not fit would
    bring, calls paid), `settings` and `suggestion` (limits, their outcome, leads `over_capacity`, and what as many as
    fit would bring if they were picked among them at random), `per_lead` (the
    outcome of limits = "economics"), `product_use_on_top` (pql leads below the limit of sal: they are called too),
    `toml` (to paste), `sensitivity` (a list of cases).

    Raises
    ------
    ConfigError
        [economics] is not told, or not consistent.
    UserError
        Nothing is published, or no published lead could be handed over.
    """
    leads = priced(store, settings, told_economics(settings), progress=progress)
    if leads.scores.empty:
        raise UserError("People keep every published lead themselves, so there is none to set a limit for.")
    p, ids = leads.scores["probability"].to_numpy(np.float64), leads.scores[LEAD_ID].to_numpy(object)
    worth, firm, stages = leads.value, leads.economics, settings.stages
    cases = sensitivity(p, worth, ids, economics=firm)
    cut = cut_of(p, worth, ids, economics=firm)
    own = limits_for(p, worth, ids, economics=firm, cut=cut)
    per_lead = outcome(p, worth, sal=own.sal, mql=own.mql, economics=firm)
    sal = best_limit(p, worth, cost=firm.sales_touch_cost, places=firm.touches_per_day)
    mql = min(best_limit(p, worth, cost=firm.nurture_touch_cost), sal)
    by_economics = stages.limits == "economics"
    present = per_lead if by_economics else outcome(
        p, worth, sal=stages.sal_probability, mql=stages.mql_probability, economics=firm
    )  # fmt: skip
    suggested = outcome(p, worth, sal=sal, mql=mql, economics=firm)
    product_use = leads.scores["recommended_stage"].eq("pql").to_numpy(bool)
    return {
        "as_of": moment(int(leads.scores[AS_OF].max())),
        "currency": firm.currency,
        "horizon_days": settings.label.horizon_days,
        "leads": len(p),
        "left_aside": leads.aside,
        "figures": settings.economics.model_dump(),
        "value": {
            "lowest": float(worth.min()), "median": float(np.median(worth)), "highest": float(worth.max()),
            "expected": float((p * worth).sum()), "worthless": int((worth == 0).sum()),
        },
        "break_even": {
            stage: {name: float(break_even(of, cost=cost)[0]) for name, of in (
                ("lowest_value", worth.min()), ("median_value", np.median(worth)), ("highest_value", worth.max()),
            )}
            for stage, cost in (("mql", firm.nurture_touch_cost), ("sal", firm.sales_touch_cost))
        },
        "capacity": {
            "touches_per_day": firm.touches_per_day,
            "worth_a_call": per_lead.worth_a_call,
            "handed_over": per_lead.handed_over,
            "sal_limit": cases[0].sal_limit,
            "last_expected_value": cut.expected_value if cut else None,
            "left_over": _left_over(p, worth, own.sal, economics=firm),
        },
        "settings": _limits(
            None if by_economics else (stages.mql_probability, stages.sal_probability, stages.sql_probability),
            present, firm,
        ) | {"limits": stages.limits},
        "suggestion": _limits((mql, sal, sal), suggested, firm),
        "per_lead": _limits(None, per_lead, firm),
        "product_use_on_top": int((product_use & (p < (own.sal if by_economics else sal))).sum()),
        "toml": toml(mql=mql, sal=sal, pql=firm.touches_per_day > 0 and bool(product_use.any())),
        "sensitivity": [case.as_dict() for case in cases],
    }  # fmt: skip


def best_limit(p: Floats, worth: Floats, *, cost: float, places: int = 0) -> float:
    """One limit for all leads: what touches that cost `cost` are expected to bring most from, in at most `places`.

    Where every lead would bring the same and all fit, that is the break-even probability; else it lies between
    leads, and is written with as few digits as one may have that brings as much. Where no limit pays, it is one that
    nobody reaches.

    Examples
    --------
    >>> best_limit(np.array([0.4, 0.313, 0.31, 0.05]), np.full(4, 1000.0), cost=100, places=2)
    0.311
    >>> best_limit(np.array([0.4, 0.05]), np.full(2, 1000.0), cost=100)
    0.1
    """
    order = np.argsort(-p, kind="stable")
    ranked, gain = p[order], np.cumsum((p * worth - cost)[order])
    # Equals are handed over together: a list may end only with the last of them.
    ends = np.flatnonzero(np.append(ranked[1:] < ranked[:-1], True))
    gain = np.where(ends < (places or len(p)), gain[ends], -np.inf)
    best, even = int(np.argmax(gain)), break_even(worth, cost=cost)
    same = bool(worth.min() == worth.max())
    if gain[best] <= 0:
        nobody = _between(float(p.max()), MOST)
        return _up(float(even[0])) if same and even[0] >= nobody else nobody
    if same and np.isfinite(gain[best + 1 : best + 2]).all():
        return _up(float(even[0]))
    as_good = gain >= gain[best] * (1 - _AS_GOOD)
    first, last = best, best
    while first > 0 and as_good[first - 1]:
        first -= 1
    while last + 1 < len(ends) and as_good[last + 1]:
        last += 1
    below = float(ranked[ends[last + 1]]) if last + 1 < len(ends) else 0.0
    return _between(below, float(ranked[ends[first]]))


def toml(*, mql: float, sal: float, pql: bool) -> str:
    """The suggestion, to paste into leadscore.toml; with a limit for product users where they would come on top."""
    lines = [f"mql_probability = {mql:.12g}", f"sal_probability = {sal:.12g}", f"sql_probability = {sal:.12g}"]
    lines += [f"# pql_min_probability = {sal:.12g}"] * pql
    return "\n".join(["[stages]", *lines, ""])


def _left_over(p: Floats, worth: Floats, sal: Floats, *, economics: Economics) -> float:
    """What the leads that pay for a call but do not fit are expected to bring, less what calling them would cost."""
    waiting = (p >= break_even(worth, cost=economics.sales_touch_cost)) & (p < sal)
    return float((p * worth - economics.sales_touch_cost)[waiting].sum())


def _limits(limits: tuple[float, float, float] | None, of: Outcome, economics: Economics) -> dict[str, Any]:
    mql, sal, sql = limits or (None, None, None)
    places = economics.touches_per_day
    return {
        "mql_probability": mql, "sal_probability": sal, "sql_probability": sql, **of.as_dict(),
        "over_capacity": max(0, of.handed_over - places) if places else 0,
        "net_value_at_random": of.expected_net_value * min(1.0, places / max(of.handed_over, 1)) if places else None,
    }  # fmt: skip


def _up(limit: float) -> float:
    """A limit with few digits, never below itself; still a limit, below 1."""
    scale = float(10.0 ** (_ROUNDED - 1 - math.floor(math.log10(limit))))
    # A hair is taken off: 0.1 must not become 0.101 because its double lies above it.
    return min(math.ceil(limit * scale * (1 - 1e-12)) / scale, 0.999)


def _between(low: float, high: float) -> float:
    """The number with the fewest decimals above `low` and not above `high`."""
    for decimals in range(2, 17):
        scale = 10.0**decimals
        found = math.floor(low * scale + 1) / scale
        if low < found <= high:
            return found
    return high

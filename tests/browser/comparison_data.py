"""Comparisons to look at in a browser: made leads, judged by what judges real ones, with names as hostile as wanted."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from features.tables import MICROSECONDS_PER_DAY
from models.comparison import Comparison
from models.evaluation import evaluate_together
from models.handover import percentile, stand
from pipelines import config
from pipelines.compare import METRICS, report_of, shortened
from pipelines.contest import Contest
from pipelines.proving import DIFFERENCES, capacity_share, lists
from serve.comparison_page import to_html
from serve.economics import Economics
from serve.swap_list import Swapped, in_order

CHANNELS = ("referral", "search", "event", "partner")
SAYS = ("Demo requests in the last 30 days", "Seniority read from the title", "Visits to the site, ever")
CRITERIA = ("Asked for a demo", "Our sectors", "Free address")


def report(
    *,
    snapshots: int = 3000,
    leads: int = 900,
    names: Sequence[str] = CHANNELS,
    prefix: str = "lead",
    money: bool = True,
    seed: int = 1,
) -> dict[str, Any]:
    """A comparison in which the model knows more than the points.

    Parameters
    ----------
    names : of segments; prefix : of lead ids
    """
    generator = np.random.default_rng(seed)
    lead = generator.integers(0, leads, snapshots)
    truth = generator.normal(size=leads)[lead]
    as_of = (20_000 + 30 * generator.integers(0, 8, snapshots)) * MICROSECONDS_PER_DAY
    log_odds = truth - 2.5 + generator.normal(size=snapshots) * 0.4
    outcome = (generator.random(snapshots) < expit(truth - 2.5)).astype(np.int64)
    points = np.round(20 + 8 * truth + generator.normal(size=snapshots) * 14)
    probability, fair = expit(log_odds), expit((points - 20) / 25 - 2.4)
    ids = np.array([f"{prefix} {n}" for n in lead], object)
    flags = {"evaluation.capacity_leads": snapshots // 100, "model.resamples": 60}
    settings = config.load(environment={}, flags=flags | ({} if seed else {"evaluation.capacity_leads": 0}))
    together = evaluate_together(
        {"a": probability, "b": fair},
        outcome,
        lead_id=ids,
        period=lists(as_of, settings),
        capacity_share=capacity_share(as_of, settings, drawn=1.0),
        base_rate_probability=float(outcome.mean()),
        against="a",
        differences=DIFFERENCES,
        resamples=60,
        metrics=METRICS,
    )
    contest = Contest(
        names=("model", "points"),
        lead_id=ids,
        as_of=as_of,
        outcome=outcome,
        a=probability,
        b=points,
        a_probability=probability,
        b_probability=fair,
        row=np.arange(snapshots),
        points=points,
        proof=None,
        together=together,
    )
    channel = np.array(names, object)[(truth > 0.3).astype(int) + generator.integers(0, len(names) - 1, snapshots)]
    frame = pd.DataFrame({"source_channel": pd.Series(channel, dtype="str")})
    economics = Economics(customer_value=9000, sales_touch_cost=60) if money else None

    def listed(found: Comparison, on: Any, worth: Any) -> list[Swapped]:
        a, b = percentile(stand(probability, on)), percentile(stand(points, on))
        part = np.abs(found.swap)
        return [
            Swapped(
                lead_id=str(ids[row]),
                as_of=int(as_of[row]),
                only="a" if found.swap[row] > 0 else "b",
                part=float(part[row]),
                converted=bool(outcome[row]),
                a=float(a[row]),
                b=float(b[row]),
                a_says=float(probability[row]),
                b_says=float(points[row]),
                worth=None if worth is None else float(worth[row]),
                reasons=_reasons(float(log_odds[row]), names[row % len(names)]),
                parts=[(CRITERIA[row % 3], float(points[row]) + 5), (names[row % len(names)], -5.0)],
            )
            for row in in_order(part, a - b, ids, as_of)
        ]

    return report_of(contest, frame, settings, economics=economics, swap=listed)


def _reasons(log_odds: float, name: str) -> dict[str, Any]:
    told = [(f"{says}: {name}", effect, says) for says, effect in zip(SAYS, (0.9, 0.4, -0.2), strict=True)]
    return {"start": -2.5, "reasons": told, "rest": log_odds + 2.5 - 1.1 - 0.05, "calibration": 0.05}


@cache
def page(language: str = "en", *, money: bool = True) -> str:
    """The page of an ordinary comparison."""
    return to_html(shortened(report(money=money)), language=language)

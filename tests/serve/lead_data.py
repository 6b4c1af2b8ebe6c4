"""The facts of one lead, as `pipelines.explaining` gathers them, for tests that show them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from scipy.special import expit

from serve.lead_reasons import breakdown
from serve.stages import MEANING


def night(day: int, probability: float, *, version: str = "1") -> dict[str, Any]:
    """What was published as of a day of November 2026."""
    as_of = (datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=day)).isoformat(timespec="seconds")
    low, high = probability * 0.8, min(1.0, probability * 1.2)
    return {
        "as_of": as_of, "probability": probability, "probability_low": low, "probability_high": high,
        "percentile": 80.0, "band": "B", "recommended_stage": "mql", "model_version": version,
    }  # fmt: skip


def facts(**changed: Any) -> dict[str, Any]:
    """A lead with everything there is to tell."""
    reasons = {
        "start": -2.5,
        "reasons": [
            {"feature": "country", "says": "Country: FR", "effect": 0.4},
            {"feature": "forms_30d", "says": "Times a form was filled in the last 30 days: 2", "effect": 0.7},
            {"feature": "email_opens_90d", "says": "E-mails opened in the last 90 days: none", "effect": -0.3},
        ],
        "rest": 0.1,
        "calibration": -0.05,
    }
    probability = float(expit(-1.65))
    families = {"country": "demographic", "forms_30d": "behavioural", "email_opens_90d": "engagement"}
    groups = breakdown(
        reasons,
        probability=probability,
        families=families,
        sums={"demographic": 0.45, "behavioural": 0.72, "engagement": -0.26},
    )
    now = {"probability": probability, "probability_low": 0.13, "probability_high": 0.2, "band": "B"}
    then = {"probability": 0.31, "probability_low": 0.26, "probability_high": 0.37, "band": "A"}
    made = {
        "lead_id": "L-1",
        "as_of": "2026-11-22T00:00:00+00:00",
        **now,
        "percentile": 91.3,
        "recommended_stage": "sal",
        "stage_reason": "16 % likely to convert: for sales to accept.",
        "needs_confirmation": False,
        "reasons": reasons,
        "points": 42.0,
        "points_stage": "mql",
        "model_version": "1",
        "horizon_days": 60,
        "target_stage": "customer",
        "stage_meaning": MEANING["sal"],
        "signals": {
            "explicit_intent": False, "product_use": True, "days_since_act": 2.5, "was_qualified": False,
            "human_stage": "lead",
        },
        "groups": groups.as_dict(),
        "points_parts": [
            {"name": "Manager", "group": "fit", "points": 30.0, "says": "seniority is manager"},
            {"name": "Asked for a demo", "group": "engagement", "points": 12.5, "says": "demo_requests is 1"},
            {"name": "cap of all", "group": "all", "points": -0.5, "says": "no more than 42 points"},
        ],
        "trend": {
            "direction": "improving",
            "since": "2026-11-01T00:00:00+00:00",
            "days": 21.0,
            "probability_before": 0.08,
            "versions": ["1", "2"],
            "nights": [night(0, 0.08), night(7, 0.09), night(14, 0.12), night(21, probability, version="2")],
        },
        "economics": {
            "currency": "EUR", "value": 2000.0, "expected_value": 321.42, "sales_touch_cost": 60.0, "pays": True,
        },
        "what_if": {
            "as_it_is": now | {"recommended_stage": "sal", "odds_factor": 1.0},
            "changes": [
                then | {"key": "demo_request", "type": "Demo asked", "days": 0, "recommended_stage": "sql",
                        "odds_factor": 2.3},
                then | {"key": "ours", "type": "<b>ours</b>", "days": 0, "recommended_stage": "sal",
                        "odds_factor": 2.3},
                now | {"key": "webinar", "type": "webinar", "days": 0, "recommended_stage": "sal", "odds_factor": 1.01},
                {"key": "quiet", "type": "", "days": 30, "probability": 0.04, "probability_low": 0.03,
                 "probability_high": 0.05, "band": "D", "recommended_stage": "lead", "odds_factor": 0.22},
            ],
        },
        "notes": [{"note": "champion", "version": "2", "champion": "3"}],
    }  # fmt: skip
    return made | changed

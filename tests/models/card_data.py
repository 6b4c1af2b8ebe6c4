"""Facts for cards: all that training measures, a version's standing, and facts with some of it gone."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any, Final

from features.catalogue import catalogue
from features.kinds import KINDS
from features.tables import PROFILE_COLUMNS
from tests.models.data import facts


def interval(value: float, spread: float = 0.1, **more: Any) -> dict[str, Any]:
    """A figure with its interval."""
    return {"value": value, "low": value - spread, "high": value + spread, "undefined": 0, **more}


METRICS: Final = {
    "log_loss": (0.3012, 0.012),
    "brier": (0.0921, 0.004),
    "brier_skill": (0.214, 0.03),
    "roc_auc": (0.812, 0.021),
    "roc_auc_within": (0.801, 0.024),
    "pr_auc": (0.41, 0.05),
    "lift_at_5": (5.1, 0.8),
    "lift_at_10": (4.12, 0.5),
    "lift_at_20": (2.9, 0.3),
    "lift_at_capacity": (3.4, 0.4),
    "captured_at_5": (0.26, 0.04),
    "captured_at_10": (0.412, 0.05),
    "captured_at_20": (0.58, 0.06),
    "captured_at_capacity": (0.51, 0.05),
    "ece": (0.011, 0.004),
    "calibration_slope": (0.97, 0.1),
    "calibration_intercept": (-0.03, 0.12),
}
BASELINES: Final = ("base_rate", "logistic", "odoo_bayes", "odoo_bayes_with_stage", "single_feature", "points")


def metrics(worse: float = 0.0) -> dict[str, Any]:
    """Every metric, a little worse."""
    return {name: interval(value * (1 - worse), spread) for name, (value, spread) in METRICS.items()}


def differences(by: float, word: str) -> dict[str, Any]:
    """The model's advantage, as it is in the facts: model less the other."""
    signs = {"log_loss": -1, "brier": -1, "roc_auc": 1, "lift_at_10": 1}
    return {name: interval(sign * by, 0.004, word=word) for name, sign in signs.items()}


def fold(number: int) -> dict[str, Any]:
    """One period of the test."""
    return {
        "number": number,
        "trained_until": f"2026-0{3 * number - 2}-01T00:00:00+00:00",
        "from": f"2026-0{3 * number - 1}-28T00:00:00+00:00",
        "to": f"2026-0{3 * number}-28T00:00:00+00:00",
        "train": 18_200 + 4_000 * number,
        "calibrate": 4_300,
        "test": 5_120,
        "dropped_in_gap": 2_480,
        "leads": 2_900,
        "converted": 362,
        "predicted_mean": 0.122,
        "observed_rate": 0.118,
        "base_rate_before": 0.109,
        "metrics": {name: metrics()[name] for name in ("log_loss", "brier_skill", "roc_auc", "lift_at_10")},
    }


def calibration_row(at: int) -> dict[str, Any]:
    """One group of the reliability table; the last promises a little too much."""
    mean = 0.008 * 1.62**at
    observed = mean * (0.8 if at == 9 else 1.04)
    return {
        "probability_low": mean * 0.8,
        "probability_high": min(mean * 1.25, 1.0),
        "snapshots": 1_536,
        "leads": 980,
        "predicted_mean": mean,
        "observed_rate": observed,
        "wilson_low": observed * 0.86,
        "wilson_high": min(observed * 1.15, 1.0),
    }


def month(at: int) -> dict[str, Any]:
    """One month; in the fourth, fewer converted than was promised."""
    observed = 0.12 + 0.01 * ((at * 7) % 5 - 2) - (0.03 if at == 3 else 0)
    return {
        "month": f"{2025 + at // 12}-{at % 12 + 1:02}",
        "snapshots": 1_700 + 10 * at,
        "leads": 1_100,
        "converted": 130,
        "predicted_mean": 0.124,
        "observed_rate": observed,
        "observed_low": observed - 0.02,
        "observed_high": observed + 0.02,
        "calibration_intercept": interval(0.02 * (at % 3 - 1), 0.15),
        "pooled_intercept": interval(0.01 * (at % 3 - 1), 0.1),
        "roc_auc": None if at == 5 else 0.80 + 0.002 * at,
        "word": "undefined" if at == 5 else "promises too much" if at == 3 else "as promised",
    }


SEGMENTS: Final = (
    ("source_channel", "webinar", False, 820, 130, "as promised"),
    ("source_channel", "organic search", False, 1_940, 190, "as promised"),
    ("source_channel", "paid search", False, 1_210, 88, "promises too much"),
    ("source_channel", "partner referral", False, 160, 41, "promises too little"),
    ("country", "FR", True, 2_300, 260, "as promised"),
    ("country", "DE", True, 940, 120, "as promised"),
    ("country", "LU", True, 31, 4, "as promised"),
    ("company_size_band", "1-10", False, 1_650, 110, "as promised"),
    ("company_size_band", "1001-5000", False, 420, 80, "as promised"),
)


def segment(column: str, value: str, sensitive: bool, leads: int, converted: int, word: str) -> dict[str, Any]:
    """One group of leads."""
    observed = converted / leads
    promised = observed * {"promises too much": 1.4, "promises too little": 0.7}.get(word, 1.02)
    return {
        "column": column,
        "value": value,
        "sensitive": sensitive,
        "snapshots": 2 * leads,
        "leads": leads,
        "converted": converted,
        "predicted_mean": promised,
        "observed_rate": observed,
        "wilson_low": observed * 0.85,
        "wilson_high": min(1.0, observed * 1.17),
        "log_loss": 0.31,
        "roc_auc": None if converted < 10 else interval(0.78 + 0.0001 * converted, 0.04),
        "calibration_intercept": interval(0.05, 0.2),
        "pooled_intercept": interval(0.02, 0.1),
        "word": word,
    }


def target(ratio: float | None) -> dict[str, Any]:
    """MadKudu's three figures."""
    bands = (("A", 0.08, 0.36, 0.55), ("B", 0.16, 0.31, 0.24), ("C", 0.3, 0.23, 0.09), ("D", 0.46, 0.1, 0.026))
    keys = ("band", "leads_share", "converted_share", "rate")
    return {
        "top_two_share": 0.24,
        "captured": 0.67,
        "ratio": ratio,
        "bands": [dict(zip(keys, band, strict=True)) for band in bands],
    }


def described() -> list[dict[str, Any]]:
    """Every feature there can be, with attributes of the company's own and an event type of its own."""
    kinds = {kind: kind for kind in KINDS} | {"Offer sent": "offer_sent"}
    whole = catalogue(
        kinds=kinds,
        type_counts=dict.fromkeys(kinds, 100),
        profile_columns=PROFILE_COLUMNS,
        attributes={"plan": "categorical", "seats": "numeric", "trial": "boolean", "renewal": "date"},
    )
    return [
        {
            "name": column.name,
            "about": column.about,
            "unit": column.unit,
            "missing": column.missing,
            "family": column.family,
            "importance": 0.9 * 0.93**at,
            "monotone": column.monotone,
            "low": None if column.type == "categorical" else 0.0,
            "high": None if column.type == "categorical" else 37.5 + at,
            "missing_share": (at % 7) / 10,
        }
        for at, column in enumerate(whole.columns)
    ]


def full() -> dict[str, Any]:
    """Every fact that the card can tell."""
    made = facts()
    made["verdict_reason"] = (
        "gains log loss +0.0512 against the base rate (95 % interval +0.0431 to +0.0588); ROC-AUC 0.812 (0.791 to "
        "0.833)."
    )
    made["verdict_facts"] = {"gain": interval(-0.0512, 0.008), "roc_auc": interval(0.812, 0.021)}
    made["data"] |= {
        "config_digest": "feedface",
        "sampled_share": 0.25,
        "snapshots_at": "calendar",
        "every_days": 30,
        "days_after_creation": [0.0],
    }
    made["snapshots"]["converted_in_test"] = 1_086
    made["snapshots"]["test"] = 15_360
    made["excluded"] = {"objects to profiling": 3, "no voluntary act yet": 12_345}
    made["folds"] = [fold(number) for number in (1, 2, 3)]
    made["metrics"], made["capacity"] = metrics(), {"leads": 150, "share": 0.14}
    made["baselines"] = {name: metrics(0.04 * (5 - at)) for at, name in enumerate(BASELINES)}
    made["baseline_notes"] = {"single_feature": "visits_30d"}
    found = zip(BASELINES, (0.05, 0.011, 0.02, 0.001, 0.03, 0.024), strict=True)
    made["differences"] = {
        name: differences(-by if name == "odoo_bayes_with_stage" else by, "level" if by < 0.004 else "better")
        for name, by in found
    }
    made["calibration_table"] = [calibration_row(at) for at in range(10)]
    made["months"] = [month(at) for at in range(9)]
    made["segment_columns"] = ["source_channel", "country", "company_size_band"]
    made["segments"] = [segment(*row) for row in SEGMENTS]
    made["gain"] = [
        {"share": at / 20, "model": (at / 20) ** 0.45, "points": (at / 20) ** 0.7, "logistic": (at / 20) ** 0.5}
        for at in range(21)
    ]
    made["calibration"] = {
        "method": "beta",
        "choices": [
            {"method": "none", "log_loss": 0.3041, "above_best": 0.0015, "standard_error": 0.0004},
            {"method": "beta", "log_loss": 0.3026, "above_best": 0.0, "standard_error": 0.0},
        ],
        "prior_shift": {
            "gap": -0.21,
            "share": 0.5,
            "shift": -0.105,
            "judged": [
                {
                    "begins": 1_767_225_600_000_000,
                    "snapshots": 2_100,
                    "share": 0.5,
                    "shift": -0.1,
                    "predicted_before": 0.131,
                    "predicted_after": 0.119,
                    "observed": 0.118,
                }
            ],
        },
        "ece_null95": 0.014,
    }
    made["targets"] = {"model": target(21.2), "points": target(None)}
    made["champion"] = {
        "version": "3",
        "digest": "ab" * 32,
        "snapshots": 5_120,
        "leads": 2_900,
        "converted": 362,
        "metrics": {
            "log_loss": {"candidate": 0.3012, "champion": 0.3056},
            "roc_auc": {"candidate": 0.812, "champion": 0.806},
        },
        "differences": {
            "log_loss": interval(-0.0044, 0.002, word="better"),
            "roc_auc": interval(0.006, 0.01, word="level"),
        },
    }
    made["changes"] = {
        "since_version": "3",
        "features_added": ["meetings_7d", "plan"],
        "features_gone": ["forms"],
        "settings": [{"key": "label.horizon_days", "before": 60, "now": 30}],
        "data": {
            "before": {
                "first_as_of": "2023-11-01T00:00:00+00:00",
                "known_until": "2024-12-01T00:00:00+00:00",
                "snapshots": 900,
            },
            "now": {
                "first_as_of": "2024-01-01T00:00:00+00:00",
                "known_until": "2025-02-01T00:00:00+00:00",
                "snapshots": 1_200,
            },
        },
        "metrics": {"log_loss": {"before": 0.31, "now": 0.3012}},
    }
    made["features"] = described()[::18]
    made["leaks"] = [
        {
            "column": "duration",
            "probe": "dominant",
            "value": 0.646,
            "limit": 0.35,
            "auc": 0.783,
            "sentence": "Column 'duration' alone ranks converters at an AUC of 0.783. Look.",
        }
    ]
    made["left_out"] = {
        "job_function": "no lead has a value for job_title",
        "seniority": "no lead has a value for job_title",
        "euribor": "excluded by configuration",
    }
    made["excluded_by_choice"] = ["euribor"]
    made["never_read"] = ["full_name", "email", "phone", "company_name"]
    made["sensitive"], made["attributes"] = ["country", "language"], ["plan", "seats", "trial", "renewal"]
    made["justification"] = {"country": "Delivery is possible in some countries only"}
    made["owner"], made["note"] = "Ada Lovelace, head of marketing", "The spring fair is not in the data."
    made["drift_limits"] = {
        "least_volume_share": 0.5,
        "most_volume_factor": 5.0,
        "most_mean_factor": 3.0,
        "warn_new_category_share": 0.05,
        "most_new_category_share": 0.2,
        "max_stale_days": 14.0,
    }
    made["stages"] = {
        "mql_probability": 0.05,
        "sal_probability": 0.15,
        "sql_probability": 0.15,
        "pql_min_probability": 0.05,
        "recycle_after_days": 60,
        "intent_days": 90,
        "product_use_days": 30,
    }
    made["bands"] = {"a_probability": 0.3, "b_probability": 0.15, "c_probability": 0.05}
    made["made"] = {
        "program": "leadscore 0.1.0",
        "commit": "5211c8d4bb2ad50a2b9a603123143d206814496f",
        "python": "3.11.7",
        "libraries": {"lightgbm": "4.7.0", "numpy": "2.3.1", "scikit-learn": "1.9.1"},
        "seed": 7,
        "resamples": 500,
    }
    made["tuning"] = {
        "trials": 40,
        "minutes": 12.5,
        "parameters": {"num_leaves": 12, "learning_rate": 0.03},
        "gain": interval(-0.002, 0.001, word="better"),
        "used": True,
    }
    made["notes"] = ["525 trees, logistic penalty C = 1.0, calibration: beta", "somebody's own remark"]
    return made


def standing(**other: Any) -> dict[str, Any]:
    """What is known of a version once it is registered: approved, unless said otherwise."""
    review = {
        "decision": "approved",
        "reviewer": "Grace Hopper",
        "reviewed_at": "2026-11-22T14:05:00+00:00",
        "note": "Read with sales.",
        "card_digest": "c0ffee",
    }
    return {
        "version": "4",
        "status": "candidate",
        "registered_at": "2026-11-21T09:00:00+00:00",
        "reviews": [review],
        "card_digest": "c0ffee",
        "approved": True,
        **other,
    }


def without(whole: dict[str, Any], gone: Iterable[tuple[str, ...]]) -> dict[str, Any]:
    """The facts but for those at these paths."""
    rest = deepcopy(whole)
    for *outer, key in gone:
        place = rest
        for name in outer:
            place = place.get(name, {})
        place.pop(key, None)
    return rest

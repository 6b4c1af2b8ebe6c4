"""A services firm: few pages are read, a quote is asked for early, and the decision falls within weeks or never."""

from dataclasses import replace
from typing import Final

from pipelines.synthetic_company import Trigger
from pipelines.synthetic_saas import SAAS

#: Hardly any project is bought in August, and more than usual in September. The contact form asks what the project may
#: cost. The CRM counts pages and rank as a software firm's would, and a quote request for little more than a download.
AGENCY: Final = replace(
    SAAS,
    what="a web agency",
    leads=8_000,
    months={7: 0.85, 8: 0.55, 9: 1.15, 12: 0.8},
    weekend=0.1,
    channels={
        "organic_search": (0.26, 0.22, 0.0),
        "paid_search": (0.16, 0.18, -0.2),
        "paid_social": (0.05, 0.16, -0.7),
        "referral": (0.26, 0.18, 0.7),
        "partner": (0.09, 0.08, 0.3),
        "direct": (0.12, 0.11, 0.1),
        "outbound": (0.06, 0.07, -0.5),
    },
    channel_costs={"paid_search": 70.0, "paid_social": 35.0, "referral": 20.0, "partner": 60.0, "outbound": 90.0},
    seniority={
        "c_level": (0.34, 0.3), "director": (0.20, 0.2), "manager": (0.24, 0.1),
        "specialist": (0.13, -0.2), "junior": (0.04, -0.5), "student": (0.05, -2.0),
    },
    size={
        "1-10": (0.38, -0.2), "11-50": (0.30, 0.3), "51-200": (0.18, 0.3),
        "201-1000": (0.09, 0.0), "1001-5000": (0.03, -0.3), "5001+": (0.02, -0.4),
    },
    email={"business": (0.62, 0.1), "free": (0.31, -0.2), "disposable": (0.02, -2.0), "absent": (0.05, -0.2)},
    attributes={
        "employees": "numeric",
        "project_amount": "numeric",
        "region": "categorical",
        "uses_competitor": "boolean",
    },
    deals={"1-10": 4e3, "11-50": 9e3, "51-200": 18e3, "201-1000": 32e3, "1001-5000": 50e3, "5001+": 70e3},
    other_deal=8e3,
    triggers=(
        Trigger("quote_request", 0.110, 0.40, 11, True),
        Trigger("budget_declared", 0.070, 0.20, 11, True),
        Trigger("date_declared", 0.060, 0.20, 10, True),
        Trigger("meeting", 0.100, 0.20, 10, True),
        Trigger("email_answered", 0.200, 0.05, 11, False),
        Trigger("form", 0.120, 0.02, 12, False),
        Trigger("pricing_page", 0.150, 0.01, 12, False),
        Trigger("content_download", 0.100, 0.005, 12, False),
    ),
    first_acts={
        "quote_request": 0.35, "form": 0.38, "content_download": 0.17, "budget_declared": 0.06, "date_declared": 0.04,
    },
    values={"quote_request": (9000, 0.7), "budget_declared": (8000, 0.7), "call": (14, 0.6), "meeting": (55, 0.3)},
    returns_per_day=0.05,
    interest_floor=0.06,
    interest_fading_days=18.0,
    pages_per_return=1.0,
    days_between_mailings=30.0,
    called_share=0.75,
    stages=("lead", "sql", "opportunity", "recycled", "disqualified"),
    cycle=0.5,
    event_points={
        "page": 2, "pricing_page": 4, "content_download": 8, "form": 6, "email_opened": 1, "email_clicked": 3,
        "email_answered": 6, "meeting": 8, "quote_request": 12, "budget_declared": 8, "date_declared": 6,
        "unsubscribe": -15, "bounce": -10,
    },
    mql_points=35,
)  # fmt: skip

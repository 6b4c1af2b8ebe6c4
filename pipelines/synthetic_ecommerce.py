"""An online shop: people with free addresses, who fill a basket, open an account, and buy within days or never."""

from dataclasses import replace
from typing import Final

from pipelines.synthetic_company import Trigger
from pipelines.synthetic_saas import SAAS

#: Nobody says what they do for a living, and weekends and the weeks before Christmas are busy. Its CRM counts
#: every opened e-mail and takes points away for a free address.
ECOMMERCE: Final = replace(
    SAAS,
    what="an online shop",
    leads=12_000,
    days=365,
    months={8: 0.85, 11: 1.2, 12: 1.3},
    weekend=1.25,
    channels={
        "organic_search": (0.26, 0.22, 0.1),
        "paid_search": (0.20, 0.20, 0.1),
        "paid_social": (0.18, 0.30, -0.8),
        "newsletter": (0.12, 0.10, 0.7),
        "marketplace": (0.10, 0.08, -0.4),
        "direct": (0.14, 0.10, 0.4),
    },
    channel_costs={"paid_search": 3.2, "paid_social": 2.1, "newsletter": 0.4, "marketplace": 1.5},
    email={"business": (0.09, 0.1), "free": (0.83, 0.0), "disposable": (0.03, -1.2), "absent": (0.05, -0.4)},
    unknown={"job_title": 1.7, "company_size": 1.7, "industry": 1.7},
    no_title_effect=0.0,
    no_size_effect=0.0,
    attributes={"region": "categorical"},
    deals={},
    other_deal=70.0,
    deal_decimals=0,
    order_kind="basket",
    triggers=(
        Trigger("basket", 0.300, 0.220, 3.0, True),
        Trigger("product_use", 0.250, 0.030, 3.0, False),
        Trigger("quote_request", 0.010, 0.300, 4.0, True),
        Trigger("email_answered", 0.010, 0.050, 3.0, False),
        Trigger("form", 0.050, 0.030, 3.0, False),
        Trigger("pricing_page", 0.150, 0.010, 2.5, False),
    ),
    first_acts={"basket": 0.40, "form": 0.58, "quote_request": 0.02},
    values={"basket": (65, 0.8), "product_use": (4, 0.6), "call": (6, 0.5)},
    returns_per_day=0.11,
    interest_floor=0.05,
    interest_fading_days=9.0,
    pages_per_return=5.0,
    days_between_mailings=7.0,
    called_share=0.03,
    stages=("lead",),
    cycle=0.1,
    event_points={
        "page": 1, "pricing_page": 2, "form": 5, "product_use": 3, "basket": 6, "email_opened": 1, "email_clicked": 3,
        "email_answered": 5, "quote_request": 10, "unsubscribe": -10, "bounce": -10,
    },
    profile_points={"email_class": {"business": 10, "free": -5, "disposable": -10}, "direction": {"inbound": 5}},
    title_points=0,
    mql_points=30,
    points_last_days=30,
)  # fmt: skip

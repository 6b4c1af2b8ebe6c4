"""A B2B software firm: many come to read, some ask for a demo, and a decision takes weeks."""

from typing import Final

from pipelines.synthetic_company import Company, Trigger

#: Marketing's points are sensible, and wrong in the usual ways: pages and opened e-mails count, nothing fades within 90
#: days, channels do not count, French titles are not understood, a larger firm is always better.
SAAS: Final = Company(
    what="a B2B software company",
    leads=20_000,
    days=730,
    months={8: 0.75, 12: 0.85},
    weekend=0.15,
    # Paid social grows and referrals shrink over the two years.
    channels={
        "organic_search": (0.22, 0.20, 0.1),
        "paid_search": (0.15, 0.14, 0.0),
        "paid_social": (0.08, 0.24, -0.5),
        "referral": (0.18, 0.07, 0.5),
        "partner": (0.08, 0.08, 0.4),
        "event": (0.09, 0.08, 0.0),
        "direct": (0.10, 0.09, 0.1),
        "outbound": (0.10, 0.10, -0.3),
    },
    channel_costs={
        "paid_search": 95.0,
        "paid_social": 60.0,
        "referral": 15.0,
        "partner": 80.0,
        "event": 210.0,
        "outbound": 130.0,
    },
    seniority={
        "c_level": (0.16, 0.5), "director": (0.20, 0.5), "manager": (0.27, 0.1),
        "specialist": (0.22, -0.3), "junior": (0.08, -0.8), "student": (0.07, -1.8),
    },
    function={
        "general": (0.0, 0.0), "marketing": (0.26, 0.4), "sales": (0.22, 0.4), "it": (0.15, 0.0),
        "finance": (0.11, 0.0), "hr": (0.10, -0.4), "operations": (0.11, 0.0), "purchasing": (0.05, 0.0),
    },
    size={
        "1-10": (0.20, -0.6), "11-50": (0.25, -0.1), "51-200": (0.24, 0.4),
        "201-1000": (0.17, 0.5), "1001-5000": (0.09, 0.2), "5001+": (0.05, -0.1),
    },
    email={"business": (0.74, 0.15), "free": (0.19, -0.7), "disposable": (0.02, -2.0), "absent": (0.05, -0.3)},
    industry={
        "software": (0.22, 0.35), "manufacturing": (0.16, 0.0), "retail": (0.14, 0.0),
        "professional_services": (0.16, 0.0), "healthcare": (0.10, 0.0), "education": (0.08, -0.4),
        "public_sector": (0.06, 0.0), "finance": (0.08, 0.0),
    },
    # No effect: a country only decides the language of the title.
    country={
        "FR": (0.46, 0.0), "BE": (0.08, 0.0), "CH": (0.06, 0.0), "GB": (0.14, 0.0),
        "DE": (0.09, 0.0), "US": (0.11, 0.0), "MA": (0.06, 0.0),
    },
    unknown={"job_title": 0.12, "company_size": 0.15, "industry": 0.2},
    no_title_effect=-0.4,
    no_size_effect=-0.25,
    attributes={
        "annual_revenue_keur": "numeric",
        "employees": "numeric",
        "region": "categorical",
        "uses_competitor": "boolean",
    },
    deals={"1-10": 3e3, "11-50": 7e3, "51-200": 16e3, "201-1000": 35e3, "1001-5000": 70e3, "5001+": 120e3},
    other_deal=9e3,
    deal_decimals=-2,
    order_kind="",
    triggers=(
        Trigger("demo_request", 0.120, 0.26, 22, True),
        Trigger("quote_request", 0.085, 0.30, 18, True),
        Trigger("budget_declared", 0.045, 0.28, 20, True),
        Trigger("date_declared", 0.035, 0.28, 20, True),
        Trigger("meeting", 0.080, 0.17, 20, True),
        Trigger("basket", 0.030, 0.10, 18, False),
        Trigger("product_use", 0.250, 0.015, 20, False),
        Trigger("email_answered", 0.060, 0.06, 20, False),
        Trigger("webinar", 0.060, 0.03, 22, False),
        Trigger("form", 0.120, 0.015, 22, False),
        Trigger("pricing_page", 0.300, 0.015, 20, False),
        Trigger("content_download", 0.150, 0.01, 22, False),
    ),
    first_acts={"form": 0.40, "content_download": 0.25, "webinar": 0.15, "demo_request": 0.13, "quote_request": 0.07},
    values={
        "basket": (900, 0.8),
        "product_use": (12, 0.7),
        "call": (9, 0.6),
        "meeting": (35, 0.3),
        "budget_declared": (8000, 0.9),
    },
    returns_per_day=0.027,
    interest_floor=0.6,
    interest_fading_days=45.0,
    pages_per_return=3.0,
    days_between_mailings=14.0,
    called_share=0.6,
    stages=("lead", "mql", "sal", "sql", "opportunity", "recycled", "disqualified"),
    cycle=1.0,
    event_points={
        "page": 1, "pricing_page": 4, "content_download": 5, "form": 5, "webinar": 8, "product_use": 3, "basket": 5,
        "email_opened": 1, "email_clicked": 3, "email_answered": 8, "meeting": 12, "demo_request": 20,
        "quote_request": 20, "budget_declared": 15, "date_declared": 10, "unsubscribe": -15, "bounce": -10,
    },
    profile_points={
        "company_size": {"51-200": 10, "201-1000": 15, "1001-5000": 20, "5001+": 20},
        "email_class": {"business": 10, "disposable": -10},
        "industry": {"software": 10, "professional_services": 5, "education": -5},
        "direction": {"inbound": 5},
    },
    title_points=15,
    mql_points=45,
    points_last_days=90,
)  # fmt: skip

"""What the lead did: on the site, with the product, with the basket."""

from collections.abc import Iterable
from typing import Final

from features.declare import (
    Breadth,
    Column,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    Decayed,
    DistinctDays,
    Family,
    LastValue,
    Sum,
    Trend,
    Visits,
)
from features.kinds import ACTS, ANY, KINDS

ON_SITE: Final = ("page", "pricing_page")
NAMES: Final = {
    "page": "page_views",
    "pricing_page": "pricing_page_views",
    "content_download": "content_downloads",
    "webinar": "webinars",
    "form": "forms",
    "product_use": "product_uses",
    "basket": "baskets",
}

FAMILY: Final = Family(
    "behavioural",
    "what the lead did",
    (
        *(Count(name, of=kind, about=f"Times {KINDS[kind]}") for kind, name in NAMES.items()),
        Count("acts", of=ACTS, about="Acts of the lead of any kind"),
        Count("events", of=ANY, about="Events of any kind, ours included"),
        DistinctDays("active_days", of=ACTS, about="Days with an act"),
        Visits("visits", of=ON_SITE, about="Visits to the site"),
        Decayed("activity_7d_half_life", of=ACTS, half_life_days=7, about="Acts, halved for every week since"),
        Decayed("activity_30d_half_life", of=ACTS, half_life_days=30, about="Acts, halved for every 30 days since"),
        DaysSinceLast("days_since_last_act", of=ACTS, about="Days since the last act"),
        DaysSinceFirst("days_since_first_act", of=ACTS, about="Days since the first act"),
        DaysSinceLast("days_since_pricing_page", of="pricing_page", about="Days since the pricing page was last read"),
        DaysSinceLast(
            "days_since_content_download", of="content_download", about="Days since something was last downloaded"
        ),
        DaysSinceLast("days_since_webinar", of="webinar", about="Days since a webinar was last attended"),
        DaysSinceLast("days_since_form", of="form", about="Days since a form was last filled"),
        DaysSinceLast("days_since_product_use", of="product_use", about="Days since the product was last used"),
        DaysSinceLast("days_since_basket", of="basket", about="Days since something was last put into the basket"),
        DaysSinceLast("days_since_last_event", of=ANY, about="Days since the last event of any kind"),
        Trend("acts_trend_14d", of=ACTS, days=14, about="Acts of the last 14 days less those of the 14 before"),
        Breadth("breadth_30d", of=ACTS, days=30, about="Different kinds of act in the last 30 days"),
        Breadth("breadth", of=ACTS, days=None, about="Different kinds of act, ever"),
        Sum("basket_value", of="basket", about="Value put into the basket", unit="amount"),
        LastValue("last_basket_value", of="basket", about="Value of the last basket", unit="amount"),
    ),
)


def of_own_kinds(kinds: Iterable[str], *, taken: frozenset[str] = frozenset()) -> tuple[Column, ...]:
    """The same generic columns for every kind that only this store has.

    Parameters
    ----------
    kinds : the store's own kinds, in any order
    taken : names that other features bear; a kind whose columns would bear one of them is called `event_<kind>`

    Examples
    --------
    >>> [column.name for column in of_own_kinds(["offer_sent"])]
    ['offer_sent_7d', 'offer_sent_30d', 'offer_sent', 'days_since_offer_sent', 'days_since_first_offer_sent']
    >>> [column.name for column in of_own_kinds(["visits"], taken=frozenset({"visits_7d"}))][:2]
    ['event_visits_7d', 'event_visits_30d']
    """
    columns: list[Column] = []
    for kind in sorted(kinds):
        name = kind
        while (taken | {column.name for column in columns}) & {column.name for column in _of_own_kind(kind, name)}:
            name = f"event_{name}"
        columns += _of_own_kind(kind, name)
    return tuple(columns)


def _of_own_kind(kind: str, name: str) -> tuple[Column, ...]:
    declarations = (
        Count(name, of=kind, days=(7, 30, None), about=f"Events of the type {kind}"),
        DaysSinceLast(f"days_since_{name}", of=kind, about=f"Days since the last event of the type {kind}"),
        DaysSinceFirst(f"days_since_first_{name}", of=kind, about=f"Days since the first event {kind}"),
    )
    return Family(FAMILY.name, FAMILY.about, declarations).columns

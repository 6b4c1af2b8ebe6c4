"""How the lead answered what we sent and said, and what it asked for."""

from typing import Final

from features.declare import Count, DaysBetween, DaysSinceLast, Family, Ratio, Sum
from features.kinds import ANSWERS, INTENT

FAMILY: Final = Family(
    "engagement",
    "how the lead answered us",
    (
        Count("emails_delivered", of="email_delivered", about="E-mails delivered"),
        Count("email_opens", of="email_opened", about="E-mails opened"),
        Count("email_clicks", of="email_clicked", about="Links clicked in e-mails"),
        Count("email_answers", of="email_answered", about="E-mails answered"),
        Ratio(
            "email_open_rate_90d", "email_opens_90d", "emails_delivered_90d", about="Share of e-mails opened, 90 days"
        ),
        Ratio("email_click_rate_90d", "email_clicks_90d", "emails_delivered_90d", about="Share clicked, 90 days"),
        Ratio("email_answer_rate", "email_answers", "emails_delivered", about="Share of e-mails answered, ever"),
        Count("calls", of="call", about="Calls"),
        Sum("call_minutes", of="call", about="Value recorded with calls", unit="as recorded", days=(90,)),
        Count("meetings", of="meeting", about="Meetings"),
        Count("demo_requests", of="demo_request", about="Demo requests", monotone=+1),
        Count("quote_requests", of="quote_request", about="Quote requests", monotone=+1),
        Count("budgets_declared", of="budget_declared", days=(90, None), about="Budgets declared", monotone=+1),
        Count("dates_declared", of="date_declared", days=(90, None), about="Purchase dates declared", monotone=+1),
        DaysSinceLast("days_since_intent", of=INTENT, about="Days since purchase intent was last declared"),
        DaysSinceLast("days_since_demo_request", of="demo_request", about="Days since the last demo request"),
        DaysSinceLast("days_since_quote_request", of="quote_request", about="Days since the last quote request"),
        Count("unsubscribes", of="unsubscribe", days=(None,), about="Times unsubscribed", monotone=-1),
        Count("bounces", of="bounce", days=(90, None), about="E-mails bounced"),
        DaysSinceLast("days_since_unsubscribe", of="unsubscribe", about="Days since the lead unsubscribed"),
        DaysBetween(
            "days_to_first_answer",
            first="email_delivered",
            then=ANSWERS,
            about="Days from our first e-mail to the first answer",
        ),
        DaysSinceLast("days_since_answer", of=ANSWERS, about="Days since the lead last answered us"),
        DaysSinceLast("days_since_meeting", of="meeting", about="Days since the last meeting"),
        DaysSinceLast(
            "days_since_email_click", of="email_clicked", about="Days since an e-mail's link was last clicked"
        ),
        DaysSinceLast("days_since_email_open", of="email_opened", about="Days since an e-mail was last opened"),
    ),
)

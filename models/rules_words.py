"""What a criterion is called on a card that nobody wrote: as a marketer would say it."""

from collections.abc import Mapping
from typing import Final

from features.declare import Attribute, Column, Moment, Op, Primitive
from models.rules import Value

#: Kind of event -> what the lead did.
DONE: Final[Mapping[str, str]] = {
    "page": "Read our pages",
    "pricing_page": "Looked at prices",
    "content_download": "Downloaded something",
    "webinar": "Attended a webinar",
    "form": "Filled a form",
    "product_use": "Used the product",
    "basket": "Put something into the basket",
    "email_opened": "Opened our e-mails",
    "email_clicked": "Clicked in our e-mails",
    "email_answered": "Answered our e-mails",
    "call": "Talked to us on the phone",
    "meeting": "Met us",
    "demo_request": "Asked for a demo",
    "quote_request": "Asked for a quote",
    "budget_declared": "Has a budget",
    "date_declared": "Has a date",
    "unsubscribe": "Unsubscribed",
    "bounce": "Our e-mails bounced",
}
#: Columns of the profile, in the fewest words.
SHORT: Final[Mapping[str, str]] = {
    "job_function": "Job function",
    "seniority": "Seniority",
    "company_size_band": "Company size",
    "source_channel": "Came through",
    "direction": "Direction",
    "email_class": "E-mail address",
}
#: Columns over several kinds of event -> what the lead did.
DONE_ANY: Final[Mapping[str, str]] = {
    "days_since_last_act": "Did something",
    "days_since_intent": "Declared intent (demo, quote, budget or date)",
    "days_since_answer": "Answered, called or met us",
}
#: A list of texts longer than this ends with how many more there are.
MOST_NAMED: Final = 6


def named(column: Column, operator: str, value: Value) -> str:
    """The name of a criterion.

    Parameters
    ----------
    operator : one that `rules_candidates` uses for such a column

    Examples
    --------
    >>> from features.declare import Count, DaysSinceLast, Latest
    >>> demos = Count("demo_requests", of="demo_request", days=(30, None), about="Demo requests").columns
    >>> named(demos[1], "at_least", 1), named(demos[0], "at_least", 3)
    ('Asked for a demo', 'Asked for a demo, 3 times or more in the last 30 days')
    >>> since = DaysSinceLast("days_since_form", of="form", about="Days since a form").columns[0]
    >>> named(since, "at_most", 7), named(since, "more_than", 60)
    ('Filled a form in the last 7 days', 'Filled a form, but not in the last 60 days')
    >>> named(Latest("industry", column="industry", about="Industry").columns[0], "is_one_of", ("it", "retail"))
    'Industry: it or retail'
    """
    source = column.source
    if operator in ("is", "is_one_of"):
        return f"{_subject(column)}: {_either(value if isinstance(value, tuple) else (value,))}"
    number = f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else ""
    days = f"{number} day{'' if number == '1' else 's'}"
    if isinstance(source, Primitive) and source.op in (Op.COUNT, Op.VISITS, Op.SINCE_LAST):
        done = _done(column, source)
        if source.op is Op.SINCE_LAST:
            last = "the last day" if value == 1 else f"the last {days}"
            when = {"at_most": f" in {last}", "more_than": f", but not in {last}"}
            return done + when.get(operator, "")
        within = "" if source.days is None else f" in the last {source.days} days"
        return f"{done}{within}" if value == 1 else f"{done}, {number} times or more{within}"
    if operator == "is_known":
        return f"{_subject(column)} known"
    if isinstance(source, Moment):
        return f"Became a lead in the last {days}" if operator == "at_most" else f"A lead for more than {days}"
    if column.unit == "0 or 1":
        return f"{_subject(column)}: yes"
    words = {"at_least": "from", "less_than": "below", "at_most": "up to", "more_than": "above"}
    return f"{_subject(column)} {words[operator]} {days if column.unit == 'days' else number}"


def _done(column: Column, source: Primitive) -> str:
    """What the lead did; an event that only this store knows bears its own name."""
    if column.name in DONE_ANY:
        return DONE_ANY[column.name]
    if source.op is Op.VISITS:
        return "Visited our site"
    return DONE.get(source.kinds[0], f"Event {source.kinds[0]}")


def _subject(column: Column) -> str:
    if isinstance(column.source, Attribute):
        return column.source.name
    return SHORT.get(column.name) or column.about.removesuffix(", ever")


def _either(texts: tuple[object, ...]) -> str:
    named = [str(text) for text in texts]
    if len(named) > MOST_NAMED:
        return f"{', '.join(named[:MOST_NAMED])} or {len(named) - MOST_NAMED} more"
    return " or ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)

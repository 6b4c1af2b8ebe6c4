"""Which columns tell of the same thing: to people they are one reason, not several.

A measure is everything that is read from events of one topic (the windows of a count, the days since the last one), or
from one part of the profile in words and in numbers (company size in bands, and as a number). Every other column is a
measure of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from features.behavioural import ON_SITE
from features.declare import Column, Combination, Primitive, Profile
from features.kinds import ACTS, ANSWERS, ANY, INTENT

#: Kinds of event that people think of as one thing; a kind in none of them stands alone. All acts, and all events, are
#: one thing as well: how lively the lead is.
TOPICS: Final = tuple(
    frozenset(kinds)
    for kinds in (
        INTENT,
        ON_SITE,
        ("email_delivered", "email_opened", "email_clicked", "email_answered"),
        ANSWERS,
        ("unsubscribe", "bounce"),
    )
)


def measures(columns: Sequence[Column], *, kinds: Mapping[str, str]) -> dict[str, str]:
    """Column name -> the first column of its measure.

    Parameters
    ----------
    columns : those a store can fill, in order (`Catalogue.columns`)
    kinds : event type -> kind, for the types that are read (`Catalogue.kinds`)

    Examples
    --------
    >>> from features.declare import Count, DaysSinceLast
    >>> form = Count("forms", of="form", days=(7, 30), about="Forms").columns
    >>> last = DaysSinceLast("days_since_form", of="form", about="Days since the last form").columns
    >>> measures([*form, *last], kinds={"Form": "form", "Page": "page"})
    {'forms_7d': 'forms_7d', 'forms_30d': 'forms_7d', 'days_since_form': 'forms_7d'}
    """
    by_name = {column.name: column for column in columns}
    acts = frozenset(ACTS) & frozenset(kinds.values())
    words: dict[str, str] = {}  # profile column -> what is read from it in words: numbers that follow belong to it
    first: dict[frozenset[str], str] = {}
    found = {}
    for column in columns:
        if isinstance(column.source, Profile):
            if column.type == "categorical":
                words[column.source.column] = column.name
            read = frozenset({f"column {words.get(column.source.column, column.name)}"})
        else:
            read = _reads(column, by_name)
        topic = next((topic for topic in TOPICS if read <= topic), read)
        found[column.name] = first.setdefault(frozenset(ANY) if topic == acts else topic, column.name)
    return found


def _reads(column: Column, by_name: Mapping[str, Column]) -> frozenset[str]:
    """The kinds of event behind a column; itself where it reads none."""
    source = column.source
    if isinstance(source, Primitive):
        return frozenset(source.kinds)
    if isinstance(source, Combination):
        inputs = [replace(column, source=i) if isinstance(i, Primitive) else by_name[i] for i in source.inputs]
        return frozenset().union(*(_reads(one, by_name) for one in inputs))
    return frozenset({f"column {column.name}"})

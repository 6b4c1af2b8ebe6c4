"""Kinds of events: the words in which features speak of what happened, whatever a CRM calls it.

A store's event *types* become *kinds* through a table in config (`[events.kinds]`). A type that is already named
like a kind needs no entry; any other type is a kind of its own, named after it, and gets the same generic counts as
a declared attribute gets its generic column. So a new CRM, or an event log nobody planned for, needs no code.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from features.errors import ConfigError

#: Every kind that the families know by name.
KINDS: Final[Mapping[str, str]] = {
    "page": "a page of the site was read",
    "pricing_page": "the pricing page was read",
    "content_download": "a white paper or another content was downloaded",
    "webinar": "a webinar was attended",
    "form": "a form was filled",
    "product_use": "the product was used",
    "basket": "something was put into the basket",
    "email_delivered": "an e-mail of ours was delivered",
    "email_opened": "an e-mail of ours was opened",
    "email_clicked": "a link in an e-mail of ours was clicked",
    "email_answered": "an e-mail of ours was answered",
    "call": "a call took place",
    "meeting": "a meeting took place",
    "demo_request": "a demo was asked for",
    "quote_request": "a quote was asked for",
    "budget_declared": "a budget was declared",
    "date_declared": "a date of purchase was declared",
    "unsubscribe": "the lead unsubscribed",
    "bounce": "an e-mail of ours bounced",
}

#: What a lead does of its own will: the first of these makes a contact a lead.
VOLUNTARY: Final = (
    "content_download",
    "webinar",
    "form",
    "product_use",
    "basket",
    "demo_request",
    "quote_request",
    "budget_declared",
    "date_declared",
)
#: What a lead does, on its own or in answer to us.
ACTS: Final = ("page", "pricing_page", *VOLUNTARY, "email_opened", "email_clicked", "email_answered")
#: How a lead answers what we sent or said.
ANSWERS: Final = ("email_answered", "call", "meeting")
#: Purchase intent, declared.
INTENT: Final = ("demo_request", "quote_request", "budget_declared", "date_declared")
#: Every kind, those of the store's own types included.
ANY: Final = ("*",)


def identifier(text: str) -> str:
    """A name that LightGBM, SQL and file systems all accept: lower-case ASCII letters, digits and underscores.

    >>> identifier("W_Nabellen offertes")
    'w_nabellen_offertes'
    >>> identifier("emp.var.rate")
    'emp_var_rate'
    """
    name = re.sub(r"[^0-9a-z]+", "_", text.casefold()).strip("_")
    return name or "unnamed"


def kinds_of(types: Iterable[str], table: Mapping[str, str]) -> dict[str, str]:
    """The kind of each event type: by the table, else by its own name.

    Parameters
    ----------
    types : the store's event types
    table : `[events.kinds]`, event type -> kind; the kind "ignored" leaves a type out of every feature

    Examples
    --------
    >>> kinds_of(["Visited pricing", "demo_request", "W_Valideren"], {"Visited pricing": "pricing_page"})
    {'Visited pricing': 'pricing_page', 'W_Valideren': 'w_valideren', 'demo_request': 'demo_request'}
    """
    for kind in table.values():
        if kind != identifier(kind):
            raise ConfigError(
                f"A kind in [events.kinds] must be lower-case letters, digits and underscores; found {kind!r}. "
                f"Write {identifier(kind)!r}, or one of: {', '.join(KINDS)}."
            )
    return {name: table.get(name, identifier(name)) for name in sorted(set(types))}

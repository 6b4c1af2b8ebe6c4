"""Names under which CRMs keep what they know only after, or because of, a conversion.

Collected from the columns of HubSpot, Salesforce and this trade's data sets. A name is the cheapest evidence there is,
and the only one that needs no outcomes.
"""

import re
from typing import Final

ADVICE: Final = "Exclude it, or declare when it is known if it is known before the outcome."

_AFTER = "it is written because of the conversion"
_CLOSED = "it is known only once a deal is closed"
_DEAL = "deals exist because leads convert, and their columns come with them"
_STAGE = "it says when a stage was entered or left, the target stage among them"
_LATER = "it counts what happened after the moment of scoring too"
_SCORE = "it is another model's score, which may have seen the outcome"
_OWNER = "owners are assigned when a lead is taken up, often because it converts"
_VIEWED = "it follows what salespeople look at today, not what was known then"

#: Whole names, lower case without separators -> why.
_DENIED_NAMES: Final = {
    name: why
    for why, known in (
        (_AFTER, "hscurrentcustomer hshasactivesubscription isconverted convertedtocustomer"),
        (
            _CLOSED,
            "closedate closeddate closevalue closedvalue daystoclose totalrevenue hsanalyticsrevenue "
            "hsfirstclosedorderid hsrecentclosedorderdate iswon isclosed isclosedwon isclosedlost won lost outcome "
            "lostreason lossreason closedlostreason closedwonreason wondate lostdate",
        ),
        (
            _DEAL,
            "numassociateddeals numberofassociateddeals firstdealcreateddate dealstage dealduration dealamount "
            "dealvalue",
        ),
        (_LATER, "totaltouchesall duration callduration"),
        (_SCORE, "hubspotscore"),
        (_OWNER, "ownerid hubspotownerid isunreadbyowner"),
        (_VIEWED, "lastvieweddate lastreferenceddate"),
    )
    for name in known.split()
}

#: Families of names, words joined by underscores.
_DENIED_FAMILIES: Final = tuple(
    (re.compile(pattern), why)
    for pattern, why in (
        (r"converted(_.*)?|converted(date|at|accountid|contactid|opportunityid)", _AFTER),
        (r"recent_deal_.*", _DEAL),
        (r"hs_(date_entered|date_exited|time_in)_.*", _STAGE),
        (r"hs_v2_(date_entered|date_exited|cumulative_time_in|latest_time_in|time_in)_.*", _STAGE),
        (r"hs_lifecyclestage_.*_date|became_an?_.*_date|hs_time_to_move_from_.*", _STAGE),
        (r"hs_predictive.*", _SCORE),
    )
)


def denied_name(name: str) -> str | None:
    """Why a column of this name is refused as a feature by default; null when nothing is known against it.

    Whole names and whole families only, in any spelling (``CloseDate``, ``close_date``, ``Close Date``,
    ``Close_Date__c``): a word inside a longer name proves nothing.

    Examples
    --------
    >>> denied_name("ConvertedOpportunityId")
    "'ConvertedOpportunityId' is a known leak: it is written because of the conversion. Exclude it, or declare when ..."
    >>> denied_name("contact_duration_preference") is None
    True
    """
    words = re.sub(r"__c$", "", name.strip())
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", words).lower()
    words = re.sub(r"[^a-z0-9]+", "_", words).strip("_")
    why = _DENIED_NAMES.get(words.replace("_", ""))
    why = why or next((reason for family, reason in _DENIED_FAMILIES if family.fullmatch(words)), None)
    return f"{name!r} is a known leak: {why}. {ADVICE}" if why else None

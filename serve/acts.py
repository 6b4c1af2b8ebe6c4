"""When a lead did what, for the last time: the columns that next steps are made of, and what they say together."""

from collections.abc import Collection
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.declare import DaysSinceLast, Family
from features.kinds import ACTS, INTENT, KINDS

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Acts of interest. An e-mail that was opened is none: programs open e-mails too.
INTEREST: Final = tuple(kind for kind in ACTS if kind != "email_opened")
#: Acts that want an answer of ours; in a store that records none of them, every act of interest does.
ASKS: Final = ("form", *INTENT, "email_answered")
#: How somebody of ours speaks to a lead. A delivered e-mail counts only where the store records neither: mailings go
#: out to everybody, and answer nobody.
SPOKEN: Final = ("call", "meeting")
WRITTEN: Final = ("email_delivered",)
#: A step counts as taken, and an answer as wanted, when that was in the last so many days.
LATELY_DAYS: Final = 90.0


class Theme(NamedTuple):
    """What a missing step suggests to talk about; `by` says who can bring it about."""

    kind: str
    theme: str
    by: str


#: Ours to suggest: leads that are worth a call may be offered any of them, others what marketing does by itself.
THEMES: Final = (
    Theme("pricing_page", "prices", "marketing"),
    Theme("product_use", "trial", "marketing"),
    Theme("content_download", "content", "marketing"),
    Theme("webinar", "webinar", "marketing"),
    Theme("basket", "basket", "marketing"),
    Theme("meeting", "meeting", "sales"),
    Theme("demo_request", "demo", "sales"),
    Theme("quote_request", "quote", "sales"),
)


def family(interest: Collection[str] = INTEREST) -> Family:
    """The columns that are read of each lead: days since the last event of each kind, under the name of `column_of`.

    A caller describes them by a catalogue of its own (`features.catalogue.catalogue(families=[family()], …)`), for a
    release need not know them; kinds that the store has not are left out by it.

    Parameters
    ----------
    interest : kinds that count as an act of interest; a store's own kinds may be among them
    """
    kinds = dict.fromkeys((*interest, *(theme.kind for theme in THEMES), *SPOKEN, *WRITTEN, "unsubscribe"))
    return Family(
        "next step",
        "when a lead did what, for the last time",
        tuple(
            DaysSinceLast(column_of(kind), of=kind, about=f"Days since {KINDS.get(kind, kind)}, last") for kind in kinds
        ),
    )


def column_of(kind: str) -> str:
    """The column of a kind.

    >>> column_of("call")
    'days_since_last_call'
    """
    return f"days_since_last_{kind}"


def days_since_interest(frame: pd.DataFrame, interest: Collection[str] = INTEREST) -> Floats:
    """(rows,) days since the last act of interest; NaN where none is known."""
    return days_since_any(frame, interest)


def steps_taken(frame: pd.DataFrame) -> pd.DataFrame:
    """(rows, steps) bool: which steps of `THEMES` that the store records each lead has taken lately, by kind."""
    there = [theme.kind for theme in THEMES if column_of(theme.kind) in frame]
    return pd.DataFrame({kind: (frame[column_of(kind)] < LATELY_DAYS).to_numpy(bool) for kind in there}, frame.index)


def ask_kinds(frame: pd.DataFrame, interest: Collection[str] = INTEREST) -> tuple[str, ...]:
    """The kinds that want an answer of ours in this store.

    >>> ask_kinds(pd.DataFrame({"days_since_last_form": [1.0], "days_since_last_page": [1.0]}))
    ('form',)
    >>> ask_kinds(pd.DataFrame({"days_since_last_basket": [1.0]}))
    ('basket',)
    """
    asks = tuple(kind for kind in ASKS if column_of(kind) in frame)
    return asks or tuple(kind for kind in interest if column_of(kind) in frame)


def answer_kinds(frame: pd.DataFrame) -> tuple[str, ...]:
    """The kinds that count as our answer in this store: calls and meetings, or e-mails where it has neither.

    >>> answer_kinds(pd.DataFrame({"days_since_last_email_delivered": [1.0]}))
    ('email_delivered',)
    """
    spoken = tuple(kind for kind in SPOKEN if column_of(kind) in frame)
    return spoken or tuple(kind for kind in WRITTEN if column_of(kind) in frame)


def days_since_any(frame: pd.DataFrame, kinds: Collection[str]) -> Floats:
    """(rows,) days since the last event of any of these kinds; NaN where there is none."""
    columns = [frame[column_of(kind)].to_numpy(np.float64) for kind in kinds if column_of(kind) in frame]
    if not columns:
        return np.full(len(frame), np.nan)
    return np.asarray(np.fmin.reduce(columns))


def last_act(frame: pd.DataFrame, interest: Collection[str]) -> list[str]:
    """(rows,) what the last act of interest was, in words; of several at one moment, the one named last."""
    words, best = np.full(len(frame), "", object), np.full(len(frame), np.inf)
    for kind in interest:
        if column_of(kind) in frame:
            days = frame[column_of(kind)].to_numpy(np.float64)
            nearer = days <= best
            words[nearer], best = KINDS.get(kind, kind.replace("_", " ")), np.where(nearer, days, best)
    return list(words)


def ever(frame: pd.DataFrame, kind: str) -> Bools:
    """(rows,) whether an event of the kind is known."""
    return frame[column_of(kind)].notna().to_numpy(bool) if column_of(kind) in frame else np.zeros(len(frame), bool)

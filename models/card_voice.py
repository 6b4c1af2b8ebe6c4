"""How a card speaks: its words, and the numbers, dates and set phrases of their language.

The words say how numbers and dates are written, so that a language is one mapping. What the program writes into the
facts in English (why a column was left out, say) is looked up in the language's phrase book; what is not there stays
English, and a page says that it is.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from models.card_blocks import Paragraph, Span, Text, say
from models.card_words import Words

#: English text, or a leak's facts -> the same in another language; None where the book has nothing.
Phrase = Callable[[str], str | None]
LeakPhrase = Callable[[Mapping[str, Any]], str | None]

_MINUS: Final = "\u2212"
_LARGEST: Final = 1e15


@dataclass(frozen=True)
class Voice:
    """The words of a card and, for a language other than English, its phrase book.

    Examples
    --------
    >>> from models.card_words import ENGLISH
    >>> voice = Voice(ENGLISH)
    >>> voice.number(-1234.5, digits=1), voice.percent(0.125), voice.date("2026-11-22T00:00:00+00:00")
    ('−1,234.5', '12.5\\xa0%', '22 November 2026')
    >>> voice.number(None)
    'undefined'
    """

    words: Words
    phrase_of: Phrase | None = None
    leak_of: LeakPhrase | None = None

    def __getitem__(self, key: str) -> str:
        return self.words[key]

    def number(self, value: float | None, *, digits: int = 4, sign: bool = False) -> str:
        """A number with so many decimals; "undefined" for null and for what is no number."""
        if value is None or not math.isfinite(value):
            return self.words["undefined"]
        if abs(value) >= _LARGEST:
            return f"{value:.{digits}e}".replace("-", _MINUS).replace(".", self.words["decimal"])
        text = f"{abs(value):,.{digits}f}"
        text = text.replace(",", "\0").replace(".", self.words["decimal"]).replace("\0", self.words["thousands"])
        nothing = not any(c in "123456789" for c in text)
        return ("" if nothing else _MINUS if value < 0 else "+" if sign else "") + text

    def count(self, number: float | None) -> str:
        """A whole number."""
        return self.number(number, digits=0)

    def short(self, value: float | None) -> str:
        """A number as people write it: whole, or with three significant figures.

        >>> from models.card_words import ENGLISH
        >>> [Voice(ENGLISH).short(value) for value in (3.0, 0.05, 123.456, 0.000012)]
        ['3', '0.05', '123', '0.000012']
        """
        if value is None or not math.isfinite(value) or value == 0:
            return self.number(value, digits=0)
        digits = max(0, 2 - math.floor(math.log10(abs(value))))
        text = self.number(value, digits=min(digits, 12))
        decimal = self.words["decimal"]
        return text.rstrip("0").removesuffix(decimal) if decimal in text else text

    def percent(self, share: float | None, *, digits: int = 1, sign: bool = False) -> str:
        """A share as a percentage."""
        if share is None or not math.isfinite(share):
            return self.words["undefined"]
        return self.words["percent"].format(number=self.number(100 * share, digits=digits, sign=sign))

    def date(self, moment: str | None) -> str | None:
        """The day of an ISO 8601 moment, in words; as it is where it is none."""
        day = _date(moment)
        if day is None:
            return moment
        year, month, number = day
        first = self.words["first_day"] if number == 1 else str(number)
        return self.words["date"].format(day=first, month=self.words["month_names"].split("|")[month - 1], year=year)

    def moment(self, moment: str | None) -> str | None:
        """Day and minute of an ISO 8601 moment in UTC; the day alone at midnight."""
        if _date(moment) is None or moment is None or moment[11:16] in ("", "00:00"):
            return self.date(moment)
        return self.words["moment"].format(date=self.date(moment), time=moment[11:16])

    def month(self, month: str) -> str:
        """A month such as 2026-11, in words."""
        day = _date(f"{month}-01")
        if day is None:
            return month
        return self.words["month"].format(month=self.words["month_names"].split("|")[day[1] - 1], year=day[0])

    def between(self, low: float | None, high: float | None, write: Callable[[float], str]) -> str:
        """An interval in brackets, after a space; empty where there is none."""
        if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
            return ""
        return self.words["interval"].format(low=write(low), high=write(high))

    def measured(self, interval: Mapping[str, Any] | None, write: Callable[[float], str]) -> Text:
        """A value and its interval, as a cell."""
        value = value_of(interval)
        if value is None:
            return (self.words["undefined"],)
        low, high = (interval.get(key) if isinstance(interval, Mapping) else None for key in ("low", "high"))
        around = self.between(low, high, write)
        return (write(value), Span(around, "quiet")) if around else (write(value),)

    def phrase(self, text: object) -> str | Span:
        """What the program wrote in English, in this language; marked as English where the book has nothing."""
        if self.phrase_of is None:
            return str(text)
        return self.phrase_of(str(text)) or Span(str(text), "english")

    def named(self, kind: str, name: object) -> str:
        """The words for one of few known names, such as a baseline's; the name itself where it is not known."""
        return self.words.get(f"{kind}_{name}", str(name))

    def paragraph(self, key: str, **values: Any) -> Iterator[Paragraph]:
        """The sentence of that key, said only when all its facts are known."""
        text = say(self.words[key], **values)
        if text:
            yield Paragraph(text)


def value_of(number: Any) -> float | None:
    """The value of an interval, or the plain number; None where there is none, or it is not finite."""
    value = number.get("value") if isinstance(number, Mapping) else number
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


def _date(moment: str | None) -> tuple[int, int, int] | None:
    parts = (moment or "")[:10].split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    year, month, day = map(int, parts)
    return (year, month, day) if 1 <= month <= 12 and 1 <= day <= 31 else None

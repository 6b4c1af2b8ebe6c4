"""Company size as written in the field ("11-50", "250", "200 à 499 salariés", "10 000+") -> employees and band."""

import re
from typing import Final

#: Lower bounds of the bands; the trade's usual cut.
BANDS: Final = ((1, "1-10"), (11, "11-50"), (51, "51-200"), (201, "201-1000"), (1001, "1001-5000"), (5001, "5001+"))

#: No company employs more: such a number is a phone number, an id or a turnover.
_MOST: Final = 10_000_000

_DIGITS: Final = r"(?<![0-9])(?:[0-9]{1,3}(?:[ \u00a0\u202f.,'’][0-9]{3})+|[0-9]+)(?![0-9])"
_COUNT: Final = rf"{_DIGITS}(?:(?:[.,][0-9]{{1,2}})?\s*[kK]\b)?"
_NUMBER: Final = re.compile(_COUNT)
_RANGE: Final = re.compile(rf"({_COUNT})\s*(?:[-‐‑–—/]|\.\.+|(?i:to|and|or|à|a|et|ou|bis))\s*({_COUNT})")
_YEAR: Final = re.compile(
    r"\(\s*(?:19|20)[0-9]{2}\s*\)|\b(?:in|en|since|depuis|as of|end of|fin|fy)\s*(?:19|20)[0-9]{2}\b"
    r"|^\s*(?:19|20)[0-9]{2}\s*:",
    re.I,
)
_AND_MORE: Final = re.compile(r"[+>≥]|\b(?:plus|more|over|above)\b", re.I)
_WORDS: Final = (
    (re.compile(r"\b(self|solo|freelance|independant|indépendant)", re.I), 1.0),
    (re.compile(r"\b(micro|tpe|very small|startup|start-up)\b", re.I), 5.0),
    (re.compile(r"\b(small|petite?|smb|sme|pme)\b", re.I), 50.0),
    (re.compile(r"\b(medium|mid|mid-market|moyenne?|eti)\b", re.I), 500.0),
    (re.compile(r"\b(large|enterprise|corporate|grande?|grand compte|ge)\b", re.I), 5000.0),
)


def employees(text: str | None) -> float | None:
    """How many people work there: the number, the middle of the range (geometric), or what the word stands for.

    An open range ("50+", "< 10") counts as its bound. Returns None when the text says nothing of it.

    >>> employees("250"), employees("11-50"), round(employees("200 à 499 salariés")), employees("10 000+")
    (250.0, 23.45207879911715, 316, 10000.0)
    >>> employees("PME"), employees("n/a") is None
    (50.0, True)
    """
    if text is None:
        return None
    text = _YEAR.sub(" ", text)
    between = _RANGE.search(text)
    if between:
        low, high = _number(between[1]), _number(between[2])
        if low * 1000 <= high and between[2][-1] in "kK" and between[1][-1] not in "kK":
            low *= 1000  # "1-5k" are thousands, both
        if 0 < low <= _MOST and 0 < high <= _MOST:
            return float((low * high) ** 0.5)
    written = (_number(match) for match in _NUMBER.findall(text))
    number = next((n for n in written if 0 < n <= _MOST), None)
    if number is not None:
        return number
    return next((size for pattern, size in _WORDS if pattern.search(text)), None)


def size_band(text: str | None) -> str | None:
    """The band of the company's size, None when the text says nothing of it; "50+" lies above 50.

    >>> size_band("11-50"), size_band("1 200 employés"), size_band("Enterprise"), size_band("50+")
    ('11-50', '1001-5000', '1001-5000', '51-200')
    """
    count = employees(text)
    if text is None or count is None:
        return None
    count += 1 if _AND_MORE.search(text) else 0
    return next((band for lower, band in reversed(BANDS) if count >= lower), BANDS[0][1])


def _number(text: str) -> float:
    amount = text.rstrip("kK").rstrip()
    if re.fullmatch(_DIGITS, amount):
        amount = re.sub(r"[^0-9]", "", amount)
    return float(amount.replace(",", ".")) * (1000.0 if text[-1] in "kK" else 1.0)

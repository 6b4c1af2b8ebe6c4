"""Company size as written in the field ("11-50", "250", "200 à 499 salariés", "10 000+") -> employees and band."""

import re
from typing import Final

#: Lower bounds of the bands; the trade's usual cut.
BANDS: Final = ((1, "1-10"), (11, "11-50"), (51, "51-200"), (201, "201-1000"), (1001, "1001-5000"), (5001, "5001+"))

_NUMBER = re.compile(r"\d+(?:[ \u00a0\u202f.,']\d{3})*(?!\d)\s*[kK]?")
_WORDS: Final = (
    (re.compile(r"\b(self|solo|freelance|independant|indépendant)", re.I), 1.0),
    (re.compile(r"\b(micro|tpe|very small|startup|start-up)\b", re.I), 5.0),
    (re.compile(r"\b(small|petite?|smb|sme|pme)\b", re.I), 50.0),
    (re.compile(r"\b(medium|mid|mid-market|moyenne?|eti)\b", re.I), 500.0),
    (re.compile(r"\b(large|enterprise|corporate|grande?|grand compte|ge)\b", re.I), 5000.0),
)


def employees(text: str | None) -> float | None:
    """How many people work there: the number, the middle of the range (geometric), or what the word stands for.

    Returns None when the text says nothing of it.

    >>> employees("250"), employees("11-50"), round(employees("200 à 499 salariés")), employees("10 000+")
    (250.0, 23.45207879911715, 316, 10000.0)
    >>> employees("PME"), employees("n/a") is None
    (50.0, True)
    """
    if text is None:
        return None
    numbers = [_number(match) for match in _NUMBER.findall(text)]
    positive = [n for n in numbers if n > 0]
    if len(positive) >= 2:
        return float((positive[0] * positive[1]) ** 0.5)
    if positive:
        return positive[0]
    return next((size for pattern, size in _WORDS if pattern.search(text)), None)


def size_band(text: str | None) -> str | None:
    """The band of the company's size, None when the text says nothing of it.

    >>> size_band("11-50"), size_band("1 200 employés"), size_band("Enterprise")
    ('11-50', '1001-5000', '1001-5000')
    """
    count = employees(text)
    if count is None:
        return None
    return next((band for lower, band in reversed(BANDS) if count >= lower), BANDS[0][1])


def _number(text: str) -> float:
    digits = re.sub(r"[^0-9]", "", text)
    return float(digits) * (1000.0 if text.rstrip().lower().endswith("k") else 1.0)

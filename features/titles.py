"""Job function and seniority, read from a job title written by hand in English or French.

A title is folded to plain words (case, accents, punctuation, feminine, inclusive and plural endings go away), then read
from left to right twice, the longest phrase of a word table first: once for functions, once for levels. The tables, in
`title_words.py`, go through the same folding.

The decisions a reader may want to dispute:

- Function. A word that names the job (*buyer*, *juriste*) counts more than one that names a field (*sales*), that more
  than one that names a setting (*IT*, *hospital*), that more than a word any firm uses (*engineer*, *assistant*,
  *president*). Among equals the first one wins. So an *acheteur IT* is purchasing, the *Founder & CTO* executive.
- Seniority. The highest level wins, but training and retirement override it, *junior* holds below director, and what
  follows *to* or *auprès de* is somebody else's.
- A helper (assistant, secretary) is staff whoever is helped, and administration if that is a director or above.
- Who manages a thing, not people, is senior: project, product, brand and category managers, product owners. Account,
  community and office managers are staff. A chief of staff is a manager.
- French titles are read literally: the *DAF* is a director, the *CFO* c_level; *DG* and *DGA* are c_level.
- Partners, *gérants* and *associés* own their company. One-person businesses (freelance, auto-entrepreneur) are staff.
- Who is learning has level student; the function is the field of the internship, or student where none is named.
- Retired people are other, staff, whatever they were. CPO, CSO, CCO and CAO stand for too many things: executive.
- Text that says something, but nothing known here, is other, staff. Only text that says nothing is None.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from features.title_words import ANYWHERE, FIELDS, HELPER, JOBS, LEVELS, MEANINGLESS, NOTHING, RETIRED, SETTINGS, SMALL

#: What the person works on. `executive` is general management, `health` includes social care.
FUNCTIONS: Final = (
    *("purchasing", "finance", "it", "engineering", "operations", "sales", "marketing", "hr", "legal", "executive"),
    *("research", "education", "health", "support", "administration", "student", "other"),
)

#: From the least to the most say in what a company buys.
SENIORITIES: Final = ("student", "junior", "staff", "senior", "manager", "director", "vp", "c_level", "owner")

_RANK: Final = {level: rank for rank, level in enumerate(SENIORITIES)}

_REWRITES: Final = (
    (re.compile(r"[’`´ʼ]"), "'"),
    (re.compile(r"œ"), "oe"),
    (re.compile(r"æ"), "ae"),
    # C.E.O. becomes ceo.
    (re.compile(r"(?<!\w)\w(?:\.\w)+(?!\w)"), lambda found: found[0].replace(".", "")),
    # Inclusive forms (acheteur·se, acheteur(se), étudiant.e, directeur/trice, chargé-e·s) become the masculine.
    (
        re.compile(
            r"(?<=\w{3})(?:\s?\(|[.·•∙/-])(?:e|s|es|se|ses|euse|euses|trice|trices|rice|rices|i?eres?|n?nes?|enne|fe|le|ve)"
            r"\)?(?:[.·•∙/-]s)?(?!\w)"
        ),
        "",
    ),
    (re.compile(r"\b(?:[ldjmnst]|qu)'|'s\b"), " "),
    (re.compile(r"\br ?(?:&|\+|et|and|n) ?d\b"), "rd"),
    (re.compile(r"\bm ?& ?a\b"), "mergersacquisitions"),
    (re.compile(r"\bfp ?& ?a\b"), "fpa"),
    # The chief of something is of the board; the field in between is read as such.
    (re.compile(r"\bchief ((?:[\w&]+ ){1,4})officer\b"), r"comex \1officer"),
    # A service given for a title (Direction des achats) is read as its head.
    (re.compile(r"^\W*direction\b"), "directeur"),
    (re.compile(r"\baupres\b"), "to"),
    (re.compile(r"\bmanageu(?:r|re|se)(?=s?\b)"), "manager"),
)

# Plural and feminine endings, in this order; the tables are folded alike, so a wrong but steady folding does no harm.
_ENDINGS: Final = (
    *(("eaux", "eau"), ("aux", "al"), ("trice", "teur"), ("euse", "eur"), ("eure", "eur"), ("ere", "er")),
    *(("enne", "en"), ("elle", "el"), ("ale", "al"), ("ante", "ant"), ("ente", "ent"), ("ointe", "oint")),
    *(("ive", "if"), ("effe", "ef"), ("ie", "y")),
)


def _words(text: str) -> list[str]:
    """Return the plain lower-case words of a text, in order."""
    text = "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if not unicodedata.combining(c))
    text = " ".join(text.split())
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    return re.findall(r"[^\W_]+", text)


def _fold(word: str) -> str:
    """Return a word without its plural and feminine ending."""
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "is", "us")):
        word = word[:-1]
    if word.endswith("ee"):
        word = word[:-1]
    if len(word) > 4:
        for ending, plain in _ENDINGS:
            if word.endswith(ending):
                return word[: -len(ending)] + plain
    return word


_SMALL: Final = frozenset(_words(SMALL))
_MEANINGLESS: Final = frozenset(" ".join(_words(phrase)) for phrase in MEANINGLESS.split(","))


def _tokens(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(_fold(word) for word in words if word not in _SMALL)


_Lexicon = dict[tuple[str, ...], tuple[int, str]]


def _lexicon(*tables: Mapping[str, str]) -> _Lexicon:
    """Compile tables, the weightiest first, into folded phrase -> (weight, meaning)."""
    lexicon: _Lexicon = {}
    for weight, table in enumerate(tables):
        for meaning, phrases in table.items():
            for phrase in phrases.split(","):
                lexicon.setdefault(_tokens(_words(phrase)), (weight, meaning))
    return lexicon


_FUNCTION_LEXICON: Final = _lexicon(JOBS, FIELDS, SETTINGS, ANYWHERE)
_LEVEL_LEXICON: Final = _lexicon(LEVELS)
_LONGEST: Final = max(len(phrase) for lexicon in (_FUNCTION_LEXICON, _LEVEL_LEXICON) for phrase in lexicon)


def _matches(tokens: tuple[str, ...], lexicon: _Lexicon) -> list[tuple[int, str]]:
    """Return what the phrases of a title mean, left to right, up to a "to" that follows a meaning."""
    found: list[tuple[int, str]] = []
    start = 0
    while start < len(tokens):
        if tokens[start] == "to" and found:
            break
        for end in range(min(start + _LONGEST, len(tokens)), start, -1):
            entry = lexicon.get(tokens[start:end])
            if entry:
                found.append(entry)
                start = end
                break
        else:
            start += 1
    return [(weight, meaning) for weight, meaning in found if meaning != NOTHING]


def _read(title: object) -> tuple[str, str] | None:
    """Return (function, seniority) of one title; None where it says nothing."""
    if not isinstance(title, str):
        return None
    words = _words(title)
    text = " ".join(words)
    if not any(c.isalpha() for c in text) or text in _MEANINGLESS or (text.isascii() and len(set(text)) == 1):
        return None
    tokens = _tokens(words)
    functions = _matches(tokens, _FUNCTION_LEXICON)
    levels = {level for _, level in _matches(tokens, _LEVEL_LEXICON)}
    ranks = [_RANK[level] for level in levels if level in _RANK]
    top = max(ranks, default=_RANK["staff"])
    if RETIRED in levels:
        return "other", "staff"
    seniority = SENIORITIES[top]
    if "student" in levels:
        seniority = "student"
    elif "junior" in levels and top < _RANK["director"]:
        seniority = "junior"
    elif HELPER in levels:
        seniority = "staff"
        if top >= _RANK["director"]:
            return "administration", seniority
    best = min(functions, key=lambda match: match[0], default=None)
    if best is None:
        return ("student" if seniority == "student" else "other"), seniority
    return best[1], seniority


def job_function(title: str | None) -> str | None:
    """Return the function that a job title names.

    Parameters
    ----------
    title
        Free text in English or French; anything that is no text counts as missing.

    Returns
    -------
    str or None
        One of `FUNCTIONS`; "other" where nothing is recognised; None where the title is missing or says nothing
        ("n/a", "-", "inconnu").

    Examples
    --------
    >>> job_function("Responsable des achats d'hôtellerie"), job_function("Assistant to the CEO")
    ('purchasing', 'administration')
    >>> job_function("n/a") is None
    True
    """
    found = _read(title)
    return None if found is None else found[0]


def seniority(title: str | None) -> str | None:
    """Return the level that a job title names.

    Parameters
    ----------
    title
        Free text in English or French; anything that is no text counts as missing.

    Returns
    -------
    str or None
        One of `SENIORITIES`; "staff" where no level is recognised; None where the title is missing or says nothing.

    Examples
    --------
    >>> seniority("VP of Procurement"), seniority("Directrice générale adjointe"), seniority("étudiant.e")
    ('vp', 'c_level', 'student')
    >>> seniority("???") is None
    True
    """
    found = _read(title)
    return None if found is None else found[1]


def seniority_rank(title: str | None) -> float:
    """Return the place of a title's level in `SENIORITIES`: 0.0 is student, 8.0 is owner, NaN is not known.

    Examples
    --------
    >>> seniority_rank("Acheteuse"), seniority_rank(None)
    (2.0, nan)
    """
    found = _read(title)
    return float("nan") if found is None else float(_RANK[found[1]])


def read_titles(titles: "Sequence[str | None] | pd.Series[str]") -> pd.DataFrame:
    """Read many titles; each distinct one is read once.

    Parameters
    ----------
    titles
        Free texts, shape (n,), in any order, with repeats; None, NaN and anything that is no text count as missing.

    Returns
    -------
    pandas.DataFrame
        One row per given title, in the given order, with a Series' own index: `function` (categorical over
        `FUNCTIONS`), `seniority` (ordered categorical over `SENIORITIES`), `seniority_rank` (float64, 0 to 8). All
        three are null where the title is missing or says nothing.

    Examples
    --------
    >>> read_titles(["DSI", "Stagiaire RH", None])
      function seniority  seniority_rank
    0       it  director             5.0
    1       hr   student             0.0
    2      NaN       NaN             NaN
    """
    given = titles if isinstance(titles, pd.Series) else pd.Series(list(titles), dtype="object")
    codes, distinct = pd.factorize(given)
    # One place more than there are titles: code -1, the missing ones, finds it.
    functions = np.full(len(distinct) + 1, -1, dtype=np.int8)
    levels = np.full(len(distinct) + 1, -1, dtype=np.int8)
    for position, title in enumerate(distinct):
        found = _read(title)
        if found is not None:
            functions[position], levels[position] = FUNCTIONS.index(found[0]), _RANK[found[1]]
    rank = levels[codes].astype(np.float64)
    return pd.DataFrame(
        {
            "function": pd.Categorical.from_codes(functions[codes], categories=pd.Index(FUNCTIONS)),
            "seniority": pd.Categorical.from_codes(levels[codes], categories=pd.Index(SENIORITIES), ordered=True),
            "seniority_rank": np.where(rank < 0, np.nan, rank),
        },
        index=given.index,
    )

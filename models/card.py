"""Facts about a version -> its model card, in Markdown and as a page, that someone who is no data scientist can read.

Both say the same, from the same sections, in English or French. The sections are those of Mitchell et al.: intended
use and uses out of scope, data, metrics, quantitative analyses, ethical considerations, caveats, model details. What
was not measured is not said; where it had to be measured, the card says that there is no evidence.

References
----------
Mitchell, M. et al. (2019). Model cards for model reporting. FAT* '19. doi:10.1145/3287560.3287596
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from models import (
    card_columns,
    card_keeping,
    card_markdown,
    card_page,
    card_results,
    card_subject,
    card_summary,
    card_trust,
)
from models.card_blocks import Block, Bullets, Notice, Section, say
from models.card_evidence import Facts, missing_sections
from models.card_phrases_french import in_french, leak_in_french
from models.card_summary import Standing
from models.card_voice import Voice
from models.card_words import ENGLISH, METRICS, Words
from models.card_words_french import FRENCH

Blocks = Callable[[Facts, Voice], Iterator[Block]]

METRIC_NAMES: Final[Mapping[str, str]] = {name: ENGLISH[name] for name in METRICS}
_LANGUAGES: Final[Mapping[str, Words]] = {"en": ENGLISH, "fr": FRENCH}


def to_markdown(facts: Facts, *, words: Words = ENGLISH, standing: Standing | None = None) -> str:
    """The model card of a release as Markdown: no HTML, no link, whatever columns are called.

    Parameters
    ----------
    facts : what `pipelines/train.py` measured; see `card.json` of a release
    words : of the language; see `words_of`
    standing : what is known of a version only once it is registered, shown above the card: version, status,
        registered_at, withdrawn_at, card_digest, and reviews, oldest first, each with decision ("approved" or
        "refused"), reviewer,
        reviewed_at, note and the card_digest that was reviewed. The last review counts, for the card with its digest
        only.

    Examples
    --------
    >>> print(to_markdown({"verdict": "candidate", "verdict_reason": "gains."}).split(chr(10))[4])
    **Verdict: candidate**: gains.
    """
    return card_markdown.render(sections(facts, words=words, standing=standing))


def to_html(facts: Facts, *, words: Words = ENGLISH, standing: Standing | None = None) -> str:
    """The model card of a release as one page that needs, asks and runs nothing; arguments as in `to_markdown`."""
    voice = voice_of(words)
    return card_page.render(sections(facts, words=words, standing=standing), voice=voice)


def languages() -> tuple[str, ...]:
    """The languages in which a card can be read.

    >>> languages()
    ('en', 'fr')
    """
    return tuple(_LANGUAGES)


def words_of(language: str) -> Words:
    """The words of a language.

    >>> words_of("fr")["title"]
    'Fiche du modèle'
    >>> words_of("de")
    Traceback (most recent call last):
    ...
    ValueError: A card can be read in en, fr; found 'de'.
    """
    if language not in _LANGUAGES:
        raise ValueError(f"A card can be read in {', '.join(_LANGUAGES)}; found {language!r}.")
    return _LANGUAGES[language]


def voice_of(words: Words) -> Voice:
    """The words with the phrase book of their language."""
    french = words["language"] == "fr"
    return Voice(words, in_french, leak_in_french) if french else Voice(words)


def sections(facts: Facts, *, words: Words = ENGLISH, standing: Standing | None = None) -> list[Section]:
    """The card's sections in the order in which they are read.

    One that must have evidence and has none says so; any other with nothing to say is left out.
    """
    voice, missing = voice_of(words), set(missing_sections(facts))
    above = tuple(card_summary.stands(standing, voice))
    made = []
    for key, level, blocks in _SECTIONS:
        said = (*(above if level == 1 else ()), *blocks(facts, voice))
        if key in missing:
            said = (Notice(say(words["no_evidence"], section=words[key]), "bad"), *said)
        if said:
            made.append(Section(key, words[key], said, level))
    return made


def number(value: float | None, *, digits: int = 4) -> str:
    """A figure for people; None is "undefined".

    >>> number(0.12345), number(None)
    ('0.1235', 'undefined')
    """
    return ENGLISH["undefined"] if value is None else f"{value:.{digits}f}"


def _standing(key: str) -> Blocks:
    """Bullets that hold for every version."""
    return lambda _, voice: iter([Bullets(tuple((line,) for line in voice[key].splitlines()))])


_SECTIONS: Final[tuple[tuple[str, int, Blocks], ...]] = (
    ("title", 1, card_summary.verdict),
    ("purpose", 2, card_subject.purpose),
    ("not_for", 3, _standing("not_for_is")),
    ("owner", 3, card_subject.owner),
    ("label", 2, card_subject.label),
    ("data", 2, card_subject.data),
    ("excluded", 3, card_subject.excluded),
    ("folds", 3, card_subject.folds),
    ("metrics", 2, card_results.metrics),
    ("differences", 3, card_results.differences),
    ("champion", 3, card_results.champion),
    ("gain", 3, card_results.gain),
    ("targets", 3, card_results.targets),
    ("tuning", 3, card_results.tuning),
    ("calibration", 2, card_trust.calibration),
    ("months", 3, card_trust.months),
    ("segments", 3, card_trust.segments),
    ("groups", 3, card_trust.groups),
    ("leaks", 2, card_columns.leaks),
    ("features", 2, card_columns.features),
    ("left_out", 3, card_columns.left_out),
    ("attributes", 3, card_columns.attributes),
    ("use", 2, card_keeping.use),
    ("oversight", 3, card_keeping.oversight),
    ("drift", 3, card_keeping.drift),
    ("limits", 2, _standing("limits_are")),
    ("privacy", 2, _standing("privacy_is")),
    ("changes", 2, card_keeping.changes),
    ("details", 2, card_keeping.details),
)

__all__ = [
    "METRIC_NAMES",
    "languages",
    "missing_sections",
    "number",
    "sections",
    "to_html",
    "to_markdown",
    "voice_of",
    "words_of",
]

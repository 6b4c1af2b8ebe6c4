"""What the program wrote of one lead in English, in French: the reason of its stage, and the reasons behind it.

Names that come from data stay as they are. What no template of ours says is left to the caller: None.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from models.card_features_french import feature_in_french
from models.card_phrases_french import typeset
from serve.stage_reasons import NO_PLACE

#: What stood in the places of a template.
Said = Mapping[str, str | None]

_FACTS: Final[Mapping[str, str]] = {
    "declared intent to buy (demo, quote, budget or date)": "a déclaré vouloir acheter (démonstration, devis, budget "
    "ou date)",
    "uses the product": "utilise le produit",
}
_NEXT: Final[Mapping[str, str]] = {
    "not qualified yet": "pas encore qualifié",
    "marketing nurtures": "le marketing le suit",
    "for sales to accept": "aux ventes d’accepter",
    "call about what it does with it": "l’appeler sur ce qu’il en fait",
    "hand over now": "à transmettre maintenant",
}
_NO_PLACE: Final = (
    " Un appel serait rentable, mais les places des ventes reviennent à des prospects dont on attend davantage."
)
_STAGES: Final[Mapping[str, str]] = {
    "lead": "prospect",
    "opportunity": "opportunité",
    "customer": "client",
    "recycled": "recyclé",
    "disqualified": "écarté",
}
_EVIDENCE: Final[Mapping[str, str]] = {
    "e-mail class": "type de messagerie",
    "job function": "fonction",
    "country": "pays",
}
_SHARE: Final = r"(?:(?:[Uu]nder |[Oo]ver )?[\d.]+ %)"
_LIKELY: Final = rf"(?P<likely>{_SHARE}) likely to convert"
_KNOWN: Final = rf"(?:(?P<facts>.+?)(?P<link>, but only | and ))?{_LIKELY}"
_CHECK: Final = r"(?: Check first: looks out of target \((?P<evidence>.*)\)\.)?"
_RECOMMENDED: Final = re.compile(
    rf"{_KNOWN}: (?P<next>{'|'.join(map(re.escape, _NEXT))})\."
    rf"(?P<no_place>{re.escape(NO_PLACE)})?(?: Keeps its stage: (?P<kept>{_SHARE}) to enter it\.)?{_CHECK}",
    re.DOTALL,
)
_ACCEPTED: Final = re.compile(
    rf"Accepted by sales as (?P<stage>\w+), {_KNOWN}: theirs until they send it back or it goes quiet\.{_CHECK}",
    re.DOTALL,
)
_SENT_BACK: Final = re.compile(
    rf"Sent back to (?P<stage>\w+) by people, no act since, {_KNOWN}: stays there until it acts again\.{_CHECK}",
    re.DOTALL,
)
_RECYCLED: Final = re.compile(rf"Was qualified, no act for (?P<days>\d+) days?, {_LIKELY}: back to nurturing\.")
_OUT: Final = re.compile(
    rf"Out of target \((?P<evidence>.*)\), {_LIKELY}(?P<contrary> although it declared intent to buy)?: a person "
    r"should confirm before it is disqualified\.",
    re.DOTALL,
)
_BY_PEOPLE: Final = re.compile(r"Set to (?P<stage>\w+) by people, left alone\.")
_NUMBER: Final = re.compile(r"-?[\d,]*\.?\d+(?:e[+-]?\d+)?")


def stage_reason_in_french(text: str) -> str | None:
    """The reason of a stage, as `serve.stages.recommend` writes it.

    >>> stage_reason_in_french("Uses the product, but only 6.2 % likely to convert: marketing nurtures.")
    'Utilise le produit, mais seulement 6,2\\u202f% de chances de convertir\\xa0: le marketing le suit.'
    >>> stage_reason_in_french("The moon is full.") is None
    True
    """
    for pattern, say in _SAY:
        if match := pattern.fullmatch(text):
            sentence = say(match.groupdict())
            return typeset(sentence[0].upper() + sentence[1:]) if sentence else None
    return None


def _by_people(said: Said) -> str:
    return f"fixée à « {_stage(said)} » par des personnes, laissée telle quelle."


def _recycled(said: Said) -> str:
    days = str(said["days"])
    plural = "s" if int(days) > 1 else ""
    return f"a été qualifié, aucun acte depuis {days} jour{plural}, {_likely(said)} : retour au suivi du marketing."


def _out(said: Said) -> str:
    contrary = " bien qu’il ait déclaré vouloir acheter" if said["contrary"] else ""
    return (
        f"hors cible ({_evidence(said)}), {_likely(said)}{contrary} : une personne devrait confirmer avant qu’il ne "
        "soit écarté."
    )


def _recommended(said: Said) -> str | None:
    known = _known(said)
    kept = f" Garde son étape : {_percent(str(said['kept']))} pour y entrer." if said["kept"] else ""
    no_place = _NO_PLACE if said["no_place"] else ""
    return known and f"{known} : {_NEXT[str(said['next'])]}.{no_place}{kept}{_check(said)}"


def _accepted(said: Said) -> str | None:
    known = _known(said)
    rest = f"à elles jusqu’à ce qu’elles le renvoient ou qu’il se taise.{_check(said)}"
    return known and f"accepté par les ventes comme {_stage(said)}, {known} : {rest}"


def _sent_back(said: Said) -> str | None:
    known = _known(said)
    rest = f"y reste jusqu’à son prochain acte.{_check(said)}"
    return known and f"renvoyé à « {_stage(said)} » par des personnes, aucun acte depuis, {known} : {rest}"


_SAY: Final[tuple[tuple[re.Pattern[str], Callable[[Said], str | None]], ...]] = (
    (_BY_PEOPLE, _by_people),
    (_RECYCLED, _recycled),
    (_OUT, _out),
    (_ACCEPTED, _accepted),
    (_SENT_BACK, _sent_back),
    (_RECOMMENDED, _recommended),
)


def saying_in_french(says: str) -> str | None:
    """A reason, as `serve.reasons` tells it: what it is about, and the lead's value.

    >>> saying_in_french("Days since the last act: 1,234.5 days")
    'Jours depuis le dernier acte\\xa0: 1\\u202f234,5 jours'
    >>> saying_in_french("Declared attribute: region: north"), saying_in_french("Moon: full") is None
    ('Attribut déclaré\\xa0: region\\xa0: north', True)
    """
    for place in [match.start() for match in re.finditer(": ", says)][::-1]:
        about = feature_in_french(says[:place])
        if about is not None:
            return f"{about}\u00a0: {_value(says[place + 2 :])}"
    return None


def _known(said: Said) -> str | None:
    """What is known of it, and how likely it is; None where a fact is not in the book."""
    found, left = [], said["facts"] or ""
    left = left[:1].lower() + left[1:]
    while left:  # each is found whole, for one has commas of its own
        english = next((fact for fact in _FACTS if left.startswith(fact)), None)
        if english is None:
            return None
        found.append(_FACTS[english])
        left = left.removeprefix(english).removeprefix(", ")
    link = {", but only ": ", mais seulement ", " and ": " et "}.get(said["link"] or "", "")
    return ", ".join(found) + link + _likely(said)


def _likely(said: Said) -> str:
    return f"{_percent(str(said['likely']))} de chances de convertir"


def _percent(text: str) -> str:
    return text.lower().replace("under", "moins de").replace("over", "plus de").replace(".", ",")


def _stage(said: Said) -> str:
    return _STAGES.get(str(said["stage"]), str(said["stage"]))


def _check(said: Said) -> str:
    return f" À vérifier d’abord : semble hors cible ({_evidence(said)})." if said["evidence"] else ""


def _evidence(said: Said) -> str:
    """What speaks against it; the value is the lead's own."""
    name, colon, value = str(said["evidence"]).partition(": ")
    return f"{_EVIDENCE[name]} : {value}" if colon and name in _EVIDENCE else str(said["evidence"])


def _value(text: str) -> str:
    number, _, unit = text.partition(" ")
    if _NUMBER.fullmatch(number) and unit in ("", "days", "employees"):
        written = number.replace(",", "\u202f").replace(".", ",")
        return f"{written} {feature_in_french(unit)}" if unit else written
    return feature_in_french(text) or text

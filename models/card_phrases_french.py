"""What the program writes into the facts in English, in French: reasons, notes, verdicts and leaks."""

import re
from collections.abc import Mapping
from typing import Any, Final

from features.cohort import DISQUALIFIED, IN_TARGET_STAGE, NO_VOLUNTARY_ACT, NOT_YET_KNOWN, OBJECTS
from models.card_features_french import feature_in_french

_EXACT: Final[Mapping[str, str]] = {
    # why a snapshot is not eligible
    NOT_YET_KNOWN: "pas encore connu",
    OBJECTS: "s’oppose au profilage",
    IN_TARGET_STAGE: "déjà à l’étape visée",
    DISQUALIFIED: "écarté par une personne",
    NO_VOLUNTARY_ACT: "aucun acte volontaire encore",
    # why a column is left out
    "excluded by configuration": "exclu par la configuration",
}

_NUMBER: Final = r"([+-]?[\d,]*\.?\d+)"
#: What stands in a group is a number, or a name that stays as it is.
_PATTERNS: Final = tuple(
    (re.compile(pattern, re.DOTALL), french)
    for pattern, french in (
        (r"no lead has a value for (.*)", "aucun prospect n’a de valeur pour {0}"),
        (
            r"fewer than (\d+) events of this type, or too many types",
            "moins de {0} événements de ce type, ou trop de types",
        ),
        # how it was learned
        (
            rf"{_NUMBER} trees, logistic penalty C = (.*), calibration: (\w+)",
            "{0} arbres, pénalité logistique C = {1}, calibration : {2}",
        ),
        (
            r"the newest snapshots bear out (\d+)% of the differences between leads; no more are told",
            "les instantanés les plus récents confirment {0} % des différences entre prospects ; il n’en est pas dit "
            "davantage",
        ),
        (
            r"not calibrated: a horizon before the newest (\d+) snapshots, (\d+) had converted and (\d+) had not; at "
            r"least (\d+) of each are needed",
            "non calibré : un horizon avant les {0} instantanés les plus récents, {1} avaient converti et {2} non ; il "
            "en faut au moins {3} de chaque",
        ),
        (
            r"not calibrated: of the newest (\d+) snapshots, (\d+) converted and (\d+) did not; some of each are "
            r"needed",
            "non calibré : des {0} instantanés les plus récents, {1} ont converti et {2} non ; il en faut de chaque",
        ),
        (
            r"not calibrated: at none of (\d+) earlier moments were outcomes of at least (\d+) snapshots that "
            r"converted and (\d+) that did not known, so that nothing could be held against later leads",
            "non calibré : à aucun de {0} instants antérieurs on ne connaissait l’issue d’au moins {1} instantanés "
            "convertis et {2} non convertis, si bien que rien n’a pu être confronté à des prospects ultérieurs",
        ),
        (
            r"later snapshots bear out (\d+)% of the differences between leads that the logistic member sees and "
            r"(\d+)% of the trees'; no more are told",
            "les instantanés ultérieurs confirment {0} % des différences entre prospects que voit le membre "
            "logistique et {1} % de celles des arbres ; il n’en est pas dit davantage",
        ),
        # the verdict
        (
            rf"gains log loss {_NUMBER} against the base rate \(95 % interval {_NUMBER} to {_NUMBER}\); "
            rf"ROC-AUC {_NUMBER} \({_NUMBER} to {_NUMBER}\)\.",
            "réduit la perte logarithmique de {0} par rapport au taux de base (intervalle à 95 % : {1} à {2}) ; "
            "ROC-AUC {3} ({4} à {5}).",
        ),
        (
            rf"no skill found: log loss {_NUMBER} against the base rate \(95 % interval {_NUMBER} to {_NUMBER}\); "
            rf"ROC-AUC {_NUMBER} \({_NUMBER} to {_NUMBER}\)\. On later leads .*",
            "aucun apport trouvé : perte logarithmique réduite de {0} par rapport au taux de base (intervalle à 95 % : "
            "{1} à {2}) ; ROC-AUC {3} ({4} à {5}). Sur des prospects ultérieurs, le modèle ne se distingue pas du taux "
            "de base. Rien n’a été enregistré.",
        ),
    )
)

#: Probe -> what it found; `value` and `limit` as percentages but for the AUC's.
_LEAKS: Final[Mapping[str, str]] = {
    "auc": "la colonne « {column} » classe à elle seule les prospects convertis avec une AUC de {value} (limite "
    "{limit}) : rien d’honnête n’y parvient. {advice}",
    "deciding_value": "la colonne « {column} » a des valeurs avec lesquelles pratiquement tous ont converti ; {value} "
    "des convertis les ont. {advice}",
    "filled_after_conversion": "la colonne « {column} » est remplie (ni vide, ni zéro) pour {value} des convertis et "
    "presque personne d’autre : elle semble écrite par la conversion. {advice}",
    "filled_after_loss": "la colonne « {column} » est remplie (ni vide, ni zéro) pour {value} de ceux qui n’ont pas "
    "converti et pratiquement aucun converti : elle semble écrite quand un prospect est perdu. {advice}",
    "dominant": "la colonne « {column} » apporte à elle seule {value} de ce que toutes les autres ensemble laissent "
    "ouvert (limite {limit}). Regardez si elle est mesurée pendant ou après l’issue, comme la durée de l’appel qui "
    "conclut. {advice}",
    "changed_after_outcome": "l’attribut « {column} » change après l’issue pour {value} des convertis (limite "
    "{limit}), bien plus souvent qu’autrement. Excluez-le, ou déclarez quand il est connu et importez son historique "
    "daté plutôt que sa valeur du jour.",
    "name": "l’attribut « {column} » porte le nom d’une colonne qui, dans les CRM, n’est connue qu’après une "
    "conversion ou à cause d’elle. Excluez-le ([features] exclude), ou déclarez-le « ignored » dans la correspondance.",
}
_ADVICE: Final = "Excluez-la, ou déclarez quand elle est connue si elle l’est avant l’issue."


def typeset(text: str) -> str:
    """The spaces that French sets before its punctuation and signs, none of which may begin a line.

    >>> typeset("Quoi : 5 % ?")
    'Quoi\\xa0: 5\\u202f%\\u202f?'
    """
    text = text.replace("« ", "«\u00a0").replace(" »", "\u00a0»").replace(" :", "\u00a0:")
    return re.sub(r" ([;?!%])", "\u202f\\1", text)


def in_french(text: str) -> str | None:
    """What the program wrote in English, in French; None for what no template of ours says.

    >>> in_french("no lead has a value for job_title")
    'aucun prospect n’a de valeur pour job_title'
    >>> in_french("the store has no email_opened and no call"), in_french("a note of somebody's") is None
    ('la base n’a pas de email_opened, ni de call', True)
    """
    known = _EXACT.get(text)
    if known:
        return known
    if text.startswith("the store has no "):
        return "la base n’a pas de " + text.removeprefix("the store has no ").replace(" and no ", ", ni de ")
    for pattern, french in _PATTERNS:
        if match := pattern.fullmatch(text):
            return typeset(french).format(*map(_decimal, match.groups()))
    return feature_in_french(text)


def leak_in_french(leak: Mapping[str, Any]) -> str | None:
    """What a leak probe found, from its figures; None for a probe that is not known.

    >>> leak_in_french({"column": "duration", "probe": "moon", "value": 1.0, "limit": 0.5}) is None
    True
    """
    template, numbers = _LEAKS.get(str(leak.get("probe"))), {}
    if template is None:
        return None
    for key in ("value", "limit"):
        value = leak.get(key)
        if value is None:
            if f"{{{key}}}" in template:
                return None
            continue
        numbers[key] = f"{value:.3f}".replace(".", ",") if leak["probe"] == "auc" else f"{100 * value:.0f}\u202f%"
    return typeset(template).format(column=leak["column"], advice=_ADVICE, **numbers)


def _decimal(text: str) -> str:
    """A number with a comma, a true minus and thin spaces; anything else as it is."""
    if not re.fullmatch(_NUMBER, text):
        return text
    return text.replace(",", "\u202f").replace(".", ",").replace("-", "\u2212")

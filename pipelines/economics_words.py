"""What `leadscore economics` says, in English and in French."""

from collections.abc import Mapping
from typing import Final

from features.errors import ConfigError

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "thousands": ",",
        "decimal": ".",
        "leads": "Scores as of {as_of} UTC: {leads} leads that a stage could hand over ({aside} that people keep, or "
        "that are out of target, are left aside).",
        "one_value": "A customer brings {median} {currency}. Of all these leads, {expected} {currency} is expected "
        "within {days} days.",
        "values": "A customer brings {lowest} to {highest} {currency}, {median} in the middle. Of all these leads, "
        "{expected} {currency} is expected within {days} days.",
        "worthless": "{worthless} leads would bring nothing as told (no amount, no value for their segment, and "
        "customer_value is 0): they are never worth a touch.",
        "pays": "Nurturing ({nurture} {currency}) pays from {mql} on, a call ({sales} {currency}) from {sal} on.",
        "pays_at": "At the median value nurturing ({nurture} {currency}) pays from {mql} on, a call ({sales} "
        "{currency}) from {sal} on; at the highest a call pays from {sal_highest} on, at the lowest from {sal_lowest}.",
        "capacity_binds": "{worth} leads pay for a call, and sales takes up {places} from a list: its limit rises to "
        "{limit}. The {left} that do not fit would bring {left_over} {currency} more, calls paid.",
        "capacity_binds_values": "{worth} leads pay for a call, and sales takes up {places} from a list: from an "
        "expected value (probability × value) of {cut} {currency} on. The {left} that do not fit would bring "
        "{left_over} {currency} more, calls paid.",
        "capacity_free": "{worth} leads pay for a call, and sales could take up {places}: all of them fit.",
        "capacity_unknown": "{worth} leads pay for a call. How many sales can take up is not told "
        "([economics] touches_per_day).",
        "product_use": "{count} more use the product (pql) and are called below the suggested limits: they come on "
        "top, unless pql_min_probability is raised as well.",
        "too_many": "As set now, sales gets {handed} leads for {places} calls. {places} of them at random would "
        "bring {at_random} {currency}, calls paid; the {places} that are expected to bring most, {best}.",
        "limits_title": "What the limits hand over from tonight's list",
        "limits_columns": "limits|mql from|sal from|handed over|over capacity|customers expected|net value expected|"
        "nurtured",
        "settings": "as set now",
        "suggestion": "suggested",
        "per_lead": 'limits = "economics"',
        "by_lead": "by lead",
        "sensitivity_title": "If a figure were a fifth lower or higher",
        "sensitivity_values": "If a figure were a fifth lower or higher (limits as probability × value)",
        "sensitivity_columns": "figure|mql from|sal from|handed over|customers expected|net value expected|change|"
        "nurtured",
        "as_told": "as told",
        "value": "value of a customer",
        "sales_touch_cost": "cost of a sales touch",
        "nurture_touch_cost": "cost of nurturing",
        "touches_per_day": "touches per day",
        "binds": "* raised by capacity",
        "paste": "To paste into leadscore.toml:",
        "kept_up": '# or let the limits follow the figures, lead by lead and night by night: limits = "economics"',
        "caveat": "Net value is what those handed over are expected to bring within {days} days, less their calls. It "
        "counts who would have bought without a call: history does not say who.",
    },
    "fr": {
        "thousands": "\N{NARROW NO-BREAK SPACE}",
        "decimal": ",",
        "leads": "Scores au {as_of} UTC : {leads} leads qu'une étape pourrait confier aux commerciaux ({aside} mis de "
        "côté : déjà suivis par quelqu'un, ou hors cible).",
        "one_value": "Un client rapporte {median} {currency}. De l'ensemble de ces leads, on attend {expected} "
        "{currency} en {days} jours.",
        "values": "Un client rapporte de {lowest} à {highest} {currency}, {median} en valeur médiane. De l'ensemble de "
        "ces leads, on attend {expected} {currency} en {days} jours.",
        "worthless": "{worthless} leads ne rapporteraient rien d'après les réglages (pas de montant, pas de valeur "
        "pour leur segment, et customer_value vaut 0) : aucune action n'est rentable pour eux.",
        "pays": "Un nurturing ({nurture} {currency}) est rentable à partir de {mql}, un appel ({sales} {currency}) à "
        "partir de {sal}.",
        "pays_at": "À la valeur médiane, un nurturing ({nurture} {currency}) est rentable à partir de {mql}, un appel "
        "({sales} {currency}) à partir de {sal} ; à la valeur la plus haute, un appel l'est à partir de {sal_highest}, "
        "à la plus basse à partir de {sal_lowest}.",
        "capacity_binds": "{worth} leads valent un appel, et les commerciaux en prennent {places} par liste : le seuil "
        "monte à {limit}. Les {left} restants rapporteraient {left_over} {currency} de plus, appels déduits.",
        "capacity_binds_values": "{worth} leads valent un appel, et les commerciaux en prennent {places} par liste : à "
        "partir d'une valeur attendue (probabilité × valeur) de {cut} {currency}. Les {left} restants rapporteraient "
        "{left_over} {currency} de plus, appels déduits.",
        "capacity_free": "{worth} leads valent un appel, et les commerciaux pourraient en prendre {places} : tous "
        "trouvent place.",
        "capacity_unknown": "{worth} leads valent un appel. Combien les commerciaux peuvent en prendre n'est pas "
        "indiqué ([economics] touches_per_day).",
        "product_use": "{count} de plus utilisent le produit (pql) et sont appelés sous les seuils suggérés : ils "
        "s'ajoutent, à moins de relever aussi pql_min_probability.",
        "too_many": "Avec le réglage actuel, les commerciaux reçoivent {handed} leads pour {places} appels. {places} "
        "pris au hasard rapporteraient {at_random} {currency}, appels déduits ; les {places} les plus prometteurs, "
        "{best}.",
        "limits_title": "Ce que les seuils confient aux commerciaux, sur la liste de cette nuit",
        "limits_columns": "seuils|mql dès|sal dès|confiés|au-delà de la capacité|clients attendus|"
        "valeur nette attendue|en nurturing",
        "settings": "réglage actuel",
        "suggestion": "suggestion",
        "per_lead": 'limits = "economics"',
        "by_lead": "par lead",
        "sensitivity_title": "Si un chiffre était d'un cinquième plus bas ou plus haut",
        "sensitivity_values": "Si un chiffre était d'un cinquième plus bas ou plus haut (seuils en probabilité × "
        "valeur)",
        "sensitivity_columns": "chiffre|mql dès|sal dès|confiés|clients attendus|valeur nette attendue|écart|"
        "en nurturing",
        "as_told": "tel qu'indiqué",
        "value": "valeur d'un client",
        "sales_touch_cost": "coût d'un appel",
        "nurture_touch_cost": "coût d'un nurturing",
        "touches_per_day": "appels par jour",
        "binds": "* relevé par la capacité",
        "paste": "À coller dans leadscore.toml :",
        "kept_up": '# ou laissez les seuils suivre les chiffres, lead par lead, nuit après nuit : limits = "economics"',
        "caveat": "La valeur nette est ce que les leads confiés devraient rapporter en {days} jours, appels déduits. "
        "Elle compte aussi ceux qui auraient acheté sans appel : l'historique ne dit pas lesquels.",
    },
}


def words_in(language: str) -> Mapping[str, str]:
    """The words of a language.

    Raises
    ------
    ConfigError
        There are none.
    """
    if language not in WORDS:
        raise ConfigError(f"--lang must be {' or '.join(WORDS)}, found {language!r}.")
    return WORDS[language]

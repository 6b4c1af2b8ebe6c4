"""The words of a comparison's page, in French: keys and placeholders are those of `comparison_words`."""

from collections.abc import Mapping
from typing import Final

_THIN, _HARD = "\u202f", "\u00a0"

_TOLD: Final[Mapping[str, str]] = {
    "language": "Français",
    "decimal": ",",
    "thousands": _THIN,
    "money": "{amount} {currency}",
    "percent": "{number} %",
    "range": "{low} à {high}",
    "the_model": "le modèle",
    "the_points": "les points",
    "the_version": "la version {name}",
    "find_model": "le modèle en trouve",
    "find_points": "les points en trouvent",
    "find_version": "la version {name} en trouve",
    "short_model": "Modèle",
    "short_points": "Points",
    "short_version": "Version {name}",
    "verdict_better": "En appelant les premiers {share} % de chaque liste, sur 100 conversions {find_a} {a} et "
    "{find_b} {b} : {difference} de plus sur 100 (intervalle à 95 % : {low} à {high}). Avantage net pour {name_a}.",
    "verdict_worse": "En appelant les premiers {share} % de chaque liste, sur 100 conversions {find_a} {a} et {find_b} "
    "{b} : {difference} de moins sur 100 (intervalle à 95 % : {low} à {high}). Net désavantage pour {name_a}.",
    "verdict_level": "En appelant les premiers {share} % de chaque liste, sur 100 conversions {find_a} {a} et {find_b} "
    "{b}. Le hasard seul peut produire un tel écart (intervalle à 95 % : {low} à {high} sur 100). Les deux se valent.",
    "verdict_value": "En argent : {value} pour les mêmes appels sur toutes les listes du {first} au {last}, chaque "
    "client ne comptant qu’une fois (intervalle à 95 % : {low} à {high}).",
    "day": "%d/%m/%Y",
    "more": "{number} de plus",
    "fewer": "{number} de moins",
    "better": "avantage",
    "level": "égalité",
    "worse": "désavantage",
    "undecided": "trop peu de cas",
    "title": "{a} ou {b} : qui trouve le plus de clients ?",
    "seen": "Jugés sur {snapshots} observations de {leads} leads, du {first} au {last}, dont {converted} conversions "
    "({stage}, horizon de {days} j). Chacune a été prédite avec ce que l’on savait avant elle.",
    "no_script": "Cette page trace ses figures avec un script que votre navigateur n’exécute pas. Le verdict ci-dessus "
    "reste valable.",
    "capacity": "Pour les mêmes appels, qui trouve le plus ?",
    "capacity_how": "Déplacez la ligne jusqu’à la part de chaque liste que les commerciaux peuvent appeler. Les "
    "chiffres au-dessous suivent.",
    "capacity_label": "Part de chaque liste que l’on appelle",
    "capacity_now": "Les premiers {share} de chaque liste, environ {leads} leads par {per}",
    "per_night": "nuit",
    "per_month": "mois",
    "capacity_back": "Revenir à la capacité commerciale ({share})",
    "capacity_back_usual": "Revenir à {share}",
    "capacity_usual": "Personne n’a indiqué combien de leads peuvent être appelés : on montre donc 10 % ([evaluation] "
    "capacity_leads, ou [economics] touches_per_day).",
    "show": "Afficher",
    "show_captured": "Conversions trouvées",
    "show_value": "Valeur",
    "axis_share": "part de chaque liste que l’on appelle",
    "axis_captured": "part des conversions trouvées",
    "axis_value": "valeur, coût des appels déduit, {currency}",
    "random": "au hasard",
    "curve_name": "Part des conversions trouvées par {a} et par {b}, selon la part de chaque liste que l’on appelle",
    "curve_name_value": "Valeur obtenue par {a} et par {b}, selon la part de chaque liste que l’on appelle",
    "finds": "Trouvées par {name}",
    "of_conversions": "sur {converted} conversions : {found} ; {lift} fois le hasard",
    "difference": "Écart",
    "of_hundred": "{number} sur 100",
    "difference_note": "intervalle à 95 % : {range} ; {name} : {word}",
    "difference_level": "intervalle à 95 % : {range} ; égalité",
    "worth": "Valeur de l’écart",
    "worth_note": "intervalle à 95 % : {range} ; après appels à {cost} chacun",
    "only": "Appelés seulement par {name}",
    "only_note": "leads ; {converted} conversions ({rate})",
    "hands_key": "Barres épaisses : les leads appelés. Barres fines dessous : leurs conversions.",
    "hands_name": "Leads appelés par l’un, par l’autre, par les deux : {told}",
    "only_none": "personne : mêmes appels des deux côtés",
    "as_table": "Le même en tableau",
    "called": "appelés",
    "swap": "Qui change de mains",
    "swap_how": "À {share} de chaque liste : les leads qu’un seul des deux ferait appeler.",
    "swap_none": "Les deux transmettent les mêmes leads.",
    "portrait_counts": "{leads} leads, dont {converted} conversions ({rate} ; sur l’ensemble {base}).",
    "portrait_segments": "Plus fréquents ici que dans l’ensemble",
    "portrait_segment": "{value} ({column}) : {share}, ensemble {of_all}",
    "portrait_for_model": "Ce qui les fait monter pour {name}",
    "portrait_against_model": "Ce qui les fait baisser pour {name}",
    "portrait_for_points": "Ce que comptent leurs points",
    "portrait_against_points": "Ce qui leur retire des points",
    "portrait_share": "{says} ({share})",
    "list": "Les leads eux-mêmes",
    "list_capped": "Voici les {shown} cas les plus nets sur {all}. Le fichier CSV les contient tous (--csv FICHIER).",
    "list_all": "Les {all} cas sont tous ici.",
    "list_partly": "Les leads à égalité à la coupure d’une liste sont appelés en partie : les chiffres sont des "
    "moyennes sur tous les ordres.",
    "filter_text": "Rechercher",
    "filter_hint": "lead, raison ou points",
    "filter_side": "Appelés par",
    "filter_outcome": "Issue",
    "everyone": "les deux",
    "only_side": "seulement par {name}",
    "any": "toutes",
    "converted": "conversion",
    "not_converted": "sans conversion",
    "rows_shown": "{shown} retenus sur {all}",
    "show_more": "Afficher les {all}",
    "none_fits": "Aucun lead ne correspond. Effacez la recherche ou les filtres.",
    "clear": "Effacer",
    "lead": "lead",
    "date": "date",
    "called_by": "appelé par",
    "outcome": "issue",
    "top": "premiers {share}",
    "part": "à {share}",
    "why": "pourquoi",
    "details_of": "Montrer les sommes derrière {lead}",
    "sum_model": "Les raisons du modèle, en facteurs de la cote",
    "sum_points": "Les points",
    "sum_points_whole": "{points} ; leur détail n’est pas conservé.",
    "sum_none": "Aucun point n’est connu.",
    "sum_version": "Ce qu’en dit maintenant {name}, en facteurs de la cote. Elle a appris depuis, peut-être de ce lead "
    "même : la somme peut différer de la prédiction d’alors",
    "sum_no_reasons": "Pas de raisons pour {name} : ses fichiers manquent, ou elle lit des colonnes absentes "
    "aujourd’hui.",
    "start": "départ : le lead moyen",
    "rest": "tout le reste",
    "calibration_part": "calibration",
    "total": "ensemble",
    "print_note": "Sur papier figurent les 40 premiers leads du tableau ; le fichier CSV les contient tous.",
    "calibration": "20 %, est-ce bien 20 sur 100 ?",
    "calibration_how": "Ce qui était promis et ce qui est arrivé, par groupes de même taille. Sur la ligne "
    "pointillée, les deux coïncident. Les points ne sont pas des probabilités : on leur donne ici les meilleures "
    "qu’ils puissent avoir, apprises sur des leads antérieurs.",
    "calibration_how_versions": "Ce qui était promis et ce qui est arrivé, par groupes de même taille. Sur la ligne "
    "pointillée, les deux coïncident.",
    "calibration_name": "Probabilité promise et part convertie, pour {a} et pour {b}",
    "promised": "promis",
    "happened": "arrivé",
    "interval": "intervalle à 95 %",
    "groups": "Par segment",
    "groups_how": "Les listes sont coupées comme pour tout le monde ; les intervalles disent ce qui peut venir du "
    "hasard. Sur vingt segments sans aucun écart, le hasard en fait paraître un.",
    "months": "Par mois",
    "segment": "segment",
    "month": "mois",
    "column": "Segments selon",
    "leads": "leads",
    "called_of": "appelés par {name}",
    "finds_of": "trouvées par {name}",
    "nothing_here": "Aucune colonne ne donne de segments.",
    "difference_axis": "écart, sur 100 conversions",
    "measures": "Ressemblance et qualité",
    "alike": "Les deux ordonnent une même liste avec une ressemblance de {spearman} (Spearman) et de {kendall} (tau-b "
    "de Kendall) : 1 pour le même ordre, 0 sans rien de commun, −1 pour l’ordre inverse.",
    "alike_unknown": "Leur ressemblance ne peut être mesurée : l’un des deux n’ordonne aucune liste.",
    "measure": "mesure",
    "lift_at_10": "lift dans les 10 premiers %, toutes listes réunies",
    "roc_auc": "ROC-AUC : paires dans le bon ordre",
    "pr_auc": "PR-AUC : précision moyenne",
    "log_loss": "perte logarithmique (moins vaut mieux)",
    "brier": "score de Brier (moins vaut mieux)",
    "counted": "Comment on a compté",
    "counted_lists": "À chaque {per} sa liste, dont on appelle la même part à partir du haut. Un lead présent sur "
    "plusieurs listes compte dans chacune.",
    "counted_ties": "Les leads à égalité de points se partagent les places restantes à la coupure d’une liste : les "
    "chiffres sont des moyennes sur tous les ordres possibles, si bien que les ex æquo n’avantagent personne. Des "
    "leads à égalité des deux côtés, les deux appellent la même part.",
    "counted_intervals": "Les intervalles viennent de nouveaux tirages des leads, avec toutes leurs observations, "
    "pour les deux à la fois : 95 % des tirages y tombent. On ne tranche que si tout l’intervalle est du même côté de "
    "zéro.",
    "counted_private": "Les leads ne sont désignés que par leur identifiant. Noms, adresses et noms d’entreprises ne "
    "sont pas lus.",
    "counted_value": "La valeur est ce que valent les leads convertis ([economics]), moins le coût des appels, en "
    "somme sur toutes les listes du {first} au {last}. Un client présent sur plusieurs listes avant sa conversion ne "
    "compte qu’une fois en tout : une part égale de sa valeur sur chacune. Chaque appel a son coût.",
    "counted_drawn": "Parmi tous les leads, {drawn} ont été tirés au sort et jugés : leads, conversions et argent sont "
    "les leurs ; les leads par {per} sont ceux de la liste entière.",
}


def typeset(text: str) -> str:
    """With the spaces that French asks for before its signs.

    >>> typeset("Qui ? Lui : 5 %") == "Qui\u202f? Lui\u00a0: 5\u00a0%"
    True
    """
    for sign, space in ((" :", _HARD), (" %", _HARD), (" ?", _THIN), (" ;", _THIN), (" !", _THIN)):
        text = text.replace(sign, space + sign[1:])
    return text


FRENCH: Final[Mapping[str, str]] = {key: typeset(text) for key, text in _TOLD.items()}

"""The words of a model card about figures, in French: keys and placeholders are those of `card_words_proof`."""

from collections.abc import Mapping
from typing import Final

_LIFT: Final = (
    "combien de fois plus de conversions contient ce haut de liste que le même nombre de prospects tirés au sort"
)
_CAPTURED: Final = "la part de toutes les conversions que contient ce haut de liste"

PROOF: Final[Mapping[str, str]] = {
    # metrics
    "metrics": "Ce qu’il vaut, sur des prospects ultérieurs qu’il n’a jamais vus",
    "metrics_are": "Mesuré sur les instantanés de test. Entre parenthèses, intervalles à 95 % par rééchantillonnage "
    "des prospects : un prospect vu plusieurs jours est une seule preuve. À côté du modèle figure ce à quoi il est "
    "comparé, sur les mêmes instantanés.",
    "metrics_head": "mesure|modèle",
    "metrics_mean": "Ce que signifient ces mesures",
    "metrics_release": "La version mise en service est apprise par le même procédé sur tous les instantanés mûrs, "
    "ceux du test compris : ce qui est mesuré ici est le procédé.",
    "meaning": "{name} : {meaning}.",
    "log_loss": "Perte logarithmique (moins est mieux)",
    "log_loss_means": "la surprise moyenne devant ce qui est arrivé ; être sûr et se tromper coûte le plus",
    "brier": "Score de Brier (moins est mieux)",
    "brier_means": "le carré moyen de l’erreur de la probabilité",
    "brier_skill": "Apport selon Brier, face au taux de base",
    "brier_skill_means": "la part de l’erreur quadratique du taux de base qui a disparu ; 0 : pas mieux que lui, 1 : "
    "parfait",
    "brier_skill_short": "0 : pas mieux qu’un seul taux pour tous ; 1 : parfait",
    "roc_auc": "ROC-AUC",
    "roc_auc_means": "la chance qu’un prospect qui convertit soit classé devant un qui ne convertit pas ; 0,5 est le "
    "hasard",
    "roc_auc_short": "chance qu’un prospect qui convertit soit classé devant un autre ; 0,5 est le hasard",
    "roc_auc_within": "ROC-AUC au sein d’une liste",
    "roc_auc_within_means": "la même parmi les prospects d’une seule et même liste, pour que bonnes et mauvaises "
    "saisons ne comptent pas",
    "pr_auc": "PR-AUC (précision moyenne)",
    "pr_auc_means": "la part de conversions parmi les prospects appelés, en moyenne selon jusqu’où l’on appelle ; le "
    "taux de base est le hasard",
    "lift_at_5": "Lift des premiers 5 %",
    "lift_at_5_means": _LIFT,
    "lift_at_10": "Lift des premiers 10 %",
    "lift_at_10_means": _LIFT,
    "lift_at_10_short": "fois plus de conversions que dans un dixième tiré au sort",
    "lift_at_20": "Lift des premiers 20 %",
    "lift_at_20_means": _LIFT,
    "lift_at_capacity": "Lift dans la limite de la capacité",
    "lift_at_capacity_means": _LIFT,
    "captured_at_5": "Conversions trouvées dans les premiers 5 %",
    "captured_at_5_means": _CAPTURED,
    "captured_at_10": "Conversions trouvées dans les premiers 10 %",
    "captured_at_10_means": _CAPTURED,
    "captured_at_10_short": "de tous ceux qui convertissent, en appelant le premier dixième",
    "captured_at_20": "Conversions trouvées dans les premiers 20 %",
    "captured_at_20_means": _CAPTURED,
    "captured_at_capacity": "Conversions trouvées dans la limite de la capacité",
    "captured_at_capacity_means": _CAPTURED,
    "captured_at_capacity_short": "de tous ceux qui convertissent, avec autant d’appels que les ventes peuvent en "
    "passer",
    "ece": "Erreur de calibration attendue, sans biais",
    "ece_means": "l’écart entre taux prédits et observés ; 0 est juste",
    "calibration_slope": "Pente de calibration (1 est juste)",
    "calibration_slope_means": "sous 1, les probabilités fortes sont trop fortes et les faibles trop faibles",
    "calibration_slope_short": "1 : les différences entre prospects sont celles promises",
    "calibration_intercept": "Calibration d’ensemble (0 est juste)",
    "calibration_intercept_means": "au-dessus de 0, trop peu a été promis dans l’ensemble ; au-dessous, trop",
    # comparisons
    "differences": "Face à chaque référence, sur les mêmes prospects",
    "differences_are": "Une comparaison est à égalité quand son intervalle à 95 %, par rééchantillonnage des "
    "prospects, le même pour les deux, contient l’absence de différence.",
    "differences_head": "face à",
    "word_better": "meilleur",
    "word_level": "à égalité",
    "word_worse": "moins bon",
    "by_better": " de {by}",
    "by_worse": " de {by}",
    "by_level": ", {by}",
    "baseline_base_rate": "taux de base",
    "baseline_base_rate_is": "le taux de conversion connu auparavant, pour chaque prospect",
    "baseline_logistic": "régression logistique",
    "baseline_logistic_is": "la régression logistique des manuels, sur les mêmes colonnes",
    "baseline_odoo_bayes": "Bayes naïf d’Odoo",
    "baseline_odoo_bayes_is": "l’algorithme du CRM d’Odoo, sans l’étape",
    "baseline_odoo_bayes_with_stage": "Bayes naïf d’Odoo, avec l’étape",
    "baseline_odoo_bayes_with_stage_is": "le même, qui sait aussi quelle étape des personnes ont posée",
    "baseline_single_feature": "meilleure variable seule",
    "baseline_single_feature_is": "la colonne qui classe le mieux à elle seule, ramenée à une probabilité",
    "baseline_points": "points du marketing",
    "baseline_points_is": "les points que donne le marketing, ramenés à une probabilité de la façon qui leur est la "
    "plus favorable",
    "champion": "Face à la version championne",
    "champion_none": "Il n’y avait pas de version championne lors de cet apprentissage : rien à quoi le comparer.",
    "champion_away": "La version {version} était championne lors de cet apprentissage, mais ses fichiers n’ont pas pu "
    "être obtenus : les deux n’ont pas été comparées.",
    "champion_label": "La version {version}, championne lors de cet apprentissage, prédit une autre issue : les deux "
    "ne peuvent être comparées.",
    "champion_few": "La version {version} était championne lors de cet apprentissage ; parmi les prospects que les "
    "deux ont prédits, trop peu ont converti pour les comparer.",
    "champion_is": "Face à la version {version}, championne lors de cet apprentissage, sur les mêmes prospects "
    "ultérieurs : {snapshots} instantanés de {leads} prospects, dont {converted} ont converti.",
    "champion_head": "mesure|cette version|championne|cette version est",
    "gain": "Ce que trouvent les premiers appels de la liste",
    "gain_is": "Plus une courbe est haute, plus on trouve de conversions en appelant la même part de la liste.",
    "gain_capacity": "Le trait vertical est ce que les ventes peuvent traiter : {leads} prospects par liste, soit "
    "{share}.",
    "gain_head": "part appelée",
    "gain_model": "modèle",
    "gain_points": "points",
    "gain_logistic": "régression logistique",
    "gain_random": "au hasard",
    "gain_at_capacity": "capacité",
    "gain_all": "Toute la courbe en tableau",
    "targets": "Les trois cibles de MadKudu",
    "targets_are": "Des règles du métier pour des classes qui servent. Elles parlent du modèle avec les classes en "
    "vigueur, et des points ramenés à des probabilités.",
    "targets_head": "cible",
    "target_top_two_share": "Prospects dans les deux premières classes : 15 à 35 %",
    "target_captured": "Conversions dans les deux premières classes : au moins 60 %",
    "target_ratio": "La première classe convertit au moins 10 fois plus souvent que la dernière",
    "target_none": "personne n’a converti dans la dernière classe :",
    "met": "atteinte",
    "not_met": "manquée",
    "bands_of": "Classes : {of}",
    "bands_head": "classe|prospects|conversions|taux",
    "tuning": "Recherche de paramètres",
    "tuning_is": "{trials} essais en {minutes} minutes, chacun jugé sur des périodes antérieures au test.",
    "tuning_gain": "Face aux paramètres livrés, {metric} : ",
    "tuning_used": "Le gain est établi, et ces paramètres sont donc en vigueur. Cela a été décidé sur le test même "
    "d’où viennent les chiffres de cette fiche : de deux procédés on a retenu le meilleur, si bien qu’ils le flattent "
    "peut-être un peu.",
    "tuning_kept": "Le gain n’est pas établi : les paramètres livrés restent donc en vigueur, et les chiffres de cette "
    "fiche sont les leurs.",
    # calibration
    "calibration": "Calibration",
    "calibration_method": "Comment les probabilités sont ajustées : {method}. Le choix a été fait sur des instantanés "
    "postérieurs à ceux dont le modèle avait appris ; parmi les méthodes à moins de deux erreurs types de la "
    "meilleure, la plus simple est prise.",
    "choices_head": "méthode|perte logarithmique|au-dessus de la meilleure|erreur type de cet écart",
    "level_shift": "Le niveau est ramené aux issues les plus récentes : elles s’écartent de {gap} en log des chances, "
    "dont {share} sont crus, si bien qu’il bouge de {shift}. Ce qu’un tel décalage aurait fait auparavant, sur des "
    "instantanés postérieurs à ceux dont il venait :",
    "level_head": "à partir du|instantanés|promis avant|promis après|arrivé",
    "method_none": "aucun ajustement",
    "method_venn_abers": "Venn-Abers",
    "method_identity": "aucun ajustement",
    "method_intercept": "un décalage",
    "method_temperature": "un décalage et une pente",
    "method_beta": "calibration bêta",
    "method_isotonic": "régression isotonique",
    "calibration_is": "22 % veulent-ils dire 22 sur 100 ? Les instantanés de test en groupes à peu près égaux, dans "
    "l’ordre de leur probabilité. Dans {inside} groupes sur {groups}, la prédiction moyenne se trouve dans "
    "l’intervalle de ce qui est arrivé, qui compte des prospects, non des instantanés.",
    "calibration_head": "prédit|prédit en moyenne|ont converti|intervalle à 95 %|instantanés|prospects",
    "calibration_error_within": "L’erreur de calibration est de {error}. Si toutes les probabilités étaient justes, "
    "le seul hasard donnerait jusqu’à {null} dans 19 tests sur 20 : aucune erreur ne se distingue du hasard.",
    "calibration_error_beyond": "L’erreur de calibration est de {error}. Si toutes les probabilités étaient justes, "
    "le seul hasard donnerait jusqu’à {null} dans 19 tests sur 20 : c’est plus que le hasard.",
    "calibration_limits": "Sur vingt groupes, on s’attend à en trouver un hors de son intervalle par hasard.\n"
    "Ce qui vaut pour un groupe de prospects ne vaut pas forcément pour une partie de ce groupe : voir les groupes "
    "par canal, pays, etc.\n"
    "Cela a été mesuré sur des prospects passés. Quand le taux de conversion bouge, les probabilités sont décalées "
    "jusqu’au prochain apprentissage.",
    # months
    "months": "Mois par mois",
    "months_are": "Dans {outside} mois sur {months}, ce qui est arrivé s’écarte de ce qui était promis plus que le "
    "hasard ne l’explique. Chaque mois est jugé en le rapprochant des autres, pour qu’un mois de peu de prospects "
    "n’alarme pas.",
    "months_head": "mois|instantanés|prospects|ont converti|promis|arrivé|d’ensemble (0 est juste)|ROC-AUC|en mots",
    # segments
    "segments": "Groupe par groupe",
    "segments_none": "Il n’y avait aucune colonne dont les valeurs permettent de donner des chiffres par groupe.",
    "segments_are": "Les prospects groupés par ce que l’on sait d’eux. Un groupe où moins de {least} ont converti, ou "
    "moins de {least} ne l’ont pas fait, est marqué comme petit : ses chiffres disent peu à eux seuls.",
    "segments_right": "Dans chaque groupe, ce qui est arrivé est, au hasard près, ce qui était promis.",
    "segment_wrong": "{column} {value} : {word} ({predicted} promis, {observed} arrivés)",
    "segments_drawn": "Le dessin montre les {drawn} premiers groupes sur {all} ; le tableau les a tous.",
    "segments_head": "colonne|groupe|prospects|ont converti|promis|arrivé|d’ensemble, rapproché (0 est juste)|en mots",
    "segments_pooled": "Rapproché : l’écart d’un petit groupe est ramené vers celui de tous les prospects, autant que "
    "le hasard a pu le produire.",
    "small": "(petit)",
    "word_as promised": "comme promis",
    "word_promises too much": "promet trop",
    "word_promises too little": "promet trop peu",
    "word_undefined": "indécidable",
    "value_(not known)": "(inconnu)",
    "value_(other)": "(autre)",
    "groups": "Groupes qu’il pourrait traiter moins bien que d’autres",
    "groups_are": "Selon les colonnes déclarées sensibles. Le modèle est équitable envers un groupe dans la mesure où "
    "il y promet ce qui arrive, et y classe aussi bien qu’ailleurs.",
    "groups_none": "Aucune colonne n’est déclarée sensible.",
    "groups_unmeasured": "Déclaré sensible, mais non mesuré : {columns}.",
    "group_bare": "Selon {column}, dont rien ne justifie l’usage :",
    "group_why": "Selon {column} ; pourquoi elle peut décider : {why}",
    "groups_head": "groupe|prospects|arrivé|d’ensemble (0 est juste)|perte logarithmique|ROC-AUC|en mots",
    "groups_apart": "Selon {column}, il classe le moins bien {lowest} (ROC-AUC {low}) et le mieux {highest} ({high}), "
    "petits groupes mis à part.",
    # plots
    "plot_reliability": "Chaque point est un groupe : prédiction moyenne en abscisse, part des convertis en ordonnée, "
    "avec son intervalle à 95 %. Sur la ligne tiretée, les deux s’accordent. Les deux axes sont en racine carrée, "
    "pour distinguer les petites probabilités.",
    "plot_months": "Mois par mois : la prédiction moyenne, et la part des convertis avec son intervalle à 95 %.",
    "plot_segments": "Groupe par groupe : ce qui était promis, et la part des convertis avec son intervalle à 95 %.",
    "plot_gain": "Part des conversions trouvées, selon la part de la liste appelée depuis le haut.",
    "plot_x": "probabilité moyenne prédite",
    "plot_y": "part des convertis",
    "plot_point": "prédit {predicted}, converti {converted} ({low} à {high})",
    "plot_named": "{name} : {says}",
    "plot_predicted": "prédit",
    "plot_observed": "arrivé (intervalle à 95 %)",
    "plot_month": "mois",
    "plot_called": "part de la liste appelée",
    "plot_found": "part des conversions trouvées",
}

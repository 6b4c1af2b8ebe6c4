"""The words of a model card, in French: keys and placeholders are those of `card_words`."""

from typing import Final

from models.card_phrases_french import typeset
from models.card_words import Words
from models.card_words_french_proof import PROOF

_FRAME: Final[Words] = {
    "language": "fr",
    # how numbers and dates are written
    "decimal": ",",
    "thousands": "\u202f",
    "percent": "{number} %",
    "month_names": "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre",
    "first_day": "1er",
    "date": "{day} {month} {year}",
    "moment": "{date} à {time}",
    "month": "{month} {year}",
    "colon": " : ",
    "semicolon": " ; ",
    "range": "{low} à {high}",
    "from_to": "du {first} au {last}",
    "interval": " ({low} à {high})",
    "undefined": "indéfini",
    "days": "{days} jours",
    "times": "{times} fois",
    # above the card
    "title": "Fiche du modèle",
    "contents": "Sommaire",
    "version_is": "Version {version}, enregistrée le {date} ; statut : {status}.",
    "status_candidate": "candidate",
    "status_champion": "championne",
    "status_retired": "remplacée",
    "status_withdrawn": "retirée",
    "review_approved": "Approuvée par {reviewer} le {date}.",
    "review_approved_by_nobody": "Approuvée.",
    "review_refused": "Refusée par {reviewer} le {date}.",
    "review_refused_by_nobody": "Refusée.",
    "review_changed": "Modifiée depuis la relecture : ce que {reviewer} a décidé le {date} portait sur une autre "
    "fiche. Celle-ci n’a pas été relue.",
    "review_changed_by_nobody": "Modifiée depuis la relecture : cette fiche n’a pas été relue.",
    "review_withdrawn": "Approuvée par {reviewer} le {date}, et retirée depuis : elle ne doit plus noter avant une "
    "nouvelle relecture.",
    "review_withdrawn_by_nobody": "Retirée depuis son approbation : elle ne doit plus noter avant une nouvelle "
    "relecture.",
    "review_unreviewed_by_nobody": "Pas encore relue. Rien n’entre en service avant qu’une personne ne l’ait lue et "
    "approuvée.",
    "review_note": " Note : {note}",
    "forced": "Promue le {date} malgré ce que demande le contrôle : ",
    "card_digest": "Empreinte de cette fiche : {digest}",
    "reviews": "Toutes les relectures",
    "reviews_head": "quand|décision|relu par|note|de",
    "decision_approved": "approuvée",
    "decision_refused": "refusée",
    "this_card": "cette fiche",
    "other_card": "une autre fiche",
    # the first screen
    "incomplete": "INCOMPLÈTE : rien n’est établi pour {sections}. Elle ne peut pas être approuvée.",
    "no_evidence": "Rien n’est établi : « {section} » n’a pas été mesuré, ou pas été noté, pour cette version.",
    "verdict": "{verdict} : {reason}",
    "verdict_is": "Verdict :",
    "verdict_candidate": "candidate",
    "verdict_no skill": "sans apport",
    "verdict_gain": "réduit la perte logarithmique de {gain_value} par rapport au taux de base (intervalle à 95 % : "
    "{gain_low} à {gain_high}) ; ROC-AUC {auc_value} ({auc_low} à {auc_high}).",
    "verdict_none": "aucun apport trouvé : perte logarithmique réduite de {gain_value} par rapport au taux de base "
    "(intervalle à 95 % : {gain_low} à {gain_high}) ; ROC-AUC {auc_value} ({auc_low} à {auc_high}). Sur des prospects "
    "ultérieurs, le modèle ne se distingue pas du taux de base.",
    "plain_promise": "Sur 100 prospects auxquels il donne {promised} en moyenne, {converted} ont converti (entre "
    "{low} et {high}, pour autant que le hasard permette de le dire).",
    "plain_tenth": "En appelant le premier dixième de la liste, on trouve {share} des prospects qui convertissent : "
    "{lift} fois plus que dans un dixième tiré au sort.",
    "plain_capacity": "Avec la capacité indiquée, {leads} prospects par liste, on en trouve {share}.",
    "plain_compared": "Sur les mêmes prospects, ses probabilités sont {found}.",
    "plain_better": "meilleures que : {names}",
    "plain_level": "à égalité avec : {names}",
    "plain_worse": "moins bonnes que : {names}",
    "the_champion": "la version championne",
    "plain_whole": "Dans l’ensemble, il a promis {predicted}, et {observed} ont converti.",
    "plain_careful": "Où être prudent : dans {outside} mois sur {months} et dans {other} groupes de prospects sur "
    "{segments}, ce qui est arrivé n’est pas ce qui était promis.",
    "plain_calm": "Dans aucun des mois ({months}) ni des groupes de prospects ({segments}), ce qui est arrivé ne "
    "s’écarte de ce qui était promis plus que le hasard ne l’explique.",
    "plain_rests": "Tout cela repose sur {test} instantanés ultérieurs de prospects, et sur {leads} prospects parmi "
    "eux qui ont converti.",
    # what it is for
    "purpose": "À quoi il sert",
    "purpose_is": "À classer les prospects ouverts selon leurs chances d’entrer dans l’étape {stage} sous {days} "
    "jours, et à dire quelles sont ces chances. Le marketing et les ventes s’en servent pour décider qui appeler "
    "d’abord et qui entretenir. C’est un conseil : l’étape recommandée ne remplace jamais celle que des personnes ont "
    "posée, et ce sont des personnes qui décident.",
    "not_for": "À quoi il ne sert pas",
    "not_for_is": "Juger des candidats à un emploi, ou des personnes pour quelque emploi que ce soit.\n"
    "Le crédit, l’assurance, ou tout autre jugement sur la confiance que mérite une personne.\n"
    "Refuser un contrat, un prix ou un service : une probabilité faible est une raison d’appeler plus tard, jamais "
    "d’éconduire.\n"
    "Les contacts qui ne sont pas encore des prospects, et les prospects d’une autre entreprise : il n’a appris que "
    "de cette base.",
    "owner": "Qui en répond",
    "owner_is": "{owner} répond de ce modèle : de ce à quoi il sert, et de ce qu’il fait aux prospects.",
    "owner_none": "Personne n’est nommé. Nommez qui répond du modèle : owner, à la section [card] des réglages.",
    "owner_note": "Ce qui ne se mesure pas : {note}",
    # label
    "label": "Ce qu’il prédit",
    "label_is": "La probabilité qu’un prospect, vu à un instant donné, entre pour la première fois dans l’étape "
    "{stage} à cet instant ou dans les {days} jours qui suivent. Un prospect vu à un instant est un instantané.",
    "label_unknown": "Un instantané dont les {days} jours ne sont pas écoulés est inconnu, jamais négatif : il est "
    "laissé de côté.",
    "label_query": "La même chose en requête sur la base de prospects (fuseau de la session : UTC ; snapshots a une "
    "ligne par lead_id et as_of)",
    # data
    "data": "Données",
    "data_window": "Instantanés du {first} au {last} ; issues connues jusqu’au {until} (UTC).",
    "data_calendar": "Chaque prospect ouvert est vu tous les {days} jours.",
    "data_creation": "Chaque prospect est vu tant de jours après sa création : {days}.",
    "data_order": "Les parties se suivent dans le temps, à {days} jours d’écart, pour qu’aucune issue dont on apprend "
    "ne recouvre ce qui est testé. Les instantanés tombés dans un écart sont écartés.",
    "data_sampled": "Instantanés de {share} des prospects, tirés par un hachage fixe de leur identifiant.",
    "data_converted": "Prospects qui ont converti pendant le test : {count}.",
    "data_head": "partie|instantanés",
    "data_train": "Apprentissage",
    "data_calibrate": "Calibration",
    "data_test": "Test",
    "data_dropped_immature": "Écartés : l’issue n’est pas encore connue",
    "data_dropped_in_gap": "Écartés : dans un écart entre deux parties",
    "data_dropped": "Compter comme perdu un prospect dont l’horizon n’est pas écoulé rendrait toute probabilité trop "
    "faible ; garder ceux d’un écart, ce serait tester sur ce qui a été appris.",
    "excluded": "Non éligibles",
    "excluded_is": "Instantanés de prospects qui ne peuvent pas être notés à cet instant, chacun sous la première "
    "raison qui convient :",
    "excluded_none": "Aucun.",
    "excluded_head": "raison|instantanés",
    "folds": "Périodes du test",
    "folds_are": "Chaque période est prédite par un modèle qui n’avait appris que de ce qui était connu à son début : "
    "les chiffres de cette fiche sont ceux d’un modèle que l’on réentraîne de temps en temps.",
    "folds_head": "période|appris jusqu’au|testé|pour apprendre|pour calibrer|écartés dans l’écart|instantanés testés",
    "folds_found_head": "période|prospects|ont converti|prédit en moyenne|part des convertis|part auparavant",
    # leaks
    "leaks": "Recherche de fuites",
    "leaks_are": "Colonnes qui semblent écrites après l’issue, d’après leurs valeurs, le moment où elles changent, ou "
    "leur nom. Une trouvaille est une raison de regarder, non une preuve.",
    "leaks_none": "Rien n’a été trouvé.",
    # features
    "features": "Variables",
    "features_are": "Le poids dit de combien une variable déplace, en moyenne, les chances d’un prospect vers le haut "
    "ou vers le bas (en log des chances).",
    "features_all": "Les {count} variables",
    "families_head": "famille|variables|poids ensemble",
    "family_demographic": "démographique",
    "family_behavioural": "comportementale",
    "family_engagement": "engagement",
    "feature_name": "variable",
    "feature_about": "ce qu’elle est",
    "feature_family": "famille",
    "feature_unit": "unité",
    "feature_missing": "vide signifie",
    "feature_missing_share": "vide",
    "feature_range": "vu",
    "feature_importance": "poids",
    "feature_monotone": "sens",
    "monotone_is": "Là où un sens est indiqué, le modèle y était tenu : davantage de la variable ne peut alors jamais "
    "baisser (hausse seule), ou jamais relever (baisse seule), la probabilité.",
    "monotone_1": "hausse seule",
    "monotone_0": "libre",
    "monotone_-1": "baisse seule",
    "left_out": "Laissé de côté",
    "left_out_none": "Rien.",
    "excluded_by_choice": "Exclu par choix :",
    "excluded_by_choice_none": "Rien n’est exclu par choix.",
    "never_read": "Jamais lu, ni par les variables, ni par l’apprentissage, ni par les rapports :",
    "never_read_none": "Rien n’est soustrait aux variables par principe.",
    "attributes": "Attributs propres à l’entreprise, et colonnes sensibles",
    "attributes_are": "Ce que l’entreprise déclare elle-même peut être personnel, ou tenir lieu de quelque chose qui "
    "l’est : qui approuve cette fiche regarde si chacun de ces éléments peut décider.",
    "attributes_none": "Rien n’est déclaré.",
    "attributes_head": "colonne|déclarée comme|usage|pourquoi elle peut décider",
    "declared": "attribut",
    "sensitive": "sensible",
    "read": "lue par le modèle",
    "not_read": "pas lue par le modèle",
    "unjustified": "aucune raison n’est donnée",
    # use
    "use": "Comment il décide, et qui décide",
    "use_is": "À partir de ces limites, une étape ou une classe est recommandée :",
    "use_head": "recommandé|à partir de",
    "stage_mql_probability": "Étape mql : le marketing entretient",
    "stage_sal_probability": "Étape sal : aux ventes d’accepter ou de refuser",
    "stage_sql_probability": "Étape sql : intention déclarée en plus, à remettre tout de suite",
    "stage_pql_min_probability": "Étape pql : utilise en plus le produit",
    "stage_recycle_after_days": "Étape recycled : a été qualifié, et silencieux depuis",
    "stage_intent_days": "Une intention déclarée compte pendant",
    "stage_product_use_days": "L’utilisation du produit compte pendant",
    "band_a_probability": "Classe A",
    "band_b_probability": "Classe B",
    "band_c_probability": "Classe C",
    "oversight": "Contrôle humain",
    "oversight_is": "Un conseil seulement : l’étape recommandée figure à côté de celle que des personnes posent, et "
    "ne la remplace jamais.\n"
    "Une personne confirme toute mise à l’écart avant que quoi que ce soit n’arrive ; les faits sont donnés à côté.\n"
    "Pour passer outre, posez l’étape du prospect dans le CRM comme vous l’entendez : la nuit suivante la prend telle "
    "quelle.\n"
    "Un prospect qui s’oppose au profilage n’est dans aucun apprentissage ni aucune liste dès le passage suivant.\n"
    "Un prospect qui demande l’oubli est effacé, avec ses scores et leurs raisons, et aucun import ne le ramène ; ce "
    "qu’une version en a appris, parmi beaucoup d’autres, reste jusqu’au prochain apprentissage.\n"
    "Chaque probabilité vient avec ses raisons, dont elle est la somme : demandez-les avant d’agir sur un seul "
    "prospect.\n"
    "Rien n’entre en service sans relecture de cette fiche ; la version d’avant peut être remise à tout moment.",
    "drift": "Quand la nuit avertit ou refuse",
    "drift_is": "Chaque nuit est contrôlée avant d’être publiée ; une nuit refusée laisse en place les scores de la "
    "nuit d’avant, et le dit.",
    "drift_head": "surveillé|limite|au-delà",
    "drift_least_volume_share": "Prospects notés, en part du passage précédent : au moins",
    "drift_least_volume_share_then": "refusé ; une personne cherche ce qui manque, et peut laisser passer une fois",
    "drift_most_volume_factor": "Prospects notés, par rapport au passage précédent : au plus",
    "drift_most_volume_factor_then": "refusé ; une personne cherche ce qui est entré deux fois, et peut laisser "
    "passer une fois",
    "drift_most_mean_factor": "Probabilité moyenne, par rapport au passage précédent : déplacée au plus de",
    "drift_most_mean_factor_then": "refusé ; une personne cherche ce qui a bougé, et réentraîne si ce sont les "
    "prospects",
    "drift_warn_new_category_share": "Prospects d’une catégorie que l’apprentissage n’a jamais vue",
    "drift_warn_new_category_share_then": "un avertissement ; réentraîner bientôt",
    "drift_most_new_category_share": "Prospects d’une catégorie que l’apprentissage n’a jamais vue : au plus",
    "drift_most_new_category_share_then": "refusé ; corriger l’import, ou réentraîner",
    "drift_max_stale_days": "Nuits sans nouvelles du registre des versions : au plus",
    "drift_max_stale_days_then": "refusé, jusqu’à ce que la version championne puisse être confirmée",
    # limits
    "limits": "Limites et réserves",
    "limits_are": "Il a appris de ce qui a été fait des prospects passés : un prospect que personne n’a travaillé "
    "avait moins de chances de convertir, et se classe bas pour cela aussi.\n"
    "Il dit ce qui accompagne la conversion, non ce qui la cause : une variable qui pèse lourd n’est pas un levier.\n"
    "Campagnes, prix, suivi et personnes changent. Plus les prospects d’aujourd’hui s’éloignent de ceux sur lesquels "
    "il a été mesuré, moins ces chiffres tiennent ; réentraînez, et lisez la nouvelle fiche.\n"
    "Une probabilité est le taux parmi les prospects semblables. Un seul prospect convertit, ou non.\n"
    "Les types d’événements et les attributs à lire, ainsi que les actes qui comptent comme volontaires, ont été "
    "repris de la base telle qu’elle était lors de l’apprentissage, et non à chaque moment du passé : dans le test, il "
    "les connaissait un peu plus tôt que quiconque ne l’aurait pu.\n"
    "Les groupes qu’aucune colonne ne nomme n’ont pas été examinés : être juste dans l’ensemble ne le rend pas "
    "équitable pour chacun.",
    # privacy
    "privacy": "Vie privée",
    "privacy_is": "Les variables ne lisent ni nom, ni adresse, ni numéro de téléphone ; d’une adresse e-mail, "
    "seulement le type, tel que messagerie professionnelle ou gratuite. Les attributs que l’entreprise déclare "
    "elle-même figurent sous les variables : qui approuve cette fiche regarde s’ils sont personnels, ou tiennent lieu "
    "de quelque chose qui l’est.\n"
    "Un prospect qui s’oppose au profilage, à quelque moment qu’il l’ait dit, n’est dans aucun des instantanés et "
    "n’est pas noté.\n"
    "Cette fiche contient des comptes et des taux, aucun prospect en particulier. Les lignes par lesquelles la "
    "version fait ses preuves sont inventées.",
    # what changed
    "changes": "Ce qui a changé depuis la version précédente",
    "changes_none": "Il n’y avait pas de version précédente à laquelle la comparer.",
    "changes_since": "Depuis la version {version} :",
    "features_added": "{count} variables de plus : {names}",
    "features_gone": "{count} variables de moins : {names}",
    "features_same": "Les variables sont les mêmes.",
    "settings_head": "réglage|avant|maintenant",
    "changed_data_head": "données|avant|maintenant",
    "changed_first_as_of": "Premier instantané",
    "changed_last_as_of": "Dernier instantané",
    "changed_known_until": "Issues connues jusqu’au",
    "changed_snapshots": "Instantanés",
    "changed_metrics_head": "mesure|avant|maintenant",
    "changed_metrics_are": "Chacune a été mesurée sur ses propres prospects ultérieurs : ces chiffres ne se comparent "
    "pas. La comparaison sur les mêmes prospects est celle avec la version championne.",
    # details
    "details": "Détails du modèle",
    "details_are": "Un modèle logistique, et des arbres renforcés à partir de son log des chances.",
    "details_again": "Les mêmes données, réglages et graine donnent la même version, octet pour octet.",
    "details_program": "Programme : {value}",
    "details_commit": "Commit : {value}",
    "details_no_commit": "Commit : inconnu, car le programme ne tournait pas depuis un dépôt",
    "details_python": "Python {value}",
    "details_seed": "Graine : {value}",
    "details_resamples": "Rééchantillonnages derrière chaque intervalle : {value}",
    "details_digest": "Empreinte des données d’apprentissage : {digest}",
    "details_config_digest": "Empreinte de la configuration : {digest}",
    "libraries_head": "bibliothèque|version",
    **PROOF,
}

FRENCH: Final[Words] = {key: typeset(words) for key, words in _FRAME.items()}

"""The words of the funnel's page, in English and French; how numbers and dates are written is the model card's."""

import re
from collections.abc import Mapping
from typing import Final

from models.card_voice import Voice
from models.card_words import ENGLISH as CARD_ENGLISH
from models.card_words import Words
from models.card_words_french import FRENCH as CARD_FRENCH

ENGLISH: Final[Words] = {
    "title": "From lead to customer",
    "summary": "{leads} leads created from {first} to {last}, followed until {as_of}.",
    "figure_rate": "of leads become customers",
    "figure_rate_other": "of leads reach the last stage, {stage}",
    "figure_rate_says": "{passed} of the {counted} leads that are old enough",
    "figure_days": "days from lead to {stage}",
    "figure_days_says": "half of those who get there need no longer",
    "figure_cost": "{currency} per customer",
    "figure_cost_says": "{cost} {currency} for {customers} customers",
    "figure_return": "{currency} back for each {currency} spent",
    "figure_return_says": "{value} {currency} from those customers",
    "too_early": "too early to tell",
    "stage_lead": "Lead", "stage_mql": "MQL", "stage_sql": "SQL", "stage_opportunity": "Opportunity",
    "stage_customer": "Customer", "within_lead": "lead", "within_opportunity": "opportunity",
    "within_customer": "customer",
    "step": "{origin} → {goal}",
    "all": "All leads", "not_known": "(not known)", "other": "(other)", "source_channel": "channel",
    "yes": "yes", "no": "no",
    "steps": "Step by step",
    "steps_says": "Bars: leads that have reached a stage, against all leads of the group. Filled: leads old enough for "
    "the stage; hatched: younger ones, of whom others may still come. Rates count old enough leads only; the brackets "
    "hold the 95 % interval.",
    "steps_drawn": "{name}: how many leads reached each stage",
    "steps_drawn_says": "{stage}: {count} leads",
    "of_before": "{rate} of {stage}",
    "by": "By {column}",
    "rates": "Rates by {column}", "rates_all": "Rates",
    "group": "group", "leads": "leads", "of": "{passed} of {counted}",
    "compared": "against the rest",
    "above": "above", "level": "level", "below": "below", "few": "too few customers to say",
    "compared_says": "“Above” and “below”: the 95 % interval of the difference to all other leads lies on one side of "
    "zero. Of twenty groups that are no different, chance makes about one look so. Fewer than {least} customers: no "
    "comparison, and the order of the groups is that of their size, never of their rates.",
    "cohorts": "By {every} in which the leads were created",
    "every_month": "month", "every_quarter": "quarter",
    "month_": "month", "quarter_": "quarter", "quarter_name": "Q{number} {year}",
    "cohorts_says": "Grey and “so far”: the leads of that period have not yet had the time in which 90 % of those who "
    "ever reach the stage do so. Such a number is not the last word, and says nothing bad about the period.",
    "so_far": "so far", "partial": "(part)", "cohorts_by": "The same by {column}",
    "times": "How long each step takes",
    "times_says": "Share of all leads at a stage that have gone on, by the days since they entered it (Kaplan–Meier, "
    "with its 95 % band). Those still waiting are counted for as long as they have waited. Disqualified and recycled "
    "leads stay in the count as leads that have not gone on: they may come back.",
    "times_drawn_says": "Days on the horizontal axis, share that has gone on on the vertical one.",
    "times_caption": "{step}: {share} go on within {days} days; half of them within {half} days.",
    "times_none": "{step}: nobody seen long enough has gone on yet.",
    "days": "days", "gone_on": "gone on", "median": "half of those who go on: {days}",
    "times_by": "Days by {column}", "times_all": "Days",
    "days_says": "Days within which half of those who ever go on do so, with the 95 % interval; below, the same for "
    "half of all who entered the stage (“never” where fewer than half go on).",
    "half_of_all": "half of all: {days}", "never": "never",
    "money": "Cost and return",
    "money_says": "Each lead bears an equal share of what its channel cost in the month in which it was created. Cost "
    "per customer and return count only leads that are old enough to have become customers. A channel of which no cost "
    "was recorded has none here; within other groups it counts as free.",
    "money_none": "No channel costs are recorded for months that are over: import them (channel, month, cost) to see "
    "cost per lead, cost per customer and return.",
    "cost": "cost", "cost_per_lead": "per lead", "old_leads": "leads old enough", "customers": "customers",
    "cost_per_customer": "per customer", "value": "value", "returned": "return",
    "at_least": "at least {low}", "no_cost": "no cost recorded",
    "value_economics": "A customer's value is that of the settings ([economics]).",
    "value_amounts": "A customer's value is the amount recorded with the purchase: turnover, and no margin. Say in the "
    "settings ([economics]) what a customer brings, to see a return on margin.",
    "value_none": "No value of customers is known: say in the settings ([economics]) what one brings, to see a return.",
    "counted": "How this is counted",
    "counted_stages": "Stages are those that people recorded. SAL and PQL count as MQL: qualified, and not yet handed "
    "over. A lead recorded at a later stage has passed the earlier ones, on that day at the latest. A stage nobody "
    "ever recorded is left out.",
    "counted_implied": "Leads that passed {stage} without being recorded there in time: {count}.",
    "counted_old": "Old enough for {stage}: {days} days since the lead was created; by then 90 % of those who ever "
    "reach it have done so, as far as the store's history shows.",
    "counted_old_unknown": "Too few leads were ever seen to reach {stage} to say when a lead is old enough for it.",
    "counted_as_of": "Nothing is counted that the store knew only at or after {as_of} (UTC). Leads that object to "
    "profiling, and those that were erased, are in no number.",
    "left_out_objects": "Left out, for they object to profiling: {count}.",
    "left_out_acts": "Left out, for they are no leads yet (contacts without an act of interest of their own): {count}.",
    "minutes": "< 1",
}  # fmt: skip

FRENCH: Final[Words] = {
    "title": "Du lead au client",
    "summary": "{leads} leads créés du {first} au {last}, suivis jusqu’au {as_of}.",
    "figure_rate": "des leads deviennent clients",
    "figure_rate_other": "des leads atteignent la dernière étape, {stage}",
    "figure_rate_says": "{passed} des {counted} leads assez anciens",
    "figure_days": "jours de lead à {stage}",
    "figure_days_says": "la moitié de ceux qui y arrivent n’en met pas plus",
    "figure_cost": "{currency} par client",
    "figure_cost_says": "{cost} {currency} pour {customers} clients",
    "figure_return": "{currency} gagnés par {currency} dépensé",
    "figure_return_says": "{value} {currency} apportés par ces clients",
    "too_early": "trop tôt pour le dire",
    "stage_lead": "Lead", "stage_mql": "MQL", "stage_sql": "SQL", "stage_opportunity": "Opportunité",
    "stage_customer": "Client", "within_lead": "lead", "within_opportunity": "opportunité", "within_customer": "client",
    "step": "{origin} → {goal}",
    "all": "Tous les leads", "not_known": "(inconnu)", "other": "(autres)", "source_channel": "canal",
    "yes": "oui", "no": "non",
    "steps": "Étape par étape",
    "steps_says": "Barres : leads ayant atteint une étape, rapportés à tous les leads du groupe. Plein : leads assez "
    "anciens pour l’étape ; hachuré : leads plus récents, dont d’autres peuvent encore l’atteindre. Les taux ne "
    "comptent que les leads assez anciens ; entre parenthèses, l’intervalle à 95 %.",
    "steps_drawn": "{name} : combien de leads ont atteint chaque étape",
    "steps_drawn_says": "{stage} : {count} leads",
    "of_before": "{rate} depuis {stage}",
    "by": "Par {column}",
    "rates": "Taux par {column}", "rates_all": "Taux",
    "group": "groupe", "leads": "leads", "of": "{passed} sur {counted}",
    "compared": "face au reste",
    "above": "au-dessus", "level": "à égalité", "below": "en dessous", "few": "trop peu de clients pour le dire",
    "compared_says": "« Au-dessus » et « en dessous » : l’intervalle à 95 % de l’écart avec tous les autres leads est "
    "d’un seul côté de zéro. Sur vingt groupes qui ne diffèrent en rien, le hasard en fait paraître un différent. En "
    "dessous de {least} clients, aucune comparaison ; les groupes sont rangés par taille, jamais par taux.",
    "cohorts": "Par {every} de création des leads",
    "every_month": "mois", "every_quarter": "trimestre",
    "month_": "mois", "quarter_": "trimestre", "quarter_name": "T{number} {year}",
    "cohorts_says": "En gris, « à ce jour » : les leads de cette période n’ont pas encore eu le temps au bout duquel "
    "90 % de ceux qui atteignent un jour l’étape l’ont atteinte. Un tel chiffre n’est pas définitif : il ne dit rien "
    "de mauvais de la période.",
    "so_far": "à ce jour", "partial": "(partiel)", "cohorts_by": "De même par {column}",
    "times": "Combien de temps prend chaque étape",
    "times_says": "Part de tous les leads d’une étape qui sont passés à la suivante, selon les jours écoulés depuis "
    "leur entrée (Kaplan-Meier, avec sa bande à 95 %). Ceux qui attendent encore comptent aussi longtemps qu’ils ont "
    "attendu. Les leads disqualifiés ou recyclés restent comptés parmi ceux qui ne sont pas passés : ils peuvent "
    "revenir.",
    "times_drawn_says": "En abscisse, les jours ; en ordonnée, la part de ceux qui sont passés.",
    "times_caption": "{step} : {share} passent en {days} jours ; la moitié d’entre eux en {half} jours.",
    "times_none": "{step} : aucun lead observé assez longtemps n’est encore passé.",
    "days": "jours", "gone_on": "passés", "median": "moitié de ceux qui passent : {days}",
    "times_by": "Jours par {column}", "times_all": "Jours",
    "days_says": "Jours au bout desquels la moitié de ceux qui passent un jour l’ont fait, avec l’intervalle à 95 % ; "
    "en dessous, de même pour la moitié de tous les leads entrés dans l’étape (« jamais » si moins de la moitié "
    "passe).",
    "half_of_all": "moitié de tous : {days}", "never": "jamais",
    "money": "Coûts et retour",
    "money_says": "Chaque lead porte une part égale de ce que son canal a coûté le mois de sa création. Le coût par "
    "client et le retour ne comptent que les leads assez anciens pour être devenus clients. Un canal sans coût "
    "enregistré n’en a pas ici ; au sein d’autres groupes, il compte comme gratuit.",
    "money_none": "Aucun coût de canal n’est enregistré pour un mois révolu : importez-les (channel, month, cost) pour "
    "voir le coût par lead, le coût par client et le retour.",
    "cost": "coût", "cost_per_lead": "par lead", "old_leads": "leads assez anciens", "customers": "clients",
    "cost_per_customer": "par client", "value": "valeur", "returned": "retour",
    "at_least": "au moins {low}", "no_cost": "aucun coût enregistré",
    "value_economics": "La valeur d’un client est celle des réglages ([economics]).",
    "value_amounts": "La valeur d’un client est le montant enregistré avec l’achat : un chiffre d’affaires, pas une "
    "marge. Indiquez dans les réglages ([economics]) ce qu’apporte un client pour voir un retour sur la marge.",
    "value_none": "La valeur des clients n’est pas connue : indiquez dans les réglages ([economics]) ce qu’apporte un "
    "client pour voir un retour.",
    "counted": "Comment c’est compté",
    "counted_stages": "Les étapes sont celles que des personnes ont enregistrées. SAL et PQL comptent comme MQL : "
    "qualifié, et pas encore transmis. Un lead enregistré à une étape plus avancée a passé les précédentes, au plus "
    "tard ce jour-là. Une étape que personne n’a jamais enregistrée est omise.",
    "counted_implied": "Leads passés par {stage} sans y avoir été enregistrés à temps : {count}.",
    "counted_old": "Assez ancien pour {stage} : {days} jours depuis la création du lead ; à ce terme, 90 % de ceux qui "
    "y arrivent un jour y sont, pour autant que l’historique le montre.",
    "counted_old_unknown": "Trop peu de leads ont été vus à l’étape {stage} pour dire quand un lead est assez ancien.",
    "counted_as_of": "Rien n’est compté de ce que la base n’a su que le {as_of} (UTC) ou après. Les leads qui "
    "s’opposent au profilage, et ceux qui ont été effacés, ne sont dans aucun chiffre.",
    "left_out_objects": "Omis, car ils s’opposent au profilage : {count}.",
    "left_out_acts": "Omis, car ce ne sont pas encore des leads (contacts sans marque d’intérêt) : {count}.",
    "minutes": "< 1",
}  # fmt: skip

LANGUAGES: Final[Mapping[str, Words]] = {
    "en": {**CARD_ENGLISH, **{key: text.replace(" %", "\u00a0%") for key, text in ENGLISH.items()}},
    "fr": {**CARD_FRENCH, **{key: re.sub(r"(?<=«) | (?=[:;!?%»])", "\u00a0", text) for key, text in FRENCH.items()}},
}


def voice_of(language: str) -> Voice:
    """The words of a language, and how it writes numbers and dates.

    Raises
    ------
    KeyError
        There are no words for it.

    Examples
    --------
    >>> voice_of("fr")["customers"], voice_of("en").percent(0.125)
    ('clients', '12.5\\xa0%')
    """
    return Voice(LANGUAGES[language])

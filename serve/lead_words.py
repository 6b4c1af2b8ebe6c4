"""The words in which a lead is explained, in English and French; a test holds both to the same keys and places."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from models.card_phrases_french import typeset
from serve.stages import MEANING

Words = Mapping[str, str]

_ENGLISH: Final = {
    "language": "en",
    "colon": ": ",
    "title": "Lead {lead}",
    "standing": "As of {date}, by version {version} of the model.",
    "likely": "{probability} likely to convert",
    "within": " within {days} days",
    "interval": "between {low} and {high}",
    "interval_of": "95 % interval",
    "from_to": "{low} to {high}",
    "probability": "Probability",
    "band": "Band",
    "percentile": "Percentile",
    "rank": "percentile {percentile} of the leads scored",
    "at_least": "At least as likely as {share} of the leads scored. Band {band}.",
    "expected": "Expected value",
    "expected_of": "{probability} of {value}.",
    "pays": "A call costs {cost}: it pays for itself.",
    "pays_not": "A call costs {cost}: more than that, so it does not pay for itself.",
    "points": "Marketing’s points",
    "points_stage": "stage {stage}",
    "points_crm": "kept by the CRM, which tells the total only",
    "points_none": "No points are kept for this lead.",
    "points_in_all": "In all",
    "points_changed": "These parts are counted by the points card of today, and make {now}, not the {then} that were "
    "published.",
    "trend": "Trend",
    "trend_improving": "Improving: {before} on {date}, {now} now. Each lies beyond the interval of the other.",
    "trend_declining": "Declining: {before} on {date}, {now} now. Each lies beyond the interval of the other.",
    "trend_steady": "Steady: {before} on {date}, {now} now, no more than such probabilities are unsure of.",
    "trend_unknown": "Too few published nights in the last {days} days to tell a trend.",
    "trend_versions": "The model changed in between (versions {versions}): part of the move may be the model’s.",
    "improving": "improving",
    "declining": "declining",
    "steady": "steady",
    "unknown": "not known",
    "plot": "Probability, as published",
    "plot_says": "The probability of each published night, with its interval.",
    "plot_x": "published as of, {years}",
    "plot_y": "probability",
    "plot_version": "version {version}",
    "stage": "Recommended stage",
    "stage_told": "recommended stage: {stage}",
    "confirm": "A person should confirm it before anything happens.",
    "signals": "What it rests on",
    "signal_intent": "Declared intent to buy lately (demo, quote, budget or date)",
    "signal_use": "Used the product lately",
    "signal_days": "Days since its last act",
    "signal_qualified": "Was qualified before",
    "signal_human": "Stage set by people",
    "yes": "yes",
    "no": "no",
    "none": "none",
    "why": "Why {probability}",
    "steps": "Start at {start}, the average lead of the training. Fit {fit}: {after_fit}. Engagement {engagement}: "
    "{after_engagement}.",
    "steps_rest": " The rest and the calibration {rest}: {probability}.",
    "factors": "Each factor multiplies the odds; together they make the probability exactly.",
    "start": "Start, the average lead",
    "what": "What",
    "odds": "Odds",
    "log_odds": "Log odds",
    "effect": "Effect",
    "fit": "Fit",
    "engagement": "Engagement",
    "family_demographic": "Who the lead and its company are",
    "family_behavioural": "What the lead did",
    "family_engagement": "How the lead answered us",
    "others": "everything else of this kind",
    "rest": "Everything else",
    "calibration": "Calibration: what later leads taught about the level",
    "together": "Together",
    "what_if": "What would change it",
    "what_if_says": "What the model would then say, and no promise of an effect: leads who do this buy more often, "
    "but making one do it need not make it buy.",
    "what_if_now": "as it is",
    "what_if_little": "No more than such a probability is unsure of, if it: {acts}.",
    "if": "If the lead …",
    "act_demo_request": "asks for a demo",
    "act_quote_request": "asks for a quote",
    "act_budget_declared": "declares a budget",
    "act_date_declared": "declares a date of purchase",
    "act_meeting": "meets us",
    "act_email_answered": "answers an e-mail",
    "act_pricing_page": "reads the pricing page",
    "act_product_use": "uses the product",
    "act_webinar": "attends a webinar",
    "act_content_download": "downloads a white paper",
    "act_form": "fills a form",
    "act_basket": "puts something into the basket",
    "act_email_clicked": "clicks a link in an e-mail",
    "act_quiet": "does nothing for {days} days more",
    "act_own": "does: {name}",
    "notes": "To know",
    "note_recomputed": "The store has learned of more since, or other data of it: from what it holds today, the same "
    "model would have said {now} as of then. What follows from that is told from today’s data.",
    "note_release": "The release that scored it, version {version}, cannot be read: {why} So what is not told by name "
    "cannot be given to fit or engagement, and what would change it is not computed.",
    "note_champion": "Since then, version {champion} has become champion; version {version} scored this.",
    "note_older": "This is not the newest: the lead is explained as it was published as of {date}.",
    "note_economics": "No expected value. {why}",
    "note_places": "The stages under “What would change it” go by what a call must pay, not by how many places sales "
    "have left.",
    "foreign": "",
    "months": "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec",
    **{f"stage_{stage}": stage for stage in MEANING},
    **{f"meaning_{stage}": says for stage, says in MEANING.items()},
}

_FRENCH: Final = {
    "language": "fr",
    "colon": " : ",
    "title": "Prospect {lead}",
    "standing": "Au {date}, par la version {version} du modèle.",
    "likely": "{probability} de chances de convertir",
    "within": " sous {days} jours",
    "interval": "entre {low} et {high}",
    "interval_of": "Intervalle à 95 %",
    "from_to": "{low} à {high}",
    "probability": "Probabilité",
    "band": "Classe",
    "percentile": "Centile",
    "rank": "centile {percentile} des prospects évalués",
    "at_least": "Au moins aussi probable que {share} des prospects évalués. Classe {band}.",
    "expected": "Valeur espérée",
    "expected_of": "{probability} de {value}.",
    "pays": "Un appel coûte {cost} : il se rembourse.",
    "pays_not": "Un appel coûte {cost} : davantage, il ne se rembourse donc pas.",
    "points": "Points du marketing",
    "points_stage": "étape {stage}",
    "points_crm": "tenus par le CRM, qui n’en donne que le total",
    "points_none": "Aucun point n’est tenu pour ce prospect.",
    "points_in_all": "En tout",
    "points_changed": "Ces éléments sont comptés par la grille de points d’aujourd’hui et font {now}, non les {then} "
    "qui ont été publiés.",
    "trend": "Tendance",
    "trend_improving": "En hausse : {before} le {date}, {now} maintenant. Chacune sort de l’intervalle de l’autre.",
    "trend_declining": "En baisse : {before} le {date}, {now} maintenant. Chacune sort de l’intervalle de l’autre.",
    "trend_steady": "Stable : {before} le {date}, {now} maintenant, pas plus que l’incertitude de ces probabilités.",
    "trend_unknown": "Trop peu de nuits publiées ces {days} derniers jours pour dire une tendance.",
    "trend_versions": "Le modèle a changé entre-temps (versions {versions}) : une part de l’écart peut venir de lui.",
    "improving": "en hausse",
    "declining": "en baisse",
    "steady": "stable",
    "unknown": "inconnue",
    "plot": "Probabilité, telle que publiée",
    "plot_says": "La probabilité de chaque nuit publiée, avec son intervalle.",
    "plot_x": "publiée au, {years}",
    "plot_y": "probabilité",
    "plot_version": "version {version}",
    "stage": "Étape recommandée",
    "stage_told": "étape recommandée : {stage}",
    "confirm": "À confirmer par une personne avant toute suite.",
    "signals": "Sur quoi elle repose",
    "signal_intent": "Intention d’achat déclarée récemment (démonstration, devis, budget ou date)",
    "signal_use": "A utilisé le produit récemment",
    "signal_days": "Jours depuis son dernier acte",
    "signal_qualified": "A déjà été qualifié",
    "signal_human": "Étape fixée par des personnes",
    "yes": "oui",
    "no": "non",
    "none": "aucune",
    "why": "Pourquoi {probability}",
    "steps": "Départ à {start}, le prospect moyen de l’apprentissage. Profil {fit} : {after_fit}. Engagement "
    "{engagement} : {after_engagement}.",
    "steps_rest": " Le reste et la calibration {rest} : {probability}.",
    "factors": "Chaque facteur multiplie la cote ; ensemble, ils donnent exactement la probabilité.",
    "start": "Départ, le prospect moyen",
    "what": "Élément",
    "odds": "Cote",
    "log_odds": "Log-cote",
    "effect": "Effet",
    "fit": "Profil",
    "engagement": "Engagement",
    "family_demographic": "Qui sont le prospect et son entreprise",
    "family_behavioural": "Ce que le prospect a fait",
    "family_engagement": "Comment le prospect nous a répondu",
    "others": "tout le reste de cette nature",
    "rest": "Tout le reste",
    "calibration": "Calibration : ce que les prospects suivants ont appris du niveau",
    "together": "Ensemble",
    "what_if": "Ce qui la changerait",
    "what_if_says": "Ce que le modèle dirait alors, sans promesse d’effet : les prospects qui le font achètent plus "
    "souvent, mais les y pousser ne les fait pas forcément acheter.",
    "what_if_now": "tel quel",
    "what_if_little": "Pas plus que l’incertitude de cette probabilité, s’il : {acts}.",
    "if": "Si le prospect…",
    "act_demo_request": "demande une démonstration",
    "act_quote_request": "demande un devis",
    "act_budget_declared": "déclare un budget",
    "act_date_declared": "déclare une date d’achat",
    "act_meeting": "nous rencontre",
    "act_email_answered": "répond à un e-mail",
    "act_pricing_page": "lit la page des tarifs",
    "act_product_use": "utilise le produit",
    "act_webinar": "suit un webinaire",
    "act_content_download": "télécharge un livre blanc",
    "act_form": "remplit un formulaire",
    "act_basket": "ajoute un article au panier",
    "act_email_clicked": "clique sur un lien d’un e-mail",
    "act_quiet": "ne fait rien pendant {days} jours de plus",
    "act_own": "fait : {name}",
    "notes": "À savoir",
    "note_recomputed": "La base a appris d’autres choses depuis : d’après ce qu’elle contient aujourd’hui, le même "
    "modèle aurait dit {now} à cette date. Ce qui en découle est tiré des données d’aujourd’hui.",
    "note_release": "Les fichiers de la version {version}, qui l’a évalué, ne peuvent être lus : {why} Ce qui n’est "
    "pas dit nommément ne peut donc être rendu au profil ou à l’engagement, et ce qui le changerait n’est pas calculé.",
    "note_champion": "Depuis, la version {champion} est devenue championne ; la version {version} a évalué ceci.",
    "note_older": "Ce n’est pas le plus récent : le prospect est expliqué tel que publié au {date}.",
    "note_economics": "Pas de valeur espérée. {why}",
    "note_places": "Les étapes sous « Ce qui la changerait » suivent ce qu’un appel doit rapporter, et non le "
    "nombre de places qui restent aux commerciaux.",
    "foreign": "(en anglais)",
    "months": "janv.|févr.|mars|avril|mai|juin|juil.|août|sept.|oct.|nov.|déc.",
    "stage_lead": "prospect",
    "stage_mql": "mql",
    "stage_sal": "sal",
    "stage_sql": "sql",
    "stage_pql": "pql",
    "stage_opportunity": "opportunité",
    "stage_customer": "client",
    "stage_recycled": "recyclé",
    "stage_disqualified": "écarté",
    "meaning_lead": "A montré de l’intérêt, et rien encore n’en fait davantage.",
    "meaning_mql": "Assez probable pour que le marketing le suive.",
    "meaning_sal": "Assez probable pour mériter le temps d’un commercial : aux ventes d’accepter ou de refuser.",
    "meaning_sql": "A déclaré vouloir acheter (démonstration, devis, budget ou date) et le fera probablement : à "
    "transmettre maintenant.",
    "meaning_pql": "Utilise le produit et achètera probablement : mérite un appel sur ce qu’il en fait déjà.",
    "meaning_opportunity": "Les ventes ont ouvert une affaire ; seules des personnes fixent cette étape.",
    "meaning_customer": "A acheté ; seules des personnes fixent cette étape.",
    "meaning_recycled": "A été qualifié, puis s’est tu : retourne au suivi du marketing.",
    "meaning_disqualified": "Hors cible, sur preuve énoncée ; une personne le confirme avant toute suite.",
}

ENGLISH: Final[Words] = MappingProxyType({key: words.replace(" %", "\u00a0%") for key, words in _ENGLISH.items()})
FRENCH: Final[Words] = MappingProxyType({key: typeset(words) for key, words in _FRENCH.items()})
LANGUAGES: Final[Mapping[str, Words]] = MappingProxyType({"en": ENGLISH, "fr": FRENCH})


def words_of(language: str) -> Words:
    """The words of a language.

    Raises
    ------
    ValueError
        There are none in it.

    Examples
    --------
    >>> words_of("fr")["trend"]
    'Tendance'
    >>> words_of("de")
    Traceback (most recent call last):
    ...
    ValueError: A lead can be explained in en, fr; found 'de'.
    """
    if language not in LANGUAGES:
        raise ValueError(f"A lead can be explained in {', '.join(LANGUAGES)}; found {language!r}.")
    return LANGUAGES[language]

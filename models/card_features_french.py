"""What features are about, their units and what empty means, in French: the families' few templates, phrase by phrase.

Names that a company gave (attributes, types of event) stay as they are. Every declared feature is in here: a test goes
through the full catalogue.
"""

import re
from collections.abc import Mapping
from typing import Final

#: What a feature is about, without its window.
ABOUT: Final[Mapping[str, str]] = {
    # demographic
    "Job function read from the title": "Fonction, lue dans l’intitulé du poste",
    "Seniority read from the title": "Niveau hiérarchique, lu dans l’intitulé du poste",
    "Seniority read from the title, as a rank": "Niveau hiérarchique, lu dans l’intitulé du poste, en rang",
    "Industry": "Secteur d’activité",
    "Company size, in bands": "Taille de l’entreprise, par tranches",
    "Company size, as a number": "Taille de l’entreprise, en nombre",
    "Country": "Pays",
    "Language": "Langue",
    "Channel the lead came through": "Canal par lequel le prospect est arrivé",
    "Inbound or outbound": "Entrant ou sortant",
    "Business, free or other class of e-mail domain": "Type de messagerie\u00a0: professionnelle, gratuite ou autre",
    "Share of the profile that is filled": "Part du profil qui est renseignée",
    "Age of the lead": "Ancienneté du prospect",
    "Days since the profile was last updated": "Jours depuis la dernière mise à jour du profil",
    # behavioural
    "Times a page of the site was read": "Pages du site lues",
    "Times the pricing page was read": "Lectures de la page des tarifs",
    "Times a white paper or another content was downloaded": "Livres blancs et autres contenus téléchargés",
    "Times a webinar was attended": "Webinaires suivis",
    "Times a form was filled": "Formulaires remplis",
    "Times the product was used": "Utilisations du produit",
    "Times something was put into the basket": "Ajouts au panier",
    "Acts of the lead of any kind": "Actes du prospect, de toute nature",
    "Events of any kind, ours included": "Événements de toute nature, les nôtres compris",
    "Days with an act": "Jours avec au moins un acte",
    "Visits to the site": "Visites du site",
    "Acts, halved for every week since": "Actes, comptés pour moitié à chaque semaine écoulée",
    "Acts, halved for every 30 days since": "Actes, comptés pour moitié à chaque période de 30 jours écoulée",
    "Days since the last act": "Jours depuis le dernier acte",
    "Days since the first act": "Jours depuis le premier acte",
    "Days since the pricing page was last read": "Jours depuis la dernière lecture de la page des tarifs",
    "Days since the product was last used": "Jours depuis la dernière utilisation du produit",
    "Days since something was last downloaded": "Jours depuis le dernier téléchargement",
    "Days since a webinar was last attended": "Jours depuis le dernier webinaire suivi",
    "Days since a form was last filled": "Jours depuis le dernier formulaire rempli",
    "Days since something was last put into the basket": "Jours depuis le dernier ajout au panier",
    "Days since the last meeting": "Jours depuis le dernier rendez-vous",
    "Days since an e-mail's link was last clicked": "Jours depuis le dernier clic dans un e-mail",
    "Days since the last event of any kind": "Jours depuis le dernier événement, de toute nature",
    "Acts of the last 14 days less those of the 14 before": "Actes des 14 derniers jours, moins ceux des 14 précédents",
    "Different kinds of act": "Natures d’actes différentes",
    "Value put into the basket": "Montant mis au panier",
    "Value of the last basket": "Montant du dernier panier",
    # engagement
    "E-mails delivered": "E-mails remis",
    "E-mails opened": "E-mails ouverts",
    "Links clicked in e-mails": "Liens cliqués dans les e-mails",
    "E-mails answered": "Réponses aux e-mails",
    "Share of e-mails opened, 90 days": "Part des e-mails ouverts, sur 90 jours",
    "Share clicked, 90 days": "Part des e-mails cliqués, sur 90 jours",
    "Share of e-mails answered": "Part des e-mails ayant reçu une réponse",
    "Calls": "Appels",
    "Value recorded with calls": "Valeur enregistrée avec les appels",
    "Meetings": "Rendez-vous",
    "Demo requests": "Demandes de démonstration",
    "Quote requests": "Demandes de devis",
    "Budgets declared": "Budgets déclarés",
    "Purchase dates declared": "Dates d’achat déclarées",
    "Days since purchase intent was last declared": "Jours depuis la dernière intention d’achat déclarée",
    "Days since the last demo request": "Jours depuis la dernière demande de démonstration",
    "Days since the last quote request": "Jours depuis la dernière demande de devis",
    "Times unsubscribed": "Désinscriptions",
    "E-mails bounced": "E-mails revenus",
    "Days since the lead unsubscribed": "Jours depuis la désinscription du prospect",
    "Days from our first e-mail to the first answer": "Jours entre notre premier e-mail et la première réponse",
    "Days since the lead last answered us": "Jours depuis la dernière réponse du prospect",
    "Days since an e-mail was last opened": "Jours depuis la dernière ouverture d’un e-mail",
}

#: Units, and what empty means.
UNITS: Final[Mapping[str, str]] = {
    "events": "événements",
    "events, decayed": "événements, décroissants",
    "days": "jours",
    "visits": "visites",
    "kinds": "natures",
    "share": "part",
    "category": "catégorie",
    "rank": "rang",
    "employees": "salariés",
    "number": "nombre",
    "0 or 1": "0 ou 1",
    "amount": "montant",
    "as recorded": "telle qu’enregistrée",
    "never": "jamais vide",
    "it never happened": "cela n’est jamais arrivé",
    "no such event had a value": "aucun de ces événements n’avait de valeur",
    "there was nothing to take a share of": "il n’y avait rien dont prendre une part",
    "one of the two never happened": "l’un des deux n’est jamais arrivé",
    "not known": "inconnu",
    "no profile is known": "aucun profil n’est connu",
}

#: The company's own names go through them untouched; the first that fits counts.
_OWN: Final = (
    (re.compile(r"Declared attribute: (.*)", re.DOTALL), "Attribut déclaré\u00a0: {}"),
    (
        re.compile(r"Days since the last event of the type (.*)", re.DOTALL),
        "Jours depuis le dernier événement du type {}",
    ),
    (re.compile(r"Days since the first event (.*)", re.DOTALL), "Jours depuis le premier événement {}"),
)
#: Only after all that is exact: attributes that are dates.
_OWN_DATE: Final = (re.compile(r"Days since (.*)", re.DOTALL), "Jours depuis {}")
_TYPE: Final = (re.compile(r"Events of the type (.*)", re.DOTALL), "Événements du type {}")
_LAST: Final = re.compile(r"(.*) in the last (\d+) days", re.DOTALL)


def feature_in_french(text: str) -> str | None:
    """What a feature is about, its unit, or what empty means; None for what no template of ours says.

    >>> feature_in_french("Demo requests in the last 30 days")
    'Demandes de démonstration au cours des 30 derniers jours'
    >>> feature_in_french("Declared attribute: budget, ever"), feature_in_french("Moon phase") is None
    ('Attribut déclaré\\xa0: budget, ever', True)
    """
    known = ABOUT.get(text) or UNITS.get(text)
    if known:
        return known
    for pattern, french in _OWN:
        if match := pattern.fullmatch(text):
            return french.format(match[1])
    if match := _OWN_DATE[0].fullmatch(text):
        return _OWN_DATE[1].format(match[1])
    whole, window = text, ""
    if match := _LAST.fullmatch(text):
        whole, window = match[1], f" au cours des {match[2]} derniers jours"
    elif text.endswith(", ever"):
        whole, window = text.removesuffix(", ever"), ", depuis toujours"
    if match := _TYPE[0].fullmatch(whole):
        return _TYPE[1].format(match[1]) + window
    return ABOUT[whole] + window if whole in ABOUT else None

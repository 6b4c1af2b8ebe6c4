"""The vocabulary of the simulated lead store: job titles, people, firms and addresses, none of them real.

Phone numbers come from the ranges that regulators reserve for fiction and firms live under `.example`, so that nothing
drawn here can reach anybody.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

Texts = npt.NDArray[np.object_]
Codes = npt.NDArray[np.int64]

SENIORITIES: Final = ("c_level", "director", "manager", "specialist", "junior", "student")
FUNCTIONS: Final = ("general", "marketing", "sales", "it", "finance", "hr", "operations", "purchasing")

_EN_FUNCTION: Final = {
    "marketing": ("Marketing", "Digital Marketing", "Growth Marketing", "Demand Generation"),
    "sales": ("Sales", "Business Development", "Regional Sales", "Inside Sales"),
    "it": ("IT", "Information Technology", "Information Systems", "Infrastructure"),
    "finance": ("Finance", "Accounting", "Financial Planning"),
    "hr": ("HR", "Human Resources", "Talent Acquisition"),
    "operations": ("Operations", "Business Operations", "Logistics", "Supply Chain"),
    "purchasing": ("Purchasing", "Procurement", "Strategic Sourcing"),
}
_EN_RANK: Final = {
    "director": (
        "VP {}",
        "VP of {}",
        "Vice President, {}",
        "Head of {}",
        "{} Director",
        "Director of {}",
        "Sr. Director, {}",
    ),
    "manager": ("{} Manager", "Senior {} Manager", "Sr {} Manager", "Manager, {}", "{} Team Lead"),
    "specialist": ("{} Specialist", "{} Analyst", "{} Coordinator", "{} Assistant", "Senior {} Specialist"),
    "junior": ("Junior {} Analyst", "Jr {} Specialist", "Junior {} Coordinator"),
    "student": ("{} Intern", "{} Trainee"),
}
_EN_C_LEVEL: Final = {
    "marketing": ("CMO", "Chief Marketing Officer", "Chief Growth Officer"),
    "sales": ("Chief Revenue Officer", "CRO", "Chief Sales Officer"),
    "it": ("CIO", "CTO", "Chief Technology Officer", "Chief Information Officer"),
    "finance": ("CFO", "Chief Financial Officer"),
    "hr": ("CHRO", "Chief People Officer", "Chief Human Resources Officer"),
    "operations": ("COO", "Chief Operating Officer", "Chief Operations Officer"),
    "purchasing": ("Chief Procurement Officer",),
}
_EN_GENERAL: Final = (
    "CEO",
    "C.E.O.",
    "Chief Executive Officer",
    "Founder",
    "Co-Founder & CEO",
    "Managing Director",
    "President",
    "Owner",
)
_EN_STUDENT: Final = (
    "Student",
    "MBA Student",
    "Marketing Student",
    "PhD Student",
    "Student at business school",
    "Graduate student",
)

#: French function words after "Directeur ..." (masculine, feminine) and after "Chargé ...".
_FR_FUNCTION: Final = {
    "marketing": (
        ("marketing", "marketing", "de marketing"),
        ("marketing digital", "marketing digital", "de marketing digital"),
    ),
    "sales": (("commercial", "commerciale", "de développement commercial"), ("des ventes", "des ventes", "de ventes")),
    "it": (
        ("informatique", "informatique", "d'informatique"),
        ("des systèmes d'information", "des systèmes d'information", "de projet informatique"),
    ),
    "finance": (("financier", "financière", "de comptabilité"), ("comptable", "comptable", "de contrôle financier")),
    "hr": (
        ("des ressources humaines", "des ressources humaines", "de ressources humaines"),
        ("RH", "RH", "de recrutement"),
    ),
    "operations": (("des opérations", "des opérations", "d'opérations"), ("logistique", "logistique", "de logistique")),
    "purchasing": (("des achats", "des achats", "d'achats"), ("achats", "achats", "d'achats")),
}
_FR_RANK: Final = {
    "director": (
        ("Directeur {}", "Directrice {}"),
        ("Dir. {}", "Dir. {}"),
        ("Directeur adjoint {}", "Directrice adjointe {}"),
    ),
    "manager": (("Responsable {}", "Responsable {}"), ("Resp. {}", "Resp. {}"), ("Manager {}", "Manageuse {}")),
    "specialist": (("Assistant {}", "Assistante {}"),),
    "junior": (("Assistant {} junior", "Assistante {} junior"),),
    "student": (("Stagiaire {}", "Stagiaire {}"), ("Alternant {}", "Alternante {}")),
}
_FR_C_LEVEL: Final = {"it": ("DSI",), "finance": ("DAF",), "hr": ("DRH",)}
_FR_GENERAL: Final = (
    "PDG",
    "P.D.G.",
    "Président",
    "Présidente",
    "Directeur général",
    "Directrice générale",
    "Gérant",
    "Gérante",
    "Fondatrice",
    "Dirigeant",
)
_FR_STUDENT: Final = (
    "Étudiant",
    "Étudiante",
    "Étudiante en marketing",
    "Etudiant en école de commerce",
    "Étudiant en master",
)


def _titles(language: str, function: str, seniority: str) -> tuple[str, ...]:
    """Every way the simulated people of a language write one function and seniority."""
    english = language == "en"
    if seniority != "student" and function == "general":
        return _EN_GENERAL if english else _FR_GENERAL
    if seniority == "c_level":
        return _EN_C_LEVEL[function] + (() if english else _FR_C_LEVEL.get(function, ()))
    named: tuple[str, ...] = ()
    if function != "general":
        named = _english(function, seniority) if english else _french(function, seniority)
    if seniority == "student":
        return named + (_EN_STUDENT if english else _FR_STUDENT)
    return named


def _english(function: str, seniority: str) -> tuple[str, ...]:
    return tuple(rank.format(name) for rank in _EN_RANK[seniority] for name in _EN_FUNCTION[function])


def _french(function: str, seniority: str) -> tuple[str, ...]:
    """Masculine and feminine forms; the specialists include those in charge *of* something."""
    charged = [f"{word} {of}" for word in ("Chargé", "Chargée") for _, _, of in _FR_FUNCTION[function]]
    ranked = [
        rank.format(name)
        for ranks in _FR_RANK[seniority]
        for names in _FR_FUNCTION[function]
        for rank, name in zip(ranks, names[:2], strict=True)
    ]
    return tuple(charged + ranked if seniority == "specialist" else ranked)


#: (language, function, seniority) -> spellings.
TITLES: Final = {
    (language, function, seniority): _titles(language, function, seniority)
    for language in ("en", "fr")
    for function in FUNCTIONS
    for seniority in SENIORITIES
}


def _swap_letters(title: str) -> str:
    """A slip of the keyboard: the two letters in the middle change places."""
    middle = len(title) // 2
    return title[: middle - 1] + title[middle] + title[middle - 1] + title[middle + 1 :]


#: What people do to a title as they type it, and how often; the rest write it as it is.
_TYPING: Final[tuple[tuple[float, Callable[[str], str]], ...]] = (
    (0.06, str.lower),
    (0.03, str.upper),
    (0.02, lambda title: f"  {title} "),
    (0.02, _swap_letters),
)


def write_titles(
    rng: np.random.Generator, *, french: npt.NDArray[np.bool_], function: Codes, seniority: Codes
) -> Texts:
    """One job title per lead, as its owner would type it.

    Parameters
    ----------
    rng
        The source of chance.
    french
        Shape (n,): whether the lead writes French.
    function, seniority
        Shape (n,): positions in `FUNCTIONS` and `SENIORITIES`.

    Returns
    -------
    Shape (n,), text; accents, feminine forms, abbreviations, odd case and a few slips included.
    """
    spelling, slip = rng.random(len(french)), rng.random(len(french))
    titles = np.empty(len(french), dtype=object)
    for row, (language, what, rank) in enumerate(zip(french, function, seniority, strict=True)):
        ways = TITLES["fr" if language else "en", FUNCTIONS[what], SENIORITIES[rank]]
        title, left = ways[int(spelling[row] * len(ways))], slip[row]
        for chance, change in _TYPING:
            if 0 <= left < chance and len(title) > 4:
                title = change(title)
            left -= chance
        titles[row] = title
    return titles


_FIRST_NAMES: Final = (
    "Amélie",
    "Noah",
    "Zoé",
    "Liam",
    "Chloé",
    "Emma",
    "Jérôme",
    "Olivia",
    "Loïc",
    "Grace",
    "Inès",
    "Oscar",
    "Anaïs",
    "Hugo",
    "Maël",
    "Ruth",
)
_LAST_NAMES: Final = (
    "Testard",
    "Sample",
    "Fictif",
    "Placeholder",
    "Exemple",
    "Mockridge",
    "Maquette",
    "Dummett",
    "L'Essai",
    "Specimen",
    "Modèle",
    "Draftwell",
)
_FIRM_HEADS: Final = (
    "Acmé",
    "Initech",
    "Zéphyr",
    "Blue Heron",
    "Nordlicht",
    "Quatre-Vents",
    "Umbra",
    "Papillon",
    "Granite",
    "Lumière",
    "Kestrel",
    "Boréal",
)
_FIRM_TAILS: Final = (
    "Logiciels",
    "Systems",
    "Conseil",
    "Industries",
    "Santé",
    "Labs",
    "Retail",
    "Énergie",
    "Partners",
    "Transports",
)
_FREE_MAIL: Final = ("gmail.com", "outlook.com", "yahoo.fr", "orange.fr", "hotmail.com")
_DISPOSABLE_MAIL: Final = ("mailinator.com", "yopmail.com")
_ASCII: Final = str.maketrans("éèêëïôàçÉ' -", "eeeeioacE...")


def write_contacts(rng: np.random.Generator, *, email_class: Texts) -> tuple[Texts, Texts, Texts, Texts]:
    """E-mail, full name, firm and phone of each lead: personal data that look real and belong to nobody.

    Parameters
    ----------
    rng
        The source of chance.
    email_class
        Shape (n,): business, free, disposable or absent. The local part carries the lead's number, so that no two
        leads share an address and none is anybody's.

    Returns
    -------
    Four arrays of shape (n,): email (None if absent), full name, company name (None for one in twelve), phone (None
    for a third).
    """
    rows = len(email_class)
    picks = rng.random((rows, 7))
    email, name, firm, phone = (np.empty(rows, dtype=object) for _ in range(4))
    for row, (kind, pick) in enumerate(zip(email_class, picks, strict=True)):
        first, last = _pick(_FIRST_NAMES, pick[0]), _pick(_LAST_NAMES, pick[1])
        company = f"{_pick(_FIRM_HEADS, pick[2])} {_pick(_FIRM_TAILS, pick[3])}"
        domains = {
            "business": (company.translate(_ASCII).lower().replace(".", "-") + ".example",),
            "free": _FREE_MAIL,
            "disposable": _DISPOSABLE_MAIL,
        }.get(kind)
        local = f"{first}.{last}.{row + 1}".translate(_ASCII).lower()
        email[row] = None if domains is None else f"{local}@{_pick(domains, pick[4])}"
        name[row] = f"{first} {last}"
        firm[row] = None if pick[6] < 1 / 12 else company
        digits = int(pick[5] * 1.5 * 10_000)
        phone[row] = None if digits >= 10_000 else f"+33 1 99 00 {digits // 100:02d} {digits % 100:02d}"
    return email, name, firm, phone


def _pick(words: tuple[str, ...], uniform: float) -> str:
    return words[int(uniform * len(words))]

"""Who the simulated leads are: what their first profile row says, and how well that fits what is being sold.

Fit adds up, on the scale of log-odds, from what is written in the first profile row. A blank has an effect of its own,
so that fit can be read from the row by a model as well as by the simulator. Some columns do nothing (country, language,
region, revenue beyond what company size says): a model has to find that out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from pipelines.synthetic_truth import Floats, Ints
from pipelines.synthetic_words import FUNCTIONS, SENIORITIES, Texts, write_titles

#: Channel -> share at the start, share at the end, effect. Paid social grows and referrals shrink over the two years.
CHANNELS: Final = {
    "organic_search": (0.22, 0.20, 0.1),
    "paid_search": (0.15, 0.14, 0.0),
    "paid_social": (0.08, 0.24, -0.5),
    "referral": (0.18, 0.07, 0.5),
    "partner": (0.08, 0.08, 0.4),
    "event": (0.09, 0.08, 0.0),
    "direct": (0.10, 0.09, 0.1),
    "outbound": (0.10, 0.10, -0.3),
}
#: What a click, a stand or a call costs per lead, before the month's ups and downs.
CHANNEL_COSTS: Final = {
    "paid_search": 95.0,
    "paid_social": 60.0,
    "referral": 15.0,
    "partner": 80.0,
    "event": 210.0,
    "outbound": 130.0,
}

#: Level -> share, effect. Countries have none: they only decide the language of the title.
_SENIORITY: Final = {
    "c_level": (0.16, 0.5), "director": (0.20, 0.5), "manager": (0.27, 0.1),
    "specialist": (0.22, -0.3), "junior": (0.08, -0.8), "student": (0.07, -1.8),
}  # fmt: skip
_FUNCTION: Final = {
    "general": (0.0, 0.0), "marketing": (0.26, 0.4), "sales": (0.22, 0.4), "it": (0.15, 0.0),
    "finance": (0.11, 0.0), "hr": (0.10, -0.4), "operations": (0.11, 0.0), "purchasing": (0.05, 0.0),
}  # fmt: skip
_SIZE: Final = {
    "1-10": (0.20, -0.6), "11-50": (0.25, -0.1), "51-200": (0.24, 0.4),
    "201-1000": (0.17, 0.5), "1001-5000": (0.09, 0.2), "5001+": (0.05, -0.1),
}  # fmt: skip
_EMAIL: Final = {"business": (0.74, 0.15), "free": (0.19, -0.7), "disposable": (0.02, -2.0), "absent": (0.05, -0.3)}
_INDUSTRY: Final = {
    "software": (0.22, 0.35), "manufacturing": (0.16, 0.0), "retail": (0.14, 0.0), "professional_services": (0.16, 0.0),
    "healthcare": (0.10, 0.0), "education": (0.08, -0.4), "public_sector": (0.06, 0.0), "finance": (0.08, 0.0),
}  # fmt: skip
_COUNTRY: Final = {
    "FR": (0.46, 0.0), "BE": (0.08, 0.0), "CH": (0.06, 0.0), "GB": (0.14, 0.0),
    "DE": (0.09, 0.0), "US": (0.11, 0.0), "MA": (0.06, 0.0),
}  # fmt: skip
_FRENCH_SHARE: Final = {"FR": 0.93, "BE": 0.55, "CH": 0.4, "MA": 0.85}
_REGIONS: Final = ("north", "south", "east", "west")
_HEADCOUNT: Final = {
    "1-10": (1, 10),
    "11-50": (11, 50),
    "51-200": (51, 200),
    "201-1000": (201, 1000),
    "1001-5000": (1001, 5000),
    "5001+": (5001, 60_000),
}

NO_TITLE_EFFECT: Final = -0.4
NO_SIZE_EFFECT: Final = -0.25
COMPETITOR_EFFECT: Final = {"true": 0.4, "false": -0.1}
#: Leads of the last day of the two years are this much less ripe than those of the first, all else equal.
RIPENESS_DRIFT: Final = -0.1


@dataclass(frozen=True)
class People:
    """One entry per lead, ordered by the time it was created; None = not known. Times in business days.

    `first_act` is infinite for contacts who never show interest. The late columns and attributes are what a second row
    from enrichment says; `enriched` is when it comes, infinite for never.
    """

    created: Floats
    first_act: Floats
    enriched: Floats
    columns: Mapping[str, Texts]
    attributes: tuple[Mapping[str, str], ...]
    late_columns: Mapping[str, Texts]
    late_attributes: tuple[Mapping[str, str], ...]
    fit: Floats


def draw_people(rng: np.random.Generator, *, leads: int, end: float) -> People:
    """Draw the leads of a store: when they come, from where, and what is written about them.

    Parameters
    ----------
    rng
        The source of chance.
    leads
        How many, contacts without interest included.
    end
        The last business day.
    """
    created = np.sort(end * rng.random(leads))
    progress = (created / end)[:, None]
    shares = np.array([[before, after] for before, after, _ in CHANNELS.values()])
    channel = _choose(rng, shares[:, 0] * (1 - progress) + shares[:, 1] * progress)
    outbound = np.array(list(CHANNELS))[channel] == "outbound"
    answer = created + rng.exponential(25.0, leads)
    silent = outbound & ((rng.random(leads) < 0.25) | (answer > end))
    first_act = np.where(silent, np.inf, np.where(outbound, answer, created))

    seniority = _draw(rng, _SENIORITY, leads)
    free_wheel = rng.random(leads)
    general = (seniority == SENIORITIES.index("c_level")) & (free_wheel < 0.55)
    function = np.where(general, FUNCTIONS.index("general"), _draw(rng, _FUNCTION, leads))
    student = seniority == SENIORITIES.index("student")
    email = np.where(student & (free_wheel < 0.6), 1, _draw(rng, _EMAIL, leads))
    size, industry, country = (_draw(rng, levels, leads) for levels in (_SIZE, _INDUSTRY, _COUNTRY))
    country_name = np.array(list(_COUNTRY), dtype=object)[country]
    french = rng.random(leads) < np.array([_FRENCH_SHARE.get(name, 0.03) for name in country_name])

    # Those who hide their address hide their title and firm as well: blanks that mean something. The others do not.
    shy = np.where(email == 0, 0.6, 1.8)
    no_title, no_size = rng.random(leads) < 0.12 * shy, rng.random(leads) < 0.15 * shy
    no_industry, no_country, no_language = (rng.random(leads) < share for share in (0.2, 0.03, 0.15))
    competitor = np.array(["true", "false", None], dtype=object)[_choose(rng, np.tile([0.15, 0.35, 0.5], (leads, 1)))]

    fit = (
        np.array([effect for _, _, effect in CHANNELS.values()])[channel]
        + np.where(
            no_title,
            NO_TITLE_EFFECT,
            _effects(_SENIORITY)[seniority] + np.where(student, 0.0, _effects(_FUNCTION)[function]),
        )
        + np.where(no_size, NO_SIZE_EFFECT, _effects(_SIZE)[size])
        + _effects(_EMAIL)[email]
        + np.where(no_industry, 0.0, _effects(_INDUSTRY)[industry])
        + np.array([COMPETITOR_EFFECT.get(told, 0.0) for told in competitor])
        + RIPENESS_DRIFT * created / end
    )

    title, late_title = (write_titles(rng, french=french, function=function, seniority=seniority) for _ in range(2))
    language = np.where(french, "fr", "en").astype(object)
    columns = {
        "source_channel": _names(CHANNELS)[channel],
        "direction": np.where(outbound, "outbound", "inbound").astype(object),
        "job_title": _blank(title, no_title),
        "industry": _blank(_names(_INDUSTRY)[industry], no_industry),
        "company_size": _blank(_names(_SIZE)[size], no_size),
        "country": _blank(country_name, no_country),
        "language": _blank(language, no_language),
        "email_class": _names(_EMAIL)[email],
    }
    low, high = np.array(list(_HEADCOUNT.values()), dtype=np.float64)[size].T
    employees = np.round(low * (high / low) ** rng.random(leads)).astype(np.int64)
    revenue = np.round(employees * np.exp(rng.normal(4.7, 0.5, leads))).astype(np.int64)
    region = np.array(_REGIONS, dtype=object)[rng.integers(0, len(_REGIONS), leads)]
    no_region, no_revenue = rng.random(leads) < 0.3, rng.random(leads) < 0.6
    return People(
        created=created,
        first_act=first_act,
        enriched=_enrichment(rng, created, end),
        columns=columns,
        attributes=_attributes(
            uses_competitor=competitor,
            employees=_blank(employees.astype(str), no_size),
            annual_revenue_keur=_blank(revenue.astype(str), no_revenue),
            region=_blank(region, no_region),
        ),
        late_columns={**columns, "language": language, "job_title": _blank(late_title, no_title)},
        late_attributes=_attributes(
            uses_competitor=competitor,
            employees=employees.astype(str).astype(object),
            annual_revenue_keur=revenue.astype(str).astype(object),
            region=region,
        ),
        fit=fit,
    )


def _enrichment(rng: np.random.Generator, created: Floats, end: float) -> Floats:
    """When a data provider's second row comes: for one lead in four, some weeks after the first."""
    late = created + 3 + rng.exponential(40.0, len(created))
    return np.where((rng.random(len(created)) < 0.25) & (late < end), late, np.inf)


def _blank(values: npt.NDArray[np.str_] | Texts, missing: npt.NDArray[np.bool_]) -> Texts:
    """A copy with None where the value is missing."""
    blanked = values.astype(object)
    blanked[missing] = None
    return blanked


def _attributes(**columns: Texts) -> tuple[Mapping[str, str], ...]:
    """One mapping per lead of the declared attributes that are known."""
    names = tuple(columns)
    return tuple(
        {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for row in zip(*columns.values(), strict=True)
    )


def _choose(rng: np.random.Generator, weights: Floats) -> Ints:
    """One column per row of `weights`, shape (n, levels), drawn in proportion."""
    edges = np.cumsum(weights, axis=1)
    return np.asarray((edges < (rng.random(len(weights)) * edges[:, -1])[:, None]).sum(axis=1))


def _draw(rng: np.random.Generator, levels: Mapping[str, tuple[float, float]], leads: int) -> Ints:
    return _choose(rng, np.tile([share for share, _ in levels.values()], (leads, 1)))


def _effects(levels: Mapping[str, tuple[float, float]]) -> Floats:
    return np.array([effect for _, effect in levels.values()])


def _names(levels: Mapping[str, object]) -> npt.NDArray[np.object_]:
    return np.array(list(levels), dtype=object)

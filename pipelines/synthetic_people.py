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

from pipelines.synthetic_company import Company, Levels
from pipelines.synthetic_truth import Floats, Ints
from pipelines.synthetic_words import FUNCTIONS, SENIORITIES, Texts, write_titles

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

#: How many leads say what their project may cost, how far that lies from what is usual for their size (log), and what
#: e times the usual deal does to fit.
_AMOUNT_SHARE: Final = 0.7
_AMOUNT_SPREAD: Final = 0.6
_AMOUNT_EFFECT: Final = -0.4
COMPETITOR_EFFECT: Final = {"true": 0.4, "false": -0.1}
#: Leads of the last day are this much less ripe than those of the first, all else equal.
RIPENESS_DRIFT: Final = -0.1


@dataclass(frozen=True)
class People:
    """One entry per lead, ordered by the time it was created; None = not known. Times in business days.

    `first_act` is infinite for contacts who never show interest; `amount` is what a lead says its project may cost, NaN
    for nothing. The late columns and attributes are what a second row from enrichment says; `enriched` is when it
    comes, infinite for never.
    """

    created: Floats
    first_act: Floats
    enriched: Floats
    columns: Mapping[str, Texts]
    attributes: tuple[Mapping[str, str], ...]
    late_columns: Mapping[str, Texts]
    late_attributes: tuple[Mapping[str, str], ...]
    amount: Floats
    fit: Floats


def draw_people(rng: np.random.Generator, *, company: Company, leads: int, end: float) -> People:
    """Draw the leads of a company: when they come, from where, and what is written about them.

    Parameters
    ----------
    rng
        The source of chance.
    company
        Whose leads they are.
    leads
        How many, contacts without interest included.
    end
        The last business day.
    """
    created = np.sort(end * rng.random(leads))
    progress = (created / end)[:, None]
    shares = np.array([[before, after] for before, after, _ in company.channels.values()])
    channel = _choose(rng, shares[:, 0] * (1 - progress) + shares[:, 1] * progress)
    outbound = np.array(list(company.channels))[channel] == "outbound"
    answer = created + rng.exponential(25.0, leads)
    silent = outbound & ((rng.random(leads) < 0.25) | (answer > end))
    first_act = np.where(silent, np.inf, np.where(outbound, answer, created))

    seniority = _draw(rng, company.seniority, leads)
    free_wheel = rng.random(leads)
    general = (seniority == SENIORITIES.index("c_level")) & (free_wheel < 0.55)
    function = np.where(general, FUNCTIONS.index("general"), _draw(rng, company.function, leads))
    student = seniority == SENIORITIES.index("student")
    email = np.where(student & (free_wheel < 0.6), 1, _draw(rng, company.email, leads))
    size, industry, country = (
        _draw(rng, levels, leads) for levels in (company.size, company.industry, company.country)
    )
    country_name = np.array(list(company.country), dtype=object)[country]
    french = rng.random(leads) < np.array([_FRENCH_SHARE.get(name, 0.03) for name in country_name])

    # Those who hide their address hide their title and firm as well: blanks that mean something. The others do not.
    shy = np.where(email == 0, 0.6, 1.8)
    no_title, no_size = (rng.random(leads) < company.unknown[name] * shy for name in ("job_title", "company_size"))
    no_industry, no_country, no_language = (
        rng.random(leads) < share for share in (company.unknown["industry"], 0.03, 0.15)
    )
    competitor = np.array(["true", "false", None], dtype=object)[_choose(rng, np.tile([0.15, 0.35, 0.5], (leads, 1)))]

    fit = (
        np.array([effect for _, _, effect in company.channels.values()])[channel]
        + np.where(
            no_title,
            company.no_title_effect,
            _effects(company.seniority)[seniority] + np.where(student, 0.0, _effects(company.function)[function]),
        )
        + np.where(no_size, company.no_size_effect, _effects(company.size)[size])
        + _effects(company.email)[email]
        + np.where(no_industry, 0.0, _effects(company.industry)[industry])
        + np.array([COMPETITOR_EFFECT.get(told, 0.0) for told in competitor])
        * ("uses_competitor" in company.attributes)
        + RIPENESS_DRIFT * created / end
    )
    amount = np.full(leads, np.nan)
    if "project_amount" in company.attributes:
        amount = _project_amounts(rng, company, size)
        fit = fit + np.where(np.isnan(amount), 0.0, _AMOUNT_EFFECT * np.log(amount / company.other_deal))

    title, late_title = (write_titles(rng, french=french, function=function, seniority=seniority) for _ in range(2))
    language = np.where(french, "fr", "en").astype(object)
    columns = {
        "source_channel": _names(company.channels)[channel],
        "direction": np.where(outbound, "outbound", "inbound").astype(object),
        "job_title": _blank(title, no_title),
        "industry": _blank(_names(company.industry)[industry], no_industry),
        "company_size": _blank(_names(company.size)[size], no_size),
        "country": _blank(country_name, no_country),
        "language": _blank(language, no_language),
        "email_class": _names(company.email)[email],
    }
    low, high = np.array(list(_HEADCOUNT.values()), dtype=np.float64)[size].T
    employees = np.round(low * (high / low) ** rng.random(leads)).astype(np.int64)
    revenue = np.round(employees * np.exp(rng.normal(4.7, 0.5, leads))).astype(np.int64)
    region = np.array(_REGIONS, dtype=object)[rng.integers(0, len(_REGIONS), leads)]
    told_amount = np.array([None if np.isnan(told) else f"{told:.0f}" for told in amount], dtype=object)
    no_region, no_revenue = rng.random(leads) < 0.3, rng.random(leads) < 0.6
    return People(
        created=created,
        first_act=first_act,
        enriched=_enrichment(rng, created, end),
        columns=columns,
        attributes=_attributes(
            company,
            uses_competitor=competitor,
            employees=_blank(employees.astype(str), no_size),
            annual_revenue_keur=_blank(revenue.astype(str), no_revenue),
            project_amount=told_amount,
            region=_blank(region, no_region),
        ),
        late_columns={**columns, "language": language, "job_title": _blank(late_title, no_title)},
        late_attributes=_attributes(
            company,
            uses_competitor=competitor,
            employees=employees.astype(str).astype(object),
            annual_revenue_keur=revenue.astype(str).astype(object),
            project_amount=told_amount,
            region=region,
        ),
        amount=amount,
        fit=fit,
    )


def _project_amounts(rng: np.random.Generator, company: Company, size: Ints) -> Floats:
    """What each lead says its project may cost, in hundreds; NaN = it does not say."""
    usual = np.array([company.deals[name] for name in company.size])[size]
    amount = np.round(usual * np.exp(_AMOUNT_SPREAD * rng.standard_normal(len(size))), -2)
    return np.where(rng.random(len(size)) < _AMOUNT_SHARE, np.maximum(amount, 100.0), np.nan)


def _enrichment(rng: np.random.Generator, created: Floats, end: float) -> Floats:
    """When a data provider's second row comes: for one lead in four, some weeks after the first."""
    late = created + 3 + rng.exponential(40.0, len(created))
    return np.where((rng.random(len(created)) < 0.25) & (late < end), late, np.inf)


def _blank(values: npt.NDArray[np.str_] | Texts, missing: npt.NDArray[np.bool_]) -> Texts:
    """A copy with None where the value is missing."""
    blanked = values.astype(object)
    blanked[missing] = None
    return blanked


def _attributes(company: Company, **columns: Texts) -> tuple[Mapping[str, str], ...]:
    """One mapping per lead of the company's declared attributes that are known."""
    columns = {name: values for name, values in columns.items() if name in company.attributes}
    names = tuple(columns)
    return tuple(
        {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for row in zip(*columns.values(), strict=True)
    )


def _choose(rng: np.random.Generator, weights: Floats) -> Ints:
    """One column per row of `weights`, shape (n, levels), drawn in proportion."""
    edges = np.cumsum(weights, axis=1)
    return np.asarray((edges < (rng.random(len(weights)) * edges[:, -1])[:, None]).sum(axis=1))


def _draw(rng: np.random.Generator, levels: Levels, leads: int) -> Ints:
    return _choose(rng, np.tile([share for share, _ in levels.values()], (leads, 1)))


def _effects(levels: Levels) -> Floats:
    return np.array([effect for _, effect in levels.values()])


def _names(levels: Mapping[str, object]) -> npt.NDArray[np.object_]:
    return np.array(list(levels), dtype=object)

"""Who the lead and its company are."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from features import sizes, titles
from features.declare import Attribute, Column, Family, Filled, Latest, Since
from features.kinds import identifier


def _function(texts: "pd.Series[Any]") -> "pd.Series[Any]":
    return texts.map(titles.job_function)


def _seniority(texts: "pd.Series[Any]") -> "pd.Series[Any]":
    return texts.map(titles.seniority)


def _seniority_rank(texts: "pd.Series[Any]") -> "pd.Series[Any]":
    return texts.map(titles.seniority_rank).astype(float)


def _band(texts: "pd.Series[Any]") -> "pd.Series[Any]":
    return texts.map(sizes.size_band)


def _employees(texts: "pd.Series[Any]") -> "pd.Series[Any]":
    return texts.map(sizes.employees).astype(float)


FAMILY: Final = Family(
    "demographic",
    "who the lead and its company are",
    (
        Latest("job_function", column="job_title", read=_function, about="Job function read from the title"),
        Latest("seniority", column="job_title", read=_seniority, about="Seniority read from the title"),
        Latest(
            "seniority_rank",
            column="job_title",
            read=_seniority_rank,
            type="numeric",
            unit="rank",
            about="Seniority read from the title, as a rank",
        ),
        Latest("industry", column="industry", about="Industry"),
        Latest("company_size_band", column="company_size", read=_band, about="Company size, in bands"),
        Latest(
            "company_employees",
            column="company_size",
            read=_employees,
            type="numeric",
            unit="employees",
            about="Company size, as a number",
        ),
        Latest("country", column="country", about="Country"),
        Latest("language", column="language", about="Language"),
        Latest("source_channel", column="source_channel", about="Channel the lead came through"),
        Latest("direction", column="direction", about="Inbound or outbound"),
        Latest("email_class", column="email_class", about="Business, free or other class of e-mail domain"),
        Filled("profile_completeness", about="Share of the profile that is filled"),
        Since("lead_age_days", moment="created_at", about="Age of the lead", missing="never"),
        Since(
            "days_since_profile",
            moment="profile_known_at",
            about="Days since the profile was last updated",
            missing="no profile is known",
        ),
    ),
)

_UNITS: Final = {"numeric": "number", "categorical": "category", "boolean": "0 or 1", "date": "days"}


def declared(attributes: Mapping[str, str], *, taken: frozenset[str]) -> tuple[Column, ...]:
    """One column per declared attribute, whatever it is: the same generic declaration for all.

    Parameters
    ----------
    attributes : name -> numeric, categorical, boolean or date ("ignored" ones are left out)
    taken : names that other features bear; an attribute of such a name, or of one that another attribute has got,
        becomes `attribute_<name>`

    Examples
    --------
    >>> [c.name for c in declared({"euribor": "numeric", "country": "categorical"}, taken=frozenset({"country"}))]
    ['attribute_country', 'euribor']
    """
    columns: list[Column] = []
    for name, kind in sorted(attributes.items()):
        if kind == "ignored":
            continue
        feature = identifier(name)
        while feature in taken or any(feature == column.name for column in columns):
            feature = f"attribute_{feature}"
        about = f"Days since {name}" if kind == "date" else f"Declared attribute: {name}"
        columns.append(
            Column(
                feature,
                about,
                _UNITS[kind],
                Attribute(name, kind),
                "not known",
                type="categorical" if kind == "categorical" else "numeric",
                family=FAMILY.name,
            )
        )
    return tuple(columns)

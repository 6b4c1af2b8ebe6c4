"""The profile last known, and how the texts of declared attributes are read."""

import numpy as np
import pandas as pd
import pytest

from features.build import describe
from features.profile import attribute_texts, by_distinct, completeness, days_since, profile_as_of, reader
from tests.features.data import AS_OF, CATALOGUE, DAY, MEANINGS, Asked, Lead, Profile, World, at

TEXTS = [(type_, text) for type_, texts in MEANINGS.items() for text in texts]


@pytest.mark.parametrize(("type_", "text"), TEXTS)
def test_each_text_means_what_it_means_alone_and_among_all_others(type_: str, text: str) -> None:
    meaning = MEANINGS[type_][text]
    for texts in ([text], [*MEANINGS[type_], None, text]):
        series = pd.Series(texts, dtype=object)
        if type_ == "date":
            found = days_since(series, as_of=np.full(len(texts), AS_OF))[-1]
            wanted = np.nan if meaning is None else (AS_OF - meaning) / DAY
        else:
            found = by_distinct(series, reader(type_), numeric=type_ != "categorical")[-1]
            wanted = np.nan if meaning is None else meaning
        assert found == wanted or (pd.isna(found) and pd.isna(wanted))


def test_dates_are_utc_unless_they_say_otherwise() -> None:
    texts = pd.Series(["2024-05-31", "2024-05-31T22:00-02:00", "2024-06-02T00:00:00Z", None], dtype=object)
    np.testing.assert_array_equal(days_since(texts, as_of=np.full(4, at("2024-06-01"))), [1, 0, -1, np.nan])


def test_each_distinct_text_is_read_once_and_missing_ones_not_at_all() -> None:
    read: list[str] = []

    def reading(texts: "pd.Series[str]") -> "pd.Series[str]":
        read.extend(texts)
        return texts.str.upper()

    found = by_distinct(pd.Series(["a", None, "b", "a"], dtype=object), reading, numeric=False)
    assert read == ["a", "b"]
    assert found.dtype == pd.StringDtype(na_value=np.nan)
    assert [None if pd.isna(text) else text for text in found] == ["A", None, "B", "A"]


ANN = World(
    leads=[Lead("ann", AS_OF - 20 * DAY, AS_OF - 20 * DAY), Lead("bob", AS_OF, AS_OF)],
    asked=[Asked("ann", AS_OF + days * DAY) for days in (0, 1, 2)] + [Asked("bob", AS_OF)],
    profiles=[
        Profile("ann", AS_OF, {"job_title": "CFO", "company_size": "50+"}, {"plan": " Gold "}),
        Profile("ann", AS_OF - 10 * DAY, {"country": " France"}, {"trial": "yes", "euribor.3m": "1.5"}),
        Profile("ann", AS_OF + DAY, {"job_title": "Acheteuse", "country": ""}, None),
    ],
)


def test_the_last_row_known_before_as_of_counts_whole() -> None:
    frame = describe(ANN.tables, ANN.snapshots, of=CATALOGUE).reset_index(drop=True).astype(object)
    wanted = {
        "country": ["france", None, None, None],
        "job_function": [None, "finance", "purchasing", None],
        "seniority": [None, "c_level", "staff", None],
        "seniority_rank": [None, 7.0, 2.0, None],
        "company_employees": [None, 50.0, None, None],
        "company_size_band": [None, "51-200", None, None],
        "plan": [None, "gold", None, None],
        "trial": [1.0, None, None, None],
        "euribor_3m": [1.5, None, None, None],
        "lead_age_days": [20.0, 21.0, 22.0, 0.0],
        "days_since_profile": [10.0, 1.0, 1.0, None],
        # Of 8 columns and the 5 attributes that are not ignored.
        "profile_completeness": [3 / 13, 3 / 13, 2 / 13, None],
    }
    found = frame[list(wanted)]
    assert found.where(found.notna(), None).to_dict("list") == wanted


def test_completeness_where_nothing_is_counted() -> None:
    profile = profile_as_of(ANN.tables, np.array([0, 1]), np.array([AS_OF, AS_OF]))
    np.testing.assert_array_equal(completeness(profile, columns=[], attributes=[]), [1, np.nan])
    assert attribute_texts(profile, "trial").fillna("-").to_list() == ["yes", "-"]
    assert attribute_texts(profile, "undeclared").isna().all()


def test_a_store_without_profiles() -> None:
    world = World(leads=ANN.leads, asked=ANN.asked)
    frame = describe(world.tables, world.snapshots, of=CATALOGUE)
    demographic = [column.name for column in CATALOGUE.columns if column.family == "demographic"]
    assert frame[demographic].drop(columns="lead_age_days").isna().all(axis=None)
    assert frame["lead_age_days"].notna().all()

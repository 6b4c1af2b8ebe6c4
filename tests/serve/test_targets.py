"""Evidence that a lead is out of target is what its features say, in words; without evidence there is none."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from serve.targets import out_of_target

NOTHING: dict[str, list[str]] = {"functions": [], "email_classes": [], "countries": []}
VALUES = st.none() | st.sampled_from(["student", "Student", "sales", "fr", "FR", "de", "disposable", "business", ""])


def text(values: list[str | None]) -> "pd.Series[str]":
    return pd.Series(values, dtype="str")


@given(st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=8))
def test_agrees_with_a_slow_loop(rows: list[tuple[str | None, str | None, str | None]]) -> None:
    def slow(function: str | None, email_class: str | None, country: str | None) -> str | None:
        if function and function.lower() == "student":
            return f"job function: {function}"
        if email_class and email_class.lower() == "disposable":
            return f"e-mail class: {email_class}"
        if country and country.lower() == "fr":
            return f"country: {country}"
        return None

    frame = pd.DataFrame(
        {name: text([row[at] for row in rows]) for at, name in enumerate(["job_function", "email_class", "country"])}
    )
    found = out_of_target(frame, functions=["STUDENT"], email_classes=["Disposable"], countries=["Fr"])
    assert found.tolist() == [slow(*row) for row in rows]


def test_nothing_out_of_target_is_nothing_found() -> None:
    frame = pd.DataFrame({"job_function": text(["student", None]), "country": text(["fr", ""])})
    assert out_of_target(frame, **NOTHING).tolist() == [None, None]


def test_columns_that_are_not_there_give_no_evidence() -> None:
    frame = pd.DataFrame({"visits": [1.0, np.nan]})
    asked = {"functions": ["student"], "email_classes": ["disposable"], "countries": ["fr"]}
    assert out_of_target(frame, **asked).tolist() == [None, None]
    assert out_of_target(frame.iloc[:0], **asked).tolist() == []


def test_a_column_without_any_value_gives_no_evidence() -> None:
    for empty in (text([None, None]), pd.Series([np.nan, np.nan]), pd.Series([None, None], dtype=object)):
        frame = pd.DataFrame({"job_function": empty})
        assert out_of_target(frame, **(NOTHING | {"functions": ["student"]})).tolist() == [None, None]


def test_the_frame_is_not_changed_and_its_index_does_not_matter() -> None:
    frame = pd.DataFrame({"country": text(["fr", "de", None])}).set_axis([7, 3, 7])
    kept = frame.copy(deep=True)
    assert out_of_target(frame, **(NOTHING | {"countries": ["FR"]})).tolist() == ["country: fr", None, None]
    pd.testing.assert_frame_equal(frame, kept)

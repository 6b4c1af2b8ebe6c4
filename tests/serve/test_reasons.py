"""Reasons add up, come strongest first, and read as people write."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.contract import Contract, ContractColumn
from models.explanation import Contributions
from serve.reasons import LEAST_EFFECT, in_words, reasons

EFFECTS = st.sampled_from([0.0, 0.0, LEAST_EFFECT, -LEAST_EFFECT, 0.009, 5e-7]) | st.floats(-8, 8)


def contract(*columns: ContractColumn) -> Contract:
    return Contract(columns, {}, (), {}, (), "customer", 30)


def column(name: str, type_: str = "numeric", **other: Any) -> ContractColumn:
    facts: dict[str, Any] = {
        "about": name.upper(),
        "unit": "events",
        "missing": "it never happened",
        "family": "f",
        "monotone": 0,
    }
    return ContractColumn(name, type_, **(facts | {"missing_share": 0.0} | other))


def contributions(values: np.ndarray[Any, Any], *, base: float = 0.0, calibration: float = 0.0) -> Contributions:
    names = tuple(f"c{i}" for i in range(values.shape[1]))
    shift = np.full(len(values), calibration)
    return Contributions(names, values, base, shift, base + values.sum(axis=1) + shift)


@st.composite
def told(draw: st.DrawFn) -> tuple[Contributions, pd.DataFrame, Contract, int]:
    rows, columns = draw(st.integers(0, 4)), draw(st.integers(1, 12))
    cells = st.lists(EFFECTS, min_size=rows * columns, max_size=rows * columns)
    values = np.array(draw(cells), np.float64).reshape(rows, columns)
    made = contributions(values, base=draw(st.floats(-5, 5)), calibration=draw(st.floats(-2, 2)))
    frame = pd.DataFrame({name: np.arange(rows, dtype=np.float64) for name in made.features})
    measures = draw(st.lists(st.sampled_from(["", "", *made.features[:3]]), min_size=columns, max_size=columns))
    agreed = contract(*(column(name, measure=m) for name, m in zip(made.features, measures, strict=True)))
    return made, frame, agreed, draw(st.integers(0, 14))


def by_measure(made: Contributions, agreed: Contract) -> dict[str, list[int]]:
    """The slow way: measure -> its columns."""
    groups: dict[str, list[int]] = {}
    for one in agreed.columns:
        groups.setdefault(one.measure or one.name, []).append(made.features.index(one.name))
    return groups


@given(told())
def test_the_numbers_add_up_to_the_log_odds(drawn: tuple[Contributions, pd.DataFrame, Contract, int]) -> None:
    made, frame, agreed, most = drawn
    texts = reasons(made, frame, contract=agreed, most=most)
    assert len(texts) == len(frame)
    for row, text in enumerate(texts):
        plain = json.loads(text)
        assert list(plain) == ["start", "reasons", "rest", "calibration"]
        total = plain["start"] + sum(one["effect"] for one in plain["reasons"]) + plain["rest"] + plain["calibration"]
        assert total == pytest.approx(made.log_odds[row], abs=1e-5)


@given(told())
def test_the_strongest_are_told_and_no_more_than_asked_for(
    drawn: tuple[Contributions, pd.DataFrame, Contract, int],
) -> None:
    made, frame, agreed, most = drawn
    groups = by_measure(made, agreed)
    for row, text in enumerate(reasons(made, frame, contract=agreed, most=most)):
        told = json.loads(text)["reasons"]
        sums = [float(made.values[row, columns].sum()) for columns in groups.values()]
        strongest = sorted((abs(v) for v in sums if abs(v) >= LEAST_EFFECT), reverse=True)[:most]
        assert [abs(one["effect"]) for one in told] == pytest.approx(strongest, abs=1e-6)
        measures = []
        for one in told:
            ((measure, columns),) = [(m, c) for m, c in groups.items() if made.features.index(one["feature"]) in c]
            measures.append(measure)
            assert one["effect"] == pytest.approx(made.values[row, columns].sum(), abs=1e-6)
            # In the words of the column that pulls most the way the whole goes.
            pulls = made.values[row, columns] * np.sign(one["effect"])
            assert made.values[row, made.features.index(one["feature"])] * np.sign(one["effect"]) == pulls.max()
            assert one["says"] == f"{one['feature'].upper()}: {row}"
        assert len(set(measures)) == len(measures)


def test_the_windows_of_one_count_are_one_reason() -> None:
    made = contributions(np.array([[0.4, 0.9, -0.2, 0.7]]))
    agreed = contract(column("c0", measure="c0"), column("c1", measure="c0"), column("c2", measure="c0"), column("c3"))
    (text,) = reasons(made, pd.DataFrame({name: [3.0] for name in made.features}), contract=agreed, most=5)
    assert [(one["feature"], one["effect"]) for one in json.loads(text)["reasons"]] == [("c1", 1.1), ("c3", 0.7)]
    assert json.loads(text)["rest"] == 0.0


def test_of_words_and_numbers_on_one_thing_the_words_are_told() -> None:
    agreed = contract(column("c0", measure="c0"), column("c1", "categorical", measure="c0"))
    frame = pd.DataFrame({"c0": [0.0], "c1": pd.Series(["student"], dtype="str")})
    (text,) = reasons(contributions(np.array([[-2.0, 0.5]])), frame, contract=agreed, most=5)
    assert json.loads(text)["reasons"] == [{"feature": "c1", "says": "C1: student", "effect": -1.5}]


def test_numbers_that_do_not_add_up_are_a_bug() -> None:
    made = Contributions(("c0",), np.array([[1.0]]), 0.0, np.zeros(1), np.array([1.001]))
    with pytest.raises(AssertionError, match="the reasons do not add up to the log odds"):
        reasons(made, pd.DataFrame({"c0": [1.0]}), contract=contract(column("c0")), most=1)


def says(value: Any, **about: Any) -> str:
    type_ = about.pop("type_", "numeric")
    frame = pd.DataFrame({"c0": pd.Series([value], dtype="str" if type_ == "categorical" else "float64")})
    (text,) = reasons(contributions(np.ones((1, 1))), frame, contract=contract(column("c0", type_, **about)), most=1)
    said: str = json.loads(text)["reasons"][0]["says"]
    return said


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (3.0, "3"),
        (-2.0, "-2"),
        (1234567.0, "1,234,567"),
        (0.333333, "0.333"),
        (12.3456, "12.3"),
        (999.4, "999"),
        (999.7, "1,000"),
        (-999.7, "-1,000"),
        (1000.4, "1,000"),
        (12345.6, "12,346"),
        (0.00012, "0.00012"),
        (5e9, "5,000,000,000"),
    ],
)
def test_numbers_read_as_people_write_them(value: float, text: str) -> None:
    assert says(value) == f"C0: {text}"


def test_units_are_told_where_they_say_something() -> None:
    assert says(2.5, unit="days") == "C0: 2.5 days"
    assert says(50.0, unit="employees") == "C0: 50 employees"
    assert says(2.0, unit="events") == "C0: 2"


def test_what_is_missing_says_what_that_means() -> None:
    assert says(np.nan, unit="days", missing="it never happened") == "C0: it never happened"
    assert says(None, type_="categorical", missing="not known") == "C0: not known"
    assert says("été|x", type_="categorical") == "C0: été|x"


def test_texts_are_kept_as_they_are() -> None:
    made = contributions(np.ones((1, 1)))
    frame = pd.DataFrame({"c0": pd.Series(["Île-de-France"], dtype="str")})
    (text,) = reasons(made, frame, contract=contract(column("c0", "categorical")), most=1)
    assert "Île-de-France" in text


@pytest.mark.parametrize(
    ("effect", "text"),
    [
        (0.8, "▲ said (×2.2 odds)"),
        (-0.8, "▼ said (×0.45 odds)"),
        (5.0, "▲ said (×150 odds)"),
        (-6.0, "▼ said (×0.0025 odds)"),
    ],
)
def test_a_reason_in_words(effect: float, text: str) -> None:
    assert in_words({"feature": "c0", "says": "said", "effect": effect}) == text

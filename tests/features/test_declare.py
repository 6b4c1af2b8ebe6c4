"""The words for declaring features: what each yields, and what each refuses."""

import numpy as np
import pytest

from features import declare
from features.declare import (
    Breadth,
    Column,
    Combination,
    Count,
    DaysBetween,
    DaysSinceFirst,
    DaysSinceLast,
    Decayed,
    Declaration,
    DistinctDays,
    Family,
    LastValue,
    Latest,
    Moment,
    Numbers,
    Op,
    Primitive,
    Ratio,
    Since,
    Sum,
    Trend,
    Visits,
)


def only(declaration: Declaration) -> Column:
    (column,) = declaration.columns
    return column


def combined(declaration: Declaration, *inputs: list[float]) -> list[float]:
    source = only(declaration).source
    assert isinstance(source, Combination)
    found: Numbers = source.combine(*(np.array(values, np.float64) for values in inputs))
    assert found.dtype == np.float64
    return [float(value) for value in found]


@pytest.mark.parametrize(
    ("declaration", "primitive"),
    [
        (Count("x", of="form", days=(7,), about="X"), Primitive(Op.COUNT, ("form",), 7)),
        (Sum("x", of=("form", "call"), days=(None,), about="X", unit="h"), Primitive(Op.SUM, ("call", "form"))),
        (DistinctDays("x", of="form", days=(7,), about="X"), Primitive(Op.DAYS, ("form",), 7)),
        (Visits("x", of=("page", "page"), days=(7,), about="X"), Primitive(Op.VISITS, ("page",), 7)),
        (DaysSinceLast("x", of="form", about="X"), Primitive(Op.SINCE_LAST, ("form",))),
        (DaysSinceFirst("x", of="form", about="X"), Primitive(Op.SINCE_FIRST, ("form",))),
        (LastValue("x", of="form", about="X", unit="h"), Primitive(Op.LAST_VALUE, ("form",))),
        (Decayed("x", of="form", half_life_days=7, about="X"), Primitive(Op.DECAYED, ("form",), None, 7)),
    ],
)
def test_words_over_events_measure_one_primitive(declaration: Declaration, primitive: Primitive) -> None:
    assert only(declaration).source == primitive


def test_every_op_has_a_word() -> None:
    assert {op.name for op in Op} == {
        "COUNT", "SUM", "DAYS", "VISITS", "SINCE_FIRST", "SINCE_LAST", "LAST_VALUE", "DECAYED",
    }  # fmt: skip


def test_windows_show_in_name_and_sentence() -> None:
    columns = Count("forms", of="form", about="Forms", monotone=+1).columns
    assert [column.name for column in columns] == ["forms_7d", "forms_30d", "forms_90d", "forms"]
    assert [column.about for column in columns][1:3] == ["Forms in the last 30 days", "Forms in the last 90 days"]
    assert columns[3].about == "Forms, ever"
    assert {column.monotone for column in columns} == {1}
    assert {column.missing for column in columns} == {"never"}


def test_trend_is_the_last_days_less_those_before() -> None:
    trend = Trend("x", of="form", days=14, about="X")
    assert only(trend).source.inputs == (Primitive(Op.COUNT, ("form",), 14), Primitive(Op.COUNT, ("form",), 28))  # type: ignore[union-attr]
    assert combined(trend, [0, 3, 1], [0, 3, 5]) == [0, 3, -3]


def test_breadth_counts_kinds_and_does_not_need_them_all() -> None:
    breadth = Breadth("x", of=("form", "call"), days=30, about="X")
    assert combined(breadth, [0, 1, 7], [0, 0, 2]) == [0, 1, 2]
    assert combined(breadth, [0, 1, 7]) == [0, 1, 1]
    assert only(breadth).source.needs_all is False  # type: ignore[union-attr]


def test_ratio_of_nothing_is_missing() -> None:
    np.testing.assert_array_equal(
        combined(Ratio("x", "part", "whole", about="X"), [0, 1, 3, 0], [0, 2, 2, 4]), [np.nan, 0.5, 1.5, 0]
    )


def test_days_between_is_negative_when_the_other_came_first() -> None:
    between = DaysBetween("x", first="email_delivered", then="call", about="X")
    np.testing.assert_array_equal(combined(between, [10, 2, np.nan], [4, 5, 1]), [6, -3, np.nan])


def test_latest_is_tidied_unless_it_is_read_otherwise() -> None:
    source = only(Latest("x", column="country", about="X")).source
    assert isinstance(source, declare.Profile)
    assert source.column == "country"
    assert only(Since("x", moment="created_at", about="X", missing="never")).source == Moment("created_at")


def test_a_family_names_its_columns() -> None:
    family = Family("fit", "how well it fits", (Count("x", of="form", days=(7,), about="X"),))
    assert [(column.name, column.family) for column in family.columns] == [("x_7d", "fit")]


@pytest.mark.parametrize("days", [0, -7])
def test_an_empty_window_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match=f"positive number of days, got {days}"):
        Count("x", of="form", days=(days,), about="X")
    with pytest.raises(ValueError, match=f"x: a half-life is a positive number of days, got {days}"):
        Decayed("x", of="form", half_life_days=days, about="X")


def test_a_name_that_is_no_identifier_is_refused() -> None:
    with pytest.raises(ValueError, match="an identifier like 'page_views_7d', got 'Page views_7d'"):
        Count("Page views", of="page", days=(7,), about="Pages")


@pytest.mark.parametrize(("about", "unit", "missing"), [("", "h", "never"), ("X", "", "never"), ("X", "h", "")])
def test_an_undocumented_feature_is_refused(about: str, unit: str, missing: str) -> None:
    with pytest.raises(ValueError, match="x: a feature states what it is about, its unit and what missing means"):
        Column("x", about, unit, Moment("created_at"), missing)

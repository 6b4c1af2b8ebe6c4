"""The points card: the sum is always its parts, whatever the card and whatever is missing."""

import math
from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules import CAPS, FLOOR, Card, Criterion, Decay, Group, parts, points, units
from tests.models.data import few_examples, texts

Row = Mapping[str, Any]

WORDS: Final = ("software", "retail", "Public Sector", "autre é")
NUMBERS: Final = ("visits", "days_since_act", "is_partner")

# ---- The slow oracle: one lead, one criterion at a time, in decimals ---------------------------------------------


def matches(row: Row, criterion: Criterion) -> bool:
    found, value = row[criterion.feature], criterion.value
    missing = found is None or found != found
    match criterion.operator:
        case "is_missing":
            return missing
        case _ if missing:
            return False
        case "is_known":
            return True
        case "is":
            return same(found, value)
        case "is_not":
            return not same(found, value)
        case "is_one_of":
            return any(same(found, text) for text in value)
        case "is_none_of":
            return not any(same(found, text) for text in value)
        case "between":
            return value[0] <= found <= value[1]
        case "at_least":
            return found >= value
        case "more_than":
            return found > value
        case "at_most":
            return found <= value
        case "less_than":
            return found < value
    raise AssertionError(criterion.operator)


def same(found: Any, value: Any) -> bool:
    if isinstance(value, str):
        return str(found).strip().casefold() == value.strip().casefold()
    return bool(found == value)


def worth(row: Row, criterion: Criterion, decimals: int) -> Decimal:
    if not matches(row, criterion):
        return Decimal(0)
    amount, decay = criterion.points, criterion.decay
    if decay is not None:
        if math.isnan(row[decay.by]):
            return Decimal(0)
        days = max(Decimal(row[decay.by]), Decimal(0))
        if decay.half_life_days is not None:
            amount *= Decimal("0.5") ** (days / Decimal(decay.half_life_days))
        else:
            amount *= max(1 - days / Decimal(decay.zero_after_days or 0), Decimal(0))
    units = amount.scaleb(decimals).quantize(Decimal("1e-9")).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return units.scaleb(-decimals)


def counted(row: Row, card: Card) -> tuple[Decimal, Decimal, Decimal, str, str]:
    def held(amount: Decimal, cap: Decimal | None) -> Decimal:
        return amount if cap is None or amount < cap else cap

    fit, engagement = (
        held(sum((worth(row, c, card.decimals) for c in group.criteria), Decimal(0)), group.cap)
        for group in (card.fit, card.engagement)
    )
    total = held(fit + engagement, card.cap)
    total = total if card.floor is None or total > card.floor else card.floor
    letter = "A" if fit >= card.fit.limits[1] else "B" if fit >= card.fit.limits[0] else "C"
    number = "1" if engagement >= card.engagement.limits[1] else "2" if engagement >= card.engagement.limits[0] else "3"
    stage = "sql" if total >= card.limits[1] else "mql" if total >= card.limits[0] else "lead"
    return total, fit, engagement, letter + number, stage


# ---- Any card, any leads ------------------------------------------------------------------------------------------

numbers = st.one_of(st.integers(0, 3), st.integers(-3, 40), st.floats(-3, 400, allow_nan=False))
maybe_numbers = st.one_of(st.just(math.nan), numbers.map(float))
words = st.sampled_from([*WORDS, "SOFTWARE", " retail "])


@st.composite
def criteria(draw: st.DrawFn, *, name: str, decimals: int, decays: bool) -> Criterion:
    about_text = draw(st.booleans())
    feature = "industry" if about_text else draw(st.sampled_from(NUMBERS))
    operators = ["is", "is_not", "is_known", "is_missing"]
    operators += (
        ["is_one_of", "is_none_of"] if about_text else ["at_least", "more_than", "at_most", "less_than", "between"]
    )
    operator = draw(st.sampled_from(operators))
    value: Any = draw(words) if about_text else draw(numbers)
    if operator in ("is_one_of", "is_none_of"):
        value = tuple(draw(st.lists(words, min_size=1, max_size=3)))
    elif operator == "between":
        value = tuple(sorted((value, draw(numbers))))
    elif operator in ("is_known", "is_missing"):
        value = None
    days = draw(st.one_of(st.integers(1, 90), st.floats(0.5, 90)))
    decay = draw(
        st.sampled_from(
            [
                None,
                Decay(by="days_since_act", half_life_days=days),
                Decay(by="days_since_act", zero_after_days=days),
            ]
        )
    )
    return Criterion(
        name=name,
        feature=feature,
        operator=operator,
        value=value,
        points=draw(amounts(decimals)),
        decay=decay if decays else None,
    )


def amounts(decimals: int, *, least: int = -3000) -> st.SearchStrategy[Decimal]:
    return st.integers(least, 3000).map(lambda n: Decimal(n).scaleb(-decimals))


@st.composite
def cards(draw: st.DrawFn) -> Card:
    decimals = draw(st.integers(0, 2))
    groups = [
        Group(
            criteria=tuple(
                draw(criteria(name=f"{name} {n}", decimals=decimals, decays=name == "engagement"))
                for n in range(draw(st.integers(0, 5)))
            ),
            limits=draw(limits(decimals)),
            cap=draw(st.none() | amounts(decimals, least=0)),
        )
        for name in ("fit", "engagement")
    ]
    cap = draw(st.none() | amounts(decimals, least=0))
    return Card(
        fit=groups[0],
        engagement=groups[1],
        limits=draw(limits(decimals)),
        cap=cap,
        floor=draw(st.none() | amounts(decimals).filter(lambda floor: cap is None or floor < cap)),
        decimals=decimals,
    )


def limits(decimals: int) -> st.SearchStrategy[tuple[Decimal, Decimal]]:
    pairs = st.lists(amounts(decimals), min_size=2, max_size=2, unique=True)
    return pairs.map(lambda pair: (min(pair), max(pair)))


@st.composite
def frames(draw: st.DrawFn, *, most: int = 4) -> pd.DataFrame:
    rows = draw(st.integers(0, most))
    columns: dict[str, Any] = {
        name: np.array(draw(st.lists(maybe_numbers, min_size=rows, max_size=rows)), np.float64) for name in NUMBERS
    }
    columns["industry"] = texts(draw(st.lists(st.none() | st.sampled_from(WORDS), min_size=rows, max_size=rows)))
    index = pd.MultiIndex.from_arrays([[f"lead-{n}" for n in range(rows)], [7] * rows], names=["lead_id", "as_of"])
    return pd.DataFrame(columns).set_index(index)


@few_examples
@given(frames(), cards())
def test_the_sum_is_its_parts_exactly(frame: pd.DataFrame, card: Card) -> None:
    found = points(frame, card)
    for row in range(len(frame)):
        told = parts(frame.iloc[[row]], card)
        assert all(part.points for part in told)
        for name in ("fit", "engagement"):
            assert float(sum(part.points for part in told if part.group == name)) == found[name].iloc[row]
        total = sum((part.points for part in told), Decimal(0))
        assert float(total) == found["total"].iloc[row]
        assert total == total.quantize(Decimal(1).scaleb(-card.decimals))  # no noise beyond the card's decimals
        assert all(part.points < 0 for part in told if part.name in CAPS)
        assert all(part.points > 0 for part in told if part.name == FLOOR)
    together = units(frame, card).sum(axis=1).to_numpy() / 10**card.decimals
    np.testing.assert_array_equal(together, found["total"])


@given(frames(), cards())
def test_points_agree_with_the_slow_oracle(frame: pd.DataFrame, card: Card) -> None:
    found = points(frame, card)
    plain = frame.astype(object).where(frame.notna(), math.nan).to_dict("records")
    for row, got in zip(plain, found.itertuples(index=False), strict=True):
        total, fit, engagement, grade, stage = counted(row, card)
        assert (got.total, got.fit, got.engagement) == (float(total), float(fit), float(engagement))
        assert (got.grade, got.stage) == (grade, stage)


@few_examples
@given(frames(), cards(), st.randoms())
def test_a_lead_has_its_points_whoever_stands_beside_it(frame: pd.DataFrame, card: Card, random: Any) -> None:
    kept = frame.copy(deep=True)
    found = points(frame, card)
    pd.testing.assert_frame_equal(frame, kept)
    pd.testing.assert_index_equal(found.index, frame.index)
    assert not found.isna().any(axis=None)
    order = list(range(len(frame)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(points(frame.iloc[order], card), found.iloc[order])
    for row in order:
        pd.testing.assert_frame_equal(points(frame.iloc[[row]], card), found.iloc[[row]])


@few_examples
@given(frames(), cards())
def test_what_is_missing_matches_is_missing_only(frame: pd.DataFrame, card: Card) -> None:
    hollow = frame.assign(**dict.fromkeys(NUMBERS, np.nan), industry=texts([None] * len(frame)).set_axis(frame.index))
    for criterion in (*card.fit.criteria, *card.engagement.criteria):
        expected = 0 if criterion.operator != "is_missing" or criterion.decay else card.units(criterion.points)
        assert (units(hollow, card)[criterion.name] == expected).all()


@few_examples
@given(frames(), cards(), criteria(name="one more", decimals=0, decays=True))
def test_one_more_criterion_of_worth_lowers_nobody(frame: pd.DataFrame, card: Card, more: Criterion) -> None:
    more = replace(more, points=abs(more.points))
    larger = replace(card, engagement=replace(card.engagement, criteria=(*card.engagement.criteria, more)))
    assert (points(frame, larger)["total"] >= points(frame, card)["total"]).all()


@given(st.floats(0.5, 90), st.lists(st.floats(-5, 1000), min_size=2, max_size=8))
def test_points_only_fade(days: float, ages: list[float]) -> None:
    since = np.sort(np.array(ages))
    for decay in (Decay(by="d", half_life_days=days), Decay(by="d", zero_after_days=days)):
        left = decay.share(since)
        assert (np.diff(left) <= 0).all()
        assert ((left >= 0) & (left <= 1)).all()
        assert (left[since <= 0] == 1).all()


# ---- Drawn examples -----------------------------------------------------------------------------------------------


def a_card(*fit: Criterion, engagement: tuple[Criterion, ...] = (), cap: int | None = None, **changed: Any) -> Card:
    two = (Decimal(10), Decimal(20))
    given: dict[str, Any] = {
        "fit": Group(criteria=fit, limits=two, cap=None if cap is None else Decimal(cap)),
        "engagement": Group(criteria=engagement, limits=two),
        "limits": (Decimal(15), Decimal(30)),
    }
    return Card(**given | changed)


def a_criterion(amount: str, feature: str = "visits", operator: str = "is_known", **rest: Any) -> Criterion:
    return Criterion(
        name=f"{feature} {operator} {amount}", feature=feature, operator=operator, points=Decimal(amount), **rest
    )


def a_frame(**columns: list[Any]) -> pd.DataFrame:
    return pd.DataFrame({k: texts(v) if k == "industry" else np.array(v, np.float64) for k, v in columns.items()})


def test_what_a_cap_takes_away_is_told() -> None:
    card = a_card(a_criterion("80"), a_criterion("47"), a_criterion("-10", "industry"), cap=50)
    lead = a_frame(visits=[3], industry=["retail"])
    told = parts(lead, card)
    assert [(part.name, part.points) for part in told] == [
        ("visits is_known 80", 80),
        ("visits is_known 47", 47),
        ("industry is_known -10", -10),
        ("cap of fit", -67),
    ]
    assert [part.says for part in told[1:]] == ["visits is 3", "industry is retail", "no more than 50 points of fit"]
    assert points(lead, card)["total"].tolist() == [50.0]


def test_a_cap_of_all_comes_after_the_caps_of_the_groups() -> None:
    card = a_card(
        a_criterion("80"), cap=50, engagement=(a_criterion("30", "industry"),), limits=(Decimal(1), Decimal(2))
    )
    lead = a_frame(visits=[3], industry=["retail"])
    told = parts(lead, replace(card, cap=Decimal(60)))
    assert {part.name: (part.group, int(part.points)) for part in told if part.name in CAPS} == {
        "cap of fit": ("fit", -30),
        "cap of all": ("all", -20),
    }


def test_what_the_floor_adds_is_told() -> None:
    card = replace(a_card(a_criterion("-30"), a_criterion("-25", "industry"), cap=50), floor=Decimal(-10))
    lead, other = a_frame(visits=[3], industry=["retail"]), a_frame(visits=[math.nan], industry=[None])
    told = parts(lead, card)
    assert [(part.name, part.group, int(part.points)) for part in told][2:] == [("floor of all", "all", 45)]
    assert told[-1].says == "no fewer than -10 points"
    assert points(lead, card)[["total", "fit"]].to_numpy().tolist() == [[-10, -55]]
    assert not parts(other, card)


def test_tenths_add_up_as_on_paper() -> None:
    card = a_card(*(a_criterion(str(amount)) for amount in ("0.1", "0.2", "0.4")), decimals=1)
    lead = a_frame(visits=[3])
    assert sum(part.points for part in parts(lead, card)) == Decimal("0.7")
    assert points(lead, card)["total"].tolist() == [0.7]  # in binary, 0.1 + 0.2 + 0.4 is 0.7000000000000001


def test_what_has_decayed_is_rounded_half_away_from_zero() -> None:
    decay = Decay(by="days_since_act", half_life_days=30)
    card = a_card(engagement=(a_criterion("5", decay=decay), a_criterion("-25", decay=decay)))
    frame = a_frame(visits=[1] * 5, days_since_act=[0, 30, 60, 3000, math.nan])
    assert units(frame, card)["visits is_known 5"].tolist() == [5, 3, 1, 0, 0]  # 2.5 -> 3, 1.25 -> 1
    assert units(frame, card)["visits is_known -25"].tolist() == [-25, -13, -6, 0, 0]
    nearly = a_card(engagement=(a_criterion("5", decay=Decay(by="days_since_act", zero_after_days=10)),))
    assert points(a_frame(visits=[1], days_since_act=[9]), nearly)["total"].tolist() == [
        1
    ]  # 5 x (1 - 0.9) in binary < 0.5
    assert parts(frame.iloc[[1]], card)[0].says == "visits is 1; 5 points at first, 30 days ago"
    assert not parts(frame.iloc[[4]], card)


def test_grades_and_stages_begin_at_their_limits() -> None:
    fit = [a_criterion("1", operator="at_least", value=n) for n in range(1, 22)]
    fit = [replace(criterion, name=str(n)) for n, criterion in enumerate(fit)]
    found = points(a_frame(visits=[9, 10, 19, 20]), a_card(*fit, limits=(Decimal(10), Decimal(20))))
    assert found["total"].tolist() == [9, 10, 19, 20]
    assert found["grade"].tolist() == ["C3", "B3", "B3", "A3"]
    assert found["stage"].tolist() == ["lead", "mql", "mql", "sql"]


def test_texts_are_compared_without_case_and_numbers_to_their_edges() -> None:
    frame = a_frame(visits=[2, 3, 5, math.nan], industry=["software", "retail", None, None])
    card = a_card(
        a_criterion("1", operator="between", value=(3, 5)),
        a_criterion("1", operator="more_than", value=3),
        a_criterion("1", operator="at_most", value=3),
        a_criterion("1", "industry", "is", value=" SOFTWARE"),
        a_criterion("1", "industry", "is_not", value="software"),
        a_criterion("1", "industry", "is_missing"),
    )
    assert units(frame, card).iloc[:, :6].to_numpy().T.tolist() == [
        [0, 1, 1, 0],
        [0, 0, 1, 0],
        [1, 1, 0, 0],
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 1],
    ]


def test_a_frame_without_a_column_is_no_frame_for_the_card() -> None:
    card = a_card(a_criterion("5", decay=Decay(by="days_since_act", half_life_days=30)))
    assert card.features == ("visits", "days_since_act")
    with pytest.raises(ValueError, match=r"the points card: the frame has no column days_since_act"):
        points(a_frame(visits=[1]), card)
    with pytest.raises(ValueError, match="features of one lead, got 2 rows"):
        parts(a_frame(visits=[1, 2], days_since_act=[1, 2]), card)


def test_more_decimals_than_are_counted_are_no_points() -> None:
    with pytest.raises(AssertionError, match=r"0\.5 has more decimals"):
        units(a_frame(visits=[1]), a_card(a_criterion("0.5")))

"""Two rankings of the same leads: laws of captured conversions and of the swap set, held against slow oracles."""

from itertools import pairwise, permutations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.comparison import Comparison, Place, agreement, compare
from models.comparison_groups import by_group, named
from models.handover import found, handed_over, percentile, stand
from models.segments import NOT_KNOWN, OTHER
from models.swap_set import common, standouts
from tests.models.data import few_examples

Floats = npt.NDArray[np.float64]

SHARES = (0.2, 0.5, 0.75, 1.0)


class Drawn:
    """Snapshots of a few leads on a few lists, with two rankings full of ties, and at least one conversion."""

    def __init__(self, rows: list[tuple[int, int, int, int, bool, int]]) -> None:
        lead, lists, a, b, y, worth = (np.array(column) for column in zip(*rows, strict=True))
        self.lead, self.lists = np.array([f"lead {n}" for n in lead], object), lists
        self.a, self.b = a.astype(float), b.astype(float)
        self.b[self.b == 0] = np.nan  # no points
        self.y, self.worth = y.astype(int), worth.astype(float)
        self.y[0] = 1

    def compared(self, a: Floats | None = None, b: Floats | None = None, *, share: float = 0.3) -> Comparison:
        return compare(
            self.a if a is None else a,
            self.b if b is None else b,
            self.y,
            lead_id=self.lead,
            lists=self.lists,
            share=share,
            worth=self.worth,
            touch_cost=3.0,
            shares=SHARES,
            resamples=20,
        )


snapshots = st.builds(
    Drawn,
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.integers(0, 2),
            st.integers(0, 4),
            st.integers(0, 3),
            st.booleans(),
            st.integers(0, 100),
        ),
        min_size=1,
        max_size=14,
    ),
)


def numbers(place: Place) -> dict[str, tuple[float, float, float]]:
    """Differences of a place with their intervals."""
    assert place.value is not None
    told = {"captured": place.captured, "lift": place.lift, "value": place.value}
    return {name: (one.value, one.low, one.high) for name, one in told.items()}


@few_examples
@given(snapshots, st.floats(0.05, 1.0))
def test_a_ranking_and_itself_differ_in_nothing(drawn: Drawn, share: float) -> None:
    for ranking in (drawn.a, drawn.b):
        both = drawn.compared(ranking, ranking, share=share)
        assert not both.swap.any()
        for place in both.curve:
            for told in numbers(place).values():
                assert all(end == 0 or np.isnan(end) for end in told)
            assert place.word == "level"
            assert place.a == place.b
            assert (place.a.only, place.a.only_converted, place.a.only_value) == (0, 0, 0)


@few_examples
@given(snapshots, st.floats(0.05, 1.0))
def test_to_swap_the_two_flips_every_sign(drawn: Drawn, share: float) -> None:
    one, other = drawn.compared(share=share), drawn.compared(drawn.b, drawn.a, share=share)
    np.testing.assert_array_equal(one.swap, -other.swap)
    assert one.agreement == other.agreement
    opposite = {"better": "worse", "worse": "better", "level": "level"}
    for here, there in zip(one.curve, other.curve, strict=True):
        assert (here.a, here.b) == (there.b, there.a)
        assert here.word == opposite[there.word]
        back = numbers(there)
        for name, (value, low, high) in numbers(here).items():
            np.testing.assert_allclose((value, low, high), [-back[name][at] for at in (0, 2, 1)], atol=1e-9)


@few_examples
@given(snapshots)
def test_captured_rises_to_everything(drawn: Drawn) -> None:
    both = drawn.compared()
    for side in ("a", "b"):
        captured = [getattr(place, side).captured.value for place in both.curve]
        assert all(0 <= one <= other + 1e-12 for one, other in pairwise(captured))
        assert captured[-1] == pytest.approx(1)
    last = both.curve[-1]
    assert (last.a.only, last.b.only) == (0, 0)
    assert last.handed_over == len(drawn.y)
    assert [place.share for place in both.curve] == sorted({*SHARES, 0.3})
    assert both.at_capacity.share == 0.3


@few_examples
@given(snapshots, st.floats(0.05, 1.0))
def test_the_swap_set_explains_the_difference(drawn: Drawn, share: float) -> None:
    place = drawn.compared(share=share).at_capacity
    assert place.a.only == pytest.approx(place.b.only)
    assert place.a.found - place.b.found == pytest.approx(place.a.only_converted - place.b.only_converted)
    assert place.value is not None
    assert place.a.only_value is not None
    assert place.b.only_value is not None
    assert place.value.value == pytest.approx(place.a.only_value - place.b.only_value)
    assert place.a.lift.value == pytest.approx(place.a.captured.value / share)


@few_examples
@given(snapshots)
def test_a_customer_on_several_lists_brings_its_worth_once(drawn: Drawn) -> None:
    drawn.worth = np.array([float(name.rpartition(" ")[2]) + 1 for name in drawn.lead])  # the same on every list
    everybody = drawn.compared().curve[-1]
    customers = {name: worth for name, worth, y in zip(drawn.lead, drawn.worth, drawn.y, strict=True) if y}
    for side in (everybody.a, everybody.b):
        assert side.value is not None
        assert side.value.value == pytest.approx(sum(customers.values()) - 3.0 * len(drawn.y))


@few_examples
@given(snapshots, st.randoms(use_true_random=False))
def test_neither_the_scale_of_a_ranking_nor_the_order_of_rows_matters(drawn: Drawn, random: st.DataObject) -> None:
    one = drawn.compared()
    assert drawn.compared(np.exp(drawn.a) * 7 - 3).curve == one.curve
    order = list(range(len(drawn.y)))
    random.shuffle(order)  # type: ignore[attr-defined]
    for name in ("lead", "lists", "a", "b", "y", "worth"):
        setattr(drawn, name, getattr(drawn, name)[order])
    again = drawn.compared()
    np.testing.assert_allclose(again.swap, one.swap[order])
    for here, there in zip(one.curve, again.curve, strict=True):
        np.testing.assert_allclose([*numbers(here).values()], [*numbers(there).values()], atol=1e-9)


@few_examples
@given(st.lists(st.integers(0, 2), min_size=1, max_size=5), st.integers(1, 5))
def test_who_is_handed_over_is_the_mean_over_all_orders_of_equals(ranking: list[int], wanted: int) -> None:
    rows, most = range(len(ranking)), min(wanted, len(ranking))
    orders = [order for order in permutations(rows) if all(ranking[x] >= ranking[y] for x, y in pairwise(order))]
    expected = [np.mean([row in order[:most] for order in orders]) for row in rows]
    np.testing.assert_allclose(handed_over(stand(ranking, np.zeros(len(ranking))), most / len(ranking)), expected)


def slowly(ranking: Floats, gains: Floats, share: float) -> float:
    """What the top of one list brings, lead by lead."""
    left, brought = share * len(ranking), 0.0
    for rank in sorted({-np.inf if np.isnan(r) else r for r in ranking}, reverse=True):
        equals = [g for r, g in zip(ranking, gains, strict=True) if (-np.inf if np.isnan(r) else r) == rank]
        part = min(1.0, max(0.0, left / len(equals)))
        brought += part * sum(equals)
        left -= len(equals)
    return brought


@few_examples
@given(snapshots, st.lists(st.integers(0, 3), min_size=6, max_size=6))
def test_a_lead_drawn_twice_is_as_if_it_stood_there_twice(drawn: Drawn, times: list[int]) -> None:
    lead = np.unique(drawn.lead, return_inverse=True)[1]
    counts = np.array([times[: lead.max() + 1], [1] * (lead.max() + 1)], float)
    gains = np.stack([drawn.y, drawn.y * drawn.worth], axis=1).astype(float)
    told = found(stand(drawn.b, drawn.lists), gains, lead=lead, counts=counts, shares=np.array(SHARES))
    for k, weights in enumerate(counts):
        for kind in range(2):
            for at, share in enumerate(SHARES):
                expected = 0.0
                for on in np.unique(drawn.lists):
                    rows = np.repeat(np.arange(len(lead)), weights[lead].astype(int))
                    rows = rows[drawn.lists[rows] == on]
                    expected += slowly(drawn.b[rows], gains[rows, kind], share) if len(rows) else 0.0
                assert told[k, kind, at] == pytest.approx(expected, abs=1e-9)


@few_examples
@given(snapshots)
def test_groups_add_up_to_the_whole(drawn: Drawn) -> None:
    both = drawn.compared()
    labels = {"list": named([f"list {n}" for n in drawn.lists], drawn.lead)}
    rows = by_group(labels, drawn.y, of_a=both.of_a, of_b=both.of_b, lead_id=drawn.lead, resamples=20)
    assert sum(row.converted for row in rows) == both.converted
    assert sum(row.snapshots for row in rows) == both.snapshots
    assert sum((row.captured_a or 0) * row.converted for row in rows) == pytest.approx(both.at_capacity.a.found)
    assert all((row.word is None) or row.converted >= 10 for row in rows)


def test_percentiles_fall_within_each_list() -> None:
    assert percentile(stand([1, 2, 9, 9], [0, 0, 1, 1])).tolist() == [0.25, 0.75, 0.5, 0.5]


def test_better_and_worse_are_told_where_the_evidence_is() -> None:
    generator = np.random.default_rng(3)
    truth = generator.normal(size=4000)
    outcome = (generator.random(4000) < 1 / (1 + np.exp(3 - truth))).astype(int)
    lead, lists = np.arange(4000) % 1500, np.arange(4000) % 6
    noise = truth + generator.normal(size=4000) * 2
    told = {"lead_id": lead, "lists": lists, "share": 0.1, "resamples": 100, "shares": (0.1, 0.5, 1.0)}
    assert compare(truth, noise, outcome, **told).at_capacity.word == "better"
    assert compare(noise, truth, outcome, **told).at_capacity.word == "worse"
    # Points that are the truth, coarsely told: as good for the same calls as far as anybody can tell.
    assert (
        compare(truth + generator.normal(size=4000) * 0.05, np.round(truth * 10), outcome, **told).at_capacity.word
        == "level"
    )


def test_without_worth_there_is_no_value() -> None:
    place = compare([2, 1], [1, 2], [1, 0], lead_id=["x", "y"], lists=[0, 0], share=0.5, resamples=10).at_capacity
    assert (place.value, place.a.value, place.a.only_value) == (None, None, None)
    plain = place.as_dict()
    assert plain["value"] is None
    assert plain["a"]["captured"]["value"] == 1.0
    assert plain["word"] == "level"


def test_agreement_is_within_lists() -> None:
    # Within each list the orders are opposite, though the second list stands above the first in both.
    told = agreement([1, 2, 11, 12], [2, 1, 12, 11], lists=[0, 0, 1, 1])
    assert (told.spearman, told.kendall) == (-1.0, -1.0)


def test_rare_values_are_told_together() -> None:
    values = [f"v{n:02}" for n in range(14) for _ in range(20 - n)] + [None]
    told = named(values, [f"lead {n}" for n in range(len(values))])
    assert set(told) == {*(f"v{n:02}" for n in range(12)), OTHER, NOT_KNOWN}
    rows = by_group(
        {"x": told}, np.r_[1, np.zeros(len(values) - 1)], of_a=np.ones(len(values)), of_b=np.zeros(len(values)),
        lead_id=np.arange(len(values)), resamples=10,
    )  # fmt: skip
    assert [row.value for row in rows][-2:] == [OTHER, NOT_KNOWN]


def test_what_stands_out_is_more_common_than_among_all() -> None:
    generator = np.random.default_rng(1)
    part = (generator.random(2000) < 0.2).astype(float)
    channel = np.where(generator.random(2000) < 0.1 + 0.4 * part, "referral", "search").astype(object)
    country = np.where(generator.random(2000) < 0.5, "CH", "FR").astype(object)
    (found_,) = standouts({"channel": channel, "country": country}, part)
    assert (found_.column, found_.value) == ("channel", "referral")
    assert found_.share > 2 * found_.of_all
    assert common([["a", "a", "b"], ["a"]], np.array([1.0, 1.0]), most=1) == [("a", 1.0)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"share": 0.0}, r"share must lie in \(0, 1\], got 0.0"),
        ({"share": 1.1}, r"share must lie in \(0, 1\], got 1.1"),
        ({"outcome": [0, 0]}, "none of the 2 snapshots converted"),
        ({"outcome": [0, 2]}, "outcome must be 0 or 1, found 2.0 at position 1"),
        ({"a": [1, 2, 3]}, "one entry per snapshot each, found 3 and 2"),
        ({"lead_id": [None, "x"]}, "lead_id must not be null"),
    ],
)
def test_what_cannot_be_compared_is_refused(wrong: dict[str, object], message: str) -> None:
    given_ = {"a": [1, 2], "b": [2, 1], "outcome": [0, 1], "lead_id": ["x", "y"], "lists": [0, 0], "share": 0.5}
    with pytest.raises(ValueError, match=message):
        compare(**(given_ | wrong))  # type: ignore[arg-type]

"""Small groups are pulled towards the whole, large ones are not, and what is told of them is right as often as said."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.pooling import paule_mandel, pool_intercepts
from models.recalibration import REACH, fit_shift, logistic

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]


def simulated(sizes: list[int], shifts: npt.ArrayLike, *, seed: int = 0) -> tuple[Floats, Floats, Positions, Positions]:
    """Log odds promised, outcomes shifted by group, groups and leads; two snapshots per lead with one fate."""
    random = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    lead = np.arange(group.size) // 2
    z = random.normal(-2, 1, group.size)[lead * 2 % group.size]
    y = random.random(group.size)[lead] < logistic(z + np.asarray(shifts, float)[group])
    return z, y.astype(float), group, lead


def own(z: Floats, y: Floats) -> float:
    """A group's own intercept; as far out as can be where only one outcome was seen."""
    found = float(fit_shift(z, np.ones((1, z.size)), y.sum(keepdims=True))[0])
    return found if np.isfinite(found) else (REACH if y[0] else -REACH)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 10_000), st.floats(0, 2))
def test_pooling_lies_between_a_group_and_the_whole(sizes: list[int], seed: int, spread: float) -> None:
    shifts = np.random.default_rng(seed).normal(0, spread, len(sizes))
    z, y, group, lead = simulated(sizes, shifts, seed=seed)
    pooled = pool_intercepts(z, y, group=group, lead=lead)
    if len(set(y)) < 2:
        assert np.isnan(pooled.whole)
        assert pooled.intervals() == [None] * len(sizes)
        return
    assert pooled.between_variance >= 0
    for number, told in enumerate(pooled.intercept):
        low, high = sorted([pooled.whole, own(z[group == number], y[group == number])])
        assert low - 1e-6 <= told <= high + 1e-6
    assert (pooled.low < pooled.intercept).all()
    assert (pooled.intercept < pooled.high).all()


def test_a_huge_group_is_hardly_moved_and_single_snapshots_all_the_way() -> None:
    z, y, group, lead = simulated([20_000, 8_000, 8_000, 1, 1, 1], [0.0, 0.5, -0.6, 0, 0, 0], seed=1)
    y[-3:] = 1, 0, 1
    pooled = pool_intercepts(z, y, group=group, lead=lead)
    for number in range(3):
        inside = group == number
        assert pooled.intercept[number] == pytest.approx(own(z[inside], y[inside]), abs=0.02)
    assert pooled.intercept[3:] == pytest.approx(pooled.whole, abs=0.25)
    # Of a single snapshot nothing is known but how far groups lie apart.
    assert (pooled.high - pooled.low)[3:].min() > 5 * (pooled.high - pooled.low)[:3].max()
    single = pool_intercepts(z[:500], y[:500], group=np.arange(500), lead=np.arange(500))
    assert single.intercept == pytest.approx(np.full(500, single.whole), abs=1e-12)


def test_equal_groups_differ_by_nothing() -> None:
    z, y, *_ = simulated([300], [0.3])
    four = pool_intercepts(np.tile(z, 4), np.tile(y, 4), group=np.repeat(range(4), 300), lead=np.arange(1200))
    assert four.between_variance == 0
    assert four.intercept.tolist() == [four.whole] * 4


def test_what_all_groups_share_is_not_more_certain_than_the_whole() -> None:
    z, y, *_ = simulated([100], [0.3])
    many = pool_intercepts(np.tile(z, 60), np.tile(y, 60), group=np.repeat(range(60), 100), lead=np.arange(6000))
    mu = logistic(np.tile(z, 60) + many.whole)
    assert (many.high - many.low >= 2 * 1.96 / np.sqrt((mu * (1 - mu)).sum())).all()


def test_a_small_group_far_from_the_whole_is_told_as_the_whole_but_less_surely() -> None:
    group = np.repeat(range(4), [400, 400, 8, 8])
    y = np.r_[np.tile([0, 1], 400), np.ones(8), np.tile([0, 1], 4)]  # the third converts altogether
    pooled = pool_intercepts(np.zeros(816), y, group=group, lead=np.arange(816))
    assert pooled.between_variance == 0
    assert pooled.intercept.tolist() == [pooled.whole] * 4
    width = pooled.high - pooled.low
    assert width[2] > 1.03 * width[3] > width[0]


def test_the_numbering_of_groups_and_the_order_of_rows_do_not_matter() -> None:
    z, y, group, lead = simulated([400, 300, 30], [0.4, -0.4, 1.0])
    before = pool_intercepts(z, y, group=group, lead=lead)
    order = np.random.default_rng(0).permutation(z.size)
    after = pool_intercepts(z[order], y[order], group=2 - group[order], lead=lead[order])
    assert after.intercept[::-1] == pytest.approx(before.intercept, abs=1e-6)
    assert after.low[::-1] == pytest.approx(before.low, abs=1e-6)


def test_one_lucky_lead_does_not_set_groups_apart() -> None:
    """Without Cochran's rule this one conversion at 0.001 makes a variance of more than 1."""
    z, y, group, lead = simulated([3_000, 3_000, 2], [0, 0, 0])
    z[-2:], y[-2:] = np.log(0.001), (1, 0)
    assert pool_intercepts(z, y, group=group, lead=lead).between_variance < 0.05


def test_snapshots_of_one_lead_are_one_piece_of_evidence() -> None:
    z, y, group, _ = simulated([600, 600], [0.5, -0.5])
    apart = pool_intercepts(z, y, group=group, lead=np.arange(z.size))
    together = pool_intercepts(
        np.repeat(z, 9), np.repeat(y, 9), group=np.repeat(group, 9), lead=np.arange(9 * z.size) // 9
    )
    assert together.intercept == pytest.approx(apart.intercept, abs=0.02)
    assert together.high - together.low == pytest.approx(apart.high - apart.low, rel=0.1)


def test_extreme_promises_do_not_break_it() -> None:
    z = np.array([36.0, -36.0, 36.0, -36.0, 0.0, 0.0])
    pooled = pool_intercepts(z, [0, 1, 1, 0, 0, 1], group=[0, 0, 1, 1, 2, 2], lead=range(6))
    assert np.isfinite([*pooled.intercept, *pooled.low, *pooled.high]).all()


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(0.01, 3)), max_size=8))
def test_the_variance_found_makes_the_squared_distances_sum_to_what_they_should(
    groups: list[tuple[float, float]],
) -> None:
    away, error = np.array(groups).reshape(-1, 2).T
    found = paule_mandel(away, error)
    total = (away**2 / (found + error)).sum()
    assert (
        total == pytest.approx(len(groups) - 1, abs=1e-6)
        if found
        else total <= max(len(groups) - 1, total * (len(groups) < 2))
    )


@pytest.mark.parametrize(("spread", "least"), [(0.0, 0.95), (0.4, 0.85)])
def test_intervals_hold_the_truth(spread: float, least: float) -> None:
    held = []
    for seed in range(40):
        shifts = np.random.default_rng(seed + 500).normal(0, spread, 6)
        z, y, group, lead = simulated([1500, 800, 400, 200, 100, 40], shifts, seed=seed)
        pooled = pool_intercepts(z, y, group=group, lead=lead)
        held += ((pooled.low <= shifts) & (shifts <= pooled.high)).tolist()
    assert np.mean(held) >= least

"""Members are believed as far as later windows bear them out, and little where there is little to go by."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.tables import MICROSECONDS_PER_DAY
from models.skill import FEW, NO_SKILL, InTime, Said, Window, weigh
from tests.models import data
from tests.models.data import few_examples, learn_from
from tests.models.windows import said, window, windows

SEEDS = st.integers(0, 2**31)
MANY = 10_000


def reordered(one: Window, order: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Window:
    later = one.later
    return replace(
        one,
        later=Said(
            later.base, later.parts[order], later.outcome[order], later.lead_id[order], later.as_of[order]
        ),
    )  # fmt: skip


@few_examples
@given(SEEDS, st.floats(-2, 2), st.floats(-2, 2), st.sampled_from([0.0, 0.01, 1.0, 10.0]), st.integers(5, 200))
def test_weights_are_finite_and_never_turn_over_whatever_comes(
    seed: int, logistic: float, trees: float, spread: float, leads: int
) -> None:
    some = [window(seed + n, begins=20, worth=(logistic, trees), spread=spread, leads=leads) for n in range(3)]  # type: ignore[arg-type]
    weights = weigh(some, converted=500)
    assert np.isfinite(weights).all()
    assert ((weights >= 0) & (weights <= 1)).all()
    # The order of rows, and of windows, is none.
    order = np.random.default_rng(seed).permutation(leads)
    np.testing.assert_allclose(weigh([reordered(one, order) for one in some], converted=500), weights, atol=1e-8)
    np.testing.assert_allclose(weigh(some[::-1], converted=500), weights, atol=1e-8)


def test_what_is_borne_out_is_believed_and_noise_is_not() -> None:
    for worth in ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.4, 0.7)):
        found = weigh(windows(worth=worth, leads=2_000), converted=MANY)  # type: ignore[arg-type]
        assert found == pytest.approx(worth, abs=0.25)
    assert weigh(windows(worth=(0.0, 0.0), leads=2_000), converted=MANY).max() < 0.25  # type: ignore[arg-type]


def test_a_member_that_is_wrong_everywhere_is_left_out() -> None:
    weights = weigh(windows(worth=(1.0, -1.0), leads=2_000), converted=MANY)  # type: ignore[arg-type]
    assert weights[1] == 0.0
    assert weights[0] > 0.5


def test_windows_that_disagree_are_weak_evidence() -> None:
    """Turned over for a while and back again, as drift was seen to do: they say less than windows that agree on it."""
    agree = weigh(windows(worth=(0.2, 1.0), leads=3_000), converted=MANY)  # type: ignore[arg-type]
    disagree = weigh(
        [window(n, begins=20, worth=(slope, 1.0), leads=3_000) for n, slope in enumerate((1.2, -0.8, 0.2))],  # type: ignore[arg-type]
        converted=MANY,
    )
    assert agree[0] < 0.4 < 0.6 < disagree[0]


def test_little_to_learn_from_is_believed_little() -> None:
    assert weigh([], converted=0).tolist() == [0.0, 0.0]
    assert weigh([], converted=int(FEW)) == pytest.approx([0.5 * (1 - NO_SKILL)] * 2)
    assert weigh([], converted=10**9) == pytest.approx([1 - NO_SKILL] * 2)
    # A handful of snapshots adds little either way.
    handful = [window(0, begins=20, worth=(1.0, 1.0), leads=12)]  # type: ignore[arg-type]
    assert weigh(handful, converted=45).max() < 45 / (45 + FEW) + 0.15


def test_where_nothing_is_to_be_told_it_is_soon_certain() -> None:
    """Leads left out of the fit say so with all that was learned from; a few windows alone leave it open."""
    in_time = InTime(MANY, said(3, worth=(0.0, 0.0), leads=4_000))
    alone = windows(worth=(0.0, 0.0), leads=12)  # type: ignore[arg-type]
    assert weigh(alone, converted=MANY, in_time=in_time).max() < 0.01
    assert weigh(alone, converted=MANY).max() > 0.01


def test_leads_left_out_of_the_fit_say_more_than_a_few_windows_unless_drift_lasts() -> None:
    in_time = InTime(MANY, said(3, worth=(0.5, 0.8), leads=6_000))
    agree = weigh(windows(worth=(0.5, 0.8), leads=200), converted=MANY, in_time=in_time)  # type: ignore[arg-type]
    assert agree == pytest.approx((0.5, 0.8), abs=0.12)
    # Windows of many leads that agree on less: it is less.
    less = weigh(windows(worth=(0.2, 0.8), leads=4_000), converted=MANY, in_time=in_time)  # type: ignore[arg-type]
    assert less[0] < agree[0] - 0.05


def test_members_of_fewer_conversions_showed_less_than_the_final_ones_will() -> None:
    shown = said(3, worth=(0.6, 0.6), leads=4_000)
    few, many = (weigh([], converted=MANY, in_time=InTime(learned, shown)) for learned in (120, MANY))
    assert (few > many + 0.1).all()


def test_the_level_is_another_matter() -> None:
    at_home, elsewhere = (weigh(windows(level=level, leads=2_000), converted=MANY) for level in (0.0, 1.0))
    assert elsewhere == pytest.approx(at_home, abs=0.1)


def test_a_lead_seen_often_is_one_piece_of_evidence() -> None:
    once = said(3, worth=(0.5, 0.5), leads=60)
    times = np.tile(np.arange(60), 20)
    often = Said(once.base, once.parts[times], once.outcome[times], once.lead_id[times], once.as_of[times])
    others = replace(often, lead_id=np.array([f"{lead} {n}" for n, lead in enumerate(often.lead_id)], object))
    one, many, strangers = (weigh([Window(0, 100, later, later)], converted=MANY) for later in (once, often, others))
    assert np.abs(many - one).max() < np.abs(strangers - one).max()


def test_a_window_forgets_what_was_not_known_and_halves_keep_every_row() -> None:
    (one,) = windows(count=1)
    begins, horizon = 35 * MICROSECONDS_PER_DAY, 5
    known = one.known_by(begins, horizon_days=horizon).later
    assert known.as_of.max() <= begins - horizon * MICROSECONDS_PER_DAY
    assert 0 < len(known.outcome) < len(one.later.outcome)
    first, second = one.halves()
    assert first.later.as_of.max() < second.begins == second.later.as_of.min()
    assert len(first.later.outcome) + len(second.later.outcome) == len(one.later.outcome)
    at_once = replace(one, later=replace(one.later, as_of=np.full_like(one.later.as_of, 7)))
    assert at_once.halves() == (at_once,)


def test_what_is_not_borne_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    full = data.learned().model  # shared by all tests: learned before anything is put in its place
    monkeypatch.setattr("models.estimator.weigh", lambda *_, **__: np.array([0.25, 0.1]))
    learned = learn_from(data.training())
    (note,) = learned.notes
    assert note == (
        "later snapshots bear out 25% of the differences between leads that the logistic member sees and 10% of the "
        "trees'; no more are told"
    )
    assert learned.weights == {"logistic": 0.25, "trees": 0.1}
    spread = learned.model.log_odds(data.fresh().frame).std() / full.log_odds(data.fresh().frame).std()
    assert spread < 0.4


@pytest.mark.parametrize("seed", range(3))
def test_a_model_of_noise_costs_next_to_nothing_against_the_base_rate(seed: int) -> None:
    rows = data.simulated(1_000, seed=9)
    rows.outcome[:] = np.random.default_rng(seed).random(len(rows.outcome)) < 0.2
    p = learn_from(rows).model.probability(data.fresh().frame)
    expected_log_loss = -(0.2 * np.log(p) + 0.8 * np.log1p(-p)).mean()
    assert expected_log_loss + (0.2 * np.log(0.2) + 0.8 * np.log(0.8)) < 0.005

"""What later outcomes bear out is kept, noise is not; and whatever comes, nothing is turned over."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from models.calibration import SLOPE_FLOOR, Calibrator
from models.skill import share_borne_out
from tests.models import data
from tests.models.data import Floats, Integers, few_examples, learn_from

SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed: int, *, slope: float, leads: int = 400, spread: float = 1.0) -> tuple[Floats, Integers, list[str]]:
    random = np.random.default_rng(seed)
    z = spread * random.normal(size=leads) - 1
    outcome = (random.random(leads) < expit(slope * (z + 1) - 1)).astype(np.int64)
    outcome[:2] = 0, 1
    return z, outcome, [f"lead {n}" for n in range(leads)]


@few_examples
@given(SEEDS, st.floats(-2, 2), st.sampled_from([0.0, 0.01, 1.0, 10.0]), st.integers(5, 200))
def test_it_is_a_share_whatever_comes(seed: int, slope: float, spread: float, leads: int) -> None:
    z, outcome, who = drawn(seed, slope=slope, spread=spread, leads=leads)
    share = share_borne_out(z, outcome, lead_id=who)
    assert 0 <= share < 1
    # The level is another matter, and the order of rows is none.
    assert share_borne_out(z + 3, outcome, lead_id=who) == pytest.approx(share, abs=0.3)
    assert share_borne_out(z[::-1], outcome[::-1], lead_id=who[::-1]) == pytest.approx(share, abs=1e-6)


def test_noise_is_not_kept_and_skill_is() -> None:
    def shares(**given: float) -> Floats:
        cases = [drawn(seed, **given) for seed in range(40)]  # type: ignore[arg-type]
        return np.array([share_borne_out(z, outcome, lead_id=who) for z, outcome, who in cases])

    nothing, something, little = shares(slope=0.0), shares(slope=1.0), shares(slope=0.3, spread=0.5)
    assert np.median(nothing) == 0
    assert something.min() > 0.9
    assert nothing.mean() < little.mean() < something.mean()
    # Turned over by drift, it has learned something all the same.
    assert shares(slope=-1.0).min() > 0.8


def test_a_lead_seen_often_is_one_piece_of_evidence() -> None:
    z, outcome, who = drawn(3, slope=0.3, leads=200)
    once = share_borne_out(z, outcome, lead_id=who)
    again = share_borne_out(np.tile(z, 10), np.tile(outcome, 10), lead_id=who * 10)
    assert again == pytest.approx(once, abs=0.05)
    others = [f"{lead} {n}" for n in range(10) for lead in who]
    assert share_borne_out(np.tile(z, 10), np.tile(outcome, 10), lead_id=others) > once + 0.05


@given(
    st.floats(SLOPE_FLOOR, 5),
    st.floats(SLOPE_FLOOR, 5),
    st.floats(-5, 5),
    st.floats(0, 1),
    st.floats(-10, 10),
    st.lists(st.floats(-20, 20), min_size=1),
)
def test_leads_are_drawn_together_around_one_that_stays(
    a: float, b: float, c: float, share: float, around: float, asked: list[float]
) -> None:
    given_one = Calibrator("beta", a, b, c)
    together = given_one.drawn_together(share, around=around)
    assert Calibrator.from_dict(together.as_dict()) == together
    before, after = given_one.apply_log_odds(asked), together.apply_log_odds(asked)
    stays = float(given_one.apply_log_odds(around))
    kept = min(1.0, max(share, SLOPE_FLOOR / min(a, b)))
    np.testing.assert_allclose(after, stays + kept * (before - stays), atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_a_model_of_noise_costs_next_to_nothing_against_the_base_rate(seed: int) -> None:
    rows = data.simulated(1_000, seed=9)
    rows.outcome[:] = np.random.default_rng(seed).random(len(rows.outcome)) < 0.2
    p = learn_from(rows).model.probability(data.fresh().frame)
    expected_log_loss = -(0.2 * np.log(p) + 0.8 * np.log1p(-p)).mean()
    assert expected_log_loss + (0.2 * np.log(0.2) + 0.8 * np.log(0.8)) < 0.005


def test_what_is_not_borne_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    full = data.learned().model  # shared by all tests: learned before anything is put in its place
    monkeypatch.setattr("models.estimator.share_borne_out", lambda *_, **__: 0.25)
    learned = learn_from(data.training())
    assert "the newest snapshots bear out 25% of the differences between leads; no more are told" in learned.notes
    spread = learned.model.log_odds(data.fresh().frame).std() / full.log_odds(data.fresh().frame).std()
    assert spread == pytest.approx(0.25, abs=0.02)

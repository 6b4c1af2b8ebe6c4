"""A candidate passes when it is shown to be no worse than the champion, and not because nothing can be told."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from models.evaluation import evaluate
from models.gate import PASSED, REFUSE, Check
from models.non_inferiority import LEAST_IN_COMMON, Rivals, against_champion, relative_log_loss
from tests.models.data import few_examples
from tests.models.test_gate import LIMITS


def rivals(leads: int = 1500, *, candidate: float = 1.0, champion: float = 1.0, seed: int = 0) -> Rivals:
    """Leads seen twice; each version knows so much of what decides, the rest is noise of its own."""
    random = np.random.default_rng(seed)
    z = np.repeat(random.normal(size=leads), 2)
    y = (random.random(2 * leads) < expit(z - 1)).astype(np.int64)

    def told(share: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.asarray(expit(share * z - 1 + (1 - share) * random.normal(size=2 * leads)))

    return Rivals("7", told(candidate), told(champion), y, [f"lead {n // 2}" for n in range(2 * leads)])


def judged(of: Rivals | None) -> Check:
    return against_champion(of, limits=LIMITS, resamples=100, seed=7)


@pytest.mark.parametrize(
    ("of", "state", "said"),
    [
        (None, PASSED, "The first"),
        (rivals(), PASSED, "No worse"),
        (rivals(champion=0.3), PASSED, "Better. On 1,500 leads"),
        (rivals(candidate=0.3), REFUSE, "Worse. On 1,500 leads"),
        (rivals(150, candidate=0.9, champion=0.9), REFUSE, "Not shown to be as good: it may be worse by"),
        (rivals(30), REFUSE, "with fewer than 20 nothing can be said"),
    ],
)
def test_no_worse_must_be_shown(of: Rivals | None, state: str, said: str) -> None:
    found = judged(of)
    assert (found.state, found.forcible) == (state, True)
    assert said in found.sentence
    assert of is None or "version 7" in found.sentence


def test_nothing_can_be_said_of_versions_that_foretold_nothing_in_common() -> None:
    nobody = Rivals("7", np.array([]), np.array([]), np.array([], np.int64), [])
    assert judged(nobody).state == REFUSE


def test_the_margin_was_set_beforehand() -> None:
    slightly = rivals(6000, candidate=0.97)
    found = relative_log_loss(slightly, resamples=100, seed=7)
    assert 0 < found.low < found.high
    for margin, state in ((found.high * 1.01, PASSED), (found.high * 0.99, REFUSE)):
        limits = replace(LIMITS, most_log_loss_above_champion=margin)
        assert against_champion(slightly, limits=limits, resamples=100, seed=7).state == state


@few_examples
@given(seed=st.integers(0, 1000))
def test_the_difference_is_that_of_the_two_log_losses_in_any_order_of_rows(seed: int) -> None:
    of = rivals(100, candidate=0.8, champion=0.6, seed=seed)
    shuffled = np.random.default_rng(seed).permutation(len(of.lead_id))
    again = Rivals(
        "7", of.of_candidate[shuffled], of.of_champion[shuffled], of.converted[shuffled],
        [of.lead_id[row] for row in shuffled],
    )  # fmt: skip
    found, other = (relative_log_loss(rows, resamples=50, seed=3) for rows in (of, again))
    assert (other.value, other.low, other.high) == pytest.approx((found.value, found.low, found.high))
    losses = [
        evaluate(p, of.converted, lead_id=of.lead_id, base_rate_probability=0.3, resamples=1).metrics["log_loss"].value
        for p in (of.of_candidate, of.of_champion)
    ]
    assert found.value == pytest.approx(losses[0] / losses[1] - 1)


def test_a_level_interval_covers_nothing_as_often_as_it_says() -> None:
    """Two versions equally good by construction: about one interval in twenty does not hold zero."""
    held = 0
    for seed in range(60):
        of = rivals(200, candidate=0.7, champion=0.7, seed=seed)
        found = relative_log_loss(of, resamples=100, seed=seed)
        held += found.low <= 0 <= found.high
    assert held >= 51


def test_how_many_must_have_converted() -> None:
    of = rivals(60)
    leads = np.asarray(of.lead_id)
    converted = np.unique(leads[of.converted == 1])
    assert converted.size >= LEAST_IN_COMMON
    few = replace(of, converted=np.where(np.isin(leads, converted[LEAST_IN_COMMON - 1 :]), 0, of.converted))
    enough = replace(of, converted=np.where(np.isin(leads, converted[LEAST_IN_COMMON:]), 0, of.converted))
    assert (judged(few).state, judged(few).value) == (REFUSE, "cannot be told")
    assert judged(enough).value != "cannot be told"

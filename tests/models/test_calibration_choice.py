"""The choice is made out of time: what a window shows can change how it is judged, never what is judged on it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from models.calibration import Calibrator, identity
from models.calibration_choice import CANDIDATES, Choice, choose_calibration, judge, level_kept
from models.skill import Said, Window, weigh
from tests.models.data import few_examples
from tests.models.windows import DAY, both, windows

HORIZON = 5


def chosen(some: list[Window]) -> Choice:
    return choose_calibration(some, weights=both(1.0), share=0.25, horizon_days=HORIZON)


def poisoned(one: Window, *, open_at: int, horizon_days: int) -> Window:
    """The same window with every outcome turned over that was still open at a moment."""
    later = one.later
    still_open = later.as_of + horizon_days * DAY > open_at
    return replace(one, later=replace(later, outcome=np.where(still_open, 1 - later.outcome, later.outcome)))


@few_examples
@given(st.integers(0, 2**31), st.sampled_from([0, 1, HORIZON, 25]), st.integers(0, 4))
def test_what_was_still_open_when_a_window_began_never_reaches_what_is_judged_on_it(
    seed: int, horizon: int, place: int
) -> None:
    some = windows(seed % 1_000, leads=900, worth=(1.0, 0.5))  # type: ignore[arg-type]
    judged, shifted = judge(some, horizon_days=horizon)
    moments = sorted({one.begins for one in judged})
    if not moments:
        return
    moment = moments[place % len(moments)]
    again, shifted_again = judge(
        [poisoned(one, open_at=moment, horizon_days=horizon) for one in some], horizon_days=horizon
    )

    def up_to(these: "tuple[object, ...]") -> list[object]:
        return [one for one in these if one.begins <= moment]  # type: ignore[attr-defined]

    before, after = up_to(judged), up_to(again)
    assert [one.calibrator for one in before] == [one.calibrator for one in after]  # type: ignore[attr-defined]
    keys = ("begins", "share", "shift", "predicted_before", "predicted_after")
    for ours, theirs in zip(shifted, shifted_again, strict=True):
        if ours["begins"] <= moment:
            assert [ours[key] for key in keys] == [theirs[key] for key in keys]
    # And the poison is strong: where outcomes were open, the losses differ.
    assert any(
        not np.array_equal(a.losses, b.losses)  # type: ignore[attr-defined]
        for a, b in zip(before, after, strict=True)
        if a.begins == moment  # type: ignore[attr-defined]
    )


def test_nothing_is_judged_where_no_outcome_was_known() -> None:
    choice = chosen([])
    assert (choice.method, choice.calibrator, choice.losses, choice.judged) == ("none", identity(), (), 0)
    far = choose_calibration(windows(), weights=both(1.0), share=0.25, horizon_days=500)
    assert (far.method, far.losses, far.shifted) == ("none", (), ())


def test_what_needs_no_calibration_gets_none() -> None:
    choice = chosen(windows(leads=5_000))
    assert choice.method == "none"
    assert choice.calibrator == identity()
    assert [one["method"] for one in choice.losses] == list(CANDIDATES)
    assert min(one["above_best"] for one in choice.losses) == 0.0


def test_a_level_that_stays_off_is_left_to_the_shift_and_is_never_put_right_twice() -> None:
    choice = chosen(windows(leads=3_000, level=1.0))
    for calibrator in [choice.calibrator, *(one.calibrator for one in judge(windows(level=1.0), horizon_days=5)[0])]:
        assert abs(calibrator.apply_log_odds([-1.5])[0] + 1.5) < 0.35


@few_examples
@given(st.integers(0, 2**31), st.floats(-2, 2), st.floats(0.3, 2))
def test_a_calibration_keeps_the_mean_and_the_order(seed: int, level: float, slope: float) -> None:
    z = np.random.default_rng(seed).normal(-2, 1.5, 400)
    calibrator = level_kept(Calibrator("temperature", slope, slope, level), z)
    assert calibrator.apply(z).mean() == pytest.approx(expit(z).mean(), abs=1e-9)
    assert (calibrator.a, calibrator.b) == (slope, slope)
    assert level_kept(identity(), np.empty(0)) == identity()


def bent(said: Said) -> Said:
    """The same leads, whose low end is said three times as far from the middle as it is: no slope can mend that."""
    z = said.parts.sum(axis=1)
    return replace(said, parts=np.column_stack([np.where(z < 0, 3 * z, z) / 2] * 2))


def test_what_no_weight_can_mend_gets_a_calibration_that_can() -> None:
    some = [replace(one, later=bent(one.later), recent=bent(one.recent)) for one in windows(leads=3_000, base=-1.0)]
    choice = choose_calibration(some, weights=weigh(some, converted=3_000), share=0.25, horizon_days=HORIZON)
    losses = {one["method"]: one["above_best"] for one in choice.losses}
    assert choice.method in ("isotonic", "venn_abers")
    assert losses[choice.method] < losses["none"] - 0.005
    assert set(losses) == set(CANDIDATES)


def test_few_conversions_are_offered_few_methods() -> None:
    assert [one["method"] for one in chosen(windows(leads=40)).losses] == ["none"]


def test_the_order_of_rows_changes_nothing() -> None:
    some = windows(leads=1_500, level=0.5)
    turned = [
        replace(
            one,
            later=replace(
                one.later,
                **{n: getattr(one.later, n)[::-1] for n in ("parts", "outcome", "lead_id", "as_of")},
            ),
        )
        for one in some
    ]
    ours, theirs = chosen(some), chosen(turned)
    assert ours.method == theirs.method
    grid = np.linspace(-8, 8, 101)
    np.testing.assert_allclose(ours.calibrator.apply_log_odds(grid), theirs.calibrator.apply_log_odds(grid), atol=1e-8)
    for one, other in zip(ours.losses, theirs.losses, strict=True):
        assert one["log_loss"] == pytest.approx(other["log_loss"], abs=1e-10)


def test_it_is_told_as_plain_data() -> None:
    choice = chosen(windows())
    assert json.loads(json.dumps([*choice.losses, *choice.shifted], allow_nan=False))

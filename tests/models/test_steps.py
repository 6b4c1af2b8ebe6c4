"""A step that goes along with conversion is told from one that only goes along with being awake."""

import json

import numpy as np
import pandas as pd
import pytest

from models.steps import LEAST_CONVERTED, steps


def judged(done, outcome, *, lead=None, stratum=None, resamples=200):
    size = len(outcome)
    return {
        step.name: step
        for step in steps(
            pd.DataFrame(done), outcome, np.arange(size) if lead is None else lead,
            stratum=np.zeros(size) if stratum is None else stratum, resamples=resamples,
        )
    }  # fmt: skip


def test_a_step_that_tells_and_one_that_does_not():
    rng = np.random.default_rng(5)
    trial, page = rng.random(8_000) < 0.3, rng.random(8_000) < 0.3
    found = judged({"page": page, "trial": trial}, rng.random(8_000) < np.where(trial, 0.3, 0.1))
    assert list(found) == ["trial", "page"]
    assert found["trial"].tells
    assert found["trial"].lift.value == pytest.approx(3, abs=0.4)
    assert not found["page"].tells
    assert found["page"].lift.low < 1 < found["page"].lift.high


def test_only_those_of_one_stratum_are_compared():
    rng = np.random.default_rng(6)
    awake = rng.random(20_000) < 0.5
    # Who is awake reads pages, and buys; the page itself changes nothing.
    page = rng.random(20_000) < np.where(awake, 0.6, 0.1)
    bought = rng.random(20_000) < np.where(awake, 0.4, 0.1)
    assert judged({"page": page}, bought, resamples=20)["page"].lift.value > 1.5
    within = judged({"page": page}, bought, stratum=awake)["page"]
    assert not within.tells
    assert within.lift.value == pytest.approx(1, abs=0.1)


def test_the_ratio_of_mantel_and_haenszel_by_hand():
    # Two strata of 100: 10 of 20 with against 20 of 80 without; 30 of 60 with against 10 of 40 without.
    has = np.repeat([1, 0, 1, 0], [20, 80, 60, 40]).astype(bool)
    bought = np.concatenate([np.arange(n) < k for n, k in ((20, 10), (80, 20), (60, 30), (40, 10))])
    stratum = np.repeat([0, 0, 1, 1], [20, 80, 60, 40])
    expected = (10 * 80 / 100 + 30 * 40 / 100) / (20 * 20 / 100 + 10 * 60 / 100)
    assert judged({"s": has}, bought, stratum=stratum, resamples=0)["s"].lift.value == pytest.approx(expected)


def test_of_what_is_too_rare_nothing_is_told():
    has = np.arange(1000) < 100
    enough = np.r_[np.arange(100) < LEAST_CONVERTED, np.arange(900) < LEAST_CONVERTED]
    assert list(judged({"s": has}, enough, resamples=5)) == ["s"]
    few = np.r_[np.arange(100) < LEAST_CONVERTED - 1, np.arange(900) < 400]
    assert judged({"s": has}, few, resamples=5) == {}
    assert judged({"s": np.ones(1000, bool)}, enough, resamples=5) == {}


def test_a_step_is_plain_for_programs():
    has, bought = np.arange(400) < 200, np.arange(400) % 4 == 0
    assert set(json.loads(json.dumps(judged({"s": has}, bought)["s"].as_dict()))) == {
        "name", "snapshots", "converted", "lift", "tells"
    }  # fmt: skip

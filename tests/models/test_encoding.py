"""What the members read: finite, the same for a row wherever it stands, and never its own outcome."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.encoding import CLIP, MIN_CATEGORY, MISSING, OTHER, Encoding, lead_folds, learn_encoding
from tests.models import data
from tests.models.data import Floats, Integers, few_examples, texts

FOLDS = 5
EXTREME = [0.0, -0.0, 1.0, -1.0, 1e308, -1e308, 5e-324, np.nan, 1e-9, 123.0]
SEEDS = st.integers(0, 2**32 - 1)


def awkward(seed: int, rows: int = 120) -> tuple[pd.DataFrame, Integers, list[str]]:
    """Columns as awkward as they come: extreme, nearly empty, empty, constant, rare; leads with several rows."""
    random = np.random.default_rng(seed)
    some = np.array(["a", "b", "c", None, *(f"rare {i}" for i in range(30))], object)
    chances = np.array([0.35, 0.2, 0.15, 0.15] + [0.15 / 30] * 30)
    frame = pd.DataFrame(
        {
            "extreme": random.choice(EXTREME, rows),
            "count": random.poisson(1.0, rows).astype(float),
            "nearly_empty": np.where(np.arange(rows) == random.integers(rows), 2.5, np.nan),
            "half_empty": np.where(random.random(rows) < 0.5, np.nan, random.normal(size=rows)),
            "text": texts(random.choice(some, rows, p=chances).tolist()),
            "two_texts": texts(random.choice(["x", "y"], rows).tolist()),
            "constant": np.full(rows, 1e308),
            "empty": np.full(rows, np.nan),
            "empty_text": texts([None] * rows),
            "one_text": texts(["same"] * rows),
        }
    )
    return frame, random.integers(0, 2, rows), [f"lead {n}" for n in random.integers(0, rows // 3, rows)]


def matrices(encoding: Encoding, frame: pd.DataFrame, outcome: Integers, leads: list[str]) -> list[Floats]:
    folds = lead_folds(leads, folds=FOLDS)
    out_of_fold = encoding.trees_out_of_fold(frame, outcome, folds=folds)
    return [encoding.linear(frame), encoding.trees(frame), out_of_fold]


@few_examples
@given(SEEDS)
def test_json_gives_back_the_same_encoding(seed: int) -> None:
    frame, outcome, leads = awkward(seed)
    encoding = learn_encoding(frame, outcome)
    read = Encoding.from_dict(json.loads(json.dumps(encoding.as_dict(), allow_nan=False)))
    assert read == encoding
    for before, after in zip(
        matrices(encoding, frame, outcome, leads), matrices(read, frame, outcome, leads), strict=True
    ):
        np.testing.assert_array_equal(before, after)


@few_examples
@given(SEEDS, st.randoms())
def test_the_order_of_rows_does_not_matter(seed: int, random: Any) -> None:
    frame, outcome, leads = awkward(seed)
    order = np.arange(len(frame))
    random.shuffle(order)
    shuffled = learn_encoding(frame.iloc[order], outcome[order])
    encoding = learn_encoding(frame, outcome)
    assert shuffled.categorical == encoding.categorical
    assert [c.name for c in shuffled.numeric] == [c.name for c in encoding.numeric]
    for ours, theirs in zip(encoding.numeric, shuffled.numeric, strict=True):
        assert (ours.mean, ours.deviation) == pytest.approx((theirs.mean, theirs.deviation))
    moved = matrices(encoding, frame.iloc[order], outcome[order], [leads[row] for row in order])
    for before, after in zip(matrices(encoding, frame, outcome, leads), moved, strict=True):
        np.testing.assert_array_equal(before[order], after)


@few_examples
@given(SEEDS, st.integers(0, 119))
def test_no_row_is_encoded_by_its_own_outcome(seed: int, row: int) -> None:
    """Turning one outcome around changes what others read, and nothing that its lead reads itself."""
    frame, outcome, leads = awkward(seed)
    encoding = learn_encoding(frame, outcome)
    own = np.array(leads) == leads[row]
    turned = outcome.copy()
    turned[row] = 1 - turned[row]
    folds = lead_folds(leads, folds=FOLDS)
    before = encoding.trees_out_of_fold(frame, outcome, folds=folds)
    after = encoding.trees_out_of_fold(frame, turned, folds=folds)
    np.testing.assert_array_equal(before[own], after[own])
    same_fold = folds == folds[row]
    np.testing.assert_array_equal(before[same_fold], after[same_fold])
    others = after[~same_fold][:, len(encoding.numeric) :]
    assert (others != before[~same_fold][:, len(encoding.numeric) :]).any()


def test_an_identifier_tells_the_trees_nothing_about_the_rows_it_was_learned_from() -> None:
    """A category per few rows would know the outcome by heart if rows saw their own."""
    random = np.random.default_rng(0)
    n = 4_000
    frame = pd.DataFrame({"who": texts([f"company {i // MIN_CATEGORY}" for i in range(n)])})
    outcome, leads = random.integers(0, 2, n), [f"lead {i}" for i in range(n)]
    encoding = learn_encoding(frame, outcome)
    seen = encoding.trees(frame)[:, 0]
    unseen = encoding.trees_out_of_fold(frame, outcome, folds=lead_folds(leads, folds=FOLDS))[:, 0]
    assert np.corrcoef(seen, outcome)[0, 1] > 0.15
    assert abs(np.corrcoef(unseen, outcome)[0, 1]) < 0.06


@few_examples
@given(SEEDS)
def test_whatever_comes_the_logistic_member_reads_finite_numbers(seed: int) -> None:
    frame, outcome, leads = awkward(seed)
    encoding = learn_encoding(frame, outcome)
    later, *_ = awkward(seed + 1, rows=40)
    infinite = later.assign(count=np.inf, half_empty=-np.inf, extreme=1e308)
    for rows in (frame, later, infinite, later.iloc[:0], later.assign(**dict.fromkeys(data_numbers(later), np.nan))):
        linear = encoding.linear(rows)
        assert linear.shape == (len(rows), len(encoding.linear_sources))
        assert np.isfinite(linear).all()
        assert (np.abs(linear) <= CLIP).all()
        trees = encoding.trees(rows)
        assert trees.shape == (len(rows), len(encoding.tree_sources))
        assert np.isfinite(trees[:, len(encoding.numeric) :]).all()
    assert np.isfinite(encoding.trees_out_of_fold(frame, outcome, folds=lead_folds(leads, folds=FOLDS))[:, -1]).all()


def data_numbers(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name in frame.columns if pd.api.types.is_float_dtype(frame[name].dtype)]


def test_where_all_leads_are_in_one_fold_every_category_is_at_the_base_rate() -> None:
    frame, outcome = pd.DataFrame({"text": texts(["a", "b"] * 50)}), np.array([1, 0, 0, 0] * 25)
    encoding = learn_encoding(frame, outcome)
    alone = encoding.trees_out_of_fold(frame, outcome, folds=np.full(100, 3))
    np.testing.assert_array_equal(alone[:, 0], np.full(100, encoding.base))


def test_columns_of_one_value_are_left_out() -> None:
    frame, outcome, _ = awkward(0)
    names = set(learn_encoding(frame, outcome).tree_sources)
    assert names == {"extreme", "count", "nearly_empty", "half_empty", "text", "two_texts"}
    half = pd.DataFrame({"one_or_missing": np.where(np.arange(120) % 2, 3.0, np.nan)})
    assert learn_encoding(half, outcome).tree_sources == ("one_or_missing",)


def test_rare_and_unseen_categories_are_other() -> None:
    column = ["common"] * 60 + ["just enough"] * MIN_CATEGORY + ["rare"] * (MIN_CATEGORY - 1) + [None] * 21
    frame = pd.DataFrame({"text": texts(column)})
    encoding = learn_encoding(frame, np.arange(len(column)) % 2)
    (text,) = encoding.categorical
    assert set(text.log_odds) == {OTHER, MISSING, "common", "just enough"}
    asked = pd.DataFrame({"text": texts(["rare", "never seen", "common", None])})
    rare, unseen, common, missing = encoding.trees(asked)[:, 0]
    assert rare == unseen == text.log_odds[OTHER]
    assert common == text.log_odds["common"]
    assert missing == text.log_odds[MISSING]
    np.testing.assert_array_equal(encoding.linear(asked)[0], encoding.linear(asked)[1])
    np.testing.assert_array_equal(encoding.linear(asked).sum(axis=1), [1.0] * 4)
    assert encoding.other_share(asked) == {"text": 0.5}


def test_where_no_category_was_rare_an_unseen_one_is_the_base_rate() -> None:
    frame = pd.DataFrame({"text": texts(["a", "b"] * 50)})
    outcome = np.array([1, 0, 0, 0] * 25)
    encoding = learn_encoding(frame, outcome)
    asked = pd.DataFrame({"text": texts(["never seen", None])})
    assert encoding.trees(asked)[:, 0] == pytest.approx([np.log(0.25 / 0.75)] * 2)
    assert encoding.base == pytest.approx(np.log(0.25 / 0.75))


def test_a_category_rate_is_shrunk_to_the_base_rate() -> None:
    frame = pd.DataFrame({"text": texts(["all"] * 20 + ["none"] * 180)})
    outcome = np.array([1] * 20 + [0] * 180)
    (text,) = learn_encoding(frame, outcome).categorical
    rate = (20 + 20 * 0.1) / (20 + 20)
    assert text.log_odds["all"] == pytest.approx(np.log(rate / (1 - rate)))


def test_a_flag_says_what_is_often_missing() -> None:
    rows = data.training()
    encoding = learn_encoding(rows.frame, rows.outcome)
    assert [column.name for column in encoding.numeric if column.flag_missing] == ["days_since_act"]
    flag = len(encoding.numeric)
    assert encoding.linear_sources[flag] == "days_since_act"
    np.testing.assert_array_equal(encoding.linear(rows.frame)[:, flag], rows.frame["days_since_act"].isna())


def test_nothing_given_is_changed() -> None:
    frame, outcome, leads = awkward(0)
    kept, kept_outcome = frame.copy(deep=True), outcome.copy()
    matrices(learn_encoding(frame, outcome), frame, outcome, leads)
    pd.testing.assert_frame_equal(frame, kept)
    np.testing.assert_array_equal(outcome, kept_outcome)


@given(st.lists(st.text(max_size=4), max_size=30), st.integers(1, 7))
def test_a_lead_is_in_one_fold_wherever_its_rows_stand(leads: list[str], folds: int) -> None:
    fold = lead_folds(leads, folds=folds)
    alone = {lead: int(lead_folds([lead], folds=folds)[0]) for lead in leads}
    assert fold.tolist() == [alone[lead] for lead in leads]
    assert all(0 <= one < folds for one in fold)


def test_folds_are_alike_in_size_and_the_same_on_every_machine() -> None:
    fold = lead_folds([f"lead {n}" for n in range(5_000)], folds=FOLDS)
    assert (np.abs(np.bincount(fold, minlength=FOLDS) - 1_000) < 120).all()
    assert lead_folds(["lead 0", "lead 1", "lead 2", "été"], folds=FOLDS).tolist() == [3, 1, 1, 2]

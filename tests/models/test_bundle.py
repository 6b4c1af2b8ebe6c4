"""A release is text: the same bytes every time, the same probabilities when read, and refused when it is not whole."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import ReleaseRefused
from models.bundle import FILES, GOLDEN_ROWS, GOLDEN_TOLERANCE, from_files, golden_rows, to_files
from models.card import to_html
from models.contract import Contract, ContractColumn
from models.encoding import CategoricalColumn, Encoding
from tests.models import data
from tests.models.data import few_examples

Files = dict[str, bytes]


@pytest.fixture
def files() -> Files:
    return to_files(data.release())


def edited(files: Files, name: str, edit: Callable[[Any], object]) -> Files:
    """The files with one JSON document changed in place."""
    plain = json.loads(files[name])
    edit(plain)
    return files | {name: json.dumps(plain).encode()}


def test_the_same_release_gives_the_same_bytes(files: Files) -> None:
    assert to_files(data.release()) == files
    assert tuple(files) == FILES


def test_what_is_read_is_what_was_written(files: Files) -> None:
    release, read = data.release(), from_files(files)
    rows = data.fresh().frame
    np.testing.assert_array_equal(read.probability(rows), release.probability(rows))
    np.testing.assert_array_equal(read.centre, release.centre)
    assert read.band == release.band
    assert read.contract == release.contract
    assert read.card == release.card
    assert read.card_text == release.card_text
    assert read.card_page == to_html(release.card)
    assert to_files(read) == files


def test_a_page_that_was_reviewed_is_kept_to_the_byte(files: Files) -> None:
    """Newer code may draw another page of the same facts; a release keeps the one it was approved by."""
    reviewed = b"<!DOCTYPE html><title>As approved</title>\n"
    read = from_files(files | {"card.html": reviewed})
    assert to_files(read)["card.html"] == reviewed


def test_every_file_is_text_and_nothing_in_them_can_run(files: Files) -> None:
    for name, content in files.items():
        text = content.decode("utf-8")
        assert content.isascii() or name in {
            "card.md",
            "card.html",
            "card.json",
            "linear.json",
            "contract.json",
            "golden.json",
        }
        assert "\x00" not in text
        assert not content.startswith(b"\x80")  # a pickle
        if name.endswith(".json"):
            assert isinstance(json.loads(text, parse_constant=lambda constant: pytest.fail(constant)), dict)
    assert files["model.txt"].startswith(b"tree\n")


def test_golden_rows_are_made_up() -> None:
    """No real lead is in a release: no golden row agrees with a training row on what tells leads apart."""
    rows = data.training().frame
    golden = golden_rows(data.release().contract, data.learned().model.members.encoding)
    data.release().contract.check(golden)
    telling = ["visits", "days_since_act", "amount", "industry"]
    assert len(golden) == GOLDEN_ROWS
    assert len(golden.merge(rows, on=telling)) == 0
    assert set(golden["industry"].dropna()) <= {*data.INDUSTRIES, "(other)"}


def test_golden_rows_walk_through_every_column() -> None:
    columns = tuple(
        ContractColumn(f"c{i}", "numeric", "about", "unit", "never", "f", 0, missing_share=0.0, low=-1.0, high=3.0)
        for i in range(70)
    )
    golden = golden_rows(replace(data.release().contract, columns=columns), Encoding((), (), 0.0))
    assert (golden.min() == -1.0).all()
    assert (golden.max() == 3.0).all()
    assert (golden.nunique() == GOLDEN_ROWS - 1).all()


@few_examples
@given(st.integers(1, 18), st.integers(0, 40))
def test_golden_rows_show_every_category(levels: int, before: int) -> None:
    number = ContractColumn("n", "numeric", "about", "unit", "never", "f", 0, missing_share=0.0, low=-1.0, high=3.0)
    column = ContractColumn("text", "categorical", "about", "unit", "never", "f", 0, missing_share=0.0)
    columns = (*(replace(number, name=f"n{i}") for i in range(before)), column)
    known = {f"level {i}": 0.0 for i in range(levels)} | {"(other)": 0.0, "(missing)": 0.0}
    encoding = Encoding((), (CategoricalColumn("text", known),), 0.0)
    golden = golden_rows(replace(data.release().contract, columns=columns), encoding)
    assert set(golden["text"].dropna()) | {"(missing)"} == set(known)
    assert golden["text"].isna().any()


def test_golden_rows_of_columns_without_range_or_categories() -> None:
    columns = (
        ContractColumn("empty", "numeric", "about", "unit", "never", "f", 0, missing_share=1.0),
        ContractColumn("holes", "numeric", "about", "unit", "never", "f", 0, missing_share=0.5, low=0.0, high=1.0),
        ContractColumn("text", "categorical", "about", "unit", "never", "f", 0, missing_share=0.0, other_share=0.0),
    )
    contract = replace(data.release().contract, columns=columns)
    golden = golden_rows(contract, Encoding((), (), 0.0))
    contract.check(golden)
    assert golden["empty"].isna().all()
    assert 0 < golden["holes"].isna().sum() < GOLDEN_ROWS
    assert set(golden["text"].dropna()) == {"(other)"}


def refused(files: Files, match: str) -> None:
    with pytest.raises(ReleaseRefused, match=match):
        from_files(files)


UNREADABLE = r"^The release cannot be read \((\w+): .*\)\. Train again, or promote another version\.$"


def test_a_coefficient_that_was_changed_is_found_out(files: Files) -> None:
    for column in range(len(json.loads(files["linear.json"])["coefficients"])):

        def edit(plain: Any, column: int = column) -> None:
            plain["coefficients"][column] += 0.01

        refused(edited(files, "linear.json", edit), "computes other probabilities here than where it was made")


def test_an_encoding_or_an_intercept_that_was_changed_is_found_out(files: Files) -> None:
    def shift(plain: Any) -> None:
        plain["encoding"]["numeric"][0][1] += 0.01

    says = r"its golden rows differ by up to 0\.\d+ \(at most 1e-06 is allowed\).* install the locked versions"
    refused(edited(files, "linear.json", shift), says)
    refused(edited(files, "linear.json", lambda plain: plain.update(intercept=float("nan"))), "other probab|be finite")
    refused(edited(files, "calibrator.json", lambda plain: plain["calibrator"].update(c=0.5)), says)


def test_golden_probabilities_that_are_no_numbers_prove_nothing(files: Files) -> None:
    def empty(plain: Any) -> None:
        plain["probabilities"][3] = None

    refused(edited(files, "golden.json", empty), "differ by up to nan")


def test_a_difference_of_rounding_is_none(files: Files) -> None:
    def nudge(plain: Any) -> None:
        plain["probabilities"] = [p + GOLDEN_TOLERANCE / 2 for p in plain["probabilities"]]

    assert isinstance(from_files(edited(files, "golden.json", nudge)).contract, Contract)


def test_a_calibrator_that_turns_the_ranking_over_is_refused(files: Files) -> None:
    changed = edited(files, "calibrator.json", lambda plain: plain["calibrator"].update(a=-1.0))
    refused(changed, "calibrator: a and b must be at least 0.01, so that no ranking is turned over; found a=-1")


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".json")])
def test_broken_json_is_refused(files: Files, name: str) -> None:
    refused(files | {name: files[name][:-10]}, UNREADABLE)
    refused(files | {name: b"\xff\xfe"}, UNREADABLE)


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".json") and name != "card.json"])
def test_json_of_another_shape_is_refused(files: Files, name: str) -> None:
    for other in (b"[]", b"{}", b"3", b"null"):
        refused(files | {name: other}, UNREADABLE)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_there_is_refused(files: Files, name: str) -> None:
    refused({one: content for one, content in files.items() if one != name}, UNREADABLE)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("linear.json", "encoding"),
        ("linear.json", "coefficients"),
        ("linear.json", "centre"),
        ("calibrator.json", "band"),
        ("contract.json", "target_stage"),
        ("golden.json", "rows"),
        ("golden.json", "probabilities"),
    ],
)
def test_a_key_that_is_missing_is_refused(files: Files, name: str, key: str) -> None:
    refused(edited(files, name, lambda plain: plain.pop(key)), UNREADABLE)


def test_members_that_do_not_fit_together_are_refused(files: Files) -> None:
    refused(edited(files, "linear.json", lambda plain: plain["coefficients"].pop()), UNREADABLE)
    refused(edited(files, "linear.json", lambda plain: plain["encoding"].update(categorical=[["x", []]])), UNREADABLE)
    refused(edited(files, "golden.json", lambda plain: plain["rows"].pop("visits")), UNREADABLE)
    refused(edited(files, "golden.json", lambda plain: plain["probabilities"].pop()), "differ by up to inf")


def test_a_release_scores_only_what_keeps_its_contract() -> None:
    with pytest.raises(ReleaseRefused, match="the order differs"):
        data.release().probability(data.training().frame.iloc[:, ::-1])


def test_a_frame_of_no_rows_has_no_probabilities() -> None:
    assert data.release().probability(data.training().frame.iloc[:0]).shape == (0,)

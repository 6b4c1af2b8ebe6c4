"""CSV for spreadsheets: no cell is a formula, and every value comes back."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import UserError
from pipelines.spreadsheet import cell, text_of, write_csv

#: What a formula begins with, and what a spreadsheet may skip before it.
FORMULAS = st.builds(
    lambda before, sign, after: before + sign + after,
    st.text(st.sampled_from(" \t\r\n'\x00"), max_size=3),
    st.sampled_from([*"=+-@", "\t", "\r", "＝", "＋", "－", "＠"]),
    st.text(max_size=8),
)
TEXTS = st.one_of(st.text(max_size=12), FORMULAS)


@given(TEXTS)
def test_no_text_can_be_a_formula(text: str) -> None:
    written = cell(text)
    assert not written.strip(" \n\t\r").startswith(("=", "+", "-", "@"))
    assert not written.startswith(("\t", "\r", "=", "+", "-", "@", "＝", "＋", "－", "＠"))


@given(TEXTS.filter(lambda text: "\x00" not in text))
def test_every_text_comes_back(text: str) -> None:
    assert text_of(cell(text)) == text


@given(st.lists(st.tuples(TEXTS, st.one_of(st.none(), st.floats(allow_nan=False), st.integers()), st.booleans())))
def test_a_file_holds_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[object, ...]]
) -> None:
    columns = ("lead", "points", "converted")
    file = tmp_path_factory.mktemp("csv") / "leads.csv"
    write_csv(file, [dict(zip(columns, row, strict=True)) for row in rows], columns=columns)
    with file.open(encoding="utf-8-sig", newline="") as opened:
        found = list(csv.reader(opened))
    assert found[0] == list(columns)
    assert len(found) == len(rows) + 1
    for (text, points, converted), (lead, number, word) in zip(rows, found[1:], strict=True):
        assert text_of(lead) == str(text).replace("\x00", "\N{SYMBOL FOR NULL}")
        assert (None if number == "" else float(number)) == (None if points is None else float(str(points)))
        assert word == ("yes" if converted else "no")


def test_a_folder_that_there_is_not_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"away/leads.csv cannot be written: No such file.*Name a file in a folder"):
        write_csv(tmp_path / "away" / "leads.csv", [], columns=("a",))


def test_numbers_keep_their_sign_and_texts_do_not_run(tmp_path: Path) -> None:
    file = tmp_path / "leads.csv"
    write_csv(file, [{"=1": -3, "b": np.float64(-0.5), "c": "-0.5"}, {"b": np.int64(-2)}], columns=("=1", "b", "c"))
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    assert file.read_text(encoding="utf-8-sig").splitlines() == ["'=1,b,c", "-3,-0.5,'-0.5", ",-2,"]

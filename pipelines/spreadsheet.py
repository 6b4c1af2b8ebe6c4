"""CSV files that people open in a spreadsheet: no cell is taken for a formula, and every value comes back.

A spreadsheet runs a cell that begins with = + - @ as a formula, and one that is handed on may do so behind a tab, a
carriage return or spaces. Text of that kind is written behind an apostrophe. Numbers are numbers, with their sign.
"""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Final

from features.errors import UserError

#: How a text begins that a spreadsheet would run, or that an apostrophe was put before.
_RUNS: Final = re.compile(r"'*[\s\x00]*[=+\-@\t\r＝＋－＠]")


def write_csv(file: Path, rows: Iterable[Mapping[str, object]], *, columns: Sequence[str]) -> None:
    """Write rows as a CSV file in UTF-8 with a byte-order mark, which spreadsheets need to read it as that.

    Parameters
    ----------
    rows : column -> value; None and columns that are not there become empty cells
    columns : those to write, in order

    Raises
    ------
    UserError
        The file cannot be written there.
    """
    try:
        with file.open("w", encoding="utf-8-sig", newline="") as opened:
            writer = csv.writer(opened)
            writer.writerow([cell(name) for name in columns])
            writer.writerows([cell(row.get(name)) for name in columns] for row in rows)
    except OSError as error:
        raise UserError(
            f"{file} cannot be written: {error.strerror}. Name a file in a folder that is there, and that may be "
            "written to."
        ) from error


def cell(value: object) -> str:
    """A value as it is written.

    Examples
    --------
    >>> cell('=HYPERLINK("x")'), cell("ACME"), cell(-0.5), cell(None), cell(True)
    ('\\'=HYPERLINK("x")', 'ACME', '-0.5', '', 'yes')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    # NUL ends a text for some readers of CSV.
    text = str(value).replace("\x00", "\N{SYMBOL FOR NULL}")
    if isinstance(value, Real):
        return text
    return f"'{text}" if _RUNS.match(text) else text


def text_of(written: str) -> str:
    """The text behind a cell: without the apostrophe that was put before it.

    Examples
    --------
    >>> text_of(cell("=1+1")), text_of(cell("'tis")), text_of(cell("'=1"))
    ('=1+1', "'tis", "'=1")
    """
    return written[1:] if written.startswith("'") and _RUNS.match(written) else written

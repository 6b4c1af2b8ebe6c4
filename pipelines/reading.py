"""A CSV or Parquet file as a stream of text batches, each row with the line it stands on.

Everything is read as text; what the text means is decided elsewhere. A row that cannot be read is handed on with its
line and the reason, so that rows read and rows refused add up to the rows of the file. A *row* is a record of the
file: the header and blank lines are none.
"""

import csv
import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import InputError
from pipelines import sniffing

MAX_COLUMNS: Final = 5_000
#: Characters in one line or field. Longer ones are almost always a quote that was never closed.
MAX_CHARACTERS: Final = 10_000_000
BATCH_ROWS: Final = 50_000
BATCH_CHARACTERS: Final = 64_000_000

STRAY_QUOTE: Final = "a quote inside a quoted value"
TOO_FEW: Final = "fewer values than columns"
TOO_MANY: Final = "more values than columns"


@dataclass(frozen=True)
class Unreadable:
    """A row that could not be cut into columns."""

    line: int
    reason: str
    content: list[str]


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of a file."""

    table: pa.Table
    """One row per readable row, every column text; an empty CSV value is "", a null of Parquet is null."""
    lines: npt.NDArray[np.int64]
    """The line each readable row starts on; the header is line 1. For Parquet, the number of the row, from 1."""
    numbers: npt.NDArray[np.int64]
    """The number of each readable row among all rows of the file, from 1."""
    unreadable: tuple[Unreadable, ...]
    bytes_read: int
    """How far into the file, as it lies on disk, reading has come."""


@dataclass(frozen=True)
class TableFile:
    """A file that can be read as a table, opened anew by each call of `batches`."""

    path: Path
    digest: str
    size: int
    columns: tuple[str, ...]
    """Names as they stand in the file, without the unnamed columns."""
    kept: tuple[int, ...]
    """The positions of `columns` in the file."""
    width: int
    """Columns in the file, named or not."""
    encoding: str | None
    """None for Parquet."""
    delimiter: str
    messages: tuple[str, ...]

    def batches(self, *, rows: int = BATCH_ROWS) -> Iterator[Batch]:
        """Read the file from its start, at most `rows` rows at a time.

        Raises
        ------
        InputError
            Somewhere in the file reading cannot go on: an unclosed quote, a line without end, bytes that are not
            in the file's encoding.
        """
        return _parquet_batches(self, rows) if self.encoding is None else _csv_batches(self, rows)


def open_table(path: Path, *, encoding: str | None = None, delimiter: str | None = None) -> TableFile:
    """Find out how to read a file, from one pass over its bytes; nothing is kept in memory.

    Parameters
    ----------
    path : CSV (plain, gzip, bzip2, xz, zstd or a zip of one file) or Parquet
    encoding, delimiter : detected unless stated

    Raises
    ------
    InputError
        It is no table, or its header cannot be used; the message says what it is and what to do.
    """
    found = sniffing.read_through(path)
    size = path.stat().st_size
    if found.head.startswith(b"PAR1"):
        columns, messages = _parquet_columns(path)
        kept = tuple(range(len(columns)))
        return TableFile(path, found.digest, size, columns, kept, len(columns), None, "", messages)
    encoding, about_encoding = sniffing.encoding_of(path, found, encoding)
    said = [about_encoding] if about_encoding else []
    if delimiter is None:
        delimiter = sniffing.delimiter_of(_sample_lines(found.head, encoding))
    header = _header(path, encoding, delimiter)
    kept = tuple(i for i, name in enumerate(header) if name)
    if unnamed := len(header) - len(kept):
        said.append(
            f"{unnamed} column{'s' if unnamed > 1 else ''} without a name, at position "
            f"{', '.join(str(i + 1) for i, name in enumerate(header) if not name)[:60]}: left out."
        )
    columns = tuple(header[i] for i in kept)
    _refuse_header(path, columns, len(header))
    return TableFile(path, found.digest, size, columns, kept, len(header), encoding, delimiter, tuple(said))


def _refuse_header(path: Path, columns: tuple[str, ...], width: int) -> None:
    if not columns:
        raise InputError(f"{path}: no column has a name. The first line must name the columns.")
    if width > MAX_COLUMNS:
        raise InputError(
            f"{path} has {width:,} columns; at most {MAX_COLUMNS:,} are read. Is the file transposed, or has it "
            "another delimiter? Export only the columns that the mapping uses."
        )
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise InputError(
            f"{path}: the header names {', '.join(map(repr, repeated[:5]))} more than once. Which one is meant cannot "
            "be told: rename or remove one of them in the file."
        )


def _sample_lines(head: bytes, encoding: str) -> list[str]:
    """Up to 50 whole lines from the head of a file."""
    lines = head.decode(encoding, errors="replace").splitlines()
    complete = lines[:-1] if len(lines) > 1 and len(head) >= sniffing.SAMPLE_BYTES else lines
    return [line for line in complete if line.strip()][:50]


def _header(path: Path, encoding: str, delimiter: str) -> list[str]:
    with path.open("rb") as raw:
        text = _text(path, raw, encoding)
        _, first = next(_records(path, text, delimiter), (0, None))
    if first is None or isinstance(first, Unreadable):
        raise InputError(f"{path}: the first line is no list of column names. Check its quotes.")
    return [name.strip() for name in first]


class _Lines:
    """The lines of a text stream, none longer than `MAX_CHARACTERS`; remembers the last one."""

    def __init__(self, path: Path, stream: IO[str]) -> None:
        self.path, self.stream = path, stream
        self.count = self.characters = 0
        self.last = ""

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self.stream.readline(MAX_CHARACTERS + 1)
        if not line:
            raise StopIteration
        self.count += 1
        if len(line) > MAX_CHARACTERS:
            raise InputError(
                f"{self.path}, line {self.count}: the line is longer than {MAX_CHARACTERS:,} characters. Expected one "
                "record per line. Check the line ends and the quotes of the file."
            )
        self.characters += len(line)
        self.last = line
        return line


def _text(path: Path, raw: IO[bytes], encoding: str) -> io.TextIOWrapper:
    # newline="" lets the csv module see \n, \r\n and lone \r as they are: all three end a record.
    return io.TextIOWrapper(sniffing.unpacked(path, raw), encoding=encoding, newline="")


def _records(path: Path, text: IO[str], delimiter: str) -> Iterator[tuple[int, list[str] | Unreadable]]:
    """Each record, header included, with the line it starts on."""
    csv.field_size_limit(MAX_CHARACTERS)
    lines = _Lines(path, text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        start = lines.count + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # After an error the reader starts afresh on the next line. If the record had begun on an earlier one,
            # rows in between are swallowed and their number is unknown: stop rather than guess.
            if lines.count > start or "end of data" in str(error):
                raise InputError(
                    f"{path}: a quote opened on line {start} is not closed properly (noticed on line {lines.count}). "
                    'Close it, or double the quotes inside the value ("").'
                ) from error
            yield start, Unreadable(start, STRAY_QUOTE, [lines.last.rstrip("\r\n")])
            continue
        except UnicodeDecodeError as error:
            raise InputError(
                f"{path}, at line {lines.count + 1} or later: bytes that are not {error.encoding}. Say the right "
                "encoding with encoding = '...' in the mapping, or export the file as UTF-8."
            ) from error
        if row:
            yield start, row


def _fitted(line: int, row: list[str], width: int) -> list[str] | Unreadable:
    if len(row) == width:
        return row
    if len(row) > width and not any(row[width:]):
        return row[:width]  # delimiters at the end of a line with nothing behind them: a habit of some exporters
    return Unreadable(line, TOO_FEW if len(row) < width else TOO_MANY, row)


def _csv_batches(file: TableFile, rows: int) -> Iterator[Batch]:
    assert file.encoding is not None
    number = 0
    with file.path.open("rb") as raw:
        text = _text(file.path, raw, file.encoding)
        records = itertools.islice(_records(file.path, text, file.delimiter), 1, None)
        while True:
            values: list[list[str]] = []
            lines: list[int] = []
            numbers: list[int] = []
            unreadable: list[Unreadable] = []
            characters = 0
            for line, row in records:
                number += 1
                cut = row if isinstance(row, Unreadable) else _fitted(line, row, file.width)
                if isinstance(cut, Unreadable):
                    unreadable.append(cut)
                else:
                    values.append(cut)
                    lines.append(line)
                    numbers.append(number)
                    characters += sum(map(len, cut))
                if len(values) + len(unreadable) >= rows or characters > BATCH_CHARACTERS:
                    break
            if not values and not unreadable:
                return
            by_column = list(zip(*values, strict=True)) or [()] * file.width
            arrays = [pa.array(by_column[i], pa.string()) for i in file.kept]
            yield Batch(
                pa.Table.from_arrays(arrays, names=list(file.columns)),
                np.array(lines, dtype=np.int64),
                np.array(numbers, dtype=np.int64),
                tuple(unreadable),
                raw.tell(),
            )


def _parquet_file(path: Path) -> Any:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(
        f"{path} starts like a Parquet file but cannot be read as one ({str(error).splitlines()[0]}): it is cut short "
        "or damaged. Nothing was loaded. Download or copy it again."
    )


def _parquet_columns(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns that have a text form, and a sentence about those that have none."""
    with _parquet_file(path) as parquet:
        schema = parquet.schema_arrow
    columns = tuple(field.name for field in schema if not _nested(field.type))
    _refuse_header(path, columns, len(schema))
    left_out = [field.name for field in schema if _nested(field.type)]
    said = f"Columns without a text form, left out: {', '.join(left_out[:10])}."
    return columns, (said,) if left_out else ()


def _nested(kind: pa.DataType) -> bool:
    return bool(pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_duration(kind))


def _parquet_batches(file: TableFile, rows: int) -> Iterator[Batch]:
    number = 0
    with _parquet_file(file.path) as parquet:
        total = max(parquet.metadata.num_rows, 1)
        chunks = parquet.iter_batches(batch_size=rows, columns=list(file.columns))
        while True:
            try:
                chunk = next(chunks, None)
            except (pa.ArrowException, OSError) as error:
                raise _damaged(file.path, error) from error
            if chunk is None:
                return
            arrays = [chunk.column(name).cast(pa.string()) for name in file.columns]
            numbers = np.arange(number + 1, number + 1 + chunk.num_rows, dtype=np.int64)
            number += chunk.num_rows
            table = pa.Table.from_arrays(arrays, names=list(file.columns))
            yield Batch(table, numbers, numbers, (), file.size * number // total)

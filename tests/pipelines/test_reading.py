"""Files as they are found in the wild: read alike whatever their packing, or refused with what to do."""

import bz2
import csv
import gzip
import io
import lzma
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import ConfigError, InputError
from pipelines import reading, sniffing
from pipelines.reading import open_table

TEXT = 'lead_id,note\nL1,café\nL2,"two\nlines"\nL3,\n'
ROWS = [("L1", "café"), ("L2", "two\nlines"), ("L3", "")]


def write(folder: Path, content: bytes | str, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows_of(path: Path, **options: str) -> list[tuple[str, ...]]:
    return [tuple(row.values()) for batch in open_table(path, **options).batches() for row in batch.table.to_pylist()]


def refusals(path: Path) -> Iterator[tuple[int, str]]:
    for batch in open_table(path).batches():
        yield from ((row.line, row.reason) for row in batch.unreadable)


def zipped(content: bytes, *names: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), content)
    return held.getvalue()


def zstd(content: bytes) -> bytes:
    held = pa.BufferOutputStream()
    with pa.CompressedOutputStream(held, "zstd") as stream:
        stream.write(content)
    return held.getvalue().to_pybytes()


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
        TEXT.encode("cp1252"),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode(),
        TEXT.replace(",", "|").encode(),
        gzip.compress(TEXT.encode(), mtime=0),
        gzip.compress(TEXT[:20].encode(), mtime=0) + gzip.compress(TEXT[20:].encode(), mtime=0),
        bz2.compress(TEXT.encode()),
        lzma.compress(TEXT.encode()),
        zstd(TEXT.encode()),
        zipped(TEXT.encode(), "inside.csv"),
        gzip.compress(TEXT.encode("utf-16"), mtime=0),
        TEXT.encode() + b"\n\n",
        TEXT.rstrip("\n").encode(),
    ],
)
def test_every_way_of_writing_a_file_gives_the_same_rows(tmp_path: Path, content: bytes) -> None:
    assert rows_of(write(tmp_path, content)) == ROWS


def test_line_ends_do_not_matter(tmp_path: Path) -> None:
    for end in ("\r\n", "\r"):
        path = write(tmp_path, "a,b\n1,2\n3,4\n".replace("\n", end))
        assert rows_of(path) == [("1", "2"), ("3", "4")]
        assert [line for batch in open_table(path).batches() for line in batch.lines.tolist()] == [2, 3]


def test_parquet_gives_the_same_rows_and_leaves_out_what_has_no_text_form(tmp_path: Path) -> None:
    table = pa.table({"lead_id": ["L1", "L2"], "on": pa.array([True, None]), "list": [[1], [2]], "amount": [0.1, 1e6]})
    path = tmp_path / "leads.parquet"
    pq.write_table(table, path)
    assert rows_of(path) == [("L1", "true", "0.1"), ("L2", None, "1000000")]
    assert open_table(path).messages == ("Columns without a text form, left out: list.",)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="cut short or damaged"):
        open_table(path)


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\n\r\t"'), max_size=8)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(cells, cells), max_size=20), st.sampled_from([1, 3, 50]))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], size: int
) -> None:
    path = tmp_path_factory.mktemp("csv") / "file.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([("first", "second"), *rows])
    batches = list(open_table(path, delimiter=",").batches(rows=size))
    assert [tuple(row.values()) for batch in batches for row in batch.table.to_pylist()] == rows
    assert [n for batch in batches for n in batch.numbers.tolist()] == list(range(1, len(rows) + 1))
    lines = [n for batch in batches for n in batch.lines.tolist()]
    assert lines == sorted(set(lines))


def test_ragged_rows_and_stray_quotes_are_handed_on_with_their_line(tmp_path: Path) -> None:
    path = write(tmp_path, 'a,b\n1,2\n3\n\n4,5,6\n"x"y,7\n8,9,,\n"1\n0",2\nlast,row,')
    assert list(refusals(path)) == [
        (3, reading.TOO_FEW),
        (5, reading.TOO_MANY),
        (6, reading.STRAY_QUOTE),
    ]
    assert rows_of(path) == [("1", "2"), ("8", "9"), ("1\n0", "2"), ("last", "row")]
    numbers = [n for batch in open_table(path).batches() for n in batch.numbers.tolist()]
    assert numbers == [1, 5, 6, 7]


def test_unnamed_columns_are_left_out_and_said(tmp_path: Path) -> None:
    path = write(tmp_path, ",a,b" + "," * 400 + "\r" + "0,1,2" + "," * 400 + "\r")
    assert rows_of(path) == [("1", "2")]
    assert "401 columns without a name, at position 1, 4, 5" in open_table(path).messages[0]


def test_encoding_that_is_guessed_is_said_and_can_be_stated(tmp_path: Path) -> None:
    path = write(tmp_path, "nom,ville\nHélène,Nîmes\n".encode("cp1252"))
    assert "read as cp1252" in open_table(path).messages[0]
    cyrillic = write(tmp_path, "имя,город\nИван,Москва\nПётр,Санкт-Петербург\n".encode("cp1251"), "ru.csv")
    assert rows_of(cyrillic)[0] == ("Иван", "Москва")
    assert rows_of(path, encoding="latin-1") == [("Hélène", "Nîmes")]
    assert open_table(path, encoding="latin-1").messages == ()
    with pytest.raises(ConfigError, match="no encoding 'klingon'"):
        open_table(path, encoding="klingon")
    with pytest.raises(InputError, match="at line 1 or later: bytes that are not utf-8"):
        rows_of(path, encoding="utf-8")


def test_bytes_that_are_no_utf8_are_noticed_far_down_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, b"a,b\n" + b"1,2\n" * 400_000 + "é,2\n".encode("cp1252"))
    assert open_table(path).encoding == "cp1252"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "a web page saved under the name of a table"),
        (b"\n<html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "git lfs pull"),
        (b"/annex/objects/SHA256E-s6--e3b0.csv\n", "git annex get"),
        (zipped(b"<xml/>", "[Content_Types].xml", "xl/workbook.xml"), "Excel workbook, not a CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "Excel workbook"),
        (zipped(b"a,b\n", "a.csv", "b.csv"), r"zip archive of 2 files \(a.csv, b.csv\): expected exactly one"),
        (b'{"leads": []}', "JSON"),
        (b"%PDF-1.7", "PDF"),
        (bytes(range(256)) * 20, "is no text"),
        (gzip.compress(TEXT.encode() * 1000, mtime=0)[:-30], "cannot be unpacked to its end"),
        (gzip.compress(TEXT.encode(), mtime=0)[:8] + b"garbage" * 10, "cannot be unpacked to its end"),
        (b"a,b,a\n1,2,3\n", "names 'a' more than once"),
        (b",,\n1,2,3\n", "no column has a name"),
        (",".join(f"c{i}" for i in range(6_000)).encode() + b"\n", "6,000 columns; at most 5,000"),
        (b'a,b\n1,"never closed\n2,3\n4,5\n', "a quote opened on line 2 is not closed properly"),
        (b'a,b\n1,"opened\n2,"x"\n', "a quote opened on line 2 is not closed properly"),
    ],
)
def test_what_is_no_table_is_refused_with_what_to_do(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said) as error:
        list(open_table(write(tmp_path, content)).batches())
    assert "file.csv" in str(error.value)


def test_endless_lines_and_fields_are_refused_without_being_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_CHARACTERS", 1_000)
    with pytest.raises(InputError, match="line 2: the line is longer than 1,000 characters"):
        rows_of(write(tmp_path, "a,b\n1," + "x" * 5_000 + "\n"))
    with pytest.raises(InputError, match="a quote opened on line 2"):
        rows_of(write(tmp_path, 'a,b\n1,"' + "x\n" * 2_000))


def test_a_file_that_unpacks_beyond_measure_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sniffing, "BOMB_BYTES", 1 << 21)
    with pytest.raises(InputError, match="no table packs like that"):
        open_table(write(tmp_path, gzip.compress(b"a,b\n" + b"0,0\n" * (1 << 20), mtime=0)))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        open_table(tmp_path / "no.csv")
    (tmp_path / "annexed.csv").symlink_to(".git/annex/objects/x")
    with pytest.raises(InputError, match="git annex get"):
        open_table(tmp_path / "annexed.csv")
    with pytest.raises(InputError, match="cannot be opened"):
        open_table(tmp_path)


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    assert rows_of(write(tmp_path, "lead_id,note")) == []


def test_long_rows_do_not_pile_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH_CHARACTERS", 100)
    path = write(tmp_path, "a,b\n" + f"{'x' * 60},1\n" * 10)
    assert [batch.table.num_rows for batch in open_table(path).batches()] == [2] * 5

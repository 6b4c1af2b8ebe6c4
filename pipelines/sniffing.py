"""What a file really is, whatever its name says: its packing, its encoding, its delimiter, or why it cannot be read.

Nothing here trusts an extension. Files saved from a browser, from a large-file store or from a spreadsheet are
recognised by their first bytes and refused with what to do instead.
"""

import bz2
import codecs
import csv
import gzip
import hashlib
import lzma
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

import charset_normalizer
import pyarrow as pa

from features.errors import ConfigError, InputError

SAMPLE_BYTES: Final = 1 << 16
CHUNK_BYTES: Final = 1 << 20

#: More than this many bytes out of each packed byte is no table but a file made to fill a disk; ordinary tables
#: pack 5 to 50 times. Small files are let through: a short table of equal rows packs better than that.
BOMB_RATIO: Final = 200
BOMB_BYTES: Final = 1 << 30

_EUROPEAN: Final = ("cp1252", "cp1250", "cp1254", "cp1257", "iso8859_15", "mac_roman")

DELIMITERS: Final = (",", ";", "\t", "|")

_UNPACKING_ERRORS: Final = (
    EOFError,
    OSError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    RuntimeError,
    pa.ArrowException,
)

#: First bytes of what is often saved under the name of a table, with what to do. Compared in lower case.
_STRANGERS: Final = (
    (b"version https://git-lfs", "a Git LFS pointer, not the table itself", "Fetch the file with 'git lfs pull'"),
    (b"/annex/objects/", "a git-annex pointer, not the table itself", "Fetch the file with 'git annex get'"),
    (b"<!doctype html", "a web page saved under the name of a table", "Download the file itself, logged in if need be"),
    (b"<html", "a web page saved under the name of a table", "Download the file itself, logged in if need be"),
    (b"<?xml", "an XML file", "Export it as CSV"),
    (b"%pdf-", "a PDF document", "Export the table as CSV"),
    (b"{", "a JSON file", "Export it as CSV or Parquet"),
    (b"[{", "a JSON file", "Export it as CSV or Parquet"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook (.xls)", "Save the sheet as 'CSV UTF-8'"),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it first"),
    (b"rar!", "a RAR archive", "Unpack it first"),
    (b"sqlite format 3", "an SQLite database", "Export the table as CSV"),
)


@dataclass(frozen=True)
class Bytes:
    """What one pass over a file's bytes found."""

    digest: str
    """SHA-256 of the file as it lies on disk."""
    head: bytes
    """The first bytes, unpacked."""
    foreign: bytes
    """Lines around the first bytes that are not UTF-8; empty when the whole file is UTF-8."""


def unpacked(path: Path, raw: IO[bytes]) -> IO[bytes]:
    """The bytes of an open file, unpacked as its first bytes say (gzip, bzip2, xz, zip of one member, zstd).

    Raises
    ------
    InputError
        An archive of several files, or a workbook.
    """
    magic = raw.read(8)
    raw.seek(0)
    if magic.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.open(raw))
    if magic.startswith(b"BZh"):
        return bz2.open(raw)
    if magic.startswith(b"\xfd7zXZ\x00"):
        return lzma.open(raw)
    if magic.startswith(b"\x28\xb5\x2f\xfd"):
        stream: IO[bytes] = pa.CompressedInputStream(raw, "zstd")
        return stream
    if magic.startswith(b"PK\x03\x04"):
        return _only_member(path, raw)
    return raw


def read_through(path: Path) -> Bytes:
    """Read a file once from end to end: its digest, and whether it unpacks and is UTF-8.

    Raises
    ------
    InputError
        It cannot be opened, is empty, cannot be unpacked to its end, unpacks beyond all measure, or is no table.
    """
    head = foreign = b""
    decoder = codecs.getincrementaldecoder("utf-8")()
    size = 0
    try:
        with path.open("rb") as raw:
            digest = hashlib.file_digest(raw, "sha256").hexdigest()
            raw.seek(0)
            stream = unpacked(path, raw)
            while chunk := stream.read(CHUNK_BYTES):
                if not head:
                    head = chunk[:SAMPLE_BYTES]
                    refuse_stranger(path, head)
                size += len(chunk)
                if size > BOMB_BYTES and size > BOMB_RATIO * path.stat().st_size:
                    raise InputError(
                        f"{path} holds more than {size:,} bytes in a file of {path.stat().st_size:,}: no table packs "
                        "like that. If it is what it should be, unpack it first and import the unpacked file."
                    )
                if not foreign:
                    try:
                        decoder.decode(chunk)
                    except UnicodeDecodeError:
                        foreign = _foreign_lines(chunk) or chunk[-SAMPLE_BYTES:]
    except FileNotFoundError as error:
        link = " It is a link to a file that is not here: fetch it with 'git annex get'." if path.is_symlink() else ""
        raise InputError(f"There is no file {path}.{link} Check the name, and the folder you are in.") from error
    except (IsADirectoryError, PermissionError) as error:
        raise InputError(f"{path} cannot be opened: {error.strerror}. Name a file that may be read.") from error
    except _UNPACKING_ERRORS as error:
        raise InputError(
            f"{path} cannot be unpacked to its end ({error}): it is cut short or damaged. Nothing was loaded. "
            "Download or copy it again, and compare the sizes."
        ) from error
    if not head.strip():
        raise InputError(f"{path} is empty: expected a first line of column names. Check the export that made it.")
    return Bytes(digest, head, foreign)


def refuse_stranger(path: Path, head: bytes) -> None:
    """Refuse what is no table: web pages, pointers, workbooks, archives, and bytes that are no text.

    Raises
    ------
    InputError
    """
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:64].lower()
    for magic, what, cure in _STRANGERS:
        if start.startswith(magic):
            raise InputError(f"{path} is {what}. {cure}, then import that.")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"PAR1")) or _wide(head):
        return
    controls = sum(head.count(bytes([code])) for code in range(32) if code not in b"\t\n\r\x0c")
    if controls > max(0.05 * len(head), 8):  # a few may stand in a text; their rows are looked at one by one
        raise InputError(
            f"{path} is no text: {controls:,} of its first {len(head):,} bytes are control characters. Expected CSV "
            "(plain, gzip, bzip2, xz, zstd, or a zip of one file) or Parquet. Export the table as one of these."
        )


def encoding_of(path: Path, found: Bytes, stated: str | None) -> tuple[str, str | None]:
    """The encoding to read a text file with, and a sentence about it where it was guessed.

    Raises
    ------
    ConfigError
        The stated encoding does not exist.
    InputError
        It is not UTF-8 and nothing plausible was found.
    """
    if stated is not None:
        try:
            name = codecs.lookup(stated).name
        except LookupError as error:
            raise ConfigError(
                f"There is no encoding {stated!r}. Write, for example, encoding = 'utf-8' or encoding = 'cp1252'."
            ) from error
        return ("utf-8-sig" if name == "utf-8" else name), None
    if found.head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32", "Read as UTF-32."
    if found.head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "Read as UTF-16."
    if wide := _wide(found.head):
        return wide, f"Read as {wide.upper()}: every other byte is zero, and there is no byte order mark."
    if not found.foreign:
        return "utf-8-sig", None
    # In short texts of European languages single accents stand between plain letters; detectors take the pair for one
    # Chinese character. So these are looked for among European encodings only, and Western Windows, by far the most
    # frequent in exports, wins wherever it is plausible at all.
    runs = re.findall(rb"[\x80-\xff]+", found.foreign)
    european = sum(len(run) == 1 for run in runs) * 2 > len(runs)
    matches = charset_normalizer.from_bytes(found.foreign, cp_isolation=list(_EUROPEAN) if european else None)
    if any("cp1252" in (match.encoding, *match.could_be_from_charset) for match in matches):
        name = "cp1252"
    elif best := matches.best():
        name = best.encoding
    elif european:
        name = "cp1252"
    else:
        raise InputError(
            f"{path} is not UTF-8, and no other encoding fits. Say which it is with encoding = '...' in the mapping, "
            "or export it as UTF-8."
        )
    return name, (
        f"Not UTF-8: read as {name}, the most plausible encoding. If accents look wrong, say encoding = '...' in the "
        "mapping."
    )


def delimiter_of(lines: list[str]) -> str:
    """The delimiter under which most lines have as many fields as the header; then the one with most fields.

    Examples
    --------
    >>> delimiter_of(["lead_id;amount", "a;1,5", "b;2,5"])
    ';'
    >>> delimiter_of(["only"])
    ','
    """

    def fit(delimiter: str) -> tuple[bool, float, int]:
        try:
            rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            return False, 0.0, 0
        width = len(rows[0]) if rows else 0
        return width > 1, sum(len(row) == width for row in rows) / max(len(rows), 1), width

    return max(DELIMITERS, key=fit)


def _wide(head: bytes) -> str | None:
    """UTF-16 without a byte order mark: nearly all text has a zero in every other byte."""
    half = len(head) // 2
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if half >= 4 and odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if half >= 4 and even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def _foreign_lines(chunk: bytes) -> bytes:
    lines = (line for line in chunk.splitlines(keepends=True) if not line.isascii())
    return b"".join(lines)[:SAMPLE_BYTES]


def _only_member(path: Path, raw: IO[bytes]) -> IO[bytes]:
    archive = zipfile.ZipFile(raw)
    names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    if "[Content_Types].xml" in names:
        raise InputError(
            f"{path} is an Excel workbook, not a CSV file, whatever its name says. Open it and save the sheet as "
            "'CSV UTF-8', then import that."
        )
    if len(names) != 1:
        listed = ", ".join(names[:5]) or "none"
        raise InputError(
            f"{path} is a zip archive of {len(names)} files ({listed}): expected exactly one. Unpack it, and import "
            "each file with the mapping that fits it."
        )
    return archive.open(names[0])

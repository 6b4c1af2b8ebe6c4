"""A release on disk is verified to the last byte before anything in it is parsed."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from features.errors import ReleaseRefused
from models.bundle import FILES, to_files
from pipelines import release
from tests.models import data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "release"
    place.mkdir()
    release.write(data.release(), place)
    return place


@pytest.fixture
def digest() -> str:
    return release.digest_of(to_files(data.release()))


@pytest.fixture
def nothing_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged LightGBM file kills the process: whoever lets one be parsed fails here instead."""

    def parsed(*_: object, **__: object) -> NoReturn:
        pytest.fail("parsed before it was verified")

    monkeypatch.setattr("models.bundle.lgb.Booster", parsed)
    monkeypatch.setattr(release, "from_files", parsed)


def test_what_was_written_is_loaded(folder: Path, digest: str) -> None:
    rows = data.fresh().frame
    loaded = release.load(folder, digest=digest)
    np.testing.assert_array_equal(loaded.probability(rows), data.release().probability(rows))


def test_the_same_release_has_the_same_digest(folder: Path, digest: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert release.write(data.release(), other) == digest
    for name in (*FILES, release.MANIFEST):
        assert (other / name).read_bytes() == (folder / name).read_bytes()
    assert len(digest) == 64


def test_the_manifest_lists_every_file(folder: Path) -> None:
    manifest = json.loads((folder / release.MANIFEST).read_bytes())
    assert set(manifest) == set(FILES)
    assert all(manifest[name]["size"] == (folder / name).stat().st_size for name in FILES)


def truncated(folder: Path) -> None:
    content = (folder / "model.txt").read_bytes()
    (folder / "model.txt").write_bytes(content[: len(content) // 2])


def emptied(folder: Path) -> None:
    (folder / "model.txt").write_bytes(b"")


def one_byte(folder: Path) -> None:
    content = bytearray((folder / "model.txt").read_bytes())
    at = content.index(b"leaf_value=") + len("leaf_value=") + 3
    content[at] = ord("7") if content[at] != ord("7") else ord("8")
    (folder / "model.txt").write_bytes(bytes(content))


def crlf(folder: Path) -> None:
    (folder / "linear.json").write_bytes((folder / "linear.json").read_bytes().replace(b"\n", b"\r\n"))


def byte_order_mark(folder: Path) -> None:
    (folder / "card.md").write_bytes(b"\xef\xbb\xbf" + (folder / "card.md").read_bytes())


def scripted(folder: Path) -> None:
    with (folder / "card.html").open("ab") as page:
        page.write(b"<script>approve()</script>\n")


def extra(folder: Path) -> None:
    (folder / "model.pkl").write_bytes(b"\x80\x04N.")


def hidden(folder: Path) -> None:
    (folder / ".DS_Store").write_bytes(b"")


def missing(folder: Path) -> None:
    (folder / "golden.json").unlink()


def without_manifest(folder: Path) -> None:
    (folder / release.MANIFEST).unlink()


def link(folder: Path) -> None:
    """To the very file that was registered: it could be exchanged after it was verified."""
    (folder / "model.txt").rename(folder.parent / "elsewhere.txt")
    (folder / "model.txt").symlink_to(folder.parent / "elsewhere.txt")


def manifest_link(folder: Path) -> None:
    (folder / release.MANIFEST).rename(folder.parent / "elsewhere.json")
    (folder / release.MANIFEST).symlink_to(folder.parent / "elsewhere.json")


def directory(folder: Path) -> None:
    (folder / "card.md").unlink()
    (folder / "card.md").mkdir()


def pipe(folder: Path) -> None:
    """Reading it would wait for ever."""
    (folder / "card.html").unlink()
    os.mkfifo(folder / "card.html")


def edited_manifest(folder: Path) -> None:
    """A file is exchanged, and the manifest made to agree with it."""
    files = {name: (folder / name).read_bytes() for name in FILES} | {"card.md": b"# Approved\n"}
    (folder / "card.md").write_bytes(files["card.md"])
    (folder / release.MANIFEST).write_bytes(release._manifest(files))


def reformatted_manifest(folder: Path) -> None:
    plain = json.loads((folder / release.MANIFEST).read_bytes())
    (folder / release.MANIFEST).write_text(json.dumps(plain))


def gone(folder: Path) -> None:
    folder.rename(folder.parent / "moved")


@pytest.mark.usefixtures("nothing_is_parsed")
@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (truncated, "model.txt is not the file that was registered"),
        (emptied, "model.txt is not the file that was registered"),
        (one_byte, "model.txt is not the file that was registered"),
        (crlf, "linear.json is not the file that was registered"),
        (byte_order_mark, "card.md is not the file that was registered"),
        (scripted, "card.html is not the file that was registered"),
        (extra, r"missing: nothing; unexpected: model\.pkl"),
        (hidden, r"missing: nothing; unexpected: \.DS_Store"),
        (missing, r"missing: golden\.json; unexpected: nothing"),
        (without_manifest, r"missing: manifest\.json; unexpected: nothing"),
        (link, "model.txt is no plain file"),
        (manifest_link, "manifest.json is no plain file"),
        (directory, "card.md is no plain file"),
        (pipe, "card.html is no plain file"),
        (edited_manifest, "the manifest has digest .{12}…, the registered one is .{12}…"),
        (reformatted_manifest, "the manifest has digest .{12}…, the registered one is .{12}…"),
        (gone, "missing: calibrator.json, card.html, card.json, .*; unexpected: nothing"),
    ],
)
def test_whatever_was_done_to_it_is_refused_before_it_is_parsed(
    folder: Path, digest: str, tamper: Callable[[Path], None], found: str
) -> None:
    tamper(folder)
    says = (
        rf"^The release in \S+ is not what was registered: {found}\. Nothing was scored; what was published before "
        r"stays\. Promote another version, or train again\.$"
    )
    with pytest.raises(ReleaseRefused, match=says):
        release.load(folder, digest=digest)


@pytest.mark.usefixtures("nothing_is_parsed")
@pytest.mark.parametrize("other", ["", "0" * 64, "no digest"])
def test_another_digest_is_refused_before_even_the_manifest_is_parsed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    monkeypatch.setattr("pipelines.release.json.loads", lambda _: pytest.fail("the manifest was parsed"))
    with pytest.raises(ReleaseRefused, match="the manifest has digest"):
        release.load(folder, digest=other)


def test_a_file_too_large_is_refused_before_it_is_read(
    folder: Path, digest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "_MOST_BYTES", 1000)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("read though too large"))
    with pytest.raises(ReleaseRefused, match=r"registered: card\.html has \d+ bytes\."):
        release.load(folder, digest=digest)


def test_intact_files_that_compute_something_else_are_refused(folder: Path) -> None:
    """As with another version of a library: every digest agrees, the golden rows do not."""
    files = {name: (folder / name).read_bytes() for name in FILES}
    linear = json.loads(files["linear.json"])
    linear["intercept"] += 0.1
    files["linear.json"] = json.dumps(linear).encode()
    (folder / "linear.json").write_bytes(files["linear.json"])
    (folder / release.MANIFEST).write_bytes(release._manifest(files))
    with pytest.raises(ReleaseRefused, match="computes other probabilities here than where it was made"):
        release.load(folder, digest=release.digest_of(files))

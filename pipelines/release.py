"""The release bundle on disk: write it with a manifest, and verify every byte before anything is parsed."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from features.errors import ReleaseRefused
from models.bundle import FILES, Release, from_files, to_files

MANIFEST: Final = "manifest.json"
_MOST_BYTES: Final = 512 * 1024 * 1024


def digest_of(files: Mapping[str, bytes]) -> str:
    """The release's digest: SHA-256 of its manifest."""
    return _sha256(_manifest(files))


def write(release: Release, folder: Path) -> str:
    """Write the release's files and their manifest into an empty folder; return the release's digest."""
    files = to_files(release)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / MANIFEST).write_bytes(_manifest(files))
    return digest_of(files)


def load(folder: Path, *, digest: str) -> Release:
    """Verify the release in `folder` against the digest under which it was registered, then read it.

    Raises
    ------
    ReleaseRefused
        The manifest has another digest, a file is missing, unexpected, a link, of another size or content; or the
        release no longer computes what it did. Nothing is parsed before all digests agree.
    """
    return from_files(verified(folder, digest=digest))


def verified(folder: Path, *, digest: str) -> dict[str, bytes]:
    """The release's files by name, each of them exactly as it was registered.

    Raises
    ------
    ReleaseRefused
    """
    listed = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    expected = {MANIFEST, *FILES}
    if listed != expected:
        missing, extra = sorted(expected - listed), sorted(listed - expected)
        raise _refused(
            folder, f"missing: {', '.join(missing) or 'nothing'}; unexpected: {', '.join(extra) or 'nothing'}"
        )
    for name in sorted(expected):
        path = folder / name
        if path.is_symlink() or not path.is_file():
            raise _refused(folder, f"{name} is no plain file")
        if path.stat().st_size > _MOST_BYTES:
            raise _refused(folder, f"{name} has {path.stat().st_size} bytes")
    manifest = (folder / MANIFEST).read_bytes()
    if _sha256(manifest) != digest:
        raise _refused(
            folder, f"the manifest has digest {_sha256(manifest)[:12]}…, the registered one is {digest[:12]}…"
        )
    facts = json.loads(manifest)
    files = {}
    for name in FILES:
        content = (folder / name).read_bytes()
        if len(content) != facts[name]["size"] or _sha256(content) != facts[name]["sha256"]:
            raise _refused(folder, f"{name} is not the file that was registered")
        files[name] = content
    return files


def _manifest(files: Mapping[str, bytes]) -> bytes:
    facts = {name: {"size": len(content), "sha256": _sha256(content)} for name, content in sorted(files.items())}
    return (json.dumps(facts, indent=1) + "\n").encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _refused(folder: Path, found: str) -> ReleaseRefused:
    return ReleaseRefused(
        f"The release in {folder} is not what was registered: {found}. Nothing was scored; what was published before "
        "stays. Promote another version, or train again."
    )

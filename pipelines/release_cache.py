"""Local copies of releases, so that the nightly job scores with the registry away: each verified again at every use."""

import errno
import shutil
import tempfile
from pathlib import Path

from features.errors import ReleaseRefused
from models.bundle import Release
from pipelines import release


class ReleaseCache:
    """A folder with one sub-folder per release, named by its digest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, digest: str) -> Release | None:
        """The release with this digest, every byte verified; None when there is no copy.

        Raises
        ------
        ReleaseRefused
            The copy is not what was registered.
        """
        place = self.folder / digest
        return release.load(place, digest=digest) if place.is_dir() else None

    def keep(self, source: Path, *, digest: str) -> Release:
        """Verify a fetched release and keep a copy of it, whole or not at all.

        Raises
        ------
        ReleaseRefused
            `source` is not what was registered; nothing is kept.
        OSError
            The folder cannot be written to.
        """
        loaded = release.load(source, digest=digest)
        place = self.folder / digest
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".keeping-") as work:
            copy = Path(work) / "release"
            shutil.copytree(source, copy)
            if place.exists():  # a damaged copy, or one that another program has just kept
                place.replace(Path(work) / "old")
            try:
                copy.replace(place)
            except OSError as error:  # another program kept the same release in this very moment
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
        return loaded

    def has(self, digest: str) -> bool:
        """Whether there is a copy that verifies."""
        try:
            return (self.folder / digest).is_dir() and bool(release.verified(self.folder / digest, digest=digest))
        except ReleaseRefused:
            return False

"""What made a release: this program and its commit, Python, and the libraries that decide the numbers."""

import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any, Final

LIBRARIES: Final = ("lightgbm", "numpy", "pandas", "scikit-learn", "scipy", "pyarrow", "numba", "duckdb")
_ROOT: Final = Path(__file__).resolve().parent.parent


def made_by(*, seed: int, resamples: int) -> dict[str, Any]:
    """The facts under which the same data and settings give the same release again."""
    return {
        "program": f"leadscore {metadata.version('leadscore')}",
        "commit": commit(),
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
        "seed": seed,
        "resamples": resamples,
    }


def commit(root: Path = _ROOT) -> str | None:
    """The commit that is checked out, with a + where files differ from it; None where there is no repository of ours.

    A program that lies within somebody else's repository was not made from that one's commit.
    """
    try:
        if Path(_git("rev-parse", "--show-toplevel", root=root)).resolve() != root.resolve():
            return None
        head = _git("rev-parse", "HEAD", root=root)
        return head + ("+" if _git("status", "--porcelain", "--untracked-files=no", root=root) else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(*arguments: str, root: Path) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()

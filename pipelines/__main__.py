"""`leadscore`, and `python -m pipelines`: run the command line, turn errors into messages and exit codes."""

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.signals import Received

# Before LightGBM or scikit-learn come in: threads that spin while they wait cost up to ten times the wall time on a
# busy machine, and gain nothing on an idle one.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# The compiled kernel is kept beside its source; where that cannot be written to (a read-only container), in a folder of
# the user's own, or of this process alone: what lies there is run, so it is shared with nobody.
_FEATURES = Path(__file__).resolve().parent.parent / "features"
if not os.access(_FEATURES, os.W_OK):
    _CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "leadscore" / "numba"
    try:
        _CACHE.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        _CACHE = Path(tempfile.mkdtemp(prefix="leadscore-numba-"))
    os.environ.setdefault("NUMBA_CACHE_DIR", str(_CACHE))

#: What typer ends with on Ctrl-C.
_INTERRUPTED = 130


def main() -> None:
    """Run the command line; the process ends with a documented exit code."""
    from pipelines.signals import handled

    with handled() as received:
        _run(received)


def _run(received: "Received") -> None:
    from features.errors import UserError
    from pipelines.cli import app

    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except UserError as error:
        sys.stderr.write(f"leadscore: {error}\n")
        sys.exit(error.exit_code)
    except SystemExit as end:
        if end.code == _INTERRUPTED:
            sys.stderr.write("leadscore: interrupted; what it had not published is not seen.\n")
            sys.exit(received.exit_code)
        if isinstance(end.__context__, BrokenPipeError):  # typer and rich end with 1 when they see it
            _reader_has_gone()
        raise
    except BrokenPipeError:
        _reader_has_gone()


def _reader_has_gone() -> None:
    """End well: that nobody reads on (leadscore … | head) is no error of ours."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
    sys.exit(0)


if __name__ == "__main__":
    main()

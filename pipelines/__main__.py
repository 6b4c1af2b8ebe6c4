"""`leadscore`, and `python -m pipelines`: run the command line, turn errors into messages and exit codes."""

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.signals import Received

# Before LightGBM or scikit-learn come in: threads that spin while they wait cost up to ten times the wall time on a
# busy machine, and gain nothing on an idle one.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

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

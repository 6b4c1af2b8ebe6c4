"""`leadscore`, and `python -m pipelines`: run the command line, turn errors into messages and exit codes."""

import os
import sys

# Before LightGBM or scikit-learn come in: threads that spin while they wait cost up to ten times the wall time on a
# busy machine, and gain nothing on an idle one.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def main() -> None:
    """Run the command line; the process ends with a documented exit code."""
    from features.errors import UserError
    from pipelines.cli import app

    try:
        app()
    except UserError as error:
        sys.stderr.write(f"leadscore: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("leadscore: interrupted; nothing was published by this command.\n")
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output has gone (leadscore … | head): that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()

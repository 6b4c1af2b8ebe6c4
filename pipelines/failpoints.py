"""Named places in the jobs where a test may stop, kill or freeze the process; in production they do nothing.

The tests set `HOOK` in a child process of theirs: there is no setting and no variable that a production run would read.
"""

from collections.abc import Callable

HOOK: list[Callable[[str], None]] = []


def reached(name: str) -> None:
    """Say that the job has come to a named place."""
    for hook in HOOK:
        hook(name)

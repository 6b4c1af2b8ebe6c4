"""The first SIGINT or SIGTERM ends a command cleanly, the second at once."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Received:
    """Which signal has come first, if any."""

    number: int | None = None

    @property
    def exit_code(self) -> int:
        """130 for SIGINT, 143 for SIGTERM; 130 where nobody knows."""
        return 128 + (self.number or signal.SIGINT)


@contextlib.contextmanager
def handled() -> Iterator[Received]:
    """While the block runs, the first signal is raised in it as KeyboardInterrupt: what is open is rolled back.

    The second ends the process where it stands, as kill -9 would: the store was made for that.
    """
    received = Received()
    if threading.current_thread() is not threading.main_thread():
        yield received
        return

    def on_signal(number: int, _: FrameType | None) -> None:
        if received.number is not None:
            os._exit(128 + number)
        received.number = number
        raise KeyboardInterrupt

    before = {number: signal.signal(number, on_signal) for number in _SIGNALS}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

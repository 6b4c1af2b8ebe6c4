"""What a test holds in its hand: the forking process, its children, and how they ended."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90.0


def wait_until(done: Callable[[], bool], *, what: str, seconds: float = PATIENCE, pause: float = 0.003) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, f"waited {seconds:g} s for {what}"
        time.sleep(pause)


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit code, negative for the signal that killed it, and what it told."""

    code: int
    said: str
    report: Mapping[str, Any]
    points: tuple[str, ...]
    log: str
    peak_kilobytes: int


class Child:
    """One job at work in a process of its own."""

    def __init__(self, nursery: "Nursery", pid: int, out: str) -> None:
        self._nursery, self.pid, self._out = nursery, pid, out
        self._code: int | None = None

    def points(self) -> tuple[str, ...]:
        file = Path(self._out + ".points")
        return tuple(file.read_text().splitlines()) if file.exists() else ()

    def send(self, number: signal.Signals) -> None:
        if self._code is None:  # a zombie keeps its number until it is looked at
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)

    def resume(self) -> None:
        self.send(signal.SIGCONT)

    def freeze(self) -> None:
        self.send(signal.SIGSTOP)
        self.until_frozen()

    def is_frozen(self) -> bool:
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def until_frozen(self) -> Self:
        wait_until(lambda: self.is_frozen() or self.is_over(), what="the child to stop")
        assert not self.is_over(), f"the child ended before it came there: {self.ended()}"
        return self

    def until(self, point: str) -> Self:
        wait_until(lambda: point in self.points() or self.is_over(), what=point)
        assert point in self.points(), f"the child ended before it came there: {self.ended()}"
        return self

    def is_over(self) -> bool:
        if self._code is None:
            self._code = self._nursery.ask({"do": "look", "pid": self.pid}).get("code")
        return self._code is not None

    def ended(self) -> Ended:
        try:
            wait_until(self.is_over, what=f"the child to end; it came to {self.points()}")
        except AssertionError:
            self.kill()
            raise
        assert self._code is not None
        file, log = Path(self._out + ".json"), Path(self._out + ".log")
        told = json.loads(file.read_text()) if file.exists() and file.stat().st_size else {}
        return Ended(
            self._code, told.get("said", ""), told.get("report", {}), self.points(),
            log.read_text() if log.exists() else "", told.get("peak_kilobytes", 0),
        )  # fmt: skip


class Nursery:
    """The forking process; a context manager."""

    def __init__(self, folder: Path, warm_up: Mapping[str, Any]) -> None:
        self._folder = folder
        self._numbers = count(1)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "LEADSCORE_"))}
        self._errors = (folder / "nursery.log").open("w", encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.child"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True, cwd=ROOT,
            env=environment | {"OMP_WAIT_POLICY": "PASSIVE"},
        )  # fmt: skip
        self._order(dict(warm_up))

    def _order(self, order: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, (self._folder / "nursery.log").read_text()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        assert self._answer() == {"ready": True}
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=PATIENCE)
        self._process.stdout.close()
        self._errors.close()

    def ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        self._order(order)
        return self._answer()

    def start(self, spec: Mapping[str, Any]) -> Child:
        """Fork a child for a job; what it may say: `tests/faults/child.py`."""
        out = str(self._folder / f"child-{next(self._numbers)}")
        return Child(self, int(self.ask({"do": "start", "out": out, **spec})["pid"]), out)

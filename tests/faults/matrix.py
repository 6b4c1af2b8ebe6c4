"""The fault matrix: every fault on the list, on each engine, and what became of it in this session's tests.

A test says which faults it is about with `@pytest.mark.fault("F22")`; for those of other folders `elsewhere.py` does.
Its engine is the one among its parameters; a test without one counts for both. The table is printed at the end of a
session in which such tests ran, and kept as a file.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from tests.faults.elsewhere import ELSEWHERE

DUCKDB, POSTGRES = ENGINES = ("duckdb", "postgres")
MARKER: Final = "fault(*ids): this test is about these faults of the list in tests/faults/matrix.py"
#: Names another file for the table; by default it is kept in the repository's folder of leftovers.
SETTING: Final = "LEADSCORE_FAULT_MATRIX"

#: What goes wrong -> what is seen of it.
FAULTS: Final = {
    "F01": ("kill -9 at every named place and at random times", "the run before or this one, whole; again: the same"),
    "F02": ("kill -9 between the commit and the exit", "published; again: unchanged, no new row"),
    "F03": ("SIGTERM or Ctrl-C, then a second one", "rolled back, 'interrupted', exit 143 or 130; second: at once"),
    "F04": ("frozen for longer than another run takes", "too late: publishes nothing over the other"),
    "F05": ("database restarted during the run", "connected again and begun anew; else exit 13, the run before stays"),
    "F06": ("the connection drops around COMMIT", "looked up, never guessed: published exactly once"),
    "F07": ("disk full", "exit 1 with the reason, nothing published, the store opens again"),
    "F08": ("out of memory, ten times the leads", "nothing half; memory flat; the audit refuses the jump"),
    "F09": ("two nightly jobs at the same time", "one publishes; the other waits, or exit 11 with host and process"),
    "F10": ("the lock's holder is killed while a statement runs", "the lock is free within seconds"),
    "F11": ("a transaction pooler: no session keeps a lock", "the fence alone lets one publish"),
    "F12": ("a reader has the store open", "exit 11 with the reader's process, or no hindrance at all"),
    "F13": ("damaged database file", "refused with its name; never repaired by itself"),
    "F14": (
        "kill -9 in a migration; a store of a newer program",
        "whole changes stay, the next goes on; newer: refused",
    ),
    "F15": ("days of 23 and 25 hours, leap days", "half-open days: each moment in one day, days add up"),
    "F16": ("times without an offset", "the declared zone; undeclared: refused with the setting"),
    "F17": ("clocks that differ, events from the future", "flagged in the run; too far ahead: quarantined"),
    "F18": ("events that come in late", "not in what was known then; a run again is the same"),
    "F19": ("events twice, out of order, sent again", "the same features and the same store"),
    "F20": ("missed nights", "status names them; --catch-up fills each with the release of then"),
    "F21": ("back-fill of past days", "by what was known then, marked, in order, bounded"),
    "F22": ("the same day twice", "unchanged; another release or settings need a reason, both kept"),
    "F23": (
        "registry closed, silent, or shut (401)",
        "the verified copy scores, flagged; too stale: exit 12; 401: exit 2",
    ),
    "F24": ("alias gone, or its version deleted", "the store's champion scores, flagged; doctor says how to mend it"),
    "F25": ("release truncated, CRLF, a byte, swapped, extra, link, '..'", "exit 12 before anything is parsed"),
    "F26": ("intact files that compute something else", "golden rows differ: exit 12"),
    "F27": ("another list, order or type of features", "refused with the difference"),
    "F28": ("kill -9 while a training registers", "no candidate, or a whole one; the champion scores on"),
    "F29": ("nothing to learn from, or a leak", "refused with counts; named"),
    "F30": ("a broken calibrator", "refused when it is read"),
    "F31": ("promotion of what was not reviewed, was refused or was edited since", "exit 12, whatever the reason"),
    "F32": ("rollback", "the scores of before to the byte, with the registry away; killed: all of it or nothing"),
    "F33": ("promotion during a run", "the run ends with the release it began with, in every row"),
    "F34": ("a new column in a file", "stored as an attribute, said once"),
    "F35": ("a missing, renamed or retyped column", "refused, with the nearest name"),
    "F36": ("categories that training never saw", "warned of, beyond a share refused"),
    "F37": ("null, NaN, infinite, years 0001 and 9999", "quarantined with a reason; no score is ever NaN"),
    "F38": ("the source empty, most of it gone, all scores equal", "exit 10, the run before stays"),
    "F39": ("scores that jump", "exit 10, unless accepted with a reason"),
    "F40": ("leads deleted, erased or made again during the run", "left out, and counted"),
    "F41": ("an id twice; ids that differ by case", "kept once by a rule; case counts"),
    "F42": ("poisoned files", "read as declared, or refused with the line; loaded + quarantined = rows"),
    "F43": ("formulas in cells", "stored as they are"),
    "F44": ("SQL in configured names", "refused before connecting, or quoted"),
    "F45": ("HTML or control codes in names", "escaped where it is shown"),
    "F46": ("a lead objects, or is erased, during the run", "not published"),
    "F47": ("an old backup brings erased people back", "tombstones keep them out"),
    "F48": ("write-back refused for some leads", "the others pass"),
    "F49": ("people move a stage while the model advises another", "theirs stands: advice is a column of its own"),
    "F50": ("cache, metrics or log cannot be written", "published all the same, with a warning"),
}

#: Where a fault cannot be, and why.
NOT_THERE: Final = {
    ("F06", DUCKDB): "no connection: the engine is in the process",
    ("F10", DUCKDB): "the file's lock ends with the process",
    ("F11", DUCKDB): "no server, so no pooler",
    ("F13", POSTGRES): "the server's own files",
    ("F48", DUCKDB): "nothing is written back to a CRM",
    ("F48", POSTGRES): "nothing is written back to a CRM",
}


@dataclass
class Cell:
    """What became of one fault on one engine."""

    held: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def in_words(self, fault: str, engine: str) -> str:
        """One short cell of the table."""
        if self.failed:
            return f"FAILED {len(self.failed)} of {self.held + len(self.failed)}"
        if self.held:
            return f"held ({self.held})"
        if (fault, engine) in NOT_THERE:
            return "-"
        return "skipped" if self.skipped else "not run"


class FaultMatrix:
    """A plugin that collects what became of the tests with the marker, in one process or over many."""

    def __init__(self, root: Path) -> None:
        self._file = Path(os.environ.get(SETTING) or root / ".leadscore" / "fault-matrix.md")
        self._cells: dict[tuple[str, str], Cell] = {}

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", MARKER)

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        # User properties travel from a worker to the process that prints.
        here = [str(fault) for marker in item.iter_markers("fault") for fault in marker.args]
        file, _, name = item.nodeid.partition("::")
        faults = {*here, *ELSEWHERE.get(file, {}).get(name.partition("[")[0], ())}
        if not faults <= set(FAULTS):
            raise pytest.UsageError(f"{item.nodeid}: no such fault: {', '.join(sorted(faults - set(FAULTS)))}")
        item.user_properties += [
            ("fault", f"{fault} {engine}") for fault in sorted(faults) for engine in _engines(item)
        ]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        about = [str(value).split() for name, value in report.user_properties if name == "fault"]
        if not about or (report.when != "call" and report.passed):
            return
        notes = [str(value) for name, value in report.user_properties if name == "fault note"]
        for fault, engine in about:
            cell = self._cells.setdefault((fault, engine), Cell())
            if report.failed:
                cell.failed.append(report.nodeid)
            elif report.skipped:
                cell.skipped.append(_reason(report))
            else:
                cell.held += 1
                cell.notes += [note for note in notes if note not in cell.notes]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._cells:
            return
        terminalreporter.section("fault matrix")
        for line in self._lines():
            terminalreporter.write_line(line)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(self._page(), encoding="utf-8")
        except OSError as error:
            terminalreporter.write_line(f"The table could not be kept in {self._file}: {error.strerror}.")

    def _rows(self) -> Iterator[tuple[str, str, str, str, str]]:
        for fault, (what, seen) in FAULTS.items():
            cells = {engine: self._cells.get((fault, engine), Cell()) for engine in ENGINES}
            said = [
                seen,
                *(f"{engine}: {NOT_THERE[fault, engine]}" for engine in ENGINES if (fault, engine) in NOT_THERE),
            ]
            for engine, cell in cells.items():
                said += [f"{engine}: {text}" for text in dict.fromkeys((*cell.notes, *cell.skipped))]
                said += [f"{engine}: see {name}" for name in cell.failed]
            words = [cells[engine].in_words(fault, engine) for engine in ENGINES]
            yield fault, what, words[0], words[1], "; ".join(said)

    def _lines(self) -> list[str]:
        rows = [row for row in self._rows() if set(row[2:4]) - {"not run", "-"}]
        head = ("", "fault", "DuckDB", "PostgreSQL", "outcome")
        widths = [max(len(row[column]) for row in (head, *rows)) for column in range(4)]
        return [
            "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[4]])
            for row in (head, *rows)
        ]

    def _page(self) -> str:
        lines = ["# Fault matrix", "", "| | fault | DuckDB | PostgreSQL | outcome |", "| --- | --- | --- | --- | --- |"]
        lines += [f"| {' | '.join(text.replace('|', '/') for text in row)} |" for row in self._rows()]
        return "\n".join(lines) + "\n"


def _engines(item: pytest.Item) -> Sequence[str]:
    """The engine a test runs on; both where it needs none."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    named = [engine for engine in ENGINES if engine in [str(value) for value in parameters.values()]]
    if named:
        return named
    return (POSTGRES,) if {"postgres_url", "postgres_server"} & set(getattr(item, "fixturenames", ())) else ENGINES


def _reason(report: pytest.TestReport) -> str:
    skipped = report.longrepr
    return str(skipped[2]).removeprefix("Skipped: ") if isinstance(skipped, tuple) else "expected to fail"

"""The matrix takes the outcome of every test that it names, on the engines that the test ran on."""

import ast
from pathlib import Path
from typing import Any

import pytest

from tests.faults.elsewhere import ELSEWHERE
from tests.faults.matrix import FAULTS, NOT_THERE, FaultMatrix
from tests.faults.nursery import ROOT


@pytest.mark.parametrize("file", ELSEWHERE)
def test_every_test_that_is_named_is_there(file: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert set(ELSEWHERE[file]) <= there
    assert {fault for faults in ELSEWHERE[file].values() for fault in faults} <= set(FAULTS)


def report(nodeid: str, outcome: Any, *properties: tuple[str, object]) -> pytest.TestReport:
    return pytest.TestReport(nodeid, (nodeid, 1, nodeid), {}, outcome, None, "call", user_properties=[*properties])


def test_the_table_says_what_became_of_each_fault(tmp_path: Path) -> None:
    matrix = FaultMatrix(tmp_path)
    both = [("fault", "F01 duckdb"), ("fault", "F01 postgres")]
    matrix.pytest_runtest_logreport(report("a", "passed", *both, ("fault note", "9 kills")))
    matrix.pytest_runtest_logreport(report("b", "failed", both[1]))
    matrix.pytest_runtest_logreport(report("c", "passed"))
    lines = {line.split()[0]: line for line in matrix._lines()[1:]}
    assert set(lines) == {"F01"}
    assert "held (1)" in lines["F01"]
    assert "FAILED 1 of 2" in lines["F01"]
    assert "duckdb: 9 kills" in lines["F01"]
    page = matrix._page()
    assert all(f"| {fault} |" in page for fault in FAULTS)
    assert "not run" in page


def test_what_is_not_there_is_a_fault_of_the_list() -> None:
    assert {fault for fault, _ in NOT_THERE} <= set(FAULTS)

"""The house as it is drawn: arrows one way, the outside world in pipelines/ only, nothing shadowed, a quick --help."""

import ast
import importlib
import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("features", "models", "serve", "pipelines")
PURE = ("features", "models", "serve")
#: Slow to import: `--help`, and every wrong argument, must answer without them.
HEAVY = ("pandas", "numpy", "sklearn", "scipy", "lightgbm", "mlflow", "pyarrow", "numba", "duckdb", "matplotlib")

CLOCK = {"now", "utcnow", "today", "time_ns"}
FILES = {"open", "read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "unlink", "iterdir", "glob", "rglob"}
READERS = {"read_csv", "read_parquet", "to_csv", "to_parquet", "loadtxt", "fromfile", "save_model"}
ENVIRONMENT = {"environ", "getenv", "putenv"}


def modules(*packages: str) -> list[Path]:
    return sorted(file for package in packages for file in (ROOT / package).rglob("*.py"))


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def reaches(source: str, *, calls: set[str], attributes: set[str] = frozenset()) -> list[str]:
    """Every call and attribute in `source` with one of these names, as `line: expression`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in calls or ast.unparse(node.func) == "time.time":
                found.append(f"line {node.lineno}: {ast.unparse(node.func)}()")
        elif isinstance(node, ast.Attribute) and node.attr in attributes:
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


def test_the_arrows_between_the_packages_are_kept() -> None:
    command = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_ours_and_nobody_elses(package: str) -> None:
    where = importlib.import_module(package).__file__
    assert where is not None
    assert Path(where).resolve() == (ROOT / package / "__init__.py").resolve()
    # An editable install may be listed more than once; another distribution may not.
    owners = set(importlib.metadata.packages_distributions().get(package, []))
    assert owners <= {"leadscore"}, f"{package}/ is also shipped by {owners - {'leadscore'}}"


def test_the_distribution_says_that_it_is_an_application() -> None:
    try:
        metadata = importlib.metadata.metadata("leadscore")
    except importlib.metadata.PackageNotFoundError:
        pytest.fail("leadscore is not installed in this environment: run make test, or pip install --no-deps -e .")
    assert "Private :: Do Not Upload" in metadata.get_all("Classifier", [])


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["no-such-command"]])
def test_help_imports_nothing_slow(arguments: list[str]) -> None:
    command = (
        "import atexit, json, runpy, sys\n"
        "atexit.register(lambda: print(json.dumps(list(sys.modules)), file=sys.stderr))\n"
        f"sys.argv[1:] = {arguments!r}\n"
        "runpy.run_module('pipelines', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True)
    loaded = {module.partition(".")[0] for module in json.loads(done.stderr.splitlines()[-1])}
    assert "typer" in loaded
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize("file", modules(*PURE), ids=name)
def test_the_pure_core_touches_no_file_no_clock_and_no_environment(file: Path) -> None:
    assert not reaches(file.read_text(encoding="utf-8"), calls=CLOCK | FILES | READERS, attributes=ENVIRONMENT)


@pytest.mark.parametrize("file", [f for f in modules("pipelines") if f.name != "command_line.py"], ids=name)
def test_only_the_command_line_asks_what_time_it_is(file: Path) -> None:
    assert not reaches(file.read_text(encoding="utf-8"), calls=CLOCK)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import datetime\ndatetime.datetime.now()", ["line 2: datetime.datetime.now()"]),
        ("import time\ntime.time()", ["line 2: time.time()"]),
        ("open('leads.csv')", ["line 1: open()"]),
        ("import os\nos.environ['HOME']", ["line 2: os.environ"]),
        ("import time\ntime.monotonic()", []),
    ],
)
def test_the_search_finds_what_it_is_for(source: str, found: list[str]) -> None:
    assert reaches(source, calls=CLOCK | FILES, attributes=ENVIRONMENT) == found


@pytest.mark.parametrize("file", modules(*PACKAGES), ids=name)
def test_a_module_says_in_its_first_line_what_it_is(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    docstring = ast.get_docstring(tree)
    assert docstring, f"{name(file)} has no docstring"
    first, *_ = docstring.splitlines()
    assert len(first) > 10


def _imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports are absolute, so that a file can be moved"
            yield node.module or ""


@pytest.mark.parametrize("file", modules(*PACKAGES), ids=name)
def test_only_one_module_imports_mlflow(file: Path) -> None:
    allowed = {"pipelines/tracking.py", "pipelines/pyfunc_model.py"}
    asked = {module.partition(".")[0] for module in _imported(file.read_text(encoding="utf-8"))}
    assert "mlflow" not in asked or name(file) in allowed

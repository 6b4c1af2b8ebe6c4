"""The small store is trained once a session, by whichever process comes first; a test gets a copy on its engine."""

import fcntl
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from pipelines.store import LeadStore
from tests.conftest import DATABASES
from tests.faults import cases
from tests.faults.cases import Case, Seen
from tests.faults.nursery import Nursery
from tests.postgres import Server

TEMPLATE = "faults"


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """For reading only: it is shared by all tests, and by all processes of the session."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "faults"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ready = shared / "ready.json"
        folder = shared / "world"
        if not ready.exists():
            folder.mkdir()
            made = cases.make(folder)
            ready.write_text(json.dumps({"as_of": made.as_of.isoformat(), "digests": made.digests}))
    told = json.loads(ready.read_text())
    first, second = told["digests"]
    return Case(folder, str(folder / "leads.duckdb"), datetime.fromisoformat(told["as_of"]), (first, second))


@pytest.fixture(scope="session")
def nursery(small: Case, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """The process that forks: warmed up once."""
    if sys.platform != "linux":
        pytest.skip("processes are watched through /proc")
    folder = tmp_path_factory.mktemp("nursery")
    own = cases.copied(small, folder / "warm")
    with Nursery(folder, {"settings": own.flags, "as_of": own.as_of.isoformat()}) as running:
        yield running


@pytest.fixture(scope="session")
def template(small: Case, postgres_server: Server) -> str:
    """The name of a database with the same rows as the file of `small`, for reading only."""
    postgres_server.create_database(TEMPLATE)
    with (
        small.open(read_only=True) as source,
        LeadStore.open(postgres_server.url(TEMPLATE), create=True) as target,
    ):
        cases.pour(source, target)
    return TEMPLATE


@pytest.fixture
def on_duckdb(small: Case, nursery: Nursery, tmp_path: Path) -> Case:
    return replace(cases.copied(small, tmp_path / "case"), nursery=nursery)


@pytest.fixture
def on_postgres(
    small: Case, nursery: Nursery, tmp_path: Path, postgres_server: Server, template: str
) -> Iterator[Case]:
    name = f"fault_{next(DATABASES)}"
    postgres_server.start()
    postgres_server.create_database(name, template)
    try:
        yield replace(cases.copied(small, tmp_path / "case"), url=postgres_server.url(name), nursery=nursery)
    finally:
        postgres_server.start()
        postgres_server.drop_database(name)


@pytest.fixture(params=["duckdb", "postgres"])
def case(request: pytest.FixtureRequest) -> Case:
    """A copy of the small store on each engine in turn, to do with as a test likes."""
    found: Case = request.getfixturevalue(f"on_{request.param}")
    return found


@pytest.fixture(scope="session")
def undisturbed(small: Case, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """What readers see once the next day was scored and nothing went wrong; the same on both engines."""
    own = cases.copied(small, tmp_path_factory.mktemp("undisturbed") / "case")
    own.score(days_later=1)
    return own.seen()


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Put a sentence beside the fault's row in the table."""
    return lambda note: request.node.user_properties.append(("fault note", note))

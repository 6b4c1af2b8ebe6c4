"""A night of 100,000 leads and 3 million events on each engine: wall time, their ratio, and peak memory.

    python -m tests.benchmarks.night [--leads 100000] [--rounds 3] [--postgres URL]

The same simulated store, with the same release, is scored and published by `leadscore score` in a process of its own,
on DuckDB and PostgreSQL in turn. Without --postgres the tests' own server is started (durable: it syncs to disk).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import NamedTuple

from features.tables import MICROSECONDS_PER_DAY
from pipelines import config, demo
from pipelines.score import cache_of
from pipelines.store import LeadStore
from pipelines.synthetic import simulate
from pipelines.tracking import Tracking
from pipelines.train import train
from tests.pipelines.conftest import ALL_TABLES
from tests.postgres import NONE_FOUND, Server, find_binaries
from tests.signed import approve_and_promote

#: Snapshots to train on: what is measured is the night, not the training.
SNAPSHOTS = 20_000
BATCH_LEADS = 20_000
#: `leadscore`, and then what its own address space held at most: rusage would count ours in, from before the exec.
MEASURED = """
import atexit, pathlib, re
def peak():
    text = pathlib.Path("/proc/self/status").read_text()
    pathlib.Path("peak").write_text(re.search(r"VmHWM:\\s+(\\d+)", text)[1])
atexit.register(peak)
from pipelines.__main__ import main
main()
"""


class Night(NamedTuple):
    """One run: wall seconds from start to end of the process, and the most memory it held, in MiB."""

    seconds: float
    peak: float


def prepared(folder: Path, *, leads: int) -> tuple[str, str]:
    """Simulate, train and promote on DuckDB; return the store's path and the as_of."""
    url = str(folder / "leads.duckdb")
    flags = {
        "store.url": url, "tracking.uri": f"sqlite:///{folder / 'mlflow.db'}", "snapshots.most": SNAPSHOTS,
        "model.resamples": 50, "release.cache": str(folder / ".leadscore" / "releases"),
    }  # fmt: skip
    settings = config.load(environment={}, flags=flags)
    tracking = Tracking(uri=settings.tracking.uri, experiment="leadscore", model_name="leadscore")
    now = datetime.now(UTC)
    with LeadStore.open(url, create=True) as store:
        demo.fill(store, simulate(leads=leads))
        known_until = store.inventory().known_until
        report = train(store, settings, tracking, as_of=None, now=now)
        approve_and_promote(store, tracking, cache_of(settings), settings, version=report.version, now=now)
    (folder / config.FILE).write_text(
        f"[snapshots]\nmost = {SNAPSHOTS}\n[model]\nresamples = 50\n[score]\nrange_leads = {BATCH_LEADS}\n", "utf-8"
    )
    as_of = known_until // MICROSECONDS_PER_DAY * 86_400
    return url, datetime.fromtimestamp(as_of, UTC).date().isoformat()


def copied(source: str, target: str) -> None:
    """Copy every row of one store into a new one on another engine."""
    with (
        LeadStore.open(source, read_only=True) as old,
        LeadStore.open(target, create=True) as new,
        new.transaction(),
    ):
        for table in ALL_TABLES:
            new.engine.load(table, old.arrow(f"SELECT * FROM {table}"))
    with LeadStore.open(target) as new:
        new.change("ANALYZE")


def night(folder: Path, url: str, as_of: str, *, number: int) -> Night:
    """One `leadscore score`, published over the one before."""
    command = [sys.executable, "-c", MEASURED, "score", "--as-of", as_of, "--json"]
    command += ["--supersede", "--reason", f"benchmark {number}"]
    environment = {**os.environ, "LEADSCORE_STORE": url, "PYTHONPATH": str(Path(__file__).parents[2])}
    with (folder / "out.json").open("wb") as out:
        started = time.perf_counter()
        done = subprocess.run(command, cwd=folder, env=environment, stdout=out)
        seconds = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"leadscore score ended with {done.returncode} on {url.partition('@')[2] or url}")
    assert json.loads((folder / "out.json").read_text("utf-8"))["status"] == "published"
    return Night(seconds, int((folder / "peak").read_text("utf-8")) / 1024)


def main() -> None:
    """Prepare once, run the two engines in turn, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgres", metavar="URL", help="an empty database (default: a server started here)")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="leadscore-night-")))
        file, as_of = prepared(folder, leads=asked.leads)
        database = asked.postgres
        if database is None:
            binaries = find_binaries()
            if binaries is None:
                raise SystemExit(NONE_FOUND)
            server = stack.enter_context(Server(binaries, durable=True))
            server.create_database("night")
            database = server.url("night")
        copied(file, database)
        with LeadStore.open(file, read_only=True) as store:
            inventory = store.inventory()
        stores = {"DuckDB": file, "PostgreSQL": database}
        nights: dict[str, list[Night]] = {name: [] for name in stores}
        for number in range(asked.rounds):
            for name, url in stores.items():
                nights[name].append(night(folder, url, as_of, number=number))
                sys.stderr.write(f"round {number + 1}: {name} {nights[name][-1].seconds:.1f} s\n")
    ratios = [b.seconds / a.seconds for a, b in zip(*nights.values(), strict=True)]
    sys.stdout.write(f"{inventory.leads:,} leads, {inventory.events:,} events, scored and published:\n\n")
    sys.stdout.write(
        "| engine | wall time, median (s) | least – most | peak memory of the job (MiB) |\n|---|---|---|---|\n"
    )
    for name, runs in nights.items():
        times = [run.seconds for run in runs]
        sys.stdout.write(
            f"| {name} | {median(times):.1f} | {min(times):.1f} – {max(times):.1f} | {max(r.peak for r in runs):,.0f} "
            "|\n"
        )
    sys.stdout.write(
        f"\nPostgreSQL takes {median(ratios):.2f} times as long ({min(ratios):.2f} – {max(ratios):.2f}).\n"
    )


if __name__ == "__main__":
    main()

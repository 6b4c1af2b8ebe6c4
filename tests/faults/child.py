"""A process that has everything loaded and compiled, and forks a child for each job: to be killed, frozen or cut off.

Started by `tests/faults/nursery.py`, never by pytest's own process, which has threads. Orders are lines of JSON:
`{"do": "start", …}` answers with the child's process id, `{"do": "look", "pid": …}` with how it ended, if it has.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# A pool of threads does not survive a fork.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}

import pyarrow as pa

from features.errors import UserError
from pipelines import (
    champion,
    config,
    erase,
    failpoints,
    ledger,
    nights,
    out_of_time,
    promote,
    registering,
    release,
    reviewing,
    score,
    store,
)
from pipelines.importing import import_file
from pipelines.mapping import load_mapping
from pipelines.postgres_engine import PostgresEngine
from pipelines.store import LeadStore
from pipelines.tracking import Tracking
from tests.faults.second import second_release
from tests.signed import SMALL

Spec = Mapping[str, Any]
BUG = 70


class Agreeing:
    """A registry that is there and has nothing to say against the store's champion."""

    def __init__(self, leads: LeadStore) -> None:
        self._leads = leads

    def version_of(self, _: str) -> str | None:
        chosen = champion.champion_of(self._leads)
        return chosen.version if chosen else None

    def set_alias(self, alias: str, version: str) -> None:
        pass

    def set_version_tags(self, version: str, tags: Mapping[str, str]) -> None:
        pass


def now() -> datetime:
    return datetime.now(UTC)


def settings_of(spec: Spec) -> config.Settings:
    return config.load(environment={}, flags=spec["settings"])


def registry_of(spec: Spec, leads: LeadStore) -> Any:
    if spec.get("registry", "real" if spec["job"] == "promote" else "agreeing") != "real":
        return Agreeing(leads)
    kept = settings_of(spec).tracking
    return Tracking(uri=kept.uri, experiment=kept.experiment, model_name=kept.model_name)


def opened(spec: Spec, *, create: bool = False) -> LeadStore:
    return LeadStore.open(
        spec["settings"]["store.url"], create=create, wait_seconds=spec.get("given", {}).get("lock_timeout_seconds", 0)
    )


def do_score(spec: Spec) -> dict[str, Any]:
    with opened(spec) as leads:
        report = score.run(
            leads, settings_of(spec), registry_of(spec, leads), as_of=datetime.fromisoformat(spec["as_of"]), clock=now,
            job=score.Job(**spec.get("given", {})),
        )  # fmt: skip
    return report.as_dict()


def do_promote(spec: Spec) -> dict[str, Any]:
    with opened(spec) as leads:
        settings, tracking, version = settings_of(spec), registry_of(spec, leads), spec["version"]
        cache = score.cache_of(settings)
        if spec.get("signed", True) and not reviewing.reviews_of(leads, version):
            reviewing.approve(leads, tracking, cache, version=version, by="Ada", note="read", now=now())
        done = promote.promote(
            leads, tracking, cache, settings, version=version, now=now(), force_reason=spec.get("force", SMALL)
        )
        return asdict(done)


def do_rollback(spec: Spec) -> dict[str, Any]:
    with opened(spec) as leads:
        cache = score.cache_of(settings_of(spec))
        return asdict(promote.rollback(leads, registry_of(spec, leads), cache, reason="it was wrong", now=now()))


def do_erase(spec: Spec) -> dict[str, Any]:
    with opened(spec) as leads:
        return dict(erase.erase(leads, spec["lead"], now=now()).erased)


def do_import(spec: Spec) -> dict[str, Any]:
    with opened(spec) as leads:
        return asdict(import_file(leads, Path(spec["file"]), load_mapping("generic"), now=now()))


def do_migrate(spec: Spec) -> dict[str, Any]:
    opened(spec, create=True).close()
    return {}


def do_register(spec: Spec) -> dict[str, Any]:
    """The end of a training: what it learned is there, and is registered."""
    settings = settings_of(spec)
    with opened(spec) as leads:
        folder = Path(settings.release.cache) / spec["digest"]
        made = second_release(release.load(folder, digest=spec["digest"]), shift=spec["shift"])
        tracking = registry_of(spec, leads)
        version, _, digest = registering.register(
            leads,
            tracking,
            settings,
            made,
            {},
            foretold=out_of_time.recall(leads, spec["digest"]),
            now=now(),
            say=print,
        )
    return {"version": version, "digest": digest}


def do_hold(spec: Spec) -> dict[str, Any]:
    """Hold the scoring lock, with a statement at work."""
    with opened(spec) as leads, ledger.locked(leads, "score", wait_seconds=0):
        failpoints.reached("hold: the lock is held")
        leads.rows("SELECT pg_sleep(60)")
    return {}


def do_read(spec: Spec) -> dict[str, Any]:
    """What a dashboard does: open, read, and stay."""
    with LeadStore.open(spec["settings"]["store.url"], read_only=True) as leads, leads.snapshot() as frozen:
        before = frozen.rows("SELECT DISTINCT run_id FROM current_scores")
        failpoints.reached("read: the store is open")
        after = frozen.rows("SELECT DISTINCT run_id FROM current_scores")
    return {"before": before, "after": after}


def do_cli(spec: Spec) -> dict[str, Any]:
    """A command as a shell starts it: arguments, signals, messages and exit code."""
    from pipelines.__main__ import main

    sys.argv = ["leadscore", *spec["arguments"]]
    main()
    return {}


JOBS: Mapping[str, Callable[[Spec], dict[str, Any]]] = {
    "score": do_score, "promote": do_promote, "rollback": do_rollback, "erase": do_erase, "import": do_import,
    "migrate": do_migrate, "register": do_register, "hold": do_hold, "read": do_read, "cli": do_cli,
}  # fmt: skip


def hook(spec: Spec) -> Callable[[str], None]:
    """Write down every place that is reached; at one of them, kill or freeze this process, or fill it up."""
    written = os.open(spec["out"] + ".points", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    wanted = {"name": spec.get("at"), "left": spec.get("nth", 1)}
    orders = {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP, "terminate": signal.SIGTERM, "interrupt": signal.SIGINT}

    def at(name: str) -> None:
        os.write(written, f"{name}\n".encode())
        if wanted["name"] not in (name, "*"):
            return
        wanted["left"] -= 1
        if wanted["left"] == 0:
            if spec["then"] == "starve":
                ctypes.CDLL(None).malloc_trim(0)  # what is free already would hide that there is no more
                used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
                resource.setrlimit(resource.RLIMIT_AS, (used + spec["spare"],) * 2)
            else:
                os.kill(os.getpid(), orders[spec["then"]])

    return at


def without_locks() -> None:
    """As behind a pooler that gives every transaction another session: a session's lock holds nobody."""
    PostgresEngine.take_lock = lambda *_: True  # type: ignore[method-assign]
    PostgresEngine.release_lock = lambda *_: None  # type: ignore[method-assign]


def without_patience() -> None:
    vars(store)["RECONNECT_PAUSES"] = (0.1, 0.1)


def slow_ending() -> None:
    """A run that was interrupted hangs while it writes that down."""

    def hang(*_: object, **__: object) -> None:
        failpoints.reached("ledger: ending")
        time.sleep(60)

    ledger.end = hang


PATCHES = {"without locks": without_locks, "without patience": without_patience, "slow ending": slow_ending}


def mark_registering() -> None:
    """Name the places at which a training's registration may die: it has none of its own."""

    def named(name: str, whole: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **more: Any) -> Any:
            failpoints.reached(f"register: before {name}")
            done = whole(*given, **more)
            failpoints.reached(f"register: after {name}")
            return done

        return call

    import mlflow

    vars(mlflow)["register_model"] = named("the version", mlflow.register_model)
    registering._facts_text = named("the store's row", registering._facts_text)
    Tracking.set_alias = named("the alias", Tracking.set_alias)  # type: ignore[method-assign]


def child(spec: Spec) -> None:
    """Do one job and end, as a process of its own."""
    log = os.open(spec["out"] + ".log", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    for stream, target in ((os.open(os.devnull, os.O_RDONLY), 0), (log, 1), (log, 2)):
        os.dup2(stream, target)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - the parent's buffer is not ours
    sys.stderr = open(2, "w", closefd=False, buffering=1)  # noqa: SIM115
    os.environ.update(spec.get("environment", {}))
    os.chdir(Path(spec["out"]).parent)
    failpoints.HOOK[:] = [hook(spec)]
    for name in spec.get("patches", ()):
        PATCHES[name]()
    if spec["job"] == "register":
        mark_registering()
    if "most_bytes" in spec:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (spec["most_bytes"], resource.RLIM_INFINITY))
    code, said, report = 0, "", {}
    try:
        report = JOBS[spec["job"]](spec)
    except UserError as error:
        code, said = error.exit_code, str(error)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the test is to see it
        code, said = BUG, f"{type(error).__name__}: {error}"
        traceback.print_exc()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sys.stdout.flush()
    with open(spec["out"] + ".json", "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump({"said": said, "report": report, "peak_kilobytes": peak}, file, default=str)
    os._exit(code)


def warm_up(spec: Spec) -> None:
    """Load and compile what a run needs, so that a child begins at once."""
    nights.midnight(now().date(), zone="UTC")
    do_score({**spec, "job": "score", "given": {"dry_run": True}})

    import pipelines.cli
    import pipelines.report  # noqa: F401


def answer(told: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def serve() -> None:
    """Take orders until there are no more; then end the children that are left."""
    warm_up(json.loads(sys.stdin.readline()))
    answer({"ready": True})
    children: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        told: dict[str, Any] = {}
        if order["do"] == "start":
            pid = os.fork()
            if pid == 0:
                with contextlib.suppress(BaseException):
                    child(order)
                os._exit(BUG)
            children.add(pid)
            told = {"pid": pid}
        else:
            ended, status = os.waitpid(order["pid"], os.WNOHANG)
            if ended:
                children.discard(ended)
                told = {"code": os.waitstatus_to_exitcode(status)}
        answer(told)
    for pid in children:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    pa.set_cpu_count(1)
    serve()

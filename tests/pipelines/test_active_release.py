"""The champion's files: the local copy scores while the registry is away, is verified each time, and grows old."""

import hashlib
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from features.errors import ConfigError, ReleaseRefused
from pipelines import active_release, champion
from pipelines.active_release import Active
from pipelines.release_cache import ReleaseCache
from pipelines.score import cache_of
from pipelines.tracking import CHAMPION, Tracking
from tests.pipelines.conftest import NOW, World


def load(
    world: World, *, tracking: Tracking | None = None, days_later: float = 0, max_stale_days: float = 14
) -> Active:
    with world.open() as store:
        chosen = champion.champion_of(store)
        assert chosen is not None
        return active_release.load(
            store,
            tracking or world.tracking(),
            cache_of(world.settings()),
            chosen,
            now=NOW + timedelta(days=days_later),
            max_stale_days=max_stale_days,
        )


def elsewhere(uri: str) -> Tracking:
    return Tracking(uri=uri, experiment="leadscore", model_name="leadscore")


def files(world: World) -> Path:
    return world.folder / "releases" / str(world.report.digest)


def test_with_everything_in_place_nothing_is_said(world: World) -> None:
    active = load(world)
    assert (active.version, active.digest, active.flags) == ("1", world.report.digest, [])


@contextmanager
def closed_port() -> Iterator[str]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def tar_pit() -> Iterator[str]:
    """Takes the call and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(8)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def answering(status: int) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("away", [closed_port, tar_pit])
def test_with_the_registry_away_the_local_copy_scores_and_says_so(
    world: World, away: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    with away() as uri:  # type: ignore[operator]
        active = load(world, tracking=elsewhere(uri))
        assert active.flags == [active_release.REGISTRY_UNREACHABLE]
        assert "Scored with the verified local copy of version 1" in active.warnings[0]
        with pytest.raises(ReleaseRefused, match=r"has not confirmed version 1 for 15\.0 days, .*max_stale_days = 14"):
            load(world, tracking=elsewhere(uri), days_later=15)


def test_a_registry_that_shuts_us_out_is_a_matter_of_configuration(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with answering(401) as uri, pytest.raises(ConfigError, match=r"does not let us in.*MLFLOW_TRACKING_USERNAME"):
        load(world, tracking=elsewhere(uri))


def test_a_database_that_is_gone_is_not_made_anew(world: World) -> None:
    gone = world.folder / "gone.db"
    active = load(world, tracking=elsewhere(f"sqlite:///{gone}"))
    assert active.flags == [active_release.REGISTRY_UNREACHABLE]
    assert not gone.exists()


def test_a_version_that_was_deleted_in_the_registry_scores_on_for_a_while(world: World) -> None:
    world.tracking().client.delete_model_version("leadscore", "1")
    active = load(world)
    assert active.flags == [active_release.ALIAS_MISSING]
    assert "leadscore promote 1" in active.warnings[0]
    with pytest.raises(ReleaseRefused, match="has not confirmed version 1 for 20"):
        load(world, days_later=20)


def test_the_registry_s_word_keeps_a_release_young(world: World) -> None:
    load(world, days_later=13)
    with pytest.raises(ReleaseRefused, match=r"for 13\.5 days"):
        load(world, tracking=elsewhere("sqlite:////nowhere/mlflow.db"), days_later=26.5, max_stale_days=13)


def test_the_store_decides_who_is_champion(world: World) -> None:
    tracking = world.tracking()
    client = tracking.client
    client.create_model_version("leadscore", source="file:///nowhere")
    tracking.set_alias(CHAMPION, "2")
    active = load(world)
    assert (active.version, active.flags) == ("1", [active_release.ALIAS_DIFFERS])


# The copy itself -----------------------------------------------------------------------------------------------------


def _edit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def _agreeing(path: Path) -> None:
    """The manifest agrees with the changed file: only the digest in the store knows better."""
    path.write_bytes(path.read_bytes() + b"\n")
    manifest = json.loads((path.parent / "manifest.json").read_text())
    content = path.read_bytes()
    manifest[path.name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (path.parent / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


def _link(path: Path) -> None:
    target = path.rename(path.parent.parent / "elsewhere.txt")
    path.symlink_to(target)


DAMAGE = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "another byte": _edit,
    "other line ends": lambda path: path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n")),
    "swapped": lambda path: path.write_bytes((path.parent / "linear.json").read_bytes()),
    "one more": lambda path: (path.parent / "extra.txt").write_text(""),
    "a link": _link,
    "gone": lambda path: path.unlink(),
    "a manifest that agrees": _agreeing,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_copy_is_never_read_and_is_fetched_anew(world: World, damage: str) -> None:
    DAMAGE[damage](files(world) / "model.txt")
    with pytest.raises(ReleaseRefused, match="is not what was registered"):
        load(world, tracking=elsewhere("sqlite:////nowhere/mlflow.db"))
    active = load(world)
    assert active.flags == [active_release.COPY_REPAIRED]
    assert load(world).flags == []


def test_without_a_copy_and_without_the_registry_nothing_scores(world: World) -> None:
    shutil.rmtree(world.folder / "releases")
    with pytest.raises(ReleaseRefused, match=r"no local copy of version 1 in .* either.*published before stays"):
        load(world, tracking=elsewhere("sqlite:////nowhere/mlflow.db"))
    assert load(world).flags == []
    assert files(world).is_dir()


def test_a_cache_that_cannot_be_written_to_costs_no_night(world: World) -> None:
    shutil.rmtree(world.folder / "releases")
    (world.folder / "releases").write_text("a file stands where the folder should be")
    active = load(world)
    assert active.flags == [active_release.NO_LOCAL_COPY]
    assert "Name another folder with [release] cache" in active.warnings[0]


def test_a_copy_is_kept_whole_or_not_at_all(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ReleaseCache(tmp_path / "cache")
    digest = str(world.report.digest)

    def half(source: Path, target: Path) -> None:
        target.mkdir()
        (target / "model.txt").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copytree", half)
        with pytest.raises(OSError, match="No space left"):
            cache.keep(files(world), digest=digest)
    assert cache.load(digest) is None
    assert list((tmp_path / "cache").iterdir()) == []
    cache.keep(files(world), digest=digest)
    assert cache.has(digest)
    assert not cache.has("another")

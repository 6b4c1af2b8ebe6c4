"""A TCP proxy before PostgreSQL that breaks connections at the worst moment: around a COMMIT."""

import contextlib
import socket
import threading
from typing import Literal, Self
from urllib.parse import urlsplit, urlunsplit

_COMMIT = b"COMMIT\0"


class Proxy:
    """Passes everything on, until it is armed: then the next COMMIT is lost, or its answer is."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{port}"))
        self._armed: Literal["request", "answer"] | None = None
        self.cut = threading.Event()
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []

    def arm(self, lose: Literal["request", "answer"]) -> None:
        self._armed = lose

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for open_ in self._sockets:
            _shut(open_)
        for thread in self._threads:
            thread.join(timeout=10)
        for open_ in self._sockets:
            open_.close()

    def _run(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            self._sockets += [client, server]
            self._run(self._upstream, client, server)
            self._run(self._downstream, client, server)

    def _upstream(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while content := client.recv(65536):
                if self._armed and _COMMIT in content:
                    lose, self._armed = self._armed, None
                    if lose == "answer":
                        # The other direction is closed first, so that no answer gets through.
                        client.shutdown(socket.SHUT_WR)
                        server.sendall(content)
                        server.settimeout(10)
                        self.cut.wait(0.3)
                    self.cut.set()
                    break
                server.sendall(content)
        _shut(client)
        _shut(server)

    def _downstream(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while content := server.recv(65536):
                client.sendall(content)
        _shut(client)


def _shut(open_: socket.socket) -> None:
    with contextlib.suppress(OSError):
        open_.shutdown(socket.SHUT_RDWR)

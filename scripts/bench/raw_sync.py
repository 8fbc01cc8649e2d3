"""The raw-socket client, blocking: the floor for Python's synchronous calls."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from . import http1

if TYPE_CHECKING:
    from collections.abc import Iterator


class RawClient:
    """A pool of kept-alive connections to one provider."""

    def __init__(self, host: str, port: int, path: str, key: str) -> None:
        self._address = (host, port)
        self._head = http1.request_head(f"{host}:{port}", path, key)
        self._idle: list[socket.socket] = []

    def _connection(self) -> socket.socket:
        if self._idle:
            return self._idle.pop()
        connection = socket.create_connection(self._address)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def chat(self, request: dict[str, Any]) -> str:
        """One call: the text of its answer."""
        connection = self._connection()
        connection.sendall(http1.request_bytes(self._head, request))
        response = http1.Response()
        body = b""
        while not response.complete:
            data = connection.recv(65536)
            if not data:
                raise ConnectionError("the connection was closed")
            body += response.feed(data)
        self._idle.append(connection)
        return http1.answer(response, body)

    def stream(self, request: dict[str, Any]) -> Iterator[str]:
        """One streamed call: the text of each chunk."""
        connection = self._connection()
        connection.sendall(http1.request_bytes(self._head, request))
        response = http1.Response()
        events = http1.Events()
        ended = False
        while not response.complete:
            data = connection.recv(65536)
            if not data:
                raise ConnectionError("the connection was closed")
            for event in events.feed(response.feed(data)):
                if event == b"[DONE]":
                    ended = True
                else:
                    yield http1.delta(event)
        if not ended:
            raise ConnectionError("the stream broke off")
        self._idle.append(connection)

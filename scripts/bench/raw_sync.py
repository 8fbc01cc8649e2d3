"""The raw-socket client, blocking: the floor for Python's synchronous calls."""

from __future__ import annotations

import socket
from array import array
from binascii import a2b_base64
from typing import TYPE_CHECKING, Any

from . import http1, payload

if TYPE_CHECKING:
    from collections.abc import Iterator


class RawClient:
    """A pool of kept-alive connections to one provider."""

    def __init__(self, host: str, port: int, path: str, key: str) -> None:
        self._address = (host, port)
        self._head = http1.request_head(f"{host}:{port}", path, key)
        self._embed = http1.request_head(f"{host}:{port}", path, key, "embeddings")
        self._idle: list[socket.socket] = []

    def _connection(self) -> socket.socket:
        if self._idle:
            return self._idle.pop()
        connection = socket.create_connection(self._address)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def chat(self, request: dict[str, Any]) -> str:
        """One call: the text of its answer."""
        return http1.answer(*self._exchange(self._head, request))

    def embed(self, texts: list[str], most: int) -> list[array[float]]:
        """Their vectors, asked for in requests of at most `most` texts, one after the other."""
        vectors: list[array[float]] = []
        for at in range(0, len(texts), most):
            request = payload.embed_request(texts[at : at + most])
            response, body = self._exchange(self._embed, request)
            for item in http1.document(response, body)["data"]:
                vector = array("f")
                vector.frombytes(a2b_base64(item["embedding"]))
                vectors.append(vector)
        return vectors

    def _exchange(self, head: bytes, request: dict[str, Any]) -> tuple[http1.Response, bytes]:
        connection = self._connection()
        connection.sendall(http1.request_bytes(head, request))
        response = http1.Response()
        parts: list[bytes] = []
        while not response.complete:
            data = connection.recv(65536)
            if not data:
                raise ConnectionError("the connection was closed")
            parts.append(response.feed(data))
        self._idle.append(connection)
        return response, b"".join(parts)

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

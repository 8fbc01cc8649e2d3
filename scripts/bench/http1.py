"""HTTP/1.1 and server-sent events for the raw-socket clients: what any user would need at least.

A response is fed in as it arrives. Status line and headers become a number and a dict; bodies come
by content-length or in chunks; `Events` cuts an event stream into the data of its events.
"""

from __future__ import annotations

import json
from typing import Any

_write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode(document: dict[str, Any]) -> bytes:
    """Writes a document."""
    return _write(document).encode()


def decode(document: bytes) -> Any:
    """Reads a document."""
    return json.loads(str(document, "utf-8"))


try:
    # The package depends on it, so the raw client has it too, unless the worker hides it from both.
    import orjson
except ImportError:
    pass
else:
    encode, decode = orjson.dumps, orjson.loads


def request_bytes(head: bytes, document: dict[str, Any]) -> bytes:
    """One POST: `head` is all that does not change, up to the value of content-length."""
    body = encode(document)
    return b"%b%d\r\n\r\n%b" % (head, len(body), body)


def request_head(host: str, path: str, key: str, method: str = "chat/completions") -> bytes:
    """The part of a request that is the same each time."""
    return (
        f"POST {path}/{method} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n"
        "content-type: application/json\r\naccept: application/json, text/event-stream\r\n"
        "content-length: "
    ).encode()


class Response:
    """A response being read."""

    __slots__ = ("_chunk", "_left", "_pending", "complete", "headers", "status")

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.complete = False
        self._pending = b""
        self._left = -1  # bytes of a content-length body that are still to come
        self._chunk = False

    def feed(self, data: bytes) -> bytes:
        """Takes what the socket gave: the bytes of the body in it."""
        if self._pending:
            data = self._pending + data
            self._pending = b""
        if not self.status:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._pending = data
                return b""
            self._head(data[:end].decode("latin-1"))
            data = data[end + 4 :]
        if self._chunk:
            return self._chunks(data)
        self._left -= len(data)
        if self._left <= 0:
            self.complete = True
        return data

    def _head(self, head: str) -> None:
        status, *lines = head.split("\r\n")
        self.status = int(status.split(" ", 2)[1])
        headers = self.headers
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        self._chunk = "chunked" in headers.get("transfer-encoding", "")
        self._left = int(headers.get("content-length", 0))

    def _chunks(self, data: bytes) -> bytes:
        body: list[bytes] = []
        position = 0
        while True:
            line = data.find(b"\r\n", position)
            if line < 0:
                break
            size = int(data[position:line].split(b";", 1)[0], 16)
            end = line + 2 + size
            if len(data) < end + 2:
                break
            if size == 0:
                self.complete = True
                break
            body.append(data[line + 2 : end])
            position = end + 2
        self._pending = data[position:]
        return b"".join(body) if len(body) != 1 else body[0]


class Events:
    """Cuts an event stream into its events' data."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The data of the events that `data` ends."""
        if self._rest:
            data = self._rest + data
        *lines, self._rest = data.split(b"\n")
        return [line[5:].strip() for line in lines if line.startswith(b"data:")]


def delta(event: bytes) -> str:
    """The text of one chunk."""
    choices = decode(event)["choices"]
    return (choices[0]["delta"].get("content") or "") if choices else ""


def answer(response: Response, body: bytes) -> str:
    """The text of a whole answer."""
    return document(response, body)["choices"][0]["message"]["content"]


def document(response: Response, body: bytes) -> Any:
    """A whole answer."""
    if response.status != 200:
        raise RuntimeError(f"status {response.status}: {body[:200]!r}")
    return decode(body)

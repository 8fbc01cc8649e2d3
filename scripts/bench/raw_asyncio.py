"""The raw-socket client on asyncio: a Protocol and one future a call, the cheapest honest form."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from . import http1

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Connection(asyncio.Protocol):
    """One connection, one call at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.transport: Any = None
        self.response = http1.Response()
        self._body = b""
        self._events: http1.Events | None = None
        self.arrived: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._lost: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: connected. (It sets TCP_NODELAY itself.)"""
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: closed."""
        self._lost = exc or ConnectionError("the connection was closed")
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(self._lost)

    def begin(self, request: bytes, *, stream: bool) -> None:
        """Sends a request."""
        self.response = http1.Response()
        self._body = b""
        self._events = http1.Events() if stream else None
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes came."""
        body = self.response.feed(data)
        if self._events is not None:
            self.arrived.extend(self._events.feed(body))
        else:
            self._body = self._body + body if self._body else body
            if not self.response.complete:
                return
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self) -> bytes:
        """Until the whole answer, or more of a stream, is there."""
        if self._lost is not None:
            raise self._lost
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
        return self._body


class RawAsyncClient:
    """A pool of kept-alive connections to one provider."""

    def __init__(self, host: str, port: int, path: str, key: str) -> None:
        self._address = (host, port)
        self._head = http1.request_head(f"{host}:{port}", path, key)
        self._idle: list[Connection] = []

    async def _connection(self) -> Connection:
        if self._idle:
            return self._idle.pop()
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: Connection(loop), *self._address)
        return connection

    async def chat(self, request: dict[str, Any]) -> str:
        """One call: the text of its answer."""
        connection = await self._connection()
        connection.begin(http1.request_bytes(self._head, request), stream=False)
        body = await connection.wait()
        self._idle.append(connection)
        return http1.answer(connection.response, body)

    async def stream(self, request: dict[str, Any]) -> AsyncIterator[str]:
        """One streamed call: the text of each chunk."""
        connection = await self._connection()
        connection.begin(http1.request_bytes(self._head, request), stream=True)
        ended = False
        arrived = connection.arrived
        while not ended or not connection.response.complete:
            if not arrived:
                await connection.wait()
            while arrived:
                event = arrived.popleft()
                if event == b"[DONE]":
                    ended = True
                else:
                    yield http1.delta(event)
            if connection.response.complete and not ended:
                raise ConnectionError("the stream broke off")
        self._idle.append(connection)

"""The asyncio client: `AsyncClient` and its `AsyncStream`.

It needs no thread and no callback from outside.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from . import _json
from ._client import BaseClient, StreamState
from ._loop import call, running_hub
from ._models import Chunk, ModelsResponse, ModerateResponse, Response
from ._multi import MultiResponse
from ._queue import SINGLE, WHOLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from typing import Any

    from typing_extensions import Self, Unpack

    from ._client import Request
    from ._loop import Inbox
    from ._native import NativeClient
    from ._types import Members, ModelsMembers, ModerateMembers, Options


class AsyncClient(BaseClient):
    """A client for asyncio, with the same arguments as `Client`.

    Any number of loops and threads may use it. Cancelling a task cancels its request.

        async with liter_llm.AsyncClient(provider="openai") as client:
            print((await client.chat("Hello", model="gpt-5-mini")).text)
    """

    async def chat(
        self,
        request: Request | None = None,
        /,
        *,
        options: Options | None = None,
        **members: Unpack[Members],
    ) -> Response:
        """Asks and waits for the whole answer. Arguments and errors are those of `Client.chat`."""
        return Response(await self._ask(self._defaults.documents(request, options, {**members})))

    async def models(
        self,
        name: str | None = None,
        /,
        *,
        options: Options | None = None,
        **members: Unpack[ModelsMembers],
    ) -> ModelsResponse:
        """Lists the models of a provider. Arguments are those of `Client.models`."""
        if name is not None:
            members["provider"] = name
        return ModelsResponse(await self._ask(self._documents("models", options, members)))

    async def moderate(
        self,
        input: str | Sequence[str] | Sequence[Mapping[str, Any]],  # noqa: A002
        *,
        options: Options | None = None,
        **members: Unpack[ModerateMembers],
    ) -> ModerateResponse:
        """Asks whether texts or images break rules. Arguments are those of `Client.moderate`."""
        asked = {"input": input, **members}
        return ModerateResponse(await self._ask(self._documents("moderate", options, asked)))

    async def _ask(self, documents: tuple[bytes, bytes]) -> Any:
        """Sends a request and waits for its one answer."""
        return _json.loads(await call(self._native, WHOLE | SINGLE, *documents))

    async def generate_multi(
        self,
        request: Request | None,
        /,
        targets: Sequence[str],
        first: int = 1,
        *,
        options: Options | None = None,
        **members: Unpack[Members],
    ) -> MultiResponse:
        """Asks several targets at once. Arguments and errors are as in `Client.generate_multi`."""
        documents = self._many(request, targets, first, options, {**members})
        return MultiResponse(_json.loads(await call(self._native, WHOLE, *documents)))

    def stream(
        self,
        request: Request | None = None,
        /,
        *,
        options: Options | None = None,
        **members: Unpack[Members],
    ) -> AsyncStream:
        """Asks, and gives the answer as it arrives. Call it on a running loop.

        async with client.stream("Tell me a story", model="openai/gpt-5-mini") as stream:
            async for chunk in stream:
                print(chunk.text, end="")
        print(stream.response.usage)
        """
        documents = self._defaults.documents(request, options, {**members})
        return AsyncStream(self._native, *documents)

    async def metrics(self, format: str = "json") -> Any:  # noqa: A002
        """Returns the counters: a dict ("json"), or Prometheus' text format ("prometheus")."""
        return self._metrics(format)

    async def close(self, grace: float = 0.0) -> None:
        """Takes no more requests, waits `grace` seconds for those in flight, cancels the rest."""
        if grace > 0:
            loop = asyncio.get_running_loop()
            try:
                await loop.run_in_executor(None, self._native.close, grace)
            except asyncio.CancelledError:  # otherwise the thread waits on, and the loop for it
                self._native.close(0)
                raise
        else:
            self._native.close(0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class AsyncStream(StreamState):
    """An answer as it arrives: an async iterator of Chunk, and a context manager that cancels.

    Without a reader, the engine reads less than a megabyte ahead.
    """

    def __init__(self, native: NativeClient, request: bytes, options: bytes) -> None:
        super().__init__()
        self._inbox: Inbox | None = None
        self._native = native
        self._loop = asyncio.get_running_loop()
        inbox = running_hub().inbox()
        try:
            self._token = inbox.submit(native, request, options)
        except BaseException:
            inbox.release()
            raise
        self._inbox = inbox

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        while True:
            for document in self._documents:
                return Chunk(document)
            inbox = self._inbox
            if inbox is None:
                raise StopAsyncIteration
            if inbox.events:
                self._read(inbox)
            else:  # another task may have closed the stream, so look again
                await inbox.arrival()

    def _read(self, inbox: Inbox) -> None:
        _, kind, payload = inbox.take()
        try:
            ended = self._take(kind, payload)
        except BaseException:
            self._end()
            raise
        if ended:
            self._end()

    async def text(self) -> str:
        """Reads to the end: the first choice's whole text."""
        while (inbox := self._inbox) is not None:
            if inbox.events:
                self._read(inbox)
            else:
                await inbox.arrival()
        self._documents = iter(())
        return self.response.text

    async def close(self) -> None:
        """Cancels the rest of the answer: its connection is closed, and iteration ends."""
        self._documents = iter(())
        if self._loop is asyncio.get_running_loop():
            if self._inbox is not None:
                self._inbox.queue.cancel(self._token)
                self._end()
        else:
            self._leave()

    def _end(self) -> None:
        inbox, self._inbox = self._inbox, None
        if inbox is not None:
            inbox.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __del__(self) -> None:
        self._leave()  # a finalizer runs on any thread

    def _leave(self) -> None:
        """Cancels from a thread or a loop other than the one where the stream began."""
        inbox, self._inbox = self._inbox, None
        if inbox is None:
            return
        inbox.queue.cancel(self._token)
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(inbox.release)

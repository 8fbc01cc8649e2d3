"""The asyncio client: `AsyncClient` and its `AsyncStream`.

It needs no thread and no callback from outside.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import overload

from . import _json
from ._client import BaseClient, StreamState
from ._errors import CancelledError
from ._loop import Inbox, call, running, running_hub
from ._models import (
    BudgetState,
    CachePurged,
    Chunk,
    CountTokensResponse,
    EmbedResponse,
    ModelsResponse,
    ModerateResponse,
    RerankResponse,
    Response,
)
from ._queue import SINGLE, WHOLE
from ._reader import Reader
from ._request import check_stream, purging, reading, wants_stream
from ._telemetry import begin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from typing import Any, Literal

    from typing_extensions import Self, Unpack

    from ._client import Request
    from ._multi import MultiResponse
    from ._native import NativeClient
    from ._types import (
        EmbedMembers,
        Members,
        ModelsMembers,
        ModerateMembers,
        Options,
        RerankMembers,
    )


class AsyncClient(BaseClient):
    """A client for asyncio, with the same arguments as `Client`.

    Any number of loops and threads may use it. Cancelling a task cancels its request.

        async with liter_llm.AsyncClient(provider="openai") as client:
            print((await client.chat("Hello", model="gpt-4.1-mini")).text)
    """

    @overload
    async def chat(
        self,
        request: Request | None = None,
        /,
        *,
        stream: Literal[False] | None = None,
        options: Options | None = None,
        **members: Unpack[Members],
    ) -> Response: ...
    @overload
    async def chat(
        self,
        request: Request | None = None,
        /,
        *,
        stream: Literal[True],
        options: Options | None = None,
        **members: Unpack[Members],
    ) -> AsyncStream: ...
    @overload
    async def chat(
        self,
        request: Request | None = None,
        /,
        *,
        stream: bool | None,
        options: Options | None = None,
        **members: Unpack[Members],
    ) -> Response | AsyncStream: ...
    async def chat(
        self,
        request: Request | None = None,
        /,
        *,
        stream: bool | None = None,
        options: Options | None = None,
        **members: Unpack[Members],
    ) -> Response | AsyncStream:
        """Asks and waits for the whole answer. Arguments and errors are those of `Client.chat`.

        With `stream=True` it gives an AsyncStream: `async for chunk in await client.chat(…)`.
        """
        if wants_stream(request, stream):
            documents = self._defaults.documents(request, options, {**members})
            return AsyncStream(self._native, *documents)
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

    async def embed(
        self,
        input: str | Sequence[str] | Sequence[Any],  # noqa: A002
        *,
        options: Options | None = None,
        **members: Unpack[EmbedMembers],
    ) -> EmbedResponse:
        """Turns texts into vectors. Arguments and errors are those of `Client.embed`."""
        asked = {"input": input, **members}
        return EmbedResponse(await self._ask(self._documents("embed", options, asked)))

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

    async def purge_cache(self, tenant: str) -> CachePurged:
        """Forgets the stored answers of a tenant. Arguments are those of `Client.purge_cache`."""
        return CachePurged(await self._ask(purging(tenant), asks=False))

    async def budget(self, name: str, value: str = "") -> BudgetState:
        """Reads what was spent of a budget. Arguments are those of `Client.budget`."""
        return BudgetState(await self._ask(reading(name, value), asks=False))

    async def count_tokens(
        self,
        request: Request | None = None,
        /,
        *,
        options: Options | None = None,
        **members: Unpack[Members],
    ) -> CountTokensResponse:
        """Counts the tokens that a chat would read. Takes what `Client.count_tokens` takes."""
        documents = self._counted(request, options, {**members})
        return CountTokensResponse(await self._ask(documents))

    async def rerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        options: Options | None = None,
        **members: Unpack[RerankMembers],
    ) -> RerankResponse:
        """Orders documents by a query. Arguments and errors are those of `Client.rerank`."""
        asked = {"query": query, "documents": documents, **members}
        return RerankResponse(await self._ask(self._documents("rerank", options, asked)))

    async def _ask(self, documents: tuple[bytes, bytes], asks: bool = True) -> Any:
        """Sends a request and waits for its one answer. `asks`: a provider is asked."""
        request, options = documents
        traced = begin(request, options) if asks else None
        if traced is None:
            return self._read(await call(self._native, WHOLE | SINGLE, request, options), request)
        with traced:
            answer = await call(self._native, WHOLE | SINGLE, request, traced.options)
            document = self._read(answer, request)
            traced.answered(document)
            return document

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
        body, chosen = documents
        if (traced := begin(body, chosen)) is None:
            answer = await call(self._native, WHOLE, body, chosen)
            return self._several(_json.loads(answer), body)
        with traced:
            document = _json.loads(await call(self._native, WHOLE, body, traced.options))
            traced.answered(document["results"][0])
            return self._several(document, body)

    def stream(
        self,
        request: Request | None = None,
        /,
        *,
        options: Options | None = None,
        **members: Unpack[Members],
    ) -> AsyncStream:
        """Asks, and gives the answer as it arrives. Call it on a running loop.

        async with client.stream("Tell me a story", model="openai/gpt-4.1-mini") as stream:
            async for chunk in stream:
                print(chunk.text, end="")
        print(stream.response.usage)
        """
        check_stream(request)
        documents = self._defaults.documents(request, options, {**members}, "stream")
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

    Without a reader, the engine reads less than a megabyte ahead. Cancelling the task that reads it
    ends the request.
    """

    def __init__(self, native: NativeClient, request: bytes, options: bytes) -> None:
        super().__init__(request, options)
        self._inbox: Inbox | None = None
        self._cancelled = False
        self._native = native
        try:
            self._loop = running()
            self._reader = Reader(self)
            inbox = Inbox(running_hub())
            try:
                inbox.submit(native, request, self._options)
            except BaseException:
                self._reader.leave()
                raise
        except BaseException as error:
            self._refused(error)
            raise
        self._inbox = inbox

    def __aiter__(self) -> AsyncIterator[Chunk]:
        self._begin()
        return self

    async def __anext__(self) -> Chunk:
        while True:
            for document in self._documents:
                self._shown = True
                return Chunk(document)
            inbox = self._inbox
            if inbox is None:
                if self._cancelled:  # otherwise it would look complete
                    raise CancelledError.of("a reader's cancel has ended this stream: ask anew")
                raise StopAsyncIteration
            self._reader.is_current()
            await self._next(inbox)

    async def _next(self, inbox: Inbox) -> None:
        """Takes an event, or waits until one is there."""
        if inbox.events:
            self._read(inbox)
            return
        arrival = inbox.arrival()  # another task may close the stream meanwhile, so look again
        try:
            await arrival
        except asyncio.CancelledError:  # it may have been a timeout for this chunk alone
            self._reader.interrupted()
            raise
        except BaseException:
            self._give_up()
            raise

    def _read(self, inbox: Inbox) -> None:
        _, kind, payload = inbox.take()
        try:
            ended = self._take(kind, payload)
        except BaseException:
            inbox.cancel()
            self._end()
            raise
        if ended:
            self._end()
            self._say()

    async def text(self) -> str:
        """Reads to the end: the first choice's whole text.

        Where no chunk was read before, an answer that breaks begins anew; `on_break="error"` is
        for the error.
        """
        if (inbox := self._inbox) is not None and not self._shown:
            inbox.collect()
        try:
            while (inbox := self._inbox) is not None:
                await self._next(inbox)
        except asyncio.CancelledError:
            self._give_up()
            raise
        self._documents = iter(())
        return self.response.text

    async def close(self) -> None:
        """Cancels the rest of the answer: its connection is closed, and iteration ends."""
        self._documents = iter(())
        if self._loop is asyncio.get_running_loop():
            if self._inbox is not None:
                self._inbox.cancel()
                self._end()
        else:
            self._given_up()
            self._leave()

    def _end(self) -> None:
        inbox, self._inbox = self._inbox, None
        if inbox is not None:
            self._given_up()
            self._reader.leave()
            inbox.release()

    def _give_up(self) -> None:
        """The task that reads was cancelled."""
        if self._inbox is not None:
            self._cancelled = True
            self._documents = iter(())
            self._inbox.cancel()
            self._end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __del__(self, finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        if not finalizing():
            self._leave()  # a finalizer runs on any thread

    def _leave(self) -> None:
        """Cancels from a thread or a loop other than the one where the stream began."""
        inbox, self._inbox = self._inbox, None
        if inbox is None:
            return
        inbox.cancel()
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._reader.leave)
            self._loop.call_soon_threadsafe(inbox.release)

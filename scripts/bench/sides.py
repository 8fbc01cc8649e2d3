"""The two sides as the worker drives them: the same calls on a raw client and on liter-llm.

A side opens a client for a base URL; a workload makes calls through it and gives back how many
units (calls, chunks) it did. Every text that comes back is compared with what it must be.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from . import payload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    Sync = tuple[Callable[[], str], Callable[[], Iterator[str]]]
    Async = tuple[Callable[[], Any], Callable[[], AsyncIterator[str]]]


def _raw(base_url: str, cls: Any) -> Any:
    parts = urlsplit(base_url)
    return cls(parts.hostname, parts.port, parts.path, payload.KEY)


def raw_sync(base_url: str) -> Sync:
    """The blocking raw client."""
    from .raw_sync import RawClient

    client = _raw(base_url, RawClient)
    return (lambda: client.chat(payload.REQUEST)), (lambda: client.stream(payload.STREAM))


def raw_embed(base_url: str) -> Sync:
    """The vectors of many texts by the blocking raw client."""
    from .raw_sync import RawClient

    client = _raw(base_url, RawClient)

    def embed() -> str:
        vectors = client.embed(payload.TEXTS, payload.PER_REQUEST)
        return payload.embedded([(vector[0], vector[1]) for vector in vectors])

    return embed, _no_stream


def liter_embed(base_url: str) -> Sync:
    """The vectors of many texts by `liter_llm.Client`."""
    import liter_llm

    client = liter_llm.Client(_config(base_url), provider="openai")

    def embed() -> str:
        answer = client.embed(
            payload.TEXTS, model=payload.EMBED_MODEL, dimensions=payload.DIMENSIONS
        )
        return payload.embedded([(vector[0], vector[1]) for vector in answer.vectors()])

    return embed, _no_stream


def _no_stream() -> Iterator[str]:
    raise AssertionError("vectors are not streamed")


def raw_async(base_url: str) -> Async:
    """The raw client on asyncio."""
    from .raw_asyncio import RawAsyncClient

    client = _raw(base_url, RawAsyncClient)
    return (lambda: client.chat(payload.REQUEST)), (lambda: client.stream(payload.STREAM))


def _config(base_url: str) -> dict[str, Any]:
    return {"providers": {"openai": {"base_url": base_url, "api_key": payload.KEY}}}


def liter_sync(base_url: str) -> Sync:
    """`liter_llm.Client`."""
    import liter_llm

    client = liter_llm.Client(_config(base_url), provider="openai")

    def stream() -> Iterator[str]:
        with client.stream(payload.REQUEST) as chunks:
            for chunk in chunks:
                yield chunk.text

    return (lambda: client.chat(payload.REQUEST).text), stream


def liter_async(base_url: str) -> Async:
    """`liter_llm.AsyncClient`."""
    import liter_llm

    client = liter_llm.AsyncClient(_config(base_url), provider="openai")

    async def chat() -> str:
        return (await client.chat(payload.REQUEST)).text

    async def stream() -> AsyncIterator[str]:
        async with client.stream(payload.REQUEST) as chunks:
            async for chunk in chunks:
                yield chunk.text

    return chat, stream


class Expected:
    """The right text, which the first answer shows: length and beginning are known."""

    def __init__(self, text: str) -> None:
        if not text.startswith("You said: "):
            raise AssertionError(f"unexpected text: {text[:80]!r}")
        self.text = text

    def check(self, text: str) -> None:
        """Stops the run if an answer is another."""
        if text != self.text:
            raise AssertionError(f"wrong text: {text[:80]!r}")


class SyncRunner:
    """Makes calls one after another."""

    def __init__(self, side: Sync) -> None:
        self._chat, self._stream = side

    def calls(self, count: int, text: Expected) -> int:
        """`count` calls; units are calls."""
        chat = self._chat
        for _ in range(count):
            text.check(chat())
        return count

    def streams(self, count: int, text: Expected) -> int:
        """`count` streams, one after another; units are chunks."""
        chunks = 0
        for _ in range(count):
            parts = list(self._stream())
            text.check("".join(parts))
            chunks += len(parts)
        return chunks


class AsyncRunner:
    """Keeps `flights` calls in flight on one loop."""

    def __init__(self, side: Async, flights: int) -> None:
        self._chat, self._stream = side
        self._flights = flights
        self._loop = asyncio.new_event_loop()

    def calls(self, count: int, text: Expected) -> int:
        """`count` calls, shared between the flights."""
        chat = self._chat
        each = max(count // self._flights, 1)

        async def flight() -> None:
            for _ in range(each):
                text.check(await chat())

        self._gather(flight)
        return each * self._flights

    def streams(self, count: int, text: Expected) -> int:
        """`count` streams, shared between the flights; units are chunks."""
        each = max(count // self._flights, 1)
        chunks = 0

        async def flight() -> None:
            nonlocal chunks
            for _ in range(each):
                parts = [part async for part in self._stream()]
                text.check("".join(parts))
                chunks += len(parts)

        self._gather(flight)
        return chunks

    def _gather(self, flight: Callable[[], Any]) -> None:
        async def main() -> None:
            await asyncio.gather(*[flight() for _ in range(self._flights)])

        self._loop.run_until_complete(main())

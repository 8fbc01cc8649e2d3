"""Stops reading a stream: `python cancel.py WAY BASE_URL KEY`.

Prints a line when the stream has begun, and one when it was stopped. Then it stays, with the client
open, until its standard input ends: nothing but the stop itself may end the request.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

import liter_llm

WAY, BASE_URL, KEY = sys.argv[1:]
CONFIG = {"providers": {"real": {"kind": "compatible", "base_url": BASE_URL, "api_key": KEY}}}
ASKED = {"provider": "real", "model": "slow", "max_tokens": 3000}


def told(word: str) -> None:
    """Tells the test."""
    print(word, flush=True)


def leave(client: liter_llm.Client) -> None:
    """The end of a `with`."""
    with client.stream("Hello", **ASKED) as stream:
        next(iter(stream))
        told("begun")
    told("stopped")
    sys.stdin.read()


def drop(client: liter_llm.Client) -> None:
    """A generator over a stream, dropped halfway. Nothing else names the stream."""

    def texts():  # noqa: ANN202
        yield from client.stream("Hello", **ASKED)

    reading = texts()
    next(reading)
    told("begun")
    del reading
    told("stopped")
    sys.stdin.read()


async def read(client: liter_llm.AsyncClient, begun: asyncio.Event) -> None:
    """Reads without `async with`."""
    async for _ in client.stream("Hello", **ASKED):
        begun.set()


async def read_with(client: liter_llm.AsyncClient, begun: asyncio.Event) -> None:
    """Reads with `async with`."""
    async with client.stream("Hello", **ASKED) as stream:
        async for _ in stream:
            begun.set()


async def text(client: liter_llm.AsyncClient, begun: asyncio.Event) -> None:
    """Collects the text."""
    stream = client.stream("Hello", **ASKED)
    await anext(stream.__aiter__())
    begun.set()
    await stream.text()


async def task(reader: Callable[[liter_llm.AsyncClient, asyncio.Event], Awaitable[None]]) -> None:
    """Cancels the task that reads. The task stays named, as an application may keep it."""
    async with liter_llm.AsyncClient(CONFIG) as client:
        begun = asyncio.Event()
        reading = asyncio.ensure_future(reader(client, begun))
        await begun.wait()
        told("begun")
        reading.cancel()
        await asyncio.wait([reading])
        told("stopped")
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


WAYS = {"leave": leave, "drop": drop}
TASKS = {"task": read, "task-with": read_with, "task-text": text}

if WAY in TASKS:
    asyncio.run(task(TASKS[WAY]))
else:
    with liter_llm.Client(CONFIG) as client:
        WAYS[WAY](client)

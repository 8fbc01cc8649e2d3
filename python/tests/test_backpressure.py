"""A stream that nobody reads stays small, and the rest of the loop goes on."""

import asyncio
import os
from contextlib import AsyncExitStack

import pytest

import liter_llm

SIZE = 24 << 20


def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def held(stream):
    return sum(len(payload) for _, _, payload in stream._inbox.events)


class Pumped(asyncio.SelectorEventLoop):
    def add_reader(self, *_):
        raise NotImplementedError


@pytest.mark.parametrize("factory", [asyncio.SelectorEventLoop, Pumped], ids=["asyncio", "pump"])
def test_asyncio(simulator, factory):
    config = simulator.config(f"bytes={SIZE},chunks=6000")
    fast = simulator.config()["providers"]["openai"]
    config["providers"]["fast"] = {**fast, "kind": "openai"}

    async def main():
        async with liter_llm.AsyncClient(config) as client, AsyncExitStack() as stack:
            await client.chat("warm", provider="fast")
            before = rss()
            streams = [client.stream("Hello") for _ in range(4)]
            for stream in streams:
                stack.push_async_callback(stream.close)
                await stream.__anext__()
            # Others go on, and give the streams all the time to fill up.
            for n in range(500):
                assert (await client.chat(f"{n}", provider="fast")).text == f"You said: {n}"
            for stream in streams:
                assert held(stream) < (256 << 10) + (512 << 10)  # and one read of the socket
            assert rss() - before < 32 << 20
            for stream in streams[1:]:
                await stream.close()
            assert len(await streams[0].text()) == SIZE

    loop = factory()
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()


def test_sync(simulator):
    config = simulator.config(f"bytes={SIZE},chunks=6000")
    fast = simulator.config()["providers"]["openai"]
    config["providers"]["fast"] = {**fast, "kind": "openai"}
    with liter_llm.Client(config) as client:
        client.chat("warm", provider="fast")
        before = rss()
        streams = [client.stream("Hello") for _ in range(4)]
        for stream in streams:
            next(stream)
        for _ in range(200):
            client.chat("Hello", provider="fast")
        assert rss() - before < 32 << 20
        for stream in streams[1:]:
            stream.close()
        assert len(streams[0].text()) == SIZE

"""Memory and descriptors stay flat, however many requests and streams come, go and are left."""

import asyncio
import gc
import os
from contextlib import suppress

import liter_llm
from conftest import until


def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def fds():
    return len(os.listdir("/proc/self/fd"))


def quiet(simulator):
    """Collects, and waits for what the engine's threads still put away."""
    gc.collect()
    simulator.wait_for(lambda stats: stats["requests_open"] == 0)


def flat(simulator, work, times):
    """Runs `work` until caches are warm, then again: 8 MiB and 16 descriptors are allowed."""
    for _ in range(times):
        work()
    quiet(simulator)
    memory, open_ = rss(), fds()
    for _ in range(times * 2):
        work()
    quiet(simulator)
    until(lambda: rss() - memory < 8 << 20 and fds() - open_ <= 16)


def test_cancelled_streams(simulator, times):
    config = simulator.config("chunks=1000,interval_ms=1")
    with liter_llm.Client(config) as client:

        def work():
            for _ in range(10):
                with client.stream("Hello") as stream:
                    next(stream)
                next(client.stream("Hello"))

        flat(simulator, work, times // 4)


def test_cancelled_async_streams_and_calls(simulator, times):
    config = simulator.config("chunks=1000,interval_ms=1")

    async def main(client):
        async def leave():
            async with client.stream("Hello") as stream:
                await stream.__anext__()
            await client.stream("Hello").__anext__()
            task = asyncio.ensure_future(client.chat("Hello"))
            await asyncio.sleep(0)
            task.cancel()

        await asyncio.gather(*[leave() for _ in range(20)])

    client = liter_llm.AsyncClient(config)
    flat(simulator, lambda: asyncio.run(main(client)), times // 4)


def test_a_storm_of_cancelled_streams(simulator, times):
    """10,000 in a long run: sockets, descriptors and memory are back where they were."""
    config = simulator.config("chunks=1000,interval_ms=1")

    async def leave(client):
        async with client.stream("Hello") as stream:
            await stream.__anext__()

    async def storm(streams):
        async with liter_llm.AsyncClient(config) as client:
            for _ in range(streams // 100):
                await asyncio.gather(*[leave(client) for _ in range(100)])

    asyncio.run(storm(500))
    quiet(simulator)
    memory, open_ = rss(), fds()
    asyncio.run(storm(times * 50))
    quiet(simulator)
    until(lambda: rss() - memory < 8 << 20 and fds() - open_ <= 4)


def test_clients(simulator, times):
    def work():
        for _ in range(5):
            client = liter_llm.Client(simulator.config())
            client.chat("Hello")
            with client:
                client.with_options(timeout_ms=1000).chat("Hello")

    flat(simulator, work, times)


def test_large_answers(simulator, times):
    with liter_llm.Client(simulator.config("bytes=3000000")) as client:
        flat(simulator, lambda: client.chat("Hello"), max(4, times // 4))


def test_errors(simulator, times):
    with liter_llm.Client(simulator.config()) as client:

        def work():
            for _ in range(100):
                with suppress(liter_llm.BadRequestError):
                    client.chat(b"[]")

        flat(simulator, work, times)

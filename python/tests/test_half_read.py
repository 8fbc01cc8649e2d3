"""A reader that leaves a stream in the middle: its socket closes, and the next stream is whole."""

import asyncio
import gc

import pytest

import liter_llm
from conftest import until
from liter_llm._loop import Hub

SIZE = 8 << 20


class Pumped(asyncio.SelectorEventLoop):
    def add_reader(self, *_):
        raise NotImplementedError


@pytest.fixture
def config(simulator):
    """The default streams much, and never ends; `fast` answers at once, `large` ends."""
    config = simulator.config("chunks=100000,interval_ms=1,burst=50")
    for name, knobs in (("fast", ""), ("large", f"bytes={SIZE},chunks=2000")):
        entry = simulator.config(knobs)["providers"]["openai"]
        config["providers"][name] = {**entry, "kind": "openai"}
    return {**config, "retry": False}


def none_open(stats):
    return stats["requests_open"] == 0


def leave(client, way, chunks):
    stream = client.stream("Hello")
    for _ in range(chunks):
        next(stream)
    if way == "close":
        stream.close()
    elif way == "break":
        with stream:
            for _ in stream:
                break
    elif way == "exception":
        with pytest.raises(RuntimeError, match="on purpose"), stream:
            raise RuntimeError("on purpose")


@pytest.mark.parametrize("way", ["close", "break", "exception", "forget"])
def test_sync(simulator, config, times, way):
    with liter_llm.Client(config) as client:
        for n in range(times):
            leave(client, way, n % 4)
            assert client.stream(f"{n}", provider="fast").text() == f"You said: {n}"
        gc.collect()
        simulator.wait_for(none_open)
        until(lambda: client.metrics()["in_flight"] == 0)


async def leave_async(client, way, chunks):
    stream = client.stream("Hello")
    for _ in range(chunks):
        await stream.__anext__()
    if way == "close":
        await stream.close()
    elif way == "break":
        async with stream:
            async for _ in stream:
                break
    elif way == "exception":
        with pytest.raises(RuntimeError, match="on purpose"):
            async with stream:
                raise RuntimeError("on purpose")
    elif way == "cancel":
        started = asyncio.Event()

        async def read():
            async with stream:
                async for _ in stream:
                    started.set()

        task = asyncio.ensure_future(read())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("factory", [asyncio.SelectorEventLoop, Pumped], ids=["asyncio", "pump"])
@pytest.mark.parametrize("way", ["close", "break", "exception", "cancel", "forget"])
def test_asyncio(simulator, config, times, factory, way):
    async def main():
        async with liter_llm.AsyncClient(config) as client:
            for n in range(times):
                await leave_async(client, way, n % 4)
                # The next stream comes through the same queue, and nothing of what was left in it.
                assert await client.stream(f"{n}", provider="fast").text() == f"You said: {n}"
            gc.collect()
            await asyncio.to_thread(simulator.wait_for, none_open)

    loop = factory()
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()


def test_read_on_later(config):
    """Left in the middle while others run, then read to its end: nothing is missing."""

    async def main():
        async with liter_llm.AsyncClient(config) as client:
            stream = client.stream("Hello", provider="large")
            length = len((await stream.__anext__()).text)
            for n in range(200):
                assert (await client.chat(f"{n}", provider="fast")).text == f"You said: {n}"
            held = sum(len(payload) for _, _, payload in stream._inbox.events)
            assert held < (256 << 10) + (512 << 10)
            async for chunk in stream:
                length += len(chunk.text)
            assert length == SIZE == len(stream.response.text)

    asyncio.run(main())

    with liter_llm.Client(config) as client:
        stream = client.stream("Hello", provider="large")
        length = len(next(stream).text)
        for _ in range(50):
            client.chat("Hello", provider="fast")
        length += sum(len(chunk.text) for chunk in stream)
        assert length == SIZE == len(stream.response.text)


@pytest.mark.parametrize("loop", [asyncio.SelectorEventLoop, Pumped])
def test_a_chunk_that_cannot_be_read(config, simulator, monkeypatch, loop):
    def broken(*_):
        raise ZeroDivisionError

    async def main():
        async with liter_llm.AsyncClient(config) as client:
            stream = client.stream("Hello")
            monkeypatch.setattr(stream, "_take", broken)
            with pytest.raises(ZeroDivisionError):
                await stream.__anext__()
            await asyncio.to_thread(simulator.wait_for, none_open, 10)

    run(main(), loop)


def test_a_batch_that_cannot_be_delivered(config, monkeypatch):
    """A thread that reads for a loop goes on after it."""
    deliver, failed = Hub.deliver, []

    def once(hub, events):
        if not failed:
            failed.append(events)
            raise ZeroDivisionError
        deliver(hub, events)

    monkeypatch.setattr(Hub, "deliver", once)

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        async with liter_llm.AsyncClient(config) as client:
            lost = asyncio.ensure_future(client.chat("Hello", provider="fast"))
            await asyncio.to_thread(until, lambda: failed)
            call = client.chat("Hello", provider="fast")
            assert (await asyncio.wait_for(call, 10)).text
            lost.cancel()

    run(main(), Pumped)


def run(main, loop):
    own = loop()
    try:
        own.run_until_complete(main)
    finally:
        own.close()

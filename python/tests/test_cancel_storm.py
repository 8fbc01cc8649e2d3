"""Cancels at every stage while the garbage collector runs over and over, on every thread."""

import asyncio
import gc
import threading
from contextlib import contextmanager

import pytest

import liter_llm
from conftest import until


def none_open(stats):
    return stats["requests_open"] == 0


@contextmanager
def collecting():
    """Collects in a thread of its own, and in every other after a handful of allocations.

    What was there before is frozen: a collection looks at what the test makes, and is quick.
    """
    threshold = gc.get_threshold()
    gc.collect()
    gc.freeze()
    stop = threading.Event()

    def collect():
        while not stop.wait(0.001):
            gc.collect()

    thread = threading.Thread(target=collect)
    gc.set_threshold(50, 2, 2)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        gc.set_threshold(*threshold)
        gc.unfreeze()


class Pumped(asyncio.SelectorEventLoop):
    def add_reader(self, *_):
        raise NotImplementedError


@pytest.mark.parametrize("factory", [asyncio.SelectorEventLoop, Pumped], ids=["asyncio", "pump"])
def test_tasks_and_streams(simulator, factory, times):
    async def text(client, n):
        async with client.stream(f"{n}") as stream:
            return "".join([chunk.text async for chunk in stream])

    async def ring(client, n):
        """A task whose frame is part of a cycle: only the collector frees it."""
        cycle = [asyncio.current_task()]
        cycle.append(cycle)
        return (await client.chat(f"{n}")).text

    async def main():
        config = simulator.config("delay_ms=2,interval_ms=1")
        async with liter_llm.AsyncClient(config) as client:
            for n in range(times):
                tasks = [asyncio.ensure_future(ring(client, i)) for i in range(20)]
                tasks += [asyncio.ensure_future(text(client, i)) for i in range(20)]
                for _ in range(n % 8):
                    await asyncio.sleep(0)
                if n % 3 == 0:
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks[::2]:
                    task.cancel()
                for i, result in enumerate(await asyncio.gather(*tasks, return_exceptions=True)):
                    if isinstance(result, asyncio.CancelledError):
                        assert i % 2 == 0
                    else:
                        assert result == f"You said: {i % 20}"
                client.stream("never begun")
                await client.stream("begun").__anext__()
            await asyncio.to_thread(simulator.wait_for, none_open)
            assert (await client.chat("after")).text == "You said: after"
            await asyncio.to_thread(until, lambda: client._metrics("json")["in_flight"] == 0)

    loop = factory()
    try:
        with collecting():
            loop.run_until_complete(main())
    finally:
        loop.close()


@pytest.mark.parametrize("factory", [asyncio.SelectorEventLoop, Pumped], ids=["asyncio", "pump"])
def test_streams_at_once(simulator, factory, times):
    """Each stream's queue has the same tokens: nothing of one may come to another."""

    async def main():
        async with liter_llm.AsyncClient(simulator.config("interval_ms=1")) as client:
            for _ in range(times // 4):
                names = [f"{n}" * 200 + " x" * 10 for n in range(40)]
                texts = await asyncio.gather(*[client.stream(name).text() for name in names])
                assert texts == [f"You said: {name}" for name in names]
                streams = [client.stream(name) for name in names]
                for stream, text in zip(streams, texts, strict=True):
                    assert "".join([chunk.text async for chunk in stream]) == text

    loop = factory()
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()


def test_threads(simulator, times):
    """Streams that threads drop, close and read to the end, and clients that go with them."""
    failures = []

    def work(number):
        try:
            for n in range(times):
                client = liter_llm.Client(simulator.config("interval_ms=1"))
                stream = client.stream(f"{number}.{n}")
                if n % 4 == 0:
                    assert stream.text() == f"You said: {number}.{n}"
                elif n % 4 == 1:
                    next(stream)
                    stream.close()
                elif n % 4 == 2:
                    next(stream)
                else:
                    stream.cycle = stream  # only the collector ends it
                if n % 2:
                    client.close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    with collecting():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failures
    gc.collect()
    simulator.wait_for(none_open)


def test_a_cycle_with_calls_pending(run_python, simulator):
    """The collector ends the owners of a handle first: what is left of a call must not use it."""
    script = """
import asyncio, gc, sys, warnings, liter_llm

class Service:
    def __init__(self):
        self.client = liter_llm.Client()
        self.stream = self.client.stream("Hello")
        self.me = self

    def __del__(self):
        self.stream.close()
        for call in (self.client.chat, self.client.stream):
            try:
                call("Hello", provider="fast")
            except liter_llm.CancelledError:  # the client was ended first: any order will do
                pass
        self.client.close()
        self.client.close(grace=1)

Service()
gc.collect()

def closed_with_calls_pending():
    loop = asyncio.new_event_loop()
    client = liter_llm.AsyncClient()

    async def main():
        tasks = [asyncio.ensure_future(client.chat("Hello")) for _ in range(3)]
        tasks += [asyncio.ensure_future(client.stream("Hello").text()) for _ in range(3)]
        await asyncio.sleep(0.01)
        for task in tasks:
            task._log_destroy_pending = False

    loop.run_until_complete(main())
    loop.close()

async def other():
    return (await liter_llm.AsyncClient().chat("Hello", provider="fast")).text

for _ in range(5):
    closed_with_calls_pending()
    print(asyncio.run(other()))
    gc.collect()
"""
    config = simulator.config("delay_ms=600000")
    fast = simulator.config()["providers"]["openai"]
    config["providers"]["fast"] = {**fast, "kind": "openai"}
    said = run_python(script, config=config).splitlines()
    assert said == ["You said: Hello"] * 5
    simulator.wait_for(none_open)

"""Event loops: many, one after the other and at once, uvloop, and loops without add_reader."""

import asyncio
import gc
import os
import threading
import weakref

import pytest

import liter_llm
from conftest import until
from liter_llm import _loop

try:
    import uvloop
except ImportError:
    uvloop = None


class Pumped(asyncio.SelectorEventLoop):
    """A loop that cannot watch a descriptor, like Windows' proactor loop."""

    def add_reader(self, *_):
        raise NotImplementedError


LOOPS = {"asyncio": asyncio.SelectorEventLoop, "pump": Pumped}
if uvloop:
    LOOPS["uvloop"] = uvloop.new_event_loop


def run(factory, coroutine):
    loop = factory()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def work(client, name="x"):
    texts = await asyncio.gather(*[client.chat(f"{name}{n}") for n in range(8)])
    assert [r.text for r in texts] == [f"You said: {name}{n}" for n in range(8)]
    assert await client.stream(name).text() == f"You said: {name}"
    async with client.stream(name) as stream:
        await stream.__anext__()
    task = asyncio.ensure_future(client.chat("late", timeout_ms=30000))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def join_pumps():
    """A pump ends by itself soon after its loop is closed."""
    for thread in threading.enumerate():
        if thread.name == "liter-llm-pump":
            thread.join(60)
            assert not thread.is_alive()


@pytest.fixture(params=LOOPS)
def factory(request):
    return LOOPS[request.param]


def test_loops_in_sequence(simulator, factory, times):
    client = liter_llm.AsyncClient(simulator.config())
    run(factory, work(client))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(times * 2):
        run(factory, work(client))
    gc.collect()
    join_pumps()
    assert len(_loop._hubs) <= 2
    # A descriptor that each loop leaves would be twice as many; connections come and go.
    until(lambda: len(os.listdir("/proc/self/fd")) <= before + times)


def test_loops_in_threads(simulator, factory):
    client = liter_llm.AsyncClient(simulator.config())
    failures = []

    def thread(name):
        try:
            for _ in range(5):
                run(factory, work(client, name))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=thread, args=(f"t{n}.",)) for n in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not failures


def test_a_loop_is_not_kept_alive(simulator, factory):
    client = liter_llm.AsyncClient(simulator.config())
    loop = factory()
    loop.run_until_complete(work(client))
    gone = weakref.ref(loop)
    loop.close()
    del loop
    gc.collect()
    assert gone() is None


def test_a_stream_belongs_to_its_loop(simulator, factory):
    """In another one it would wait for ever: it says so, and can be closed there."""
    client = liter_llm.AsyncClient(simulator.config("delay_ms=600000"))
    first = factory()
    try:

        async def begin():
            return client.stream("Hello")

        async def read():
            for reading in (stream.__anext__(), stream.text()):
                with pytest.raises(RuntimeError, match="another event loop"):
                    await reading
            await stream.close()
            assert [chunk async for chunk in stream] == []

        stream = first.run_until_complete(begin())
        run(factory, read())
        simulator.wait_for(lambda stats: stats["requests_open"] == 0)
    finally:
        first.close()
    stream = run(factory, begin())  # its loop is closed
    run(factory, read())
    simulator.wait_for(lambda stats: stats["requests_open"] == 0)


def test_no_thread_but_the_engines(simulator):
    before = set(threading.enumerate())
    run(asyncio.new_event_loop, work(liter_llm.AsyncClient(simulator.config())))
    liter_llm.Client(simulator.config()).chat("Hello")
    # Those of earlier tests may end meanwhile.
    assert set(threading.enumerate()) <= before


def test_a_stream_costs_one_descriptor(simulator, factory):
    """Its socket: the loop's one queue tells of all streams."""

    async def begin(client):
        stream = client.stream("Hello")
        await stream.__anext__()
        return stream

    async def main():
        client = liter_llm.AsyncClient(simulator.config("chunks=10,burst=2,interval_ms=600000"))
        streams = [await begin(client)]
        before = len(os.listdir("/proc/self/fd"))
        streams += await asyncio.gather(*[begin(client) for _ in range(100)])
        opened = len(os.listdir("/proc/self/fd")) - before
        for stream in streams:
            await stream.close()
        assert opened <= 100 + 5
        # A loop that cannot watch a descriptor has one thread for all of them.
        assert len([t for t in threading.enumerate() if t.name == "liter-llm-pump"]) <= 1

    join_pumps()
    run(factory, main())
    simulator.wait_for(lambda stats: stats["requests_open"] == 0)


def test_the_pump_is_one_thread_a_queue(simulator):
    async def main():
        client = liter_llm.AsyncClient(simulator.config())
        await asyncio.gather(*[client.chat("Hello") for _ in range(50)])
        names = [t.name for t in threading.enumerate() if t.name == "liter-llm-pump"]
        assert len(names) == 1

    join_pumps()
    run(Pumped, main())
    join_pumps()

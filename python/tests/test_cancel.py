"""Cancelling: a task's cancel and an early close end the request itself, socket included."""

import asyncio
import gc
import threading
from contextlib import suppress

import pytest

import liter_llm
from conftest import until


def none_open(stats):
    return stats["requests_open"] == 0


def test_a_cancelled_task(simulator):
    async def main():
        async with liter_llm.AsyncClient(simulator.config("delay_ms=30000")) as client:
            task = asyncio.ensure_future(client.chat("Hello"))
            await asyncio.to_thread(simulator.wait_for, lambda s: s["requests_open"] == 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(simulator.wait_for, none_open)
            await asyncio.to_thread(until, lambda: client._metrics("json")["in_flight"] == 0)

    asyncio.run(main())


def test_a_coroutine_that_is_closed_as_its_error_comes(simulator, caplog):
    """Nobody wants the error any more: asyncio does not tell of it either."""

    async def main():
        async with liter_llm.AsyncClient(simulator.config()) as client:
            call = client.chat("Hello", provider="nobody")
            future = call.send(None)
            await asyncio.wait([future])
            call.close()
            del future, call
            gc.collect()

    asyncio.run(main())
    assert not caplog.records


def test_wait_for(simulator):
    async def main():
        async with liter_llm.AsyncClient(simulator.config("delay_ms=30000")) as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.chat("Hello"), 0.05)
            await asyncio.to_thread(simulator.wait_for, none_open)

    asyncio.run(main())


def test_a_cancel_storm(simulator, times):
    """Tasks cancelled at every stage: before, while and after the answer comes."""

    async def main():
        config = simulator.config("delay_ms=2")
        async with liter_llm.AsyncClient(config) as client:
            for n in range(times):
                tasks = [asyncio.ensure_future(client.chat(f"{i}")) for i in range(50)]
                for _ in range(n % 8):
                    await asyncio.sleep(0)
                if n % 3 == 0:
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks[::2]:
                    task.cancel()
                results = await asyncio.gather(*tasks, return_exceptions=True)
                for i, result in enumerate(results):
                    if isinstance(result, asyncio.CancelledError):
                        assert i % 2 == 0
                    else:
                        assert result.text == f"You said: {i}"
            await asyncio.to_thread(simulator.wait_for, none_open)
            assert (await client.chat("after")).text == "You said: after"

    asyncio.run(main())


def test_leaving_a_stream(simulator):
    config = simulator.config("chunks=100000,interval_ms=5")
    with liter_llm.Client(config) as client:
        with client.stream("Hello") as stream:
            next(stream)
            simulator.wait_for(lambda stats: stats["requests_open"] == 1)
        simulator.wait_for(none_open)
        assert list(stream) == []
        stream.close()

        stream = client.stream("Hello")
        next(stream)
        del stream  # nobody closed it
        gc.collect()
        simulator.wait_for(none_open)


def test_closing_a_stream_while_another_thread_reads_it(simulator):
    config = simulator.config("chunks=100000,interval_ms=5")
    with liter_llm.Client(config) as client:
        stream = client.stream("Hello")
        reading = threading.Event()
        ended = []

        def read():
            for _ in stream:
                reading.set()
            ended.append(True)

        thread = threading.Thread(target=read)
        thread.start()
        assert reading.wait(60)
        stream.close()
        thread.join(60)
        assert ended == [True]


def test_closing_a_stream_while_another_thread_wants_its_text(simulator):
    with liter_llm.Client(simulator.config("delay_ms=600000")) as client:
        stream = client.stream("Hello")
        failures = []

        def read():
            try:
                stream.text()
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=read)
        thread.start()
        simulator.wait_for(lambda stats: stats["requests_open"] == 1)
        stream.close()
        thread.join(60)
        (failure,) = failures
        assert type(failure) is RuntimeError and "has not ended" in str(failure)


def test_a_second_thread_at_a_stream(simulator):
    """One of the two is told so, and the other one reads on."""
    with liter_llm.Client(simulator.config("chunks=100000,interval_ms=5")) as client:
        stream = client.stream("Hello")
        failures, failed, seen = [], threading.Event(), threading.Event()

        def read():
            try:
                for _ in stream:
                    seen.set()
            except BaseException as error:
                failures.append(error)
                failed.set()

        threads = [threading.Thread(target=read) for _ in range(2)]
        for thread in threads:
            thread.start()
        assert failed.wait(60)
        for _ in range(3):
            seen.clear()
            assert seen.wait(60)
        stream.close()
        for thread in threads:
            thread.join(60)
        (failure,) = failures
        assert isinstance(failure, RuntimeError) and "another thread is reading" in str(failure)


def test_leaving_an_async_stream(simulator):
    async def main():
        config = simulator.config("chunks=100000,interval_ms=5")
        async with liter_llm.AsyncClient(config) as client:
            async with client.stream("Hello") as stream:
                await stream.__anext__()
            await asyncio.to_thread(simulator.wait_for, none_open)
            assert [chunk async for chunk in stream] == []

            stream = client.stream("Hello")
            await stream.__anext__()
            del stream
            gc.collect()
            await asyncio.to_thread(simulator.wait_for, none_open)

            async def read():
                async with client.stream("Hello") as stream:
                    async for _ in stream:
                        started.set()

            started = asyncio.Event()
            task = asyncio.ensure_future(read())
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(simulator.wait_for, none_open)

            # A timeout for one chunk does not end the stream.
            async with client.stream("Hello", provider="openai") as stream:
                await stream.__anext__()
                for _ in range(20):
                    with suppress(asyncio.TimeoutError):
                        await asyncio.wait_for(stream.__anext__(), 0.001)
                assert await stream.__anext__()

    asyncio.run(main())


def test_a_stream_has_one_reader(simulator):
    async def main():
        config = simulator.config("delay_ms=30000")
        async with liter_llm.AsyncClient(config) as client, client.stream("Hello") as stream:
            first = asyncio.ensure_future(stream.__anext__())
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="another task"):
                await stream.__anext__()
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first

    asyncio.run(main())

"""A stream that is dropped halfway, however: the provider sees its socket close within 100 ms."""

import asyncio
import contextlib
import gc
import queue
import signal
import socket
import threading
import time

import pytest

import liter_llm

CHUNK = b'{"id":"c","choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]}'
EVENT = b"data: " + CHUNK + b"\n\n"
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    + b"%x\r\n%s\r\n" % (len(EVENT), EVENT)
)
SOON = 0.1
WITHOUT_END = 30


class Provider:
    """Answers each request with one chunk, never ends, and notes when its socket is closed."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.closed = queue.Queue()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.server.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, contextlib.suppress(ConnectionError):
            connection.recv(65536)
            connection.sendall(ANSWER)
            while connection.recv(65536):
                pass
        self.closed.put(time.monotonic())

    def config(self):
        base_url = f"http://127.0.0.1:{self.server.getsockname()[1]}/v1"
        entry = {"base_url": base_url, "api_key": "sk-test", "model": "m"}
        return {"providers": {"openai": entry}, "default_provider": "openai"}


@pytest.fixture
def provider():
    provider = Provider()
    yield provider
    provider.server.close()


def soon(provider, drop):
    """Drops a stream up to five times: the machine may be busy once, but not each time."""
    best = WITHOUT_END
    for _ in range(5):
        dropped = drop()
        best = min(best, provider.closed.get(timeout=WITHOUT_END) - dropped)
        if best < SOON:
            return
    raise AssertionError(f"closed after {best:.3f} s")


def left(client):
    for chunk in client.stream("Hello"):
        assert chunk.text == "Hel"
        break


def generated(client):
    for chunk in client.stream("Hello"):
        yield chunk.text


def deleted_generator(client):
    generator = generated(client)
    next(generator)
    del generator


def closed_generator(client):
    generator = generated(client)
    next(generator)
    generator.close()


def deleted(client):
    stream = client.stream("Hello")
    next(stream)
    del stream


def failed(client):
    with contextlib.suppress(ValueError):
        for _ in client.stream("Hello"):
            raise ValueError


def interrupted(client, read):
    """Ctrl-C comes while the stream is read; the traceback is kept, and with it the stream."""
    stream = client.stream("Hello")
    next(stream)
    # A shell that starts the tests in its background has them ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(0.05, signal.raise_signal, [signal.SIGINT]).start()
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            read(stream)
    finally:
        signal.signal(signal.SIGINT, before)
    return caught, stream


@pytest.mark.parametrize("way", [left, deleted_generator, closed_generator, deleted, failed])
def test_dropped(provider, way):
    with liter_llm.Client(provider.config()) as client:

        def drop():
            way(client)
            return time.monotonic()

        soon(provider, drop)


@pytest.mark.parametrize("read", [next, lambda stream: stream.text()], ids=["next", "text"])
def test_ctrl_c(provider, read):
    kept = []
    with liter_llm.Client(provider.config()) as client:

        def drop():
            kept.append(interrupted(client, read))
            return time.monotonic()

        soon(provider, drop)


class StopError(Exception):
    pass


async def read(client, shown):
    async for _ in client.stream("Hello"):
        shown.set()


async def read_slowly(client, shown):
    stream = client.stream("Hello")
    async for _ in stream:
        shown.set()
        await asyncio.sleep(WITHOUT_END)


async def read_by_chunk(client, shown):
    stream = client.stream("Hello")
    while True:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stream.__anext__(), WITHOUT_END)
        shown.set()


async def read_with_cleanup(client, shown):
    stream = client.stream("Hello")
    kept.append(stream)
    try:
        async for _ in stream:
            shown.set()
    except asyncio.CancelledError:
        return


async def collect(client, shown):
    stream = client.stream("Hello")
    await stream.__anext__()
    shown.set()
    await stream.text()


async def pieces(client):
    async for chunk in client.stream("Hello"):
        yield chunk.text


async def read_generator(client, shown):
    async for _ in pieces(client):
        shown.set()


kept = []


@pytest.mark.parametrize(
    "reader",
    [read, read_slowly, read_by_chunk, read_with_cleanup, collect, read_generator],
)
def test_a_cancelled_task(provider, reader):
    """Without `async with`, and the task is kept: its traceback keeps the stream alive."""

    async def main():
        async with liter_llm.AsyncClient(provider.config()) as client:
            best = WITHOUT_END
            for _ in range(5):
                shown = asyncio.Event()
                task = asyncio.ensure_future(reader(client, shown))
                kept.append(task)
                await shown.wait()
                await asyncio.sleep(0)  # the reader waits for the next chunk
                task.cancel()
                dropped = time.monotonic()
                await asyncio.wait([task])
                closed = await asyncio.to_thread(provider.closed.get, True, WITHOUT_END)
                best = min(best, closed - dropped)
                if best < SOON:
                    return
            raise AssertionError(f"closed after {best:.3f} s")

    asyncio.run(main())
    kept.clear()


async def leave(client):
    async for _ in client.stream("Hello"):
        break


async def leave_generator(client):
    async for _ in pieces(client):
        break
    gc.collect()


async def close_generator(client):
    generator = pieces(client)
    await generator.__anext__()
    await generator.aclose()


async def fail(client):
    with contextlib.suppress(StopError):
        async for _ in client.stream("Hello"):
            raise StopError


@pytest.mark.parametrize("way", [leave, leave_generator, close_generator, fail])
def test_dropped_in_asyncio(provider, way):
    async def main():
        async with liter_llm.AsyncClient(provider.config()) as client:
            best = WITHOUT_END
            for _ in range(5):
                await way(client)
                dropped = time.monotonic()
                closed = await asyncio.to_thread(provider.closed.get, True, WITHOUT_END)
                best = min(best, closed - dropped)
                if best < SOON:
                    return
            raise AssertionError(f"closed after {best:.3f} s")

    asyncio.run(main())


def test_a_cancelled_stream_does_not_look_complete(provider):
    async def main():
        async with liter_llm.AsyncClient(provider.config()) as client:
            stream = client.stream("Hello")
            await stream.__anext__()
            task = asyncio.ensure_future(stream.text())
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            with pytest.raises(liter_llm.CancelledError, match="ask anew"):
                await stream.__anext__()
            with pytest.raises(RuntimeError):
                _ = stream.response

    asyncio.run(main())


def test_a_task_that_has_handed_its_stream_on_may_be_cancelled(provider):
    async def main():
        async with liter_llm.AsyncClient(provider.config()) as client:
            streams = asyncio.Queue()

            async def begin():
                stream = client.stream("Hello")
                await streams.put(stream)
                await asyncio.sleep(WITHOUT_END)

            beginner = asyncio.ensure_future(begin())
            stream = await streams.get()
            assert (await stream.__anext__()).text == "Hel"
            beginner.cancel()
            await asyncio.wait([beginner])
            await asyncio.sleep(0)
            assert provider.closed.empty() and stream._inbox is not None
            await stream.close()

    asyncio.run(main())

"""After close(): every call says so, what runs ends, and closing again is harmless."""

import asyncio
import gc
import sys
import threading
import time
import traceback

import pytest

import liter_llm
from conftest import until
from liter_llm import CancelledError


def test_calls(simulator):
    client = liter_llm.Client(simulator.config())
    view = client.with_options(timeout_ms=1000)
    client.chat("Hello")
    client.close()
    client.close()
    view.close(grace=0.5)
    assert client.closed and view.closed
    for one in (client, view):
        for call in (one.chat, one.stream):
            with pytest.raises(CancelledError, match="closed"):
                call("Hello")
    assert client.metrics()["in_flight"] == 0
    assert "closed" in repr(client)


def test_asyncio_calls(simulator):
    async def main():
        client = liter_llm.AsyncClient(simulator.config())
        async with client:
            await client.chat("Hello")
        with pytest.raises(CancelledError, match="closed"):
            await client.chat("Hello")
        with pytest.raises(CancelledError, match="closed"):
            client.stream("Hello")
        await client.close()

    asyncio.run(main())


def test_what_is_in_flight(simulator):
    client = liter_llm.Client(simulator.config("delay_ms=30000"))
    caught = []

    def call():
        try:
            client.chat("Hello")
        except CancelledError as error:
            caught.append(error)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    simulator.wait_for(lambda stats: stats["requests_open"] >= 4)
    client.close()
    for thread in threads:
        thread.join(60)
    assert [error.kind for error in caught] == ["cancelled"] * 4


def test_grace(simulator):
    async def main():
        client = liter_llm.AsyncClient(simulator.config("delay_ms=200"))
        task = asyncio.ensure_future(client.chat("Hello"))
        await asyncio.sleep(0)
        await client.close(grace=60)
        assert (await task).text == "You said: Hello"

        client = liter_llm.AsyncClient(simulator.config("delay_ms=30000"))
        task = asyncio.ensure_future(client.chat("Hello"))
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises(CancelledError):
            await task

    asyncio.run(main())


def test_a_client_that_nobody_closes(simulator):
    client = liter_llm.Client(simulator.config("chunks=1000,interval_ms=10"))
    stream = client.stream("Hello")
    del client
    gc.collect()
    assert next(stream)  # a stream keeps its client
    del stream
    gc.collect()
    simulator.wait_for(lambda stats: stats["requests_open"] == 0)


def test_a_client_that_was_never_made():
    """What shows a traceback with its locals shows this one too."""
    with pytest.raises(liter_llm.BadRequestError) as caught:
        liter_llm.Client({"providers": {"openai": {"api_key": "sk-secret", "oops": 1}}})
    last = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    texts = [text for frame in last.stack for text in (frame.locals or {}).values()]
    assert "<liter_llm.Client not made>" in texts


def test_a_grace_of_any_length(simulator):
    client = liter_llm.Client(simulator.config())
    for wrong in ("1", None):
        with pytest.raises(TypeError):
            client.close(wrong)
    assert client.chat("Hello").text == "You said: Hello" and not client.closed
    client.close(float("inf"))
    with pytest.raises(CancelledError, match="closed"):
        client.chat("Hello")


def test_a_grace_that_is_cancelled(simulator):
    """Neither the call in flight, nor the thread that waits for it, holds up the loop's end."""

    async def main():
        client = liter_llm.AsyncClient(simulator.config("delay_ms=600000"))
        task = asyncio.ensure_future(client.chat("Hello"))
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(client.close(grace=300))
        await asyncio.to_thread(until, lambda: client.closed)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        with pytest.raises(CancelledError):
            await task

    begun = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - begun < 120


@pytest.mark.parametrize("how", ["client.close()", "del client, stream"])
def test_a_stream_that_nobody_reads(run_python, simulator, how):
    """Its task waits for room in the queue; the close must reach it there."""
    script = f"""
import liter_llm
client = liter_llm.Client()
stream = client.stream("Hello")
next(stream)
while client.metrics()["in_flight"] != 1: pass
{how}
"""
    run_python(script, config=simulator.config("bytes=8000000,chunks=1000"), timeout=60)
    simulator.wait_for(lambda stats: stats["requests_open"] == 0)


SOCKETS = """
import json, os, socket, threading, time, liter_llm

def sockets():
    links = (f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd"))
    return sum(os.path.exists(one) and os.readlink(one).startswith("socket:") for one in links)

listener = socket.create_server(("127.0.0.1", 0))

def serve(peer):
    # A stream whose body does not end after its last event: the engine reads on for a while.
    while peer.recv(1 << 16):
        choice = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}
        chunk = {"id": "x", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}
        head = "HTTP/1.1 200 OK\\r\\ncontent-type: text/event-stream\\r\\n"
        head += "content-length: 9999\\r\\n\\r\\n"
        peer.sendall((head + f"data: {json.dumps(chunk)}\\n\\ndata: [DONE]\\n\\n").encode())
    peer.close()

def accept():
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

threading.Thread(target=accept, daemon=True).start()
base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
config = json.loads(os.environ["LITER_LLM_CONFIG"])
config["providers"]["p"] = {"kind": "openai", "base_url": base_url, "api_key": "k", "model": "m"}
before = sockets()
client = liter_llm.Client(config)
assert client.stream("Hello", provider="p").text() == "Hi"
assert client.chat("Hello", provider="openai").text == "You said: Hello"
assert client.stream("Hello", provider="openai").text() == "You said: Hello"
assert sockets() > before
closed = time.monotonic()
client.close()
while sockets() > before:
    # A drained socket goes after a second anyway.
    assert time.monotonic() - closed < 0.9, (sockets(), before)
    time.sleep(0.01)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts in /proc")
def test_a_closed_client_holds_no_socket(run_python):
    run_python(SOCKETS)

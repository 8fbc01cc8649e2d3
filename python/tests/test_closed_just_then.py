"""A connection that its server closes at that very moment costs no call, and no answer that came
unasked reaches a later one."""

import asyncio
import contextlib
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import liter_llm

THREADS = 16
# After its answer the server rests up to 3 ms, and closes.
KNOBS = "close_us=3000"
PROMPT = "Hello"
SAID = "You said: Hello"


@pytest.fixture
def rounds(times):
    """How many calls each thread makes: together 1,000, or 10,000 with LITER_LLM_LONG=1."""
    return times * 50 // THREADS


def check(texts):
    assert all(text == SAID for text in texts)


def test_blocking_calls(simulator, rounds):
    with liter_llm.Client({**simulator.config(KNOBS), "retry": False}) as client:

        def calls(_):
            check(client.chat(PROMPT).text for _ in range(rounds))

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(calls, range(THREADS)))


def test_streams(simulator, rounds):
    with liter_llm.Client({**simulator.config(KNOBS), "retry": False}) as client:

        def streams(_):
            check(client.stream(PROMPT).text() for _ in range(rounds))

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(streams, range(THREADS)))


def test_on_an_event_loop(simulator, rounds):
    async def main():
        async with liter_llm.AsyncClient(simulator.config(KNOBS), retry=False) as client:

            async def calls():
                for _ in range(rounds):
                    assert (await client.chat(PROMPT)).text == SAID

            await asyncio.gather(*(calls() for _ in range(THREADS)))

    asyncio.run(main())


def test_under_a_transport(simulator, rounds):
    httpx2 = pytest.importorskip("httpx2")
    url = simulator.config(KNOBS)["providers"]["openai"]["base_url"] + "/chat/completions"
    body = {"model": "m", "messages": [{"role": "user", "content": PROMPT}]}
    with httpx2.Client(
        transport=liter_llm.httpx2.Transport(), headers={"authorization": "Bearer k"}
    ) as client:

        def posts(_):
            for _ in range(rounds):
                answer = client.post(url, json=body).json()
                assert answer["choices"][0]["message"]["content"] == SAID

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(posts, range(THREADS)))


class Smuggler:
    """Answers each request, and after a pause sends another answer that nobody asked for."""

    def __init__(self, pause_ms):
        self.pause = pause_ms / 1000
        self.sent = threading.Semaphore(0)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        def answer(text):
            message = {"role": "assistant", "content": text}
            choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
            body = json.dumps({"id": "x", "model": "m", "choices": choices}).encode()
            head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n"
            return head.encode() + body

        # The client closes where something came unasked.
        with peer, contextlib.suppress(ConnectionError):
            while peer.recv(1 << 16):
                if self.pause:
                    peer.sendall(answer("mine"))
                    # What the test is about: the answer comes while the connection is idle.
                    threading.Event().wait(self.pause)
                    peer.sendall(answer("foreign"))
                else:
                    peer.sendall(answer("mine") + answer("foreign"))
                self.sent.release()


@pytest.mark.parametrize("pause_ms", [0, 5, 50, 99])
def test_an_answer_that_nobody_asked_for(pause_ms):
    server = Smuggler(pause_ms)
    entry = {"kind": "openai", "base_url": server.url, "api_key": "sk-test"}
    with liter_llm.Client({"providers": {"p": entry}, "retry": False}) as client:
        for _ in range(10):
            assert client.chat("Hello", model="p/m").text == "mine"
            assert server.sent.acquire(timeout=20)
    server.listener.close()

"""Ctrl-C: KeyboardInterrupt at once, and the request ends with it."""

import pytest

# Answers come after ten minutes: who is not interrupted hangs. A shell's background job, of which
# this may be a part, has SIGINT ignored.
SETUP = """
import asyncio, os, signal, sys, threading, time, liter_llm
from liter_llm._client import default_client
signal.signal(signal.SIGINT, signal.default_int_handler)
client = liter_llm.Client()
asynchronous = liter_llm.AsyncClient()
clients = [client, asynchronous, default_client()]
def in_flight():
    return sum(one._metrics("json")["in_flight"] for one in clients)
def interrupt():
    while not ({ready}):
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)
try:
    threading.Thread(target=interrupt, daemon=True).start()
    {call}
except KeyboardInterrupt:
    pass
else:
    raise SystemExit("not interrupted")
{after}
"""

CALLS = {
    "chat": (1, "client.chat('Hello')"),
    "invoke": (1, "liter_llm.invoke('openai', {'prompt': 'Hello'})"),
    "stream": (1, "client.stream('Hello').text()"),
    "asyncio": (
        3,
        """
    async def main():
        await asyncio.gather(*[asynchronous.chat('Hello') for _ in range(3)])
    asyncio.run(main())
""",
    ),
}


def slow_and_fast(simulator):
    config = simulator.config("delay_ms=600000")
    for name, knobs in (("fast", ""), ("late", "delay_ms=800")):
        entry = simulator.config(knobs)["providers"]["openai"]
        config["providers"][name] = {**entry, "kind": "openai"}
    return config


@pytest.mark.parametrize("name", CALLS)
def test_ctrl_c(run_python, simulator, name):
    after = """
until = time.monotonic() + 30
while in_flight():
    assert time.monotonic() < until
assert client.chat("Hello", provider="fast").text == "You said: Hello"
"""
    calls, call = CALLS[name]
    script = SETUP.format(ready=f"in_flight() == {calls}", call=call, after=after)
    run_python(script, config=slow_and_fast(simulator))
    simulator.wait_for(lambda stats: stats["requests_open"] == 0)


def test_a_second_thread_is_not_disturbed(run_python, simulator):
    call = """
    other = threading.Thread(target=lambda: texts.append(late.chat("Hello").text))
    late = liter_llm.Client(provider="late")
    texts = []
    other.start()
    client.chat("Hello")
"""
    after = 'other.join()\nassert texts == ["You said: Hello"], texts'
    script = SETUP.format(ready="in_flight() == 1", call=call, after=after)
    run_python(script, config=slow_and_fast(simulator))


def test_a_close_that_waits(run_python, simulator):
    """Ctrl-C ends the grace: what is in flight is cancelled, and the client is closed."""
    call = """
    def refused():
        try:
            client.chat("Hello")
        except liter_llm.CancelledError as error:
            kinds.append(error.kind)
    kinds = []
    other = threading.Thread(target=refused)
    other.start()
    while not client.metrics()["in_flight"]: pass
    client.close(grace=300)
"""
    after = 'other.join()\nassert kinds == ["cancelled"] and client.closed, kinds'
    script = SETUP.format(ready="client.closed", call=call, after=after)
    run_python(script, config=slow_and_fast(simulator))

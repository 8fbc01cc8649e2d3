"""Ctrl-C: KeyboardInterrupt at once, and the request ends with it."""

import pytest

SETUP = """
import os, signal, sys, threading, time, liter_llm
client = liter_llm.Client()
def interrupt():
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
begin = time.monotonic()
try:
    {call}
except KeyboardInterrupt:
    assert time.monotonic() - begin < 2
else:
    raise SystemExit("not interrupted")
{after}
"""

CALLS = {
    "chat": "client.chat('Hello')",
    "invoke": "liter_llm.invoke('openai', {'prompt': 'Hello'})",
    "stream": "client.stream('Hello').text()",
    "asyncio": """
    import asyncio
    async def main():
        await asyncio.gather(*[liter_llm.AsyncClient().chat('Hello') for _ in range(3)])
    asyncio.run(main())
""",
}


@pytest.mark.parametrize("name", CALLS)
def test_ctrl_c(run_python, simulator, name):
    after = """
until = time.monotonic() + 5
while client.metrics()["in_flight"]:
    assert time.monotonic() < until
assert client.chat("Hello", provider="fast").text == "You said: Hello"
"""
    config = simulator.config("delay_ms=60000")
    fast = simulator.config()["providers"]["openai"]
    config["providers"]["fast"] = {**fast, "kind": "openai"}
    run_python(SETUP.format(call=CALLS[name], after=after), config=config)
    simulator.wait_for(lambda stats: stats["requests_open"] == 0)


def test_a_second_thread_is_not_disturbed(run_python, simulator):
    call = """
    other = threading.Thread(target=lambda: texts.append(client.chat("Hello").text))
    texts = []
    other.start()
    liter_llm.Client().chat("Hello", timeout_ms=30000)
    time.sleep(30)
"""
    after = 'other.join()\nassert texts == ["You said: Hello"], texts'
    run_python(SETUP.format(call=call, after=after), config=simulator.config("delay_ms=800"))

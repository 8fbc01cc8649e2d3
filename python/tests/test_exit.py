"""The interpreter's end with work in flight: at once, with status 0, without a word on stderr."""

import pytest

SETUP = """
import asyncio, sys, threading, liter_llm
client = liter_llm.Client()
client.chat("warm", provider="fast")
def forever(call):
    def run():
        started.release()
        while True:
            call()
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
started = threading.Semaphore(0)
def wait(n):
    for _ in range(n): started.acquire()
"""

SCRIPTS = {
    "nothing": "",
    "a call waits in daemon threads": """
for _ in range(4): forever(lambda: client.chat("Hello"))
wait(4)
""",
    "calls come and go in daemon threads": """
for _ in range(4): forever(lambda: client.chat("Hello", provider="fast"))
wait(4)
""",
    "streams in daemon threads": """
for _ in range(4): forever(lambda: client.stream("Hello", provider="chunks").text())
wait(4)
""",
    "streams that nobody reads": """
streams = [client.stream("Hello", provider="chunks") for _ in range(8)]
next(streams[0])
""",
    "an event loop in a daemon thread": """
async def main():
    asynchronous = liter_llm.AsyncClient()
    started.release()
    async def both():
        while True:
            await asynchronous.chat("Hello", provider="fast")
            async with asynchronous.stream("Hello", provider="chunks") as stream:
                async for _ in stream: pass
    await asyncio.gather(*[both() for _ in range(8)])
threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()
wait(1)
""",
    "tasks that asyncio.run cancels": """
async def main():
    asynchronous = liter_llm.AsyncClient()
    tasks = [asyncio.ensure_future(asynchronous.chat("Hello")) for _ in range(8)]
    tasks += [asyncio.ensure_future(asynchronous.stream("x").text()) for _ in range(8)]
    await asynchronous.chat("Hello", provider="fast")
asyncio.run(main())
""",
    "a loop that is never closed": """
import warnings; warnings.simplefilter("ignore")
loop = asyncio.new_event_loop()
asynchronous = liter_llm.AsyncClient()
loop.run_until_complete(asynchronous.chat("Hello", provider="fast"))
stream = None
async def begin():
    global stream
    stream = asynchronous.stream("Hello", provider="chunks")
    await stream.__anext__()
loop.run_until_complete(begin())
""",
    "a pump thread": """
class Loop(asyncio.SelectorEventLoop):
    def add_reader(self, *_): raise NotImplementedError
loop = Loop()
asynchronous = liter_llm.AsyncClient()
loop.run_until_complete(asynchronous.chat("Hello", provider="fast"))
loop.close()
""",
    "sys.exit in the middle of a stream": """
for chunk in client.stream("Hello", provider="chunks"):
    sys.exit(0)
""",
}


@pytest.fixture(scope="module")
def config(running_simulator):
    """The default never answers; `fast` does at once; `chunks` streams for minutes."""
    config = running_simulator.config("delay_ms=600000")
    fast = running_simulator.config()["providers"]["openai"]
    chunks = running_simulator.config("chunks=100000,interval_ms=2")["providers"]["openai"]
    config["providers"]["fast"] = {**fast, "kind": "openai"}
    config["providers"]["chunks"] = {**chunks, "kind": "openai"}
    return config


@pytest.mark.parametrize("name", SCRIPTS)
def test_exit(run_python, config, times, name):
    for _ in range(times):  # an end that waits for an answer is one that hangs
        run_python(SETUP + SCRIPTS[name], config=config, timeout=60)


def test_an_unread_exception_ends_as_python_does(run_python, config):
    script = SETUP + "sys.excepthook = lambda *_: None\nclient.stream('x')\nraise ValueError"
    run_python(script, config=config, expect=1)

"""Where no file descriptor is left: an error that says what to do, and all is well afterwards."""

import sys

import pytest

SETUP = """
import asyncio, os, resource, liter_llm
resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
taken = []
def take_all():
    try:
        while True: taken.append(os.open("/dev/null", os.O_RDONLY))
    except OSError: pass
def give_back():
    while taken: os.close(taken.pop())
def check(error):
    assert isinstance(error, liter_llm.APIConnectionError), repr(error)
    assert error.retryable and "ulimit -n" in error.message, error.message
def fails(work):
    try: work()
    except liter_llm.LiterLLMError as error: check(error)
    else: raise AssertionError("it did not fail")
"""

SCRIPTS = {
    "the engine has not started": """
client = liter_llm.Client()
take_all()
fails(lambda: client.chat("Hello"))
fails(lambda: client.stream("Hello"))
give_back()
assert client.chat("Hello").text == "You said: Hello"
assert client.stream("Hello").text() == "You said: Hello"
""",
    "a queue of an event loop": """
async def fails_on_loop(work):
    try: await work()
    except liter_llm.LiterLLMError as error: check(error)
    else: raise AssertionError("it did not fail")
async def main():
    async with liter_llm.AsyncClient() as client:
        take_all()
        await fails_on_loop(lambda: client.chat("Hello"))
        await fails_on_loop(lambda: client.stream("Hello").text())
        give_back()
        assert (await client.chat("Hello")).text == "You said: Hello"
        take_all()
        # The loop's queue serves streams too, and the connection is kept.
        assert await client.stream("Hello").text() == "You said: Hello"
        assert (await client.chat("Hello")).text == "You said: Hello"
        give_back()
        assert await client.stream("Hello").text() == "You said: Hello"
asyncio.run(main())
""",
}


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
@pytest.mark.parametrize("name", SCRIPTS)
def test_no_descriptor(run_python, name):
    run_python(SETUP + SCRIPTS[name])

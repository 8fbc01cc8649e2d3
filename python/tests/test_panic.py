"""A panic inside the engine is an error of kind "internal", on every path, and the process goes on.

Debug builds of the engine have an operation that panics.
"""

from conftest import ROOT

LIBRARY = ROOT / "target" / "debug" / "libliter_llm.so"

SCRIPT = """
import asyncio, os, liter_llm

request = {"op": "debug_panic"}
kinds = set()

def note(call):
    try:
        call()
    except liter_llm.LiterLLMError as error:
        kinds.add((type(error).__name__, error.kind))
    else:
        kinds.add(call)

async def note_async(awaitable):
    try:
        await awaitable
    except liter_llm.LiterLLMError as error:
        kinds.add((type(error).__name__, error.kind))
    else:
        kinds.add(awaitable)

def work():
    client = liter_llm.Client()
    for _ in range(20):
        note(lambda: client.chat(request))
        note(lambda: client.stream(request).text())
        note(lambda: list(client.stream(request)))
        note(lambda: liter_llm.invoke("openai", request))
    print(client.chat("after").text, client.metrics()["in_flight"])

async def work_async():
    async with liter_llm.AsyncClient() as client:
        for _ in range(20):
            calls = [client.chat(request) for _ in range(5)]
            calls += [client.stream(request).text() for _ in range(5)]
            await asyncio.gather(*[note_async(call) for call in calls])
        print((await client.chat("after")).text)

said = os.dup(2)  # Rust tells of each panic on stderr
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
try:
    work()
    asyncio.run(work_async())
finally:
    os.dup2(said, 2)
print(kinds)
"""


def test_a_panic(run_python):
    assert LIBRARY.is_file(), f"{LIBRARY} is missing: run `make lib-debug`"
    said = run_python(SCRIPT, env={"LITER_LLM_LIB": str(LIBRARY)}).splitlines()
    assert said == [
        "You said: after 0",
        "You said: after",
        "{('LiterLLMError', 'internal')}",
    ]

"""fork(): what was made before it goes on working in the child, and in the parent."""

import sys

import pytest

CHILD = """
import os, sys, liter_llm
client = liter_llm.Client()
view = client.with_options(timeout_ms=20000)
assert client.chat("parent").text == "You said: parent"
assert liter_llm.generate("parent") == "You said: parent"
stream = client.stream("streaming")
next(stream)
"""

CHECK = """
def work(name):
    for _ in range(3):
        assert client.chat(name).text == "You said: " + name
        assert view.chat(name).text == "You said: " + name
        assert liter_llm.generate(name) == "You said: " + name
        assert client.stream(name).text() == "You said: " + name
"""


def test_fork(run_python, times):
    script = f"""{CHILD}{CHECK}
for n in range({times}):
    pid = os.fork()
    if pid == 0:
        work("child")
        os._exit(0)
    work("parent")
    _, status = os.waitpid(pid, 0)
    assert status == 0, status
assert stream.text() == "You said: streaming"
"""
    run_python(script, timeout=300)


def test_fork_of_a_fork_from_a_thread(run_python):
    script = f"""{CHILD}{CHECK}
import threading
def fork(depth):
    pid = os.fork()
    if pid == 0:
        work("child")
        if depth:
            fork(depth - 1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert status == 0, status
busy = [threading.Thread(target=work, args=("busy",)) for _ in range(4)]
threads = [threading.Thread(target=fork, args=(2,)) for _ in range(4)]
for thread in busy + threads: thread.start()
for thread in busy + threads: thread.join()
"""
    flags = ("-Wignore::DeprecationWarning",)  # 3.12 warns of fork() in a process with threads
    run_python(script, timeout=120, flags=flags)


def test_a_stream_of_the_parents_says_so_in_the_child(run_python, simulator):
    script = """
import os, liter_llm
stream = liter_llm.Client().stream("Hello")
next(stream)
pid = os.fork()
if pid == 0:
    try:
        for _ in stream: pass
    except liter_llm.LiterLLMError as error:
        os._exit(0 if "fork" in str(error) else 3)
    os._exit(4)
assert os.waitpid(pid, 0)[1] == 0
assert stream.text().startswith("You said: Hello")
"""
    run_python(script, config=simulator.config("chunks=20,interval_ms=20"))


def test_a_closed_client_stays_closed(run_python):
    script = f"""{CHILD}
stream.text()
client.close()
pid = os.fork()
if pid == 0:
    try:
        view.chat("child")
    except liter_llm.CancelledError:
        os._exit(0)
    os._exit(4)
assert os.waitpid(pid, 0)[1] == 0
"""
    run_python(script)


def test_asyncio_in_the_child(run_python):
    script = """
import asyncio, os, liter_llm
client = liter_llm.AsyncClient()
async def work():
    texts = await asyncio.gather(*[client.chat("Hello") for _ in range(8)])
    assert all(r.text == "You said: Hello" for r in texts)
    assert await client.stream("Hello").text() == "You said: Hello"
asyncio.run(work())
for _ in range(5):
    pid = os.fork()
    if pid == 0:
        asyncio.run(work())
        os._exit(0)
    asyncio.run(work())
    assert os.waitpid(pid, 0)[1] == 0
"""
    run_python(script)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(run_python, tmp_path, method):
    script = tmp_path / "work.py"
    script.write_text(
        """
import multiprocessing, sys, liter_llm

def work(n):
    return liter_llm.generate(f"n{n}")

if __name__ == "__main__":
    assert work(0) == "You said: n0"
    with multiprocessing.get_context(sys.argv[1]).Pool(3) as pool:
        print(pool.map(work, range(20)) == [f"You said: n{n}" for n in range(20)])
"""
    )
    run = f"""
import os, sys
python = {sys.executable!r}
os.execv(python, [python, "-Wignore::DeprecationWarning", {str(script)!r}, {method!r}])
"""
    assert run_python(run) == "True\n"

"""Workers that end while their calls and streams are in flight: processes, and threads."""

import gc
import os
import threading

import pytest

import liter_llm
from conftest import until

SCRIPT = """
import multiprocessing, os, signal, sys, threading, liter_llm

def busy(ready):
    client = liter_llm.Client()
    def forever(call):
        while True:
            call()
    for call in (
        lambda: client.chat("Hello"),
        lambda: client.chat("Hello", provider="fast"),
        lambda: client.stream("Hello", provider="chunks").text(),
    ):
        threading.Thread(target=forever, args=(call,), daemon=True).start()
    unread = client.stream("Hello", provider="chunks")
    next(unread)
    ready.send(os.getpid())
    unread.text()

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    client = liter_llm.Client()
    stream = client.stream("Hello", provider="chunks")
    next(stream)
    for n in range(int(sys.argv[2])):
        receives, sends = context.Pipe()
        worker = context.Process(target=busy, args=(sends,))
        worker.start()
        assert receives.poll(60) and receives.recv() == worker.pid
        if n % 2:
            worker.terminate()
        else:
            worker.kill()
        worker.join(60)
        assert worker.exitcode == (-signal.SIGTERM if n % 2 else -signal.SIGKILL), worker.exitcode
        assert client.chat(f"{n}", provider="fast").text == f"You said: {n}"
        next(stream)
    stream.close()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_terminated_process(run_python, simulator, tmp_path, times, method):
    config = simulator.config("delay_ms=60000")
    for name, knobs in (("fast", ""), ("chunks", "chunks=100000,interval_ms=2")):
        entry = simulator.config(knobs)["providers"]["openai"]
        config["providers"][name] = {**entry, "kind": "openai"}
    script = tmp_path / "work.py"
    script.write_text(SCRIPT)
    run = f"""
import os, sys
words = ["-Wignore::DeprecationWarning", {str(script)!r}, {method!r}, "{times // 4}"]
os.execv(sys.executable, [sys.executable, *words])
"""
    run_python(run, config=config, timeout=200)
    simulator.wait_for(lambda stats: stats["requests_open"] == 0)


def test_threads_that_end(simulator, times):
    """A thread ends with streams begun and unread, by a return and by an exception."""
    client = liter_llm.Client(simulator.config("chunks=1000,interval_ms=1"))
    hook, threading.excepthook = threading.excepthook, lambda _: None

    def work(kept, n):
        local = client.stream("Hello")
        next(local)
        kept.append(client.stream("Hello"))
        next(kept[0])
        if n % 2:
            raise RuntimeError("on purpose")

    try:
        for n in range(times):
            kept = []
            thread = threading.Thread(target=work, args=(kept, n))
            thread.start()
            thread.join()
            assert next(kept[0])  # another thread's stream can be read on
            if n == 2:
                gc.collect()
                before = len(os.listdir("/proc/self/task"))
    finally:
        threading.excepthook = hook
    kept.clear()
    gc.collect()
    simulator.wait_for(lambda stats: stats["requests_open"] == 0)
    # A thread that was joined may be listed a moment longer.
    until(lambda: len(os.listdir("/proc/self/task")) <= before)
    client.close()

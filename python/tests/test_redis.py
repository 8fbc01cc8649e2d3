"""Redis, as a program with fork() uses it: a child has a connection of its own."""

import os
import shutil
import socket
import subprocess
import time

import pytest


@pytest.fixture
def redis(tmp_path):
    """The port of a server of this test's own."""
    if not shutil.which("redis-server"):
        assert "CI" not in os.environ, "CI needs redis-server: make setup-system"
        pytest.skip("no redis-server on this machine")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            assert time.monotonic() < end, "redis-server does not listen"
            time.sleep(0.01)  # a poll of another process
    yield port
    server.kill()
    server.wait(60)


def test_a_forked_child_has_its_own_connection(run_python, simulator, redis):
    config = simulator.config()
    config["redis"] = {"url": f"redis://127.0.0.1:{redis}", "timeout_ms": 10000}
    config["fleet"] = {"limits": True}
    config["providers"]["openai"]["limits"] = {"max_in_flight": 100}
    script = f"""
import os, subprocess, time, liter_llm
client = liter_llm.Client()
def until_alive(number):
    words = ["redis-cli", "-p", "{redis}", "zcard", "{{ll:default}}:alive"]
    end = time.monotonic() + 60
    while (said := subprocess.check_output(words, text=True)) != f"{{number}}\\n":
        assert time.monotonic() < end, said
        time.sleep(0.01)  # a poll of another process
def connections():
    clients = subprocess.run(["redis-cli", "-p", "{redis}", "client", "list"],
                             capture_output=True, text=True, check=True).stdout
    return {{line.split()[0] for line in clients.splitlines() if "name=liter-llm" in line}}
assert client.chat("parent").text == "You said: parent"
before = connections()
assert len(before) == 1, before
pid = os.fork()
if pid == 0:
    assert client.chat("child").text == "You said: child"
    assert client.metrics()["redis"]["up"]
    both = connections()
    assert before < both and len(both) == 2, both
    until_alive(2)
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
# A second child has another name than the first one, and the fleet counts three processes.
pid = os.fork()
if pid == 0:
    assert client.chat("child").text == "You said: child"
    until_alive(3)
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
assert client.chat("parent").text == "You said: parent"
assert before <= connections(), "the parent has the same one"
"""
    run_python(script, config=config, timeout=120)

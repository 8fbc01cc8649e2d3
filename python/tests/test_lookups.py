"""Hosts whose names are not found hold up no other host."""

import os
import subprocess
import sys

import pytest

from conftest import ROOT

SCRIPT = """
import asyncio, os, threading, time, liter_llm

def entry(host, connect_ms):
    return {
        "kind": "openai", "base_url": f"http://{host}.test:" + os.environ["PORT"] + "/v1",
        "api_key": "k", "model": "m", "timeouts": {"connect_ms": connect_ms},
    }

providers = {f"slow{n}": entry(f"slow{n}", 500) for n in range(4)}
providers["healthy"] = entry("healthy", 5000)
config = {"providers": providers, "retry": False}

def fails(client, n):
    try:
        client.chat("Hello", provider=f"slow{n % 4}")
    except liter_llm.APITimeoutError as error:
        assert "look-up of the name slow" in error.message, error.message
    else:
        raise AssertionError("it did not fail")

async def on_a_loop():
    async with liter_llm.AsyncClient(config) as client:
        assert (await client.chat("Hello", provider="healthy")).text == "You said: Hello"

with liter_llm.Client(config) as client:
    threads = [threading.Thread(target=fails, args=(client, n)) for n in range(12)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    # All of their look-ups are still running.
    begun = time.monotonic()
    assert client.chat("Hello", provider="healthy").text == "You said: Hello"
    assert client.stream("Hello", provider="healthy").text() == "You said: Hello"
    asyncio.run(on_a_loop())
    assert time.monotonic() - begun < 4, time.monotonic() - begun
"""


@pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD")
def test_a_slow_resolver_holds_up_no_other_host(run_python, simulator, tmp_path):
    shim = tmp_path / "slow_names.so"
    source = ROOT / "bindings/c/tests/common/slow_names.c"
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    run_python(SCRIPT, env={"LD_PRELOAD": str(shim), "PORT": simulator.url.rsplit(":", 1)[1]})

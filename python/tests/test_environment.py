"""The environment is read once, with a client: other threads may change it at any time."""

import os
import threading
import time

import pytest

import liter_llm

SECONDS = 3


def test_a_key_is_that_of_the_clients_making(simulator, monkeypatch):
    config = simulator.config(api_key="env:LITER_TEST_KEY")
    monkeypatch.setenv("LITER_TEST_KEY", "sk-test")
    with liter_llm.Client(config) as client:
        monkeypatch.delenv("LITER_TEST_KEY")
        assert client.chat("Hello").text
    with liter_llm.Client(config) as client:
        monkeypatch.setenv("LITER_TEST_KEY", "sk-test")  # too late for this client
        with pytest.raises(liter_llm.AuthenticationError, match="LITER_TEST_KEY"):
            client.chat("Hello")
    with liter_llm.Client(config) as client:
        assert client.chat("Hello").text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_childs_client_has_the_same_environment(simulator, run_python):
    script = """
import os, liter_llm
client = liter_llm.Client()
del os.environ["LITER_TEST_KEY"], os.environ["LITER_LLM_CONFIG"]
client.chat("Hello")
child = os.fork()
if child == 0:
    os._exit(0 if client.chat("Hello").text else 1)
print(os.waitpid(child, 0)[1])
"""
    config = simulator.config(api_key="env:LITER_TEST_KEY")
    assert run_python(script, config=config, env={"LITER_TEST_KEY": "sk-test"}) == "0\n"


def test_what_is_not_unicode_hurts_nobody(simulator, run_python):
    script = """
import os, liter_llm
os.environb[b"LITER_TEST_BYTES"] = b"a\\xffb"
os.environb[b"LITER_\\xff"] = b"c"
print(bool(liter_llm.Client().chat("Hello").text))
"""
    assert run_python(script) == "True\n"


def test_nothing_shows_the_environment(simulator, monkeypatch):
    monkeypatch.setenv("LITER_TEST_CANARY", "sk-canary")
    config = simulator.config(api_key="sk-canary")
    with liter_llm.Client(config) as client:
        shown = [repr(client), str(client._native), repr(client.with_options(timeout_ms=1))]
        assert "canary" not in "".join(shown)
    with pytest.raises(liter_llm.BadRequestError) as caught:
        liter_llm.Client({"providers": {"openai": {"api_key": "sk-canary", "no": 1}}})
    # What tools report with an exception: the variables of our own frames.
    frame, seen = caught.tb, ""
    while frame is not None:
        if frame.tb_frame.f_code.co_filename.endswith("_native.py"):
            seen += repr(frame.tb_frame.f_locals.get("environment", ""))
            assert "_environment" not in frame.tb_frame.f_locals
        frame = frame.tb_next
    assert "canary" not in seen + str(caught.value) + repr(caught.value)


@pytest.mark.parametrize(("makers", "callers"), [(3, 0), (2, 2)])
def test_assignments_beside_clients_and_calls(makers, callers, simulator, run_python):
    """Before the environment was handed over, this ended in a SIGSEGV within seconds: with clients
    alone nearly each time, as threads that call leave the assignments less of the lock."""
    script = f"""
import os, threading, time, liter_llm
until = time.monotonic() + {SECONDS}
shared = liter_llm.Client()
made, answered = [], []

def makes():
    while time.monotonic() < until:
        with liter_llm.Client({{}}):
            made.append(None)

def calls():
    while time.monotonic() < until:
        assert shared.chat("Hello").text
        with shared.stream("Hello") as stream:
            assert "".join(chunk.text for chunk in stream)
        answered.append(None)

threads = [threading.Thread(target=makes) for _ in range({makers})]
threads += [threading.Thread(target=calls) for _ in range({callers})]
for thread in threads:
    thread.start()
round = 0
while time.monotonic() < until:
    for number in range(3000):
        if round % 2:
            del os.environ[f"LITER_STORM_{{number}}"]
        else:
            os.environ[f"LITER_STORM_{{number}}"] = "a value that is long enough to be moved"
    round += 1
for thread in threads:
    thread.join()
print(len(made) > 20 and len(answered) > 5 * {callers} - 1 and round > 1)
"""
    assert run_python(script) == "True\n"


def test_threads_that_delete_variables():
    """A variable may go between the list of the names and the look at its value."""
    until = time.monotonic() + 0.5

    def changes(name):
        while time.monotonic() < until:
            os.environ[name] = "x"
            del os.environ[name]

    names = [f"LITER_GOES_{number}" for number in range(3)]
    threads = [threading.Thread(target=changes, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    while time.monotonic() < until:
        liter_llm.Client({}).close()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_roots_of_pythons_other_clients_are_trusted_too(name, monkeypatch, tmp_path):
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(variable, raising=False)
    settings = {"kind": "compatible", "base_url": "https://127.0.0.1:9/v1", "model": "m"}
    config = {"providers": {"p": settings}, "retry": False}

    def kind() -> str:
        client = liter_llm.Client(config, provider="p")
        with client, pytest.raises(liter_llm.LiterLLMError) as failure:
            client.chat("Hello")
        return failure.value.kind

    file = tmp_path / "roots.pem"
    file.write_text("no certificate")
    monkeypatch.setenv(name, str(file))
    assert kind() == "invalid_request"  # it is read
    monkeypatch.setenv(name, str(tmp_path))
    assert kind() == "connection"  # a folder means nothing to the engine

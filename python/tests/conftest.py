"""The simulator, a scripted provider over real sockets, and clients that talk to it."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from itertools import count
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

HTML = "<html><body>502 Bad Gateway</body></html>"
MESSAGE = {"role": "assistant", "content": "ok"}
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1700000000,
    "model": "gpt-5-mini",
    "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}


def _error(status, message, **more):
    body = {"error": {"message": message, "type": more.pop("type", "error"), "code": None}}
    return {"status": status, "body": body, **more}


def _text(text):
    choice = {"index": 0, "message": {**MESSAGE, "content": text}, "finish_reason": "stop"}
    return {"body": {**ANSWER, "choices": [choice]}}


def _delta(text, finish=None):
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return {**ANSWER, "object": "chat.completion.chunk", "choices": [choice], "usage": None}


REPLIES = {
    "ok": {"body": ANSWER},
    "html": {"headers": {"content-type": "text/html"}, "body": HTML},
    "html_502": {"status": 502, "headers": {"content-type": "text/html"}, "body": HTML},
    "not_json": {"body": '{"choices":'},
    "empty_body": {"body": ""},
    "bad_key": _error(401, "Incorrect API key provided."),
    "forbidden": _error(403, "Your organization is not allowed."),
    "no_model": _error(404, "The model does not exist."),
    "rate_limit": _error(429, "Rate limit reached.", headers={"retry-after": "7"}),
    "overloaded": _error(503, "Overloaded."),
    "cut": {"body": ANSWER, "cut_at": 40, "cut": "close"},
    "reset": {"body": ANSWER, "cut_at": 40, "cut": "reset"},
    "never": {"never": True},
    "nul": _text("a\0b"),
    "unicode": _text("naïve 日本語 🎉 \u2028 \u0001 \x7f \\ \" 𝔘𝔫𝔦"),
    "gzipped": {"body": "small", "gzip": True},
    "cookies": {"headers": {"set-cookie": ["a=1", "b=2"], "x-latin": "caf\u00e9"}, "body": ""},
    "binary": {"headers": {"content-type": "audio/wav"}, "body_hex": "00ff80c3"},
    "structured": _text('{"weather": "mild"}'),
    "hang_up": {"raw": ""},
    "no_http": {"raw": "SSH-2.0-x\r\n"},
    "cut_stream": {"sse": [{"choices": []}, {"choices": []}], "cut_at": 30, "cut": "close"},
    "down_for_a_while": [_error(503, "Loading model")] * 6 + [{"body": ANSWER}],
    "overloaded_once": [_error(503, "Overloaded."), {"body": ANSWER}],
    "big_number": {"body": {**ANSWER, "weird": 2**53 + 1, "precise": 0.1}},
    "broken_stream": {"sse": [_delta("Hel")]},
    "broken_once": [{"sse": [_delta("Hel")]}, {"sse": [_delta("Hi", "stop"), "[DONE]"]}],
}  # fmt: skip


class Simulator:
    """A running simulator; `config()` points clients at it."""

    def __init__(self, binary, folder):
        cases = folder / "cases.jsonl"
        replies = {name: r if isinstance(r, list) else [r] for name, r in REPLIES.items()}
        rows = (
            {"id": name, "exchanges": [{"reply": reply} for reply in several]}
            for name, several in replies.items()
        )
        cases.write_text("".join(json.dumps(row) + "\n" for row in rows))
        self.process = subprocess.Popen(
            [binary, "--cases", cases, "--exit-with-stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.url = line.split()[-1].rstrip("/")
        self.runs = count(1)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()

    def config(self, knobs="", **provider):
        """Free mode: every request is answered; knobs as in "delay_ms=50,chunks=3"."""
        path = f"/sim,{knobs}/v1" if knobs else "/v1"
        return self._config(self.url + path, provider)

    def case(self, name, **provider):
        """The first request gets the reply of this name. Nothing is tried again."""
        config = self._config(f"{self.url}/case/run{next(self.runs)}/{name}/v1", provider)
        return {**config, "retry": False}

    def providers(self, **others):
        """The default provider answers; others, by name, as the case of that name or by knobs."""
        config = self.config()
        for name, its in others.items():
            made = self.case(its) if its in REPLIES else self.config(its)
            config["providers"][name] = {**made["providers"]["openai"], "kind": "openai"}
        return config

    def _config(self, base_url, provider):
        entry = {"base_url": base_url, "api_key": "sk-test", "model": "gpt-5-mini", **provider}
        return {"providers": {"openai": entry}, "default_provider": "openai"}

    def stats(self):
        with urllib.request.urlopen(f"{self.url}/_sim/stats", timeout=60) as answer:
            return json.load(answer)

    def wait_for(self, condition, seconds=60):
        """Waits until the statistics fulfil a condition, and returns them."""
        until = time.monotonic() + seconds
        while not condition(stats := self.stats()):
            assert time.monotonic() < until, stats
            time.sleep(0.01)  # a poll of another process's state
        return stats


def _binary():
    named = os.environ.get("LITER_LLM_SIMULATOR")
    target = ROOT / "target"
    candidates = (
        [Path(named)]
        if named
        else [target / profile / "liter-llm-simulator" for profile in ("release", "debug")]
    )
    for path in candidates:
        if path.is_file():
            return path
    raise RuntimeError("no simulator: cargo build --release -p liter-llm-simulator")


@pytest.fixture(scope="session")
def running_simulator(tmp_path_factory):
    running = Simulator(_binary(), tmp_path_factory.mktemp("simulator"))
    yield running
    running.stop()


@pytest.fixture
def simulator(running_simulator):
    """The one of all tests, done with what an earlier one has left to it: tests count."""
    running_simulator.wait_for(lambda stats: stats["requests_open"] == 0)
    return running_simulator


@pytest.fixture
def run_python(simulator):
    """Runs a script in another interpreter, which must end well and say nothing on stderr."""

    def run(script, *, config=None, expect=0, env=None, timeout=60, flags=()):
        variables = {**os.environ, "LITER_LLM_CONFIG": json.dumps(config or simulator.config())}
        variables.update(env or {})  # None: not set
        variables = {name: value for name, value in variables.items() if value is not None}
        done = subprocess.run(
            [sys.executable, *flags, "-c", script],
            env=variables,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert (done.returncode, done.stderr) == (expect, ""), done
        return done.stdout

    return run


def until(condition, seconds=60):
    """Waits until what threads of the engine's change looks so; fails when time is up."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)  # a poll of what no event tells of


@pytest.fixture
def times():
    """How often a test of a race repeats: 20, or 200 with LITER_LLM_LONG=1."""
    return 200 if os.environ.get("LITER_LLM_LONG") else 20

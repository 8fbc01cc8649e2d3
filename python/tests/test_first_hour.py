"""What a newcomer's tools meet: help, mocks, logging, pydantic, values, other loops."""

import dataclasses
import datetime as dt
import decimal
import inspect
import json
import pathlib
import pydoc
import time
import uuid
from unittest import mock

import numpy as np
import pydantic
import pytest

import liter_llm
from liter_llm import _document, _json, _models


def test_tools_look_into_the_package():
    assert "Client" in pydoc.render_doc(liter_llm)
    assert dict(inspect.getmembers(liter_llm))["Client"] is liter_llm.Client
    assert mock.create_autospec(liter_llm).Client is not None
    with pytest.raises(TypeError):
        mock.create_autospec(liter_llm.Client, instance=True).chat(1, 2, 3)
    for name in liter_llm.__all__:
        one = getattr(liter_llm, name)
        if isinstance(one, type):
            assert one.__module__ == "liter_llm", name
    answered = [one for one in vars(_models).values() if isinstance(one, type)]
    for one in answered:
        if issubclass(one, _document.Document) and one.__module__ != "liter_llm._document":
            assert getattr(liter_llm, one.__name__) is one


def test_without_the_transports_packages(run_python):
    script = """
import sys
import time
sys.modules["httpx"] = sys.modules["httpx2"] = None
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name in ("httpx", "httpx2") else find(name)
import inspect, pydoc, liter_llm
from unittest import mock
assert not hasattr(liter_llm, "httpx")
inspect.getmembers(liter_llm), pydoc.render_doc(liter_llm), mock.create_autospec(liter_llm)
try:
    liter_llm.httpx2
except AttributeError as error:
    print(error)
"""
    assert "pip install httpx2" in run_python(script)


def test_usage_is_never_none():
    answer = liter_llm.Response()
    assert not answer.usage
    assert answer.usage.total_tokens is None


LOGGED = """
import logging, os, sys, liter_llm
records = []
class Keep(logging.Handler):
    def emit(self, record):
        records.append(record)
logger = logging.getLogger("liter_llm")
logger.addHandler(Keep())
logger.setLevel(logging.INFO)
liter_llm.logs()
liter_llm.logs()
def work(prompt):
    assert liter_llm.generate(prompt) == "You said: " + prompt
    import liter_llm._logs as l
    reader = l._reader
    reader.end()
    assert not reader.thread.is_alive()
    l._reader = None
    calls = [one for one in records if one.liter["event"] == "call"]
    assert calls and calls[-1].levelno == logging.INFO, records
    assert prompt not in calls[-1].getMessage()
    assert calls[-1].name == "liter_llm" and calls[-1].liter["provider"] == "openai"
    records.clear()
"""


def test_logs(run_python):
    run_python(LOGGED + "work('canary')")


def test_logs_begin_anew_in_a_child(run_python):
    script = (
        LOGGED
        + """
client = liter_llm.Client()
client.chat("parent")
if (pid := os.fork()) == 0:
    work("canary")
    os._exit(0)
_, status = os.waitpid(pid, 0)
assert status == 0
work("canary")
"""
    )
    run_python(script, flags=("-Wignore::DeprecationWarning",))


def test_logs_without_code(simulator):
    import os
    import subprocess
    import sys

    env = {
        **os.environ,
        "LITER_LLM_LOG": "info",
        "LITER_LLM_CONFIG": json.dumps(simulator.config()),
    }
    script = "import liter_llm; liter_llm.generate('canary')"
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
    )
    assert " liter_llm INFO call " in done.stderr
    assert "provider=openai" in done.stderr
    assert "canary" not in done.stderr


FORGED = 'gpt\n{"level":"error","event":"call"} outcome=ok'


def test_a_log_record_is_one_line_whatever_a_name_holds(run_python):
    script = LOGGED + (
        "import json\n"
        f"forged = {FORGED!r}\n"
        "liter_llm.Client().chat('Hello', model=forged)\n"
        "import liter_llm._logs as l\n"
        "l._reader.end()\n"
        "call, = [one for one in records if one.liter['event'] == 'call']\n"
        "assert call.liter['model'] == forged, call.liter\n"
        "print(call.getMessage())\n"
    )
    (line,) = run_python(script).splitlines()
    assert f" model={json.dumps(FORGED)} " in line
    assert line.count(" outcome=ok") == 2  # one of them inside the quotes


def test_values_of_log_records_cannot_be_taken_for_others():
    from liter_llm import _logs

    for value, written in (
        ("gpt-5-mini", "gpt-5-mini"),
        ("modèle", "modèle"),
        ("", '""'),
        ("a b", '"a b"'),
        ("a=b", '"a=b"'),
        ('a"b', '"a\\"b"'),
        ("a\r\nb", '"a\\r\\nb"'),
        ("a\u2028b", '"a\\u2028b"'),
        ("a\u2029b\u0085c", '"a\\u2029b\\u0085c"'),
        ("a\x1b[31m", '"a\\u001b[31m"'),
        ("a\u202eb", '"a\\u202eb"'),
        (7, "7"),
        ({"x": "\n"}, '{"x":"\\n"}'),
    ):
        assert _logs.text({"event": "call", "model": value}) == f"call model={written}"
    said = _logs.text({"event": "retry", "message": "waits 2 s,\nthen\u2028asks “m” again\x1b"})
    assert said == "retry - waits 2 s,\\nthen\\u2028asks “m” again\\u001b"
    assert "trace" not in _logs.LEVELS


def test_pydantic_and_dataclasses():
    class Saved(pydantic.BaseModel):
        answer: liter_llm.Response

    @dataclasses.dataclass
    class Kept:
        answer: liter_llm.Response

    answer = liter_llm.Response.of("Hi", usage={"total_tokens": 3})
    saved = Saved(answer=answer)
    again = Saved.model_validate_json(saved.model_dump_json())
    assert type(again.answer) is liter_llm.Response
    assert again.answer.usage.total_tokens == 3
    assert Saved.model_json_schema()
    with pytest.raises(pydantic.ValidationError):
        Saved.model_validate({"answer": 7})
    assert dataclasses.asdict(Kept(answer))["answer"].text == "Hi"
    _ = answer.choices[0].message
    plain = answer.model_dump()
    assert plain == answer.to_dict() == json.loads(answer.model_dump_json()) == answer
    assert type(plain) is type(plain["choices"][0]) is type(plain["choices"][0]["message"]) is dict


def test_fastapi():
    fastapi = pytest.importorskip("fastapi")
    app = fastapi.FastAPI()

    @app.get("/")
    def ask() -> liter_llm.Response:
        return liter_llm.Response.of("Hi")

    route = app.openapi()["paths"]["/"]["get"]
    assert route["responses"]["200"]


def test_made_in_tests():
    assert liter_llm.Chunk.of("Hi").text == "Hi"
    error = liter_llm.RateLimitError("slow down", status=429, retry_after=2, retryable=True)
    assert (error.kind, error.status, error.retry_after) == ("rate_limit", 429, 2)
    assert error.retryable
    with pytest.raises(TypeError, match="stauts"):
        liter_llm.RateLimitError("slow down", stauts=429)


class Point(pydantic.BaseModel):
    x: int


@dataclasses.dataclass
class Pair:
    a: int


VALUES = [
    (dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.timezone.utc), "2026-01-02T03:04:00+00:00"),
    (dt.date(2026, 1, 2), "2026-01-02"),
    (decimal.Decimal("0.2"), 0.2),
    (decimal.Decimal(3), 3),
    (decimal.Decimal("0E-400000"), 0),
    (decimal.Decimal("12E+305"), 12 * 10**305),
    (decimal.Decimal("5E-324"), 5e-324),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (np.float32(0.5), 0.5),
    (np.int64(3), 3),
    (np.array([1, 2]), [1, 2]),
    (Point(x=1), {"x": 1}),
    (Pair(a=1), {"a": 1}),
]
REFUSED = [
    (b"x", "base64"),
    (pathlib.Path("x"), "a path"),
    (decimal.Decimal("NaN"), "NaN"),
    (decimal.Decimal("0.12345678901234567890"), "round it"),
    # All digits of these would take seconds, or all memory.
    (decimal.Decimal("1E+400000"), "beyond what a double holds"),
    (decimal.Decimal("-1E+999999"), "beyond what a double holds"),
    (decimal.Decimal("1E-400000"), "beyond what a double holds"),
    (decimal.Decimal("9E+308"), "beyond what a double holds"),
    (Point, "the class Point"),
    (object(), "an object of type object"),
    (len, r'a function\. A tool is described .*{"type": "function"'),
    (type("Answer", (), {"__await__": iter})(), "type Answer: await it first"),
]


@pytest.mark.parametrize("dumps", ["fast_dumps", "standard_dumps"])
def test_values(dumps):
    _json.choose()
    for value, form in VALUES:
        assert json.loads(getattr(_json, dumps)({"a": value})) == {"a": form}
    began = time.process_time()
    for value, why in REFUSED:
        with pytest.raises(liter_llm.BadRequestError, match=why):
            getattr(_json, dumps)({"a": value})
    assert time.process_time() - began < 1


def test_trio(simulator):
    trio = pytest.importorskip("trio")

    async def main():
        await liter_llm.AsyncClient(simulator.config()).chat("Hello")

    with pytest.raises(RuntimeError, match=r"trio.to_thread.run_sync"):
        trio.run(main)


def test_gevent(run_python, simulator):
    script = """
from gevent import monkey
monkey.patch_all()
import gevent, liter_llm
ticks = []
def tick():
    while True:
        ticks.append(1)
        gevent.sleep(0.01)
gevent.spawn(tick)
client = liter_llm.Client()
jobs = [gevent.spawn(client.chat, f"n{n}") for n in range(20)]
gevent.joinall(jobs)
assert [job.value.text for job in jobs] == [f"You said: n{n}" for n in range(20)]
assert client.stream("Hello").text() == "You said: Hello"
assert len(ticks) > 10, len(ticks)
"""
    run_python(script, config=simulator.config("delay_ms=300"), flags=("-Wignore",))

"""Spans and meters of calls, by OpenTelemetry's own SDK: each under its parent, none astray."""

import asyncio
import gc
import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import liter_llm
from liter_llm._telemetry import attributes, span_name

trace = pytest.importorskip("opentelemetry.trace")
from opentelemetry import metrics  # noqa: E402
from opentelemetry.sdk.metrics import MeterProvider  # noqa: E402
from opentelemetry.sdk.metrics.export import InMemoryMetricReader  # noqa: E402
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider  # noqa: E402
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: E402
from opentelemetry.sdk.trace.export.in_memory_span_exporter import (  # noqa: E402
    InMemorySpanExporter,
)
from opentelemetry.sdk.trace.sampling import (  # noqa: E402
    ALWAYS_OFF,
    Decision,
    Sampler,
    SamplingResult,
)

ROOT = Path(__file__).resolve().parents[2]
TABLE = json.loads((ROOT / "bindings/conformance/semconv.json").read_text())
MANY = 1000


class Provider(ThreadingHTTPServer):
    """Answers chats and keeps the trace contexts that came."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self):
        self.parents = []
        self.states = []
        super().__init__(("127.0.0.1", 0), Handler)

    def config(self, **more):
        url = f"http://127.0.0.1:{self.server_port}"
        entry = {"kind": "compatible", "base_url": url, "api_key": "k"}
        return {"providers": {"mine": entry}, "max_in_flight": 64, "retry": False, **more}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.server.parents.append(self.headers["traceparent"])
        self.server.states.append(self.headers["tracestate"])
        message = {"role": "assistant", "content": "ok"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
        body = json.dumps({"model": "m-1", "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def provider():
    server = Provider()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


class Seen:
    """A tracer provider with the spans that ended."""

    def __init__(self, monkeypatch, **how):
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(**how)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        monkeypatch.setattr(trace, "_TRACER_PROVIDER", self.provider)
        self.tracer = self.provider.get_tracer("test")

    def spans(self):
        own = self.exporter.get_finished_spans()
        return [span for span in own if span.instrumentation_scope.name == "liter_llm"]


class Stating(Sampler):
    """Gives each span a trace state."""

    def __init__(self, state):
        self.state = state

    def should_sample(self, *_, **__):
        return SamplingResult(Decision.RECORD_AND_SAMPLE, trace_state=self.state)

    def get_description(self):
        return "stating"


class Broken(SpanProcessor):
    """Raises where it is told to."""

    def __init__(self, where):
        self.where = where

    def on_start(self, span, parent_context=None):
        if self.where == "on_start" and span.instrumentation_scope.name == "liter_llm":
            raise ZeroDivisionError

    def on_end(self, span):
        if self.where == "on_end":
            raise ZeroDivisionError


@pytest.fixture
def seen(monkeypatch):
    return Seen(monkeypatch)


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["about"])
def test_attributes_are_those_of_the_table(case):
    answer, error = case.get("answer"), case.get("error")
    own = answer["liter"] if answer else error
    facts = {"answer": answer, "error": error, "trace": own.get("trace")}
    found = attributes(TABLE["attributes"], facts)
    assert found == case["attributes"]
    assert span_name(found) == case["span"]


def check_parents(seen, provider, before):
    """Each call's span is the child of its own parent, and its id went out."""
    spans = seen.spans()
    assert len(spans) == MANY
    own = [span for span in seen.exporter.get_finished_spans() if span.name == "parent"]
    parents = {span.context.span_id: span.attributes["number"] for span in own}
    numbers = []
    for span in spans:
        assert span.attributes["gen_ai.request.max_tokens"] == parents[span.parent.span_id] + 1
        numbers.append(parents[span.parent.span_id])
    assert sorted(numbers) == list(range(MANY))
    sent = set(provider.parents[before:])
    ids = {
        f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-{span.context.trace_flags:02x}"
        for span in spans
    }
    assert sent == ids


def test_a_thousand_calls_of_threads_under_a_thousand_parents(seen, provider):
    before = len(provider.parents)

    def one(number):
        with seen.tracer.start_as_current_span("parent", attributes={"number": number}):
            client.chat("Hi", model="mine/m", max_tokens=number + 1)

    with liter_llm.Client(provider.config()) as client, ThreadPoolExecutor(32) as pool:
        list(pool.map(one, range(MANY)))
    check_parents(seen, provider, before)


def test_a_thousand_calls_of_tasks_under_a_thousand_parents(seen, provider):
    before = len(provider.parents)

    async def main():
        room = asyncio.Semaphore(32)

        async def one(number):
            async with room:
                with seen.tracer.start_as_current_span("parent", attributes={"number": number}):
                    await client.chat("Hi", model="mine/m", max_tokens=number + 1)

        async with liter_llm.AsyncClient(provider.config()) as client:
            await asyncio.gather(*map(one, range(MANY)))

    asyncio.run(main())
    check_parents(seen, provider, before)


def test_a_span_has_what_the_answer_has(seen, provider):
    with liter_llm.Client(provider.config()) as client:
        answer = client.chat("Hi", model="mine/m", temperature=0.5)
    (span,) = seen.spans()
    assert span.name == "chat m"
    assert span.kind == trace.SpanKind.CLIENT
    found = dict(span.attributes)
    assert found["gen_ai.provider.name"] == "mine"
    assert found["gen_ai.response.model"] == "m-1"
    assert found["gen_ai.usage.input_tokens"] == 3
    assert found["server.port"] == provider.server_port
    assert found["liter_llm.request_id"] == answer.liter.request_id
    assert span.start_time < span.end_time
    assert "Hi" not in span.to_json()


def test_several_attempts_are_children(seen, simulator):
    config = {**simulator.case("overloaded_once"), "retry": {"base_ms": 1}}
    with liter_llm.Client(config) as client:
        client.chat("Hi")
    *children, span = sorted(seen.spans(), key=lambda span: span.name != "POST")
    assert [child.attributes.get("http.response.status_code") for child in children] == [503, 200]
    assert children[1].attributes["http.request.resend_count"] == 1
    for child in children:
        assert child.parent.span_id == span.context.span_id
        assert span.start_time - 50e6 < child.start_time <= child.end_time
    assert span.attributes["liter_llm.attempts"] == 2


def test_a_failure_has_its_kind_and_no_message(seen, simulator):
    with (
        liter_llm.Client(simulator.case("bad_key")) as client,
        pytest.raises(liter_llm.AuthenticationError),
    ):
        client.chat("Hi")
    (span,) = seen.spans()
    assert span.attributes["error.type"] == "authentication"
    assert span.attributes["http.response.status_code"] == 401
    assert span.status.status_code == trace.StatusCode.ERROR
    assert "Incorrect" not in span.to_json()
    assert not span.events


def test_streams_end_broken_closed_and_left(seen, simulator):
    with (
        liter_llm.Client(simulator.case("broken_stream")) as client,
        pytest.raises(liter_llm.StreamBrokenError),
    ):
        list(client.stream("Hi"))
    with liter_llm.Client(simulator.config("chunks=50,delay_ms=20")) as client:
        with client.stream("Hi") as stream:
            next(stream)
        stream = client.stream("Hi")
        next(stream)
        del stream
        gc.collect()
        assert len(seen.spans()) == 2  # the collector may run inside a lock of the SDK
        collected = time.time_ns()
        with client.stream("Hi"):
            assert len(seen.spans()) == 3
        assert seen.spans()[2].end_time <= collected
    kinds = [span.attributes["error.type"] for span in seen.spans()]
    assert kinds == ["stream_broken", "cancelled", "cancelled", "cancelled"]


def test_a_cancelled_task_ends_its_span(seen, simulator):
    async def main():
        async with liter_llm.AsyncClient(simulator.case("never")) as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.chat("Hi"), 0.2)

    asyncio.run(main())
    (span,) = seen.spans()
    assert span.attributes["error.type"] == "cancelled"


def test_hits_and_fan_outs(seen, provider):
    with liter_llm.Client(provider.config(cache={})) as client:
        for _ in range(2):
            client.chat("Hi", model="mine/m", temperature=0)
        client.generate_multi("Hi", ["mine/m", "mine/n"], first=2)
    first, hit, fan = seen.spans()
    assert "liter_llm.cache" not in first.attributes
    assert (hit.attributes["liter_llm.cache"], hit.attributes["liter_llm.attempts"]) == (
        "memory",
        0,
    )
    assert fan.attributes["gen_ai.operation.name"] == "chat"


def test_a_sampler_that_is_off_still_sends_the_context(monkeypatch, provider):
    seen = Seen(monkeypatch, sampler=ALWAYS_OFF)
    before = len(provider.parents)
    with liter_llm.Client(provider.config()) as client:
        answer = client.chat("Hi", model="mine/m")
    assert seen.spans() == []
    (parent,) = provider.parents[before:]
    assert int(parent[-2:], 16) & 1 == 0
    assert "trace" not in answer["liter"]


def test_what_the_caller_says_counts(seen, provider):
    before = len(provider.parents)
    own = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    with liter_llm.Client(provider.config()) as client:
        client.chat("Hi", model="mine/m", traceparent=own)
        options = {"traceparent": own}
        body = {"model": "mine/m", "prompt": "Hi", "options": options}
        client.chat(json.dumps(body).encode())
        body["prompt"] = 'a "traceparent"'
        del body["options"]
        client.chat(json.dumps(body).encode())
    first, second, other = provider.parents[before:]
    assert (first, second) == (own, own)
    assert other not in (None, own)
    assert len(seen.spans()) == 3


def test_the_state_of_a_span_goes_out_with_its_id_only(monkeypatch, provider):
    state = trace.TraceState([("theirs", "1")])
    seen = Seen(monkeypatch, sampler=Stating(state))
    before = len(provider.states)
    own = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    body = {"model": "mine/m", "prompt": "Hi", "options": {"traceparent": own}}
    with liter_llm.Client(provider.config()) as client:
        client.chat("Hi", model="mine/m")
        client.chat("Hi", model="mine/m", traceparent=own)
        client.chat(json.dumps(body).encode())
    assert provider.states[before:] == ["theirs=1", None, None]
    assert len(seen.spans()) == 3


def test_nobody_listens(provider):
    before = len(provider.parents)
    with liter_llm.Client(provider.config()) as client:
        answer = client.chat("Hi", model="mine/m")
    assert provider.parents[before:] == [None]
    assert "trace" not in answer["liter"]


def test_the_api_is_not_imported():
    code = "import liter_llm, sys; liter_llm.Client({}); print('opentelemetry' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "False"


def test_spans_and_metrics_can_be_switched_off(seen, provider):
    liter_llm.telemetry(spans=False)
    try:
        with liter_llm.Client(provider.config()) as client:
            client.chat("Hi", model="mine/m")
        assert seen.spans() == []
    finally:
        liter_llm.telemetry()
    with pytest.raises(ValueError, match="attempt_spans"):
        liter_llm.telemetry(attempt_spans="sometimes")


def test_a_forked_child_ends_no_span_of_its_parent(seen, simulator):
    with liter_llm.Client(simulator.config("chunks=50,delay_ms=20")) as client:
        stream = client.stream("Hi")
        next(stream)
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                stream._traced.cancelled()
                os.write(write, str(len(seen.spans())).encode())
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        assert os.read(read, 10) == b"0"
        stream.close()
    assert len(seen.spans()) == 1


def test_meters(monkeypatch, provider):
    reader = InMemoryMetricReader()
    meters = MeterProvider([reader])
    monkeypatch.setattr(metrics._internal, "_METER_PROVIDER", meters)
    with liter_llm.Client(provider.config()) as client:
        for _ in range(3):
            client.chat("Hi", model="mine/m")
    data = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    points = {metric.name: metric.data.data_points[0] for metric in data}
    assert points["gen_ai.client.inference.duration"].count == 3
    assert points["gen_ai.client.inference.usage.input_tokens"].value == 9
    labels = points["gen_ai.client.inference.duration"].attributes
    assert labels["gen_ai.request.model"] == "m"
    assert set(labels) <= set(TABLE["metric_labels"])


@pytest.mark.parametrize("where", ["on_start", "on_end"])
def test_a_processor_that_raises_fails_no_call(seen, simulator, where):
    seen.provider.add_span_processor(Broken(where))
    with liter_llm.Client(simulator.config()) as client:
        assert client.chat("Hi").text
        assert client.stream("Hi").text()
        assert client.generate_multi("Hi", ["openai/gpt-5-mini"]).results
    with (
        liter_llm.Client(simulator.case("bad_key")) as client,
        pytest.raises(liter_llm.AuthenticationError),
    ):
        client.chat("Hi")

    async def main():
        async with liter_llm.AsyncClient(simulator.config()) as client:
            assert (await client.chat("Hi")).text
            assert await client.stream("Hi").text()

    asyncio.run(main())
    assert len(seen.spans()) == (0 if where == "on_start" else 6)


def test_a_meter_that_raises_leaves_no_span_open(monkeypatch, seen, provider):
    def broken(*_):
        raise ZeroDivisionError

    meters = MeterProvider([InMemoryMetricReader()])
    monkeypatch.setattr(metrics._internal, "_METER_PROVIDER", meters)
    row = TABLE["metrics"][0]
    monkeypatch.setattr(liter_llm._telemetry, "_instruments", lambda _: [(row, broken)])
    with liter_llm.Client(provider.config()) as client:
        assert client.chat("Hi", model="mine/m").text == "ok"
    (span,) = seen.spans()
    assert span.attributes["gen_ai.usage.input_tokens"] == 3


@pytest.mark.parametrize(
    "begin",
    [
        "import opentelemetry.trace",
        "import types; sys.modules['opentelemetry.trace'] = types.ModuleType('half')",
    ],
    ids=["gone", "half"],
)
def test_an_api_without_a_provider_fails_no_call(provider, begin):
    code = f"""if True:
        import asyncio, sys
        {begin}
        import opentelemetry.metrics
        import liter_llm
        async def main():
            async with liter_llm.AsyncClient({provider.config()!r}) as client:
                for _ in range(2):
                    print((await client.chat("Hi", model="mine/m")).text)
        asyncio.run(main())
    """
    gone = {"OTEL_PYTHON_TRACER_PROVIDER": "gone", "OTEL_PYTHON_METER_PROVIDER": "gone"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **gone},
    )
    assert done.stdout.split() == ["ok", "ok"]
    assert done.stderr.count("Traceback (most recent call last)") <= 2  # it is asked once


def test_what_asks_no_provider_has_no_span(seen, provider):
    budgets = {"all": {"usd": "1", "window": "total"}}
    with liter_llm.Client(provider.config(cache={}, budgets=budgets)) as client:
        client.budget("all")
        client.purge_cache("ann")

    async def main():
        async with liter_llm.AsyncClient(provider.config(cache={}, budgets=budgets)) as client:
            await client.budget("all")
            await client.purge_cache("ann")

    asyncio.run(main())
    assert seen.spans() == []


def test_a_stream_that_does_not_begin_has_failed(seen, provider):
    client = liter_llm.Client(provider.config())
    client.close()
    with pytest.raises(liter_llm.LiterLLMError) as refused:
        client.stream("Hi", model="mine/m")

    async def main():
        other = liter_llm.AsyncClient(provider.config())
        await other.close()
        with pytest.raises(liter_llm.LiterLLMError):
            other.stream("Hi", model="mine/m")
        return other

    other = asyncio.run(main())
    with pytest.raises(RuntimeError, match="needs a running event loop"):
        other.stream("Hi", model="mine/m")
    kinds = [span.attributes["error.type"] for span in seen.spans()]
    assert kinds == [refused.value.kind, refused.value.kind, "RuntimeError"]


def test_a_coroutine_that_is_closed_ends_its_span_later(seen, provider):
    async def main():
        async with liter_llm.AsyncClient(provider.config()) as client:
            call = client.chat("Hi", model="mine/m")
            call.send(None)
            call.close()
            assert seen.spans() == []
            await client.chat("Hi", model="mine/m")

    asyncio.run(main())
    kinds = [span.attributes.get("error.type") for span in seen.spans()]
    assert kinds == ["cancelled", None]


def test_a_call_left_at_the_end_of_the_process_ends(provider):
    code = f"""if True:
        import liter_llm
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
        trace.set_tracer_provider(TracerProvider())
        trace.get_tracer_provider().add_span_processor(BatchSpanProcessor(ConsoleSpanExporter()))
        client = liter_llm.Client({provider.config()!r})
        client.stream("Hi", model="mine/m")
    """
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert '"error.type": "cancelled"' in done.stdout

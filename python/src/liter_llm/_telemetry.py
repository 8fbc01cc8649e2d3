"""Spans and meters of calls, through the host's own OpenTelemetry, if it is set up.

Nothing is imported for the caller: whoever has set OpenTelemetry up has imported its API. A call
that nobody looks at costs a look into `sys.modules`. The table of names is that of all languages.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections import deque

from . import _json
from ._errors import LiterLLMError
from ._facts import at, attributes, span_name, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Literal

    from typing_extensions import Self

PARSED = 1 << 20
"""The longest request that is parsed for a span's name at its begin. The end has the right one."""

NOBODY = frozenset(
    {
        "ProxyTracerProvider",
        "NoOpTracerProvider",
        "_ProxyMeterProvider",
        "NoOpMeterProvider",
        "_Failed",
    }
)
"""Providers that stand in until a real one is set."""


class _Settings:
    spans = True
    metrics = True
    attempt_spans = "auto"
    tracer: tuple[Any, Any] = (None, None)
    meter: tuple[Any, Any] = (None, None)


def telemetry(
    *,
    spans: bool = True,
    metrics: bool = True,
    attempt_spans: Literal["auto", "always", "never"] = "auto",
) -> None:
    """What this process's calls tell its OpenTelemetry. Without a call of this it is all.

    `attempt_spans="auto"` gives the attempts of a call spans of their own where there were several.
    """
    if attempt_spans not in ("auto", "always", "never"):
        raise ValueError(f"attempt_spans is 'auto', 'always' or 'never', not {attempt_spans!r}")
    _Settings.spans, _Settings.metrics = spans, metrics
    _Settings.attempt_spans = attempt_spans


class _Quiet:
    """As contextlib's `suppress(Exception)`, which takes 3 ms to import."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, Exception)


quiet = _Quiet()

_left: deque[tuple[Traced, int]] = deque()
"""Calls that the garbage collector found, and when. It may run inside a lock of the SDK."""


def begin(request: bytes, options: bytes) -> Traced | None:
    """The span of a call that is sent now, as a child of the current one. None: nobody looks.

    Whatever the SDK raises, the call goes on, here and below.
    """
    modules = sys.modules
    api, meters = modules.get("opentelemetry.trace"), modules.get("opentelemetry.metrics")
    if api is None and meters is None:
        return None
    end_left()
    tracer = instruments = None
    try:
        if _Settings.spans and hasattr(api, "get_tracer_provider"):  # it may be half imported
            tracer = _tracer(api)
    except Exception:  # it is not asked again until a provider is set
        _Settings.tracer = (_Failed(), None)
    try:
        if _Settings.metrics and hasattr(meters, "get_meter_provider"):
            instruments = _instruments(meters)
    except Exception:
        _Settings.meter = (_Failed(), None)
    if tracer is None and instruments is None:
        return None
    return Traced(api, tracer, instruments, request, options)


def end_left() -> None:
    """Ends the spans of calls that the garbage collector found."""
    while _left:
        try:
            traced, when = _left.popleft()
        except IndexError:  # another thread has just taken it
            return
        traced.cancelled(when)


class _Failed:
    """Stands for a provider that could not be had."""


def _tracer(api: Any) -> Any:
    known, tracer = _Settings.tracer
    provider = _set(api, "_TRACER_PROVIDER", api.get_tracer_provider, known)
    if provider is not known:
        from . import __version__

        is_one = type(provider).__name__ not in NOBODY
        tracer = provider.get_tracer("liter_llm", __version__) if is_one else None
        # At the end of the process it comes before the end of this provider.
        atexit.unregister(end_left)
        atexit.register(end_left)
        _Settings.tracer = (provider, tracer)
    return tracer


def _set(module: Any, name: str, get: Any, known: Any) -> Any:
    """The provider that is set, or what stands in for one.

    The API's function reads the environment each time while none is set, so it is asked only at
    first, and where the API does not have this name.
    """
    provider = getattr(module, name, module)
    if provider is None and type(known).__name__ in NOBODY:
        return known
    return get() if provider is None or provider is module else provider


def _instruments(api: Any) -> Any:
    known, instruments = _Settings.meter
    inside = getattr(api, "_internal", api)
    provider = _set(inside, "_METER_PROVIDER", api.get_meter_provider, known)
    if provider is not known:
        is_one = type(provider).__name__ not in NOBODY
        instruments = _make_instruments(provider) if is_one else None
        _Settings.meter = (provider, instruments)
    return instruments


def _make_instruments(provider: Any) -> list[tuple[dict[str, Any], Any]]:
    from . import __version__
    from ._semconv import TABLE

    meter = provider.get_meter("liter_llm", __version__)
    made: list[tuple[dict[str, Any], Any]] = []
    for row in TABLE["metrics"]:
        if row["kind"] == "counter":
            made.append((row, meter.create_counter(row["name"], unit=row["unit"]).add))
            continue
        more = {"explicit_bucket_boundaries_advisory": TABLE["seconds"]}
        try:
            histogram = meter.create_histogram(row["name"], unit=row["unit"], **more)
        except TypeError:  # an older API
            histogram = meter.create_histogram(row["name"], unit=row["unit"])
        made.append((row, histogram.record))
    return made


class Traced:
    """The span of one call, and what its meters get. A context manager that ends with a failure.

    A call that nobody waits for any more ends soon after this is collected.
    """

    __slots__ = ("_api", "_instruments", "_open", "_pid", "_span", "_tracer", "options")

    def __init__(
        self, api: Any, tracer: Any, instruments: Any, request: bytes, options: bytes
    ) -> None:
        self._api, self._tracer, self._instruments = api, tracer, instruments
        self._span: Any = None
        self._pid = os.getpid()
        self._open = True
        more: dict[str, Any] = {}
        if tracer is not None:
            with quiet:
                self._start(request, more)
        if self._span is not None or instruments is not None:
            more["telemetry"] = True
        if _says_parent(request, options):
            more.pop("traceparent", None)
            more.pop("tracestate", None)
        # Of members with one name the last counts: what the caller says.
        rest = options[1:] if options[:1] == b"{" else b"}"
        begin = _json.dumps(more)[:-1]
        comma = b"," if more and rest.strip() != b"}" else b""
        self.options = begin + comma + rest

    def _start(self, request: bytes, more: dict[str, Any]) -> None:
        name, attributes = _at_first(request)
        kind = self._api.SpanKind.CLIENT
        span = self._tracer.start_span(name, kind=kind, attributes=attributes)
        self._span = span  # it ends, whatever comes now
        context = span.get_span_context()
        if context.is_valid:
            state = context.trace_state.to_header()
            more["traceparent"] = (
                f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
            )
            if state:
                more["tracestate"] = state
        if not span.is_recording():
            self._span = None

    def answered(self, document: Any) -> None:
        """The call has this answer."""
        liter: Any = document.get("liter") or {}
        self._end({"answer": document, "trace": liter.get("trace")}, liter.get("attempts"))

    def failed(self, error: BaseException) -> None:
        """The call has failed."""
        if isinstance(error, LiterLLMError):
            inner = error.document["error"]
            self._end({"error": inner, "trace": inner.get("trace")}, inner.get("attempts"))
        else:
            is_cancel = isinstance(error, (GeneratorExit, KeyboardInterrupt))
            name = type(error).__name__
            kind = "cancelled" if is_cancel or name == "CancelledError" else name
            self._end({"error": {"kind": kind}}, None)

    def cancelled(self, when: int | None = None) -> None:
        """The caller wants no more of it since `when`, unless it has ended."""
        self._end({"error": {"kind": "cancelled"}}, None, when)

    def left(self) -> None:
        """The garbage collector found the call: its span ends later, outside of it."""
        if self._open:
            _left.append((self, time.time_ns()))

    def _end(self, facts: dict[str, Any], attempts: Any, when: int | None = None) -> None:
        if not self._open:
            return
        self._open = False
        if self._pid != os.getpid():  # a forked child ends no span of its parent
            return
        found: dict[str, Any] = {}
        trace: Any = facts.get("trace") or {}
        try:
            with quiet:
                from ._semconv import TABLE

                found = attributes(TABLE["attributes"], facts)
                if self._instruments is not None:
                    self._measure(TABLE, facts, found)
            if self._span is not None:
                with quiet:
                    self._tell(found, trace, attempts or ())
        finally:
            if self._span is not None:
                with quiet:
                    if trace:
                        when = trace["start_unix_ns"] + int(trace["total_ms"] * 1e6)
                    self._span.end(when)
        end_left()

    def _tell(self, found: dict[str, Any], trace: Any, attempts: Any) -> None:
        from ._semconv import TABLE

        span = self._span
        if trace:
            span.update_name(span_name(found))
        span.set_attributes(found)
        if "error.type" in found:
            span.set_status(self._api.StatusCode.ERROR)
        wanted = _Settings.attempt_spans
        several = len(trace.get("attempts") or ()) > 1
        if wanted == "always" or (wanted == "auto" and several):
            self._children(TABLE, trace, attempts)

    def _children(self, table: Any, trace: Any, attempts: Any) -> None:
        context = self._api.set_span_in_context(self._span)
        began = trace["start_unix_ns"]
        for number, (times, attempt) in enumerate(
            zip(trace.get("attempts") or (), attempts, strict=False)
        ):
            found = attributes(table["attempt"], {"times": times, "attempt": attempt})
            found["http.request.method"] = "POST"
            if number > 0:
                found["http.request.resend_count"] = number
            child = self._tracer.start_span(
                "POST",
                context=context,
                kind=self._api.SpanKind.CLIENT,
                start_time=began + int(times["start_ms"] * 1e6),
                attributes=found,
            )
            if "error.type" in found:
                child.set_status(self._api.StatusCode.ERROR)
            child.end(began + int(times["end_ms"] * 1e6))

    def _measure(self, table: Any, facts: dict[str, Any], found: dict[str, Any]) -> None:
        labels = {name: found[name] for name in table["metric_labels"] if name in found}
        hit = "liter_llm.cache" in found
        for row, record in self._instruments:
            value = written(row["as"], at(facts, row["from"]))
            # What is answered from the cache has used nothing.
            if value is not None and not (hit and row["kind"] == "counter"):
                record(value, labels)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _: type[BaseException] | None,
        error: BaseException | None,
        __: TracebackType | None,
    ) -> None:
        if isinstance(error, GeneratorExit):  # the collector may close a coroutine
            self.left()
        elif error is not None:
            self.failed(error)

    def __del__(self, finalizing: Any = sys.is_finalizing) -> None:
        if not finalizing() and getattr(self, "_open", False):
            self.left()


def _at_first(request: bytes) -> tuple[str, dict[str, Any]]:
    """The name of a span that begins, and what samplers see of it: what the request says."""
    from ._semconv import TABLE

    document = _parsed(request)
    found: dict[str, Any] = {}
    operation: Any = document.get("op") or "chat"
    operation = (
        TABLE["operations"].get(operation, operation) if isinstance(operation, str) else "chat"
    )
    found["gen_ai.operation.name"] = operation
    model: Any = document.get("model")
    if isinstance(model, str) and model:
        provider, slash, rest = model.partition("/")
        if slash:
            found["gen_ai.provider.name"] = TABLE["providers"].get(provider, provider)
        found["gen_ai.request.model"] = rest or model
    return span_name(found), found


def _says_parent(request: bytes, options: bytes) -> bool:
    """Whether the caller gives a trace context. Then ours goes out in no part."""
    if b'"traceparent"' in options:
        return True
    if b'"traceparent"' not in request:  # most are not parsed for it
        return False
    own: Any = _parsed(request, len(request)).get("options")
    return isinstance(own, dict) and "traceparent" in own


def _parsed(request: bytes, longest: int = PARSED) -> dict[str, Any]:
    """The members of a request. What is wrong with one, the engine says."""
    if len(request) > longest:
        return {}
    try:
        document: Any = _json.loads(bytearray(request))
    except Exception:
        return {}
    return document if isinstance(document, dict) else {}  # pyright: ignore[reportUnknownVariableType]

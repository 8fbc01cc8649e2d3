"""The synchronous client: `Client`, its `Stream`, and the short forms `invoke` and `generate`.

The calling thread waits in the engine, in slices, so that Ctrl-C works. Only a `close` with a grace
starts another thread. Any number of threads may use a client at once.
"""

from __future__ import annotations

import os
from collections import deque

from . import _json
from ._errors import Led, counted, from_document
from ._models import (
    BudgetState,
    CachePurged,
    Chunk,
    CountTokensResponse,
    EmbedResponse,
    ModelsResponse,
    ModerateResponse,
    RerankResponse,
    Response,
)
from ._multi import MultiResponse
from ._native import NativeClient, environment
from ._queue import (
    CHUNK,
    ERROR,
    INLINE,
    RESULT,
    SINGLE,
    SLICE_MS,
    STREAM,
    Queue,
    SecondReaderError,
    call,
)
from ._request import (
    Defaults,
    check_stream,
    check_whole,
    config_document,
    purging,
    reading,
    wants_stream,
    with_operation,
    with_settings,
)
from ._telemetry import begin
from ._warnings import once, say, waits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any, Literal, overload

    from typing_extensions import Self, Unpack

    from ._queue import Event
    from ._telemetry import Traced
    from ._types import (
        ChatRequest,
        Config,
        EmbedMembers,
        Members,
        Message,
        ModelsMembers,
        ModerateMembers,
        Options,
        RerankMembers,
    )

    Messages = Sequence[Message | Mapping[str, Any]]
    Request = str | Messages | ChatRequest | Mapping[str, Any] | bytes
else:

    def overload(function: Any) -> Any:
        """Stands for typing's, which takes 30 ms to import."""
        return function


class BaseClient:
    """The part that both clients share: the engine's client and the default options."""

    def __init__(
        self,
        config: Config | Mapping[str, Any] | str | bytes | os.PathLike[str] | None = None,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        **options: Unpack[Options],
    ) -> None:
        given: dict[str, Any] = {"api_key": api_key, "base_url": base_url}
        settings = {name: value for name, value in given.items() if value is not None}
        defaults: dict[str, Any] = {**options}
        if settings and defaults.get("headers") is not None:
            # They may have what only that server may see, and options go to every provider.
            settings["headers"] = defaults.pop("headers")
        self._defaults = Defaults(defaults)
        document = config_document(config)
        if settings:
            variables = environment()
            document = with_settings(document, variables, defaults.get("provider"), settings)
            self._native = NativeClient(document, variables)
        else:
            self._native = NativeClient(document)

    def with_options(self, **options: Unpack[Options]) -> Self:
        """A view of this client with further default options.

        It shares connections and limits. Closing one of the two closes both.
        """
        view = self.__copy__()
        view._defaults = Defaults({**self._defaults.options, **options}, "with_options")
        return view

    def _many(
        self,
        request: Request | None,
        targets: Sequence[str],
        first: int,
        options: Options | None,
        members: dict[str, Any],
    ) -> tuple[bytes, bytes]:
        """The documents of a request to several targets."""
        if isinstance(targets, str):
            raise TypeError("targets is a list of 'provider/model', not one str")
        check_whole(request, "fan-outs wait")
        members["fanout"] = {"targets": list(targets), "first": first}
        # The client's fallback stands in for a target that fails. A fan-out gives its targets
        # itself.
        own = {name: value for name, value in self._defaults.options.items() if name != "fallback"}
        return Defaults(own).documents(request, options, members, "generate_multi")

    def _documents(
        self, op: str, options: Options | None, members: Mapping[str, Any]
    ) -> tuple[bytes, bytes]:
        """The documents of an operation that only has members."""
        return self._defaults.documents({"op": op}, options, {**members}, op, op)

    def _counted(
        self, request: Request | None, options: Options | None, members: dict[str, Any]
    ) -> tuple[bytes, bytes]:
        """The documents of a chat request whose tokens are to be counted."""
        body, chosen = self._defaults.documents(request, options, members, "count_tokens")
        return with_operation(body, "count_tokens"), chosen

    def _read(self, payload: bytearray, request: bytes) -> Any:
        """The document of a whole answer, whose warnings are said."""
        document = _json.loads(payload)
        if document.get("warnings"):
            say(self._native.said, document["warnings"], type(request) is Led)
        return document

    def _several(self, document: Any, request: bytes) -> MultiResponse:
        """The result of a request to several targets, whose warnings are said."""
        for answer in document["results"]:
            say(self._native.said, answer.get("warnings") or (), type(request) is Led)
        return MultiResponse(document)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._native.closed

    def _metrics(self, format: str) -> Any:  # noqa: A002
        if format not in ("json", "prometheus"):
            raise ValueError(f"format is 'json' or 'prometheus', not {format!r}")
        document = self._native.metrics(format)
        return _json.loads(document) if format == "json" else document.decode()

    def __copy__(self) -> Self:
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        return view

    def __reduce__(self) -> Any:
        raise TypeError(
            f"{type(self).__name__} cannot be pickled or copied deeply: it holds connections. "
            "Make one where it is needed, as in each worker process"
        )

    def __repr__(self) -> str:
        native = getattr(self, "_native", None)  # a traceback shows clients whose init failed
        state = "not made" if native is None else "closed" if native.closed else "open"
        return f"<liter_llm.{type(self).__name__} {state}>"


class Client(BaseClient):
    """A client: providers, connection pools, limits. Make few and keep them long.

    `config` is the configuration: a dict, JSON text, the path of a file (`pathlib.Path`), or None
    for the environment (LITER_LLM_CONFIG, LITER_LLM_PROVIDER, LITER_LLM_MODEL, OPENAI_API_KEY …).
    `options` are defaults for every request, such as `provider="openai"` or `timeout_ms=30_000`.
    `api_key` and `base_url` are settings of the client's own provider: `provider=`, or the
    configuration's default. `headers` beside one of the two are that provider's too, and no other
    provider gets them, also none of `fallback=`. Without the two they are an option, and go to each
    provider that a request asks.

        with liter_llm.Client(provider="openai") as client:
            print(client.chat("Hello", model="gpt-4.1-mini").text)
    """

    @overload
    def chat(
        self,
        request: Request | None = None,
        /,
        *,
        stream: Literal[False] | None = None,
        options: Options | None = None,
        **members: Unpack[Members],
    ) -> Response: ...
    @overload
    def chat(  # noqa: F811
        self,
        request: Request | None = None,
        /,
        *,
        stream: Literal[True],
        options: Options | None = None,
        **members: Unpack[Members],
    ) -> Stream: ...
    @overload
    def chat(  # noqa: F811
        self,
        request: Request | None = None,
        /,
        *,
        stream: bool | None,
        options: Options | None = None,
        **members: Unpack[Members],
    ) -> Response | Stream: ...
    def chat(  # noqa: F811
        self,
        request: Request | None = None,
        /,
        *,
        stream: bool | None = None,
        options: Options | None = None,
        **members: Unpack[Members],
    ) -> Response | Stream:
        """Asks and waits for the whole answer.

        `request` is a prompt (str), messages (list), a whole request (dict), or one as JSON
        (bytes, passed on as they are). Keyword arguments are members of the request
        (`model=`, `max_tokens=`, `system=`) or options (`provider=`, `timeout_ms=`). An argument
        of another name is a TypeError; an unknown member of a dict is a warning.
        With `stream=True` it gives a Stream at once, as `stream` does. In bytes that is an error.

        Raises a LiterLLMError, by kind: BadRequestError, RateLimitError, APITimeoutError …
        """
        if wants_stream(request, stream):
            waits(self._native.said)
            return Stream(self._native, *self._defaults.documents(request, options, {**members}))
        return Response(self._ask(self._defaults.documents(request, options, {**members})))

    def embed(
        self,
        input: str | Sequence[str] | Sequence[Any],  # noqa: A002
        *,
        options: Options | None = None,
        **members: Unpack[EmbedMembers],
    ) -> EmbedResponse:
        """Turns texts into vectors, one for each input.

        `input` is a text, or a list. An item of a list is a text, a list of tokens, or a list of
        parts (`text`, `image_url`) that get one vector together. A list that is longer than the
        provider takes goes out in several requests at once, and comes back as one answer.

            answer = client.embed(["Hello", "world"], model="openai/text-embedding-3-small")
            answer.vectors()[0]  # a memoryview of floats; numpy.asarray takes it without a copy

        Raises a LiterLLMError. If one of several requests fails, its `partial.inputs` says which
        inputs were done.
        """
        asked = {"input": input, **members}
        return EmbedResponse(self._ask(self._documents("embed", options, asked)))

    def models(
        self,
        name: str | None = None,
        /,
        *,
        options: Options | None = None,
        **members: Unpack[ModelsMembers],
    ) -> ModelsResponse:
        """Lists the models of a provider: all of them, or the one that `model=` names.

        `name` is the provider's name, also as `provider=`. None is the client's, or the default
        provider.

            [model.id for model in client.models("openai").data]
        """
        if name is not None:
            members["provider"] = name
        return ModelsResponse(self._ask(self._documents("models", options, members)))

    def moderate(
        self,
        input: str | Sequence[str] | Sequence[Mapping[str, Any]],  # noqa: A002
        *,
        options: Options | None = None,
        **members: Unpack[ModerateMembers],
    ) -> ModerateResponse:
        """Asks whether texts or images break a provider's rules. Each input gets a verdict.

        `input` is a text, a list of texts, or a list of parts (`text`, `image_url`). The parts of a
        list are judged together.

            client.moderate("Hello", provider="openai").results[0].flagged
        """
        asked = {"input": input, **members}
        return ModerateResponse(self._ask(self._documents("moderate", options, asked)))

    def purge_cache(self, tenant: str) -> CachePurged:
        """Forgets the stored answers of a tenant: from now on nobody gets one of them.

        `tenant` is what calls give as `tenant=`; "" is that of calls without one. A client without
        a cache raises an UnsupportedError.

            client.purge_cache("customer-7").removed.memory  # how many there were
        """
        return CachePurged(self._ask(purging(tenant), asks=False))

    def budget(self, name: str, value: str = "") -> BudgetState:
        """Reads what was spent of a budget of the configuration.

        `value` is that of the budget's `per`; "" is that of calls without one.

            client.budget("users", "ann").left_usd
        """
        return BudgetState(self._ask(reading(name, value), asks=False))

    def count_tokens(
        self,
        request: Request | None = None,
        /,
        *,
        options: Options | None = None,
        **members: Unpack[Members],
    ) -> CountTokensResponse:
        """Counts the tokens that a chat would read. Takes what `chat` takes, but no `stream=True`.

        The provider counts them: Anthropic, OpenAI, Gemini, Vertex, Bedrock, and Cohere for a text.
        Elsewhere it is an UnsupportedError, never an estimate.

            client.count_tokens("Hello", model="anthropic/claude-haiku-4-5").input_tokens
        """
        return CountTokensResponse(self._ask(self._counted(request, options, {**members})))

    def rerank(
        self,
        query: str,
        documents: Sequence[str],
        *,
        options: Options | None = None,
        **members: Unpack[RerankMembers],
    ) -> RerankResponse:
        """Orders documents by how well they answer a query, the best one first.

        best = client.rerank("Where is Paris?", documents, model="cohere/rerank-v3.5").results[0]
        documents[best.index], best.relevance_score
        """
        asked = {"query": query, "documents": documents, **members}
        return RerankResponse(self._ask(self._documents("rerank", options, asked)))

    def _ask(self, documents: tuple[bytes, bytes], asks: bool = True) -> Any:
        """Sends a request and waits for its one answer. `asks`: a provider is asked."""
        waits(self._native.said)
        request, options = documents
        traced = begin(request, options) if asks else None
        if traced is None:
            return self._read(call(self._native, INLINE | SINGLE, request, options), request)
        with traced:
            answer = call(self._native, INLINE | SINGLE, request, traced.options)
            document = self._read(answer, request)
            traced.answered(document)
            return document

    def generate_multi(
        self,
        request: Request | None,
        /,
        targets: Sequence[str],
        first: int = 1,
        *,
        options: Options | None = None,
        **members: Unpack[Members],
    ) -> MultiResponse:
        """Asks several targets at once, and waits for the `first` fastest answers.

        `targets` are `provider/model`, or the name of a provider or a route. Calls beyond the first
        fastest are cancelled. All else is as in `chat`. A target that fails does not raise: its
        error is in `failures`. If no target answers, the first failure is raised, with the
        `attempts` of all targets.

            client.generate_multi("Hello", ["openai/gpt-4.1-mini", "cohere/command-a-03-2025"])
        """
        documents = self._many(request, targets, first, options, {**members})
        waits(self._native.said)
        body, chosen = documents
        if (traced := begin(body, chosen)) is None:
            return self._several(_json.loads(call(self._native, INLINE, body, chosen)), body)
        with traced:
            document = _json.loads(call(self._native, INLINE, body, traced.options))
            traced.answered(document["results"][0])
            return self._several(document, body)

    def stream(
        self,
        request: Request | None = None,
        /,
        *,
        options: Options | None = None,
        **members: Unpack[Members],
    ) -> Stream:
        """Asks, and gives the answer as it arrives. Takes what `chat` takes.

        with client.stream("Tell me a story", model="openai/gpt-4.1-mini") as stream:
            for chunk in stream:
                print(chunk.text, end="")
        print(stream.response.usage)

        With `on_break="restart"` a chunk may be a `reset`, which makes all text before it void.
        """
        check_stream(request)
        documents = self._defaults.documents(request, options, {**members}, "stream")
        waits(self._native.said)
        return Stream(self._native, *documents)

    def metrics(self, format: str = "json") -> Any:  # noqa: A002
        """Returns the counters: a dict ("json"), or Prometheus' text format ("prometheus")."""
        return self._metrics(format)

    def close(self, grace: float = 0.0) -> None:
        """Takes no more requests, waits `grace` seconds for those in flight, cancels the rest."""
        if grace > 0:
            self._native.close_interruptibly(grace)
        else:
            self._native.close(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


ANSWERS = frozenset({"choices", "usage", "warnings", "liter", "id", "provider", "model"})
"""Members of a whole answer, which a stream has only at its end."""


class StreamState:
    """The part that both streams share: the documents of the last batch, and the end."""

    _native: NativeClient

    def __init__(self, request: bytes, options: bytes) -> None:
        self._documents: Iterator[Any] = iter(())
        self._traced: Traced | None = begin(request, options)
        self._options = options if self._traced is None else self._traced.options
        self._led = type(request) is Led
        self._response: Response | None = None
        self._shown = False  # the caller has a chunk

    @property
    def response(self) -> Response:
        """The whole answer with usage, once the stream has ended. Before that, a RuntimeError."""
        if self._response is None:
            raise RuntimeError("the stream has not ended: iterate it to its end, or call text()")
        return self._response

    def _take(self, kind: int, payload: bytearray) -> bool:
        """Takes an event. Returns True after the last one, and raises an error."""
        if kind == CHUNK:
            # Chunks are parsed when they are asked for. A reader that leaves early pays only for
            # what it saw.
            self._documents = _json.lines(payload)
        elif kind == RESULT:
            self._response = Response(document := _json.loads(payload))
            if self._traced is not None:
                self._traced.answered(document)
            return True
        elif kind == ERROR:
            error = counted(from_document(_json.loads(payload)), self._led)
            if self._traced is not None:
                self._traced.failed(error)
            raise error
        return False

    def _refused(self, error: BaseException) -> None:
        """The stream could not begin."""
        if self._traced is not None:
            self._traced.failed(error)

    def _given_up(self) -> None:
        """Nobody reads on. The span of a stream that has ended stays as it is."""
        if self._traced is not None:
            self._traced.cancelled()

    def _say(self) -> None:
        """Says the whole answer's warnings, when the stream has ended in good order."""
        if self._response is not None and self._response.get("warnings"):
            say(self._native.said, self._response["warnings"], self._led)

    def _begin(self) -> None:
        """Somebody begins to iterate."""
        if self._response is not None and self._shown:
            text = "a stream is read once: keep its chunks, or use stream.response"
            once(self._native.said, text)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            kind = type(self).__name__
            if name in ANSWERS:
                each = "async for" if kind == "AsyncStream" else "for"
                raise AttributeError(
                    f"{kind!r} object has no attribute {name!r}: it is a stream, so read it with "
                    f"`{each} chunk in stream`; stream.response is the whole answer after its end",
                    name=name,
                    obj=self,
                )
            raise AttributeError(f"{kind!r} object has no attribute {name!r}", name=name, obj=self)

    def __reduce__(self) -> Any:
        raise TypeError(f"{type(self).__name__} cannot be pickled or copied: it is being received")


class Stream(StreamState):
    """An answer as it arrives: an iterator of Chunk, and a context manager that cancels the rest.

    Several threads may iterate it, but only one at a time. Without a reader, the engine reads no
    more than 256 KiB ahead.
    """

    def __init__(self, native: NativeClient, request: bytes, options: bytes) -> None:
        super().__init__(request, options)
        self._native = native
        self._events: deque[Event] = deque()
        try:
            self._queue: Queue | None = Queue()
            self._token = self._queue.next_token()
            self._queue.submit(native, self._token, STREAM, request, self._options)
        except BaseException as error:
            self._refused(error)
            raise

    def __iter__(self) -> Iterator[Chunk]:
        self._begin()
        return self

    def __next__(self) -> Chunk:
        while True:
            for document in self._documents:
                self._shown = True
                return Chunk(document)
            if not self._read():
                raise StopIteration

    def _read(self) -> bool:
        """Takes the next event. Returns False at the end, or after another thread's close."""
        events = self._events
        try:
            while (queue := self._queue) is not None:
                if not events:
                    events.extend(queue.read(SLICE_MS))
                    continue
                _, kind, payload = events.popleft()
                if self._take(kind, payload):
                    self._queue = None
                    self._say()
                return True
        except SecondReaderError:  # the first one goes on
            raise
        except IndexError:  # a second reader has just taken it
            return True
        except BaseException:  # an error document, Ctrl-C
            self.close()
            raise
        return False

    def text(self) -> str:
        """Reads to the end: the first choice's whole text.

        Where no chunk was read before, an answer that breaks begins anew; `on_break="error"` is
        for the error.
        """
        queue = self._queue
        if queue is not None and not self._shown:
            queue.collect(self._token)
        while self._read():
            pass
        self._documents = iter(())
        return self.response.text

    def close(self) -> None:
        """Cancels the rest of the answer: its connection is closed, and iteration ends."""
        queue, self._queue = self._queue, None
        self._documents = iter(())
        self._events = deque()  # another thread may hold the old one
        if queue is not None:
            queue.cancel(self._token)
            self._given_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_default: Client | None = None


def _after_fork_in_child() -> None:
    global _default
    _default = None


os.register_at_fork(after_in_child=_after_fork_in_child)


def default_client() -> Client:
    """The process's own client. It is made from the environment at the first use."""
    global _default
    if _default is None:
        _default = Client()
    return _default


def invoke(provider: str | None, request: Mapping[str, Any] | str | bytes) -> Response:
    """Sends one request, on a client that the first call makes from the environment.

    `provider` is a name of the configuration ("openai"). None or "" routes by the request's model.
    `request` is a dict, or JSON (str or bytes, passed on as they are).

        liter_llm.invoke("openai", {"model": "gpt-4.1-mini", "prompt": "Hello"}).text
    """
    client = default_client()
    if isinstance(request, str):
        request = _json.encode_text(request, "request")
    check_whole(request, "invoke waits")
    options: Options | None = {"provider": provider} if provider else None
    return client.chat(request, stream=False, options=options)


def generate(request: str | None = None, /, **members: Unpack[Members]) -> str:
    """One prompt, one text. Keyword arguments are those of `Client.chat`.

    Provider and model default to the environment's LITER_LLM_PROVIDER and LITER_LLM_MODEL.
    """
    client = default_client()
    documents = client._defaults.documents(request, None, {**members}, "generate")
    return Response(client._ask(documents)).text

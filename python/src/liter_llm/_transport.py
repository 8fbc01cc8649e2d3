"""The transports of `liter_llm.httpx` and `.httpx2`, all but their base classes.

A request goes to the engine as a document of `op: "http"` and comes back as a head and bytes. No
byte of it is changed. Each transport makes a client of the engine for each origin at its first
request, unless the user gave a client.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from math import ceil

from . import _json
from ._async import AsyncStream
from ._client import Stream
from ._errors import CancelledError, LiterLLMError, UnsupportedError
from ._native import NativeClient

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from typing import Any, ClassVar

    from ._client import BaseClient

PROVIDER = "origin"
"""The one provider of a client that a transport makes."""

NEVER_MS = 24 * 60 * 60 * 1000
"""The limit in place of httpx's "no limit". It is longer than any wait."""

EXCEPTIONS = {
    "invalid_request": "LocalProtocolError",
    "unsupported": "UnsupportedProtocol",
    "not_found": "UnsupportedProtocol",
    "rate_limit": "PoolTimeout",
    "bad_response": "RemoteProtocolError",
    "stream_broken": "RemoteProtocolError",
    "cancelled": "ReadError",
}
"""The exceptions of httpx for the kinds of errors that need no further detail."""


def exception(error: LiterLLMError) -> str | None:
    """The name of httpx's exception for an error of the engine. None is a bug of the library."""
    if error.kind == "timeout":
        connecting = error.reason.startswith("no connection to ")
        return "ConnectTimeout" if connecting else "ReadTimeout"
    if error.kind == "connection":
        if error.reason.startswith("cannot connect to "):
            return "ConnectError"
        return "RemoteProtocolError" if error.status is None else "ReadError"
    return EXCEPTIONS.get(error.kind)


def milliseconds(seconds: float | None) -> int:
    """A timeout of httpx in the engine's form."""
    return NEVER_MS if seconds is None else min(max(ceil(seconds * 1000), 1), NEVER_MS)


class Base:
    """The part of a transport that is neither blocking nor asynchronous."""

    _library: ClassVar[Any]
    _body: ClassVar[Any]

    def __init__(
        self, client: BaseClient | None = None, *, settings: Mapping[str, Any] | None = None
    ) -> None:
        if client is not None and settings is not None:
            raise TypeError("give a client, which has its own settings, or settings")
        self._client = client
        self._settings = dict(settings or {})
        self._natives: dict[tuple[str, int], NativeClient] = {}
        self._closed = False
        if settings:
            self._make("http://localhost", 1)  # wrong settings show here

    def _documents(self, request: Any, body: bytes) -> tuple[NativeClient, bytes, bytes]:
        """The client that sends a request, and the request's two documents."""
        if self._closed:
            raise CancelledError.of("the transport is closed: make a new one")
        url = request.url
        if url.scheme not in ("http", "https"):
            raise UnsupportedError.of(f"only http:// and https:// are known, not {url.scheme}://")
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        timeout: Mapping[str, float | None] = request.extensions.get("timeout") or {}
        document: dict[str, Any] = {
            "op": "http",
            "url": origin + url.raw_path.decode("ascii"),
            "method": request.method,
            "headers": [
                (name.decode("ascii"), value.decode("latin-1"))
                for name, value in request.headers.raw
            ],
        }
        try:
            document["body"] = body.decode()
        except UnicodeDecodeError:
            document["body_base64"] = b64encode(body).decode("ascii")
        options: dict[str, Any] = {}
        if self._client is not None:
            options |= self._client._defaults.options
            native = self._client._native
        else:
            options["provider"] = PROVIDER
            native = self._native(origin, milliseconds(timeout.get("connect", 5.0)))
        if timeout.get("read") is not None:
            options["idle_ms"] = milliseconds(timeout["read"])
        return native, _json.dumps(document), _json.dumps(options, "options")

    def _native(self, origin: str, connect_ms: int) -> NativeClient:
        """The transport's client for an origin. The connect timeout is a setting of the client."""
        native = self._natives.get((origin, connect_ms))
        if native is None:  # of two threads that come here at once, one wins
            made = self._make(origin, connect_ms)
            native = self._natives.setdefault((origin, connect_ms), made)
            if self._closed:  # closed meanwhile
                native.close(0)
        return native

    def _make(self, origin: str, connect_ms: int) -> NativeClient:
        timeouts = {"connect_ms": connect_ms, "total_ms": NEVER_MS}
        provider = {"kind": "compatible", "base_url": origin, "timeouts": timeouts}
        config = {"providers": {PROVIDER: {**provider, **self._settings}}}
        return NativeClient(_json.dumps(config, "configuration"))

    def _response(self, head: Any, stream: Any) -> Any:
        headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in head.headers]
        return self._library.Response(head.status, headers=headers, stream=self._body(stream))

    def _close(self) -> None:
        """Ends this transport's own clients. The user closes a client that was given."""
        self._closed = True
        for native in list(self._natives.values()):
            native.close(0)


def failed(library: Any, error: LiterLLMError) -> Exception:
    """The exception that tells httpx what happened."""
    name = exception(error)
    return error if name is None else getattr(library, name)(error.message)


def data(event: Any) -> bytes:
    """The bytes of an `http.data` event."""
    text: str | None = event.get("data")
    return b64decode(event["data_base64"]) if text is None else text.encode()


class Transport(Base):
    """The transport of blocking clients."""

    def handle_request(self, request: Any) -> Any:
        """Sends a request and returns at the answer's head."""
        body = request.read()
        stream: Stream | None = None
        try:
            stream = Stream(*self._documents(request, body))
            return self._response(next(stream), stream)
        except LiterLLMError as error:
            raise failed(self._library, error) from error
        except BaseException:  # Ctrl-C
            if stream is not None:
                stream.close()
            raise

    def close(self) -> None:
        """Closes connections and cancels the requests in flight."""
        self._close()


class Body:
    """An answer's body, as it arrives. Without a reader, the engine reads little ahead."""

    _library: ClassVar[Any]

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from map(data, self._stream)
        except LiterLLMError as error:
            raise failed(self._library, error) from error

    def close(self) -> None:
        """Cancels the rest of the body: the connection is closed."""
        self._stream.close()


class AsyncTransport(Base):
    """The transport of asyncio's clients."""

    async def handle_async_request(self, request: Any) -> Any:
        """Sends a request and returns at the answer's head."""
        body = await request.aread()
        stream: AsyncStream | None = None
        try:
            stream = AsyncStream(*self._documents(request, body))
            return self._response(await stream.__anext__(), stream)
        except LiterLLMError as error:
            raise failed(self._library, error) from error
        except BaseException:  # the task is cancelled
            if stream is not None:
                await stream.close()
            raise

    async def aclose(self) -> None:
        """Closes connections and cancels the requests in flight."""
        self._close()


class AsyncBody:
    """An answer's body, as it arrives. Without a reader, the engine reads little ahead."""

    _library: ClassVar[Any]

    def __init__(self, stream: AsyncStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for event in self._stream:
                yield data(event)
        except LiterLLMError as error:
            raise failed(self._library, error) from error
        except BaseException:  # the task is cancelled, and perhaps nobody closes
            await self._stream.close()
            raise

    async def aclose(self) -> None:
        """Cancels the rest of the body: the connection is closed."""
        await self._stream.close()

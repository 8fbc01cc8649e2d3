"""Transports that put the engine under clients of `httpx`, and so under SDKs that use it.

    openai.OpenAI(http_client=httpx.Client(transport=liter_llm.httpx.Transport()))

Requests and answers pass through verbatim; `docs/transports.md` says what differs from
httpx's own transports.
"""

from __future__ import annotations

import httpx

from . import _transport

__all__ = ["AsyncTransport", "Transport"]


class _Body(_transport.Body, httpx.SyncByteStream):
    _library = httpx


class _AsyncBody(_transport.AsyncBody, httpx.AsyncByteStream):
    _library = httpx


class Transport(_transport.Transport, httpx.BaseTransport):
    """For `httpx.Client(transport=…)`. It may be shared by clients and threads.

    `client`: a `liter_llm.Client` whose configuration has a provider at each origin that is asked;
    it stays its user's to close. Without one, origins are reached as they come, with `settings`
    (members of a provider in a configuration, such as `ca_file` and `http`).
    """

    _library = httpx
    _body = _Body


class AsyncTransport(_transport.AsyncTransport, httpx.AsyncBaseTransport):
    """For `httpx.AsyncClient(transport=…)` on asyncio; arguments are those of `Transport`.

    Cancelling a task closes its connection.
    """

    _library = httpx
    _body = _AsyncBody

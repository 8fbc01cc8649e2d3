"""Transports that put the engine under clients of `httpx2`, and so under SDKs that use it.

    openai.OpenAI(http_client=httpx2.Client(transport=liter_llm.httpx2.Transport()))

Requests and answers pass through verbatim; `docs/transports.md` says what differs from
httpx2's own transports.
"""

from __future__ import annotations

import httpx2

from . import _transport

__all__ = ["AsyncTransport", "Transport"]


class _Body(_transport.Body, httpx2.SyncByteStream):
    _library = httpx2


class _AsyncBody(_transport.AsyncBody, httpx2.AsyncByteStream):
    _library = httpx2


class Transport(_transport.Transport, httpx2.BaseTransport):
    """For `httpx2.Client(transport=…)`. It may be shared by clients and threads.

    `client`: a `liter_llm.Client` whose configuration has a provider at each origin that is asked;
    it stays its user's to close. Without one, origins are reached as they come, with `settings`
    (members of a provider in a configuration, such as `ca_file` and `http`).
    """

    _library = httpx2
    _body = _Body


class AsyncTransport(_transport.AsyncTransport, httpx2.AsyncBaseTransport):
    """For `httpx2.AsyncClient(transport=…)` on asyncio; arguments are those of `Transport`.

    Cancelling a task closes its connection.
    """

    _library = httpx2
    _body = _AsyncBody

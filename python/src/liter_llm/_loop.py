"""Completion queues on asyncio loops.

Each running loop has one Hub: one queue of the engine whose descriptor the loop watches, for all
its calls and streams. One callback resolves the futures of a read, by token, and puts chunks into
the Inbox of their stream. The engine stops reading a stream's socket while its reader has not
consumed what is there: an Inbox gives credit for what was taken out of it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from weakref import ref

from . import _json
from ._errors import Led, LiterLLMError, counted, from_document
from ._queue import CHUNK, CREDIT, RESULT, STREAM, Queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ._native import NativeClient
    from ._queue import Event

CREDITED = 64 << 10
"""Credit is given for so many bytes at once: less than what the engine holds for one stream."""

_hubs: dict[int, Hub] = {}


def _after_fork_in_child() -> None:
    _hubs.clear()


os.register_at_fork(after_in_child=_after_fork_in_child)


def running() -> asyncio.AbstractEventLoop:
    """The running loop. RuntimeError where asyncio does not run, with what to do."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        pass
    trio: Any = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        raise RuntimeError(
            "AsyncClient runs on asyncio, and this is trio: use Client in a thread, "
            "`await trio.to_thread.run_sync(client.chat, prompt)`"
        )
    raise RuntimeError(
        "AsyncClient needs a running event loop of asyncio: await it in a function that "
        "asyncio.run() runs, or use Client"
    )


def running_hub() -> Hub:
    """The hub of the running loop."""
    loop = running()
    hub = _hubs.get(id(loop))
    if hub is not None and hub.loop() is loop:
        return hub
    return _make_hub(loop)


def _make_hub(loop: asyncio.AbstractEventLoop) -> Hub:
    for key, hub in list(_hubs.items()):
        other = hub.loop()
        if other is None or other.is_closed():
            _hubs.pop(key, None)
    # The hub lives as long as its loop, so it must not keep the loop alive.
    key = id(loop)

    def forget(_: object) -> None:
        _hubs.pop(key, None)

    hub = Hub(ref(loop, forget))
    hub.listen(loop)  # it may fail, so it comes before the hub is found
    _hubs[key] = hub
    return hub


async def call(client: NativeClient, how: int, request: bytes, options: bytes) -> bytearray:
    """Sends a request and returns the response document. Raises the error of an error document.

    Cancelling the task cancels the request: its connection is closed.
    """
    loop = running()
    hub = _hubs.get(id(loop))
    if hub is None or hub.loop() is not loop:
        hub = _make_hub(loop)
    queue = hub.queue
    token = queue.next_token()
    queue.submit(client, token, how, request, options)
    futures = hub.futures
    futures[token] = future = loop.create_future()
    try:
        return await future
    except BaseException as error:
        if isinstance(error, LiterLLMError):
            counted(error, type(request) is Led)
        if futures.pop(token, None) is not None:  # no answer came: the task was cancelled
            queue.cancel(token)
        elif not future.cancelled():
            future.exception()  # seen, also where the coroutine was closed as it came
        raise


class Hub:
    """The queue of a loop, the future of each request, and the inbox of each stream."""

    def __init__(self, loop: ref[asyncio.AbstractEventLoop]) -> None:
        self.loop = loop
        self.queue = Queue()
        self.futures: dict[int, asyncio.Future[bytearray]] = {}
        self.inboxes: dict[int, Inbox] = {}
        self._pump: Any = None

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begins to receive: reads the queue on the loop whenever something waits in it.

        A loop without a working `add_reader` (Windows' proactor loop, some guests) gets a daemon
        thread that reads and hands over whole batches.
        """
        try:
            loop.add_reader(self.queue.fd(), self._drain)
        except NotImplementedError:
            from ._pump import Pump

            self._pump = Pump(loop, self.queue, self.deliver)

    def _drain(self) -> None:
        # One read a turn: the loop comes back for the rest, and other work has its turn.
        self.deliver(self.queue.read(0))

    def deliver(self, events: Sequence[Event]) -> None:
        """Hands over a batch. Events that nobody waits for any more are dropped."""
        futures = self.futures
        for event in events:
            token, kind, payload = event
            future = futures.pop(token, None) if kind != CHUNK else None
            if future is None:
                if (inbox := self.inboxes.get(token)) is not None:
                    inbox.put(event)
            elif not future.done():
                if kind == RESULT:
                    future.set_result(payload)
                else:
                    future.set_exception(from_document(_json.loads(payload)))


class Inbox:
    """What has come of one stream and was not taken: no more than the engine holds for a stream."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.token = 0
        self.events: deque[Event] = deque()
        self._taken = 0  # bytes since the last credit
        self._credited = False
        self._waiter: asyncio.Future[None] | None = None

    def submit(self, client: NativeClient, request: bytes, options: bytes) -> None:
        """Starts the stream."""
        queue = self._hub.queue
        token = queue.next_token()
        queue.submit(client, token, STREAM | CREDIT, request, options)
        self.token = token
        self._hub.inboxes[token] = self

    def put(self, event: Event) -> None:
        """Adds an event, and wakes the reader."""
        self.events.append(event)
        waiter, self._waiter = self._waiter, None  # a future keeps its loop alive
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def arrival(self) -> asyncio.Future[None]:
        """A bare future to await while there are no `events`, because a chunk is soon read."""
        if self._waiter is not None and not self._waiter.done():
            raise RuntimeError("another task is reading this stream")
        loop = running()
        if loop is not self._hub.loop():  # nothing would ever wake this one
            raise RuntimeError("the stream belongs to another event loop: read it where it began")
        waiter = self._waiter = loop.create_future()
        return waiter

    def take(self) -> Event:
        """The first of `events`."""
        event = self.events.popleft()
        if event[1] == CHUNK:
            self._taken += len(event[2])
            # The engine waits for a reader's first chunk before it takes a break for an error.
            if self._taken >= CREDITED or not self._credited:
                self._credited = True
                self._hub.queue.credit(self.token, self._taken)
                self._taken = 0
        return event

    def cancel(self) -> None:
        """Asks the engine to stop, on any thread."""
        self._hub.queue.cancel(self.token)

    def collect(self) -> None:
        """Asks for the whole answer and no further chunk of it."""
        self._hub.queue.collect(self.token)

    def release(self) -> None:
        """Ends the stream on the loop's thread."""
        self._hub.inboxes.pop(self.token, None)
        self.events.clear()
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.cancel()

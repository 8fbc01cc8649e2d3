"""Completion queues on asyncio loops.

Each running loop has one Hub: one queue of the engine whose descriptor the loop watches. One
callback resolves the futures of a read, by token. A stream has an Inbox, a queue of its own. Only
an unread queue makes the engine stop reading one stream's socket, and the loop's other requests
must go on. Inboxes go back to their hub and are used again.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from weakref import ref

from . import _json
from ._errors import Led, LiterLLMError, counted, from_document
from ._queue import RESULT, STREAM, Buffer, Queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ._native import NativeClient
    from ._queue import Event

HELD = 256 << 10
"""The unread bytes beyond which a stream's queue is not read. The last read may pass it."""

IDLE = 64
"""The number of inboxes that a hub keeps for the next streams."""

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
    """The queue of a loop, and the future of each request."""

    def __init__(self, loop: ref[asyncio.AbstractEventLoop]) -> None:
        self.loop = loop
        self.buffer = Buffer()
        self.queue = Queue(self.buffer)
        self.futures: dict[int, asyncio.Future[bytearray]] = {}
        self.idle: list[Inbox] = []
        self.listener: Listener

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begins to receive."""
        self.listener = Listener(loop, self.queue, self.deliver)

    def deliver(self, events: Sequence[Event]) -> None:
        """Resolves the futures of a batch. Tokens without a waiting future are dropped."""
        futures = self.futures
        for token, kind, payload in events:
            future = futures.pop(token, None)
            if future is not None and not future.done():
                if kind == RESULT:
                    future.set_result(payload)
                else:
                    future.set_exception(from_document(_json.loads(payload)))

    def inbox(self) -> Inbox:
        """An inbox for one stream."""
        return self.idle.pop() if self.idle else Inbox(self)


class Inbox:
    """One stream's queue and what was read of it: at most HELD bytes and the last read."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        loop = running()
        self.queue = Queue(hub.buffer)
        self.token = 0
        self.events: deque[Event] = deque()
        self._held = 0
        self._waiter: asyncio.Future[None] | None = None
        self._listener = Listener(loop, self.queue, self._deliver)

    def submit(self, client: NativeClient, request: bytes, options: bytes) -> int:
        """Starts the stream and returns the token of its request."""
        token = self.queue.next_token()
        self.queue.submit(client, token, STREAM, request, options)
        self.token = token
        return token

    def _deliver(self, events: Sequence[Event]) -> None:
        for event in events:
            if event[0] == self.token:  # otherwise it is of an earlier stream
                self.events.append(event)
                self._held += len(event[2])
        if self._held > HELD:
            self._listener.pause()
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
        self._held -= len(event[2])
        if self._held <= 0:
            self._listener.resume()
        return event

    def release(self) -> None:
        """Ends the stream on the loop's thread. The inbox goes back to its hub."""
        self.token = 0
        self._held = 0
        self.events.clear()
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.cancel()
        loop = self._hub.loop()
        if len(self._hub.idle) < IDLE and loop is not None and not loop.is_closed():
            self._listener.resume()
            self._hub.idle.append(self)
        else:
            self._listener.stop()


class Listener:
    """Reads a queue on its loop whenever something waits in it.

    A loop without a working `add_reader` (Windows' proactor loop, some guests) gets a daemon thread
    that reads and hands over whole batches.
    """

    __slots__ = ("_deliver", "_fd", "_loop", "_pump", "_queue", "_reading")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        queue: Queue,
        deliver: Callable[[Sequence[Event]], None],
    ) -> None:
        self._loop = ref(loop)
        self._queue = queue
        self._deliver = deliver
        self._reading = True
        self._pump: Any = None
        try:
            self._fd = queue.fd()
            loop.add_reader(self._fd, self._drain)
        except NotImplementedError:
            from ._pump import Pump

            queue.own_buffer()  # its thread reads while others do
            self._pump = Pump(loop, queue, deliver)

    def _drain(self) -> None:
        # One read a turn: the loop comes back for the rest, and other work has its turn.
        self._deliver(self._queue.read(0))

    def pause(self) -> None:
        """Stops reading for now."""
        if not self._reading:
            return
        self._reading = False
        if self._pump is not None:
            self._pump.pause()
        elif (loop := self._loop()) is not None and not loop.is_closed():
            loop.remove_reader(self._fd)

    def resume(self) -> None:
        """Reads again."""
        if self._reading:
            return
        self._reading = True
        if self._pump is not None:
            self._pump.resume()
        elif (loop := self._loop()) is not None and not loop.is_closed():
            loop.add_reader(self._fd, self._drain)

    def stop(self) -> None:
        """Stops reading for good."""
        self.pause()
        if self._pump is not None:
            self._pump.stop()

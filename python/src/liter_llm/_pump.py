"""Reads a queue in a daemon thread, for loops that cannot watch a descriptor.

One `call_soon_threadsafe` hands over a whole batch. The next batch is read after that one was
delivered, so that a busy loop does not collect batches without limit. The thread holds neither its
loop nor its Pump. It ends when one of them is gone, or when the loop is closed.
"""

from __future__ import annotations

import threading
from weakref import ref

from ._errors import LiterLLMError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence
    from typing import Any

    from ._queue import Event, Queue

LOOK_MS = 500
"""How often a thread with nothing to read checks that its loop is still there."""


class Pump:
    """The thread of one queue."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        queue: Queue,
        deliver: Callable[[Sequence[Event]], None],
    ) -> None:
        self._deliver = deliver
        self.may_read = threading.Event()
        self.may_read.set()
        arguments = (ref(loop), ref(self), queue, self.may_read)
        threading.Thread(target=_run, args=arguments, name="liter-llm-pump", daemon=True).start()

    def take(self, events: Sequence[Event]) -> None:
        """Delivers a batch, on the loop's thread."""
        try:
            self._deliver(events)
        finally:
            self.may_read.set()


def _run(loop_ref: Any, pump_ref: Any, queue: Queue, may_read: threading.Event) -> None:
    while True:
        try:
            events = queue.read(LOOK_MS) if may_read.wait(LOOK_MS / 1000) else ()
        except LiterLLMError:  # closed
            return
        loop, pump = loop_ref(), pump_ref()
        if loop is None or pump is None or loop.is_closed():
            return
        if events:
            may_read.clear()
            try:
                loop.call_soon_threadsafe(pump.take, events)
            except RuntimeError:  # closed in between
                return
        del loop, pump

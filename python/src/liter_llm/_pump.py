"""Reads a queue in a daemon thread, for loops that cannot watch a descriptor.

One `call_soon_threadsafe` hands over a whole batch. The thread holds neither its loop nor the
receiver: it ends when one of them is gone, when the loop is closed, or when it is told to.
"""

from __future__ import annotations

import threading
from weakref import WeakMethod, ref

from ._errors import LiterLLMError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence
    from typing import Any

    from ._queue import Event, Queue

LOOK_MS = 500
"""How often a thread with nothing to read looks whether its loop is still there."""


class Pump:
    """The thread of one queue."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        queue: Queue,
        deliver: Callable[[Sequence[Event]], None],
    ) -> None:
        self._going = threading.Event()
        self._going.set()
        self._queue = queue
        arguments = (ref(loop), WeakMethod(deliver), queue, self._going)
        threading.Thread(target=_run, args=arguments, name="liter-llm-pump", daemon=True).start()

    def pause(self) -> None:
        """Reads no more after the batch at hand."""
        self._going.clear()

    def resume(self) -> None:
        """Reads again."""
        self._going.set()

    def stop(self) -> None:
        """Ends the thread."""
        self._queue.close()
        self._going.set()


def _run(loop_ref: Any, deliver_ref: Any, queue: Queue, going: threading.Event) -> None:
    while True:
        try:
            events = queue.read(LOOK_MS) if going.wait(LOOK_MS / 1000) else ()
        except LiterLLMError:  # closed
            return
        loop, deliver = loop_ref(), deliver_ref()
        if loop is None or deliver is None or loop.is_closed():
            return
        if events:
            try:
                loop.call_soon_threadsafe(deliver, events)
            except RuntimeError:  # closed in between
                return
        del loop, deliver

"""The task that reads an asyncio stream."""

from __future__ import annotations

import asyncio
from weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._async import AsyncStream


class Reader:
    """The task that a stream belongs to: the one that read it last. Its cancel ends the stream.

    Nothing else would end it: the traceback of a cancelled task keeps the stream alive. A timeout
    for one chunk cancels a wait too, and the task reads on. So the end of the task counts.
    """

    __slots__ = ("_interrupted", "_next", "_stream", "_task")

    def __init__(self, stream: AsyncStream) -> None:
        self._stream = ref(stream)
        self._next = type(stream).__anext__.__code__
        self._task: ref[asyncio.Task[Any]] | None = None
        self._interrupted = False
        self.is_current()

    def is_current(self) -> None:
        """Notes the running task, unless that is one chunk's own, as `asyncio.wait_for` makes."""
        self._interrupted = False
        task = asyncio.current_task()
        if task is None or (self._task is not None and self._task() is task):
            return
        if getattr(task.get_coro(), "cr_code", None) is self._next:
            return
        self.leave()
        self._task = ref(task)
        task.add_done_callback(self)

    def interrupted(self) -> None:
        """A wait of the task was cancelled."""
        self._interrupted = True

    def leave(self) -> None:
        """Forgets the task."""
        task = self._task and self._task()
        self._task = None
        if task is not None:
            task.remove_done_callback(self)

    def __call__(self, task: asyncio.Task[Any]) -> None:
        stream = self._stream()
        if stream is not None and (task.cancelled() or self._interrupted):
            stream._give_up()  # pyright: ignore[reportPrivateUsage]

"""Reads the engine's completion queues, through which every answer enters Python.

A request is submitted under a token of ours. Its events come out of the queue as 32-byte headers
with a payload behind each. One read takes many of them, into one buffer that is used again and
again:

    │ token u64 │ kind u32 │ status i32 │ len u32 │ count u32 │ liter u64 │ payload │ to 8 bytes

No thread of the engine ever enters Python. One thread at a time reads a queue, so each event loop
(`_loop`), each thread that calls synchronously, and each stream of a thread has a queue of its own.
"""

from __future__ import annotations

import os
import sys
from _struct import Struct
from _thread import _local as thread_local  # threading.local, without importing threading
from itertools import count

from . import _json
from ._errors import Led, counted, from_document, misuse
from ._library import ffi, lib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ._native import NativeClient

    Event = tuple[int, int, bytearray]  # token, kind, payload

CHUNK: int = lib.LITER_LLM_EVENT_CHUNK
RESULT: int = lib.LITER_LLM_EVENT_RESULT
ERROR: int = lib.LITER_LLM_EVENT_ERROR
LOG: int = lib.LITER_LLM_EVENT_LOG

INLINE: int = lib.LITER_LLM_SUBMIT_INLINE
"""The reading thread does the engine's work. It waits anyway, and this spares two hand-overs."""
STREAM: int = lib.LITER_LLM_SUBMIT_STREAM
WHOLE: int = lib.LITER_LLM_SUBMIT_WHOLE
SINGLE: int = lib.LITER_LLM_SUBMIT_SINGLE
"""One answer is expected, so a fan-out is an error."""
CREDIT: int = lib.LITER_LLM_SUBMIT_CREDIT
"""Chunks that were read stay unread for the engine until credit is given for them."""

CAPACITY = 64 << 10
"""The size of the read buffer in bytes. One read takes what waits, up to this."""

SLICE_MS = 100
"""How often a blocked thread checks for signals, so that Ctrl-C works at once."""

_HEADER = Struct("=QIiII8x")
_unpack = _HEADER.unpack_from
_from_buffer = ffi.from_buffer
_read = lib.liter_llm_queue_read
_submit = lib.liter_llm_submit
_cancel = lib.liter_llm_cancel
_collect = lib.liter_llm_collect
_credit = lib.liter_llm_credit
_NOTHING: Sequence[Event] = ()


class SecondReaderError(RuntimeError):
    """One thread at a time may read a stream."""


def runs_on_gevent() -> bool:
    """Whether gevent has replaced what blocks, so that a wait must let other greenlets run."""
    monkey: Any = sys.modules.get("gevent.monkey")
    return monkey is not None and monkey.is_module_patched("socket")


def _let_greenlets_run(fd: int, timeout_ms: int) -> int:
    """Waits in gevent's hub until a queue's descriptor is readable. Returns 0: it is over."""
    from importlib import import_module

    timeout: Any = import_module("gevent").Timeout
    wait_read: Any = import_module("gevent.socket").wait_read
    with timeout(timeout_ms / 1000, False):
        wait_read(fd)
    return 0


class Buffer:
    """Memory that the engine writes events into."""

    __slots__ = ("data", "pointer", "size")

    def __init__(self, size: int = CAPACITY) -> None:
        self.data = bytearray(size)
        self.pointer = _from_buffer("uint8_t[]", self.data)
        self.size = size


class Queue:
    """A completion queue of the engine. It is freed with the last reference to it."""

    __slots__ = ("__weakref__", "_buffer", "handle", "next_token")

    def __init__(self) -> None:
        self.handle: Any = ffi.NULL
        out = ffi.new("liter_llm_queue **")
        status: int = lib.liter_llm_queue_new(0, out)
        if status:
            raise misuse(status)
        self.handle = out[0]
        self.next_token = count(1).__next__
        self._buffer = Buffer()

    def submit(
        self, client: NativeClient, token: int, how: int, request: bytes, options: bytes
    ) -> None:
        """Starts a request. Both documents are copied before this returns. `how` is the flags."""
        handle = client.handle
        status: int = _submit(
            handle, self.handle, token, how, request, len(request), options, len(options)
        )
        if status == lib.LITER_LLM_E_FORKED:
            client.renew(handle)
            handle = client.handle
            status = _submit(
                handle, self.handle, token, how, request, len(request), options, len(options)
            )
        if status == lib.LITER_LLM_E_ARGUMENT and ffi.NULL in (handle, self.handle):
            raise misuse(lib.LITER_LLM_E_CLOSED)
        if status:
            raise misuse(status)

    def cancel(self, token: int) -> None:
        """Asks the engine to stop. It is harmless at any time, also after the end."""
        _cancel(self.handle, token)

    def collect(self, token: int) -> None:
        """Asks for the whole answer of a stream and no further chunk of it."""
        _collect(self.handle, token)

    def credit(self, token: int, size: int) -> None:
        """Says that so many bytes more of a stream's chunks are consumed."""
        _credit(self.handle, token, size)

    def read(self, timeout_ms: int) -> Sequence[Event]:
        """Takes the events that wait, at most a buffer full. Waits for the first of them."""
        if timeout_ms and runs_on_gevent():
            timeout_ms = _let_greenlets_run(self.fd(), timeout_ms)
        buffer = self._buffer
        size: int = _read(self.handle, buffer.pointer, buffer.size, timeout_ms)
        if size <= 0:
            if size == 0:
                return _NOTHING
            if size == lib.LITER_LLM_E_BUSY:
                raise SecondReaderError("another thread is reading this stream")
            if size != lib.LITER_LLM_E_SPACE:
                raise misuse(size)
            # One document is larger than the buffer. Its memory lives as long as the parsing.
            buffer = Buffer(lib.liter_llm_queue_next_size(self.handle))
            size = _read(self.handle, buffer.pointer, buffer.size, 0)
        data = buffer.data
        events: list[Event] = []
        offset = 0
        while offset < size:
            token, kind, _, length, _ = _unpack(data, offset)
            start = offset + 32
            end = start + length
            events.append((token, kind, data[start:end]))
            offset = (end + 7) & -8
        return events

    def fd(self) -> int:
        """A descriptor that is readable while events wait."""
        fd: int = lib.liter_llm_queue_fd(self.handle)
        if fd < 0:
            raise misuse(fd)
        return fd

    def close(self) -> None:
        """Cancels the requests in flight and wakes a reader in another thread."""
        lib.liter_llm_queue_close(self.handle)

    def __reduce__(self) -> Any:
        raise TypeError("a queue of the engine's has one owner, and cannot be copied")

    def __del__(
        self,
        finalizing: Any = sys.is_finalizing,
        free: Any = lib.liter_llm_queue_free,
        null: Any = ffi.NULL,
    ) -> None:
        # At the interpreter's end a daemon thread may still be inside a read.
        if not finalizing():
            # The collector ends the objects of a cycle in any order, so another may still use this
            # one.
            handle, self.handle = self.handle, null
            free(handle)


_thread = thread_local()


def _after_fork_in_child() -> None:
    global _thread
    _thread = thread_local()  # the parent's queues are not ours


os.register_at_fork(after_in_child=_after_fork_in_child)


def call(client: NativeClient, how: int, request: bytes, options: bytes) -> bytearray:
    """Sends a request and waits for the response document. Raises the error of an error document.

    The thread's queues are a stack, not one. A signal handler or a finalizer that calls in the
    middle of a call must not read the events of that call.
    """
    try:
        idle: list[Queue] = _thread.idle
    except AttributeError:
        idle = _thread.idle = []
    queue = idle.pop() if idle else Queue()
    token = queue.next_token()
    if how & INLINE and runs_on_gevent():
        how ^= INLINE | WHOLE  # while the engine works on this thread, no other greenlet runs
    try:
        queue.submit(client, token, how, request, options)
        while True:
            for owner, kind, payload in queue.read(SLICE_MS):
                if owner == token:  # otherwise of a call that was interrupted
                    if kind == RESULT:
                        return payload
                    if kind == ERROR:
                        error = from_document(_json.loads(payload))
                        raise counted(error, type(request) is Led)
    except BaseException:
        queue.cancel(token)
        raise
    finally:
        idle.append(queue)

"""The engine's client: one handle that every view of a Client shares.

It is made anew after fork().
"""

from __future__ import annotations

import os
import sys
from _thread import allocate_lock, start_new_thread

from . import _json
from ._errors import from_document, misuse
from ._library import ffi, lib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FAILED: int = lib.LITER_LLM_FAILED

SLICE_SECONDS = 0.1
"""A signal that comes as a thread begins to wait is handled when the thread looks up."""

_lock = allocate_lock()


def _after_fork_in_child() -> None:
    global _lock
    _lock = allocate_lock()  # a thread of the parent may have held it


os.register_at_fork(after_in_child=_after_fork_in_child)


def environment() -> dict[str, str]:
    """The variables of `os.environ` that a client is made in.

    They are read under the interpreter's own lock. The engine must not read them itself, because
    C's getenv may crash beside an assignment to `os.environ` in another thread.
    """
    variables: dict[str, str] = {}
    for name in list(os.environ):
        value = os.environ.get(name)
        if value is not None:  # another thread may have deleted it
            key, text = (part.encode(errors="replace").decode() for part in (name, value))
            variables[key] = text
    _trust_as_requests_does(variables)
    return variables


def _trust_as_requests_does(variables: dict[str, str]) -> None:
    """Trusts the file of roots that Python's other clients are told of, beside the system's roots.

    Whoever names roots for the engine wants no others. A folder is for `requests` alone.
    """
    own = ("LITER_LLM_EXTRA_CA_FILE", "SSL_CERT_FILE", "SSL_CERT_DIR")
    if any(variables.get(name) for name in own):
        return
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        file = variables.get(name)
        if file and os.path.isfile(file):
            variables["LITER_LLM_EXTRA_CA_FILE"] = file
            return


def _take(document: Any, length: int | None = None) -> bytes:
    """Copies a document of the engine and frees it."""
    try:
        return ffi.string(document) if length is None else ffi.buffer(document, length)[:]
    finally:
        lib.liter_llm_free(document)


_asked_for_logs = False


def _begin_logs() -> None:
    """Begins to log where LITER_LLM_LOG or the program asks for it, and again in a forked child."""
    global _asked_for_logs
    if not _asked_for_logs:
        _asked_for_logs = True
        if word := os.environ.get("LITER_LLM_LOG", "").strip().lower():
            from ._logs import to_stderr

            to_stderr(word)
    logs: Any = sys.modules.get(f"{__package__}._logs")
    if logs is not None:
        logs.begin()


class NativeClient:
    """Owns a `liter_llm_client` and what it is made from.

    That is a configuration (None: the environment's) and the environment of that time. A forked
    child makes its client from the same two. `said` has the warnings that the client has said.
    """

    __slots__ = ("__weakref__", "_config", "_environment", "closed", "handle", "said")

    def __init__(self, config: bytes | None, variables: dict[str, str] | None = None) -> None:
        self._config = config
        self._environment = _json.dumps(variables or environment(), "environment")
        self.closed = False
        self.said: set[str] = set()
        self.handle: Any = ffi.NULL
        self.handle = self._open()

    def _open(self) -> Any:
        _begin_logs()
        # The documents are in no local variable, because some tools report those with an error.
        out, error = ffi.new("liter_llm_client **"), ffi.new("char **")
        status: int = lib.liter_llm_client_new_with_environment(
            ffi.NULL if self._config is None else self._config,
            0 if self._config is None else len(self._config),
            self._environment,
            len(self._environment),
            out,
            error,
        )
        if status == FAILED:
            raise from_document(_json.loads(_take(error[0])))
        if status < 0:
            raise misuse(status)
        return out[0]

    def renew(self, stale: Any) -> None:
        """Makes a client of the forked child's own in place of the parent's."""
        with _lock:
            if self.closed:
                raise misuse(lib.LITER_LLM_E_CLOSED)
            if self.handle is stale:
                self.handle = self._open()

    def metrics(self, kind: str) -> bytes:
        """Counters as a document of `kind`: json or prometheus."""
        handle = self.handle
        out, length = ffi.new("char **"), ffi.new("size_t *")
        status: int = lib.liter_llm_client_metrics(handle, kind.encode(), out, length)
        if status == lib.LITER_LLM_E_FORKED:
            self.renew(handle)
            return self.metrics(kind)
        if status < 0:
            raise misuse(status)
        document = _take(out[0], length[0])
        if status == FAILED:
            raise from_document(_json.loads(document))
        return document

    def close(self, grace: float) -> None:
        """Refuses requests, waits `grace` seconds for those in flight, and cancels the rest.

        The thread waits in the engine and handles no signal. Another close, without grace, ends the
        wait.
        """
        milliseconds = int(min(max(grace * 1000, 0), 0xFFFF_FFFF))
        self.closed = True
        status: int = lib.liter_llm_client_close(self.handle, milliseconds)
        # An argument is wrong if the collector has been here before, in a cycle.
        harmless = (lib.LITER_LLM_E_CLOSED, lib.LITER_LLM_E_FORKED, lib.LITER_LLM_E_ARGUMENT)
        if status < 0 and status not in harmless:
            raise misuse(status)

    def close_interruptibly(self, grace: float) -> None:
        """Closes as `close` does, but handles Ctrl-C: another thread waits in the engine."""
        ended = allocate_lock()
        failures: list[BaseException] = []

        def close() -> None:
            try:
                self.close(grace)
            except BaseException as error:
                failures.append(error)
            finally:
                ended.release()

        ended.acquire()
        try:
            start_new_thread(close, ())
        except RuntimeError:  # the interpreter ends, so no thread begins any more
            self.close(grace)
            return
        try:
            while not ended.acquire(timeout=SLICE_SECONDS):
                pass
        except BaseException:
            self.close(0)
            raise
        if failures:
            raise failures[0]

    def __reduce__(self) -> Any:
        raise TypeError("a client of the engine's has one owner, and cannot be copied")

    def __del__(
        self,
        finalizing: Any = sys.is_finalizing,
        free: Any = lib.liter_llm_client_free,
        null: Any = ffi.NULL,
    ) -> None:
        # At the interpreter's end the process itself gives everything back.
        if not finalizing():
            # The collector ends the objects of a cycle in any order, so another may still use this
            # one.
            handle, self.handle = self.handle, null
            free(handle)

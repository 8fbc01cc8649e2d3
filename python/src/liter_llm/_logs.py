"""The engine's log records in Python's `logging`: `logs`, and what LITER_LLM_LOG asks for.

One daemon thread reads a queue of the engine's and hands each record to the logger `liter_llm`. It
asks the logger once a second which levels are wanted, so that nothing is made that nobody reads.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import sys
import threading

from . import _json
from ._errors import LiterLLMError
from ._library import lib
from ._queue import LOG, Queue
from ._warnings import once, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LEVELS = {
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}
"""The engine's levels in the order of its numbers, from 1, and Python's."""

SLICE_MS = 1000
"""How often the logger is asked what it wants."""

LAST_SECONDS = 2.0
"""How long the end of the process waits for the last records."""

PLAIN = frozenset(" \"'=")
"""What no value has that is written without quotes."""

HEAD = ("level", "event", "ts", "message")
"""Members that the text of a record has in its head, or not at all."""

_logger = logging.getLogger("liter_llm")
_reader: Reader | None = None
_wanted = False


def logs() -> None:
    """Hands the engine's log records to the logger `liter_llm`, from now on.

    A call that ended is `info`, a failed one `error`, its attempts are `debug`, and what changes
    for further calls (breakers, limits) is `warning`. `record.liter` is the record as a dict, with
    `event`, `provider`, `model`, `outcome`, `attempts` … No record has a key; texts of requests and
    answers are in none, unless LITER_LLM_LOG_BODIES=1 asks for them at `debug`.

    The logger's level says which records come. Calling it again changes nothing.

        logging.basicConfig(level=logging.INFO)
        liter_llm.logs()

    Without a line of code, LITER_LLM_LOG=debug (error, warn, info, debug, off) writes to stderr.
    """
    global _wanted
    _wanted = True
    begin()


def begin() -> None:
    """Starts the thread, where there is none, and records are wanted."""
    global _reader
    if _wanted and _reader is None:
        _reader = Reader()
        _reader.thread.start()


def to_stderr(word: str) -> None:
    """Does what LITER_LLM_LOG asks for: records of a level and above on stderr."""
    if word == "off":
        return
    level = LEVELS.get({"warning": "warn"}.get(word, word))
    if level is None:
        once(set(), f"LITER_LLM_LOG is one of {', '.join(LEVELS)}, off: nothing is logged")
        return
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    handler.setLevel(level)
    _logger.addHandler(handler)
    if not _logger.isEnabledFor(level):
        _logger.setLevel(level)
    logs()


class Reader:
    """The queue and its thread."""

    def __init__(self) -> None:
        self.queue = Queue()
        self.level = 0
        self.ask()  # before the thread begins: a call right after `logs` is heard
        self.thread = threading.Thread(target=self._run, name="liter-llm-logs", daemon=True)

    def ask(self) -> None:
        """Tells the engine which records the logger wants."""
        level = sum(1 for one in LEVELS.values() if _logger.isEnabledFor(one))
        if level != self.level:
            self.level = level
            lib.liter_llm_queue_logs(self.queue.handle, level)

    def _run(self) -> None:
        queue = self.queue
        while True:
            try:
                events = queue.read(SLICE_MS)
            except LiterLLMError:  # closed, and nothing is left; or the parent's
                return
            for _, kind, payload in events:
                if kind == LOG:
                    write(_json.loads(payload))
            self.ask()

    def end(self) -> None:
        """Reads what is left and ends the thread."""
        self.queue.close()
        self.thread.join(LAST_SECONDS)


def write(document: dict[str, Any]) -> None:
    """Hands one record to the logger."""
    level = LEVELS.get(document.get("level", ""), logging.INFO)
    if _logger.isEnabledFor(level):
        try:
            _logger.log(level, "%s", text(document), extra={"liter": document})
        except Exception as error:  # a handler of the program's: the next record may go well
            print(f"liter_llm: a log handler failed: {type(error).__name__}", file=sys.stderr)  # noqa: T201


def text(document: dict[str, Any]) -> str:
    """A record in one line: `call provider=openai model=gpt-4.1-mini outcome=ok …`.

    A model's name is the caller's, and may have come from outside. So no value can end the line,
    nor pass for another member.
    """
    parts = [_word(document.get("event", "log"))]
    parts += [
        f"{_word(name)}={_word(value)}"
        for name, value in document.items()
        if name not in HEAD and value is not None
    ]
    if said := document.get("message"):
        parts.append(f"- {printable(str(said))}")
    return " ".join(parts)


def _word(value: Any) -> str:
    """A value as it is, where it is one plain word; else as JSON in ASCII."""
    if isinstance(value, str) and value.isprintable() and PLAIN.isdisjoint(value) and value:
        return value
    return json.dumps(value, separators=(",", ":"))


def _at_exit() -> None:
    if _reader is not None:
        _reader.end()


def _after_fork_in_child() -> None:
    global _reader
    _reader = None  # the thread is the parent's; the child's first client begins anew


atexit.register(_at_exit)
os.register_at_fork(after_in_child=_after_fork_in_child)

"""What an answer was served with otherwise than asked, said through Python's `warnings`.

Each text is said once for each client. It names members of the request, never their values.
"""

from __future__ import annotations

import os
import sys
import warnings

from ._errors import count_system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

MOST = 256
"""The number of different texts that a client says."""

LOOP = (
    "liter_llm.Client is called in a running event loop, which stands still until the answer is "
    "there: use AsyncClient, and await it"
)

_HERE = os.path.dirname(__file__) + os.sep

_LOOPS = ("asyncio", "uvloop")
"""Packages whose frames call a coroutine that a task begins with. No program is wrong there."""


class LiterLLMWarning(UserWarning):
    """A request went out otherwise than it was written, or a client is used wrongly.

    `response.warnings` has the same, with a code for programs. To be rid of them:
    `warnings.simplefilter("ignore", liter_llm.LiterLLMWarning)`.
    """


def say(said: set[str], notes: Sequence[dict[str, Any]], led: bool = False) -> None:
    """Says the warnings of an answer, but for those in `said`, the client's texts so far.

    `led` is whether the request's first message is the argument `system`.
    """
    for note in notes:
        text = note.get("message") or note.get("code") or ""
        param = note.get("param")
        text = text if not param or param in text else f"{param}: {text}"
        once(said, count_system(text) if led else text)


def once(said: set[str], text: str) -> None:
    """Says one text, unless it is in `said`."""
    if text in said or len(said) >= MOST:
        return
    said.add(text)
    warnings.warn(printable(text), LiterLLMWarning, stacklevel=_depth())


def printable(text: str) -> str:
    """The text as one line, with the escapes of JSON for what cannot be seen.

    A name that a stranger gave can neither forge a line nor steer a terminal.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else _escape(one) for one in text)


def _escape(character: str) -> str:
    import json

    return json.dumps(character)[1:-1]


def waits(said: set[str]) -> None:
    """Says that a call blocks, where an event loop runs on its thread.

    A notebook's cells run in such a loop, and there nothing else waits for it.
    """
    asyncio: Any = sys.modules.get("asyncio")
    if asyncio is not None and asyncio._get_running_loop() and "ipykernel" not in sys.modules:
        once(said, LOOP)


def _depth() -> int:
    """The number of frames from `once` up to the caller's own code."""
    depth, frame = 2, sys._getframe(2)
    while frame.f_back is not None and (
        frame.f_code.co_filename.startswith(_HERE)
        or frame.f_globals.get("__name__", "").partition(".")[0] in _LOOPS
    ):
        depth, frame = depth + 1, frame.f_back
    return depth

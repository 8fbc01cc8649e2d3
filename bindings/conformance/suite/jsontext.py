"""JSON whose numbers keep their spelling, from a case file to the last comparison.

A binding that turns 0.10 into 0.1 has changed the provider's answer, and Python's own floats would
hide it. A number with a fraction or an exponent is held as its text behind a mark.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

# From the private use area: no document of ours or of a provider holds it.
_MARK = "\ue000"
_MARKED = re.compile(f'"{_MARK}([^"]*)"')


def parse(text: str | bytes, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """Parses JSON; `pairs` may look at each object's members."""
    return json.loads(text, parse_float=lambda number: _MARK + number, object_pairs_hook=pairs)


def compact(value: Any) -> str:
    """JSON without white space, in its own order, with the numbers as they were written."""
    return _MARKED.sub(r"\1", json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def plain(value: Any) -> Any:
    """The same value with ordinary floats."""
    if isinstance(value, str):
        return float(value[1:]) if value.startswith(_MARK) else value
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    return value

"""Recorded answers that come out of the cache: equal to the first answer, or never stored.

Each recorded answer is asked for twice by one client with a cache. Where it may be stored, the
second one is the first but for what is volatile, as a whole answer and as a stream alike.
"""

from __future__ import annotations

from typing import Any

from . import corpus, jsontext
from .canonical import text
from .cases import Case
from .compare import short
from .corpus import Record

_MODE = {"cache": {"mode": "always"}}
# No answer of the corpus is too large.
_CACHE = {"memory_bytes": 1 << 28, "max_entry_bytes": 1 << 24}
# What a stored answer does not say, or says of itself.
_OWN = ("attempts", "cache", "cost", "ratelimit", "saved_usd")
_FINISHED = ("stop", "tool_calls", "length")
_DOUBTFUL = (
    "breaker_open",
    "repeated_start",
    "stream_end_unmarked",
    "unfinished_turn",
    "unknown_finish_reason",
)
_SUFFIX = "/kept"


def wanted(record: Record) -> bool:
    """Whether a record is an answer that a cache may be asked to keep."""
    return record.operation != "count_tokens" and record.facts["kind"] != "error"


def case_id(record: Record) -> str:
    """`corpus/<file>/<id>/kept`."""
    return f"corpus/{record.id}{_SUFFIX}"


def case(record: Record) -> Case:
    """The case that asks for `record` twice; an answer that is not stored is sent again."""
    document = corpus.case(record, 1).document
    request: dict[str, Any] = document["request"]
    chat = record.operation == "chat"
    first = request | ({"stream": True} if record.data["streaming"] else {})
    more = {
        "config": document["config"] | {"cache": _CACHE},
        "options": _MODE,
        "before": [{"request": first, "options": _MODE}],
        "exchanges": document["exchanges"] * 2,
        "via": ["call", "stream"] if chat else ["call"],
    }
    return Case(case_id(record), document | more)


def is_stored(outcome: dict[str, Any]) -> bool:
    """Whether an outcome came out of the cache."""
    return "cache" in outcome.get("result", {}).get("liter", {})


def judge(record: Record, outcome: dict[str, Any], first: dict[str, Any]) -> str | None:
    """What is wrong with the second `outcome` of a record, beside the first one."""
    result = first.get("result")
    if is_stored(outcome) != (storable := result is not None and _storable(record, result)):
        return "is stored, and may not be" if not storable else "is not stored"
    if not storable or text(_rest(outcome["result"])) == text(_rest(first["result"])):
        return None
    ours, theirs = _rest(outcome["result"]), _rest(first["result"])
    for name in dict.fromkeys([*theirs, *ours]):
        if (one := ours.get(name)) != (other := theirs.get(name)):
            return f"{name}: {short(jsontext.compact(one))}, first {short(jsontext.compact(other))}"
    return "the order of members is another one"


def _storable(record: Record, result: dict[str, Any]) -> bool:
    if any(warning["code"] in _DOUBTFUL for warning in result["warnings"]):
        return False
    if record.operation == "embed":
        return True
    reasons = [choice["finish_reason"] for choice in result["choices"]]
    return bool(reasons) and all(reason in _FINISHED for reason in reasons)


def _rest(result: dict[str, Any]) -> dict[str, Any]:
    liter = {name: value for name, value in result["liter"].items() if name not in _OWN}
    return result | {"liter": liter}

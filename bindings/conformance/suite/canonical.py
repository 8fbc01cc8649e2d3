"""The canonical form of an outcome: what two languages must agree on, byte by byte.

Only what differs from run to run is taken out. Member order and the spelling of numbers stay, for
a binding that re-sorts or rounds has changed the provider's answer.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from .compare import is_many
from .jsontext import compact

# The base URL under which the simulator serves a case, which a case calls $SIM.
_SIMULATOR = re.compile(r"https?://[^/\s\"]+/case/[^/\s\"]+/[^/\s\"?;)]+")

# A long message of an attempt is cut. Each language's case has a URL of another length, so what is
# left of it differs. The error's own message is never cut there.
_URL_AT_END = re.compile(r"\(asked: [^)]*(\)|…)$")


# Members of a trace that differ from run to run.
_TIMES = {"start_unix_ns", "total_ms", "start_ms", "end_ms", "sent_ms", "first_ms"}


def strip(outcome: dict[str, Any]) -> dict[str, Any]:
    """Takes the volatile members out of an outcome line, in place."""
    result = outcome.get("result")
    # A fan-out has several of both.
    parts = result if is_many(result) else {}
    for answer in [result, *parts.get("results", [])]:
        _strip_result(answer)
    for error in [outcome, *parts.get("failures", [])]:
        _strip_error(error.get("error"))
    if isinstance(events := outcome.get("events"), list):
        outcome["events"] = _join_data(events)
    return outcome


def _strip_result(result: Any) -> None:
    if isinstance(result, dict) and isinstance(liter := result.get("liter"), dict):
        liter.pop("request_id", None)
        liter.pop("timing", None)
        if isinstance(cache := liter.get("cache"), dict):
            cache.pop("age_ms", None)
        _strip_attempts(liter)
        _strip_trace(liter)


def _strip_error(error: Any) -> None:
    if isinstance(error, dict):
        _strip_attempts(error)
        _strip_trace(error)
        _strip_url(error, "message", "reason")


def _join_data(events: list[Any]) -> list[Any]:
    """Joins the data events of what is passed through: how its socket was read is chance."""
    pieces: list[bytes] = []
    others: list[Any] = []
    for event in events:
        if not isinstance(event, dict) or event.get("object") != "http.data":
            others.append(event)
        elif "data" in event:
            pieces.append(event["data"].encode())
        else:
            pieces.append(base64.b64decode(event["data_base64"], validate=True))
    if not pieces:
        return events
    whole = b"".join(pieces)
    try:
        joined = {"data": whole.decode()}
    except UnicodeDecodeError:
        joined = {"data_base64": base64.b64encode(whole).decode()}
    return [*others, {"object": "http.data", **joined}]


def steady(outcome: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    """The part of an outcome that does not hang on timing, for the cases where some does.

    How much had arrived before a cancellation or a reset took hold, and which deltas came in one
    read of the socket, differ from run to run. All else of such a case is compared as ever.
    """
    replies = [exchange.get("reply", {}) for exchange in case.get("exchanges", [])]
    error = outcome.get("error")
    if "cancel_after" in case and isinstance(error, dict) and error.get("kind") == "cancelled":
        events = outcome.get("events", [])[: case["cancel_after"]]
        return outcome | {"error": {"kind": "cancelled"}, "events": events}
    if any(reply.get("cut") == "reset" for reply in replies) and isinstance(error, dict):
        without = {name: value for name, value in outcome.items() if name != "events"}
        return without | {"error": {"kind": error.get("kind")}}
    if case.get("options", {}).get("merge_deltas"):
        return {name: value for name, value in outcome.items() if name != "events"}
    return outcome


def _strip_attempts(owner: dict[str, Any]) -> None:
    for attempt in owner.get("attempts") or []:
        if isinstance(attempt, dict):
            attempt.pop("ms", None)
            if isinstance(said := attempt.get("message"), str):
                attempt["message"] = _URL_AT_END.sub("(asked: …)", said)
            _strip_url(attempt, "message")


def _strip_trace(owner: dict[str, Any]) -> None:
    if isinstance(trace := owner.get("trace"), dict):
        # Which members there are is not chance, and neither is the number of the attempts.
        for times in [trace, *(trace.get("attempts") or [])]:
            for name in times.keys() & _TIMES:
                times[name] = 0
            times["server"] = "$SIM"


def _strip_url(owner: dict[str, Any], *names: str) -> None:
    for name in names:
        if isinstance(said := owner.get(name), str):
            owner[name] = _SIMULATOR.sub("$SIM", said)


def text(outcome: dict[str, Any]) -> str:
    """The canonical bytes of a stripped outcome, without its case and via."""
    body = {name: value for name, value in outcome.items() if name not in ("case", "via")}
    return compact(body)


def rename(outcome: dict[str, Any], name: str, provider: str) -> dict[str, Any]:
    """An `invoke` outcome with the case's own provider in place of the name it was given.

    Under `invoke` each case's provider has the case's id for a name, so that one configuration
    serves all; the expected outcome is written for the provider itself.
    """
    return json.loads(
        json.dumps(outcome).replace(json.dumps(name)[1:-1], json.dumps(provider)[1:-1])
    )
